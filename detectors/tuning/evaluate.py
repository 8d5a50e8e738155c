"""How good a model is on a YOLO set: average precision (by pycocotools), precision and recall, with error bars.

Runs on what the hub runs on (any `Model`), so what is measured is what is shipped; needs neither torch nor Ultralytics.
"""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from detectors.detection import Detections
from detectors.model import Model
from detectors.tuning.dataset import DataError, Picture, label_file, read_labels, read_picture, read_yolo_set

LEAST_SCORE = 0.005
"""Detections below it are not asked for; they would move AP by less than 0.001."""
BEST_DETECTIONS = 100
"""Per picture and label, as COCO's own evaluation."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What stands in one picture: `boxes` N x 4 (x1, y1, x2, y2; 0-1), `labels` N names, its size in pixels."""

    boxes: NDArray[np.float32]
    labels: tuple[str, ...]
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class Answers:
    """Truth and detections, picture by picture, for `labels`; the time is letterbox, network and suppression.

    `problems`: pictures and lines of label files that were left out, each with file, line and reason.
    """

    truths: Sequence[Truth]
    found: Sequence[Detections]
    labels: Sequence[str]
    ms_per_picture: float = 0.0
    problems: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class LabelScore:
    """Of one label. `ap50_range` is the 95 % interval over redrawn pictures (None where not asked for).

    precision and recall hold at the score `at_score`, boxes matched at an overlap of 0.5.
    """

    ap50: float
    ap50_range: tuple[float, float] | None
    precision: float
    recall: float
    at_score: float
    boxes: int


@dataclass(frozen=True, slots=True)
class Scores:
    """Of a model on a set. `map50_95` is the mean over overlaps 0.50, 0.55 ... 0.95, as COCO defines it."""

    map50: float
    map50_95: float
    labels: Mapping[str, LabelScore]
    pictures: int
    ms_per_picture: float
    problems: Sequence[str] = ()

    def as_dict(self) -> dict[str, Any]:
        """As `gridhub model eval --json` prints it; `problems` only where there are some."""
        classes: dict[str, dict[str, Any]] = {}
        for name, score in self.labels.items():
            classes[name] = {
                "ap50": _rounded(score.ap50),
                "precision": _rounded(score.precision),
                "recall": _rounded(score.recall),
                "at_score": _rounded(score.at_score),
                "boxes": score.boxes,
            }
            if score.ap50_range is not None:
                classes[name]["ap50_range"] = [_rounded(v) for v in score.ap50_range]
        return {
            "map50": _rounded(self.map50),
            "map50_95": _rounded(self.map50_95),
            "classes": classes,
            "pictures": self.pictures,
            "ms_per_picture": round(self.ms_per_picture, 2),
            **({"problems": list(self.problems)} if self.problems else {}),
        }


def evaluate(
    model: Model,
    data: Path,
    *,
    at_scores: Mapping[str, float] | None = None,
    resamples: int = 0,
    batch: int = 8,
) -> Scores:
    """Run `model` over the validation pictures of the YOLO data file `data`; labels are matched by name.

    Only labels are measured that both the model and the set have (a key `measured` in the data file narrows them).
    Raises DataError where they share none, or no picture can be read.
    """
    return score(look_at(model, data, batch=batch), at_scores=at_scores, resamples=resamples)


def look_at(model: Model, data: Path, *, batch: int = 8) -> Answers:
    """What `model` sees in the validation pictures of `data`, beside the truth. Raises DataError as `evaluate`.

    A picture that cannot be read and a label that is none are left out and told in `problems`.
    """
    yolo = read_yolo_set(data)
    measured = measured_labels(data, yolo.names)
    labels = tuple(name for name in measured if name in model.labels)
    if not labels:
        raise DataError(f"{data}: names: {', '.join(measured)}; wanted some of the model's: {', '.join(model.labels)}")
    paths = yolo.pictures("val")
    if not paths:
        raise DataError(f"{data}: val: no pictures; wanted a folder or list of them")
    truths: list[Truth] = []
    found: list[Detections] = []
    problems: list[str] = []
    spent_s = 0.0
    for start in range(0, len(paths), batch):
        chunk = list(readable(paths[start : start + batch], problems))
        began = time.perf_counter()
        found += model.detect([picture for _, picture in chunk], LEAST_SCORE)
        spent_s += time.perf_counter() - began
        truths += [truth_of(path, picture, yolo.names, problems) for path, picture in chunk]
    if not truths:
        raise DataError("\n".join([f"{data}: val: no picture that can be read", *problems]))
    return Answers(tuple(truths), tuple(found), labels, 1e3 * spent_s / len(truths), tuple(problems))


