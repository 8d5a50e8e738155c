"""A recipe of a classifier (`task: classify` in configs/recipes/*.yaml)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detectors.tuning.recipe import STAGES, CardText, Reader, RecipeError, read_raw

THROUGH = ("stage3", "stage4", "stage5")
"""Stages of the backbone at which it may end."""


@dataclass(frozen=True, slots=True)
class ClassRecipe:
    """Everything the training of a classifier needs. Paths are absolute; `train` and `val` hold a folder a label.

    `start` is the ONNX file of YOLOv8n whose backbone, as far as the stage `through`, training starts from; `positive`
    the label that raises an alarm. `also`: further folders that are counted on after training (name to folder). They
    may lack labels, so they tell how many of each were called what, and no AUC; nothing is chosen by them. `val_name`:
    what the card calls the validation pictures.
    """

    name: str
    version: str
    size_px: int
    seed: int
    labels: tuple[str, ...]
    positive: str
    start: Path
    start_licence: str
    through: str
    train: Path
    val: Path
    val_name: str
    also: Mapping[str, Path]
    licence: str
    epochs: int
    batch: int
    learning_rate: float
    body_factor: float
    varied: float
    freeze: tuple[str, ...]
    card: CardText


def read_class_recipe(path: Path, root: Path) -> ClassRecipe:
    """Parse the YAML file `path`; relative paths in it start at `root` (the repository). Raises RecipeError."""
    reader = _ClassReader(path, root)
    recipe = reader.class_recipe(read_raw(path))
    if reader.errors or recipe is None:
        raise RecipeError("\n".join(reader.errors))
    return recipe


class _ClassReader(Reader):
    def class_recipe(self, raw: Any) -> ClassRecipe | None:
        keys = {"name", "task", "version", "size_px", "seed", "labels", "positive", "start", "data", "training", "card"}
        top = self._mapping("", raw, keys, keys)
        if self.errors:
            return None
        labels = tuple(self._names("labels", top["labels"]))
        required = {"weights", "licence"}
        start = self._mapping("start", top["start"], required | {"through"}, required)
        required = {"train", "val", "licence"}
        data = self._mapping("data", top["data"], required | {"name", "also"}, required)
        wanted = {"epochs", "batch", "learning_rate", "body_factor", "varied", "freeze"}
        how = self._mapping("training", top["training"], wanted, wanted)
        freeze = self._names("training.freeze", how.get("freeze"))
        return ClassRecipe(
            name=self._text("name", top["name"]),
            version=self._text("version", top["version"]),
            size_px=self._side("size_px", top["size_px"]),
            seed=int(self._number("seed", top["seed"], 0, 2**31, whole=True)),
            labels=labels,
            positive=self._one_of("positive", top["positive"], labels),
            start=self._file("start.weights", start.get("weights")),
            start_licence=self._text("start.licence", start.get("licence")),
            through=self._one_of("start.through", start.get("through", "stage5"), THROUGH),
            train=self._file("data.train", data.get("train")),
            val=self._file("data.val", data.get("val")),
            val_name=self._text("data.name", data.get("name", top["name"])),
            also=self._files("data.also", data.get("also", {})),
            licence=self._text("data.licence", data.get("licence")),
            epochs=int(self._number("training.epochs", how.get("epochs"), 1, 10_000, whole=True)),
            batch=int(self._number("training.batch", how.get("batch"), 1, 1024, whole=True)),
            learning_rate=self._number("training.learning_rate", how.get("learning_rate"), 0, 1),
            body_factor=self._number("training.body_factor", how.get("body_factor"), 0, 1),
            varied=self._number("training.varied", how.get("varied"), 0, 1),
            freeze=tuple(self._one_of("training.freeze", name, STAGES) for name in freeze),
            card=self._card(top["card"]),
        )
