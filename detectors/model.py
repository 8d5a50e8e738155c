"""A model: pictures in, detections out, in batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.backends import RGB, Backend, Pixels
from detectors.detection import Detections
from detectors.errors import ModelError, PictureError

NMS_IOU = 0.6
"""Two boxes of one class that share more than this are one thing."""
MOST_CANDIDATES = 1000
MOST_DETECTIONS = 300
PAD = 114
"""Ultralytics' grey around a picture."""
SQUEEZE = 0.02
"""The share of its height or width that a picture may lose to save a step: 16:10 is then 416 x 256, as 16:9.

0.05 would make 16:9 416 x 224 and save another eighth, at the same AP50; but a street bench that scores 0.38 as garbage
then scores 0.44, and at the garbage score that asks for a quarter of the dirty bins are no longer seen.
"""


class Carded(Protocol):
    """What every model says of itself, from its card."""

    @property
    def name(self) -> str:
        """As in the catalog."""

    @property
    def version(self) -> str:
        """As on its card."""

    @property
    def labels(self) -> tuple[str, ...]:
        """What it can tell apart."""

    @property
    def thresholds(self) -> Mapping[str, float]:
        """Label to the score from which its card takes it for real; labels may be missing."""


class Model(Carded, Protocol):
    """What the pipeline needs of a model."""

    @property
    def input_px(self) -> tuple[int, int]:
        """Width and height it fits pictures into: larger ones say no more to it."""

    def detect(self, images: Sequence[NDArray[np.uint8]], min_score: float = 0.05) -> list[Detections]:
        """One Detections for each of `images` (BGR H x W x 3, or grey), best first. Raises PictureError, ModelError."""


