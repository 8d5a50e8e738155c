"""A model issued again without training: its sides freed, everything measured anew, card and record rewritten.

    python -m detectors.tuning.issue configs/recipes/street.yaml models/street
    python -m detectors.tuning.issue configs/recipes/vehicle.yaml models/vehicle --half
    python -m detectors.tuning.issue configs/recipes/bins.yaml models/bins --half

With `--keep-scores` the recommended scores stay, for a change that moves boxes and no scores. With `--half` its weights
are stored in 16 bits, which halves the file; AP50 (a classifier: AUC) before and after stands in the record.
Needs the package `onnx` (extra `tune`) and the recipe's validation sets and clips, but no torch.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from detectors.backends import Backend, open_backend
from detectors.model import InputForm, YoloModel
from detectors.tuning import class_card
from detectors.tuning.card import STEP, measure, write_card
from detectors.tuning.class_recipe import read_class_recipe
from detectors.tuning.crops import wide_set
from detectors.tuning.dataset import build_union
from detectors.tuning.evaluate import evaluate
from detectors.tuning.export import free_sides, halve
from detectors.tuning.recipe import Recipe, read_raw, read_recipe
from detectors.tuning.train import REPOSITORY, versions


def issue(
    recipe_path: Path, folder: Path, *, half: bool = False, keep_scores: bool = False, root: Path = REPOSITORY
) -> None:
    """Free the sides of `folder`'s ONNX file, measure it as the recipe says, rewrite its card and record.

    The network's numbers stay as they are; `half` stores its weights in 16 bits, `keep_scores` leaves the recommended
    scores as they are on the card. Raises RecipeError, DataError, FootageError, ModelError.
    """
    recipe = read_recipe(recipe_path, root)
    weights = folder / f"{recipe.name}.onnx"
    before = _sha256(weights)
    card = yaml.safe_load((folder / "card.yaml").read_text(encoding="utf-8"))
    free_sides(weights)
    with tempfile.TemporaryDirectory() as scratch:
        union = build_union(recipe.sets, recipe.labels, Path(scratch), teach=None, seed=recipe.seed, splits=("val",))
        told: dict[str, Any] = {"what": "sides freed (multiples of 32), no weight changed; measured anew"}
        if half:
            told = halved(recipe, weights, union.evaluations)
        measured = measure(recipe, weights, union.evaluations, card["thresholds"] if keep_scores else None)
        compared = compare(recipe, weights, _wide(recipe, union.evaluations, Path(scratch) / "wide"))
    write_card(recipe, weights, measured, card["trained_by"], folder / "card.yaml")
    told |= {
        "scores": "kept from the version before" if keep_scores else "chosen anew",
        "ap50_in_16_to_9": compared,
    }
    validation = {name: scores.as_dict() for name, scores in measured.sets.items()}
    _write_record(folder, weights, before, recipe.version, validation, told)


def issue_classifier(recipe_path: Path, folder: Path, *, half: bool = False, root: Path = REPOSITORY) -> None:
    """Measure `folder`'s ONNX file as the recipe says, rewrite its card and record; its recommended scores stay.

    `half`: see `issue`. Raises RecipeError, DataError, ModelError.
    """
    recipe = read_class_recipe(recipe_path, root)
    weights = folder / f"{recipe.name}.onnx"
    before = _sha256(weights)
    card = yaml.safe_load((folder / "card.yaml").read_text(encoding="utf-8"))
    at_scores = {recipe.positive: card["thresholds"][recipe.positive]}
    told: dict[str, Any] = {"what": "no weight changed; measured anew"}
    if half:
        plain = class_card.measured(recipe, weights, at_scores).auc
        halve(weights)
        told = {"what": "weights stored in 16 bits instead of 32; measured anew", "auc_stored_in_32_bits": plain}
    scores = {name: class_card.measured(recipe, weights, at_scores, name) for name in ("openvino", "onnxruntime")}
    if half:
        told["auc_stored_in_16_bits"] = scores["openvino"].auc
    also = class_card.counted(recipe, weights)
    class_card.write_class_card(recipe, weights, scores["openvino"], also, card["trained_by"], folder / "card.yaml")
    validation = {name: score.as_dict() for name, score in scores.items()}
    _write_record(folder, weights, before, recipe.version, validation, told)


def _write_record(
    folder: Path, weights: Path, before: str, version: str, validation: Mapping[str, Any], told: Mapping[str, Any]
) -> None:
    path = folder / "record.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    trained = record.get("issued", {}).get("trained_sha256", record["sha256"])
    record["sha256"] = _sha256(weights)
    record["validation"] = validation
    record["issued"] = {
        "version": version,
        "trained_sha256": trained,
        **told,
        "libraries": versions(("onnx", "onnxruntime", "openvino", "numpy", "opencv-python-headless")),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
    }
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{weights}: {before[:12]} is now {record['sha256'][:12]}")


def _wide(recipe: Recipe, evaluations: Mapping[str, Path], out: Path) -> dict[str, Path]:
    """Each set's validation pictures in 16:9, the shape of nearly every camera."""
    return {s.name: wide_set(evaluations[s.name], out / s.name) for s in recipe.sets}


