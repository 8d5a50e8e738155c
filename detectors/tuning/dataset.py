"""Several YOLO sets as one: labels mapped, missing ones filled in by a teacher, rare pictures repeated."""

from __future__ import annotations

import fnmatch
import random
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray

from detectors.errors import DetectorError
from detectors.tuning.recipe import SourceSet

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
SPLITS = ("train", "val")

EDGE = 0.01
"""How far a box may reach beyond the picture (rounding, in shares of its side)."""

Picture = NDArray[np.uint8]
"""Height x width x 3, BGR, 0-255."""

Label = tuple[int, float, float, float, float]
"""Class index, then centre x, centre y, width, height as shares of the picture (0-1), as in a YOLO label file."""

Teach = Callable[[Path], list[tuple[str, tuple[float, float, float, float]]]]
"""What a teacher sees in a picture: (label of the recipe, centre x, centre y, width, height; 0-1)."""


class DataError(DetectorError):
    """A set on disk that cannot be used; names the file and what is wanted."""


@dataclass(frozen=True, slots=True)
class YoloSet:
    """A YOLO set on disk: names in class order, and the folders or lists of its splits."""

    yaml_path: Path
    names: tuple[str, ...]
    splits: Mapping[str, Path]

    def pictures(self, split: str) -> list[Path]:
        """The pictures of `split`, sorted (in the order of the list where the split is a list). Raises DataError."""
        where = self.splits.get(split)
        if where is None:
            return []
        if where.suffix == ".txt" and where.is_file():
            lines = where.read_text(encoding="utf-8").split("\n")
            return [where.parent / line.strip() for line in lines if line.strip()]
        if not where.is_dir():
            raise DataError(f"{self.yaml_path}: {split}: {where} is no folder and no list (.txt)")
        return sorted(p for p in where.iterdir() if p.suffix.lower() in PICTURE_SUFFIXES)


@dataclass(frozen=True, slots=True)
class Share:
    """What one set gave to the union: pictures and boxes per split, pseudo-labels per label."""

    pictures: Mapping[str, int]
    listed: int
    boxes: Mapping[str, Mapping[str, int]]
    pseudo_labels: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Union:
    """A union on disk: one data file for the trainer, one data file per set (and report group) for evaluation.

    `problems`: lines of label files and pictures that were left out, each with file, line and reason.
    """

    data: Path
    evaluations: Mapping[str, Path]
    shares: Mapping[str, Share]
    problems: Sequence[str] = ()


def read_yolo_set(path: Path) -> YoloSet:
    """Read a YOLO data file (keys train, val, names, perhaps path). Raises DataError."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DataError(f"{path}: not a readable YOLO data file ({' '.join(str(error).split())})") from error
    if not isinstance(raw, dict) or "names" not in raw:
        raise DataError(f"{path}: names: missing; wanted the list of class names")
    names = raw["names"]
    if isinstance(names, dict):
        names = [names[index] for index in sorted(names)]
    folder = path.parent / str(raw.get("path", "."))
    splits = {split: folder / str(raw[split]) for split in SPLITS if raw.get(split)}
    return YoloSet(path, tuple(str(name) for name in names), splits)


def label_file(picture: Path) -> Path:
    """Where YOLO keeps a picture's labels: the last folder `images` replaced by `labels`."""
    parts = list(picture.parts)
    places = [i for i, part in enumerate(parts[:-1]) if part == "images"]
    if places:
        parts[places[-1]] = "labels"
    return Path(*parts).with_suffix(".txt")


def read_labels(path: Path, classes: int, problems: list[str] | None = None) -> list[Label]:
    """The labels in a YOLO label file; none where it is missing.

    A line that is no label, a class the set lacks, a box beyond the picture: each raises DataError naming file and
    line, or, where a list of `problems` is given, is told there and left out.
    """
    if not path.is_file():
        return []
    labels: list[Label] = []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").split("\n"), 1):
        if not line.split():
            continue
        try:
            labels.append(_label(line, classes))
        except ValueError as error:
            told = f"{path}: line {number}: {error}"
            if problems is None:
                raise DataError(told) from error
            problems.append(told)
    return labels


