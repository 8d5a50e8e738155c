"""One view (a camera at one preset): what is looked for in it, and everything remembered about it."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from zlib import crc32
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from detectors import watch
from detectors.album import MOST_WIDTH_PX, Album
from detectors.detection import Detections
from detectors.finding import Box, Finding
from detectors.gate import Passed, lets_through
from detectors.hours import in_force
from detectors.kinds import Kind, RuleSpec
from detectors.model import Model
from detectors.rules import company, new_and_stays
from detectors.rules.presence import Seen, of_scores
from detectors.shadow import Beside, Shadow, Sighting
from detectors.tracker import as_box
from detectors.watch import Binding, Watch
from ingest.frame import Frame

FORCE_S = 60.0
"""An unchanged view is inferred about this often all the same: each at a pace of its own, so that a thousand views
that began together do not stay in step."""
FORCE_SPREAD = 0.2
"""The first time it is some share of that: all of a worker's views begin at once."""

PACE_SHARE, PACE_GROWS, MOST_PACE_S = 0.3, 10.0, 7200.0
"""Of the newest gap between looks in their pace; by how much that may exceed it; the first one at most."""


@dataclass(frozen=True, slots=True)
class CameraTask:
    """What is looked for in one view."""

    camera_id: str
    preset: str | None
    bindings: tuple[Binding, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A finding (its evidence still empty), the picture that decided, and one from before it appeared, if known."""

    finding: Finding
    frame: NDArray[np.uint8]
    before: NDArray[np.uint8] | None


@dataclass(slots=True)
class View:
    """A task and its memory. `models`: those that are open, by name."""

    task: CameraTask
    kinds: Mapping[str, Kind]
    models: Mapping[str, Model]
    tz: ZoneInfo
    last: Passed | None = None
    background: new_and_stays.Background | None = None
    album: Album = field(default_factory=Album)
    watches: dict[str, Watch] = field(default_factory=dict)
    shadows: dict[str, Beside] = field(default_factory=dict)
    saved_at: datetime | None = None
    looked_at: datetime | None = None
    pace_s: float = 0.0
    """Between its looks, as of lately; 0: not known yet."""
    settled: bool = False
    """Whether more than its first picture was let through."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    """Held by whoever gates or decides: pictures are gated by other threads than those that judge."""

    def active(self, now: datetime) -> list[Binding]:
        """The bindings in force at `now`."""
        return [
            binding
            for binding in self.task.bindings
            if self.kinds[binding.kind_id].enabled
            and in_force(self.kinds[binding.kind_id].schedule, now, self.tz)
            and binding.hours.watched(now, self.tz)
        ]

    def lets_through(self, frame: Frame, bindings: Sequence[Binding]) -> bool:
        """Whether this picture is worth inferring; remembers it as the last one if so."""
        self._paced(frame.captured_at)
        wanted_s = min(self._every_s(binding) for binding in bindings)
        if not lets_through(self.last, frame.captured_at, frame.grey, wanted_s):
            return False
        self.settled = self.last is not None
        self.last = Passed(frame.captured_at, frame.grey)
        return True

    def _paced(self, now: datetime) -> None:
        """One more look. A single long gap (a camera that was away) is not its pace; several are."""
        before, self.looked_at = self.looked_at, now
        gap_s = (now - before).total_seconds() if before is not None else 0.0
        if gap_s > 0:
            most_s = PACE_GROWS * self.pace_s if self.pace_s else MOST_PACE_S
            self.pace_s += (PACE_SHARE if self.pace_s else 1.0) * (min(gap_s, most_s) - self.pace_s)

    def decide(self, frame: Frame, bindings: Sequence[Binding], seen_by: Mapping[str, Detections]) -> list[Found]:
        """The rules of `bindings` on one inferred picture; `seen_by`: model name to what it saw."""
        now = frame.captured_at
        if any(self._rule_type(binding) == "new_and_stays" for binding in bindings):
            ignored = self._ignored(bindings, seen_by)
            self.background = new_and_stays.look(self.background, frame.image, now, ignored)
        found = []
        for binding in bindings:
            seen = self._judge(binding, frame, seen_by)
            if seen is not None and _is_news(
                self.watches[binding.key], binding.rule_of(self.kinds[binding.kind_id]), now
            ):
                self.watches[binding.key] = replace(self.watches[binding.key], found_at=now)
                found.append(self._found(binding, frame, seen))
        if self.album.wants_one(now):
            small = frame.within(MOST_WIDTH_PX, frame.height) if frame.width > MOST_WIDTH_PX else frame.image
            self.album = self.album.with_picture(small, now)
        return found

    def decide_beside(
        self, shadow: Shadow, model: Model, frame: Frame, bindings: Sequence[Binding], seen: Detections
    ) -> list[Sighting]:
        """The same rules on what a shadow's model saw, after `decide`; its state is its own."""
        now = frame.captured_at
        beside = self.shadows.setdefault(shadow.id, Beside(now))
        found = []
        for binding in bindings:
            kind = self.kinds[binding.kind_id]
            if not shadow.looks_for(kind):
                continue
            rule = binding.rule_of(kind)
            state = beside.watches.get(binding.key) or watch.begin(rule)
            state, met = watch.look(state, kind, binding, seen, model.thresholds, frame.grey, now, self.pace_s)
            if met is None and not watch.timing(state, rule, binding.place, None):
                state = replace(state, found_at=None)
            if met is not None and _is_news(state, rule, now):
                state = replace(state, found_at=now)
                alone = self._watch(binding).found_at is None
                finding = self._finding(binding, frame, met, (model.name, model.version), ())
                found.append(Sighting(shadow.id, finding, alone, frame.image if alone else None))
            beside.watches[binding.key] = state
        return found

    def _watch(self, binding: Binding) -> Watch:
        if binding.key not in self.watches:
            self.watches[binding.key] = watch.begin(binding.rule_of(self.kinds[binding.kind_id]))
        return self.watches[binding.key]

    def _rule_type(self, binding: Binding) -> str:
        return binding.rule_of(self.kinds[binding.kind_id]).type

    def _every_s(self, binding: Binding) -> float:
        """How often the binding needs a picture even if nothing changed."""
        rule = binding.rule_of(self.kinds[binding.kind_id])
        own = crc32(f"{self.task.camera_id}@{self.task.preset}".encode()) % 997 / 997
        forced_s = FORCE_S * ((1 + FORCE_SPREAD * (2 * own - 1)) if self.settled else own)
        if watch.timing(self._watch(binding), rule, binding.place, self.background):
            return min(forced_s, rule.dwell_s / (2 * rule.of))
        return forced_s

    def _ignored(self, bindings: Sequence[Binding], seen_by: Mapping[str, Detections]) -> list[Box]:
        boxes = []
        for binding in bindings:
            look_for = self.kinds[binding.kind_id].look_for
            if look_for and look_for.ignore and look_for.model in seen_by:
                scores = look_for.ignored_scores(self.models[look_for.model].thresholds)
                there = of_scores(seen_by[look_for.model], scores)
                boxes += [as_box(box) for box in there.boxes]
        return boxes

    def _judge(self, binding: Binding, frame: Frame, seen_by: Mapping[str, Detections]) -> Seen | None:
        now, kind = frame.captured_at, self.kinds[binding.kind_id]
        rule = binding.rule_of(kind)
        state = self._watch(binding)
        if rule.type == "new_and_stays" and self.background is not None:
            self.background, seen = new_and_stays.decide(self.background, now, rule, binding.place)
            state, seen = self._in_company(binding, state, seen, seen_by, now)
        else:
            name = kind.model or ""
            thresholds = self.models[name].thresholds if name in self.models else {}
            seen_now = seen_by.get(name, Detections.empty())
            state, seen = watch.look(state, kind, binding, seen_now, thresholds, frame.grey, now, self.pace_s)
        if seen is None and not watch.timing(state, rule, binding.place, self.background):
            state = replace(state, found_at=None)
        self.watches[binding.key] = state
        return seen

    def _in_company(
        self, binding: Binding, state: Watch, seen: Seen | None, seen_by: Mapping[str, Detections], now: datetime
    ) -> tuple[Watch, Seen | None]:
        """What is left of `seen` where a new thing counts only with people beside it."""
        kind = self.kinds[binding.kind_id]
        spec, look_for = binding.rule_of(kind).company, kind.look_for
        if spec is None or look_for is None or not isinstance(state.state, company.Company):
            return state, seen
        here = seen_by.get(look_for.model, Detections.empty())
        least = look_for.scores_of(spec.labels, self.models[look_for.model].thresholds)
        people = company.look(state.state, [as_box(box) for box in of_scores(here, least).boxes], now)
        state = replace(state, state=people)
        if seen is None:
            return state, None
        shares = {box: company.share_beside(people, box, seen.since, spec.reach) for box in seen.boxes}
        kept = tuple(box for box, share in shares.items() if share >= spec.share)
        if not kept:
            return state, None
        most = f"{max(shares[box] for box in kept):.0%}"
        why, why_en = f"{seen.why}，{most} 的巡看中旁边有人", f"{seen.why_en}; people beside it in {most} of the looks"
        return state, replace(seen, boxes=kept, why=why, why_en=why_en)

    def _found(self, binding: Binding, frame: Frame, seen: Seen) -> Found:
        look_for = self.kinds[binding.kind_id].look_for
        by_label = look_for is not None and bool(look_for.labels)
        works = self.models[look_for.model] if look_for and by_label else None
        ran = tuple(id_ for id_, beside in self.shadows.items() if by_label and beside.since <= seen.since)
        finding = self._finding(binding, frame, seen, (works.name, works.version) if works else None, ran)
        return Found(finding, frame.image, self._before(binding, seen))

    def _finding(
        self,
        binding: Binding,
        frame: Frame,
        seen: Seen,
        model: tuple[str, str] | None,
        shadows: tuple[str, ...],
    ) -> Finding:
        return Finding(
            id=uuid.uuid4().hex,
            kind=binding.kind_id,
            at=frame.captured_at,
            since=seen.since,
            score=min(1.0, seen.score),
            camera=frame.camera,
            preset=frame.preset,
            zone=binding.zone.name if binding.zone else None,
            boxes=seen.boxes,
            model=model,
            why=seen.why,
            why_en=seen.why_en,
            labels=seen.labels,
            shadows=shadows,
        )

    def _before(self, binding: Binding, seen: Seen) -> NDArray[np.uint8] | None:
        if self._rule_type(binding) == "new_and_stays" and self.background is not None:
            return self.album.most_like(seen.since, self.background.picture, seen.boxes)
        return self.album.before(seen.since)


def _is_news(state: Watch, rule: RuleSpec, now: datetime) -> bool:
    """Whether what a rule sees is to be told: the first time, and every `repeat_s` while it persists."""
    # A time that lies ahead is of before the clock was set back.
    return state.found_at is None or not 0 <= (now - state.found_at).total_seconds() < rule.repeat_s
