"""Frames in, findings out: gate, batched inference, rules, for all cameras of a worker."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from detectors import memory
from detectors.detection import Detections
from detectors.errors import DetectorError, KindsError
from detectors.finding import Box
from detectors.geometry import Zone
from detectors.kinds import Kind, LookFor, check_labels
from detectors.model import Model
from detectors.recheck import Recheck, recheck
from detectors.second_look import SecondLook, SecondModel
from detectors.shadow import Shadow, Sighting
from detectors.spread import Spread
from detectors.view import CameraTask, Found, View
from detectors.watch import Binding
from ingest.frame import Frame

__all__ = ["Binding", "CameraTask", "Found", "Job", "Pipeline", "Recheck", "Shadow", "Sighting"]

MOST_AT_ONCE = 16
"""Pictures in one batch."""
LOWEST_SCORE = 0.05
SAVE_EVERY_S = 300.0

_log = logging.getLogger("detectors")


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """A frame that passed the gate: what `judge` takes."""

    frame: Frame
    view: View
    bindings: list[Binding]


class Pipeline:
    """All views of a worker. Any thread may call; `gate` waits for nobody, `judge` works on one call at a time.

    `kinds`: by id. `models`: name to open Model, called once a name. `state_dir`: where backgrounds and dwell survive a
    restart (None: nowhere). `tz`: the zone of the kinds' schedules. `counters`: looks, gated, inferences, infer_us
    (spent on them), findings, idle (no kind in force), unassigned (a view without a task), superseded (a newer frame
    of the view was there), passed_over (worth judging, but nobody had time), state_errors, shadow_inferences,
    shadow_errors. `spread`: how the scores of the working models are spread. `on_sighting`: told what shadows find.
    `seconds`: name to open SecondModel, for the second look that a kind may ask for.
    """

    def __init__(
        self,
        kinds: Mapping[str, Kind],
        models: Callable[[str], Model],
        state_dir: Path | None,
        tz: ZoneInfo,
        seconds: Callable[[str], SecondModel] | None = None,
    ) -> None:
        self.kinds = dict(kinds)
        self.counters: Counter[str] = Counter()
        self._open_model = models
        self._models: dict[str, Model] = {}
        self._state_dir = state_dir
        self._tz = tz
        self._views: dict[tuple[str, str | None], View] = {}
        self.spread = Spread()
        self.on_sighting: Callable[[Sighting], None] = lambda _sighting: None
        self._shadows: dict[str, tuple[Shadow, Model]] = {}
        self._second = SecondLook(seconds, self.counters)
        self._lock = threading.RLock()
        self._counting = threading.Lock()

    def set_tasks(self, tasks: Sequence[CameraTask]) -> None:
        """Replace what is looked for; views that stay keep their memory. Raises KindsError naming each problem."""
        problems = [problem for task in tasks for problem in self.problems(task)]
        if problems:
            raise KindsError(problems)
        used = [self.kinds[kind_id] for kind_id in sorted({b.kind_id for task in tasks for b in task.bindings})]
        for name in sorted({kind.look_for.model for kind in used if kind.look_for}):
            check_labels(used, name, self._model(name).labels)
        with self._lock:
            views = {}
            for task in tasks:
                key = (task.camera_id, task.preset)
                views[key] = self._view(task, self._views.get(key))
            self._views = views
        self._drop_old()

    def set_shadows(self, shadows: Sequence[tuple[Shadow, Model]]) -> None:
        """Which models run beside the working ones; what others remembered is forgotten."""
        with self._lock:
            self._shadows = {shadow.id: (shadow, model) for shadow, model in shadows}
            for view in self._views.values():
                with view.lock:
                    view.shadows = {id_: kept for id_, kept in view.shadows.items() if id_ in self._shadows}

    def use(self, name: str, model: Model) -> None:
        """From the next look on `model` works as `name`. Raises KindsError where it lacks a label."""
        with self._lock:
            used = {binding.kind_id for view in self._views.values() for binding in view.task.bindings}
            check_labels([self.kinds[kind_id] for kind_id in sorted(used)], name, model.labels)
            self._models[name] = model

    def look(self, frames: Sequence[Frame]) -> list[Found]:
        """What is wrong in `frames`; of several frames of one view only the newest is looked at.

        Raises ModelError where the model cannot run.
        """
        newest: dict[tuple[str, str | None], Frame] = {}
        for frame in sorted(frames, key=lambda f: f.captured_at):
            newest[(frame.camera, frame.preset)] = frame
        self._count("superseded", len(frames) - len(newest))
        return self.judge([job for frame in newest.values() if (job := self.gate(frame)) is not None])

    def gate(self, frame: Frame) -> Job | None:
        """What `judge` is to be given: None where nothing is looked for, or nothing changed that a model should see."""
        view = self._views.get((frame.camera, frame.preset))
        if view is None:
            self._count("unassigned")
            return None
        bindings = view.active(frame.captured_at)
        if not bindings:
            self._count("idle")
            return None
        with view.lock:
            passes = view.lets_through(frame, bindings)
        self._count("looks")
        if passes:
            return Job(frame, view, bindings)
        self._count("gated")
        return None

    def pass_over(self, job: Job) -> None:
        """Nobody will judge `job`: the next picture of its view passes the gate."""
        self._count("passed_over")
        with job.view.lock:
            job.view.last = None

    def judge(self, jobs: Sequence[Job]) -> list[Found]:
        """What is wrong in frames that passed the gate. Raises ModelError where the model cannot run."""
        with self._lock:
            found: list[Found] = []
            for part in _parts([now for job in jobs if (now := self._as_assigned(job)) is not None]):
                found += self._judge(part)
        self._count("findings", len(found))
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

    def unfit(self, kind_ids: Iterable[str]) -> dict[str, str]:
        """Which of these kinds nothing here can look for, and why: their model is not there, or lacks a label."""
        found = {}
        for kind in (self.kinds[kind_id] for kind_id in sorted(kind_ids) if kind_id in self.kinds):
            try:
                if kind.look_for is not None:
                    check_labels([kind], kind.look_for.model, self._model(kind.look_for.model).labels)
            except DetectorError as error:
                found[kind.id] = str(error)
        return found

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
            view.shadows = old.shadows
            view.saved_at, view.looked_at, view.pace_s = old.saved_at, old.looked_at, old.pace_s
        elif self._state_dir is not None:
            try:
                memory.read(self._state_dir, view)
            except memory.Forgotten as error:
                self._count("state_errors")
                _log.warning("%s", error)
        return view

    def _as_assigned(self, job: Job) -> Job | None:
        """`job` with what its view is looked at for by now."""
        view = self._views.get((job.frame.camera, job.frame.preset))
        if view is job.view:
            return job
        bindings = view.active(job.frame.captured_at) if view else []
        return Job(job.frame, view, bindings) if view and bindings else None

    def _count(self, what: str, more: int = 1) -> None:
        with self._counting:
            self.counters[what] += more

    def _judge(self, jobs: Sequence[Job]) -> list[Found]:
        seen = self._infer(jobs)
        found: list[Found] = []
        for index, job in enumerate(jobs):
            seen_by = {name: seen[name][index] for name in seen if index in seen[name]}
            with job.view.lock:
                new = job.view.decide(job.frame, job.bindings, seen_by)
            found += [f for f in new if self._second.holds(self.kinds[f.finding.kind], f.finding.boxes, f.frame)]
            self._save_if_due(job.view, job.frame.captured_at)
        for shadow, model in self._shadows.values():
            self._look_beside(shadow, model, jobs)
        return found

    def _look_beside(self, shadow: Shadow, model: Model, jobs: Sequence[Job]) -> None:
        """The pictures of `jobs` again, by a shadow's model; whatever is wrong with it stays its own affair."""
        wanted = [job for job in jobs if any(shadow.looks_for(self.kinds[b.kind_id]) for b in job.bindings)]
        if not wanted:
            return
        try:
            answers = model.detect([job.frame.within(*model.input_px) for job in wanted], LOWEST_SCORE)
        except DetectorError as error:
            self._count("shadow_errors")
            _log.warning("shadow %s did not look: %s", shadow.model, error)
            return
        self._count("shadow_inferences", len(wanted))
        for job, seen in zip(wanted, answers, strict=True):
            with job.view.lock:
                sightings = job.view.decide_beside(shadow, model, job.frame, job.bindings, seen)
            for sighting in sightings:
                self.on_sighting(sighting)

    def _infer(self, jobs: Sequence[Job]) -> dict[str, dict[int, Detections]]:
        """Model name to job index to what it saw; a model gets only the pictures that a kind of theirs needs."""
        wanted: dict[str, list[int]] = {}
        for index, job in enumerate(jobs):
            for name in {look_for.model for look_for in self._look_fors(job.bindings)}:
                wanted.setdefault(name, []).append(index)
        seen = {}
        for name, indices in wanted.items():
            model = self._model(name)
            began = time.perf_counter()
            answers = model.detect([jobs[i].frame.within(*model.input_px) for i in indices], LOWEST_SCORE)
            self._count("inferences", len(indices))
            self._count("infer_us", round((time.perf_counter() - began) * 1e6))
            for index, answer in zip(indices, answers, strict=True):
                self.spread.add(jobs[index].frame.camera, model.name, model.version, answer)
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
        elif not 0 <= (now - view.saved_at).total_seconds() < SAVE_EVERY_S:
            view.saved_at = now
            self._write(view)

    def _drop_old(self) -> None:
        if self._state_dir is None:
            return
        try:
            if dropped := memory.drop(self._state_dir, self._views, time.time()):
                _log.info("%d views that nobody looks at any more are forgotten", dropped)
        except OSError as error:
            _log.warning("old views cannot be forgotten: %s", error)

    def _write(self, view: View) -> None:
        if self._state_dir is None:
            return
        try:
            memory.write(self._state_dir, view)
        except OSError as error:
            self._count("state_errors")
            _log.warning("state of camera %s not written: %s", view.task.camera_id, error)


def _parts(jobs: Sequence[Job]) -> Iterator[Sequence[Job]]:
    for start in range(0, len(jobs), MOST_AT_ONCE):
        yield jobs[start : start + MOST_AT_ONCE]
