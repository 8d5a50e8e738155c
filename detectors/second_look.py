"""A slower model that looks again at the crop of a finding before anybody hears of it; it fails open."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from detectors.classifier import Classifier
from detectors.errors import DetectorError
from detectors.finding import Box
from detectors.kinds import Kind

_log = logging.getLogger("detectors.second_look")

LEAST_PX = 16
"""Crops smaller than that say nothing."""


class SecondLook:
    """Asks the classifiers that kinds name in `check`. `counters`: second_looks, second_held_back, second_errors.

    `open_classifier`: name to open Classifier; None: nothing is held back.
    """

    def __init__(self, open_classifier: Callable[[str], Classifier] | None, counters: Counter[str]) -> None:
        self._open, self._counters = open_classifier, counters
        self._models: dict[str, Classifier | None] = {}

    def holds(self, kind: Kind, boxes: tuple[Box, ...], picture: NDArray[np.uint8]) -> bool:
        """Whether the finding of `kind` at `boxes` in `picture` (BGR) stands: one box that passes is enough.

        What cannot be asked stands: a model that is not there, that fails, or that lacks the label.
        """
        check = kind.check
        if check is None or not boxes:
            return True
        model = self._model(check.model)
        crops = [c for box in boxes if min((c := crop(picture, box, check.margin)).shape[:2]) >= LEAST_PX]
        if model is None or not crops:
            return True
        try:
            columns = [model.labels.index(label) for label in check.labels]
            shares = model.classify(crops)[:, columns].sum(axis=1)
        except (DetectorError, ValueError) as error:
            self._counters["second_errors"] += 1
            _log.warning("%s was not looked at again by %s: %s", kind.id, check.model, error)
            return True
        self._counters["second_looks"] += 1
        stands = bool((shares >= check.min_score).any())
        self._counters["second_held_back"] += not stands
        return stands

    def _model(self, name: str) -> Classifier | None:
        if name not in self._models:
            try:
                self._models[name] = self._open(name) if self._open else None
            except DetectorError as error:
                self._counters["second_errors"] += 1
                self._models[name] = None
                _log.warning("no second look by %s, findings go on without: %s", name, error)
        return self._models[name]


def crop(picture: NDArray[np.uint8], box: Box, margin: float) -> NDArray[np.uint8]:
    """`box` (0-1) of `picture`, grown by `margin` of its sides, as far as the picture reaches."""
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = box
    wide, high = margin * (x2 - x1), margin * (y2 - y1)
    left, top = max(0, int((x1 - wide) * width)), max(0, int((y1 - high) * height))
    right, bottom = math.ceil((x2 + wide) * width), math.ceil((y2 + high) * height)
    return picture[top:bottom, left:right]
