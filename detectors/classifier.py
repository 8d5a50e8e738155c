"""A classifier: what a picture, or a crop of one, shows as a whole (a bin that is clean or dirty)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from detectors.backends import Backend
from detectors.errors import ModelError
from detectors.model import Carded, InputForm, as_bgr, letterboxed, placement


class Classifier(Carded, Protocol):
    """What the second look at a crop needs of a model."""

    def classify(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """N x labels, 0-1, each row adding up to 1, for `images` (BGR, or grey). Raises PictureError, ModelError."""


class PictureClassifier:
    """A network with one share a label, on any Backend; pictures are letterboxed as for detection."""

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
        self._backend = backend

    def classify(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """See Classifier."""
        if not images:
            return np.zeros((0, len(self.labels)), np.float32)
        pictures = [as_bgr(image) for image in images]
        places = [placement(picture.shape[1], picture.shape[0], self.form) for picture in pictures]
        shares = self._backend.infer(letterboxed(pictures, places, self.form.pad))
        if shares.shape != (len(images), len(self.labels)):
            wanted = f"{len(images)} x {len(self.labels)}"
            raise ModelError(f"model {self.name}: output is {shares.shape}, its card says {wanted}")
        return shares
