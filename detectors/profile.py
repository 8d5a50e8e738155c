"""A sensor profile: what kind of device it is, and the limits of what it measures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from detectors.hours import SunWindow
from detectors.rules.battery import BatteryLimits
from detectors.rules.silence import LEAST_S
from detectors.rules.span import Span
from detectors.rules.threshold import Limits
from ingest.device import Place

Words = Mapping[str, str]
"""The same in Chinese and English: {zh, en}."""
Settings = tuple[tuple[str, float], ...]
"""What a profile leaves to each sensor (the height of a pipe's crown), by name."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A number that a profile leaves to each sensor; a rule that needs one without a default waits for it."""

    label: Words
    unit: str = ""
    default: float | None = None


@dataclass(frozen=True, slots=True)
class SensorRule:
    """`prop` past its limits is a finding of `kind`, or a notice for maintenance. One that only warns is neither.

    `label`, `unit` and `says` are for the sentence people read. `state`: the value is 1 or 0 (open, smoke); `says` is
    then what an alarm means. `span`: not the value itself counts, but what the readings of a span come to. `lasts`:
    the device speaks when something changes, so what it said last still holds. `hours`: when the rule is in force;
    `by_hours`: other limits for some hours.
    """

    id: str
    prop: str
    limits: Limits
    label: Words
    kind: str = ""
    notice: str = ""
    unit: str = ""
    says: Words = field(default_factory=dict)
    state: bool = False
    span: Span | None = None
    lasts: bool = False
    hours: tuple[SunWindow, ...] = ()
    by_hours: tuple[tuple[tuple[SunWindow, ...], Limits], ...] = ()

    def limits_at(self, at: datetime, tz: ZoneInfo, place: Place | None) -> Limits | None:
        """The limits that hold at that time; None where the rule is not in force."""
        if not self.hours and not self.by_hours:
            return self.limits
        local, where = at.astimezone(tz), (place.lon, place.lat) if place else None
        if self.hours and not any(window.holds(local, where) for window in self.hours):
            return None
        for windows, limits in self.by_hours:
            if any(window.holds(local, where) for window in windows):
                return limits
        return self.limits


@dataclass(frozen=True, slots=True)
class Profile:
    """A kind of sensor. `late`: whether readings older than `late_s` may still alarm.

    `supply`: battery or mains, which says how long silence is in order unless `silence_s` does. `stuck_days`: by
    property, after how many days without a change a value is stuck.
    """

    id: str
    name: Words
    rules: tuple[SensorRule, ...]
    supply: str = "battery"
    silence_s: float = LEAST_S["battery"]
    battery: BatteryLimits = field(default_factory=BatteryLimits)
    late: str = "ignore"
    late_s: float = 1800.0
    stuck_days: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, Setting] = field(default_factory=dict)
    wire: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def to_wire(self) -> dict[str, Any]:
        """The stanza it was read from, JSON-ready."""
        return dict(self.wire)
