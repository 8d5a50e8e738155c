"""Limits, the working calendar and deadlines."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.clock import Calendar, CalendarError, LimitError, LimitType, deadline, parse_limit, remaining, used

LOCAL = ZoneInfo("Asia/Shanghai")
PLAIN = Calendar(LOCAL)
SHIPPED = Path(__file__).parents[3] / "configs" / "calendar.yaml"
REAL = Calendar.from_yaml(SHIPPED)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LOCAL)


@pytest.mark.parametrize(
    ("text", "amount", "kind"),
    [
        ("2紧急工作时", 2, LimitType.URGENT_HOUR),
        ("2紧急工作日", 2, LimitType.NATURAL_DAY),
        ("4工作时", 4, LimitType.WORK_HOUR),
        ("4小时", 4, LimitType.WORK_HOUR),
        ("15工作日", 15, LimitType.WORK_DAY),
        (" 1 天 ", 1, LimitType.WORK_DAY),
        ("0.5工作日", 0.5, LimitType.WORK_DAY),
    ],
)
def test_limit_texts(text: str, amount: float, kind: LimitType) -> None:
    limit = parse_limit(text)
    assert (float(limit.amount), limit.type, limit.text) == (amount, kind, text.strip())


@given(
    st.datetimes(datetime(2025, 12, 1), datetime(2028, 2, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.integers(0, 400 * 86400),
    st.sampled_from(["0.001小时", "4工作时", "1工作日", "15工作日", "260天"]),
    st.booleans(),
)
def test_the_tables_say_what_a_walk_through_the_periods_says(
    start: datetime, seconds: int, text: str, shipped: bool
) -> None:
    nights = Calendar(ZoneInfo("America/New_York"), ((time(0), time(3, 30)), (time(22), time(23, 59))))
    calendar, limit, now = REAL if shipped else nights, parse_limit(text), start + timedelta(seconds=seconds)
    left, walked, due = limit.length(calendar), timedelta(0), None
    for begin, end in calendar.periods_from(start):
        walked += max(timedelta(0), min(end, now) - begin)
        if due is None and end - begin >= left:
            due = begin + left
        left -= end - begin
        if begin >= now and due is not None:
            break
    assert deadline(start, limit, calendar) == due
    assert used(start, now, limit, calendar) == walked


@pytest.mark.parametrize("text", ["", "4", "工作时", "0工作日", "-1天", "4工作周", "四工作时", "4工作时半"])
def test_a_bad_limit_says_what_is_allowed(text: str) -> None:
    with pytest.raises(LimitError, match="紧急工作时"):
        parse_limit(text)


@pytest.mark.parametrize(
    ("start", "limit", "expected"),
    [
        ("2026-11-20T17:00", "2紧急工作时", "2026-11-20T19:00"),
        ("2026-11-20T17:00", "4工作时", "2026-11-23T11:00"),
        ("2026-11-20T17:00", "1工作日", "2026-11-23T17:00"),
        ("2026-11-20T17:00", "2紧急工作日", "2026-11-22T17:00"),
        ("2026-11-21T10:00", "2工作时", "2026-11-23T10:00"),
        ("2026-11-23T13:00", "1工作时", "2026-11-23T15:00"),
        ("2026-11-23T11:00", "1工作时", "2026-11-23T12:00"),
    ],
)
def test_deadlines(start: str, limit: str, expected: str) -> None:
    assert deadline(local(start), parse_limit(limit), PLAIN) == local(expected)


def test_holidays_do_not_count_and_make_up_days_do() -> None:
    four = parse_limit("4工作时")
    assert deadline(local("2026-09-30T17:00"), four, REAL) == local("2026-10-08T11:00")
    assert deadline(local("2026-02-13T17:00"), four, REAL) == local("2026-02-14T11:00")
    assert REAL.covers(date(2027, 3, 1))
    assert not REAL.covers(date(2031, 3, 1))


@pytest.mark.parametrize("limit", ["4工作时", "2紧急工作时"])
def test_used_and_remaining_meet_at_the_deadline(limit: str) -> None:
    start, parsed = local("2026-11-20T17:00"), parse_limit(limit)
    end = deadline(start, parsed, PLAIN)
    assert used(start, end, parsed, PLAIN) == parsed.length(PLAIN)
    assert remaining(start, end, parsed, PLAIN) == timedelta(0)
    assert remaining(start, end + timedelta(minutes=30), parsed, PLAIN) == timedelta(minutes=-30)
    assert used(start, start - timedelta(hours=1), parsed, PLAIN) == timedelta(0)


def test_nights_are_not_used_time() -> None:
    friday, sunday = local("2026-11-20T17:00"), local("2026-11-22T20:00")
    assert used(friday, sunday, parse_limit("4工作时"), PLAIN) == timedelta(hours=1)


def test_a_naive_start_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        deadline(datetime(2026, 11, 20), parse_limit("1天"), PLAIN)  # noqa: DTZ001


starts = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
units = st.sampled_from(["紧急工作时", "紧急工作日", "工作时", "工作日"])


@given(starts, st.timedeltas(timedelta(0), timedelta(days=20)), st.integers(1, 40), st.integers(0, 10), units)
def test_a_later_start_or_a_longer_limit_never_ends_earlier(
    start: datetime, later: timedelta, amount: int, more: int, unit: str
) -> None:
    limit, longer = parse_limit(f"{amount}{unit}"), parse_limit(f"{amount + more}{unit}")
    end = deadline(start, limit, REAL)
    assert end > start
    assert deadline(start + later, limit, REAL) >= end
    assert deadline(start, longer, REAL) >= end
    assert used(start, end, limit, REAL) == limit.length(REAL)


def test_a_calendar_that_never_works_is_refused() -> None:
    with pytest.raises(CalendarError, match="weekdays"):
        Calendar(LOCAL, weekdays=frozenset())
    with pytest.raises(CalendarError, match="periods"):
        Calendar(LOCAL, periods=())
    with pytest.raises(CalendarError, match="18:00-14:00"):
        Calendar(LOCAL, periods=((time(18), time(14)),))


def test_every_problem_of_a_file_is_named_at_once(tmp_path: Path) -> None:
    file = tmp_path / "calendar.yaml"
    file.write_text(
        'timezone: Mars/North\nweekdays: [8]\nperiods: [["25:00", "12:00"]]\nholliday: 1\n'
        "years: {2026: {holidays: [{name: x, day: tomorrow}], note: 1}}\n",
        encoding="utf-8",
    )
    with pytest.raises(CalendarError) as caught:
        Calendar.from_yaml(file)
    text = str(caught.value)
    for word in ("Mars/North", "weekdays", "25:00", "holliday", "years.2026.holidays[0]", "years.2026.note"):
        assert word in text
    assert all(line.startswith(str(file)) for line in caught.value.problems)


@pytest.mark.parametrize(
    ("days", "good"),
    [
        ("{name: 元旦, from: 2026-12-31, to: 2027-01-02}", True),  # as the notice for 2023 had it
        ("{name: 国庆节, from: 2026-10-01, to: 2026-10-07}", False),
        ("{name: 元旦, from: 2027-12-31, to: 2028-01-02}", False),
    ],
)
def test_a_date_under_the_wrong_year_is_named(tmp_path: Path, days: str, good: bool) -> None:
    file = tmp_path / "calendar.yaml"
    file.write_text(f'periods: [["08:00", "12:00"]]\nyears: {{2027: {{holidays: [{days}]}}}}\n', encoding="utf-8")
    if good:
        assert date(2026, 12, 31) in Calendar.from_yaml(file).holidays
        return
    with pytest.raises(CalendarError, match=r"years\.2027\.holidays\[0\].*days of 2027, or of the December before"):
        Calendar.from_yaml(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CalendarError, match=r"nowhere\.yaml"):
        Calendar.from_yaml(tmp_path / "nowhere.yaml")
