"""Readings in, findings out: the rules of sensor profiles. Pure; the state of a sensor is a JSON object.

Called for every reading of every sensor (10,000 a second), so what a profile says is looked up by property, and a
reading that no rule knows costs a dictionary look-up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from detectors.errors import KindsError
from detectors.explaining import explained, spoken
from detectors.finding import Finding
from detectors.kinds import Kind
from detectors.profile import Profile, SensorRule, Settings, Words
from detectors.profiles import load_profiles, profile_from_wire
from detectors.rules import battery as batteries
from detectors.rules.silence import silent
from detectors.rules.span import earlier
from detectors.rules.steady import still, stuck
from detectors.rules.threshold import NEVER, NORMAL, Level, Limits, due_s, is_clear, lapse, measure
from ingest.device import Sensor
from ingest.reading import Quality, Reading

__all__ = ["Ailment", "SensorRules", "load_profiles"]

USUAL_ZONE = ZoneInfo("Asia/Shanghai")
REPEAT_S = 300.0
"""A standing alarm is found again this often."""
_BATTERY = ("battery_pct", "battery", "battery_v", "battery_low")
CLOCKS_DIFFER_S = 60.0
"""Clocks of two workers may, before one of them counts as set back."""
BEHIND_LOOKS, BEHIND_S, BEHIND_WITHIN_S = 6, 3600.0, 600.0
"""A clock is behind when so many readings in a row, over so long, were late by the same, give or take: what was kept
while a gateway was away is late by ever less."""
CHANNEL_GONE_S = 24 * 3600.0
MOST_STATES = 256
"""Of one sensor: a level for each rule and channel."""
_ORDER = {"normal": 0, "warn": 1, "alarm": 2}
_LEVELS = tuple(_ORDER)
_OF = "#"
"""Between a rule's id and the channel whose level it is."""


@dataclass(frozen=True, slots=True)
class Ailment:
    """Something about a sensor for whoever maintains it, and no case of the city. `code` with `what` names it.

    Codes: battery_low, battery_critical, stuck, inspect, clock_behind.
    """

    code: str
    what: str
    why: Words
    since: datetime | None = None

    def to_wire(self) -> dict[str, Any]:
        """JSON-ready."""
        since = self.since.isoformat() if self.since else None
        return {"code": self.code, "what": self.what, "why": dict(self.why), "since": since}


@dataclass(frozen=True, slots=True)
class _Plan:
    """A profile for sensors with the same settings: which rules a property has."""

    profile: Profile
    by_prop: Mapping[str, tuple[SensorRule, ...]]
    by_id: Mapping[str, SensorRule]
    lasting: frozenset[str]

    @classmethod
    def of(cls, profile: Profile) -> _Plan:
        by_prop: dict[str, tuple[SensorRule, ...]] = {}
        for rule in profile.rules:
            by_prop[rule.prop] = (*by_prop.get(rule.prop, ()), rule)
        lasting = frozenset(r.id for r in profile.rules if r.lasts or r.limits.clear_s)
        return cls(profile, by_prop, {r.id: r for r in profile.rules}, lasting)

    def rule(self, key: str) -> SensorRule | None:
        """The rule that a key of the state belongs to."""
        return self.by_id.get(key) or self.by_id.get(key.partition(_OF)[0])


