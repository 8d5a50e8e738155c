"""H.264 and H.265 as far as keyframes need them: kinds of NAL units, parameter sets by id, what a slice refers to.

Numbers: ITU-T H.264 tables 7-1 and 7.3, ITU-T H.265 tables 7-1 and 7.3; RTP payloads: RFC 6184 and RFC 7798.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

START_CODE = b"\x00\x00\x00\x01"
MOST_SET_BYTES = 4096
MOST_SETS = 64

REST, SLICE, KEY, VPS, SPS, PPS, AGGREGATE, FRAGMENT, ODD = range(9)
"""What a NAL unit is to us. REST: delimiters, SEI, filler; ODD: payloads we don't read (interleaved, PACI)."""

Buffer = bytes | bytearray


@dataclass(frozen=True)
class Track:
    """The video of a session: codec "h264" or "hevc", its RTP payload type and clock, parameter sets in Annex-B."""

    codec: str
    payload_type: int
    clock_hz: int = 90000
    parameter_sets: bytes = b""

    @property
    def coding(self) -> Codec:
        """Raises ValueError for a codec that is neither."""
        if self.codec not in CODECS:
            raise ValueError(f"codec {self.codec!r}; allowed: {', '.join(CODECS)}")
        return CODECS[self.codec]


@dataclass(frozen=True)
class Codec:
    """The differences between the two codecs as tables, indexed by the first byte of a NAL unit."""

    name: str
    head_bytes: int
    fragment_mask: int
    kinds: tuple[int, ...]
    fragment_kinds: tuple[int, ...] = field(repr=False)
    """What a fragmentation unit is a part of, by its FU header."""

    def fragment_head(self, first: int, second: int, fu: int) -> bytes:
        """Start code and header of the NAL unit that a fragment (payload bytes `first`, `second`) begins."""
        if self.head_bytes == 1:
            return START_CODE + bytes(((first & 0xE0) | (fu & 0x1F),))
        return START_CODE + bytes(((first & 0x81) | (fu & 0x3F) << 1, second))

    def skipping(self) -> list[list[int]]:
        """`table[first][fu]`: 0 where a packet that begins so can be no part of a keyframe nor of a parameter set.

        `first` is the first payload byte, `fu` the byte after the NAL header.
        """
        plain, wanted = [0] * 256, [1] * 256
        parts = [int(kind in (KEY, VPS, SPS, PPS)) for kind in self.fragment_kinds]
        rows = {KEY: wanted, VPS: wanted, SPS: wanted, PPS: wanted, AGGREGATE: wanted, FRAGMENT: parts}
        return [rows.get(kind, plain) for kind in self.kinds]


def _kinds(named: dict[int, int], slices: range, bits: int, shift: int) -> tuple[int, ...]:
    def kind(byte: int) -> int:
        number = (byte >> shift) & ((1 << bits) - 1)
        return named.get(number, SLICE if number in slices else REST)

    return tuple(kind(byte) for byte in range(256))


_H264 = {5: KEY, 7: SPS, 8: PPS, 24: AGGREGATE, 28: FRAGMENT, **dict.fromkeys((25, 26, 27, 29), ODD)}
_HEVC = {**dict.fromkeys(range(16, 22), KEY), 32: VPS, 33: SPS, 34: PPS, 48: AGGREGATE, 49: FRAGMENT, 50: ODD}
CODECS = {
    "h264": Codec("h264", 1, 0x1F, _kinds(_H264, range(1, 5), 5, 0), _kinds(_H264, range(1, 5), 5, 0)),
    "hevc": Codec("hevc", 2, 0x3F, _kinds(_HEVC, range(16), 6, 1), _kinds(_HEVC, range(16), 6, 0)),
}


_NO_ID = 1 << 32


class Bits:
    """Reads the first bits of a NAL unit's payload (emulation prevention undone). Past the end come zeros."""

    def __init__(self, data: Buffer) -> None:
        plain = bytes(data).replace(b"\x00\x00\x03", b"\x00\x00")
        self._value = int.from_bytes(plain, "big")
        self._left = 8 * len(plain)

    @property
    def overrun(self) -> bool:
        """Whether more was read than there is."""
        return self._left < 0

    def skip(self, bits: int) -> None:
        """Go on by `bits`."""
        self._left -= bits

    def number(self, bits: int) -> int:
        """u(n)."""
        self._left -= bits
        mask = (1 << bits) - 1
        return self._value >> self._left & mask if self._left >= 0 else self._value << -self._left & mask

    def golomb(self) -> int:
        """ue(v) (H.264 9.1); _NO_ID where there is none, which no id allows."""
        if self._left <= 0:
            return _NO_ID
        rest = self._value & ((1 << self._left) - 1)
        zeros = self._left - rest.bit_length()
        if zeros > 31 or rest == 0:
            return _NO_ID
        self._left -= zeros
        return self.number(zeros + 1) - 1


