"""Messages cut out of an MQTT connection: whole ones only, with their properties skipped, whatever stands between."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.sensors.publishes import MOST_PACKET_BYTES, Malformed, Publish, acknowledgements, cut


def length(value: int) -> bytes:
    made = bytearray()
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    return bytes([*made, value])


def packet(message: Publish, old: bool, properties: bytes = b"", first: int = 0x30) -> bytes:
    first |= (0x02 if message.mid else 0) | message.retained
    head = len(message.topic).to_bytes(2, "big") + message.topic + message.mid
    body = head + (b"" if old else length(len(properties)) + properties) + message.payload
    return bytes([first]) + length(len(body)) + body


MESSAGES = st.builds(
    Publish, st.binary(min_size=1, max_size=40), st.binary(max_size=300),
    st.one_of(st.just(b""), st.binary(min_size=2, max_size=2)), st.booleans(),
)  # fmt: skip


@given(st.lists(MESSAGES, max_size=8), st.binary(max_size=200), st.booleans(), st.integers(1, 400))
def test_every_message_is_taken_once_however_it_comes(
    messages: list[Publish], properties: bytes, old: bool, size: int
) -> None:
    data = b"".join(packet(message, old, properties) for message in messages)
    buffer, found = bytearray(), list[Publish]()
    for at in range(0, len(data), size):
        buffer += data[at : at + size]
        more, used, _ = cut(buffer, old)
        found += more
        del buffer[:used]
    assert found == messages
    assert not buffer


def test_other_packets_are_left_where_they_are() -> None:
    one = Publish(b"a/b", b"{}", b"\x00\x07", False)
    data = packet(one, False) + b"\x90\x04\x00\x01\x00\x01" + packet(one, False)
    found, used, waits = cut(bytearray(data), False)
    assert (found, used, waits) == ([one], len(packet(one, False)), 6)
    assert cut(bytearray(data[used:]), False) == ([], 0, 6)
    assert cut(bytearray(b"\x90"), False) == ([], 0, 0)


@pytest.mark.parametrize(
    "data",
    [
        b"\x34\x06\x00\x01a\x00\x01\x00", b"\x36\x06\x00\x01a\x00\x01\x00", b"\x30\x03\x00\x09a", b"\x30\x02\x00\x00",
        b"\x32\x04\x00\x01a\x00", b"\x30\x04\x00\x01a\x05", b"\x30\xff\xff\xff\xff\x01", b"\x30\x00",
        b"\x30" + length(MOST_PACKET_BYTES + 1), b"\x30\x04\x00\x00\x00x",
    ],
)  # fmt: skip
def test_what_is_no_message_ends_the_connection(data: bytes) -> None:
    with pytest.raises(Malformed):
        cut(bytearray(data), False)


def test_acknowledgements_are_as_the_standard_writes_them() -> None:
    assert acknowledgements([b"\x00\x01", b"\xab\xcd"]) == b"\x40\x02\x00\x01\x40\x02\xab\xcd"
