"""What can be done with filing conditions and classes: seeded, imported and exported as XLSX, ticked, chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import workbook
from .domain import handling_table
from .domain.category import CONDITIONS_FILE, GBT_47678, Category, ClassKind
from .domain.condition import Condition, keys_for, read_seed
from .domain.handling_table import SheetProblem
from .errors import Invalid, NotFound
from .house import SYSTEM, Actor, House
from .store import Transaction, grid_queries, people_queries
from .store import category_queries as ask
from .store.category_rows import CheckedClassRow, ConditionRow
from .wire import Names, time_text

WIDTHS = (10, 16, 10, 24, 18, 18, 44, 24, 14, 44, 24)
"""Of the nine columns and the two of English, in characters."""
_FIELDS = ("standard", "code", "area", "group_name", "class_name", "unit", "authority", "filing", "closing", "limit")
_ENGLISH = ("filing", "closing")
"""What may have English of its own, in `filing_en` and `closing_en`."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, or would do (`applied` false): numbers of conditions, and every problem."""

    applied: bool
    good: int
    refused: int
    added: int
    changed: int
    same: int
    retired: int
    problems: tuple[SheetProblem, ...]
    conditions: tuple[Condition, ...]

    def to_json(self) -> dict[str, Any]:
        """{applied, good, refused, added, changed, same, retired, problems: [{sheet, row, column, value, allowed}]}"""
        names = ("applied", "good", "refused", "added", "changed", "same", "retired")
        problems = [
            {
                "sheet": p.sheet,
                "row": p.row,
                "column": p.column,
                "value": p.value,
                "allowed": p.allowed,
                "what": p.what,
                "note": p.note,
                "text": str(p),
            }
            for p in self.problems
        ]
        return {name: getattr(self, name) for name in names} | {"problems": problems}


def seed(house: House) -> int:
    """Read the shipped conditions into a hub that holds none; how many. Raises CategoryError."""
    path = house.settings.categories_dir / CONDITIONS_FILE
    with house.db.read() as tx:
        if not path.is_file() or ask.any_condition(tx):
            return 0
    found = read_seed(path, house.rules.categories)
    with house.db.write() as tx:
        if ask.any_condition(tx):
            return 0
        _merge(tx, house, found)
        tx.audit(house.now(), SYSTEM.id, "conditions-seeded", "conditions", count=len(found), file=path.name)
    return len(found)


def import_sheet(
    house: House,
    actor: Actor,
    content: bytes,
    *,
    standard: str = GBT_47678,
    area: str = "",
    replace: bool = False,
    apply: bool = True,
    name: str = "file",
) -> Imported:
    """Take over the good rows of a handling table in XLSX; bad ones are named, never guessed.

    `replace`: conditions of this standard and class of area that the file does not hold are retired, unless a row of
    their class was refused. Without `apply` nothing is changed. Raises Invalid, TooLarge (not a workbook).
    """
    _check_area(area)
    if standard not in house.rules.categories.standards():
        raise Invalid("standard", standard, house.rules.categories.standards())
    tables = workbook.read(content, name)
    with house.db.read() as tx:
        units = frozenset(d.name for d in people_queries.departments(tx))
    found = handling_table.read(tables, house.rules.categories, standard=standard, area=area, units=units)
    with house.db.write() as tx:
        counts = _merge(tx, house, found.conditions, apply=apply)
        gone = _missing(tx, found, standard, area) if replace else []
        if apply:
            now = house.now()
            for row in gone:
                row.retired_at = now
            added, changed, _same = counts
            summary = {"good": len(found.conditions), "refused": found.refused, "added": added, "changed": changed}
            tx.audit(now, actor.id, "conditions-imported", "conditions", retired=len(gone), area=area, **summary)
    return Imported(apply, len(found.conditions), found.refused, *counts, len(gone), found.problems, found.conditions)


def _missing(tx: Transaction, found: handling_table.HandlingTable, standard: str, area: str) -> list[ConditionRow]:
    """Conditions in force that the file does not hold; a class with a refused row keeps what it has."""
    held = {c.id for c in found.conditions}
    doubtful = {p.code for p in found.problems if not p.note}
    if "" in doubtful:  # a row of no known class, or no table at all: it may be about any of them
        return []
    rows = [row for row in ask.conditions(tx, area) if row.standard == standard and row.id not in held]
    return [row for row in rows if row.code not in doubtful]


