"""One look's picture, and where and when it was taken. A picture is converted only to what somebody asks of it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol, cast

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""H x W x 3, BGR, 0-255."""
Luma = NDArray[np.uint8]
"""H x W, brightness as coded: 0-255, or 16-235 where the camera sends video levels."""
Grey = NDArray[np.float32]
"""GREY_HEIGHT_PX x GREY_WIDTH_PX, 0-255, black 0."""

GREY_WIDTH_PX, GREY_HEIGHT_PX = 160, 90
MOST_PIXELS = 100_000_000
"""A larger picture is refused before memory is taken for it."""


class Picture(Protocol):
    """What can be had of one picture. Each is made at most once, at its first use; nothing may be written to."""

    @property
    def width(self) -> int:
        """Pixels across."""

    @property
    def height(self) -> int:
        """Pixels down."""

    @property
    def image(self) -> Image:
        """All of it, H x W x 3 BGR: dear, for evidence and for rules that need colour in full size."""

    @property
    def luma(self) -> Luma:
        """Brightness in full size, H x W: free for decoded video."""

    @property
    def grey(self) -> Grey:
        """The thumbnail that health and gate share: every pixel of the picture averaged into it."""

    @property
    def colour(self) -> float:
        """0-255: mean deviation of chroma from grey (|Cb| + |Cr|); below about 2.5 there is no colour at all."""

    def within(self, width_px: int, height_px: int) -> Image:
        """BGR, scaled to the largest size of the same shape that fits: what models get."""


class Frame:
    """A picture of one camera and preset at one instant.

    `image` is H x W x 3 BGR uint8 or a Picture. `captured_at` is UTC-aware: when the light fell on the sensor as nearly
    as the source can tell, never when somebody got round to decoding it.
    """

    __slots__ = ("camera", "captured_at", "codec", "encoded_bytes", "picture", "preset")

    def __init__(
        self,
        camera: str,
        preset: str | None,
        captured_at: datetime,
        image: Image | Picture,
        codec: str = "unknown",
        encoded_bytes: int = 0,
    ) -> None:
        if captured_at.tzinfo is None:
            raise ValueError(f"frame of {camera}: captured_at has no time zone")
        if isinstance(image, np.ndarray) and (image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8):
            raise ValueError(f"frame of {camera}: image is {image.dtype}{image.shape}, wanted uint8 H x W x 3")
        self.camera = camera
        self.preset = preset
        self.captured_at = captured_at
        self.picture: Picture = Pixels(image) if isinstance(image, np.ndarray) else image
        self.codec = codec
        self.encoded_bytes = encoded_bytes

    @property
    def width(self) -> int:
        """Pixels across."""
        return self.picture.width

    @property
    def height(self) -> int:
        """Pixels down."""
        return self.picture.height

    @property
    def image(self) -> Image:
        """See Picture."""
        return self.picture.image

    @property
    def luma(self) -> Luma:
        """See Picture."""
        return self.picture.luma

    @property
    def grey(self) -> Grey:
        """See Picture."""
        return self.picture.grey

    @property
    def colour(self) -> float:
        """See Picture."""
        return self.picture.colour

    def within(self, width_px: int, height_px: int) -> Image:
        """See Picture."""
        return self.picture.within(width_px, height_px)

    def age_s(self, now: datetime) -> float:
        """Seconds since the picture was taken."""
        return (now - self.captured_at).total_seconds()


class Pixels:
    """A Picture that is there as BGR already."""

    __slots__ = ("_colour", "_grey", "_luma", "image")

    def __init__(self, image: Image) -> None:
        self.image = image
        self._luma: Luma | None = None
        self._grey: Grey | None = None
        self._colour: float | None = None

    @property
    def width(self) -> int:
        """Pixels across."""
        return int(self.image.shape[1])

    @property
    def height(self) -> int:
        """Pixels down."""
        return int(self.image.shape[0])

    @property
    def luma(self) -> Luma:
        """See Picture."""
        if self._luma is None:
            self._luma = cast(Luma, cv2.cvtColor(self.image, cv2.COLOR_BGR2GRAY))
        return self._luma

    @property
    def grey(self) -> Grey:
        """See Picture."""
        if self._grey is None:
            self._grey = shrunk(self.luma).astype(np.float32)
        return self._grey

    @property
    def colour(self) -> float:
        """See Picture."""
        if self._colour is None:
            few = np.ascontiguousarray(self.image[::24, ::24])
            chroma = cv2.cvtColor(few, cv2.COLOR_BGR2YCrCb).astype(np.int16)[..., 1:] - 128
            self._colour = float(np.abs(chroma).mean(axis=(0, 1)).sum())
        return self._colour

    def within(self, width_px: int, height_px: int) -> Image:
        """See Picture."""
        size = fitted(self.width, self.height, width_px, height_px)
        if size == (self.width, self.height):
            return self.image
        return cast(Image, cv2.resize(self.image, size, interpolation=cv2.INTER_LINEAR))


def shrunk(luma: Luma) -> Luma:
    """The thumbnail of `luma`, averaged, at its own levels. Halving first costs a fifth: OpenCV is quick at that."""
    while luma.shape[1] >= 2 * GREY_WIDTH_PX and luma.shape[0] >= 2 * GREY_HEIGHT_PX:
        height, width = luma.shape[0] // 2, luma.shape[1] // 2
        even = luma[: 2 * height, : 2 * width]
        luma = cast(Luma, cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA))
    if luma.shape == (GREY_HEIGHT_PX, GREY_WIDTH_PX):
        return luma
    return cast(Luma, cv2.resize(luma, (GREY_WIDTH_PX, GREY_HEIGHT_PX), interpolation=cv2.INTER_AREA))


def fitted(width: int, height: int, width_px: int, height_px: int) -> tuple[int, int]:
    """Width and height of the largest picture shaped as width x height within width_px x height_px."""
    ratio = min(width_px / width, height_px / height)
    return max(1, round(width * ratio)), max(1, round(height * ratio))
