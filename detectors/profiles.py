"""Reading sensor profiles: configs/sensors/*.yaml, every problem at once. The keys: `configs/sensors/README.md`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from detectors.daylight import EVENTS
from detectors.errors import KindsError
from detectors.hours import Edge, SunWindow
from detectors.kinds import names
from detectors.profile import Profile, SensorRule, Setting, Settings, Words
from detectors.rules.battery import BatteryLimits
from detectors.rules.silence import LEAST_S
from detectors.rules.span import Span
from detectors.rules.threshold import NEVER, Limits
from detectors.stanza import Stanza, read_mapping, stanza_files

__all__ = ["Profile", "load_profiles", "profile_from_wire"]

LATE = ("ignore", "raise")
SUPPLIES = tuple(LEAST_S)
SPANS = ("average", "change", "count")
NOTICES = ("inspect",)
_LIMITS = ("warn", "alarm", "clear", "high", "hold", "hold_s", "clear_s", "above")
_UNSET = object()
_MOST = 1e9


def profile_from_wire(
    wire: Mapping[str, Any],
    where: str = "profile",
    settings: Settings | None = None,
    strange: list[str] | None = None,
) -> Profile:
    """The profile that a stanza (YAML or JSON) describes, for a sensor with `settings`.

    Rules whose settings are not given are left out; without `settings` (None) none is, for checking. Raises KindsError
    with every problem. `strange`: where given, keys that this version does not know are noted there instead.
    """
    problems: list[str] = []
    profile = _profile(Stanza(where, wire, problems, strange=strange), wire, settings)
    if problems:
        raise KindsError(problems)
    return profile


def load_profiles(folder: Path) -> dict[str, Profile]:
    """Every profile in `folder`, by id. Raises KindsError with every problem of every file."""
    problems: list[str] = []
    profiles: dict[str, Profile] = {}
    for path in stanza_files(folder):
        content = read_mapping(path, problems)
        if content is None:
            continue
        profile = _profile(Stanza(str(path), content, problems), content, None)
        if profile.id != path.stem:
            problems.append(f"{path}: id: {profile.id!r}; allowed: {path.stem} (the file's name)")
        profiles[profile.id] = profile
    if problems:
        raise KindsError(problems)
    return profiles


def _profile(stanza: Stanza, wire: Mapping[str, Any], given: Settings | None) -> Profile:
    supply = stanza.choice("supply", SUPPLIES, "battery")
    settings = _settings(stanza)
    defaults = {name: s.default for name, s in settings.items()}
    known = {name: 100.0 if v is None and given is None else v for name, v in {**defaults, **dict(given or ())}.items()}
    read = [_Rule(rule, known).read() for rule in stanza.mappings("rules")]
    rules = tuple(rule for rule in read if rule is not None)
    profile = Profile(
        id=stanza.text("id"),
        name=names(stanza),
        rules=rules,
        supply=supply,
        silence_s=stanza.number("silence_s", 1, 30 * 86400, LEAST_S[supply]),
        battery=_battery(stanza),
        late=stanza.choice("late", LATE, "ignore"),
        late_s=stanza.number("late_s", 60, 7 * 86400, 1800.0),
        stuck_days=_stuck(stanza.mapping("stuck_days", None)),
        settings=settings,
        wire=dict(wire),
    )
    ids = [rule.id for rule in rules]
    for key in sorted({key for key in ids if ids.count(key) > 1}):
        stanza.wrong("rules", key, "rules of one kind and property told apart by an id each")
    stanza.done()
    return profile


def _settings(stanza: Stanza) -> dict[str, Setting]:
    listed = stanza.mapping("settings", None)
    if listed is None:
        return {}
    found = {}
    for name in listed.keys():  # noqa: SIM118 (a Stanza is no dict)
        setting = listed.mapping(name)
        if setting is not None:
            found[name] = Setting(
                _words(setting, "label"), setting.text("unit", ""), setting.number("default", -_MOST, _MOST, None)
            )
            setting.done()
    return found


def _battery(stanza: Stanza) -> BatteryLimits:
    given = stanza.mapping("battery", None)
    if given is None:
        return BatteryLimits()
    limits = BatteryLimits(
        warn_pct=given.number("warn_pct", 0, 100, 20.0),
        critical_pct=given.number("critical_pct", 0, 100, 10.0),
        warn_v=given.number("warn_v", 0.1, 60, None),
        critical_v=given.number("critical_v", 0.1, 60, None),
    )
    given.done()
    return limits


def _stuck(stanza: Stanza | None) -> dict[str, float]:
    if stanza is None:
        return {}
    return {name: float(stanza.number(name, 0.01, 365)) for name in stanza.keys()}  # noqa: SIM118


def _words(stanza: Stanza, key: str, default: Any = _UNSET) -> Words:
    """{zh, en}, or one text that serves for both."""
    value = stanza.raw(key, default) if default is not _UNSET else stanza.raw(key)
    if isinstance(value, str) and value:
        return {"zh": value, "en": value}
    if isinstance(value, dict) and set(value) == {"zh", "en"} and all(isinstance(v, str) and v for v in value.values()):
        return dict(value)
    if value is not None and value != default:
        stanza.wrong(key, value, "{zh: …, en: …}, or one text for both")
    return {}


class _Rule:
    """One rule being read; `known`: what its limits may refer to, None for a setting that this sensor lacks."""

    def __init__(self, stanza: Stanza, known: Mapping[str, float | None]) -> None:
        self._stanza, self._known = stanza, known
        self._lacking = False

    def read(self) -> SensorRule | None:
        """None where the sensor lacks a setting that the rule needs."""
        stanza = self._stanza
        state = stanza.raw("alarm", None) is True
        kind, notice = stanza.text("kind", ""), stanza.choice("notice", ("", *NOTICES), "")
        prop = stanza.text("prop")
        limits = self._limits(stanza, state, None)
        span = self._span(stanza.mapping("span", None))
        rule = SensorRule(
            id=stanza.text("id", "") or f"{kind or notice or 'warn'}/{prop}",
            prop=prop,
            limits=limits,
            label=_words(stanza, "label"),
            kind=kind,
            notice=notice,
            unit=stanza.text("unit", ""),
            says=_words(stanza, "says", None),
            state=state,
            span=span,
            lasts=stanza.flag("lasts", False),
            hours=_windows(stanza, "hours"),
            by_hours=tuple(self._by_hours(other, state, limits) for other in stanza.mappings("by_hours", ())),
        )
        self._check(rule)
        stanza.done(also=_LIMITS)
        return None if self._lacking else rule

    def _check(self, rule: SensorRule) -> None:
        stanza = self._stanza
        if rule.kind and rule.notice:
            stanza.wrong("notice", rule.notice, "kind or notice, not both")
        alarms = rule.limits.alarm not in (NEVER, -NEVER)
        if alarms and not rule.kind and not rule.notice:
            stanza.wrong("kind", None, "a kind, a notice, or no alarm (a rule that only warns)")
        if rule.lasts and (rule.limits.hold > 1 or rule.span):
            stanza.wrong("lasts", True, "hold 1 and no span: what lasts is told once")

    def _span(self, stanza: Stanza | None) -> Span | None:
        if stanza is None:
            return None
        span = Span(stanza.choice("how", SPANS), float(stanza.number("over_s", 10, 31 * 86400)))
        stanza.done()
        return span

    def _by_hours(self, stanza: Stanza, state: bool, usual: Limits) -> tuple[tuple[SunWindow, ...], Limits]:
        pair = _windows(stanza, "hours"), self._limits(stanza, state, usual)
        stanza.done(also=_LIMITS)
        return pair

    def _limits(self, stanza: Stanza, state: bool, usual: Limits | None) -> Limits:
        hold = stanza.whole("hold", 1, 100, usual.hold if usual else 1)
        hold_s = self._number(stanza, "hold_s", usual.hold_s if usual else 0.0)
        clear_s = self._number(stanza, "clear_s", usual.clear_s if usual else 0.0)
        if state:
            for key in ("warn", "clear", "above", "high"):
                if stanza.has(key):
                    stanza.wrong(key, stanza.raw(key), "nothing, where alarm is true")
            return Limits(0.5, 0.5, None, hold, hold_s, clear_s)
        above = stanza.flag("above", usual.above if usual else True)
        warn, high = self._optional(stanza, "warn"), self._optional(stanza, "high")
        alarm = self._optional(stanza, "alarm")
        if alarm is None:
            alarm = NEVER if above else -NEVER
            if warn is None:
                stanza.wrong("alarm", None, "an alarm, or at least a warn")
        clear = self._number(stanza, "clear", warn if warn is not None and abs(alarm) == NEVER else _UNSET)
        sign = 1 if above else -1
        worst = [sign * value for value in (alarm, alarm if high is None else high)]
        if sorted(worst) != worst or any(v is not None and sign * v > worst[0] for v in (clear, warn)):
            stanza.wrong("alarm", alarm, "clear and warn on its good side, high on its bad side")
        return Limits(alarm, clear, warn, hold, hold_s, clear_s, above, high)

    def _optional(self, stanza: Stanza, key: str) -> float | None:
        return self._number(stanza, key, 0.0) if stanza.has(key) else None

    def _number(self, stanza: Stanza, key: str, default: Any) -> float:
        """A number, or {of: SETTING, times: …, plus: …}."""
        value = stanza.raw(key) if default is _UNSET else stanza.raw(key, default)
        if isinstance(value, dict):
            return self._of(stanza.part(value, f"{key}."))
        number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _MOST
        if value is not None and not number:
            stanza.wrong(key, value, "a number, or {of: SETTING, times: …, plus: …}")
        return float(value) if number else 0.0

    def _of(self, stanza: Stanza) -> float:
        name = stanza.text("of")
        times, plus = stanza.number("times", -_MOST, _MOST, 1.0), stanza.number("plus", -_MOST, _MOST, 0.0)
        stanza.done()
        if name not in self._known:
            stanza.wrong("of", name, f"one of the profile's settings: {', '.join(self._known) or 'it has none'}")
            return 0.0
        value = self._known[name]
        if value is None:
            self._lacking = True
            return 0.0
        return float(value * times + plus)


def _windows(stanza: Stanza, key: str) -> tuple[SunWindow, ...]:
    found = []
    for window in stanza.mappings(key, ()):
        days = window.raw("days", [1, 2, 3, 4, 5, 6, 7])
        if not (isinstance(days, list) and days and all(d in range(1, 8) for d in days)):
            window.wrong("days", days, "a list of 1 (Monday) to 7 (Sunday)")
            days = []
        found.append(SunWindow(frozenset(days), _edge(window, "from"), _edge(window, "to")))
        window.done()
    return tuple(found)


def _edge(stanza: Stanza, key: str) -> Edge:
    """ "HH:MM", or sunrise or sunset with minutes: sunset+30, sunrise-15."""
    value = stanza.raw(key)
    for event in EVENTS:
        if isinstance(value, str) and value.startswith(event):
            shift = value.removeprefix(event)
            if shift == "" or (shift[0] in "+-" and shift[1:].isdecimal() and int(shift[1:]) <= 600):
                return Edge(event=event, shift_min=int(shift or 0))
            stanza.wrong(key, value, f"{event}+MINUTES or {event}-MINUTES, at most 600")
            return Edge()
    return Edge(stanza.clock(key))
