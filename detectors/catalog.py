"""The models on this machine: `<models>/<name>/card.yaml` and the weights beside it, to an open Model."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from detectors.backends import Pixels, open_backend
from detectors.classifier import Classifier, PictureClassifier
from detectors.errors import CatalogError
from detectors.model import InputForm, Model, YoloModel
from detectors.second_look import AskedClassifier, AskedDetector, SecondModel

TASKS = {"detect": "yolo", "classify": "shares"}
"""What a model does, and the output its card must then declare."""
FORMATS = ("onnx", "pt")
COLORS = ("RGB", "BGR")


@dataclass(frozen=True, slots=True)
class Card:
    """What a model is, what it was measured on and under which licence. `text` is the whole card as written.

    `loose`: labels whose boxes are merged, and from which overlap (see `detectors.model.suppressed`).
    """

    name: str
    version: str
    task: str
    file: Path
    format: str
    sha256: str
    labels: tuple[str, ...]
    form: InputForm
    thresholds: Mapping[str, float]
    loose: Mapping[str, float]
    licence: str
    text: Mapping[str, Any] = field(repr=False)

    def to_wire(self) -> dict[str, Any]:
        """The card as written, JSON-ready."""
        return dict(self.text)


class Catalog:
    """The cards below `models_dir`."""

    def __init__(self, models_dir: Path) -> None:
        self.models_dir = models_dir

    def cards(self) -> list[Card]:
        """Every card, by name. Raises CatalogError for the first broken one."""
        return [read_card(path) for path in sorted(self.models_dir.glob("*/card.yaml"))]

    def card(self, name: str) -> Card:
        """The card of `name`. Raises CatalogError naming the models there are."""
        path = self.models_dir / name / "card.yaml"
        if "/" in name or not path.is_file():
            there = ", ".join(sorted(p.parent.name for p in self.models_dir.glob("*/card.yaml"))) or "none"
            raise CatalogError(f"model {name!r} is not in {self.models_dir}; there: {there}")
        return read_card(path)

    def open(
        self, name: str, backend: str = "openvino", threads: int | None = None, streams: int | None = None
    ) -> Model:
        """The model `name`, its weights checked against the card's hash, ready to detect.

        `name` may also be the path of a `.pt` file, or the name of one that Ultralytics knows how to get; it then
        runs through Ultralytics whatever `backend` says. Raises CatalogError (hash: file, expected, found), ModelError.
        """
        if name.endswith(".pt"):
            return _open_pt(Path(name), "pt")
        card = self._checked(name, "detect")
        if card.format == "pt":
            return _open_pt(card.file, card.version, card.thresholds)
        runtime = open_backend(backend, card.file, card.form.pixels, threads, streams)
        return YoloModel(card.name, card.version, card.labels, card.form, runtime, card.thresholds, card.loose)

    def open_classifier(
        self, name: str, backend: str = "openvino", threads: int | None = None, streams: int | None = None
    ) -> Classifier:
        """The classifier `name`, its weights checked against the card's hash. Raises CatalogError, ModelError."""
        card = self._checked(name, "classify")
        runtime = open_backend(backend, card.file, card.form.pixels, threads, streams)
        return PictureClassifier(card.name, card.version, card.labels, card.form, runtime, card.thresholds)

    def open_second(
        self, name: str, backend: str = "openvino", threads: int | None = None, streams: int | None = None
    ) -> SecondModel:
        """The classifier or detector `name` for second looks; names as for `open`. Raises CatalogError, ModelError."""
        if not name.endswith(".pt") and self.card(name).task == "classify":
            return AskedClassifier(self.open_classifier(name, backend, threads, streams))
        return AskedDetector(self.open(name, backend, threads, streams))

    def _checked(self, name: str, task: str) -> Card:
        """The card of `name`, which is for `task` and whose weights are those it describes."""
        card = self.card(name)
        if card.task != task:
            raise CatalogError(f"{self.models_dir / name / 'card.yaml'}: task: {card.task}; wanted {task} here")
        check_hash(card.file, card.sha256)
        return card


def _open_pt(file: Path, version: str, thresholds: Mapping[str, float] | None = None) -> Model:
    from detectors.backends.ultralytics import UltralyticsModel

    return UltralyticsModel(file, version, thresholds)


def check_hash(file: Path, expected: str) -> None:
    """Raises CatalogError unless the SHA-256 of `file` is `expected` (hex)."""
    try:
        with file.open("rb") as weights:
            found = hashlib.file_digest(weights, "sha256").hexdigest()
    except OSError as error:
        raise CatalogError(f"{file}: cannot be read: {error.strerror}") from error
    if found != expected:
        raise CatalogError(f"{file}: not the file its card describes: sha256 expected {expected}, found {found}")


