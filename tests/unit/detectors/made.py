"""Made-up detections, streets and models for the tests of rules and pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.detection import Detections
from detectors.kinds import Kind

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
"""Monday, 12:00 in Shanghai."""
Image = NDArray[np.uint8]


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def seen(*things: tuple[str, float, tuple[float, float, float, float]]) -> Detections:
    """Detections from (label, score, box)."""
    if not things:
        return Detections.empty()
    boxes = np.array([box for _, _, box in things], np.float32)
    return Detections(boxes, np.array([s for _, s, _ in things], np.float32), tuple(label for label, _, _ in things))


def street(seed: int = 0, width: int = 640, height: int = 360) -> Image:
    """A textured pavement below a textured wall: something for backgrounds to hold on to."""
    rng = np.random.default_rng(seed)
    coarse = cv2.resize(rng.normal(0, 14, (height // 12, width // 12)).astype(np.float32), (width, height))
    fine = rng.normal(0, 5, (height, width)).astype(np.float32)
    grey = 120 + coarse + fine
    grey[: height // 3] += 40
    grey[height // 3 : height // 3 + 4] -= 50
    for x in range(0, width, 80):
        grey[height // 3 :, x : x + 2] -= 25
    tint = np.array([0.95, 1.0, 1.05], np.float32)
    return np.clip(grey[..., None] * tint, 0, 255).astype(np.uint8)


def with_box(image: Image, box: tuple[float, float, float, float], color: tuple[int, int, int], seed: int = 3) -> Image:
    """A patterned thing of a colour put into the picture."""
    out = image.copy()
    height, width = image.shape[:2]
    x1, y1, x2, y2 = int(box[0] * width), int(box[1] * height), int(box[2] * width), int(box[3] * height)
    rng = np.random.default_rng(seed)
    pattern = cv2.resize(rng.integers(-40, 40, (4, 4)).astype(np.float32), (x2 - x1, y2 - y1))
    out[y1:y2, x1:x2] = np.clip(np.array(color, np.float32) + pattern[..., None], 0, 255).astype(np.uint8)
    return out


_PERIOD = 1 << 18
_NOISE = np.resize(np.random.default_rng(0).normal(0, 1, _PERIOD).astype(np.float32), 25 * _PERIOD)


def noisy(image: Image, seed: int, sigma: float = 4.0) -> Image:
    """With noise; the same seed gives the same noise. Up to 1920 x 1080 pixels."""
    start = -7919 * seed % _PERIOD
    made = _NOISE[start : start + image.size].reshape(image.shape) * np.float32(sigma)
    made += image
    return np.clip(made, 0, 255, out=made).astype(np.uint8)


def lit(image: Image, gain: float, offset: float = 0.0) -> Image:
    return np.clip(image.astype(np.float32) * gain + offset, 0, 255).astype(np.uint8)


class ColourModel:
    """A small honest model: connected regions of a pure colour are things of that colour's label."""

    name, version = "colours", "1"
    input_px = (640, 640)
    COLOURS: Mapping[str, tuple[int, int, int]] = {
        "garbage": (255, 0, 255),
        "vehicle": (255, 0, 0),
        "person": (0, 255, 0),
    }

    def __init__(self, thresholds: Mapping[str, float] | None = None) -> None:
        self.labels = tuple(self.COLOURS)
        self.thresholds = dict(thresholds or {})
        self.batches: list[int] = []

    def detect(self, images: Sequence[Image], min_score: float = 0.05) -> list[Detections]:
        self.batches.append(len(images))
        return [self._one(image) for image in images]

    def _one(self, image: Image) -> Detections:
        height, width = image.shape[:2]
        things = []
        for label, colour in self.COLOURS.items():
            mask = cv2.inRange(image, *(np.clip(np.add(colour, by), 0, 255) for by in (-59, 59)))
            if not cv2.countNonZero(mask):
                continue
            _, _, stats, _ = cv2.connectedComponentsWithStats(mask)
            for x, y, w, h, area in stats[1:]:
                if area >= 50:
                    things.append((label, 0.8, (x / width, y / height, (x + w) / width, (y + h) / height)))
        return seen(*things)


def painted(image: Image, label: str, box: tuple[float, float, float, float]) -> Image:
    """A thing that ColourModel sees as `label`."""
    out = image.copy()
    height, width = image.shape[:2]
    rows = slice(int(box[1] * height), int(box[3] * height))
    out[rows, int(box[0] * width) : int(box[2] * width)] = ColourModel.COLOURS[label]
    return out


def kind(rule: dict[str, object], look_for: dict[str, object] | None = None, **more: object) -> Kind:
    """A kind as a stanza would make it."""
    stanza: dict[str, object] = {
        "id": "thing",
        "name": {"zh": "东西", "en": "Thing"},
        "category": {"GB/T 47678.5": "06010"},
        "limit": "4工作时",
        "department": "sanitation",
        "closing": "清理",
        "rule": rule,
    }
    if look_for is not None:
        stanza["look_for"] = look_for
    return Kind.from_wire(stanza | more)
