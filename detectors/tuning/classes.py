"""Pictures in class folders (`clean/`, `dirty/`), and how good a classifier is on them, with error bars."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.classifier import Classifier
from detectors.tuning.dataset import PICTURE_SUFFIXES, DataError, read_picture


@dataclass(frozen=True, slots=True)
class Shown:
    """Pictures by class folder: `labels[i]` names what `pictures[i]` shows."""

    pictures: Sequence[Path]
    labels: Sequence[str]


@dataclass(frozen=True, slots=True)
class ClassScores:
    """Of a classifier on a folder. Ranges are 95 % intervals over redrawn pictures (None where not asked for).

    `auc` is the chance that a picture of a label scores higher for it than one of another label, the mean over labels;
    accuracy takes the label with the highest share. `labels`: precision, recall, pictures and the score they hold at.
    """

    accuracy: float
    accuracy_range: tuple[float, float] | None
    auc: float
    auc_range: tuple[float, float] | None
    labels: Mapping[str, Mapping[str, float]]
    pictures: int
    ms_per_picture: float

    def as_dict(self) -> dict[str, Any]:
        """As `gridhub model eval --json` prints it."""
        told: dict[str, Any] = {"accuracy": round(self.accuracy, 4), "auc": round(self.auc, 4)}
        for name, ends in (("accuracy_range", self.accuracy_range), ("auc_range", self.auc_range)):
            if ends is not None:
                told[name] = [round(v, 4) for v in ends]
        told["classes"] = {k: {name: round(v, 4) for name, v in row.items()} for k, row in self.labels.items()}
        return told | {"pictures": self.pictures, "ms_per_picture": round(self.ms_per_picture, 2)}


def read_classes(folder: Path, labels: Sequence[str]) -> Shown:
    """The pictures of `folder`, one folder a label. Raises DataError: a folder that no label has, or none at all."""
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; wanted one with a folder for each of {', '.join(labels)}")
    present = sorted(p.name for p in folder.iterdir() if p.is_dir())
    unknown = [name for name in present if name not in labels]
    if unknown or not present:
        wanted = f"wanted {', '.join(labels)}"
        raise DataError(f"{folder}: has the folders {', '.join(present) or 'none'}; {wanted}")
    pictures = [
        p for name in present for p in sorted((folder / name).iterdir()) if p.suffix.lower() in PICTURE_SUFFIXES
    ]
    if not pictures:
        raise DataError(f"{folder}: no pictures below {', '.join(present)}")
    return Shown(pictures, [p.parent.name for p in pictures])


def evaluate_classes(
    model: Classifier,
    folder: Path,
    *,
    at_scores: Mapping[str, float] | None = None,
    resamples: int = 0,
    batch: int = 8,
) -> ClassScores:
    """Run `model` over the class folders below `folder`; labels are matched by name. Raises DataError."""
    shown = read_classes(folder, model.labels)
    answers, spent_s = [], 0.0
    for start in range(0, len(shown.pictures), batch):
        pictures = [read_picture(path) for path in shown.pictures[start : start + batch]]
        began = time.perf_counter()
        answers.append(model.classify(pictures))
        spent_s += time.perf_counter() - began
    shares = np.concatenate(answers)
    return class_scores(shares, shown.labels, model.labels, at_scores, resamples, 1e3 * spent_s / len(shares))


def count_called(model: Classifier, folder: Path, batch: int = 8) -> dict[str, dict[str, int]]:
    """Of each label below `folder`: its pictures, and how many of them were called what (the highest share)."""
    shown = read_classes(folder, model.labels)
    told = {label: {"pictures": 0, **dict.fromkeys(model.labels, 0)} for label in dict.fromkeys(shown.labels)}
    for start in range(0, len(shown.pictures), batch):
        shares = model.classify([read_picture(path) for path in shown.pictures[start : start + batch]])
        for label, called in zip(shown.labels[start : start + batch], shares.argmax(1), strict=True):
            told[label]["pictures"] += 1
            told[label][model.labels[int(called)]] += 1
    return told


def class_scores(
    shares: NDArray[np.float32],
    truth: Sequence[str],
    labels: Sequence[str],
    at_scores: Mapping[str, float] | None = None,
    resamples: int = 0,
    ms_per_picture: float = 0.0,
) -> ClassScores:
    """`shares` N x labels against what the N pictures show; the default score of a label is 0.5."""
    index = np.array([labels.index(name) for name in truth])
    hits = shares.argmax(1) == index
    chance = np.random.default_rng(0)
    picks = [chance.integers(len(index), size=len(index)) for _ in range(resamples)]
    rows = {}
    for column, label in enumerate(labels):
        at = (at_scores or {}).get(label, 0.5)
        said, is_so = shares[:, column] >= at, index == column
        right = int((said & is_so).sum())
        rows[label] = {
            "precision": right / max(1, int(said.sum())),
            "recall": right / max(1, int(is_so.sum())),
            "at_score": float(at),
            "pictures": int(is_so.sum()),
        }
    return ClassScores(
        float(hits.mean()),
        _range([float(hits[p].mean()) for p in picks]),
        auc(shares, index),
        _range([auc(shares[p], index[p]) for p in picks]),
        rows,
        len(index),
        ms_per_picture,
    )


def auc(shares: NDArray[np.float32], index: NDArray[np.int_]) -> float:
    """Mean over labels of the area under the ROC curve, one label against the others; equal scores count half.

    Labels that all pictures show, or none, are left out; 0 where that leaves none.
    """
    areas = []
    for column in range(shares.shape[1]):
        own = index == column
        yes, no = int(own.sum()), int((~own).sum())
        if yes and no:
            _, place, counts = np.unique(shares[:, column], return_inverse=True, return_counts=True)
            ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
            areas.append((float(ranks[own].sum()) - yes * (yes + 1) / 2) / (yes * no))
    return float(np.mean(areas)) if areas else 0.0


def _range(values: Sequence[float]) -> tuple[float, float] | None:
    if not values:
        return None
    low, high = np.percentile(values, (2.5, 97.5))
    return float(low), float(high)