def halved(recipe: Recipe, weights: Path, evaluations: Mapping[str, Path]) -> dict[str, Any]:
    """Store `weights` in 16 bits; what was done, and AP50 by set and label before and after, for the record."""
    plain = {"ap50_no_boxes_merged": ap50(replace(recipe, loose={}), weights, evaluations)} if recipe.loose else {}
    before = ap50(recipe, weights, evaluations)
    halve(weights)
    after = ap50(recipe, weights, evaluations)
    what = "sides freed (multiples of 32), weights stored in 16 bits instead of 32; measured anew"
    return {"what": what, **plain, "ap50_stored_in_32_bits": before, "ap50_stored_in_16_bits": after}


def ap50(recipe: Recipe, weights: Path, evaluations: Mapping[str, Path]) -> dict[str, dict[str, float]]:
    """AP50 by set and label as the hub runs it."""
    form = InputForm(recipe.size_px, recipe.size_px, step=STEP)
    backend = open_backend("openvino", weights, form.pixels, 1, 1)
    model = YoloModel(recipe.name, recipe.version, recipe.labels, form, backend, loose=recipe.loose)
    return _ap50(model, evaluations)


def _ap50(model: YoloModel, evaluations: Mapping[str, Path]) -> dict[str, dict[str, float]]:
    scores = {data: evaluate(model, path).labels for data, path in evaluations.items()}
    return {data: {label: round(s.ap50, 4) for label, s in labels.items()} for data, labels in scores.items()}


def compare(recipe: Recipe, weights: Path, evaluations: Mapping[str, Path]) -> dict[str, Any]:
    """AP50 by set and label: in 32 bit on the square canvas of training, then with what makes it cheaper, in turn."""
    from detectors.backends.openvino import OpenVino

    side = recipe.size_px
    square, fitted = InputForm(side, side), InputForm(side, side, step=STEP)
    exact, fastest = (OpenVino(weights, threads=1, exact=exact) for exact in (True, False))
    merged: Mapping[str, float] = recipe.loose
    forms: dict[str, tuple[InputForm, Backend, Mapping[str, float]]] = {
        "32 bit, square": (square, exact, merged),
        "32 bit, as high as needed": (fitted, exact, merged),
        "fastest, as high as needed": (fitted, fastest, merged),
        "fastest, squeezed by up to 0.05": (replace(fitted, squeeze=0.05), fastest, merged),
        **({"fastest, as high as needed, no boxes merged": (fitted, fastest, {})} if merged else {}),
    }
    told: dict[str, Any] = {}
    for name, (form, backend, loose) in forms.items():
        model = YoloModel(recipe.name, recipe.version, recipe.labels, form, backend, loose=loose)
        told[name] = _ap50(model, evaluations)
    return told


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("folder", type=Path, help="the model's folder: card.yaml, NAME.onnx, record.json")
    parser.add_argument("--half", action="store_true", help="store its weights in 16 bits")
    parser.add_argument("--keep-scores", action="store_true", help="leave the recommended scores as they are")
    given = parser.parse_args()
    raw = read_raw(given.recipe)
    if isinstance(raw, Mapping) and raw.get("task") == "classify":
        issue_classifier(given.recipe, given.folder, half=given.half)
    else:
        issue(given.recipe, given.folder, half=given.half, keep_scores=given.keep_scores)
