"""When a zone is watched, and when what happens in it is allowed: 早市, 夜市, approved works."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from detectors.hours import Window, in_force

_MIDNIGHT = time(0)


@dataclass(frozen=True, slots=True)
class Permit:
    """Allowed from the day `first` to the day `last`, at the times of `window`; a night belongs to its evening."""

    first: date
    last: date
    window: Window
    note: str = ""

    def holds(self, local: datetime) -> bool:
        """Whether local time `local` lies inside."""
        after_midnight = self.window.end <= self.window.start and local.time() < self.window.end
        evening = local.date() - timedelta(days=1) if after_midnight else local.date()
        return self.first <= evening <= self.last and self.window.holds(local)


@dataclass(frozen=True, slots=True)
class ZoneHours:
    """A zone's own schedule (empty: always) and its permitted-use calendar."""

    schedule: tuple[Window, ...] = ()
    permitted: tuple[Permit, ...] = ()

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> ZoneHours:
        """From {schedule: [{days, from, to}], permitted: [{first, last, days, from, to, note}]}. Raises ValueError."""
        permits = tuple(
            Permit(date.fromisoformat(p["first"]), date.fromisoformat(p["last"]), _window(p), p.get("note") or "")
            for p in wire.get("permitted") or ()
        )
        return cls(tuple(_window(w) for w in wire.get("schedule") or ()), permits)

    def watched(self, now: datetime, tz: ZoneInfo) -> bool:
        """Whether what is found at `now` counts."""
        return in_force(self.schedule, now, tz) and self.permit(now, tz) is None

    def permit(self, now: datetime, tz: ZoneInfo) -> Permit | None:
        """The permit that holds at `now`."""
        local = now.astimezone(tz)
        return next((permit for permit in self.permitted if permit.holds(local)), None)


def _window(wire: Mapping[str, Any]) -> Window:
    """`to` 24:00 is midnight."""
    days = frozenset(int(day) for day in wire.get("days") or range(1, 8))
    if not days <= frozenset(range(1, 8)):
        raise ValueError(f"days {sorted(days)}, wanted 1 (Monday) to 7")
    return Window(days, _clock(wire["from"]), _clock(wire["to"]))


def _clock(text: str) -> time:
    return _MIDNIGHT if text == "24:00" else time.fromisoformat(text)
