"""How well somebody else's boxes agree with a set's labels, by the measures that a model gets.

Where two careful annotators agree at an AP50 of 0.4, no aim far above it can be met: what the labels leave open cannot
be learnt. Draw the validation pictures without seeing their labels, each box with how sure you are of it, then

python -m detectors.tuning.agreement configs/labels/second/FILE.txt --data DATA.yaml
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from detectors.detection import Detections
from detectors.tuning.dataset import DataError, read_yolo_set
from detectors.tuning.drawn import corners, lines_of
from detectors.tuning.evaluate import Answers, Scores, measured_labels, readable, score, truth_of

_BOX = "label sure left top right bottom"
REDRAWN = 1000
"""How often pictures are redrawn for the interval."""


def read_second(path: Path) -> dict[str, Detections]:
    """Picture's name to its boxes, from lines `picture: label sure left top right bottom; …`; no boxes: nothing seen.

    `sure` is above 0, at most 1, and stands where a model has its score; the sides are in per cent of the picture's.
    Raises DataError naming file and line.
    """
    return {picture: _drawn(path, number, boxes) for number, picture, boxes in lines_of(path, _BOX)}


def _drawn(path: Path, number: int, parts: list[str]) -> Detections:
    labels: list[str] = []
    scores: list[float] = []
    boxes: list[tuple[float, ...]] = []
    for part in parts:
        label, *numbers = part.split()
        boxes.append(corners(path, number, part, numbers[1:], _BOX))
        labels.append(label)
        scores.append(_sure(path, number, part, numbers[0]))
    sides = np.array(boxes, np.float32).reshape(-1, 4) / np.float32(100)
    return Detections(sides, np.array(scores, np.float32), tuple(labels))


def _sure(path: Path, number: int, part: str, word: str) -> float:
    try:
        sure = float(word)
    except ValueError:
        sure = 0.0
    if not 0 < sure <= 1:
        raise DataError(f"{path}: line {number}: {part!r}: sure: {word}; wanted above 0, at most 1")
    return sure


def compare(drawn: Mapping[str, Detections], data: Path, *, resamples: int = 0) -> Scores:
    """The drawn boxes against the validation labels of the YOLO data file `data`, on the pictures that were drawn.

    Raises DataError where a picture is none of the set's, or a label.
    """
    yolo = read_yolo_set(data)
    labels = measured_labels(data, yolo.names)
    paths = {path.name: path for path in yolo.pictures("val")}
    for picture, boxes in drawn.items():
        if picture not in paths:
            raise DataError(f"{picture}: not among the {len(paths)} validation pictures of {data}")
        for label in boxes.labels:
            if label not in labels:
                raise DataError(f"{picture}: label {label}; wanted some of {', '.join(labels)}")
    problems: list[str] = []
    read = dict(readable([paths[name] for name in drawn], problems))
    truths = tuple(truth_of(path, picture, yolo.names, problems) for path, picture in read.items())
    found = tuple(drawn[path.name] for path in read)
    return score(Answers(truths, found, labels, problems=tuple(problems)), resamples=resamples)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="the boxes, drawn without seeing the labels")
    parser.add_argument("--data", type=Path, required=True, help="the set's data file")
    asked = parser.parse_args()
    try:
        scores = compare(read_second(asked.file), asked.data, resamples=REDRAWN)
    except (DataError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    for problem in scores.problems:
        print(problem, file=sys.stderr)
    print(f"{asked.file}: {scores.pictures} pictures")
    for label, it in scores.labels.items():
        low, high = it.ap50_range or (it.ap50, it.ap50)
        print(
            f"{label}: AP50 {it.ap50:.3f} (95 % {low:.3f}-{high:.3f}) on {it.boxes} labelled boxes; of those drawn at "
            f"{it.at_score:.2f} or more {it.precision:.0%} are labelled, of those labelled {it.recall:.0%} are drawn"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
