"""A slower model that looks again at the crop of a finding before anybody hears of it; it fails open."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from detectors.classifier import Classifier
from detectors.errors import DetectorError, ModelError
from detectors.finding import Box
from detectors.geometry import iou
from detectors.kinds import Kind
from detectors.model import Model

_log = logging.getLogger("detectors.second_look")

LEAST_PX = 16
"""Crops smaller than that say nothing."""
LEAST_OVERLAP = 0.1
"""IoU from which a box that a detector sees in the crop is the finding's, not a neighbour's."""


@dataclass(frozen=True, slots=True)
class Crop:
    """A part of a picture (BGR), and where in it the finding lies (0-1)."""

    picture: NDArray[np.uint8]
    box: Box


class SecondModel(Protocol):
    """What looks again: a classifier or a detector."""

    @property
    def labels(self) -> tuple[str, ...]:
        """What it can tell apart."""

    def scores(self, crops: Sequence[Crop], labels: Sequence[str]) -> NDArray[np.float32]:
        """N, 0-1: how sure it is that each of `crops` shows one of `labels`. Raises PictureError, ModelError."""


class AskedClassifier:
    """A classifier says what a crop shows as a whole: the shares of the labels together."""

    def __init__(self, classifier: Classifier) -> None:
        self.labels = classifier.labels
        self._classifier = classifier

    def scores(self, crops: Sequence[Crop], labels: Sequence[str]) -> NDArray[np.float32]:
        """See SecondModel."""
        columns = [self.labels.index(label) for label in labels]
        shares: NDArray[np.float32] = self._classifier.classify([c.picture for c in crops])[:, columns].sum(axis=1)
        return shares


class AskedDetector:
    """A detector sees the crop larger than the one that found it saw the street: its best box about the same place."""

    def __init__(self, model: Model) -> None:
        self.labels = model.labels
        self._model = model

    def scores(self, crops: Sequence[Crop], labels: Sequence[str]) -> NDArray[np.float32]:
        """See SecondModel."""
        best = np.zeros(len(crops), np.float32)
        seen = self._model.detect([c.picture for c in crops])
        for number, (asked, found) in enumerate(zip(crops, seen, strict=True)):
            of_these = [i for i, label in enumerate(found.labels) if label in labels]
            if of_these:
                near = iou(np.array([asked.box], np.float32), found.boxes[of_these])[0] >= LEAST_OVERLAP
                best[number] = max(found.scores[of_these][near], default=0.0)
        return best


class SecondLook:
    """Asks the models that kinds name in `check`. `counters`: second_looks, second_held_back, second_errors.

    `open_model`: name to open SecondModel; None: nothing is held back.
    """

    def __init__(self, open_model: Callable[[str], SecondModel] | None, counters: Counter[str]) -> None:
        self._open, self._counters = open_model, counters
        self._models: dict[str, SecondModel | None] = {}

    def holds(self, kind: Kind, boxes: tuple[Box, ...], picture: NDArray[np.uint8]) -> bool:
        """Whether the finding of `kind` at `boxes` in `picture` (BGR) stands: one box that passes is enough.

        What cannot be asked stands: a model that is not there, that fails, or that lacks the label.
        """
        check = kind.check
        if check is None or not boxes:
            return True
        model = self._model(check.model)
        cuts = [cut(picture, box, check.margin) for box in boxes]
        crops = [c for c in cuts if min(c.picture.shape[:2]) >= LEAST_PX]
        if model is None or not crops:
            return True
        try:
            if missing := set(check.labels) - set(model.labels):
                raise ModelError(f"it does not know {', '.join(sorted(missing))}")
            scores = model.scores(crops, check.labels)
        except DetectorError as error:
            self._counters["second_errors"] += 1
            _log.warning("%s was not looked at again by %s: %s", kind.id, check.model, error)
            return True
        self._counters["second_looks"] += 1
        stands = bool((scores >= check.min_score).any())
        self._counters["second_held_back"] += not stands
        return stands

    def _model(self, name: str) -> SecondModel | None:
        if name not in self._models:
            try:
                self._models[name] = self._open(name) if self._open else None
            except DetectorError as error:
                self._counters["second_errors"] += 1
                self._models[name] = None
                _log.warning("no second look by %s, findings go on without: %s", name, error)
        return self._models[name]


def cut(picture: NDArray[np.uint8], box: Box, margin: float) -> Crop:
    """The crop of `box` (0-1) of `picture`, grown by `margin` of its sides, as far as the picture reaches."""
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = box
    wide, high = margin * (x2 - x1), margin * (y2 - y1)
    left, top = max(0, int((x1 - wide) * width)), max(0, int((y1 - high) * height))
    part = picture[top : math.ceil((y2 + high) * height), left : math.ceil((x2 + wide) * width)]
    down, across = (max(1, side) for side in part.shape[:2])
    xs, ys = ((x * width - left) / across for x in (x1, x2)), ((y * height - top) / down for y in (y1, y2))
    (inner_x1, inner_x2), (inner_y1, inner_y2) = xs, ys
    return Crop(part, (inner_x1, inner_y1, inner_x2, inner_y2))
