"""Format, sample, decoded reading: one table, tested, and written to docs/sensors.md by `make sensors-doc`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from detectors.profile import SensorRule
from detectors.profiles import load_profiles
from ingest.reading import Quality, Reading
from ingest.sensors.decode import Decoders
from ingest.sensors.decode.mapping import load_mappings
from ingest.sensors.decode.said import Announced, Presence, RebirthWanted, Said, Trouble

from .tahu import metric, payload

NOW = datetime(2026, 11, 23, 2, 15, 6, tzinfo=UTC)
_ROOT = Path(__file__).resolve().parents[2]
PROFILES = _ROOT / "configs" / "sensors"
MAPPINGS = PROFILES / "mappings"
DOCUMENT = _ROOT / "docs" / "sensors.md"
_CABINET = {
    "name": "door", "unique_id": "cab-0107-door", "state_topic": "cab/0107/state", "device_class": "door",
    "value_template": "{{ value_json.door }}", "payload_on": "OPEN", "payload_off": "CLOSED",
    "availability_topic": "cab/0107/lwt", "expire_after": 93600,
    "device": {"identifiers": ["cab-0107"], "model": "NB door magnet"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sample:
    """`says`: what `payload` on `topic` means, in the words of `shown`, after the messages in `before`.

    A dict is sent as JSON; `mapping:NAME` is one of the profiles in configs/sensors/mappings.
    """

    form: str
    about: str
    topic: str
    payload: dict[str, Any] | list[Any] | bytes
    says: tuple[str, ...]
    before: tuple[tuple[str, bytes], ...] = ()

    @property
    def data(self) -> bytes:
        """The payload as it travels."""
        given = self.payload
        return given if isinstance(given, bytes) else json.dumps(given, ensure_ascii=False).encode()

    def decoded(self) -> list[str]:
        """What the decoders really say."""
        decoders, form = Decoders(), wire_form(self.form)
        for topic, data in self.before:
            decoders.decode(form, topic, data, NOW)
        return [shown(one) for one in decoders.decode(form, self.topic, self.data, NOW)]


@cache
def _mappings() -> dict[str, str]:
    return {f"mapping:{name}": profile.to_json() for name, profile in load_mappings(MAPPINGS).items()}


def wire_form(form: str) -> str:
    """The format as the hub sends it to its workers."""
    return _mappings().get(form, form)


def shown(one: Said) -> str:
    """One thing said, in one line."""
    if isinstance(one, Reading):
        channel = f"[{one.channel}]" if one.channel else ""
        late = "" if one.quality is Quality.OK else f" ({one.quality})"
        unit = f" {one.unit}" if one.unit else ""
        return f"{one.device}: {one.prop}{channel} = {one.value:g}{unit} at {one.observed_at:%H:%M:%S}{late}"
    if isinstance(one, Presence):
        return f"{one.device}: {'online' if one.online else 'offline'} ({one.why})"
    if isinstance(one, Trouble):
        return f"{one.device}: {one.code} {one.text}"
    if isinstance(one, RebirthWanted):
        return f"{one.node}: births wanted ({one.why})"
    assert isinstance(one, Announced)
    return f"{one.device}: announces {one.prop} on {one.state_topic}" + (f" ({one.readable})" if one.readable else "")


_BIRTHS = (
    ("spBv1.0/xifeng/NBIRTH/pump-st-02", payload(metric(7, 4, name="bdSeq"), seq=0)),
    (
        "spBv1.0/xifeng/DBIRTH/pump-st-02/level1",
        payload(
            metric(25.0, 9, name="water_level_cm", alias=3, unit="cm"), metric(-4, 3, name="Inputs/Flow", alias=4),
            metric(False, 11, name="smoke", alias=5), seq=1,
        ),
    ),
)  # fmt: skip

SAMPLES = (
    Sample(
        "json", "plain fields; strings for numbers; local time without zone", "gridhub/mh-31",
        {"device": "mh-31", "time": "2026-11-23T10:15:02", "tilt_deg": "38", "open": True, "battery": "80"},
        (
            "mh-31: tilt_deg = 38 deg at 02:15:02", "mh-31: open = 1 at 02:15:02",
            "mh-31: battery_pct = 80 % at 02:15:02",
        ),
    ),
    Sample(
        "chirpstack", "uplink; fCnt, adr, confirmed are left out where they are 0 or false",
        "application/a1/device/a84041ffff180001/event/up",
        {
            "deduplicationId": "5b1c0a1e-0000-4000-8000-000000000001", "time": "2026-11-23T02:15:04.120Z",
            "deviceInfo": {"applicationId": "a1", "devEui": "a84041ffff180001"}, "fPort": 2, "data": "AWQDRA==",
            "object": {"fill_pct": 93, "temperature": 4.5}, "rxInfo": [{"gatewayId": "g1", "rssi": -97, "snr": 6.2}],
        },
        (
            "a84041ffff180001: fill_pct = 93 % at 02:15:04", "a84041ffff180001: temperature = 4.5 degC at 02:15:04",
        ),
    ),
    Sample(
        "chirpstack", "status; a batteryLevel of 0 is left out", "application/a1/device/a84041ffff180001/event/status",
        {"time": "2026-11-23T02:15:04Z", "deviceInfo": {"devEui": "a84041ffff180001"}, "margin": 10},
        ("a84041ffff180001: battery_pct = 0 % at 02:15:04",),
    ),
    Sample(
        "chirpstack", "log: the device's health, no reading", "application/a1/device/a84041ffff180001/event/log",
        {"time": "2026-11-23T02:15:04Z", "deviceInfo": {"devEui": "a84041ffff180001"}, "level": "ERROR",
         "code": "UPLINK_F_CNT_RESET", "description": "Frame-counter reset"},
        ("a84041ffff180001: UPLINK_F_CNT_RESET Frame-counter reset",),
    ),
    Sample(
        "thethings", "uplink; the time is the gateway's", "v3/xf-drain@city/devices/manhole-031/up",
        {
            "end_device_ids": {"device_id": "manhole-031", "dev_eui": "0004A30B001C0530"},
            "received_at": "2026-11-23T02:15:05.2Z",
            "uplink_message": {
                "session_key_id": "AXBSH1Pk6Z0G166", "f_port": 1, "f_cnt": 42, "frm_payload": "AQ==",
                "decoded_payload": {"tilt_deg": 38, "open": True, "water_cm": 12},
                "rx_metadata": [{"gateway_ids": {"gateway_id": "gw1"}, "rssi": -101, "snr": 3}],
                "received_at": "2026-11-23T02:15:05.0Z",
            },
        },
        (
            "0004a30b001c0530: tilt_deg = 38 deg at 02:15:05", "0004a30b001c0530: open = 1 at 02:15:05",
            "0004a30b001c0530: water_cm = 12 cm at 02:15:05",
        ),
    ),
    Sample(
        "zigbee2mqtt", "smoke detector; last_seen with its zone", "zigbee2mqtt/shop/12/smoke",
        {"smoke": True, "battery": 86, "battery_low": False, "tamper": False, "linkquality": 97,
         "last_seen": "2026-11-23T10:15:02+08:00"},
        (
            "shop/12/smoke: smoke = 1 at 02:15:02", "shop/12/smoke: battery_pct = 86 % at 02:15:02",
            "shop/12/smoke: battery_low = 0 at 02:15:02", "shop/12/smoke: tamper = 0 at 02:15:02",
            "shop/12/smoke: linkquality = 97 at 02:15:02",
        ),
    ),
    Sample(
        "zigbee2mqtt", "contact true is closed; battery as a text", "zigbee2mqtt/box-7",
        {"contact": True, "battery": "100.00"},
        ("box-7: open = 0 at 02:15:06", "box-7: battery_pct = 100 % at 02:15:06"),
    ),
    Sample(
        "zigbee2mqtt", "availability", "zigbee2mqtt/shop/12/smoke/availability", {"state": "offline"},
        ("shop/12/smoke: offline (availability)",),
    ),
    Sample(
        "sparkplug", "data by alias after the births; the unit is that of the birth",
        "spBv1.0/xifeng/DDATA/pump-st-02/level1",
        payload(metric(27.5, 9, said=False, alias=3), metric(-12, 3, said=False, alias=4), seq=2),
        (
            "xifeng/pump-st-02/level1: water_level_cm = 27.5 cm at 02:15:04",
            "xifeng/pump-st-02/level1: inputs_flow = -12 at 02:15:04",
        ),
        _BIRTHS,
    ),
    Sample(
        "sparkplug", "a sequence number is missing", "spBv1.0/xifeng/DDATA/pump-st-02/level1",
        payload(metric(True, 11, said=False, alias=5), seq=17),
        (
            "xifeng/pump-st-02: births wanted (message 2 was expected, 17 came)",
            "xifeng/pump-st-02/level1: smoke = 1 at 02:15:04",
        ),
        _BIRTHS,
    ),
    Sample(
        "sparkplug", "death of the node, and with it of its devices", "spBv1.0/xifeng/NDEATH/pump-st-02",
        payload(metric(7, 4, name="bdSeq")),
        ("xifeng/pump-st-02: offline (NDEATH)", "xifeng/pump-st-02/level1: offline (NDEATH)"), _BIRTHS,
    ),
    Sample(
        "homeassistant", "discovery: into quarantine", "homeassistant/binary_sensor/cab-0107/door/config", _CABINET,
        ("cab-0107: announces open on cab/0107/state",),
    ),
    Sample(
        "homeassistant", "a state that was announced", "cab/0107/state", {"door": "OPEN"},
        ("cab-0107: open[door] = 1 at 02:15:06",),
        (("homeassistant/binary_sensor/cab-0107/door/config", json.dumps(_CABINET).encode()),),
    ),
    Sample(
        "thingsboard", "device; milliseconds", "dust-4/v1/devices/me/telemetry",
        {"ts": 1795400104000, "values": {"pm25": 68, "pm10": "121", "noise_leq": 66.4}},
        (
            "dust-4: pm25 = 68 ug/m3 at 02:15:04", "dust-4: pm10 = 121 ug/m3 at 02:15:04",
            "dust-4: noise_leq = 66.4 dB at 02:15:04",
        ),
    ),
    Sample(
        "thingsboard", "gateway with two devices", "v1/gateway/telemetry",
        {"Lamp A": [{"ts": 1795400104000, "values": {"current_ma": 410}}], "Lamp B": [{"current_ma": 0}]},
        ("Lamp A: current_ma = 410 mA at 02:15:04", "Lamp B: current_ma = 0 mA at 02:15:06"),
    ),
    Sample(
        "tasmota", "local time without zone; a zero is a value", "tele/lamp-9/SENSOR",
        {"Time": "2026-11-23T10:15:05", "ENERGY": {"Power": 0, "Voltage": [228, 231], "Current": 0.0},
         "Switch1": "OFF", "DS18B20": {"Id": "0123", "Temperature": 68}, "TempUnit": "F"},
        (
            "lamp-9: power[energy] = 0 W at 02:15:05", "lamp-9: voltage[energy_1] = 228 V at 02:15:05",
            "lamp-9: voltage[energy_2] = 231 V at 02:15:05", "lamp-9: current[energy] = 0 A at 02:15:05",
            "lamp-9: switch[1] = 0 at 02:15:05", "lamp-9: temperature[ds18b20] = 20 degC at 02:15:05",
        ),
    ),
    Sample("tasmota", "last will", "tele/lamp-9/LWT", b"Offline", ("lamp-9: offline (LWT)",)),
    Sample(
        "mapping:ctwing_level", "a profile: a text that holds JSON, 0-1 for %, ten times the degrees, words",
        "push/ctwing/1",
        {"deviceId": "862000050001", "timestamp": 1795400104000, "upPacketSN": -1,
         "payload": '{"level": "0.93", "temp": 45, "lid": "开", "battery": 870, "rsrp": -98}'},
        (
            "862000050001: fill_pct = 93 % at 02:15:04", "862000050001: temperature = 4.5 degC at 02:15:04",
            "862000050001: open = 1 at 02:15:04", "862000050001: battery_pct = 87 % at 02:15:04",
        ),
    ),
    Sample(
        "mapping:onenet_water", "a profile: records picked by a field; mm become cm", "push/onenet",
        {"msg": [{"dev_id": 2016617, "ds_id": "water", "at": 1795400104000, "value": 152},
                 {"dev_id": 2016617, "ds_id": "fw", "at": 1795400104000, "value": "1.2.3"}]},
        ("2016617: depth_cm = 15.2 cm at 02:15:04",),
    ),
)  # fmt: skip


def table() -> Iterator[str]:
    """Format, sample, decoded reading as Markdown, with what the decoders say now."""
    yield "| Format | What | Topic and payload | Decoded |"
    yield "|---|---|---|---|"
    for sample in SAMPLES:
        try:
            text = sample.data.decode()
        except UnicodeDecodeError:
            text = f"{len(sample.data)} bytes: {sample.data.hex(' ')}"
        text = text if len(text) <= 160 else f"{text[:157]}…"
        cells = (sample.form, sample.about, f"`{sample.topic}`<br>`{text}`", "<br>".join(sample.decoded()))
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def catalogue() -> Iterator[str]:
    """The shipped profiles as Markdown: what warns, what alarms, what ends it."""
    yield "| Sensor | Measured | Warn | Alarm | Over | Held | Becomes |"
    yield "|---|---|---|---|---|---|---|"
    for profile in load_profiles(PROFILES).values():
        name = f"{profile.name['zh']} `{profile.id}`"
        for rule, stanza in zip(profile.rules, profile.wire["rules"], strict=True):
            yield f"| {name} | {' | '.join(_cells(rule, stanza))} |"
            name = ""


def _cells(rule: SensorRule, stanza: Mapping[str, Any]) -> Iterator[str]:
    limits = rule.limits
    span = f", {rule.span.how} of {_time(rule.span.over_s)}" if rule.span else ""
    yield f"{rule.label['en']} `{rule.prop}`{span}{', by hours' if rule.hours or rule.by_hours else ''}"
    worse, better = (">", "<") if limits.above else ("<", ">")
    if rule.state:
        yield from ("", "yes", "no")
    else:
        for key, sign in (("warn", worse), ("alarm", worse), ("clear", better)):
            yield f"{sign} {_limit(stanza[key])} {rule.unit}".rstrip() if key in stanza else ""
    held = [f"{limits.hold} readings"] if limits.hold > 1 else []
    held += [_time(limits.hold_s)] if limits.hold_s else []
    yield ", ".join(held)
    yield f"`{rule.kind}`" if rule.kind else f"notice: {rule.notice}" if rule.notice else "report only"


def _limit(given: Any) -> str:
    if not isinstance(given, dict):
        return f"{given:g}"
    times = f" x {given['times']:g}" if "times" in given else ""
    return f"`{given['of']}`{times}{given.get('plus', 0):+g}" if "plus" in given else f"`{given['of']}`{times}"


def _time(seconds: float) -> str:
    return (
        f"{seconds / 3600:g} h" if seconds >= 3600 else f"{seconds / 60:g} min" if seconds >= 60 else f"{seconds:g} s"
    )


def document() -> str:
    """docs/sensors.md."""
    return "\n".join(
        (
            "# Sensors: what is understood, and what is made of it",
            "",
            "Written by `make sensors-doc` from the tests' own samples and the shipped profiles; a test holds it true.",
            "",
            "## Format, sample, decoded reading",
            "",
            *table(),
            "",
            "Everything else is a mapping profile (`configs/sensors/mappings/`), written in YAML or in the screen.",
            "",
            "## What alarms",
            "",
            *catalogue(),
            "",
            "Besides, for maintenance and never a case: silence (three intervals, at least 10 minutes on mains and"
            " 25 hours on battery), a lost gateway (one notice, none for its sensors), batteries (20 %, 10 %, once a"
            " week), values that do not move. `configs/sensors/README.md` shows every key of a profile.",
            "",
            "A sensor's gateway is the one it is registered with; else Sparkplug's edge node; else the LoRaWAN gateways"
            " that heard its newest uplink (ChirpStack `rxInfo[].gatewayId`, The Things Stack"
            " `rx_metadata[].gateway_ids`), three at most: those of before that still hear it, then the strongest. A"
            " gateway is lost when none of its sensors was heard for three intervals of the busiest (10 minutes at"
            " least; two of them must have been speaking till then); a sensor goes with it when all its gateways are"
            " lost.",
            "",
        )
    )


def main() -> None:
    """Write the document."""
    DOCUMENT.write_text(document(), encoding="utf-8")


if __name__ == "__main__":
    main()
