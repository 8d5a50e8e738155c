"""Code sets of components and matters as data (`configs/categories/*.yaml`), and the crosswalk between the standards.

The key of a class is (standard, kind, code): components and matters share numbers in GB/T 47678.5, and the same number
means different things in different standards. Matters 01xxx-05xxx of GB/T 47678.5 are named after the component + 异常.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

GBT_47678 = "GB/T 47678.5"
GBT_30428 = "GB/T 30428.2"
CJT_214 = "CJ/T 214"
_CODES = {GBT_47678: r"\d{5}", GBT_30428: r"\d\d-\d\d", CJT_214: r"\d\d-\d\d"}
CROSSWALK_FILE, CONDITIONS_FILE = "crosswalk.yaml", "conditions.yaml"


class CategoryError(ValueError):
    """Code sets that cannot be used; `problems` holds one line each: file, key, value, what is allowed."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class ClassKind(StrEnum):
    """What a class describes: a thing of the city (部件) or something that happens (事项)."""

    COMPONENT = "component"
    MATTER = "matter"


Key = tuple[str, ClassKind, str]
"""(standard, kind, code)"""


@dataclass(frozen=True, slots=True)
class Category:
    """One class. `extension`: a local number outside the standard. `verified`: checked against the standard itself.

    `en`, `group_en`: what the English page calls it and its group, our own words; "" where the file says none.
    """

    standard: str
    kind: ClassKind
    code: str
    name: str
    group: str = ""
    extension: bool = False
    verified: bool = False
    en: str = ""
    group_en: str = ""

    @property
    def key(self) -> Key:
        """(standard, kind, code): the number alone names nothing."""
        return (self.standard, self.kind, self.code)


@dataclass(frozen=True, slots=True)
class Categories:
    """All code sets by (standard, kind, code), and which keys mean the same."""

    classes: Mapping[Key, Category]
    same: Mapping[Key, tuple[Key, ...]] = field(default_factory=dict)

    def get(self, standard: str, code: str, kind: ClassKind = ClassKind.MATTER) -> Category | None:
        """The class, or None where the code sets don't hold it."""
        found = self.classes.get((standard, kind, code))
        if found is None and kind is ClassKind.MATTER and standard == GBT_47678:
            return self._abnormal(code)
        return found

    def name(self, standard: str, code: str, kind: ClassKind = ClassKind.MATTER) -> str | None:
        """Its Chinese name, or None."""
        found = self.get(standard, code, kind)
        return found.name if found else None

    def crosswalk(self, standard: str, code: str, to: str, kind: ClassKind = ClassKind.MATTER) -> tuple[Category, ...]:
        """Classes of the standard `to` that mean the same, the one for exports first; empty when there is none."""
        if standard == to:
            found = self.get(standard, code, kind)
            return (found,) if found else ()
        return tuple(self.classes[key] for key in self.same.get((standard, kind, code), ()) if key[0] == to)

    def standards(self) -> tuple[str, ...]:
        """The code sets, the one that cases are filed under first."""
        return tuple(standard for standard in _CODES if any(key[0] == standard for key in self.classes))

    def all(self) -> tuple[Category, ...]:
        """Every class in order of standard, kind and code, with the matters "component + 异常" of GB/T 47678.5."""
        made = [self._abnormal(c.code) for c in self.classes.values() if c.kind is ClassKind.COMPONENT]
        derived = [c for c in made if c is not None and c.key not in self.classes]
        return tuple(sorted((*self.classes.values(), *derived), key=lambda c: c.key))

    def _abnormal(self, code: str) -> Category | None:
        component = self.classes.get((GBT_47678, ClassKind.COMPONENT, code))
        if component is None:
            return None
        return replace(
            component,
            kind=ClassKind.MATTER,
            name=f"{component.name}异常",
            en=f"{component.en}: problem" if component.en else "",
        )


def load(folder: Path) -> Categories:
    """Read every code set in `folder` and its crosswalk. Raises CategoryError with every problem at once."""
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise CategoryError([f"{folder}: holds no code set (*.yaml)"])
    reader = _Reader()
    for path in files:
        if path.name not in (CROSSWALK_FILE, CONDITIONS_FILE):
            reader.code_set(path)
    if (folder / CROSSWALK_FILE).exists():
        reader.crosswalk(folder / CROSSWALK_FILE)
    if reader.problems:
        raise CategoryError(reader.problems)
    return Categories(reader.classes, {key: tuple(others) for key, others in reader.same.items()})


