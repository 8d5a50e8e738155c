"""One run: a hub, a worker and a broker, publishers, and what is sampled while they work."""

from __future__ import annotations

import csv
import json
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from tests.bench.ingest.watched import Use
from tests.e2e.city import ROOT, City
from tests.peers.mosquitto import Mosquitto

READINGS_A_MESSAGE = 2


@dataclass(frozen=True, slots=True)
class Sample:
    """Where everything stood at one moment."""

    at_s: float
    judged: int
    """Messages that the worker has judged, kept and acknowledged (as it last reported)."""
    stored: int
    """Readings in the hub."""
    waiting: int
    """Readings in the worker's spool that the hub does not have (as last reported)."""
    worker: Use
    hub: Use
    broker: Use


@dataclass
class Job:
    """`with Job(folder, bins, alarms) as job`: everything runs and is subscribed."""

    folder: Path
    bins: int
    alarms: int
    database: str = ""
    samples: list[Sample] = field(default_factory=list)

    def __enter__(self) -> Job:
        self._stack = ExitStack()
        self.broker = self._stack.enter_context(Mosquitto())
        settings: dict[str, Any] = {"sensor_list": str(self._sensors()), "device_readings_per_s": 0}
        if self.database:
            settings["database"] = self.database
        self.city = self._stack.enter_context(City(self.folder, broker=self.broker.url, **settings))
        assigned = f"assigned 0 cameras, {self.bins + self.alarms} sensors"
        self.city.until(lambda: self.city.worker.said(assigned), 60, assigned)
        self.city.listening()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _sensors(self) -> Path:
        path = self.folder / "sensors.csv"
        with path.open("w", newline="") as file:
            out = csv.writer(file)
            out.writerow(["id", "name", "device", "profile", "every_s", "lon", "lat"])
            for kind, count, profile in (("bin", self.bins, "bin_level"), ("smoke", self.alarms, "smoke")):
                out.writerows(
                    [f"{kind}-{n}", f"{kind} {n}", f"{kind}-{n}", profile, 600, 107.63, 35.73] for n in range(count)
                )
        return path

    def _figures(self) -> dict[str, float]:
        lines = httpx.get(f"{self.city.url}/metrics", timeout=60).text.splitlines()
        words = (line.split() for line in lines if not line.startswith("#") and "{" not in line)
        return {name: float(value) for name, value in words}

    def sample(self) -> Sample:
        """One more moment."""
        figures = self._figures()
        made = Sample(
            time.time(),
            int(figures.get("gridhub_broker_messages_total", 0)),
            int(figures["gridhub_readings_total"]),
            int(figures.get("gridhub_spool_readings", 0)),
            Use.of(self.city.worker.pid),
            Use.of(self.city.hub.pid),
            Use.of(self.broker.pid),
        )
        self.samples.append(made)
        return made

    def publish(self, rate: float, seconds: float, publishers: int, alarm_s: float) -> list[subprocess.Popen[str]]:
        """Publishers of together `rate` messages a second, at work; each has its own bins, the first the alarms."""
        command = [sys.executable, "-m", "tests.bench.sensors.publisher", str(self.broker.port)]
        share = self.bins // publishers
        started = []
        for n in range(publishers):
            load = {"rate": rate / publishers, "seconds": seconds, "first": n * share, "devices": share}
            load |= {"alarm-s": alarm_s, "alarms": self.alarms} if n == 0 else {}
            options = [f"--{name}={value}" for name, value in load.items()]
            started.append(subprocess.Popen([*command, *options], cwd=ROOT, stdout=subprocess.PIPE, text=True))
        return started

    def publish_all(self, count: int) -> None:
        """So many messages as fast as the broker takes them."""
        command = [sys.executable, "-m", "tests.bench.sensors.publisher", str(self.broker.port)]
        options = ["--rate=1e6", "--seconds=600", f"--count={count}", f"--devices={self.bins}"]
        subprocess.run([*command, *options], cwd=ROOT, check=True, capture_output=True)

    def until_stored(self, readings: int, timeout_s: float) -> Sample:
        """Wait until the hub has that many, sampling."""
        deadline_s = time.time() + timeout_s
        while (now := self.sample()).stored < readings and time.time() < deadline_s:
            time.sleep(0.2)
        return now

    def delays_s(self) -> tuple[list[float], list[float]]:
        """From publishing an alarm: until its finding was in the worker's spool, until the hub had it as an alert."""
        found = (re.match(r"(\S+ \S+) I worker.sensing: found (\w+) ", line) for line in self.city.worker.lines)
        said = {m[2]: datetime.strptime(m[1], "%Y-%m-%d %H:%M:%S,%f").astimezone(UTC) for m in found if m}
        spooled, alerted = [], []
        with sqlite3.connect(f"file:{self.folder / 'hub' / 'hub.sqlite'}?mode=ro", uri=True) as db:
            for id_, at, received_at in db.execute("SELECT id, at, received_at FROM findings"):
                began = _utc(at)
                alerted.append((_utc(received_at) - began).total_seconds())
                if id_ in said:
                    spooled.append((said[id_] - began).total_seconds())
        db.close()
        return spooled, alerted

    def distinct(self) -> int:
        """Readings in the hub's own tables, counted there."""
        with sqlite3.connect(f"file:{self.folder / 'hub' / 'hub.sqlite'}?mode=ro", uri=True) as db:
            names = [name for (name,) in db.execute("SELECT name FROM partitions WHERE grain = 'raw'")]
            count = sum(int(db.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0]) for name in names)
        db.close()
        return count


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def told(publishers: Sequence[subprocess.Popen[str]]) -> list[dict[str, Any]]:
    """What the publishers say at their end."""
    return [json.loads(process.communicate()[0].splitlines()[-1]) for process in publishers]
