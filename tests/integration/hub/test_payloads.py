"""Every format from hub.yaml through a real broker into a worker's spool: what the table of samples says is stored."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

import yaml

from detectors.sensing import SensorRules
from hub.config import load
from hub.worker.rechecking import Rechecks
from hub.worker.sensing import Listening
from hub.worker.spool import Spool
from ingest.sensors.mqtt import MqttListener, topic_matches
from tests.peers import wait_until
from tests.peers.mosquitto import Mosquitto
from tests.samples.readings import SAMPLES

FILTERS = {
    "gridhub/+": "json", "application/#": "chirpstack", "v3/#": "thethings", "zigbee2mqtt/#": "zigbee2mqtt",
    "spBv1.0/#": "sparkplug", "homeassistant/#": "homeassistant", "cab/#": "homeassistant",
    "+/v1/devices/me/telemetry": "thingsboard", "v1/gateway/+": "thingsboard", "tele/#": "tasmota",
    "push/ctwing/+": "mapping:ctwing_level",
    "push/onenet": {"id": "here", "device": "$.msg[0].dev_id",
                    "readings": [{"prop": "depth_cm", "path": "$.msg[?@.ds_id == 'water'].value", "unit": "mm"}]},
}  # fmt: skip


def _no_pictures(_sha256: str) -> bytes:
    raise AssertionError("no re-check is open")


def test_every_format_reaches_the_spool(tmp_path: Path) -> None:
    config = tmp_path / "hub.yaml"
    config.write_text(yaml.safe_dump({"broker_topics": FILTERS}))
    topics = load(config).broker_topics
    spool, counters, found = Spool(tmp_path / "spool"), Counter[str](), threading.Event()
    listening = Listening(spool, Rechecks(spool, _no_pictures, found.set), counters, found.set)
    listening.assign([], SensorRules({}, {}))
    with Mosquitto() as broker:
        listener = MqttListener(broker.url, topics, "worker-1", listening.on_batch)
        listener.start()
        wait_until(lambda: listener.connected)
        sent = {(t, data): None for s in SAMPLES for t, data in (*s.before, (s.topic, s.data))}
        for topic, data in [*sent, *[("gridhub/poison", b"\xff{")] * 3]:
            assert any(topic_matches(wanted, topic) for wanted in topics), topic
            broker.publish(topic, data)
        wait_until(lambda: listener.counters.get("acknowledged", 0) == len(sent) + 3)
        listener.stop()
    stored = {(r.source_format, r.device, r.prop, r.value) for batch in spool.kept() for r in batch}
    spool.close()
    assert counters["dropped_payload"] == 3
    assert counters["presences"] >= 4
    assert (counters["announced"], counters["troubles"]) == (1, 1)
    assert stored >= {
        ("json", "mh-31", "tilt_deg", 38.0), ("chirpstack", "a84041ffff180001", "fill_pct", 93.0),
        ("thethings", "0004a30b001c0530", "water_cm", 12.0), ("zigbee2mqtt", "box-7", "open", 0.0),
        ("sparkplug", "xifeng/pump-st-02/level1", "water_level_cm", 27.5), ("homeassistant", "cab-0107", "open", 1.0),
        ("thingsboard", "dust-4", "pm10", 121.0), ("thingsboard", "Lamp B", "current_ma", 0.0),
        ("tasmota", "lamp-9", "temperature", 20.0), ("mapping:ctwing_level", "862000050001", "fill_pct", 93.0),
        ("mapping:here", "2016617", "depth_cm", 15.2),
    }  # fmt: skip
