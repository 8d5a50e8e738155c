"""A data set on disk as YOLO (what `gridhub model eval` and recipes read) and as COCO, from the same pictures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from detectors.finding import Box


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture (JPEG), its split, its boxes (0-1) with labels; none: a hard negative. `origin`: for the manifest."""

    name: str
    split: str
    jpeg: bytes
    width: int
    height: int
    boxes: tuple[tuple[str, Box], ...]
    origin: dict[str, Any]


def write(out: Path, names: Sequence[str], pictures: Sequence[Labelled], about: dict[str, Any]) -> None:
    """Write images/, labels/, annotations/, data.yaml and manifest.json into the empty folder `out`."""
    for split in ("train", "val"):
        (out / "images" / split).mkdir(parents=True, exist_ok=True)
        (out / "labels" / split).mkdir(parents=True, exist_ok=True)
    for picture in pictures:
        (out / "images" / picture.split / f"{picture.name}.jpg").write_bytes(picture.jpeg)
        lines = "".join(_yolo_line(names.index(label), box) for label, box in picture.boxes)
        (out / "labels" / picture.split / f"{picture.name}.txt").write_text(lines, encoding="utf-8")
    data = {"path": ".", "train": "images/train", "val": "images/val", "names": list(names)}
    (out / "data.yaml").write_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), encoding="utf-8")
    (out / "annotations").mkdir(exist_ok=True)
    for split in ("train", "val"):
        coco = coco_of(names, [p for p in pictures if p.split == split], about)
        (out / "annotations" / f"{split}.json").write_text(json.dumps(coco, ensure_ascii=False), encoding="utf-8")
    manifest = {**about, "pictures": [{"name": p.name, "split": p.split, **p.origin} for p in pictures]}
    (out / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8")


def _yolo_line(index: int, box: Box) -> str:
    x1, y1, x2, y2 = box
    return f"{index} {(x1 + x2) / 2:.6f} {(y1 + y2) / 2:.6f} {x2 - x1:.6f} {y2 - y1:.6f}\n"


def coco_of(names: Sequence[str], pictures: Sequence[Labelled], about: dict[str, Any]) -> dict[str, Any]:
    """Pictures as a COCO object-detection file: boxes in pixels [x, y, width, height], categories from 1."""
    images, annotations = list[dict[str, Any]](), list[dict[str, Any]]()
    for number, picture in enumerate(pictures, 1):
        images.append(
            {"id": number, "file_name": f"{picture.name}.jpg", "width": picture.width, "height": picture.height}
        )
        for label, (x1, y1, x2, y2) in picture.boxes:
            x, y = x1 * picture.width, y1 * picture.height
            wide, high = (x2 - x1) * picture.width, (y2 - y1) * picture.height
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": names.index(label) + 1,
                    "bbox": [round(v, 2) for v in (x, y, wide, high)],
                    "area": round(wide * high, 2),
                    "iscrowd": 0,
                }
            )
    categories = [{"id": index, "name": name} for index, name in enumerate(names, 1)]
    return {
        "info": {"description": about["what"]},
        "images": images,
        "annotations": annotations,
        "categories": categories,
    }
