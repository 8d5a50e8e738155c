"""RTP packets in order → whole coded pictures: keyframes with their parameter sets, or every picture for a clip.

RFC 6184 and RFC 7798: single NAL units, aggregation (STAP-A, AP) and fragmentation units (FU-A, FU). A picture is all
slices of one RTP time; it ends with the marker or with the next RTP time, and is refused where a packet is missing.
"""

from __future__ import annotations

from struct import Struct

from . import rtp
from .nal import (
    AGGREGATE,
    FRAGMENT,
    KEY,
    ODD,
    PPS,
    REST,
    SLICE,
    SPS,
    START_CODE,
    VPS,
    Buffer,
    ParameterSets,
    Track,
)

MOST_KEY_BYTES = 8 << 20
NEW_SENDER_AFTER_S = 2.0
"""Another SSRC is a stray while the one we follow was heard this recently; afterwards it is the camera, begun anew."""
_HEADER = Struct(">HHII").unpack_from
_SLICE_HEAD_BYTES = 20
_NOBODY = -1
_TINY = (-1, -1)
"""A first fragment so short that the slice header goes on in the next one: no run is made of such."""
_WANTED = frozenset((KEY, SLICE, VPS, SPS, PPS))


_MIDDLE = {"h264": Struct(">HHHHQBB").unpack_from, "hevc": Struct(">HHHHQHB").unpack_from}
"""Of a frame with a fragment: `$` and channel, size, RTP's first bytes, sequence, time and SSRC, payload header, FU."""
_MIDDLE_BYTES = 19

Run = tuple[bytearray, int]
"""Frames of middle fragments as they came, and where in each the fragment begins."""
Pieces = list[Buffer | Run]


def joined(pieces: Pieces) -> bytes:
    """The bytes of `pieces`, runs cut into their fragments."""
    out: list[Buffer] = []
    for piece in pieces:
        if isinstance(piece, tuple):
            frames, skip = piece
            at = 0
            while at < len(frames):
                after = at + 4 + (frames[at + 2] << 8 | frames[at + 3])
                out.append(frames[at + skip : after])
                at = after
        else:
            out.append(piece)
    return b"".join(out)


class Key:
    """A whole keyframe. `number` counts up over the connection, `arrived_s` is when its last packet came.

    Any thread may ask for `data`: Annex-B, the parameter sets it needs in front.
    """

    __slots__ = ("_data", "_pieces", "arrived_s", "codec", "number", "rtp_time", "size", "spent")

    def __init__(self, codec: str, rtp_time: int, arrived_s: float, number: int, pieces: Pieces, size: int) -> None:
        self.codec, self.rtp_time, self.arrived_s, self.number, self.size = codec, rtp_time, arrived_s, number, size
        self._pieces: Pieces = pieces
        self._data: bytes | None = None
        self.spent = False
        """Whether it was let go of: its picture was made, and nobody asks for it again."""

    def let_go(self) -> None:
        """Of thousands of cameras hardly one keyframe need be kept until the next one comes."""
        self.spent = True
        self._data, self._pieces = b"", []

    @property
    def data(self) -> bytes:
        """Joined on first use, then kept."""
        # Pieces are read before the cache: another thread sets the cache before it lets go of the pieces.
        pieces = self._pieces
        if self._data is None:
            self._data = joined(pieces)
            self._pieces = []
        return self._data


