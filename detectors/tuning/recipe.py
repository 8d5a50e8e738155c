"""A training recipe (configs/recipes/*.yaml): sets, labels, stages, measures. Read strictly, all errors at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from detectors.errors import DetectorError

ACTIVATIONS = ("hardswish",)
"""Cheaper ones than SiLU: it is more than a quarter of the time of a network on a CPU."""
STAGES = ("stem", "stage2", "stage3", "stage4", "stage5")
"""Parts of a network's body, by their stride as a power of two, that a stage may leave as they are."""


class RecipeError(DetectorError):
    """A recipe that cannot be used; each line of the text names file, key, value and what is allowed."""


@dataclass(frozen=True, slots=True)
class Teacher:
    """The 80-class detector that training starts from and that labels what a set leaves unlabelled.

    `classes` maps COCO names to labels of the recipe. `min_score` and `max_iou` bound its pseudo-labels (0-1),
    `size_px` is the picture side it looks at.
    """

    weights: Path
    licence: str
    classes: Mapping[str, str]
    min_score: float = 0.45
    max_iou: float = 0.6
    size_px: int = 480


@dataclass(frozen=True, slots=True)
class SourceSet:
    """One YOLO set; validation pictures may come from another data file `val` with the same names.

    `labels` maps its names to the recipe's; `repeat` maps a file pattern to how often such a
    picture is listed; `equalised` is the share of training pictures added once more with their histogram equalised;
    `share` of its training pictures are taken, drawn once. Without `labels` they show nothing that is wanted."""

    name: str
    data: Path
    licence: str
    labels: Mapping[str, str]
    val: Path | None = None
    repeat: Mapping[str, int] = field(default_factory=dict)
    equalised: float = 0.0
    share: float = 1.0
    report: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stage:
    """One run of the trainer; it starts from the stage before it (the first: from the teacher).

    `size_px`: the picture side it trains at (None: the recipe's). `varied`: the share of pictures whose tone, sharpness
    and colour are changed (see `looks`). `validate`: after each epoch, not only after the last. `final_rate`: the share
    of the learning rate left at the end (1: constant). `average`: how much of the running mean of the weights a step
    keeps (None: Ultralytics' own ramp, which hardly averages in runs this short); with both, a run may be ended early.
    `activation`: before the stage it takes the place of the network's own (one of ACTIVATIONS; see `harden`). `kept`:
    the share of the weights it began with in those it ends with (0: none).
    """

    name: str
    sets: tuple[str, ...]
    epochs: int
    learning_rate: float = 1e-3
    body_factor: float = 0.5
    batch: int = 16
    close_mosaic: int = 6
    freeze: tuple[str, ...] = ()
    size_px: int | None = None
    varied: float = 0.0
    validate: bool = True
    final_rate: float = 0.05
    average: float | None = None
    activation: str | None = None
    kept: float = 0.0


@dataclass(frozen=True, slots=True)
class Shown:
    """A clip or folder of pictures, each of which shows `label`."""

    footage: Path
    label: str


