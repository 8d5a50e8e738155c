"""When something was observed, from the many ways in which devices say it: pure. Rules: domain.md §8.4."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from ...reading import Quality

LOCAL = ZoneInfo("Asia/Shanghai")
"""Zone of times that come without one."""

AHEAD_S = 300.0
LATE_S = 30 * 60.0
OLD_S = 24 * 3600.0
REDELIVERED_WITHIN_S = 600
_NO_CLOCK_BEFORE = datetime(2001, 1, 1, tzinfo=UTC)
"""Clocks that lost their battery start at 1970 or at 2000-01-01."""
_SCALES = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))
"""From this number on, a time since 1970 counts nano-, micro- or milliseconds: 19, 16 or 13 digits today."""


def parse_time(value: object, local: tzinfo = LOCAL) -> datetime | None:
    """UTC from a time since 1970 (10, 13, 16 or 19 digits, as number or text), ISO 8601, or 20261123101502[123].

    A time without a zone is one of `local`. None for what is no time.
    """
    if isinstance(value, str):
        value = value.strip()
        if len(value) in (14, 17) and value.isdecimal() and value.startswith("20"):
            return read_time(value, "%Y%m%d%H%M%S" if len(value) == 14 else "%Y%m%d%H%M%S%f", local)
        if not value.replace(".", "", 1).isdecimal():
            return read_time(value, "iso", local)
        value = float(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return since_epoch(value, next((scale for least, scale in _SCALES if value > least), 1.0))
    return None


def since_epoch(value: float, a_second: float) -> datetime | None:
    """UTC from a count since 1970, of which `a_second` make a second; None for what no calendar holds."""
    try:
        return datetime.fromtimestamp(value / a_second, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def read_time(text: str, form: str, local: tzinfo = LOCAL) -> datetime | None:
    """UTC from a text in `form`: `iso`, or a pattern of strptime; None where it is not so."""
    try:
        time = datetime.fromisoformat(text) if form == "iso" else datetime.strptime(text, form)  # noqa: DTZ007
        return (time if time.tzinfo else time.replace(tzinfo=local)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def about_when(observed_at: datetime) -> int:
    """Of a message that says no time: the same for its redelivery by the broker, seconds later, another for one like it
    that is sent a while after.
    """
    return int(observed_at.timestamp()) // REDELIVERED_WITHIN_S


def judge(said: datetime | None, received_at: datetime) -> tuple[datetime, Quality]:
    """(observed_at, quality) from the time a device said, if any, and the time its message came."""
    if said is None:
        return received_at, Quality.OK
    if said < _NO_CLOCK_BEFORE or said - received_at > timedelta(seconds=AHEAD_S):
        return received_at, Quality.CLOCK_SKEW
    if received_at - said > timedelta(seconds=OLD_S):
        return said, Quality.CLOCK_SKEW
    if received_at - said > timedelta(seconds=LATE_S):
        return said, Quality.LATE
    return min(said, received_at), Quality.OK
