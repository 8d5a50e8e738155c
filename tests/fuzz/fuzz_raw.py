"""Pre-roll: any bytes in the ring give pictures or none, in order of decoding, beginning with a keyframe."""

from __future__ import annotations

from itertools import pairwise

from ingest.cameras.rtsp.nal import Track
from ingest.cameras.rtsp.raw import Budget, RawRing

from . import FIXTURES


def seeds() -> list[bytes]:
    """Captured streams; the first byte says codec and the size of the chunks."""
    streams = [(FIXTURES / f"{codec}.bin").read_bytes() for codec in ("h264", "hevc")]
    return [bytes((kind | 2 * size,)) + data[:7000] for kind, data in enumerate(streams) for size in (0, 20, 100)]


def one(data: bytes) -> None:
    """Chunks as they come, a budget that is too small now and then."""
    if not data:
        return
    size = (data[0] >> 1) * 16 or len(data)
    budget = Budget(6000)
    ring = RawRing(0.5, 5000, budget)
    for at in range(1, len(data), size):
        ring.push(data[at : at + size], at / 5000)
        assert 0 <= ring.held_bytes == budget.held_bytes <= 5000
    out = ring.packets(Track("hevc" if data[0] & 1 else "h264", 96))
    assert not out or out[0].key
    assert all(now.dts_s <= later.dts_s for now, later in pairwise(out))
    assert all(picture.dts_s <= picture.pts_s + 1e-9 and picture.data for picture in out)
    ring.clear()
    assert budget.held_bytes == 0
