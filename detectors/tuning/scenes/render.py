"""Renders street views from seeds: backgrounds, overlays, depth, calibration and zones; and the shared moving sprites.

Run with a Python 3.11 that has the `bpy` wheel (5.0.1), OpenCV and NumPy; the hub itself never needs them:

    python detectors/tuning/scenes/render.py --seeds 1-24 --set demo --out configs/demo/scenes
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import bpy
import cv2
import numpy as np
from mathutils import Vector

from detectors.tuning.scenes import blender_street as streets
from detectors.tuning.scenes import blender_things as things
from detectors.tuning.scenes.blender_sprites import render_sprites
from detectors.tuning.scenes.blender_surfaces import Palette, Point, Shape

GROUND_Z = 0.15  # the pavement's height over the road


@dataclass(frozen=True, slots=True)
class Quality:
    """How fine one set is rendered."""

    width_px: int
    height_px: int
    samples: int
    overlay_samples: int
    jpeg: int


QUALITY = {"demo": Quality(960, 540, 5, 6, 88), "train": Quality(640, 360, 6, 6, 92)}


@dataclass(frozen=True, slots=True)
class Placed:
    """One overlay to render: its kind, where it stands and how it is turned."""

    name: str
    kind: str
    shape: Shape
    at: Point
    heading: float


@dataclass(slots=True)
class Scene:
    """Everything one view needs while it is being rendered."""

    palette: Palette
    street: streets.Street
    quality: Quality
    camera: Any
    sun: Any
    sun_heading: float
    scratch: Path


def fresh_scene(quality: Quality) -> Any:
    """Empty Blender and set Cycles up for `quality`."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    cycles = scene.cycles
    cycles.device, cycles.use_denoising, cycles.denoiser = "CPU", True, "OPENIMAGEDENOISE"
    cycles.denoising_prefilter = "FAST"
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 3, 2, 2
    cycles.transparent_max_bounces, cycles.caustics_reflective, cycles.caustics_refractive = 4, False, False
    cycles.sample_clamp_indirect = 4.0
    cycles.use_adaptive_sampling, cycles.adaptive_threshold, cycles.use_light_tree = True, 0.05, False
    scene.render.use_persistent_data = True
    scene.render.resolution_x, scene.render.resolution_y = quality.width_px, quality.height_px
    scene.render.image_settings.file_format = "PNG"
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - Medium High Contrast"
    world = bpy.data.worlds.new("sky")
    scene.world = world
    world.use_nodes = True
    world.cycles.sampling_method = "NONE"  # an even sky is found by the bounces; lamps and sun get the shadow rays
    return scene


def make_camera(rng: random.Random, street: streets.Street) -> Any:
    """A street camera 4.5-7 m up, looking across or along the street, 20-33 degrees down."""
    data = bpy.data.cameras.new("camera")
    thing = bpy.data.objects.new("camera", data)
    bpy.context.scene.collection.objects.link(thing)
    bpy.context.scene.camera = thing
    yaw = math.radians(rng.choice((rng.uniform(-18, 18), rng.uniform(-42, -20), rng.uniform(20, 42))))
    target_y = street.kerb_y + 0.35 * (street.front_y - street.kerb_y)
    x = street.bins_x - math.tan(yaw) * target_y * rng.uniform(0.8, 1.05)
    height = rng.uniform(4.6, 6.6)
    distance = target_y / math.cos(yaw)
    pitch = math.atan2(height, distance) + math.radians(rng.uniform(-5.0, 1.0))
    thing.location = (x, 0.0, height)
    thing.rotation_euler = (math.pi / 2 - pitch, 0.0, -yaw)
    data.angle = math.radians(rng.uniform(56, 70))
    data.clip_start = 0.05
    return thing


