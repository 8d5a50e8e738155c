"""Whether a camera's scores have moved: last week against the weeks before. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

MOVED, SETTLED = 0.25, 0.1
"""Population stability index from which a spread has moved, and below which it is as before: N. Siddiqi, "Credit Risk
Scorecards" (2006), the field's rule of thumb."""
LEAST_SEEN = 200
"""Detections on each side; fewer say nothing."""
RECENT_DAYS, BEFORE_DAYS = 7, 28
_CERTAIN = 1.63
"""Of the two-sample Kolmogorov-Smirnov test at 1 % (N. Smirnov, 1948)."""


@dataclass(frozen=True, slots=True)
class Move:
    """How far two spreads lie apart: `psi` (0: alike), `ks` (0-1); `certain`: more than chance at 1 %."""

    psi: float
    ks: float
    certain: bool
    recent: int
    before: int

    @property
    def moved(self) -> bool:
        """Whether it is worth telling."""
        return self.psi >= MOVED and self.certain

    @property
    def settled(self) -> bool:
        """Whether what was told is over."""
        return self.psi < SETTLED


def compared(recent: Sequence[int], before: Sequence[int]) -> Move | None:
    """Counts of the same bins, last week's and the weeks' before; None where too little was seen.

    PSI = sum of (a - e) ln(a / e) over the shares of the bins (half a count is added to each, so that none is
    empty); KS = the largest difference of the cumulated shares. Detections of one standing thing come again and again,
    so the test is surer than it should be: both have to agree.
    """
    n, m = sum(recent), sum(before)
    if n < LEAST_SEEN or m < LEAST_SEEN:
        return None
    bins = len(recent)
    psi = 0.0
    for a, e in zip(recent, before, strict=True):
        actual, expected = (a + 0.5) / (n + 0.5 * bins), (e + 0.5) / (m + 0.5 * bins)
        psi += (actual - expected) * math.log(actual / expected)
    ks, sum_a, sum_e = 0.0, 0, 0
    for a, e in zip(recent, before, strict=True):
        sum_a, sum_e = sum_a + a, sum_e + e
        ks = max(ks, abs(sum_a / n - sum_e / m))
    return Move(round(psi, 4), round(ks, 4), ks > _CERTAIN * math.sqrt((n + m) / (n * m)), n, m)


def tens(bins: Sequence[int]) -> list[int]:
    """Twenty counts as ten: fewer bins, less noise."""
    return [a + b for a, b in zip(bins[::2], bins[1::2], strict=True)]
