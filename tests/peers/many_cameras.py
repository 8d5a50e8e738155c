"""Thousands of cameras from one real RTSP server: what the load tests and the benchmarks read."""

from __future__ import annotations

from .load_clips import CLIPS, load_clips
from .rtsp_server import RtspServer
from .shown import GOP_S, Form, Shown

PHASES = 2
"""Each clip is shown this often, half a loop apart."""
_PATTERN = "/c%04d"


class ManyCameras(RtspServer):
    """`count` cameras at /c0000, /c0001, …: neighbours share nothing, those CLIPS * PHASES apart share a pipeline.

    So a picture of another camera is told by its mark, but for those of the same pipeline (1 in 24): another number,
    or a time that is half a loop away. Keyframes of the pipelines are spread evenly over the GOP.
    """

    def __init__(self, count: int, form: Form, auth: tuple[str, str, str] | None = None) -> None:
        super().__init__(auth)
        self.count, self.form = count, form
        self.shown: list[Shown] = []
        self._clips = load_clips(form, min(count, CLIPS))
        self._share()

    def _share(self) -> None:
        pipelines = CLIPS * PHASES
        codec = self.form.codec
        self.shown.clear()
        for n in range(min(pipelines, self.count)):
            clip = self._clips[n % CLIPS]
            offset = n // CLIPS * self.form.pictures // PHASES + n * GOP_S * self.form.fps // pipelines
            what = f"{_PATTERN} {n} {pipelines} {self.count} {offset} {codec} {self.form.fps}/1 {clip}"
            began_s = float(self._tell(f"share {what}"))
            self.shown.append(Shown(n % CLIPS, began_s - offset / self.form.fps, self.form))
        self._tell("wait")

    @property
    def urls(self) -> list[str]:
        """Of all cameras."""
        return [self.url(_PATTERN % n) for n in range(self.count)]

    def showing(self, camera: int) -> Shown:
        """What the camera with that number shows."""
        return self.shown[camera % len(self.shown)]

    def start_again(self) -> None:
        """After `kill`: the same port and cameras; the clips begin anew."""
        super().start_again()
        self._share()

    @property
    def pid(self) -> int:
        """Of the server's process."""
        return self._process.pid
