"""A model: pictures in, detections out, in batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.backends import Backend
from detectors.detection import Detections
from detectors.errors import ModelError, PictureError

NMS_IOU = 0.6
"""Two boxes of one class that share more than this are one thing."""
MOST_CANDIDATES = 1000
MOST_DETECTIONS = 300


class Model(Protocol):
    """What the pipeline needs of a model."""

    @property
    def name(self) -> str:
        """As in the catalog."""

    @property
    def version(self) -> str:
        """As on its card."""

    @property
    def labels(self) -> tuple[str, ...]:
        """What it can see."""

    @property
    def thresholds(self) -> Mapping[str, float]:
        """Label to the score from which its card takes it for real; labels may be missing."""

    @property
    def input_px(self) -> tuple[int, int]:
        """Width and height it fits pictures into: larger ones say no more to it."""

    def detect(self, images: Sequence[NDArray[np.uint8]], min_score: float = 0.05) -> list[Detections]:
        """One Detections for each of `images` (BGR H x W x 3, or grey), best first. Raises PictureError, ModelError."""


@dataclass(frozen=True, slots=True)
class InputForm:
    """How a network wants its picture: letterboxed to width x height with `pad`, colour order, multiplied by scale."""

    width: int
    height: int
    color: str = "RGB"
    scale: float = 1 / 255
    pad: int = 114


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a letterboxed picture lies in the network's input: its scaled size, the padding left of and above it."""

    width_px: int
    height_px: int
    left_px: int
    top_px: int


class YoloModel:
    """A network with YOLOv8 output (N x (4 + classes) x cells: xywh in input px, class scores), on any Backend."""

    def __init__(
        self,
        name: str,
        version: str,
        labels: Sequence[str],
        form: InputForm,
        backend: Backend,
        thresholds: Mapping[str, float] | None = None,
    ) -> None:
        self.name = name
        self.version = version
        self.labels = tuple(labels)
        self.thresholds = dict(thresholds or {})
        self.form = form
        self.input_px = (form.width, form.height)
        self._backend = backend

    def detect(self, images: Sequence[NDArray[np.uint8]], min_score: float = 0.05) -> list[Detections]:
        """See Model."""
        if not images:
            return []
        batch, placements = letterboxed(images, self.form)
        output = self._backend.infer(batch)
        if output.ndim != 3 or output.shape[:2] != (len(images), 4 + len(self.labels)):
            wanted = f"{len(images)} x {4 + len(self.labels)} x cells"
            raise ModelError(f"model {self.name}: output is {output.shape}, its card says {wanted}")
        return [
            suppressed(answer, placement, self.labels, min_score)
            for answer, placement in zip(output, placements, strict=True)
        ]


def as_bgr(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`image` as H x W x 3 uint8; grey and BGRA are converted. Raises PictureError naming type and shape."""
    if image.dtype != np.uint8 or image.size == 0:
        raise PictureError(f"picture is {image.dtype}{image.shape}, wanted uint8 H x W x 3 (BGR) or H x W (grey)")
    if image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 1):
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), np.uint8)
    if image.ndim == 3 and image.shape[2] == 4:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGRA2BGR), np.uint8)
    if image.ndim == 3 and image.shape[2] == 3:
        return image
    raise PictureError(f"picture is {image.dtype}{image.shape}, wanted uint8 H x W x 3 (BGR) or H x W (grey)")


def placement(width_px: int, height_px: int, form: InputForm) -> Placement:
    """Scale and padding of a picture, rounded as Ultralytics' LetterBox does (centred, scaled up too)."""
    ratio = min(form.width / width_px, form.height / height_px)
    width, height = max(1, round(width_px * ratio)), max(1, round(height_px * ratio))
    left = round((form.width - width) / 2 - 0.1)
    top = round((form.height - height) / 2 - 0.1)
    return Placement(width, height, left, top)


def letterboxed(images: Sequence[NDArray[np.uint8]], form: InputForm) -> tuple[NDArray[np.float32], list[Placement]]:
    """N x 3 x H x W float32 for the network, and where each picture lies in it."""
    canvas = np.full((len(images), form.height, form.width, 3), form.pad, np.uint8)
    placements = []
    for image, target in zip(images, canvas, strict=True):
        bgr = as_bgr(image)
        place = placement(bgr.shape[1], bgr.shape[0], form)
        rows = slice(place.top_px, place.top_px + place.height_px)
        columns = slice(place.left_px, place.left_px + place.width_px)
        size = (place.width_px, place.height_px)
        target[rows, columns] = (
            bgr if bgr.shape[1::-1] == size else cv2.resize(bgr, size, interpolation=cv2.INTER_LINEAR)
        )
        placements.append(place)
    blob = cv2.dnn.blobFromImages(list(canvas), form.scale, swapRB=form.color == "RGB")
    return np.asarray(blob, np.float32), placements


def suppressed(answer: NDArray[np.float32], place: Placement, labels: tuple[str, ...], min_score: float) -> Detections:
    """Detections (best first) of one picture's raw output (4 + classes) x cells, after class-aware NMS."""
    best = answer[4:].max(axis=0)
    cells = np.flatnonzero(best >= min_score)
    if len(cells) == 0:
        return Detections.empty()
    if len(cells) > MOST_CANDIDATES:
        cells = cells[np.argpartition(best[cells], -MOST_CANDIDATES)[-MOST_CANDIDATES:]]
    scores = best[cells].astype(np.float32)
    classes = answer[4:, cells].argmax(axis=0)
    cx, cy, w, h = answer[:4, cells].astype(np.float64)
    corners = np.stack([cx - w / 2, cy - h / 2, w, h], axis=1)
    kept = np.asarray(
        cv2.dnn.NMSBoxesBatched(corners.tolist(), scores.tolist(), classes.tolist(), min_score, NMS_IOU), np.intp
    ).reshape(-1)
    kept = kept[np.argsort(-scores[kept], kind="stable")][:MOST_DETECTIONS]
    x1 = (corners[kept, 0] - place.left_px) / place.width_px
    y1 = (corners[kept, 1] - place.top_px) / place.height_px
    boxes = np.stack([x1, y1, x1 + corners[kept, 2] / place.width_px, y1 + corners[kept, 3] / place.height_px], axis=1)
    names = tuple(labels[c] for c in classes[kept])
    return Detections(np.clip(boxes, 0, 1).astype(np.float32), np.clip(scores[kept], 0, 1), names)
