"""The hub as running processes: the API under uvicorn here, the workers as children that never outlive it."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import uvicorn

from .config import Settings

log = logging.getLogger("hub.serving")

_PR_SET_PDEATHSIG = 1


class PortBusy(OSError):
    """Somebody else listens where the hub should."""


def claim_port(host: str, port: int) -> socket.socket:
    """A listening socket, so that a busy port is known before anything starts. Raises PortBusy."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(1024)
    except OSError as error:
        sock.close()
        raise PortBusy(f"{host}:{port}: {error.strerror}; choose another port") from None
    return sock


class Children:
    """Processes that are ended with this one, in whatever way it ends."""

    def __init__(self) -> None:
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []

    def start(self, name: str, command: Sequence[str], env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start `command`; on Linux the kernel ends it should this process be killed."""
        process = subprocess.Popen(
            list(command), env={**os.environ, **(env or {})}, preexec_fn=_die_with_parent, stdin=subprocess.DEVNULL
        )
        self._running.append((name, process))
        return process

    def ended(self) -> list[str]:
        """Names of those that ended by themselves."""
        return [name for name, process in self._running if process.poll() is not None]

    def end(self, timeout_s: float = 10.0) -> None:
        """SIGTERM to all, wait, SIGKILL to the rest."""
        for _name, process in self._running:
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + timeout_s
        for _name, process in self._running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def start_worker(children: Children, settings: Settings, hub_url: str, token_file: Path, shard: str) -> None:
    """One worker process for `shard` ("0/1"), with its own folder under the hub's data folder."""
    folder = settings.data_dir / "workers" / shard.replace("/", "-of-")
    command = [sys.executable, "-m", "hub.cli", "work", "--hub", hub_url, "--token-file", str(token_file)]
    command += ["--shard", shard, "--data", str(folder), "--models", str(settings.models_dir)]
    command += ["--timezone", settings.timezone.key]
    children.start(f"worker {shard}", command)


class Serving:
    """An ASGI app on a claimed socket, in a thread of its own, until `end`."""

    def __init__(self, app: object, sock: socket.socket) -> None:
        # Event streams stay open for hours: at the end they get two seconds, not for ever.
        config = uvicorn.Config(
            app,  # type: ignore[arg-type]
            log_level="warning",
            timeout_graceful_shutdown=2,
            lifespan="off",
            server_header=False,
        )
        self._server = uvicorn.Server(config)
        self._sock = sock
        self._thread = threading.Thread(target=self._server.run, args=([sock],), name="api", daemon=True)

    def start(self, timeout_s: float = 30.0) -> None:
        """Return once requests are answered."""
        self._thread.start()
        deadline = time.monotonic() + timeout_s
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the API did not start; the lines above say why")
            time.sleep(0.01)

    def end(self) -> None:
        """Finish the requests in hand and return."""
        self._server.should_exit = True
        self._thread.join(timeout=10)
        self._sock.close()


def wait_for_end(minutes: float | None, stop: threading.Event, watch: Callable[[], None]) -> None:
    """Block until `stop`, SIGINT or SIGTERM, or `minutes` have gone by; call `watch` every half second."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    deadline = None if minutes is None else time.monotonic() + minutes * 60
    while not stop.wait(0.5):
        watch()
        if deadline is not None and time.monotonic() >= deadline:
            return
