"""Moving things with alpha, seen from a street camera's height: people, cars, two-wheelers (runs inside bpy only).

All views of one figure lie in one atlas; an orthographic camera looks 20 degrees down on rows of copies of it.
"""

from __future__ import annotations

import json
import math
import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import cv2
import numpy as np

from detectors.tuning.scenes import blender_figures as figures
from detectors.tuning.scenes import blender_things as things
from detectors.tuning.scenes.blender_surfaces import Palette, Shape

PITCH = math.radians(20.0)
HEADINGS = {"person": (-90, -45, 0, 45, 90), "vehicle": (-90, -65, -40, -20, 0, 20, 40, 65, 90),
            "twowheeler": (-90, -50, -20, 0, 20, 50, 90)}  # fmt: skip
CELL_M = {"person": (1.5, 2.3), "vehicle": (6.0, 4.4), "twowheeler": (2.6, 2.7)}
PX_PER_M = {"person": 72.0, "vehicle": 72.0, "twowheeler": 64.0}
PHASES = {"person": 4, "vehicle": 1, "twowheeler": 1}
Maker = Callable[[Palette, int], dict[str, Shape]]


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure to render: `make(palette, phase)` gives its parts by class, all in one frame."""

    name: str
    kind: str
    height_m: float
    make: Maker


def cast(seed: int) -> list[Figure]:
    """The district's people, cars and two-wheelers."""
    rng = random.Random(seed)
    found = [_person(k, figures.looks(rng)) for k in range(9)]
    for k, style in enumerate(("sedan", "suv", "hatch", "van", "sedan", "suv", "van")):
        found.append(_car(k, style, things.CAR_COLOURS[(k * 4 + 1) % len(things.CAR_COLOURS)], seed + k))
    found += [_bike(k, figures.looks(rng), k != 1, seed + k) for k in range(3)]
    return found


def _person(k: int, who: figures.Looks) -> Figure:
    return Figure(f"person-{k}", "person", who.height_m, lambda p, phase: {"person": figures.walker(p, who, phase / 4)})


def _car(k: int, style: str, rgb: tuple[float, float, float], seed: int) -> Figure:
    def make(palette: Palette, phase: int) -> dict[str, Shape]:
        return {"vehicle": things.car(palette, random.Random(seed), style, rgb)}

    return Figure(f"car-{k}", "vehicle", things.CARS[style][1][4], make)


def _bike(k: int, who: figures.Looks, electric: bool, seed: int) -> Figure:
    def make(palette: Palette, phase: int) -> dict[str, Shape]:
        bike = figures.bicycle(palette, random.Random(seed), electric)
        return {"twowheeler": bike, "person": figures.rider(palette, who)}

    return Figure(f"bike-{k}", "twowheeler", 1.65, make)


def render_sprites(out: Path, seed: int, only: Sequence[str] = ()) -> None:
    """Render every figure's atlas (or those of the kinds in `only`) and sprites.json into `out`."""
    out.mkdir(parents=True, exist_ok=True)
    listing = out / "sprites.json"
    before = json.loads(listing.read_text(encoding="utf-8"))["sprites"] if only and listing.exists() else []
    entries = {entry["name"]: entry for entry in before}
    for figure in cast(seed):
        if not only or figure.kind in only:
            entries[figure.name] = _atlas(figure, out)
            plan = {"seed": seed, "pitch_deg": round(math.degrees(PITCH), 1), "sprites": list(entries.values())}
            listing.write_text(json.dumps(plan) + "\n", encoding="utf-8")
            print(f"sprite {figure.name}", flush=True)


