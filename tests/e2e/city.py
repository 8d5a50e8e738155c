"""A whole hub for end-to-end tests: hub and worker as real processes, people signed in over HTTP."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
import yaml

from hub.bootstrap import Hub, build_hub
from hub.config import load
from hub.serving import Serving, claim_port
from tests.peers import PATIENCE, free_port

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery staple 9"
Json = dict[str, Any]
T = TypeVar("T")


class Process:
    """One of ours as a child process, with its output kept for the failure message."""

    def __init__(self, name: str, arguments: list[str]) -> None:
        self.name, self._arguments = name, arguments
        self.lines: list[str] = []
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "hub.cli", *self._arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        threading.Thread(target=self._listen, args=(self._process,), daemon=True).start()

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        for line in process.stdout:
            self.lines.append(line.rstrip())

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def kill(self) -> None:
        """SIGKILL, as when the machine loses its power."""
        assert self._process
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def end(self) -> int:
        """SIGTERM; returns the exit status."""
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.terminate()
        try:
            return self._process.wait(15 * PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGUSR1)  # where does every thread stand?
            time.sleep(1)
            self.kill()
            pytest.fail(f"{self.name} did not end in time after SIGTERM:\n" + "\n".join(self.lines[-120:]))

    def said(self, pattern: str) -> re.Match[str] | None:
        return next((m for line in list(self.lines) if (m := re.search(pattern, line))), None)


class Inside(Process):
    """A hub in this process, started and ended like one apart: that spares its imports. It cannot be killed."""

    def __init__(self, config: Path) -> None:
        super().__init__("hub", [])
        self._config = config
        self._hub: Hub | None = None

    def start(self) -> None:
        settings = load(self._config)
        sock = claim_port(settings.listen_host, settings.listen_port)
        self._hub = build_hub(settings)
        self._hub.start()
        self._serving = Serving(self._hub.app, sock)
        self._serving.start()
        self.lines = [f"one-time password {self._hub.first_password}"] if self._hub.first_password else []

    @property
    def runs(self) -> bool:
        return self._hub is not None

    def kill(self) -> None:
        raise NotImplementedError("a hub inside the test's own process")

    def end(self) -> int:
        if self._hub is not None:
            self._hub.house.feed.close()
            self._serving.end()
            self._hub.stop()
            self._hub = None
        return 0


class City:
    """`with City(folder) as city:` starts hub and worker; the rest is what people and departments do.

    `inside`: the hub is no process of its own. `settings` are keys of hub.yaml.
    """

    def __init__(self, folder: Path, broker: str = "", inside: bool = False, **settings: Any) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.config = config = folder / "hub.yaml"
        shipped = {
            "kinds": "configs/kinds",
            "sensors": "configs/sensors",
            "models": "models",
            "categories": "configs/categories",
            "departments": "configs/departments.yaml",
            "calendar": "configs/calendar.yaml",
        }
        config.write_text(
            yaml.safe_dump(
                {key: str(ROOT / path) for key, path in shipped.items()}
                | {"data_dir": str(folder / "hub"), "listen_port": self.port, "workers": 0, "broker": broker}
                | {"recheck_looks": 2, "recheck_every_s": 1}
                | settings
            )
        )
        self.hub = Inside(config) if inside else Process("hub", ["run", "--config", str(config)])
        token = str(folder / "hub" / "worker.token")
        work = ["work", "--hub", self.url, "--token-file", token, "--shard", "0/1", "--data", str(folder / "worker")]
        self.worker = Process("worker", work)
        self._clients: list[httpx.Client] = []

    def __enter__(self) -> City:
        self.start_hub()
        self.admin = self._first_sign_in()
        self.worker.start()
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._clients:
            client.close()
        ends = [process.end() for process in (self.worker, self.hub) if process.runs]
        assert not any(ends), f"exit statuses {ends}\n{self.tail()}"

    def start_hub(self) -> None:
        """Start the hub and wait until it answers."""
        self.hub.start()
        self.until(self._healthy, 60, "the hub answers")

    def _healthy(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz", timeout=10).status_code == 200
        except httpx.TransportError:
            return False

    def tail(self) -> str:
        """The last lines that hub and worker said."""
        return "\n".join(f"[{p.name}] {line}" for p in (self.hub, self.worker) for line in p.lines[-25:])

    def until(self, value: Callable[[], T], timeout_s: float, what: str) -> T:
        """Poll until `value()` is true and return it; a failure shows what the processes said."""
        deadline = time.monotonic() + PATIENCE * timeout_s
        while not (result := value()):
            if time.monotonic() > deadline:
                pytest.fail(f"not within {PATIENCE * timeout_s} s: {what}\n{self.tail()}")
            time.sleep(0.1)
        return result

    def figure(self, name: str) -> float:
        """The hub's metric of that name, which has no labels; 0 where there is none yet."""
        lines = httpx.get(f"{self.url}/metrics", timeout=20).text.splitlines()
        return next((float(line.split()[1]) for line in lines if line.startswith(f"{name} ")), 0.0)

    def listening(self) -> None:
        """Wait until the worker has subscribed: what is published to nobody is lost."""
        self.until(lambda: self.figure("gridhub_broker_connected") == 1, 60, "the worker has subscribed")

    # ── people ──

    def client(self) -> httpx.Client:
        client = httpx.Client(base_url=self.url, headers={"X-Gridhub": "1"}, timeout=60)
        self._clients.append(client)
        return client

    def _sign_in(self, user: str, one_time: str) -> httpx.Client:
        client = self.client()
        answer = client.post("/api/session", json={"user": user, "password": one_time})
        assert answer.status_code == 200, answer.text
        assert answer.json()["must_change_password"] is True
        changed = client.post("/api/session/password", json={"old": one_time, "new": PASSWORD})
        assert changed.status_code < 300, changed.text
        return client

    def _first_sign_in(self) -> httpx.Client:
        match = self.until(lambda: self.hub.said(r"one-time password (\S+)"), 10, "the first password is printed")
        return self._sign_in("admin", match[1])

    def person(self, name: str, role: str, department: str | None = None) -> httpx.Client:
        """A new user of `role`, made by the administrator, who has chosen a password of their own."""
        row = {"user": name, "name": name, "role": role} | ({"department": department} if department else {})
        return self._sign_in(name, self.add("users", row)["one_time_password"])

    # ── what stands in the hub ──

    def add(self, route: str, row: Json) -> Json:
        """POST a camera, sensor or zone as the administrator."""
        answer = self.admin.post(f"/api/{route}", json=row)
        assert answer.status_code in (200, 201), answer.text
        body: Json = answer.json()
        return body

    def get(self, client: httpx.Client, route: str, **parameters: Any) -> Json:
        answer = client.get(f"/api/{route}", params=parameters)
        assert answer.status_code == 200, f"{route}: {answer.text}\n{self.tail()}"
        body: Json = answer.json()
        return body

    def do(self, client: httpx.Client, route: str, body: Json | None = None) -> Json:
        """POST an action that must succeed."""
        answer = client.post(f"/api/{route}", json=body or {})
        assert answer.status_code in (200, 201), f"{route}: {answer.status_code} {answer.text}\n{self.tail()}"
        result: Json = answer.json()
        return result

    def evidence(self, client: httpx.Client, item: Json) -> bytes:
        answer = client.get(item["url"])
        assert answer.status_code == 200, answer.text
        return answer.content
