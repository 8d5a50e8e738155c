"""A real RTSP server (gst-rtsp-server) whose cameras show clips from files, and change them when told."""

from __future__ import annotations

import subprocess
import tempfile
import threading
from pathlib import Path
from queue import Empty, Queue

import pytest

from . import need_gi, stop_process
from .clips import write_units

_SCRIPT = Path(__file__).with_name("_gst_rtsp.py")


class RtspServer:
    """`with RtspServer() as server: url = server.play("/cam1", clip)`; auth: ("digest" or "basic", user, password)."""

    def __init__(self, auth: tuple[str, str, str] | None = None) -> None:
        self.auth = auth
        self._units = tempfile.TemporaryDirectory(prefix="rtsp-units-")
        self._answers: Queue[str] = Queue()
        self._n = 0
        self._start()

    def _start(self, port: int = 0) -> None:
        self._process = subprocess.Popen(
            [need_gi("Gst", "GstRtspServer"), str(_SCRIPT), str(port), *(self.auth or ())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        threading.Thread(target=self._listen, args=(self._process, self._answers), daemon=True).start()
        word, _, port = self._answer().partition(" ")
        assert word == "ready", word
        self.port = int(port)

    @staticmethod
    def _listen(process: subprocess.Popen[bytes], answers: Queue[str]) -> None:
        assert process.stdout
        for line in process.stdout:
            answers.put(line.decode().strip())
        answers.put("error: the RTSP server ended")

    def _answer(self) -> str:
        try:
            return self._answers.get(timeout=20)
        except Empty:
            pytest.fail("the RTSP server did not answer within 20 s")

    def _tell(self, line: str) -> str:
        assert self._process.stdin
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()
        answer = self._answer()
        word, _, rest = answer.partition(" ")
        assert word == "ok", f"{line}: {answer}"
        return rest

    def play(self, path: str, clip: Path) -> str:
        """Show `clip` (MP4, H.264 or H.265, no B frames) at `path` from now on, looped; returns the URL."""
        self._n += 1
        codec, rate, units = write_units(clip, Path(self._units.name) / f"{self._n}.units")
        self._tell(f"play {path} {codec} {rate.numerator}/{rate.denominator} {units}")
        return self.url(path)

    def hush(self, path: str) -> None:
        """Send nothing at `path` any more; connections stay open."""
        self._tell(f"stop {path}")

    def url(self, path: str, user: str | None = None, password: str | None = None) -> str:
        """The camera's URL, with the right user and password unless others are given."""
        if user is None and self.auth:
            _, user, password = self.auth
        sign_in = f"{user}:{password}@" if user is not None else ""
        return f"rtsp://{sign_in}127.0.0.1:{self.port}{path}"

    def kill(self) -> None:
        """SIGKILL, as when a camera loses its power."""
        self._process.kill()
        stop_process(self._process)

    def start_again(self) -> None:
        """After `kill`: the same port, nothing playing yet."""
        self._answers = Queue()
        self._start(self.port)

    def close(self) -> None:
        """Stop the server and remove its files."""
        stop_process(self._process)
        self._units.cleanup()

    def __enter__(self) -> RtspServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
