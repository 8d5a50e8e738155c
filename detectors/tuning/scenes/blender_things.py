"""Things that stand in a street: rubbish, bins, cartons, stalls, goods and cars (runs inside bpy only).

Every maker returns a `Shape` in its own frame: metres, origin on the ground under its middle, front towards -y
(cars: front towards +x).
"""

from __future__ import annotations

import math
import random

from mathutils import Matrix, Vector

from detectors.tuning.scenes.blender_surfaces import Palette, Point, Rgb, Shape

BAG_COLOURS: tuple[Rgb, ...] = (
    (0.012, 0.012, 0.014), (0.012, 0.012, 0.014), (0.02, 0.02, 0.024), (0.75, 0.75, 0.72), (0.8, 0.8, 0.78),
    (0.05, 0.15, 0.5), (0.5, 0.04, 0.04), (0.06, 0.3, 0.1), (0.65, 0.5, 0.08), (0.7, 0.3, 0.32), (0.3, 0.3, 0.32),
)  # fmt: skip
LITTER_COLOURS: tuple[Rgb, ...] = (
    (0.85, 0.85, 0.82), (0.8, 0.8, 0.8), (0.6, 0.08, 0.06), (0.1, 0.25, 0.6), (0.7, 0.6, 0.1), (0.4, 0.26, 0.14),
    (0.1, 0.4, 0.15), (0.5, 0.5, 0.5),
)  # fmt: skip
BIN_COLOURS: tuple[Rgb, ...] = ((0.03, 0.22, 0.08), (0.04, 0.1, 0.4), (0.08, 0.08, 0.085), (0.4, 0.04, 0.03))
CAR_COLOURS: tuple[Rgb, ...] = (
    (0.75, 0.75, 0.74), (0.8, 0.8, 0.8), (0.015, 0.015, 0.017), (0.3, 0.31, 0.33), (0.12, 0.13, 0.15),
    (0.35, 0.02, 0.02), (0.02, 0.06, 0.22), (0.45, 0.36, 0.22), (0.08, 0.2, 0.16),
)  # fmt: skip
FRUIT_COLOURS: tuple[Rgb, ...] = (
    (0.75, 0.28, 0.02), (0.6, 0.03, 0.03), (0.75, 0.6, 0.05), (0.15, 0.4, 0.05), (0.3, 0.05, 0.2), (0.5, 0.45, 0.1),
)  # fmt: skip
CLOTH_COLOURS: tuple[Rgb, ...] = (
    (0.6, 0.05, 0.05), (0.05, 0.15, 0.5), (0.05, 0.35, 0.15), (0.8, 0.8, 0.78), (0.75, 0.55, 0.05), (0.5, 0.1, 0.3),
)  # fmt: skip


def bag(shape: Shape, palette: Palette, rng: random.Random, at: Point, size: float) -> None:
    """A tied rubbish bag about `size` metres wide, sagging, its knot on top."""
    rgb = rng.choice(BAG_COLOURS)
    skin = palette.paint(rgb, rng.choice((0.25, 0.35, 0.5)), wrinkle=0.9)
    rows, sides = 10, 16
    waves = [(rng.uniform(1, 6), rng.uniform(0, 6.3), rng.uniform(0.02, 0.1)) for _ in range(6)]
    stretch, tall = rng.uniform(0.8, 1.25), rng.uniform(0.6, 0.95)
    lean = (rng.uniform(-0.25, 0.25) * size, rng.uniform(-0.25, 0.25) * size)
    rings = []
    for k in range(rows + 1):
        t = k / rows
        radius = math.sin(math.pi * min(0.97, 0.16 + 0.72 * t)) ** 0.6
        if t > 0.8:
            radius *= 1.0 - (t - 0.8) * 4.6
        z = at[2] + size * tall * (t if t < 0.8 else t + (t - 0.8) * 0.9)
        ring = []
        for i in range(sides):
            angle = 2 * math.pi * i / sides
            bulge = 1.0 + sum(a * math.sin(f * angle + p + 5 * t * f) for f, p, a in waves)
            r = 0.5 * size * max(0.03, radius) * bulge
            ring.append(
                (at[0] + r * math.cos(angle) * stretch + lean[0] * t, at[1] + r * math.sin(angle) + lean[1] * t, z)
            )
        rings.append(ring)
    shape.loft(rings, skin)


def carton(
    shape: Shape, palette: Palette, rng: random.Random, at: Point, size: Point, turn: Point, flaps: bool
) -> None:
    """A cardboard box whose foot is at `at`; open, with its flaps out, if `flaps`."""
    skin = palette.carton()
    matrix = Matrix.Translation(at) @ Matrix.Rotation(turn[2], 4, "Z") @ Matrix.Rotation(turn[0], 4, "X")
    centre = matrix @ Vector((0, 0, size[2] / 2))
    shape.box(tuple(centre), size, skin, turn)
    if flaps:
        inside = palette.paint((0.16, 0.1, 0.05), 0.9)
        top = matrix @ Vector((0, 0, size[2] + 0.004))
        shape.box(tuple(top), (size[0] * 0.9, size[1] * 0.9, 0.006), inside, turn)
        for sign in (-1, 1):
            hinge = matrix @ Vector((sign * size[0] * 0.68, 0, size[2] * 0.95))
            droop = (turn[0], turn[1] + sign * rng.uniform(0.2, 0.9), turn[2])
            shape.box(tuple(hinge), (size[0] * 0.42, size[1], 0.008), skin, droop)
    else:
        tape = matrix @ Vector((0, 0, size[2] + 0.002))
        shape.box(tuple(tape), (0.06, size[1] * 1.002, 0.004), palette.paint((0.6, 0.5, 0.3), 0.3), turn)


