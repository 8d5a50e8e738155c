"""Something new that stays is found with its box and its beginning; light, passers-by, and what left, are not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest

from detectors.finding import Box
from detectors.geometry import Zone, iou
from detectors.kinds import RuleSpec
from detectors.rules import new_and_stays
from detectors.rules.new_and_stays import Background
from detectors.rules.presence import Seen

from .made import Image, after, lit, noisy, street, with_box

RULE = RuleSpec("new_and_stays", 120, looks=3, of=5, min_area=0.002)
STREET = street(7)
PILE = (0.5, 0.55, 0.62, 0.75)
COLOURS = [(40, 60, 160), (150, 80, 40), (90, 95, 100), (30, 30, 30), (210, 215, 220)]


def run(
    scene: Callable[[int], Image],
    until_s: int = 400,
    every_s: int = 20,
    zone: Zone | None = None,
    ignored: Callable[[int], list[Box]] = lambda t: [],
    background: Background | None = None,
    start_s: int = 0,
) -> tuple[list[tuple[int, Seen]], Background]:
    met = []
    for t in range(start_s, until_s, every_s):
        background = new_and_stays.look(background, noisy(scene(t), t, 4), after(t), ignored(t))
        background, verdict = new_and_stays.decide(background, after(t), RULE, zone or Zone.whole())
        if verdict:
            met.append((t, verdict))
    assert background is not None
    return met, background


def pile_from(t0: int, colour: tuple[int, int, int] = COLOURS[0]) -> Callable[[int], Image]:
    return lambda t: with_box(STREET, PILE, colour) if t >= t0 else STREET


def overlap(a: Box, b: Box) -> float:
    return float(iou(np.array([a], np.float32), np.array([b], np.float32))[0, 0])


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("every_s", [20, 60])
def test_a_pile_that_stays_is_found(colour: tuple[int, int, int], every_s: int) -> None:
    met, _ = run(pile_from(300, colour), 900, every_s)
    first, verdict = met[0]
    assert 420 <= first <= 420 + 2 * every_s
    assert verdict.since == after(300)
    assert len(verdict.boxes) == 1
    assert overlap(verdict.boxes[0], PILE) > 0.6
    assert met[-1][0] >= 900 - every_s  # and it goes on being found


def test_what_was_there_from_the_start_is_the_background() -> None:
    assert run(pile_from(0))[0] == []


@pytest.mark.parametrize("ratio", [0.6, 0.8, 1.2])
def test_a_slow_change_of_light_is_none(ratio: float) -> None:
    assert run(lambda t: lit(STREET, 1 + (ratio - 1) * t / 900), 900)[0] == []


def test_a_pile_is_found_in_changing_light() -> None:
    met, _ = run(lambda t: lit(pile_from(200)(t), 1 - 0.3 * t / 900), 900)
    assert met
    assert overlap(met[0][1].boxes[0], PILE) > 0.5


def test_passers_by_are_none_though_somebody_always_passes() -> None:
    def scene(t: int) -> Image:
        x = 0.1 + (t * 0.37) % 0.7
        return with_box(STREET, (x, 0.5, x + 0.05, 0.8), COLOURS[(t // 20) % 5], seed=t)

    assert run(scene, 900)[0] == []


def test_persons_passing_in_front_of_a_pile_do_not_hide_it() -> None:
    def scene(t: int) -> Image:
        image = pile_from(200)(t)
        return with_box(image, (0.52, 0.5, 0.57, 0.8), COLOURS[t // 20 % 5], seed=t) if t % 100 == 0 else image

    met, _ = run(scene, 600)
    assert met
    assert met[0][1].since == after(200)


def test_what_the_model_names_as_person_or_vehicle_is_none() -> None:
    met, _ = run(pile_from(200), 900, ignored=lambda t: [PILE] if t >= 200 else [])
    assert met == []


def test_a_vehicle_that_the_model_misses_now_and_then_is_none() -> None:
    met, _ = run(pile_from(200), 1200, ignored=lambda t: [PILE] if t >= 200 and t % 60 else [])
    assert met == []


def test_outside_the_zone_is_none() -> None:
    left = Zone("left", ((0.0, 0.0), (0.45, 0.0), (0.45, 1.0), (0.0, 1.0)))
    assert run(pile_from(200), 600, zone=left)[0] == []


def test_too_small_is_none() -> None:
    met, _ = run(lambda t: with_box(STREET, (0.5, 0.6, 0.52, 0.63), COLOURS[0]) if t > 200 else STREET, 600)
    assert met == []


def test_a_thing_that_leaves_is_no_new_thing() -> None:
    assert run(lambda t: STREET if t >= 300 else with_box(STREET, PILE, COLOURS[0]), 900)[0] == []


def test_a_shadow_is_none() -> None:
    def scene(t: int) -> Image:
        if t < 200:
            return STREET
        shade = np.ones(STREET.shape[:2], np.float32)
        shade[150:300, 200:420] = 0.6
        return (STREET * cv2.GaussianBlur(shade, (15, 15), 0)[..., None]).astype(np.uint8)

    assert run(scene, 900)[0] == []


def night(image: Image) -> Image:
    """Infrared: grey, other tones (what was bright by day is dark)."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return cv2.cvtColor(cv2.LUT(grey, (60 + 120 * np.cos(np.arange(256) / 40)).astype(np.uint8)), cv2.COLOR_GRAY2BGR)


