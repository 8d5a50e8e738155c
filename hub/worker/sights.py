"""The worker's look beside: a sensor alarmed, what does the camera next to it see?"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from detectors.errors import DetectorError
from detectors.pipeline import Pipeline
from ingest.frame import Frame

from ..jpeg import encode_jpeg
from .spool import Spool

log = logging.getLogger("worker.sights")

_AGAIN = timedelta(seconds=30)
"""A camera that has not answered is asked again this often."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A look the hub asks for; `kinds`: what would agree with the alarm."""

    id: str
    camera: str
    kinds: tuple[str, ...]
    not_before: datetime

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Sight:
        """From the assignment."""
        return cls(wire["id"], wire["camera"], tuple(wire["kinds"]), datetime.fromisoformat(wire["not_before"]))


class Sights:
    """The looks of this shard that are wanted. A picture is kept in the spool, so it is never lost on the way."""

    def __init__(self, spool: Spool, on_look: Callable[[], None]) -> None:
        self._spool, self._on_look = spool, on_look
        self._open: dict[str, Sight] = {}
        self._done: set[str] = set()
        self._asked: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def assign(self, sights: Sequence[Sight]) -> None:
        """Those of the newest assignment; what was taken and is on its way to the hub is not taken again."""
        with self._lock:
            named = {s.id for s in sights}
            self._done &= named
            self._asked = {id_: at for id_, at in self._asked.items() if id_ in named}
            self._open = {s.id: s for s in sights if s.id not in self._done}

    def wanted(self, now: datetime) -> list[tuple[str, datetime]]:
        """(camera, not before) for each look that is due to be asked for."""
        with self._lock:
            due = [s for s in self._open.values() if s.id not in self._asked or now - self._asked[s.id] >= _AGAIN]
            self._asked |= {s.id: now for s in due}
            return [(s.camera, s.not_before) for s in due]

    def waits_for(self, frame: Frame) -> bool:
        """Whether `on_frame` would take this picture."""
        with self._lock:
            return bool(self._open) and bool(self._waiting_for(frame))

    def _waiting_for(self, frame: Frame) -> list[Sight]:
        return [s for s in self._open.values() if s.camera == frame.camera and frame.captured_at >= s.not_before]

    def on_frame(self, frame: Frame, pipeline: Pipeline) -> None:
        """Take a healthy picture for every look that waits for one of this camera."""
        with self._lock:
            waiting = self._waiting_for(frame) if self._open else []
        for sight in waiting:
            body = {"captured_at": frame.captured_at.isoformat(), "seen": _seen(frame, pipeline, sight.kinds)}
            self._spool.add_sight(sight.id, body, encode_jpeg(frame.image))
            with self._lock:
                self._open.pop(sight.id, None)
                self._done.add(sight.id)
            log.info("looked beside an alarm: %s, %d agree", frame.camera, len(body["seen"]))
            self._on_look()


def _seen(frame: Frame, pipeline: Pipeline, kinds: Sequence[str]) -> list[dict[str, Any]]:
    """What of `kinds` the model sees anywhere in the picture; a model that cannot run leaves the picture alone."""
    found = []
    for kind in kinds:
        try:
            result = pipeline.recheck(frame, kind, None, (), None, None)
        except DetectorError as error:
            log.warning("camera %s: %s not looked for beside an alarm: %s", frame.camera, kind, error)
            continue
        if result.present:
            boxes = [[round(v, 5) for v in box] for box in result.boxes]
            found.append({"kind": kind, "score": round(result.score, 4), "boxes": boxes})
    return found
