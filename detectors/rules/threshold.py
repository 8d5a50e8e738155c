"""A measured value past its limit: warn, alarm after `hold` readings in a row, over only below `clear` (hysteresis)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

KEPT = 8
"""Newest readings kept for the finding."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When a value is bad. `above`: larger is worse. Alarm past `alarm`; over when back past `clear`.

    `hold`: readings in a row past the alarm; `hold_s`: and at least this long from the first to the last of them.
    `clear_s`: how long it must stay clear to be over. A state (open, smoke) has alarm 0.5 and clear 0.5.
    """

    alarm: float
    clear: float
    warn: float | None = None
    hold: int = 1
    hold_s: float = 0.0
    clear_s: float = 0.0
    above: bool = True

    def past(self, value: float, limit: float) -> bool:
        """Whether `value` is beyond `limit`."""
        return value > limit if self.above else value < limit


@dataclass(frozen=True, slots=True)
class Level:
    """Where one value of one sensor stands: normal, warn or alarm; `since` the first reading past the alarm in a row.

    `recent`: (observed at, value), newest last. `clear_since`: first reading in a row that was clear, during an alarm.
    """

    level: str = "normal"
    since: datetime | None = None
    in_a_row: int = 0
    clear_since: datetime | None = None
    raised_at: datetime | None = None
    recent: tuple[tuple[datetime, float], ...] = ()

    @property
    def alarmed(self) -> bool:
        """Whether the alarm stands."""
        return self.level == "alarm"

    def to_json(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "level": self.level,
            "since": _text(self.since),
            "in_a_row": self.in_a_row,
            "clear_since": _text(self.clear_since),
            "raised_at": _text(self.raised_at),
            "recent": [[at.isoformat(), value] for at, value in self.recent],
        }

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> Level:
        """The inverse of `to_json`."""
        return cls(
            level=state["level"],
            since=_time(state["since"]),
            in_a_row=state["in_a_row"],
            clear_since=_time(state["clear_since"]),
            raised_at=_time(state["raised_at"]),
            recent=tuple((datetime.fromisoformat(at), float(value)) for at, value in state["recent"]),
        )


def measure(state: Level, value: float, at: datetime, limits: Limits) -> Level:
    """`state` after one more reading; a reading not newer than the last one changes nothing."""
    if state.recent and at <= state.recent[-1][0]:
        return state
    state = replace(state, recent=(*state.recent, (at, value))[-KEPT:])
    if state.alarmed:
        return _while_alarmed(state, value, at, limits)
    if not limits.past(value, limits.alarm):
        warned = limits.warn is not None and limits.past(value, limits.warn)
        still = state.level == "warn" and limits.past(value, limits.clear)
        return replace(state, level="warn" if warned or still else "normal", in_a_row=0, since=None)
    since = state.since or at
    count = state.in_a_row + 1
    held = count >= limits.hold and (at - since).total_seconds() >= limits.hold_s
    return replace(state, level="alarm" if held else "warn", in_a_row=count, since=since, clear_since=None)


def _while_alarmed(state: Level, value: float, at: datetime, limits: Limits) -> Level:
    past = limits.past(value, limits.alarm)
    state = replace(state, in_a_row=state.in_a_row + 1 if past else 0)
    if is_clear(value, limits):
        clear_since = state.clear_since or at
        if (at - clear_since).total_seconds() >= limits.clear_s:
            return replace(state, level="normal", since=None, in_a_row=0, clear_since=None, raised_at=None)
        return replace(state, clear_since=clear_since)
    return replace(state, clear_since=None)


def is_clear(value: float, limits: Limits) -> bool:
    """Whether `value` is back on the good side of `clear`."""
    return value < limits.clear if limits.above else value > limits.clear


def _text(time: datetime | None) -> str | None:
    return time.isoformat() if time else None


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
