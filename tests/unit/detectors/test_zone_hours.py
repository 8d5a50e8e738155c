"""When a zone is watched, and when what happens in it is allowed."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from detectors.zone_hours import ZoneHours

SHANGHAI = ZoneInfo("Asia/Shanghai")
NIGHT_MARKET = {
    "first": "2026-11-20",
    "last": "2026-11-27",
    "days": [5, 6],
    "from": "18:00",
    "to": "02:00",
    "note": "夜市",
}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def watched(wire: dict[str, Any], when: str) -> bool:
    return ZoneHours.from_wire(wire).watched(at(when), SHANGHAI)


def test_without_hours_a_zone_is_always_watched() -> None:
    assert watched({}, "2026-11-23T03:00")
    assert watched({"schedule": [], "permitted": []}, "2026-11-23T03:00")


@pytest.mark.parametrize(
    ("when", "expected"),
    [("2026-11-23T07:59", False), ("2026-11-23T08:00", True), ("2026-11-23T20:00", False), ("2026-11-22T09:00", False)],
)
def test_a_schedule_limits_the_hours(when: str, expected: bool) -> None:
    assert watched({"schedule": [{"days": [1, 2, 3, 4, 5], "from": "08:00", "to": "20:00"}]}, when) is expected


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("2026-11-20T17:59", True),
        ("2026-11-20T18:00", False),
        ("2026-11-21T01:59", False),  # the night of Friday
        ("2026-11-21T02:00", True),
        ("2026-11-22T01:00", False),  # of Saturday
        ("2026-11-23T01:00", True),  # of Sunday, which is no market
        ("2026-11-28T01:00", False),  # the last evening is the 27th, its night ends on the 28th
        ("2026-11-28T19:00", True),
        ("2026-11-14T19:00", True),  # a Saturday before it begins
    ],
)
def test_a_permit_silences_its_evenings(when: str, expected: bool) -> None:
    assert watched({"permitted": [NIGHT_MARKET]}, when) is expected


def test_a_permit_of_the_whole_day_ends_at_midnight() -> None:
    works = {"first": "2026-11-23", "last": "2026-11-23", "days": [1, 2, 3, 4, 5, 6, 7], "from": "00:00", "to": "24:00"}
    assert not watched({"permitted": [works]}, "2026-11-23T00:00")
    assert not watched({"permitted": [works]}, "2026-11-23T23:59")
    assert watched({"permitted": [works]}, "2026-11-24T00:00")
    assert watched({"permitted": [works]}, "2026-11-22T23:59")


def test_the_hours_are_those_of_the_hubs_zone() -> None:
    hours = ZoneHours.from_wire({"schedule": [{"days": [1], "from": "08:00", "to": "09:00"}]})
    assert hours.watched(datetime.fromisoformat("2026-11-23T00:30:00+00:00"), SHANGHAI)
