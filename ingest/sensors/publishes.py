"""PUBLISH packets cut out of the bytes of an MQTT connection: pure, and all that is done for each of 10,000 a second.

Source: OASIS MQTT 5.0 and 3.1.1, chapters 2 and 3.3. Every other packet is left to the MQTT library.
"""

from __future__ import annotations

from typing import NamedTuple

PUBLISH = 0x30
MOST_PACKET_BYTES = 2 << 20
"""A sensor's message is never larger; a broker is asked not to send such (MQTT 5)."""


class Malformed(ValueError):
    """The bytes are no MQTT: the connection is no good any more."""


class Publish(NamedTuple):
    """A message as it stands in its packet. `mid`: the two bytes that acknowledge it, empty at QoS 0."""

    topic: bytes
    payload: bytes
    mid: bytes
    retained: bool


def cut(data: bytearray, old: bool) -> tuple[list[Publish], int, int]:
    """The whole PUBLISH packets at the beginning of `data`, how many bytes they take, and how long the next packet is.

    The last is 0 where not enough of the next packet has come to tell, or where it is a PUBLISH that is not whole yet.
    `old`: MQTT 3.1.1, whose messages have no properties. Raises Malformed.
    """
    found: list[Publish] = []
    at, end = 0, len(data)
    while at + 2 <= end:
        body, length = at + 2, data[at + 1]
        if length & 0x80:
            length, body = _length(data, at + 1)
            if not body:
                return found, at, 0
        if length > MOST_PACKET_BYTES:
            raise Malformed(f"a packet of {length} bytes, at most {MOST_PACKET_BYTES}")
        after = body + length
        if data[at] & 0xF0 != PUBLISH:
            return found, at, after - at
        if after > end:
            return found, at, 0
        found.append(_publish(data, data[at], body, after, old))
        at = after
    return found, at, 0


def _publish(data: bytearray, first: int, body: int, after: int, old: bool) -> Publish:
    text = body + 2
    at = text + (data[body] << 8 | data[body + 1]) if text <= after else after + 1
    qos, mid = first & 0x06, b""
    if qos == 0x02:
        mid, at = bytes(data[at : at + 2]), at + 2
        topic_end = at - 2
    elif qos == 0:
        topic_end = at
    else:
        raise Malformed("a message of QoS 2 or 3, which was not asked for")
    if not old:
        if at >= after:
            raise Malformed("a message without its length of properties")
        properties = data[at]
        if properties & 0x80:
            properties, at = _length(data, at)
            if not at:
                raise Malformed("a message whose properties have no length")
        else:
            at += 1
        at += properties
    if at > after or topic_end == text:
        raise Malformed("a message longer than its packet, or without a topic")
    return Publish(bytes(data[text:topic_end]), bytes(data[at:after]), mid, bool(first & 1))


def _length(data: bytearray, at: int) -> tuple[int, int]:
    """(variable byte integer at `at`, where it ends); (0, 0) where it has not all come."""
    value = shift = 0
    for place in range(at, min(at + 4, len(data))):
        value |= (data[place] & 0x7F) << shift
        if not data[place] & 0x80:
            return value, place + 1
        shift += 7
    if len(data) >= at + 4:
        raise Malformed("a length of more than four bytes")
    return 0, 0


def acknowledgements(mids: list[bytes]) -> bytes:
    """PUBACK packets: "success", which needs no more than this in both versions."""
    return b"".join([b"\x40\x02" + mid for mid in mids])
