"""A sensor that has not spoken for too long, and a gateway through which nobody speaks any more. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

INTERVALS = 3
"""Missed reports in a row that may be bad luck (domain rule: silent after max(3 intervals, the profile's time))."""
LEAST_S = {"mains": 600.0, "battery": 25 * 3600.0}
"""Silence that is never too long, by supply (domain.md §8.4)."""
CHILDREN = 2
"""A gateway with fewer sensors than this is not judged by their silence."""


def silent(last_seen: datetime | None, now: datetime, every_s: float, silence_s: float) -> bool:
    """Whether a sensor that should speak every `every_s` is silent; one that never spoke is."""
    return last_seen is None or (now - last_seen).total_seconds() > max(INTERVALS * every_s, silence_s)


def gateway_lost(children: Sequence[tuple[datetime | None, float]], now: datetime) -> bool:
    """Whether a gateway is out, of (last seen, usual interval) of the sensors behind it.

    Each of them may be silent for a day with nothing wrong; all of them may not: somebody should have been heard
    within three intervals of the busiest. Children that never spoke say nothing, nor do those that had fallen silent
    before the last word of all: they are lost by themselves.
    """
    heard = [(seen, every_s) for seen, every_s in children if seen is not None]
    last = max((seen for seen, _ in heard), default=now)
    spoke = [every_s for seen, every_s in heard if (last - seen).total_seconds() <= _allowed_s(every_s)]
    return len(spoke) >= CHILDREN and (now - last).total_seconds() > _allowed_s(min(spoke))


def _allowed_s(every_s: float) -> float:
    return max(INTERVALS * every_s, LEAST_S["mains"])
