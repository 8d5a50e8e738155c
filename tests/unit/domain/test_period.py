"""Report periods and the ones they are compared with."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.period import Period, PeriodError, PeriodKind, containing, parse

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("text", "first", "last", "zh", "before", "year_before"),
    [
        ("2026-11", "2026-11-01", "2026-11-30", "2026年11月", "2026-10", "2025-11"),
        ("2026-01", "2026-01-01", "2026-01-31", "2026年1月", "2025-12", "2025-01"),
        ("2024-02", "2024-02-01", "2024-02-29", "2024年2月", "2024-01", "2023-02"),
        ("2026-Q1", "2026-01-01", "2026-03-31", "2026年第一季度", "2025-Q4", "2025-Q1"),
        ("2026-Q4", "2026-10-01", "2026-12-31", "2026年第四季度", "2026-Q3", "2025-Q4"),
        ("2026", "2026-01-01", "2026-12-31", "2026年", "2025", "2025"),
        ("2026-W48", "2026-11-23", "2026-11-29", "2026年第48周（11月23日至11月29日）", "2026-W47", "2025-W48"),
        ("2026-W01", "2025-12-29", "2026-01-04", "2026年第1周（12月29日至1月4日）", "2025-W52", "2025-W01"),
        ("2026-W53", "2026-12-28", "2027-01-03", "2026年第53周（12月28日至1月3日）", "2026-W52", None),
    ],
)
def test_names(text: str, first: str, last: str, zh: str, before: str, year_before: str | None) -> None:
    period = parse(text, SHANGHAI)
    assert (period.name, period.zh) == (text, zh)
    assert (period.first, period.last) == (date.fromisoformat(first), date.fromisoformat(last))
    assert period.before().name == before
    earlier = period.year_before()
    assert (earlier.name if earlier else None) == year_before


@pytest.mark.parametrize(
    ("text", "en"),
    [
        ("2026-11", "November 2026"),
        ("2026-Q4", "Quarter 4 of 2026"),
        ("2026", "2026"),
        ("2026-W53", "Week 53 of 2026 (28 Dec to 3 Jan)"),
    ],
)
def test_english_names(text: str, en: str) -> None:
    assert parse(text, SHANGHAI).en == en


def test_a_period_begins_at_local_midnight() -> None:
    assert parse("2026-11", SHANGHAI).start == datetime(2026, 10, 31, 16, tzinfo=UTC)
    assert parse("2026-11", SHANGHAI).end == datetime(2026, 11, 30, 16, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "26-11", "2026-13", "2026-00", "2026-W54", "2025-W53", "2026-Q5", "1999", "2101"])
def test_what_is_no_period(text: str) -> None:
    with pytest.raises(PeriodError, match="2026-W48"):
        parse(text, SHANGHAI)


@given(st.dates(date(2001, 1, 1), date(2099, 12, 31)), st.sampled_from(PeriodKind))
def test_periods_tile_the_calendar(day: date, kind: PeriodKind) -> None:
    period = containing(day, kind, SHANGHAI)
    assert period.first <= day <= period.last
    assert period.before().last + timedelta(days=1) == period.first
    assert parse(period.name, SHANGHAI) == period


def test_months_of_a_year() -> None:
    assert [m.name for m in parse("2026-Q4", SHANGHAI).months()] == ["2026-10", "2026-11", "2026-12"]
    assert len(parse("2026", SHANGHAI).months()) == 12
    assert Period(PeriodKind.WEEK, date(2026, 11, 23), date(2026, 11, 29), SHANGHAI).months() == ()