def litter(shape: Shape, palette: Palette, rng: random.Random, reach: float, count: int) -> None:
    """Paper, film, cups and bottles scattered within `reach` metres, denser in the middle."""
    for _ in range(count):
        r, angle = reach * rng.random() ** 0.8, rng.uniform(0, 6.283)
        x, y = r * math.cos(angle), 0.7 * r * math.sin(angle)
        rgb = rng.choice(LITTER_COLOURS)
        skin = palette.paint(rgb, 0.6)
        if rng.random() < 0.2:
            turn = rng.uniform(0, 6.283)
            end = (x + 0.2 * math.cos(turn), y + 0.2 * math.sin(turn), 0.04)
            shape.limb((x, y, 0.04), end, 0.035, 0.03, palette.paint((0.5, 0.62, 0.6), 0.1), 8)
            continue
        size = rng.uniform(0.05, 0.19)
        corners = []
        for i in range(4):
            a = i * math.pi / 2 + rng.uniform(-0.4, 0.4) + angle
            corners.append((x + size * math.cos(a), y + size * math.sin(a), rng.uniform(0.01, 0.08)))
        middle = (x, y, rng.uniform(0.03, 0.12))
        shape.add([*corners, middle], [(0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4)], skin)


def rubbish(palette: Palette, rng: random.Random, style: str | None = None) -> Shape:
    """A heap of exposed rubbish 1-2.6 m across: `bags`, `boxes`, `mixed` or `loose`."""
    shape = Shape("rubbish")
    style = style or rng.choice(("bags", "mixed", "mixed", "boxes", "loose"))
    spread = rng.uniform(0.5, 1.0) if style != "loose" else rng.uniform(0.5, 0.8)
    bags = {"bags": rng.randint(6, 13), "mixed": rng.randint(4, 9), "boxes": rng.randint(1, 3), "loose": 3}[style]
    boxes = {"bags": rng.randint(0, 1), "mixed": rng.randint(2, 4), "boxes": rng.randint(4, 7), "loose": 1}[style]
    for k in range(bags):
        size = rng.uniform(0.34, 0.66)
        r, angle = spread * (k / bags) ** 0.6, rng.uniform(0, 6.283)
        high = 0.28 * (1 - r / spread) * rng.random() * min(1.0, bags / 6)
        bag(shape, palette, rng, (r * math.cos(angle), 0.6 * r * math.sin(angle), high), size)
    for _ in range(boxes):
        size3 = (rng.uniform(0.3, 0.6), rng.uniform(0.25, 0.45), rng.uniform(0.15, 0.42))
        at = (rng.uniform(-spread, spread) * 1.1, rng.uniform(-0.5, 0.5) * spread, rng.uniform(0, 0.08))
        tilt = (rng.uniform(-0.35, 0.35), rng.uniform(-0.3, 0.3), rng.uniform(0, 3.1))
        carton(shape, palette, rng, at, size3, tilt, rng.random() < 0.6)
    _scraps(shape, palette, rng, spread)
    litter(shape, palette, rng, spread * 1.5, rng.randint(14, 34) + (30 if style == "loose" else 0))
    return shape


def _scraps(shape: Shape, palette: Palette, rng: random.Random, spread: float) -> None:
    """Foam boxes, planks, a sack or leaves of board leaning in the heap, and the dirt under it."""
    if rng.random() < 0.5:
        foam = palette.paint((0.82, 0.82, 0.8), 0.7)
        at = (rng.uniform(-spread, spread), rng.uniform(-0.3, 0.3), 0.14)
        shape.box(at, (0.45, 0.32, 0.26), foam, (rng.uniform(-0.3, 0.3), 0.2, rng.uniform(0, 3)))
    for _ in range(rng.randint(0, 3)):
        wood = palette.worn((0.3, 0.19, 0.1), 0.8, 6.0)
        at = (rng.uniform(-spread, spread), rng.uniform(-0.4, 0.4), 0.12)
        turn = (rng.uniform(-0.15, 0.15), rng.uniform(-0.25, 0.25), rng.uniform(0, 3))
        shape.box(at, (rng.uniform(0.7, 1.3), 0.09, 0.03), wood, turn)
    dirt = palette.worn((0.07, 0.055, 0.045), 0.6, 4.0)
    edge = []
    for i in range(18):
        r = spread * rng.uniform(0.75, 1.15)
        edge.append((r * math.cos(i * 0.349), 0.65 * r * math.sin(i * 0.349), 0.006))
    shape.add(edge, [tuple(range(18))], dirt)


