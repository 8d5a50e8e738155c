"""A thing of a wanted label is there for long enough: wall-clock dwell, N of M looks, followed by place.

`dwell` follows still things (rubbish, a parked car); `presence` things that flicker and drift (fire, smoke). A thing
that passes is never old enough: it is followed by place, and its place is left behind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from detectors.detection import Detections
from detectors.finding import Box
from detectors.gate import Thumb
from detectors.geometry import Zone, feet
from detectors.kinds import RuleSpec
from detectors.tracker import Following, Thing, follow, from_json, lasted_s, to_json

LEAST_SHARE = 0.4
"""A thing counts only if it was seen in this share of all looks since it began."""
STILL_REACH, DRIFT_REACH = 0.35, 1.5
LEAST_GAP_S = 600.0
PACES = 3
"""So many looks in a row may have failed before what was seen is timed anew."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a camera rule decided at one look: the problem's boxes (and their labels), score, since when.

    `why` is Chinese, `why_en` the same in English.
    """

    boxes: tuple[Box, ...]
    score: float
    since: datetime
    why: str
    why_en: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Presence:
    """The state of one rule at one place."""

    things: tuple[Thing, ...] = ()

    @property
    def timing(self) -> bool:
        """Whether something is being timed (or was found and is still there)."""
        return bool(self.things)

    def to_json(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"things": [to_json(thing) for thing in self.things]}

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> Presence:
        """The inverse of `to_json`."""
        return cls(tuple(from_json(thing) for thing in state["things"]))


def most_gap_s(rule: RuleSpec, pace_s: float) -> float:
    """Time without a look after which nobody knows whether it was there all along; `pace_s` between looks usually."""
    return max(LEAST_GAP_S, rule.dwell_s, PACES * pace_s)


def following(rule: RuleSpec, pace_s: float = 0.0) -> Following:
    """How a rule's things are followed, where looks come every `pace_s`."""
    still = rule.type == "dwell"
    return Following(STILL_REACH if still else DRIFT_REACH, still, misses=rule.of, gap_s=most_gap_s(rule, pace_s))


def of_scores(detections: Detections, scores: Mapping[str, float], share: float = 1.0) -> Detections:
    """Those whose label is in `scores` and whose score is at least `share` of what it says."""
    least = np.array([share * scores[label] if label in scores else np.inf for label in detections.labels])
    return detections.where(np.asarray(detections.scores >= least, bool))


def in_zone(detections: Detections, zone: Zone, rule: RuleSpec) -> Detections:
    """Those that are in the zone, as the rule's anchor says."""
    if not len(detections):
        return detections
    if rule.anchor == "foot":
        return detections.where(zone.contains(feet(detections.boxes)))
    return detections.where(zone.share_of(detections.boxes) >= rule.min_overlap)


def look(
    state: Presence,
    detections: Detections,
    now: datetime,
    rule: RuleSpec,
    zone: Zone,
    scores: Mapping[str, float],
    thumb: Thumb | None = None,
    pace_s: float = 0.0,
) -> tuple[Presence, Seen | None]:
    """One look: the new state, and what is wrong if the rule is met at this very look.

    `scores`: wanted label to its least score. `thumb`: grey picture for the looks of still things. `pace_s`: usually
    between looks.
    """
    how = following(rule, pace_s)
    wanted = in_zone(of_scores(detections, scores, how.weak), zone, rule)
    things = follow(state.things, wanted, now, how, scores, thumb)
    met = [thing for thing in things if is_met(thing, now, rule, scores)]
    return Presence(tuple(things)), _seen(met, now, rule) if met else None


def is_met(thing: Thing, now: datetime, rule: RuleSpec, scores: Mapping[str, float]) -> bool:
    """Whether `thing` is a problem now: seen now, long enough, often enough, surely enough."""
    return (
        thing.missed == 0
        and lasted_s(thing, now) >= rule.dwell_s
        and thing.hits_of(rule.of) >= rule.looks
        and thing.hits >= LEAST_SHARE * thing.looks
        and thing.score >= scores[thing.label]
    )


def _seen(met: Sequence[Thing], now: datetime, rule: RuleSpec) -> Seen:
    oldest = min(met, key=lambda thing: thing.since)
    hits, looks = oldest.hits_of(rule.of), min(rule.of, oldest.looks)
    return Seen(
        boxes=tuple(thing.box for thing in met),
        score=max(thing.score for thing in met),
        since=oldest.since,
        why=f"持续 {duration(lasted_s(oldest, now))}，最近 {looks} 次巡看中 {hits} 次可见",
        why_en=f"There for {duration(lasted_s(oldest, now), english=True)}, seen in {hits} of the last {looks} looks",
        labels=tuple(thing.label for thing in met),
    )


def duration(seconds: float, english: bool = False) -> str:
    """Seconds as people say them, in Chinese or English."""
    if seconds < 120:
        return f"{seconds:.0f} {'s' if english else '秒'}"
    if seconds < 7200:
        return f"{seconds / 60:.0f} {'min' if english else '分钟'}"
    return f"{seconds / 3600:.1f} {'h' if english else '小时'}"
