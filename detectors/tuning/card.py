"""A trained model's card: measured on the runtime that ships, with the scores from which each label may be trusted."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import yaml

from detectors.backends import open_backend
from detectors.model import InputForm, YoloModel
from detectors.tuning.alarms import Quiet, footage, listen, quiet_score
from detectors.tuning.class_recipe import ClassRecipe
from detectors.tuning.dataset import Picture
from detectors.tuning.evaluate import Scores, look_at, score
from detectors.tuning.recipe import Measures, Recipe

UNMEASURED_SCORE = 0.35
"""Recommended where no validation set holds the label."""
LEAST_RECOMMENDED = 0.15
"""No score below it is recommended: on other cameras a label that weak is noise."""
RESAMPLES = 300
STEP = 32
"""The coarsest cell in pixels: a network as `export` writes it takes any sides that are multiples of it."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything measured of one model: per validation set, on quiet clips, on clips that show something."""

    thresholds: Mapping[str, float]
    sets: Mapping[str, Scores]
    quiet: Sequence[Quiet]
    tempting: Sequence[Quiet]
    shown: Mapping[str, Quiet]
    cpu_ms_per_picture: float
    cpu_ms_in_eights: float = 0.0


def measure(
    recipe: Recipe, weights: Path, evaluations: Mapping[str, Path], thresholds: Mapping[str, float] | None = None
) -> Measured:
    """Run `weights` (ONNX) on OpenVINO with one thread over the data files `evaluations` and the recipe's clips.

    `thresholds`: the recommended scores, where they were chosen before (None: chosen on these sets and clips).
    Raises DataError, FootageError, ModelError.
    """
    form = InputForm(recipe.size_px, recipe.size_px, step=STEP)
    backend = open_backend("openvino", weights, form.pixels, 1, 1)
    model = YoloModel(recipe.name, recipe.version, recipe.labels, form, backend, loose=recipe.loose)
    wanted = recipe.measures
    quiet, tempting = (
        [listen(model, name, footage(path, wanted.every_s)) for name, path in paths.items()]
        for paths in (wanted.quiet, wanted.tempting)
    )
    shown = {name: listen(model, name, footage(show.footage, wanted.every_s)) for name, show in wanted.shows.items()}
    answers = {name: look_at(model, data) for name, data in evaluations.items()}
    best = {name: {label: s.at_score for label, s in score(a).labels.items()} for name, a in answers.items()}
    if thresholds is None:
        thresholds = recommend(recipe.labels, list(best.values()), quiet, wanted)
    sets = {name: score(a, at_scores=thresholds, resamples=RESAMPLES) for name, a in answers.items()}
    return Measured(thresholds, sets, quiet, tempting, shown, cpu_ms(model.detect, 1), cpu_ms(model.detect, 8))


def cpu_ms(look: Callable[[Sequence[Picture]], object], batch: int, repeats: int = 30) -> float:
    """CPU milliseconds for a picture of 960 x 540; processor time, so that a busy machine does not change it much."""
    pictures = [np.random.default_rng(n).integers(0, 255, (540, 960, 3), dtype=np.uint8) for n in range(batch)]
    look(pictures)
    taken = []
    for _ in range(repeats):
        began = time.process_time()
        look(pictures)
        taken.append(time.process_time() - began)
    return 1e3 * median(taken) / batch


def recommend(
    labels: Sequence[str], best: Sequence[Mapping[str, float]], quiet: Sequence[Quiet], wanted: Measures
) -> dict[str, float]:
    """Per label, the lowest score that serves some validation set best, raised until quiet footage stays quiet."""
    chosen = {}
    for label in labels:
        known = [scores[label] for scores in best if label in scores]
        level = min(known, default=UNMEASURED_SCORE)
        if label in wanted.quiet_labels:
            level = max(level, *(quiet_score(clip.peaks[label], wanted.quiet_share) for clip in quiet))
        chosen[label] = min(0.99, max(LEAST_RECOMMENDED, math.ceil(100 * level) / 100))
    return chosen


