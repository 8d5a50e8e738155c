"""gridhub's own reader: the Looker with the sources that a worker uses. Health judges each look, as it always does."""

from __future__ import annotations

from typing import Any

from ingest.cameras import open_source
from ingest.device import Camera, Watch
from ingest.frame import Frame
from ingest.health import CameraState
from ingest.looker import Looker
from ingest.media import DECODERS

from .child import serve
from .job import Job, Looks


class Gridhub:
    """See the module. The job's options: `watch` (stay or patrol), `preroll_s`, `skip_loop_filter`."""

    def __init__(self, job: Job, looks: Looks) -> None:
        self._looks = looks
        options = job.options or {}
        DECODERS.use(options.get("skip_loop_filter", "h264"))
        watch, preroll_s = Watch(options.get("watch", "stay")), float(options.get("preroll_s", 0.0))
        self._numbers = {f"c{n:04d}": n for n in range(len(job.urls))}
        self._cameras = [
            Camera(name, name, url, watch, every_s=job.every_s, preroll_s=preroll_s)
            for name, url in zip(self._numbers, job.urls, strict=True)
        ]
        self._looker = Looker(on_look=self._on_look, open_source=open_source, per_host=len(job.urls))

    def start(self) -> None:
        """See Reader."""
        self._looker.update(self._cameras)
        self._looker.start()

    def _on_look(self, frame: Frame, _state: CameraState) -> None:
        self._looks.saw(self._numbers[frame.camera], frame.luma, frame.captured_at.timestamp())

    def tell(self) -> dict[str, Any]:
        """See Reader."""
        return {"counters": self._looker.counters}


if __name__ == "__main__":
    serve(Gridhub)