class SensorRules:
    """What each profile's readings mean. `tz`: the zone in which hours are told."""

    def __init__(
        self,
        profiles: Mapping[str, Profile | Mapping[str, Any]],
        kinds: Mapping[str, Kind],
        tz: ZoneInfo = USUAL_ZONE,
    ) -> None:
        """`profiles` by id, read or as stanzas. Raises KindsError with every problem in them."""
        read = {k: p if isinstance(p, Profile) else profile_from_wire(p, f"profile {k}") for k, p in profiles.items()}
        problems = [
            f"profile {profile.id}: rules.kind: {rule.kind!r}; allowed: {', '.join(sorted(kinds))}"
            for profile in read.values()
            for rule in profile.rules
            if rule.kind and rule.kind not in kinds
        ]
        if problems:
            raise KindsError(problems)
        self._profiles = read
        self._kinds = dict(kinds)
        self._tz = tz
        self._plans: dict[tuple[str, Settings], _Plan] = {}

    def evaluate(self, sensor: Sensor, reading: Reading, state: dict[str, Any]) -> tuple[dict[str, Any], list[Finding]]:
        """`state` ({} at first) after `reading`, and what is wrong. Pure. Raises KindsError for an unknown profile.

        The new state, which is the same object where nothing changed: `rules` (rule id to its Level, `ID#CHANNEL` where
        a device measures the same at several places), `level` (the worst: normal, warn, alarm), `spans` (by the same
        keys), `same`, `battery`, `behind`, `seen_s`, and `due_s`, when `tick` must be called. A standing alarm is
        found again at most every REPEAT_S. Duplicates and readings out of order change nothing.
        """
        plan = self._plan(sensor)
        if reading.quality is Quality.DUPLICATE:
            return state, []
        at_s = reading.observed_at.timestamp()
        findings: list[Finding] = []
        after = state
        rules = plan.by_prop.get(reading.prop)
        if rules is not None:
            after = {**state, "rules": dict(state.get("rules") or {})}
            for rule in rules:
                self._judge(plan.profile, rule, sensor, reading, at_s, after, findings)
            _summed(plan, after)
        if reading.battery_pct is not None or reading.prop in _BATTERY:
            after = _with_battery(plan.profile, reading, after)
        if reading.quality is not Quality.OK or "behind" in after:
            after = _with_lag(reading, after)
        if reading.prop in plan.profile.stuck_days:
            before = after.get("same") or {}
            same = still(before, reading.prop, reading.value, at_s)
            after = {**after, "same": same, "seen_s": max(at_s, after.get("seen_s") or 0.0)}
        return after, findings

    def tick(self, sensor: Sensor, state: dict[str, Any], now: datetime) -> tuple[dict[str, Any], list[Finding]]:
        """What time alone does to a sensor whose `due_s` has come: what it said last still holds. Pure."""
        plan, now_s = self._plan(sensor), now.timestamp()
        after, findings = {**state, "rules": dict(state.get("rules") or {})}, list[Finding]()
        for key, stored in after["rules"].items():
            rule = plan.rule(key)
            if rule is None or rule.id not in plan.lasting:
                continue
            limits = rule.limits_at(now, self._tz, sensor.place)
            if limits is None:
                continue
            before, channel = _level(stored), key.partition(_OF)[2]
            level = lapse(before, now_s, limits) if rule.lasts or before.alarmed else before
            if level.alarmed and not before.alarmed and self._tells(rule):
                level = level._replace(raised_s=now_s)
                why = explained(rule, limits, level.recent[-1][1], level, channel=channel)
                findings.append(_finding(rule, sensor, f"held {level.since_s} {channel}".rstrip(), now, level, why))
            after["rules"][key] = level
        _summed(plan, after)
        return after, findings

    def present(
        self, sensor: Sensor, kind_id: str, reading: Reading, state: Mapping[str, Any] | None = None
    ) -> bool | None:
        """Whether `reading` shows the problem: True past the alarm, False only back past `clear`, None in between.

        A single reading says nothing of a change or a count; nor, while `state` has an alarm of another channel, that
        all is well.
        """
        plan = self._plan(sensor)
        bounds = [
            limits
            for rule in plan.by_prop.get(reading.prop, ())
            if rule.kind == kind_id and (rule.span is None or rule.span.how == "average")
            and (limits := rule.limits_at(reading.observed_at, self._tz, sensor.place)) is not None
        ]  # fmt: skip
        if any(limits.past(reading.value, limits.alarm) for limits in bounds):
            return True
        elsewhere = any(
            (rule := plan.rule(key)) is not None and rule.kind == kind_id and _level(stored).alarmed
            for key, stored in ((state or {}).get("rules") or {}).items()
            if key.partition(_OF)[2] != reading.channel
        )
        if bounds and not elsewhere and all(is_clear(reading.value, limits) for limits in bounds):
            return False
        return None

    def ailments(self, sensor: Sensor, state: Mapping[str, Any]) -> list[Ailment]:
        """What a sensor's state says to whoever maintains it."""
        plan, found = self._plan(sensor), list[Ailment]()
        charge = state.get("battery")
        if charge and charge["level"] != batteries.OK:
            pct, volts = charge["pct"], charge["v"]
            left = f"{pct:g} %" if pct is not None else f"{volts:g} V" if volts is not None else ""
            why: Words = {"zh": f"电池电量 {left}".strip(), "en": f"Battery at {left}" if left else "Battery low"}
            found.append(Ailment(f"battery_{charge['level']}", "battery", why))
        if (behind := state.get("behind")) and behind[1] >= BEHIND_LOOKS and behind[2] - behind[0] >= BEHIND_S:
            by, mute = spoken(behind[4]), plan.profile.late == "ignore"
            why = {
                "zh": f"设备时间慢 {by['zh']}，请校准时钟或时区" + ("；其间数据按迟到处理，不报警" if mute else ""),
                "en": f"Its clock is {by['en']} behind; set it, or its time zone"
                + (". What it reports counts as late and raises no alarm" if mute else ""),
            }
            found.append(Ailment("clock_behind", "clock", why, datetime.fromtimestamp(behind[0], UTC)))
        for prop, value, since_s in stuck(state.get("same") or {}, plan.profile.stuck_days, state.get("seen_s") or 0.0):
            days = (state["seen_s"] - since_s) / 86400
            why = {"zh": f"{prop} 已 {days:.0f} 天保持 {value:g} 不变", "en": f"{prop} = {value:g} for {days:.0f} days"}
            found.append(Ailment("stuck", prop, why, datetime.fromtimestamp(since_s, UTC)))
        for key, stored in (state.get("rules") or {}).items():
            rule, level = plan.rule(key), _level(stored)
            if rule is not None and rule.notice and level.alarmed and level.recent:
                why = explained(rule, rule.limits, level.recent[-1][1], level, channel=key.partition(_OF)[2])
                since = datetime.fromtimestamp(level.since_s, UTC) if level.since_s is not None else None
                found.append(Ailment(rule.notice, rule.prop, why, since))
        return found

    def profile(self, profile_id: str) -> Profile | None:
        """The profile, with the defaults of its settings."""
        return self._profiles.get(profile_id)

    def finds(self, profile_id: str) -> frozenset[str]:
        """The kinds that sensors of a profile find."""
        profile = self._profiles.get(profile_id)
        return frozenset(rule.kind for rule in profile.rules if rule.kind) if profile else frozenset()

    def limits(self, sensor: Sensor, now: datetime) -> dict[str, dict[str, float]]:
        """By property: its `warn`, `alarm` and `high` points that hold now; of what is judged reading by reading."""
        found: dict[str, dict[str, float]] = {}
        for rule in self._plan(sensor).profile.rules:
            limits = rule.limits_at(now, self._tz, sensor.place)
            if rule.state or rule.span or limits is None:
                continue
            points = {"warn": limits.warn, "alarm": limits.alarm, "high": limits.high}
            found.setdefault(rule.prop, {}).update(
                {name: value for name, value in points.items() if value is not None and abs(value) != NEVER}
            )
        return found

    def problems(self, sensor: Sensor) -> list[str]:
        """Why `sensor` cannot be judged, one line each; nothing where it can."""
        try:
            self._plan(sensor)
        except KindsError as error:
            return list(error.problems)
        return []

    def silent(self, sensor: Sensor, last_seen: datetime | None, now: datetime) -> bool:
        """Whether the sensor has not spoken for longer than its profile allows."""
        return silent(last_seen, now, sensor.every_s, self._plan(sensor).profile.silence_s)

    def _plan(self, sensor: Sensor) -> _Plan:
        plan = self._plans.get((sensor.profile, sensor.settings))
        if plan is None:
            profile = self._profiles.get(sensor.profile)
            if profile is None:
                there = ", ".join(sorted(self._profiles))
                raise KindsError([f"sensor {sensor.id}: profile: {sensor.profile!r}; allowed: {there}"])
            # Its keys were checked when it came.
            fitted = profile_from_wire(profile.wire, f"profile {profile.id}", sensor.settings, strange=[])
            plan = self._plans[sensor.profile, sensor.settings] = _Plan.of(fitted)
        return plan

    def _tells(self, rule: SensorRule) -> bool:
        return bool(rule.kind) and self._kinds[rule.kind].enabled

    def _judge(
        self,
        profile: Profile,
        rule: SensorRule,
        sensor: Sensor,
        reading: Reading,
        at_s: float,
        after: dict[str, Any],
        findings: list[Finding],
    ) -> None:
        """Move the rule's level in `after` on, and add what it finds."""
        key = f"{rule.id}{_OF}{reading.channel}" if reading.channel else rule.id
        stored = after["rules"].get(key)
        if stored is None and reading.channel:
            stored = _before_channels(after, rule.id, key)
        before, ahead_s = NORMAL if stored is None else _level(stored), 0.0
        if before.recent and at_s <= before.recent[-1][0]:
            if before.recent[-1][0] - reading.received_at.timestamp() <= CLOCKS_DIFFER_S:
                return
            # It was heard later than now: the clock was set back, and what it led to is as old as it was.
            ahead_s = before.recent[-1][0] - at_s + 1.0
            before = before.earlier(ahead_s)
        limits, value = rule.limits_at(reading.observed_at, self._tz, sensor.place), reading.value
        if rule.span is not None:
            spans = dict(after.get("spans") or {})
            held = spans.get(key, ())
            buckets = spans[key] = rule.span.add(earlier(held, ahead_s) if ahead_s else held, value, at_s)
            after["spans"] = spans
            summed = rule.span.value(buckets, value, at_s)
            if summed is None:
                after["rules"][key] = Level(recent=((at_s, value),))
                return
            value = summed
        if limits is None:
            after["rules"][key] = Level(recent=before.recent)
            return
        level = measure(before, value, at_s, limits)
        late = (reading.received_at - reading.observed_at).total_seconds() > profile.late_s
        if self._is_told(profile, rule, limits, level, value, at_s, late):
            level = level._replace(raised_s=at_s)
            why = explained(rule, limits, value, level, late, reading.channel)
            findings.append(_finding(rule, sensor, reading.key, reading.observed_at, level, why))
        after["rules"][key] = level
        if reading.channel and not rule.lasts:
            _forget_channels(after["rules"], rule.id, at_s)

    def _is_told(
        self, profile: Profile, rule: SensorRule, limits: Limits, level: Level, value: float, at_s: float, late: bool
    ) -> bool:
        if level.level != "alarm" or not limits.past(value, limits.alarm) or not self._tells(rule):
            return False
        if late and profile.late == "ignore":
            return False
        return level.raised_s is None or at_s - level.raised_s >= REPEAT_S