def wheelie_bin(palette: Palette, rng: random.Random, rgb: Rgb | None = None, lid_open: bool = False) -> Shape:
    """A 240-litre wheeled bin, 1.07 m high."""
    shape = Shape("bin")
    rgb = rgb or rng.choice(BIN_COLOURS)
    skin, dark = palette.paint(rgb, 0.42), palette.paint((0.02, 0.02, 0.02), 0.6)
    shape.box((0, 0, 0.53), (0.58, 0.7, 0.9), skin, taper=0.8)
    shape.box((0, -0.005, 0.985), (0.62, 0.74, 0.04), skin)
    if lid_open:
        shape.box((0, 0.4, 1.28), (0.6, 0.05, 0.68), skin, (-0.25, 0, 0))
        shape.box((0, 0, 1.008), (0.52, 0.62, 0.01), dark)
    else:
        shape.box((0, 0, 1.03), (0.61, 0.76, 0.06), skin, (0.04, 0, 0))
        shape.box((0, -0.36, 1.03), (0.3, 0.05, 0.04), skin)
    shape.limb((-0.25, 0.38, 0.95), (0.25, 0.38, 0.95), 0.02, 0.02, dark, 8)
    for sign in (-1, 1):
        shape.limb((sign * 0.24, 0.3, 0.1), (sign * 0.3, 0.3, 0.1), 0.1, 0.1, dark, 12, caps=False)
    shape.box((0, -0.345, 0.66), (0.22, 0.006, 0.22), palette.paint((0.75, 0.75, 0.75), 0.5), (0.07, 0, 0))
    return shape


def spill(palette: Palette, rng: random.Random, bins: int, gap: float) -> Shape:
    """What makes a row of bins overflow: bags heaped over the rims and fallen at their feet."""
    shape = Shape("spill")
    for k in range(bins):
        x = (k - (bins - 1) / 2) * gap
        for _ in range(rng.randint(2, 4)):
            at = (x + rng.uniform(-0.14, 0.14), rng.uniform(-0.22, 0.12), rng.uniform(1.0, 1.16))
            bag(shape, palette, rng, at, rng.uniform(0.34, 0.52))
        for _ in range(rng.randint(1, 3)):
            at = (x + rng.uniform(-0.4, 0.4), rng.uniform(-0.95, -0.55), 0.0)
            bag(shape, palette, rng, at, rng.uniform(0.32, 0.55))
        if rng.random() < 0.7:
            size = (rng.uniform(0.3, 0.5), rng.uniform(0.25, 0.4), rng.uniform(0.15, 0.3))
            at = (x + rng.uniform(-0.4, 0.4), rng.uniform(-1.2, -0.7), 0.0)
            carton(shape, palette, rng, at, size, (0.0, 0.0, rng.uniform(0, 3)), True)
    loose = Shape("loose")
    litter(loose, palette, rng, 0.9 + 0.3 * bins, 16 + 6 * bins)
    shape.merge(loose, (0.0, -0.75, 0.0))
    return shape


def crate(shape: Shape, palette: Palette, rng: random.Random, at: Point, fruit: bool) -> None:
    """A plastic crate, 0.5 x 0.35 x 0.25 m, full of fruit if asked."""
    skin = palette.paint(rng.choice(((0.05, 0.2, 0.5), (0.6, 0.1, 0.05), (0.1, 0.4, 0.15), (0.7, 0.55, 0.1))), 0.5)
    x, y, z = at
    shape.box((x, y, z + 0.02), (0.5, 0.35, 0.03), skin)
    for sx, sy, w, d in ((-0.24, 0, 0.02, 0.35), (0.24, 0, 0.02, 0.35), (0, -0.165, 0.5, 0.02), (0, 0.165, 0.5, 0.02)):
        shape.box((x + sx, y + sy, z + 0.125), (w, d, 0.23), skin)
    if fruit:
        colour = palette.paint(rng.choice(FRUIT_COLOURS), 0.35)
        for i in range(5):
            for j in range(3):
                left, up = rng.uniform(-0.02, 0.02), rng.uniform(0, 0.04)
                at3 = (x - 0.18 + i * 0.09 + left, y - 0.1 + j * 0.1, z + 0.22 + up)
                shape.ball(at3, (0.055, 0.055, 0.05), colour, 8, 5)


def goods(palette: Palette, rng: random.Random) -> Shape:
    """Goods put out in front of a shop: stacked cartons, crates, sacks or drink cases."""
    shape = Shape("goods")
    width = rng.uniform(1.6, 3.0)
    columns = int(width / 0.56)
    for row in range(2):
        for k in range(columns):
            x, y = (k - (columns - 1) / 2) * 0.56, 0.2 - 0.45 * row
            kind = rng.choice(("carton", "carton", "crate", "case"))
            levels = rng.randint(1, 4 - row)
            for level in range(levels):
                if kind == "carton":
                    size = (0.5, 0.4, 0.32)
                    carton(shape, palette, rng, (x, y, level * 0.32), size, (0, 0, rng.uniform(-0.06, 0.06)), False)
                elif kind == "crate":
                    crate(shape, palette, rng, (x, y, level * 0.26), level == levels - 1)
                else:
                    rgb = rng.choice(((0.7, 0.72, 0.75), (0.1, 0.35, 0.6), (0.55, 0.05, 0.05), (0.1, 0.4, 0.1)))
                    shape.box((x, y, level * 0.28 + 0.135), (0.48, 0.36, 0.26), palette.paint(rgb, 0.3))
                    shape.box((x, y, level * 0.28 + 0.14), (0.485, 0.365, 0.09), palette.paint((0.8, 0.8, 0.8), 0.4))
    return shape


