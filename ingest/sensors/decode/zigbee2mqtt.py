"""`zigbee2mqtt`: states that Zigbee2MQTT publishes as JSON, and its availability messages.

Source: zigbee2mqtt.io, "MQTT Topics and Messages", "Device Availability"; domain.md §8.2. The device is its friendly
name, which may hold slashes: all of the topic after its first level.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ...errors import PayloadError
from .origin import Origin, device_id
from .plain import load_json, load_object, said_time
from .said import Presence, Said
from .times import judge
from .values import key_of, number

_RENAMED = {"water_leak": "water", "occupancy": "occupied", "battery": "battery_pct"}
_ABOUT = ("last_seen", "update", "device", "action", "elapsed")
"""Fields that are no measurements, whatever they hold."""
_ASKED = ("set", "get")
"""Last levels of the topics on which others ask something of a device."""


def decode_zigbee2mqtt(topic: str, payload: bytes, received_at: datetime) -> list[Said]:
    """Readings of a device's state; presence from `…/availability` and `bridge/state`.

    `contact: true` means closed, and becomes `open` = 0. Raises PayloadError for what is no state.
    """
    base, _, name = topic.partition("/")
    if name.startswith("bridge/"):
        return _presence(topic, base, payload, received_at) if name == "bridge/state" else []
    before, _, last = name.rpartition("/")
    if before and last == "availability":
        return _presence(topic, before, payload, received_at)
    if before and last in _ASKED:
        return []
    message = load_object(topic, payload)
    said = said_time(topic, message.get("last_seen"))
    observed_at, quality = judge(said, received_at)
    base_key = key_of(name, topic, payload.hex(), int(observed_at.timestamp()))
    origin = Origin(topic, name, "zigbee2mqtt", received_at, observed_at, quality, base_key)
    return [*origin.readings(_fields(message))]


def _fields(message: dict[str, Any]) -> Iterator[tuple[str, object]]:
    for name, value in message.items():
        if name == "contact":
            closed = number(value)
            yield "open", value if closed is None else 1.0 - closed
        elif name not in _ABOUT:
            yield _RENAMED.get(name, name), value


def _presence(topic: str, device: str, payload: bytes, received_at: datetime) -> list[Said]:
    """`{"state": "online"}`, or the bare word of versions before 1.x's end."""
    said: Any = payload.decode("utf-8", "replace").strip()
    if said.startswith(("{", '"')):
        said = load_json(topic, payload)
    state = said.get("state") if isinstance(said, dict) else said
    if state not in ("online", "offline"):
        raise PayloadError(f"{topic}: {str(state)[:60]!r} is neither online nor offline")
    return [Presence(device_id(topic, device), state == "online", received_at, "availability")]
