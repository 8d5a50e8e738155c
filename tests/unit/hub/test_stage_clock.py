"""A stage's clock over dispatch, return, another department, answer, rework, suspension and extension."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.clock import Calendar, deadline, parse_limit
from hub.domain.stage_clock import STAGE_LIMITS, Stage, StageClock

CALENDAR = Calendar(ZoneInfo("Asia/Shanghai"))
LIMITS = ("4工作时", "1工作日", "2紧急工作时", "2紧急工作日", "15工作日", "0.25紧急工作时")


def shanghai(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(UTC)


def begin(limit: str, at: datetime) -> StageClock:
    return StageClock.begin(limit, at, CALENDAR)


def test_a_return_pauses_and_the_same_department_goes_on_with_what_is_left() -> None:
    clock = begin("4工作时", shanghai(23, 8))
    assert clock.deadline == shanghai(23, 12)
    clock = clock.pause(shanghai(23, 9), CALENDAR)
    assert clock.remaining_s(shanghai(23, 11)) == 3 * 3600
    assert clock.used_pct(shanghai(23, 11), CALENDAR) == 25.0
    clock = clock.resume(shanghai(23, 11), CALENDAR)
    assert clock.deadline == shanghai(23, 16)  # 1 h before lunch, 2 h after it
    assert clock.paused_s == 2 * 3600
    assert clock.remaining_work_s(shanghai(23, 13), CALENDAR) == 2 * 3600


def test_the_answer_takes_the_timeout_verdict_once() -> None:
    clock = begin("2紧急工作时", shanghai(22, 20))
    in_time = clock.finish(shanghai(22, 22), CALENDAR)
    assert (in_time.timed_out, in_time.timeout_s, in_time.overdue(shanghai(24, 0))) == (False, 0.0, False)
    late = clock.finish(shanghai(22, 22, 1), CALENDAR)
    assert (late.timed_out, late.timeout_s) == (True, 60.0)
    assert late.remaining_s(shanghai(24, 0)) == -60
    other = Calendar(ZoneInfo("Asia/Shanghai"), holidays=frozenset({shanghai(22, 20).date()}))
    assert late.finish(shanghai(25, 0), other) == late


def test_a_rework_is_a_run_of_its_own_with_what_was_left() -> None:
    first = begin("4工作时", shanghai(23, 8)).finish(shanghai(23, 11), CALENDAR)
    again = first.again(shanghai(23, 14), CALENDAR)
    assert (again.carried_s, again.used_s, again.deadline) == (3 * 3600, 3 * 3600, shanghai(23, 15))
    assert first.timed_out is False


def test_rework_after_the_deadline_stays_overdue() -> None:
    first = begin("2紧急工作时", shanghai(23, 8)).finish(shanghai(23, 11), CALENDAR)
    again = first.again(shanghai(23, 12), CALENDAR)
    assert again.deadline == shanghai(23, 10)
    assert again.overdue(shanghai(23, 12))


def test_an_extension_adds_one_original_limit_to_the_deadline() -> None:
    clock = begin("4工作时", shanghai(23, 8)).extend(shanghai(23, 9), CALENDAR)
    assert (clock.deadline, clock.limit_s, clock.extensions) == (shanghai(23, 18), 8 * 3600, 1)
    paused = clock.pause(shanghai(23, 16), CALENDAR).resume(shanghai(24, 8), CALENDAR)
    assert paused.deadline == shanghai(24, 10)


def test_a_clock_that_was_late_before_its_pause_stays_late() -> None:
    clock = begin("2紧急工作时", shanghai(23, 8)).pause(shanghai(23, 11), CALENDAR)
    assert clock.resume(shanghai(24, 8), CALENDAR).deadline == shanghai(23, 10)
    ended = clock.finish(shanghai(24, 8), CALENDAR)
    assert (ended.timed_out, ended.timeout_s, ended.paused_s) == (True, 3600.0, 21 * 3600)


def test_the_stages_have_the_defaults_of_the_product() -> None:
    lengths = {stage: parse_limit(text).length(CALENDAR) for stage, text in STAGE_LIMITS.items()}
    quarter, half = timedelta(minutes=15), timedelta(minutes=30)
    assert lengths == {Stage.ACCEPT: quarter, Stage.VERIFY: half, Stage.DISPATCH: quarter, Stage.CHECK: half}
    assert all(parse_limit(text).continuous for text in STAGE_LIMITS.values())


starts = st.integers(0, 14 * 24 * 60).map(lambda minutes: shanghai(9, 0) + timedelta(minutes=minutes))


@given(starts, st.integers(0, 6000), st.sampled_from(LIMITS))
def test_the_deadline_is_monotone_in_the_start(start: datetime, later_min: int, limit: str) -> None:
    later = start + timedelta(minutes=later_min)
    assert deadline(start, parse_limit(limit), CALENDAR) <= deadline(later, parse_limit(limit), CALENDAR)


@given(
    starts, st.integers(1, 400), st.integers(0, 400), st.sampled_from(("工作时", "工作日", "紧急工作时", "紧急工作日"))
)
def test_the_deadline_is_monotone_in_the_limit(start: datetime, amount: int, more: int, unit: str) -> None:
    short, long = parse_limit(f"{amount}{unit}"), parse_limit(f"{amount + more}{unit}")
    assert deadline(start, short, CALENDAR) <= deadline(start, long, CALENDAR)
    assert more == 0 or deadline(start, short, CALENDAR) < deadline(start, long, CALENDAR)


@given(starts, st.lists(st.tuples(st.integers(0, 600), st.integers(1, 3000)), max_size=5), st.sampled_from(LIMITS))
def test_a_pause_never_shortens_what_remains(start: datetime, pauses: list[tuple[int, int]], limit: str) -> None:
    """However often a clock is paused, it ends after exactly its limit on its own clock."""
    plain = clock = begin(limit, start)
    now = start
    for run_min, pause_min in pauses:
        now += timedelta(minutes=run_min)
        left_s = clock.remaining_work_s(now, CALENDAR)
        clock = clock.pause(now, CALENDAR)
        now += timedelta(minutes=pause_min)
        assert clock.remaining_work_s(now, CALENDAR) == left_s
        clock = clock.resume(now, CALENDAR)
        assert clock.remaining_work_s(now, CALENDAR) == left_s
    assert clock.deadline >= plain.deadline
    if clock.used_s < clock.limit_s:
        assert abs(clock.used_at(clock.deadline, CALENDAR) - clock.limit_s) < 1e-3


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin"])
@given(minutes=st.integers(0, 10 * 24 * 60), limit=st.sampled_from(LIMITS), spring=st.booleans())
def test_a_clock_change_costs_or_gives_nobody_working_time(zone: str, minutes: int, limit: str, spring: bool) -> None:
    """Where clocks are put forward or back, a limit still ends after its own length; deadlines stay monotone."""
    calendar = Calendar(ZoneInfo(zone), weekdays=frozenset(range(1, 8)))
    begin_at = datetime(2026, 3, 5, tzinfo=UTC) if spring else datetime(2026, 10, 22, tzinfo=UTC)
    start = begin_at + timedelta(minutes=minutes)
    clock = StageClock.begin(limit, start, calendar)
    assert abs(clock.used_at(clock.deadline, calendar) - clock.limit_s) < 1e-3
    assert StageClock.begin(limit, start + timedelta(minutes=1), calendar).deadline >= clock.deadline