def set_light(scene: Scene, light: str) -> None:
    """Turn sky, sun, lamps, wetness and exposure to `day`, `dusk`, `night` or `rain`."""
    look = {
        "day": ((0.5, 0.66, 1.0), 0.75, 3.6, 0.0, 0.0, 0.0, 0.25),
        "dusk": ((0.42, 0.38, 0.55), 0.38, 0.5, 0.0, 0.22, 350.0, 1.3),
        "night": ((0.1, 0.13, 0.25), 0.08, 0.0, 0.0, 0.28, 1300.0, 1.1),
        "rain": ((0.62, 0.68, 0.75), 0.9, 0.0, 1.0, 0.12, 0.0, 1.1),
    }[light]
    rgb, sky, sun, wet, glow, lamp_w, exposure = look
    background = bpy.context.scene.world.node_tree.nodes["Background"]
    background.inputs[0].default_value = (*rgb, 1.0)
    background.inputs[1].default_value = sky
    scene.sun.data.energy = sun
    scene.sun.data.color = (1.0, 0.93, 0.82) if light == "day" else (1.0, 0.6, 0.35)
    rise = math.radians(52.0 if light == "day" else 14.0)
    scene.sun.rotation_euler = (math.pi / 2 - rise, 0.0, scene.sun_heading)
    for lamp in scene.street.lamps:
        lamp.energy = lamp_w
    scene.palette.weather(wet, glow)
    bpy.context.scene.view_settings.exposure = exposure


def shoot(scene: Scene, samples: int, box_px: tuple[int, int, int, int] | None = None) -> np.ndarray:
    """Render, whole or cropped to `box_px` (x0, y0, x1, y1); BGR uint8."""
    settings = bpy.context.scene
    settings.cycles.samples = samples
    _crop(scene.quality, box_px)
    path = scene.scratch / "shot.png"
    settings.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise RuntimeError(f"the renderer wrote no picture to {path}")
    return picture


def _crop(quality: Quality, box_px: tuple[int, int, int, int] | None) -> None:
    render = bpy.context.scene.render
    render.use_border = render.use_crop_to_border = box_px is not None
    if box_px is not None:
        x0, y0, x1, y1 = box_px
        render.border_min_x, render.border_max_x = (x0 + 0.01) / quality.width_px, (x1 + 0.01) / quality.width_px
        render.border_min_y = (quality.height_px - y1 + 0.01) / quality.height_px
        render.border_max_y = (quality.height_px - y0 + 0.01) / quality.height_px


def emission(kind: str) -> Any:
    """A flat material: `depth` shows the distance from the camera (0-60 m as 0-1), `index` marks pass index 1."""
    material = bpy.data.materials.new(f"flat-{kind}")
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    out, shine = tree.nodes.new("ShaderNodeOutputMaterial"), tree.nodes.new("ShaderNodeEmission")
    tree.links.new(shine.outputs[0], out.inputs[0])
    if kind == "depth":
        node = tree.nodes.new("ShaderNodeCameraData")
        scale = tree.nodes.new("ShaderNodeMath")
        scale.operation, scale.inputs[1].default_value = "DIVIDE", 60.0
        tree.links.new(node.outputs["View Z Depth"], scale.inputs[0])
        tree.links.new(scale.outputs[0], shine.inputs[0])
    else:
        node = tree.nodes.new("ShaderNodeObjectInfo")
        tree.links.new(node.outputs["Object Index"], shine.inputs[0])
    return material