@dataclass(frozen=True, slots=True)
class Measures:
    """What the trained model is measured on besides its validation sets.

    Each is a clip, looked at every `every_s` seconds, or a folder of pictures. `quiet` shows no problem: recommended
    scores are such that at most the share `quiet_share` (0-1) of its pictures raises one of `quiet_labels`. `tempting`
    shows none either, but looks like one: counted, without a say in the scores. `shows` has one in every picture.
    """

    quiet: Mapping[str, Path] = field(default_factory=dict)
    tempting: Mapping[str, Path] = field(default_factory=dict)
    quiet_labels: tuple[str, ...] = ()
    quiet_share: float = 0.0
    every_s: float = 1.0
    shows: Mapping[str, Shown] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CardText:
    """What only a person can say about the model; `zh`: its `summary` and `limits` in Chinese, for the screens."""

    summary: str
    licence: str
    limits: tuple[str, ...]
    zh: Mapping[str, Any] = field(default_factory=dict)

    @property
    def chinese(self) -> dict[str, Any]:
        """As it stands on the card; nothing where there is none."""
        return {"zh": dict(self.zh)} if self.zh else {}


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything a training run needs. Paths are absolute. `loose`: see `detectors.model.suppressed`."""

    name: str
    version: str
    size_px: int
    seed: int
    labels: tuple[str, ...]
    teacher: Teacher
    sets: tuple[SourceSet, ...]
    stages: tuple[Stage, ...]
    measures: Measures
    card: CardText
    loose: Mapping[str, float] = field(default_factory=dict)

    def set_named(self, name: str) -> SourceSet:
        """The set of that name. Raises KeyError."""
        return {s.name: s for s in self.sets}[name]


def read_recipe(path: Path, root: Path) -> Recipe:
    """Parse the YAML file `path`; relative paths in it start at `root` (the repository). Raises RecipeError."""
    reader = Reader(path, root)
    recipe = reader.recipe(read_raw(path))
    if reader.errors or recipe is None:
        raise RecipeError("\n".join(reader.errors))
    return recipe


def read_raw(path: Path) -> Any:
    """What the YAML file holds. Raises RecipeError."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise RecipeError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start})") from error
    except yaml.YAMLError as error:
        raise RecipeError(f"{path}: not YAML ({' '.join(str(error).split())})") from error


