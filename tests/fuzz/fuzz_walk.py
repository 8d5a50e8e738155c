"""The walker: however the bytes are cut, it takes no more than there is, keeps its bounds, and its keyframes join."""

from __future__ import annotations

from ingest.cameras.rtsp.collect import MOST_KEY_BYTES
from ingest.cameras.rtsp.nal import MOST_SET_BYTES, MOST_SETS, Track
from ingest.cameras.rtsp.walk import LARGEST_FRAME_BYTES, MOST_TEXT_BYTES, MOST_TEXTS, Walker

from . import FIXTURES

_MOST_WAITED_FOR = max(LARGEST_FRAME_BYTES, 2 * MOST_TEXT_BYTES)


def seeds() -> list[bytes]:
    """Captured streams; the first byte says codec, channels and the size of the pieces."""
    streams = [(FIXTURES / f"{codec}.bin").read_bytes() for codec in ("h264", "hevc")]
    return [bytes((kind | 2 * size,)) + data[:7000] for kind, data in enumerate(streams) for size in (0, 3, 60)]


def one(data: bytes) -> None:
    """In pieces, as the reader feeds it; some are left out, as it does between looks."""
    if not data:
        return
    size = (data[0] >> 1) * 16 or len(data)
    walker = Walker(Track("hevc" if data[0] & 1 else "h264", 96), 0, 1)
    buf, key = bytearray(), None
    for n, at in enumerate(range(1, len(data), size)):
        if n % 5 == 4 and walker.at_rest:
            buf.clear()
            walker.missed(at / 1000)
            continue
        buf += data[at : at + size]
        used = walker.walk(buf, len(buf), at / 1000)
        assert 0 <= used <= len(buf)
        del buf[:used]
        assert len(buf) <= _MOST_WAITED_FOR + size
        if walker.key is not None and walker.key is not key:
            key = walker.key
            assert len(key.data) == key.size <= MOST_KEY_BYTES + 3 * MOST_SETS * MOST_SET_BYTES
            assert key.data.startswith(b"\0\0\0\1")
    assert len(walker.texts) <= MOST_TEXTS
