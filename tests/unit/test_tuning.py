"""The engineers' bench without torch: the union's labels, average precision, alarms, shipped cards."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from detectors.catalog import Catalog
from detectors.detection import Detections
from detectors.tuning import drawn
from detectors.tuning.alarms import Quiet, clip_pictures, footage, listen, quiet_score
from detectors.tuning.card import LEAST_RECOMMENDED, UNMEASURED_SCORE, Measured, recommend, write_card
from detectors.tuning.crops import wide_set
from detectors.tuning.dataset import (
    DataError,
    build_union,
    label_file,
    map_labels,
    read_labels,
    read_picture,
    read_yolo_set,
)
from detectors.tuning.evaluate import Answers, Truth, evaluate, score
from detectors.tuning.recipe import Measures, SourceSet, read_recipe
from tests.samples.recipes import small_recipe

ROOT = Path(__file__).resolve().parents[2]
CARDS = sorted((ROOT / "models").glob("*/card.yaml"))


def test_importing_the_bench_needs_no_torch() -> None:
    code = (
        "import sys; from detectors.tuning import alarms, card, crops, dataset, evaluate, export, issue, recipe, train;"
        "sys.exit(','.join({'torch', 'ultralytics', 'onnx'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# ---- boxes drawn for this project


def _drawn(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "drawn.txt"
    path.write_text(text, encoding="utf-8")
    return path


def _pictures(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / name), np.full((40, 80, 3), 90, np.uint8))


def test_drawn_boxes_become_a_set_for_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _drawn(tmp_path, "# how they were drawn\n\nd/a.jpg: 10 20 30 60; 0 0 100 50\nd/b.jpg:\n")
    _pictures(tmp_path, "d/a.jpg", "d/b.jpg", "clean/c.jpg", "clean/e.jpg", "clean/notes.txt.jpg")
    asked = ["x", str(path), "--pictures", str(tmp_path), "--out", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", [*asked, "--empty", str(tmp_path / "clean"), "--count", "2"])
    assert drawn.main() == 0
    made = read_yolo_set(tmp_path / "out" / "data.yaml")
    found = {p.name: read_labels(label_file(p), 1) for p in made.pictures("train")}
    assert made.names == ("garbage",)
    assert len(found) == 4
    assert found["a.jpg"] == [(0, 0.2, 0.4, 0.2, 0.4), (0, 0.5, 0.25, 1.0, 0.5)]
    assert [boxes for name, boxes in found.items() if name != "a.jpg"] == [[], [], []]
    assert made.pictures("val") == []

    monkeypatch.setattr(
        sys, "argv", [*asked[:-1], str(tmp_path / "val"), "--split", "val", "--empty", str(tmp_path / "clean")]
    )
    assert drawn.main() == 0
    measured = read_yolo_set(tmp_path / "val" / "data.yaml")
    assert (len(measured.pictures("val")), measured.pictures("train")) == (5, [])


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("d/a.jpg 10 20 30 60", "line 1: 'd/a.jpg 10 20 30 60'; wanted a new `picture:"),
        ("d/a.jpg: 1 2 3 4\nd/a.jpg: 1 2 3 4", "line 2"),
        ("d/a.jpg: 10 20 30", "line 1: '10 20 30'; wanted left top right bottom"),
        ("d/a.jpg: 30 20 10 60", "line 1: '30 20 10 60'; wanted 0 to 100, left < right"),
        ("d/a.jpg: 10 20 130 60", "wanted 0 to 100"),
        ("d/missing.jpg: 10 20 30 60", "missing.jpg: not a picture"),
        ("d/a.jpg: 1 2 3 4\ne/a.jpg: 1 2 3 4", "wanted each name once"),
    ],
)
def test_a_bad_line_of_drawn_boxes_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str, says: str
) -> None:
    _pictures(tmp_path, "d/a.jpg", "e/a.jpg")
    monkeypatch.setattr(
        sys, "argv", ["x", str(_drawn(tmp_path, line)), "--pictures", str(tmp_path), "--out", str(tmp_path / "out")]
    )
    assert drawn.main() == 1
    assert says in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_boxes_of_this_project_can_be_read() -> None:
    folder = ROOT / "configs" / "labels"
    learnt, measured = (drawn.read_drawn(folder / f"garbage_around_bins{part}.txt") for part in ("", "_val"))
    assert (len(learnt), sum(map(len, learnt.values()))) == (425, 773)
    assert (len(measured), sum(map(len, measured.values()))) == (51, 77)
    assert not {Path(name).name for name in learnt} & {Path(name).name for name in measured}


# ---- the union


def _yolo_set(folder: Path, names: list[str], labels: dict[str, dict[str, str]]) -> Path:
    for split, pictures in labels.items():
        for name, text in pictures.items():
            picture = folder / split / "images" / name
            picture.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(picture), np.full((40, 80, 3), 90, np.uint8))
            label_file(picture).parent.mkdir(parents=True, exist_ok=True)
            label_file(picture).write_text(text, encoding="utf-8")
    path = folder / "data.yaml"
    content = {"train": "train/images", "val": "val/images", "names": names}
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def test_validation_alone_needs_no_training_pictures(tmp_path: Path) -> None:
    val = _yolo_set(tmp_path / "val", ["car"], {"val": {"e.jpg": "0 .5 .5 .4 .4\n"}})
    source = SourceSet("road", tmp_path / "none" / "data.yaml", "x", {"car": "vehicle"}, val=val)
    union = build_union([source], ["garbage", "vehicle"], tmp_path / "out", teach=None, seed=0, splits=("val",))
    (picture,) = read_yolo_set(union.evaluations["road"]).pictures("val")
    assert read_labels(label_file(picture), 2) == [(1, 0.5, 0.5, 0.4, 0.4)]
    with pytest.raises(DataError, match="none"):
        build_union([source], ["garbage", "vehicle"], tmp_path / "all", teach=None, seed=0)


def test_a_square_set_is_cut_to_wide_pictures_with_the_boxes_that_are_left(tmp_path: Path) -> None:
    labels = "0 .5 .10 .2 .1\n0 .5 .5 .2 .1\n0 .5 .5625 .2 .3\n0 .5 .95 .2 .1\n"
    data = _yolo_set(tmp_path / "square", ["car"], {"val": {"a.png": labels, "wide.png": labels}})
    cv2.imwrite(str(tmp_path / "square/val/images/a.png"), np.zeros((160, 160, 3), np.uint8))
    wide = read_yolo_set(wide_set(data, tmp_path / "wide"))
    pictures = {p.name: (read_picture(p).shape[:2], read_labels(label_file(p), 1)) for p in wide.pictures("val")}
    assert set(pictures) == {"a_0.png", "a_1.png", "wide_0.png"}
    assert pictures["wide_0.png"] == ((40, 80), read_labels(label_file(tmp_path / "square/val/images/wide.png"), 1))
    (shape, top), (_, bottom) = pictures["a_0.png"], pictures["a_1.png"]
    assert shape == (90, 160)
    assert [tuple(round(v, 3) for v in box) for _, *box in top] == [
        (0.5, 0.178, 0.2, 0.178),
        (0.5, 0.889, 0.2, 0.178),
        (0.5, 0.867, 0.2, 0.267),
    ]
    assert [round(box[1], 3) for _, *box in bottom] == [0.111, 0.244, 0.911]


def test_labels_are_mapped_by_name_and_unnamed_classes_left_out() -> None:
    boxes = [(0, 0.5, 0.5, 0.1, 0.1), (1, 0.2, 0.2, 0.1, 0.1), (2, 0.3, 0.3, 0.1, 0.1)]
    mapped = map_labels(boxes, ["car", "dog", "bus"], {"car": "vehicle", "bus": "vehicle"}, ["fire", "vehicle"])
    assert mapped == [(1, 0.5, 0.5, 0.1, 0.1), (1, 0.3, 0.3, 0.1, 0.1)]


def test_union_maps_repeats_equalises_and_teaches_only_what_is_missing(tmp_path: Path) -> None:
    one = _yolo_set(
        tmp_path / "one",
        ["rubbish"],
        {"train": {"nat_a.jpg": "0 .5 .5 .2 .2\n", "eq_b.jpg": ""}, "val": {"nat_c.jpg": "0 .5 .5 .2 .2\n"}},
    )
    two = _yolo_set(tmp_path / "two", ["car"], {"train": {"d.jpg": "0 .5 .5 .4 .4\n"}, "val": {"e.jpg": ""}})
    sets = [
        SourceSet("bins", one, "x", {"rubbish": "garbage"}, repeat={"nat_*": 3}, report={"nat": "nat_*"}),
        SourceSet("road", two, "x", {"car": "vehicle"}, equalised=1.0),
    ]
    asked: list[str] = []

    def teach(picture: Path) -> list[tuple[str, tuple[float, float, float, float]]]:
        asked.append(picture.name)
        return [("vehicle", (0.1, 0.1, 0.1, 0.1)), ("garbage", (0.9, 0.9, 0.1, 0.1))]

    union = build_union(sets, ["garbage", "vehicle"], tmp_path / "out", teach=teach, seed=0)

    data = read_yolo_set(union.data)
    listed = [p.name for p in data.pictures("train")]
    assert sorted(listed) == ["bins__eq_b.jpg", *["bins__nat_a.jpg"] * 3, "road__d.jpg", "road__d__eq.jpg"]
    assert sorted(asked) == ["d.jpg", "eq_b.jpg", "nat_a.jpg"]  # validation pictures are never taught
    train = {p.name: read_labels(label_file(p), 2) for p in data.pictures("train")}
    assert train["bins__nat_a.jpg"] == [(0, 0.5, 0.5, 0.2, 0.2), (1, 0.1, 0.1, 0.1, 0.1)]
    assert train["road__d.jpg"] == [(1, 0.5, 0.5, 0.4, 0.4), (0, 0.9, 0.9, 0.1, 0.1)]
    assert train["road__d__eq.jpg"] == train["road__d.jpg"]
    (val,) = [p for p in data.pictures("val") if p.name.startswith("bins")]
    assert read_labels(label_file(val), 2) == [(0, 0.5, 0.5, 0.2, 0.2)]
    assert set(union.evaluations) == {"bins", "bins_nat", "road"}
    assert yaml.safe_load(union.evaluations["road"].read_text(encoding="utf-8"))["measured"] == ["vehicle"]
    share = union.shares["bins"]
    assert (share.pictures, share.listed, share.pseudo_labels) == ({"train": 2, "val": 1}, 4, {"vehicle": 2})
    assert share.boxes == {"train": {"garbage": 1}, "val": {"garbage": 1}}


def test_validation_pictures_may_come_from_another_set(tmp_path: Path) -> None:
    one = _yolo_set(tmp_path / "one", ["car"], {"train": {"a.jpg": ""}, "val": {"b.jpg": ""}})
    two = _yolo_set(tmp_path / "two", ["car"], {"train": {"c.jpg": ""}, "val": {"d.jpg": "0 .5 .5 .1 .1\n"}})
    union = build_union(
        [SourceSet("x", one, "x", {"car": "car"}, val=two)], ["car"], tmp_path / "out", teach=None, seed=0
    )
    data = read_yolo_set(union.data)
    assert [p.name for split in ("train", "val") for p in data.pictures(split)] == ["x__a.jpg", "x__d.jpg"]
    three = _yolo_set(tmp_path / "three", ["bus"], {"val": {"e.jpg": ""}})
    with pytest.raises(DataError, match="names: bus; wanted car"):
        build_union([SourceSet("x", one, "x", {"car": "car"}, val=three)], ["car"], tmp_path / "o", teach=None, seed=0)


def test_a_set_without_the_class_it_should_have(tmp_path: Path) -> None:
    data = _yolo_set(tmp_path / "one", ["bin"], {"train": {"a.jpg": ""}, "val": {}})
    with pytest.raises(DataError, match="names: has no rubbish; it has bin"):
        build_union([SourceSet("x", data, "x", {"rubbish": "a"})], ["a"], tmp_path / "out", teach=None, seed=0)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("7 .5 .5 .1 .1", "class 7; wanted 0 to 1"),
        ("0 .5 wide .1 .1", "wanted class x y width height"),
        ("0 .5 .5 .1", "wanted class x y width height"),
        ("0 .5 .95 .1 .4", "the box 0.5 0.95 0.1 0.4 is not inside the picture; wanted shares from 0 to 1"),
        ("0 320 240 60 80", "is not inside the picture"),
        ("0 .5 .5 0 .1", "is not inside the picture"),
        ("0 nan .5 .1 .1", "is not inside the picture"),
    ],
)
def test_a_broken_label_file_names_file_and_line(tmp_path: Path, line: str, told: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text(f"0 .5 .5 .1 .1\n{line}\n", encoding="utf-8")
    with pytest.raises(DataError, match=rf"a\.txt: line 2: .*{told}"):
        read_labels(path, 2)


def test_bad_labels_and_pictures_are_told_and_stop_nothing_else(tmp_path: Path) -> None:
    bad = "0 .5 .5 .5 .5\n0 .9 .5 .5 .5\n"
    pictures = {"a.jpg": bad, "b.jpg": "", "grey.png": bad, "deep.png": bad}
    data = _yolo_set(tmp_path / "set", ["car"], {"train": pictures, "val": pictures})
    for split in ("train", "val"):
        folder = tmp_path / "set" / split / "images"
        (folder / "b.jpg").write_bytes(b"no picture")
        cv2.imwrite(str(folder / "grey.png"), np.full((40, 80), 90, np.uint8))
        cv2.imwrite(str(folder / "deep.png"), np.full((40, 80, 3), 90 * 257, np.uint16))
    union = build_union([SourceSet("x", data, "x", {"car": "car"})], ["car"], tmp_path / "out", teach=None, seed=0)
    folder = tmp_path / "set" / "train"
    wanted = [f"{folder / 'labels' / name}.txt: line 2: the box 0.9" for name in ("a", "deep", "grey")]
    told = [problem for problem in union.problems if "/train/" in problem]
    assert [t.partition(" 0.5 0.5 0.5")[0] for t in told if ".txt: line" in t] == wanted
    assert f"{folder / 'images' / 'b.jpg'}: not a picture" in told
    assert len(told) == 4
    assert union.shares["x"].boxes["train"] == {"car": 3}

    seen = _seen(((0.25, 0.25, 0.75, 0.75), 0.8))
    result = evaluate(_Fixed({90: seen}), data)
    assert (result.pictures, result.labels["car"].ap50, result.labels["car"].boxes) == (3, pytest.approx(1.0), 3)
    assert len(result.as_dict()["problems"]) == 4
    for picture in (tmp_path / "set" / "val" / "images").iterdir():
        picture.write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"no picture that can be read\n.*a\.jpg: not a picture"):
        evaluate(_Fixed({}), data)


# ---- average precision


def _truth(*boxes: tuple[float, float, float, float]) -> Truth:
    return Truth(np.array(boxes, np.float32).reshape(-1, 4), ("car",) * len(boxes), 100, 100)


def _seen(*boxes: tuple[tuple[float, float, float, float], float]) -> Detections:
    corners = np.array([b for b, _ in boxes], np.float32).reshape(-1, 4)
    return Detections(corners, np.array([s for _, s in boxes], np.float32), ("car",) * len(boxes))


A, B, FAR = (0.1, 0.1, 0.3, 0.3), (0.5, 0.5, 0.8, 0.8), (0.85, 0.0, 0.95, 0.1)


def test_all_found_and_nothing_else_is_one() -> None:
    result = score(Answers([_truth(A), _truth(B)], [_seen((A, 0.9)), _seen((B, 0.4))], ["car"]))
    assert result.map50 == pytest.approx(1.0)
    assert result.map50_95 == pytest.approx(1.0)
    car = result.labels["car"]
    assert (car.precision, car.recall, car.boxes) == (1.0, 1.0, 2)
    assert car.at_score == pytest.approx(0.4)


def test_half_found_gives_half() -> None:
    result = score(Answers([_truth(A, B)], [_seen((A, 0.9))], ["car"]))
    assert result.map50 == pytest.approx(51 / 101)  # recalls 0, 0.01 ... 0.50 of the 101 that COCO samples


def test_a_false_alarm_above_the_hit_halves_precision_everywhere() -> None:
    result = score(Answers([_truth(A)], [_seen((FAR, 0.9), (A, 0.5))], ["car"]))
    assert result.map50 == pytest.approx(0.5)
    at_high = score(Answers([_truth(A)], [_seen((FAR, 0.9), (A, 0.5))], ["car"]), at_scores={"car": 0.7}).labels["car"]
    assert (at_high.precision, at_high.recall) == (0.0, 0.0)


def test_a_second_box_on_the_same_thing_is_a_false_alarm() -> None:
    car = score(Answers([_truth(A)], [_seen((A, 0.9), (A, 0.8))], ["car"]), at_scores={"car": 0.5}).labels["car"]
    assert (car.precision, car.recall) == (0.5, 1.0)


def test_a_loose_box_counts_at_half_overlap_only() -> None:
    loose = (0.1, 0.1, 0.3, 0.37)  # overlap 0.2 / 0.27 = 0.74
    result = score(Answers([_truth(A)], [_seen((loose, 0.9))], ["car"]))
    assert result.map50 == pytest.approx(1.0)
    assert result.map50_95 == pytest.approx(0.5)  # right at 0.50 ... 0.70


def test_nothing_found_is_zero() -> None:
    result = score(Answers([_truth(A)], [Detections.empty()], ["car"]))
    assert result.map50 == 0.0
    assert (result.labels["car"].precision, result.labels["car"].recall) == (0.0, 0.0)


def test_error_bars_hold_the_figure_and_shrink_to_it_where_all_pictures_agree() -> None:
    truths, seen = [_truth(A)] * 6, [_seen((A, 0.9))] * 3 + [_seen((FAR, 0.95))] * 3
    car = score(Answers(truths, seen, ["car"]), resamples=100).labels["car"]
    assert car.ap50_range is not None
    assert car.ap50_range[0] < car.ap50 < car.ap50_range[1]
    sure = score(Answers(truths, [_seen((A, 0.9))] * 6, ["car"]), resamples=20).labels["car"]
    assert sure.ap50_range == pytest.approx((1.0, 1.0))


class _Fixed:
    """A model that answers from a table: mean brightness of the picture to detections."""

    name, version, labels, input_px = "fixed", "1", ("car", "fire"), (64, 64)

    def __init__(self, answers: dict[int, Detections]) -> None:
        self.answers = answers

    def detect(self, images: object, min_score: float = 0.05) -> list[Detections]:
        return [self.answers[round(float(np.mean(image)))] for image in images]  # type: ignore[attr-defined]


def test_evaluate_reads_a_set_and_matches_labels_by_name(tmp_path: Path) -> None:
    data = _yolo_set(tmp_path, ["dog", "car"], {"val": {"a.jpg": "1 .5 .5 .5 .5\n0 .1 .1 .1 .1\n"}})
    model = _Fixed({90: _seen(((0.25, 0.25, 0.75, 0.75), 0.8))})
    result = evaluate(model, data).as_dict()
    assert result["map50"] == 1.0
    assert set(result["classes"]) == {"car"}
    assert {"ap50", "precision", "recall"} <= set(result["classes"]["car"])
    assert result["pictures"] == 1
    assert set(result) == {"map50", "map50_95", "classes", "pictures", "ms_per_picture"}


def test_evaluate_with_no_shared_label_says_which_there_are(tmp_path: Path) -> None:
    data = _yolo_set(tmp_path, ["dog"], {"val": {"a.jpg": ""}})
    with pytest.raises(DataError, match="names: dog; wanted some of the model's: car, fire"):
        evaluate(_Fixed({}), data)


# ---- false alarms


def test_quiet_score_spares_the_allowed_share() -> None:
    peaks = np.array([0.1, 0.9, 0.3, 0.2])
    for allowed, alarms in ((0.0, 0), (0.25, 1), (0.5, 2)):
        assert int((peaks >= quiet_score(peaks, allowed)).sum()) == alarms
    assert quiet_score(peaks, 1.0) == 0.0


def test_listening_keeps_each_pictures_highest_score() -> None:
    model = _Fixed({10: _seen((A, 0.3), (B, 0.6)), 20: Detections.empty()})
    pictures = [np.full((4, 4, 3), level, np.uint8) for level in (10, 20)]
    quiet = listen(model, "clip", pictures)
    assert isinstance(quiet, Quiet)
    assert quiet.peaks["car"].tolist() == pytest.approx([0.6, 0.0])
    assert (quiet.alarms("car", 0.5), quiet.alarms("fire", 0.5), quiet.pictures) == (1, 0, 2)


def test_clip_pictures_comes_once_a_period(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for level in range(30):
        writer.write(np.full((48, 64, 3), 5 * level, np.uint8))
    writer.release()
    levels = [round(float(p.mean())) for p in clip_pictures(path, 1.0)]
    assert levels == pytest.approx([0, 50, 100], abs=3)


def test_footage_may_be_a_folder_of_pictures(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "b.png"), np.full((4, 4, 3), 20, np.uint8))
    cv2.imwrite(str(tmp_path / "a.png"), np.full((4, 4, 3), 10, np.uint8))
    (tmp_path / "notes.txt").write_text("no picture", encoding="utf-8")
    assert [int(p.mean()) for p in footage(tmp_path, 1.0)] == [10, 20]


def test_recommended_scores_serve_the_set_and_keep_quiet_footage_quiet() -> None:
    quiet = [
        Quiet("street", 4, {"fire": np.array([0.1, 0.42, 0.2, 0.1]), "car": np.full(4, 0.9)}),
        Quiet("shop", 2, {"fire": np.array([0.3, 0.3]), "car": np.full(2, 0.9)}),
    ]
    labels, best = ("fire", "car", "bus", "tent"), [{"fire": 0.25, "car": 0.305}, {"car": 0.2, "bus": 0.01}]
    silent = recommend(labels, best, quiet, Measures(quiet_labels=("fire",)))
    assert silent == {"fire": 0.43, "car": 0.2, "bus": LEAST_RECOMMENDED, "tent": UNMEASURED_SCORE}
    spared = recommend(labels, best, quiet, Measures(quiet_labels=("fire",), quiet_share=0.25))
    assert spared["fire"] == pytest.approx(0.31)  # one of street's four pictures may; both of shop's may not


def test_a_written_card_is_read_by_the_catalog(tmp_path: Path) -> None:
    recipe_path = tmp_path / "small.yaml"
    recipe_path.write_text(yaml.safe_dump(small_recipe() | {"loose": {"garbage": 0.5}}), encoding="utf-8")
    recipe = read_recipe(recipe_path, tmp_path)
    folder = tmp_path / "models" / "small"
    folder.mkdir(parents=True)
    (folder / "small.onnx").write_bytes(b"weights")
    truths = Answers([_truth(A)], [_seen((A, 0.9))], ["car"])
    measured = Measured({"garbage": 0.4, "vehicle": 0.3}, {"road": score(truths, resamples=5)}, [], [], {}, 12.3)
    write_card(recipe, folder / "small.onnx", measured, "gridhub model train small.yaml", folder / "card.yaml")
    card = Catalog(tmp_path / "models").card("small")
    assert card.labels == ("garbage", "vehicle")
    assert card.thresholds == {"garbage": 0.4, "vehicle": 0.3}
    assert (card.form.width, card.form.pixels.color, card.form.pad, card.form.step) == (416, "RGB", 114, 32)
    assert card.form.pixels.scale == pytest.approx(1 / 255)
    assert card.sha256 == hashlib.sha256(b"weights").hexdigest()
    assert card.loose == {"garbage": 0.5}
    assert card.text["measured"]["validation"]["road"]["classes"]["car"]["ap50"] == 1.0


# ---- what is shipped


@pytest.mark.parametrize("path", CARDS, ids=lambda p: p.parent.name)
def test_a_shipped_model_is_what_its_card_and_record_say(path: Path) -> None:
    card = Catalog(ROOT / "models").card(path.parent.name)
    digest = hashlib.sha256(card.file.read_bytes()).hexdigest()
    assert digest == card.sha256
    record = json.loads((path.parent / "record.json").read_text(encoding="utf-8"))
    assert record["sha256"] == digest
    assert record["recipe"]["labels"] == list(card.labels)
    assert set(card.thresholds) == set(card.labels)
    assert all(0 < value < 1 for value in card.thresholds.values())
    assert {"licence", "data", "measured", "limits", "trained_by"} <= set(card.text)


def test_a_shipped_model_is_found() -> None:
    assert [path.parent.name for path in CARDS].count("street") == 1
