"""What a model saw in one picture: parallel arrays, so that a rule can filter without loops."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """N boxes of one picture: `boxes` N x 4 float32 (x1, y1, x2, y2; 0-1), `scores` N float32, `labels` N names."""

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        n = len(self.labels)
        if self.boxes.shape != (n, 4) or self.scores.shape != (n,):
            raise ValueError(
                f"boxes {self.boxes.shape}, scores {self.scores.shape} and {n} labels do not belong together"
            )

    @classmethod
    def empty(cls) -> Detections:
        """Nothing seen."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), ())

    def __len__(self) -> int:
        return len(self.labels)

    def __iter__(self) -> Iterator[tuple[NDArray[np.float32], float, str]]:
        """(box, score, label) one by one."""
        for box, score, label in zip(self.boxes, self.scores, self.labels, strict=True):
            yield box, float(score), label

    def where(self, keep: NDArray[np.bool_]) -> Detections:
        """Those for which `keep` (N booleans) is true."""
        labels = tuple(label for label, k in zip(self.labels, keep, strict=True) if k)
        return Detections(self.boxes[keep], self.scores[keep], labels)

    def of(self, labels: frozenset[str], min_score: float) -> Detections:
        """Those with one of `labels` and at least `min_score`."""
        named = np.fromiter((label in labels for label in self.labels), bool, len(self))
        return self.where(named & (self.scores >= min_score))
