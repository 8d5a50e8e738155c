"""Thousands of cameras from one real RTSP server: what the load tests and the benchmarks read."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress

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

    def _start(self, port: int = 0) -> None:
        super()._start(port)
        self._idle: list[socket.socket] = []

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
        if self.auth is None:
            self._idle = [_player(self.port, self.url(_PATTERN % n)) for n in range(len(self.shown))]
            threading.Thread(target=_drain, args=(self._idle,), daemon=True).start()

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

    def kill(self) -> None:
        """See RtspServer."""
        self._forget_idle()
        super().kill()

    def close(self) -> None:
        """See RtspServer."""
        self._forget_idle()
        super().close()

    def _forget_idle(self) -> None:
        for one in self._idle:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


def _player(port: int, url: str) -> socket.socket:
    """A client that only keeps a pipeline running: without any, it pauses, and the next one gets old packets first."""
    player = socket.create_connection(("127.0.0.1", port), timeout=20)
    session = ""
    for n, (method, field) in enumerate(
        [("DESCRIBE", "Accept: application/sdp"), ("SETUP", "Transport: RTP/AVP/TCP;interleaved=0-1"), ("PLAY", "")], 1
    ):
        target = f"{url}/stream=0" if method == "SETUP" else url
        lines = [
            f"{method} {target} RTSP/1.0",
            f"CSeq: {n}",
            *([session] if session else []),
            *([field] if field else []),
        ]
        player.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = player.recv(65536).decode("latin-1")
        if " 200 " not in answer.partition("\r\n")[0]:
            raise OSError(f"{method} {url}: {answer[:40]}")
        if method == "SETUP":
            session = next(line.partition(";")[0] for line in answer.split("\r\n") if line.startswith("Session:"))
    return player


def _drain(players: list[socket.socket]) -> None:
    left = set(players)
    buffer = bytearray(1 << 18)
    while left:
        for one in list(left):
            try:
                one.settimeout(2.0)
                if not one.recv_into(buffer):
                    raise OSError
            except OSError:
                left.discard(one)
                one.close()
        time.sleep(0.2)
