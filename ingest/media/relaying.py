"""Coded pictures for those who pass them on as they are (WebRTC), without decoding."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av

from .coding import Coding, Packet, with_parameter_sets

VIDEO_CLOCK = Fraction(1, 90000)
"""RTP's clock for video (RFC 6184 §8.2.1)."""


def relayed(coding: Coding, packet: Packet, at_s: float) -> Any:
    """`packet` as PyAV's own, at `at_s` on the viewers' time-line; a keyframe brings its parameter sets along."""
    data = with_parameter_sets(coding, packet.data) if packet.key else packet.data
    made = av.Packet(data)
    made.pts = made.dts = round(at_s / VIDEO_CLOCK)
    made.time_base = VIDEO_CLOCK
    made.is_keyframe = packet.key
    return made
