"""Classifiers: pictures in, shares out; class folders, AUC with its interval; cards of `task: classify`."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from detectors.catalog import Catalog
from detectors.classifier import PictureClassifier
from detectors.errors import CatalogError, ModelError, PictureError
from detectors.model import InputForm
from detectors.tuning.classes import auc, class_scores, count_called, evaluate_classes, read_classes
from detectors.tuning.dataset import DataError

LABELS = ("clean", "dirty")
ROOT = Path(__file__).resolve().parents[3]


class _Brightness:
    """A network whose share of `dirty` is the picture's mean brightness."""

    def __init__(self, labels: int = 2) -> None:
        self.labels = labels
        self.shapes: list[tuple[int, ...]] = []

    def infer(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.shapes.append(batch.shape)
        dirty = batch.reshape(len(batch), -1).mean(1) / 255
        return np.stack([1 - dirty, dirty] + [dirty] * (self.labels - 2), 1).astype(np.float32)


def _model(labels: int = 2) -> tuple[PictureClassifier, _Brightness]:
    backend = _Brightness(labels)
    return PictureClassifier("bins", "1", LABELS, InputForm(64, 64, pad=0), backend, {"dirty": 0.4}), backend


def _grey(level: int, shape: tuple[int, ...] = (64, 64, 3)) -> NDArray[np.uint8]:
    return np.full(shape, level, np.uint8)


def test_pictures_of_any_size_become_one_batch_of_shares() -> None:
    model, backend = _model()
    shares = model.classify([_grey(255), _grey(0), _grey(255, (32, 64)), _grey(51, (2160, 3840, 3))])
    assert backend.shapes == [(4, 64, 64, 3)]
    assert shares[:, 1] == pytest.approx([1.0, 0.0, 0.5, 0.2 * 36 / 64], abs=0.01)
    assert shares.sum(1) == pytest.approx(1.0)
    assert model.classify([]).shape == (0, 2)


def test_what_is_no_picture_and_a_network_of_other_labels_are_named() -> None:
    model, _ = _model()
    with pytest.raises(PictureError, match="uint16"):
        model.classify([np.zeros((4, 4, 3), np.uint16)])  # type: ignore[list-item]
    with pytest.raises(ModelError, match=r"model bins: output is \(1, 3\), its card says 1 x 2"):
        _model(labels=3)[0].classify([_grey(9)])


def test_auc_is_the_chance_that_the_dirty_one_scores_higher() -> None:
    index = np.array([0, 0, 1, 1])

    def of(*dirty: float) -> float:
        scores = np.array(dirty, np.float32)
        return auc(np.stack([1 - scores, scores], 1), index)

    assert of(0.1, 0.2, 0.8, 0.9) == 1.0
    assert of(0.9, 0.8, 0.2, 0.1) == 0.0
    assert of(0.1, 0.8, 0.2, 0.9) == 0.75
    assert of(0.5, 0.5, 0.5, 0.5) == 0.5
    assert auc(np.zeros((2, 2), np.float32), np.array([1, 1])) == 0.0


def test_scores_hold_accuracy_and_the_interval_around_it() -> None:
    shares = np.array([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7], [0.2, 0.8]], np.float32)
    scores = class_scores(shares, ["clean", "clean", "dirty", "dirty"], LABELS, {"dirty": 0.65}, resamples=200)
    assert (scores.accuracy, scores.auc) == (0.75, 1.0)
    assert scores.accuracy_range is not None
    assert scores.accuracy_range[0] < 0.75 < scores.accuracy_range[1]
    assert scores.labels["dirty"] == {"precision": 1.0, "recall": 1.0, "at_score": 0.65, "pictures": 2}
    told = scores.as_dict()
    assert {"accuracy", "auc", "accuracy_range", "auc_range", "classes", "pictures", "ms_per_picture"} == set(told)


def _folders(folder: Path, **levels: list[int]) -> Path:
    for label, greys in levels.items():
        (folder / label).mkdir(parents=True)
        for number, level in enumerate(greys):
            cv2.imwrite(str(folder / label / f"{number}.png"), _grey(level))
    return folder


def test_evaluating_runs_over_class_folders(tmp_path: Path) -> None:
    folder = _folders(tmp_path / "val", clean=[10, 40, 140], dirty=[200, 120])
    scores = evaluate_classes(_model()[0], folder, batch=2)
    assert scores.pictures == 5
    assert scores.auc == pytest.approx(5 / 6)
    assert scores.accuracy == pytest.approx(3 / 5)  # 140 is above, 120 below one half


def test_what_was_called_what_is_counted_where_a_label_is_missing_too(tmp_path: Path) -> None:
    folder = _folders(tmp_path / "also", dirty=[200, 120, 250])
    assert count_called(_model()[0], folder, batch=2) == {"dirty": {"pictures": 3, "clean": 1, "dirty": 2}}


def test_folders_that_do_not_fit_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder; wanted one with a folder for each of clean, dirty"):
        read_classes(tmp_path / "none", LABELS)
    with pytest.raises(DataError, match="has the folders none; wanted clean, dirty"):
        read_classes(_folders(tmp_path / "empty"), LABELS) if (tmp_path / "empty").mkdir() is None else None
    with pytest.raises(DataError, match="has the folders clean, full; wanted clean, dirty"):
        read_classes(_folders(tmp_path / "other", clean=[1], full=[2]), LABELS)
    with pytest.raises(DataError, match="no pictures below clean"):
        read_classes(_folders(tmp_path / "bare", clean=[]), LABELS)


# ---- cards


def _card(folder: Path, weights: bytes = b"weights", **change: object) -> Catalog:
    card = {
        "name": "bins",
        "version": "1",
        "task": "classify",
        "file": "bins.onnx",
        "sha256": hashlib.sha256(b"weights").hexdigest(),
        "labels": list(LABELS),
        "input": {"width": 64, "height": 64},
        "output": {"kind": "shares"},
    }
    (folder / "bins").mkdir(parents=True)
    (folder / "bins" / "bins.onnx").write_bytes(weights)
    (folder / "bins" / "card.yaml").write_text(yaml.safe_dump(card | change), encoding="utf-8")
    return Catalog(folder)


def test_a_classifier_is_no_detector(tmp_path: Path) -> None:
    models = _card(tmp_path)
    assert models.card("bins").task == "classify"
    with pytest.raises(CatalogError, match=r"card\.yaml: task: classify; wanted detect here"):
        models.open("bins")


def test_its_weights_are_checked_as_a_detectors_are(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="not the file its card describes"):
        _card(tmp_path / "other", b"tampered").open_classifier("bins")
    with pytest.raises(ModelError, match=r"bins\.onnx"):
        _card(tmp_path / "junk").open_classifier("bins")
    with pytest.raises(CatalogError, match=r"output\.kind: .*allowed: shares"):
        _card(tmp_path / "yolo", output={"kind": "yolo"}).cards()


# ---- the shipped one


def test_the_shipped_classifier_scores_on_the_command_line_as_on_its_card(shared_data: Path) -> None:
    folder = shared_data / "bins_cls" / "val"
    command = [sys.executable, "-m", "hub.cli", "model", "eval", "bins", "--data", str(folder), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    card = Catalog(ROOT / "models").card("bins").text["measured"]["validation"]["bins"]
    assert told["pictures"] == card["pictures"]
    assert told["auc"] == pytest.approx(card["auc"], abs=0.005)
    assert told["accuracy"] == pytest.approx(card["accuracy"], abs=0.02)
