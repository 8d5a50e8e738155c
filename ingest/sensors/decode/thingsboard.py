"""`thingsboard`: telemetry as devices and gateways send it to ThingsBoard, over MQTT and over HTTP.

Source: thingsboard.io, "MQTT Device API", "MQTT Gateway API", "HTTP Device API"; domain.md §8.2. A device names itself
by its access token alone, which a subscriber of the broker does not see: there, put a level with the device's id in
front (`DEVICE/v1/devices/me/telemetry`, Mosquitto's mount_point or a bridge does it). An HTTP body on
`api/v1/TOKEN/telemetry` becomes readings of `tb-` and a hash of the token, which is never shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from ...errors import PayloadError
from ...reading import Reading
from .origin import MOST_READINGS, Origin, device_id, flat
from .plain import load_json, load_object, said_time
from .said import Presence, Said, Trouble
from .times import judge
from .values import key_of

_TELEMETRY = ("v1/devices/me/telemetry", "v2/t")
_QUIET = ("attributes", "rpc", "claim", "provision")


def decode_thingsboard(topic: str, payload: bytes, received_at: datetime) -> list[Said]:
    """Readings of a device's or a gateway's telemetry; presence from a gateway's connect and disconnect.

    Raises PayloadError, which never holds a token.
    """
    way, where, device = _way(topic)
    if way is None:
        return []
    return way(where, device, payload, received_at)


_Way = Callable[[str, str, bytes, datetime], list[Said]]


def _way(topic: str) -> tuple[_Way | None, str, str]:
    """(what reads the message, the topic as it may be shown, the device)."""
    levels = topic.strip("/").split("/")
    if len(levels) >= 4 and levels[-4:-2] == ["api", "v1"]:
        where = f"api/v1/***/{levels[-1]}"
        return _known(where, levels[-1], telemetry), where, device_of(levels[-2])
    for ending in _TELEMETRY:
        if topic == ending or topic.endswith(f"/{ending}"):
            before = topic[: -len(ending)].strip("/")
            if not before:
                raise PayloadError(f"{topic}: names no device; a broker must put a level with its id in front")
            return telemetry, topic, before.rsplit("/", 1)[-1]
    if levels[-3:-1] == ["v1", "gateway"]:
        return _known(topic, levels[-1], gateway_telemetry, connect=_connected, disconnect=_gone), topic, ""
    if set(levels) & set(_QUIET):
        return None, topic, ""
    raise PayloadError(f"{topic}: no topic of ThingsBoard; known: …/{', …/'.join(_TELEMETRY)}, v1/gateway/telemetry")


def device_of(token: str) -> str:
    """The id of the device whose access token this is, which does not tell the token."""
    return f"tb-{key_of('token', token)[:16]}"


def _known(where: str, last: str, reader: _Way, **more: _Way) -> _Way | None:
    if last in _QUIET:
        return None
    ways = {"telemetry": reader, **more}
    if last not in ways:
        raise PayloadError(f"{where}: unknown {last[:60]!r}; known: {', '.join((*ways, *_QUIET))}")
    return ways[last]


def telemetry(where: str, device: str, payload: bytes, received_at: datetime) -> list[Said]:
    """Readings of one device whose id is known: a flat object, {"ts", "values"}, or an array of those."""
    return _bounded(where, _read(where, device, load_json(where, payload), received_at))


def gateway_telemetry(where: str, _device: str, payload: bytes, received_at: datetime) -> list[Said]:
    """Readings of the devices behind a gateway: {"DEVICE": [{"ts", "values"}, …]}."""
    devices = load_object(where, payload)
    return _bounded(where, (r for name, rows in devices.items() for r in _read(where, name, rows, received_at)))


def _bounded(where: str, readings: Iterator[Reading | Trouble]) -> list[Said]:
    found: list[Said] = []
    for reading in readings:
        if len(found) >= MOST_READINGS:
            raise PayloadError(f"{where}: more than {MOST_READINGS} measurements in one message")
        found.append(reading)
    return found


def _read(where: str, device: str, rows: Any, received_at: datetime) -> Iterator[Reading | Trouble]:
    device = device_id(where, device)
    for row in rows if isinstance(rows, list) else [rows]:
        if not isinstance(row, dict):
            raise PayloadError(f"{where}: a JSON {type(row).__name__}, wanted an object: {str(row)[:60]!r}")
        values = row.get("values")
        dated = isinstance(values, dict)
        fields = values if isinstance(values, dict) else row
        observed_at, quality = judge(said_time(where, row.get("ts")) if dated else None, received_at)
        # With a time of its own the measurement is known by (device, ts, key); else by all of its content.
        unique = (row["ts"],) if dated and "ts" in row else (where, row, int(observed_at.timestamp()))
        origin = Origin(where, device, "thingsboard", received_at, observed_at, quality, key_of(device, *unique))
        yield from origin.readings(flat(fields))


def _connected(where: str, _device: str, payload: bytes, received_at: datetime) -> list[Said]:
    device = device_id(where, load_object(where, payload).get("device", ""))
    return [Presence(device, True, received_at, "gateway connect")]


def _gone(where: str, _device: str, payload: bytes, received_at: datetime) -> list[Said]:
    device = device_id(where, load_object(where, payload).get("device", ""))
    return [Presence(device, False, received_at, "gateway disconnect")]
