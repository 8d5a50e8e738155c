"""A verdict as ground truth: what was found, how surely, where and for how long, and what a person made of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from detectors.finding import Box

from .verdict import Decision

Points = tuple[tuple[float, float], ...]


class Truth(StrEnum):
    """What a verdict says of the detection.

    right: it is so. wrong: the model saw what is not there. unwanted: seen rightly, and no case all the same
    (permitted, already in hand, a duplicate): no better model would have helped. unclear: nobody could tell.
    """

    RIGHT = "right"
    WRONG = "wrong"
    UNWANTED = "unwanted"
    UNCLEAR = "unclear"


_OF_REASON = {
    "false_detection": Truth.WRONG,
    "wrong_class": Truth.WRONG,
    "unclear": Truth.UNCLEAR,
    "already_handled": Truth.UNWANTED,
    "permitted": Truth.UNWANTED,
    "duplicate": Truth.UNWANTED,
    "permitted_time": Truth.UNWANTED,
}


def truth_of(decision: str | None, reason: str | None) -> Truth | None:
    """What a verdict says; None where there is none yet (`unsure` is none)."""
    if decision == Decision.CONFIRMED:
        return Truth.RIGHT
    if decision == Decision.REJECTED:
        return _OF_REASON.get(reason or "", Truth.WRONG)
    return None


@dataclass(frozen=True, slots=True)
class Judged:
    """An alert and the verdict on it.

    `score`: the highest of its findings. `began`, `seen_at`: when the thing was first and last seen. `repeat_s`: how
    often a finding that persists is told again, so the last one may be that old.
    """

    alert: str
    kind: str
    camera: str
    truth: Truth
    score: float
    began: datetime
    opened_at: datetime
    seen_at: datetime
    decided_at: datetime
    boxes: tuple[Box, ...] = ()
    zone: Points | None = None
    reason: str | None = None
    repeat_s: float = 300.0

    @property
    def stayed_s(self) -> float:
        """Seconds from first to last seen."""
        return (self.seen_at - self.began).total_seconds()

    @property
    def may_have_stayed(self) -> bool:
        """Whether it may have been there for longer: nobody looked on after the verdict."""
        return self.decided_at - self.seen_at <= timedelta(seconds=1.5 * self.repeat_s)
