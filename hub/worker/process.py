"""A shard of cameras and sensors in its own process: look, find, keep, send.

assignment ─ Looker ─ Frame ─ newest per camera ─ Pipeline ─ Found ─┐
           └ MqttListener ─ Reading ─ spool ─ SensorRules ─ Finding ─┴─ spool ─ Sender ─ hub
"""

from __future__ import annotations

import hashlib
import logging
import os
import signal
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import cv2

from detectors.errors import DetectorError
from detectors.finding import Evidence, Finding
from detectors.pipeline import CameraTask, Found, Job, Pipeline, Sighting
from detectors.sensing import SensorRules
from ingest.cameras import open_source
from ingest.cameras.rtsp import configure
from ingest.frame import Frame
from ingest.health import CameraState
from ingest.looker import Looker
from ingest.media import DECODERS, picture_strip
from ingest.sensors.decode import REMEMBERING
from ingest.sensors.mqtt import Broker, MqttListener

from ..jpeg import encode_jpeg
from . import handover
from .assigned import read
from .models import Models, scores_wire
from .newest import Newest
from .rebirths import Rebirths
from .rechecking import Rechecks
from .sensing import Listening
from .showing import Showing
from .sights import Sights
from .spool import Spool, SpoolFull
from .status import News
from .uplink import HubAway, Refused, Sender, Uplink
from .views import Views

log = logging.getLogger("worker")

_NO_ROOM = (SpoolFull, OSError, sqlite3.Error)
"""The hub has been away too long, or the disk is full: what was seen is lost, what is going on must go on."""
_CLIP_BEFORE_S = 8.0
_BATCH = 8
_MOST_WORTHY, _MOST_SHOWN = 24, 16
"""Decoded pictures that wait, to be judged and to be shown: 3 MB each where cameras send 1080p."""
_PATIENCE_S = 5.0
"""How long a thread that decodes waits for the model to keep up."""
_SHOWN_WIDTH_PX = 640
_SCORES_EVERY_S = 1800.0
_VIEWS_FIRST_S, _VIEWS_EVERY_S = 600.0, 3600.0
"""When what cameras are used to is written down: it is learnt within minutes and hardly changes after."""
_LINES_MOST, _LINE_MOST = 20, 300
"""Of what was left out of the assignment, as the hub is told: lines, and letters of each."""