def set_ids(codec: Codec, kind: int, nal: Buffer) -> tuple[int, int] | None:
    """(own id, id of the set it refers to; 0 where it refers to none) of a parameter set; None where it is none."""
    bits = Bits(nal[codec.head_bytes : codec.head_bytes + 64])
    if kind == VPS:
        found = bits.number(4), 0
    elif kind == PPS:
        found = bits.golomb(), bits.golomb()
    elif codec.name == "h264":
        bits.skip(24)
        found = bits.golomb(), 0
    else:
        vps, layers = bits.number(4), bits.number(3)
        bits.skip(1)
        _skip_profiles(bits, layers)
        found = bits.golomb(), vps
    most = {VPS: 15, SPS: 31 if codec.name == "h264" else 15, PPS: 255 if codec.name == "h264" else 63}
    refers_most = {VPS: 0, SPS: 15, PPS: most[SPS]}
    return found if found[0] <= most[kind] and found[1] <= refers_most[kind] else None


def _skip_profiles(bits: Bits, layers: int) -> None:
    """profile_tier_level (H.265 7.3.3) with `layers` sub-layers."""
    bits.skip(96)
    if not layers:
        return
    present = [(bits.number(1), bits.number(1)) for _ in range(8)][:layers]
    for profile, level in present:
        bits.skip(88 * profile + 8 * level)


def slice_pps(codec: Codec, head: Buffer) -> int:
    """Id of the PPS that a slice refers to; `head` are its first bytes (H.264 7.3.3, H.265 7.3.6.1)."""
    at, intra = codec.head_bytes, codec.kinds[head[0]] == KEY
    # Two bytes hold it in nearly every slice, and are nearly always the same.
    found = _slice_pps(codec.name, intra, bytes(head[at : at + 2]))
    return found if found != _NO_ID else _slice_pps.__wrapped__(codec.name, intra, bytes(head[at:]))


@lru_cache(maxsize=1024)
def _slice_pps(codec: str, intra: bool, head: bytes) -> int:
    """The same of a slice's payload; _NO_ID where it ends before the id does."""
    bits = Bits(head)
    if codec == "h264":
        bits.golomb()
        bits.golomb()
    else:
        bits.skip(2 if intra else 1)
    found = bits.golomb()
    return _NO_ID if bits.overrun else found


class ParameterSets:
    """The newest parameter sets of a stream, by kind and id; bounded. Newer ones take the place of older ones."""

    def __init__(self, codec: Codec, annexb: bytes = b"") -> None:
        self._codec = codec
        self._sets: dict[tuple[int, int], tuple[bytes, int]] = {}
        self._known: set[bytes] = set()
        self._fronts: dict[tuple[int, ...], bytes | None] = {}
        for nal in split_annexb(annexb):
            kind = codec.kinds[nal[0]]
            if kind in (VPS, SPS, PPS):
                self.remember(kind, nal)

    def remember(self, kind: int, nal: bytes) -> None:
        """`nal` without its start code. One that is too long or holds no valid id is not kept."""
        if nal in self._known:
            return
        ids = set_ids(self._codec, kind, nal) if len(nal) <= MOST_SET_BYTES else None
        if ids is None:
            return
        where = (kind, ids[0])
        old = self._sets.pop(where, None)
        if old is None and len(self._sets) >= MOST_SETS:
            old = self._sets.pop(next(iter(self._sets)))
        if old is not None:
            self._known.discard(old[0])
        self._sets[where] = nal, ids[1]
        self._known.add(nal)
        self._fronts.clear()

    def front(self, slices: Iterable[Buffer]) -> bytes | None:
        """Annex-B of the sets that a picture needs, of whose slices the first bytes are given; None: not all known."""
        numbers = {slice_pps(self._codec, head) for head in slices}
        wanted = tuple(numbers) if len(numbers) == 1 else tuple(sorted(numbers))
        if wanted not in self._fronts:
            if len(self._fronts) >= MOST_SETS:
                self._fronts.clear()
            self._fronts[wanted] = self._joined(wanted)
        return self._fronts[wanted]

    def _joined(self, wanted: Sequence[int]) -> bytes | None:
        needed: dict[tuple[int, int], bytes] = {}
        for number in wanted:
            above = [(PPS, number)]
            kinds = [SPS, VPS] if self._codec.name == "hevc" else [SPS]
            for kind in kinds:
                held = self._sets.get(above[-1])
                if held is None:
                    return None
                above.append((kind, held[1]))
            for where in above:
                if where not in self._sets:
                    return None
                needed[where] = self._sets[where][0]
        return b"".join(START_CODE + needed[where] for where in sorted(needed))


def split_annexb(data: bytes) -> list[bytes]:
    """The NAL units of a byte stream (H.264 annex B), without start codes and the zeros before them."""
    parts = data.split(b"\x00\x00\x01")[1:]
    return [nal for part in parts if (nal := part.rstrip(b"\x00"))]
