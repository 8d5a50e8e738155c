"""Joint handling (会办): assistants beside the lead, each with a clock and an answer of its own."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from .. import rechecks
from ..domain.case import CASE, CaseAction, CaseState
from ..domain.joint import PART, PARTS_AT_WORK, PartAction, PartState
from ..domain.stage_clock import Stage
from ..errors import Barred, Invalid
from ..house import Actor, House
from ..outbox import announce
from ..store import Transaction, case_queries, people_queries
from ..store.case_rows import CaseRow, PartRow
from . import clocks
from .order import Order
from .step import Told, keep_photos, note, step, thin


def add(tx: Transaction, house: House, case: CaseRow, actor: Actor, order: Order, now: datetime) -> None:
    """A unit that assists the lead; one that has answered or returned its part is asked again. IllegalMove, Invalid."""
    CASE.next(CaseState(case.state), CaseAction.JOIN)
    unit = order.department or ""
    if unit == case.department_id or people_queries.department(tx, unit) is None:
        others = [d.id for d in people_queries.departments(tx) if d.id != case.department_id]
        raise Invalid("department", order.department, others)
    part = case_queries.part_of(tx, case.id, unit)
    if part is None:
        part = PartRow(id=uuid4().hex, case_id=case.id, department_id=unit, state=PartState.DISPATCHED.value)
        part.answer, part.evidence = "", []
        tx.add(part)
    else:
        part.state = PART.next(PartState(part.state), PartAction.JOIN).value
        part.accepted_at = part.answered_at = part.answered_by = None
    part.task, part.added_by, part.added_at, part.open = order.words, actor.id, now, True
    case.joint = True
    tx.flush()
    part.deadline = clocks.begin(tx, house, case, Stage.HANDLE, now, part_id=part.id, department=unit).deadline
    step(tx, house, case, actor, CaseAction.JOIN, now, Told(order.words, (), {"unit": unit}))


def move(
    tx: Transaction,
    house: House,
    case: CaseRow,
    part: PartRow,
    actor: Actor,
    action: PartAction,
    order: Order,
    now: datetime,
) -> None:
    """What the assistant does with its part. Raises IllegalMove."""
    part.state = PART.next(PartState(part.state), action).value
    part.open = part.state in PARTS_AT_WORK
    if action is PartAction.ACCEPT:
        part.accepted_at = now
    elif action is PartAction.FEEDBACK:
        part.answered_at, part.answered_by, part.answer = now, actor.id, order.words
        part.evidence = [*part.evidence, *(p.stored.sha256 for p in order.photos)]
        clocks.finish_part(tx, house, case, part.id, "answered", now)
    elif action is PartAction.RETURN:
        clocks.finish_part(tx, house, case, part.id, "returned", now)
    keep_photos(tx, case, actor, order.photos, now)
    told = Told(order.words, order.photos, {"part": part.id})
    note(tx, case, actor, f"part_{action}", CaseState(case.state), told, now, department=part.department_id)
    tx.audit(now, actor.id, f"case-part-{action}", f"case/{case.number}", unit=part.department_id, note=order.words)
    announce(tx, house, "cases", f"case.part-{action}", case.number, thin(case, part.department_id))
    answered = case.state in (CaseState.FEEDBACK, CaseState.CHECKING)
    if action is PartAction.FEEDBACK and answered and rechecks.possible(case):
        # What was seen before the last unit had answered says nothing about its work.
        rechecks.begin(tx, house, case, now)


def lead_may_answer(tx: Transaction, case: CaseRow, order: Order) -> None:
    """The lead answers after its assistants, or says why it does not wait. Raises Barred (parts_open)."""
    waiting = [p.department_id for p in case_queries.parts(tx, case.id) if p.open]
    if waiting and not order.reason.strip():
        told = f"joint units have not answered: {', '.join(waiting)}; give a reason to answer without them"
        raise Barred("parts_open", told, units=waiting)
