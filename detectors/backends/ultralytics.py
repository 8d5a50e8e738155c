"""`.pt` files through Ultralytics, which does its own letterbox and NMS; loaded only when such a file is opened."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detectors.detection import Detections
from detectors.errors import CatalogError, ModelError
from detectors.model import as_bgr


class UltralyticsModel:
    """A detection `.pt` as a Model (see detectors.model.Model), named after the file, with the file's own labels."""

    def __init__(self, file: Path, version: str = "pt", thresholds: Mapping[str, float] | None = None) -> None:
        try:
            library = importlib.import_module("ultralytics")
        except ModuleNotFoundError as error:
            raise CatalogError(
                f"{file}: a .pt file needs Ultralytics, which is not installed; pip install 'gridhub[tune]'"
            ) from error
        library.settings.update({"sync": False})
        try:
            self._yolo = library.YOLO(str(file))
        except (RuntimeError, ValueError, TypeError, OSError, AttributeError, KeyError, EOFError) as error:
            raise ModelError(f"{file}: Ultralytics cannot load it: {error}") from error
        if self._yolo.task != "detect":
            raise ModelError(f"{file}: task is {self._yolo.task}, wanted detect")
        self.name = file.stem
        self.version = version
        self.thresholds: Mapping[str, float] = dict(thresholds or {})
        self._names: dict[int, str] = dict(self._yolo.names)
        self.labels = tuple(self._names[i] for i in sorted(self._names))
        side = int(self._yolo.overrides.get("imgsz", 640))
        self.input_px = (side, side)

    def detect(self, images: Sequence[NDArray[np.uint8]], min_score: float = 0.05) -> list[Detections]:
        """See Model."""
        if not images:
            return []
        results = self._yolo.predict([as_bgr(image) for image in images], conf=min_score, verbose=False)
        return [self._detections(result.boxes) for result in results]

    def _detections(self, found: object) -> Detections:
        boxes = np.asarray(found.xyxyn.cpu(), np.float32).reshape(-1, 4)  # type: ignore[attr-defined]
        scores = np.asarray(found.conf.cpu(), np.float32)  # type: ignore[attr-defined]
        classes = np.asarray(found.cls.cpu(), np.intp)  # type: ignore[attr-defined]
        return Detections(np.clip(boxes, 0, 1), scores, tuple(self._names[int(c)] for c in classes))