def shoot_flat(scene: Scene, kind: str, samples: int, box_px: tuple[int, int, int, int] | None = None) -> np.ndarray:
    """A linear grey pass with every surface overridden by `emission(kind)`; float32 0-1."""
    settings, layer = bpy.context.scene, bpy.context.scene.view_layers[0]
    name = f"flat-{kind}"
    before = (settings.view_settings.view_transform, settings.view_settings.look, settings.view_settings.exposure)
    layer.material_override = bpy.data.materials.get(name) or emission(kind)
    settings.view_settings.view_transform, settings.view_settings.look = "Raw", "None"
    settings.view_settings.exposure = 0.0
    sky = settings.world.node_tree.nodes["Background"].inputs
    lit = (tuple(sky[0].default_value), sky[1].default_value)
    sky[0].default_value, sky[1].default_value = (1.0, 1.0, 1.0, 1.0), 1.0 if kind == "depth" else 0.0
    settings.cycles.use_denoising = False
    settings.render.image_settings.color_depth = "16"
    settings.cycles.samples = samples
    _crop(scene.quality, box_px)
    path = scene.scratch / "flat.png"
    settings.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    grey = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    layer.material_override = None
    sky[0].default_value, sky[1].default_value = lit
    settings.view_settings.view_transform, settings.view_settings.look, settings.view_settings.exposure = before
    settings.cycles.use_denoising = True
    settings.render.image_settings.color_depth = "8"
    return (grey[..., 0] / 65535.0).astype(np.float32)


def projection(camera: Any, quality: Quality) -> np.ndarray:
    """3x4 matrix from world metres to homogeneous picture coordinates 0-1 (x right, y down)."""
    depsgraph = bpy.context.evaluated_depsgraph_get()
    lens = camera.calc_matrix_camera(depsgraph, x=quality.width_px, y=quality.height_px)
    full = np.array(lens @ camera.matrix_world.inverted())
    return np.stack([(full[0] + full[3]) / 2, (full[3] - full[1]) / 2, full[3]])


def to_picture(matrix: np.ndarray, point: Point) -> tuple[float, float, float]:
    """Project a world point: u, v in 0-1 and its depth in metres."""
    u, v, w = matrix @ np.array([*point, 1.0])
    return (u / w, v / w, float(w)) if w > 0.1 else (math.inf, math.inf, float(w))


def ground_zone(matrix: np.ndarray, low: tuple[float, float], high: tuple[float, float], z: float) -> list[list[float]]:
    """The picture polygon (0-1) of a rectangle on the ground, clipped to the picture; [] where it isn't seen."""
    (x0, y0), (x1, y1) = low, high
    ring = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    dense = []
    for k in range(4):
        a, b = np.array(ring[k]), np.array(ring[(k + 1) % 4])
        dense += [a + (b - a) * t / 40 for t in range(40)]
    seen = [to_picture(matrix, (float(p[0]), float(p[1]), z)) for p in dense]
    polygon = [(u, v) for u, v, w in seen if w > 0.5]
    for axis, limit, sign in ((0, 0.0, 1), (0, 1.0, -1), (1, 0.0, 1), (1, 1.0, -1)):
        polygon = _clip(polygon, axis, limit, sign)
    if len(polygon) < 3:
        return []
    hull = cv2.convexHull(np.array(polygon, np.float32))
    hull = cv2.approxPolyDP(hull, 0.002, True)
    return [[round(float(p[0][0]), 4), round(float(p[0][1]), 4)] for p in hull]


def _clip(polygon: list[tuple[float, float]], axis: int, limit: float, sign: int) -> list[tuple[float, float]]:
    """Sutherland-Hodgman against one edge of the unit square."""
    kept: list[tuple[float, float]] = []
    for k, here in enumerate(polygon):
        last = polygon[k - 1]
        inside, was = sign * (here[axis] - limit) >= 0, sign * (last[axis] - limit) >= 0
        if inside != was:
            t = (limit - last[axis]) / (here[axis] - last[axis])
            kept.append((last[0] + t * (here[0] - last[0]), last[1] + t * (here[1] - last[1])))
        if inside:
            kept.append(here)
    return kept


