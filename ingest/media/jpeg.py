"""JPEG snapshots as pictures: kept coded, decoded as small as what is asked of them allows."""

from __future__ import annotations

import struct
from typing import cast

import cv2
import numpy as np

from ..errors import NotVideo
from ..frame import GREY_HEIGHT_PX, GREY_WIDTH_PX, MOST_PIXELS, Grey, Image, Luma, Picture, Pixels, fitted

_JPEG, _SCAN_BEGINS, _END = b"\xff\xd8", b"\xff\xda", b"\xff\xd9"
_NO_FRAME_HEADERS = (0xC4, 0xC8, 0xCC)
_SCAN = 0xDA
_REDUCED = {
    8: cv2.IMREAD_REDUCED_COLOR_8,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    1: cv2.IMREAD_COLOR,
}


def jpeg_picture(data: bytes, shown: str) -> Picture:
    """A whole JPEG (PNG, BMP, WebP) as a Picture; raises NotVideo where it is none, was cut short, or is too large."""
    is_jpeg = data[:2] == _JPEG
    if is_cut_short(data):
        raise NotVideo(f"{shown}: the picture was cut short after {len(data)} bytes")
    size = _jpeg_size(data) if is_jpeg else None
    if size is not None:
        _check_size(*size, shown)
    by = _reduced_by(*size, GREY_WIDTH_PX, GREY_HEIGHT_PX) if size else 1
    image = _opened(data, by) if size or not is_jpeg else None
    if image is None:
        raise NotVideo(f"{shown}: {len(data)} bytes that are no picture")
    if size is not None and by > 1:
        return Jpeg(data, size, image)
    _check_size(image.shape[1], image.shape[0], shown)
    return Pixels(image)


def is_cut_short(data: bytes) -> bool:
    """Whether a JPEG ends before its picture does. What follows the end (padding, the maker's own data) is no matter,
    and a thumbnail's own end stands before the picture's last scan.
    """
    end = data.rfind(_END)
    return data[:2] == _JPEG and (end < 0 or end < data.rfind(_SCAN_BEGINS))


def _check_size(width: int, height: int, shown: str) -> None:
    if width * height > MOST_PIXELS:
        raise NotVideo(f"{shown}: a picture of {width} x {height} px; at most {MOST_PIXELS // 1_000_000} megapixels")


class Jpeg:
    """A Picture that holds a JPEG's bytes and a small decoded copy, enough for the thumbnail."""

    __slots__ = ("_data", "_image", "_luma", "_scaled", "_small", "height", "width")

    def __init__(self, data: bytes, size: tuple[int, int], small: Image) -> None:
        turned = (size[0] > size[1]) != (small.shape[1] > small.shape[0])  # EXIF may say so
        self.width, self.height = size[::-1] if turned else size
        self._data = data
        self._small = Pixels(small)
        self._image: Image | None = None
        self._luma: Luma | None = None
        self._scaled: tuple[tuple[int, int], Image] | None = None

    @property
    def image(self) -> Image:
        """See Picture."""
        if self._image is None:
            self._image = cast(Image, _opened(self._data, 1))
        return self._image

    @property
    def luma(self) -> Luma:
        """See Picture."""
        if self._luma is None:
            self._luma = cast(Luma, cv2.imdecode(np.frombuffer(self._data, np.uint8), cv2.IMREAD_GRAYSCALE))
        return self._luma

    @property
    def grey(self) -> Grey:
        """See Picture."""
        return self._small.grey

    @property
    def colour(self) -> float:
        """See Picture."""
        return self._small.colour

    def within(self, width_px: int, height_px: int) -> Image:
        """See Picture."""
        size = fitted(self.width, self.height, width_px, height_px)
        if size == (self.width, self.height):
            return self.image
        if self._scaled is None or self._scaled[0] != size:
            by = _reduced_by(self.width, self.height, *size)
            enough = cast(Image, _opened(self._data, by)) if by > 1 and self._image is None else self.image
            self._scaled = (size, cast(Image, cv2.resize(enough, size, interpolation=cv2.INTER_LINEAR)))
        return self._scaled[1]


def _reduced_by(width: int, height: int, width_px: int, height_px: int) -> int:
    """The strongest reduction (JPEG blocks decoded to fewer pixels) that leaves at least width_px x height_px."""
    return next((by for by in _REDUCED if width >= by * width_px and height >= by * height_px), 1)


def _opened(data: bytes, reduced_by: int) -> Image | None:
    try:
        return cast(Image | None, cv2.imdecode(np.frombuffer(data, np.uint8), _REDUCED[reduced_by])) if data else None
    except cv2.error:  # sides that OpenCV does not take
        return None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Width and height from the frame header (ITU-T T.81 B.2.2); None where none stands before the scan."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        kind = data[at + 1]
        if 0xC0 <= kind <= 0xCF and kind not in _NO_FRAME_HEADERS:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return (width, height) if width and height else None
        if kind == _SCAN:
            return None
        # Any number of 0xFF may stand before a marker.
        at += 1 if kind == 0xFF else 2 + int(struct.unpack(">H", data[at + 2 : at + 4])[0])
    return None
