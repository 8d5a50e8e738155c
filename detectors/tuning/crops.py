"""A labelled set cut to the shape of a camera's picture: sets of square pictures say nothing about wide ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import yaml

from detectors.tuning.dataset import Label, Picture, label_file, read_labels, read_picture, read_yolo_set

SHAPE = 16 / 9
LEAST_LEFT = 0.5
"""A box that keeps less of its height than this is cut off and not counted."""


def wide_set(data: Path, out: Path) -> Path:
    """The validation pictures of `data` in 16:9, as a YOLO set below `out`; returns its data file.

    Of each picture that is higher, its top and its bottom; wide ones as they are. Raises DataError.
    """
    yolo = read_yolo_set(data)
    for path in yolo.pictures("val"):
        picture, labels = read_picture(path), read_labels(label_file(path), len(yolo.names))
        for number, (part, kept) in enumerate(_parts(picture, labels)):
            target = out / "val" / "images" / f"{path.stem}_{number}.png"
            for file in (target, label_file(target)):
                file.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(target), part)
            lines = [f"{index} " + " ".join(f"{v:.6f}" for v in box) for index, *box in kept]
            label_file(target).write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    raw = yaml.safe_load(data.read_text(encoding="utf-8"))
    told = {"val": "val/images", "names": list(yolo.names), "measured": raw.get("measured", list(yolo.names))}
    (out / "data.yaml").write_text(yaml.safe_dump(told), encoding="utf-8")
    return out / "data.yaml"


def _parts(picture: Picture, labels: list[Label]) -> Iterator[tuple[Picture, list[Label]]]:
    height, width = picture.shape[:2]
    share = width / SHAPE / height
    if share >= 1:
        yield picture, labels
        return
    rows = round(share * height)
    for top in (0, height - rows):
        inside = (_inside(label, top / height, rows / height) for label in labels)
        yield picture[top : top + rows], [label for label in inside if label is not None]


def _inside(label: Label, top: float, share: float) -> Label | None:
    """The label in the part of `share` of the height below `top`; None where too little of it is there."""
    index, x, y, width, height = label
    first, last = max(y - height / 2, top), min(y + height / 2, top + share)
    if last - first < LEAST_LEFT * height:
        return None
    return index, x, ((first + last) / 2 - top) / share, width, (last - first) / share