def umbrella(shape: Shape, palette: Palette, rng: random.Random, at: Point, reach: float) -> None:
    """A big round sunshade in two colours on a pole 2.3 m high."""
    one, two = rng.sample(CLOTH_COLOURS, 2)
    shape.limb(at, (at[0], at[1], 2.35), 0.025, 0.02, palette.paint((0.6, 0.6, 0.6), 0.3, 0.9), 8)
    rings = [(0.02, 2.45), (reach * 0.5, 2.3), (reach, 1.98), (reach, 1.85)]
    for i in range(8):
        skin = palette.paint(one if i % 2 else two, 0.75)
        corners = [i * math.pi / 4 + k * math.pi / 8 for k in range(3)]
        verts = [(at[0] + r * math.cos(a), at[1] + r * math.sin(a), z) for r, z in rings for a in corners]
        faces = [(row * 3 + k, row * 3 + k + 1, row * 3 + k + 4, row * 3 + k + 3) for row in range(3) for k in range(2)]
        shape.add(verts, faces, skin)


def canopy(shape: Shape, palette: Palette, rng: random.Random, half: float) -> None:
    """A four-legged folding tent, `half` metres from its middle to its legs."""
    cloth = palette.paint(rng.choice(CLOTH_COLOURS), 0.75)
    steel = palette.paint((0.6, 0.6, 0.6), 0.3, 0.9)
    corners = [(-half, -half), (half, -half), (half, half), (-half, half)]
    for x, y in corners:
        shape.limb((x, y, 0), (x, y, 2.1), 0.022, 0.022, steel, 6)
    apex = (0.0, 0.0, 2.75)
    for k in range(4):
        (x0, y0), (x1, y1) = corners[k], corners[(k + 1) % 4]
        shape.add([(x0 * 1.05, y0 * 1.05, 2.1), (x1 * 1.05, y1 * 1.05, 2.1), apex], [(0, 1, 2)], cloth)
        low = [(x0 * 1.05, y0 * 1.05, 1.85), (x1 * 1.05, y1 * 1.05, 1.85)]
        shape.quad([*low, (x1 * 1.05, y1 * 1.05, 2.1), (x0 * 1.05, y0 * 1.05, 2.1)], cloth)


def stall(palette: Palette, rng: random.Random, style: str | None = None) -> Shape:
    """A street stall: a table of goods under a `tent` or an `umbrella`, or a goods `cart`."""
    shape = Shape("stall")
    style = style or rng.choice(("tent", "umbrella", "cart"))
    wood, steel = palette.worn((0.35, 0.22, 0.12), 0.7, 5.0), palette.paint((0.5, 0.5, 0.5), 0.35, 0.8)
    if style == "cart":
        tyre = palette.paint((0.02, 0.02, 0.02), 0.8)
        shape.box((0, 0, 0.6), (1.9, 1.0, 0.08), wood)
        for x, y in ((-0.6, -0.5), (-0.6, 0.5), (0.75, -0.5), (0.75, 0.5)):
            shape.limb((x, y - 0.03, 0.28), (x, y + 0.03, 0.28), 0.28, 0.28, tyre, 16, caps=False)
        shape.limb((-0.95, 0, 0.62), (-1.6, 0, 0.95), 0.03, 0.03, steel, 8)
        for side in (-0.48, 0.48):
            shape.box((0, side, 0.74), (1.9, 0.04, 0.22), palette.paint(rng.choice(CLOTH_COLOURS), 0.5))
        height = 0.64
        umbrella(shape, palette, rng, (rng.uniform(-0.4, 0.4), 0.2, 0.6), rng.uniform(1.0, 1.3))
    else:
        cloth = palette.paint(rng.choice(CLOTH_COLOURS), 0.8)
        shape.box((0, 0, 0.74), (2.0, 0.9, 0.04), wood)
        shape.box((0, -0.455, 0.45), (2.02, 0.012, 0.6), cloth)
        for x, y in ((-0.95, -0.4), (0.95, -0.4), (-0.95, 0.4), (0.95, 0.4)):
            shape.limb((x, y, 0), (x, y, 0.74), 0.02, 0.02, steel, 6)
        height = 0.76
        if style == "tent":
            canopy(shape, palette, rng, rng.uniform(1.1, 1.5))
        else:
            umbrella(shape, palette, rng, (0.2, 0.5, 0.0), rng.uniform(1.2, 1.5))
    for k in range(3):
        for row in range(2):
            at = (-0.6 + k * 0.58, -0.2 + row * 0.4, height)
            crate(shape, palette, rng, at, True)
    for _ in range(rng.randint(1, 4)):
        at = (rng.choice((-1, 1)) * rng.uniform(1.0, 1.4), rng.uniform(-0.5, 0.4), 0.0)
        crate(shape, palette, rng, at, rng.random() < 0.7)
    return shape


