"""What the ingest benchmarks call wrong, stale or misdated, and how they count a rush."""

from __future__ import annotations

import time
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from tests.bench.ingest.job import Job, Looks, percentile
from tests.bench.plot import plot
from tests.bench.soak import most_within
from tests.peers.marks import Mark, draw_mark
from tests.peers.shown import FORMS, Shown

FORM = FORMS["360p"]


def job(began_s: float) -> Job:
    return Job(["rtsp://a", "rtsp://b"], [Shown(5, began_s, FORM), Shown(6, began_s, FORM)], every_s=10.0)


def picture(number: int, position: int) -> np.ndarray:
    luma = np.full((360, 640), 90, np.uint8)
    draw_mark(luma, Mark(number, position))
    return luma


@pytest.mark.parametrize(
    ("shown", "age_s", "said_age_s", "expected"),
    [
        (picture(5, 150), 1.0, None, {}),
        (picture(5, 150), 1.0, 1.4, {}),
        (picture(5, 150), 1.0, 2.5, {"misdated": 1}),
        (picture(5, 150), 3.5, None, {"stale": 1}),
        (picture(6, 150), 1.0, None, {"wrong": 1}),
        (np.full((360, 640), 90, np.uint8), 1.0, None, {"unreadable": 1}),
    ],
)
def test_every_look_is_checked(
    shown: np.ndarray, age_s: float, said_age_s: float | None, expected: dict[str, int]
) -> None:
    """Picture 150 was due 10 s after its clip began."""
    looks = Looks(job(time.time() - 10.0 - age_s))
    looks.saw(0, shown, None if said_age_s is None else time.time() - said_age_s)
    told = looks.tell(10.0)
    assert told["looks"] == 1
    assert {name: told[name] for name in ("wrong", "stale", "unreadable", "misdated") if told[name]} == expected
    right = not {"wrong", "unreadable"} & set(expected)
    assert told["held"] == right
    assert told["ages_s"] == ([pytest.approx(age_s, abs=0.1)] if right else [])
    assert looks.tell(10.0)["looks"] == 0, "figures are told once"


def test_after_a_restart_every_camera_is_to_be_seen_again() -> None:
    looks = Looks(job(time.time() - 11.0))
    for camera in (0, 1):
        looks.saw(camera, picture(5 + camera, 150))
    assert len(looks.tell(10.0)["first_s"]) == 2
    looks.show(job(time.time() - 21.0).shown)
    looks.saw(1, picture(6, 300))
    told = looks.tell(10.0)
    assert len(told["first_s"]) == 1
    assert told["stale"] == 0


def test_a_job_survives_its_line() -> None:
    made = job(123.5)
    assert Job.load(made.dump()) == made


@pytest.mark.parametrize(("times_s", "most"), [([], 0), ([1.0], 1), ([1.0, 1.05, 1.1, 3.0, 3.02], 3)])
def test_the_most_attempts_within_a_time(times_s: list[float], most: int) -> None:
    assert most_within(times_s, 0.11) == most


def test_percentiles_of_nothing_say_so() -> None:
    assert percentile([], 99) == -1.0
    assert percentile([1.0, 3.0], 50) == 2.0


def test_a_plot_is_sound_svg(tmp_path: Path) -> None:
    path = tmp_path / "run.svg"
    plot(path, "500 <cameras>", [0.0, 1.0, 2.0], {"rss_mb": [200.0, 210.0, 205.0], "nothing": [0.0, 0.0, 0.0]})
    lines = ElementTree.parse(path).getroot().findall("{http://www.w3.org/2000/svg}polyline")
    assert [len(line.get("points", "").split()) for line in lines] == [3, 3]
