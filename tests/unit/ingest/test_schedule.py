"""The schedule over simulated time: intervals, hosts, overload, priority, asking."""

from __future__ import annotations

import time
from collections import Counter
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.device import Camera, Watch
from ingest.schedule import Schedule


def camera(name: str, every_s: float = 10.0, priority: int = 0, host: str | None = None) -> Camera:
    return Camera(name, name, f"rtsp://{host or name}/x", Watch.PATROL, every_s, priority)


def simulate(
    schedule: Schedule, until_s: float, looks_at_once: int, look_s: float, tick_s: float = 0.1
) -> Counter[str]:
    """Looks of `look_s` each, `looks_at_once` side by side; how often each camera was looked at."""
    running: list[tuple[float, str]] = []
    seen: Counter[str] = Counter()
    now_s = 0.0
    while now_s < until_s:
        for end_s, name in [r for r in running if r[0] <= now_s]:
            running.remove((end_s, name))
            schedule.finished(name, now_s, True)
            seen[name] += 1
        for name in schedule.due(now_s, looks_at_once - len(running)):
            running.append((now_s + look_s, name))
        assert len(running) <= looks_at_once
        now_s += tick_s
    return seen


def test_everything_new_is_due_at_once_and_nothing_twice() -> None:
    schedule = Schedule([camera("a"), camera("b")])
    assert set(schedule.due(0.0, 8)) == {"a", "b"}
    assert schedule.due(0.0, 8) == []
    schedule.finished("a", 0.5, True)
    assert schedule.due(0.6, 8) == []


def test_intervals_are_kept_where_there_is_room() -> None:
    schedule = Schedule([camera("fast", 2.0), camera("slow", 20.0)])
    seen = simulate(schedule, 200, 8, 0.1)
    assert 95 <= seen["fast"] <= 102
    assert 9 <= seen["slow"] <= 12
    assert schedule.attained_s("fast", 200) == pytest.approx(2.0, abs=0.3)


def test_over_capacity_all_are_stretched_evenly() -> None:
    cameras = [camera(f"c{i}", 10.0) for i in range(100)]
    seen = simulate(Schedule(cameras), 400, 4, 1.0)  # room for 4 looks a second, 10 wanted
    counts = [seen[c.id] for c in cameras]
    assert sum(counts) >= 4 * 400 * 0.9
    assert max(counts) - min(counts) <= 2


def test_over_capacity_longer_intervals_stretch_in_proportion_and_priority_counts_double() -> None:
    cameras = [camera(f"n{i}", 5.0) for i in range(30)]
    cameras += [camera(f"l{i}", 10.0) for i in range(30)]
    cameras += [camera(f"p{i}", 10.0, priority=1) for i in range(30)]
    seen = simulate(Schedule(cameras), 600, 3, 1.0)
    mean = {kind: sum(n for name, n in seen.items() if name[0] == kind) / 30 for kind in "nlp"}
    assert mean["n"] / mean["l"] == pytest.approx(2.0, rel=0.2)
    assert mean["p"] / mean["l"] == pytest.approx(2.0, rel=0.2)
    assert min(seen.values()) > 0, "nobody starves"


def test_one_host_is_never_asked_more_than_its_limit() -> None:
    schedule = Schedule([camera(f"c{i}", host="nvr") for i in range(10)] + [camera("other")], per_host=2)
    first = schedule.due(0.0, 8)
    assert len([name for name in first if name != "other"]) == 2
    assert "other" in first
    assert schedule.due(0.1, 8) == []
    schedule.finished(next(n for n in first if n != "other"), 0.2, True)
    assert len(schedule.due(0.2, 8)) == 1


def test_a_failed_camera_comes_back_after_its_back_off() -> None:
    schedule = Schedule([camera("a", 1.0)])
    schedule.due(0.0, 1)
    schedule.finished("a", 0.1, False, wait_s=30.0)
    assert schedule.due(29.0, 1) == []
    assert schedule.due(30.2, 1) == ["a"]


def test_asking_goes_before_all_others() -> None:
    schedule = Schedule([camera(f"c{i}", 1.0) for i in range(20)] + [camera("asked", 1000.0)])
    simulate(schedule, 3.0, 4, 0.1)
    schedule.ask("asked", 5.0)
    assert "asked" not in schedule.due(4.9, 4)
    assert schedule.due(5.0, 4)[0] == "asked"
    schedule.finished("asked", 5.1, True)
    assert "asked" not in schedule.due(6.0, 30)


