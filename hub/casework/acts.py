"""What each action does besides its step: one function an action, in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from detectors.kinds import STANDARD

from .. import rechecks
from ..domain.case import MOVES, RECURS_WITHIN, CaseAction, CaseState
from ..domain.category import ClassKind
from ..domain.clock import LimitError, parse_limit
from ..domain.role import Role
from ..domain.visit import VisitKind
from ..errors import Barred, Forbidden, Invalid
from ..house import SYSTEM, Actor, House
from ..registry import locate
from ..store import Transaction, alert_queries, case_queries, device_queries, people_queries
from ..store.case_rows import CaseRow
from . import begin, climbing, consent, joint, visits
from .order import Order
from .step import Told, locked, step, tell
from .terms import Terms, conditions_of, settle

Act = Callable[[Transaction, House, CaseRow, Actor, CaseAction, Order, datetime], None]


def act(
    tx: Transaction, house: House, case: CaseRow, actor: Actor, action: CaseAction, order: Order, now: datetime
) -> None:
    """Do `action` with the locked case. Raises IllegalMove, Barred, Invalid, Forbidden."""
    _ACTS.get(action, _plain)(tx, house, case, actor, action, order, now)


def _plain(
    tx: Transaction, house: House, case: CaseRow, actor: Actor, action: CaseAction, order: Order, now: datetime
) -> None:
    step(tx, house, case, actor, action, now, Told(order.words, order.photos))


def _asked(
    tx: Transaction, house: House, case: CaseRow, actor: Actor, action: CaseAction, order: Order, now: datetime
) -> None:
    consent.ask(tx, house, case, actor, action, order, now)


def _dispatch(
    tx: Transaction, house: House, case: CaseRow, actor: Actor, action: CaseAction, order: Order, now: datetime
) -> None:
    if people_queries.department(tx, order.department or "") is None:
        raise Invalid("department", order.department, [d.id for d in people_queries.departments(tx)])
    step(tx, house, case, actor, action, now, Told(order.words, order.photos), department=order.department)


def _join(
    tx: Transaction, house: House, case: CaseRow, actor: Actor, action: CaseAction, order: Order, now: datetime
) -> None:
    joint.add(tx, house, case, actor, order, now)


def _feedback(
    tx: Transaction, house: House, case: CaseRow, actor: Actor, action: CaseAction, order: Order, now: datetime
) -> None:
    if not order.words and not order.photos:
        raise Invalid("text", "", "not empty, or a photo: an answer (反馈) says or shows what was done")
    if case.state == CaseState.HANDLING:
        joint.lead_may_answer(tx, case, order)
    detail = {"without_joint": order.reason.strip()} if order.reason.strip() and order.text.strip() else {}
    step(tx, house, case, actor, action, now, Told(order.words, order.photos, detail))
    if rechecks.possible(case):
        # What was found by a camera or a sensor can be looked at again, so the check begins by itself.
        rechecks.begin(tx, house, case, now)
        step(tx, house, case, SYSTEM, CaseAction.CHECK, now)


def _verify(
    tx: Transaction, house: House, case: CaseRow, actor: Actor, action: CaseAction, order: Order, now: datetime
) -> None:
    step(tx, house, case, actor, action, now, Told(order.words, order.photos, _sent(order)))
    visits.send(tx, case, actor, VisitKind.VERIFY, order, now)


def _check(
    tx: Transaction, house: House, case: CaseRow, actor: Actor, action: CaseAction, order: Order, now: datetime
) -> None:
    step(tx, house, case, actor, action, now, Told(order.words, order.photos, _sent(order)))
    visits.send(tx, case, actor, VisitKind.CHECK, order, now)


def _sent(order: Order) -> dict[str, Any]:
    return {"assignee": order.assignee} if order.assignee else {}


def _visited(
    tx: Transaction, house: House, case: CaseRow, actor: Actor, action: CaseAction, order: Order, now: datetime
) -> None:
    kind = VisitKind.VERIFY if action is CaseAction.VERIFIED else VisitKind.CHECK
    sent = [v.assignee for v in case_queries.open_visits(tx, case.id) if v.kind == kind]
    if actor.role is Role.COLLECTOR and actor.id not in sent:
        raise Forbidden("somebody else was sent to look")
    step(tx, house, case, actor, action, now, Told(order.words, order.photos, {"result": order.result}))
    visits.answer(tx, case, actor, kind, order, now)


def _correct(
    tx: Transaction, house: House, case: CaseRow, actor: Actor, action: CaseAction, order: Order, now: datetime
) -> None:
    changed = correct(tx, house, case, order)
    if case.state == CaseState.FILED:
        _one_condition(tx, house, case, settle(tx, house, case), order)
    step(tx, house, case, actor, action, now, Told(order.words, order.photos, {"changed": changed}))


def _file(
    tx: Transaction, house: House, case: CaseRow, actor: Actor, action: CaseAction, order: Order, now: datetime
) -> None:
    changed = correct(tx, house, case, order)
    terms = settle(tx, house, case)
    _one_condition(tx, house, case, terms, order)
    if not case.limit:
        raise Invalid("limit", order.limit, f"a limit such as 4工作时: no rule knows class {case.category_code}")
    if case.grid_id is None and device_queries.has_grids(tx):
        raise Invalid("grid", order.grid, "the grid that the place lies in: the case has none yet")
    if order.department is not None and people_queries.department(tx, order.department) is None:
        raise Invalid("department", order.department, [d.id for d in people_queries.departments(tx)])
    case.filed_by, case.filed_at = actor.id, now
    told = Told(order.words, order.photos, {"changed": changed, "limit": case.limit, "condition": case.condition_id})
    step(tx, house, case, actor, action, now, told)
    unit = order.department or terms.unit
    if order.department is not None and actor.role in MOVES[CaseAction.DISPATCH].roles:
        step(tx, house, case, actor, CaseAction.DISPATCH, now, department=unit)
    elif order.department is None and unit:
        step(tx, house, case, SYSTEM, CaseAction.DISPATCH, now, department=unit)
        climbing.start(tx, house, case, now)
    elif unit:
        case.routing = {**(case.routing or {}), "proposed": unit}


def _one_condition(tx: Transaction, house: House, case: CaseRow, terms: Terms, order: Order) -> None:
    """A person chooses under which condition it is filed, where there are several. Raises Invalid."""
    if terms.condition is None and order.limit is None:
        possible = conditions_of(tx, house, case)
        if possible and case.alert_id is None:
            raise Invalid("condition", None, [f"{row.id} ({row.filing})" for row in possible])


def _merge(
    tx: Transaction, house: House, case: CaseRow, actor: Actor, action: CaseAction, order: Order, now: datetime
) -> None:
    found = case_queries.case(tx, order.into or "")
    if found is None or found.id == case.id:
        raise Invalid("into", order.into, "another case that is open, by its number")
    other = locked(tx, found.id)
    if not other.open:
        raise Invalid("into", order.into, "another case that is open, by its number")
    for alert in alert_queries.of_case(tx, case.id):
        alert.case_id = other.id  # its place stays taken as long as the other case is open
    tx.flush()
    step(tx, house, case, actor, action, now, Told(order.words, order.photos, {"into": other.number}))
    begin.link(tx, case, other, "duplicate_of", actor, now)
    begin.absorb(tx, house, actor, other, case, now)


def _close(
    tx: Transaction, house: House, case: CaseRow, actor: Actor, action: CaseAction, order: Order, now: datetime
) -> None:
    if order.met is False or (order.met is None and house.settings.closing_tick):
        closing = case.closing or "处置到位"
        raise Barred("not_met", f"the closing condition is not ticked: {closing}", closing=closing)
    if house.settings.separate_duties and actor.id == case.filed_by:
        raise Barred("same_person", "who filed a case does not close it (separate_duties)")
    step(tx, house, case, actor, action, now, Told(order.words, order.photos, {"met": case.closing}))


def _reopen(
    tx: Transaction, house: House, case: CaseRow, actor: Actor, action: CaseAction, order: Order, now: datetime
) -> None:
    if case.closed_at is None or now - case.closed_at > RECURS_WITHIN:
        raise Barred("window_over", f"a case is reopened within {RECURS_WITHIN.days} days of its closing")
    again = [row for link, row in case_queries.links(tx, case.id) if link.relation == "reopened_from"]
    if any(row.open and row.opened_at >= case.opened_at for row in again):
        numbers = ", ".join(row.number for row in again if row.open)
        raise Barred("reopened", f"it is open again already: {numbers}")
    new = begin.reopened(tx, house, actor, case, Told(order.words, order.photos), now)
    step(tx, house, case, actor, action, now, Told(order.words, (), {"new": new.number}))
    tell(tx, house, new)


_ACTS: Mapping[CaseAction, Act] = {
    CaseAction.DISPATCH: _dispatch,
    CaseAction.JOIN: _join,
    CaseAction.FEEDBACK: _feedback,
    CaseAction.VERIFY: _verify,
    CaseAction.CHECK: _check,
    CaseAction.VERIFIED: _visited,
    CaseAction.CHECKED: _visited,
    CaseAction.CORRECT: _correct,
    CaseAction.FILE: _file,
    CaseAction.MERGE: _merge,
    CaseAction.CLOSE: _close,
    CaseAction.REOPEN: _reopen,
    CaseAction.TRANSFER: _asked,
    CaseAction.SUSPEND: _asked,
    CaseAction.EXTEND: _asked,
    CaseAction.APPEAL: _asked,
}


def correct(tx: Transaction, house: House, case: CaseRow, order: Order) -> dict[str, Any]:
    """Put what the order says about the problem into the case; {field: what it was}. Raises Invalid."""
    before = _facts(case)
    if order.category is not None:
        case.item_kind = order.item_kind or case.item_kind
        case.category = known_class(house, order.category, case.item_kind)
        case.category_code = str(case.category["code"])
        if case.alert_id is None:
            case.kind = next((k.id for k in house.rules.kinds.values() if k.code == case.category_code), "")
    if order.limit is not None:
        try:
            case.limit = parse_limit(order.limit).text
        except LimitError as error:
            raise Invalid("limit", order.limit, str(error).split(" is not ")[-1]) from None
    for name in ("closing", "description", "address", "urgent"):
        if getattr(order, name) is not None:
            setattr(case, name, getattr(order, name))
    if order.condition is not None:
        case.condition_id = order.condition
    if order.lon is not None and order.lat is not None:
        case.lon, case.lat = order.lon, order.lat
        case.grid_id = locate(tx, order.lon, order.lat) or case.grid_id
    if order.grid is not None:
        if not device_queries.grid_path(tx, order.grid):
            raise Invalid("grid", order.grid, "the id of a grid")
        case.grid_id = order.grid
    begin.place(tx, case)
    if order.condition is None and case.condition_id not in {row.id for row in conditions_of(tx, house, case)}:
        case.condition_id = None  # of the class, or of the area, that it was corrected from
    return {name: value for name, value in before.items() if _facts(case)[name] != value}


def _facts(case: CaseRow) -> dict[str, Any]:
    names = "category_code item_kind condition_id limit closing description address urgent lon lat grid_id"
    return {name: getattr(case, name) for name in names.split()}


def known_class(house: House, category: Mapping[str, Any], item_kind: str) -> dict[str, Any]:
    """{standard, code, name} of a class that the code sets hold. Raises Invalid."""
    code, kind = str(category.get("code", "")), ClassKind(item_kind)
    name = house.rules.categories.name(STANDARD, code, kind)
    if name is None and kind is ClassKind.MATTER and house.rules.knows_code(code):
        name = str(category.get("name") or code)
    if name is None:
        raise Invalid("category", code, f"a class of {STANDARD} ({item_kind})")
    return {"standard": STANDARD, "code": code, "name": name}