class Collector:
    """Takes RTP packets in the order of their sequence and keeps the newest whole keyframe as `key`.

    What belongs to no keyframe may be left out, if nothing is left out while `open`, `sequence` is set to that of the
    packet left out last, and `holed` to whether some were missing among those just left out.

    Counts `keys`, `lost` (keyframes refused for a hole or their size), `bare` (their parameter sets never came) and
    `strays` (packets of another sender).
    """

    every = False
    """Whether every picture is collected, not only keyframes."""

    def __init__(self, track: Track) -> None:
        self._track, self._codec = track, track.coding
        self._kinds, self._fragment_kinds = self._codec.kinds, self._codec.fragment_kinds
        self._head_bytes = self._codec.head_bytes
        self._plain = 0x8000 | track.payload_type
        self.sets = ParameterSets(self._codec, track.parameter_sets)
        self.key: Key | None = None
        self.keys = self.lost = self.bare = self.strays = 0
        self.ssrc = _NOBODY
        self.heard_s = 0.0
        self.sequence = _NOBODY
        self.open = False
        self.holed = False
        self.fragment = REST
        self._refused_time = self._done_time = self._gap_time = _NOBODY
        self._markers_lie = self._missed = False
        self._cut_time = _NOBODY
        self._own_before = 0
        self._pieces: Pieces = []
        self._heads: list[Buffer] = []
        self._time = self._size = self._own = 0
        self._arrived_s = 0.0
        self._has_key = self._after_gap = False
        self._fragment_from = 0
        self._middle = (0, 0)
        self._looks = _MIDDLE[track.codec]

    def packet(self, buf: Buffer, start: int, end: int, arrived_s: float) -> None:
        """One RTP packet, `buf[start:end]`. What is no RTP, of another payload type or sender is passed over."""
        if end - start <= rtp.HEADER_BYTES:
            return
        head, sequence, time, ssrc = _HEADER(buf, start)
        if head & 0xFF7F == self._plain:
            at = start + rtp.HEADER_BYTES
        else:
            header = rtp.parse(buf, start, end)
            if header is None or header.payload_type != self._track.payload_type:
                return
            at, end = header.start, header.end
        if ssrc != self.ssrc and not self.follows(ssrc, arrived_s):
            return
        self.heard_s = arrived_s
        if self._missed:
            self._missed, self._cut_time = False, time
        gap = (sequence - self.sequence) & 0xFFFF != 1
        if gap or time != self._time:
            if sequence == self.sequence:
                return
            self._between(gap, time)
        self.sequence = sequence
        self._payload(buf, at, end, time, gap)
        if self.open:
            self._arrived_s = arrived_s
            if head & 0x80 and self._complete_at_marker():
                self._finish()

    def run(self, buf: bytearray, at: int, end: int, magic: int, last: int) -> tuple[int, int, int]:
        """Take the plain middle fragments at `at` that go on with the NAL unit begun, as interleaved frames (`magic`:
        `$` and channel; `last`: where the frame before them begins). They are checked here, but cut only when the
        picture is asked for: one copy a run. Returns where it ends, how many frames it has, where the last one begins.
        """
        looks, plain = self._looks, self._plain
        first, fu = self._middle
        stamp = self._time << 32 | self.ssrc
        begin, stop = at, end - _MIDDLE_BYTES
        expected = self.sequence + 1 & 0xFFFF
        while at <= stop:
            sync, size, head, sequence, times, payload, flags = looks(buf, at)
            after = at + size + 4
            if flags != fu or sequence != expected or times != stamp or payload != first or head != plain:
                break
            if sync != magic or after > end or size <= 15:
                break
            expected = expected + 1 & 0xFFFF
            last, at = at, after
        if at == begin:
            return at, 0, last
        packets = (expected - self.sequence - 1) & 0xFFFF
        self.sequence = expected - 1 & 0xFFFF
        self._pieces.append((buf[begin:at], 4 + rtp.HEADER_BYTES + self._head_bytes + 1))
        self._size += at - begin - packets * (5 + rtp.HEADER_BYTES + self._head_bytes)
        if self._size > MOST_KEY_BYTES:
            self._refuse()
        return at, packets, last

    def _payload(self, buf: Buffer, at: int, end: int, time: int, gap: bool) -> None:
        if end - at <= self._head_bytes:
            return
        kind = self._kinds[buf[at]]
        if kind == FRAGMENT:
            body = at + self._head_bytes + 1
            flags = buf[body - 1]
            if flags & 0x80:
                self._fragment_begins(buf, at, end, time, gap)
            elif self.fragment != REST:
                self._goes_on(buf[body:end], flags)
            elif self._fragment_kinds[flags] in _WANTED:
                self._without_beginning(self._fragment_kinds[flags], time)
        elif kind == AGGREGATE:
            self._aggregate(buf, at + self._head_bytes, end, time, gap)
        elif kind == ODD:
            if self.open:
                self._refuse()
        else:
            self._whole(kind, buf, at, end, time, gap)

    def _without_beginning(self, kind: int, time: int) -> None:
        """A later fragment of a NAL unit whose first one never came."""
        if self.open:
            self._refuse()
        elif kind == KEY and time not in (self._refused_time, self._done_time):
            self._refused_time = time
            self.lost += time != self._cut_time

    def _fragment_begins(self, buf: Buffer, at: int, end: int, time: int, gap: bool) -> None:
        body = at + self._head_bytes + 1
        flags = buf[body - 1]
        kind = self._fragment_kinds[flags]
        self.fragment = REST
        if body >= end or not self._wanted(kind, buf[body], time, gap):
            return
        self.fragment = kind
        self._middle = (buf[at] if self._head_bytes == 1 else buf[at] << 8 | buf[at + 1]), flags & 0x3F
        if end - body < _SLICE_HEAD_BYTES:
            self._middle = _TINY
        self._fragment_from = len(self._pieces)
        head = self._codec.fragment_head(buf[at], buf[at + 1], flags)
        if kind in (KEY, SLICE):
            self._heads.append(head[4:])
        self._pieces.append(head)
        self._size += len(head)
        self._goes_on(buf[body:end], flags)

    def _goes_on(self, body: Buffer, flags: int) -> None:
        if self.fragment in (KEY, SLICE) and len(self._heads[-1]) < _SLICE_HEAD_BYTES:
            self._heads[-1] += body[:_SLICE_HEAD_BYTES]
        self._pieces.append(body)
        self._size += len(body)
        if self._size > MOST_KEY_BYTES:
            self._refuse()
        elif flags & 0x40:
            kind, self.fragment = self.fragment, REST
            if kind in (VPS, SPS, PPS):
                nal = joined(self._pieces[self._fragment_from :])[4:]
                del self._pieces[self._fragment_from :]
                self._size -= len(nal) + len(START_CODE)
                self._set(kind, nal)

    def _aggregate(self, buf: Buffer, at: int, end: int, time: int, gap: bool) -> None:
        while at + 2 <= end:
            size = buf[at] << 8 | buf[at + 1]
            after = at + 2 + size
            if after > end:
                if self.open:
                    self._refuse()
                return
            if size > self._head_bytes:
                self._whole(self._kinds[buf[at + 2]], buf, at + 2, after, time, gap)
            at = after

    def _whole(self, kind: int, buf: Buffer, at: int, end: int, time: int, gap: bool) -> None:
        """A NAL unit in one piece, header included."""
        self.fragment = REST
        if not self._wanted(kind, buf[at + self._head_bytes], time, gap):
            return
        if kind in (KEY, SLICE):
            self._heads.append(buf[at : min(end, at + _SLICE_HEAD_BYTES)])
            self._pieces.append(START_CODE)
            self._pieces.append(buf[at:end])
            self._size += end - at + len(START_CODE)
            if self._size > MOST_KEY_BYTES:
                self._refuse()
        else:
            self._set(kind, bytes(buf[at:end]))

    def _set(self, kind: int, nal: bytes) -> None:
        self.sets.remember(kind, nal)
        self._own |= 1 << kind
        if self.every:
            self._pieces += (START_CODE, nal)

    def _wanted(self, kind: int, first_body_byte: int, time: int, gap: bool) -> bool:
        """Whether a NAL unit that begins belongs to the picture; may open it, and may refuse it."""
        if kind not in _WANTED:
            return False
        first = bool(first_body_byte & 0x80)
        if not self.open and not self._opens(kind, first, time, gap):
            return False
        if kind in (VPS, SPS, PPS):
            return True
        if not self._heads and not first:
            # first_mb_in_slice is 0, first_slice_segment_in_pic_flag is 1 in the first slice of every picture.
            self._refuse()
            return False
        if kind == KEY:
            self._has_key = True
        elif not self._has_key and not self.every:
            self.open = False
            return False
        return True

    def _opens(self, kind: int, first: bool, time: int, gap: bool) -> bool:
        if time == self._refused_time or (kind == SLICE and not self.every):
            return False
        if time == self._done_time and kind in (KEY, SLICE) and not first:
            if not gap:
                # The marker stood before the end of the picture: from now on only the next time ends one.
                self._markers_lie = True
                self.lost += 1
                self._take_back()
            self._refused_time = time
            return False
        self.open = True
        self._time, self._size, self._own = time, 0, 0
        self._pieces, self._heads = [b""], []
        self._has_key = False
        self._after_gap = gap or self.holed or time == self._gap_time
        return True

    def _complete_at_marker(self) -> bool:
        return bool(self._heads) and not self._markers_lie and self.fragment == REST

    def _between(self, gap: bool, time: int) -> None:
        """Before a packet that does not follow the one before it, or is of another time than the picture's."""
        if self.open:
            if gap:
                self._refuse()
            elif self._heads:
                self._finish()
            else:
                self.open = False
        if gap:
            self._gap_time = time
            self._hole()

    def _refuse(self) -> None:
        """The picture that is open has a hole, or is too large."""
        self.open, self.fragment = False, REST
        self._refused_time = self._time
        self._own_before |= self._own
        self._pieces = []
        self.lost += self._time != self._cut_time

    def _finish(self) -> None:
        """The picture that is open is whole."""
        self.open, self.fragment = False, REST
        self._done_time = self._time
        pieces, self._pieces = self._pieces, []
        if self._has_key and self._after_gap and self._own_before & ~self._own:
            # Its parameter sets used to come with it; this time they were in the gap, and may have been other ones.
            self.lost += self._time != self._cut_time
            return
        front = self.sets.front(self._heads)
        if front is None:
            self.bare += 1
            self._hole()
            return
        if self._has_key:
            self._own_before = self._own
        self._whole_picture(front, pieces)

    def _whole_picture(self, front: bytes, pieces: Pieces) -> None:
        """The picture that is open is whole; `front` are the parameter sets it needs, `pieces[0]` is their place."""
        pieces[0] = front
        self.keys += 1
        size = len(front) + self._size
        self.key = Key(self._codec.name, self._time, self._arrived_s, self.keys, pieces, size)

    def _take_back(self) -> None:
        """The newest picture turned out not to be whole."""
        self.key = None

    def _hole(self) -> None:
        """Packets are missing, or these are the first ones."""

    def broken(self) -> None:
        """What came last was no whole packet: the picture it went into is refused."""
        if self.open:
            self._refuse()

    def missed(self, now_s: float) -> None:
        """Packets were left out on purpose: a keyframe that they began is not lost, and the sender was not silent."""
        self.broken()
        self._missed, self.heard_s = True, now_s

    def follows(self, ssrc: int, arrived_s: float) -> bool:
        """Whether to follow `ssrc` from now on."""
        if self.ssrc != _NOBODY and 0 <= arrived_s - self.heard_s <= NEW_SENDER_AFTER_S:
            self.strays += 1
            return False
        self.forget_sender()
        self.ssrc = ssrc
        return True

    def forget_sender(self) -> None:
        """The sender said goodbye: the next one is followed, whoever it is."""
        self.broken()
        self.ssrc = self.sequence = self._refused_time = self._done_time = _NOBODY
