"""Weekly hours in which a rule is in force, in local time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo


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


def in_force(windows: Sequence[Window], now: datetime, tz: ZoneInfo) -> bool:
    """Whether one of `windows` holds at `now` (any zone) as seen on a clock in `tz`; no windows: always."""
    local = now.astimezone(tz)
    return not windows or any(window.holds(local) for window in windows)
