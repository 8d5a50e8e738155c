"""Filing conditions of a class: when it is filed (立案条件), what limit then runs, when it may be closed (结案条件).

One class has 1..n conditions; a case keeps the one that was chosen. The table's own wording is kept, in Chinese;
beside it stands English: the row's own, or else the shipped English of the same words (`read_english`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .category import GBT_47678, Categories, CategoryError, ClassKind, Key
from .clock import LimitError, parse_limit

LONGEST = 500
"""Characters of any text of a condition."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One row of a handling table. `area`: the class of area it is for (地区等级), empty: everywhere.

    `unit`: 处置单位, who handles it; `authority`: 主管部门, who answers for it; `limit`: the table's own words.
    `filing_en`, `closing_en`: the row's own English; empty: it has none; None: nothing was said of it.
    """

    standard: str
    kind: ClassKind
    code: str
    unit: str
    filing: str
    closing: str
    limit: str
    authority: str = ""
    group_name: str = ""
    class_name: str = ""
    area: str = ""
    filing_en: str | None = None
    closing_en: str | None = None

    @property
    def key(self) -> Key:
        """(standard, kind, code) of its class."""
        return (self.standard, self.kind, self.code)

    @property
    def id(self) -> str:
        """The same in every hub and after every import: made of the class, the area level and the filing condition."""
        text = "|".join((self.standard, self.kind, self.code, self.area, self.filing.strip()))
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def keys_for(categories: Categories, standard: str, code: str, kind: ClassKind = ClassKind.MATTER) -> list[Key]:
    """Under which classes the conditions of a class may stand, the best first.

    Its own; for a matter "component + 异常" its component's (same number, domain.md §2.4); then its counterparts
    in other standards.
    """
    own: list[Key] = [(standard, kind, code)]
    if kind is ClassKind.MATTER and (standard, kind, code) not in categories.classes:
        own.append((standard, ClassKind.COMPONENT, code))
    others = [other for key in own for other in categories.same.get(key, ())]
    return [*own, *dict.fromkeys(others)]


def read_seed(path: Path, categories: Categories) -> list[Condition]:
    """The conditions of `configs/categories/conditions.yaml`, in its order. Raises CategoryError with every problem."""
    raw = _mapping(path)
    standard, found, problems = raw.get("standard", GBT_47678), list[Condition](), list[str]()
    for kind in ClassKind:
        for number, row in enumerate(raw.get(kind.value) or []):
            where = f"{path}: {kind.value}[{number}]"
            if not isinstance(row, dict):
                problems.append(f"{where}: {row!r} is not a mapping")
                continue
            found += _seed_row(where, standard, kind, row, categories, problems)
    problems += [f"{path}: {text}" for text in duplicates(found)]
    if problems:
        raise CategoryError(problems)
    return found


def read_english(path: Path) -> dict[str, str]:
    """Words of conditions to their English: `english` in the file of `read_seed`. Raises CategoryError."""
    raw = _mapping(path).get("english") or {}
    if not isinstance(raw, dict):
        raise CategoryError([f"{path}: english: {raw!r} is not a mapping of Chinese words to English"])
    wrong_ones = [(zh, en) for zh, en in raw.items() if not isinstance(zh, str) or not isinstance(en, str) or not en]
    if wrong_ones:
        raise CategoryError([f"{path}: english.{zh}: {en!r} is not a text" for zh, en in wrong_ones])
    return dict(raw)


def _mapping(path: Path) -> dict[str, Any]:
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CategoryError([f"{path}: cannot be read: {error}".replace("\n", " ")]) from None
    if not isinstance(raw, dict):
        raise CategoryError([f"{path}: holds {type(raw).__name__}, wanted a mapping"])
    return raw


_SEED_KEYS = ("codes", "unit", "authority", "filing", "limit", "closing", "area")


def _seed_row(
    where: str, standard: str, kind: ClassKind, row: Mapping[str, Any], categories: Categories, problems: list[str]
) -> list[Condition]:
    made = []
    for unknown in row.keys() - set(_SEED_KEYS):
        problems.append(f"{where}: unknown key {unknown!r}; allowed: {', '.join(_SEED_KEYS)}")
    text = {name: row.get(name, "") for name in _SEED_KEYS[1:]}
    for name, value in text.items():
        if not isinstance(value, str):
            problems.append(f"{where}: {name}: {value!r} is not a text")
            return []
    for code in row.get("codes") or [None]:
        category = categories.get(standard, str(code), kind)
        if category is None:
            problems.append(f"{where}: codes: {code!r} is not in the code set of {standard}")
            continue
        condition = Condition(
            standard, kind, category.code, group_name=category.group, class_name=category.name, **text
        )
        problems += [f"{where}: {name}: {value!r}: {allowed}" for name, value, allowed in wrong(condition)]
        made.append(condition)
    return made


def wrong(condition: Condition) -> list[tuple[str, str, str]]:
    """(field, value, what is allowed) of each field that cannot be used."""
    found = []
    for name, allowed in (("unit", "the unit that handles it"), ("closing", "when the case may be closed")):
        value = getattr(condition, name)
        if not value.strip():
            found.append((name, value, f"not empty: {allowed}"))
    try:
        parse_limit(condition.limit)
    except LimitError as error:
        found.append(("limit", condition.limit, str(error).partition(" is not ")[2]))
    for name in ("unit", "authority", "filing", "closing", "group_name", "class_name", "filing_en", "closing_en"):
        value = getattr(condition, name) or ""
        if len(value) > LONGEST:
            found.append((name, value[:40] + "…", f"at most {LONGEST} characters, not {len(value)}"))
    return found


def duplicates(conditions: Iterable[Condition]) -> list[str]:
    """One line for each condition that says the same class, area level and filing condition as one before."""
    seen: set[str] = set()
    found = []
    for one in conditions:
        if one.id in seen:
            found.append(f"{one.kind.value} {one.code}: the filing condition {one.filing!r} stands twice")
        seen.add(one.id)
    return found
