"""The handle clock over dispatch, return, another department, answer and rework."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from hub.domain.clock import Calendar
from hub.domain.handle_clock import HandleClock

CALENDAR = Calendar(ZoneInfo("Asia/Shanghai"))


def shanghai(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(UTC)


def test_a_return_pauses_and_the_same_department_goes_on_with_what_is_left() -> None:
    clock = HandleClock("4工作时").start(shanghai(23, 8), CALENDAR, fresh=True)
    assert clock.deadline == shanghai(23, 12)
    clock = clock.stop(shanghai(23, 9), CALENDAR)
    assert clock.remaining_s(shanghai(23, 11)) == 3 * 3600
    assert clock.used_pct(shanghai(23, 11), CALENDAR) == 25.0
    clock = clock.start(shanghai(23, 11), CALENDAR, fresh=False)
    assert clock.deadline == shanghai(23, 16)  # 1 h before lunch, 2 h after it


def test_another_department_begins_anew() -> None:
    clock = HandleClock("4工作时").start(shanghai(23, 8), CALENDAR, fresh=True).stop(shanghai(23, 9), CALENDAR)
    assert clock.start(shanghai(23, 14), CALENDAR, fresh=True).deadline == shanghai(23, 18)


def test_the_answer_takes_the_timeout_verdict() -> None:
    clock = HandleClock("2紧急工作时").start(shanghai(22, 20), CALENDAR, fresh=True)
    assert not clock.stop(shanghai(22, 22), CALENDAR).overdue(shanghai(24, 0))
    late = clock.stop(shanghai(22, 22, 1), CALENDAR)
    assert late.overdue(shanghai(22, 22, 1))
    assert late.remaining_s(shanghai(24, 0)) == -60


def test_rework_after_the_deadline_stays_overdue() -> None:
    clock = HandleClock("2紧急工作时").start(shanghai(23, 8), CALENDAR, fresh=True).stop(shanghai(23, 11), CALENDAR)
    again = clock.start(shanghai(23, 12), CALENDAR, fresh=False)
    assert again.deadline == shanghai(23, 10)
    assert again.overdue(shanghai(23, 12))


def test_a_clock_that_never_ran_is_never_overdue() -> None:
    clock = HandleClock("4工作时")
    assert clock.remaining_s(shanghai(23, 8)) is None
    assert not clock.overdue(shanghai(23, 8))
    assert clock.stop(shanghai(23, 8), CALENDAR) == clock


@given(st.integers(0, 7 * 24 * 60), st.integers(0, 600), st.integers(1, 3000))
def test_pausing_never_costs_working_time(begin_min: int, first_min: int, pause_min: int) -> None:
    """However often a clock is stopped and started, it ends after exactly its limit of working time."""
    start = shanghai(16, 0) + timedelta(minutes=begin_min)
    plain = HandleClock("1工作日").start(start, CALENDAR, fresh=True)
    stopped = plain.stop(start + timedelta(minutes=first_min), CALENDAR)
    again = stopped.start(start + timedelta(minutes=first_min + pause_min), CALENDAR, fresh=False)
    assert again.deadline is not None
    assert plain.deadline is not None
    assert again.deadline >= plain.deadline
    if again.used_s < 8 * 3600:
        assert again.used_pct(again.deadline, CALENDAR) == 100.0
