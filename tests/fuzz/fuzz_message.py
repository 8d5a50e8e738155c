"""The message reader: however the bytes are cut, only RtspError, and never more kept than is bounded."""

from __future__ import annotations

from ingest.cameras.rtsp.errors import RtspError
from ingest.cameras.rtsp.message import MOST_BODY_BYTES, MOST_HEADER_BYTES, Interleaved, MessageReader, parse_text

from . import FIXTURES

MOST_PIECES = 100
MOST_KEPT_BYTES = MOST_HEADER_BYTES + MOST_BODY_BYTES + 4096


def seeds() -> list[bytes]:
    """Captured conversations; the first byte is the size of the pieces."""
    whole = [path.read_bytes() for path in sorted(FIXTURES.glob("*.rtsp"))]
    asked = b"OPTIONS * RTSP/1.0\r\nCSeq: 3\r\n folded\r\n\r\nANNOUNCE rtsp://a/ RTSP/1.0\nContent-Length: 2\n\nhi"
    return [bytes((size,)) + data for data in [*whole, asked] for size in (0, 7)]


def one(data: bytes) -> None:
    """All at once, in pieces, and as text within a stream."""
    size = max(data[0], len(data) // MOST_PIECES) if data and data[0] else len(data) + 1
    reader = MessageReader()
    try:
        for at in range(1, len(data), size):
            reader.feed(data[at : at + size])
            for message in reader.messages():
                if not isinstance(message, Interleaved):
                    assert message.encode()
            assert len(reader.rest()) <= MOST_KEPT_BYTES + size
        reader.as_it_stands()
    except RtspError:
        pass
    found = parse_text(data, 1, len(data))
    assert found is None or 0 < found[1] < len(data)
