"""Where a case goes and why: the routing table applied to a class at a place, with the names of units and areas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from detectors.kinds import STANDARD

from . import grids
from .domain.routing import Route, Units, climb, explain, route
from .errors import Invalid
from .house import House
from .store import Transaction, grid_queries, people_queries


def decide(
    tx: Transaction, house: House, code: str, grid_id: str | None, *, fallback: str = "", owner: str = ""
) -> tuple[Route, dict[str, Any]]:
    """The route of a matter of class `code` in the grid, and what a case keeps of it (`routing_json`).

    `fallback`: the department that the kind of alert names; `owner`: the unit that the component is registered to.
    """
    path = grid_queries.path(tx, grid_id)
    departments = people_queries.departments(tx)
    streets = {d.grid_id or "": d.id for d in departments if d.kind == "street"}
    units = Units({d.id: d.name for d in departments}, streets)
    codes = [step[0] for step in path]
    made = route(house.rules.routing, code, codes, units=units, fallback=fallback, owner=owner)
    office = next((streets[area] for area in reversed(codes) if area in streets), streets.get(""))
    # The grid can only be first where somebody answers for it, and where its street has an office that speaks for them.
    first = made.grid_first and office is not None and climb(None, grids.staffed(tx, grid_id)) is not None
    made = replace(made, grid_first=first)
    names = {d.id: {"zh": d.name, "en": d.name_en or d.name} for d in departments}
    shown = routing_json(house, made, code, names, path)
    return made, shown | ({"grid_unit": office} if first else {})


def routing_json(
    house: House,
    made: Route,
    code: str,
    units: Mapping[str, Mapping[str, str]],
    path: Sequence[tuple[str, str, str, str]],
) -> dict[str, Any]:
    """{unit, unit_name, step, grid_first, version, why: {zh, en}, reasons: [{step, unit, area, note, note_en}]}.

    `units`: id to name, {zh, en}. Perhaps with grid_unit.
    """
    areas = {id_: name for id_, name, _level, _area in path}
    known = house.rules.categories.get(STANDARD, code)
    names = {"zh": known.name, "en": known.en or known.name} if known else {"zh": "", "en": ""}
    return {
        "unit": made.unit,
        "unit_name": units[made.unit]["zh"] if made.unit else None,
        "step": made.step.value,
        "grid_first": made.grid_first,
        "version": made.version,
        "why": explain(made, code, names, units, areas),
        "reasons": [
            {"step": r.step.value, "unit": r.unit, "area": r.area, "note": r.note, "note_en": r.note_en}
            for r in made.reasons
        ],
    }


def attempt(house: House, code: str, lon: float | None, lat: float | None, grid_id: str | None) -> dict[str, Any]:
    """What would happen to a matter of class `code` there: its grid, people, conditions' limit and route. Invalid."""
    if not house.rules.knows_code(code):
        raise Invalid("code", code, "a class code of GB/T 47678.5")
    with house.db.read() as tx:
        if lon is not None and lat is not None:
            grid_id = grids.tree(tx).locate(lon, lat)
        path = grid_queries.path(tx, grid_id)
        _route, shown = decide(tx, house, code, grid_id)
        return {
            "code": code,
            "name": house.rules.categories.name(STANDARD, code),
            "grid": {"id": path[-1][0], "name": "".join(step[1] for step in path)} if path else None,
            "path": [{"id": id_, "name": name, "level": level} for id_, name, level, _area in path],
            "area_level": next((area for *_rest, area in reversed(path) if area), ""),
            "persons": grids.responsible(tx, grid_id),
            "limits": dict(house.rules.routing.limits) if shown["grid_first"] else {},
            "routing": shown,
        }


def table_json(house: House) -> dict[str, Any]:
    """The routing table: version, and classes by unit in its order."""
    table = house.rules.routing
    get = house.rules.categories.get

    def by_unit(mapping: dict[str, str]) -> dict[str, list[dict[str, str]]]:
        units: dict[str, list[dict[str, str]]] = {}
        for code, unit in mapping.items():
            one = get(STANDARD, code)
            names = {"name": one.name, "en": one.en} if one else {"name": "", "en": ""}
            units.setdefault(unit, []).append({"code": code, **names})
        return units

    return {
        "version": table.version,
        "verified": table.verified,
        "duties": by_unit(dict(table.duties)),
        "owners": by_unit(dict(table.owners)),
        "areas": [
            {
                "area": rule.area,
                "unit": rule.unit,
                "classes": sorted(rule.classes),
                "instead_of": rule.instead_of,
                "why": rule.why,
                "why_en": rule.why_en,
            }
            for rule in table.areas
        ],
        "grid_first": {"classes": sorted(table.grid_first), "limits": dict(table.limits)},
    }
