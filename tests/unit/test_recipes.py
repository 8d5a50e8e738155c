"""Training recipes: those that ship, and what a wrong one is told. Without torch."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from detectors.tuning.class_recipe import read_class_recipe
from detectors.tuning.recipe import RecipeError, read_raw, read_recipe
from detectors.tuning.train import NotInstalled, train
from tests.samples.recipes import small_recipe

ROOT = Path(__file__).resolve().parents[2]
RECIPES = sorted((ROOT / "configs" / "recipes").glob("*.yaml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda p: p.stem)
def test_shipped_recipes_parse(path: Path) -> None:
    if read_raw(path).get("task") == "classify":
        assert read_class_recipe(path, ROOT).name == path.stem
        return
    recipe = read_recipe(path, ROOT)
    assert recipe.name == path.stem
    assert {name for stage in recipe.stages for name in stage.sets} == {s.name for s in recipe.sets}
    covered = set(recipe.teacher.classes.values()) | {label for s in recipe.sets for label in s.labels.values()}
    assert covered == set(recipe.labels)


def test_recipe_paths_start_at_the_root(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(small_recipe()), encoding="utf-8")
    recipe = read_recipe(path, tmp_path)
    assert recipe.teacher.weights == tmp_path / "w.onnx"
    assert recipe.set_named("bins").data == tmp_path / "d.yaml"
    assert recipe.stages[0].batch == 16


def bins_recipe() -> dict[str, Any]:
    raw: dict[str, Any] = yaml.safe_load((ROOT / "configs" / "recipes" / "bins.yaml").read_text(encoding="utf-8"))
    return raw


DETECTOR, CLASSIFIER = (read_recipe, small_recipe), (read_class_recipe, bins_recipe)
WRONG = [
    *(
        (DETECTOR, *row)
        for row in (
            (("size_px",), 400, "size_px: 400; wanted a whole number, a multiple of 32, from 32 to 2048"),
            (("size_px",), "416", "size_px: '416'; wanted a whole number"),
            (("version",), 1, "version: 1; wanted a text"),
            (("seed",), True, "seed: True; wanted a whole number"),
            (("labels",), ["a", "a"], "labels: ['a', 'a']; wanted a list of different names"),
            (("lables",), [], "lables: []; wanted no such key; there are card, labels"),
            (("stages", "one", "kept"), 1.5, "stages.one.kept: 1.5; wanted a number from 0 to 1"),
            (("stages", "one", "activation"), "relu", "stages.one.activation: 'relu'; wanted one of hardswish"),
            (("teacher", "min_score"), 1.5, "teacher.min_score: 1.5; wanted a number from 0 to 1"),
            (("teacher", "classes", "dog"), "animal", "teacher.classes.dog: 'animal'; wanted one of garbage, vehicle"),
            (("sets", "bins", "labels", "rubbish"), "junk", "sets.bins.labels.rubbish: 'junk'; wanted one of garbage"),
            (("sets", "bins", "repeat"), {"nat_*": 0}, "sets.bins.repeat.nat_*: 0; wanted a whole number from 1 to 50"),
            (("sets", "bins", "licence"), None, "sets.bins.licence: None; wanted a text"),
            (("stages", "one", "sets"), ["bin"], "stages.one.sets: 'bin'; wanted one of bins"),
            (("stages", "one", "epochs"), 0, "stages.one.epochs: 0; wanted a whole number from 1 to 10000"),
            (("stages",), {}, "stages: {}; wanted a mapping from name to settings, at least one"),
            (("measures",), {"quiet_labels": ["fog"]}, "measures.quiet_labels: 'fog'; wanted one of garbage, vehicle"),
            (("loose",), {"fog": 0.5}, "loose.fog: 'fog'; wanted one of garbage, vehicle"),
            (("loose",), {"garbage": 1}, "loose.garbage: 1; wanted a number from 0.1 to 0.9"),
            (("card", "limits"), "none", "card.limits: 'none'; wanted a list of different names"),
        )
    ),
    *(
        (CLASSIFIER, *row)
        for row in (
            (("positive",), "full", "positive: 'full'; wanted one of clean, dirty"),
            (("size_px",), 300, "size_px: 300; wanted a whole number, a multiple of 32"),
            (("data", "licence"), None, "data.licence: None; wanted a text"),
            (("training", "freeze"), ["stage9"], "training.freeze: 'stage9'; wanted one of stem, stage2"),
            (("training", "epochs"), 0, "training.epochs: 0; wanted a whole number from 1 to 10000"),
            (("start", "through"), "stage9", "start.through: 'stage9'; wanted one of stage3, stage4, stage5"),
            (("data", "also"), {"real": 3}, "data.also.real: 3; wanted "),
            (("data", "name"), 7, "data.name: 7; wanted a text"),
            (("tasks",), 1, "tasks: 1; wanted no such key"),
        )
    ),
]


@pytest.mark.parametrize(("of", "keys", "value", "told"), WRONG)
def test_a_wrong_recipe_names_file_key_value_and_what_is_allowed(
    tmp_path: Path,
    of: tuple[Callable[..., object], Callable[[], dict[str, Any]]],
    keys: tuple[str, ...],
    value: object,
    told: str,
) -> None:
    read, right = of
    raw = right()
    place = raw
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    path = tmp_path / "wrong.yaml"
    path.write_text(yaml.safe_dump(raw), encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        read(path, tmp_path)
    assert f"{path}: {told}" in str(caught.value)


def test_every_error_of_a_recipe_at_once(tmp_path: Path) -> None:
    raw = small_recipe()
    raw["size_px"] = 1
    raw["teacher"]["max_iou"] = "high"
    del raw["stages"]["one"]["epochs"]
    path = tmp_path / "wrong.yaml"
    path.write_text(yaml.safe_dump(raw), encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        read_recipe(path, tmp_path)
    assert {line.split(": ")[1] for line in str(caught.value).split("\n")} == {
        "size_px",
        "teacher.max_iou",
        "stages.one.epochs",
    }


@pytest.mark.parametrize("text", ["{", "- a list", ""])
def test_a_file_that_is_no_recipe(tmp_path: Path, text: str) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError, match=r"wrong\.yaml"):
        read_recipe(path, tmp_path)


def test_training_without_the_extra_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(small_recipe()), encoding="utf-8")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(NotInstalled, match=r"training needs torch, ultralytics, onnx: pip install 'gridhub\[tune\]'"):
        train(path, tmp_path / "out", root=tmp_path)


def test_a_missing_recipe(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="No such file"):
        read_recipe(tmp_path / "none.yaml", tmp_path)
