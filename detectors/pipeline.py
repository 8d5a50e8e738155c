"""Frames in, findings out: gate, batched inference, rules, for all cameras of a worker."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from detectors import memory
from detectors.detection import Detections
from detectors.errors import KindsError
from detectors.finding import Box
from detectors.geometry import Zone
from detectors.kinds import Kind, LookFor, check_labels
from detectors.model import Model
from detectors.recheck import Recheck, recheck
from detectors.view import CameraTask, Found, View
from detectors.watch import Binding
from ingest.frame import Frame

__all__ = ["Binding", "CameraTask", "Found", "Pipeline", "Recheck"]

MOST_AT_ONCE = 16
"""Pictures in one batch."""
LOWEST_SCORE = 0.05
SAVE_EVERY_S = 300.0

_log = logging.getLogger("detectors")


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """A frame that passed the gate."""

    frame: Frame
    view: View
    bindings: list[Binding]


class Pipeline:
    """All views of a worker. `look` may be called from several threads; it works on one call at a time.

    `kinds`: by id. `models`: name to open Model, called once a name. `state_dir`: where backgrounds and dwell survive a
    restart (None: nowhere). `tz`: the zone of the kinds' schedules. `counters`: looks, gated, inferences, findings,
    idle (no kind in force), unassigned (a view without a task), superseded (a newer frame of the view was there),
    state_errors.
    """

    def __init__(
        self, kinds: Mapping[str, Kind], models: Callable[[str], Model], state_dir: Path | None, tz: ZoneInfo
    ) -> None:
        self.kinds = dict(kinds)
        self.counters: Counter[str] = Counter()
        self._open_model = models
        self._models: dict[str, Model] = {}
        self._state_dir = state_dir
        self._tz = tz
        self._views: dict[tuple[str, str | None], View] = {}
        self._lock = threading.RLock()

    def set_tasks(self, tasks: Sequence[CameraTask]) -> None:
        """Replace what is looked for; views that stay keep their memory. Raises KindsError naming each problem."""
        problems = [problem for task in tasks for problem in self.problems(task)]
        if problems:
            raise KindsError(problems)
        used = [self.kinds[kind_id] for kind_id in sorted({b.kind_id for task in tasks for b in task.bindings})]
        for name in sorted({kind.look_for.model for kind in used if kind.look_for}):
            check_labels(used, name, self._model(name).labels)
        with self._lock:
            old, self._views = self._views, {}
            for task in tasks:
                key = (task.camera_id, task.preset)
                self._views[key] = self._view(task, old.get(key))

    def look(self, frames: Sequence[Frame]) -> list[Found]:
        """What is wrong in `frames`; of several frames of one view only the newest is looked at.

        Raises ModelError where the model cannot run.
        """
        newest: dict[tuple[str, str | None], Frame] = {}
        for frame in sorted(frames, key=lambda f: f.captured_at):
            newest[(frame.camera, frame.preset)] = frame
        with self._lock:
            self.counters["superseded"] += len(frames) - len(newest)
            jobs = [job for frame in newest.values() if (job := self._gate(frame)) is not None]
            found: list[Found] = []
            for part in _parts(jobs):
                found += self._judge(part)
            self.counters["findings"] += len(found)
            return found

    def recheck(
        self,
        frame: Frame,
        kind_id: str,
        zone: Zone | None,
        boxes: Sequence[Box],
        found: NDArray[np.uint8] | None,
        before: NDArray[np.uint8] | None,
    ) -> Recheck:
        """Whether the problem found in `boxes` is still there in `frame`; remembers nothing. Raises KindsError."""
        kind = self.kinds.get(kind_id)
        if kind is None or kind.rule is None:
            raise KindsError([f"kind {kind_id}: not a kind that cameras find; known: {', '.join(sorted(self.kinds))}"])
        seen, scores = Detections.empty(), {}
        if kind.look_for and kind.look_for.labels:
            model = self._model(kind.look_for.model)
            check_labels([kind], kind.look_for.model, model.labels)
            scores = kind.look_for.scores(model.thresholds)
            seen = model.detect([frame.within(*model.input_px)], LOWEST_SCORE)[0]
        return recheck(frame.image, seen, kind, scores, zone or Zone.whole(), boxes, found, before)

    def save(self) -> None:
        """Write what is remembered of every view to the state folder."""
        with self._lock:
            for view in self._views.values():
                self._write(view)

    def problems(self, task: CameraTask) -> list[str]:
        """Why `task` cannot be done, one line each; nothing where it can."""
        return list(self._problems(task))

    def _problems(self, task: CameraTask) -> Iterator[str]:
        for binding in task.bindings:
            kind = self.kinds.get(binding.kind_id)
            where = f"camera {task.camera_id}: task {binding.kind_id}"
            if kind is None:
                yield f"{where}: unknown kind; allowed: {', '.join(sorted(self.kinds))}"
            elif kind.rule is None:
                yield f"{where}: this kind has no rule for cameras"
            elif kind.zone == "required" and binding.zone is None:
                yield f"{where}: this kind needs a zone"

    def _model(self, name: str) -> Model:
        with self._lock:
            if name not in self._models:
                self._models[name] = self._open_model(name)
            return self._models[name]

    def _view(self, task: CameraTask, old: View | None) -> View:
        view = View(task, self.kinds, self._models, self._tz)
        if old is not None:
            keys = {binding.key for binding in task.bindings}
            view.last, view.background, view.album = old.last, old.background, old.album
            view.watches = {key: watch for key, watch in old.watches.items() if key in keys}
            view.saved_at = old.saved_at
        elif self._state_dir is not None:
            try:
                memory.read(self._state_dir, view)
            except memory.Forgotten as error:
                self.counters["state_errors"] += 1
                _log.warning("%s", error)
        return view

    def _gate(self, frame: Frame) -> _Job | None:
        view = self._views.get((frame.camera, frame.preset))
        if view is None:
            self.counters["unassigned"] += 1
            return None
        bindings = view.active(frame.captured_at)
        if not bindings:
            self.counters["idle"] += 1
            return None
        self.counters["looks"] += 1
        if view.lets_through(frame, bindings):
            return _Job(frame, view, bindings)
        self.counters["gated"] += 1
        return None

    def _judge(self, jobs: Sequence[_Job]) -> list[Found]:
        seen = self._infer(jobs)
        found: list[Found] = []
        for index, job in enumerate(jobs):
            seen_by = {name: seen[name][index] for name in seen if index in seen[name]}
            found += job.view.decide(job.frame, job.bindings, seen_by)
            self._save_if_due(job.view, job.frame.captured_at)
        return found

    def _infer(self, jobs: Sequence[_Job]) -> dict[str, dict[int, Detections]]:
        """Model name to job index to what it saw; a model gets only the pictures that a kind of theirs needs."""
        wanted: dict[str, list[int]] = {}
        for index, job in enumerate(jobs):
            for name in {look_for.model for look_for in self._look_fors(job.bindings)}:
                wanted.setdefault(name, []).append(index)
        seen = {}
        for name, indices in wanted.items():
            model = self._model(name)
            answers = model.detect([jobs[i].frame.within(*model.input_px) for i in indices], LOWEST_SCORE)
            self.counters["inferences"] += len(indices)
            seen[name] = dict(zip(indices, answers, strict=True))
        return seen

    def _look_fors(self, bindings: Sequence[Binding]) -> Iterator[LookFor]:
        for binding in bindings:
            look_for = self.kinds[binding.kind_id].look_for
            if look_for is not None:
                yield look_for

    def _save_if_due(self, view: View, now: datetime) -> None:
        if view.saved_at is None:
            view.saved_at = now
        elif (now - view.saved_at).total_seconds() >= SAVE_EVERY_S:
            view.saved_at = now
            self._write(view)

    def _write(self, view: View) -> None:
        if self._state_dir is None:
            return
        try:
            memory.write(self._state_dir, view)
        except OSError as error:
            self.counters["state_errors"] += 1
            _log.warning("state of camera %s not written: %s", view.task.camera_id, error)


def _parts(jobs: Sequence[_Job]) -> Iterator[Sequence[_Job]]:
    for start in range(0, len(jobs), MOST_AT_ONCE):
        yield jobs[start : start + MOST_AT_ONCE]
