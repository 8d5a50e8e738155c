"""Payload formats: one pure function each, found by the name that the configuration gives a topic."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from ...reading import Reading
from .chirpstack import decode_chirpstack
from .plain import decode_json

DECODERS: dict[str, Callable[[str, bytes, datetime], list[Reading]]] = {
    "json": decode_json,
    "chirpstack": decode_chirpstack,
}
"""`decode(topic, payload, received_at) -> readings`; raises PayloadError naming topic, field and value."""
