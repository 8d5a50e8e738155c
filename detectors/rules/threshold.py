"""A measured value past its limit: warn, alarm after `hold` readings in a row, over only below `clear` (hysteresis).

Called for every reading of every sensor, so a state is a plain tuple of numbers, which JSON holds as it is. Times are
seconds since 1970.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

KEPT = 8
"""Newest readings kept for the finding."""
NEVER = math.inf
"""The alarm of a rule that only warns."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When a value is bad. `above`: larger is worse. Alarm past `alarm`; over when back past `clear`.

    A warning is over below `clear` too, or below `warn` where `clear` lies between the two.

    `hold`: readings in a row past the alarm; `hold_s`: and at least this long from the first to the last of them.
    `clear_s`: how long it must stay clear to be over. A state (open, smoke) has alarm 0.5 and clear 0.5. `high`: a
    second alarm point, which is only named where it is passed.
    """

    alarm: float
    clear: float
    warn: float | None = None
    hold: int = 1
    hold_s: float = 0.0
    clear_s: float = 0.0
    above: bool = True
    high: float | None = None

    def past(self, value: float, limit: float) -> bool:
        """Whether `value` is beyond `limit`."""
        return value > limit if self.above else value < limit

    def passed(self, value: float) -> float:
        """The worst limit that `value` is past: high, alarm, or warn."""
        if self.high is not None and self.past(value, self.high):
            return self.high
        return self.alarm if self.warn is None or self.past(value, self.alarm) else self.warn


class Level(NamedTuple):
    """Where one value of one sensor stands: normal, warn or alarm; `since_s` the first reading past the alarm in a row.

    `recent`: (observed at, value), newest last. `clear_since_s`: first reading in a row that was clear, during an
    alarm. `raised_s`: when the standing alarm was last told.
    """

    level: str = "normal"
    since_s: float | None = None
    in_a_row: int = 0
    clear_since_s: float | None = None
    raised_s: float | None = None
    recent: tuple[tuple[float, float], ...] = ()

    @property
    def alarmed(self) -> bool:
        """Whether the alarm stands."""
        return self.level == "alarm"

    def earlier(self, by_s: float) -> Level:
        """The same, all of it so much earlier."""
        since_s, clear_s, raised_s = (None if t is None else t - by_s for t in (self.since_s, *self[3:5]))
        recent = tuple((at_s - by_s, value) for at_s, value in self.recent)
        return Level(self.level, since_s, self.in_a_row, clear_s, raised_s, recent)

    @classmethod
    def from_json(cls, stored: Sequence[Any]) -> Level:
        """From the list that JSON made of it."""
        level, since_s, in_a_row, clear_since_s, raised_s, recent = stored
        pairs = tuple((at_s, value) for at_s, value in recent)
        return cls(level, since_s, in_a_row, clear_since_s, raised_s, pairs)


NORMAL = Level()


def measure(state: Level, value: float, at_s: float, limits: Limits) -> Level:
    """`state` after one more reading; a reading not newer than the last one changes nothing."""
    level, since_s, in_a_row, _clear_since_s, raised_s, recent = state
    if recent and at_s <= recent[-1][0]:
        return state
    recent = (*recent[1 - KEPT :], (at_s, value))
    past = limits.past(value, limits.alarm)
    if level == "alarm":
        return _while_alarmed(state, value, at_s, limits, past, recent)
    if not past:
        warned = limits.warn is not None and limits.past(value, limits.warn)
        still = level == "warn" and limits.past(value, limits.clear)
        return Level("warn" if warned or still else "normal", None, 0, None, raised_s, recent)
    since_s = at_s if since_s is None else since_s
    held = in_a_row + 1 >= limits.hold and at_s - since_s >= limits.hold_s
    return Level("alarm" if held else "warn", since_s, in_a_row + 1, None, raised_s, recent)


def _while_alarmed(
    state: Level, value: float, at_s: float, limits: Limits, past: bool, recent: tuple[tuple[float, float], ...]
) -> Level:
    in_a_row = state.in_a_row + 1 if past else 0
    if not is_clear(value, limits):
        return Level("alarm", state.since_s, in_a_row, None, state.raised_s, recent)
    clear_since_s = at_s if state.clear_since_s is None else state.clear_since_s
    if at_s - clear_since_s >= limits.clear_s:
        warned = limits.warn is not None and limits.past(value, limits.warn)
        return Level("warn" if warned else "normal", recent=recent)
    return Level("alarm", state.since_s, in_a_row, clear_since_s, state.raised_s, recent)


def is_clear(value: float, limits: Limits) -> bool:
    """Whether `value` is back on the good side of `clear`."""
    return value < limits.clear if limits.above else value > limits.clear


# --- values that last until the device says otherwise -----------------------------------------------------------------


def due_s(state: Level, limits: Limits) -> float | None:
    """When `lapse` would change `state`, if no reading comes before; None: never."""
    if state.alarmed:
        return None if state.clear_since_s is None else state.clear_since_s + limits.clear_s
    return None if state.since_s is None or state.in_a_row < limits.hold else state.since_s + limits.hold_s


def lapse(state: Level, now_s: float, limits: Limits) -> Level:
    """`state` at `now_s` of a device that speaks only when something changes: what it said last still holds."""
    due = due_s(state, limits)
    if due is None or now_s < due:
        return state
    return Level(recent=state.recent) if state.alarmed else state._replace(level="alarm")
