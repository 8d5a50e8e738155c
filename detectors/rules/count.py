"""Too many things of a wanted label at once, for long enough: N of M looks over wall-clock dwell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from detectors.detection import Detections
from detectors.geometry import Zone
from detectors.kinds import RuleSpec
from detectors.rules.presence import LEAST_SHARE, Seen, duration, in_zone, most_gap_s, of_scores
from detectors.tracker import RECENT, as_box


@dataclass(frozen=True, slots=True)
class Count:
    """Since when there were too many, and in which of the newest looks (newest last)."""

    since: datetime | None = None
    seen_at: datetime | None = None
    recent: tuple[bool, ...] = ()
    looks: int = 0
    hits: int = 0

    @property
    def timing(self) -> bool:
        """Whether a problem is being timed."""
        return self.since is not None

    def to_json(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "since": self.since.isoformat() if self.since else None,
            "seen_at": self.seen_at.isoformat() if self.seen_at else None,
            "recent": [int(hit) for hit in self.recent],
            "looks": self.looks,
            "hits": self.hits,
        }

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> Count:
        """The inverse of `to_json`."""
        since, seen_at = (datetime.fromisoformat(state[key]) if state[key] else None for key in ("since", "seen_at"))
        return cls(since, seen_at, tuple(bool(hit) for hit in state["recent"]), state["looks"], state["hits"])


def look(
    state: Count,
    detections: Detections,
    now: datetime,
    rule: RuleSpec,
    zone: Zone,
    scores: Mapping[str, float],
    pace_s: float = 0.0,
) -> tuple[Count, Seen | None]:
    """One look: the new state, and what is wrong if the rule is met at this look.

    `scores`: label to least score; `pace_s`: usually between looks.
    """
    there = in_zone(of_scores(detections, scores), zone, rule)
    hit = len(there) >= rule.at_least
    state = _after(state, hit, now, rule, most_gap_s(rule, pace_s))
    if not hit or state.since is None or (now - state.since).total_seconds() < rule.dwell_s:
        return state, None
    if sum(state.recent[-rule.of :]) < rule.looks or state.hits < LEAST_SHARE * state.looks:
        return state, None
    lasted_s, n = (now - state.since).total_seconds(), len(there)
    return state, Seen(
        boxes=tuple(as_box(box) for box in there.boxes),
        score=float(there.scores.mean()),
        since=state.since,
        why=f"同时 {n} 个（≥ {rule.at_least}），持续 {duration(lasted_s)}",
        why_en=f"{n} at once (≥ {rule.at_least}), for {duration(lasted_s, english=True)}",
        labels=there.labels,
    )


def _after(state: Count, hit: bool, now: datetime, rule: RuleSpec, gap_s: float) -> Count:
    if state.seen_at and (now - state.seen_at).total_seconds() > gap_s:
        state = Count()
    if state.since is None:
        return Count(now, now, (True,), 1, 1) if hit else Count()
    if state.seen_at and now < state.seen_at:
        # The clock was set back: it has lasted as long as it had.
        state = replace(state, since=state.since - (state.seen_at - now), seen_at=now)
    recent = (*state.recent, hit)[-RECENT:]
    if not any(recent[-(rule.of + 1) :]) and len(recent) > rule.of:
        return Count()
    return Count(state.since, now if hit else state.seen_at, recent, state.looks + 1, state.hits + hit)
