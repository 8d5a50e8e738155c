"""The reordering of UDP: nothing comes out that did not go in, nothing twice, and never more is held than allowed."""

from __future__ import annotations

import struct

from ingest.cameras.rtsp.collect import Collector
from ingest.cameras.rtsp.nal import Track
from ingest.cameras.rtsp.rtp import Reorder

from . import FIXTURES

_MOST_PACKETS = 16


def seeds() -> list[bytes]:
    """Packets of captured streams, each behind its size."""
    found = []
    for codec in ("h264", "hevc"):
        data = (FIXTURES / f"{codec}.bin").read_bytes()
        at, packets = data.index(b"$\0"), []
        while at + 4 < len(data) and data[at] == 36 and len(packets) < 12:
            after = at + 4 + (data[at + 2] << 8 | data[at + 3])
            packets.append(struct.pack(">H", min(after - at - 4, 200)) + data[at + 4 : min(after, at + 204)])
            at = after
        found += [b"".join(packets), b"".join(reversed(packets))]
    return found


def one(data: bytes) -> None:
    """Sizes and packets; every out-coming one goes to collectors of both codecs."""
    reorder = Reorder(_MOST_PACKETS, 0.5)
    collectors = [Collector(Track(codec, 96)) for codec in ("h264", "hevc")]
    given: list[int] = []
    taken: list[int] = []
    at, now_s = 0, 0.0
    while at + 2 <= len(data):
        size = (data[at] << 8 | data[at + 1]) & 0x7FF
        packet = data[at + 2 : at + 2 + size]
        at += 2 + size
        now_s += size / 10_000
        given.append(id(packet))
        for ordered in [*reorder.push(packet, now_s), *reorder.waited(now_s)]:
            taken.append(id(ordered))
            for collector in collectors:
                collector.packet(ordered, 0, len(ordered), now_s)
        assert len(reorder._held) <= _MOST_PACKETS
    assert len(taken) <= len(given)
    for collector in collectors:
        if collector.key is not None:
            assert len(collector.key.data) == collector.key.size
