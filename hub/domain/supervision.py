"""三次督办: the ladder that an unanswered case climbs, from the reminder to the letter to the unit's leaders.

Each rung is a share of the limit used on the clock's own time (working time, or continuous for 紧急 limits), so that
pauses of the clock never count against a department. Defaults of domain.md §6; `configs/supervision.yaml` changes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from fractions import Fraction

from .clock import Calendar, Limit, LimitType, deadline, parse_limit
from .letter import LetterKind
from .stage_clock import StageClock


class Level(IntEnum):
    """How far a case has climbed."""

    REMINDER = 0
    FIRST = 1
    SECOND = 2
    THIRD = 3


class Cause(StrEnum):
    """Why a case is supervised: its clock, a leader's order, or its weight."""

    TIMEOUT = "timeout"
    LEADER = "leader"
    KEY = "key"


LEVEL_NAMES: Mapping[Level, dict[str, str]] = {
    Level.REMINDER: {"zh": "提醒", "en": "Reminder"},
    Level.FIRST: {"zh": "一次督办", "en": "First supervision"},
    Level.SECOND: {"zh": "二次督办", "en": "Second supervision"},
    Level.THIRD: {"zh": "三次督办", "en": "Third supervision"},
}
CAUSE_NAMES: Mapping[Cause, dict[str, str]] = {
    Cause.TIMEOUT: {"zh": "超时督办", "en": "Overdue"},
    Cause.LEADER: {"zh": "领导督办", "en": "Ordered by a leader"},
    Cause.KEY: {"zh": "重点督办", "en": "Key case"},
}


@dataclass(frozen=True, slots=True)
class Rung:
    """When a level is reached and what it puts out.

    Due when `used` of the limit is used, or for levels past the deadline `over` of the limit beyond it, at least
    `least_days` working days (`least_hours` hours for continuous limits). `letter` None: only a notice in the inbox.
    `reply` is the limit for an answer to the letter, empty: none is asked for.
    """

    level: Level
    used: Fraction = Fraction(1)
    over: Fraction = Fraction(0)
    least_days: Fraction = Fraction(0)
    least_hours: Fraction = Fraction(0)
    letter: LetterKind | None = None
    reply: str = ""


LADDER: tuple[Rung, ...] = (
    Rung(Level.REMINDER, used=Fraction(3, 4)),
    Rung(Level.FIRST, letter=LetterKind.URGE),
    Rung(
        Level.SECOND,
        over=Fraction(1, 2),
        least_days=Fraction(1),
        least_hours=Fraction(1),
        letter=LetterKind.ORDER,
        reply="1工作日",
    ),
    Rung(
        Level.THIRD,
        over=Fraction(1),
        least_days=Fraction(3),
        least_hours=Fraction(2),
        letter=LetterKind.OFFICIAL,
        reply="3工作日",
    ),
)
"""The defaults of domain.md §6."""


def due_at(rung: Rung, clock: StageClock, calendar: Calendar) -> datetime | None:
    """When the running clock reaches the rung; None while it stands still or has ended."""
    if clock.running_since is None or clock.finished_at is not None:
        return None
    limit = parse_limit(clock.limit)
    needed_s = clock.limit_s * float(rung.used)
    if rung.used >= 1:
        if not (rung.over or rung.least_days or rung.least_hours):
            return clock.deadline
        needed_s = clock.limit_s + _over_s(rung, limit, calendar)
    return _after(clock, needed_s - clock.used_s, limit, calendar)


def _over_s(rung: Rung, limit: Limit, calendar: Calendar) -> float:
    """Seconds beyond the deadline, on the limit's own clock."""
    share_s = limit.length(calendar) / timedelta(seconds=1) * float(rung.over)
    least_h = rung.least_hours if limit.continuous else rung.least_days * Fraction(calendar.day_hours)
    return max(share_s, float(least_h) * 3600)


def _after(clock: StageClock, left_s: float, limit: Limit, calendar: Calendar) -> datetime:
    assert clock.running_since is not None
    kind = LimitType.URGENT_HOUR if limit.continuous else LimitType.WORK_HOUR
    return deadline(clock.running_since, Limit(Fraction(max(left_s, 0.0)) / 3600, kind, limit.text), calendar)


def reached(
    ladder: Sequence[Rung], clock: StageClock, now: datetime, calendar: Calendar
) -> list[tuple[Rung, datetime]]:
    """The rungs due by `now`, in order, each with when it was due: after an outage they come one after the other."""
    found = [(rung, at) for rung in ladder if (at := due_at(rung, clock, calendar)) is not None and at <= now]
    return sorted(found, key=lambda pair: (pair[1], pair[0].level))


def next_due(
    ladder: Sequence[Rung], clock: StageClock, done: Level | None, calendar: Calendar
) -> tuple[Rung, datetime] | None:
    """The rung above level `done` that is due first, and when; None at the top, or while the clock stands still.

    A reworked case whose deadline is over is not reminded of it: its first rung comes before the reminder.
    """
    above = [rung for rung in ladder if done is None or rung.level > done]
    coming = [(rung, at) for rung in above if (at := due_at(rung, clock, calendar)) is not None]
    return min(coming, key=lambda pair: (pair[1], pair[0].level), default=None)


def changed(rung: Rung, values: Mapping[str, Fraction | str]) -> Rung:
    """The rung with other numbers, as a configuration file gives them."""
    return replace(rung, **values)  # type: ignore[arg-type]
