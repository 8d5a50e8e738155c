"""Handling units as `departments.yaml` describes them: read, checked, turned into columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

KINDS = ("district", "street", "enterprise")
_KEYS = ("id", "name", "kind", "grid", "code", "duties")
_ID = re.compile(r"[a-z][a-z0-9_]{0,63}")
_CODE = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}")
"""统一社会信用代码 (GB 32100): 18 characters without I, O, S, V, Z."""


class UnitsError(ValueError):
    """A file that cannot be used; `problems` holds one line each: file, key, value, what is allowed."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit that handles cases. `kind`: one of KINDS; `grid`: code of the street that a street office serves."""

    id: str
    name: str
    name_en: str = ""
    kind: str = "district"
    grid: str | None = None
    code: str = ""
    duties: tuple[str, ...] = ()
    duties_en: tuple[str, ...] = ()

    def columns(self) -> dict[str, Any]:
        """As the table of departments holds it, without the id."""
        return {
            "name": self.name,
            "name_en": self.name_en,
            "kind": self.kind,
            "grid_id": self.grid,
            "code": self.code,
            "duties": list(self.duties),
            "duties_en": list(self.duties_en),
        }


def unit_of(row: Mapping[str, Any]) -> Unit:
    """A row of {id, name, kind, grid, code, duties}: id and name must be there, name and duties may be {zh, en}."""
    name = row["name"]
    zh, en = (name["zh"], name.get("en", "")) if isinstance(name, Mapping) else (name, "")
    kind, code, duties = row.get("kind", "district"), row.get("code", ""), row.get("duties", ())
    both = duties if isinstance(duties, Mapping) else {"zh": duties}
    return Unit(row["id"], zh, en, kind, row.get("grid"), code, tuple(both["zh"]), tuple(both.get("en", ())))


def read(path: Path) -> list[Unit]:
    """The units of the file. Raises UnitsError with every problem at once."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UnitsError([f"{path}: cannot be read: {error}".replace("\n", " ")]) from None
    rows = raw.get("departments") if isinstance(raw, dict) else None
    if not isinstance(rows, list):
        raise UnitsError([f"{path}: departments: wanted a list of {{{', '.join(_KEYS)}}}"])
    problems: list[str] = []
    found: dict[str, Unit] = {}
    names: dict[str, str] = {}
    for number, row in enumerate(rows):
        where = f"{path}: departments[{number}]"
        wrong = _wrong(row)
        problems += [f"{where}: {key}: {value!r} is not {allowed}" for key, value, allowed in wrong]
        if wrong:
            continue
        unit = unit_of(row)
        if unit.id in found:
            problems.append(f"{where}: id: {unit.id!r} is used twice, by {found[unit.id].name} and by {unit.name}")
        if names.setdefault(unit.name, unit.id) != unit.id:
            problems.append(f"{where}: name: {unit.name!r} is used twice, by {names[unit.name]} and by {unit.id}")
        found[unit.id] = unit
    if problems:
        raise UnitsError(problems)
    return list(found.values())


def _wrong(row: Any) -> list[tuple[str, Any, str]]:
    """(key, value, what is allowed) of each key that cannot be used."""
    if not isinstance(row, Mapping):
        return [("row", row, f"a mapping of {', '.join(_KEYS)}")]
    name = row.get("name")
    zh = name.get("zh") if isinstance(name, Mapping) else name
    checks: list[tuple[str, bool, str]] = [
        ("id", isinstance(row.get("id"), str) and bool(_ID.fullmatch(row["id"])), "a-z, 0-9 and _, at most 64"),
        ("name", isinstance(zh, str) and bool(zh.strip()), "a text, or {zh, en}"),
        ("kind", row.get("kind", "district") in KINDS, f"one of {', '.join(KINDS)}"),
        ("grid", isinstance(row.get("grid", ""), str), "the code of a street, in quotes"),
        ("code", row.get("code", "") == "" or bool(_CODE.fullmatch(str(row["code"]))), "18 characters (GB 32100)"),
        ("duties", _duties_ok(row.get("duties", [])), "a list of texts, or {zh, en} of two such lists"),
    ]
    unknown = [(str(key), row[key], f"a known key ({', '.join(_KEYS)})") for key in row.keys() - set(_KEYS)]
    return [(key, row.get(key), allowed) for key, good, allowed in checks if not good] + unknown


def _duties_ok(duties: Any) -> bool:
    if isinstance(duties, Mapping):
        return "zh" in duties and not duties.keys() - {"zh", "en"} and all(_texts(part) for part in duties.values())
    return _texts(duties)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)
