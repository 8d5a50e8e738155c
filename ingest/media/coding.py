"""How a stream is coded, one coded picture, and what lies in an Annex-B access unit (ITU-T H.264, H.265)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

ANNEXB = {"h264": "h264_mp4toannexb", "hevc": "hevc_mp4toannexb"}
"""Codecs whose pictures we keep in Annex-B form, and FFmpeg's filter that makes it."""

_START_CODE = b"\x00\x00\x01"
_LAST_SLICE_H264, _LAST_SLICE_H265 = 5, 31
_PARAMETER_SETS_H265 = range(32, 35)
_TAIL = b"\xff" * 8192


@dataclass(frozen=True, slots=True)
class Coding:
    """How a stream is coded: FFmpeg's codec name, parameter sets out of band, pixels (0 = not said yet)."""

    codec: str
    extradata: bytes = b""
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class Packet:
    """One coded picture, H.264 and H.265 in Annex-B form. Times are seconds on the stream's own clock."""

    data: bytes
    pts_s: float
    dts_s: float
    duration_s: float
    key: bool
    corrupt: bool = False


def nal_types(codec: str, data: bytes, most: int = 16) -> list[int]:
    """Types of the first NAL units of an Annex-B access unit (ITU-T H.264 7.3.1, H.265 7.3.1.2)."""
    found: list[int] = []
    at = data.find(_START_CODE)
    while at >= 0 and at + 3 < len(data) and len(found) < most:
        head = data[at + 3]
        found.append((head >> 1) & 0x3F if codec == "hevc" else head & 0x1F)
        if found[-1] <= (_LAST_SLICE_H265 if codec == "hevc" else _LAST_SLICE_H264):
            break
        at = data.find(_START_CODE, at + 3)
    return found


def has_parameter_sets(codec: str, data: bytes) -> bool:
    """Whether the access unit brings its own SPS."""
    return (33 if codec == "hevc" else 7) in nal_types(codec, data)


def with_parameter_sets(coding: Coding, data: bytes) -> bytes:
    """The access unit with the stream's parameter sets in front, where it brings none of its own."""
    if coding.codec not in ANNEXB or not coding.extradata or has_parameter_sets(coding.codec, data):
        return data
    return coding.extradata + data if coding.extradata[:1] != b"\x01" else data


def is_sound(data: bytes) -> bool:
    """Whether no run of zeros stands where Annex B allows none (B.1: only before a start code and at the end)."""
    at = data.find(b"\x00\x00\x00")
    while at >= 0:
        end = at + 3
        while data[end : end + 1] == b"\x00":
            end += 1
        if end < len(data) and data[end] != 1:
            return False
        at = data.find(b"\x00\x00\x00", end)
    return True


def only_slices(data: bytes) -> bytes:
    """An H.265 access unit without SEI and the like, its end made unmistakable.

    FFmpeg's H.265 decoder, asked to fail on damage, would take an odd SEI for some. And where a slice was cut short it
    reads zeros, which decode to something. Ones make it meet the end of the slice early, so the rest of the picture
    stays empty and is seen to; a whole slice is never read that far (H.265 9.3.2.5: its last bin ends it).
    """
    kept = [
        data[at:end] for at, end, kind in _nals_h265(data) if kind <= _LAST_SLICE_H265 or kind in _PARAMETER_SETS_H265
    ]
    return b"".join(kept).rstrip(b"\x00") + _TAIL


def _nals_h265(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Begin, end and type of each NAL unit, start codes included."""
    at = data.find(_START_CODE)
    while at >= 0 and at + 3 < len(data):
        after = data.find(_START_CODE, at + 3)
        yield at, after if after >= 0 else len(data), (data[at + 3] >> 1) & 0x3F
        at = after
