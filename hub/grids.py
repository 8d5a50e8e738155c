"""What can be done with the grid and its people: brought in, handed out, shown with masked phones."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import workbook
from .domain import grid_geojson
from .domain.grid import LEVEL_NAMES, LEVELS, ROLES, Grid, GridError, GridTree, PersonRole, masked
from .domain.grid_survey import survey
from .domain.handling_table import Formula
from .errors import Invalid, NotFound, TooLarge
from .house import SYSTEM, Actor, House
from .store import Transaction
from .store import grid_queries as ask
from .store.rows import GridPersonRow, GridRow

AREAS = ("district", "street", "community", "base")
"""Levels that are areas."""
_PHONE = re.compile(r"\+?[\d][\d \-]{3,24}")
_COLUMNS = {"grid": "网格编码", "role": "角色", "name": "姓名", "phone": "电话"}
PERSONS_BYTES_MAX = 8 * 1024 * 1024


def tree(tx: Transaction, levels: Iterable[str] | None = AREAS) -> GridTree:
    """The grid as stored; areas alone unless `levels` is None (all)."""
    return GridTree({row.id: _grid(row) for row in ask.grids(tx, levels)})


def _grid(row: GridRow) -> Grid:
    # What is stored was checked when it came in.
    return Grid(
        row.id, row.name, LEVELS[row.level], row.parent_id or "", grid_geojson.shape_of(row.geometry), row.area_level
    )


def bring(
    house: House,
    collection: Mapping[str, Any],
    by: Actor = SYSTEM,
    *,
    surveyed: bool = True,
    replace: bool = False,
    apply: bool = True,
) -> dict[str, Any]:
    """Take grids over from GeoJSON; with those that are there they must form one tree. {added, changed, same, removed}.

    `surveyed`: codes, overlaps and strays are checked too. `replace`: grids that the file does not hold are removed,
    with their people. Without `apply` nothing is changed. Raises GridError with every problem: nothing was taken then.
    """
    given = grid_geojson.read(collection)
    with house.db.write() as tx:
        known = {} if replace else dict(tree(tx, None).grids)
        whole = GridTree.of({**known, **given.grids}.values())
        if surveyed and (problems := survey(whole)):
            raise GridError(problems)
        rows = {row.id: row for row in ask.grids(tx)}
        counts = Counter(_put(tx, rows.get(grid.id), grid, apply) for grid in given.grids.values())
        gone = [id_ for id_ in rows if id_ not in given.grids] if replace else []
        if apply:
            tx.flush()
            ask.remove(tx, gone)
            tx.audit(house.now(), by.id, "grids-imported", "grids", count=len(given.grids), removed=len(gone))
    return {name: counts[name] for name in ("added", "changed", "same")} | {"removed": len(gone), "applied": apply}


def _put(tx: Transaction, row: GridRow | None, grid: Grid, apply: bool) -> str:
    values = {
        "name": grid.name,
        "level": grid.level_name,
        "parent_id": grid.parent or None,
        "area_level": grid.area_level,
        "geometry": grid_geojson.geometry(grid.area),
    }
    if row is None:
        if apply:
            tx.add(GridRow(id=grid.id, **values))
        return "added"
    if all(getattr(row, name) == value for name, value in values.items()):
        return "same"
    if apply:
        for name, value in values.items():
            setattr(row, name, value)
    return "changed"


def geojson(house: House, levels: Sequence[str] | None = AREAS) -> dict[str, Any]:
    """A FeatureCollection (RFC 7946) of some levels, or all (None). Raises Invalid."""
    for level in levels or ():
        if level not in LEVELS:
            raise Invalid("level", level, list(LEVELS))
    with house.db.read() as tx:
        rows = ask.grids(tx, levels)
        return {"type": "FeatureCollection", "features": [_feature(row) for row in rows]}


def _feature(row: GridRow) -> dict[str, Any]:
    properties: dict[str, Any] = {"id": row.id, "name": row.name, "level": row.level, "parent": row.parent_id}
    if row.area_level:
        properties["area_level"] = row.area_level
    return {"type": "Feature", "id": row.id, "geometry": row.geometry, "properties": properties}


def listed(house: House) -> list[dict[str, Any]]:
    """Every grid without its geometry: people with masked phones, how many cameras and sensors stand in it."""
    with house.db.read() as tx:
        people: dict[str, list[dict[str, Any]]] = {}
        for person in ask.persons(tx):
            people.setdefault(person.grid_id, []).append(person_json(person))
        devices = ask.device_counts(tx)
        return [
            {
                "id": row.id,
                "name": row.name,
                "level": row.level,
                "level_name": LEVEL_NAMES[LEVELS[row.level]],
                "parent": row.parent_id,
                "area_level": row.area_level,
                "persons": people.get(row.id, []),
                "cameras": devices.get(row.id, (0, 0))[0],
                "sensors": devices.get(row.id, (0, 0))[1],
            }
            for row in ask.grids(tx)
        ]


def person_json(row: GridPersonRow) -> dict[str, Any]:
    """{id, role, role_name, name, phone (masked)}"""
    role = ROLES.get(PersonRole(row.role)) if row.role in list(PersonRole) else None
    return {
        "id": str(row.id),
        "role": row.role,
        "role_name": role[1] if role else {"zh": row.role, "en": row.role},
        "name": row.name,
        "phone": masked(row.phone),
    }


def responsible(tx: Transaction, grid_id: str | None) -> list[dict[str, Any]]:
    """From the grid upwards, each level's {grid, level, persons}: whom to call about a place, the nearest first."""
    path = ask.path(tx, grid_id)
    people: dict[str, list[dict[str, Any]]] = {}
    for person in ask.persons(tx, [step[0] for step in path]):
        people.setdefault(person.grid_id, []).append(person_json(person))
    return [
        {"grid": {"id": id_, "name": name}, "level": level, "persons": people.get(id_, [])}
        for id_, name, level, _area in reversed(path)
    ]


