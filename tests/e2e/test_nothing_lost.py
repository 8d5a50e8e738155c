"""Hub, worker and broker are killed at random moments: every finding is one alert, once; every reading is stored."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import random
import re
import sqlite3
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import paho.mqtt.client as mqtt
import pytest

from tests.e2e.city import City, Process
from tests.peers.mosquitto import Mosquitto
from tests.peers.rendered import rendered_clip

KILLS = int(os.environ.get("GRIDHUB_KILLS", "9"))
"""Each of hub, worker and broker is killed in turn, in an order that the dice shuffle."""
SENSORS = 5


class Street(threading.Thread):
    """Publishes numbered readings at QoS 1 until ended; knows which ones the broker acknowledged, and in what order."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="street", protocol=mqtt.MQTTv5)
        self._client.max_inflight_messages_set(20)
        self._client.on_publish = self._on_publish
        self._client.reconnect_delay_set(1, 1)
        self._client.connect_async("127.0.0.1", port)
        self._lock = threading.Lock()
        self._sent: dict[int, tuple[float, str, str, float]] = {}
        self._acknowledged: list[int] = []
        self._ended = threading.Event()

    def _on_publish(self, _client: Any, _data: Any, mid: int, _reason: Any, _properties: Any) -> None:
        self._acknowledged.append(mid)

    def run(self) -> None:
        self._client.loop_start()
        number = 0
        while not self._ended.wait(0.02):
            number += 1
            device = f"well-{number % SENSORS}"
            # The cover tilts now and then: 30 readings level, 30 tilted.
            value = (40.0 if (number // SENSORS // 30) % 2 else 1.0) + number * 1e-6
            at = datetime.now(UTC)
            payload = json.dumps({"tilt_deg": value, "time": at.isoformat()})
            self._publish(device, payload, value)

    def _publish(self, device: str, payload: str, value: float) -> None:
        with self._lock:
            info = self._client.publish(f"gridhub/{device}", payload, qos=1)
            self._sent[info.mid] = (time.monotonic(), device, payload, value)

    @property
    def acknowledged(self) -> set[tuple[str, float]]:
        """(device, value) of each reading that the broker has taken."""
        with self._lock:
            return {self._sent[mid][1::2] for mid in list(self._acknowledged) if mid in self._sent}

    def repeat(self, seconds: float) -> None:
        """Send again what was sent lately: Mosquitto acknowledges before it saves, so a killed broker may forget it."""
        with self._lock:
            lately = [s for s in self._sent.values() if s[0] > time.monotonic() - seconds]
        for _at, device, payload, value in lately:
            self._publish(device, payload, value)

    def end(self) -> None:
        self._ended.set()
        self.join()
        deadline = time.monotonic() + 20
        wanted = {(device, value) for _at, device, _payload, value in self._sent.values()}
        while self.acknowledged < wanted and time.monotonic() < deadline:
            time.sleep(0.05)
        self._client.loop_stop()


def stored(city: City, device: str) -> set[float]:
    rows = city.get(city.admin, "readings", sensor=device, hours=1, limit=100_000)["items"]
    values = [row["value"] for row in rows if row["prop"] == "tilt_deg"]
    assert len(values) == len(set(values)), "a reading that was delivered twice is stored twice"
    return set(values)


def is_stored(city: City, device: str, sent: set[float]) -> bool:
    return sent <= stored(city, device)


def judge(city: City, staff: httpx.Client) -> None:
    """Reject what waits, so that there are decided and open alerts when the next kill comes."""
    try:
        items = staff.get("/api/alerts", params={"state": "pending_review"}).json()["items"]
        for alert in items:
            staff.post(f"/api/alerts/{alert['id']}/reject", json={"reason": "permitted"})
    except (httpx.TransportError, KeyError):
        return  # the hub was just killed; the next round judges


@pytest.mark.timeout(900)
def test_killed_again_and_again(tmp_path: Path) -> None:
    rng = random.Random(20261123)
    broker_folder = tmp_path / "broker"
    broker_folder.mkdir()
    with Mosquitto(broker_folder, save_every_change=True) as broker, City(tmp_path, broker=broker.url) as city:
        for index in range(SENSORS):
            row = {"id": f"well-{index}", "name": f"{index} 号井", "device": f"well-{index}", "profile": "manhole"}
            city.add("sensors", row | {"every_s": 600, "lon": 107.63, "lat": 35.73})
        clip = rendered_clip(tmp_path / "dirty.mp4", "garbage")
        row = {"id": "corner", "name": "路口", "url": f"file://{clip}", "watch": "stay", "every_s": 1}
        city.add("cameras", row | {"lon": 107.63, "lat": 35.73, "tasks": [{"kind": "garbage_exposed", "dwell_s": 1}]})
        staff = city.person("zhang", "staff")
        city.until(lambda: city.worker.said(f"assigned 1 cameras, {SENSORS} sensors"), 30, "the worker is ready")
        city.listening()
        street = Street(broker.port)
        street.start()
        victims = [("hub", "worker", "broker")[n % 3] for n in range(KILLS)]
        rng.shuffle(victims)
        for victim in victims:
            time.sleep(rng.uniform(0.2, 1.5))
            kill(victim, city, broker, street)
            judge(city, staff)
        street.end()
        assert len(street.acknowledged) > 25 * KILLS
        for index in range(SENSORS):
            sent = {value for device, value in street.acknowledged if device == f"well-{index}"}
            all_stored = functools.partial(is_stored, city, f"well-{index}", sent)
            city.until(all_stored, 90, f"every acknowledged reading of well-{index} is stored")
        city.until(lambda: spool_is_empty(tmp_path / "worker"), 90, "the worker has sent everything")
        made = {m[1] for line in city.worker.lines if (m := re.search(r"found (\w+) \(", line))}
        one_alert_each(tmp_path / "hub" / "hub.sqlite", made)
        evidence_verifies(city, staff)


def kill(which: str, city: City, broker: Mosquitto, street: Street) -> None:
    if which == "broker":
        broker.kill()
        broker.start()
        street.repeat(seconds=2.0)
        return
    process: Process = getattr(city, which)
    process.kill()
    if which == "hub":
        city.start_hub()
    else:
        process.start()


def spool_is_empty(folder: Path) -> bool:
    with sqlite3.connect(f"file:{folder / 'spool.sqlite'}?mode=ro", uri=True) as db:
        (waiting,) = db.execute("SELECT COUNT(*) FROM outgoing").fetchone()
        (readings,) = db.execute("SELECT COUNT(*) FROM batches WHERE seq > (SELECT seq FROM posted)").fetchone()
    db.close()
    return waiting == 0 and readings == 0


def one_alert_each(database: Path, made: set[str]) -> None:
    """Each finding the worker made is there and belongs to an alert or case; no place has two open alerts."""
    db = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    findings = db.execute("SELECT id, alert_id, case_id, place FROM findings").fetchall()
    assert made <= {row[0] for row in findings}, "a finding was lost"
    assert any("garbage" in row[3] for row in findings)
    assert any("manhole" in row[3] for row in findings)
    assert len({row[0] for row in findings}) == len(findings)
    assert all(alert or case for _id, alert, case, _place in findings)
    open_places = [row[0] for row in db.execute("SELECT open_key FROM alerts WHERE open_key IS NOT NULL")]
    assert len(open_places) == len(set(open_places))
    db.close()


def evidence_verifies(city: City, staff: httpx.Client) -> None:
    """Every picture that any alert shows can be fetched, and is what its hash says."""
    shown = [e for a in city.get(staff, "alerts", kind="garbage_exposed", limit=100)["items"] for e in a["evidence"]]
    assert shown
    for item in shown:
        assert hashlib.sha256(city.evidence(staff, item)).hexdigest() == item["sha256"]