@dataclass(frozen=True, slots=True, eq=False)
class _Worthy:
    """A picture that a model should see (`job`), or that a re-check waits for."""

    frame: Frame
    pipeline: Pipeline
    job: Job | None


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What a worker must be told; everything else comes from the hub."""

    hub_url: str
    token: str
    shard: str
    data_dir: Path
    models_dir: Path
    timezone: ZoneInfo
    status_every_s: float = 3.0
    looks_shown_per_s: float = 6.0
    name: str = ""


class Worker:
    """Owns the parts of the diagram above; `run` blocks until `stop` is called."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        self.counters: Counter[str] = Counter()
        self._ended = threading.Event()
        self._spool = Spool(settings.data_dir)
        self._uplink = Uplink(settings.hub_url, settings.token, settings.shard)
        self._posting = Uplink(settings.hub_url, settings.token, settings.shard)
        self._sender = Sender(self._spool, self._posting, self.counters)
        self._rechecks = Rechecks(self._spool, self._uplink.evidence, self._sender.wake)
        self._sights = Sights(self._spool, self._sender.wake)
        self._listening = Listening(self._spool, self._rechecks, self.counters, self._sender.wake)
        self._rebirths = Rebirths()
        self._views = Views(settings.data_dir)
        self._looker = Looker(open_source=open_source, on_look=self._on_look, memory=self._views.memory)
        self._news = News(settings.name or f"worker-{os.getpid()}", settings.shard)
        self._worthy: Newest[_Worthy] = Newest(_MOST_WORTHY)
        self._showing = Showing(settings.looks_shown_per_s)
        self._shown: Newest[Frame] = Newest(_MOST_SHOWN)
        self._listener: MqttListener | None = None
        self._broker: dict[str, Any] | None = None
        self._pipeline: Pipeline | None = None
        self._clips: frozenset[str] = frozenset()
        fetched = settings.data_dir / "models"
        self._models = Models(settings.models_dir, fetched, self._uplink.model_file)
        self._stanzas: Mapping[str, Any] = {}
        self._decoding: Mapping[str, str] = {}
        self._strange: tuple[str, ...] = ()

    # ── life ──

    def run(self) -> None:
        """Work until `stop`."""
        threads = [
            threading.Thread(target=self._infer, name="infer", daemon=True),
            threading.Thread(target=self._show, name="show", daemon=True),
        ]
        for thread in (*threads, self._sender):
            thread.start()
        self._looker.start()
        said, full, next_status, next_views = -60.0, -60.0, 0.0, time.monotonic() + _VIEWS_FIRST_S
        next_scores = time.monotonic() + _SCORES_EVERY_S
        while not self._ended.is_set():
            try:
                if (assignment := self._uplink.assignment()) is not None:
                    self._apply(assignment)
                if time.monotonic() >= next_status:
                    self._report()
                    self._tell_of_strangers()
                    self._ask_for_births()
                    next_status = time.monotonic() + self._settings.status_every_s
            except (HubAway, Refused) as error:
                if time.monotonic() - said > 60.0:
                    said = time.monotonic()
                    log.warning("no assignment from the hub: %s", error)
            now = datetime.now(UTC)
            for camera, not_before in (*self._rechecks.wanted(now), *self._sights.wanted(now)):
                self._looker.ask(camera, not_before)
            try:
                self._listening.tick(now)
                if time.monotonic() >= next_views:
                    next_views = time.monotonic() + _VIEWS_EVERY_S
                    self._views.save(self._looker.memories())
            except _NO_ROOM as error:
                if time.monotonic() - full > 60.0:
                    full = time.monotonic()
                    log.error("what time has done is not kept yet: %s", error)
            if time.monotonic() >= next_scores:
                next_scores = time.monotonic() + _SCORES_EVERY_S
                self._tell_scores()
            self._ended.wait(1.0)
        self._close(threads)

    def stop(self) -> None:
        """Ask `run` to end."""
        self._ended.set()

    def _close(self, threads: list[threading.Thread]) -> None:
        self._worthy.close()
        self._looker.stop()
        if self._listener is not None:
            self._listener.stop()
        self._shown.close()
        self._listening.end()
        self._sender.end()
        for thread in (*threads, self._sender):
            thread.join(timeout=10)
        if self._pipeline is not None:
            self._pipeline.save()
        self._views.save(self._looker.memories())
        for line in (self._uplink, self._posting):
            line.close()
        self._spool.close()

    # ── assignment ──

    def _apply(self, wire: dict[str, Any]) -> None:
        assigned = read(wire)
        kinds = assigned.kinds
        self._models.threads = (wire.get("inference") or {}).get("threads") or None
        if self._pipeline is None or wire["kinds"] != self._stanzas:
            if self._pipeline is not None:
                self._pipeline.save()
            state_dir = self._settings.data_dir / "scenes"
            self._pipeline = Pipeline(
                kinds, self._models.model, state_dir, self._settings.timezone, self._models.second
            )
            self._pipeline.on_sighting = self._keep_sighting
            self._stanzas = wire["kinds"]
        self._pipeline.set_tasks(self._sound_tasks(assigned.tasks, self._pipeline))
        self._models.assign(wire.get("models") or {}, wire.get("shadows") or [], self._pipeline)
        self._clips = assigned.clips
        reading = wire.get("reading") or {}
        configure(reading.get("preroll_mb", 256) << 20, *reading.get("udp_ports", ()))
        self._views.assign(assigned.cameras)
        self._showing.assign(camera.id for camera in assigned.cameras)
        self._decode_as(assigned.parts["decoding"])
        self._looker.set_limits(**assigned.parts["looking"])
        self._looker.update(assigned.cameras)
        self._rechecks.assign(assigned.rechecks)
        self._sights.assign(assigned.sights)
        self._rebirths.assign(wire.get("rebirths") or ())
        rules = SensorRules(assigned.profiles, kinds, self._settings.timezone)
        self._listening.assign(assigned.sensors, rules, **assigned.parts["sensing"])
        self._tell_of_strange(assigned.strange)
        self._connect(wire.get("broker"))
        log.info("assigned %d cameras, %d sensors", len(assigned.cameras), len(assigned.sensors))

    def _tell_of_strange(self, found: list[str]) -> None:
        """A hub that is newer than this worker: what it says besides is left out, and told once."""
        for line in dict.fromkeys(found):
            if line not in self._strange:
                log.warning("%s; left out, the hub is newer than this worker", line)
        self._strange = tuple(dict.fromkeys(found))

    def _decode_as(self, wire: Mapping[str, str]) -> None:
        if not wire or wire == self._decoding:
            return
        self._decoding = wire
        try:
            DECODERS.use(**wire)
        except ValueError as error:
            log.error("%s; decoding in software", error)
            DECODERS.use(**{key: value for key, value in wire.items() if key != "hardware"})

    def _sound_tasks(self, asked: Sequence[CameraTask], pipeline: Pipeline) -> list[CameraTask]:
        """Tasks that can be done; the others are named in the log and leave only their own camera unjudged.

        A kind that cannot be looked for on this machine is left out of them: one wrong kind must not end all looking.
        """
        sound = []
        unfit = pipeline.unfit({binding.kind_id for task in asked for binding in task.bindings})
        for kind, why in unfit.items():
            log.error("kind %s is not looked for here: %s", kind, why)
        self.counters["dropped_task"] += len(unfit)
        for whole in asked:
            task = replace(whole, bindings=tuple(b for b in whole.bindings if b.kind_id not in unfit))
            problems = pipeline.problems(task)
            for problem in problems:
                log.error("%s", problem)
            self.counters["dropped_task"] += len(problems)
            if not problems:
                sound.append(task)
        return sound

    def _connect(self, broker: dict[str, Any] | None) -> None:
        if broker == self._broker:
            return
        if self._listener is not None:
            self._listener.stop()
        self._listener, self._broker = None, broker
        if broker and broker["url"]:
            self._listener = self._listen_to(Broker.from_wire(broker), broker["topics"])
            self._listener.start()

    def _listen_to(self, broker: Broker, topics: dict[str, str]) -> MqttListener:
        index, workers = map(int, self._settings.shard.split("/"))
        shared = [topic for topic, form in topics.items() if form not in REMEMBERING] if workers > 1 else []
        own = {handover.topic(broker.share, index, workers): handover.FORMAT} if broker.share and shared else {}
        made = MqttListener(
            broker,
            topics | own,
            client_id=f"gridhub-{self._settings.name or 'worker'}-{index}-of-{workers}",
            on_batch=self._listening.on_batch,
            shared=shared,
        )

        def pass_on(parcels: Sequence[tuple[int, bytes]]) -> None:
            made.pass_on([(handover.topic(broker.share, n, workers), data) for n, data in parcels])

        self._listening.share((index, workers), pass_on if own else None)
        return made

    # ── looks ──

    def _on_look(self, frame: Frame, state: CameraState) -> None:
        """In the thread that decoded: whatever is not worth a model's time ends here."""
        if self._showing.wants(frame.camera, time.monotonic()):
            self._shown.put(frame.camera, frame)
        pipeline = self._pipeline
        if pipeline is None or not state.sees:
            return  # a black, covered or turned lens says nothing about the street: the rules stay silent
        worthy = _Worthy(frame, pipeline, pipeline.gate(frame))
        if worthy.job is None and not self._rechecks.waits_for(frame) and not self._sights.waits_for(frame):
            return
        # Where inference is slower than the looks this waits: looks get rarer by priority, none is decoded in vain.
        lost = self._worthy.put(frame.camera, worthy, _PATIENCE_S)
        if lost is not None and lost.job is not None and (worthy.job is None or lost.frame.camera != frame.camera):
            lost.pipeline.pass_over(lost.job)

    def _infer(self) -> None:
        while (taken := self._worthy.take(_BATCH)) is not None:
            pipeline = taken[-1].pipeline
            try:
                for found in pipeline.judge(
                    [worthy.job for worthy in taken if worthy.job and worthy.pipeline is pipeline]
                ):
                    self._keep(found)
                for worthy in taken:
                    self._rechecks.on_frame(worthy.frame, pipeline)
                    self._sights.on_frame(worthy.frame, pipeline)
            except DetectorError as error:
                self.counters["dropped_infer"] += len(taken)
                log.error("%d looks were not judged: %s", len(taken), error)
            except _NO_ROOM as error:
                # Looks that the hub asked for are asked for again.
                self.counters["dropped_spool"] += 1
                log.error("a look was not kept: %s", error)

    def _keep(self, found: Found) -> None:
        contents: list[tuple[str, str, bytes]] = [("frame", "image/jpeg", encode_jpeg(found.frame))]
        if found.before is not None:
            contents.append(("before", "image/jpeg", encode_jpeg(found.before)))
        camera = found.finding.camera
        if camera in self._clips and (clip := self._clip(camera, found.finding)) is not None:
            contents.append(("clip", "video/mp4", clip))
            if (strip := picture_strip(clip)) is not None:
                contents.append(("strip", "image/jpeg", encode_jpeg(strip)))
        hashed = [(role, media, hashlib.sha256(content).hexdigest(), content) for role, media, content in contents]
        evidence = tuple(Evidence(role, sha256, media) for role, media, sha256, _content in hashed)
        try:
            self._spool.add_finding(
                replace(found.finding, evidence=evidence), {sha256: content for _r, _m, sha256, content in hashed}
            )
        except _NO_ROOM as error:
            self.counters["dropped_spool"] += 1
            log.error("a finding was dropped: %s", error)
            return
        self.counters["findings"] += 1
        log.info("found %s (%s at camera %s)", found.finding.id, found.finding.kind, camera)
        self._sender.wake()

    def _keep_sighting(self, sighting: Sighting) -> None:
        try:
            picture = encode_jpeg(sighting.frame) if sighting.alone else None
            self._spool.add_sighting(sighting.shadow, sighting.finding, picture)
        except _NO_ROOM:
            self.counters["dropped_sighting"] += 1  # the hub is away; findings matter more
            return
        self._sender.wake()

    def _clip(self, camera: str, finding: Finding) -> bytes | None:
        return self._looker.clip(camera, finding.at - timedelta(seconds=_CLIP_BEFORE_S), finding.at)

    def _show(self) -> None:
        """Send newest looks to the screens, no faster than the budget allows, each camera in its turn."""
        while (frames := self._shown.take(1)) is not None:
            for frame in frames:
                try:
                    self._uplink.last_look(frame.camera, frame.captured_at, _small_jpeg(frame))
                except (HubAway, Refused):
                    self.counters["dropped_shown"] += 1
            self._ended.wait(1.0 / self._settings.looks_shown_per_s)

    # ── status ──

    def _report(self) -> None:
        """Tell the hub what changed. Raises HubAway, Refused."""
        body = self._news.report(
            self._looker.states(),
            self._looker.attained_s,
            self._listening.states(datetime.now(UTC)),
            self._counts(),
            time.monotonic(),
        )
        try:
            self._news.taken(self._uplink.status(body))
        except (HubAway, Refused):
            self._news.lost()
            raise

    def _tell_of_strangers(self) -> None:
        """Tell the hub of devices that nobody registered. Raises HubAway, Refused."""
        body = self._listening.strangers.take(time.monotonic())
        if body is None:
            return
        try:
            self._listening.strangers.registered(self._uplink.heard(body))
        except HubAway:
            self._listening.strangers.lost(body)
            raise

    def _ask_for_births(self) -> None:
        """Pass on what a person asked of edge nodes. Raises HubAway, Refused."""
        listener = self._listener
        if listener is not None and listener.connected:
            self._rebirths.step(datetime.now(UTC), listener.command, self._uplink.reborn)

    def _tell_scores(self) -> None:
        """Tell how scores were spread; what the hub cannot take now goes with the next."""
        if self._pipeline is None:
            return
        spread = self._pipeline.spread
        counts = spread.take()
        try:
            if counts:
                self._uplink.scores(scores_wire(counts))
        except HubAway:
            spread.put_back(counts)
        except Refused as error:
            log.warning("scores were not taken: %s", error)

    def _counts(self) -> dict[str, Any]:
        counters = dict(self.counters)
        if self._pipeline is not None:
            counters |= {f"pipeline_{k}": v for k, v in self._pipeline.counters.items()}
        counters |= self._looker.counters | {"dropped_newest": self._worthy.dropped}
        counters["model_problems"] = self._models.problems
        counters |= {f"spool_{k}": v for k, v in self._spool.waiting().items()}
        heard = {} if self._listener is None else self._listener.counters
        counters |= {
            f"broker_{name}": heard.get(name, 0) for name in ("messages", "batches", "connections", "failures")
        }
        connected = self._listener is not None and self._listener.connected
        left_out = [line[:_LINE_MOST] for line in self._strange[:_LINES_MOST]]
        return counters | {"broker_connected": int(connected), "left_out": left_out}


def _small_jpeg(frame: Frame) -> bytes:
    return encode_jpeg(frame.within(min(_SHOWN_WIDTH_PX, frame.width), frame.height), 75)


def run_worker(settings: WorkerSettings) -> int:
    """Run until SIGTERM or SIGINT. Returns the exit status."""
    # Looks are many: they share the cores, one picture does not.
    cv2.setNumThreads(1)
    worker = Worker(settings)
    crashed = threading.Event()
    threading.excepthook = lambda args: _crash(args, worker, crashed)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: worker.stop())
    worker.run()
    return 1 if crashed.is_set() else 0


def _crash(args: threading.ExceptHookArgs, worker: Worker, crashed: threading.Event) -> None:
    """A bug in one thread ends the whole process, so that it is seen and started again, and nothing is lost."""
    log.critical(
        "thread %s failed",
        args.thread.name if args.thread else "?",
        exc_info=(args.exc_type, args.exc_value, args.exc_traceback),  # type: ignore[arg-type]
    )
    crashed.set()
    worker.stop()
