"""Health's harder truths: a clock that ticks over a frozen picture, sizes, clocks, memory, and what a look costs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest

from detectors.tuning.scenes.compose import View, compose, load_sprites, traffic
from ingest.errors import Lost
from ingest.frame import Frame, Image
from ingest.health import CameraState, ClockOff, Health, State, Via
from tests.peers import footage
from tests.peers.clips import encode, pictures_of, scene, street
from tests.peers.rendered import SCENES

T0 = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def feed(health: Health, pictures: list[Image], start_s: float = 0.0, every_s: float = 10.0) -> list[CameraState]:
    return [
        health.saw(Frame("c", None, T0 + timedelta(seconds=start_s + every_s * i), picture))
        for i, picture in enumerate(pictures)
    ]


@pytest.fixture(scope="module")
def live() -> list[Image]:
    return list(scene(20, 640, 360, noise=2.0))


def learnt(pictures: list[Image]) -> Health:
    health = Health("c", T0)
    assert {s.state for s in feed(health, pictures)} == {"online"}
    return health


def with_clock(picture: Image, second: int) -> Image:
    dated = picture.copy()
    cv2.putText(dated, f"2026-11-24 08:00:{second:02d}", (390, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255,) * 3, 2)
    return dated


# --- frozen


def as_seen(pictures: Iterator[Image], folder: Path, codec: str) -> list[Image]:
    """The keyframes of a stream of 5 pictures a second that is encoded as cameras do, 2 s apart."""
    path = encode(pictures, folder / f"{codec}.mp4", fps=5, gop=10, codec=codec, bit_rate=600_000)
    return list(pictures_of(path, fps=0.5))


def test_a_clock_that_ticks_on_does_not_hide_a_frozen_picture(live: list[Image], tmp_path: Path) -> None:
    """A sensor that hangs while the camera goes on encoding: the clock is drawn anew, the rest is coded anew."""
    health = learnt([with_clock(p, i) for i, p in enumerate(live)])
    stream = as_seen((with_clock(live[3], i // 5 % 60) for i in range(150)), tmp_path, "libx264")
    states = feed(health, stream, 1000)
    assert states[-1].state == "frozen"
    assert "but for a clock" in states[-1].message
    assert (states[-1].since - T0).total_seconds() <= 1000 + 100
    assert feed(health, [with_clock(p, i) for i, p in enumerate(live)], 2000)[-1].state == "online"


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_a_quiet_live_street_is_not_frozen(codec: str, tmp_path: Path) -> None:
    """Nothing moves in it, and the encoder keeps little of the noise: still no two pictures are the same."""
    still, rng = street(320, 180), np.random.default_rng(5)
    quiet = (np.clip(still + rng.normal(0, 1.0, (180, 320, 1)), 0, 255).astype(np.uint8) for _ in range(150))
    assert {s.state for s in feed(Health("c", T0), as_seen(quiet, tmp_path, codec))} == {"online"}


def test_noise_that_fades_away_with_the_light_is_not_frozen(live: list[Image]) -> None:
    """At nightfall a camera's encoder keeps less and less; at last pictures are the same, and nothing is wrong."""
    rng, still, fading = np.random.default_rng(5), street() // 3, []
    for i in range(60):
        part = np.zeros((360, 640, 1))
        stirred = int(360 * max(0.0, 1 - i / 40))
        part[:stirred] = rng.normal(0, 3.0, (stirred, 640, 1))
        fading.append(np.clip(still + part, 0, 255).astype(np.uint8))
    health = Health("c", T0)
    assert "frozen" not in {s.state for s in feed(health, fading)}


def test_a_patch_that_wanders_is_life_not_a_clock(live: list[Image]) -> None:
    """Few blocks change, but not where clocks are: somebody walks through a view that has lost its noise."""
    walked = []
    for i in range(12):
        picture = street()
        picture[200:240, 40 * i : 40 * i + 30] = 250
        walked.append(picture)
    assert "frozen" not in {s.state for s in feed(learnt(live), walked, 1000)}


# --- size, clock, via


