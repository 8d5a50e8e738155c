"""The worker's second look: after a department's answer, is the problem gone from the same place?"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import cv2
import numpy as np

from detectors.finding import Box
from detectors.geometry import Zone
from detectors.pipeline import Pipeline
from detectors.sensing import SensorRules
from ingest.device import Sensor
from ingest.frame import Frame, Image
from ingest.reading import Reading

from ..jpeg import encode_jpeg
from .spool import Spool
from .uplink import HubAway, Refused

log = logging.getLogger("worker.rechecking")


@dataclass(frozen=True, slots=True)
class Recheck:
    """What the hub asks to be looked at again, and how often."""

    id: str
    kind: str
    camera: str | None
    sensor: str | None
    preset: str | None
    zone: Zone | None
    boxes: tuple[Box, ...]
    not_before: datetime
    looks: int
    every_s: float
    found_sha256: str | None
    before_sha256: str | None

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Recheck:
        """From the assignment."""
        zone = wire.get("zone")
        return cls(
            id=wire["id"],
            kind=wire["kind"],
            camera=wire.get("camera"),
            sensor=wire.get("sensor"),
            preset=wire.get("preset"),
            zone=Zone.from_wire(zone) if zone else None,
            boxes=tuple((b[0], b[1], b[2], b[3]) for b in wire.get("boxes") or ()),
            not_before=datetime.fromisoformat(wire["not_before"]),
            looks=int(wire["looks"]),
            every_s=float(wire["every_s"]),
            found_sha256=wire.get("frame"),
            before_sha256=wire.get("before"),
        )


@dataclass(slots=True)
class _Progress:
    task: Recheck
    next_at: datetime
    done: int = 0
    found: Image | None = None
    before: Image | None = None


class Rechecks:
    """The re-checks of this shard. Looks are kept in the spool, so an answer is never lost on the way."""

    def __init__(self, spool: Spool, evidence: Callable[[str], bytes], on_look: Callable[[], None]) -> None:
        self._spool, self._evidence, self._on_look = spool, evidence, on_look
        self._open: dict[str, _Progress] = {}
        self._lock = threading.Lock()

    def assign(self, tasks: Sequence[Recheck]) -> None:
        """The open re-checks of the newest assignment; those that are no longer in it are forgotten."""
        with self._lock:
            self._open = {t.id: self._open.get(t.id) or _Progress(t, t.not_before) for t in tasks}

    def wanted(self, now: datetime) -> list[tuple[str, datetime]]:
        """(camera, not before) for each re-check that is due a look."""
        with self._lock:
            return [(p.task.camera, p.next_at) for p in self._unfinished() if p.task.camera and p.next_at <= now]

    @property
    def open(self) -> bool:
        """Whether there is any."""
        return bool(self._open)

    def _unfinished(self) -> list[_Progress]:
        return [p for p in self._open.values() if p.done < p.task.looks]

    def waits_for(self, frame: Frame) -> bool:
        """Whether `on_frame` would judge this picture."""
        with self._lock:
            return bool(self._open) and bool(self._waiting_for(frame))

    def _waiting_for(self, frame: Frame) -> list[_Progress]:
        return [
            p
            for p in self._unfinished()
            if (p.task.camera, p.task.preset) == (frame.camera, frame.preset) and frame.captured_at > p.next_at
        ]

    def on_frame(self, frame: Frame, pipeline: Pipeline) -> None:
        """Judge a healthy picture for every re-check that waits for one of this camera and preset."""
        with self._lock:
            waiting = self._waiting_for(frame)
        for progress in waiting:
            self._judge(progress, frame, pipeline)

    def _judge(self, progress: _Progress, frame: Frame, pipeline: Pipeline) -> None:
        task = progress.task
        try:
            if progress.found is None and task.found_sha256:
                progress.found = _picture(self._evidence(task.found_sha256))
            if progress.before is None and task.before_sha256:
                progress.before = _picture(self._evidence(task.before_sha256))
        except (HubAway, Refused) as error:
            log.warning("re-check %s waits for its pictures: %s", task.id, error)
            return
        found = frame.image if progress.found is None else progress.found
        result = pipeline.recheck(frame, task.kind, task.zone, task.boxes, found, progress.before)
        look = {
            "captured_at": frame.captured_at.isoformat(),
            "present": result.present,
            "score": result.score,
            "boxes": [list(b) for b in result.boxes],
            "why": result.why.text,
            "said": {"code": result.why.code, "values": dict(result.why.values)},
        }
        self._keep(progress, look, encode_jpeg(frame.image), frame.captured_at)

    def on_reading(self, sensor: Sensor, reading: Reading, rules: SensorRules, state: Mapping[str, Any]) -> None:
        """Judge a new reading for every re-check that waits for this sensor; `state`: that of its rules by now."""
        with self._lock:
            waiting = [p for p in self._unfinished() if p.task.sensor == sensor.id and reading.observed_at > p.next_at]
        for progress in waiting:
            present = rules.present(sensor, progress.task.kind, reading, state)
            if present is None:
                continue
            shown = {"prop": reading.prop, "value": reading.value, "unit": reading.unit}
            look = {
                "captured_at": reading.observed_at.isoformat(),
                "present": present,
                "score": 1.0,
                "boxes": [],
                "why": f"{reading.prop} = {reading.value:g} {reading.unit}".strip(),
                "reading": shown,
            }
            self._keep(progress, look, None, reading.observed_at)

    def _keep(self, progress: _Progress, look: dict[str, Any], picture: bytes | None, at: datetime) -> None:
        self._spool.add_recheck_look(progress.task.id, look, picture)
        with self._lock:
            progress.done += 1
            progress.next_at = at + timedelta(seconds=progress.task.every_s)
        self._on_look()


def _picture(content: bytes) -> Image | None:
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    return None if image is None else np.asarray(image, np.uint8)
