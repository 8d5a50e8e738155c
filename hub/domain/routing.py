"""Who handles a case, and why: the routing table in its order (domain.md §6), read from `configs/routing.yaml`.

① the class's unit (权责清单) ② an area where another unit has the duty ③ the owner or maintainer of a component
④ a dispatcher decides. Classes that are `grid_first` begin with the grid member and climb when a step's time is up.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from .category import GBT_47678, Categories
from .clock import LimitError, parse_limit


class RoutingError(ValueError):
    """A routing table that cannot be used; `problems` holds one line each: file, key, value, what is allowed."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Step(StrEnum):
    """Which step of the order decided."""

    CLASS = "class"
    AREA = "area"
    OWNER = "owner"
    KIND = "kind"
    DISPATCHER = "dispatcher"


STREET = "street"
"""Stands in the table for the office of the street that a place lies in."""
GRID_STEPS = ("base", "community", "street")
"""Levels that a `grid_first` case climbs, in this order; after the last, the centre routes it."""


@dataclass(frozen=True, slots=True)
class AreaRule:
    """In the area `area` (a grid's code) `unit` has the duty of `classes`, or does all that `instead_of` does."""

    area: str
    unit: str
    classes: frozenset[str] = frozenset()
    instead_of: str = ""
    why: str = ""
    why_en: str = ""


@dataclass(frozen=True, slots=True)
class RoutingTable:
    """The rules. `duties` and `owners`: class code to unit; `owners_in`: (area, class code) to unit."""

    version: str = ""
    duties: Mapping[str, str] = field(default_factory=dict)
    areas: tuple[AreaRule, ...] = ()
    owners: Mapping[str, str] = field(default_factory=dict)
    owners_in: Mapping[tuple[str, str], str] = field(default_factory=dict)
    grid_first: frozenset[str] = frozenset()
    limits: Mapping[str, str] = field(default_factory=dict)
    verified: bool = False

    def units(self) -> frozenset[str]:
        """Every unit that the table names."""
        areas = [unit for rule in self.areas for unit in (rule.unit, rule.instead_of) if unit]
        return frozenset([*self.duties.values(), *self.owners.values(), *self.owners_in.values(), *areas])


@dataclass(frozen=True, slots=True)
class Reason:
    """One step that was tried: `unit` is what it said (None: nothing), `area` the code of the area it spoke of.

    `note`: why that area has a rule of its own, `note_en` in English.
    """

    step: Step
    unit: str | None
    area: str = ""
    note: str = ""
    note_en: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """Where a case goes: `unit` None means that a dispatcher decides; `reasons` in the order they were tried."""

    unit: str | None
    step: Step
    reasons: tuple[Reason, ...]
    grid_first: bool
    version: str


@dataclass(frozen=True, slots=True)
class Units:
    """The handling units there are: id to name, and the office of each street by its code ("": of all others)."""

    names: Mapping[str, str]
    streets: Mapping[str, str] = field(default_factory=dict)


def route(
    table: RoutingTable,
    code: str,
    path: Sequence[str] = (),
    *,
    units: Units,
    fallback: str = "",
    owner: str = "",
) -> Route:
    """Route a matter of class `code` (GB/T 47678.5) at a place.

    `path`: codes of the grids it lies in, the largest first. A unit that does not exist is passed over. `owner`: the
    unit that the component itself is registered to, before its class's. `fallback`: the department that the kind of
    alert names.
    """
    reasons: list[Reason] = []
    known = _Here(units, path)
    unit = known.unit(table.duties.get(code))
    reasons.append(Reason(Step.CLASS, unit))
    step = Step.CLASS
    rule = _area_rule(table, code, unit, path, known)
    if rule is not None:
        unit, step = rule[0], Step.AREA
        reasons.append(_of_area(*rule))
    for other, name in ((Step.OWNER, _owner(table, code, path, owner, known)), (Step.KIND, known.unit(fallback))):
        if unit is not None or (other is Step.KIND and not fallback):
            continue
        unit, step = name, other
        reasons.append(Reason(other, unit))
        rule = _area_rule(table, code, unit, path, known) if unit else None
        if rule is not None:
            unit, step = rule[0], Step.AREA
            reasons.append(_of_area(*rule))
    if unit is None:
        step = Step.DISPATCHER
        reasons.append(Reason(step, None))
    return Route(unit, step, tuple(reasons), code in table.grid_first and bool(path), table.version)


def _of_area(unit: str, rule: AreaRule) -> Reason:
    return Reason(Step.AREA, unit, rule.area, rule.why, rule.why_en)


@dataclass(frozen=True, slots=True)
class _Here:
    """The units as seen from a place."""

    units: Units
    path: Sequence[str]

    def unit(self, name: str | None) -> str | None:
        """The unit that the table's word means here; None for one that does not exist."""
        if name == STREET:
            streets = self.units.streets
            return next((streets[area] for area in reversed(self.path) if area in streets), streets.get(""))
        return name if name in self.units.names else None