def _label(line: str, classes: int) -> Label:
    words = line.split()
    try:
        index, x, y, width, height = int(words[0]), *(float(w) for w in words[1:5])
    except ValueError as error:
        raise ValueError(f"{line!r}; wanted class x y width height") from error
    if not 0 <= index < classes:
        raise ValueError(f"class {index}; wanted 0 to {classes - 1}")
    corners = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    if not (width > 0 and height > 0 and all(-EDGE <= corner <= 1 + EDGE for corner in corners)):
        raise ValueError(
            f"the box {x:g} {y:g} {width:g} {height:g} is not inside the picture; wanted shares from 0 to 1"
        )
    return index, x, y, width, height


def map_labels(
    labels: Sequence[Label], names: Sequence[str], mapping: Mapping[str, str], to: Sequence[str]
) -> list[Label]:
    """The same boxes under the names of `to`; a name of `names` that `mapping` lacks is left out."""
    where = {label: index for index, label in enumerate(to)}
    return [(where[mapping[names[i]]], *box) for i, *box in labels if names[i] in mapping]  # type: ignore[misc]


def build_union(
    sets: Sequence[SourceSet],
    labels: Sequence[str],
    out: Path,
    *,
    teach: Teach | None,
    seed: int,
    splits: Sequence[str] = SPLITS,
) -> Union:
    """Copy the `splits` of the sets into `out` as one YOLO set of `labels`.

    `teach` labels, in training pictures only, what a set does not label itself. A validation picture keeps its own
    labels only; each set has its own data file for evaluation (and one for each of its report groups), because a
    label that a set lacks would count as a false alarm elsewhere.
    """
    shares: dict[str, Share] = {}
    problems: list[str] = []
    lists: dict[str, list[str]] = {split: [] for split in SPLITS}
    evaluations: dict[str, Path] = {}
    for source in sets:
        builder = _SetBuilder(
            source, _with_other_val(source, splits), labels, out, teach, random.Random(f"{seed} {source.name}")
        )
        builder.build(splits)
        problems += builder.problems
        shares[source.name] = builder.share()
        for split in SPLITS:
            lists[split] += builder.listed[split]
        own = [label for label in labels if label in builder.native]
        if not own:
            continue
        for group, pattern in {"": "*", **source.report}.items():
            name = source.name + (f"_{group}" if group else "")
            chosen = [
                line for line in builder.listed["val"] if fnmatch.fnmatch(Path(line).name, f"{source.name}__{pattern}")
            ]
            if chosen:
                evaluations[name] = _write_data(out, f"val_{name}", chosen, chosen, labels, own)
    data = _write_data(out, "union", lists["train"], lists["val"], labels, list(labels))
    return Union(data, evaluations, shares, problems)


def _with_other_val(source: SourceSet, splits: Sequence[str]) -> YoloSet:
    if "train" not in splits and source.val is not None:
        return read_yolo_set(source.val)
    yolo = read_yolo_set(source.data)
    if source.val is None:
        return yolo
    other = read_yolo_set(source.val)
    if other.names != yolo.names:
        raise DataError(
            f"{source.val}: names: {', '.join(other.names)}; wanted {', '.join(yolo.names)} as {source.data}"
        )
    folders = {"train": yolo.splits.get("train"), "val": other.splits.get("val")}
    return YoloSet(yolo.yaml_path, yolo.names, {split: path for split, path in folders.items() if path is not None})


