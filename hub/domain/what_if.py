"""What another setting would have done to alerts that people have judged: kept and removed, in numbers. Pure.

Only what was found is on record, so a setting can be seen to keep or remove; what it would add nobody knows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from detectors.geometry import Zone, feet

from .interval import wilson
from .judged import Judged, Truth

Keeps = Callable[[Judged], bool | None]
"""Whether a setting would have kept an alert; None: the record cannot tell."""

MOST_LOST = 0.05
"""Share of confirmed alerts that an advised threshold may cost."""
LEAST_CONFIRMED, LEAST_REJECTED = 10, 5
"""Verdicts below which no threshold is advised."""


@dataclass(frozen=True, slots=True)
class Effect:
    """Of `confirmed` alerts so many are `kept`, of `rejected` (wrong or unclear) and `unwanted` so many `removed`.

    `unknown`: alerts of which the record cannot tell; they count as kept.
    """

    confirmed: int = 0
    kept: int = 0
    rejected: int = 0
    removed: int = 0
    unwanted: int = 0
    unwanted_removed: int = 0
    unknown: int = 0

    @property
    def lost(self) -> int:
        """Confirmed alerts that would not have been."""
        return self.confirmed - self.kept

    def to_json(self) -> dict[str, Any]:
        """JSON-ready, with the precision of what would be left (95 % interval)."""
        left = self.kept + (self.rejected - self.removed) + (self.unwanted - self.unwanted_removed)
        low, high = wilson(self.kept, left)
        return {
            "confirmed": self.confirmed,
            "kept": self.kept,
            "rejected": self.rejected,
            "removed": self.removed,
            "unwanted": self.unwanted,
            "unwanted_removed": self.unwanted_removed,
            "unknown": self.unknown,
            "precision": {
                "hits": self.kept,
                "of": left,
                "share": round(self.kept / left, 4) if left else None,
                "low": round(low, 4),
                "high": round(high, 4),
            },
        }


def all_of(*settings: Keeps) -> Keeps:
    """Only what each of them keeps."""

    def keeps(sample: Judged) -> bool | None:
        answers = [one(sample) for one in settings]
        return False if False in answers else None if None in answers else True

    return keeps


def any_of(*settings: Keeps) -> Keeps:
    """Whatever one of them keeps."""

    def keeps(sample: Judged) -> bool | None:
        answers = [one(sample) for one in settings]
        return True if True in answers else None if None in answers else False

    return keeps


def what_if(samples: Sequence[Judged], *settings: Keeps) -> Effect:
    """What would be kept and removed where all of `settings` hold."""
    effect, keeps = Effect(), all_of(*settings)
    for sample in samples:
        effect = _with(effect, sample.truth, keeps(sample))
    return effect


def _with(effect: Effect, truth: Truth, kept: bool | None) -> Effect:
    gone = kept is False
    effect = replace(effect, unknown=effect.unknown + (kept is None))
    if truth is Truth.RIGHT:
        return replace(effect, confirmed=effect.confirmed + 1, kept=effect.kept + (not gone))
    if truth is Truth.UNWANTED:
        return replace(effect, unwanted=effect.unwanted + 1, unwanted_removed=effect.unwanted_removed + gone)
    return replace(effect, rejected=effect.rejected + 1, removed=effect.removed + gone)


def from_score(least: float) -> Keeps:
    """Only what scored `least` or more."""
    return lambda sample: sample.score >= least - 1e-9


def from_dwell(dwell_s: float) -> Keeps:
    """Only what was there for `dwell_s`; unknown where nobody looked on after the verdict."""

    def keeps(sample: Judged) -> bool | None:
        if sample.stayed_s >= dwell_s:
            return True
        return None if sample.may_have_stayed else False

    return keeps


def within(zone: Zone, anchor: str, min_overlap: float) -> Keeps:
    """Only what lies in `zone`, as a rule's anchor says (foot point, or a share of the box)."""

    def keeps(sample: Judged) -> bool | None:
        if not sample.boxes:
            return None
        boxes = np.array(sample.boxes, np.float32)
        if anchor == "foot":
            return bool(zone.contains(feet(boxes)).any())
        return bool((zone.share_of(boxes) >= min_overlap).any())

    return keeps


@dataclass(frozen=True, slots=True)
class Candidate:
    """A least score and what it does."""

    score: float
    effect: Effect


@dataclass(frozen=True, slots=True)
class Advice:
    """What each least score would have done; `advised` is None for the reason `why`.

    why: too_few_confirmed, too_few_rejected, no_gain (nothing rejected scores below what must be kept), or advised.
    """

    candidates: tuple[Candidate, ...]
    advised: Candidate | None
    why: str
    confirmed: int
    rejected: int
    unwanted: int

    def to_json(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "confirmed": self.confirmed,
            "rejected": self.rejected,
            "unwanted": self.unwanted,
            "needs": {"confirmed": LEAST_CONFIRMED, "rejected": LEAST_REJECTED},
            "most_lost": MOST_LOST,
            "why": self.why,
            "advised": _candidate_json(self.advised) if self.advised else None,
            "candidates": [_candidate_json(candidate) for candidate in self.candidates],
        }


def _candidate_json(candidate: Candidate) -> dict[str, Any]:
    return {"score": candidate.score, **candidate.effect.to_json()}


def advise(samples: Sequence[Judged], most_lost: float = MOST_LOST) -> Advice:
    """The least score that removes the most rejected alerts and at most `most_lost` of the confirmed ones.

    Candidates lie 0.01 apart; of several that do the same only the lowest is listed. Without enough verdicts none is
    advised: on few, the best of a hundred thresholds is mostly luck.
    """
    whole = what_if(samples)
    candidates = tuple(_candidates(samples))
    allowed = math.floor(most_lost * whole.confirmed)
    possible = [c for c in candidates if c.effect.lost <= allowed and c.effect.removed > c.effect.lost]
    best = max(possible, key=lambda c: (c.effect.removed, -c.score), default=None)
    if whole.confirmed < LEAST_CONFIRMED:
        best, why = None, "too_few_confirmed"
    elif whole.rejected < LEAST_REJECTED:
        best, why = None, "too_few_rejected"
    else:
        why = "no_gain" if best is None else "advised"
    return Advice(candidates, best, why, whole.confirmed, whole.rejected, whole.unwanted)


def _candidates(samples: Sequence[Judged]) -> list[Candidate]:
    found: list[Candidate] = []
    if not samples:
        return found
    scores = [sample.score for sample in samples]
    for percent in range(math.floor(100 * min(scores)), min(100, math.ceil(100 * max(scores))) + 1):
        effect = what_if(samples, from_score(percent / 100))
        if not found or effect != found[-1].effect:
            found.append(Candidate(percent / 100, effect))
    return found


def idle_hours(samples: Sequence[tuple[int, Truth]]) -> list[int]:
    """Local hours in which nothing was ever confirmed and at least three alerts were refused: worth leaving out."""
    confirmed = {hour for hour, truth in samples if truth is Truth.RIGHT}
    refused = [hour for hour, truth in samples if truth is not Truth.RIGHT]
    return sorted(hour for hour in set(refused) - confirmed if refused.count(hour) >= 3)
