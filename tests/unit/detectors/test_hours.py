"""Weekly hours on a local clock."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from detectors.hours import Window, in_force

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = Window(frozenset({1, 2, 3, 4, 5}), time(7), time(22))
NIGHT = Window(frozenset({5}), time(22), time(6))
ALL_DAY = Window(frozenset({7}), time(0), time(0))


@pytest.mark.parametrize(
    ("window", "local", "holds"),
    [
        (DAY, "2026-11-23T07:00", True),  # a Monday
        (DAY, "2026-11-23T06:59", False),
        (DAY, "2026-11-23T22:00", False),
        (DAY, "2026-11-22T12:00", False),  # a Sunday
        (NIGHT, "2026-11-27T23:00", True),  # Friday night
        (NIGHT, "2026-11-28T05:59", True),  # and on into Saturday
        (NIGHT, "2026-11-28T06:00", False),
        (NIGHT, "2026-11-27T05:00", False),  # the night before belongs to Thursday
        (ALL_DAY, "2026-11-22T00:00", True),
        (ALL_DAY, "2026-11-22T23:59", True),
        (ALL_DAY, "2026-11-23T00:00", False),
    ],
)
def test_a_window_holds_on_the_local_clock(window: Window, local: str, holds: bool) -> None:
    now = datetime.fromisoformat(local).replace(tzinfo=SHANGHAI).astimezone(UTC)
    assert in_force([window], now, SHANGHAI) == holds


def test_no_windows_means_always() -> None:
    assert in_force([], datetime(2026, 1, 1, tzinfo=UTC), SHANGHAI)
