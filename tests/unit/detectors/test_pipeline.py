"""Gate, model and rules together, on made-up streets: what is inferred, what is found, what is remembered."""

from __future__ import annotations

import os
import time
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from detectors.errors import KindsError
from detectors.geometry import Zone
from detectors.kinds import Kind
from detectors.pipeline import Binding, CameraTask, Found, Pipeline
from ingest.frame import Frame

from .made import ColourModel, Image, after, kind, noisy, painted, street, with_box

TZ = ZoneInfo("Asia/Shanghai")
STREET = street(7)
BAG = (0.4, 0.6, 0.48, 0.7)
DIRTY = painted(STREET, "garbage", BAG)
GARBAGE = kind({"type": "dwell", "dwell_s": 60}, {"model": "colours", "labels": ["garbage"]}, id="garbage")
PARKING = kind(
    {"type": "dwell", "dwell_s": 60, "anchor": "foot"},
    {"model": "colours", "labels": ["vehicle"]},
    id="parking",
    zone="required",
)
PILE = kind(
    {"type": "new_and_stays", "dwell_s": 120},
    {"model": "colours", "labels": [], "ignore": ["person", "vehicle"]},
    id="pile",
)
SENSOR_ONLY = Kind("bin", {"zh": "桶", "en": "Bin"}, {"GB/T 47678.5": "06042"}, "4工作时", "sanitation", "清除")
KINDS = {k.id: k for k in (GARBAGE, PARKING, PILE, SENSOR_ONLY)}


def pipeline(*bindings: Binding, kinds: dict[str, Kind] | None = None, state_dir: Path | None = None) -> Pipeline:
    model = ColourModel()
    pipe = Pipeline(kinds or KINDS, lambda name: model, state_dir, TZ)
    pipe.set_tasks([CameraTask("c1", None, bindings or (Binding("garbage"),))])
    return pipe


def frame(t_s: float, image: Image, camera: str = "c1", preset: str | None = None) -> Frame:
    return Frame(camera, preset, after(t_s), noisy(image, int(t_s)))


def watch(pipe: Pipeline, images: list[tuple[int, Image]]) -> list[Found]:
    return [found for t, image in images for found in pipe.look([frame(t, image)])]


def test_garbage_is_found_with_the_picture_that_decided_and_the_one_before() -> None:
    pipe = pipeline()
    images = [(t, STREET if t < 60 else DIRTY) for t in range(0, 200, 10)]
    (found,) = watch(pipe, images)
    assert found.finding.kind == "garbage"
    assert found.finding.camera == "c1"
    assert found.finding.model == ("colours", "1")
    assert found.finding.since == after(60)
    assert found.finding.at == after(120)
    np.testing.assert_allclose(found.finding.boxes[0], BAG, atol=0.01)
    np.testing.assert_array_equal(found.frame, noisy(DIRTY, 120))
    assert found.before is not None
    assert np.abs(found.before.astype(int) - STREET).mean() < 8  # the clean street, as JPEG
    assert np.abs(found.before.astype(int) - DIRTY)[216:252, 256:307].mean() > 50


def test_an_unchanged_view_is_spared() -> None:
    pipe = pipeline()
    watch(pipe, [(t, STREET) for t in range(0, 600, 5)])
    assert pipe.counters["looks"] == 120
    assert pipe.counters["inferences"] == 11  # the first, one within a minute, then one a minute
    assert pipe.counters["gated"] == 109


def test_views_that_begin_together_are_not_forced_together() -> None:
    names = [f"c{n}" for n in range(60)]
    pipe = pipeline()
    pipe.set_tasks([CameraTask(name, None, (Binding("garbage"),)) for name in names])
    inferred = []
    for t in range(0, 200, 10):
        before = pipe.counters["inferences"]
        pipe.look([frame(t, STREET, name) for name in names])
        inferred.append(pipe.counters["inferences"] - before)
    assert inferred[0] == 60
    assert max(inferred[1:]) <= 20, "a sixth of them each ten seconds, give or take"


def test_a_problem_being_timed_gets_its_looks_though_nothing_changes() -> None:
    pipe = pipeline()
    assert watch(pipe, [(t, DIRTY) for t in range(0, 100, 2)])[0].finding.at == after(60)
    assert pipe.counters["inferences"] < 20


