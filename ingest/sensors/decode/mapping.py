"""Mapping profiles: what every other JSON message means, written down instead of programmed.

A profile is a stanza (YAML in configs/sensors/mappings or in hub.yaml; `ctwing_level.yaml` shows every key). It travels
to the workers as JSON, in the place of a format's name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from ...errors import InventoryError, PayloadError
from ...reading import Reading
from .jsonpath import MOST_FOUND, JsonPath
from .origin import MOST_NAME, MOST_READINGS, Origin, plausible_battery, whole
from .plain import load_json
from .times import LOCAL, about_when, judge, parse_time, read_time, since_epoch
from .units import KNOWN_UNITS, canonical, same_kind
from .values import key_of, number, unit_of

_EPOCHS = {"s": 1.0, "ms": 1e3, "us": 1e6}
_MOST_RECORDS = MOST_FOUND


class MappingError(InventoryError):
    """Mapping profiles that cannot be used; `problems` holds one line each: file, key, value, what is allowed."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class _Field:
    """One number in a record: its value in words or digits, times `scale`, plus `offset`."""

    path: JsonPath
    prop: str = ""
    unit: str = ""
    channel: str = ""
    scale: float = 1.0
    offset: float = 0.0
    words: Mapping[str, float] = field(default_factory=dict)

    def value(self, where: str, message: object, record: object) -> float | None:
        """None where it is absent or null. Raises PayloadError naming path and value."""
        said = self.path.first(message, record)
        if said is None:
            return None
        word = self.words.get(json.dumps(said) if isinstance(said, bool) else str(said).strip().lower()[:60])
        found = number(said) if word is None else word
        if found is None:
            allowed = f"a number or one of {', '.join(self.words)}" if self.words else "a number"
            raise PayloadError(f"{where}: {self.path.text}: {str(said)[:60]!r} is not {allowed}")
        found = number(found * self.scale + self.offset)
        return None if found is None else float(f"{found:.12g}")


@dataclass(frozen=True, slots=True)
class MappingProfile:
    """What the messages of one vendor mean. Calling it decodes one, as every decoder does."""

    id: str
    device: JsonPath | int
    readings: tuple[_Field, ...]
    each: JsonPath | None
    time: JsonPath | None
    time_form: str
    zone: tzinfo
    key: JsonPath | None
    seq: JsonPath | None
    battery: _Field | None
    rssi: _Field | None
    wire: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def from_stanza(cls, stanza: object, where: str) -> MappingProfile:
        """The profile a stanza describes. Raises MappingError with every problem in it."""
        if not isinstance(stanza, dict):
            raise MappingError([f"{where}: holds {type(stanza).__name__}, wanted a mapping of keys"])
        reader = _Reader(where, stanza)
        profile = reader.profile()
        if profile is None:
            raise MappingError(reader.problems)
        return profile

    @classmethod
    def from_json(cls, text: str) -> MappingProfile:
        """The inverse of `to_json`. Raises PayloadError for a text that is no profile: a format nobody knows."""
        try:
            return cls.from_stanza(json.loads(text), "mapping")
        except (ValueError, MappingError) as error:
            raise PayloadError(f"unknown payload format {text[:60]!r} ({str(error)[:200]})") from None

    def to_json(self) -> str:
        """In one line."""
        return json.dumps(self.wire, ensure_ascii=False)

    def __call__(self, topic: str, payload: bytes, received_at: datetime) -> list[Reading]:
        """Raises PayloadError naming profile, topic, path and value."""
        where = f"{topic} (mapping {self.id})"
        message = load_json(where, payload)
        records = list(self.each.all(message, message)) if self.each else [message]
        if len(records) >= _MOST_RECORDS:
            raise PayloadError(f"{where}: more than {_MOST_RECORDS - 1} records in one message")
        found: list[Reading] = []
        for place, record in enumerate(records):
            found += self._record(where, topic, message, record, place, received_at)
            if len(found) > MOST_READINGS:
                raise PayloadError(f"{where}: more than {MOST_READINGS} measurements in one message")
        if not found:
            wanted = ", ".join(each.path.text for each in self.readings)
            raise PayloadError(f"{where}: none of {wanted[:200]} in it: {payload[:60]!r}")
        return found

    def _record(
        self, where: str, topic: str, message: object, record: object, place: int, received_at: datetime
    ) -> Iterator[Reading]:
        measured = [(each, each.value(where, message, record)) for each in self.readings]
        if all(value is None for _, value in measured):
            return
        device = self._device(where, topic, message, record)
        said = self._time(where, message, record)
        observed_at, quality = judge(said, received_at)
        unique = self.key.first(message, record) if self.key else None
        if unique is None:
            parts: tuple[object, ...] = (topic, [value for _, value in measured], int(observed_at.timestamp()))
        else:
            # With its time: platforms that cannot count put -1 into every message. Without one, with what it says and
            # about when it came: counters begin anew with a battery.
            parts = (str(unique), place, said or ([value for _, value in measured], about_when(observed_at)))
        origin = Origin(where, device, f"mapping:{self.id}"[:32], received_at, observed_at, quality, "")
        origin.base = key_of(origin.device, *parts)
        origin.seq = whole(self.seq.first(message, record)) if self.seq else None
        origin.battery_pct = plausible_battery(_optional(self.battery, where, message, record))
        origin.rssi_dbm = _optional(self.rssi, where, message, record)
        for each, value in measured:
            if value is not None:
                yield origin.reading(each.prop, value, each.unit, each.channel)
        if origin.battery_pct is not None:
            yield origin.reading("battery_pct", origin.battery_pct)

    def _device(self, where: str, topic: str, message: object, record: object) -> Any:
        if isinstance(self.device, JsonPath):
            return self.device.first(message, record)
        levels, level = topic.split("/"), self.device
        if not -len(levels) <= (level - 1 if level > 0 else level) < len(levels):
            raise PayloadError(f"{where}: device: the topic has no level {level}")
        return levels[level - 1 if level > 0 else level]

    def _time(self, where: str, message: object, record: object) -> datetime | None:
        said = self.time.first(message, record) if self.time else None
        if said is None:
            return None
        if self.time_form == "auto":
            time = parse_time(said, self.zone)
        elif self.time_form in _EPOCHS:
            count = number(said)
            time = None if count is None else since_epoch(count, _EPOCHS[self.time_form])
        else:
            time = read_time(str(said).strip(), self.time_form, self.zone)
        if time is None:
            raise PayloadError(f"{where}: time: {str(said)[:60]!r} is no time ({self.time_form})")
        return time