def read_card(path: Path) -> Card:
    """The card in `path`. Keys that only people read (measured, data, limits …) are kept in `text`, unchecked."""
    try:
        text = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CatalogError(f"{path}: cannot be read: {error}") from error
    if not isinstance(text, dict):
        raise CatalogError(f"{path}: {type(text).__name__}, wanted a mapping of keys")
    try:
        return _card(path, text)
    except (KeyError, TypeError, ValueError) as error:
        missing = f"{error.args[0]}: missing" if isinstance(error, KeyError) else str(error)
        raise CatalogError(f"{path}: {missing}") from error


def _card(path: Path, text: dict[str, Any]) -> Card:
    file = path.parent / _text(text, "file")
    if file.parent.resolve() != path.parent.resolve():
        raise ValueError(f"file: {text['file']!r} is not beside the card")
    sha256 = _text(text, "sha256")
    if len(sha256) != 64 or set(sha256) - set("0123456789abcdef"):
        raise ValueError(f"sha256: {sha256!r} is not 64 lower-case hexadecimal digits")
    labels = text["labels"]
    if not (isinstance(labels, list) and labels and all(isinstance(label, str) for label in labels)):
        raise ValueError(f"labels: {labels!r} is not a list of names")
    kind = text.get("format", "onnx")
    task = _one_of("task", text["task"], tuple(TASKS))
    output = text.get("output", {"kind": TASKS[task]})
    if not isinstance(output, dict) or output.get("kind") != TASKS[task]:
        raise ValueError(f"output.kind: {output!r}; allowed: {TASKS[task]}")
    return Card(
        name=_name(text),
        version=str(text["version"]),
        task=task,
        file=file,
        format=_one_of("format", kind, FORMATS),
        sha256=sha256,
        labels=tuple(labels),
        form=_form(text["input"]) if kind == "onnx" else InputForm(640, 640),
        thresholds={str(k): float(v) for k, v in (text.get("thresholds") or {}).items()},
        loose=_loose(output.get("loose") or {}, labels),
        licence=str(text.get("licence", "")),
        text=text,
    )


def _loose(value: Any, labels: list[str]) -> dict[str, float]:
    if not isinstance(value, dict) or set(value) - set(labels):
        raise ValueError(f"output.loose: {value!r}; allowed: some of {', '.join(labels)}, each with an overlap")
    for label, overlap in value.items():
        if isinstance(overlap, bool) or not isinstance(overlap, int | float) or not 0.1 <= overlap <= 0.9:
            raise ValueError(f"output.loose.{label}: {overlap!r}; allowed: a number from 0.1 to 0.9")
    return {label: float(overlap) for label, overlap in value.items()}


def _form(value: Any) -> InputForm:
    if not isinstance(value, dict):
        raise ValueError(f"input: {value!r} is not a mapping")
    if value.get("layout", "NCHW") != "NCHW":
        raise ValueError(f"input.layout: {value['layout']!r}; allowed: NCHW")
    width, height = int(value["width"]), int(value["height"])
    if not (32 <= width <= 4096 and 32 <= height <= 4096):
        raise ValueError(f"input: {width} x {height}; allowed: 32 to 4096 pixels")
    color = _one_of("input.color", value.get("color", "RGB"), COLORS)
    step = value.get("step")
    if step is not None and not (isinstance(step, int) and step >= 1 and width % step == height % step == 0):
        raise ValueError(f"input.step: {step!r}; allowed: a whole number that divides width and height")
    pixels = Pixels(color, _scale(value.get("scale", 1 / 255)))
    return InputForm(width, height, pixels, int(value.get("pad", 114)), step)


def _scale(value: Any) -> float:
    """A number, or a fraction in writing ("1/255")."""
    top, _, bottom = str(value).partition("/")
    scale = float(top) / float(bottom or 1)
    if not 0 < scale <= 1:
        raise ValueError(f"input.scale: {value!r}; allowed: above 0, to 1")
    return scale


def _text(text: dict[str, Any], key: str) -> str:
    value = text[key]
    if not isinstance(value, str) or not value:
        raise ValueError(f"{key}: {value!r} is not a text")
    return value


def _name(text: dict[str, Any]) -> str:
    """It stands in the paths of addresses."""
    name = _text(text, "name")
    if "/" in name or name in (".", ".."):
        raise ValueError(f"name: {name!r}; allowed: a text without /")
    return name


def _one_of(key: str, value: Any, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise ValueError(f"{key}: {value!r}; allowed: {', '.join(allowed)}")
    return str(value)
