"""Report periods: ISO weeks, months, quarters and years of the hub's time zone, and the ones they are compared with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

_WRITTEN = re.compile(r"(?P<year>\d{4})(?:-(?:W(?P<week>\d{2})|Q(?P<quarter>[1-4])|(?P<month>\d{2})))?")
ALLOWED = "2026-W48 (a week), 2026-11 (a month), 2026-Q4 (a quarter) or 2026 (a year), 2000 to 2100"


class PeriodError(ValueError):
    """A period that cannot be read: holds the text and what is allowed."""


class PeriodKind(StrEnum):
    """How long a period is."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


_MONTHS = {PeriodKind.MONTH: 1, PeriodKind.QUARTER: 3, PeriodKind.YEAR: 12}


@dataclass(frozen=True, slots=True)
class Period:
    """`start` is in it, `end` is not (both UTC); `first` and `last` are its local dates."""

    kind: PeriodKind
    first: date
    last: date
    timezone: ZoneInfo

    @property
    def start(self) -> datetime:
        """Midnight that begins the first day."""
        return _midnight(self.first, self.timezone)

    @property
    def end(self) -> datetime:
        """Midnight that ends the last day."""
        return _midnight(self.last + timedelta(days=1), self.timezone)

    @property
    def name(self) -> str:
        """As `parse` reads it: 2026-W48, 2026-11, 2026-Q4, 2026."""
        if self.kind is PeriodKind.WEEK:
            year, week, _day = self.first.isocalendar()
            return f"{year}-W{week:02d}"
        if self.kind is PeriodKind.MONTH:
            return f"{self.first:%Y-%m}"
        if self.kind is PeriodKind.QUARTER:
            return f"{self.first.year}-Q{self.first.month // 3 + 1}"
        return f"{self.first.year}"

    @property
    def zh(self) -> str:
        """As print-outs name it."""
        if self.kind is PeriodKind.WEEK:
            year, week, _day = self.first.isocalendar()
            return f"{year}年第{week}周（{self.first.month}月{self.first.day}日至{self.last.month}月{self.last.day}日）"
        if self.kind is PeriodKind.MONTH:
            return f"{self.first.year}年{self.first.month}月"
        if self.kind is PeriodKind.QUARTER:
            return f"{self.first.year}年第{'一二三四'[self.first.month // 3]}季度"
        return f"{self.first.year}年"

    @property
    def en(self) -> str:
        """As the English page names it."""
        if self.kind is PeriodKind.WEEK:
            year, week, _day = self.first.isocalendar()
            return f"Week {week} of {year} ({self.first.day} {self.first:%b} to {self.last.day} {self.last:%b})"
        if self.kind is PeriodKind.MONTH:
            return f"{self.first:%B %Y}"
        if self.kind is PeriodKind.QUARTER:
            return f"Quarter {self.first.month // 3 + 1} of {self.first.year}"
        return f"{self.first.year}"

    def before(self) -> Period:
        """The one just before, for 环比."""
        return containing(self.first - timedelta(days=1), self.kind, self.timezone)

    def year_before(self) -> Period | None:
        """The same one a year earlier, for 同比; None for a week 53 that the year before does not have."""
        if self.kind is not PeriodKind.WEEK:
            return containing(self.first.replace(year=self.first.year - 1), self.kind, self.timezone)
        year, week, _day = self.first.isocalendar()
        try:
            return containing(date.fromisocalendar(year - 1, week, 1), self.kind, self.timezone)
        except ValueError:
            return None

    def months(self) -> tuple[Period, ...]:
        """The months that begin in it."""
        found, month = [], containing(self.first, PeriodKind.MONTH, self.timezone)
        while month.first <= self.last:
            if month.first >= self.first:
                found.append(month)
            month = containing(month.last + timedelta(days=1), PeriodKind.MONTH, self.timezone)
        return tuple(found)


def containing(day: date, kind: PeriodKind, timezone: ZoneInfo) -> Period:
    """The period of that kind that `day` (a local date) is in."""
    if kind is PeriodKind.WEEK:
        first = day - timedelta(days=day.isoweekday() - 1)
        return Period(kind, first, first + timedelta(days=6), timezone)
    length = _MONTHS[kind]
    month = (day.month - 1) // length * length + 1
    after = month + length
    end = date(day.year + (after > 12), after - 12 if after > 12 else after, 1)
    return Period(kind, date(day.year, month, 1), end - timedelta(days=1), timezone)


def parse(text: str, timezone: ZoneInfo) -> Period:
    """Read a period's name. Raises PeriodError."""
    match = _WRITTEN.fullmatch(text.strip())
    try:
        if match is None or not 2000 <= int(match["year"]) <= 2100:
            raise ValueError
        year = int(match["year"])
        if match["week"]:
            return containing(date.fromisocalendar(year, int(match["week"]), 1), PeriodKind.WEEK, timezone)
        if match["quarter"]:
            return containing(date(year, int(match["quarter"]) * 3, 1), PeriodKind.QUARTER, timezone)
        if match["month"]:
            return containing(date(year, int(match["month"]), 1), PeriodKind.MONTH, timezone)
        return containing(date(year, 1, 1), PeriodKind.YEAR, timezone)
    except ValueError:
        raise PeriodError(f"period {text!r} is not {ALLOWED}") from None


def _midnight(day: date, timezone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(0), timezone).astimezone(UTC)
