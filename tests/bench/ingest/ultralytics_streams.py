"""Ultralytics' loader of many streams, as its `predict` uses it, without a model behind it."""

from __future__ import annotations

import tempfile
import threading
import time
from typing import Any

import cv2
from ultralytics.data.loaders import LoadStreams

from .child import serve
from .job import Job, Looks


class UltralyticsStreams:
    """See the module."""

    def __init__(self, job: Job, looks: Looks) -> None:
        self._job, self._looks = job, looks

    def start(self) -> None:
        """See Reader."""
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        with tempfile.NamedTemporaryFile("w", suffix=".streams") as file:
            file.write("\n".join(self._job.urls))
            file.flush()
            batches = iter(LoadStreams(file.name))
        due_s = time.monotonic()
        while True:
            _, pictures, _ = next(batches)
            if time.monotonic() < due_s:
                time.sleep(0.01)
                continue
            for camera, picture in enumerate(pictures):
                self._looks.saw(camera, picture)
            due_s += self._job.every_s

    def tell(self) -> dict[str, Any]:
        """Nothing else."""
        return {}


if __name__ == "__main__":
    cv2.setNumThreads(1)
    serve(UltralyticsStreams)