class Reader:
    """Collects errors while it reads; what it returns counts only when there are none."""

    def __init__(self, path: Path, root: Path) -> None:
        self.path = path
        self.root = root
        self.errors: list[str] = []

    def recipe(self, raw: Any) -> Recipe | None:
        """The recipe in `raw`; None where it lacks a part."""
        keys = {"name", "version", "size_px", "seed", "labels", "teacher", "sets", "stages", "card"}
        top = self._mapping("", raw, keys | {"measures", "loose"}, keys)
        if self.errors:
            return None
        labels = tuple(self._names("labels", top["labels"]))
        teacher = self._teacher(top["teacher"], labels)
        sets = self._named("sets", top["sets"], lambda key, name, value: self._set(key, name, value, labels))
        names = tuple(s.name for s in sets)
        stages = self._named("stages", top["stages"], lambda key, name, value: self._stage(key, name, value, names))
        return Recipe(
            name=self._text("name", top["name"]),
            version=self._text("version", top["version"]),
            size_px=self._side("size_px", top["size_px"]),
            seed=int(self._number("seed", top["seed"], 0, 2**31, whole=True)),
            labels=labels,
            teacher=teacher,
            sets=tuple(sets),
            stages=tuple(stages),
            measures=self._measures(top.get("measures", {}), labels),
            card=self._card(top["card"]),
            loose={
                self._one_of(f"loose.{label}", label, labels): self._number(f"loose.{label}", overlap, 0.1, 0.9)
                for label, overlap in self._mapping("loose", top.get("loose", {})).items()
            },
        )

    def _teacher(self, raw: Any, labels: Sequence[str]) -> Teacher:
        required = {"weights", "licence", "classes"}
        top = self._mapping("teacher", raw, required | {"min_score", "max_iou", "size_px"}, required)
        return Teacher(
            weights=self._file("teacher.weights", top.get("weights")),
            licence=self._text("teacher.licence", top.get("licence")),
            classes=self._label_map("teacher.classes", top.get("classes"), labels),
            min_score=self._number("teacher.min_score", top.get("min_score", 0.45), 0, 1),
            max_iou=self._number("teacher.max_iou", top.get("max_iou", 0.6), 0, 1),
            size_px=self._side("teacher.size_px", top.get("size_px", 480)),
        )

    def _set(self, key: str, name: str, raw: Any, labels: Sequence[str]) -> SourceSet:
        required = {"data", "licence", "labels"}
        top = self._mapping(key, raw, required | {"val", "repeat", "equalised", "share", "report"}, required)
        repeat = self._mapping(f"{key}.repeat", top.get("repeat", {}))
        report = self._mapping(f"{key}.report", top.get("report", {}))
        return SourceSet(
            name=name,
            data=self._file(f"{key}.data", top.get("data")),
            licence=self._text(f"{key}.licence", top.get("licence")),
            labels=self._label_map(f"{key}.labels", top.get("labels"), labels),
            val=self._file(f"{key}.val", top["val"]) if "val" in top else None,
            repeat={str(k): int(self._number(f"{key}.repeat.{k}", v, 1, 50, whole=True)) for k, v in repeat.items()},
            equalised=self._number(f"{key}.equalised", top.get("equalised", 0.0), 0, 1),
            share=self._number(f"{key}.share", top.get("share", 1.0), 0, 1),
            report={str(k): self._text(f"{key}.report.{k}", v) for k, v in report.items()},
        )

    def _stage(self, key: str, name: str, raw: Any, sets: Sequence[str]) -> Stage:
        required = {"sets", "epochs"}
        optional = {"learning_rate", "body_factor", "batch", "close_mosaic", "freeze", "size_px", "varied", "validate"}
        optional |= {"final_rate", "average", "activation", "kept"}
        top = self._mapping(key, raw, required | optional, required)
        chosen = self._names(f"{key}.sets", top.get("sets"))
        freeze = top.get("freeze", [])
        for set_name in chosen:
            self._one_of(f"{key}.sets", set_name, sets)
        return Stage(
            name=name,
            sets=tuple(chosen),
            epochs=int(self._number(f"{key}.epochs", top.get("epochs"), 1, 10_000, whole=True)),
            learning_rate=self._number(f"{key}.learning_rate", top.get("learning_rate", 1e-3), 0, 1),
            body_factor=self._number(f"{key}.body_factor", top.get("body_factor", 0.5), 0, 1),
            batch=int(self._number(f"{key}.batch", top.get("batch", 16), 1, 1024, whole=True)),
            close_mosaic=int(self._number(f"{key}.close_mosaic", top.get("close_mosaic", 6), 0, 10_000, whole=True)),
            freeze=tuple(self._one_of(f"{key}.freeze", n, STAGES) for n in self._names(f"{key}.freeze", freeze)),
            size_px=self._side(f"{key}.size_px", top["size_px"]) if "size_px" in top else None,
            varied=self._number(f"{key}.varied", top.get("varied", 0.0), 0, 1),
            final_rate=self._number(f"{key}.final_rate", top.get("final_rate", 0.05), 0, 1),
            average=self._number(f"{key}.average", top["average"], 0, 1) if "average" in top else None,
            validate=self._flag(f"{key}.validate", top.get("validate", True)),
            activation=(
                self._one_of(f"{key}.activation", top["activation"], ACTIVATIONS) if "activation" in top else None
            ),
            kept=self._number(f"{key}.kept", top.get("kept", 0.0), 0, 1),
        )

    def _measures(self, raw: Any, labels: Sequence[str]) -> Measures:
        top = self._mapping("measures", raw, {"quiet", "tempting", "quiet_labels", "quiet_share", "every_s", "shows"})
        shows = {}
        for name, value in self._mapping("measures.shows", top.get("shows", {})).items():
            key = f"measures.shows.{name}"
            one = self._mapping(key, value, {"footage", "label"}, {"footage", "label"})
            label = self._one_of(f"{key}.label", one.get("label"), labels)
            shows[str(name)] = Shown(self._file(f"{key}.footage", one.get("footage")), label)
        quiet_labels = self._names("measures.quiet_labels", top.get("quiet_labels", []))
        return Measures(
            quiet=self._files("measures.quiet", top.get("quiet", {})),
            tempting=self._files("measures.tempting", top.get("tempting", {})),
            quiet_labels=tuple(self._one_of("measures.quiet_labels", label, labels) for label in quiet_labels),
            quiet_share=self._number("measures.quiet_share", top.get("quiet_share", 0.0), 0, 1),
            every_s=self._number("measures.every_s", top.get("every_s", 1.0), 0, 3600),
            shows=shows,
        )

    def _card(self, raw: Any) -> CardText:
        keys = {"summary", "licence", "limits"}
        top = self._mapping("card", raw, keys | {"zh"}, keys)
        zh = self._mapping("card.zh", top["zh"], {"summary", "limits"}, {"summary", "limits"}) if "zh" in top else {}
        return CardText(
            summary=self._text("card.summary", top.get("summary")),
            licence=self._text("card.licence", top.get("licence")),
            limits=tuple(self._names("card.limits", top.get("limits"))),
            zh={
                "summary": self._text("card.zh.summary", zh.get("summary")),
                "limits": list(self._names("card.zh.limits", zh.get("limits"))),
            }
            if zh
            else {},
        )

    def _one_of(self, key: str, raw: Any, allowed: Sequence[str]) -> str:
        if raw not in allowed:
            self._bad(key, raw, f"one of {', '.join(allowed)}")
        return str(raw)

    def _bad(self, key: str, value: Any, allowed: str) -> None:
        self.errors.append(f"{self.path}: {key or 'recipe'}: {value!r}; wanted {allowed}")

    def _mapping(
        self, key: str, raw: Any, allowed: set[str] | None = None, required: set[str] | None = None
    ) -> dict[str, Any]:
        if not isinstance(raw, dict):
            self._bad(key, raw, "a mapping")
            return {}
        for name in raw:
            if allowed is not None and name not in allowed:
                self._bad(
                    f"{key}.{name}".lstrip("."), raw[name], f"no such key; there are {', '.join(sorted(allowed))}"
                )
        for name in sorted(required or ()):
            if name not in raw:
                self._bad(f"{key}.{name}".lstrip("."), None, "a value (it is missing)")
        return raw

    def _named(self, key: str, raw: Any, read: Any) -> list[Any]:
        if not isinstance(raw, dict) or not raw:
            self._bad(key, raw, "a mapping from name to settings, at least one")
            return []
        return [read(f"{key}.{name}", str(name), value) for name, value in raw.items()]

    def _names(self, key: str, raw: Any) -> list[str]:
        if not isinstance(raw, list) or not all(isinstance(v, str) and v for v in raw) or len(set(raw)) != len(raw):
            self._bad(key, raw, "a list of different names")
            return []
        return raw

    def _label_map(self, key: str, raw: Any, labels: Sequence[str]) -> dict[str, str]:
        pairs = self._mapping(key, raw)
        return {str(name): self._one_of(f"{key}.{name}", label, labels) for name, label in pairs.items()}

    def _text(self, key: str, raw: Any) -> str:
        if not isinstance(raw, str) or not raw:
            self._bad(key, raw, "a text (in quotes where it looks like a number)")
            return ""
        return raw

    def _side(self, key: str, raw: Any) -> int:
        return int(self._number(key, raw, 32, 2048, whole=True, multiple=32))

    def _flag(self, key: str, raw: Any) -> bool:
        if not isinstance(raw, bool):
            self._bad(key, raw, "true or false")
        return bool(raw)

    def _file(self, key: str, raw: Any) -> Path:
        return (self.root / self._text(key, raw)).resolve()

    def _files(self, key: str, raw: Any) -> dict[str, Path]:
        return {str(name): self._file(f"{key}.{name}", value) for name, value in self._mapping(key, raw).items()}

    def _number(self, key: str, raw: Any, low: float, high: float, *, whole: bool = False, multiple: int = 1) -> float:
        kind = "a whole number" if whole else "a number"
        if multiple != 1:
            kind += f", a multiple of {multiple},"
        right_type = isinstance(raw, int if whole else (int, float)) and not isinstance(raw, bool)
        if not right_type or not low <= raw <= high or (whole and raw % multiple):
            self._bad(key, raw, f"{kind} from {low:g} to {high:g}")
            return low
        return float(raw)