def _stage(width_px: int, height_px: int, across_m: float, down_m: float) -> Any:
    """An empty scene with soft day light and the tilted orthographic camera."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.use_denoising, scene.cycles.denoiser = True, "OPENIMAGEDENOISE"
    scene.cycles.max_bounces = 3
    scene.cycles.samples = 8
    scene.render.film_transparent = True
    scene.render.resolution_x, scene.render.resolution_y = width_px, height_px
    scene.render.image_settings.file_format, scene.render.image_settings.color_mode = "PNG", "RGBA"
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - Medium High Contrast"
    world = bpy.data.worlds.new("sky")
    scene.world = world
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs[0].default_value = (0.62, 0.72, 0.95, 1.0)
    world.node_tree.nodes["Background"].inputs[1].default_value = 0.7
    sun = bpy.data.objects.new("sun", bpy.data.lights.new("sun", "SUN"))
    sun.data.energy, sun.data.angle = 2.6, math.radians(12)
    sun.rotation_euler = (math.radians(30), 0.0, math.radians(25))
    scene.collection.objects.link(sun)
    lens = bpy.data.cameras.new("camera")
    lens.type, lens.ortho_scale = "ORTHO", max(across_m, down_m)
    camera = bpy.data.objects.new("camera", lens)
    camera.location = (0.0, -100.0 * math.cos(PITCH), 100.0 * math.sin(PITCH))
    camera.rotation_euler = (math.pi / 2 - PITCH, 0.0, 0.0)
    lens.clip_end = 400.0
    scene.collection.objects.link(camera)
    scene.camera = camera
    return scene


def _atlas(figure: Figure, out: Path) -> dict[str, Any]:
    headings, phases = HEADINGS[figure.kind], PHASES[figure.kind]
    cell_w, cell_h = CELL_M[figure.kind]
    cols = len(headings) if phases == 1 else phases
    rows = (len(headings) * phases + cols - 1) // cols
    if figure.kind == "vehicle":
        cols, rows = 3, 3
    px = PX_PER_M[figure.kind]
    size = (round(cols * cell_w * px), round(rows * cell_h * px))
    scene = _stage(*size, cols * cell_w, rows * cell_h)
    palette = Palette()
    parts: dict[str, list[Any]] = {}
    feet = []
    for index in range(len(headings) * phases):
        col, row = index % cols, index // cols
        across = (col + 0.5 - cols / 2) * cell_w
        down = (rows / 2 - row - 0.86 if figure.kind == "person" else rows / 2 - row - 0.66) * cell_h
        for kind, shape in figure.make(palette, index % phases).items():
            heading = math.radians(headings[index // phases])
            bevel = 0.015 if figure.kind == "vehicle" else 0.0
            thing = shape.done((across, down / math.sin(PITCH), 0.0), heading, bevel=bevel)
            parts.setdefault(kind, []).append(thing)
        feet.append((across * px + size[0] / 2, size[1] / 2 - down * px))
    pixels, covers = _expose(scene, parts)
    cells = (cols, cell_w * px, cell_h * px)
    return _write(figure, out, pixels, covers, feet, cells)


def _expose(scene: Any, parts: dict[str, list[Any]]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The picture, and each class's own coverage."""
    covers = {}
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "shot.png"
        scene.render.filepath = str(path)
        bpy.ops.render.render(write_still=True)
        pixels = np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))
        if len(parts) == 1:
            return pixels, {next(iter(parts)): pixels[..., 3]}
        scene.cycles.samples, scene.cycles.use_denoising, scene.cycles.max_bounces = 4, False, 0
        for kind in parts:
            for other, members in parts.items():
                for thing in members:
                    thing.is_holdout = other != kind
            bpy.ops.render.render(write_still=True)
            covers[kind] = np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))[..., 3]
    return pixels, covers


def _shade(cell: np.ndarray, foot: tuple[float, float], kind: str, heading: float) -> np.ndarray:
    """Lay a soft shade on the ground under one figure: an ellipse on the floor, seen from the camera's height."""
    px = PX_PER_M[kind]
    along, across = {"person": (0.3, 0.26), "vehicle": (2.35, 1.0), "twowheeler": (0.95, 0.3)}[kind]
    ys, xs = np.mgrid[0 : cell.shape[0], 0 : cell.shape[1]].astype(np.float32)
    x, y = (xs - foot[0]) / px - 0.06, -(ys - foot[1]) / px / math.sin(PITCH) - 0.1
    turn = math.radians(heading)
    u = (x * math.cos(turn) + y * math.sin(turn)) / along
    v = (-x * math.sin(turn) + y * math.cos(turn)) / across
    power = 2.0 if kind == "person" else 4.0
    shade = 0.62 * np.clip(1.35 - (np.abs(u) ** power + np.abs(v) ** power) ** (1 / power), 0, 0.6) / 0.6
    shade = cv2.GaussianBlur(shade.astype(np.float32), (0, 0), 2.0)
    cover = cell[..., 3].astype(np.float32) / 255.0
    alpha = cover + shade * (1.0 - cover)
    share = cover / np.maximum(alpha, 1e-3)
    return np.dstack([cell[..., :3] * share[..., None], alpha * 255.0]).round().clip(0, 255).astype(np.uint8)


def _write(
    figure: Figure,
    out: Path,
    pixels: np.ndarray,
    covers: dict[str, np.ndarray],
    feet: list[tuple[float, float]],
    cells: tuple[int, float, float],
) -> dict[str, Any]:
    cols, width, height = cells
    phases = PHASES[figure.kind]
    frames: list[list[dict[str, Any]]] = []
    for index, foot in enumerate(feet):
        x0, y0 = round(index % cols * width), round(index // cols * height)
        x1, y1 = round((index % cols + 1) * width), round((index // cols + 1) * height)
        boxes = {}
        for kind, cover in covers.items():
            ys, xs = np.nonzero(cover[y0:y1, x0:x1] > 127)
            if len(xs):
                boxes[kind] = [int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1]
        cell = {"rect": [x0, y0, x1 - x0, y1 - y0], "foot": [round(foot[0] - x0, 1), round(foot[1] - y0, 1)],
                "boxes": boxes}  # fmt: skip
        heading = HEADINGS[figure.kind][index // phases]
        pixels[y0:y1, x0:x1] = _shade(pixels[y0:y1, x0:x1], (foot[0] - x0, foot[1] - y0), figure.kind, heading)
        if index % phases == 0:
            frames.append([])
        frames[-1].append(cell)
    file = f"{figure.name}.webp"
    cv2.imwrite(str(out / file), pixels, [cv2.IMWRITE_WEBP_QUALITY, 86])
    return {"name": figure.name, "kind": figure.kind, "file": file, "height_m": round(figure.height_m, 2),
            "px_per_m": PX_PER_M[figure.kind], "headings": list(HEADINGS[figure.kind]), "frames": frames}  # fmt: skip