def plan_overlays(
    scene: Scene, rng: random.Random, matrix: np.ndarray, every_garbage: int, every_stall: int
) -> list[Placed]:
    """Choose what may appear in this view, and where, so that it is well inside the picture.

    The last are `every_stall` more stalls, and half as many heaps of goods and things that sell nothing. They may stand
    in each other's place: no picture shows both.
    """
    street, palette = scene.street, scene.palette
    side = rng.choice((-1, 1))
    reach = (street.bins - 1) / 2 * street.bin_gap
    wanted: list[Placed] = []

    def put(name: str, kind: str, shape: Shape, spots: list[tuple[float, float, float]], clear: float) -> None:
        for x, y, heading in spots:
            u, v, depth = to_picture(matrix, (x, y, GROUND_Z + 0.4))
            inside = 0.1 < u < 0.9 and 0.16 < v < 0.9 and depth < 24
            far = all(math.hypot(p.at[0] - x, p.at[1] - y) > clear for p in wanted if p.kind != kind)
            poles = all(math.hypot(px - x, (py - y)) > 0.9 for px, py, _ in street.poles)
            if inside and poles and far and x < street.right_x - 1.2:
                z = 0.0 if y < street.kerb_y else GROUND_Z
                wanted.append(Placed(name, kind, shape, (x, y, z), heading))
                return

    def row(y: float, step: float = 0.7, turn: float = 0.0) -> list[tuple[float, float, float]]:
        xs = [street.bins_x + side * (-9 + step * k) for k in range(int(18 / step))]
        rng.shuffle(xs)
        return [(x, y, turn) for x in xs]

    beside = [(street.bins_x + s * (reach + 1.35), street.bins_y - 0.15, 0.0) for s in (side, -side)]
    put("garbage_bin", "garbage", things.rubbish(palette, rng, rng.choice(("bags", "mixed"))), beside, 1.0)
    bins = [(street.bins_x, street.bins_y, 0.0)]
    put("bin_overflow", "garbage", things.spill(palette, rng, street.bins, street.bin_gap), bins, 0.0)
    put("garbage_kerb", "garbage", things.rubbish(palette, rng), row(street.kerb_y + 0.75), 1.8)
    for k in range(every_garbage):
        y = rng.uniform(street.kerb_y + 0.6, street.front_y - 0.7)
        spots = row(y, 0.9, rng.uniform(0, 3.1)) if k % 3 else row(street.kerb_y - rng.uniform(0.4, 2.0), 0.9)
        put(f"garbage_{k}", "garbage", things.rubbish(palette, rng), spots, 1.5)
    heading = rng.choice((0.0, math.pi))
    if rng.random() < 0.5 and street.front_y - street.kerb_y > 3.6:
        spots = row((street.kerb_y + street.front_y) / 2 - 0.2, 0.8, heading + rng.uniform(-0.1, 0.1))
        put("car", "vehicle", things.car(palette, rng), spots, 3.6)
    put("car_kerb", "vehicle", things.car(palette, rng), row(street.kerb_y - 1.15, 0.8, heading), 3.2)
    put("stall", "stall", things.stall(palette, rng), row(street.kerb_y + 1.6, 0.8), 3.0)
    put("goods", "goods", things.goods(palette, rng), row(street.front_y - 0.75, 0.8), 2.2)
    first = rng.randrange(len(things.STALL_STYLES))
    for k in range(every_stall):
        y = rng.uniform(street.kerb_y - 1.2, street.front_y - 0.9)
        style = things.STALL_STYLES[(first + k) % len(things.STALL_STYLES)]
        spots = row(y, 0.9, rng.uniform(-0.5, 0.5))
        put(f"stall_{k}_{style}", "stall", things.street_stall(palette, rng, style), spots, 0.0)
    for k in range((every_stall + 1) // 2):
        style = rng.choice(things.CLUTTER_STYLES)
        spots = row(rng.uniform(street.kerb_y - 1.0, street.front_y - 0.7), 0.9, rng.uniform(-0.6, 0.6))
        put(f"clutter_{k}_{style}", "clutter", things.clutter(palette, rng, style), spots, 0.0)
        spots = row(street.front_y - rng.uniform(0.6, 1.2), 0.9, rng.uniform(-0.1, 0.1))
        put(f"goods_{k}", "goods", things.goods(palette, rng), spots, 0.0)
    return wanted


def footprint(scene: Scene, thing: Any, matrix: np.ndarray) -> tuple[int, int, int, int] | None:
    """Pixels to render for one overlay: its projected bounds with room for its shadow."""
    quality = scene.quality
    world = [thing.matrix_world @ Vector(c) for c in thing.bound_box]
    height = max(p.z for p in world)
    aim = scene.sun_heading
    reach = height / math.tan(math.radians(52.0)) + 0.35
    shade = [Vector((p.x - math.sin(aim) * reach, p.y + math.cos(aim) * reach, 0.0)) for p in world]
    margin = [Vector((p.x + dx, p.y + dy, 0.0)) for p in world for dx in (-0.5, 0.5) for dy in (-0.5, 0.5)]
    seen = [to_picture(matrix, tuple(p)) for p in [*world, *shade, *margin]]
    if any(w < 0.5 for _, _, w in seen):
        return None
    x0 = max(0, int(min(u for u, _, _ in seen) * quality.width_px) - 2)
    x1 = min(quality.width_px, int(max(u for u, _, _ in seen) * quality.width_px) + 3)
    y0 = max(0, int(min(v for _, v, _ in seen) * quality.height_px) - 2)
    y1 = min(quality.height_px, int(max(v for _, v, _ in seen) * quality.height_px) + 3)
    return (x0, y0, x1, y1) if x1 - x0 > 8 and y1 - y0 > 8 else None


def layer_of(with_it: np.ndarray, without: np.ndarray, cover: np.ndarray) -> np.ndarray:
    """An overlay as BGRA: the thing's own pixels, and its shade on the rest as black with alpha."""
    lit = with_it.astype(np.float32).mean(axis=2) + 4.0
    base = without.astype(np.float32).mean(axis=2) + 4.0
    shade = np.clip(1.0 - cv2.GaussianBlur(lit, (0, 0), 1.2) / cv2.GaussianBlur(base, (0, 0), 1.2), 0.0, 1.0)
    shade = np.clip((shade - 0.05) / 0.9, 0.0, 0.9)
    edge = min(12, *(n // 4 for n in shade.shape))
    fade = np.ones_like(shade)
    for k in range(edge):
        t = k / edge
        fade[k], fade[-1 - k] = np.minimum(fade[k], t), np.minimum(fade[-1 - k], t)
        fade[:, k], fade[:, -1 - k] = np.minimum(fade[:, k], t), np.minimum(fade[:, -1 - k], t)
    shade = shade * fade * (1.0 - cover)
    alpha = cover + shade
    share = np.where(alpha > 1e-3, cover / np.maximum(alpha, 1e-3), 0.0)
    colour = with_it.astype(np.float32) * share[..., None]
    return np.dstack([colour, alpha * 255.0]).round().clip(0, 255).astype(np.uint8)


def tight_box(cover: np.ndarray, box_px: tuple[int, int, int, int], quality: Quality) -> list[float] | None:
    """The box 0-1 of the visible thing, without its shade; None where too little of it is seen."""
    ys, xs = np.nonzero(cover > 0.5)
    if len(xs) < 60:
        return None
    x0, y0 = box_px[0], box_px[1]
    return [
        round((x0 + int(xs.min())) / quality.width_px, 4), round((y0 + int(ys.min())) / quality.height_px, 4),
        round((x0 + int(xs.max()) + 1) / quality.width_px, 4), round((y0 + int(ys.max()) + 1) / quality.height_px, 4),
    ]  # fmt: skip


def render_view(
    seed: int,
    lights: list[str],
    quality: Quality,
    out: Path,
    extra_garbage: int,
    extra_stalls: int = 0,
    only: set[str] | None = None,
) -> dict[str, Any]:
    """Render one view into `out`; returns what was written to its scene.json."""
    started = time.monotonic()
    rng = random.Random(seed)
    settings = fresh_scene(quality)
    palette = Palette()
    street = streets.plan(rng)
    camera = make_camera(rng, street)
    streets.build(palette, rng, street, float(camera.location[0]))
    sun = bpy.data.objects.new("sun", bpy.data.lights.new("sun", "SUN"))
    sun.data.angle = math.radians(1.0)
    settings.collection.objects.link(sun)
    sun_heading = math.radians(rng.choice((rng.uniform(-70, 70), rng.uniform(-120, 120))))
    with tempfile.TemporaryDirectory() as scratch:
        scene = Scene(palette, street, quality, camera, sun, sun_heading, Path(scratch))
        settings.cycles.seed = seed
        bpy.context.view_layer.update()
        matrix = projection(camera, quality)
        placed = plan_overlays(scene, rng, matrix, extra_garbage, extra_stalls)
        placed = [p for p in placed if only is None or p.name in only] or placed[:1]
        out.mkdir(parents=True, exist_ok=True)
        overlays = _shoot_all(scene, placed, lights, matrix, out)
        statics = _statics(scene)
    written = {
        "seed": seed,
        "lights": lights,
        "projection": [[round(float(v), 6) for v in line] for line in matrix],
        "street": {"kerb_y": round(street.kerb_y, 3), "front_y": round(street.front_y, 3),
                   "near_y": round(street.near_y, 3), "right_x": round(street.right_x, 3), "ground_z": GROUND_Z},
        "zones": zones(street, matrix),
        "static": statics,
        "overlays": overlays,
        "render_s": round(time.monotonic() - started, 1),
    }  # fmt: skip
    (out / "scene.json").write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
    return written


def _shoot_all(
    scene: Scene, placed: list[Placed], lights: list[str], matrix: np.ndarray, out: Path
) -> list[dict[str, Any]]:
    """Backgrounds, depth, then each overlay in each light; returns the overlays' records."""
    quality = scene.quality
    standing = []
    for item in placed:
        thing = item.shape.done(item.at, item.heading, bevel=0.015 if item.kind == "vehicle" else 0.0)
        thing.hide_render = True
        bpy.context.view_layer.update()
        box_px = footprint(scene, thing, matrix)
        if box_px is not None:
            standing.append((item, thing, box_px))
    depth = shoot_flat(scene, "depth", 1)
    small = cv2.resize(depth, (quality.width_px // 2, quality.height_px // 2), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(out / "depth.png"), (np.sqrt(small.clip(0, 1)) * 255).round().astype(np.uint8))
    covers, records = {}, []
    for item, thing, box_px in standing:
        thing.hide_render, thing.pass_index = False, 1
        cover = shoot_flat(scene, "index", 8, box_px)
        thing.hide_render = True
        box = tight_box(cover, box_px, quality)
        if box is not None:
            covers[item.name] = cover
            records.append({"name": item.name, "kind": item.kind, "box": box, "x_px": box_px[0], "y_px": box_px[1],
                            "ground": [round(v, 3) for v in item.at]})  # fmt: skip
    for light in lights:
        set_light(scene, light)
        plain = shoot(scene, quality.samples)
        cv2.imwrite(str(out / f"{light}.jpg"), plain, [cv2.IMWRITE_JPEG_QUALITY, quality.jpeg])
        for item, thing, box_px in standing:
            if item.name not in covers:
                continue
            thing.hide_render = False
            shot = shoot(scene, quality.overlay_samples, box_px)
            thing.hide_render = True
            x0, y0, x1, y1 = box_px
            layer = layer_of(shot, plain[y0:y1, x0:x1], covers[item.name])
            cv2.imwrite(str(out / f"{item.name}.{light}.webp"), layer, [cv2.IMWRITE_WEBP_QUALITY, 88])
    return records


def _statics(scene: Scene) -> list[dict[str, Any]]:
    """Boxes of what always stands there and has a class: parked cars."""
    found = []
    for thing in scene.street.parked:
        thing.pass_index = 1
        cover = shoot_flat(scene, "index", 4)
        thing.pass_index = 0
        whole = (0, 0, scene.quality.width_px, scene.quality.height_px)
        box = tight_box(cover, whole, scene.quality)
        if box is not None:
            found.append({"kind": "vehicle", "box": box})
    return found


def zones(street: streets.Street, matrix: np.ndarray) -> dict[str, list[list[float]]]:
    """Natural zones of the view as picture polygons: where a rule would look."""
    left, right = street.bins_x - 9.0, min(street.bins_x + 9.0, street.right_x)
    reach = (street.bins - 1) / 2 * street.bin_gap + 2.4
    found = {
        "pavement": ground_zone(matrix, (left, street.kerb_y), (right, street.front_y), GROUND_Z),
        "kerb_strip": ground_zone(matrix, (left, street.kerb_y - 2.3), (right, street.kerb_y), 0.0),
        "road": ground_zone(matrix, (left, street.near_y), (right, street.kerb_y), 0.0),
        "bin_corner": ground_zone(matrix, (street.bins_x - reach, street.bins_y - 1.3),
                                  (min(street.bins_x + reach, right), street.bins_y + 0.6), GROUND_Z),
        "shop_front": ground_zone(matrix, (left, street.front_y - 1.7), (right, street.front_y), GROUND_Z),
    }  # fmt: skip
    return {name: polygon for name, polygon in found.items() if polygon}


DEMO_LIGHTS = {1: ("night",), 3: ("rain",), 6: ("dusk",), 8: ("night",), 10: ("rain",), 15: ("night",)}
DEMO_SETS = (
    {"garbage_bin", "car_kerb", "goods"},
    {"bin_overflow", "stall", "garbage_kerb"},
    {"garbage_kerb", "garbage_bin", "car", "car_kerb", "goods"},
)


def lights_of(seed: int, which: str) -> list[str]:
    """Which lights a view is rendered in: all by day; some of them by night, in rain or at dusk too."""
    if which == "train":
        return ["day", *([["night"], ["rain"], [], ["dusk"]][(seed - 1) % 4])]
    return ["day", *DEMO_LIGHTS.get(seed, ())]


def seeds_of(text: str) -> list[int]:
    """`1-24` or `3,7,9` as numbers."""
    found: list[int] = []
    for part in text.split(","):
        low, _, high = part.partition("-")
        found.extend(range(int(low), int(high or low) + 1))
    return found


def main() -> int:
    """Render what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="", help="which views, e.g. 1-24 or 3,7; none: only sprites")
    parser.add_argument("--set", choices=sorted(QUALITY), default="demo", dest="which")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--lights", default="", help="override, e.g. day,night")
    parser.add_argument("--extra-garbage", type=int, default=0, help="more rubbish variants a view, for training")
    parser.add_argument("--extra-stalls", type=int, default=0, help="more stalls a view, goods, clutter, for training")
    parser.add_argument("--sprites", nargs="*", metavar="KIND", help="render the shared sprites too, or some kinds")
    parser.add_argument("--sprite-seed", type=int, default=7)
    args = parser.parse_args()
    if args.sprites is not None:
        render_sprites(args.out / "sprites", args.sprite_seed, args.sprites)
    for seed in seeds_of(args.seeds) if args.seeds else []:
        lights = args.lights.split(",") if args.lights else lights_of(seed, args.which)
        name = f"v{seed:02d}"
        only = DEMO_SETS[seed % 3] if args.which == "demo" else None
        quality = QUALITY[args.which]
        written = render_view(seed, lights, quality, args.out / name, args.extra_garbage, args.extra_stalls, only)
        names = [o["name"] for o in written["overlays"]]
        print(f"{name}: {written['render_s']} s, {lights}, {names}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