STALL_STYLES = ("tent", "umbrella", "cart", "tricycle", "cloth", "table", "booth")
"""What `street_stall` makes; the first three are what `stall` draws from."""


def street_stall(palette: Palette, rng: random.Random, style: str) -> Shape:
    """A stall of one of STALL_STYLES: besides those of `stall` a goods `tricycle`, a `cloth` of wares on the ground,
    bare `table`s, or a food `booth` on wheels.
    """
    makers = {"tricycle": _tricycle, "cloth": _ground_cloth, "table": _tables, "booth": _booth}
    if style not in makers:
        return stall(palette, rng, style)
    shape = Shape("stall")
    makers[style](shape, palette, rng)
    return shape


def _wares(
    shape: Shape, palette: Palette, rng: random.Random, area: tuple[float, float, float, float], z: float
) -> None:
    """Crates of fruit, heaps or boxes on the rectangle (x0, y0, x1, y1) at height `z`."""
    x0, y0, x1, y1 = area
    what = rng.choice(("crates", "heaps", "boxes"))
    for i in range(max(1, int((x1 - x0) / 0.56))):
        for j in range(max(1, int((y1 - y0) / 0.42))):
            x, y = x0 + 0.28 + 0.56 * i, y0 + 0.21 + 0.42 * j
            if what == "crates":
                crate(shape, palette, rng, (x, y, z), True)
            elif what == "heaps":
                skin = palette.paint(rng.choice(FRUIT_COLOURS), 0.4)
                for _ in range(9):
                    at = (x + rng.uniform(-0.18, 0.18), y + rng.uniform(-0.13, 0.13), z + rng.uniform(0.04, 0.12))
                    shape.ball(at, (0.07, 0.07, 0.06), skin, 8, 5)
            else:
                size = (rng.uniform(0.2, 0.45), rng.uniform(0.15, 0.32), rng.uniform(0.06, 0.25))
                shape.box((x, y, z + size[2] / 2), size, palette.paint(rng.choice(LITTER_COLOURS), 0.5))


def _wheel(shape: Shape, palette: Palette, x: float, y: float, radius: float) -> None:
    tyre = palette.paint((0.02, 0.02, 0.02), 0.8)
    shape.limb((x, y - 0.04, radius), (x, y + 0.04, radius), radius, radius, tyre, 16, caps=False)


def _tricycle(shape: Shape, palette: Palette, rng: random.Random) -> None:
    """A three-wheeler whose bed is full of goods, sometimes under a sunshade."""
    paint = palette.paint(rng.choice(((0.03, 0.12, 0.4), (0.45, 0.03, 0.03), (0.05, 0.25, 0.1), (0.3, 0.3, 0.32))), 0.4)
    steel, seat = palette.paint((0.4, 0.4, 0.42), 0.35, 0.8), palette.paint((0.03, 0.03, 0.03), 0.7)
    shape.box((-0.5, 0, 0.62), (1.6, 1.05, 0.06), paint)
    for side in (-0.52, 0.52):
        shape.box((-0.5, side, 0.78), (1.6, 0.03, 0.3), paint)
        _wheel(shape, palette, -0.75, side * 0.9, 0.29)
    for end in (-1.29, 0.29):
        shape.box((end, 0, 0.78), (0.03, 1.05, 0.3), paint)
    _wheel(shape, palette, 1.2, 0.0, 0.29)
    shape.limb((0.3, 0, 0.5), (1.1, 0, 0.6), 0.04, 0.04, steel, 8)
    shape.limb((1.2, 0, 0.35), (1.05, 0, 1.05), 0.035, 0.03, steel, 8)
    shape.limb((1.02, -0.33, 1.08), (1.02, 0.33, 1.08), 0.02, 0.02, seat, 8)
    shape.box((0.55, 0, 0.72), (0.4, 0.3, 0.12), seat)
    _wares(shape, palette, rng, (-1.25, -0.48, 0.25, 0.48), 0.66)
    if rng.random() < 0.5:
        umbrella(shape, palette, rng, (rng.uniform(-0.9, 0.0), 0.35, 0.6), rng.uniform(0.9, 1.2))


def _ground_cloth(shape: Shape, palette: Palette, rng: random.Random) -> None:
    """A cloth on the ground with rows of small wares, a bag and a stool behind it."""
    wide, deep = rng.uniform(1.4, 2.6), rng.uniform(0.9, 1.4)
    shape.box((0, 0, 0.012), (wide, deep, 0.02), palette.paint(rng.choice(CLOTH_COLOURS), 0.85))
    skins = [palette.paint(rng.choice(LITTER_COLOURS + FRUIT_COLOURS), 0.5) for _ in range(5)]
    for i in range(int(wide / 0.24)):
        for j in range(int(deep / 0.24)):
            if rng.random() < 0.12:
                continue
            x, y = -wide / 2 + 0.14 + 0.24 * i, -deep / 2 + 0.14 + 0.24 * j
            size = (rng.uniform(0.08, 0.2), rng.uniform(0.06, 0.18), rng.uniform(0.03, 0.14))
            shape.box((x, y, 0.02 + size[2] / 2), size, rng.choice(skins), (0, 0, rng.uniform(-0.4, 0.4)))
    stool = palette.paint(rng.choice(CLOTH_COLOURS), 0.5)
    shape.box((rng.uniform(-0.6, 0.6), deep / 2 + 0.4, 0.16), (0.3, 0.28, 0.32), stool, taper=0.8)
    if rng.random() < 0.5:
        bag(shape, palette, rng, (rng.choice((-1, 1)) * wide * 0.4, deep / 2 + 0.35, 0.0), rng.uniform(0.4, 0.6))