def _optional(about: _Field | None, where: str, message: object, record: object) -> float | None:
    """Battery or signal; None where it cannot be read: what was measured counts without."""
    try:
        return about.value(where, message, record) if about else None
    except PayloadError:
        return None


class _Reader:
    """Reads a stanza and collects its problems."""

    def __init__(self, where: str, stanza: dict[str, Any]) -> None:
        self._where, self._stanza = where, stanza
        self.problems: list[str] = []

    def profile(self) -> MappingProfile | None:
        stanza = self._stanza
        self._known("", stanza, ("id", "device", "readings", "each", "time", "key", "seq", "battery", "rssi"))
        device = stanza.get("device")
        level = device if isinstance(device, int) and not isinstance(device, bool) else 0
        time, form, zone = self._time(stanza.get("time"))
        profile = MappingProfile(
            id=str(self._text("id", stanza.get("id"))),
            device=level or self._path("device", device, "the level of the topic, 1, 2 … or -1, -2 …, or ") or 1,
            readings=tuple(self._readings(stanza.get("readings"))),
            each=self._optional_path("each", many=True),
            time=time,
            time_form=form,
            zone=zone,
            key=self._optional_path("key"),
            seq=self._optional_path("seq"),
            battery=self._about("battery", "%"),
            rssi=self._about("rssi", "dBm"),
            wire=stanza,
        )
        return None if self.problems else profile

    def _wrong(self, key: str, value: object, allowed: str) -> None:
        self.problems.append(f"{self._where}: {key}: {str(value)[:80]!r}; allowed: {allowed}")

    def _known(self, before: str, stanza: Mapping[str, Any], allowed: tuple[str, ...]) -> None:
        for key in stanza:
            if key not in allowed:
                self._wrong(f"{before}{key}", stanza[key], f"no such key; there are {', '.join(allowed)}")

    def _text(self, key: str, value: object) -> str:
        if not isinstance(value, str) or not value or len(value) > MOST_NAME or not value.isprintable():
            self._wrong(key, value, f"a text of 1 to {MOST_NAME} characters")
            return ""
        return value

    def _path(self, key: str, value: object, instead: str = "", many: bool = False) -> JsonPath | None:
        try:
            path = JsonPath(value if isinstance(value, str) else "")
        except ValueError as error:
            self._wrong(key, value, f"{instead}{error}")
            return None
        if not path.one and not many:
            self._wrong(key, value, "a path to one value; [*] is for `each`")
        return path

    def _optional_path(self, key: str, many: bool = False) -> JsonPath | None:
        value = self._stanza.get(key)
        return None if value is None else self._path(key, value, many=many)

    def _number(self, key: str, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 1e12:
            self._wrong(key, value, "a number")
            return 1.0
        return float(value)

    def _time(self, value: object) -> tuple[JsonPath | None, str, tzinfo]:
        if value is None or isinstance(value, str):
            return self._optional_path("time"), "auto", LOCAL
        if not isinstance(value, dict):
            self._wrong("time", value, "a path, or {path, as, zone}")
            return None, "auto", LOCAL
        self._known("time.", value, ("path", "as", "zone"))
        form = value.get("as", "auto")
        if form not in ("auto", "iso", *_EPOCHS) and not (isinstance(form, str) and "%" in form):
            self._wrong("time.as", form, f"auto, iso, {', '.join(_EPOCHS)}, or a pattern such as %Y-%m-%d %H:%M:%S")
        return self._path("time.path", value.get("path")), str(form), self._zone(value.get("zone", str(LOCAL)))

    def _zone(self, value: object) -> tzinfo:
        try:
            return ZoneInfo(str(value))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self._wrong("time.zone", value, "a time zone name such as Asia/Shanghai")
            return LOCAL

    def _readings(self, value: object) -> Iterator[_Field]:
        if not isinstance(value, list) or not 1 <= len(value) <= 200:
            self._wrong("readings", value, "a list of 1 to 200 {prop, path, …}")
            return
        seen: set[tuple[str, str]] = set()
        for place, stanza in enumerate(value):
            key = f"readings[{place}]"
            if not isinstance(stanza, dict):
                self._wrong(key, stanza, "{prop, path, unit, channel, scale, offset, words}")
                continue
            self._known(f"{key}.", stanza, ("prop", "path", "unit", "channel", "scale", "offset", "words"))
            prop = self._text(f"{key}.prop", stanza.get("prop"))
            channel = self._text(f"{key}.channel", stanza["channel"]) if "channel" in stanza else ""
            if (prop, channel) in seen:
                self._wrong(f"{key}.prop", prop, "each property once, or once a channel")
            seen.add((prop, channel))
            read = self._field(key, stanza, unit_of(prop))
            if read is not None:
                yield _Field(read.path, prop, read.unit, channel, read.scale, read.offset, read.words)

    def _about(self, key: str, unit: str) -> _Field | None:
        """Battery and signal: a path, or {path, scale, offset, words}."""
        value = self._stanza.get(key)
        if value is None:
            return None
        stanza = value if isinstance(value, dict) else {"path": value}
        self._known(f"{key}.", stanza, ("path", "scale", "offset", "words"))
        return self._field(key, stanza, unit)

    def _field(self, key: str, stanza: Mapping[str, Any], wanted: str) -> _Field | None:
        said = str(stanza.get("unit", ""))
        unit = canonical(said) if said else ""
        if unit is None:
            self._wrong(f"{key}.unit", said, ", ".join(KNOWN_UNITS))
        elif unit and wanted and not same_kind(unit, wanted):
            self._wrong(f"{key}.unit", said, f"{wanted}, or what can be converted to it, as the property's name says")
        path = self._path(f"{key}.path", stanza.get("path"))
        words = self._words(f"{key}.words", stanza.get("words", {}))
        scale = self._number(f"{key}.scale", stanza.get("scale", 1))
        offset = self._number(f"{key}.offset", stanza.get("offset", 0))
        return None if path is None else _Field(path, "", unit or "", "", scale, offset, words)

    def _words(self, key: str, value: object) -> dict[str, float]:
        if not isinstance(value, dict):
            self._wrong(key, value, "{WORD: NUMBER, …}")
            return {}
        return {str(word).strip().lower(): self._number(f"{key}.{word}", n) for word, n in value.items()}


def load_mappings(folder: Path) -> dict[str, MappingProfile]:
    """Every profile in `folder` by id, none where it does not exist. Raises MappingError with all problems."""
    profiles: dict[str, MappingProfile] = {}
    problems: list[str] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            profile = read_mapping(path)
        except MappingError as error:
            problems += error.problems
            continue
        if profile.id != path.stem:
            problems.append(f"{path}: id: {profile.id!r}; allowed: {path.stem} (the file's name)")
        profiles[profile.id] = profile
    if problems:
        raise MappingError(problems)
    return profiles


def read_mapping(path: Path) -> MappingProfile:
    """The profile in one file. Raises MappingError."""
    try:
        stanza = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MappingError([f"{path}: cannot be read: {error.strerror}"]) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise MappingError([f"{path}: is not YAML: {getattr(error, 'problem', None) or error}"]) from None
    return MappingProfile.from_stanza(stanza, str(path))
