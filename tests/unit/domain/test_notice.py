"""Device notices: one for what has one cause, none for what comes and goes, and an end when all are back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from hub.domain.notice import EVERYTHING, Board, Cause, Notice, trouble_of

T0 = datetime(2026, 11, 24, 6, 3, tzinfo=UTC)


def net(n: int) -> Cause:
    return Cause("subnet", f"10.3.{n}.0/24", f"10.3.{n}.0/24")


def host(name: str) -> Cause:
    return Cause("host", name, name)


TRAITS = {
    **{f"a{i}": (host(f"10.3.7.{i}"), net(7), Cause("street", "s1", "西街街道"), EVERYTHING) for i in range(48)},
    **{f"b{i}": (host("10.3.8.9"), net(8), Cause("street", "s1", "西街街道"), EVERYTHING) for i in range(16)},
    **{f"c{i}": (host(f"10.3.{20 + i}.1"), net(20 + i), EVERYTHING) for i in range(100)},
}


class Town:
    """States that a test sets, and a board that follows them every five seconds."""

    def __init__(self) -> None:
        self.now = T0
        self.states = {camera: ("online", T0 - timedelta(days=1)) for camera in TRAITS}
        ids = count(1)
        self.board = Board([], lambda: f"n{next(ids)}")

    def be(self, state: str, *cameras: str) -> None:
        for camera in cameras:
            self.states[camera] = (state, self.now)

    def go(self, seconds: float) -> None:
        until = self.now + timedelta(seconds=seconds)
        while self.now < until:
            self.now += timedelta(seconds=5)
            self.board.update(self.states, lambda: TRAITS, self.now)

    @property
    def open(self) -> list[Notice]:
        return [n for n in self.board.notices.values() if n.ended_at is None]


@pytest.fixture
def town() -> Town:
    return Town()


def many(prefix: str, n: int) -> list[str]:
    return [f"{prefix}{i}" for i in range(n)]


def test_a_dead_switch_is_one_notice_with_48_cameras_in_it(town: Town) -> None:
    for i in range(48):  # found out one after the other, as looks come round
        town.be("offline" if i % 3 else "stale", f"a{i}")
        if i % 4 == 3:
            town.go(5)
    town.go(60)
    (notice,) = town.open
    assert (notice.trouble, notice.cause, len(notice.out), notice.began_at) == ("offline", net(7), 48, T0)


@pytest.mark.parametrize(
    ("failed", "found"),
    [
        (["a0"], [("none", 1)]),
        (many("b", 16), [("host", 16)]),
        ([*many("a", 48), *many("b", 16)], [("street", 64)]),
        (list(TRAITS), [("all", 164)]),
        ([*many("a", 48), *many("c", 3)], [("none", 3), ("subnet", 48)]),
        (["a1", "c1", "c2"], [("none", 3)]),
        (many("a", 20), [("subnet", 20)]),
    ],
    ids=["one", "an NVR", "a street's power", "everything", "a switch and others", "by chance", "part of a network"],
)
def test_the_best_common_cause_is_named(town: Town, failed: list[str], found: list[tuple[str, int]]) -> None:
    town.be("offline", *failed)
    town.go(60)
    assert sorted((n.cause.kind, len(n.out)) for n in town.open) == found


def test_unlike_troubles_and_unlike_times_are_notices_of_their_own(town: Town) -> None:
    town.be("offline", *many("a", 48))
    town.be("clock_wrong", *many("b", 16))
    town.go(60)
    town.be("offline", "c5")
    town.go(200)
    town.be("offline", "c6")
    town.go(60)
    assert [(n.trouble, len(n.out)) for n in town.open] == [
        ("offline", 48), ("clock_wrong", 16), ("offline", 1), ("offline", 1)
    ]  # fmt: skip


def test_what_lasts_less_than_half_a_minute_is_not_told(town: Town) -> None:
    for _ in range(20):
        town.be("offline", *many("a", 48))
        town.go(20)
        town.be("online", *many("a", 48))
        town.go(40)
    assert not town.board.notices


def test_it_shrinks_and_ends_and_late_ones_join(town: Town) -> None:
    town.be("offline", *many("a", 40))
    town.go(60)
    town.be("offline", *many("a", 48)[40:])
    town.go(60)
    (notice,) = town.open
    assert len(notice.out) == 48
    town.be("online", *many("a", 30))
    town.go(20)
    assert len(notice.out) == 48, "well for 20 s is not back yet"
    town.go(20)
    assert len(notice.out) == 18
    town.be("online", *many("a", 48)[30:])
    ended = town.now
    town.go(60)
    assert not town.open
    assert notice.ended_at == ended


def test_flapping_cameras_make_no_new_notices(town: Town) -> None:
    for _ in range(12):
        town.be("offline", "a3", "b3")
        town.go(120)
        town.be("online", "a3", "b3")
        town.go(300)
    assert len(town.board.notices) == 1
    assert {m.times for m in next(iter(town.board.notices.values())).members.values()} == {12}
    town.go(2000)
    town.be("offline", "a3")
    town.go(60)
    assert [list(n.members) for n in town.open] == [["a3"]], "hours later it is another trouble"


def test_another_trouble_instead_is_back_from_the_first(town: Town) -> None:
    town.be("offline", "a1")
    town.go(60)
    town.be("covered", "a1")
    town.go(60)
    assert [n.trouble for n in town.open] == ["covered"]


def test_a_camera_that_its_worker_says_was_well_all_along_is_back_now(town: Town) -> None:
    well = town.states["a1"]
    town.be("offline", "a1")
    town.go(60)
    town.states["a1"] = well
    town.go(5)
    (notice,) = town.board.notices.values()
    assert (notice.ended_at, notice.members["a1"].back_at) == (town.now, town.now)


def test_what_ended_long_ago_at_its_last_change_is_told_once_more(town: Town) -> None:
    town.be("offline", "a1")
    town.go(60)
    town.be("online", "a1")
    town.now += timedelta(hours=2)
    changed = town.board.update(town.states, lambda: TRAITS, town.now)
    assert [set(town.board.notices), changed] == [{"n1"}, {"n1": {"a1"}}]
    town.go(5)
    assert not town.board.notices


def test_a_camera_that_was_taken_away_is_not_waited_for(town: Town) -> None:
    town.be("offline", "a1")
    town.go(60)
    del town.states["a1"]
    town.go(10)
    assert not town.open


def test_a_board_goes_on_where_another_stopped(town: Town) -> None:
    town.be("offline", *many("a", 48))
    town.go(60)
    again = Board(town.open, lambda: "new")
    assert again.update(town.states, lambda: TRAITS, town.now + timedelta(seconds=5)) == {}
    town.be("online", *many("a", 48))
    later = town.now + timedelta(seconds=40)
    assert len(again.update(town.states, lambda: TRAITS, later)["n1"]) == 48
    assert again.notices["n1"].ended_at == town.now


@pytest.mark.parametrize(
    ("state", "trouble"), [("online", None), ("unknown", None), ("stale", "offline"), ("frozen", "frozen")]
)
def test_states_and_troubles(state: str, trouble: str | None) -> None:
    assert trouble_of(state) == trouble