def _tables(shape: Shape, palette: Palette, rng: random.Random) -> None:
    """One to three folding tables of wares, without a roof; cartons below and beside them."""
    steel = palette.paint((0.5, 0.5, 0.5), 0.35, 0.8)
    count = rng.randint(1, 3)
    for k in range(count):
        x = (k - (count - 1) / 2) * 1.3
        shape.box((x, 0, 0.7), (1.2, 0.7, 0.035), palette.paint(rng.choice(((0.6, 0.6, 0.58), *CLOTH_COLOURS)), 0.6))
        for sx, sy in ((-0.55, -0.3), (0.55, -0.3), (-0.55, 0.3), (0.55, 0.3)):
            shape.limb((x + sx, sy, 0), (x + sx, sy, 0.7), 0.018, 0.018, steel, 6)
        _wares(shape, palette, rng, (x - 0.58, -0.33, x + 0.58, 0.33), 0.72)
        if rng.random() < 0.6:
            size = (rng.uniform(0.35, 0.5), 0.35, rng.uniform(0.25, 0.4))
            carton(shape, palette, rng, (x + rng.uniform(-0.3, 0.3), 0.1, 0.0), size, (0, 0, 0), False)


def _booth(shape: Shape, palette: Palette, rng: random.Random) -> None:
    """A snack booth on wheels: counter, glass, a roof and a sign board."""
    skin = palette.paint(rng.choice(((0.6, 0.6, 0.6), (0.6, 0.08, 0.05), (0.75, 0.5, 0.05), (0.1, 0.3, 0.5))), 0.35)
    steel, wide = palette.paint((0.55, 0.55, 0.55), 0.3, 0.8), rng.uniform(1.3, 2.0)
    shape.box((0, 0, 0.6), (wide, 0.8, 0.6), skin)
    shape.box((0, 0, 0.92), (wide * 1.04, 0.9, 0.04), steel)
    for x in (-wide * 0.35, wide * 0.35):
        for y in (-0.36, 0.36):
            _wheel(shape, palette, x, y, 0.2)
    for x in (-wide / 2 + 0.04, wide / 2 - 0.04):
        for y in (-0.38, 0.38):
            shape.limb((x, y, 0.9), (x, y, 1.95), 0.02, 0.02, steel, 6)
    shape.quad([(-wide / 2, -0.4, 0.95), (wide / 2, -0.4, 0.95), (wide / 2, -0.4, 1.35), (-wide / 2, -0.4, 1.35)],
               palette.glass())  # fmt: skip
    shape.box((0, 0, 2.0), (wide * 1.15, 1.15, 0.06), palette.paint(rng.choice(CLOTH_COLOURS), 0.6))
    shape.box((0, -0.56, 2.15), (wide * 1.1, 0.03, 0.26), palette.paint(rng.choice(LITTER_COLOURS), 0.5))
    _wares(shape, palette, rng, (-wide / 2 + 0.1, -0.3, wide / 2 - 0.1, 0.3), 0.94)


CLUTTER_STYLES = ("barriers", "furniture", "parcels", "planter", "pallets")