def _level(stored: Any) -> Level:
    return stored if type(stored) is Level else Level.from_json(stored)


def _before_channels(after: dict[str, Any], rule_id: str, key: str) -> Any:
    """The state that a channel begins with: that of the rule alone, kept while channels were not told apart."""
    rules: dict[str, Any] = after["rules"]
    spans = dict(after.get("spans") or {})
    while len(rules) >= MOST_STATES:
        gone = next(iter(rules))
        del rules[gone]
        spans.pop(gone, None)
    if rule_id in spans:
        spans[key] = spans.pop(rule_id)
    if "spans" in after:
        after["spans"] = spans
    return rules.pop(rule_id, None)


def _forget_channels(rules: dict[str, Any], rule_id: str, at_s: float) -> None:
    """Those of a rule that are heard no more, while others are: a probe that was renamed or broke in an alarm."""
    before_s, of_rule = at_s - CHANNEL_GONE_S, f"{rule_id}{_OF}"
    for key in [key for key, stored in rules.items() if stored[5] and stored[5][-1][0] < before_s]:
        if key.startswith(of_rule):
            del rules[key]


def _summed(plan: _Plan, after: dict[str, Any]) -> None:
    """The worst level, and when `tick` must be called."""
    levels: Iterable[Any] = after["rules"].values()
    after["level"] = _LEVELS[max((_ORDER[stored[0]] for stored in levels), default=0)]
    if plan.lasting:
        due = [
            at_s
            for key, stored in after["rules"].items()
            if (rule := plan.rule(key)) is not None
            and rule.id in plan.lasting
            and (rule.lasts or stored[0] == "alarm")
            and (at_s := due_s(_level(stored), rule.limits)) is not None
        ]
        after["due_s"] = min(due, default=None)


