"""`gridhub demo`: hub, worker, broker and street simulator started in one go, and ended together."""

from __future__ import annotations

import base64
import contextlib
import secrets
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..config import Settings, Webhook, shipped
from ..serving import Children, PortBusy, Serving, claim_port, start_worker, wait_for_end
from .answers import HANDLED
from .broker import free_port
from .district import District
from .furnishing import FurnishingFailed, furnish, hasty_profiles
from .readiness import NotReady, await_ready

if TYPE_CHECKING:
    from ..bootstrap import Hub

HOST = "127.0.0.1"
OK, FAILED = 0, 1


def run_demo(port: int, data: Path | None, minutes: float | None, config: Path | None = None) -> int:
    """Run until Ctrl-C or SIGTERM, or for `minutes`. Returns 0, or 1 where the port is busy or a part failed.

    `config`: another district's folder than the shipped `configs/demo`.
    """
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
        try:
            demo = Demo(folder.absolute(), port, children, config or shipped("configs") / "demo")
            ends.callback(demo.end)
            ends.callback(children.end)  # the last one in is the first to run: the worker ends before its hub
            demo.start(sock)
            print(demo.summary(minutes), flush=True)
            wait_for_end(minutes, stop, demo.watch)
        except (NotReady, FurnishingFailed) as error:
            print(f"gridhub demo: {error}", file=sys.stderr)
            return FAILED
    return OK


class Demo:
    """The running parts. `start` brings them up in an order in which each finds what it needs."""

    def __init__(self, folder: Path, port: int, children: Children, config: Path) -> None:
        self._folder, self._port, self._children, self._config = folder, port, children, config
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
        """Start everything; the hub answers on `sock` when this returns. Raises NotReady."""
        broker, street = f"{HOST}:{free_port()}", f"{HOST}:{free_port()}"
        secret_file = self._folder / "street.secret"
        secret_file.touch(mode=0o600)
        secret_file.write_text(self._secret, encoding="ascii")
        wait_for_broker = self._child("broker", "hub.demo.broker", broker)
        wait_for_street = self._child(
            "street simulator",
            "hub.demo.simulator",
            street,
            *("--config", str(self._config), "--broker", f"mqtt://{broker}", "--secret-file", str(secret_file)),
        )
        from ..bootstrap import build_hub  # a second of imports, while the children start

        wait_for_broker()
        wait_for_street()
        settings = self._settings(broker, street)
        self._hub = build_hub(settings)
        self._hub.start()
        furnish(self._hub.registry, self._district, street, self._folder)
        self._hub.accounts.extend(account.to_json() for account in self._district.accounts)
        self._serving = Serving(self._hub.app, sock, settings.proxies)
        self._serving.start()
        log_file = self._folder / "worker.log"
        start_worker(self._children, settings, self.url, self._hub.worker_token_file, "0/1", log_file)

    def watch(self) -> None:
        """Start again what has ended by itself."""
        self._children.revive()

    def end(self) -> None:
        """End the hub's own parts (the children are ended by who made them)."""
        if self._hub is not None:
            self._hub.house.feed.close()
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

    def _child(self, name: str, module: str, address: str, *arguments: str) -> Callable[[], None]:
        """Start a child that listens on `address`; returns what waits until it does."""
        ready = self._folder / f"{module.rpartition('.')[2]}.ready"
        ready.unlink(missing_ok=True)
        port = address.rpartition(":")[2]
        command = [sys.executable, "-m", module, "--port", port, "--ready", str(ready), *arguments]
        process = self._children.start(name, command)
        return lambda: await_ready(ready, name, lambda: process.poll() is None)

    def _settings(self, broker: str, street: str) -> Settings:
        return Settings(
            data_dir=self._folder,
            name=self._district.name,
            district_code=self._district.district_code,
            timezone=self._district.timezone,
            listen_host=HOST,
            listen_port=self._port,
            broker_url=f"mqtt://{broker}?protocol=3.1.1",
            sensors_dir=hasty_profiles(shipped("configs") / "sensors", self._folder / "sensors"),
            recheck_every_s=6.0,
            webhooks=(Webhook(f"http://{street}/answers", self._secret, (HANDLED,)),),
            webhook_allow=(HOST,),
            demo=True,
        )
