"""A value that does not move: an analogue sensor that says the same for days is stuck. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DAY_S = 86400.0


def still(same: Mapping[str, Any], prop: str, value: float, at_s: float) -> Mapping[str, Any]:
    """`same` (property to [value, since]) after a reading; the same object while the value does not move."""
    before = same.get(prop)
    if before is not None and before[0] == value:
        return same
    return {**same, prop: [value, at_s]}


def stuck(same: Mapping[str, Any], days: Mapping[str, float], last_s: float) -> list[tuple[str, float, float]]:
    """(property, value, since) of what has not moved for the days that `days` allows, up to the newest reading."""
    return [
        (prop, same[prop][0], same[prop][1])
        for prop, most in days.items()
        if prop in same and last_s - same[prop][1] >= most * DAY_S
    ]
