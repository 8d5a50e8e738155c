"""The honest fake: a camera that shows `street` pictures on its own clock; passes the suite that real sources pass."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import numpy as np

from ingest.clock import utc_now
from ingest.device import Camera
from ingest.errors import Lost, SourceError, Stale
from ingest.frame import Frame
from tests.peers.clips import street


class FakeCamera:
    """Takes a picture every `frame_s`; `break_with(error)` makes it fail until `mend()`."""

    def __init__(self, camera: Camera, frame_s: float = 0.05, seed: int = 1) -> None:
        self.camera = camera
        self.via = "fake"
        self._frame_s = frame_s
        self._still = street(seed=seed)
        self._rng = np.random.default_rng(seed)
        self._error: SourceError | None = None
        self._closed = threading.Event()
        self.looks = 0

    def break_with(self, error: SourceError) -> None:
        self._error = error

    def mend(self) -> None:
        self._error = None

    def look(self, not_before: datetime, timeout_s: float) -> Frame:
        self.looks += 1
        if self._closed.is_set():
            raise Lost(f"{self.camera.safe_url}: closed")
        if self._error is not None:
            raise type(self._error)(str(self._error))
        captured_at = datetime.fromtimestamp(utc_now().timestamp() // self._frame_s * self._frame_s, not_before.tzinfo)
        if captured_at < not_before:
            wait_s = (not_before - captured_at).total_seconds() // self._frame_s * self._frame_s + self._frame_s
            if wait_s > timeout_s + self._frame_s:
                raise Stale(f"{self.camera.safe_url}: the look is {wait_s:.1f} s ahead")
            if self._closed.wait(wait_s):
                raise Lost(f"{self.camera.safe_url}: closed")
            captured_at += timedelta(seconds=wait_s)
        noise = self._rng.integers(-3, 4, (*self._still.shape[:2], 1))
        image = np.clip(self._still + noise, 0, 255).astype(np.uint8)
        return Frame(self.camera.id, self.camera.preset, captured_at, image, "fake", 0)

    def close(self) -> None:
        self._closed.set()
