"""Surfaces for the rendered world: procedural Cycles materials and a mesh builder (runs inside bpy only)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import bpy
from mathutils import Matrix, Vector

Rgb = tuple[float, float, float]
Point = tuple[float, float, float]


@dataclass(slots=True)
class Palette:
    """Every material of one scene, by name, with the inputs that a change of light or of weather turns."""

    made: dict[str, Any] = field(default_factory=dict)
    glows: list[tuple[Any, float]] = field(default_factory=list)
    wets: list[Any] = field(default_factory=list)

    def paint(self, rgb: Rgb, rough: float = 0.55, metal: float = 0.0, coat: float = 0.0, wrinkle: float = 0.0) -> Any:
        """A plain coloured surface; `wrinkle` adds a bump (bags, cloth, cardboard)."""
        name = f"paint{rgb[0]:.3f}{rgb[1]:.3f}{rgb[2]:.3f}{rough:.2f}{metal:.1f}{coat:.1f}{wrinkle:.2f}"
        if name in self.made:
            return self.made[name]
        material, tree, bsdf = _principled(name, rgb, rough, metal)
        bsdf.inputs["Coat Weight"].default_value = coat
        if wrinkle:
            noise = _noise(tree, 14.0, 3.0, _coordinates(tree))
            _bump(tree, bsdf, noise.outputs["Fac"], wrinkle, 0.04)
        self.made[name] = material
        return material

    def worn(self, rgb: Rgb, rough: float = 0.8, scale: float = 1.2, depth: float = 0.45) -> Any:
        """A coloured surface with large stains and fine grain (plaster, concrete)."""
        name = f"worn{rgb[0]:.3f}{rgb[1]:.3f}{rgb[2]:.3f}{scale}{depth}"
        if name not in self.made:
            material, tree, bsdf = _principled(name, rgb, rough, 0.0)
            _stain(tree, bsdf, rgb, scale, depth, _coordinates(tree))
            self.made[name] = material
        return self.made[name]

    def glass(self, tint: Rgb = (0.03, 0.04, 0.05), glow: float = 0.0, lit: Rgb = (1.0, 0.85, 0.6)) -> Any:
        """Dark reflecting glass; with `glow`, a window that is lit from inside when it is dark."""
        name = f"glass{tint[0]:.2f}{tint[2]:.2f}{glow:.2f}{lit[2]:.2f}"
        if name not in self.made:
            material, _, bsdf = _principled(name, tint, 0.06, 0.0)
            bsdf.inputs["Emission Color"].default_value = (*lit, 1.0)
            if glow:
                self.glows.append((bsdf.inputs["Emission Strength"], glow))
            self.made[name] = material
        return self.made[name]

    def lamp(self, rgb: Rgb, glow: float, rough: float = 0.4) -> Any:
        """A surface that shines in its own colour when the lights are on (sign boards, lamps)."""
        name = f"lamp{rgb[0]:.3f}{rgb[1]:.3f}{rgb[2]:.3f}{glow:.2f}"
        if name not in self.made:
            material, _, bsdf = _principled(name, rgb, rough, 0.0)
            bsdf.inputs["Emission Color"].default_value = (*rgb, 1.0)
            self.glows.append((bsdf.inputs["Emission Strength"], glow))
            self.made[name] = material
        return self.made[name]

    def bricks(
        self, name: str, one: Rgb, two: Rgb, joint: Rgb, size: tuple[float, float], wall: bool, offset: float = 0.5
    ) -> Any:
        """Bricks, tiles or paving of `size` metres; `wall` lays them upright. Paving gets wet in rain."""
        if name in self.made:
            return self.made[name]
        material, tree, bsdf = _principled(name, one, 0.8, 0.0)
        where = _upright(tree) if wall else _coordinates(tree)
        brick = tree.nodes.new("ShaderNodeTexBrick")
        brick.offset = offset
        for key, value in (("Color1", one), ("Color2", two), ("Mortar", joint)):
            brick.inputs[key].default_value = (*value, 1.0)
        brick.inputs["Scale"].default_value = 1.0
        brick.inputs["Brick Width"].default_value = size[0]
        brick.inputs["Row Height"].default_value = size[1]
        brick.inputs["Mortar Size"].default_value = 0.008
        tree.links.new(where, brick.inputs["Vector"])
        colour = _soil(tree, brick.outputs["Color"], where, 0.7, 0.35)
        tree.links.new(colour, bsdf.inputs["Base Color"])
        _bump(tree, bsdf, brick.outputs["Fac"], -0.4, 0.02)
        if not wall:
            self._wettable(tree, bsdf, colour, where, 0.8)
        self.made[name] = material
        return material

    def asphalt(self, rgb: Rgb) -> Any:
        """Road surface: grain, patches and tracks; puddles in rain."""
        name = f"asphalt{rgb[0]:.3f}"
        if name in self.made:
            return self.made[name]
        material, tree, bsdf = _principled(name, rgb, 0.85, 0.0)
        where = _coordinates(tree)
        grain = _noise(tree, 90.0, 2.0, where)
        colour = _soil(tree, _tint(tree, rgb, grain.outputs["Fac"], 0.6), where, 0.35, 0.5)
        tree.links.new(colour, bsdf.inputs["Base Color"])
        _bump(tree, bsdf, grain.outputs["Fac"], 0.25, 0.01)
        self._wettable(tree, bsdf, colour, where, 0.85)
        self.made[name] = material
        return material

    def carton(self) -> Any:
        """Cardboard."""
        return self.worn((0.42, 0.27, 0.14), 0.85, 3.0, 0.3)

    def weather(self, wet: float, glow: float) -> None:
        """Set how wet the ground is (0-1) and how strongly lamps, signs and windows shine."""
        for node in self.wets:
            node.outputs[0].default_value = wet
        for socket, factor in self.glows:
            socket.default_value = factor * glow

    def _wettable(self, tree: Any, bsdf: Any, colour: Any, where: Any, dry: float) -> None:
        wet = tree.nodes.new("ShaderNodeValue")
        wet.outputs[0].default_value = 0.0
        puddle = _ramp(tree, _noise(tree, 0.45, 3.0, where).outputs["Fac"], 0.42, 0.62)
        share = _math(tree, "MULTIPLY", wet.outputs[0], _math(tree, "MULTIPLY_ADD", puddle, 0.45, 0.55))
        rough = _math(tree, "MULTIPLY_ADD", share, 0.06 - dry, dry)
        tree.links.new(rough, bsdf.inputs["Roughness"])
        darker = _mix(tree, _math(tree, "MULTIPLY", share, 0.6), colour, (0.01, 0.01, 0.012, 1.0))
        tree.links.new(darker, bsdf.inputs["Base Color"])
        self.wets.append(wet)


def _principled(name: str, rgb: Rgb, rough: float, metal: float) -> tuple[Any, Any, Any]:
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    tree = material.node_tree
    bsdf = next(node for node in tree.nodes if node.type == "BSDF_PRINCIPLED")
    bsdf.inputs["Base Color"].default_value = (*rgb, 1.0)
    bsdf.inputs["Roughness"].default_value = rough
    bsdf.inputs["Metallic"].default_value = metal
    return material, tree, bsdf


def _coordinates(tree: Any) -> Any:
    return tree.nodes.new("ShaderNodeTexCoord").outputs["Object"]


def _upright(tree: Any) -> Any:
    """Coordinates for walls that stand along x or along y: u = x + y, v = z."""
    parts = tree.nodes.new("ShaderNodeSeparateXYZ")
    tree.links.new(_coordinates(tree), parts.inputs[0])
    joined = tree.nodes.new("ShaderNodeCombineXYZ")
    tree.links.new(_math(tree, "ADD", parts.outputs[0], parts.outputs[1]), joined.inputs[0])
    tree.links.new(parts.outputs[2], joined.inputs[1])
    return joined.outputs[0]


def _noise(tree: Any, scale: float, detail: float, where: Any) -> Any:
    node = tree.nodes.new("ShaderNodeTexNoise")
    node.inputs["Scale"].default_value = scale
    node.inputs["Detail"].default_value = detail
    tree.links.new(where, node.inputs["Vector"])
    return node


def _math(tree: Any, operation: str, *values: Any) -> Any:
    node = tree.nodes.new("ShaderNodeMath")
    node.operation = operation
    for socket, value in zip(node.inputs, values, strict=False):
        if isinstance(value, int | float):
            socket.default_value = float(value)
        else:
            tree.links.new(value, socket)
    return node.outputs[0]


def _mix(tree: Any, factor: Any, one: Any, two: Any) -> Any:
    node = tree.nodes.new("ShaderNodeMix")
    node.data_type = "RGBA"
    sockets = [s for s in node.inputs if s.enabled]
    for socket, value in zip(sockets, (factor, one, two), strict=True):
        if isinstance(value, tuple | int | float):
            socket.default_value = value
        else:
            tree.links.new(value, socket)
    return next(s for s in node.outputs if s.enabled)


def _ramp(tree: Any, value: Any, low: float, high: float) -> Any:
    node = tree.nodes.new("ShaderNodeMapRange")
    node.inputs["From Min"].default_value = low
    node.inputs["From Max"].default_value = high
    tree.links.new(value, node.inputs["Value"])
    return node.outputs[0]


def _tint(tree: Any, rgb: Rgb, factor: Any, depth: float) -> Any:
    low = tuple(c * (1 - depth) for c in rgb)
    high = tuple(min(1.0, c * (1 + depth)) for c in rgb)
    return _mix(tree, factor, (*low, 1.0), (*high, 1.0))


def _soil(tree: Any, colour: Any, where: Any, scale: float, depth: float) -> Any:
    """Large soft stains over a colour."""
    dirt = _ramp(tree, _noise(tree, scale, 5.0, where).outputs["Fac"], 0.35, 0.7)
    dark = _mix(tree, depth, colour, (0.03, 0.028, 0.025, 1.0))
    return _mix(tree, dirt, colour, dark)


def _stain(tree: Any, bsdf: Any, rgb: Rgb, scale: float, depth: float, where: Any) -> None:
    grain = _noise(tree, 25.0, 3.0, where)
    colour = _soil(tree, _tint(tree, rgb, grain.outputs["Fac"], 0.15), where, scale, depth)
    tree.links.new(colour, bsdf.inputs["Base Color"])


def _bump(tree: Any, bsdf: Any, height: Any, strength: float, distance: float) -> None:
    node = tree.nodes.new("ShaderNodeBump")
    node.inputs["Strength"].default_value = abs(strength)
    node.invert = strength < 0
    node.inputs["Distance"].default_value = distance
    tree.links.new(height, node.inputs["Height"])
    tree.links.new(node.outputs[0], bsdf.inputs["Normal"])


class Shape:
    """Collects faces with their materials in one frame (metres, z up, origin on the ground); then makes an object."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._verts: list[Point] = []
        self._faces: list[tuple[int, ...]] = []
        self._slots: list[int] = []
        self._smooth: list[bool] = []
        self._materials: list[Any] = []

    def add(
        self, verts: Sequence[Sequence[float]], faces: Sequence[Sequence[int]], material: Any, smooth: bool = False
    ) -> None:
        """Append faces over `verts`, all of one material."""
        if material not in self._materials:
            self._materials.append(material)
        slot, base = self._materials.index(material), len(self._verts)
        self._verts.extend((float(v[0]), float(v[1]), float(v[2])) for v in verts)
        self._faces.extend(tuple(base + i for i in face) for face in faces)
        self._slots.extend([slot] * len(faces))
        self._smooth.extend([smooth] * len(faces))

    def box(
        self,
        centre: Point,
        size: Point,
        material: Any,
        turn: Point = (0.0, 0.0, 0.0),
        taper: float = 1.0,
    ) -> None:
        """A box; `turn` in radians about x, y, z; `taper` scales its foot against its top."""
        matrix = Matrix.Translation(centre) @ _rotation(turn)
        half = [s / 2 for s in size]
        verts = []
        for z in (-1, 1):
            k = taper if z < 0 else 1.0
            for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
                verts.append(matrix @ Vector((x * half[0] * k, y * half[1] * k, z * half[2])))
        faces = [(3, 2, 1, 0), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7)]
        self.add(verts, faces, material)

    def quad(self, corners: Sequence[Point], material: Any) -> None:
        """One four-sided face."""
        self.add(corners, [(0, 1, 2, 3)], material)

    def limb(
        self, start: Point, end: Point, r0: float, r1: float, material: Any, sides: int = 10, caps: bool = True
    ) -> None:
        """A tapered round bar from `start` to `end`; rounded ends with `caps`."""
        a, b = Vector(start), Vector(end)
        along = (b - a).normalized() if (b - a).length > 1e-6 else Vector((0, 0, 1))
        side = along.orthogonal().normalized()
        other = along.cross(side)
        stops = [(a, r0), (b, r1)]
        if caps:
            stops = [(a - along * r0 * 0.95, r0 * 0.1), (a - along * r0 * 0.6, r0 * 0.75), *stops]
            stops += [(b + along * r1 * 0.6, r1 * 0.75), (b + along * r1 * 0.95, r1 * 0.1)]
        rings = []
        for centre, radius in stops:
            angles = [2 * math.pi * i / sides for i in range(sides)]
            rings.append([centre + (side * math.cos(t) + other * math.sin(t)) * radius for t in angles])
        self.loft(rings, material)

    def loft(self, rings: Sequence[Sequence[Any]], material: Any, close: bool = True, smooth: bool = True) -> None:
        """A skin over rings of equally many points, its ends closed."""
        count = len(rings[0])
        verts = [tuple(p) for ring in rings for p in ring]
        faces: list[tuple[int, ...]] = []
        for k in range(len(rings) - 1):
            for i in range(count):
                j = (i + 1) % count
                faces.append((k * count + i, k * count + j, (k + 1) * count + j, (k + 1) * count + i))
        if close:
            faces.append(tuple(reversed(range(count))))
            faces.append(tuple((len(rings) - 1) * count + i for i in range(count)))
        self.add(verts, faces, material, smooth)

    def ball(self, centre: Point, radii: Point, material: Any, sides: int = 12, rows: int = 8) -> None:
        """An ellipsoid."""
        rings = []
        for k in range(rows + 1):
            polar = math.pi * (0.03 + 0.94 * k / rows)
            r, z = math.sin(polar), -math.cos(polar)
            rings.append(
                [
                    (
                        centre[0] + radii[0] * r * math.cos(2 * math.pi * i / sides),
                        centre[1] + radii[1] * r * math.sin(2 * math.pi * i / sides),
                        centre[2] + radii[2] * z,
                    )
                    for i in range(sides)
                ]
            )
        self.loft(rings, material)

    def merge(self, other: Shape, shift: Point) -> None:
        """Take over another shape's faces, moved by `shift`."""
        for face, slot, smooth in zip(other._faces, other._slots, other._smooth, strict=True):
            verts = [tuple(c + d for c, d in zip(other._verts[i], shift, strict=True)) for i in face]
            self.add(verts, [tuple(range(len(face)))], other._materials[slot], smooth)

    def done(self, place: Point = (0.0, 0.0, 0.0), heading: float = 0.0, bevel: float = 0.0, round_to: int = 0) -> Any:
        """Make the object, standing at `place` and turned by `heading` (radians about z)."""
        mesh = bpy.data.meshes.new(self.name)
        mesh.from_pydata(self._verts, [], self._faces)
        for material in self._materials:
            mesh.materials.append(material)
        mesh.polygons.foreach_set("material_index", self._slots)
        mesh.polygons.foreach_set("use_smooth", self._smooth)
        mesh.update()
        thing = bpy.data.objects.new(self.name, mesh)
        thing.location, thing.rotation_euler = place, (0.0, 0.0, heading)
        bpy.context.scene.collection.objects.link(thing)
        if bevel:
            rounding = thing.modifiers.new("bevel", "BEVEL")
            rounding.width, rounding.segments, rounding.limit_method = bevel, 2, "ANGLE"
        if round_to:
            smoothing = thing.modifiers.new("subsurf", "SUBSURF")
            smoothing.levels = smoothing.render_levels = round_to
        return thing


def _rotation(turn: Point) -> Any:
    return Matrix.Rotation(turn[2], 4, "Z") @ Matrix.Rotation(turn[1], 4, "Y") @ Matrix.Rotation(turn[0], 4, "X")
