"""The last seconds of a stream as they came: kept for next to nothing, taken apart only when a clip is made."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import heapify, heapreplace
from itertools import pairwise
from weakref import WeakSet

from .collect import Collector, Pieces, joined
from .nal import PPS, SPS, VPS, Track
from .walk import Walker

_CHUNK_COST_BYTES = 150
"""What Python adds to a chunk: the object, the pair and its place in the deque."""
_FREED_AT_ONCE = 64
_FRAME_S = 0.04
_JUMP_S = 10.0
"""A camera whose clock jumps further has set it: then arrival tells the time between two pictures."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One coded picture in Annex-B, keyframes with their parameter sets. Times: seconds on the stream's own clock,
    from the first picture of the ring; `rtp_time` and `arrived_s` date it.
    """

    data: bytes
    pts_s: float
    dts_s: float
    duration_s: float
    key: bool
    rtp_time: int
    arrived_s: float
    corrupt: bool = False


class Budget:
    """The bytes that all rings of a process may hold together. Where that is not enough, the largest rings give up
    their oldest bytes, a sixty-fourth of the budget at a time. One thread pushes.
    """

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.held_bytes = 0
        self.dropped_bytes = 0
        self._rings: WeakSet[RawRing] = WeakSet()

    def add(self, ring: RawRing) -> None:
        """`ring` draws on this budget from now on."""
        self._rings.add(ring)

    def trim(self) -> None:
        """Make room."""
        wanted = self.most_bytes - self.most_bytes // _FREED_AT_ONCE
        largest = [(-ring.held_bytes, id(ring), ring) for ring in self._rings if ring.held_bytes]
        heapify(largest)
        while self.held_bytes > wanted and largest:
            ring = largest[0][2]
            if not ring.held_bytes:
                return
            self.dropped_bytes += ring.drop_oldest()
            heapreplace(largest, (-ring.held_bytes, id(ring), ring))


class RawRing:
    """Interleaved bytes of one connection, whole frames only, a chunk a read; bounded in seconds and bytes.

    A clip begins with a keyframe, so ask for the seconds wanted and one keyframe interval more. `dropped_bytes` counts
    what was given up before `span_s` was over.
    """

    def __init__(self, span_s: float, most_bytes: int, budget: Budget | None = None) -> None:
        self.span_s = span_s
        self.held_bytes = 0
        self.dropped_bytes = 0
        self._most_bytes = most_bytes
        self._budget = budget
        self._chunks: deque[tuple[float, bytes]] = deque()
        if budget is not None:
            budget.add(self)

    def __len__(self) -> int:
        return len(self._chunks)

    def push(self, chunk: bytes, arrived_s: float) -> None:
        """The newest chunk."""
        chunks = self._chunks
        chunks.append((arrived_s, chunk))
        self._count(len(chunk) + _CHUNK_COST_BYTES)
        oldest_s = arrived_s - self.span_s
        # What came later than now came before the clock was set back.
        while not oldest_s <= chunks[0][0] <= arrived_s:
            self._count(-len(chunks.popleft()[1]) - _CHUNK_COST_BYTES)
        while self.held_bytes > self._most_bytes and chunks:
            self.drop_oldest()
        if self._budget is not None and self._budget.held_bytes > self._budget.most_bytes:
            self._budget.trim()

    def drop_oldest(self) -> int:
        """Give up the oldest chunk; returns the bytes freed."""
        if not self._chunks:
            return 0
        freed = len(self._chunks.popleft()[1]) + _CHUNK_COST_BYTES
        self._count(-freed)
        self.dropped_bytes += freed
        return freed

    def clear(self) -> None:
        """Forget everything: the connection began anew, or ended."""
        self._chunks.clear()
        self._count(-self.held_bytes)

    def _count(self, more: int) -> None:
        self.held_bytes += more
        if self._budget is not None:
            self._budget.held_bytes += more

    def chunks(self) -> list[tuple[float, bytes]]:
        """(when it arrived, bytes), oldest first: hand these to `pictures` in another thread."""
        return list(self._chunks)

    def packets(self, track: Track, channels: tuple[int, int] = (0, 1)) -> list[Picture]:
        """Every whole picture held, from the first keyframe on; see `pictures`."""
        return pictures(self.chunks(), track, channels)


def interleaved(channel: int, packets: Iterable[bytes]) -> bytes:
    """Packets that came by UDP as the frames that a ring keeps."""
    return b"".join(b"$" + bytes((channel,)) + len(packet).to_bytes(2, "big") + packet for packet in packets)


def pictures(
    chunks: Sequence[tuple[float, bytes]], track: Track, channels: tuple[int, int] = (0, 1), counted: Clip | None = None
) -> list[Picture]:
    """The whole pictures in `chunks` in decoding order. Begins with a keyframe; after a hole nothing is kept up to the
    next keyframe, for what refers to a missing picture decodes to rubbish.
    """
    clip = counted or Clip(track)
    walker = Walker(track, *channels, collector=clip)
    rest = b""
    for arrived_s, chunk in chunks:
        buf = bytearray(rest + chunk)
        rest = bytes(buf[walker.walk(buf, len(buf), arrived_s) :])
    return _timed(clip.kept, track.clock_hz)


@dataclass(frozen=True, slots=True)
class _Kept:
    rtp_time: int
    arrived_s: float
    key: bool
    data: bytes


class Clip(Collector):
    """Collects every picture; `kept` are those that decode, `dropped` counts those after a hole."""

    every = True

    def __init__(self, track: Track) -> None:
        super().__init__(track)
        self.kept: list[_Kept] = []
        self.dropped = 0
        self._broken = True
        self._all_sets = sum(1 << kind for kind in ((VPS, SPS, PPS) if track.codec == "hevc" else (SPS, PPS)))

    def _whole_picture(self, front: bytes, pieces: Pieces) -> None:
        if self._has_key:
            self._broken = False
            if self._own & self._all_sets != self._all_sets:
                pieces[0] = front
        if self._broken:
            self.dropped += 1
            return
        self.kept.append(_Kept(self._time, self._arrived_s, self._has_key, joined(pieces)))

    def _refuse(self) -> None:
        super()._refuse()
        self._broken = True

    def _hole(self) -> None:
        self._broken = True

    def _take_back(self) -> None:
        if self.kept:
            self.kept.pop()
        self._broken = True


def _timed(kept: Sequence[_Kept], clock_hz: int) -> list[Picture]:
    """RTP says when a picture is shown. Where pictures are reordered (B frames), it is decoded when the one shown in
    its place is, earlier by the largest reordering there is.
    """
    if not kept:
        return []
    ticks = [0]
    for before, one in pairwise(kept):
        step = (one.rtp_time - before.rtp_time + 0x80000000 & 0xFFFFFFFF) - 0x80000000
        if abs(step) > _JUMP_S * clock_hz:
            step = max(0, round((one.arrived_s - before.arrived_s) * clock_hz))
        ticks.append(ticks[-1] + step)
    shown = sorted(ticks)
    delay = max(0, *(place - tick for place, tick in zip(shown, ticks, strict=True)))
    steps = [(later - now) / clock_hz for now, later in pairwise(shown)]
    durations = [*steps, steps[-1] if steps else _FRAME_S]
    return [
        Picture(one.data, tick / clock_hz, (place - delay) / clock_hz, duration_s, one.key, one.rtp_time, one.arrived_s)
        for one, tick, place, duration_s in zip(kept, ticks, shown, durations, strict=True)
    ]
