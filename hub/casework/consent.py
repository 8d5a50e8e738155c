"""Asking for consent and giving it: 转办, 挂账, 延期, 申诉. The last consent makes the move."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

from ..domain.case import CASE, EXTENSIONS_MOST, MOVES, SUSPENDED_MOST, CaseAction, CaseState
from ..domain.consent import REQUEST, STEPS, RequestAction, RequestState, consents, first_state, may_consent
from ..domain.stage_clock import Stage
from ..errors import Barred, Forbidden, Invalid
from ..house import Actor, House
from ..outbox import announce
from ..store import Transaction, case_queries, people_queries, timer_queries
from ..store.case_rows import CaseRow, RequestRow
from .clocks import clock_of
from .order import Order
from .step import RESUME, Told, keep_photos, note, step, thin


def ask(
    tx: Transaction, house: House, case: CaseRow, actor: Actor, action: CaseAction, order: Order, now: datetime
) -> RequestRow:
    """A request that waits for its consents. Raises IllegalMove, Barred, Invalid."""
    CASE.next(CaseState(case.state), action)
    _nothing_against(tx, house, case, action, order, now)
    row = RequestRow(id=uuid4().hex, case_id=case.id, open_key=case.id, kind=action.value)
    row.department_id, row.to_department_id, row.until = case.department_id, order.department, order.until
    row.reason, row.evidence = order.words, [p.stored.sha256 for p in order.photos]
    row.asked_by, row.asked_by_name, row.asked_at = actor.id, actor.name, now
    row.first_note = row.decided_note = ""
    row.state = first_state(action, actor.role).value
    if row.state == RequestState.PASSED:
        row.first_by, row.first_by_name, row.first_at = actor.id, actor.name, now
    tx.add(row)
    keep_photos(tx, case, actor, order.photos, now)
    _write_down(tx, house, case, actor, row, "ask", order.words, now)
    return row


def agree(tx: Transaction, house: House, case: CaseRow, actor: Actor, words: str, now: datetime) -> None:
    """The consent that is missing; the last one makes the move.

    Raises Barred (no_request, same_person, until_over), Forbidden.
    """
    row, action = _pending(tx, case)
    _may(house, actor, row, action)
    if action is CaseAction.SUSPEND and row.until is not None and row.until <= now:
        raise Barred("until_over", f"it was asked for until {row.until.isoformat()}, which is over: deny it")
    state = RequestState(row.state)
    does = consents(action, state)
    row.state = REQUEST.next(state, does).value
    if does is RequestAction.PASS:
        row.first_by, row.first_by_name, row.first_at, row.first_note = actor.id, actor.name, now, words
        _write_down(tx, house, case, actor, row, "consent", words, now)
        return
    _decide(row, actor, words, now)
    tx.flush()
    _write_down(tx, house, case, actor, row, "consent", words, now)
    _make(tx, house, case, actor, row, action, now)


def deny(tx: Transaction, house: House, case: CaseRow, actor: Actor, words: str, now: datetime) -> None:
    """The consent is refused, and why. Raises Barred (no_request), Forbidden, Invalid."""
    row, action = _pending(tx, case)
    _may(house, actor, row, action)
    if not words:
        raise Invalid("reason", "", "not empty: a refusal needs it")
    row.state = REQUEST.next(RequestState(row.state), RequestAction.DENY).value
    _decide(row, actor, words, now)
    _write_down(tx, house, case, actor, row, "deny", words, now)


def take_back(tx: Transaction, house: House, case: CaseRow, actor: Actor, words: str, now: datetime) -> None:
    """The unit takes its request back. Raises Barred (no_request, not_yours)."""
    row, _action = _pending(tx, case)
    if actor.id != row.asked_by and actor.department != row.department_id:
        raise Barred("not_yours", f"the request is of {row.asked_by_name}")
    row.state = REQUEST.next(RequestState(row.state), RequestAction.TAKE_BACK).value
    _decide(row, actor, words, now)
    _write_down(tx, house, case, actor, row, "take_back", words, now)


def _pending(tx: Transaction, case: CaseRow) -> tuple[RequestRow, CaseAction]:
    row = case_queries.pending_request(tx, case.id)
    if row is None:
        raise Barred("no_request", "nothing is asked for in this case")
    return row, CaseAction(row.kind)


def _may(house: House, actor: Actor, row: RequestRow, action: CaseAction) -> None:
    state = RequestState(row.state)
    if not may_consent(action, state, actor.role):
        roles = STEPS[action][0 if state is RequestState.ASKED else 1]
        raise Forbidden(f"this consent is for: {', '.join(sorted(roles))}; you are {actor.role}")
    if actor.department is not None and actor.department != row.department_id:
        raise Barred("not_yours", "the request is of another unit")
    if house.settings.separate_duties and actor.id in (row.first_by, row.asked_by):
        raise Barred("same_person", "two different people must consent (separate_duties)")


def _decide(row: RequestRow, actor: Actor, words: str, now: datetime) -> None:
    row.open_key = None
    row.decided_by, row.decided_by_name, row.decided_at, row.decided_note = actor.id, actor.name, now, words


def _make(
    tx: Transaction, house: House, case: CaseRow, actor: Actor, row: RequestRow, action: CaseAction, now: datetime
) -> None:
    told = Told(row.reason, (), {"request": row.id})
    if action is CaseAction.TRANSFER:
        step(tx, house, case, actor, action, now, told, department=row.to_department_id)
    elif action is CaseAction.SUSPEND:
        case.suspended_until = row.until
        step(tx, house, case, actor, action, now, told)
        if row.until is not None:
            timer_queries.put(tx, RESUME, f"case/{case.id}", row.until, case.id)
    elif action is CaseAction.EXTEND:
        case.extension_count += 1
        step(tx, house, case, actor, action, now, told)
    elif action is CaseAction.APPEAL:
        case.timeout_exempt = True
        for clock in case_queries.clocks(tx, case.id):
            if clock.stage == Stage.HANDLE and clock.department_id == row.department_id and clock.timed_out:
                clock.exempt = True
        step(tx, house, case, actor, action, now, told)


def _nothing_against(
    tx: Transaction, house: House, case: CaseRow, action: CaseAction, order: Order, now: datetime
) -> None:
    if case_queries.pending_request(tx, case.id) is not None:
        raise Barred("pending_request", "a request of this case still waits for consent")
    before = [r for r in case_queries.requests(tx, case.id) if r.kind == action]
    if action is CaseAction.TRANSFER:
        if order.department == case.department_id or people_queries.department(tx, order.department or "") is None:
            others = [d.id for d in people_queries.departments(tx) if d.id != case.department_id]
            raise Invalid("department", order.department, others)
    elif action is CaseAction.SUSPEND:
        if any(r.state == RequestState.GRANTED for r in before):
            raise Barred("used_up", "a case is suspended once at most (挂账一次)")
        if order.until is None or not now < order.until <= now + SUSPENDED_MOST:
            shown = order.until.isoformat() if order.until else None
            raise Invalid("until", shown, f"a time in the future, at most {SUSPENDED_MOST.days} days ahead")
    elif action is CaseAction.EXTEND:
        clock = case_queries.last_handle_clock(tx, case.id)
        if case.extension_count >= EXTENSIONS_MOST:
            raise Barred("used_up", f"a case is extended {EXTENSIONS_MOST} times at most")
        if clock is None or clock_of(clock).overdue(now):
            raise Barred("overdue", "what is overdue is not extended")
    elif action is CaseAction.APPEAL:
        if any(r.state != RequestState.TAKEN_BACK for r in before):
            raise Barred("used_up", "a case is appealed against once at most")
        own = [c for c in case_queries.clocks(tx, case.id) if c.department_id == case.department_id]
        if not any(c.stage == Stage.HANDLE and c.timed_out for c in own):
            raise Barred("not_timed_out", "its handling was in time: there is nothing to appeal against")


def _write_down(
    tx: Transaction,
    house: House,
    case: CaseRow,
    actor: Actor,
    row: RequestRow,
    what: str,
    words: str,
    now: datetime,
) -> None:
    detail: dict[str, Any] = {"request": row.id, "kind": row.kind, "state": row.state}
    if row.until is not None:
        detail["until"] = row.until.isoformat()
    if row.to_department_id is not None:
        detail["to"] = row.to_department_id
    note(tx, case, actor, what, CaseState(case.state), Told(words, (), detail), now)
    tx.audit(now, actor.id, f"case-{what.replace('_', '-')}", f"case/{case.number}", note=words, **detail)
    announce(tx, house, "cases", f"case.{MOVES[CaseAction(row.kind)].event}-{what}", case.number, thin(case))
