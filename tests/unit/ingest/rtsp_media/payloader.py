"""A sender of RTP for tests, written against RFC 6184, 7798 and 3550, not against our reader."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

START = b"\0\0\0\1"


def ue(number: int) -> str:
    """Exp-Golomb as text of bits."""
    bits = bin(number + 1)[2:]
    return "0" * (len(bits) - 1) + bits


def octets(bits: str) -> bytes:
    bits += "1" + "0" * (-(len(bits) + 1) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def sps(codec: str, number: int = 0, vps: int = 0, tail: bytes = b"") -> bytes:
    if codec == "h264":
        return b"\x67\x42\xc0\x1f" + octets(ue(number)) + tail
    return b"\x42\x01" + octets(f"{vps:04b}0001" + "10" * 48 + ue(number)) + tail


def pps(codec: str, number: int = 0, sps_number: int = 0, tail: bytes = b"") -> bytes:
    return (b"\x68" if codec == "h264" else b"\x44\x01") + octets(ue(number) + ue(sps_number)) + tail


def vps(number: int = 0, tail: bytes = b"") -> bytes:
    return b"\x40\x01" + octets(f"{number:04b}1100") + tail


def parameter_sets(codec: str, number: int = 0, tail: bytes = b"") -> list[bytes]:
    """VPS (H.265), SPS and PPS, all with one id."""
    sets = [sps(codec, number, number if codec == "hevc" else 0, tail), pps(codec, number, number, tail)]
    return [vps(number, tail), *sets] if codec == "hevc" else sets


def slices(codec: str, bodies: Sequence[bytes], key: bool, number: int = 0) -> list[bytes]:
    """The slices of a picture that refers to PPS `number`: one a body; the first one begins at block 0."""
    made = []
    for place, body in enumerate(bodies):
        if codec == "h264":
            made.append(
                (b"\x65" if key else b"\x41") + octets(ue(40 * place) + ue(7 if key else 5) + ue(number)) + body
            )
        else:
            bits = ("0" if place else "1") + ("0" if key else "") + ue(number)
            made.append((b"\x26\x01" if key else b"\x02\x01") + octets(bits) + body)
    return made


def delimiter(codec: str) -> bytes:
    return b"\x09\xf0" if codec == "h264" else b"\x46\x01\x50"


def sei(codec: str, body: bytes = b"\x05\x01\xaa\x80") -> bytes:
    return (b"\x06" if codec == "h264" else b"\x4e\x01") + body


def fragments(codec: str, nal: bytes, sizes: Iterable[int]) -> list[bytes]:
    """FU-A or FU payloads with so many bytes of `nal` each; the last size is used on and on."""
    head = 1 if codec == "h264" else 2
    kind = nal[0] & 31 if codec == "h264" else nal[0] >> 1 & 63
    front = bytes((nal[0] & 0xE0 | 28,)) if codec == "h264" else bytes((nal[0] & 0x81 | 49 << 1, nal[1]))
    body, parts, size, each = nal[head:], [], 1, iter(sizes)
    while body:
        size = max(1, next(each, size))
        parts.append(body[:size])
        body = body[size:]
    if len(parts) < 2:
        return [nal]
    last = len(parts) - 1
    return [front + bytes(((i == 0) << 7 | (i == last) << 6 | kind,)) + part for i, part in enumerate(parts)]


def aggregate(codec: str, nals: Sequence[bytes]) -> bytes:
    """One STAP-A or AP of all `nals`."""
    front = bytes((max(nal[0] & 0x60 for nal in nals) | 24,)) if codec == "h264" else bytes((48 << 1, 1))
    return front + b"".join(struct.pack(">H", len(nal)) + nal for nal in nals)


@dataclass
class Sender:
    """Numbers packets, wrapping. `extension`, `csrc` and `padding` say what every header carries."""

    payload_type: int = 96
    ssrc: int = 0x1234ABCD
    sequence: int = 65530
    extension: bytes | None = None
    csrc: int = 0
    padding: int = 0

    def packet(self, payload: bytes, time: int, marker: bool = False) -> bytes:
        first = 0x80 | bool(self.padding) << 5 | (self.extension is not None) << 4 | self.csrc
        second = marker << 7 | self.payload_type
        packet = struct.pack(">BBHII", first, second, self.sequence, time & 0xFFFFFFFF, self.ssrc)
        packet += bytes(4 * self.csrc)
        if self.extension is not None:
            body = self.extension + bytes(-len(self.extension) % 4)
            packet += struct.pack(">HH", 0xBEDE, len(body) // 4) + body
        packet += payload
        if self.padding:
            packet += bytes(self.padding - 1) + bytes((self.padding,))
        self.sequence = self.sequence + 1 & 0xFFFF
        return packet

    def picture(self, payloads: Sequence[bytes], time: int, marker: bool = True) -> list[bytes]:
        """All packets of a picture, the marker on the last one."""
        last = len(payloads) - 1
        return [self.packet(payload, time, marker and i == last) for i, payload in enumerate(payloads)]


def frame(packet: bytes, channel: int = 0) -> bytes:
    """As it stands in an RTSP connection."""
    return b"$" + struct.pack(">BH", channel, len(packet)) + packet


def annexb(nals: Iterable[bytes]) -> bytes:
    return b"".join(START + nal for nal in nals)
