"""Verdicts as a data set: what is in it, on which side, who is unrecognisable, and that our own tools read it."""

from __future__ import annotations

import io
import json
import os
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from detectors.catalog import Catalog
from detectors.detection import Detections
from detectors.tuning.dataset import label_file, read_labels, read_yolo_set
from detectors.tuning.evaluate import evaluate
from hub.errors import HubError, Invalid
from hub.house import SYSTEM
from hub.learning.dataset import export
from hub.learning.redaction import heads, pixelated, scaled

from .conftest import City

PERSON = (0.5, 0.2, 0.6, 0.8)


class SeesOnePerson:
    """A model that sees the same person in every picture."""

    name, version, labels, input_px = "made", "1", ("person",), (416, 416)
    thresholds: dict[str, float] = {}  # noqa: RUF012

    def detect(self, images: Any, min_score: float = 0.05) -> list[Detections]:
        one = Detections(np.array([PERSON], np.float32), np.array([0.9], np.float32), ("person",))
        return [one for _ in images]


def picture(seed: int, width: int = 1280, height: int = 720) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 255, (height, width, 3)).astype(np.uint8)
    return cv2.imencode(".jpg", noise)[1].tobytes()


def judge(city: City, camera: str, seed: int, reason: str = "", **changes: Any) -> str:
    city.clock.forward(hours=1)
    found = city.finding(camera=camera, preset=f"p{seed}", **changes)
    alert = city.post_finding(found, frame=picture(seed))["alert"]
    what, body = ("reject", {"reason": reason}) if reason else ("confirm", {"separate": True})
    assert city.who("wang").post(f"/api/alerts/{alert}/{what}", json=body).status_code == 200
    return str(alert)


def furnished(city: City) -> dict[str, str]:
    """Two confirmed, two wrong, one permitted, one unclear, one without a picture."""
    boxes = ((0.1, 0.2, 0.3, 0.4), (0.6, 0.6, 0.7, 0.7))
    ids = {
        "right": judge(city, "c1", 1, boxes=boxes, labels=("garbage", "garbage")),
        "old": judge(city, "c2", 2),  # from a worker that did not say labels
        "wrong": judge(city, "c1", 3, "false_detection"),
        "class": judge(city, "c2", 4, "wrong_class"),
        "permitted": judge(city, "c2", 5, "permitted"),
        "unclear": judge(city, "c2", 6, "unclear"),
    }
    city.clock.forward(hours=1)
    bare = city.post_finding(city.finding(camera="c2", preset="p9"))["alert"]
    city.who("wang").post(f"/api/alerts/{bare}/reject", json={"reason": "false_detection"})
    return ids


def test_confirmed_are_labelled_wrong_are_empty_and_cameras_do_not_mix(city: City, tmp_path: Path) -> None:
    ids = furnished(city)
    out = tmp_path / "out"
    report = export(city.hub.house, SYSTEM, out, ["garbage_exposed"], 365, "to retrain", SeesOnePerson())
    assert (report["confirmed"], report["hard_negatives"], report["boxes"]) == (2, 2, 3)
    assert report["left_out"] == {"says nothing of the picture": 2, "no picture is kept": 1}
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    sides = {p["camera"]: p["split"] for p in manifest["pictures"]}
    assert {p["camera"] + p["split"] for p in manifest["pictures"]} == {c + s for c, s in sides.items()}
    assert set(sides.values()) == {"train", "val"}
    assert {a for p in manifest["pictures"] for a in p["alerts"]} == {
        ids[k] for k in ("right", "old", "wrong", "class")
    }

    yolo = read_yolo_set(out / "data.yaml")
    assert yolo.names == ("garbage",)
    labels = {f.stem: read_labels(label_file(f), 1) for split in ("train", "val") for f in yolo.pictures(split)}
    assert sorted(len(boxes) for boxes in labels.values()) == [0, 0, 1, 2]
    first = next(boxes for boxes in labels.values() if len(boxes) == 2)[0]
    assert first == pytest.approx((0, 0.2, 0.3, 0.2, 0.2))
    coco = [json.loads((out / "annotations" / f"{s}.json").read_text(encoding="utf-8")) for s in ("train", "val")]
    assert sum(len(c["images"]) for c in coco) == 4
    boxes = [a["bbox"] for c in coco for a in c["annotations"]]
    assert [64.0, 72.0, 128.0, 72.0] in boxes  # of 640 x 360
    entry = city.who("boss").get("/api/audit").json()["items"][0]
    assert (entry["action"], entry["detail"]["reason"], entry["detail"]["pictures"]) == (
        "dataset-exported", "to retrain", 4,
    )  # fmt: skip
    assert entry["detail"]["manifest"] == report["manifest_sha256"]