def clutter(palette: Palette, rng: random.Random, style: str) -> Shape:
    """What comes to stand in a street and sells nothing: road `barriers`, old `furniture`, a delivery of `parcels`,
    a `planter`, or `pallets` of building material.
    """
    shape = Shape("clutter")
    if style == "barriers":
        skin = palette.paint(rng.choice(((0.6, 0.08, 0.03), (0.7, 0.45, 0.05))), 0.5)
        white = palette.paint((0.8, 0.8, 0.8), 0.5)
        for k in range(rng.randint(2, 4)):
            x = k * 0.85 - 1.2
            if rng.random() < 0.5:
                shape.box((x, 0, 0.4), (0.8, 0.4, 0.8), skin, taper=0.7)
                shape.box((x, 0, 0.55), (0.66, 0.36, 0.12), white)
            else:
                shape.limb((x, 0, 0.0), (x, 0, 0.7), 0.18, 0.03, skin, 12)
                shape.limb((x, 0, 0.3), (x, 0, 0.42), 0.12, 0.095, white, 12)
    elif style == "furniture":
        skin = palette.worn(rng.choice(((0.3, 0.18, 0.1), (0.2, 0.2, 0.22), (0.35, 0.1, 0.08), (0.45, 0.4, 0.3))), 0.8)
        shape.box((0, 0, 0.25), (1.7, 0.8, 0.4), skin)
        shape.box((0, 0.36, 0.6), (1.7, 0.18, 0.55), skin)
        for side in (-0.8, 0.8):
            shape.box((side, 0, 0.45), (0.18, 0.8, 0.5), skin)
        turn = (rng.uniform(-0.2, 0.2), rng.uniform(1.2, 1.5), rng.uniform(0, 3))
        shape.box((1.3, 0.2, 0.55), (1.2, 0.8, 0.12), palette.worn((0.6, 0.58, 0.55), 0.8), turn)
    elif style == "parcels":
        for _ in range(rng.randint(6, 14)):
            size = (rng.uniform(0.2, 0.5), rng.uniform(0.2, 0.4), rng.uniform(0.12, 0.35))
            at = (rng.uniform(-0.9, 0.9), rng.uniform(-0.5, 0.5), rng.choice((0.0, 0.0, 0.25)))
            carton(shape, palette, rng, at, size, (0, 0, rng.uniform(0, 3)), False)
    elif style == "planter":
        leaf = palette.worn((0.05, 0.16, 0.04), 0.8, 5.0)
        shape.box((0, 0, 0.3), (1.6, 0.6, 0.6), palette.worn((0.45, 0.43, 0.4), 0.8), taper=1.1)
        for _ in range(14):
            at = (rng.uniform(-0.7, 0.7), rng.uniform(-0.2, 0.2), rng.uniform(0.65, 1.0))
            shape.ball(at, (rng.uniform(0.12, 0.25), 0.2, rng.uniform(0.1, 0.22)), leaf, 8, 6)
    else:
        wood = palette.worn((0.35, 0.25, 0.14), 0.8, 6.0)
        shape.box((0, 0, 0.07), (1.2, 1.0, 0.12), wood)
        skin = palette.worn(rng.choice(((0.4, 0.38, 0.35), (0.35, 0.14, 0.08), (0.55, 0.55, 0.52))), 0.9)
        for k in range(rng.randint(3, 7)):
            shape.box((rng.uniform(-0.05, 0.05), 0, 0.2 + 0.14 * k), (1.1, 0.9, 0.13), skin)
    return shape


# x, belt height, half width of the lower body from tail to nose; then the roof: (tail foot, tail top, nose top, nose
# foot, height, half width at the top)
CARS: dict[str, tuple[tuple[tuple[float, float, float], ...], tuple[float, float, float, float, float, float]]] = {
    "sedan": (
        ((-2.32, 0.84, 0.68), (-2.26, 0.96, 0.82), (-1.7, 1.0, 0.88), (-0.5, 0.97, 0.9), (0.9, 0.94, 0.9),
         (1.6, 0.86, 0.88), (2.15, 0.74, 0.82), (2.3, 0.6, 0.66)),
        (-1.85, -1.05, 0.15, 1.2, 1.45, 0.6),
    ),
    "hatch": (
        ((-1.95, 0.8, 0.7), (-1.9, 0.98, 0.82), (-1.4, 1.02, 0.86), (-0.3, 0.99, 0.87), (0.8, 0.96, 0.87),
         (1.4, 0.88, 0.85), (1.85, 0.76, 0.78), (1.98, 0.6, 0.64)),
        (-1.92, -1.55, 0.2, 1.15, 1.5, 0.62),
    ),
    "suv": (
        ((-2.28, 0.9, 0.74), (-2.22, 1.1, 0.88), (-1.6, 1.12, 0.93), (-0.4, 1.09, 0.94), (0.95, 1.06, 0.94),
         (1.6, 1.0, 0.92), (2.15, 0.88, 0.85), (2.3, 0.65, 0.7)),
        (-2.2, -1.75, 0.25, 1.15, 1.7, 0.68),
    ),
    "van": (
        ((-2.1, 0.9, 0.74), (-2.06, 1.05, 0.8), (-1.5, 1.08, 0.82), (-0.3, 1.06, 0.82), (1.2, 1.04, 0.82),
         (1.7, 0.98, 0.81), (1.98, 0.84, 0.78), (2.08, 0.6, 0.68)),
        (-2.08, -1.95, 1.15, 1.85, 1.9, 0.7),
    ),
}  # fmt: skip


def car(palette: Palette, rng: random.Random, style: str | None = None, rgb: Rgb | None = None) -> Shape:
    """A car with body, windows, wheels, lights and plates, 4-4.6 m long, front towards +x."""
    shape = Shape("car")
    style = style or rng.choice(("sedan", "sedan", "suv", "hatch", "van"))
    stations, roof = CARS[style]
    body = palette.paint(rgb or rng.choice(CAR_COLOURS), 0.3, 0.15, coat=1.0)
    low = 0.3 if style == "suv" else 0.24
    rings = []
    for x, belt, half in (stations[0], *stations, stations[-1]):
        ring = [(-0.8, low), (-1.0, low + 0.14), (-1.0, belt - 0.2), (-0.9, belt), (-0.45, belt + 0.025)]
        ring += [(-y, z) for y, z in reversed(ring)]
        rings.append([(x, y * half, z) for y, z in ring])
    rings[0] = [(x + 0.0, y * 0.8, 0.5 + (z - 0.5) * 0.7) for x, y, z in rings[0]]
    rings[-1] = [(x + 0.02, y * 0.85, 0.45 + (z - 0.45) * 0.7) for x, y, z in rings[-1]]
    shape.loft(rings, body)
    _cabin(shape, palette, stations[3][2], stations[3][1], roof, body)
    _wheels(shape, palette, stations, 0.33 if style != "suv" else 0.37)
    _lights(shape, palette, rng, stations)
    return shape