def readable(paths: Sequence[Path], problems: list[str]) -> Iterator[tuple[Path, Picture]]:
    """Those pictures that can be read; why the others cannot is added to `problems`."""
    for path in paths:
        try:
            yield path, read_picture(path)
        except DataError as error:
            problems.append(str(error))


def score(answers: Answers, *, at_scores: Mapping[str, float] | None = None, resamples: int = 0) -> Scores:
    """Compare detections with the truth, picture by picture. Labels without a single true box are left out.

    `at_scores`: the score, per label, at which precision and recall are told (default: where their harmonic mean is
    highest). `resamples`: how often pictures are redrawn for the error bars (0: no error bars).
    """
    pictures = len(answers.truths)
    present = [name for name in answers.labels if any(name in t.labels for t in answers.truths)]
    evaluator = _coco_evaluator(answers.truths, answers.found, present)
    precision = _accumulate(evaluator)
    ranges = _redraw(evaluator, len(present), pictures, resamples)
    scores = {}
    for index, name in enumerate(present):
        ranked, hits, boxes = _matches(evaluator, index, pictures)
        at = (at_scores or {}).get(name)
        if at is None:
            at = _best_f1(ranked, hits, boxes)
        taken = int((ranked >= at).sum())
        right = int(hits[:taken].sum())
        scores[name] = LabelScore(
            ap50=_mean(precision[0, :, index]),
            ap50_range=ranges[index] if ranges else None,
            precision=right / taken if taken else 0.0,
            recall=right / boxes,
            at_score=float(at),
            boxes=boxes,
        )
    return Scores(
        map50=float(np.mean([s.ap50 for s in scores.values()])) if scores else 0.0,
        map50_95=_mean(precision) if scores else 0.0,
        labels=scores,
        pictures=pictures,
        ms_per_picture=answers.ms_per_picture,
        problems=answers.problems,
    )


def measured_labels(data: Path, names: Sequence[str]) -> list[str]:
    """What the key `measured` of a data file narrows its `names` to. Raises DataError for others."""
    raw = yaml.safe_load(data.read_text(encoding="utf-8")).get("measured", list(names))
    unknown = [name for name in raw if name not in names]
    if unknown:
        raise DataError(f"{data}: measured: {', '.join(unknown)}; wanted some of {', '.join(names)}")
    return [str(name) for name in raw]


def truth_of(path: Path, picture: Picture, names: Sequence[str], problems: list[str]) -> Truth:
    """What the label file of the picture at `path` says; lines that are no box are added to `problems`."""
    labels = read_labels(label_file(path), len(names), problems)
    centred = np.array([box for _, *box in labels], np.float32).reshape(-1, 4)
    half = centred[:, 2:] / 2
    boxes = np.concatenate([centred[:, :2] - half, centred[:, :2] + half], axis=1)
    height, width = picture.shape[:2]
    return Truth(boxes, tuple(names[index] for index, *_ in labels), width, height)