def test_another_size_is_told_and_accepted_after_a_day(live: list[Image]) -> None:
    health = learnt(live)
    small = [cv2.resize(p, (352, 288), interpolation=cv2.INTER_AREA).astype(np.uint8) for p in live]
    states = feed(health, small, 1000)
    assert [s.state for s in states[:4]] == ["online", "online", "wrong_size", "wrong_size"]
    assert (states[-1].message, states[-1].resolution) == ("wrong size: 352x288, usually 640x360", "352x288")
    assert states[-1].sees
    assert feed(health, live[:3], 2000)[-1].state == "online"
    feed(health, small[:3], 3000)
    assert feed(health, small[:3], 3000 + 86_400)[-1].state == "online"
    assert feed(health, live[:3], 4000 + 86_400)[-1].state == "wrong_size"
    health.accept_view()
    assert feed(health, live[:3], 5000 + 86_400)[-1].state == "online"


@pytest.mark.parametrize(
    ("offs", "states"),
    [
        ([4.9] * 5, ["online"] * 5),
        ([6.0] * 4, ["online", "online", "clock_wrong", "clock_wrong"]),
        ([-3600.0] * 4, ["online", "online", "clock_wrong", "clock_wrong"]),
        ([6.0, 4.0, 6.0, 4.0, 6.0], ["online", "online", "clock_wrong", "clock_wrong", "clock_wrong"]),
        ([6.0, 2.0, 6.0, 2.0, 6.0], ["online"] * 5),
        ([9.0] * 3 + [2.0] * 3, ["online", "online", "clock_wrong", "clock_wrong", "online", "online"]),
        ([9.0] * 3 + [None] * 3, ["online", "online", "clock_wrong", "clock_wrong", "online", "online"]),
    ],
)
def test_the_cameras_clock(live: list[Image], offs: list[float | None], states: list[str]) -> None:
    health, seen = learnt(live), []
    for i, off_s in enumerate(offs):
        health.told(ClockOff(off_s))
        seen.append(feed(health, [live[i]], 1000 + 10 * i)[0])
    assert [s.state for s in seen] == states
    assert seen[-1].clock_off_s == offs[-1]


def test_how_it_is_read_is_shown(live: list[Image]) -> None:
    health = learnt(live)
    assert health.state.via == ""
    health.told(Via("RTSP/TCP h264"))
    assert feed(health, live[:1], 1000)[0].via == "RTSP/TCP h264"
    assert health.failed(Lost("gone"), T0).via == "RTSP/TCP h264"


# --- which one wins, and since when


def test_the_worst_wins_and_the_lesser_keeps_its_time(live: list[Image]) -> None:
    health = learnt(live)
    health.told(ClockOff(60.0))
    wrong = feed(health, live[:6], 1000)[-1]
    assert (wrong.state, wrong.since) == ("clock_wrong", T0 + timedelta(seconds=1020))
    black = feed(health, [np.zeros_like(p) for p in live[:4]], 2000)[-1]
    assert (black.state, black.since) == ("black", T0 + timedelta(seconds=2020))
    health.failed(Lost("gone"), T0 + timedelta(seconds=3000))
    health.failed(Lost("gone"), T0 + timedelta(seconds=3001))
    assert health.failed(Lost("gone"), T0 + timedelta(seconds=3002)).state == "offline"


def test_states_are_ranked_as_they_are_listed() -> None:
    assert [str(s) for s in State] == [
        "offline", "stale", "black", "covered", "frozen", "moved", "blurred", "wrong_size", "clock_wrong",
        "online", "unknown",
    ]  # fmt: skip


# --- memory


def test_what_it_is_used_to_survives_a_restart(live: list[Image]) -> None:
    memory = learnt(live).memory()
    assert memory is not None
    assert len(memory) < 12_000
    turned = [np.roll(p, 160, axis=1) for p in live]
    again = Health("c", T0, memory=memory)
    assert [s.state for s in feed(again, turned[:4])] == ["online", "online", "moved", "moved"]
    assert feed(again, live[:3], 1000)[-1].state == "online"
    assert feed(Health("c", T0), turned)[-1].state == "online", "without it that view is taken for the right one"
    frozen = feed(Health("c", T0, memory=memory), [live[0]] * 8)
    assert frozen[-1].state == "frozen"
    small = [cv2.resize(p, (320, 180), interpolation=cv2.INTER_AREA).astype(np.uint8) for p in live]
    assert feed(Health("c", T0, memory=memory), small[:4])[-1].state == "wrong_size"


def test_nothing_is_remembered_before_anything_is_learnt(live: list[Image]) -> None:
    health = Health("c", T0)
    feed(health, live[:3])
    assert health.memory() is None


