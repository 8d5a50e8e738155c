"""A whole hub over HTTP on both databases, with a clock that tests move."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import cv2
import httpx
import numpy as np
import pytest
from sqlalchemy import Table

from detectors.finding import Finding
from detectors.geometry import Zone
from hub.api.access import COOKIE
from hub.bootstrap import Hub, build_hub, read_rules
from hub.brake import Brake
from hub.config import Settings, default_settings
from hub.people import token_hash
from hub.registry import CameraEntry, TaskEntry
from hub.sensing import Door
from hub.serving import Serving, claim_port
from hub.store import Database
from hub.store.partitions import Grain, drop_before
from hub.store.rows import Row, SessionRow, UserRow
from ingest.device import Camera, Place, Sensor
from tests.peers import postgres

DATABASES = ("sqlite", "postgresql")
MONDAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
"""10:00 in Shanghai, a working time."""


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Postgres]:
    with postgres.serving() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite database of the newest version, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "hub.sqlite"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    database.close()
    return path


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path, migrated_file: Path) -> str:
    if request.param == "sqlite":
        shutil.copy(migrated_file, tmp_path / "hub.sqlite")
        return f"sqlite:///{tmp_path / 'hub.sqlite'}"
    server: postgres.Postgres = request.getfixturevalue("postgres_server")
    return server.empty_database()


@dataclass
class Clock:
    """Stands still until a test moves it."""

    time: datetime = MONDAY

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **by: float) -> None:
        self.time += timedelta(**by)


@dataclass
class City:
    """A hub with two cameras, a sensor and signed-in people."""

    hub: Hub
    clock: Clock
    url: str
    clients: dict[str, httpx.Client] = field(default_factory=dict)
    furnished: dict[Table, list[dict[str, Any]]] = field(default_factory=dict)
    """What lies in its tables when a test begins: putting it back is much cheaper than preparing the hub again."""

    def who(self, user: str) -> httpx.Client:
        """The browser of a person, signed in; "worker" has the bearer token, "nobody" nothing."""
        if user not in self.clients:
            client = httpx.Client(base_url=self.url, timeout=30, trust_env=False)
            if user == "worker":
                client.headers["Authorization"] = f"Bearer {self.hub.worker_token_file.read_text()}"
            elif user != "nobody":
                client.headers["X-Gridhub"] = "1"
                # Signing in with a password takes its time on purpose; test_sign_in.py does it.
                cookie = f"cookie-of-{user}-{uuid4().hex}"
                client.cookies.set(COOKIE, cookie)
                with self.hub.house.db.write() as tx:
                    expires_at = self.clock() + timedelta(days=365)
                    row = SessionRow(token_hash=token_hash(cookie), user_id=user, created_at=self.clock())
                    row.expires_at = expires_at
                    tx.add(row)
            self.clients[user] = client
        return self.clients[user]

    def sign_all_out(self) -> None:
        """Close every browser."""
        for client in self.clients.values():
            client.close()
        self.clients.clear()

    def finding(self, **changes: Any) -> Finding:
        """Rubbish at camera c1, ten seconds ago."""
        at = self.clock() - timedelta(seconds=10)
        made = Finding(
            id=uuid4().hex,
            kind="garbage_exposed",
            at=at,
            since=at - timedelta(minutes=10),
            score=0.8,
            camera="c1",
            boxes=((0.1, 0.2, 0.3, 0.4),),
            model=("street", "1"),
        )
        return replace(made, **changes)

    def post_finding(self, finding: Finding, **files: bytes) -> dict[str, Any]:
        """As the worker posts it; `files` are pictures by role."""
        answer = self.send(finding, **files)
        assert answer.status_code in (200, 201), answer.text
        return dict(answer.json())

    def send(self, finding: Finding, **files: bytes) -> Any:
        """The bare answer."""
        wire, parts = finding.to_wire(), []
        for role, content in files.items():
            sha256 = hashlib.sha256(content).hexdigest()
            wire["evidence"].append({"role": role, "sha256": sha256, "media_type": "image/jpeg"})
            parts.append((sha256, (sha256, content, "image/jpeg")))
        worker = self.who("worker")
        if not parts:
            return worker.post("/api/findings", json=wire)
        return worker.post("/api/findings", data={"finding": json.dumps(wire)}, files=parts)

    def case(self, **changes: Any) -> dict[str, Any]:
        """A case that was found and confirmed."""
        taken = self.post_finding(self.finding(**changes))
        answer = self.who("wang").post(f"/api/alerts/{taken['alert']}/confirm", json={})
        assert answer.status_code == 200, answer.text
        return dict(answer.json()["case"])

    def report(self, user: str = "shou", **body: Any) -> dict[str, Any]:
        """Something reported through a channel: {outcome, case}."""
        wanted = {"channel": "hotline", "category": "06010", "description": "路边有垃圾", "address": "东大街5号"}
        answer = self.who(user).post("/api/cases", json={**wanted, **body})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def refused(self, user: str, case: str, action: str, **body: Any) -> dict[str, Any]:
        """The problem document of a move that must not succeed."""
        answer = self.who(user).post(f"/api/cases/{case}/{action}", json=body)
        assert answer.status_code in (403, 404, 409, 422), (answer.status_code, answer.text)
        return dict(answer.json())

    def read(self, case: str, user: str = "boss") -> dict[str, Any]:
        """The whole case."""
        answer = self.who(user).get(f"/api/cases/{case}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def sweep(self) -> int:
        """Let everything happen whose time has come."""
        return self.hub.timers.sweep()

    def move(self, user: str, case: str, action: str, **body: Any) -> dict[str, Any]:
        """A move that must succeed."""
        answer = self.who(user).post(f"/api/cases/{case}/{action}", json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


PEOPLE = (
    ("wang", "staff", None),
    ("li", "staff", None),
    ("huan", "department", "sanitation"),
    ("zhao", "department", "enforcement"),
    ("eng", "engineer", None),
    ("boss", "admin", None),
    ("shou", "acceptor", None),
    ("pai", "dispatcher", None),
    ("ban", "shift_leader", None),
    ("wangge", "collector", None),
    ("lead", "department_lead", "sanitation"),
    ("gong", "handler", "sanitation"),
    ("kao", "evaluator", None),
    ("ling", "leader", None),
    ("shen", "auditor", None),
)


def jpeg(shade: int = 128) -> bytes:
    """A small picture."""
    done, content = cv2.imencode(".jpg", np.full((36, 64, 3), shade, np.uint8))
    assert done
    return bytes(content)


def furnish(hub: Hub) -> None:
    """Devices and people."""
    place = Place(107.64, 35.73, "北大街1号")
    zone = Zone("门前", ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0)))
    hub.registry.import_cameras(
        [
            CameraEntry(
                Camera("c1", "北大街", "rtsp://admin:secret@10.0.0.7/1", place=place),
                (TaskEntry("garbage_exposed"), TaskEntry("goods_pile", "门前", 60.0)),
                (zone,),
            ),
            CameraEntry(Camera("c2", "南大街", "rtsp://10.0.0.8/1", place=Place(107.65, 35.72, "南大街2号"))),
        ]
    )
    hub.registry.import_sensors([Sensor("s1", "垃圾桶 7", "bin-7", "bin_level", place=place)])
    with hub.house.db.write() as tx:
        for user, role, unit in PEOPLE:
            tx.add(
                UserRow(
                    id=user,
                    name=f"{user}先生",
                    role=role,
                    department_id=unit,
                    password_hash="made without a password",
                    must_change_password=False,
                    active=True,
                    created_at=hub.house.now(),
                )
            )


@pytest.fixture(scope="session")
def rules() -> Any:
    return read_rules(default_settings(Path("unused")))


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return replace(default_settings(tmp_path / "data"), database_url=database_url)


@contextmanager
def serving_hub(settings: Settings, rules: Any, **parts: Any) -> Iterator[City]:
    """A hub behind a real HTTP server."""
    clock = Clock()
    hub = build_hub(settings, rules=rules, now=clock, **parts)
    hub.start()
    hub.timers.end()  # tests sweep by hand, when they have moved the clock
    sock = claim_port("127.0.0.1", 0)
    serving = Serving(hub.app, sock, settings.proxies)
    serving.start()
    made = City(hub, clock, f"http://127.0.0.1:{sock.getsockname()[1]}")
    try:
        yield made
    finally:
        made.sign_all_out()
        hub.house.feed.close()
        serving.end()
        hub.stop()


@contextmanager
def serving_city(settings: Settings, rules: Any, **parts: Any) -> Iterator[City]:
    """The same, furnished."""
    with serving_hub(settings, rules, **parts) as made:
        furnish(made.hub)
        yield made


@pytest.fixture(scope="session")
def standing_sqlite(rules: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with serving_hub(default_settings(tmp_path_factory.mktemp("sqlite") / "data"), rules) as made:
        yield made


@pytest.fixture(scope="session")
def standing_postgresql(
    rules: Any, tmp_path_factory: pytest.TempPathFactory, postgres_server: postgres.Postgres
) -> Iterator[City]:
    settings = default_settings(tmp_path_factory.mktemp("postgresql") / "data")
    with serving_hub(replace(settings, database_url=postgres_server.fresh_database()), rules) as made:
        yield made


@pytest.fixture(params=DATABASES)
def standing(request: pytest.FixtureRequest) -> City:
    """One hub a database for all tests that need nothing special; `city` empties it before each.

    No parameter of the session: pytest would end one hub and start the other twice in each file.
    """
    made: City = request.getfixturevalue(f"standing_{request.param}")
    return made


@pytest.fixture
def city(standing: City) -> City:
    hub = standing.hub
    standing.sign_all_out()
    standing.clock.time = MONDAY
    with hub.house.db.write() as tx:
        for grain in Grain:
            drop_before(tx, grain, 2**62)
        for table in reversed(Row.metadata.sorted_tables):
            tx.execute(table.delete())
        for table, rows in standing.furnished.items():
            tx.execute(table.insert(), rows)
    hub.house.readings.forget_numbers()
    hub.house.tally.counts.clear()
    hub.house.tally.workers.clear()
    hub.house.tally.sessions.clear()
    hub.house.tally.unsure.clear()
    hub.notices.start_over()
    hub.app.state.brake, hub.app.state.door = Brake(), Door()
    if not standing.furnished:
        hub.prepare()
        furnish(hub)
        with hub.house.db.read() as tx:
            for table in Row.metadata.sorted_tables:
                if rows := [dict(row) for row in tx.execute(table.select()).mappings()]:
                    standing.furnished[table] = rows
    return standing