class _Reader:
    """Collects the classes and every problem of all files."""

    def __init__(self) -> None:
        self.classes: dict[Key, Category] = {}
        self.same: dict[Key, list[Key]] = {}
        self.problems: list[str] = []

    def code_set(self, path: Path) -> None:
        raw = self._mapping(path)
        standard = raw.get("standard")
        if standard not in _CODES:
            self.problems.append(f"{path}: standard: {standard!r} is not one of {', '.join(_CODES)}")
            return
        groups = self._groups(path, raw.get("groups") or {})
        for kind in ClassKind:
            names = raw.get(kind.value) or {}
            if not isinstance(names, dict):
                self.problems.append(f"{path}: {kind.value}: {names!r} is not a mapping of code to name")
                continue
            for code, value in names.items():
                entry = value if isinstance(value, dict) else {"name": value}
                where = f"{path}: {kind.value}.{code}"
                if self._entry_ok(where, standard, code, entry):
                    group = groups.get((kind.value, code[:2]), {"name": ""})
                    self.classes[(standard, kind, code)] = Category(
                        standard,
                        kind,
                        code,
                        entry["name"],
                        group["name"],
                        bool(entry.get("extension", False)),
                        bool(entry.get("verified", raw.get("verified", False))),
                        entry.get("en", ""),
                        group.get("en", ""),
                    )

    def _groups(self, path: Path, raw: Any) -> dict[tuple[str, str], dict[str, str]]:
        """(kind, two digits) to {name, en}; a name alone has no English."""
        found: dict[tuple[str, str], dict[str, str]] = {}
        for kind, names in raw.items() if isinstance(raw, dict) else [("", raw)]:
            for code, value in names.items() if isinstance(names, dict) else [("", names)]:
                entry = value if isinstance(value, dict) else {"name": value}
                texts = all(isinstance(text, str) and text for text in entry.values())
                if not texts or "name" not in entry or entry.keys() - {"name", "en"}:
                    self.problems.append(f"{path}: groups.{kind}.{code}: {value!r} is not a text, or {{name, en}}")
                    continue
                found[str(kind), str(code)] = entry
        return found

    def crosswalk(self, path: Path) -> None:
        raw = self._mapping(path)
        for kind in ClassKind:
            rows = raw.get(kind.value) or []
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                self.problems.append(f"{path}: {kind.value}: wanted a list of mappings of standard to code")
                continue
            for number, row in enumerate(rows):
                self._row(f"{path}: {kind.value}[{number}]", kind, row)

    def _row(self, where: str, kind: ClassKind, row: dict[Any, Any]) -> None:
        keys: list[Key] = []
        for standard, codes in row.items():
            for code in codes if isinstance(codes, list) else [codes]:
                key = (standard, kind, code)
                if key in self.classes:
                    keys.append(key)
                else:
                    self.problems.append(f"{where}: {standard}: {code!r} is not in the code set of that standard")
        for key in keys:
            known = self.same.setdefault(key, [])
            known += [other for other in keys if other != key and other not in known]

    def _entry_ok(self, where: str, standard: str, code: Any, entry: dict[str, Any]) -> bool:
        good = True
        if not isinstance(code, str) or not re.fullmatch(_CODES[standard], code):
            self.problems.append(f"{where}: {code!r} is not a code of {standard} ({_CODES[standard]}, in quotes)")
            good = False
        if not isinstance(entry.get("name"), str) or not entry["name"]:
            self.problems.append(f"{where}: name: {entry.get('name')!r} is not a text")
            good = False
        if not isinstance(entry.get("en", ""), str):
            self.problems.append(f"{where}: en: {entry['en']!r} is not a text")
            good = False
        for unknown in entry.keys() - {"name", "en", "extension", "verified"}:
            self.problems.append(f"{where}: unknown key {unknown!r}; allowed: name, en, extension, verified")
            good = False
        return good

    def _mapping(self, path: Path) -> dict[str, Any]:
        try:
            raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            self.problems.append(f"{path}: cannot be read: {error}".replace("\n", " "))
            return {}
        if not isinstance(raw, dict):
            self.problems.append(f"{path}: holds {type(raw).__name__}, wanted a mapping")
            return {}
        return raw
