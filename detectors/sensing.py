"""Readings in, findings out: the rules of sensor profiles. Pure; the state of a sensor is a JSON object."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from detectors.errors import KindsError
from detectors.finding import Finding
from detectors.kinds import Kind
from detectors.profiles import Profile, SensorRule, load_profiles
from detectors.rules.silence import silent
from detectors.rules.threshold import Level, is_clear, measure
from ingest.device import Sensor
from ingest.reading import Quality, Reading

__all__ = ["SensorRules", "explained", "load_profiles"]

REPEAT_S = 300.0
"""A standing alarm is found again this often."""
LATE = timedelta(minutes=30)
"""A reading this old raises nothing, unless its profile says so (then marked 延迟)."""


class SensorRules:
    """What each profile's readings mean."""

    def __init__(self, profiles: Mapping[str, Profile | Mapping[str, Any]], kinds: Mapping[str, Kind]) -> None:
        """`profiles` by id, read or as stanzas. Raises KindsError with every problem in them."""
        read = {
            key: p if isinstance(p, Profile) else Profile.from_wire(p, f"profile {key}") for key, p in profiles.items()
        }
        problems = [
            f"profile {profile.id}: rules.kind: {rule.kind!r}; allowed: {', '.join(sorted(kinds))}"
            for profile in read.values()
            for rule in profile.rules
            if rule.kind not in kinds
        ]
        if problems:
            raise KindsError(problems)
        self._profiles = read
        self._kinds = dict(kinds)

    def evaluate(self, sensor: Sensor, reading: Reading, state: dict[str, Any]) -> tuple[dict[str, Any], list[Finding]]:
        """`state` ({} at first) after `reading`, and what is wrong. Pure. Raises KindsError for an unknown profile.

        The new state: `rules` (rule key to its level), `level` (the worst: normal, warn, alarm), `battery_low`.
        A standing alarm is found again at most every REPEAT_S. Duplicates and readings out of order change nothing.
        """
        profile = self._profile(sensor)
        after = {**state, "rules": dict(state.get("rules") or {})}
        if reading.battery_pct is not None:
            after["battery_low"] = reading.battery_pct <= profile.battery_warn_pct
        findings = []
        if reading.quality is not Quality.DUPLICATE:
            for rule in profile.rules:
                if rule.prop == reading.prop:
                    stored = after["rules"].get(rule.key)
                    level, finding = self._judge(profile, rule, sensor, reading, stored)
                    after["rules"][rule.key] = level.to_json()
                    findings += [finding] if finding else []
        after["level"] = _worst(after["rules"])
        return after, findings

    def present(self, sensor: Sensor, kind_id: str, reading: Reading) -> bool | None:
        """Whether `reading` shows the problem: True past the alarm, False only back past `clear`, None in between."""
        rules = [r for r in self._profile(sensor).rules if r.kind == kind_id and r.prop == reading.prop]
        if any(rule.limits.past(reading.value, rule.limits.alarm) for rule in rules):
            return True
        if rules and all(is_clear(reading.value, rule.limits) for rule in rules):
            return False
        return None

    def silent(self, sensor: Sensor, last_seen: datetime | None, now: datetime) -> bool:
        """Whether the sensor has not spoken for longer than its profile allows."""
        return silent(last_seen, now, sensor.every_s, self._profile(sensor).silence_s)

    def _profile(self, sensor: Sensor) -> Profile:
        try:
            return self._profiles[sensor.profile]
        except KeyError:
            there = ", ".join(sorted(self._profiles))
            raise KindsError([f"sensor {sensor.id}: profile: {sensor.profile!r}; allowed: {there}"]) from None

    def _judge(
        self, profile: Profile, rule: SensorRule, sensor: Sensor, reading: Reading, stored: dict[str, Any] | None
    ) -> tuple[Level, Finding | None]:
        before = Level.from_json(stored) if stored else Level()
        level = measure(before, reading.value, reading.observed_at, rule.limits)
        if level is before or not level.alarmed or not self._kinds[rule.kind].enabled:
            return level, None
        if not rule.limits.past(reading.value, rule.limits.alarm):
            return level, None
        late = reading.received_at - reading.observed_at > LATE
        if late and profile.late == "ignore":
            return level, None
        if level.raised_at and (reading.observed_at - level.raised_at).total_seconds() < REPEAT_S:
            return level, None
        return replace(level, raised_at=reading.observed_at), _finding(rule, sensor, reading, level, late)


def _finding(rule: SensorRule, sensor: Sensor, reading: Reading, level: Level, late: bool) -> Finding:
    since = level.since or reading.observed_at
    kept = [(at, value) for at, value in level.recent if at >= since] or [(reading.observed_at, reading.value)]
    return Finding(
        id=hashlib.sha256(f"{sensor.id}|{rule.key}|{reading.key}".encode()).hexdigest()[:32],
        kind=rule.kind,
        at=reading.observed_at,
        since=since,
        score=1.0,
        sensor=sensor.id,
        readings=tuple(
            {
                "device": sensor.device,
                "prop": rule.prop,
                "value": value,
                "unit": rule.unit,
                "observed_at": at.isoformat(),
            }
            for at, value in kept
        ),
        why=explained(rule, reading.value, level.in_a_row) + ("（延迟）" if late else ""),
    )


def explained(rule: SensorRule, value: float, in_a_row: int) -> str:
    """One sentence for people: "满溢度 93 % > 90 %，连续 2 次"."""
    if rule.state:
        text = rule.says or f"{rule.label}：是"
    else:
        unit = f" {rule.unit}" if rule.unit else ""
        sign = ">" if rule.limits.above else "<"
        text = f"{rule.label} {value:g}{unit} {sign} {rule.limits.alarm:g}{unit}"
    return f"{text}，连续 {in_a_row} 次" if in_a_row > 1 else text


def _worst(rules: Mapping[str, Mapping[str, Any]]) -> str:
    order = ("normal", "warn", "alarm")
    return max((str(rule["level"]) for rule in rules.values()), key=order.index, default="normal")
