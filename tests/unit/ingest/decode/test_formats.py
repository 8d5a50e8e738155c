"""The traps of each format: what is left out, what is a text, what means the opposite, which time it is."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ingest.errors import PayloadError
from ingest.reading import Quality, Reading
from ingest.sensors.decode import DECODERS
from ingest.sensors.decode.said import Presence, Said
from tests.samples.readings import NOW

Z2M, TB, TAS = "zigbee2mqtt/box/7", "d4/v1/devices/me/telemetry", "tele/lamp-9/{}"
TTS = "v3/xf-drain@city/devices/manhole-031/{}"


def told(form: str, topic: str, payload: Any) -> list[Said]:
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return list(DECODERS[form](topic, data, NOW))


def values(form: str, topic: str, payload: Any) -> dict[str, float]:
    return {
        r.prop + (f"[{r.channel}]" if r.channel else ""): r.value
        for r in told(form, topic, payload)
        if isinstance(r, Reading)
    }


def first(form: str, topic: str, payload: Any) -> Reading:
    return next(r for r in told(form, topic, payload) if isinstance(r, Reading))


def uplink(**changes: Any) -> dict[str, Any]:
    message = {
        "session_key_id": "AXBSH1Pk6Z0G166", "f_port": 1, "f_cnt": 42, "frm_payload": "AQ==",
        "decoded_payload": {"tilt_deg": 38}, "received_at": "2026-11-23T02:15:05.0Z",
    }  # fmt: skip
    kept = {key: value for key, value in {**message, **changes}.items() if value is not ...}
    return {"end_device_ids": {"device_id": "manhole-031", "dev_eui": "0004A30B001C0530"}, "uplink_message": kept}


# ── The Things Stack ──


def test_thethings_leaves_out_what_is_zero() -> None:
    with_zero, without = uplink(f_cnt=0, f_port=0), uplink(f_cnt=..., f_port=...)
    assert first("thethings", TTS.format("up"), with_zero).key == first("thethings", TTS.format("up"), without).key
    assert first("thethings", TTS.format("up"), without).seq == 0
    heard = uplink(rx_metadata=[{"rssi": -101}, {"rssi": -90, "snr": -4}, {"gateway_ids": {}}])
    assert (first("thethings", TTS.format("up"), heard).rssi_dbm) == -90
    assert first("thethings", TTS.format("up"), uplink(rx_metadata=[{"rssi": -101}])).snr_db == 0.0


def test_thethings_names_the_gateways_that_heard_it() -> None:
    ids = [
        ({"gateway_id": "gw-weak", "eui": "58A0CBFFFE800001"}, -118),
        ({"gateway_id": "gw-strong"}, -80),
        ({"eui": "58A0CBFFFE800002"}, -100),
        ({"gateway_id": "packetbroker"}, -60),
        ({}, -50),
    ]
    heard: list[Any] = [{"gateway_ids": names, "rssi": rssi, "snr": 5} for names, rssi in ids]
    heard.append({"gateway_ids": {"gateway_id": "of-others"}, "packet_broker": {"message_id": "m"}, "rssi": -40})
    told = first("thethings", TTS.format("up"), uplink(rx_metadata=heard))
    assert told.gateways == ("gw-strong", "58a0cbfffe800002", "gw-weak")
    assert first("thethings", TTS.format("up"), uplink()).gateways == ()


def test_thethings_keys() -> None:
    now = first("thethings", TTS.format("up"), uplink())
    assert first("thethings", TTS.format("up"), uplink(rx_metadata=[{"rssi": -3}])).key == now.key, "other gateways"
    assert first("thethings", TTS.format("up"), uplink(f_cnt=43)).key != now.key
    older = uplink(received_at="2026-11-20T02:15:05Z")
    assert first("thethings", TTS.format("up"), older).key != now.key, "counted anew after the battery was changed"


def test_thethings_without_eui_and_without_data() -> None:
    message = uplink() | {"end_device_ids": {"device_id": "manhole-031"}}
    assert first("thethings", TTS.format("up"), message).device == "manhole-031"
    empty = uplink(frm_payload=..., decoded_payload=...)
    at = datetime(2026, 11, 23, 2, 15, 5, tzinfo=UTC)
    assert told("thethings", TTS.format("up"), empty) == [Presence("0004a30b001c0530", True, at, "uplink without data")]
    joined = {"end_device_ids": {"dev_eui": "0004A30B001C0530"}, "received_at": "2026-11-23T02:15:05Z"}
    assert told("thethings", TTS.format("join"), joined) == [Presence("0004a30b001c0530", True, at, "joined")]
    assert told("thethings", TTS.format("down/queued"), b"") == []


# ── Zigbee2MQTT ──


@pytest.mark.parametrize(("said", "is_open"), [(True, 0.0), (False, 1.0), ("true", 0.0), ("false", 1.0)])
def test_zigbee_contact_true_is_closed(said: object, is_open: float) -> None:
    assert values("zigbee2mqtt", Z2M, {"contact": said, "battery": "100.00"}) == {"open": is_open, "battery_pct": 100.0}


def test_zigbee_contact_that_is_none_silences_nothing() -> None:
    assert values("zigbee2mqtt", Z2M, {"contact": "jammed", "smoke": True}) == {"smoke": 1.0}


def test_zigbee_renames_skips_and_dates() -> None:
    message = {
        "water_leak": True, "occupancy": False, "action": "on", "update": {"state": "idle", "progress": 3},
        "temperature": None, "last_seen": 1795400104000, "battery": 20,
    }  # fmt: skip
    assert values("zigbee2mqtt", Z2M, message) == {"water": 1.0, "occupied": 0.0, "battery_pct": 20.0}
    reading = first("zigbee2mqtt", Z2M, message)
    assert (reading.device, reading.battery_pct) == ("box/7", 20.0)
    assert reading.observed_at == datetime(2026, 11, 23, 2, 15, 4, tzinfo=UTC)
    local = first("zigbee2mqtt", Z2M, {"smoke": True, "last_seen": "2026-11-23T10:15:04"})
    assert local.observed_at == reading.observed_at


@pytest.mark.parametrize("said", [b'{"state":"online"}', b"online", b'"online"'])
def test_zigbee_availability_old_and_new(said: bytes) -> None:
    assert told("zigbee2mqtt", f"{Z2M}/availability", said) == [Presence("box/7", True, NOW, "availability")]
    assert told("zigbee2mqtt", "zigbee2mqtt/bridge/state", said) == [Presence("zigbee2mqtt", True, NOW, "availability")]


@pytest.mark.parametrize("topic", ["zigbee2mqtt/bridge/devices", f"{Z2M}/set", f"{Z2M}/get"])
def test_zigbee_topics_that_measure_nothing(topic: str) -> None:
    assert told("zigbee2mqtt", topic, b"[]") == []


# ── Tasmota ──


def test_tasmota_state() -> None:
    state = {
        "Time": "2026-11-23T10:15:05", "Uptime": "0T01:00:00", "Heap": 25, "LoadAvg": 19, "Vcc": 3.2, "POWER1": "ON",
        "POWER2": "OFF", "Wifi": {"RSSI": 76, "Signal": -62},
    }  # fmt: skip
    assert values("tasmota", TAS.format("STATE"), state) == {"voltage[vcc]": 3.2, "relay[1]": 1.0, "relay[2]": 0.0}
    reading = first("tasmota", TAS.format("STATE"), state)
    assert (reading.rssi_dbm, reading.observed_at) == (-62.0, datetime(2026, 11, 23, 2, 15, 5, tzinfo=UTC))


def test_tasmota_topics() -> None:
    alive = {"Time": "2026-11-23T10:15:05", "Heap": 25}
    assert isinstance(told("tasmota", TAS.format("STATE"), alive)[0], Presence)
    assert first("tasmota", "tasmota/lamp-9/tele/SENSOR", {"Switch1": "ON"}).device == "tasmota/lamp-9"
    assert told("tasmota", "stat/lamp-9/RESULT", b'{"POWER":"ON"}') == []
    assert told("tasmota", TAS.format("LWT"), b"Online") == [Presence("lamp-9", True, NOW, "LWT")]


def test_tasmota_without_a_clock() -> None:
    reading = first("tasmota", TAS.format("SENSOR"), {"Time": "1970-01-01T00:00:08", "Switch1": "ON"})
    assert (reading.observed_at, reading.quality) == (NOW, Quality.CLOCK_SKEW)


# ── ThingsBoard ──


@pytest.mark.parametrize(
    "payload",
    [
        {"pm25": 68, "open": "true"}, {"ts": 1795400104000, "values": {"pm25": "68", "open": True}},
        {"ts": 1795400104, "values": {"pm25": 68.0, "open": 1}}, [{"pm25": 68},
        {"ts": 1795400104000, "values": {"open": 1}}],
    ],
)  # fmt: skip
def test_thingsboard_three_forms(payload: Any) -> None:
    assert values("thingsboard", TB, payload) == {"pm25": 68.0, "open": 1.0}
    assert values("thingsboard", "d4/v2/t", payload) == {"pm25": 68.0, "open": 1.0}


def test_thingsboard_times_and_keys() -> None:
    dated = {"ts": 1795400104000, "values": {"pm25": 68}}
    assert first("thingsboard", TB, dated).observed_at == datetime(2026, 11, 23, 2, 15, 4, tzinfo=UTC)
    assert first("thingsboard", TB, {"pm25": 68}).observed_at == NOW, "server time if no ts"
    assert first("thingsboard", TB, dated).key == first("thingsboard", "d4/v2/t", dated).key, "device, ts and key"
    assert first("thingsboard", TB, dated | {"ts": 1795400105000}).key != first("thingsboard", TB, dated).key
    flat_with_ts = told("thingsboard", TB, {"ts": 5, "pm25": 68})
    assert {r.prop for r in flat_with_ts if isinstance(r, Reading)} == {"ts", "pm25"}, "without values, ts is a key"


def test_thingsboard_gateway_and_its_devices() -> None:
    both = {"A": [{"x": 1}], "B": [{"ts": 1, "values": {"y": 2}}]}
    assert values("thingsboard", "gw1/v1/gateway/telemetry", both) == {"x": 1.0, "y": 2.0}
    assert told("thingsboard", "v1/gateway/connect", {"device": "A"}) == [Presence("A", True, NOW, "gateway connect")]
    (gone,) = told("thingsboard", "v1/gateway/disconnect", {"device": "A"})
    assert gone == Presence("A", False, NOW, "gateway disconnect")
    assert told("thingsboard", "v1/gateway/attributes", b"{}") == []
    assert told("thingsboard", "v1/devices/me/attributes", b"{}") == []


def test_thingsboard_over_http_never_shows_the_token() -> None:
    topic = "api/v1/SeCrEtToKeN/telemetry"
    reading = first("thingsboard", topic, {"pm25": 68})
    assert reading.device.startswith("tb-")
    assert "SeCrEt" not in repr(reading)
    assert first("thingsboard", f"/{topic}", {"pm10": 1}).device == reading.device
    for bad in (b"{", b"3", b'{"pm25": "much"}'):
        with pytest.raises(PayloadError) as refused:
            told("thingsboard", topic, bad)
        assert "SeCrEt" not in str(refused.value)
    with pytest.raises(PayloadError, match=r"api/v1/\*\*\*/x"):
        told("thingsboard", "api/v1/SeCrEtToKeN/x", b"{}")


# ── refusals, of all ──


@pytest.mark.parametrize(
    ("form", "topic", "payload", "word"),
    [
        ("thethings", TTS.format("up"), uplink(decoded_payload=...), "formatter"),
        ("thethings", TTS.format("up"), {"uplink_message": {}}, "end_device_ids"),
        ("thethings", TTS.format("up"), uplink() | {"end_device_ids": {}}, "neither dev_eui nor device_id"),
        ("thethings", TTS.format("up"), uplink(decoded_payload={"tilt_deg": "steep"}), "'steep'"),
        ("thethings", TTS.format("upp"), b"{}", "known: up, join"),
        ("zigbee2mqtt", Z2M, b"online", "not JSON"), ("zigbee2mqtt", Z2M, {"battery": 3, "last_seen": "now"}, "'now'"),
        ("zigbee2mqtt", f"{Z2M}/availability", b"maybe", "neither online nor offline"),
        ("tasmota", TAS.format("SENSOR"), {"Time": "noon", "Switch1": "ON"}, "'noon'"),
        ("tasmota", TAS.format("LWT"), b"away", "neither Online nor Offline"),
        ("tasmota", "a/b", b"{}", "known: SENSOR"),
        ("thingsboard", "v1/devices/me/telemetry", b"{}", "names no device"),
        ("thingsboard", "x/y", b"{}", "no topic of ThingsBoard"), ("thingsboard", TB, [[1]], "wanted an object"),
        ("thingsboard", TB, {"pm25": "much"}, "'much'"), ("json", "city/" + "x" * 200, {"open": 1}, "no device id"),
        ("json", "city/x", {"a" * 70: 1}, "no name of a measurement"), ("json", "city/x", {"a\u0000": 1}, "no name"),
        ("json", "city/x", b'{"device": "\\ud800", "open": 1}', "no device id"),
        ("json", "city/x", {f"p{n}": n for n in range(1001)}, "at most 1000"),
        ("json", "city/x", b'{"open": 1, "deep": ' + b"[" * 100 + b"]" * 100 + b"}", "nested more than 32"),
    ],
)  # fmt: skip
def test_refusals(form: str, topic: str, payload: Any, word: str) -> None:
    with pytest.raises(PayloadError) as refused:
        told(form, topic, payload)
    assert word in str(refused.value)


def test_late_and_skewed_times_are_marked() -> None:
    for ago, quality in ((0, Quality.OK), (2, Quality.LATE), (30, Quality.CLOCK_SKEW)):
        said = (NOW - timedelta(hours=ago)).timestamp() * 1000
        assert first("thingsboard", TB, {"ts": said, "values": {"pm25": 1}}).quality is quality
