"""The handle clock of a case: from dispatch to feedback, paused by a return, resumed or restarted by a dispatch.

Nothing past is judged again: the deadline is stored when the clock starts, with the wording of the limit and the
version of the calendar it was computed with (domain.md §4.2, §4.3).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction

from .clock import Calendar, Limit, LimitType, deadline, parse_limit, used


@dataclass(frozen=True, slots=True)
class HandleClock:
    """`used_s` counted before `started_at` (aware; None while stopped). `stopped_at` is when it last stopped."""

    limit: str
    used_s: float = 0.0
    started_at: datetime | None = None
    stopped_at: datetime | None = None
    deadline: datetime | None = None

    def start(self, now: datetime, calendar: Calendar, *, fresh: bool) -> HandleClock:
        """Run from `now`; `fresh` forgets what was used (another department), else the remaining time goes on."""
        limit = parse_limit(self.limit)
        used_s = 0.0 if fresh else self.used_s
        left_s = limit.length(calendar).total_seconds() - used_s
        due = self.deadline if left_s <= 0 and self.deadline else deadline(now, _limit_of(left_s, limit), calendar)
        return replace(self, used_s=used_s, started_at=now, stopped_at=None, deadline=due)

    def stop(self, now: datetime, calendar: Calendar) -> HandleClock:
        """Stand still from `now`; a stopped clock stays as it is."""
        if self.started_at is None:
            return self
        return replace(self, used_s=self._used_s(now, calendar), started_at=None, stopped_at=now)

    def overdue(self, now: datetime) -> bool:
        """Whether the deadline passed while the clock ran."""
        return self.deadline is not None and (self.stopped_at or now) > self.deadline

    def remaining_s(self, now: datetime) -> float | None:
        """Seconds of the wall clock until the deadline, negative after it; as they were when the clock stopped."""
        return None if self.deadline is None else (self.deadline - (self.stopped_at or now)).total_seconds()

    def used_pct(self, now: datetime, calendar: Calendar) -> float:
        """Share of the limit used, in percent of its own clock (mostly working time); above 100 when overdue."""
        length_s = parse_limit(self.limit).length(calendar).total_seconds()
        return round(100 * self._used_s(now, calendar) / length_s, 1)

    def _used_s(self, now: datetime, calendar: Calendar) -> float:
        if self.started_at is None:
            return self.used_s
        return self.used_s + used(self.started_at, now, parse_limit(self.limit), calendar) / timedelta(seconds=1)


def _limit_of(seconds: float, like: Limit) -> Limit:
    """`seconds` on the same sort of clock (continuous or working time) as `like`."""
    kind = LimitType.URGENT_HOUR if like.continuous else LimitType.WORK_HOUR
    return Limit(Fraction(max(seconds, 0.0)) / 3600, kind, like.text)
