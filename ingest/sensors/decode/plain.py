"""`json`: plain JSON objects; the device is the field `device`, else the last segment of the topic."""

from __future__ import annotations

import json
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson

from ...errors import PayloadError
from ...reading import Reading
from .origin import Origin, whole
from .said import Trouble
from .times import about_when, judge, parse_time
from .values import number

_DEVICE = ("device", "device_id", "deviceId", "id")
_TIME = ("time", "ts", "timestamp", "observed_at")
_SEQUENCE = ("seq", "fcnt", "f_cnt", "msg_id")
_MOST_DEPTH = 32
_ABOUT = {*_DEVICE, *_TIME, *_SEQUENCE, "battery", "battery_pct", "rssi", "rssi_dbm", "snr"}


def load_json(topic: str, payload: bytes) -> Any:
    """The JSON value in `payload`; raises PayloadError naming the topic and what came."""
    try:
        value = orjson.loads(payload)
    except ValueError:
        value = _leniently(topic, payload)
    if payload.count(b"[") + payload.count(b"{") > _MOST_DEPTH and _deeper(value, _MOST_DEPTH):
        raise PayloadError(f"{topic}: not a sensor's JSON (nested more than {_MOST_DEPTH} deep): {payload[:60]!r}")
    return value


def _leniently(topic: str, payload: bytes) -> Any:
    """What the standard library still takes for JSON: NaN, halves of characters, UTF-16, integers of any size."""
    try:
        return json.loads(payload)
    except (ValueError, RecursionError) as error:
        reason = f"{error}" if isinstance(error, json.JSONDecodeError) else "not UTF-8 text"
        raise PayloadError(f"{topic}: not JSON ({reason}): {payload[:60]!r}") from None


def _deeper(value: object, than: int) -> bool:
    """Whether lists and objects lie in each other more than `than` deep; without recursion, which may end too early."""
    level: list[object] = [value]
    for _ in range(than + 1):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return True


def load_object(topic: str, payload: bytes) -> dict[str, Any]:
    """The JSON object in `payload`; raises PayloadError naming the topic and what came."""
    value = load_json(topic, payload)
    if not isinstance(value, dict):
        raise PayloadError(f"{topic}: a JSON {type(value).__name__}, wanted an object: {payload[:60]!r}")
    return value


def said_time(topic: str, said: object) -> datetime | None:
    """The time in a field, None where it is absent. Raises PayloadError where it is no time."""
    time = parse_time(said)
    if said is not None and time is None:
        raise PayloadError(f"{topic}: time: {str(said)[:60]!r} is no time")
    return time


def decode_json(topic: str, payload: bytes, received_at: datetime) -> list[Reading | Trouble]:
    """One Reading for each field that is a number, boolean, numeric text or word of state; `values` may nest them.

    A known measurement that is no number is a Trouble beside them. Raises PayloadError where it is no JSON object, or
    nothing in it is a measurement.
    """
    message = load_object(topic, payload)
    device = next((message[name] for name in _DEVICE if message.get(name)), topic.rsplit("/", 1)[-1])
    time = said_time(topic, next((message[name] for name in _TIME if name in message), None))
    observed_at, quality = judge(time, received_at)
    sequence = next((message[name] for name in _SEQUENCE if name in message), None)
    # A count alone does not tell messages apart: it begins anew with a battery, or stands still.
    counted = sequence if time is not None else f"{sequence}@{about_when(observed_at)}"
    told = counted if sequence is not None else int(observed_at.timestamp())
    about = f"\x1f{device}\x1f{topic}\x1f{told}".encode(errors="surrogatepass")
    base = sha256(payload + about).hexdigest()[:32]
    origin = Origin(topic, device, "json", received_at, observed_at, quality, base)
    nested = message.get("values")
    fields = nested if isinstance(nested, dict) else message
    all_of_it = {**message, **fields}
    origin.rssi_dbm = number(all_of_it.get("rssi_dbm", all_of_it.get("rssi")))
    origin.snr_db, origin.seq = number(all_of_it.get("snr")), whole(sequence)
    battery = all_of_it.get("battery_pct", all_of_it.get("battery"))
    measured = [(prop, value) for prop, value in fields.items() if prop not in _ABOUT]
    readings = origin.readings([*measured, ("battery_pct", battery)])
    if not readings:
        raise PayloadError(f"{topic}: no field in it is a measurement: {payload[:60]!r}")
    return readings
