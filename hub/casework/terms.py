"""What a class demands where it was found: limit, closing condition, and the unit whose work it is, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from detectors.kinds import STANDARD, Kind

from .. import conditions, routes
from ..domain.category import ClassKind
from ..domain.routing import Route
from ..errors import Invalid
from ..house import House
from ..store import Transaction, grid_queries, people_queries
from ..store.case_rows import CaseRow
from ..store.category_rows import ConditionRow


@dataclass(frozen=True, slots=True)
class Terms:
    """`limit` is empty where no rule knows the class, `unit` where a dispatcher decides; `routing`: why that unit.

    `authority`: the competent unit (主管部门), which a case reported upward must name (domain.md §2.3).
    """

    limit: str = ""
    closing: str = ""
    condition: str | None = None
    version: str = ""
    unit: str = ""
    routing: dict[str, Any] | None = None
    authority: str | None = None


def terms_of(tx: Transaction, house: House, case: CaseRow) -> Terms:
    """The terms of the case's class and place, under the filing condition that was chosen, or the only one there is.

    Where none is chosen, the kind that found it speaks. Raises Invalid for a condition that is not one of the class.
    """
    kind = kind_of(house, case.kind, case.category_code)
    route, shown = routes.decide(tx, house, case.category_code, case.grid_id, fallback=kind.department if kind else "")
    unit = shown.get("grid_unit") or route.unit or ""
    chosen = _chosen(tx, house, case, conditions_of(tx, house, case))
    authority = _authority(tx, chosen, route)
    if chosen is not None:
        version = f"{chosen.id}@{chosen.changed_at:%Y%m%d%H%M%S}"
        return Terms(chosen.limit, chosen.closing, chosen.id, version, unit, shown, authority)
    if kind is None:
        return Terms(unit=unit, routing=shown, authority=authority)
    return Terms(kind.limit, kind.closing, None, house.rules.versions[kind.id], unit, shown, authority)


def _authority(tx: Transaction, chosen: ConditionRow | None, route: Route) -> str | None:
    """The 主管部门 that the condition names, where it is one of the units; else the unit whose work the class is."""
    named = chosen.authority if chosen is not None else ""
    unit = next((d.id for d in people_queries.departments(tx) if named and d.name == named), None)
    return unit or next((reason.unit for reason in route.reasons if reason.unit), route.unit)


def conditions_of(tx: Transaction, house: House, case: CaseRow) -> list[ConditionRow]:
    """The filing conditions (立案条件) that the case can be filed under, where it is."""
    area = next((step[3] for step in reversed(grid_queries.path(tx, case.grid_id)) if step[3]), "")
    kind = ClassKind(case.item_kind)
    return conditions.for_class(tx, house, STANDARD, case.category_code, area, kind)


def _chosen(tx: Transaction, house: House, case: CaseRow, possible: Sequence[ConditionRow]) -> ConditionRow | None:
    if case.condition_id is not None:
        found = next((row for row in possible if row.id == case.condition_id), None)
        if found is None:
            raise Invalid("condition", case.condition_id, [f"{row.id} ({row.filing})" for row in possible])
        return found
    by_a_person = case.alert_id is None
    return possible[0] if by_a_person and len(possible) == 1 else None


def kind_of(house: House, kind_id: str, code: str) -> Kind | None:
    """The kind that found the case, or one of its class."""
    found = house.rules.kinds.get(kind_id)
    if found is not None:
        return found
    return next((kind for kind in house.rules.kinds.values() if kind.code == code), None)


def settle(tx: Transaction, house: House, case: CaseRow) -> Terms:
    """Write the terms into the case; what a person chose himself (a limit, a closing condition) stays without them."""
    terms = terms_of(tx, house, case)
    case.limit, case.closing = terms.limit or case.limit, terms.closing or case.closing
    case.condition_id, case.rule_version = terms.condition, terms.version or case.rule_version
    case.calendar_version, case.routing = house.rules.calendar.version, terms.routing
    case.authority_id = terms.authority or case.authority_id
    return terms
