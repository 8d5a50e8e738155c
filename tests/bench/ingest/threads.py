"""A thread a camera: the frame that the readers with one share."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from typing import Any

from .job import Job, Looks


class ThreadPerCamera(ABC):
    """Subclasses read one camera; `due` says when a picture of it is wanted."""

    def __init__(self, job: Job, looks: Looks) -> None:
        self.job, self.looks = job, looks
        self._due_s = [0.0] * len(job.urls)

    def start(self) -> None:
        """All at once."""
        for camera, url in enumerate(self.job.urls):
            threading.Thread(target=self._live, args=(camera, url), daemon=True).start()

    def _live(self, camera: int, url: str) -> None:
        while True:
            try:
                self.read(camera, url)
            except Exception as error:  # noqa: BLE001 - a peer that fails is counted by what it does not hold
                print(f"camera {camera}: {error!r}", flush=True)
            time.sleep(1.0)

    @abstractmethod
    def read(self, camera: int, url: str) -> None:
        """Open it and hand pictures over until it breaks."""

    def due(self, camera: int) -> bool:
        """Whether a picture is wanted now; it is then wanted again an interval later."""
        now_s = time.monotonic()
        if now_s < self._due_s[camera]:
            return False
        self._due_s[camera] = max(self._due_s[camera] + self.job.every_s, now_s)
        return True

    def tell(self) -> dict[str, Any]:
        """Nothing else."""
        return {}
