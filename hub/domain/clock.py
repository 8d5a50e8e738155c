"""Time limits, the working calendar and deadlines: when a case must be answered.

The types of limit and their rule ("紧急" runs continuously, all else only counts inside working periods) are those
of the handling tables in use (计时类型); periods and holidays are configuration (`configs/calendar.yaml`).
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

_LIMIT = re.compile(r"(?P<amount>\d{1,4}(?:\.\d{1,3})?)\s*(?P<unit>紧急工作时|紧急工作日|工作时|小时|工作日|天)")
_LIMIT_ALLOWED = "N紧急工作时, N紧急工作日, N工作时, N小时, N工作日 or N天 (N above 0)"
_FURTHEST = timedelta(days=366 * 30)
_FURTHEST_YEARS = 30
_ZERO = timedelta(0)
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


class LimitError(ValueError):
    """A limit that cannot be read: holds the text and what is allowed."""


class CalendarError(ValueError):
    """A calendar that cannot be used; `problems` holds one line each: file, key, value, what is allowed."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class LimitType(StrEnum):
    """How a limit counts."""

    URGENT_HOUR = "urgent_hour"
    NATURAL_DAY = "natural_day"
    WORK_HOUR = "work_hour"
    WORK_DAY = "work_day"


_TYPES = {
    "紧急工作时": LimitType.URGENT_HOUR,
    "紧急工作日": LimitType.NATURAL_DAY,
    "工作时": LimitType.WORK_HOUR,
    "小时": LimitType.WORK_HOUR,
    "工作日": LimitType.WORK_DAY,
    "天": LimitType.WORK_DAY,
}
_EN = {
    LimitType.URGENT_HOUR: "urgent hour",
    LimitType.NATURAL_DAY: "urgent day",
    LimitType.WORK_HOUR: "working hour",
    LimitType.WORK_DAY: "working day",
}


@dataclass(frozen=True, slots=True)
class Limit:
    """`amount` hours or days of `type`; `text` is the wording of the handling table, kept as it was."""

    amount: Fraction
    type: LimitType
    text: str

    @property
    def en(self) -> str:
        """As the English page says it: 4 working hours, 30 min."""
        if self.type is LimitType.URGENT_HOUR and self.amount < 1:
            return f"{float(self.amount * 60):g} min"
        return f"{float(self.amount):g} {_EN[self.type]}{'' if self.amount == 1 else 's'}"

    @property
    def continuous(self) -> bool:
        """True when nights, weekends and holidays count too."""
        return self.type in (LimitType.URGENT_HOUR, LimitType.NATURAL_DAY)

    def length(self, calendar: Calendar) -> timedelta:
        """The time that must pass on this limit's own clock; a working day has `calendar.day_hours` hours."""
        hours = {LimitType.NATURAL_DAY: 24, LimitType.WORK_DAY: calendar.day_hours}.get(self.type, 1)
        return timedelta(seconds=float(self.amount * Fraction(hours) * 3600))


def parse_limit(text: str) -> Limit:
    """Read "4工作时" and its like. Raises LimitError naming the text and what is allowed."""
    match = _LIMIT.fullmatch(text.strip())
    if match is None or Fraction(match["amount"]) <= 0:
        raise LimitError(f"limit {text!r} is not {_LIMIT_ALLOWED}")
    return Limit(Fraction(match["amount"]), _TYPES[match["unit"]], text.strip())


