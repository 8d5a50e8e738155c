"""Keyframes as cameras code them: one picture, its parameter sets with it."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import Any, cast

import av
import numpy as np

from ingest.media import Packet
from tests.peers.clips import Image, street

ENCODERS = {"h264": "libx264", "hevc": "libx265"}


def coded(
    image: Image, codec: str = "h264", pix_fmt: str = "yuv420p", params: str = "", full_range: bool = False
) -> bytes:
    """`image` (BGR) as an Annex-B keyframe. `params`: further settings of the encoder, as `key=value:key=value`."""
    context = cast(Any, av.CodecContext.create(ENCODERS[codec], "w"))
    context.height, context.width = image.shape[:2]
    context.pix_fmt, context.time_base, context.thread_count = pix_fmt, Fraction(1, 25), 1
    always = "keyint=1:min-keyint=1" if codec == "h264" else "log-level=none:keyint=1:repeat-headers=1:frame-threads=1"
    name = "x264-params" if codec == "h264" else "x265-params"
    context.options = {"preset": "veryfast", "crf": "24", name: f"{always}:{params}".rstrip(":")}
    if full_range:
        context.color_range = 2
    frame = av.VideoFrame.from_ndarray(image, format="bgr24")
    frame = frame.reformat(format=pix_fmt, dst_color_range="JPEG" if full_range else None)
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


@cache
def key(codec: str, width: int = 640, height: int = 360, seed: int = 1, params: str = "") -> Packet:
    """A street, coded."""
    noise = np.random.default_rng(seed).normal(0, 4, (height, width, 1))
    image = np.clip(street(width, height, seed) + noise, 0, 255).astype(np.uint8)
    return Packet(coded(image, codec, params=params), 0, 0, 0.04, True)