@dataclass(frozen=True, slots=True)
class InputForm:
    """How a network wants its picture: scaled into width x height, the rest filled with `pad`; its pixels.

    A network with a `step` takes any sides that are multiples of it: its input is only as wide and high as the picture
    needs (16:9 in 416 x 416: 416 x 256), and a picture may be squeezed by the share `squeeze` to save a step.
    """

    width: int
    height: int
    pixels: Pixels = RGB
    pad: int = PAD
    step: int | None = None
    squeeze: float = SQUEEZE


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a letterboxed picture lies in the network's input: its scaled size, the padding left of and above it.

    `canvas` is the input's width and height in pixels.
    """

    width_px: int
    height_px: int
    left_px: int
    top_px: int
    canvas: tuple[int, int]


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
        loose: Mapping[str, float] | None = None,
    ) -> None:
        """`loose`: see `suppressed`."""
        self.name = name
        self.version = version
        self.labels = tuple(labels)
        self.thresholds = dict(thresholds or {})
        self.form = form
        self.input_px = (form.width, form.height)
        self._backend = backend
        self._loose = dict(loose or {})

    def detect(self, images: Sequence[NDArray[np.uint8]], min_score: float = 0.05) -> list[Detections]:
        """See Model."""
        if not images:
            return []
        pictures = [as_bgr(image) for image in images]
        places = [placement(picture.shape[1], picture.shape[0], self.form) for picture in pictures]
        alike: dict[tuple[int, int], list[int]] = {}
        for index, place in enumerate(places):
            alike.setdefault(place.canvas, []).append(index)
        found: dict[int, Detections] = {}
        for indices in alike.values():
            answers = self._infer([pictures[i] for i in indices], [places[i] for i in indices])
            for index, answer in zip(indices, answers, strict=True):
                found[index] = suppressed(answer, places[index], self.labels, min_score, self._loose)
        return [found[index] for index in range(len(images))]

    def _infer(self, pictures: Sequence[NDArray[np.uint8]], places: Sequence[Placement]) -> NDArray[np.float32]:
        """The network's answer to pictures that share a canvas."""
        output = self._backend.infer(letterboxed(pictures, places, self.form.pad))
        if output.ndim != 3 or output.shape[:2] != (len(pictures), 4 + len(self.labels)):
            wanted = f"{len(pictures)} x {4 + len(self.labels)} x cells"
            raise ModelError(f"model {self.name}: output is {output.shape}, its card says {wanted}")
        return output


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
    canvas = form.width, form.height
    if form.step is not None:
        width, height = (_squeezed(side, form.step, form.squeeze) for side in (width, height))
        canvas = -(-width // form.step) * form.step, -(-height // form.step) * form.step
    left = round((canvas[0] - width) / 2 - 0.1)
    top = round((canvas[1] - height) / 2 - 0.1)
    return Placement(width, height, left, top, canvas)


def _squeezed(side_px: int, step: int, squeeze: float) -> int:
    """The multiple of `step` below `side_px` where it is near enough, else `side_px`."""
    below = side_px // step * step
    return below if below >= side_px * (1 - squeeze) else side_px


def letterboxed(
    pictures: Sequence[NDArray[np.uint8]], places: Sequence[Placement], pad: int = PAD
) -> NDArray[np.uint8]:
    """BGR pictures on the canvas they share: N x H x W x 3, as a Backend takes them."""
    width, height = places[0].canvas
    batch = np.empty((len(pictures), height, width, 3), np.uint8)
    for bgr, place, target in zip(pictures, places, batch, strict=True):
        right, bottom = place.left_px + place.width_px, place.top_px + place.height_px
        target[: place.top_px] = pad
        target[bottom:] = pad
        target[place.top_px : bottom, : place.left_px] = pad
        target[place.top_px : bottom, right:] = pad
        inside = target[place.top_px : bottom, place.left_px : right]
        if bgr.shape == inside.shape:
            inside[:] = bgr
        else:
            cv2.resize(bgr, (place.width_px, place.height_px), dst=inside, interpolation=cv2.INTER_LINEAR)
    return batch


def suppressed(
    answer: NDArray[np.float32],
    place: Placement,
    labels: tuple[str, ...],
    min_score: float,
    loose: Mapping[str, float] = MappingProxyType({}),
) -> Detections:
    """Detections (best first) of one picture's raw output (4 + classes) x cells, after class-aware NMS.

    `loose`: labels without sharp edges (a heap), each with the overlap from which two of its boxes are one thing; its
    box is then the mean of all those, weighted by score, and its score the best one's.
    """
    best = answer[4:].max(axis=0)
    cells = np.flatnonzero(best >= min_score)
    if len(cells) == 0:
        return Detections.empty()
    if len(cells) > MOST_CANDIDATES:
        cells = cells[np.argpartition(best[cells], -MOST_CANDIDATES)[-MOST_CANDIDATES:]]
    scores = best[cells].astype(np.float32)
    classes = answer[4:, cells].argmax(axis=0)
    cx, cy, w, h = answer[:4, cells].astype(np.float64)
    raw = np.stack([cx - w / 2, cy - h / 2, w, h], axis=1)
    corners = raw.copy()
    overlaps = np.array([loose.get(label, NMS_IOU) for label in labels])[classes]
    kept = np.concatenate([_apart(corners, scores, classes, overlaps == o, o) for o in np.unique(overlaps)])
    kept = kept[np.argsort(-scores[kept], kind="stable")][:MOST_DETECTIONS]
    for index in kept if loose else ():
        if labels[classes[index]] in loose:
            alike = classes == classes[index]
            alike &= _shared(raw[index], raw) >= overlaps[index]
            corners[index] = np.average(raw[alike], axis=0, weights=scores[alike])
    x1 = (corners[kept, 0] - place.left_px) / place.width_px
    y1 = (corners[kept, 1] - place.top_px) / place.height_px
    boxes = np.stack([x1, y1, x1 + corners[kept, 2] / place.width_px, y1 + corners[kept, 3] / place.height_px], axis=1)
    names = tuple(labels[c] for c in classes[kept])
    return Detections(np.clip(boxes, 0, 1).astype(np.float32), np.clip(scores[kept], 0, 1), names)


def _apart(
    corners: NDArray[np.float64],
    scores: NDArray[np.float32],
    classes: NDArray[np.intp],
    some: NDArray[np.bool_],
    overlap: float,
) -> NDArray[np.intp]:
    """Which of the boxes `some` share no more than `overlap` with a better one of their class."""
    boxes, values, kinds = (numbers[some].tolist() for numbers in (corners, scores, classes))
    kept = np.asarray(cv2.dnn.NMSBoxesBatched(boxes, values, kinds, 0.0, overlap), np.intp)
    return np.flatnonzero(some)[kept.reshape(-1)]


def _shared(one: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of one box with others (left, top, width, height); 1 with itself."""
    ends = np.minimum(one[:2] + one[2:], others[:, :2] + others[:, 2:])
    common = np.clip(ends - np.maximum(one[:2], others[:, :2]), 0, None).prod(axis=1)
    union = one[2:].prod() + others[:, 2:].prod(axis=1) - common
    return np.asarray(common / np.maximum(union, 1e-9), np.float64)
