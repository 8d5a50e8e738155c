"""A YOLO set of pictures that lie elsewhere and boxes that were drawn for this project.

python -m detectors.tuning.drawn configs/labels/FILE.txt --pictures DIR --out DIR [--empty FOLDER --count N --seed S]
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from detectors.tuning.dataset import PICTURE_SUFFIXES, SPLITS, DataError, is_picture

Corners = tuple[float, float, float, float]
"""Left, top, right, bottom in per cent of the picture's sides."""


def read_drawn(path: Path) -> dict[str, list[Corners]]:
    """Picture to its boxes, from lines `picture: left top right bottom; …`. Raises DataError naming file and line."""
    wanted = "left top right bottom"
    return {
        picture: [corners(path, number, part, part.split(), wanted) for part in boxes]
        for number, picture, boxes in lines_of(path, wanted)
    }


def lines_of(path: Path, wanted: str) -> list[tuple[int, str, list[str]]]:
    """Number, picture and the text of each box of the lines `picture: box; …`; empty ones and comments are left out.

    `wanted` is said of a box where a line is none. Raises DataError naming file and line; each picture may stand once.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error})") from None
    found: dict[str, tuple[int, str, list[str]]] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        picture, colon, boxes = line.partition(":")
        if not colon or picture in found:
            raise DataError(f"{path}: line {number}: {line!r}; wanted a new `picture: {wanted}; …`")
        found[picture] = number, picture, [part.strip() for part in boxes.split(";") if part.strip()]
    return list(found.values())


def corners(path: Path, number: int, part: str, words: Sequence[str], wanted: str) -> Corners:
    """The four `words` of the box `part` as numbers. Raises DataError naming file, line and box."""
    try:
        left, top, right, bottom = (float(word) for word in words)
    except ValueError:
        raise DataError(f"{path}: line {number}: {part!r}; wanted {wanted}") from None
    if not (0 <= left < right <= 100 and 0 <= top < bottom <= 100):
        raise DataError(f"{path}: line {number}: {part!r}; wanted 0 to 100, left < right, top < bottom")
    return left, top, right, bottom


def write_set(
    drawn: Mapping[str, Sequence[Corners]],
    pictures: Path,
    out: Path,
    label: str,
    empty: Sequence[Path] = (),
    split: str = "train",
) -> int:
    """Copy the drawn pictures and the `empty` ones, which show none, to `out` as the part `split` of a YOLO set.

    Returns how many pictures there are. Raises DataError where one is missing, or two have one name.
    """
    chosen = [(pictures / name, boxes) for name, boxes in drawn.items()] + [(path, ()) for path in empty]
    seen: dict[str, Path] = {}
    for picture, _ in chosen:
        if not is_picture(picture):
            raise DataError(f"{picture}: not a picture")
        if picture.stem in seen:
            raise DataError(f"{picture}: has the name of {seen[picture.stem]}; wanted each name once")
        seen[picture.stem] = picture
    images, labels = out / split / "images", out / split / "labels"
    images.mkdir(parents=True, exist_ok=True)
    labels.mkdir(parents=True, exist_ok=True)
    for picture, boxes in chosen:
        shutil.copyfile(picture, images / picture.name)
        centred = [((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1) for x1, y1, x2, y2 in boxes]
        lines = ["0 " + " ".join(f"{part / 100:.4f}" for part in box) for box in centred]
        (labels / f"{picture.stem}.txt").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    (out / "data.yaml").write_text(yaml.safe_dump({split: f"{split}/images", "names": [label]}), encoding="utf-8")
    return len(chosen)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="the drawn boxes")
    parser.add_argument("--pictures", type=Path, required=True, help="what the file's pictures are relative to")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--label", default="garbage", help="what the boxes show (default: garbage)")
    parser.add_argument("--split", choices=SPLITS, default="train", help="what they are for (default: train)")
    parser.add_argument("--empty", type=Path, help="a folder of pictures that show none")
    parser.add_argument("--count", type=int, help="so many of them, drawn by chance (default: all)")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    try:
        drawn = read_drawn(asked.file)
        there = sorted(p for p in asked.empty.iterdir() if p.suffix.lower() in PICTURE_SUFFIXES) if asked.empty else []
        few = asked.count is not None and asked.count < len(there)
        empty = random.Random(asked.seed).sample(there, asked.count) if few else there
        count = write_set(drawn, asked.pictures, asked.out, asked.label, empty, asked.split)
    except (DataError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{asked.out}: {count} pictures, {sum(map(len, drawn.values()))} boxes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