def _area_rule(
    table: RoutingTable, code: str, unit: str | None, path: Sequence[str], known: _Here
) -> tuple[str, AreaRule] | None:
    """(unit, rule) of the smallest area; in one area, a rule for the class comes before one for the unit."""
    for area in reversed(path):
        here = [(found, rule) for rule in table.areas if rule.area == area and (found := known.unit(rule.unit))]
        for_class = [pair for pair in here if code in pair[1].classes]
        for_unit = [pair for pair in here if unit and known.unit(pair[1].instead_of) == unit]
        if for_class or for_unit:
            return (for_class or for_unit)[0]
    return None


def _owner(table: RoutingTable, code: str, path: Sequence[str], owner: str, known: _Here) -> str | None:
    if found := known.unit(owner):
        return found
    for area in reversed(path):
        if (area, code) in table.owners_in:
            return known.unit(table.owners_in[area, code])
    return known.unit(table.owners.get(code))


def climb(step: str | None, staffed: Collection[str]) -> str | None:
    """The level that has the case after `step` (None: before the first); levels with nobody are passed over.

    None: the centre, which routes it as everything else.
    """
    after = GRID_STEPS[GRID_STEPS.index(step) + 1 :] if step else GRID_STEPS
    return next((level for level in after if level in staffed), None)


def explain(
    made: Route, code: str, names: Mapping[str, str], units: Mapping[str, Mapping[str, str]], areas: Mapping[str, str]
) -> dict[str, str]:
    """One sentence in both languages: 因为 09006 占道经营 → 综合执法局；南街街道另有规定 → 南街街道办事处.

    `names`: the class in both languages; `units`: id to name, {zh, en}; `areas`: code of a grid to its name.
    """
    zh, en = [f"因为 {code} {names['zh']}".rstrip()], [f"because class {code} {names['en']}".rstrip()]
    for reason in made.reasons:
        unknown = {"zh": reason.unit or "", "en": reason.unit or ""}
        name = units.get(reason.unit or "", unknown)
        area = areas.get(reason.area, reason.area)
        note, note_en = reason.note, reason.note_en or reason.note
        texts = _SENTENCES[reason.step, reason.unit is not None]
        zh.append(texts[0].format(unit=name["zh"], area=area) + (f"（{note}）" if note else ""))
        en.append(texts[1].format(unit=name["en"], area=area) + (f" ({note_en})" if note_en else ""))
    if made.grid_first:
        zh.append("小事不出网格：先派网格员，逾时逐级上升")
        en.append("handled in the grid first: grid member, then upwards when the time is up")
    return {
        "zh": "；".join(part for part in (zh[0] + zh[1], *zh[2:]) if part),
        "en": "; ".join([en[0] + en[1], *en[2:]]),
    }


_SENTENCES: Mapping[tuple[Step, bool], tuple[str, str]] = {
    (Step.CLASS, True): (" → {unit}", " → {unit}"),
    (Step.CLASS, False): ("：权责清单未列该类", ": no unit has this class in the duty list"),
    (Step.AREA, True): ("{area}另有规定 → {unit}", "override of {area} → {unit}"),
    (Step.OWNER, True): ("按权属/养护单位 → {unit}", "owner or maintainer → {unit}"),
    (Step.OWNER, False): ("无登记的权属/养护单位", "no registered owner or maintainer"),
    (Step.KIND, True): ("按告警类型所设部门 → {unit}", "department set for the kind of alert → {unit}"),
    (Step.KIND, False): ("告警类型所设部门不存在", "the department set for the kind of alert does not exist"),
    (Step.DISPATCHER, False): ("由派遣员决定", "a dispatcher decides"),
}


# --- reading the file -------------------------------------------------------------------------------------------------

_KEYS = ("version", "verified", "duties", "areas", "owners", "grid_first")


