"""The hub as running processes: the API under uvicorn here, the workers as children that never outlive it."""

from __future__ import annotations

import ctypes
import logging
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from .config import Settings

log = logging.getLogger("hub.serving")

_PR_SET_PDEATHSIG = 1
_REVIVE_S = 5.0


class PortBusy(OSError):
    """Somebody else listens where the hub should."""


def claim_port(host: str, port: int) -> socket.socket:
    """A listening socket, so that a busy port is known before anything starts. Raises PortBusy."""
    # The protocol must be named: asyncio switches Nagle's algorithm off for sockets that say they are TCP, and with it
    # on, every short answer waits 40 ms for the acknowledgement of its own headers.
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(1024)
    except OSError as error:
        sock.close()
        raise PortBusy(f"{host}:{port}: {error.strerror}; choose another port") from None
    return sock


@dataclass(slots=True)
class _Child:
    name: str
    command: list[str]
    log_file: Path | None
    process: subprocess.Popen[bytes]
    started: float


class Children:
    """Processes that are started again when they fail, and ended with this one in whatever way it ends."""

    def __init__(self) -> None:
        self._running: list[_Child] = []

    def start(self, name: str, command: Sequence[str], log_file: Path | None = None) -> subprocess.Popen[bytes]:
        """Start `command`, what it says appended to `log_file`; on Linux the kernel ends it should we be killed."""
        child = _Child(name, list(command), log_file, _spawn(command, log_file), time.monotonic())
        self._running.append(child)
        return child.process

    def revive(self) -> None:
        """Start again what ended by itself, each at most once in five seconds."""
        for child in self._running:
            if child.process.poll() is not None and time.monotonic() - child.started > _REVIVE_S:
                log.error("%s ended with status %d; starting it again", child.name, child.process.returncode)
                child.process, child.started = _spawn(child.command, child.log_file), time.monotonic()

    def end(self, timeout_s: float = 10.0) -> None:
        """SIGTERM to all, wait, SIGKILL to the rest."""
        for child in self._running:
            if child.process.poll() is None:
                child.process.terminate()
        deadline = time.monotonic() + timeout_s
        for child in self._running:
            try:
                child.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
        self._running.clear()


def _spawn(command: Sequence[str], log_file: Path | None) -> subprocess.Popen[bytes]:
    if log_file is None:
        return subprocess.Popen(list(command), preexec_fn=_die_with_parent, stdin=subprocess.DEVNULL)
    with log_file.open("ab") as log_to:
        return subprocess.Popen(
            list(command), preexec_fn=_die_with_parent, stdin=subprocess.DEVNULL, stdout=log_to, stderr=log_to
        )


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def start_worker(
    children: Children, settings: Settings, hub_url: str, token_file: Path, shard: str, log_file: Path | None = None
) -> None:
    """One worker process for `shard` ("0/1"), with its own folder under the hub's data folder."""
    folder = settings.data_dir / "workers" / shard.replace("/", "-of-")
    command = [sys.executable, "-m", "hub.cli", "work", "--hub", hub_url, "--token-file", str(token_file)]
    command += ["--shard", shard, "--data", str(folder), "--models", str(settings.models_dir)]
    command += ["--timezone", settings.timezone.key]
    children.start(f"worker {shard}", command, log_file)


class Serving:
    """An ASGI app on a claimed socket, in a thread of its own, until `end`."""

    def __init__(self, app: object, sock: socket.socket, proxies: Sequence[str] = ()) -> None:
        """`proxies`: whose word is taken for whom they speak for (X-Forwarded-For) and how (X-Forwarded-Proto)."""
        # Event streams stay open for hours: at the end they get two seconds, not for ever.
        config = uvicorn.Config(
            app,  # type: ignore[arg-type]
            log_level="warning",
            timeout_graceful_shutdown=2,
            lifespan="off",
            server_header=False,
            forwarded_allow_ips=list(proxies),
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
        """Finish the requests in hand and return; may be called of one that never started."""
        self._server.should_exit = True
        if self._thread.ident is not None:
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
