"""Dwell and presence as tables of made-up detections: what stays is found, what passes is not."""

from __future__ import annotations

import json
from collections.abc import Iterable

import numpy as np
import pytest

from detectors.detection import Detections
from detectors.geometry import Zone
from detectors.kinds import RuleSpec
from detectors.rules import count, presence
from detectors.rules.presence import Presence, Seen, duration
from ingest.frame import Pixels

from .made import after, seen, street, with_box

SCORES = {"garbage": 0.35, "vehicle": 0.35, "fire": 0.3}
GARBAGE = RuleSpec("dwell", 60, looks=3, of=5)
PARKING = RuleSpec("dwell", 120, looks=4, of=5, anchor="foot")
FIRE = RuleSpec("presence", 20, looks=3, of=5)
BOX = (0.4, 0.5, 0.5, 0.6)
CAR = (0.3, 0.4, 0.6, 0.7)


def run(
    rule: RuleSpec, looks: Iterable[tuple[float, Detections]], zone: Zone | None = None
) -> list[tuple[float, Seen]]:
    """(seconds, verdict) of each look at which the rule was met."""
    state, met = Presence(), []
    for t_s, detections in looks:
        state, verdict = presence.look(state, detections, after(t_s), rule, zone or Zone.whole(), SCORES)
        state = Presence.from_json(json.loads(json.dumps(state.to_json())))
        if verdict:
            met.append((t_s, verdict))
    return met


def still(label: str, box: tuple[float, float, float, float], times: Iterable[float], score: float = 0.6) -> list:
    return [(t, seen((label, score, box))) for t in times]


@pytest.mark.parametrize("every_s", [5, 10, 20, 30, 60])
def test_rubbish_that_stays_is_found_once_the_dwell_is_over(every_s: int) -> None:
    met = run(GARBAGE, still("garbage", BOX, range(0, 300, every_s)))
    assert met[0][0] == max(60, 2 * every_s)
    assert met[0][1].since == after(0)
    assert met[0][1].boxes == (pytest.approx(BOX, abs=1e-6),)
    lasted_s = max(60, 2 * every_s)
    assert met[0][1].why.startswith(f"持续 {duration(lasted_s)}，")
    assert met[0][1].why_en.startswith(f"There for {duration(lasted_s, english=True)}, seen in ")


def test_jitter_flicker_and_weak_scores_are_forgiven() -> None:
    rng = np.random.default_rng(1)
    looks = []
    for index, t in enumerate(range(0, 200, 10)):
        if index % 3 == 1:
            looks.append((t, Detections.empty()))
            continue
        box = tuple(float(v) for v in np.array(BOX) + rng.normal(0, 0.006, 4))
        looks.append((t, seen(("garbage", 0.25 if index % 4 == 3 else 0.6, box))))
    met = run(GARBAGE, looks)
    assert met
    assert met[0][1].since == after(0)


@pytest.mark.parametrize(
    "looks",
    [
        pytest.param(
            [(0, seen(("garbage", 0.9, BOX)))] + [(t, Detections.empty()) for t in range(10, 200, 10)], id="once"
        ),
        pytest.param(still("garbage", BOX, range(0, 60, 10)), id="too short"),
        pytest.param(still("garbage", BOX, range(0, 300, 10), 0.3), id="too weak"),
        pytest.param(still("person", BOX, range(0, 300, 10)), id="another label"),
        pytest.param(
            [(t, seen(("garbage", 0.6, BOX)) if t % 70 == 0 else seen()) for t in range(0, 600, 10)], id="rare"
        ),
        pytest.param(
            [(t, seen(("garbage", 0.6, (t / 300, 0.5, t / 300 + 0.1, 0.6)))) for t in range(0, 260, 10)], id="moves"
        ),
        pytest.param(still("garbage", BOX, [0, 10, 20]) + still("garbage", BOX, [3600, 3610]), id="hours apart"),
        pytest.param([(t, seen(("garbage", 0.36 if t == 0 else 0.23, BOX))) for t in range(0, 300, 10)], id="hovering"),
    ],
)
def test_what_is_no_rubbish_that_stays(looks: list) -> None:
    assert run(GARBAGE, looks) == []


def test_persons_passing_in_front_do_not_reset_the_dwell() -> None:
    looks = [(t, seen() if t in (30, 40, 80) else seen(("garbage", 0.6, BOX))) for t in range(0, 130, 10)]
    met = run(GARBAGE, looks)
    assert met[0][0] == 60
    assert met[0][1].since == after(0)


def test_a_problem_is_only_said_at_a_look_that_shows_it() -> None:
    looks = [*still("garbage", BOX, range(0, 60, 10)), (60, seen()), (70, seen(("garbage", 0.6, BOX)))]
    assert [t for t, _ in run(GARBAGE, looks)] == [70]