def test_day_to_infrared_is_learned_quietly_and_then_things_are_found_again() -> None:
    dark = night(STREET)

    def scene(t: int) -> Image:
        if t < 300:
            return STREET
        return dark if t < 700 else with_box(dark, PILE, (200, 200, 200))

    met, _ = run(scene, 1100)
    assert [t for t, _ in met][:1] >= [820]
    assert met[0][1].since == after(700)


def test_a_camera_turned_elsewhere_is_no_finding() -> None:
    assert run(lambda t: STREET if t < 300 else street(99)[::-1, ::-1], 900)[0] == []


@pytest.mark.parametrize("shift", [(2, 1), (5, -3), (12, 4)])
def test_a_small_nudge_is_followed(shift: tuple[int, int]) -> None:
    """Pixels of a 640 px picture; the box is where the thing is in the picture as it is now."""

    def moved(image: Image) -> Image:
        matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
        return np.asarray(cv2.warpAffine(image, matrix, (640, 360), borderMode=cv2.BORDER_REFLECT), np.uint8)

    assert run(lambda t: STREET if t < 300 else moved(STREET), 900)[0] == []
    met, _ = run(lambda t: pile_from(500)(t) if t < 300 else moved(pile_from(500)(t)), 900)
    there = (PILE[0] + shift[0] / 640, PILE[1] + shift[1] / 360, PILE[2] + shift[0] / 640, PILE[3] + shift[1] / 360)
    assert overlap(met[0][1].boxes[0], there) > 0.6


def test_a_flickering_screen_is_none() -> None:
    assert run(lambda t: with_box(STREET, (0.2, 0.1, 0.35, 0.25), COLOURS[(t // 20) % 4], seed=t), 900)[0] == []


def test_a_traffic_light_is_none() -> None:
    assert run(lambda t: with_box(STREET, PILE, COLOURS[0]) if t % 60 < 30 and t > 100 else STREET, 1200)[0] == []


def test_it_ends_when_the_pile_is_taken_away() -> None:
    met, background = run(lambda t: pile_from(200)(t) if t < 500 else STREET, 900)
    assert met[-1][0] < 560
    assert not new_and_stays.timing(background, Zone.whole(), RULE)


def test_a_restart_forgets_nothing() -> None:
    _, background = run(pile_from(200), 280)
    again = Background.of_arrays(background.arrays())
    met, _ = run(pile_from(200), 600, background=again, start_s=300)
    assert met[0][0] == 320
    assert met[0][1].since == after(200)


def test_what_stood_for_a_day_is_background() -> None:
    _, background = run(pile_from(200), 400)
    met, _ = run(pile_from(200), 2 * 86400, 3600, background=background, start_s=86400 + 3600)
    assert met == []


def test_another_picture_size_starts_anew() -> None:
    background = new_and_stays.look(None, STREET, datetime(2026, 1, 1, tzinfo=UTC))
    other = new_and_stays.look(background, street(7, 320, 320), datetime(2026, 1, 1, 0, 1, tzinfo=UTC))
    assert len(other.learning) == 1
    assert other.picture.shape == (320, 320, 3)
