"""`chirpstack`: events of ChirpStack v4 as JSON, where fields that hold their default are left out (proto3).

Source: the JSON integration of ChirpStack v4 (api/integration.proto); domain.md §8.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ...errors import PayloadError
from ...reading import Reading
from .origin import Origin, device_id, flat, whole
from .plain import load_object
from .said import Presence, Said, Trouble
from .times import judge, parse_time
from .values import key_of, number

_QUIET = ("ack", "txack", "location", "integration")
"""Events that say nothing of what is measured, nor of the device's health."""
_KNOWN = ("up", "status", "join", "log", *_QUIET)


def decode_chirpstack(topic: str, payload: bytes, received_at: datetime) -> list[Said]:
    """Readings of an `up` event's decoded object, the battery of a `status` event; presence at a join; troubles logged.

    Raises PayloadError for what is no event of ChirpStack, or an uplink of data without a decoded object.
    """
    event = topic.rsplit("/", 1)[-1]
    if event in _QUIET:
        return []
    if event not in _KNOWN:
        raise PayloadError(f"{topic}: unknown event {event[:60]!r}; known: {', '.join(_KNOWN)}")
    message = load_object(topic, payload)
    info = message.get("deviceInfo")
    device = info.get("devEui") if isinstance(info, dict) else None
    if not isinstance(device, str) or not device:
        raise PayloadError(f"{topic}: deviceInfo.devEui: {str(device)[:60]!r} is no device id")
    origin = _origin(topic, device.lower(), message, received_at)
    if event == "log":
        return _logged(origin, message)
    if event == "join":
        return [Presence(origin.device, True, origin.observed_at, "joined")]
    if event == "status":
        return [*_status(origin, message)]
    if message.get("object") is None and not message.get("data"):
        # proto3 leaves an empty `data` out: a frame of commands only, sent to say that the device is there.
        return [Presence(origin.device, True, origin.observed_at, "uplink without data")]
    return [*_measured(origin, message)]


def _origin(topic: str, device: str, message: dict[str, Any], received_at: datetime) -> Origin:
    said = message.get("time")
    observed_at, quality = judge(parse_time(said), received_at)
    seq = whole(message.get("fCnt", 0))
    unique = message.get("deduplicationId")
    base = unique if isinstance(unique, str) and unique else key_of(device, message.get("fPort", 0), seq, said)
    origin = Origin(topic, device, "chirpstack", received_at, observed_at, quality, base, seq=seq)
    origin.hear(message.get("rxInfo"), _gateway)
    return origin


def _gateway(heard: Mapping[str, Any]) -> object:
    return heard.get("gatewayId")


def _status(origin: Origin, message: dict[str, Any]) -> list[Reading | Trouble]:
    """Battery in percent; an absent `batteryLevel` is 0, unless the device said that it does not know."""
    if message.get("externalPowerSource") or message.get("batteryLevelUnavailable"):
        return []
    level = number(message.get("batteryLevel", 0))
    if level is None:
        raise PayloadError(f"{origin.topic}: batteryLevel: {str(message['batteryLevel'])[:60]!r} is not a number")
    origin.seq = None
    return origin.readings([("battery_pct", level)])


def _logged(origin: Origin, message: dict[str, Any]) -> list[Said]:
    """`level` INFO is the enum's default and so left out."""
    if message.get("level") not in ("WARNING", "ERROR"):
        return []
    code, text = str(message.get("code", "UNKNOWN"))[:64], str(message.get("description", ""))[:200]
    return [Trouble(device_id(origin.topic, origin.device), code, text, origin.observed_at)]


def _measured(origin: Origin, message: dict[str, Any]) -> list[Reading | Trouble]:
    decoded = message.get("object")
    if not isinstance(decoded, dict):
        raise PayloadError(
            f"{origin.topic}: no decoded object in the uplink; give its ChirpStack device profile a codec"
        )
    return origin.readings(flat(decoded))