def _coco_evaluator(truths: Sequence[Truth], found: Sequence[Detections], labels: Sequence[str]) -> Any:
    """pycocotools' evaluator, run up to the matches. Picture i has id i, label k has id k + 1."""
    from pycocotools.coco import COCO  # type: ignore[import-untyped,import-not-found,unused-ignore]
    from pycocotools.cocoeval import COCOeval  # type: ignore[import-untyped,import-not-found,unused-ignore]

    where = {name: index + 1 for index, name in enumerate(labels)}
    boxes: list[dict[str, Any]] = []
    answers: list[dict[str, Any]] = []
    for picture, (truth, seen) in enumerate(zip(truths, found, strict=True)):
        size = np.array([truth.width_px, truth.height_px] * 2, np.float64)
        for name, box in zip(truth.labels, truth.boxes * size, strict=True):
            if name in where:
                boxes.append({**_entry(picture, where[name], box), "id": len(boxes) + 1, "iscrowd": 0})
        for box, value, name in seen:
            if name in where:
                answers.append({**_entry(picture, where[name], box * size), "score": value})
    with contextlib.redirect_stdout(io.StringIO()):  # it reports on standard output
        known = COCO()
        known.dataset = {
            "info": {},
            "images": [{"id": i, "width": t.width_px, "height": t.height_px} for i, t in enumerate(truths)],
            "annotations": boxes,
            "categories": [{"id": index, "name": name} for name, index in where.items()],
        }
        known.createIndex()
        answered = known.loadRes(answers) if answers else COCO()
        if not answers:
            answered.dataset = {**known.dataset, "annotations": []}
            answered.createIndex()
        evaluator = COCOeval(known, answered, "bbox")
        evaluator.params.areaRng = [[0, 1e10]]
        evaluator.params.areaRngLbl = ["all"]
        evaluator.params.maxDets = [BEST_DETECTIONS]
        evaluator.evaluate()
    return evaluator


def _entry(picture: int, label: int, box: NDArray[np.float64]) -> dict[str, Any]:
    x1, y1, x2, y2 = (float(v) for v in box)
    width, height = x2 - x1, y2 - y1
    return {"image_id": picture, "category_id": label, "bbox": [x1, y1, width, height], "area": width * height}


def _accumulate(evaluator: Any) -> NDArray[np.float64]:
    """Precision at overlaps x recalls x labels; -1 where a label has no box."""
    with contextlib.redirect_stdout(io.StringIO()):
        evaluator.accumulate()
    precision: NDArray[np.float64] = evaluator.eval["precision"][:, :, :, 0, 0]
    return precision


def _mean(precision: NDArray[np.float64]) -> float:
    known = precision[precision >= 0]
    return float(known.mean()) if known.size else 0.0


def _redraw(evaluator: Any, labels: int, pictures: int, resamples: int) -> list[tuple[float, float]]:
    """95 % interval of AP50 per label, from `resamples` sets of pictures drawn with replacement (seed 0)."""
    if not resamples:
        return []
    chance = np.random.default_rng(0)
    matched, overlaps = evaluator.evalImgs, evaluator.params.iouThrs
    at_half = [e and {**e, "dtMatches": e["dtMatches"][:1], "dtIgnore": e["dtIgnore"][:1]} for e in matched]
    evaluator.params.iouThrs = overlaps[:1]
    drawn: list[list[float]] = [[] for _ in range(labels)]
    for _ in range(resamples):
        pick = chance.integers(pictures, size=pictures)
        evaluator.evalImgs = [at_half[label * pictures + int(i)] for label in range(labels) for i in pick]
        precision = _accumulate(evaluator)
        for label in range(labels):
            known = precision[0, :, label]
            if (known >= 0).any():
                drawn[label].append(_mean(known))
    evaluator.evalImgs, evaluator.params.iouThrs = matched, overlaps
    ends = [np.percentile(values, (2.5, 97.5)) for values in drawn]
    return [(float(low), float(high)) for low, high in ends]


def _matches(evaluator: Any, label: int, pictures: int) -> tuple[NDArray[np.float64], NDArray[np.bool_], int]:
    """Of one label at overlap 0.5: scores from high to low, whether each met a true box, number of true boxes."""
    parts = [p for p in evaluator.evalImgs[label * pictures : (label + 1) * pictures] if p is not None]
    scores = np.concatenate([np.asarray(p["dtScores"], np.float64) for p in parts] or [np.zeros(0)])
    hits = np.concatenate([np.asarray(p["dtMatches"][0]) > 0 for p in parts] or [np.zeros(0, bool)])
    order = np.argsort(-scores, kind="stable")
    return scores[order], hits[order].astype(bool), sum(len(p["gtIds"]) for p in parts)


def _best_f1(scores: NDArray[np.float64], hits: NDArray[np.bool_], boxes: int) -> float:
    """The score at which the harmonic mean of precision and recall is highest; 1 where nothing was found."""
    if not len(scores):
        return 1.0
    right = np.cumsum(hits)
    f1 = 2 * right / (np.arange(1, len(scores) + 1) + boxes)
    return float(scores[int(np.argmax(f1))])


def _rounded(value: float) -> float:
    return round(value, 4)
