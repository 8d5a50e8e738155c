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
_NO_CLOCK_BEFORE = datetime(2001, 1, 1, tzinfo=UTC)
"""Clocks that lost their battery start at 1970 or at 2000-01-01."""


def parse_time(value: object, local: tzinfo = LOCAL) -> datetime | None:
    """UTC from seconds or milliseconds since 1970 (10 or 13 digits), digits in a text, or ISO 8601; None if none."""
    if isinstance(value, str) and value.replace(".", "", 1).isdigit():
        value = float(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = value / 1000 if value > 1e11 else float(value)
        try:
            return datetime.fromtimestamp(seconds, UTC)
        except (ValueError, OverflowError, OSError):
            return None
    if isinstance(value, str):
        try:
            time = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
        return (time if time.tzinfo else time.replace(tzinfo=local)).astimezone(UTC)
    return None


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
