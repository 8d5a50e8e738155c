"""Payload formats as tables: what becomes a reading, what is refused and in which words."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ingest.errors import PayloadError
from ingest.reading import Quality, Reading
from ingest.sensors.decode import DECODERS
from ingest.sensors.decode.said import Presence, Trouble

NOW = datetime(2026, 11, 23, 2, 15, 6, tzinfo=UTC)
UPLINK: dict[str, Any] = {
    "deduplicationId": "5b1c0a1e-0000-4000-8000-000000000001", "time": "2026-11-23T02:15:04.120Z",
    "deviceInfo": {"applicationId": "a1", "deviceName": "bin-0457", "devEui": "A84041FFFF180001"},
    "devAddr": "01a2b3c4", "dr": 5, "fCnt": 812, "fPort": 2, "data": "AWQDRA==",
    "object": {"fill_pct": 93, "distance_mm": 110, "temperature": 4.5, "battery_v": 3.54},
    "rxInfo": [{"gatewayId": "g1", "rssi": -110}, {"gatewayId": "g2", "rssi": -97, "snr": 6.2}],
}  # fmt: skip
UP = "application/a1/device/a84041ffff180001/event/up"


def plain(payload: Any, topic: str = "city/bin-0457") -> dict[str, float]:
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return {r.prop: r.value for r in DECODERS["json"](topic, data, NOW) if isinstance(r, Reading)}


@pytest.mark.parametrize(
    ("payload", "values"),
    [
        ({"fill_pct": 93}, {"fill_pct": 93.0}),
        ({"fill_pct": "93.5", "open": False}, {"fill_pct": 93.5, "open": 0.0}),
        ({"smoke": "ON", "door": "CLOSED"}, {"smoke": 1.0, "door": 0.0}),
        ({"smoke": True, "battery": 86, "linkquality": 97}, {"smoke": 1.0, "battery_pct": 86.0, "linkquality": 97.0}),
        ({"ts": 1795400104000, "values": {"pm25": 68, "wind": 1.2}}, {"pm25": 68.0, "wind": 1.2}),
        ({"depth_cm": 3, "fw": "1.2.3", "note": None}, {"depth_cm": 3.0}),
    ],
)
def test_plain_json(payload: dict[str, Any], values: dict[str, float]) -> None:
    assert plain(payload) == values


def test_plain_json_names_the_device_and_dates_the_reading() -> None:
    payload = b'{"device": "mh-31", "time": "2026-11-23T10:15:02", "tilt_deg": 12, "battery": "80", "rssi": -90}'
    tilt = next(r for r in DECODERS["json"]("city/x", payload, NOW) if r.prop == "tilt_deg")
    assert (tilt.device, tilt.unit, tilt.battery_pct, tilt.rssi_dbm) == ("mh-31", "deg", 80.0, -90.0)
    assert tilt.observed_at == datetime(2026, 11, 23, 2, 15, 2, tzinfo=UTC), "a naive time is local: Asia/Shanghai"
    assert tilt.quality is Quality.OK


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b'{"a": "\xff"}', ["city/bin-0457", "not UTF-8"]),
        (b"fill=93", ["city/bin-0457", "not JSON", "fill=93"]),
        (b"[93]", ["list", "wanted an object"]),
        (b'{"fill_pct": "full"}', ["city/bin-0457", "fill_pct", "'full'", "not a number"]),
        (b'{"fill_pct": NaN}', ["fill_pct", "not a number"]),
        (b'{"fill_pct": 1e999}', ["fill_pct", "not a number"]),
        (b'{"fill_pct": [1]}', ["fill_pct", "not a number"]),
        (b'{"battery": "low"}', ["battery", "'low'"]),
        (b'{"fw": "1.2.3"}', ["no field in it is a measurement"]),
        (b'{"time": "yesterday", "fill_pct": 3}', ["time", "'yesterday'"]),
        (b"[" * 100_000, ["city/bin-0457", "not"]),
    ],
)
def test_what_cannot_be_read_is_named(payload: bytes, words: list[str]) -> None:
    with pytest.raises(PayloadError) as refused:
        plain(payload)
    for word in words:
        assert word in str(refused.value)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    ("payload", "left", "text"),
    [
        (b'{"device": "mh-31", "open": true, "battery": "--"}', {"open": 1.0}, "battery_pct: '--' is not a number"),
        (b'{"device": "mh-31", "open": true, "temperature": NaN}', {"open": 1.0}, "temperature: 'nan' is not a number"),
        (b'{"device": "mh-31", "tilt_deg": [], "open": 1, "co_ppm": "x"}', {"open": 1.0}, "tilt_deg: '[]' is not a"),
    ],
)
def test_a_broken_probe_does_not_silence_the_others(payload: bytes, left: dict[str, float], text: str) -> None:
    """A cover is open, whatever its thermometer says."""
    *readings, trouble = DECODERS["json"]("city/mh-31", payload, NOW)
    assert {r.prop: r.value for r in readings if isinstance(r, Reading)} == left
    assert isinstance(trouble, Trouble)
    assert (trouble.device, trouble.code, trouble.at) == ("mh-31", "NOT_A_NUMBER", NOW)
    assert text in trouble.text


@pytest.mark.parametrize("pct", [-1, 255, 126.5])
def test_a_battery_that_no_battery_can_have_is_none(pct: float) -> None:
    """-1 and 255 mean "unknown"; they must not call somebody out to change it."""
    payload = json.dumps({"open": 0, "battery": pct}).encode()
    assert {r.battery_pct for r in DECODERS["json"]("city/mh-31", payload, NOW) if isinstance(r, Reading)} == {None}


def test_a_count_that_stands_still_or_begins_anew_hides_no_message() -> None:
    """The second opening of a cover was dropped as the first one, delivered again."""

    def key(after_s: float, **more: Any) -> str:
        payload = json.dumps({"open": 1, "seq": 0, **more}).encode()
        first = DECODERS["json"]("city/mh-31", payload, NOW + timedelta(seconds=after_s))[0]
        assert isinstance(first, Reading)
        return first.key

    assert key(0) == key(5)
    assert key(0) != key(7200)
    assert key(0, ts=1795400104) == key(7200, ts=1795400104), "one that says when it was observed is the same for ever"


def test_battery_and_signal_may_lie_among_the_values() -> None:
    payload = json.dumps({"ts": 1795400104000, "values": {"open": 0, "battery": 12, "rssi": -97}}).encode()
    readings = [r for r in DECODERS["json"]("city/mh-31", payload, NOW) if isinstance(r, Reading)]
    assert {r.prop: r.value for r in readings} == {"open": 0.0, "battery_pct": 12.0}
    assert {(r.battery_pct, r.rssi_dbm) for r in readings} == {(12.0, -97.0)}


def test_chirpstack_uplink() -> None:
    readings = DECODERS["chirpstack"](UP, json.dumps(UPLINK).encode(), NOW)
    assert {r.prop: r.value for r in readings} == {
        "fill_pct": 93.0, "distance_mm": 110.0, "temperature": 4.5, "battery_v": 3.54,
    }  # fmt: skip
    fill = readings[0]
    assert (fill.device, fill.rssi_dbm, fill.source_format) == ("a84041ffff180001", -97.0, "chirpstack")
    assert fill.observed_at == datetime(2026, 11, 23, 2, 15, 4, 120_000, tzinfo=UTC)
    again = DECODERS["chirpstack"](UP, json.dumps(UPLINK).encode(), NOW + timedelta(minutes=3))
    assert [r.key for r in again] == [r.key for r in readings], "the same uplink, delivered twice, has the same keys"
    other = DECODERS["chirpstack"](UP, json.dumps({**UPLINK, "deduplicationId": "x"}).encode(), NOW)
    assert not {r.key for r in other} & {r.key for r in readings}


def test_chirpstack_leaves_out_what_is_zero() -> None:
    first = {k: v for k, v in UPLINK.items() if k not in ("deduplicationId", "fCnt", "fPort", "rxInfo")}
    readings = DECODERS["chirpstack"](UP, json.dumps({**first, "object": {"open": False, "n": {"x": 0}}}).encode(), NOW)
    assert {r.prop: r.value for r in readings} == {"open": 0.0, "n_x": 0.0}
    with_zero = DECODERS["chirpstack"](UP, json.dumps({**first, "fCnt": 0, "object": {"open": False}}).encode(), NOW)
    assert with_zero[0].key == readings[0].key


@pytest.mark.parametrize(
    ("event", "extra", "values"),
    [
        ("status", {"margin": 10, "batteryLevel": 87.5}, {"battery_pct": 87.5}),
        ("status", {"margin": 10}, {"battery_pct": 0.0}),
        ("status", {"externalPowerSource": True}, {}),
        ("status", {"batteryLevelUnavailable": True}, {}),
        ("ack", {}, {}),
    ],
)
def test_other_chirpstack_events(event: str, extra: dict[str, Any], values: dict[str, float]) -> None:
    message = {"deduplicationId": "d", "time": "2026-11-23T02:15:04Z", "deviceInfo": UPLINK["deviceInfo"], **extra}
    readings = DECODERS["chirpstack"](UP.replace("/up", f"/{event}"), json.dumps(message).encode(), NOW)
    assert {r.prop: r.value for r in readings} == values


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"object": None}, "codec"),
        ({"deviceInfo": {}}, "devEui"),
        ({"object": {"fill_pct": "much"}}, "'much'"),
    ],
)
def test_chirpstack_refusals(change: dict[str, Any], word: str) -> None:
    with pytest.raises(PayloadError, match=word):
        DECODERS["chirpstack"](UP, json.dumps({**UPLINK, **change}).encode(), NOW)


def test_chirpstack_join_log_and_empty_uplink() -> None:
    about = {"time": "2026-11-23T02:15:04Z", "deviceInfo": UPLINK["deviceInfo"]}
    device, at = "a84041ffff180001", datetime(2026, 11, 23, 2, 15, 4, tzinfo=UTC)

    def told(event: str, extra: dict[str, Any]) -> list[Any]:
        return list(
            DECODERS["chirpstack"](UP.replace("/up", f"/{event}"), json.dumps({**about, **extra}).encode(), NOW)
        )

    assert told("join", {}) == [Presence(device, True, at, "joined")]
    wrong = {"level": "ERROR", "code": "UPLINK_MIC", "description": "Invalid MIC"}
    assert told("log", wrong) == [Trouble(device, "UPLINK_MIC", "Invalid MIC", at)]
    assert told("log", {"code": "OTAA"}) == [], "level INFO is the default and left out"
    assert told("up", {"fCnt": 3}) == [Presence(device, True, at, "uplink without data")], "empty data are left out"


@pytest.mark.parametrize(
    ("heard", "gateways"),
    [
        (UPLINK["rxInfo"], ("g2", "g1")),
        # Below the noise the RSSI is the noise's: -90 dBm at -12 dB is weaker than -100 dBm at 5 dB.
        ([{"gatewayId": "a", "rssi": -90, "snr": -12}, {"gatewayId": "b", "rssi": -100, "snr": 5}], ("b", "a")),
        ([{"gatewayId": "a"}, {"gatewayId": "b", "rssi": -139}], ("b", "a")),
        (
            [{"gatewayId": "a", "rssi": -120}, {"gatewayId": "a", "rssi": -80}, {"gatewayId": "b", "rssi": -90}],
            ("a", "b"),
        ),
        ([{"gatewayId": f"g{n}", "rssi": -100 + n} for n in range(20)], tuple(f"g{n}" for n in range(19, 11, -1))),
        ([{"gatewayId": 7}, {"gatewayId": ""}, {"gatewayId": "x" * 129}, {"gatewayId": "a\n"}, "g", {}], ()),
        ({"gatewayId": "a"}, ()),
        (None, ()),
    ],
)
def test_chirpstack_names_the_gateways_that_heard_it(heard: Any, gateways: tuple[str, ...]) -> None:
    for reading in DECODERS["chirpstack"](UP, json.dumps({**UPLINK, "rxInfo": heard}).encode(), NOW):
        assert isinstance(reading, Reading)
        assert reading.gateways == gateways


def test_chirpstack_signal_of_zero_is_left_out() -> None:
    message = {**UPLINK, "rxInfo": [{"gatewayId": "g", "rssi": -120}]}
    reading = DECODERS["chirpstack"](UP, json.dumps(message).encode(), NOW)[0]
    assert isinstance(reading, Reading)
    assert (reading.rssi_dbm, reading.snr_db, reading.seq) == (-120.0, 0.0, 812)
