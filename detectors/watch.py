"""What one kind needs to remember about one view and zone: the rules behind one pair of verbs, look and store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from detectors.detection import Detections
from detectors.gate import Thumb
from detectors.geometry import Zone
from detectors.kinds import Kind, LookFor, RuleSpec
from detectors.rules import company, count, new_and_stays, presence
from detectors.rules.presence import Seen
from detectors.zone_hours import ZoneHours


@dataclass(frozen=True, slots=True)
class Binding:
    """A kind sought in a zone (None: the whole picture) at its hours, with its own dwell and score or the kind's."""

    kind_id: str
    zone: Zone | None = None
    dwell_s: float | None = None
    min_score: float | None = None
    hours: ZoneHours = field(default_factory=ZoneHours)

    @property
    def place(self) -> Zone:
        """The zone, or the whole picture."""
        return self.zone or Zone.whole()

    @property
    def key(self) -> str:
        """Names the binding within its view."""
        return f"{self.kind_id}|{self.zone.name if self.zone else ''}"

    def rule_of(self, kind: Kind) -> RuleSpec:
        """The kind's rule with this binding's dwell."""
        if kind.rule is None:
            raise ValueError(f"kind {kind.id} has no rule for cameras")
        return kind.rule if self.dwell_s is None else replace(kind.rule, dwell_s=self.dwell_s)

    def scores_of(self, look_for: LookFor, thresholds: Mapping[str, float]) -> dict[str, float]:
        """The least score of each wanted label here; `thresholds` as on the model's card."""
        here = look_for if self.min_score is None else replace(look_for, min_score=self.min_score)
        return here.scores(thresholds)


@dataclass(frozen=True, slots=True)
class Watch:
    """The state of one binding: the rule's own, and when it last led to a finding."""

    state: presence.Presence | count.Count | company.Company | None
    found_at: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """JSON-ready."""
        found_at = self.found_at.isoformat() if self.found_at else None
        return {"found_at": found_at, "state": self.state.to_json() if self.state else None}

    @classmethod
    def from_json(cls, rule: RuleSpec, stored: Mapping[str, Any]) -> Watch:
        """The inverse of `to_json`; starts anew where the kind's rule has become another."""
        watch = begin(rule)
        state = stored["state"]
        if watch.state is not None and state is not None and set(state) == set(watch.state.to_json()):
            watch = cls(type(watch.state).from_json(state))
        found_at = stored["found_at"]
        return replace(watch, found_at=datetime.fromisoformat(found_at) if found_at else None)


def begin(rule: RuleSpec) -> Watch:
    """Nothing seen yet. new_and_stays keeps its state in the view's background; here only who stood beside."""
    if rule.type == "new_and_stays":
        return Watch(company.Company() if rule.company else None)
    return Watch(count.Count() if rule.type == "count" else presence.Presence())


def look(
    watch: Watch,
    kind: Kind,
    binding: Binding,
    detections: Detections,
    thresholds: Mapping[str, float],
    thumb: Thumb,
    now: datetime,
    pace_s: float = 0.0,
) -> tuple[Watch, Seen | None]:
    """One look by a rule on detections; `thresholds` as on the model's card, `pace_s` between looks as of lately."""
    rule, look_for = binding.rule_of(kind), kind.look_for
    if look_for is None:
        return watch, None
    scores = binding.scores_of(look_for, thresholds)
    if isinstance(watch.state, count.Count):
        counted, seen = count.look(watch.state, detections, now, rule, binding.place, scores, pace_s)
        return replace(watch, state=counted), seen
    before = watch.state if isinstance(watch.state, presence.Presence) else presence.Presence()
    after, seen = presence.look(before, detections, now, rule, binding.place, scores, thumb, pace_s)
    return replace(watch, state=after), seen


def timing(watch: Watch, rule: RuleSpec, zone: Zone, background: new_and_stays.Background | None) -> bool:
    """Whether the rule needs its looks: something is being timed, or was found and is still there."""
    if rule.type == "new_and_stays":
        return new_and_stays.timing(background, zone, rule)
    return watch.state is not None and watch.state.timing
