"""`thethings`: messages of The Things Stack v3 as JSON, where fields that are empty, 0 or false are left out.

Source: The Things Stack, "Data Formats" and "MQTT Server"; domain.md §8.2. The device is its DevEUI, or its id in the
application where it has none. Devices have no clock: a reading is of the moment when the first gateway heard it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ...errors import PayloadError
from .origin import Origin, flat, whole
from .plain import load_object
from .said import Presence, Said
from .times import judge, parse_time
from .values import key_of

_QUIET = ("queued", "sent", "ack", "nack", "failed", "data", "solved")
"""Last topic levels of `down/…`, `service/data` and `location/solved`."""


def decode_thethings(topic: str, payload: bytes, received_at: datetime) -> list[Said]:
    """Readings of an uplink's decoded payload, presence at a join, nothing of downlinks.

    Raises PayloadError for what is no message of The Things Stack, or an uplink of data without a decoded payload.
    """
    event = topic.rsplit("/", 1)[-1]
    if event in _QUIET:
        return []
    if event not in ("up", "join"):
        raise PayloadError(f"{topic}: unknown message {event[:60]!r}; known: up, join, {', '.join(_QUIET)}")
    message = load_object(topic, payload)
    device = _device(topic, message)
    uplink = message.get("uplink_message", {})
    if not isinstance(uplink, dict):
        raise PayloadError(f"{topic}: uplink_message: {str(uplink)[:60]!r} is no object")
    observed_at, quality = judge(parse_time(uplink.get("received_at") or message.get("received_at")), received_at)
    if event == "join":
        return [Presence(device, True, observed_at, "joined")]
    seq = whole(uplink.get("f_cnt", 0))
    session, port = uplink.get("session_key_id"), uplink.get("f_port", 0)
    # The hour keeps apart what a device counts anew after its battery was changed, in the same session (ABP).
    unique = (session, observed_at.replace(minute=0, second=0, microsecond=0)) if session else (port, observed_at)
    origin = Origin(
        topic, device, "thethings", received_at, observed_at, quality, key_of(device, *unique, seq), seq=seq
    )
    origin.hear(uplink.get("rx_metadata"), _gateway)
    decoded = uplink.get("decoded_payload")
    if decoded is None and not uplink.get("frm_payload"):
        return [Presence(origin.device, True, observed_at, "uplink without data")]
    if not isinstance(decoded, dict):
        raise PayloadError(f"{topic}: no decoded_payload in the uplink; give its end device a payload formatter")
    return [*origin.readings(flat(decoded))]


def _gateway(heard: Mapping[str, Any]) -> object:
    """Its id, or its EUI where it has none; not the Packet Broker, which tells what other networks heard."""
    ids = heard.get("gateway_ids")
    if not isinstance(ids, dict) or "packet_broker" in heard or ids.get("gateway_id") == "packetbroker":
        return None
    eui = ids.get("eui")
    return ids.get("gateway_id") or (eui.lower() if isinstance(eui, str) else None)


def _device(topic: str, message: dict[str, Any]) -> str:
    ids = message.get("end_device_ids")
    if not isinstance(ids, dict):
        raise PayloadError(f"{topic}: end_device_ids: {str(ids)[:60]!r} is no object")
    eui = ids.get("dev_eui")
    device = eui.lower() if isinstance(eui, str) and eui else ids.get("device_id")
    if not isinstance(device, str) or not device:
        raise PayloadError(f"{topic}: end_device_ids: neither dev_eui nor device_id in it")
    return device
