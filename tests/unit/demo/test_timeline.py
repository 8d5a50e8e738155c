"""What happens in the demo district, and when."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.demo.timeline import FIRST_EFFECT_S, Event, Happenings, Timeline, TimelineError

HEAP = Event(5, "c01", "garbage_exposed", "garbage_bin")
STUBBORN = Event(10, "c02", "garbage_exposed", "garbage_kerb", stubborn=True)
STOPS = Event(20, "c01", shows="car_kerb", lasts_s=20)


def kinds(happenings: Happenings, place: str, now_s: float) -> list[tuple[str, float]]:
    return [(seen.event.shows, seen.share) for seen in happenings.at(place, now_s)]


def test_events_begin_on_time_and_the_harmless_end_by_themselves() -> None:
    happenings = Happenings(Timeline((HEAP, STUBBORN, STOPS)))
    assert happenings.advance(4.9) == []
    assert happenings.advance(12) == [HEAP, STUBBORN]
    assert kinds(happenings, "c01", 12) == [("garbage_bin", 1.0)]
    happenings.advance(25)
    assert kinds(happenings, "c01", 25) == [("garbage_bin", 1.0), ("car_kerb", 1.0)]
    assert kinds(happenings, "c01", 41) == [("garbage_bin", 1.0)]


def test_an_answer_ends_only_what_it_names() -> None:
    fire = Event(6, "c01", "open_burning", "fire:garbage_bin")
    happenings = Happenings(Timeline((HEAP, fire, STUBBORN)))
    happenings.advance(12)
    assert happenings.answered("c01", "open_burning", 15) == [fire]
    assert happenings.answered("c09", "garbage_exposed", 20) == []
    assert happenings.answered("c01", "garbage_exposed", 20) == [HEAP]
    assert kinds(happenings, "c01", 20 + FIRST_EFFECT_S - 0.1) == [("garbage_bin", 1.0)]
    assert kinds(happenings, "c01", 20 + FIRST_EFFECT_S) == []
    assert kinds(happenings, "c02", 30) == [("garbage_kerb", 1.0)]
    happenings.advance(30)
    assert happenings.cleared_s("c01") == 20 + FIRST_EFFECT_S
    assert happenings.cleared_s("c02") is None


def test_who_comes_for_something_else_clears_what_is_there() -> None:
    happenings = Happenings(Timeline((HEAP, STUBBORN)))
    happenings.advance(12)
    assert happenings.answered("c01", "goods_pile", 20) == [HEAP]
    assert happenings.answered("c01", "goods_pile", 40) == []


def test_the_stubborn_need_a_second_answer() -> None:
    happenings = Happenings(Timeline((STUBBORN,)))
    happenings.advance(10)
    happenings.answered("c02", "garbage_exposed", 20)
    assert kinds(happenings, "c02", 30) == [("garbage_kerb", 0.5)]
    happenings.advance(30)
    happenings.answered("c02", "garbage_exposed", 40)
    assert kinds(happenings, "c02", 50) == []


def test_an_answer_to_a_harmless_event_changes_nothing() -> None:
    happenings = Happenings(Timeline((STOPS,)))
    happenings.advance(21)
    assert happenings.answered("c01", "", 22) == []
    assert kinds(happenings, "c01", 30) == [("car_kerb", 1.0)]


def test_later_events_come_from_the_pool_and_never_where_one_stands() -> None:
    pool = (HEAP, Event(0, "c03", "open_burning", "fire", lasts_s=200))
    runs = []
    for _run in range(2):
        happenings = Happenings(Timeline((STUBBORN,), pool, (30.0, 60.0), seed=4))
        runs.append([(event.place, now_s) for now_s in range(0, 2000, 10) for event in happenings.advance(now_s)])
        assert len(happenings.at("c01", 2000)) == 1
    assert runs[0] == runs[1]
    begun = [place for place, _now_s in runs[0]]
    assert begun.count("c01") == 1
    assert begun.count("c03") > 3


def test_every_problem_of_a_file_is_named_at_once(tmp_path: Path) -> None:
    file = tmp_path / "timeline.yaml"
    file.write_text(
        "opening:\n"
        "  - {at: -1, camera: c01, shows: heap, kind: garbage_exposed}\n"
        "  - {at: 5, camera: c01, sensor: s1, shows: heap, kind: garbage_exposed}\n"
        "  - {at: 5, camera: c01, trouble: melted, lasts_s: 5}\n"
        "  - {at: 5, camera: c01, shows: car}\n"
        "  - {at: 5, camera: c01, kind: garbage_exposed}\n"
        "later: {every_s: [9, 3], pool: [{camera: c01, shows: heap, kind: x, color: red}]}\n",
        encoding="utf-8",
    )
    with pytest.raises(TimelineError) as caught:
        Timeline.from_yaml(file)
    text = str(caught.value)
    for word in ("at: -1", "exactly one", "'melted'", "lasts_s: missing", "nothing happens", "every_s", "'color'"):
        assert word in text
