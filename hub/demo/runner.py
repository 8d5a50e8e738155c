"""`gridhub demo`: hub, worker, broker and street simulator started in one go, and ended together."""

from __future__ import annotations

import base64
import contextlib
import logging
import secrets
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..config import Settings, Webhook, shipped
from ..serving import Children, PortBusy, Serving, claim_port, start_worker, wait_for_end
from .announcing import NoAnnouncement, await_port
from .answers import HANDLED
from .district import District
from .furnishing import FurnishingFailed, furnish

if TYPE_CHECKING:
    from ..bootstrap import Hub

log = logging.getLogger("hub.demo")

HOST = "127.0.0.1"
OK, FAILED = 0, 1


class DemoFailed(RuntimeError):
    """A part of the demo could not be started, or ended too early; the text says which."""


def run_demo(port: int, data: Path | None, minutes: float | None) -> int:
    """Run until Ctrl-C or SIGTERM, or for `minutes`. Returns 0, or 1 where the port is busy or a part failed."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    try:
        sock = claim_port(HOST, port)
    except PortBusy as error:
        print(f"gridhub demo: {error} (--port)", file=sys.stderr)
        return FAILED
    with contextlib.ExitStack() as ends:
        folder = data or Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="gridhub-demo-")))
        children = Children()
        ends.callback(children.end)
        try:
            demo = Demo(folder.absolute(), port, children)
            ends.callback(demo.end)
            demo.start(sock)
            print(demo.summary(minutes), flush=True)
            wait_for_end(minutes, stop, demo.watch)
        except (DemoFailed, NoAnnouncement, FurnishingFailed) as error:
            print(f"gridhub demo: {error}", file=sys.stderr)
            return FAILED
    return OK


class Demo:
    """The running parts. `start` brings them up in an order in which each finds what it needs."""

    def __init__(self, folder: Path, port: int, children: Children) -> None:
        self._folder, self._port, self._children = folder, port, children
        self._config = shipped("configs") / "demo"
        self._district = District.load(self._config)
        self._secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
        self._hub: Hub | None = None
        self._serving: Serving | None = None
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def url(self) -> str:
        """Where the hub answers."""
        return f"http://{HOST}:{self._port}"

    def start(self, sock: socket.socket) -> None:
        """Start everything; the hub answers on `sock` when this returns. Raises DemoFailed, NoAnnouncement."""
        broker_at = self._child("broker", "hub.demo.broker", [])
        from ..bootstrap import build_hub  # a second of imports, while the broker starts

        broker = f"mqtt://{HOST}:{broker_at()}"
        street_at = self._child(
            "street simulator", "hub.demo.simulator", ["--config", str(self._config), "--broker", broker]
        )
        street = f"{HOST}:{street_at()}"
        settings = self._settings(broker, street)
        self._hub = build_hub(settings)
        self._hub.start()
        furnish(self._hub.registry, self._district, street, self._folder)
        self._serving = Serving(self._hub.app, sock)
        self._serving.start()
        start_worker(self._children, settings, self.url, self._hub.worker_token_file, "0/1")

    def watch(self) -> None:
        """Raises DemoFailed when a part has ended by itself."""
        if ended := self._children.ended():
            raise DemoFailed(f"{', '.join(ended)} ended by itself; the lines above say why")

    def end(self) -> None:
        """End the hub's own parts (the children are ended by who made them)."""
        if self._serving is not None:
            self._serving.end()
        if self._hub is not None:
            self._hub.stop()

    def summary(self, minutes: float | None) -> str:
        """What a person at the terminal needs to know."""
        people = "\n".join(f"    {a.user:<14} {a.password:<16} {a.name}" for a in self._district.accounts)
        how = f"ends by itself after {minutes:g} minutes" if minutes else "runs until Ctrl-C"
        sensors = len(self._district.simulated_sensors())
        return (
            f"gridhub demo: {self.url}\n"
            f"  A simulated district with 24 cameras and {sensors} sensors. What the screen\n"
            "  shows was found in their pictures and messages by the shipped models. The first alert comes within a\n"
            "  minute, others follow: confirm one, answer it as the department, and watch the re-check.\n"
            "  Dwell times are seconds here; a city waits minutes.\n"
            f"  Sign in as one of (user, password):\n{people}\n"
            f"  Data: {self._folder}. It {how}."
        )

    def _child(
        self, name: str, module: str, arguments: Sequence[str], env: dict[str, str] | None = None
    ) -> Callable[[], int]:
        """Start a child that announces its port; returns what waits for that port."""
        file = self._folder / f"{module.rpartition('.')[2]}.port"
        file.unlink(missing_ok=True)
        command = [sys.executable, "-m", module, "--announce", str(file), *arguments]
        process = self._children.start(name, command, env)
        return lambda: await_port(file, name, lambda: process.poll() is None)

    def _settings(self, broker: str, street: str) -> Settings:
        return Settings(
            data_dir=self._folder,
            name=self._district.name,
            district_code=self._district.district_code,
            timezone=self._district.timezone,
            listen_host=HOST,
            listen_port=self._port,
            broker_url=f"{broker}?protocol=3.1.1",
            recheck_every_s=5.0,
            webhooks=(Webhook(f"http://{street}/answers", self._secret, (HANDLED,)),),
            webhook_allow=(HOST,),
            demo=True,
        )
