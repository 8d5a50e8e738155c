"""The clock of a stage: from its start to its finish, with pauses, resumptions and extensions in between.

Nothing past is judged again: the deadline is stored when the clock starts or goes on, with the wording of the limit
and the versions it was computed with; `finish` takes the verdict once (domain.md §4.2, §4.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from .clock import Calendar, Limit, LimitType, deadline, parse_limit, used

_S = timedelta(seconds=1)


class Stage(StrEnum):
    """What a clock times."""

    ACCEPT = "accept"
    VERIFY = "verify"
    DISPATCH = "dispatch"
    HANDLE = "handle"
    CHECK = "check"


STAGE_NAMES: Mapping[Stage, dict[str, str]] = {
    Stage.ACCEPT: {"zh": "受理", "en": "Acceptance"},
    Stage.VERIFY: {"zh": "核实", "en": "Verification"},
    Stage.DISPATCH: {"zh": "派遣", "en": "Dispatch"},
    Stage.HANDLE: {"zh": "处置", "en": "Handling"},
    Stage.CHECK: {"zh": "核查", "en": "Check"},
}

STAGE_LIMITS: Mapping[Stage, str] = {
    Stage.ACCEPT: "0.25紧急工作时",
    Stage.VERIFY: "0.5紧急工作时",
    Stage.DISPATCH: "0.25紧急工作时",
    Stage.CHECK: "0.5紧急工作时",
}
"""Defaults of domain.md §4.3: 15, 30, 15 and 30 minutes, all continuous. Handling has the limit of its condition."""


@dataclass(frozen=True, slots=True)
class StageClock:
    """`used_s` counted before `running_since` (aware; None while it stands still) on the limit's own clock.

    `paused_s` is wall-clock time of the pauses that are over, `carried_s` what an earlier run of the same stay had
    used, `limit_s` the length with all extensions. `timed_out` and `timeout_s` (0 when in time) are set by `finish`.
    """

    limit: str
    limit_s: float
    started_at: datetime
    deadline: datetime
    running_since: datetime | None
    used_s: float = 0.0
    carried_s: float = 0.0
    paused_at: datetime | None = None
    paused_s: float = 0.0
    extensions: int = 0
    finished_at: datetime | None = None
    timed_out: bool | None = None
    timeout_s: float | None = None

    @classmethod
    def begin(cls, limit: str, now: datetime, calendar: Calendar) -> StageClock:
        """A clock that runs from `now`. Raises LimitError, CalendarError."""
        parsed = parse_limit(limit)
        length_s = parsed.length(calendar) / _S
        return cls(limit, length_s, now, deadline(now, parsed, calendar), now)

    def again(self, now: datetime, calendar: Calendar) -> StageClock:
        """A new run with what this finished one left; overdue from the start when it left nothing."""
        left_s = self.limit_s - self.used_s
        due = self.deadline if left_s <= 0 else _due(self.limit, left_s, now, calendar)
        return StageClock(self.limit, self.limit_s, now, due, now, self.used_s, self.used_s, extensions=self.extensions)

    def pause(self, now: datetime, calendar: Calendar) -> StageClock:
        """Stand still from `now`; a clock that already does stays as it is."""
        if self.running_since is None:
            return self
        return replace(self, used_s=self.used_at(now, calendar), running_since=None, paused_at=now)

    def resume(self, now: datetime, calendar: Calendar) -> StageClock:
        """Go on from `now` with what remains; a deadline that had passed stays where it was."""
        if self.running_since is not None or self.finished_at is not None or self.paused_at is None:
            return self
        left_s = self.limit_s - self.used_s
        due = self.deadline if self.paused_at > self.deadline else _due(self.limit, left_s, now, calendar)
        paused_s = self.paused_s + max(0.0, (now - self.paused_at) / _S)
        return replace(self, running_since=now, paused_at=None, paused_s=paused_s, deadline=due)

    def extend(self, now: datetime, calendar: Calendar) -> StageClock:
        """One original limit more, counted on from the deadline that stands."""
        limit = parse_limit(self.limit)
        length_s = limit.length(calendar) / _S
        due = deadline(self.deadline, limit, calendar)
        return replace(self, limit_s=self.limit_s + length_s, deadline=due, extensions=self.extensions + 1)

    def finish(self, now: datetime, calendar: Calendar) -> StageClock:
        """The end, and the verdict: late is who was running, or was paused, after the deadline. Once only."""
        if self.finished_at is not None:
            return self
        late_s = max(0.0, ((self.paused_at or now) - self.deadline) / _S)
        return replace(
            self,
            used_s=self.used_at(now, calendar),
            running_since=None,
            paused_s=self.paused_s + (max(0.0, (now - self.paused_at) / _S) if self.paused_at else 0.0),
            finished_at=now,
            timed_out=late_s > 0,
            timeout_s=late_s,
        )

    def overdue(self, now: datetime) -> bool:
        """Whether the deadline passed while the clock ran."""
        if self.timed_out is not None:
            return self.timed_out
        return (self.paused_at or now) > self.deadline

    def remaining_s(self, now: datetime) -> float:
        """Seconds of the wall clock until the deadline, negative after it; as they were when the clock stood still."""
        return (self.deadline - (self.paused_at or self.finished_at or now)) / _S

    def remaining_work_s(self, now: datetime, calendar: Calendar) -> float:
        """Seconds left on the limit's own clock (mostly working time), negative when overdue."""
        return self.limit_s - self.used_at(now, calendar)

    def used_pct(self, now: datetime, calendar: Calendar) -> float:
        """Share of the limit used, in percent of its own clock; above 100 when overdue."""
        return round(100 * self.used_at(now, calendar) / self.limit_s, 1) if self.limit_s else 100.0

    def used_at(self, now: datetime, calendar: Calendar) -> float:
        """Seconds that have counted so far."""
        if self.running_since is None:
            return self.used_s
        return self.used_s + used(self.running_since, now, parse_limit(self.limit), calendar) / _S


def _due(limit: str, left_s: float, now: datetime, calendar: Calendar) -> datetime:
    """When `left_s` seconds on the clock of `limit` (continuous or working time), counted from `now`, are used up."""
    like = parse_limit(limit)
    kind = LimitType.URGENT_HOUR if like.continuous else LimitType.WORK_HOUR
    return deadline(now, Limit(Fraction(max(left_s, 0.0)) / 3600, kind, like.text), calendar)