def _with_battery(profile: Profile, reading: Reading, state: dict[str, Any]) -> dict[str, Any]:
    before = state.get("battery") or {"pct": None, "v": None, "level": batteries.OK}
    pct, volts = before["pct"], before["v"]
    if reading.battery_pct is not None:
        pct = reading.battery_pct
    elif reading.prop in ("battery_pct", "battery"):
        pct = reading.value
    elif reading.prop == "battery_v":
        volts = reading.value
    level = profile.battery.level(pct, volts)
    if reading.prop == "battery_low" and pct is None and volts is None:
        level = batteries.LOW if reading.value else batteries.OK
    if (pct, volts, level) == (before["pct"], before["v"], before["level"]) and "battery" in state:
        return state
    return {**state, "battery": {"pct": pct, "v": volts, "level": level}}


def _with_lag(reading: Reading, state: dict[str, Any]) -> dict[str, Any]:
    """`behind`: [first received, readings, newest received, least lag, most lag] while all are late by the same."""
    received_s = reading.received_at.timestamp()
    lag_s = received_s - reading.observed_at.timestamp()
    if reading.quality is Quality.OK or lag_s <= 0:
        return state if "behind" not in state else {key: held for key, held in state.items() if key != "behind"}
    first_s, count, _, least_s, most_s = state.get("behind") or (received_s, 0, 0.0, lag_s, lag_s)
    least_s, most_s = min(least_s, lag_s), max(most_s, lag_s)
    if most_s - least_s > BEHIND_WITHIN_S:
        first_s, count, least_s, most_s = received_s, 0, lag_s, lag_s
    return {**state, "behind": [first_s, count + 1, received_s, least_s, most_s]}


def _finding(rule: SensorRule, sensor: Sensor, key: str, at: datetime, level: Level, why: Words) -> Finding:
    since_s = at.timestamp() if level.since_s is None else level.since_s
    kept = [(at_s, value) for at_s, value in level.recent if at_s >= since_s] or [level.recent[-1]]
    return Finding(
        id=hashlib.sha256(f"{sensor.id}|{rule.id}|{key}".encode()).hexdigest()[:32],
        kind=rule.kind,
        at=at,
        since=datetime.fromtimestamp(since_s, UTC),
        score=1.0,
        sensor=sensor.id,
        readings=tuple(
            {
                "device": sensor.device,
                "prop": rule.prop,
                "value": value,
                "unit": rule.unit,
                "observed_at": datetime.fromtimestamp(at_s, UTC).isoformat(),
            }
            for at_s, value in kept
        ),
        why=why["zh"],
        why_en=why["en"],
    )
