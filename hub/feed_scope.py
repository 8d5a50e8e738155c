"""What of the feed is shown to a person who is limited to some grids: whole events, parts of them, or nothing. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Within:
    """Ids of grids (with all below them), of the cameras and sensors that stand in them, and of the grids around."""

    grids: frozenset[str]
    cameras: frozenset[str]
    sensors: frozenset[str]
    around: frozenset[str] = frozenset()

    def part(self, event: str, body: Body) -> Body | None:
        """What of an event is theirs; None: nothing, also of events that nothing is known of here."""
        part = _PARTS.get(event)
        return None if part is None else part(self, body)


def _in_grid(within: Within, body: Body) -> Body | None:
    grid = body.get("grid")
    return body if grid and grid["id"] in within.grids else None


def _cameras(within: Within, body: Body) -> Body | None:
    items = [item for item in body["items"] if item["id"] in within.cameras]
    return {**body, "items": items} if items else None


def _looks(within: Within, body: Body) -> Body | None:
    mine = [n for n, id_ in enumerate(body["ids"]) if id_ in within.cameras]
    lists = {name: [body[name][n] for n in mine] for name in ("ids", "ago_ms", "attained_s")}
    return {**body, **lists} if mine else None


def _notice(within: Within, body: Body) -> Body | None:
    cameras = [camera for camera in body["cameras"] if camera["id"] in within.cameras]
    out = sum(camera["back_at"] is None for camera in cameras)
    return {**body, "cameras": cameras, "out": out, "total": len(cameras)} if cameras else None


def _sensor_notice(within: Within, body: Body) -> Body | None:
    children = [child for child in body["children"] if child["id"] in within.sensors]
    return {**body, "children": children} if body["sensor"] in within.sensors else None


def _handover(within: Within, body: Body) -> Body | None:
    areas = {grid["id"] for grid in body["grids"]}
    return None if areas and areas.isdisjoint(within.grids | within.around) else body


_PARTS: Mapping[str, Callable[[Within, Body], Body | None]] = {
    "alert": _in_grid,
    "case": _in_grid,
    "camera": _in_grid,
    "sensor": _in_grid,
    "cameras": _cameras,
    "looks": _looks,
    "notice": _notice,
    "sensor_notice": _sensor_notice,
    "handover": _handover,
}
