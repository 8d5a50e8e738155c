"""Bytes from a broker: however they are cut, each whole message is taken once; what is no MQTT is said to be none."""

from __future__ import annotations

from ingest.sensors.publishes import Malformed, Publish, cut


def seeds() -> list[bytes]:
    """Messages of both versions, others among them; the first byte says the version and the size of the pieces."""
    new = b"\x32\x0c\x00\x03a/b\x00\x07\x00{12}" + b"\xd0\x00" + b"\x31\x08\x00\x01x\x02\x26\x01\x02y"
    old = b"\x32\x0b\x00\x03a/b\x00\x07{12}" + b"\x90\x03\x00\x01\x01" + b"\x30\x05\x00\x01xyz"
    return [bytes((kind | size << 1,)) + data for kind, data in ((0, new), (1, old)) for size in (0, 1, 3)]


def one(data: bytes) -> None:
    """As it comes, and at once: the same messages."""
    if not data:
        return
    old, size = bool(data[0] & 1), (data[0] >> 1) or len(data)
    try:
        whole = taken(data[1:], len(data), old)
    except Malformed:
        whole = None
    try:
        pieces = taken(data[1:], size, old)
    except Malformed:
        pieces = None
    assert whole == pieces


def taken(data: bytes, size: int, old: bool) -> list[Publish]:
    buffer, found = bytearray(), list[Publish]()
    for at in range(0, len(data), size):
        buffer += data[at : at + size]
        while True:
            more, used, length = cut(buffer, old)
            assert 0 <= used <= len(buffer)
            found += more
            del buffer[:used]
            if not length or len(buffer) < length:
                break
            del buffer[:length]  # another packet, which the MQTT library reads
    return found