def _cabin(shape: Shape, palette: Palette, half: float, belt: float, roof: tuple[float, ...], body: object) -> None:
    """Roof, pillars and panes over the belt line."""
    tail, tail_top, nose_top, nose, high, top = roof
    foot = half * 0.93
    z0 = belt - 0.05
    low = [(tail, -foot, z0), (nose, -foot, z0), (nose, foot, z0), (tail, foot, z0)]
    rim = high - 0.07
    mid = [(tail_top, -top, rim), (nose_top, -top, rim), (nose_top, top, rim), (tail_top, top, rim)]
    crown = [
        (tail_top + 0.12, -top * 0.8, high), (nose_top - 0.12, -top * 0.8, high),
        (nose_top - 0.12, top * 0.8, high), (tail_top + 0.12, top * 0.8, high),
    ]  # fmt: skip
    shape.loft([low, mid, crown], body, smooth=False)
    pane = palette.glass((0.012, 0.015, 0.018))
    for k in range(4):
        a, b, c, d = (Vector(p) for p in (low[k], low[(k + 1) % 4], mid[(k + 1) % 4], mid[k]))
        normal = (b - a).cross(d - a).normalized() * 0.012
        splits = ((0.05, 0.47), (0.53, 0.93)) if k in (0, 2) else ((0.06, 0.94),)
        for u0, u1 in splits:
            corners = []
            for u, v in ((u0, 0.2), (u1, 0.2), (u1, 0.9), (u0, 0.9)):
                corners.append(tuple((a.lerp(b, u)).lerp(d.lerp(c, u), v) + normal))
            shape.quad(corners, pane)


def _wheels(shape: Shape, palette: Palette, stations: tuple[tuple[float, float, float], ...], radius: float) -> None:
    tyre, rim = palette.paint((0.015, 0.015, 0.015), 0.85), palette.paint((0.5, 0.5, 0.52), 0.25, 0.9)
    arch, length = palette.paint((0.008, 0.008, 0.008), 0.9), stations[-1][0] - stations[0][0]
    for x in (stations[0][0] + length * 0.19, stations[-1][0] - length * 0.185):
        for sign in (-1, 1):
            y = sign * (stations[3][2] - 0.02)
            shape.limb((x, y - sign * 0.1, radius + 0.03), (x, y + sign * 0.025, radius + 0.03), radius * 1.2,
                       radius * 1.2, arch, 20, caps=False)  # fmt: skip
            shape.limb((x, y - sign * 0.2, radius), (x, y + sign * 0.045, radius), radius, radius, tyre, 20, caps=False)
            shape.limb((x, y, radius), (x, y + sign * 0.055, radius), radius * 0.64, radius * 0.6, rim, 10, caps=False)
            shape.limb((x, y, radius), (x, y + sign * 0.06, radius), radius * 0.2, radius * 0.16, tyre, 8, caps=False)


def _lights(
    shape: Shape, palette: Palette, rng: random.Random, stations: tuple[tuple[float, float, float], ...]
) -> None:
    tail, nose = stations[1], stations[-2]
    head = palette.paint((0.75, 0.78, 0.8), 0.08)
    red = palette.paint((0.45, 0.01, 0.01), 0.2)
    dark = palette.paint((0.015, 0.015, 0.017), 0.5)
    for sign in (-1, 1):
        shape.ball((nose[0] - 0.02, sign * nose[2] * 0.76, nose[1] - 0.1), (0.16, 0.17, 0.08), head, 10, 6)
        shape.ball((tail[0] + 0.02, sign * tail[2] * 0.8, tail[1] - 0.13), (0.1, 0.16, 0.1), red, 10, 6)
        mirror = (stations[4][0] + 0.1, sign * (stations[4][2] + 0.07), stations[4][1] + 0.05)
        shape.ball(mirror, (0.07, 0.11, 0.07), dark, 8, 5)
        for x in (-0.45, 0.5):
            shape.box((x, sign * stations[3][2] * 0.995, 0.62), (0.012, 0.02, 0.62), dark)
        shape.box((0.1, sign * stations[3][2] * 0.98, 0.27), (2.3, 0.05, 0.1), dark)
    shape.box((stations[-1][0] - 0.06, 0, 0.5), (0.2, 1.0, 0.14), dark)
    shape.box((stations[-1][0] - 0.08, 0, 0.33), (0.22, 1.35, 0.08), dark)
    shape.box((stations[0][0] + 0.08, 0, 0.36), (0.24, 1.35, 0.12), dark)
    plate = palette.paint((0.02, 0.08, 0.45) if rng.random() < 0.7 else (0.2, 0.6, 0.35), 0.4)
    shape.box((stations[-1][0] + 0.045, 0, 0.42), (0.012, 0.44, 0.14), plate)
    shape.box((stations[0][0] - 0.02, 0, 0.62), (0.06, 0.44, 0.14), plate)