def test_a_standing_problem_is_found_again_every_repeat_and_at_once_when_it_returns() -> None:
    pipe = pipeline()
    times = [f.finding.at for f in watch(pipe, [(t, DIRTY) for t in range(0, 1000, 10)])]
    assert times == [after(60), after(360), after(660), after(960)]
    watch(pipe, [(t, STREET) for t in range(1000, 1200, 10)])
    assert [f.finding.at for f in watch(pipe, [(t, DIRTY) for t in range(1200, 1300, 10)])] == [after(1260)]


def test_many_cameras_are_one_batch_and_keep_their_own_problems() -> None:
    model = ColourModel()
    pipe = Pipeline(KINDS, lambda name: model, None, TZ)
    cameras = [f"c{i}" for i in range(5)]
    pipe.set_tasks([CameraTask(c, "p1", (Binding("garbage"),)) for c in cameras])
    found = []
    for t in range(0, 80, 10):
        images = {c: DIRTY if c in ("c1", "c3") else STREET for c in cameras}
        found += pipe.look([frame(t, images[c], c, "p1") for c in cameras])
    assert {f.finding.camera for f in found} == {"c1", "c3"}
    assert {f.finding.preset for f in found} == {"p1"}
    assert model.batches[0] == 5


def test_the_newest_frame_of_a_view_wins_and_unknown_views_are_counted() -> None:
    pipe = pipeline()
    pipe.look([frame(10, STREET), frame(0, DIRTY), frame(5, DIRTY)])
    pipe.look([frame(20, STREET, camera="c2"), frame(20, STREET, preset="p9")])
    assert pipe.counters["superseded"] == 2
    assert pipe.counters["unassigned"] == 2
    assert pipe.counters["looks"] == 1


def test_zones_keep_kinds_apart() -> None:
    left = Zone("left", ((0.0, 0.0), (0.3, 0.0), (0.3, 1.0), (0.0, 1.0)))
    right = Zone("right", ((0.3, 0.0), (1.0, 0.0), (1.0, 1.0), (0.3, 1.0)))
    pipe = pipeline(Binding("garbage", left), Binding("garbage", right, dwell_s=30))
    (found,) = watch(pipe, [(t, DIRTY) for t in range(0, 80, 10)])
    assert found.finding.zone == "right"
    assert found.finding.at == after(30)


def test_out_of_its_hours_a_kind_is_not_looked_for() -> None:
    stanza = GARBAGE.to_wire() | {"schedule": [{"days": [1], "from": "12:01", "to": "13:00"}]}
    pipe = pipeline(kinds={"garbage": Kind.from_wire(stanza)})  # the tests' clock starts Monday 12:00 in Shanghai
    found = watch(pipe, [(t, DIRTY) for t in range(0, 200, 10)])
    assert found[0].finding.since == after(60)
    assert pipe.counters["idle"] == 6


def test_a_kind_turned_off_is_not_looked_for() -> None:
    pipe = pipeline(kinds={"garbage": Kind.from_wire(GARBAGE.to_wire() | {"enabled": False})})
    assert watch(pipe, [(t, DIRTY) for t in range(0, 100, 10)]) == []
    assert pipe.counters["inferences"] == 0


def test_a_pile_is_found_with_the_clean_background_before_it() -> None:
    pipe = pipeline(Binding("pile"))
    pile = with_box(STREET, (0.5, 0.55, 0.62, 0.75), (40, 60, 160))
    person = painted(STREET, "person", (0.5, 0.4, 0.56, 0.8))

    def at(t: int) -> Image:
        return pile if t >= 300 else person if 240 <= t < 300 else STREET

    found = watch(pipe, [(t, at(t)) for t in range(0, 600, 20)])
    assert [f.finding.kind for f in found] == ["pile"]
    assert found[0].finding.since == after(300)
    assert found[0].finding.model is None
    assert found[0].before is not None
    assert np.abs(found[0].before.astype(int) - STREET).mean() < 8, "the picture before has no passer-by in it"


