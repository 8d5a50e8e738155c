"""What a class demands where it was found: limit, closing condition, and the unit whose work it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from detectors.kinds import Kind

from ..house import House
from ..store import Transaction, people_queries
from ..store.case_rows import CaseRow


@dataclass(frozen=True, slots=True)
class Terms:
    """`limit` is empty where no rule knows the class, `unit` where no single unit is responsible; `routing`: why."""

    limit: str = ""
    closing: str = ""
    condition: str | None = None
    version: str = ""
    unit: str = ""
    routing: dict[str, Any] | None = None


def terms_of(tx: Transaction, house: House, case: CaseRow) -> Terms:
    """The terms of the case's class, filing condition and place."""
    kind = kind_of(house, case.kind, case.category_code)
    if kind is None:
        return Terms(condition=case.condition_id)
    known = people_queries.department(tx, kind.department) is not None
    unit = kind.department if known else ""
    return Terms(kind.limit, kind.closing, case.condition_id, house.rules.versions[kind.id], unit)


def kind_of(house: House, kind_id: str, code: str) -> Kind | None:
    """The kind that found the case, or one of its class."""
    found = house.rules.kinds.get(kind_id)
    if found is not None:
        return found
    return next((kind for kind in house.rules.kinds.values() if kind.code == code), None)


def settle(tx: Transaction, house: House, case: CaseRow) -> Terms:
    """Write the terms into the case; what a person chose himself (a limit, a closing condition) is not overwritten."""
    terms = terms_of(tx, house, case)
    case.limit, case.closing = terms.limit or case.limit, terms.closing or case.closing
    case.condition_id, case.rule_version = terms.condition, terms.version or case.rule_version
    case.calendar_version, case.routing = house.rules.calendar.version, terms.routing
    return terms
