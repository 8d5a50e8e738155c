"""People beside a thing, look by look: what tells a stall from a parcel that somebody left. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from detectors.finding import Box

MOST_LOOKS = 64

Look = tuple[float, tuple[Box, ...]]
"""When (Unix seconds), and the boxes of who was there."""


@dataclass(frozen=True, slots=True)
class Company:
    """Who was there at the newest looks (newest last)."""

    looks: tuple[Look, ...] = ()

    @property
    def timing(self) -> bool:
        """The background does that."""
        return False

    def to_json(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"looks": [[at, [list(box) for box in boxes]] for at, boxes in self.looks]}

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> Company:
        """The inverse of `to_json`."""
        return cls(tuple((at, tuple((b[0], b[1], b[2], b[3]) for b in boxes)) for at, boxes in state["looks"]))


def look(state: Company, people: Sequence[Box], now: datetime) -> Company:
    """With who is there now."""
    return Company((*state.looks, (now.timestamp(), tuple(people)))[-MOST_LOOKS:])


def share_beside(state: Company, thing: Box, since: datetime, reach: float) -> float:
    """In which share (0-1) of the looks since then somebody stood beside `thing`.

    Beside: their box meets the thing's, grown by `reach` of its own width and height on each side.
    """
    begun = since.astimezone(UTC).timestamp()
    looks = [boxes for at, boxes in state.looks if at >= begun]
    if not looks:
        return 0.0
    around = _grown(thing, reach)
    return sum(any(_meet(around, box) for box in boxes) for boxes in looks) / len(looks)


def _grown(box: Box, reach: float) -> Box:
    x1, y1, x2, y2 = box
    wide, high = reach * (x2 - x1), reach * (y2 - y1)
    return (x1 - wide, y1 - high, x2 + wide, y2 + high)


def _meet(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
