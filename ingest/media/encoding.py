"""Pictures to a live stream: how a simulated camera sends video."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import Any, cast

import av

from ..frame import Image


class Encoder:
    """Pictures in, a live MPEG-TS stream with H.264 out: how a simulated camera sends video. Not thread-safe.

    `fps` is the pace at which pictures will come, a keyframe stands at the start and every `keyframe_s` seconds.
    """

    def __init__(self, width_px: int, height_px: int, fps: float, keyframe_s: float) -> None:
        self._sink = io.BytesIO()
        self._container = av.open(self._sink, "w", format="mpegts", options={"flush_packets": "1"})
        rate = Fraction(fps).limit_denominator(1000)
        self._stream = cast(Any, self._container.add_stream("libx264", rate=rate))
        self._stream.width, self._stream.height = width_px, height_px
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.thread_count = 1
        self._stream.codec_context.gop_size = max(1, round(fps * keyframe_s))
        self._stream.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "25", "sc_threshold": "0"}
        self._tick = 1 / rate
        self._count = 0

    def add(self, image: Image) -> bytes:
        """The bytes that one more picture (H x W x 3 BGR, the size given at the start) makes."""
        frame = av.VideoFrame.from_ndarray(image, format="bgr24")
        frame.pts, frame.time_base = self._count, self._tick
        self._count += 1
        for packet in self._stream.encode(frame):
            self._container.mux(packet)
        return self._take()

    def end(self) -> bytes:
        """What is left in the encoder; nothing may be added afterwards."""
        for packet in self._stream.encode(None):
            self._container.mux(packet)
        self._container.close()
        return self._take()

    def _take(self) -> bytes:
        made = self._sink.getvalue()
        self._sink.seek(0)
        self._sink.truncate()
        return made
