"""Who went and who came back, who is new, what is wrong; kept over a restart; what lasts while nobody speaks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from detectors.kinds import load_kinds
from detectors.profiles import load_profiles
from detectors.sensing import SensorRules
from hub.worker import sensing
from hub.worker.rechecking import Rechecks
from hub.worker.sensing import Listening
from hub.worker.spool import Spool
from hub.worker.strangers import MOST, Strangers
from ingest.device import Sensor
from ingest.sensors.decode.said import Trouble
from ingest.sensors.mqtt import Message
from tests.samples.readings import NOW
from tests.samples.tahu import metric, payload

ROOT = Path(__file__).resolve().parents[3]
RULES = SensorRules(load_profiles(ROOT / "configs" / "sensors"), load_kinds(ROOT / "configs" / "kinds"))
SENSORS = [
    Sensor("lamp", "", "lamp-9", "street_lamp", 300),
    Sensor("box", "", "box-7", "door", 3600),
    Sensor("pump", "", "g/n/level1", "well_level", 60),
    Sensor("bin", "", "bin-1", "bin_level", 600, gateway="gw-1"),
]


def message(form: str, topic: str, data: bytes | dict[str, Any], after_s: float = 0) -> Message:
    content = data if isinstance(data, bytes) else json.dumps(data).encode()
    return Message(topic, content, NOW + timedelta(seconds=after_s), False, form)


def listening(spool: Spool) -> Listening:
    made = Listening(spool, Rechecks(spool, lambda _: b"", lambda: None), Counter(), lambda: None)
    made.assign(SENSORS, RULES)
    return made


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path)
    yield made
    made.close()


def states(ear: Listening) -> dict[str, str]:
    return {row["id"]: row["state"] for row in ear.states(NOW) if row["state"] != "unknown"}


def test_a_will_makes_a_sensor_offline_until_it_speaks(spool: Spool, tmp_path: Path) -> None:
    ear = listening(spool)
    ear.on_batch([message("tasmota", "tele/lamp-9/LWT", b"Offline")])
    assert states(ear) == {"lamp": "offline"}
    spool.close()
    again = Spool(tmp_path)
    ear = listening(again)
    assert states(ear) == {"lamp": "offline"}, "a restart forgets nothing"
    old = {"Time": "2026-11-23T10:00:00", "ENERGY": {"Current": 0.2}}
    ear.on_batch([message("tasmota", "tele/lamp-9/SENSOR", old)])
    assert states(ear) == {"lamp": "offline"}, "spoken before it went"
    ear.on_batch([message("tasmota", "tele/lamp-9/SENSOR", old | {"Time": "2026-11-23T10:16:00"}, 60)])
    assert states(ear) == {"lamp": "online"}
    assert again.gone() == {}
    again.close()


def test_online_takes_offline_back_also_within_one_batch(spool: Spool) -> None:
    ear = listening(spool)
    away, here = b'{"state": "offline"}', b'{"state": "online"}'
    ear.on_batch([message("zigbee2mqtt", "zigbee2mqtt/box-7/availability", away)])
    assert states(ear) == {"box": "offline"}
    ear.on_batch([message("zigbee2mqtt", "zigbee2mqtt/box-7/availability", m) for m in (here, away, here)])
    assert states(ear) == {}


def test_the_death_of_an_edge_node_is_not_that_of_each_device(spool: Spool) -> None:
    ear = listening(spool)
    births = [
        message("sparkplug", "spBv1.0/g/NBIRTH/n", payload(metric(7, 4, name="bdSeq"), seq=0)),
        message("sparkplug", "spBv1.0/g/DBIRTH/n/level1", payload(metric(25.0, 9, name="level_cm", alias=3), seq=1)),
    ]
    death = message("sparkplug", "spBv1.0/g/NDEATH/n", payload(metric(7, 4, name="bdSeq")), 5)
    ear.on_batch([*births, death])
    assert states(ear) == {"pump": "gateway_lost"}
    ear.on_batch([message(m.format, m.topic, m.payload, 10) for m in births])
    assert states(ear) == {"pump": "online"}
    ear.on_batch([message("sparkplug", "spBv1.0/g/DDEATH/n/level1", payload(seq=2), 20)])
    assert states(ear) == {"pump": "offline"}


def test_a_gateway_that_went_takes_the_sensors_registered_behind_it(spool: Spool) -> None:
    ear = listening(spool)
    ear.on_batch([message("thingsboard", "v1/gateway/disconnect", {"device": "gw-1"})])
    assert states(ear) == {"bin": "gateway_lost"}


def uplink(device: str, *gateways: str, after_s: float = 0) -> Message:
    told = {"deviceInfo": {"devEui": device}, "fCnt": int(after_s), "object": {"fill_pct": 40}}
    told |= {"rxInfo": [{"gatewayId": gateway, "rssi": -90} for gateway in gateways]}
    return message("chirpstack", f"application/a/device/{device}/event/up", told, after_s)


def test_the_gateways_that_heard_a_device_are_told_with_its_state(spool: Spool, tmp_path: Path) -> None:
    ear = listening(spool)
    ear.on_batch([uplink("lamp-9", "gw-1", "gw-2"), uplink("bin-1", "gw-2")])
    heard = {row["id"]: row["heard_by"] for row in ear.states(NOW)}
    assert heard == {"lamp": ["gw-1", "gw-2"], "bin": ["gw-2"], "box": [], "pump": []}
    gone = message("thingsboard", "v1/gateway/disconnect", {"device": "gw-1"}, 5)
    ear.on_batch([gone])
    # The bin is registered behind gw-1, whoever heard it; the lamp is heard by another one too.
    assert states(ear) == {"lamp": "online", "bin": "gateway_lost"}
    ear.on_batch([message("thingsboard", "v1/gateway/disconnect", {"device": "gw-2"}, 6)])
    assert states(ear) == {"lamp": "gateway_lost", "bin": "gateway_lost"}
    ear.end()
    spool.close()
    again = Spool(tmp_path)
    assert {row["id"]: row["heard_by"] for row in listening(again).states(NOW)}["lamp"] == ["gw-1", "gw-2"]
    again.close()


def test_what_nobody_registered_is_told_with_its_newest_message(spool: Spool) -> None:
    ear = listening(spool)
    ear.on_batch(
        [
            message("json", "gridhub/new-1", {"fill_pct": 10, "temperature": 4}),
            message("json", "gridhub/new-1", {"fill_pct": 11}, 5),
            message("json", "gridhub/bin-1", {"fill_pct": 50}),
        ]
    )
    body = ear.strangers.take(0.0)
    assert body is not None
    (row,) = body["strangers"]
    assert (row["device"], row["count"], row["topic"]) == ("new-1", 1, "gridhub/new-1")
    assert json.loads(row["payload"]) == {"fill_pct": 11}
    assert {r["prop"]: r["value"] for r in row["readings"]} == {"fill_pct": 11}
    ear.on_batch([message("json", "gridhub/new-1", {"fill_pct": 12}, 9)])
    assert ear.strangers.take(59.0) is None, "once a minute"
    ear.strangers.registered(["new-1"])
    assert (ear.strangers.take(61.0) or {})["strangers"][0]["count"] == 1
    ear.on_batch([message("json", "gridhub/new-1", {"fill_pct": 13}, 99)])
    assert ear.strangers.take(999.0) is None, "a sensor of another worker is no stranger"


def test_announced_devices_and_troubles_are_told_too(spool: Spool) -> None:
    ear = listening(spool)
    config = {"unique_id": "cab-door", "state_topic": "cab/state", "device_class": "door", "expire_after": 7200,
              "device": {"identifiers": ["cab-0107"], "model": "NB magnet"}}  # fmt: skip
    log = {"deviceInfo": {"devEui": "bin-1"}, "level": "ERROR", "code": "UPLINK_MIC", "description": "bad key"}
    ear.on_batch(
        [
            message("homeassistant", "homeassistant/binary_sensor/door/config", config),
            message("chirpstack", "application/a/device/bin-1/event/log", log),
            message("sparkplug", "spBv1.0/g/NDATA/other", payload(metric(1.0, 9, name="x"), seq=4)),
        ]
    )
    body = ear.strangers.take(0.0)
    assert body is not None
    by_device = {row["device"]: row for row in body["strangers"]}
    assert by_device["cab-0107"]["announced"][0]["state_topic"] == "cab/state"
    assert by_device["cab-0107"]["announced"][0]["expire_after_s"] == 7200
    assert by_device["cab-0107"]["model"] == "NB magnet"
    assert [(t["device"], t["code"]) for t in body["troubles"]] == [
        ("bin-1", "UPLINK_MIC"), ("g/other", "REBIRTH_WANTED"),
    ]  # fmt: skip


def test_strangers_are_bounded_and_come_back_when_the_hub_is_away() -> None:
    strangers = Strangers()
    for number in range(MOST + 20):
        strangers.speak(f"d{number}", message("json", f"gridhub/d{number}", {}), [])
        strangers.trouble(Trouble(f"d{number}", "X", "", NOW))
    assert strangers.dropped == 40
    body = strangers.take(0.0)
    assert body is not None
    strangers.speak("d1", message("json", "gridhub/d1", {}), [])
    strangers.lost(body)
    again = strangers.take(1.0)
    assert again is not None
    assert len(again["strangers"]) == MOST
    assert next(r for r in again["strangers"] if r["device"] == "d1")["count"] == 2
    assert len(again["troubles"]) == MOST


def test_a_door_that_stays_open_alarms_without_another_word(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sensing, "_SETTLES_S", 0.0)
    ear = listening(spool)
    ear.on_batch([message("zigbee2mqtt", "zigbee2mqtt/box-7", {"contact": False})])
    ear.tick(NOW + timedelta(seconds=599))
    assert spool.next_outgoing() is None
    ear.tick(NOW + timedelta(seconds=600))
    item = spool.next_outgoing()
    assert item is not None
    assert item.body["why"] == "箱门打开，超过 10 分钟"
    ear.tick(NOW + timedelta(seconds=900))
    assert spool.waiting()["outgoing"] == 1, "told once"
    (row,) = [r for r in ear.states(NOW) if r["id"] == "box"]
    assert row["level"] == "alarm"


def test_nothing_is_concluded_while_a_backlog_may_be_on_its_way(spool: Spool) -> None:
    ear = listening(spool)
    ear.on_batch([message("zigbee2mqtt", "zigbee2mqtt/box-7", {"contact": False})])
    ear.tick(NOW + timedelta(hours=1))
    assert spool.next_outgoing() is None


def test_what_the_rules_say_of_a_device_goes_with_its_state(spool: Spool) -> None:
    ear = listening(spool)
    ear.on_batch([message("json", "gridhub/bin-1", {"fill_pct": 20, "battery": 8})])
    (row,) = [r for r in ear.states(NOW) if r["id"] == "bin"]
    assert row["battery"] == {"pct": 8.0, "v": None, "level": "critical"}
    assert [a["code"] for a in row["ailments"]] == ["battery_critical"]


def test_a_sensor_whose_profile_is_gone_costs_only_itself(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It ended the worker with its first report, and at each start."""
    monkeypatch.setattr(sensing, "_SETTLES_S", 0.0)
    ear = listening(spool)
    ear.on_batch([message("json", "x/box-7", {"open": 1})])
    gone = [Sensor(s.id, s.name, s.device, "gone", s.every_s) if s.id == "box" else s for s in SENSORS]
    ear.assign(gone, RULES)
    assert "sensor box: profile: 'gone'; allowed: bin_level" in caplog.text
    ear.on_batch([message("json", "x/box-7", {"open": 0}, 60), message("json", "x/bin-1", {"fill_pct": 5}, 60)])
    ear.tick(NOW + timedelta(hours=1))
    assert states(ear) == {"box": "online", "bin": "online"}