def test_our_own_evaluation_reads_it(city: City, tmp_path: Path, project: Path) -> None:
    furnished(city)
    out = tmp_path / "out"
    export(city.hub.house, SYSTEM, out, ["garbage_exposed"], 365, "to measure", SeesOnePerson())
    report = evaluate(Catalog(project / "models").open("street"), out / "data.yaml").as_dict()
    assert set(report["classes"]) == {"garbage"}
    assert report["pictures"] >= 1


def test_nobody_can_be_recognised(city: City, tmp_path: Path) -> None:
    furnished(city)
    export(city.hub.house, SYSTEM, tmp_path / "out", ["garbage_exposed"], 365, "to retrain", SeesOnePerson())
    original = scaled(cv2.imdecode(np.frombuffer(picture(1), np.uint8), cv2.IMREAD_COLOR).astype(np.uint8))
    files = [cv2.imread(str(f)) for f in (tmp_path / "out" / "images").rglob("*.jpg")]
    assert {f.shape for f in files} == {(360, 640, 3)}
    head = (slice(72, 137), slice(310, 394))  # the upper third of the person, with its margin
    for made in files:
        assert detail(made[head]) < 0.3 * detail(original[head])
        assert detail(made[200:300, :300]) > 0.7 * detail(original[200:300, :300])  # the street is as it was


def detail(place: NDArray[Any]) -> float:
    """How much neighbouring pixels differ."""
    return float(np.abs(np.diff(place.astype(float), axis=1)).mean())


def test_a_head_is_never_finer_than_a_twelfth_of_its_box() -> None:
    image = np.random.default_rng(0).integers(0, 255, (300, 300, 3)).astype(np.uint8)
    blocks = pixelated(image, [(0.0, 0.0, 1.0, 1.0)])
    assert len(np.unique(blocks.reshape(-1, 3), axis=0)) <= 12 * 12
    assert np.array_equal(pixelated(image, []), image)
    seen = SeesOnePerson().detect([image])[0]
    (x1, y1, x2, y2) = heads(seen)[0]
    assert x1 < 0.5 < 0.6 < x2
    assert y1 < 0.2 < 0.38 < y2 < 0.5


def test_what_cannot_be_exported_says_so(city: City, tmp_path: Path) -> None:
    house = city.hub.house
    judge(city, "c1", 1)
    with pytest.raises(Invalid, match="at least 2 cameras"):
        export(house, SYSTEM, tmp_path / "a", ["garbage_exposed"], 365, "why", SeesOnePerson())
    with pytest.raises(Invalid, match="reason"):
        export(house, SYSTEM, tmp_path / "b", ["garbage_exposed"], 365, " ", SeesOnePerson())
    with pytest.raises(Invalid, match="nothing_such"):
        export(house, SYSTEM, tmp_path / "c", ["nothing_such"], 365, "why", SeesOnePerson())
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("x", encoding="utf-8")
    with pytest.raises(Invalid, match="empty folder"):
        export(house, SYSTEM, tmp_path / "full", ["garbage_exposed"], 365, "why", SeesOnePerson())
    from dataclasses import replace

    bare = replace(house, settings=replace(house.settings, models_dir=tmp_path / "no-models"))
    judge(city, "c2", 2)
    with pytest.raises(HubError, match="knows persons"):
        export(bare, SYSTEM, tmp_path / "d", ["garbage_exposed"], 365, "why")
    assert not (tmp_path / "d").exists()


def test_the_screen_gets_a_zip_and_taking_it_is_noted(city: City) -> None:
    furnished(city)
    eng = city.who("eng")
    made = eng.post("/api/learning/datasets", json={"kinds": ["garbage_exposed"], "reason": "to retrain"})
    assert made.status_code == 201, made.text
    taken = eng.get(made.json()["url"])
    with zipfile.ZipFile(io.BytesIO(taken.content)) as packed:
        assert yaml.safe_load(packed.read("dataset/data.yaml"))["names"] == ["garbage"]
        assert len([n for n in packed.namelist() if n.endswith(".jpg")]) == 4
    assert city.who("boss").get("/api/audit").json()["items"][0]["action"] == "dataset-taken"
    assert city.who("wang").get(made.json()["url"]).status_code == 403
    assert eng.get("/api/learning/datasets/../hub.zip").status_code == 404


def test_data_sets_go_after_a_week_whether_or_not_another_is_made(city: City) -> None:
    """They hold pictures of the street, which no period of keeping knows of."""
    folder = city.hub.settings.data_dir / "datasets"
    (folder / "tmpabc" / "dataset").mkdir(parents=True)
    (folder / "tmpabc" / "dataset" / "a.jpg").write_bytes(b"x")
    ages = {"old.zip": 8, "new.zip": 6, "killed.part": 2, "tmpabc": 2}
    for name, days in ages.items():
        path = folder / name
        if path.suffix:
            path.write_bytes(b"x")
        at = (city.clock() - timedelta(days=days)).timestamp()
        os.utime(path, (at, at))
    city.hub.tidy()
    assert {path.name for path in folder.iterdir()} & ages.keys() == {"new.zip"}
    (folder / "new.zip").unlink()