def test_a_memory_that_cannot_be_read_is_no_memory(live: list[Image]) -> None:
    memory = learnt(live).memory() or b""
    stored = json.loads(memory)
    broken = [b"", b"{", b"[]", b"null", memory[:500], json.dumps({**stored, "format": 99}).encode()]
    for key, value in (("views", 3), ("size", "x"), ("still", ["x"]), ("views", {"day": {}})):
        broken.append(json.dumps({**stored, key: value}).encode())
    day = next(iter(stored["views"]))
    for key, value in (("edges", "????"), ("edges", ""), ("flat", []), ("learnt", 0)):
        views = {day: {**stored["views"][day], key: value}}
        broken.append(json.dumps({**stored, "views": views}).encode())
    for bad in broken:
        health = Health("c", T0, memory=bad)
        assert feed(health, live)[-1].state == "online", bad[:80]


# --- no false states: rendered streets in their lights, and real footage


LIGHTS = [("v01", "night"), ("v03", "rain"), ("v06", "dusk"), ("v15", "night")]


def passing(view: View, light: str, first: int, n: int = 8) -> list[Image]:
    """Looks ten seconds apart, with cars and people, the camera's noise, and at night headlights."""
    sprites, rng, pictures = load_sprites(SCENES / "sprites"), np.random.default_rng(first), []
    for i in range(first, first + n):
        picture = compose(view, light, [], traffic(view, sprites, 10.0 * i, seed=3), t_s=10.0 * i, seed=3)[0]
        picture = cv2.resize(picture, (640, 360), interpolation=cv2.INTER_AREA)
        if light == "night" and i % 2:
            cv2.circle(picture, (int(rng.integers(60, 580)), 250), 28, (235, 245, 255), -1)
        pictures.append(np.clip(picture + rng.normal(0, 2, picture.shape), 0, 255).astype(np.uint8))
    return pictures


@pytest.mark.parametrize(("name", "light"), LIGHTS)
def test_day_night_rain_and_headlights_are_no_trouble(name: str, light: str) -> None:
    view = View.load(SCENES / name)
    health = learnt(passing(view, "day", 0))
    for start, now in ((1000, light), (2000, "day"), (3000, light)):
        states = feed(health, passing(view, now, start // 10), start)
        assert {s.state for s in states} == {"online"}, {s.message for s in states}
    turned = [np.roll(p, 200, axis=1) for p in passing(view, light, 400, 4)]
    assert feed(health, turned, 4000)[-1].state == "moved"
    feed(health, passing(view, light, 500, 4), 5000)
    bagged = [np.full((360, 640, 3), (90, 100, 110), np.uint8) + np.uint8(i) for i in range(4)]
    assert feed(health, bagged, 6000)[-1].state == "covered"


@pytest.mark.parametrize(
    "name",
    ["bgs_video03.avi", "furg_house6.mp4", "intel_car-detection.mp4", "intel_one-by-one-person-detection.mp4",
     "rf_inference_example.mp4", "supervision_walking.mp4", "towncentre_bxc_302f.mp4"],
)  # fmt: skip
def test_real_footage_looked_at_every_ten_seconds_is_online(name: str) -> None:
    pictures = list(pictures_of(footage(name), width=640, fps=0.5))
    states = feed(Health("c", T0), pictures * 2)
    assert {s.state for s in states} == {"online"}, {s.message for s in states}


# --- cost


def test_a_picture_that_hardly_changed_costs_next_to_nothing(live: list[Image]) -> None:
    """Measured 0.02 ms against 0.3 ms for a whole judgement; a busy machine may take five times as long."""
    frames = [Frame("c", None, T0 + timedelta(seconds=0.2 * i), live[i % 2]) for i in range(200)]
    for frame in frames:
        assert frame.grey.shape == (90, 160)
    health = learnt(live)
    times = []
    for _round in range(5):
        began_s = time.thread_time()
        for frame in frames:
            health.saw(frame)
        times.append((time.thread_time() - began_s) / len(frames))
    assert min(times) < 0.15e-3


def test_it_is_judged_whole_once_a_minute_all_the_same() -> None:
    """A lens that goes out of focus slowly never changes much from one picture to the next."""
    picture = street()
    health = learnt(list(scene(20, 640, 360, noise=2.0)))
    rng = np.random.default_rng(8)
    blurring = []
    for i in range(60):
        soft = cv2.GaussianBlur(picture, (0, 0), 0.3 + 0.12 * i)
        blurring.append(np.clip(soft + rng.normal(0, 0.5, soft.shape), 0, 255).astype(np.uint8))
    assert feed(health, blurring, 1000)[-1].state == "blurred"
