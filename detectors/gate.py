"""Has anything changed since the last picture that was inferred? Spares the model the pictures that say nothing new."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import cv2
import numpy as np
from numpy.typing import NDArray

THUMB_WIDTH_PX = 192
LEAST_DIFFERENCE = 9.0
"""Grey levels; coding noise and dither stay below."""
NOISE_FACTOR = 6.0
"""A difference counts above this many median absolute differences."""
LEAST_SPOT_PX = 3
"""Connected thumbnail pixels: a bag of 25 x 25 px in a 1920 px picture."""

Thumb = NDArray[np.float32]


def thumbnail(image: NDArray[np.uint8]) -> Thumb:
    """`image` (H x W x 3 BGR) as a grey picture of THUMB_WIDTH_PX across, averaged, slightly smoothed."""
    small = shrunk(image, THUMB_WIDTH_PX)
    return np.asarray(cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), (3, 3), 0), np.float32)


def shrunk(image: NDArray[np.uint8], width_px: int) -> NDArray[np.uint8]:
    """`image` `width_px` across, averaged; in two steps, which costs a third of one for a 1080p picture."""
    height_px = max(8, round(image.shape[0] * width_px / image.shape[1]))
    if image.shape[1] > 4 * width_px:
        image = np.asarray(cv2.resize(image, (3 * width_px, 3 * height_px), interpolation=cv2.INTER_LINEAR), np.uint8)
    return np.asarray(cv2.resize(image, (width_px, height_px), interpolation=cv2.INTER_AREA), np.uint8)


def changed(before: Thumb, now: Thumb) -> bool:
    """Whether a spot of the picture differs by more than noise, sensor gain, offset or a soft change of light."""
    if before.shape != now.shape:
        return True
    difference = now - _lit_like(now, before)
    drift = cv2.blur(difference, (41, 41), borderType=cv2.BORDER_REFLECT)
    local = np.abs(difference - drift)
    noise = float(np.median(local))
    spots = (local > max(LEAST_DIFFERENCE, NOISE_FACTOR * noise)).astype(np.uint8)
    if not spots.any():
        return False
    _, _, stats, _ = cv2.connectedComponentsWithStats(spots, connectivity=8)
    return bool((stats[1:, cv2.CC_STAT_AREA] >= LEAST_SPOT_PX).any())


def _lit_like(now: Thumb, before: Thumb) -> Thumb:
    """`before` with the gain and offset that make it most like `now` (robust: spread between quartiles, median)."""
    low_b, mid_b, high_b = np.percentile(before, (25, 50, 75))
    low_n, mid_n, high_n = np.percentile(now, (25, 50, 75))
    gain = float(np.clip((high_n - low_n) / max(high_b - low_b, 1.0), 0.5, 2.0)) if high_b - low_b > 4 else 1.0
    return np.asarray((before - mid_b) * gain + mid_n, np.float32)


@dataclass(frozen=True, slots=True)
class Passed:
    """The last picture of a view that was let through."""

    at: datetime
    thumb: Thumb


def lets_through(last: Passed | None, now: datetime, thumb: Thumb, at_least_every_s: float) -> bool:
    """Whether a picture goes on to the model: the first, one that changed, or after `at_least_every_s` in any case."""
    if last is None or (now - last.at).total_seconds() >= at_least_every_s or now < last.at:
        return True
    return changed(last.thumb, thumb)