def load(path: Path, categories: Categories, units: Collection[str] | None = None) -> RoutingTable:
    """Read the file; `units`: ids that exist (None: not checked). Raises RoutingError with every problem at once."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RoutingError([f"{path}: cannot be read: {error}".replace("\n", " ")]) from None
    if not isinstance(raw, dict):
        raise RoutingError([f"{path}: holds {type(raw).__name__}, wanted keys {', '.join(_KEYS)}"])
    reader = _Reader(path, categories, units)
    table = reader.table(raw)
    if reader.problems:
        raise RoutingError(reader.problems)
    return table


class _Reader:
    """Collects every problem of one file."""

    def __init__(self, path: Path, categories: Categories, units: Collection[str] | None) -> None:
        self.path, self.categories, self.units = path, categories, units
        self.problems: list[str] = []

    def table(self, raw: Mapping[Any, Any]) -> RoutingTable:
        for key in raw.keys() - set(_KEYS):
            self._problem(str(key), raw[key], f"a known key ({', '.join(_KEYS)})")
        if not isinstance(raw.get("version"), str) or not raw["version"]:
            self._problem("version", raw.get("version"), "a text, in quotes")
        duties: dict[str, str] = {}
        for where, row in self._rows(raw, "duties", ("unit", "classes")):
            for code in self._classes(where, row):
                if code in duties:
                    self._problem(f"{where}.classes", code, f"in one row only; {duties[code]} has it already")
                duties[code] = str(row.get("unit"))
        owners: dict[str, str] = {}
        owners_in: dict[tuple[str, str], str] = {}
        for where, row in self._rows(raw, "owners", ("unit", "classes", "area")):
            for code in self._classes(where, row):
                if "area" in row:
                    owners_in[str(row["area"]), code] = str(row.get("unit"))
                elif code in owners:
                    self._problem(f"{where}.classes", code, f"in one row only; {owners[code]} has it already")
                else:
                    owners[code] = str(row.get("unit"))
        areas = [self._area(where, row) for where, row in self._rows(
            raw, "areas", ("unit", "area", "classes", "instead_of", "why"))]  # fmt: skip
        first, limits = self._grid_first(raw.get("grid_first") or {})
        version, verified = str(raw.get("version", "")), raw.get("verified") is True
        return RoutingTable(version, duties, tuple(areas), owners, owners_in, first, limits, verified)

    def _area(self, where: str, row: Mapping[str, Any]) -> AreaRule:
        if not isinstance(row.get("area"), str) or not row["area"]:
            self._problem(f"{where}.area", row.get("area"), "the code of a grid, in quotes")
        if not row.get("classes") and not row.get("instead_of"):
            self._problem(where, dict(row), "classes, or instead_of with a unit")
        if row.get("instead_of"):
            self._unit(f"{where}.instead_of", row["instead_of"])
        classes = frozenset(self._classes(where, row)) if row.get("classes") else frozenset[str]()
        text = {name: str(row.get(name, "")) for name in ("area", "unit", "instead_of")}
        return AreaRule(text["area"], text["unit"], classes, text["instead_of"], *self._why(where, row.get("why", "")))

    def _why(self, where: str, why: Any) -> tuple[str, str]:
        """The Chinese and the English of it."""
        both = why if isinstance(why, dict) else {"zh": why}
        texts = both.get("zh"), both.get("en", "")
        if both.keys() - {"zh", "en"} or not all(isinstance(text, str) for text in texts):
            self._problem(f"{where}.why", why, "a text, or {zh, en}")
        return str(texts[0]), str(texts[1])

    def _rows(self, raw: Mapping[Any, Any], key: str, allowed: Sequence[str]) -> list[tuple[str, Mapping[str, Any]]]:
        value = raw.get(key) or []
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            self._problem(key, value, "a list of mappings")
            return []
        rows = [(f"{key}[{number}]", row) for number, row in enumerate(value)]
        for where, row in rows:
            for unknown in row.keys() - set(allowed):
                self._problem(f"{where}.{unknown}", row[unknown], f"a known key ({', '.join(allowed)})")
            self._unit(f"{where}.unit", row.get("unit"))
        return rows

    def _unit(self, where: str, unit: Any) -> None:
        if not isinstance(unit, str) or not unit:
            self._problem(where, unit, "the id of a handling unit")
        elif self.units is not None and unit != STREET and unit not in self.units:
            self._problem(where, unit, f"the id of a unit in departments.yaml, or {STREET}")

    def _classes(self, where: str, row: Mapping[str, Any]) -> list[str]:
        codes = row.get("classes")
        if not isinstance(codes, list) or not codes:
            self._problem(f"{where}.classes", codes, f"a list of class codes of {GBT_47678}, in quotes")
            return []
        for code in codes:
            if not isinstance(code, str) or self.categories.get(GBT_47678, code) is None:
                self._problem(f"{where}.classes", code, f"a class code of {GBT_47678}, in quotes")
        return [str(code) for code in codes]

    def _grid_first(self, raw: Any) -> tuple[frozenset[str], dict[str, str]]:
        if not isinstance(raw, dict) or raw.keys() - {"classes", "limits"}:
            self._problem("grid_first", raw, "{classes, limits}")
            return frozenset(), {}
        classes = self._classes("grid_first", raw) if raw.get("classes") else []
        limits = raw.get("limits") or {}
        if classes and (not isinstance(limits, dict) or set(limits) != set(GRID_STEPS)):
            self._problem("grid_first.limits", limits, f"a limit for each of {', '.join(GRID_STEPS)}")
            limits = {}
        for step, text in limits.items():
            try:
                parse_limit(str(text))
            except LimitError as error:
                self.problems.append(f"{self.path}: grid_first.limits.{step}: {error}")
        return frozenset(classes), {str(step): str(text) for step, text in limits.items()}

    def _problem(self, key: str, value: Any, allowed: str) -> None:
        self.problems.append(f"{self.path}: {key}: {value!r} is not {allowed}")
