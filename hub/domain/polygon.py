"""What can be wrong with a polygon that somebody drew, by the numbers of its points (from 1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Point = tuple[float, float]
LEAST_AREA = 0.0001
"""Of the picture: less is a slip of the hand."""


def fault(points: Sequence[Point]) -> dict[str, Any] | None:
    """{code, …} of the first fault: `few`, `same` {a, b}, `crossed` {a, b, c, d} (edges a-b and c-d), `flat`."""
    if len(points) < 3:
        return {"code": "few", "n": len(points)}
    count = len(points)
    for i, point in enumerate(points):
        if point == points[(i + 1) % count]:
            return {"code": "same", "a": i + 1, "b": (i + 1) % count + 1}
    for i in range(count):
        for j in range(i + 1, count):
            if j == i + 1 or (i == 0 and j == count - 1):
                continue  # neighbours share a point
            ends = points[i], points[(i + 1) % count], points[j], points[(j + 1) % count]
            if _meet(*ends):
                return {"code": "crossed", "a": i + 1, "b": (i + 1) % count + 1, "c": j + 1, "d": (j + 1) % count + 1}
    if abs(_area(points)) < LEAST_AREA:
        return {"code": "flat"}
    return None


def _area(points: Sequence[Point]) -> float:
    """Shoelace."""
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(points, [*points[1:], points[0]], strict=True)) / 2


def _meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether the edges a-b and c-d have a point in common."""
    o1, o2, o3, o4 = _side(a, b, c), _side(a, b, d), _side(c, d, a), _side(c, d, b)
    if o1 * o2 < 0 and o3 * o4 < 0:
        return True
    return any(
        side == 0 and _within(end, edge)
        for side, end, edge in ((o1, c, (a, b)), (o2, d, (a, b)), (o3, a, (c, d)), (o4, b, (c, d)))
    )


def _side(a: Point, b: Point, p: Point) -> int:
    cross = (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])
    return 0 if abs(cross) < 1e-12 else 1 if cross > 0 else -1


def _within(p: Point, edge: tuple[Point, Point]) -> bool:
    (x1, y1), (x2, y2) = edge
    return min(x1, x2) <= p[0] <= max(x1, x2) and min(y1, y2) <= p[1] <= max(y1, y2)
