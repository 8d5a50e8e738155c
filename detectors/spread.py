"""How the scores of a model are spread, camera by camera: counted look by look, taken every now and then."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from detectors.detection import Detections

BINS = 20
"""Equal steps of the score from 0 to 1."""

Key = tuple[str, str, str, str]
"""Camera, model, version, label."""


class Spread:
    """Counts of scores. Any thread may call."""

    def __init__(self) -> None:
        self._counts: dict[Key, NDArray[np.int64]] = {}
        self._lock = threading.Lock()

    def add(self, camera: str, model: str, version: str, seen: Detections) -> None:
        """Count what a model saw in one picture."""
        bins = np.minimum((seen.scores * BINS).astype(np.intp), BINS - 1)
        with self._lock:
            for label, index in zip(seen.labels, bins, strict=True):
                key = (camera, model, version, label)
                if key not in self._counts:
                    self._counts[key] = np.zeros(BINS, np.int64)
                self._counts[key][index] += 1

    def take(self) -> dict[Key, list[int]]:
        """What was counted since the last time."""
        with self._lock:
            counts, self._counts = self._counts, {}
        return {key: [int(n) for n in bins] for key, bins in counts.items()}

    def put_back(self, counts: Mapping[Key, list[int]]) -> None:
        """What was taken and could not be told."""
        with self._lock:
            for key, bins in counts.items():
                here = self._counts.setdefault(key, np.zeros(BINS, np.int64))
                here += np.array(bins, np.int64)