def test_cameras_added_together_do_not_stay_in_step() -> None:
    cameras = [camera(f"c{i}", 10.0) for i in range(50)]
    schedule = Schedule(cameras)
    for name in schedule.due(0.0, 50):
        schedule.finished(name, 0.0, True)
    due_by = list(accumulate(len(schedule.due(t / 2, 50)) for t in range(10, 21)))
    assert due_by[0] <= 5
    assert due_by[-1] == 50
    assert max(b - a for a, b in pairwise(due_by)) < 20


def test_attained_interval_grows_with_the_present_gap() -> None:
    schedule = Schedule([camera("a", 10.0)])
    assert schedule.attained_s("a", 0.0) is None
    for now_s in (0.0, 10.0, 20.0):
        schedule.due(now_s, 1)
        schedule.finished("a", now_s, True)
    assert schedule.attained_s("a", 21.0) == pytest.approx(10.0)
    assert schedule.attained_s("a", 120.0) == pytest.approx(100.0)
    assert schedule.attained_s("unknown", 0.0) is None


def test_removed_and_changed_cameras() -> None:
    schedule = Schedule([camera("a", 100.0), camera("b", host="nvr")], per_host=1)
    assert set(schedule.due(0.0, 8)) == {"a", "b"}
    schedule.remove("b")
    schedule.finished("b", 1.0, True)  # a look that ends after its camera went
    schedule.add(camera("c", host="nvr"), 1.0)
    assert schedule.due(1.0, 8) == ["c"]
    schedule.finished("a", 1.0, True)
    schedule.add(camera("a", 5.0), 2.0)  # shorter interval: due by the new one
    assert "a" in schedule.due(5.1, 8)
    assert "b" not in schedule


def test_a_platform_has_its_own_limit_beside_the_hosts() -> None:
    schedule = Schedule(per_host=4, limits={"platform nvr": 2})
    for i in range(6):
        schedule.add(camera(f"c{i}"), 0.0, ["platform nvr", f"host {i % 2}"])
    assert len(schedule.due(0.0, 9)) == 2
    schedule.limit("platform nvr", 9, 0.1)
    assert len(schedule.due(0.1, 9)) == 4
    schedule.limit_hosts(1, 0.2)
    assert schedule.due(0.2, 9) == []


def test_a_look_that_has_left_its_camera_makes_room_before_it_is_finished() -> None:
    schedule = Schedule([camera(f"c{i}", host="nvr") for i in range(2)], per_host=1)
    (first,) = schedule.due(0.0, 9)
    assert schedule.due(0.1, 9) == []
    schedule.left(first, 0.2)
    (second,) = schedule.due(0.2, 9)
    schedule.finished(first, 0.3, True)
    assert schedule.due(0.3, 9) == []
    schedule.finished(second, 0.4, True)


def test_a_postponed_look_waits_as_long_as_before() -> None:
    schedule = Schedule([camera("a"), camera("b")])
    schedule.due(0.0, 9)
    schedule.finished("b", 0.0, True)
    schedule.postpone("a", 0.0, 0.5)
    assert schedule.due(0.4, 9) == []
    assert schedule.due(0.5, 9) == ["a"]


@pytest.mark.parametrize("by_s", [-1.0, 1.5])
def test_a_look_that_is_shifted_leaves_the_pace_of_those_after_it(by_s: float) -> None:
    schedule = Schedule([camera("c", every_s=10.0)])
    assert schedule.due(0.0, 1) == ["c"]
    schedule.finished("c", 0.0, ok=True)
    first_s = schedule.next_of("c")
    assert first_s is not None
    for look in range(4):
        planned_s = first_s + 10.0 * look
        assert schedule.next_of("c") == pytest.approx(planned_s)
        schedule.shift("c", by_s)
        assert schedule.due(planned_s + by_s - 0.01, 1) == []
        assert schedule.due(planned_s + by_s, 1) == ["c"]
        schedule.finished("c", planned_s + by_s, ok=True)


def test_a_look_under_way_or_asked_for_is_not_shifted() -> None:
    schedule = Schedule([camera("c", every_s=10.0)])
    schedule.due(0.0, 1)
    schedule.shift("c", 5.0)
    schedule.finished("c", 0.0, ok=True)
    planned_s = schedule.next_of("c")
    assert planned_s is not None
    assert planned_s <= 10.0
    schedule.ask("c", 2.0)
    schedule.shift("c", 5.0)
    assert schedule.next_of("c") == 2.0
    assert schedule.due(2.0, 1) == ["c"]


