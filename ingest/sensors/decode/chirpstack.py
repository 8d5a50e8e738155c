"""`chirpstack`: events of ChirpStack v4 as JSON, where fields that hold their default are left out (proto3).

Source: the JSON integration of ChirpStack v4 (api/integration.proto); domain.md §8.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ...errors import PayloadError
from ...reading import Reading
from .plain import load_object
from .times import judge, parse_time
from .values import key_of, measure, number, unit_of

_QUIET = ("join", "ack", "txack", "log", "location", "integration")
"""Events that measure nothing."""


def decode_chirpstack(topic: str, payload: bytes, received_at: datetime) -> list[Reading]:
    """Readings of an `up` event's decoded object, the battery of a `status` event; none of the other events.

    Raises PayloadError for what is no event of ChirpStack, or an uplink without a decoded object.
    """
    event = topic.rsplit("/", 1)[-1]
    if event in _QUIET:
        return []
    if event not in ("up", "status"):
        raise PayloadError(f"{topic}: unknown event {event!r}; known: up, status, {', '.join(_QUIET)}")
    message = load_object(topic, payload)
    info = message.get("deviceInfo")
    device = info.get("devEui") if isinstance(info, dict) else None
    if not isinstance(device, str) or not device:
        raise PayloadError(f"{topic}: deviceInfo.devEui: {device!r} is no device id")
    device = device.lower()
    said = message.get("time")
    observed_at, quality = judge(parse_time(said), received_at)
    base = message.get("deduplicationId") or key_of(device, message.get("fPort", 0), message.get("fCnt", 0), said)
    if event == "status":
        measured, battery = _status(topic, message), None
    else:
        measured = dict(_object(topic, message))
        battery = number(measured.get("battery_pct", measured.get("battery")))
    return [
        Reading(
            device, prop, value, unit_of(prop), observed_at, received_at, f"{base}:{prop}", quality, battery,
            _best_rssi(message), "chirpstack",
        )
        for prop, value in measured.items()
    ]  # fmt: skip


def _status(topic: str, message: dict[str, Any]) -> dict[str, float]:
    """Battery in percent; an absent `batteryLevel` is 0, unless the device said that it does not know."""
    if message.get("externalPowerSource") or message.get("batteryLevelUnavailable"):
        return {}
    level = number(message.get("batteryLevel", 0))
    if level is None:
        raise PayloadError(f"{topic}: batteryLevel: {message.get('batteryLevel')!r} is not a number")
    return {"battery_pct": level}


def _object(topic: str, message: dict[str, Any]) -> Iterator[tuple[str, float]]:
    decoded = message.get("object")
    if not isinstance(decoded, dict):
        raise PayloadError(f"{topic}: no decoded object in the uplink; give its ChirpStack device profile a codec")
    for prop, value in _flat(decoded):
        found = measure(topic, prop, value)
        if found is not None:
            yield prop, found


def _flat(decoded: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in decoded.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}_")
        else:
            yield before + name, value


def _best_rssi(message: dict[str, Any]) -> float | None:
    """dBm at the gateway that heard best; an absent one is 0, which no gateway measures."""
    gateways = message.get("rxInfo")
    heard = [number(g.get("rssi")) for g in gateways if isinstance(g, dict)] if isinstance(gateways, list) else []
    return max((rssi for rssi in heard if rssi is not None), default=None)
