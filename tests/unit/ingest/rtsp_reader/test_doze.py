"""When a stream is walked again: shortly before the keyframe that the next look shows."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.cameras.rtsp.doze import AFTER_S, EARLY_S, LEAST_S, SURE_S, Doze

WALL_S = 1_800_000_000.0


def learnt(interval_s: float, keys: int, began_s: float = WALL_S) -> Doze:
    """A stream that was walked for so many keyframes."""
    doze = Doze()
    for n in range(keys):
        doze.key(n, 500.0 + n * interval_s, began_s + n * interval_s)
    return doze


@pytest.mark.parametrize("keys", [0, 1])
def test_nothing_is_passed_over_before_the_interval_is_known(keys: int) -> None:
    doze = learnt(2.0, keys)
    doze.until(10.0, 100.0, WALL_S + 1)
    assert doze.until_s == 0.0


def test_until_an_interval_before_the_look_while_keyframes_may_come_unevenly() -> None:
    doze = learnt(2.0, 2)
    doze.until(10.0, 100.0, WALL_S + 3)
    assert doze.until_s == pytest.approx(110.0 - 2.0 - SURE_S)


def test_until_just_before_the_last_keyframe_ahead_of_the_look_once_they_come_evenly() -> None:
    doze = learnt(2.0, 6)
    # The newest keyframe is of WALL_S + 10, so one of WALL_S + 20 is the last that is surely whole at the look.
    doze.until(10.0, 100.0, WALL_S + 11.5)
    assert doze.until_s == pytest.approx(100.0 + (20.0 - 11.5) - EARLY_S)


@given(
    interval_s=st.floats(0.2, 12.0),
    look_in_s=st.floats(0.0, 120.0),
    since_s=st.floats(0.0, 30.0),
)
def test_a_keyframe_comes_between_waking_and_the_look(interval_s: float, look_in_s: float, since_s: float) -> None:
    doze = learnt(interval_s, 8)
    wall_s = WALL_S + 7 * interval_s + since_s
    doze.until(look_in_s, 100.0, wall_s)
    if not doze.until_s:
        return
    assert doze.until_s - 100.0 >= LEAST_S
    woke_s = wall_s + doze.until_s - 100.0
    keys_s = [WALL_S + n * interval_s for n in range(1200)]
    assert any(woke_s <= key_s <= wall_s + look_in_s - SURE_S + 1e-3 for key_s in keys_s)


def test_a_look_follows_the_keyframe_that_is_nearest_to_it() -> None:
    doze = learnt(2.0, 6)  # the newest of WALL_S + 10: whole at + 10.3, to be looked at at + 10.5
    assert doze.best(10.0, WALL_S + 11.0) == pytest.approx(10.0 - 0.5)
    assert doze.best(10.0, WALL_S + 12.4) == pytest.approx(10.0 + 0.1)
    assert doze.best(doze.best(10.0, WALL_S + 11.0), WALL_S + 11.0) == pytest.approx(9.5), "there it stays"


@pytest.mark.parametrize(("interval_s", "keys"), [(2.0, 3), (3.0, 6), (0.0, 0)])
def test_a_look_follows_none_that_come_unevenly_or_rarely(interval_s: float, keys: int) -> None:
    assert learnt(interval_s, keys).best(10.0, WALL_S + 21.0) == 10.0


@given(
    interval_s=st.floats(0.2, 2.5),
    look_in_s=st.floats(10.0, 120.0),
    since_s=st.floats(0.0, 30.0),
)
def test_a_picture_is_never_older_for_it(interval_s: float, look_in_s: float, since_s: float) -> None:
    doze, wall_s = learnt(interval_s, 8), WALL_S + 7 * interval_s + since_s

    def age_s(in_s: float) -> float:
        return (wall_s + in_s - SURE_S - WALL_S) % interval_s

    best_s = doze.best(look_in_s, wall_s)
    assert abs(best_s - look_in_s) <= interval_s / 2 + 1e-6
    assert min(abs(age_s(best_s) - AFTER_S % interval_s), interval_s - abs(age_s(best_s) - AFTER_S % interval_s)) < 1e-3


def test_short_waits_are_not_worth_it() -> None:
    doze = learnt(2.0, 6)
    doze.until(2.0, 100.0, WALL_S + 11)
    assert doze.until_s == 0.0


def test_uneven_keyframes_are_waited_for_an_interval_again() -> None:
    doze = learnt(2.0, 6)
    doze.key(6, 500.0 + 10.7, WALL_S + 10.7)
    doze.until(10.0, 100.0, WALL_S + 11)
    assert doze.until_s == pytest.approx(110.0 - doze.interval_s - SURE_S)


def test_those_that_were_passed_over_still_count_as_even() -> None:
    doze = learnt(2.0, 6)
    for n in (10, 20):
        doze.passed_over(WALL_S + n + 9.8)
        doze.key(n, 500.0 + n + 10, WALL_S + n + 10)
    doze.until(10.0, 100.0, WALL_S + 31)
    assert doze.until_s == pytest.approx(100.0 + 9.0 - EARLY_S)
    doze.passed_over(WALL_S + 39.8)
    doze.key(40, 500.0 + 40.9, WALL_S + 40.9)
    doze.until(10.0, 100.0, WALL_S + 41)
    assert doze.until_s == pytest.approx(110.0 - doze.interval_s - SURE_S)


def test_an_interval_that_grew_is_learnt_from_the_waiting() -> None:
    doze = learnt(2.0, 3)
    waits = []
    at_s = WALL_S + 4.0
    for n in range(6):
        look_s = at_s + 10.0
        doze.until(10.0, 100.0, at_s)
        woke_s = at_s + doze.until_s - 100.0
        doze.passed_over(woke_s)
        # Now one comes every five seconds.
        key_s = WALL_S + 5.0 * (1 + (woke_s - WALL_S) // 5.0)
        doze.key(10 + n, key_s - WALL_S + 500.0, key_s)
        waits.append(key_s - look_s)
        at_s = max(look_s, key_s)
    assert waits[0] > 0
    assert doze.interval_s == pytest.approx(5.0, abs=1.0)
    assert waits[-1] <= 0


def test_an_interval_that_shrank_is_believed_by_and_by() -> None:
    doze = learnt(4.0, 3)
    seen = [doze.interval_s]
    for n in range(12):
        doze.key(3 + n, 508.0 + 1 + n, WALL_S + 8 + 1 + n)
        seen.append(doze.interval_s)
    assert all(later < sooner for sooner, later in pairwise(seen))
    assert seen[-1] < 1.2


def test_a_clock_that_jumps_back_makes_no_negative_interval() -> None:
    doze = learnt(2.0, 3)
    doze.key(3, 100.0, WALL_S + 6)
    assert doze.interval_s == pytest.approx(2.0)


def test_waking() -> None:
    doze = learnt(2.0, 6)
    doze.until(10.0, 100.0, WALL_S + 11)
    assert doze.until_s
    doze.wake()
    assert doze.until_s == 0.0
