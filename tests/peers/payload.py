"""Coded pictures as RTP packets (RFC 6184, RFC 7798 for H.265) and sender reports (RFC 3550): a camera's end."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .clips import access_units

PAYLOAD_TYPE = 96
_NTP_EPOCH_S = 2_208_988_800
_FU_A, _STAP_A = 28, 24
_FU_H265, _AP_H265 = 49, 48


@dataclass(frozen=True, slots=True)
class Clip:
    """Annex-B access units of a stream (`codec`: h264 or h265), the first one a keyframe with its parameter sets."""

    codec: str
    fps: float
    units: tuple[bytes, ...]

    @classmethod
    def of(cls, path: Path) -> Clip:
        """The clip in an MP4 without B frames."""
        codec, rate, units = access_units(path)
        return cls(codec, float(rate), tuple(units))

    @property
    def parameter_sets(self) -> list[bytes]:
        """NAL units: SPS, PPS (and VPS in front, for H.265)."""
        return [nal for nal in nal_units(self.units[0]) if is_parameter_set(self.codec, nal)]


def nal_units(unit: bytes) -> list[bytes]:
    """The NAL units of an Annex-B access unit, without start codes."""
    parts = unit.replace(b"\x00\x00\x00\x01", b"\x00\x00\x01").split(b"\x00\x00\x01")
    return [part for part in parts if part]


def nal_type(codec: str, nal: bytes) -> int:
    """ITU-T H.264 table 7-1, H.265 table 7-1."""
    return nal[0] & 0x1F if codec == "h264" else nal[0] >> 1 & 0x3F


def is_parameter_set(codec: str, nal: bytes) -> bool:
    """SPS or PPS, or VPS."""
    return nal_type(codec, nal) in ((7, 8) if codec == "h264" else (32, 33, 34))


def is_key(codec: str, unit: bytes) -> bool:
    """Whether decoding can begin with this access unit."""
    types = {nal_type(codec, nal) for nal in nal_units(unit)}
    return 5 in types if codec == "h264" else bool(types & set(range(16, 22)))


def payloads(codec: str, nals: Sequence[bytes], mtu: int = 1400, aggregate: bool = True) -> Iterator[bytes]:
    """RTP payloads of one access unit: small neighbours joined (STAP-A, AP) if `aggregate`, large ones cut (FU)."""
    joined: list[bytes] = []
    for nal in nals:
        if aggregate and len(nal) + sum(len(n) + 2 for n in joined) + 4 < mtu:
            joined.append(nal)
            continue
        yield from _joined(codec, joined)
        joined = []
        if len(nal) <= mtu:
            joined.append(nal)
        else:
            yield from _cut(codec, nal, mtu)
        if not aggregate:
            yield from _joined(codec, joined)
            joined = []
    yield from _joined(codec, joined)


def _joined(codec: str, nals: Sequence[bytes]) -> Iterator[bytes]:
    if len(nals) < 2:
        yield from nals
        return
    body = b"".join(struct.pack(">H", len(nal)) + nal for nal in nals)
    if codec == "h264":
        yield bytes([max(nal[0] & 0x60 for nal in nals) | _STAP_A]) + body
    else:
        yield bytes([_AP_H265 << 1, nals[0][1]]) + body


def _cut(codec: str, nal: bytes, mtu: int) -> Iterator[bytes]:
    head = 1 if codec == "h264" else 2
    kind = nal_type(codec, nal)
    room = mtu - head - 1
    parts = [nal[at : at + room] for at in range(head, len(nal), room)]
    for n, part in enumerate(parts):
        flags = (0x80 if n == 0 else 0) | (0x40 if n == len(parts) - 1 else 0) | kind
        if codec == "h264":
            yield bytes([nal[0] & 0xE0 | _FU_A, flags]) + part
        else:
            yield bytes([nal[0] & 0x81 | _FU_H265 << 1, nal[1], flags]) + part


@dataclass(frozen=True, slots=True)
class Header:
    """What a camera's RTP headers look like (RFC 3550 §5.1)."""

    ssrc: int = 0x13579BDF
    payload_type: int = PAYLOAD_TYPE
    extension: bytes = b""
    """Body of a header extension, a multiple of 4 bytes."""
    csrcs: int = 0
    padding: int = 0

    def packet(self, sequence: int, rtp_time: int, marker: bool, payload: bytes) -> bytes:
        """One RTP packet."""
        first = 0x80 | (0x20 if self.padding else 0) | (0x10 if self.extension else 0) | self.csrcs
        second = (0x80 if marker else 0) | self.payload_type
        fixed = struct.pack(">BBHII", first, second, sequence & 0xFFFF, rtp_time & 0xFFFFFFFF, self.ssrc)
        extension = struct.pack(">HH", 0xABAC, len(self.extension) // 4) + self.extension if self.extension else b""
        padding = bytes(self.padding - 1) + bytes([self.padding]) if self.padding else b""
        return fixed + bytes(4 * self.csrcs) + extension + payload + padding


def sender_report(ssrc: int, wall_s: float, rtp_time: int, packets: int = 0, octets: int = 0) -> bytes:
    """A compound RTCP packet: sender report and source description."""
    whole = int(wall_s)
    ntp = (whole + _NTP_EPOCH_S) & 0xFFFFFFFF, int((wall_s - whole) * (1 << 32))
    report = struct.pack(">BBHIIIIII", 0x80, 200, 6, ssrc, *ntp, rtp_time & 0xFFFFFFFF, packets, octets)
    return report + struct.pack(">BBHI", 0x81, 202, 3, ssrc) + b"\x01\x04cam1\x00\x00"


def goodbye(ssrc: int) -> bytes:
    """An RTCP BYE."""
    return struct.pack(">BBHI", 0x81, 203, 1, ssrc)


def interleaved(channel: int, packet: bytes) -> bytes:
    """RFC 2326 §10.12."""
    return struct.pack(">BBH", 0x24, channel, len(packet)) + packet