def test_a_look_that_begins_late_does_not_shift_the_ones_after_it() -> None:
    schedule = Schedule([camera("a", 10.0)])
    begun = []
    for tick in range(3000):
        now_s = tick * 0.03  # each look begins up to 30 ms late
        if schedule.due(now_s, 1):
            begun.append(now_s)
            schedule.finished("a", now_s, True)
    gaps = [b - a for a, b in pairwise(begun[1:])]
    assert sum(gaps) / len(gaps) == pytest.approx(10.0, abs=0.005)


def test_the_figures_over_all_leave_out_those_that_do_not_answer() -> None:
    schedule = Schedule([camera("a"), camera("b"), camera("dead")])
    for now_s in (0.0, 10.0, 20.0):
        schedule.due(now_s, 9)
        schedule.finished("a", now_s, True)
        schedule.finished("b", now_s, True)
        schedule.finished("dead", now_s, False, 5.0)
    figures = schedule.attained(20.0)
    assert figures.cameras == 2
    assert figures.median_s == pytest.approx(10.0)
    assert figures.on_time == 1.0
    assert schedule.attained(45.0).on_time == 0.0


def test_two_thousand_due_at_once_cost_each_hardly_more_than_two_hundred() -> None:
    """Over capacity: room for 32 looks, all others wait. Time of this process alone, the best of three."""

    def seconds_a_look(cameras: int) -> float:
        schedule = Schedule(limits={"decode": 32})
        for i in range(cameras):
            schedule.add(camera(f"c{i}", cameras / 400, priority=i % 3), 0.0, ["decode"])
        running: list[str] = []
        began_s = time.process_time()
        looks = 0
        for tick in range(400):
            now_s = tick * 0.05
            for name in running[:16]:
                schedule.finished(name, now_s, True)
            running = running[16:] + schedule.due(now_s, 1000)
            looks += min(16, len(running))
        return (time.process_time() - began_s) / looks

    few, many = (min(seconds_a_look(n) for _ in range(3)) for n in (200, 4000))
    assert many < 5 * few, "twenty times as many wait"


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, int, float]]:
    actions = st.sampled_from(("due", "finish", "fail", "left", "postpone", "ask", "add", "remove", "limit"))
    return draw(st.lists(st.tuples(actions, st.integers(0, 11), st.floats(0.0, 3.0)), max_size=80))


@given(histories())
def test_whatever_happens_limits_hold_and_nobody_is_forgotten(history: list[tuple[str, int, float]]) -> None:
    most = {"platform p": 3, "lens": 1}
    schedule = Schedule(per_host=2, limits=most)

    def within(i: int) -> list[str]:
        return [f"host {i % 4}"] + ["platform p"] * (i % 2) + ["lens"] * (i % 3 == 0)

    def put(i: int, now_s: float) -> None:
        schedule.add(camera(f"c{i}", 1.0 + i % 3, priority=i % 2), now_s, within(i))

    now_s, inside, running = 0.0, set[int](), set[int]()
    there = set(range(12))
    for i in there:
        put(i, 0.0)
    for action, i, step_s in [*history, ("due", 0, 100.0)]:
        now_s += step_s if action in ("due", "limit") else 0.0
        name = f"c{i}"
        if action in ("finish", "fail", "postpone") and i in running:
            if action == "postpone":
                schedule.postpone(name, now_s, now_s + 1.0)
            else:
                schedule.finished(name, now_s, action == "finish", 2.0)
            running.discard(i)
            inside.discard(i)
        elif action == "left" and i in running:
            schedule.left(name, now_s)
            inside.discard(i)
        elif action == "ask":
            schedule.ask(name, now_s)
        elif action == "add" and i not in there:
            put(i, now_s)
            there.add(i)
        elif action == "remove" and i in there:
            schedule.remove(name, now_s)
            there.discard(i)
            running.discard(i)
            inside.discard(i)
        elif action == "limit":
            most["platform p"] = 1 + i % 5
            schedule.limit("platform p", most["platform p"], now_s)
        elif action == "due":
            begun = {int(name[1:]) for name in schedule.due(now_s, 99)}
            assert not begun & running
            running |= begun
            inside |= begun
    used = Counter(limit for i in inside for limit in within(i))
    room = {limit for i in range(12) for limit in within(i) if used[limit] < most.get(limit, 2)}
    for i in there - running:  # the last `due` came a hundred seconds later: whoever still waits found a limit full
        assert any(limit not in room for limit in within(i)), f"c{i} was forgotten"