def staffed(tx: Transaction, grid_id: str | None) -> set[str]:
    """Levels at and above the grid that have somebody responsible."""
    return {step["level"] for step in responsible(tx, grid_id) if step["persons"]}


def phone(house: House, actor: Actor, person_id: str) -> dict[str, str]:
    """The number in full, on record: who saw whose. Raises NotFound."""
    with house.db.write() as tx:
        row = ask.person(tx, int(person_id)) if person_id.isdigit() and len(person_id) < 18 else None
        if row is None:
            raise NotFound("person", person_id)
        tx.audit(house.now(), actor.id, "phone-seen", f"grid/{row.grid_id}", person=row.name, role=row.role)
        return {"id": person_id, "name": row.name, "phone": row.phone}


# --- bringing people in -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PersonProblem:
    """A row of the file that cannot be used."""

    row: int
    column: str
    value: str
    allowed: str

    def __str__(self) -> str:
        return f"row {self.row}, {self.column}: {self.value!r}; allowed: {self.allowed}"


def import_persons(
    house: House, content: bytes, by: Actor = SYSTEM, *, replace: bool = False, apply: bool = True
) -> dict[str, Any]:
    """People from CSV or XLSX with the columns 网格编码, 角色, 姓名, 电话 (or grid, role, name, phone).

    Good rows are taken, bad ones named: {good, refused, problems, applied}. `replace`: whoever the file does not name
    is removed, if no row was refused. Raises Invalid, TooLarge (no such file).
    """
    rows = _person_rows(content)
    with house.db.write() as tx:
        levels = {row.id: row.level for row in ask.grids(tx)}
        good, problems = _check_persons(rows, levels)
        if apply:
            known = {(p.grid_id, p.role, p.name): p for p in ask.persons(tx)}
            for key, number in good.items():
                person = known.pop(key, None) or GridPersonRow(grid_id=key[0], role=key[1], name=key[2])
                person.phone = number
                tx.add(person)
            if replace and not problems:
                for person in known.values():
                    tx.delete(person)
            told = {"count": len(good), "refused": len(problems)}
            tx.audit(house.now(), by.id, "grid-persons-imported", "grids", **told)
    return {
        "good": len(good),
        "refused": len({p.row for p in problems}),
        "problems": [
            {"row": p.row, "column": p.column, "value": p.value, "allowed": p.allowed, "text": str(p)} for p in problems
        ],
        "applied": apply,
    }