def _merge(
    tx: Transaction, house: House, conditions: Sequence[Condition], *, apply: bool = True
) -> tuple[int, int, int]:
    """(added, changed, same). What changed loses its tick: somebody ticked other words; English alone leaves it."""
    known = {row.id: row for row in ask.conditions(tx, retired=True)}
    added = changed = same = 0
    for position, one in enumerate(conditions):
        row = known.get(one.id)
        values = {"kind": one.kind.value} | {name: getattr(one, name) for name in _FIELDS}
        english = _own_english(house, one, row)
        if row is None:
            added += 1
            if apply:
                tx.add(ConditionRow(id=one.id, position=position, changed_at=house.now(), **values, **english))
            continue
        ruled = row.retired_at is not None or any(getattr(row, name) != value for name, value in values.items())
        if ruled or any(getattr(row, name) != value for name, value in english.items()):
            changed += 1
        else:
            same += 1
        if apply:
            for field, value in (values | english).items():
                setattr(row, field, value)
            row.position = position
            if ruled:
                row.changed_at, row.verified_by, row.verified_at, row.retired_at = house.now(), None, None, None
    if apply:
        tx.flush()
    return added, changed, same


def _own_english(house: House, one: Condition, row: ConditionRow | None) -> dict[str, str]:
    """{filing_en, closing_en} that the row is to have: none where it would repeat the shipped English.

    A table that says nothing of English leaves what is there, as long as the Chinese words stay.
    """
    found: dict[str, str] = {}
    for name in _ENGLISH:
        words, said = getattr(one, name), getattr(one, f"{name}_en")
        if said is None:
            said = getattr(row, f"{name}_en") if row is not None and getattr(row, name) == words else ""
        found[f"{name}_en"] = "" if said == house.rules.english.get(words) else said
    return found


def closings_in_english(tx: Transaction, house: House) -> dict[str, str]:
    """Closing conditions to their English: the shipped, and over it what the hub's own table says."""
    return {**house.rules.english, **ask.english_of_closings(tx)}


def export_sheet(house: House, area: str = "") -> bytes:
    """The handling table of one class of area as XLSX."""
    _check_area(area)
    with house.db.read() as tx:
        found = [_with_english(house, row) for row in ask.conditions(tx, area)]
    return workbook.write(handling_table.write(found), WIDTHS)


def _with_english(house: House, row: ConditionRow) -> Condition:
    """The row as the pure middle knows it, with the English that is shown."""
    words = {name: getattr(row, name) for name in _FIELDS}
    return Condition(kind=ClassKind(row.kind), **words, **_shown_english(house, row))


def _shown_english(house: House, row: ConditionRow) -> dict[str, str]:
    return {
        f"{name}_en": getattr(row, f"{name}_en") or house.rules.english.get(getattr(row, name), "") for name in _ENGLISH
    }


def for_class(
    tx: Transaction, house: House, standard: str, code: str, area: str = "", kind: ClassKind = ClassKind.MATTER
) -> list[ConditionRow]:
    """The conditions a case of the class can be filed under, in the order of the table.

    Those of the first class that has any (its own, its component's, its counterparts in other standards); where some
    are for this class of area, only those.
    """
    keys = keys_for(house.rules.categories, standard, code, kind)
    rows = ask.conditions_of(tx, keys)
    for key in keys:
        own = [row for row in rows if (row.standard, row.kind, row.code) == key]
        if own:
            here = [row for row in own if area and row.area == area]
            return here or [row for row in own if not row.area]
    return []


def listed(
    house: House,
    *,
    code: str | None = None,
    standard: str = GBT_47678,
    area: str | None = None,
    grid: str | None = None,
    text: str = "",
    verified: bool | None = None,
) -> list[dict[str, Any]]:
    """Conditions in the order of the table; those of one class (as `for_class` finds them), or all that match."""
    with house.db.read() as tx:
        area = grid_queries.area_level(tx, grid) if grid else area
        rows = for_class(tx, house, standard, code, area or "") if code else ask.conditions(tx, area)
        show = _Shown.of(tx, house)
        shown = [show.condition(row) for row in rows]
    words = text.casefold().split()
    return [
        one
        for one in shown
        if (verified is None or one["verified"] is verified)
        and all(any(word in str(one[name]).casefold() for name in _SEARCHED) for word in words)
    ]


_SEARCHED = (
    *("code", "group_name", "class_name", "class_en", "unit", "unit_en", "authority", "authority_en", "filing"),
    *("filing_en", "closing", "closing_en", "limit"),
)


@dataclass(frozen=True, slots=True)
class _Shown:
    """Conditions as screens show them. `units`: the English of units' names."""

    house: House
    names: Names
    units: Mapping[str, str]

    @classmethod
    def of(cls, tx: Transaction, house: House) -> _Shown:
        units = {d.name: d.name_en for d in people_queries.departments(tx) if d.name_en}
        return cls(house, Names.of(tx), {**house.rules.english, **units})

    def condition(self, row: ConditionRow) -> dict[str, Any]:
        """A condition; `verified` until somebody changes it. `…_en`: "" where there is no English for it."""
        shown = _words(row, self.names)
        one = self.house.rules.categories.get(row.standard, row.code, ClassKind(row.kind))
        same_name = one is not None and one.name == row.class_name
        shown |= {"class_en": one.en if one and same_name else "", **_shown_english(self.house, row)}
        return shown | {f"{name}_en": self.units.get(shown[name], "") for name in ("unit", "authority")}


