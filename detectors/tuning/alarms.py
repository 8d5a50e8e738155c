"""False alarms on footage that shows nothing wrong, and the scores from which a label may be trusted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.detection import Detections
from detectors.errors import FootageError
from detectors.model import Model
from detectors.tuning.dataset import PICTURE_SUFFIXES, Picture, read_picture
from detectors.tuning.evaluate import LEAST_SCORE


@dataclass(frozen=True, slots=True)
class Quiet:
    """What a model said about footage without a problem: `peaks` holds, per label, each picture's highest score."""

    name: str
    pictures: int
    peaks: Mapping[str, NDArray[np.float64]]

    def alarms(self, label: str, score: float) -> int:
        """Pictures with at least one box of `label` at `score` or more."""
        return int((self.peaks[label] >= score).sum())


def listen(model: Model, name: str, pictures: Iterable[Picture]) -> Quiet:
    """Look at every one of `pictures` (BGR) and keep each label's highest score."""
    peaks: dict[str, list[float]] = {label: [] for label in model.labels}
    count = 0
    for picture in pictures:
        (seen,) = model.detect([picture], LEAST_SCORE)
        count += 1
        for label in model.labels:
            peaks[label].append(peak(seen, label))
    return Quiet(name, count, {label: np.array(values, np.float64) for label, values in peaks.items()})


def peak(seen: Detections, label: str) -> float:
    """Highest score of `label`; 0 where it was not seen."""
    return max((score for _, score, name in seen if name == label), default=0.0)


def quiet_score(peaks: NDArray[np.float64], allowed: float) -> float:
    """The lowest score at which at most the share `allowed` (0-1) of the pictures would raise an alarm."""
    ordered = np.sort(peaks)[::-1]
    spared = int(allowed * len(ordered))
    return float(np.nextafter(ordered[spared], 2.0)) if spared < len(ordered) else 0.0


def footage(path: Path, every_s: float) -> Iterator[Picture]:
    """The pictures of a folder, or one every `every_s` seconds of a clip. Raises DataError, FootageError."""
    if path.is_dir():
        return (read_picture(p) for p in sorted(path.iterdir()) if p.suffix.lower() in PICTURE_SUFFIXES)
    return clip_pictures(path, every_s)


def clip_pictures(path: Path, every_s: float) -> Iterator[Picture]:
    """One picture (BGR) every `every_s` seconds of the clip. Raises FootageError where it is no video."""
    clip = cv2.VideoCapture(str(path))
    try:
        fps = clip.get(cv2.CAP_PROP_FPS)
        if not clip.isOpened() or fps <= 0:
            raise FootageError(f"{path}: not a video that can be read")
        step = max(1, round(fps * every_s))
        number = 0
        while clip.grab():
            if number % step == 0:
                fine, picture = clip.retrieve()
                if fine:
                    yield np.asarray(picture, np.uint8)
            number += 1
    finally:
        clip.release()