def _person_rows(content: bytes) -> list[list[object]]:
    if len(content) > PERSONS_BYTES_MAX:
        raise TooLarge("file", PERSONS_BYTES_MAX)
    if content.startswith(b"PK"):
        tables = workbook.read(content)
        return next(iter(tables.values()), [])
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return [list(row) for row in csv.reader(io.StringIO(content.decode(encoding)))]
        except (UnicodeDecodeError, csv.Error):
            continue
    raise Invalid("file", f"{len(content)} bytes", "CSV in UTF-8 or GB 18030, or XLSX")


def _check_persons(
    rows: Sequence[Sequence[object]], levels: Mapping[str, str]
) -> tuple[dict[tuple[str, str, str], str], list[PersonProblem]]:
    if not rows:
        raise Invalid("file", "no row", f"a header with {', '.join(_COLUMNS.values())}")
    header = [str(cell or "").strip() for cell in rows[0]]
    where = {name: next((i for i, h in enumerate(header) if h in (name, zh)), None) for name, zh in _COLUMNS.items()}
    for name in ("grid", "role", "name"):
        if where[name] is None:
            raise Invalid("header", ", ".join(header)[:100], f"a column {_COLUMNS[name]} (or {name})")
    good: dict[tuple[str, str, str], str] = {}
    problems: list[PersonProblem] = []
    for number, row in enumerate(rows[1:], start=2):
        if all(cell in (None, "") for cell in row):
            continue
        cells = {n: _cell(row[i]) if i is not None and i < len(row) else "" for n, i in where.items()}
        found = [PersonProblem(number, _COLUMNS[n], value, allowed) for n, value, allowed in _wrong(cells, levels)]
        key = (cells["grid"], _role_of(cells["role"]), cells["name"])
        if not found and key in good:
            found = [PersonProblem(number, _COLUMNS["name"], cells["name"], "each person once in a grid and role")]
        problems += found
        if not found:
            good[key] = cells["phone"]
    return good, problems


def _cell(value: object) -> str:
    if isinstance(value, Formula):
        return value.text
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value or "").strip()


def _role_of(text: str) -> str:
    by_name = {zh["zh"]: role.value for role, (_level, zh) in ROLES.items()}
    return by_name.get(text, text)


def _wrong(cells: Mapping[str, str], levels: Mapping[str, str]) -> list[tuple[str, str, str]]:
    found = []
    level, role = levels.get(cells["grid"]), _role_of(cells["role"])
    if level is None:
        found.append(("grid", cells["grid"], "the code of a grid that was imported"))
    if role not in list(PersonRole):
        found.append(("role", cells["role"], ", ".join(zh["zh"] for _level, zh in ROLES.values())))
    elif level is not None and ROLES[PersonRole(role)][0] is not LEVELS[level]:
        fits = [ROLES[r][1]["zh"] for r in PersonRole if ROLES[r][0] is LEVELS[level]]
        found.append(("role", cells["role"], f"{', '.join(fits)} at a {level} grid"))
    if not 1 <= len(cells["name"]) <= 64 or cells["name"].startswith(("=", "+", "-", "@")):
        found.append(("name", cells["name"][:80], "a name of 1 to 64 characters"))
    if cells["phone"] and not _PHONE.fullmatch(cells["phone"]):
        found.append(("phone", masked(cells["phone"][:40]), "digits, spaces and - , perhaps + in front; or empty"))
    return found


def export_persons(house: House, by: Actor, *, phones: bool) -> bytes:
    """The people as XLSX, with their numbers (then on record) or masked ones."""
    with house.db.write() as tx:
        rows = [[p.grid_id, ROLES[PersonRole(p.role)][1]["zh"], p.name, p.phone if phones else masked(p.phone)]
                for p in ask.persons(tx)]  # fmt: skip
        if phones:
            tx.audit(house.now(), by.id, "phones-exported", "grids", count=len(rows))
    return workbook.write({"责任人": [list(_COLUMNS.values()), *rows]}, (22, 24, 16, 18))
