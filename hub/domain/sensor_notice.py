"""Notices about sensors: for whoever maintains them, never a case of the city. Pure: takes ailments and `now`.

A sensor that is silent, has a low battery, is stuck, or wants to be looked at is one notice while that lasts. A gateway
that is lost is one notice with the sensors behind it, which then have none of their own for their silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

AGAIN = timedelta(days=7)
"""A battery that stays low is told again this often (domain.md §8.4)."""
_WORSE = {"battery_low": 1, "battery_critical": 2}
OFFLINE = "offline"
GATEWAY_LOST = "gateway_lost"
CODES = ("offline", "gateway_lost", "battery_low", "battery_critical", "stuck", "inspect", "clock_behind")


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong now. `what` tells apart two of the same kind at one sensor (two stuck values)."""

    code: str
    sensor: str | None = None
    gateway: str = ""
    what: str = ""
    why: Mapping[str, str] = field(default_factory=dict)
    since: datetime | None = None
    children: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The same while the trouble lasts, whether it gets worse or not."""
        kind = "battery" if self.code in _WORSE else self.code
        return "|".join((kind, self.sensor or "", self.gateway, self.what))


@dataclass(slots=True)
class SensorNotice:
    """A trouble that is open, or has ended. `told_at`: when it was last said aloud."""

    id: str
    key: str
    trouble: Trouble
    began_at: datetime
    told_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """What one step did. `told`: to be said aloud (new, worse, or again after a week)."""

    opened: tuple[SensorNotice, ...]
    changed: tuple[SensorNotice, ...]
    ended: tuple[SensorNotice, ...]
    told: frozenset[str]


def follow(
    open_notices: Mapping[str, SensorNotice], troubles: Iterable[Trouble], now: datetime, new_id: Any
) -> Changes:
    """Open, change and end notices so that they are what `troubles` says. `open_notices` by key; they are changed."""
    opened, changed, told = [], [], set[str]()
    wanted = {trouble.key: trouble for trouble in troubles}
    for key, trouble in wanted.items():
        notice = open_notices.get(key)
        if notice is None:
            notice = SensorNotice(new_id(), key, trouble, trouble.since or now, now)
            opened.append(notice)
            told.add(notice.id)
            continue
        worse = _WORSE.get(trouble.code, 0) > _WORSE.get(notice.trouble.code, 0)
        again = trouble.code in _WORSE and now - notice.told_at >= AGAIN
        if worse or again:
            notice.told_at = now
            told.add(notice.id)
        if worse or again or _says(notice.trouble) != _says(trouble):
            notice.trouble = trouble
            changed.append(notice)
    ended = [notice for key, notice in open_notices.items() if key not in wanted]
    for notice in ended:
        notice.ended_at = now
    return Changes(tuple(opened), tuple(changed), tuple(ended), frozenset(told))


def _says(trouble: Trouble) -> tuple[Any, ...]:
    return trouble.code, dict(trouble.why), trouble.children
