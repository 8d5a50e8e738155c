"""What happens to a case by itself: a deadline passes, a suspension ends, a department's silence counts as 签收."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..case_wire import cases_json
from ..domain.case import CaseAction, CaseState
from ..domain.stage_clock import Stage
from ..house import SYSTEM, House
from ..outbox import announce
from ..store import Transaction, case_queries
from ..store.case_rows import CaseRow, ClockRow, TimerRow
from . import wording
from .clocks import OVERDUE
from .step import AUTO_ACCEPT, RESUME, Told, note, step, thin

if TYPE_CHECKING:
    from ..timers import Fire


def _overdue(tx: Transaction, house: House, timer: TimerRow, case: CaseRow | None) -> None:
    """The deadline of a clock that still runs has passed: told once, whatever comes after."""
    clock = tx.get(ClockRow, int(timer.subject.removeprefix("clock/")))
    if case is None or clock is None or clock.running_since is None or clock.deadline > timer.due_at:
        return
    clock.overdue_at = timer.due_at
    stage = Stage(clock.stage)
    detail = {"stage": stage.value, "clock": clock.id, "deadline": clock.deadline.isoformat()}
    told = Told(wording.overdue(stage), (), detail)
    note(tx, case, SYSTEM, "overdue", CaseState(case.state), told, timer.due_at, department=clock.department_id)
    tx.audit(house.now(), SYSTEM.id, "case-overdue", f"case/{case.number}", department=clock.department_id, **detail)
    announce(tx, house, "cases", "case.overdue", case.number, thin(case, clock.department_id))


def _resume(tx: Transaction, house: House, timer: TimerRow, case: CaseRow | None) -> None:
    """到期恢复: the clock goes on from the instant that was agreed, however late this is told."""
    if case is not None and case.state == CaseState.SUSPENDED:
        step(tx, house, case, SYSTEM, CaseAction.RESUME, timer.due_at, Told(wording.RESUMED))


def _auto_accept(tx: Transaction, house: House, timer: TimerRow, case: CaseRow | None) -> None:
    if case is not None and case.state == CaseState.DISPATCHED:
        step(tx, house, case, SYSTEM, CaseAction.ACCEPT, timer.due_at, Told(wording.ACCEPTED))


FIRES: Mapping[str, Fire] = {OVERDUE: _overdue, RESUME: _resume, AUTO_ACCEPT: _auto_accept}


def show(tx: Transaction, house: House, cases: Sequence[CaseRow]) -> None:
    """The screens get the cases after the commit: one question for all of them."""
    shown = cases_json(tx, house, cases, None)
    for case, body in zip(cases, shown, strict=True):
        units = {case.department_id, case.last_department_id}
        if case.joint:
            units |= set(case_queries.part_units(tx, case.id))
        seen_by = frozenset(unit for unit in units if unit)
        tx.after(lambda body=body, seen_by=seen_by: house.feed.publish("case", body, seen_by))  # type: ignore[misc]
