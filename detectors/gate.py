"""Has anything changed since the last picture that was inferred? Spares the model the pictures that say nothing new."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import cv2
import numpy as np
from numpy.typing import NDArray

LEAST_DIFFERENCE = 9.0
"""Grey levels; coding noise and dither stay below."""
NOISE_FACTOR = 6.0
"""A difference counts above this many median absolute differences."""
LEAST_SPOT_PX = 3
"""Connected thumbnail pixels: a bag of 25 x 25 px in a 1920 px picture."""
DRIFT_PX = 35
"""Light changes softly over this much of the thumbnail."""

Thumb = NDArray[np.float32]
"""A frame's `grey`."""


def changed(before: Thumb, now: Thumb) -> bool:
    """Whether a spot of the picture differs by more than noise, sensor gain, offset or a soft change of light."""
    if before.shape != now.shape:
        return True
    # With no pixel off by more than half of what counts, none can be off by all of it from the pixels around it.
    if cv2.norm(_smooth(now - before), cv2.NORM_INF) <= LEAST_DIFFERENCE / 2:
        return False
    difference = _smooth(now - _lit_like(now, before))
    drift = cv2.blur(difference, (DRIFT_PX, DRIFT_PX), borderType=cv2.BORDER_REFLECT)
    local = cv2.absdiff(difference, drift)
    if cv2.norm(local, cv2.NORM_INF) <= LEAST_DIFFERENCE:
        return False
    noise = float(np.median(local))
    spots = (local > max(LEAST_DIFFERENCE, NOISE_FACTOR * noise)).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(spots, connectivity=8)
    return bool((stats[1:, cv2.CC_STAT_AREA] >= LEAST_SPOT_PX).any())


def _smooth(thumb: Thumb) -> Thumb:
    return np.asarray(cv2.GaussianBlur(thumb, (3, 3), 0), np.float32)


def _lit_like(now: Thumb, before: Thumb) -> Thumb:
    """`before` with the gain and offset that make it most like `now` (robust: spread between quartiles, median)."""
    low_b, mid_b, high_b = _quartiles(before)
    low_n, mid_n, high_n = _quartiles(now)
    gain = min(2.0, max(0.5, (high_n - low_n) / max(high_b - low_b, 1.0))) if high_b - low_b > 4 else 1.0
    return np.asarray((before - np.float32(mid_b)) * np.float32(gain) + np.float32(mid_n), np.float32)


def _quartiles(thumb: Thumb) -> tuple[float, float, float]:
    """Of every other pixel both ways: a quarter of the work, the same to a tenth of a grey level."""
    few = thumb[::2, ::2].ravel()
    at = (few.size // 4, few.size // 2, 3 * few.size // 4)
    low, mid, high = np.partition(few, at)[list(at)]
    return float(low), float(mid), float(high)


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
