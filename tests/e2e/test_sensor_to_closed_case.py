"""From a sensor on a real broker to a closed case; and what a bad payload does to the others: nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import httpx
import paho.mqtt.client as mqtt
import paho.mqtt.publish as publish

from tests.e2e.city import City, Json
from tests.peers.mosquitto import Mosquitto


class Bin:
    """A bin's level sensor behind a LoRaWAN network server that speaks ChirpStack v4."""

    def __init__(self, port: int) -> None:
        self._port, self._count = port, 0

    def says(self, fill_pct: float) -> None:
        self._count += 1
        payload = {
            "deduplicationId": f"5b1c0a1e-0000-4000-8000-{self._count:012d}",
            "time": datetime.now(UTC).isoformat(),
            "deviceInfo": {"applicationId": "a1", "deviceName": "bin-0457", "devEui": "a84041ffff180001"},
            "fCnt": self._count,
            "fPort": 2,
            "object": {"fill_pct": fill_pct, "temperature": 4.5},
            "rxInfo": [{"gatewayId": "24e124fffef00001", "rssi": -97, "snr": 6.2}],
        }
        self.publish("application/a1/device/a84041ffff180001/event/up", json.dumps(payload).encode())

    def publish(self, topic: str, payload: bytes) -> None:
        publish.single(topic, payload, qos=1, hostname="127.0.0.1", port=self._port, protocol=mqtt.MQTTv5)


def pending(city: City, staff: httpx.Client) -> Json | None:
    items = city.get(staff, "alerts", state="pending_review", kind="bin_overflow")["items"]
    return items[0] if items else None


def test_a_full_bin(tmp_path: Path) -> None:
    with Mosquitto() as broker, City(tmp_path, broker=broker.url) as city:
        row = {"id": "bin-457", "name": "457 号桶", "device": "a84041ffff180001", "profile": "bin_level"}
        city.add("sensors", row | {"every_s": 600, "lon": 107.63, "lat": 35.73})
        staff, clerk = city.person("zhang", "staff"), city.person("li", "department", "sanitation")
        city.until(lambda: city.worker.said("assigned 0 cameras, 1 sensors"), 30, "the worker knows the sensor")
        city.listening()
        lid = Bin(broker.port)
        lid.publish("application/a1/device/a84041ffff180001/event/up", b"{not json")
        lid.publish("gridhub/somebody-else", b'{"fill_pct": "a lot"}')
        lid.says(93)
        city.until(lambda: values(city).get("fill_pct") == 93, 20, "the first reading is on the screen")
        assert pending(city, staff) is None, "one reading is not enough"
        lid.says(94)
        alert = city.until(lambda: pending(city, staff), 20, "an alert")
        assert "94" in alert["why"]
        assert [r["value"] for r in alert["readings"]][-1] == 94

        case = city.do(staff, f"alerts/{alert['id']}/confirm")["case"]
        city.do(clerk, f"cases/{case['id']}/accept")
        city.do(clerk, f"cases/{case['id']}/feedback", {"text": "已清空"})
        assert city.get(staff, f"cases/{case['id']}")["state"] == "checking"
        recheck = lambda: city.get(staff, f"cases/{case['id']}")["recheck"]  # noqa: E731

        def emptied() -> bool:
            lid.says(4)
            return recheck()["state"] == "done"

        city.until(emptied, 30, "the re-check")
        assert recheck()["proposal"] == "close"
        city.do(staff, f"cases/{case['id']}/close")
        assert city.get(staff, f"cases/{case['id']}")["state"] == "closed"
        metrics = httpx.get(f"{city.url}/metrics").text
        dropped = [line for line in metrics.splitlines() if line.startswith('gridhub_dropped_total{stage="payload"}')]
        assert dropped
        assert float(dropped[0].split()[-1]) >= 2


def values(city: City) -> Json:
    row: Json = city.get(city.admin, "sensors")["items"][0]
    return row["values"] or {}
