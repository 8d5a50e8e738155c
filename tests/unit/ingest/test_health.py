"""Health from frames: what is wrong is named, what only looks odd (light, passers-by, noise) is not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from copy import deepcopy
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest

from ingest.errors import SignInRefused, Stale, Unreachable
from ingest.frame import Frame, Image
from ingest.health import CameraState, Health
from tests.peers import footage
from tests.peers.clips import pictures_of, scene, street

T0 = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
RNG = np.random.default_rng(3)
Change = Callable[[Image], Image]


def grain(image: Image, sigma: float = 2.0) -> Image:
    return np.clip(image + RNG.normal(0, sigma, image.shape), 0, 255).astype(np.uint8)


def shifted(across: float, down: float = 0.0) -> Change:
    def change(image: Image) -> Image:
        height, width = image.shape[:2]
        move = np.array([[1, 0, across * width], [0, 1, down * height]], np.float32)
        return np.asarray(cv2.warpAffine(image, move, (width, height), borderMode=cv2.BORDER_REFLECT), np.uint8)

    return change


def blurred(share: float) -> Change:
    return lambda image: grain(np.asarray(cv2.GaussianBlur(image, (0, 0), image.shape[1] * share), np.uint8), 0.5)


def brighter(gain: float, offset: float = 0.0, gamma: float = 1.0) -> Change:
    return lambda image: np.clip((image / 255.0) ** gamma * 255 * gain + offset, 0, 255).astype(np.uint8)


def shadow(image: Image) -> Image:
    return (image * np.linspace(0.45, 1, image.shape[1])[None, :, None]).astype(np.uint8)


def a_hand(image: Image) -> Image:
    """So near that nothing but its blurred colours is left."""
    few = cv2.GaussianBlur(cv2.resize(image, (32, 18), interpolation=cv2.INTER_AREA), (0, 0), 4.0)
    return grain(np.asarray(cv2.resize(few, image.shape[1::-1], interpolation=cv2.INTER_CUBIC), np.uint8))


TROUBLES: list[tuple[str, Change, str]] = [
    ("black", brighter(0.03), "black"),
    ("a bag over it", lambda image: grain(np.full_like(image, (90, 110, 120))), "covered"),
    ("a hand on it", a_hand, "covered"),
    ("out of focus", blurred(0.01), "blurred"),
    ("turned a little", shifted(0.12), "moved"),
    ("turned a lot", shifted(0.3, 0.1), "moved"),
]
HARMLESS: list[tuple[str, Change]] = [
    ("nothing", lambda image: image),
    ("noise", lambda image: grain(image, 6)),
    ("sun", brighter(1.0, gamma=0.6)),
    ("clouds", brighter(0.75)),
    ("haze", brighter(0.6, 80)),
    ("a shadow", shadow),
    ("shaking", shifted(0.01)),
]


def feed(health: Health, pictures: Iterable[Image], start_s: float = 0.0) -> list[CameraState]:
    frames = (Frame("c", None, T0 + timedelta(seconds=start_s + 10 * i), p) for i, p in enumerate(pictures))
    return [health.saw(frame) for frame in frames]


def learnt(pictures: list[Image]) -> Health:
    health = Health("c", T0)
    states = feed(health, pictures)
    assert {s.state for s in states} == {"online"}
    return health


@pytest.fixture(scope="module")
def normal() -> list[Image]:
    return list(scene(20, 320, 180, noise=2.0))


@pytest.mark.parametrize(("change", "state"), [t[1:] for t in TROUBLES], ids=[t[0] for t in TROUBLES])
def test_trouble_is_named_after_three_looks_and_forgiven_after_two(
    normal: list[Image], change: Change, state: str
) -> None:
    health = learnt(normal)
    states = feed(health, [change(p) for p in normal[:6]], 1000)
    assert [s.state for s in states] == ["online", "online", state, state, state, state]
    assert state in states[-1].message
    assert states[-1].since == T0 + timedelta(seconds=1020)
    back = feed(health, normal[:4], 2000)
    assert [s.state for s in back] == [state, "online", "online", "online"]


@pytest.mark.parametrize("change", [h[1] for h in HARMLESS], ids=[h[0] for h in HARMLESS])
def test_what_only_looks_odd_is_not_trouble(normal: list[Image], change: Change) -> None:
    states = feed(learnt(normal), [change(p) for p in normal], 1000)
    assert {s.state for s in states} == {"online"}


def test_one_odd_picture_is_no_state(normal: list[Image]) -> None:
    health = learnt(normal)
    for i in range(5):
        assert feed(health, [brighter(0.02)(normal[0]), normal[1]], 1000 + 20 * i)[-1].state == "online"


@pytest.mark.parametrize(
    "name",
    ["intel_one-by-one-person-detection.mp4", "intel_car-detection.mp4", "furg_house6.mp4", "towncentre_bxc_302f.mp4",
     "bgs_video03.avi", "supervision_walking.mp4"],
)  # fmt: skip
def test_on_real_footage(name: str) -> None:
    """Life, fire, crowds and cars are not trouble; a turned, covered or unsharp camera is, whatever it looks at."""
    pictures = list(pictures_of(footage(name), seconds=10, width=320, fps=2))[:20]
    usual = learnt(pictures)
    for what, change, state in TROUBLES:
        states = feed(deepcopy(usual), [change(p) for p in pictures[:4]], 1000)
        assert states[-1].state == state, what
    for what, change in HARMLESS:
        states = feed(deepcopy(usual), [change(p) for p in pictures[:6]], 1000)
        assert states[-1].state == "online", what


def test_infrared_light_gets_a_reference_of_its_own(normal: list[Image]) -> None:
    """At dusk the camera drops colour and lights the scene itself: other edges, same view."""
    night = []
    for picture in scene(20, 320, 180, seed=9, noise=3.0):
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        night.append(np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8))
    health = learnt(normal)
    assert {s.state for s in feed(health, night, 1000)} == {"online"}
    assert {s.state for s in feed(health, normal, 2000)} == {"online"}
    assert feed(health, [shifted(0.2)(p) for p in night[:3]], 3000)[-1].state == "moved"


def test_frozen_only_where_pictures_are_known_to_differ(normal: list[Image]) -> None:
    states = feed(learnt(normal), [normal[3]] * 8, 1000)
    assert [s.state for s in states][:4] == ["online"] * 4
    assert states[-1].state == "frozen"
    assert "identical" in states[-1].message
    still = Health("c", T0)
    assert {s.state for s in feed(still, [street()] * 20)} == {"online"}, "a folder with one picture is no fault"


def test_accepting_a_new_view(normal: list[Image]) -> None:
    health = learnt(normal)
    turned = [shifted(0.25)(p) for p in normal]
    assert feed(health, turned[:4], 1000)[-1].state == "moved"
    health.accept_view()
    assert feed(health, turned, 2000)[-1].state == "online"
    assert feed(health, normal[:3], 3000)[-1].state == "moved"


def test_failures_of_a_new_camera_show_at_once_later_ones_after_three() -> None:
    health = Health("c", T0)
    assert health.state.state == "unknown"
    error = SignInRefused("rtsp://u:pw@h/x: refused")
    health.count(error)
    assert health.failed(error, T0).message == "rtsp://h/x: refused"
    assert health.state.failures == {"sign_in_refused": 1}
    feed(health, list(scene(3)))
    assert health.state.state == "online"
    states = [health.failed(Unreachable("gone"), T0 + timedelta(seconds=100 + i)).state for i in range(3)]
    assert states == ["online", "online", "offline"]
    assert health.state.last_look_at == T0 + timedelta(seconds=20)
    assert feed(health, list(scene(1)), 200)[-1].state == "online", "one good picture and it is back"


def test_old_pictures_make_it_stale() -> None:
    health = Health("c", T0)
    feed(health, list(scene(2)))
    states = [health.failed(Stale("old"), T0 + timedelta(seconds=100 + i)).state for i in range(3)]
    assert states[-1] == "stale"


@pytest.mark.parametrize("size", [(640, 360), (1280, 720), (1920, 1080), (704, 576), (96, 64)])
def test_any_size_is_looked_at_cheaply(size: tuple[int, int]) -> None:
    pictures = [street(*size, seed=i % 3 + 1) for i in range(12)]
    frames = [Frame("c", None, T0 + timedelta(seconds=i), picture) for i, picture in enumerate(pictures)]
    health = Health("c", T0)
    assert frames[0].grey.shape == (90, 160)
    began_s = time.thread_time()
    for frame in frames:
        health.saw(frame)
    assert (time.thread_time() - began_s) / len(frames) < 0.02, "a few milliseconds even on a busy machine"