class _SetBuilder:
    """Copies one set into the union and counts what it gave."""

    def __init__(
        self,
        source: SourceSet,
        yolo: YoloSet,
        labels: Sequence[str],
        out: Path,
        teach: Teach | None,
        chance: random.Random,
    ) -> None:
        unknown = [name for name in source.labels if name not in yolo.names]
        if unknown:
            raise DataError(f"{yolo.yaml_path}: names: has no {', '.join(unknown)}; it has {', '.join(yolo.names)}")
        self.source, self.yolo, self.labels, self.out, self.teach, self.chance = (
            source,
            yolo,
            labels,
            out,
            teach,
            chance,
        )
        self.native = frozenset(source.labels.values())
        self.listed: dict[str, list[str]] = {split: [] for split in SPLITS}
        self.counts: dict[str, Counter[str]] = {split: Counter() for split in SPLITS}
        self.pictures: Counter[str] = Counter()
        self.pseudo: Counter[str] = Counter()
        self.problems: list[str] = []

    def build(self, splits: Sequence[str]) -> None:
        for split in splits:
            for picture in self._taken(split):
                self._add(picture, split)

    def _taken(self, split: str) -> list[Path]:
        """All of a split's pictures, or the drawn share of the training ones."""
        pictures = self.yolo.pictures(split)
        if split != "train" or self.source.share >= 1:
            return pictures
        return sorted(self.chance.sample(pictures, round(self.source.share * len(pictures))))

    def share(self) -> Share:
        boxes = {split: dict(self.counts[split]) for split in SPLITS}
        return Share(dict(self.pictures), len(self.listed["train"]), boxes, dict(self.pseudo))

    def _add(self, picture: Path, split: str) -> None:
        if not is_picture(picture):
            self.problems.append(f"{picture}: not a picture")
            return
        own = read_labels(label_file(picture), len(self.yolo.names), self.problems)
        boxes = map_labels(own, self.yolo.names, self.source.labels, self.labels)
        self.counts[split].update(self.labels[index] for index, *_ in boxes)
        if split == "train":
            boxes += self._taught(picture)
        target = self.out / split / "images" / f"{self.source.name}__{picture.name}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(picture, target)  # a copy: the trainer may repair a broken JPEG in place
        self._write(target, boxes)
        times = max((n for p, n in self.source.repeat.items() if fnmatch.fnmatch(picture.name, p)), default=1)
        self.pictures[split] += 1
        self.listed[split] += [str(target)] * (times if split == "train" else 1)
        if split == "train" and self.chance.random() < self.source.equalised:
            twin = target.with_name(f"{target.stem}__eq.jpg")
            cv2.imwrite(str(twin), equalise(read_picture(target)))
            self._write(twin, boxes)
            self.listed[split].append(str(twin))

    def _taught(self, picture: Path) -> list[Label]:
        if self.teach is None or self.native >= set(self.labels):
            return []
        found = [(label, box) for label, box in self.teach(picture) if label not in self.native]
        self.pseudo.update(label for label, _ in found)
        return [(self.labels.index(label), *box) for label, box in found]

    @staticmethod
    def _write(picture: Path, boxes: Sequence[Label]) -> None:
        path = label_file(picture)
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"{index} " + " ".join(f"{v:.6f}" for v in box) for index, *box in boxes]
        path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def is_picture(path: Path) -> bool:
    """Whether the file's head is one of a picture (its rest is not read)."""
    return path.is_file() and bool(cv2.haveImageReader(str(path)))


def read_picture(path: Path) -> Picture:
    """The picture in the file, 8 bit and three colours whatever it holds. Raises DataError."""
    picture = cv2.imread(str(path))
    if picture is None:
        raise DataError(f"{path}: not a picture")
    return np.asarray(picture, np.uint8)


def equalise(picture: Picture) -> Picture:
    """The BGR picture with its brightness made even place by place: a look that must not give a class away.

    Adaptive, as the equalised pictures of garbage_det look: contrast is stretched in each of 8 x 8 parts.
    """
    hsv = cv2.cvtColor(picture, cv2.COLOR_BGR2HSV)
    hsv[..., 2] = cv2.createCLAHE(6.0, (8, 8)).apply(hsv[..., 2])
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR), np.uint8)


def _write_data(
    out: Path, name: str, train: Sequence[str], val: Sequence[str], labels: Sequence[str], measured: Sequence[str]
) -> Path:
    """Lists and data file; `measured` names the labels that the validation pictures really carry."""
    for split, lines in (("train", train), ("val", val)):
        (out / f"{name}_{split}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    path = out / f"{name}.yaml"
    content = {
        "path": str(out),
        "train": f"{name}_train.txt",
        "val": f"{name}_val.txt",
        "names": list(labels),
        "measured": list(measured),
    }
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path
