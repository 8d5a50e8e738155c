"""How often a detector is right: counts of verdicts, and the shares that follow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from .interval import wilson
from .judged import Truth

ENOUGH = 10
"""Verdicts from which a share is worth showing as one."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Alerts by what became of them; `waiting`: undecided or expired."""

    right: int = 0
    wrong: int = 0
    unwanted: int = 0
    unclear: int = 0
    waiting: int = 0

    def plus(self, truth: Truth | None, count: int = 1) -> Tally:
        """With `count` more of a truth (None: no verdict)."""
        name = "waiting" if truth is None else truth.value
        return replace(self, **{name: getattr(self, name) + count})

    @property
    def judged(self) -> int:
        """Alerts with a verdict."""
        return self.right + self.wrong + self.unwanted + self.unclear

    @property
    def volume(self) -> int:
        """Alerts in all."""
        return self.judged + self.waiting

    def to_json(self) -> dict[str, Any]:
        """The counts and two shares, each {of, share, low, high} with its 95 % interval (Wilson).

        precision: cases among judged alerts, what the desk feels. seen_right: sightings that were so, whether wanted
        or not, among those that somebody could tell; what the model can be blamed for.
        """
        seen = self.right + self.unwanted
        return {
            "right": self.right,
            "wrong": self.wrong,
            "unwanted": self.unwanted,
            "unclear": self.unclear,
            "waiting": self.waiting,
            "judged": self.judged,
            "volume": self.volume,
            "enough": self.judged >= ENOUGH,
            "precision": share(self.right, self.judged),
            "seen_right": share(seen, seen + self.wrong),
        }


def share(hits: int, of: int) -> dict[str, Any]:
    """{hits, of, share, low, high}; the share is None of nothing."""
    low, high = wilson(hits, of)
    return {
        "hits": hits,
        "of": of,
        "share": round(hits / of, 4) if of else None,
        "low": round(low, 4),
        "high": round(high, 4),
    }
