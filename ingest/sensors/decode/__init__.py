"""Payload formats: one decoder each, found by the name that the configuration gives a topic.

A decoder is called with (topic, payload, received_at) and answers with everything the message says; it raises
PayloadError, and nothing else, naming topic, field and value. Most are pure functions; Sparkplug and Home Assistant
remember what was announced. A format may also be a mapping profile, as JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from ...errors import PayloadError
from .chirpstack import decode_chirpstack
from .homeassistant import HomeAssistant, is_config
from .mapping import MappingProfile
from .plain import decode_json
from .said import Said
from .sparkplug import Sparkplug, is_birth
from .tasmota import decode_tasmota
from .thethings import decode_thethings
from .thingsboard import decode_thingsboard
from .zigbee2mqtt import decode_zigbee2mqtt

Decoder = Callable[[str, bytes, datetime], Sequence[Said]]

DECODERS: dict[str, Decoder] = {
    "json": decode_json,
    "chirpstack": decode_chirpstack,
    "thethings": decode_thethings,
    "zigbee2mqtt": decode_zigbee2mqtt,
    "thingsboard": decode_thingsboard,
    "tasmota": decode_tasmota,
}
"""Formats of which every message explains itself."""
REMEMBERING: dict[str, Callable[[], Decoder]] = {"sparkplug": Sparkplug, "homeassistant": HomeAssistant}
"""Formats of which earlier messages explain later ones: what makes a decoder for one listener."""
_EXPLAINS = {"sparkplug": is_birth, "homeassistant": is_config}
FORMATS = (*DECODERS, *REMEMBERING)
MOST_PAYLOAD_BYTES = 1 << 20


def explains(form: str, topic: str) -> bool:
    """Whether later messages cannot be read without this one: who is to go on after a restart keeps it."""
    return form in _EXPLAINS and _EXPLAINS[form](topic)


class Decoders:
    """All decoders of one listener."""

    def __init__(self) -> None:
        self._by_format: dict[str, Decoder] = DECODERS | {name: make() for name, make in REMEMBERING.items()}

    def decode(self, form: str, topic: str, payload: bytes, received_at: datetime) -> Sequence[Said]:
        """What a message says. `form`: one of FORMATS, or a mapping profile as JSON. Raises PayloadError."""
        if len(payload) > MOST_PAYLOAD_BYTES:
            raise PayloadError(f"{topic}: {len(payload)} bytes in one message, at most {MOST_PAYLOAD_BYTES}")
        decoder = self._by_format.get(form)
        if decoder is None:
            # Forms come from the configuration, so there are few.
            decoder = self._by_format[form] = MappingProfile.from_json(form)
        return decoder(topic, payload, received_at)
