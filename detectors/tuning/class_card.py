"""What a classifier scores on its recipe's validation pictures, and the card that says so. Needs no torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from detectors.backends import open_backend
from detectors.backends.openvino import arithmetic
from detectors.classifier import PictureClassifier
from detectors.model import InputForm
from detectors.tuning.card import card_head, cpu_ms, input_as_told, save_card
from detectors.tuning.class_recipe import ClassRecipe
from detectors.tuning.classes import ClassScores, count_called, evaluate_classes

RESAMPLES = 1000


def opened(recipe: ClassRecipe, weights: Path, runtime: str = "openvino") -> PictureClassifier:
    """As the hub runs it."""
    form = InputForm(recipe.size_px, recipe.size_px)
    return PictureClassifier(
        recipe.name, recipe.version, recipe.labels, form, open_backend(runtime, weights, form.pixels, 1, 1)
    )


def measured(
    recipe: ClassRecipe, weights: Path, at_scores: Mapping[str, float], runtime: str = "openvino"
) -> ClassScores:
    """On the validation pictures, with 95 % intervals; precision and recall at `at_scores` (of the positive label)."""
    model = opened(recipe, weights, runtime)
    return evaluate_classes(model, recipe.val, at_scores=at_scores, resamples=RESAMPLES)


def counted(recipe: ClassRecipe, weights: Path) -> dict[str, Any]:
    """What the pictures of the recipe's further folders were called."""
    return {name: count_called(opened(recipe, weights), path) for name, path in recipe.also.items()}


def write_class_card(
    recipe: ClassRecipe,
    weights: Path,
    scores: ClassScores,
    also: Mapping[str, Any],
    trained_by: str,
    path: Path,
) -> None:
    """Write the model's card to `path`; `weights` lie beside it."""
    model = opened(recipe, weights)
    content: dict[str, Any] = {
        **card_head(recipe, weights, "classify"),
        "positive": recipe.positive,
        "input": input_as_told(recipe.size_px, None),
        "output": {"kind": "shares", "shape": f"N x {len(recipe.labels)}"},
        "thresholds": {label: scores.labels[label]["at_score"] for label in recipe.labels},
        "licence": recipe.card.licence,
        "data": [
            {"name": recipe.name, "set": recipe.train.parent.name, "licence": recipe.licence},
            {"name": "start", "set": recipe.start.name, "licence": recipe.start_licence},
        ],
        "measured": {
            "how": f"OpenVINO at this processor's fastest arithmetic, {recipe.size_px} px; "
            "95 % intervals over redrawn pictures",
            "validation": {recipe.val_name: scores.as_dict()},
            **({"also": also} if also else {}),
        },
        "speed": {
            "cpu_ms_per_picture": round(cpu_ms(model.classify, 1), 1),
            "cpu_ms_per_picture_in_eights": round(cpu_ms(model.classify, 8), 1),
            "arithmetic": arithmetic(),
            "on": "960 x 540, one CPU thread, OpenVINO; letterbox and network together",
        },
        "limits": list(recipe.card.limits),
        **recipe.card.chinese,
        "trained_by": trained_by,
    }
    save_card(content, path)
