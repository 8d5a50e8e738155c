"""Whether a model that ran in another's shadow may take its place: same looks, same verdicts. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from .judged import Truth
from .precision import share

LEAST_JUDGED = 50
LEAST_RIGHT = 20
KEEPS = 0.95
"""Of what the working model rightly found, the least that the other must find too (or make up for alone)."""
KEEPS_OF_A_KIND, LEAST_OF_A_KIND = 0.8, 10
MOST_UNJUDGED, FEW_UNJUDGED = 0.2, 5
"""Share of its own findings that may still wait for a judgement, or so many."""


@dataclass(frozen=True, slots=True)
class Paired:
    """Judged problems by who found them: the working model (live), the shadow, or both; right or wrong.

    Seen rightly counts as right, wanted or not. `shadow_waiting`: found by the shadow alone, not judged yet.
    """

    both_right: int = 0
    both_wrong: int = 0
    live_right: int = 0
    live_wrong: int = 0
    shadow_right: int = 0
    shadow_wrong: int = 0
    shadow_waiting: int = 0

    def plus(self, who: str, truth: Truth | None) -> Paired:
        """With one more, found by `who` (both, live, shadow). What nobody could tell counts for nobody."""
        if truth is None:
            return replace(self, shadow_waiting=self.shadow_waiting + 1) if who == "shadow" else self
        if truth is Truth.UNCLEAR:
            return self
        name = f"{who}_{'wrong' if truth is Truth.WRONG else 'right'}"
        return replace(self, **{name: getattr(self, name) + 1})

    def with_all(self, other: Paired) -> Paired:
        """Both together."""
        return Paired(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    @property
    def judged(self) -> int:
        """Judged looks in all."""
        right = self.both_right + self.live_right + self.shadow_right
        return right + self.both_wrong + self.live_wrong + self.shadow_wrong

    @property
    def live(self) -> tuple[int, int]:
        """(right, found) of the working model."""
        right = self.both_right + self.live_right
        return right, right + self.both_wrong + self.live_wrong

    @property
    def shadow(self) -> tuple[int, int]:
        """(right, found) of the shadow, as far as judged."""
        right = self.both_right + self.shadow_right
        return right, right + self.both_wrong + self.shadow_wrong

    def to_json(self) -> dict[str, Any]:
        """Counts and shares, with the chance that a difference so large is luck (`luck`)."""
        counts = {f.name: getattr(self, f.name) for f in fields(self)}
        better = self.live_wrong + self.shadow_right
        worse = self.live_right + self.shadow_wrong
        found_right = self.live[0] + self.shadow_right
        return {
            **counts,
            "judged": self.judged,
            "live": {"precision": share(*self.live), "found": share(self.live[0], found_right)},
            "shadow": {"precision": share(*self.shadow), "found": share(self.shadow[0], found_right)},
            "keeps": share(self.both_right, self.live[0]),
            "better": better,
            "worse": worse,
            "luck": round(luck(better, worse), 4),
        }


def luck(better: int, worse: int) -> float:
    """The two-sided chance of a split at least as uneven, were both models alike.

    The exact test on discordant pairs: Q. McNemar, "Note on the sampling error of the difference between correlated
    proportions or percentages" (1947).
    """
    pairs = better + worse
    tail = sum(math.comb(pairs, k) for k in range(min(better, worse) + 1))
    return min(1.0, 2 * tail / float(2**pairs))


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why it may not: a code, and its numbers for a sentence in any language."""

    why: str
    values: Mapping[str, Any]

    def __str__(self) -> str:
        return _SENTENCES[self.why].format(**self.values)

    def to_json(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"why": self.why, "values": dict(self.values), "text": str(self)}


_SENTENCES = {
    "thin_judged": "too thin: needs {needs} judged looks, has {has}",
    "thin_right": "too thin: needs {needs} confirmed among them, has {has}",
    "thin_waiting": "too thin: {has} findings of its own wait for a judgement, at most {needs} may",
    "worse_found": "worse: finds {has} of what was right, the working model {needs}",
    "worse_precision": "worse: right in {has} of its findings, the working model in {needs}",
    "worse_kind": "worse at {kind}: keeps {has} of {of} that were right",
}


def refusals(kinds: Mapping[str, Paired]) -> list[Refusal]:
    """Every reason against it; none: it may. `kinds`: judged problems by kind."""
    whole = Paired()
    for paired in kinds.values():
        whole = whole.with_all(paired)
    found: list[Refusal] = []
    if whole.judged < LEAST_JUDGED:
        found.append(Refusal("thin_judged", {"needs": LEAST_JUDGED, "has": whole.judged}))
    right = whole.both_right + whole.live_right + whole.shadow_right
    if right < LEAST_RIGHT:
        found.append(Refusal("thin_right", {"needs": LEAST_RIGHT, "has": right}))
    most = max(FEW_UNJUDGED, math.floor(MOST_UNJUDGED * (whole.shadow[1] + whole.shadow_waiting)))
    if whole.shadow_waiting > most:
        found.append(Refusal("thin_waiting", {"needs": most, "has": whole.shadow_waiting}))
    return found + _worse(whole, kinds)


def _worse(whole: Paired, kinds: Mapping[str, Paired]) -> list[Refusal]:
    found = []
    (live_right, live_found), (shadow_right, shadow_found) = whole.live, whole.shadow
    if shadow_right < KEEPS * live_right:
        found.append(Refusal("worse_found", {"has": shadow_right, "needs": live_right}))
    if live_found and shadow_right * live_found < live_right * shadow_found:
        has, needs = f"{shadow_right} of {shadow_found}", f"{live_right} of {live_found}"
        found.append(Refusal("worse_precision", {"has": has, "needs": needs}))
    for kind, paired in sorted(kinds.items()):
        right = paired.live[0]
        if right >= LEAST_OF_A_KIND and paired.shadow[0] < KEEPS_OF_A_KIND * right:
            found.append(Refusal("worse_kind", {"kind": kind, "has": paired.both_right, "of": right}))
    return found
