"""Somebody else's boxes against a set's labels."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from detectors.tuning import agreement
from detectors.tuning.agreement import compare, read_second
from detectors.tuning.dataset import DataError

ROOT = Path(__file__).resolve().parents[2]
LABELS = {"a.jpg": "0 .2 .3 .2 .2\n1 .7 .7 .4 .4\n", "b.jpg": "0 .5 .5 .5 .5\n", "c.jpg": ""}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A set of three validation pictures and three boxes."""
    for name, text in LABELS.items():
        for kind in ("images", "labels"):
            (tmp_path / "val" / kind).mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / "val" / "images" / name), np.full((40, 80, 3), 90, np.uint8))
        (tmp_path / "val" / "labels" / f"{Path(name).stem}.txt").write_text(text, encoding="utf-8")
    path = tmp_path / "data.yaml"
    path.write_text("val: val/images\nnames: [fire, smoke]\n", encoding="utf-8")
    return path


def _file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "second.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_same_boxes_agree_and_others_do_not(data: Path, tmp_path: Path) -> None:
    text = (
        "# drawn on a Saturday\na.jpg: fire 0.9 10 20 30 40; smoke 0.5 0 0 20 20\nb.jpg: fire 0.8 25 25 75 75\nc.jpg:\n"
    )
    scores = compare(read_second(_file(tmp_path, text)), data, resamples=20)
    assert scores.pictures == 3
    fire, smoke = scores.labels["fire"], scores.labels["smoke"]
    assert (fire.ap50, fire.precision, fire.recall) == (pytest.approx(1.0), 1.0, 1.0)
    assert (smoke.ap50, smoke.recall) == (0.0, 0.0)
    assert fire.ap50_range is not None


def test_only_what_was_drawn_is_compared(data: Path, tmp_path: Path) -> None:
    scores = compare(read_second(_file(tmp_path, "b.jpg: fire 0.8 25 25 75 75\n")), data)
    assert (scores.pictures, scores.labels["fire"].boxes) == (1, 1)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("a.jpg fire 0.9 1 2 3 4", "second.txt: line 1: 'a.jpg fire 0.9 1 2 3 4'; wanted a new `picture: label sure"),
        ("b.jpg:\na.jpg: fire", "line 2: 'fire'; wanted label sure left top right bottom"),
        ("a.jpg: fire 0.9 1 2 3", "'fire 0.9 1 2 3'; wanted label sure"),
        ("a.jpg: fire 0.9 3 2 1 4", "left < right"),
        ("a.jpg: fire 90 1 2 3 4", "sure: 90; wanted above 0, at most 1"),
        ("a.jpg: fire nan 1 2 3 4", "sure: nan"),
        ("a.jpg: flame 0.9 1 2 3 4", "a.jpg: label flame; wanted some of fire, smoke"),
        ("z.jpg: fire 0.9 1 2 3 4", "z.jpg: not among the 3 validation pictures"),
    ],
)
def test_what_cannot_be_compared_is_named(data: Path, tmp_path: Path, line: str, says: str) -> None:
    with pytest.raises(DataError) as refused:
        compare(read_second(_file(tmp_path, line)), data)
    assert says in str(refused.value)


def test_the_command_tells_each_label(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(agreement, "REDRAWN", 10)
    file = _file(tmp_path, "b.jpg: fire 0.8 25 25 75 75\n")
    monkeypatch.setattr(sys, "argv", ["x", str(file), "--data", str(data)])
    assert agreement.main() == 0
    assert "fire: AP50 1.000" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["x", str(tmp_path / "none.txt"), "--data", str(data)])
    assert agreement.main() == 1
    assert "none.txt: cannot be read" in capsys.readouterr().err


def test_the_boxes_of_this_project_can_be_read() -> None:
    folder = ROOT / "configs" / "labels" / "second"
    counts = {path.stem: len(read_second(path)) for path in folder.glob("*.txt")}
    assert counts == {"garbage": 69, "garbage_unknowing": 69, "fire_smoke": 124}
