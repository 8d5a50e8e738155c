"""Pictures that leave the house for training: heads are pixelated, and nothing is finer than a model needs (§10)."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.detection import Detections
from detectors.finding import Box

MOST_WIDTH_PX = 640
"""A street camera's number plates are a dozen pixels wide in that; the models see 416."""
_HEAD = 0.3
"""Upper share of a person's box that holds the head, whatever the view."""
_MARGIN = 0.15
_BLOCKS = 12
"""A head becomes at most so many blocks across (domain.md §10: at least 1/12 of the box)."""
LEAST_SCORE = 0.15
"""Well below what a rule would take for a person: a blurred bush costs nothing."""
PERSON = "person"

Picture = NDArray[np.uint8]


def scaled(image: Picture) -> Picture:
    """`image` at most MOST_WIDTH_PX across."""
    height, width = image.shape[:2]
    if width <= MOST_WIDTH_PX:
        return image
    size = (MOST_WIDTH_PX, round(height * MOST_WIDTH_PX / width))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def heads(seen: Detections) -> list[Box]:
    """Where the heads of the persons among `seen` are, with a margin."""
    found: list[Box] = []
    for box, score, label in seen:
        if label != PERSON or score < LEAST_SCORE:
            continue
        x1, y1, x2, y2 = (float(v) for v in box)
        wide, high = x2 - x1, _HEAD * (y2 - y1)
        found.append(
            (
                max(0.0, x1 - _MARGIN * wide),
                max(0.0, y1 - _MARGIN * high),
                min(1.0, x2 + _MARGIN * wide),
                min(1.0, y1 + (1 + _MARGIN) * high),
            )
        )
    return found


def pixelated(image: Picture, boxes: Sequence[Box]) -> Picture:
    """A copy in which `boxes` are coarse blocks."""
    made = image.copy()
    height, width = made.shape[:2]
    for x1, y1, x2, y2 in boxes:
        left, top = int(x1 * width), int(y1 * height)
        right, bottom = max(left + 1, int(np.ceil(x2 * width))), max(top + 1, int(np.ceil(y2 * height)))
        place = made[top:bottom, left:right]
        if place.size == 0:
            continue
        # Never finer than 1/12 of the box, and never so fine that a large face stays one.
        blocks = min(_BLOCKS, max(1, min(place.shape[:2]) // 4)) // 2 or 1
        coarse = cv2.resize(place, (blocks, blocks), interpolation=cv2.INTER_AREA)
        made[top:bottom, left:right] = cv2.resize(
            coarse, (place.shape[1], place.shape[0]), interpolation=cv2.INTER_NEAREST
        )
    return made
