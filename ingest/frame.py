"""One look's picture, and where and when it was taken."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""H x W x 3, BGR, 0-255."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A picture of one camera and preset at one instant.

    `image` is H x W x 3 BGR uint8 and is never written to. `captured_at` is UTC-aware: when the light fell on the
    sensor as nearly as the source can tell, never when somebody got round to decoding it.
    """

    camera: str
    preset: str | None
    captured_at: datetime
    image: Image
    codec: str = "unknown"
    encoded_bytes: int = 0

    def __post_init__(self) -> None:
        if self.captured_at.tzinfo is None:
            raise ValueError(f"frame of {self.camera}: captured_at has no time zone")
        if self.image.ndim != 3 or self.image.shape[2] != 3 or self.image.dtype != np.uint8:
            raise ValueError(
                f"frame of {self.camera}: image is {self.image.dtype}{self.image.shape}, wanted uint8 H x W x 3"
            )

    @property
    def width(self) -> int:
        """Pixels across."""
        return int(self.image.shape[1])

    @property
    def height(self) -> int:
        """Pixels down."""
        return int(self.image.shape[0])

    def age_s(self, now: datetime) -> float:
        """Seconds since the picture was taken."""
        return (now - self.captured_at).total_seconds()