def _words(row: ConditionRow, names: Names) -> dict[str, Any]:
    """A condition in the table's own words."""
    return {
        "id": row.id,
        "standard": row.standard,
        "kind": row.kind,
        "code": row.code,
        "area": row.area,
        "group_name": row.group_name,
        "class_name": row.class_name,
        "unit": row.unit,
        "authority": row.authority,
        "filing": row.filing,
        "closing": row.closing,
        "limit": row.limit,
        "verified": row.verified_at is not None,
        "verified_by": names.person(row.verified_by),
        "verified_at": time_text(row.verified_at),
        "retired": row.retired_at is not None,
    }


def verify(house: House, actor: Actor, condition_id: str, verified: bool = True) -> dict[str, Any]:
    """A named person says that the row is right (or takes it back). Raises NotFound."""
    with house.db.write() as tx:
        row = ask.condition(tx, condition_id)
        if row is None or row.retired_at is not None:
            raise NotFound("condition", condition_id)
        now = house.now()
        row.verified_by, row.verified_at = (actor.id, now) if verified else (None, None)
        action = "condition-verified" if verified else "condition-unverified"
        told = {"class": row.code, "filing": row.filing, "limit": row.limit, "closing": row.closing}
        tx.audit(now, actor.id, action, f"condition/{row.id}", **told)
        tx.flush()
        return _Shown.of(tx, house).condition(row)


# --- classes ----------------------------------------------------------------------------------------------------------


def classes(
    house: House, *, standard: str | None = None, kind: str | None = None, text: str = ""
) -> list[dict[str, Any]]:
    """Classes of the code sets that match, with their counterparts and how many conditions each has."""
    words = text.casefold().split()
    with house.db.read() as tx:
        checked, names = ask.checked_classes(tx), Names.of(tx)
        counts: dict[tuple[str, str, str], int] = {}
        for row in ask.conditions(tx):
            key = (row.standard, row.kind, row.code)
            counts[key] = counts.get(key, 0) + 1
    return [
        _class_json(house, one, checked.get(one.key), names) | {"conditions": counts.get(one.key, 0)}
        for one in house.rules.categories.all()
        if (standard is None or one.standard == standard)
        and (kind is None or one.kind == kind)
        and all(word in f"{one.code} {one.name} {one.group} {one.en} {one.group_en}".casefold() for word in words)
    ]


def _class_json(house: House, one: Category, mark: CheckedClassRow | None, names: Names) -> dict[str, Any]:
    ticked = mark is not None and mark.name == one.name
    same = [house.rules.categories.classes[key] for key in house.rules.categories.same.get(one.key, ())]
    return {
        "standard": one.standard,
        "kind": one.kind.value,
        "code": one.code,
        "name": one.name,
        "en": one.en,
        "group": one.group,
        "group_en": one.group_en,
        "extension": one.extension,
        "verified": one.verified or ticked,
        "verified_by": names.person(mark.by) if mark is not None and ticked else None,
        "verified_at": time_text(mark.at) if mark is not None and ticked else None,
        "same": [{"standard": c.standard, "code": c.code, "name": c.name, "en": c.en} for c in same],
    }


def verify_class(
    house: House, actor: Actor, standard: str, kind: str, code: str, verified: bool = True
) -> dict[str, Any]:
    """A named person has compared the class with the standard itself (or takes it back). Raises NotFound, Invalid."""
    if kind not in list(ClassKind):
        raise Invalid("kind", kind, list(ClassKind))
    one = house.rules.categories.get(standard, code, ClassKind(kind))
    if one is None:
        raise NotFound("class", f"{standard} {kind} {code}")
    with house.db.write() as tx:
        row, now = ask.checked_class(tx, one.key), house.now()
        if row is not None and not verified:
            tx.delete(row)
            row = None
        elif verified:
            row = row or CheckedClassRow(standard=standard, kind=kind, code=code)
            row.name, row.by, row.at = one.name, actor.id, now
            tx.add(row)
        action = "class-verified" if verified else "class-unverified"
        tx.audit(now, actor.id, action, f"class/{standard}/{kind}/{code}", name=one.name)
        tx.flush()
        return _class_json(house, one, row, Names.of(tx))


def _check_area(area: str) -> None:
    if len(area) > 16:
        raise Invalid("area", area, "a class of area of at most 16 characters, empty: everywhere")
