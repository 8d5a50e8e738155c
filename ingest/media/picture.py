"""A decoded picture as libavcodec left it (planar YUV): its thumbnail, and whatever else is asked of it."""

from __future__ import annotations

from typing import Any, cast

import av
import cv2
import numpy as np
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter
from numpy.typing import NDArray

from ..frame import Grey, Image, Luma, fitted, shrunk

_PLANAR = {"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p"}
_BLOCK_PX = 16
"""Chroma is sampled once in each block of this size: the smallest that H.264 and H.265 lose."""
_UNUSED = 0
"""Cb and Cr of what no decoder wrote; no light looks like that, for both at 0 lie outside of every colour."""
_FULL_RANGE = np.clip((np.arange(256, dtype=np.float32) - 16) * np.float32(255 / 219), 0, 255)
"""Video levels (16 black, 235 white) to 0-255: ITU-R BT.601."""
_AS_CODED = np.arange(256, dtype=np.float32)


def decoded(frame: av.VideoFrame, lent: av.VideoFrame | None = None) -> Decoded:
    """`frame` as a Picture; what is not 8-bit planar YUV (10 bits, grey, a graphics card's) is converted once.

    `lent`: the frame whose buffers nobody else reads and the decoder will use again.
    """
    if frame.format.name in _PLANAR:
        return Decoded(frame, lent)
    return Decoded(VideoReformatter().reformat(frame, format="yuv420p", threads=1), lent)


def has_holes(frame: av.VideoFrame) -> bool:
    """Whether a block of the picture was never written by the decoder: FFmpeg's for H.265 lets lost slices be.

    Holds for frames whose buffers came fresh (zeros) or from a `Decoded` picture that is gone.
    """
    samples = _chroma(frame)
    return bool(samples) and bool(((samples[0] | samples[1]) == _UNUSED).any())


class Decoded:
    """A Picture on libavcodec's own buffers."""

    __slots__ = ("_colour", "_frame", "_image", "_lent", "_scaled", "grey", "height", "width")

    def __init__(self, frame: av.VideoFrame, lent: av.VideoFrame | None) -> None:
        self.width = frame.width
        self.height = frame.height
        self._frame = frame
        self._lent = lent
        self._image: Image | None = None
        self._colour: float | None = None
        self._scaled: tuple[tuple[int, int], Image] | None = None
        # At once, because every look needs it and now the picture is still in the processor's cache.
        self.grey = cast(Grey, cv2.LUT(shrunk(self.luma), _AS_CODED if self._is_full_range else _FULL_RANGE))

    def __del__(self) -> None:
        """Mark the buffers as unused: what the next decoding leaves unwritten then shows."""
        for samples in _chroma(self._lent) if self._lent else ():
            samples[...] = _UNUSED

    @property
    def image(self) -> Image:
        """See Picture."""
        if self._image is None:
            self._image = self._bgr(self.width, self.height)
        return self._image

    @property
    def luma(self) -> Luma:
        """See Picture."""
        luma = _samples(self._frame.planes[0])
        luma.flags.writeable = False
        return luma

    @property
    def colour(self) -> float:
        """See Picture."""
        if self._colour is None:
            apart = sum(float(np.abs(samples.astype(np.int16) - 128).mean()) for samples in _chroma(self._frame))
            self._colour = apart if self._is_full_range else apart * 255 / 224
        return self._colour

    def within(self, width_px: int, height_px: int) -> Image:
        """See Picture."""
        size = fitted(self.width, self.height, width_px, height_px)
        if size == (self.width, self.height):
            return self.image
        if self._scaled is None or self._scaled[0] != size:
            self._scaled = (size, self._bgr(*size))
        return self._scaled[1]

    @property
    def _is_full_range(self) -> bool:
        return self._frame.format.name.startswith("yuvj") or self._frame.color_range == ColorRange.JPEG

    def _bgr(self, width: int, height: int) -> Image:
        # Averaging keeps what the models were measured on within noise (tests/bench/decode.py), and is the cheapest.
        how = Interpolation.AREA if width < self.width else Interpolation.BILINEAR
        scaled = VideoReformatter().reformat(self._frame, width, height, format="bgr24", interpolation=how, threads=1)
        return cast(Image, scaled.to_ndarray())


def _samples(plane: VideoPlane) -> NDArray[np.uint8]:
    return _rows(plane, 1)[:, : plane.width]


def _rows(plane: VideoPlane, sample_bytes: int) -> NDArray[Any]:
    """A plane as it lies in memory, its padding included."""
    form = np.uint16 if sample_bytes == 2 else np.uint8
    return np.frombuffer(cast(Any, plane), form).reshape(plane.height, -1)


def _chroma(frame: av.VideoFrame) -> list[NDArray[Any]]:
    """One sample of Cb and one of Cr from the middle of each block; nothing where chroma has no planes of its own."""
    if len(frame.planes) != 3 or frame.format.is_rgb:
        return []
    sample_bytes = 2 if frame.format.components[1].bits > 8 else 1
    found = []
    for plane in frame.planes[1:]:
        across, down = _BLOCK_PX * plane.width // frame.width, _BLOCK_PX * plane.height // frame.height
        rows = _rows(plane, sample_bytes)[:, : plane.width]
        found.append(rows[down // 2 :: down, across // 2 :: across])
    return found