@dataclass(frozen=True, slots=True)
class Calendar:
    """Working periods of a working day (local times, ascending, not overlapping) and which days work.

    `weekdays` are ISO numbers (Monday is 1); a date in `holidays` does not work, one in `make_up_days` (调休) does.
    `version` travels with each deadline, so that a later change of the calendar never re-judges a past case.
    """

    timezone: ZoneInfo
    periods: tuple[tuple[time, time], ...] = ((time(8), time(12)), (time(14), time(18)))
    weekdays: frozenset[int] = frozenset({1, 2, 3, 4, 5})
    day_hours: float = 8
    holidays: frozenset[date] = frozenset()
    make_up_days: frozenset[date] = frozenset()
    years: frozenset[int] = field(default=frozenset())
    version: str = ""

    def __post_init__(self) -> None:
        problems = _period_problems(self.periods)
        if not self.weekdays or not self.weekdays <= set(range(1, 8)):
            problems.append(f"weekdays: {sorted(self.weekdays)} is not a list of at least one of 1 (Monday) to 7")
        if not 0 < self.day_hours <= 24:
            problems.append(f"day_hours: {self.day_hours} is not above 0 and at most 24")
        for day in sorted(self.holidays & self.make_up_days):
            problems.append(f"{day}: is both a holiday and a make-up day")
        if problems:
            raise CalendarError(problems)

    @classmethod
    def from_yaml(cls, path: Path) -> Calendar:
        """Read `configs/calendar.yaml`. Raises CalendarError with every problem at once."""
        return _read_calendar(path)

    def works(self, day: date) -> bool:
        """Whether the local date `day` is a working day."""
        if day in self.make_up_days:
            return True
        return day.isoweekday() in self.weekdays and day not in self.holidays

    def covers(self, day: date) -> bool:
        """Whether the holiday table knows the year of `day`; outside it only weekends are known."""
        return day.year in self.years

    def missing(self, start: datetime, end: datetime) -> set[int]:
        """Years between the two instants that the holiday table does not have."""
        first, last = (value.astimezone(self.timezone).year for value in (start, end))
        return set(range(first, last + 1)) - self.years

    def periods_from(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Working periods (UTC) that end after `start`, ascending, the first one cut at `start`; 30 years of them."""
        first = start.astimezone(self.timezone).date()
        day = first
        while day - first < _FURTHEST:
            if self.works(day):
                for opens, closes in self.periods:
                    begin = datetime.combine(day, opens, self.timezone).astimezone(UTC)
                    end = datetime.combine(day, closes, self.timezone).astimezone(UTC)
                    if end > start:
                        yield max(begin, start.astimezone(UTC)), end
            day += timedelta(days=1)


def deadline(start: datetime, limit: Limit, calendar: Calendar) -> datetime:
    """The instant (UTC) at which `limit`, begun at `start` (aware), is used up."""
    _aware("start", start)
    left = limit.length(calendar)
    if limit.continuous:
        return start.astimezone(UTC) + left
    at, left_us = _microseconds(start), left // _MICROSECOND
    first = start.astimezone(calendar.timezone).year
    for year in range(first, first + _FURTHEST_YEARS + 1):
        table = _worked(calendar, year)
        before = table.until(at)
        if table.total_us - before >= left_us and (left_us or at < max(table.ends, default=at)):
            return _EPOCH + _MICROSECOND * table.when(before + left_us, at)
        left_us -= table.total_us - before
    raise CalendarError([f"{limit.text} from {start.isoformat()}: no end within 30 years of this calendar"])


def used(start: datetime, now: datetime, limit: Limit, calendar: Calendar) -> timedelta:
    """Time that has counted against `limit` from `start` to `now` (both aware); zero when `now` comes first."""
    _aware("start", start)
    _aware("now", now)
    if now <= start:
        return _ZERO
    if limit.continuous:
        return now - start
    first, last = (at.astimezone(calendar.timezone).year for at in (start, now))
    counted_us = -_worked(calendar, first).until(_microseconds(start)) + _worked(calendar, last).until(
        _microseconds(now)
    )
    counted_us += sum(_worked(calendar, year).total_us for year in range(first, last))
    return _MICROSECOND * counted_us


@dataclass(frozen=True, slots=True)
class _Worked:
    """The working periods of one local year as microseconds since 1970, and how much was worked before each."""

    begins: tuple[int, ...]
    ends: tuple[int, ...]
    before: tuple[int, ...]
    total_us: int

    def until(self, at: int) -> int:
        """Working time of the year up to `at`."""
        index = bisect_right(self.begins, at) - 1
        return 0 if index < 0 else self.before[index] + min(at, self.ends[index]) - self.begins[index]

    def when(self, worked: int, earliest: int) -> int:
        """The first instant, not before `earliest`, at which so much has been worked."""
        if worked == self.until(earliest):  # nothing is left to work: when work is next done
            return max(earliest, self.begins[bisect_right(self.ends, earliest)])
        index = bisect_left(self.before, worked) - 1
        return self.begins[index] + worked - self.before[index]


@lru_cache(maxsize=256)
def _worked(calendar: Calendar, year: int) -> _Worked:
    """Made once for a calendar and year: a list of cases asks it a hundred times."""
    begins, ends, before, total = [], [], [], 0
    day = date(year, 1, 1)
    while day.year == year:
        for opens, closes in calendar.periods if calendar.works(day) else ():
            begin, end = (
                _microseconds(datetime.combine(day, at, calendar.timezone).astimezone(UTC)) for at in (opens, closes)
            )
            begins.append(begin)
            ends.append(end)
            before.append(total)
            total += end - begin
        day += timedelta(days=1)
    return _Worked(tuple(begins), tuple(ends), tuple(before), total)


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def remaining(start: datetime, now: datetime, limit: Limit, calendar: Calendar) -> timedelta:
    """Time left on the limit's own clock; negative when overdue."""
    return limit.length(calendar) - used(start, now, limit, calendar)


def _aware(name: str, value: datetime) -> None:
    if value.tzinfo is None:
        raise ValueError(f"{name}: {value.isoformat()} has no time zone")


def _period_problems(periods: tuple[tuple[time, time], ...]) -> list[str]:
    problems = [] if periods else ["periods: none; wanted at least one [from, to]"]
    previous = time(0)
    for opens, closes in periods:
        if not previous <= opens < closes:
            problems.append(f"periods: {opens:%H:%M}-{closes:%H:%M} overlaps the one before, or ends too early")
        previous = closes
    return problems


# --- reading the file -------------------------------------------------------------------------------------------------

_KEYS = ("version", "timezone", "weekdays", "periods", "day_hours", "years")


def _read_calendar(path: Path) -> Calendar:
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CalendarError([f"{path}: cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError as error:
        raise CalendarError([f"{path}: is not UTF-8 text: {error.reason} at byte {error.start}"]) from None
    except yaml.YAMLError as error:
        raise CalendarError([f"{path}: is not YAML: {error}".replace("\n", " ")]) from None
    if not isinstance(raw, dict):
        raise CalendarError([f"{path}: holds {type(raw).__name__}, wanted keys {', '.join(_KEYS)}"])
    reader = _Reader(path)
    zone = reader.zone(raw.get("timezone", "Asia/Shanghai"))
    periods = tuple(p for item in reader.items(raw, "periods") if (p := reader.period(item)) is not None)
    holidays, make_up, years = reader.years(raw.get("years") or {})
    for key in raw.keys() - set(_KEYS):
        reader.problem(str(key), raw[key], f"a known key ({', '.join(_KEYS)})")
    weekdays = raw.get("weekdays", [1, 2, 3, 4, 5])
    if not isinstance(weekdays, list) or not all(d in range(1, 8) for d in weekdays):
        reader.problem("weekdays", weekdays, "a list of 1 (Monday) to 7 (Sunday)")
        weekdays = [1]
    hours = raw.get("day_hours", 8)
    if isinstance(hours, bool) or not isinstance(hours, int | float):
        reader.problem("day_hours", hours, "hours, above 0 and at most 24")
        hours = 8
    if reader.problems:
        raise CalendarError(reader.problems)
    try:
        return Calendar(
            zone, periods, frozenset(weekdays), hours, holidays, make_up, years, str(raw.get("version", path.name))
        )
    except CalendarError as error:
        raise CalendarError([f"{path}: {problem}" for problem in error.problems]) from None


class _Reader:
    """Collects every problem of one file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[str] = []

    def problem(self, key: str, value: Any, allowed: str) -> None:
        self.problems.append(f"{self.path}: {key}: {value!r} is not {allowed}")

    def items(self, raw: dict[Any, Any], key: str) -> list[Any]:
        value = raw.get(key, [])
        if not isinstance(value, list):
            self.problem(key, value, "a list")
            return []
        return value

    def zone(self, value: Any) -> ZoneInfo:
        try:
            return ZoneInfo(str(value))
        except (ZoneInfoNotFoundError, ValueError):
            self.problem("timezone", value, "a time zone name such as Asia/Shanghai")
            return ZoneInfo("Asia/Shanghai")

    def period(self, value: Any) -> tuple[time, time] | None:
        try:
            opens, closes = value
            return time.fromisoformat(opens), time.fromisoformat(closes)
        except (TypeError, ValueError):
            self.problem("periods", value, 'a pair of times such as ["08:00", "12:00"]')
            return None

    def years(self, value: Any) -> tuple[frozenset[date], frozenset[date], frozenset[int]]:
        holidays: set[date] = set()
        make_up: set[date] = set()
        if not isinstance(value, dict) or not all(isinstance(y, int) and isinstance(b, dict) for y, b in value.items()):
            self.problem("years", value, "a mapping of year to {verified, source, holidays, make_up_days}")
            return frozenset(), frozenset(), frozenset()
        for year, body in value.items():
            for index, item in enumerate(self.items(body, "holidays")):
                holidays.update(self._span(f"years.{year}.holidays[{index}]", item, year))
            for index, item in enumerate(self.items(body, "make_up_days")):
                make_up.update(self._span(f"years.{year}.make_up_days[{index}]", item, year))
            for key in body.keys() - {"verified", "source", "holidays", "make_up_days"}:
                self.problem(f"years.{year}.{key}", body[key], "a known key (verified, source, holidays, make_up_days)")
        return frozenset(holidays), frozenset(make_up), frozenset(value)

    def _span(self, key: str, item: Any, year: int) -> list[date]:
        """Dates of {day} or {from, to} (both included, at most 31 days); a notice may begin in December before."""
        if isinstance(item, dict):
            first, last = item.get("from", item.get("day")), item.get("to", item.get("day"))
            if type(first) is date and type(last) is date and timedelta(0) <= last - first <= timedelta(days=31):
                if not date(year - 1, 12, 1) <= first <= last <= date(year, 12, 31):
                    self.problem(key, item, f"days of {year}, or of the December before")
                return [first + timedelta(days=n) for n in range((last - first).days + 1)]
        self.problem(key, item, "{name, day} or {name, from, to}, with dates such as 2026-10-01")
        return []