@pytest.mark.parametrize(
    ("zone", "anchor", "found"),
    [
        (((0.0, 0.6), (1.0, 0.6), (1.0, 1.0), (0.0, 1.0)), "foot", True),  # the wheels stand in it
        (((0.0, 0.0), (1.0, 0.0), (1.0, 0.6), (0.0, 0.6)), "foot", False),  # only the roof does
        (((0.0, 0.0), (1.0, 0.0), (1.0, 0.6), (0.0, 0.6)), "overlap", True),  # two thirds of the box
        (((0.0, 0.65), (1.0, 0.65), (1.0, 1.0), (0.0, 1.0)), "overlap", False),  # a sixth of it
    ],
)
def test_the_anchor_says_what_is_in_the_zone(zone: tuple, anchor: str, found: bool) -> None:
    rule = RuleSpec("dwell", 60, anchor=anchor)
    assert bool(run(rule, still("vehicle", CAR, range(0, 100, 10)), Zone("z", zone))) == found


def test_fire_may_flicker_and_smoke_may_drift() -> None:
    looks = []
    for index, t in enumerate(range(0, 60, 4)):
        grow = 0.02 * (index % 3)
        looks.append((t, seen(("fire", 0.4, (0.4 - grow, 0.5 - grow, 0.5 + grow, 0.6))) if index % 4 != 2 else seen()))
    assert run(FIRE, looks)[0][0] <= 28


def test_a_red_light_driving_by_is_no_fire() -> None:
    assert run(FIRE, [(t, seen(("fire", 0.5, (t / 60, 0.5, t / 60 + 0.04, 0.54)))) for t in range(0, 56, 4)]) == []


def car_park(cars: list[tuple[int, int]], duration_s: int, every_s: int = 10) -> list[tuple[float, Seen]]:
    """A row of cars (seed, leaves at) on one spot, one after the other; each is seen at the very same box."""
    empty, state, met = street(4), Presence(), []
    for t in range(0, duration_s, every_s):
        car = next((seed for seed, until in cars if t < until), None)
        image = empty if car is None else with_box(empty, CAR, (60, 60, 60 + 40 * (car % 4)), seed=car)
        there = seen() if car is None else seen(("vehicle", 0.8, CAR))
        state, verdict = presence.look(state, there, after(t), PARKING, Zone.whole(), SCORES, Pixels(image).grey)
        if verdict:
            met.append((t, verdict))
    return met


def test_a_parked_car_is_found() -> None:
    assert car_park([(11, 1000)], 200)[0][0] == 120


def test_cars_that_stop_one_after_the_other_on_one_spot_are_not() -> None:
    assert car_park([(seed, 40 * seed) for seed in range(1, 12)], 440) == []


def test_a_car_that_stops_for_short_is_not() -> None:
    assert car_park([(7, 110)], 300) == []


def test_the_second_car_is_timed_from_its_own_arrival() -> None:
    met = car_park([(7, 100), (9, 1000)], 400)
    assert met[0][0] == 220
    assert met[0][1].since == after(100)


def test_too_many_at_once() -> None:
    rule = RuleSpec("count", 60, looks=3, of=5, at_least=3)
    three = seen(*[("vehicle", 0.6, (x, 0.5, x + 0.1, 0.6)) for x in (0.1, 0.3, 0.5)])
    two = seen(*[("vehicle", 0.6, (x, 0.5, x + 0.1, 0.6)) for x in (0.1, 0.3)])

    def met(looks: list[tuple[float, Detections]]) -> list[float]:
        state, times = count.Count(), []
        for t, detections in looks:
            state, verdict = count.look(state, detections, after(t), rule, Zone.whole(), SCORES)
            state = count.Count.from_json(json.loads(json.dumps(state.to_json())))
            times += [t] if verdict else []
        return times

    assert met([(t, three) for t in range(0, 100, 10)]) == [60, 70, 80, 90]
    assert met([(t, two) for t in range(0, 100, 10)]) == []
    assert met([(t, three if t % 40 == 0 else two) for t in range(0, 400, 10)]) == []
    assert met([(t, two if t == 30 else three) for t in range(0, 80, 10)]) == [60, 70]


def test_a_queue_that_creeps_is_not_parked() -> None:
    looks = [(t, seen(("vehicle", 0.8, (0.1 + t / 1000, 0.4, 0.3 + t / 1000, 0.6)))) for t in range(0, 600, 10)]
    assert run(PARKING, looks) == []


def test_a_crowd_is_timed_on_when_the_clock_is_set_back() -> None:
    rule, state, met = RuleSpec("count", 60, looks=3, of=5, at_least=2), count.Count(), []
    two = seen(("vehicle", 0.6, CAR), ("vehicle", 0.6, (0.1, 0.4, 0.2, 0.7)))
    for t_s in (*range(28800, 28840, 10), *range(40, 100, 10)):
        state, verdict = count.look(state, two, after(t_s), rule, Zone.whole(), SCORES)
        if verdict:
            met.append((t_s, verdict.since))
    assert met[0] == (70, after(10))
