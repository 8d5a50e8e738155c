"""A model issued again without training: its sides freed, everything measured anew, card and record rewritten.

    python -m detectors.tuning.issue configs/recipes/street.yaml models/street

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

from detectors.backends import Backend
from detectors.model import InputForm, YoloModel
from detectors.tuning.card import STEP, measure, write_card
from detectors.tuning.crops import wide_set
from detectors.tuning.dataset import build_union
from detectors.tuning.evaluate import evaluate
from detectors.tuning.export import free_sides
from detectors.tuning.recipe import Recipe, read_recipe
from detectors.tuning.train import REPOSITORY, versions


def issue(recipe_path: Path, folder: Path, *, root: Path = REPOSITORY) -> None:
    """Free the sides of `folder`'s ONNX file, measure it as the recipe says, rewrite its card and record.

    The network's numbers stay as they are. Raises RecipeError, DataError, FootageError, ModelError.
    """
    recipe = read_recipe(recipe_path, root)
    weights = folder / f"{recipe.name}.onnx"
    before = _sha256(weights)
    free_sides(weights)
    with tempfile.TemporaryDirectory() as scratch:
        union = build_union(recipe.sets, recipe.labels, Path(scratch), teach=None, seed=recipe.seed, splits=("val",))
        measured = measure(recipe, weights, union.evaluations)
        compared = compare(recipe, weights, _wide(recipe, union.evaluations, Path(scratch) / "wide"))
    trained_by = yaml.safe_load((folder / "card.yaml").read_text(encoding="utf-8"))["trained_by"]
    write_card(recipe, weights, measured, trained_by, folder / "card.yaml")
    path = folder / "record.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    trained = record.get("issued", {}).get("trained_sha256", record["sha256"])
    record["sha256"] = _sha256(weights)
    record["validation"] = {name: scores.as_dict() for name, scores in measured.sets.items()}
    record["issued"] = {
        "version": recipe.version,
        "trained_sha256": trained,
        "what": "sides freed (multiples of 32), no weight changed; measured anew",
        "libraries": versions(("onnx", "onnxruntime", "openvino", "numpy", "opencv-python-headless")),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "ap50_in_16_to_9": compared,
    }
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{weights}: {before[:12]} is now {record['sha256'][:12]}")


def _wide(recipe: Recipe, evaluations: Mapping[str, Path], out: Path) -> dict[str, Path]:
    """Each set's validation pictures in 16:9, the shape of nearly every camera."""
    return {s.name: wide_set(evaluations[s.name], out / s.name) for s in recipe.sets}


def compare(recipe: Recipe, weights: Path, evaluations: Mapping[str, Path]) -> dict[str, Any]:
    """AP50 by set and label: in 32 bit on the square canvas of training, then with what makes it cheaper, in turn."""
    from detectors.backends.openvino import OpenVino

    side = recipe.size_px
    square, fitted = InputForm(side, side), InputForm(side, side, step=STEP)
    exact, fastest = (OpenVino(weights, threads=1, exact=exact) for exact in (True, False))
    forms: dict[str, tuple[InputForm, Backend]] = {
        "32 bit, square": (square, exact),
        "32 bit, as high as needed": (fitted, exact),
        "fastest, as high as needed": (fitted, fastest),
        "fastest, squeezed by up to 0.05": (replace(fitted, squeeze=0.05), fastest),
    }
    told: dict[str, Any] = {}
    for name, (form, backend) in forms.items():
        model = YoloModel(recipe.name, recipe.version, recipe.labels, form, backend)
        scores = {data: evaluate(model, path).labels for data, path in evaluations.items()}
        told[name] = {d: {label: round(s.ap50, 4) for label, s in labels.items()} for d, labels in scores.items()}
    return told


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("folder", type=Path, help="the model's folder: card.yaml, NAME.onnx, record.json")
    given = parser.parse_args()
    issue(given.recipe, given.folder)
