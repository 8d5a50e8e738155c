"""A model in another's shadow: the same looks, rules of its own, no findings; and what is counted of scores."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from detectors.detection import Detections
from detectors.errors import KindsError, ModelError
from detectors.pipeline import Binding, CameraTask, Found, Pipeline, Shadow, Sighting
from detectors.spread import BINS, Spread
from ingest.frame import Frame

from .made import ColourModel, Image, after, kind, noisy, painted, seen, street

STREET = street(7)
BAG, CAR = (0.4, 0.6, 0.48, 0.7), (0.1, 0.6, 0.2, 0.7)
DIRTY = painted(STREET, "garbage", BAG)
GARBAGE = kind({"type": "dwell", "dwell_s": 60}, {"model": "colours", "labels": ["garbage"]}, id="garbage")
PILE = kind({"type": "new_and_stays", "dwell_s": 120}, {"model": "colours", "labels": []}, id="pile")
KINDS = {k.id: k for k in (GARBAGE, PILE)}


class Eager(ColourModel):
    """Takes vehicles for garbage, too."""

    name, version = "eager", "2"

    def _one(self, image: Image) -> Detections:
        found = super()._one(image)
        return Detections(found.boxes, found.scores, tuple("garbage" for _ in found.labels))


class Broken(ColourModel):
    def detect(self, images: Sequence[Image], min_score: float = 0.05) -> list[Detections]:
        raise ModelError("made to fail")


def pipeline(
    model: ColourModel, beside: ColourModel | None, state: Path | None = None
) -> tuple[Pipeline, list[Sighting]]:
    pipe = Pipeline(KINDS, lambda _name: model, state, ZoneInfo("Asia/Shanghai"))
    pipe.set_tasks([CameraTask("c1", None, (Binding("garbage"), Binding("pile")))])
    told: list[Sighting] = []
    pipe.on_sighting = told.append
    if beside is not None:
        pipe.set_shadows([(Shadow("s1", "colours", beside.name), beside)])
    return pipe, told


def watch(pipe: Pipeline, image: Image, times: range) -> list[Found]:
    return [found for t in times for found in pipe.look([Frame("c1", None, after(t), noisy(image, t))])]


def test_what_both_find_is_told_without_a_picture_and_the_finding_names_the_shadow() -> None:
    pipe, told = pipeline(ColourModel(), Eager())
    watch(pipe, STREET, range(0, 30, 10))
    (found,) = watch(pipe, DIRTY, range(30, 120, 10))
    assert found.finding.shadows == ("s1",)
    assert found.finding.labels == ("garbage",)
    assert found.finding.model == ("colours", "1")
    (sighting,) = told
    assert (sighting.shadow, sighting.alone, sighting.frame) == ("s1", False, None)
    assert sighting.finding.model == ("eager", "2")
    assert sighting.finding.place == found.finding.place
    assert pipe.counters["shadow_inferences"] == pipe.counters["inferences"]


def test_what_it_finds_alone_comes_with_the_picture_and_is_no_finding() -> None:
    pipe, told = pipeline(ColourModel(), Eager())
    assert watch(pipe, painted(STREET, "vehicle", CAR), range(0, 120, 10)) == []
    (sighting,) = told
    assert sighting.alone
    assert sighting.frame.shape == STREET.shape
    assert sighting.finding.kind == "garbage"


def test_what_stood_there_before_the_shadow_came_is_not_its_look() -> None:
    pipe, _told = pipeline(ColourModel(), None)
    watch(pipe, DIRTY, range(0, 40, 10))
    pipe.set_shadows([(Shadow("s1", "colours", "eager"), Eager())])
    (found,) = watch(pipe, DIRTY, range(40, 120, 10))
    assert found.finding.shadows == ()


def test_a_shadow_that_fails_changes_nothing() -> None:
    pipe, told = pipeline(ColourModel(), Broken())
    assert len(watch(pipe, DIRTY, range(0, 120, 10))) == 1
    assert told == []
    assert pipe.counters["shadow_errors"] > 0


def test_it_remembers_over_a_restart_and_is_forgotten_when_it_ends(tmp_path: Path) -> None:
    pipe, _told = pipeline(ColourModel(), Eager(), tmp_path)
    watch(pipe, DIRTY, range(0, 40, 10))
    pipe.save()
    again, told = pipeline(ColourModel(), Eager(), tmp_path)
    (found,) = watch(again, DIRTY, range(40, 100, 10))
    assert found.finding.shadows == ("s1",)
    assert [s.finding.since for s in told] == [after(0)]
    again.set_shadows([])
    again.save()
    last, _told = pipeline(ColourModel(), None, tmp_path)
    assert all(not view.shadows for view in last._views.values())


def test_another_model_takes_over_between_two_looks() -> None:
    pipe, _told = pipeline(ColourModel(), None)
    watch(pipe, DIRTY, range(0, 40, 10))
    pipe.use("colours", Eager())
    (found,) = watch(pipe, DIRTY, range(40, 100, 10))
    assert (found.finding.model, found.finding.since) == (("eager", "2"), after(0))
    blind = ColourModel()
    blind.labels = ("vehicle",)
    with pytest.raises(KindsError, match="garbage"):
        pipe.use("colours", blind)
    assert pipe._models["colours"].name == "eager"


def test_scores_are_counted_by_camera_and_label_once() -> None:
    spread = Spread()
    spread.add("c1", "m", "1", seen(("garbage", 0.33, BAG), ("garbage", 1.0, BAG), ("vehicle", 0.05, CAR)))
    spread.add("c2", "m", "1", seen(("garbage", 0.33, BAG)))
    taken = spread.take()
    assert np.flatnonzero(taken["c1", "m", "1", "garbage"]).tolist() == [6, BINS - 1]
    assert np.flatnonzero(taken["c1", "m", "1", "vehicle"]).tolist() == [1]
    assert spread.take() == {}
    spread.put_back(taken)
    spread.add("c2", "m", "1", seen(("garbage", 0.33, BAG)))
    assert spread.take()["c2", "m", "1", "garbage"][6] == 2