def write_card(recipe: Recipe, weights: Path, measured: Measured, trained_by: str, path: Path) -> None:
    """Write `card.yaml` for `weights` (which lies beside it), as `detectors.catalog` reads it."""
    from detectors.backends.openvino import arithmetic

    content = {
        **card_head(recipe, weights, "detect"),
        "input": input_as_told(recipe.size_px, STEP),
        "output": {
            "kind": "yolo",
            "shape": f"N x {4 + len(recipe.labels)} x cells (width x height x 21 / 1024)",
            "boxes": "xywh",
            **({"loose": dict(recipe.loose)} if recipe.loose else {}),
        },
        "thresholds": dict(measured.thresholds),
        "licence": recipe.card.licence,
        "data": _data(recipe),
        "measured": _measured(recipe, measured),
        "speed": {
            "cpu_ms_per_picture": round(measured.cpu_ms_per_picture, 1),
            "cpu_ms_per_picture_in_eights": round(measured.cpu_ms_in_eights, 1),
            "arithmetic": arithmetic(),
            "on": "960 x 540, one CPU thread, OpenVINO; letterbox, network and suppression together",
        },
        "limits": list(recipe.card.limits),
        **recipe.card.chinese,
        "trained_by": trained_by,
    }
    save_card(content, path)


def card_head(recipe: Recipe | ClassRecipe, weights: Path, task: str) -> dict[str, Any]:
    """What every card begins with."""
    return {
        "name": recipe.name,
        "version": recipe.version,
        "task": task,
        "summary": recipe.card.summary,
        "file": weights.name,
        "format": "onnx",
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
        "labels": list(recipe.labels),
    }


def save_card(content: Mapping[str, Any], path: Path) -> None:
    """Write it as YAML."""
    text = yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True, width=120)
    path.write_text("# Written by training; the record beside it holds every figure.\n" + text, encoding="utf-8")


def input_as_told(size_px: int, step: int | None) -> dict[str, Any]:
    """The card's `input` for a network of ours: RGB 0-1, letterboxed into `size_px` square, sides free in `step`s."""
    return {
        "width": size_px,
        "height": size_px,
        **({} if step is None else {"step": step}),
        "layout": "NCHW",
        "color": "RGB",
        "scale": "1/255",
        "letterbox": "centred, as Ultralytics does",
        "pad": 114,
    }


def _data(recipe: Recipe) -> list[dict[str, str]]:
    sets = [{"name": s.name, "set": s.data.parent.name, "licence": s.licence} for s in recipe.sets]
    start = {"name": "start and teacher", "set": recipe.teacher.weights.name, "licence": recipe.teacher.licence}
    return [*sets, start]


def _measured(recipe: Recipe, measured: Measured) -> dict[str, Any]:
    thresholds = measured.thresholds
    sets = {}
    for name, scores in measured.sets.items():
        classes = scores.as_dict()["classes"]
        sets[name] = {"pictures": scores.pictures, "classes": classes}
    quiet, tempting = (
        {
            clip.name: {
                "pictures": clip.pictures,
                **{label: clip.alarms(label, thresholds[label]) for label in recipe.measures.quiet_labels},
            }
            for clip in clips
        }
        for clips in (measured.quiet, measured.tempting)
    )
    shown = {}
    for name, clip in measured.shown.items():
        label = recipe.measures.shows[name].label
        shown[name] = {"pictures": clip.pictures, "label": label, "with_alarm": clip.alarms(label, thresholds[label])}
    return {
        "how": f"OpenVINO at this processor's fastest arithmetic (where it has bfloat16, that), {recipe.size_px} px; "
        "AP50 by pycocotools with its 95 % interval over redrawn pictures; precision and recall at the recommended "
        "scores, which were chosen on the same pictures and clips",
        "validation": sets,
        "pictures_with_a_false_alarm": quiet,
        "pictures_with_a_false_alarm_where_tempted": tempting,
        "pictures_that_show_it": shown,
    }
