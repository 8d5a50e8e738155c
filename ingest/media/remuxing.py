"""Packets to MP4, nothing transcoded: clips for evidence."""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, cast

import av

from ..errors import NotVideo
from .coding import ANNEXB, Coding, Packet, with_parameter_sets


def remux(coding: Coding, packets: Sequence[Packet]) -> bytes:
    """MP4 bytes of `packets` (the first one a keyframe), nothing transcoded; raises NotVideo for other codecs.

    The index stands in front (`moov_size` reserves room for it), and H.265 is tagged hvc1, so that browsers can play
    it at once.
    """
    if coding.codec not in ANNEXB:
        raise NotVideo(f"a clip of {coding.codec} cannot be made without transcoding; only h264 and hevc")
    if not packets or not packets[0].key:
        raise ValueError("a clip begins with a keyframe")
    base = Fraction(1, 90000)
    target = io.BytesIO()
    with av.open(target, "w", format="mp4", options={"moov_size": str(4096 + 48 * len(packets))}) as output:
        stream = cast(Any, output.add_mux_stream(coding.codec, width=coding.width, height=coding.height))
        stream.time_base = base
        last_dts = None
        for packet in packets:
            # The muxer takes the parameter sets from the first packet.
            out = av.Packet(packet.data if last_dts is not None else with_parameter_sets(coding, packet.data))
            dts = round((packet.dts_s - packets[0].dts_s) * 90000)
            dts = dts if last_dts is None else max(dts, last_dts + 1)
            out.dts, last_dts = dts, dts
            out.pts = max(dts, round((packet.pts_s - packets[0].dts_s) * 90000))
            out.time_base = base
            out.is_keyframe = packet.key
            out.duration = round(packet.duration_s * 90000)
            out.stream = stream
            output.mux_one(out)
    clip = target.getvalue()
    return clip.replace(b"hev1", b"hvc1", 1) if coding.codec == "hevc" else clip