def test_a_restart_forgets_neither_dwell_nor_background(tmp_path: Path) -> None:
    bindings = (Binding("garbage"), Binding("pile"))
    pile = with_box(DIRTY, (0.6, 0.55, 0.72, 0.75), (40, 60, 160))
    first = pipeline(*bindings, state_dir=tmp_path)
    assert watch(first, [(t, STREET if t < 200 else pile) for t in range(0, 240, 10)]) == []
    first.save()
    again = pipeline(*bindings, state_dir=tmp_path)
    found = {f.finding.kind: f for f in watch(again, [(t, pile) for t in range(240, 400, 10)])}
    assert found["garbage"].finding.at == after(260)
    assert {f.finding.since for f in found.values()} == {after(200)}
    assert found["pile"].before is not None


def test_a_stored_view_that_is_broken_is_counted_and_started_anew(tmp_path: Path) -> None:
    pipe = pipeline(state_dir=tmp_path)
    watch(pipe, [(0, DIRTY)])
    pipe.save()
    (stored,) = tmp_path.glob("*.npz")
    stored.write_bytes(stored.read_bytes()[:100])
    again = pipeline(state_dir=tmp_path)
    assert again.counters["state_errors"] == 1
    assert watch(again, [(t, DIRTY) for t in range(0, 80, 10)])


