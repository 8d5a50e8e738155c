"""What can be done with cases: found, reported, moved by people, read; each act is one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from .case_wire import case_json, cases_json, requests_json
from .casework import acts, consent, joint, wording
from .casework.begin import Report, detach_alert, from_alert, from_report, hold_filing
from .casework.order import Order
from .casework.seeing import seen_by, sees
from .casework.step import Told, locked, step, tell
from .domain.case import MOVES, REPORT, CaseAction, CaseState
from .domain.consent import PENDING
from .domain.joint import PART_ACTIONS
from .domain.role import Right, may
from .errors import Forbidden, Invalid, NotFound, TooLate
from .house import Actor, House
from .store import Transaction
from .store import case_queries as ask
from .store.case_rows import CaseRow

CONSENTS = ("consent", "deny", "take_back")
"""Actions on the request that waits, beside those of the case."""

file = from_alert


def report(house: House, actor: Actor, wanted: Report) -> dict[str, Any]:
    """{outcome: reported | attached | repeated, case}: register what somebody reports. Raises Forbidden, Invalid."""
    if actor.role not in REPORT.roles:
        raise Forbidden(f"reporting (上报) is for: {', '.join(sorted(REPORT.roles))}; you are {actor.role}")
    with house.db.write() as tx:
        row, outcome = from_report(tx, house, actor, wanted, house.now())
        tell(tx, house, row)
        # Who reports what is known already learns its number and state, even where the case itself is not for him.
        own = may(actor.role, Right.SEE_CASES) or sees(tx, actor, row)
        shown = case_json(tx, house, row, actor) if own else {"id": row.id, "number": row.number, "state": row.state}
        return {"outcome": outcome, "case": shown}


def move(house: House, actor: Actor, case_id: str, action: str, order: Order) -> dict[str, Any]:
    """Do `action`. Returns the case. Raises NotFound, Forbidden, IllegalMove, Barred, Invalid."""
    if action not in (*CaseAction, *CONSENTS):
        raise Invalid("action", action, [*CaseAction, *CONSENTS])
    if action in CONSENTS:
        return _consent(house, actor, case_id, action, order)
    wanted = CaseAction(action)
    _may(actor, wanted)
    with house.db.write() as tx:
        if wanted is CaseAction.REOPEN:
            hold_filing(tx, case_id)
        row, now = _locked(tx, case_id, order.into if wanted is CaseAction.MERGE else None), house.now()
        if _done_before(tx, actor, row, action, order, now):
            return _as_it_stands(tx, house, actor, row)
        _may_see(tx, actor, row, case_id)
        part = None if actor.department in (None, row.department_id) else ask.part_of(tx, row.id, actor.department)
        if part is not None:
            if wanted not in PART_ACTIONS:
                raise Forbidden(f"{wanted} ({MOVES[wanted].zh}) is for the lead of a joint case")
            _complete(wanted, order)
            joint.move(tx, house, row, part, actor, PART_ACTIONS[wanted], order, now)
        else:
            _complete(wanted, order)
            acts.act(tx, house, row, actor, wanted, order, now)
        tell(tx, house, row)
        return case_json(tx, house, row, actor)


def _consent(house: House, actor: Actor, case_id: str, action: str, order: Order) -> dict[str, Any]:
    does = {"consent": consent.agree, "deny": consent.deny, "take_back": consent.take_back}[action]
    with house.db.write() as tx:
        row, now = _locked(tx, case_id), house.now()
        if _done_before(tx, actor, row, action, order, now):
            return _as_it_stands(tx, house, actor, row)
        _may_see(tx, actor, row, case_id)
        does(tx, house, row, actor, order.words, now)
        tell(tx, house, row)
        return case_json(tx, house, row, actor)


def _done_before(tx: Transaction, actor: Actor, row: CaseRow, action: str, order: Order, now: datetime) -> bool:
    """Whether this very order was carried out already; remembers it otherwise. Raises Invalid where it was another.

    The case is locked before: what is remembered refers to it, and on PostgreSQL holds it for whoever locks it next.
    """
    if order.request_id is None or ask.remember_order(tx, order.request_id, row.id, action, actor.id, now):
        return False
    before = ask.order(tx, order.request_id)
    if before is None or (before.case_id, before.action, before.by) != (row.id, action, actor.id):
        raise Invalid("request_id", order.request_id, "an id that stands for one order only")
    return True


def _as_it_stands(tx: Transaction, house: House, actor: Actor, row: CaseRow) -> dict[str, Any]:
    """The case for one who has moved it already, and may not see it any more since."""
    return case_json(tx, house, row, actor) if sees(tx, actor, row) else {"id": row.id, "number": row.number}


def withdraw(tx: Transaction, house: House, case_id: str, alert_id: str, actor: Actor, now: datetime) -> None:
    """Take a verdict back: void its case, or only take the alert out of a case that it was attached to.

    Raises TooLate once a department accepted the case, or another alert was attached to it.
    """
    row = ask.case(tx, case_id, lock=True)
    if row is None:
        raise NotFound("case", case_id)
    if row.alert_id != alert_id:
        detach_alert(tx, house, actor, row, alert_id, now)
        return
    if row.state not in (CaseState.FILED, CaseState.DISPATCHED):
        raise TooLate("a department has accepted the case by now")
    if row.report_count > 1:
        raise TooLate("another report of the problem was attached to the case by now")
    step(tx, house, row, actor, CaseAction.VOID, now, Told(wording.TAKEN_BACK))
    if row.alert is not None:
        row.alert.open_key, row.alert.ended_at = row.alert.place, None
    tell(tx, house, row)


def read(house: House, actor: Actor, case_id: str) -> dict[str, Any]:
    """One case with all that belongs to it. Raises NotFound, also for a case that the actor may not see."""
    with house.db.read() as tx:
        row = ask.case(tx, case_id)
        if row is None or not sees(tx, actor, row):
            raise NotFound("case", case_id)
        return case_json(tx, house, row, actor)


def page(
    house: House, actor: Actor, wanted: ask.Wanted, *, after: Sequence[Any] | None = None, limit: int = 50
) -> tuple[list[dict[str, Any]], list[Any] | None, int]:
    """(cases without history, key of the next page, how many in all); who sees some only gets those. Raises Invalid."""
    for state in wanted.states:
        if state not in list(CaseState):
            raise Invalid("state", state, list(CaseState))
    with house.db.read() as tx:
        mine = replace(wanted, seen_by=seen_by(actor))
        rows, key, total = ask.page(tx, mine, now=house.now(), after=after, limit=limit)
        return cases_json(tx, house, rows, actor), key, total


def by_area(house: House, actor: Actor, area: str, wanted: ask.Wanted) -> dict[str, Any]:
    """{items: [{id, cases, open}], elsewhere, total}: how many cases each area of that level has; void ones do not
    count. `elsewhere`: in none. Raises Invalid."""
    if area not in ask.AREA_COLUMNS:
        raise Invalid("by", area, ask.AREA_COLUMNS)
    with house.db.read() as tx:
        counts = ask.counts_by_area(tx, area, replace(wanted, seen_by=seen_by(actor)), house.now())
    nowhere, _open = counts.pop(None, (0, 0))
    items = [{"id": id_, "cases": n, "open": still} for id_, (n, still) in sorted(counts.items(), key=str)]
    return {"items": items, "elsewhere": nowhere, "total": nowhere + sum(n for n, _still in counts.values())}


def requests(
    house: House, actor: Actor, *, pending: bool, mine: bool, after: Sequence[Any] | None = None, limit: int = 50
) -> tuple[list[dict[str, Any]], list[Any] | None]:
    """(requests for consent, key of the next page), newest first; `mine`: those that the actor may decide on."""
    states = [s.value for s in PENDING] if pending else None
    with house.db.read() as tx:
        rows, key = ask.requests_page(tx, seen_by(actor), states=states, after=after, limit=limit)
        shown = requests_json(tx, rows, actor)
        return [r for r in shown if r["yours"] or not mine], key


def _locked(tx: Transaction, case_id: str, other_id: str | None = None) -> CaseRow:
    """The case, locked; the other one with it, in an order that is the same for everybody."""
    found = [row for row in (ask.case(tx, key) for key in (case_id, other_id) if key) if row is not None]
    for row in sorted(found[1:], key=lambda r: r.id):
        if row.id < found[0].id:
            locked(tx, row.id)
    return locked(tx, case_id)


def _may_see(tx: Transaction, actor: Actor, case: CaseRow, case_id: str) -> None:
    if not sees(tx, actor, case):
        raise NotFound("case", case_id)


def _may(actor: Actor, action: CaseAction) -> None:
    if actor.role not in MOVES[action].roles:
        allowed = ", ".join(sorted(MOVES[action].roles))
        raise Forbidden(f"{action} ({MOVES[action].zh}) is for: {allowed}; you are {actor.role}")


def _complete(action: CaseAction, order: Order) -> None:
    given = {"department": order.department, "until": order.until, "result": order.result, "into": order.into}
    for name in MOVES[action].needs:
        if name in ("text", "reason") and action is not CaseAction.FEEDBACK and not order.words:
            raise Invalid(name, "", f"not empty: {action} ({MOVES[action].zh}) needs it")
        if name in given and not given[name]:
            raise Invalid(name, "", f"not empty: {action} ({MOVES[action].zh}) needs it")
