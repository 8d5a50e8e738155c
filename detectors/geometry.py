"""Zones and boxes in 0-1 coordinates: what lies in what, and how much two boxes share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Zone:
    """A named polygon in one camera's view: `points` are (x, y), 0-1, at least three, in drawing order."""

    name: str
    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        if len(self.points) < 3:
            raise ValueError(f"zone {self.name}: {len(self.points)} points, wanted at least 3")
        for x, y in self.points:
            if not (0.0 <= x <= 1.0 and 0.0 <= y <= 1.0):
                raise ValueError(f"zone {self.name}: point ({x}, {y}) is outside 0..1")

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Zone:
        """From {name, points: [[x, y], …]}, as the hub's assignment holds it. Raises ValueError."""
        return cls(wire["name"], tuple((float(x), float(y)) for x, y in wire["points"]))

    @classmethod
    def whole(cls) -> Zone:
        """The whole picture."""
        return cls("", ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)))

    def contains(self, points: NDArray[np.float32]) -> NDArray[np.bool_]:
        """N booleans for N x 2 points (even-odd rule)."""
        inside = np.zeros(len(points), bool)
        x, y = points[:, 0], points[:, 1]
        corners = self.points
        for (x1, y1), (x2, y2) in zip(corners, corners[1:] + corners[:1], strict=True):
            if y1 == y2:
                continue
            crosses = (y1 > y) != (y2 > y)
            inside ^= crosses & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
        return inside

    def share_of(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """N shares 0-1: how much of each box (N x 4) lies in the zone (Sutherland-Hodgman clip, shoelace area)."""
        shares = np.zeros(len(boxes), np.float32)
        for index, (x1, y1, x2, y2) in enumerate(np.asarray(boxes, np.float64)):
            area = (x2 - x1) * (y2 - y1)
            if area > 0:
                shares[index] = min(1.0, _area(_clipped(self.points, x1, y1, x2, y2)) / area)
        return shares


def feet(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """N x 2: the middle of each box's lower edge, where a thing stands on the ground."""
    return np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]], axis=1)


def centres(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """N x 2: the middle of each box."""
    return np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2], axis=1)


def iou(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """N x M: intersection over union of N boxes with M boxes."""
    left = np.maximum(a[:, None, :2], b[None, :, :2])
    right = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(right - left, 0, None).prod(axis=2)
    area_a = np.clip(a[:, 2:] - a[:, :2], 0, None).prod(axis=1)
    area_b = np.clip(b[:, 2:] - b[:, :2], 0, None).prod(axis=1)
    union = area_a[:, None] + area_b[None, :] - shared
    result: NDArray[np.float32] = np.where(union > 0, shared / np.maximum(union, 1e-12), 0).astype(np.float32)
    return result


Corners = tuple[tuple[float, float], ...]


def _clipped(points: Corners, x1: float, y1: float, x2: float, y2: float) -> Corners:
    """The part of a polygon within a box; it may keep edges of no width, which have no area."""
    for axis, limit, sign in ((0, x1, 1.0), (0, x2, -1.0), (1, y1, 1.0), (1, y2, -1.0)):
        kept: list[tuple[float, float]] = []
        for start, end in zip(points, points[1:] + points[:1], strict=True):
            inside_start = sign * (start[axis] - limit) >= 0
            inside_end = sign * (end[axis] - limit) >= 0
            if inside_start:
                kept.append(start)
            if inside_start != inside_end:
                t = (limit - start[axis]) / (end[axis] - start[axis])
                kept.append((start[0] + t * (end[0] - start[0]), start[1] + t * (end[1] - start[1])))
        points = tuple(kept)
        if not points:
            break
    return points


def _area(points: Corners) -> float:
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(points, points[1:] + points[:1], strict=True))) / 2
