"""`tasmota`: STATE, SENSOR and LWT messages of Tasmota firmware. `Time` is local time without a zone.

Source: tasmota.github.io, "MQTT", "Peripherals"; domain.md §8.2. The device is its topic without the prefix
(tele, stat) and the last level. Each sensor within a message is a channel: `DS18B20.Temperature` is `temperature` of
channel `ds18b20`, the second phase of `ENERGY.Voltage` is `voltage` of channel `energy_2`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ...errors import PayloadError
from ...reading import Reading
from .origin import MOST_READINGS, Origin, device_id
from .plain import load_object, said_time
from .said import Presence, Said
from .times import judge
from .values import key_of, measure, name_of, number

_PREFIXES = ("tele", "stat")
_QUIET = re.compile(r"INFO\d*|UPTIME|RESULT|STATUS\d*|LOGGING|HASS_STATE|WAKEUP|MARGINS|POWER\d*")
_NUMBERED = re.compile(r"(POWER|Switch|Counter|Analog)(\d*)")
_SWITCHED = {"POWER": "relay", "Switch": "switch", "Counter": "counter", "Analog": "analog"}
_RENAMED = {"total": "energy", "today": "energy_today", "yesterday": "energy_yesterday", "dewpoint": "dew_point"}
_UNIT_FIELDS = {"TempUnit": ("temperature", "dewpoint"), "PressureUnit": ("pressure", "seapressure")}
_IDLE = ("Time", "TempUnit", "PressureUnit", "SpeedUnit", "Id", "TotalStartTime", "Period")


def decode_tasmota(topic: str, payload: bytes, received_at: datetime) -> list[Said]:
    """Readings of SENSOR and STATE, presence from LWT. Raises PayloadError for what is no message of Tasmota."""
    levels = topic.split("/")
    device, last = "/".join(level for level in levels[:-1] if level not in _PREFIXES), levels[-1]
    if last == "LWT":
        word = payload.decode("utf-8", "replace")
        if word not in ("Online", "Offline"):
            raise PayloadError(f"{topic}: {word[:60]!r} is neither Online nor Offline")
        return [Presence(device_id(topic, device), word == "Online", received_at, "LWT")]
    if _QUIET.fullmatch(last):
        return []
    if last not in ("SENSOR", "STATE"):
        raise PayloadError(f"{topic}: unknown message {last[:60]!r}; known: SENSOR, STATE, LWT")
    message = load_object(topic, payload)
    observed_at, quality = judge(said_time(topic, message.get("Time")), received_at)
    base = key_of(device, topic, payload.hex(), int(observed_at.timestamp()))
    origin = Origin(topic, device, "tasmota", received_at, observed_at, quality, base)
    wifi = message.get("Wifi")
    origin.rssi_dbm = number(wifi.get("Signal")) if isinstance(wifi, dict) else None
    found = dict.fromkeys(_state(origin, message) if last == "STATE" else _sensors(origin, message))
    if len(found) > MOST_READINGS:
        raise PayloadError(f"{topic}: {len(found)} measurements in one message, at most {MOST_READINGS}")
    return [*found] or [Presence(origin.device, True, observed_at, last)]


def _state(origin: Origin, message: dict[str, Any]) -> Iterator[Reading]:
    """Relays and the supply voltage; the rest of STATE is about the firmware."""
    for name, value in message.items():
        if name == "Vcc":
            yield from _one(origin, "voltage", value, "V", "vcc")
        elif (numbered := _NUMBERED.fullmatch(name)) and numbered[1] == "POWER":
            yield from _one(origin, "relay", value, "", numbered[2])


def _sensors(origin: Origin, message: dict[str, Any]) -> Iterator[Reading]:
    units = {prop: str(message[field]) for field, props in _UNIT_FIELDS.items() if field in message for prop in props}
    for name, value in message.items():
        if isinstance(value, dict):
            yield from _sensor(origin, name_of(name), value, units)
        elif numbered := _NUMBERED.fullmatch(name):
            yield from _one(origin, _SWITCHED[numbered[1]], value, "", numbered[2])
        elif name not in _IDLE:
            yield from _one(origin, name_of(name), value, "", "")


def _sensor(origin: Origin, channel: str, fields: dict[str, Any], units: dict[str, str]) -> Iterator[Reading]:
    for name, value in fields.items():
        if name in _IDLE:
            continue
        said = name_of(name)
        prop, unit = _RENAMED.get(said, said), units.get(said, "")
        if isinstance(value, list):
            for phase, of_phase in enumerate(value, 1):
                yield from _one(origin, prop, of_phase, unit, f"{channel}_{phase}")
        else:
            yield from _one(origin, prop, value, unit, channel)


def _one(origin: Origin, prop: str, value: object, unit: str, channel: str) -> Iterator[Reading]:
    found = measure(origin.topic, prop, value)
    if found is not None and prop:
        yield origin.reading(prop, found, unit, channel)
