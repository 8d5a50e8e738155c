"""What kinds of sensors there are: configs/sensors/*.yaml, each with the limits of what it measures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from detectors.errors import KindsError
from detectors.kinds import names
from detectors.rules.threshold import Limits
from detectors.stanza import Stanza, read_mapping, stanza_files

LATE = ("ignore", "raise")


@dataclass(frozen=True, slots=True)
class SensorRule:
    """`prop` past its limits is a finding of `kind`. `label`, `unit` and `says` are for the sentence people read.

    `state`: the value is 1 or 0 (open, smoke); `says` is then what an alarm means ("井盖已打开").
    """

    kind: str
    prop: str
    limits: Limits
    label: str
    unit: str = ""
    says: str = ""
    state: bool = False

    @property
    def key(self) -> str:
        """Names the rule within its profile."""
        return f"{self.kind}/{self.prop}"


@dataclass(frozen=True, slots=True)
class Profile:
    """A kind of sensor. Silent after `silence_s`; `late`: whether readings older than half an hour may still alarm."""

    id: str
    name: Mapping[str, str]
    rules: tuple[SensorRule, ...]
    silence_s: float
    battery_warn_pct: float = 20.0
    late: str = "ignore"
    wire: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any], where: str = "profile") -> Profile:
        """The profile a stanza (YAML or JSON) describes. Raises KindsError with every problem in it."""
        problems: list[str] = []
        profile = _profile(Stanza(where, wire, problems), wire)
        if problems:
            raise KindsError(problems)
        return profile

    def to_wire(self) -> dict[str, Any]:
        """The stanza it was read from, JSON-ready."""
        return dict(self.wire)


def load_profiles(folder: Path) -> dict[str, Profile]:
    """Every profile in `folder`, by id. Raises KindsError with every problem of every file."""
    problems: list[str] = []
    profiles: dict[str, Profile] = {}
    for path in stanza_files(folder):
        content = read_mapping(path, problems)
        if content is None:
            continue
        profile = _profile(Stanza(str(path), content, problems), content)
        if profile.id != path.stem:
            problems.append(f"{path}: id: {profile.id!r}; allowed: {path.stem} (the file's name)")
        profiles[profile.id] = profile
    if problems:
        raise KindsError(problems)
    return profiles


def _profile(stanza: Stanza, wire: Mapping[str, Any]) -> Profile:
    profile = Profile(
        id=stanza.text("id"),
        name=names(stanza),
        rules=tuple(_rule(rule) for rule in stanza.mappings("rules")),
        silence_s=stanza.number("silence_s", 1, 30 * 86400),
        battery_warn_pct=stanza.number("battery_warn_pct", 0, 100, 20.0),
        late=stanza.choice("late", LATE, "ignore"),
        wire=dict(wire),
    )
    keys = [rule.key for rule in profile.rules]
    for key in sorted({key for key in keys if keys.count(key) > 1}):
        stanza.wrong("rules", key, "one rule a kind and property")
    stanza.done()
    return profile


def _rule(stanza: Stanza) -> SensorRule:
    state = stanza.raw("alarm") is True
    rule = SensorRule(
        kind=stanza.text("kind"),
        prop=stanza.text("prop"),
        limits=_limits(stanza, state),
        label=stanza.text("label"),
        unit=stanza.text("unit", ""),
        says=stanza.text("says", ""),
        state=state,
    )
    stanza.done(also=("warn", "clear", "above"))
    return rule


def _limits(stanza: Stanza, state: bool) -> Limits:
    hold = stanza.whole("hold", 1, 100, 1)
    hold_s = stanza.number("hold_s", 0, 86400, 0.0)
    clear_s = stanza.number("clear_s", 0, 86400, 0.0)
    if state:
        for key in ("warn", "clear", "above"):
            if stanza.has(key):
                stanza.wrong(key, stanza.raw(key), "nothing, where alarm is true")
        return Limits(0.5, 0.5, None, hold, hold_s, clear_s)
    limits = Limits(
        alarm=_number(stanza, "alarm"),
        clear=_number(stanza, "clear"),
        warn=_number(stanza, "warn") if stanza.has("warn") else None,
        hold=hold,
        hold_s=hold_s,
        clear_s=clear_s,
        above=stanza.flag("above", True),
    )
    steps = [limits.clear, limits.clear if limits.warn is None else limits.warn, limits.alarm]
    if stanza.has("alarm") and stanza.has("clear") and sorted(steps, reverse=not limits.above) != steps:
        stanza.wrong("clear", limits.clear, "clear, warn and alarm in order, from good to bad")
    return limits


def _number(stanza: Stanza, key: str) -> float:
    value = stanza.number(key, -1e9, 1e9)
    return float(value) if value is not None else 0.0
