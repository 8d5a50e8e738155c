"""Earlier pictures of one view, few and ever rarer with age, so that a finding can show how it was before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.finding import Box

MOST = 5
GAP_S = 30.0
OLDEST = timedelta(hours=6)
MOST_WIDTH_PX = 1280
JPEG_QUALITY = 85


@dataclass(frozen=True, slots=True)
class Print:
    """One kept picture (JPEG, at most MOST_WIDTH_PX across)."""

    at: datetime
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class Album:
    """At most MOST pictures, oldest first."""

    prints: tuple[Print, ...] = ()

    def wants_one(self, at: datetime) -> bool:
        """Whether the newest is GAP_S old at `at` (or later than it: a clock went back)."""
        return not self.prints or not timedelta(0) <= at - self.prints[-1].at < timedelta(seconds=GAP_S)

    def with_picture(self, image: NDArray[np.uint8], at: datetime) -> Album:
        """With `image` added, if it wants one; the one that is missed least makes room."""
        if not self.wants_one(at):
            return self
        kept = [p for p in self.prints if timedelta(0) < at - p.at <= OLDEST]
        kept.append(Print(at, _jpeg(image)))
        if len(kept) > MOST:
            del kept[min(range(1, len(kept) - 1), key=lambda i: _gap_without(kept, i, at))]
        return Album(tuple(kept))

    def before(self, since: datetime) -> NDArray[np.uint8] | None:
        """The newest picture from before `since`."""
        earlier = [p for p in self.prints if p.at < since]
        return _picture(earlier[-1].jpeg) if earlier else None

    def most_like(self, since: datetime, like: NDArray[np.float32], boxes: Sequence[Box]) -> NDArray[np.uint8] | None:
        """The picture from before `since` that, at `boxes`, is most like `like` (H x W x 3 BGR): no passer-by in it."""
        earlier = [_picture(p.jpeg) for p in self.prints if p.at < since]
        return min(earlier, key=lambda picture: _apart(picture, like, boxes)) if earlier else None


def _gap_without(prints: Sequence[Print], index: int, now: datetime) -> float:
    """How large the gap left by a picture would be, relative to its age."""
    gap = prints[index + 1].at - prints[index - 1].at
    return gap / max(now - prints[index - 1].at, timedelta(seconds=1))


def _jpeg(image: NDArray[np.uint8]) -> bytes:
    height, width = image.shape[:2]
    if width > MOST_WIDTH_PX:
        size = (MOST_WIDTH_PX, round(height * MOST_WIDTH_PX / width))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()


def _picture(jpeg: bytes) -> NDArray[np.uint8]:
    return np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def _apart(picture: NDArray[np.uint8], like: NDArray[np.float32], boxes: Sequence[Box]) -> float:
    height, width = like.shape[:2]
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    apart = np.abs(small - np.median(small) - (like - np.median(like))).mean(axis=2)
    cut = [
        apart[int(y1 * height) : int(y2 * height) + 1, int(x1 * width) : int(x2 * width) + 1]
        for x1, y1, x2, y2 in boxes
    ]
    return float(np.mean([c.mean() for c in cut])) if cut else float(apart.mean())
