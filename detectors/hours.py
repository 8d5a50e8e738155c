"""Weekly hours in which a rule is in force, in local time; for what follows the sun, by sunrise and sunset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from detectors.daylight import sun_time


@dataclass(frozen=True, slots=True)
class Window:
    """From `start` to `end` (not included) on `days` (1 Monday to 7 Sunday); `end` before `start`: past midnight."""

    days: frozenset[int]
    start: time
    end: time

    def holds(self, local: datetime) -> bool:
        """Whether local time `local` lies inside."""
        now, today = local.time(), local.isoweekday()
        if self.start < self.end:
            return today in self.days and self.start <= now < self.end
        yesterday = 7 if today == 1 else today - 1
        return (today in self.days and now >= self.start) or (yesterday in self.days and now < self.end)


@dataclass(frozen=True, slots=True)
class Edge:
    """A time of day: by the clock, or `shift_min` minutes after (before, if negative) sunrise or sunset."""

    clock: time = time(0)
    event: str = ""
    shift_min: int = 0


@dataclass(frozen=True, slots=True)
class SunWindow:
    """A window whose edges may follow the sun; it never holds where the place is not known, or the sun stays up."""

    days: frozenset[int]
    start: Edge
    end: Edge

    def holds(self, local: datetime, place: tuple[float, float] | None) -> bool:
        """Whether local time `local` at `place` (lon, lat in degrees) lies inside."""
        start, end = _time_of(self.start, local, place), _time_of(self.end, local, place)
        return start is not None and end is not None and Window(self.days, start, end).holds(local)


def _time_of(edge: Edge, local: datetime, place: tuple[float, float] | None) -> time | None:
    if not edge.event:
        return edge.clock
    return None if place is None else sun_time(edge.event, edge.shift_min, local.date(), local.tzinfo, place)


def in_force(windows: Sequence[Window], now: datetime, tz: ZoneInfo) -> bool:
    """Whether one of `windows` holds at `now` (any zone) as seen on a clock in `tz`; no windows: always."""
    local = now.astimezone(tz)
    return not windows or any(window.holds(local) for window in windows)
