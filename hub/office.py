"""How the centre supervises and reports: `configs/supervision.yaml`, read and checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

from .config import ConfigError
from .domain.clock import LimitError, parse_limit
from .domain.letter import FORMS, SHEETS, LetterKind
from .domain.supervision import LADDER, Level, Rung
from .domain.whistle import ARRIVAL_LIMITS, WhistleKind

_NAMES = ("issuer", "leading_office", "reported_to", "contact", "phone", "bulletin")
_LETTERS = tuple(kind for kind in LetterKind if kind not in SHEETS)


class OfficeError(ConfigError):
    """A file that cannot be used; `problems` holds one line each: file, key, value, what is allowed."""


@dataclass(frozen=True, slots=True)
class Wording:
    """What a kind of letter says by default; `{n}` and `{unit}` are filled in."""

    title: str
    reason: str
    demands: str


@dataclass(frozen=True, slots=True)
class Office:
    """Names on letters, prefixes of numbers, the ladder, 报到 limits and default words."""

    issuer: str
    leading_office: str
    reported_to: str
    contact: str
    phone: str
    bulletin: str
    prefixes: Mapping[LetterKind, str]
    ladder: tuple[Rung, ...]
    whistles: Mapping[WhistleKind, str]
    wording: Mapping[LetterKind, Wording]
    without_suspended: bool = False

    def rung(self, level: Level) -> Rung:
        """What a level puts out."""
        return next(rung for rung in self.ladder if rung.level is level)


def read_office(path: Path) -> Office:
    """Read the file. Raises OfficeError with every problem at once."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise OfficeError([f"{path}: cannot be read: {error}".replace("\n", " ")]) from None
    if not isinstance(raw, dict):
        raise OfficeError([f"{path}: holds {type(raw).__name__}, wanted a mapping"])
    return _Reader(path, raw).office()


class _Reader:
    """Collects every problem of the file."""

    def __init__(self, path: Path, raw: dict[str, Any]) -> None:
        self.path, self.raw, self.problems = path, raw, list[str]()

    def office(self) -> Office:
        known = {*_NAMES, "prefixes", "ladder", "whistles", "words", "without_suspended"}
        for key in self.raw.keys() - known:
            self.wrong(key, self.raw[key], f"a key; allowed: {', '.join(sorted(known))}")
        names = {name: self.text(name, self.raw.get(name), empty=name == "phone") for name in _NAMES}
        made = Office(
            **names,
            prefixes=self.prefixes(),
            ladder=self.ladder(),
            whistles=self.whistles(),
            wording={kind: self.wording(kind) for kind in _LETTERS},
            without_suspended=self.raw.get("without_suspended") is True,
        )
        if self.raw.get("without_suspended", False) not in (True, False):
            self.wrong("without_suspended", self.raw["without_suspended"], "true or false")
        if self.problems:
            raise OfficeError(self.problems)
        return made

    def wrong(self, key: str, value: object, wanted: str) -> None:
        self.problems.append(f"{self.path}: {key}: {value!r} is not {wanted}")

    def text(self, key: str, value: object, *, empty: bool = False) -> str:
        if not isinstance(value, str) or not (value or empty) or len(value) > 2000:
            self.wrong(key, value, "a text of 1 to 2000 characters")
            return ""
        return value

    def mapping(self, key: str, value: object) -> dict[str, Any]:
        if not isinstance(value, dict):
            self.wrong(key, value, "a mapping")
            return {}
        return value

    def prefixes(self) -> dict[LetterKind, str]:
        numbered = {kind for kind in _LETTERS if FORMS[kind].prefix}
        given = self.mapping("prefixes", self.raw.get("prefixes", {}))
        for key in given.keys() - set(numbered):
            self.wrong(f"prefixes.{key}", given[key], f"of a numbered letter: {', '.join(sorted(numbered))}")
        found = {k: self.text(f"prefixes.{k}", given.get(k, FORMS[k].prefix)) for k in sorted(numbered)}
        for kind, prefix in found.items():
            if list(found.values()).count(prefix) > 1:
                self.wrong(f"prefixes.{kind}", prefix, "used once: two letters would have the same number")
        return found

    def ladder(self) -> tuple[Rung, ...]:
        given = self.mapping("ladder", self.raw.get("ladder", {}))
        names = {level.name.lower(): level for level in Level}
        for key in given.keys() - names.keys():
            self.wrong(f"ladder.{key}", given[key], f"a level; allowed: {', '.join(names)}")
        return tuple(self.rung(rung, given.get(rung.level.name.lower(), {})) for rung in LADDER)

    def rung(self, default: Rung, raw: object) -> Rung:
        key = f"ladder.{default.level.name.lower()}"
        given = self.mapping(key, raw)
        readers: dict[str, Callable[[str, object], Any]] = {
            "used": self.share,
            "over": self.share,
            "least_days": self.share,
            "least_hours": self.share,
            "letter": self.letter,
            "reply": self.limit,
        }
        values: dict[str, Any] = {}
        for name, value in given.items():
            if name not in readers:
                self.wrong(f"{key}.{name}", value, f"a key; allowed: {', '.join(readers)}")
            else:
                values[name] = readers[name](f"{key}.{name}", value)
        shares = {n: values.get(n, getattr(default, n)) for n in ("used", "over", "least_days", "least_hours")}
        return Rung(
            default.level,
            **shares,
            letter=values.get("letter", default.letter),
            reply=values.get("reply", default.reply),
        )

    def share(self, key: str, value: object) -> Fraction:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
            self.wrong(key, value, "a number from 0 to 100")
            return Fraction(0)
        return Fraction(str(value))

    def letter(self, key: str, value: object) -> LetterKind | None:
        allowed = (LetterKind.URGE, LetterKind.ORDER, LetterKind.OFFICIAL)
        if value is not None and value not in allowed:
            self.wrong(key, value, f"one of {', '.join(allowed)}, or empty")
            return None
        return LetterKind(str(value)) if value else None

    def limit(self, key: str, value: object) -> str:
        text = str(value or "")
        try:
            if text:
                parse_limit(text)
        except LimitError as error:
            self.problems.append(f"{self.path}: {key}: {error}")
        return text

    def whistles(self) -> dict[WhistleKind, str]:
        given = self.mapping("whistles", self.raw.get("whistles", {}))
        for key in given.keys() - set(WhistleKind):
            self.wrong(f"whistles.{key}", given[key], f"of a whistle: {', '.join(WhistleKind)}")
        return {kind: self.limit(f"whistles.{kind}", given.get(kind, ARRIVAL_LIMITS[kind])) for kind in WhistleKind}

    def wording(self, kind: LetterKind) -> Wording:
        words = self.mapping("words", self.raw.get("words", {}))
        given = self.mapping(f"words.{kind}", words.get(kind, {}))
        for key in given.keys() - {"title", "reason", "demands"}:
            self.wrong(f"words.{kind}.{key}", given[key], "a key; allowed: title, reason, demands")
        title = self.text(f"words.{kind}.title", given.get("title", FORMS[kind].zh))
        rest = [self.text(f"words.{kind}.{k}", given.get(k, ""), empty=True) for k in ("reason", "demands")]
        return Wording(title, *rest)
