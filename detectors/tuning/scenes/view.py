"""What the renderer wrote, read back: a view with its lights and overlays, and the moving sprites."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Box = tuple[float, float, float, float]

DEPTH_RANGE_M = 60.0


class SceneError(Exception):
    """A folder of rendered assets is incomplete or unreadable; the message names the file."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """A thing that can be put into one view: rendered there, with its shade, in each of the view's lights."""

    name: str
    kind: str
    box: Box
    depth_m: float
    ground: tuple[float, float]
    x_px: int
    y_px: int
    layers: dict[str, Picture]


@dataclass(frozen=True, slots=True)
class View:
    """One simulated camera's view. Boxes and zones are 0-1; `projection` takes world metres to picture 0-1."""

    name: str
    width_px: int
    height_px: int
    projection: npt.NDArray[np.float64]
    eye: tuple[float, float]
    backgrounds: dict[str, Picture]
    depth_m: Floats
    overlays: dict[str, Overlay]
    zones: dict[str, list[tuple[float, float]]]
    street: dict[str, float]
    static: tuple[tuple[str, Box], ...]
    relight: dict[str, Floats]

    @classmethod
    def load(cls, folder: Path | str) -> View:
        """Read `folder` (scene.json and its pictures) into memory, decoded. Raises SceneError."""
        root = Path(folder)
        try:
            plan = json.loads((root / "scene.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise SceneError(f"{root / 'scene.json'}: {error}") from error
        backgrounds = {light: _read(root / f"{light}.jpg", cv2.IMREAD_COLOR) for light in plan["lights"]}
        first = backgrounds["day"]
        height, width = first.shape[:2]
        matrix = np.array(plan["projection"], np.float64)
        overlays = {o["name"]: _overlay(root, o, plan["lights"], matrix) for o in plan["overlays"]}
        coded = _read(root / "depth.png", cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255.0
        depth = cv2.resize(coded * coded * DEPTH_RANGE_M, (width, height), interpolation=cv2.INTER_NEAREST)
        return cls(
            name=root.name,
            width_px=width,
            height_px=height,
            projection=matrix,
            eye=_eye(matrix),
            backgrounds=backgrounds,
            depth_m=depth.astype(np.float32),
            overlays=overlays,
            zones={name: [(p[0], p[1]) for p in polygon] for name, polygon in plan["zones"].items()},
            street={key: float(value) for key, value in plan["street"].items()},
            static=tuple((s["kind"], _box(s["box"])) for s in plan["static"]),
            relight={light: _relight(picture, first) for light, picture in backgrounds.items()},
        )

    def project(self, x_m: float, y_m: float, z_m: float) -> tuple[float, float, float]:
        """A world point in pixels, with its depth in metres (not positive: behind the camera)."""
        u, v, w = self.projection @ np.array([x_m, y_m, z_m, 1.0])
        if w <= 1e-6:
            return (math.inf, math.inf, float(w))
        return (float(u / w) * self.width_px, float(v / w) * self.height_px, float(w))

    def metre_px(self, x_m: float, y_m: float) -> float:
        """Pixels that one metre across the line of sight takes on the ground at (x, y)."""
        away = math.hypot(x_m - self.eye[0], y_m - self.eye[1]) or 1.0
        side = ((y_m - self.eye[1]) / away, -(x_m - self.eye[0]) / away)
        one, two = self.project(x_m, y_m, 0.0), self.project(x_m + side[0], y_m + side[1], 0.0)
        return math.hypot(two[0] - one[0], two[1] - one[1])

    def open_spot(self, clear_m: float = 2.0) -> tuple[float, float] | None:
        """A place on the pavement (metres) in the middle of the picture, in full sight and clear of every overlay.

        For what is made at compose time, such as an open fire. None where the view has no such place.
        """
        kerb, front, ground = (self.street[key] for key in ("kerb_y", "front_y", "ground_z"))
        found: list[tuple[float, tuple[float, float]]] = []
        for y in np.arange(kerb + 0.9, front - 0.6, 0.4):
            for x in np.arange(self.eye[0] - 14.0, min(self.eye[0] + 14.0, self.street["right_x"] - 1.0), 0.4):
                u, v, depth = self.project(float(x), float(y), ground)
                if not (0.2 < u / self.width_px < 0.8 and 0.42 < v / self.height_px < 0.85):
                    continue
                if abs(float(self.depth_m[int(v) - 3, int(u)]) - depth) > 0.8:
                    continue
                if all(math.dist((x, y), o.ground) > clear_m for o in self.overlays.values()):
                    found.append((abs(u / self.width_px - 0.5), (float(x), float(y))))
        return min(found)[1] if found else None


@dataclass(frozen=True, slots=True)
class Frame:
    """One sprite picture: BGRA, the pixel under its middle on the ground, and tight boxes in its pixels by class."""

    pixels: Picture
    foot: tuple[float, float]
    boxes: dict[str, tuple[int, int, int, int]]


@dataclass(frozen=True, slots=True)
class Sprite:
    """A moving thing seen from several sides: `frames[heading index][phase]`, headings in degrees, ascending."""

    name: str
    kind: str
    height_m: float
    px_per_m: float
    headings: tuple[float, ...]
    frames: tuple[tuple[Frame, ...], ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """A sprite somewhere on the ground: metres, heading in radians (0 = along +x), phase 0-1 of its movement."""

    sprite: Sprite
    x_m: float
    y_m: float
    heading: float = 0.0
    phase: float = 0.0


@cache
def load_sprites(folder: Path | str) -> tuple[Sprite, ...]:
    """Read every sprite of `folder`/sprites.json, decoded. Raises SceneError."""
    root = Path(folder)
    try:
        listed = json.loads((root / "sprites.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SceneError(f"{root / 'sprites.json'}: {error}") from error
    return tuple(_sprite(root, entry) for entry in listed["sprites"])


def load_views(folder: Path | str) -> list[View]:
    """Every view below `folder`, in order of their names. Raises SceneError."""
    return [View.load(path.parent) for path in sorted(Path(folder).glob("*/scene.json"))]


def _sprite(root: Path, entry: dict[str, Any]) -> Sprite:
    atlas = _read(root / entry["file"], cv2.IMREAD_UNCHANGED)
    rows = []
    for row in entry["frames"]:
        frames = []
        for cell in row:
            x, y, w, h = cell["rect"]
            boxes = {kind: (b[0], b[1], b[2], b[3]) for kind, b in cell["boxes"].items()}
            frames.append(Frame(atlas[y : y + h, x : x + w], (cell["foot"][0], cell["foot"][1]), boxes))
        rows.append(tuple(frames))
    return Sprite(
        entry["name"], entry["kind"], float(entry["height_m"]), float(entry["px_per_m"]),
        tuple(float(h) for h in entry["headings"]), tuple(rows),
    )  # fmt: skip


def _overlay(root: Path, entry: dict[str, Any], lights: Sequence[str], matrix: npt.NDArray[np.float64]) -> Overlay:
    x, y, z = entry["ground"]
    return Overlay(
        name=entry["name"],
        kind=entry["kind"],
        box=_box(entry["box"]),
        depth_m=float((matrix @ np.array([x, y, z, 1.0]))[2]),
        ground=(float(x), float(y)),
        x_px=int(entry["x_px"]),
        y_px=int(entry["y_px"]),
        layers={light: _read(root / f"{entry['name']}.{light}.webp", cv2.IMREAD_UNCHANGED) for light in lights},
    )


def _read(path: Path, flag: int) -> Picture:
    picture = cv2.imread(str(path), flag)
    if picture is None:
        raise SceneError(f"{path}: missing, or not a picture")
    return np.ascontiguousarray(picture, np.uint8)


def _box(values: Sequence[float]) -> Box:
    return (float(values[0]), float(values[1]), float(values[2]), float(values[3]))


def _eye(matrix: npt.NDArray[np.float64]) -> tuple[float, float]:
    """The camera's place on the plan: the null space of the projection."""
    centre = np.linalg.svd(matrix)[2][-1]
    return (float(centre[0] / centre[3]), float(centre[1] / centre[3]))


def _relight(picture: Picture, day: Picture) -> Floats:
    """How much darker, and of what colour, each place is than by day: a coarse BGR map of factors."""
    size = (max(1, picture.shape[1] // 32), max(1, picture.shape[0] // 32))
    one = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.float32) + 3.0
    two = cv2.resize(day, size, interpolation=cv2.INTER_AREA).astype(np.float32) + 3.0
    ratio = cv2.GaussianBlur(one, (0, 0), 1.0) / cv2.GaussianBlur(two, (0, 0), 1.0)
    return np.asarray(np.clip(ratio, 0.04, 1.3), np.float32)
