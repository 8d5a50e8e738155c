"""A whole worker, as `gridhub work` runs it, whose every look is checked; its hub is the bench's paper one."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import cv2

import detectors.view
from hub import heap
from hub.worker.process import Worker, WorkerSettings
from ingest.frame import Frame
from ingest.health import CameraState

from .child import serve
from .job import Job, Looks
from .paper_hub import number_of

ROOT = Path(__file__).resolve().parents[3]


class CheckedWorker(Worker):
    """Checks each picture, then does what a worker does with it."""

    def __init__(self, settings: WorkerSettings, looks: Looks) -> None:
        self._looks = looks
        super().__init__(settings)

    def _on_look(self, frame: Frame, state: CameraState) -> None:
        self._looks.saw(number_of(frame.camera), frame.luma, frame.captured_at.timestamp())
        super()._on_look(frame, state)

    def tell(self) -> dict[str, Any]:
        """Counters, and how many cameras are in which state."""
        states = Counter(str(state.state) for state in self._looker.states())
        return {"counters": self._counts(), "states": states}


class WholeWorker:
    """See the module. The job's options: `hub` (its address), `data` (a folder), `infer_all` (nothing is gated)."""

    def __init__(self, job: Job, looks: Looks) -> None:
        assert job.options
        zone = ZoneInfo("Asia/Shanghai")
        settings = WorkerSettings(job.options["hub"], "t", "0/1", Path(job.options["data"]), ROOT / "models", zone)
        cv2.setNumThreads(1)
        heap.keep_small()
        if job.options.get("infer_all"):
            detectors.view.FORCE_S = 0.0
        self._worker = CheckedWorker(settings, looks)

    def start(self) -> None:
        """See Reader."""
        threading.Thread(target=self._worker.run, daemon=True).start()

    def tell(self) -> dict[str, Any]:
        """See Reader."""
        return self._worker.tell()


if __name__ == "__main__":
    serve(WholeWorker)