def test_a_stored_view_may_be_broken_in_any_way(tmp_path: Path) -> None:
    """What zlib and NumPy raise ended the worker, and again at each start."""
    pipe = pipeline(Binding("pile"), state_dir=tmp_path)
    watch(pipe, [(t, STREET) for t in range(0, 200, 20)])
    pipe.save()
    (stored,) = tmp_path.glob("*.npz")
    whole = stored.read_bytes()
    for at in range(0, len(whole) - 4096, len(whole) // 23):
        stored.write_bytes(whole[:at] + bytes(4096) + whole[at + 4096 :])
        assert pipeline(Binding("pile"), state_dir=tmp_path).counters["state_errors"] == 1


def test_what_a_removed_camera_showed_is_forgotten_after_a_month(tmp_path: Path) -> None:
    pipe = pipeline(Binding("pile"), state_dir=tmp_path)
    watch(pipe, [(0, STREET)])
    pipe.save()
    (mine,) = tmp_path.glob("*.npz")
    gone, lately = tmp_path / "gone@.npz", tmp_path / "lately@.npz"
    for path, days in ((mine, 40), (gone, 31), (lately, 29)):
        path.write_bytes(mine.read_bytes())
        written_s = time.time() - days * 86_400
        os.utime(path, (written_s, written_s))
    pipeline(Binding("pile"), state_dir=tmp_path)
    assert set(tmp_path.iterdir()) == {mine, lately}, "a camera that is still looked at keeps its own"


CROWD = kind({"type": "count", "dwell_s": 60, "at_least": 1}, {"model": "colours", "labels": ["garbage"]}, id="crowd")


@pytest.mark.parametrize("every_s", [30, 900, 3600])
def test_what_stays_is_found_however_seldom_the_camera_is_looked_at(every_s: int) -> None:
    """Cameras of a platform with few sessions have their turn every quarter of an hour: their rules were silent."""
    pipe = pipeline(Binding("garbage"), Binding("crowd"), kinds={"garbage": GARBAGE, "crowd": CROWD})
    found = watch(pipe, [(n * every_s, STREET if n < 3 else DIRTY) for n in range(12)])
    first = {f.finding.kind: f.finding for f in reversed(found)}
    assert {f.since for f in first.values()} == {after(3 * every_s)}
    assert {f.at for f in first.values()} == {after(5 * every_s)}


def test_what_was_not_looked_at_for_long_is_timed_anew() -> None:
    pipe = pipeline(Binding("garbage"), Binding("crowd"), kinds={"garbage": GARBAGE, "crowd": CROWD})
    assert watch(pipe, [(t, STREET if t < 100 else DIRTY) for t in range(0, 130, 10)]) == []
    found = watch(pipe, [(t, DIRTY) for t in range(3730, 3900, 10)])
    assert {f.finding.since for f in found} == {after(3730)}


def test_a_view_of_any_name_is_remembered(tmp_path: Path) -> None:
    """A name that no file may have ended the worker."""
    names = [
        ("c", None),
        ("西峰区北大街十字路口东北角球机01", "预置位一号（朝东，垃圾桶点位）"),
        ("西" * 64, "东" * 64),
    ]
    pipe = pipeline(state_dir=tmp_path)
    pipe.set_tasks([CameraTask(*name, (Binding("garbage"),)) for name in names])
    for camera, preset in names:
        pipe.look([frame(0, DIRTY, camera, preset)])
    pipe.save()
    assert pipe.counters["state_errors"] == 0
    assert len(list(tmp_path.glob("*.npz"))) == 3


AHEAD_S = 8 * 3600


def test_dwell_goes_on_when_the_clock_is_set_back() -> None:
    """A computer whose clock stands on local time is eight hours ahead until it is told."""
    pipe = pipeline(Binding("garbage"), Binding("pile"))
    pile = with_box(DIRTY, (0.6, 0.55, 0.72, 0.75), (40, 60, 160))
    assert watch(pipe, [(AHEAD_S + t, STREET if t < 200 else pile) for t in range(0, 240, 10)]) == []
    found = {f.finding.kind: f.finding for f in watch(pipe, [(t, pile) for t in range(240, 400, 10)])}
    assert (found["garbage"].since, found["garbage"].at) == (after(210), after(270))
    assert found["pile"].since == after(210)
    assert found["pile"].at <= after(340)


def test_what_stands_there_is_told_again_when_the_clock_is_set_back() -> None:
    pipe = pipeline()
    assert watch(pipe, [(AHEAD_S + t, DIRTY) for t in range(0, 100, 10)])
    assert [f.finding.at for f in watch(pipe, [(t, DIRTY) for t in range(100, 500, 10)])] == [after(100), after(400)]


def test_what_is_remembered_is_written_when_the_clock_is_set_back(tmp_path: Path) -> None:
    pipe = pipeline(state_dir=tmp_path)
    watch(pipe, [(AHEAD_S, DIRTY), (0, DIRTY)])
    assert list(tmp_path.glob("*.npz"))


def test_set_tasks_keeps_what_stays() -> None:
    pipe = pipeline()
    watch(pipe, [(t, DIRTY) for t in range(0, 50, 10)])
    pipe.set_tasks([CameraTask("c1", None, (Binding("garbage"), Binding("pile")))])
    assert watch(pipe, [(60, DIRTY)])[0].finding.since == after(0)


@pytest.mark.parametrize(
    ("binding", "message"),
    [
        (Binding("litter"), "camera c1: task litter: unknown kind; allowed: bin, garbage, parking, pile"),
        (Binding("bin"), "camera c1: task bin: this kind has no rule for cameras"),
        (Binding("parking"), "camera c1: task parking: this kind needs a zone"),
    ],
)
def test_a_task_that_cannot_be_done_is_named(binding: Binding, message: str) -> None:
    with pytest.raises(KindsError) as caught:
        pipeline(binding)
    assert str(caught.value) == message


def test_a_model_without_the_label_is_named() -> None:
    fire = kind({"type": "presence", "dwell_s": 5}, {"model": "colours", "labels": ["fire"]}, id="fire")
    with pytest.raises(KindsError, match="kind fire: look_for: 'fire'; model colours has: garbage, vehicle, person"):
        pipeline(Binding("fire"), kinds={"fire": fire})


def test_a_recheck_says_in_a_code_with_figures_what_it_saw() -> None:
    pipe, pile = pipeline(), with_box(STREET, BAG, (40, 60, 160))
    there = pipe.recheck(frame(0, DIRTY), "garbage", None, [BAG], DIRTY, STREET)
    assert (there.why.code, there.why.values) == ("seen", {"share": round(100 * there.score)})
    assert pipe.recheck(frame(0, STREET), "garbage", None, [BAG], DIRTY, STREET).why.code == "gone"
    by_picture = pipeline(Binding("pile"))
    said = {
        "like_found": (pile, pile, STREET),
        "like_before": (STREET, pile, STREET),
        "unlike_found": (STREET, pile, None),
        "nothing_to_compare": (STREET, None, STREET),
    }
    for code, (now, found, before) in said.items():
        assert by_picture.recheck(frame(0, now), "pile", None, [BAG], found, before).why.code == code


def recheck(pipe: Pipeline, now: Image, kind_id: str, found: Image | None, before: Image | None) -> bool:
    return pipe.recheck(frame(0, now), kind_id, None, [BAG], found, before).present


def test_a_recheck_by_label_looks_at_the_place() -> None:
    pipe = pipeline()
    moved = painted(STREET, "garbage", (0.42, 0.63, 0.5, 0.73))
    elsewhere = painted(STREET, "garbage", (0.8, 0.6, 0.88, 0.7))
    assert recheck(pipe, DIRTY, "garbage", DIRTY, STREET)
    assert recheck(pipe, moved, "garbage", DIRTY, STREET)
    assert not recheck(pipe, STREET, "garbage", DIRTY, STREET)
    assert not recheck(pipe, elsewhere, "garbage", DIRTY, STREET)


@pytest.mark.parametrize("gain", [0.6, 1.0, 1.3])
def test_a_recheck_by_picture_takes_the_nearer_one(gain: float) -> None:
    pipe = pipeline(Binding("pile"))
    pile = with_box(STREET, BAG, (40, 60, 160))
    light = lambda image: np.clip(image * gain, 0, 255).astype(np.uint8)  # noqa: E731
    assert recheck(pipe, light(pile), "pile", pile, STREET)
    assert not recheck(pipe, light(STREET), "pile", pile, STREET)
    assert recheck(pipe, light(pile), "pile", pile, None)
    assert not recheck(pipe, light(STREET), "pile", pile, None)


def test_another_car_on_the_spot_is_not_the_one_that_was_found() -> None:
    pipe = pipeline(Binding("parking", Zone.whole()))
    place = (0.3, 0.4, 0.6, 0.7)

    def car(seed: int) -> Image:
        body = with_box(STREET, place, (220, 40, 40), seed)
        x1, y1, x2, y2 = int(0.3 * 640), int(0.4 * 360), int(0.6 * 640), int(0.7 * 360)
        body[y1:y2, x1:x2, 0] = np.clip(body[y1:y2, x1:x2, 0], 200, 255)
        body[y1:y2, x1:x2, 1:] = np.clip(body[y1:y2, x1:x2, 1:], 0, 55)
        return body

    one, other = car(1), car(2)
    assert pipe.recheck(frame(0, one), "parking", None, [place], one, STREET).present
    result = pipe.recheck(frame(0, other), "parking", None, [place], one, STREET)
    assert not result.present
    assert (result.why.code, result.why.text) == ("another", "原位置已是另一目标")
    assert not pipe.recheck(frame(0, STREET), "parking", None, [place], one, STREET).present


def test_a_recheck_of_a_kind_for_sensors_is_refused() -> None:
    with pytest.raises(KindsError, match="kind bin: not a kind that cameras find"):
        recheck(pipeline(), STREET, "bin", None, None)


def test_pictures_are_gated_one_by_one_and_judged_together() -> None:
    pipe = pipeline()
    first, same, changed = frame(0, STREET), frame(10, STREET), frame(20, DIRTY)
    jobs = [pipe.gate(first), pipe.gate(same), pipe.gate(changed)]
    assert [job is not None for job in jobs] == [True, False, True]
    assert pipe.judge([job for job in jobs if job]) == []
    assert (pipe.counters["looks"], pipe.counters["gated"], pipe.counters["inferences"]) == (3, 1, 2)


def test_a_picture_that_nobody_had_time_for_lets_the_next_one_through() -> None:
    pipe = pipeline()
    job = pipe.gate(frame(0, STREET))
    assert job is not None
    pipe.pass_over(job)
    assert pipe.gate(frame(10, STREET)) is not None
    assert pipe.counters["passed_over"] == 1


def test_a_job_is_judged_by_what_is_looked_for_by_then() -> None:
    pipe = pipeline()
    job = pipe.gate(frame(0, DIRTY))
    assert job is not None
    pipe.set_tasks([CameraTask("c2", None, (Binding("garbage"),))])
    assert pipe.judge([job]) == []
    assert pipe.counters["inferences"] == 0
