"""The clocks of a case in the database: begun, paused, resumed and finished by the moves of the case."""

from __future__ import annotations

from datetime import datetime

from ..domain.case import CLOCKS, ENDED, CaseAction, CaseState
from ..domain.stage_clock import Stage, StageClock
from ..house import House
from ..store import Transaction, case_queries, timer_queries
from ..store.case_rows import CaseRow, ClockRow
from . import ladder

_A = CaseAction
OVERDUE = "overdue"
"""Kind of the timer that tells when a clock's deadline has passed."""

_OUTCOMES = {
    _A.VERIFIED: "verified",
    _A.FILE: "filed",
    _A.REFUSE: "refused",
    _A.MERGE: "merged",
    _A.DISPATCH: "dispatched",
    _A.FEEDBACK: "answered",
    _A.TRANSFER: "transferred",
    _A.REWORK: "reworked",
    _A.CLOSE: "closed",
    _A.VOID: "voided",
    _A.FORCE_CLOSE: "force_closed",
}


def clock_of(row: ClockRow) -> StageClock:
    """The clock as the pure middle knows it."""
    return StageClock(
        row.limit,
        row.limit_s,
        row.started_at,
        row.deadline,
        row.running_since,
        row.used_s,
        row.carried_s,
        row.paused_at,
        row.paused_s,
        row.extensions,
        row.finished_at,
        row.timed_out,
        row.timeout_s,
    )


def turn(tx: Transaction, house: House, case: CaseRow, action: CaseAction, now: datetime) -> None:
    """Let the clocks follow `action`; the case already has its new state and department."""
    after = CaseState(case.state)
    clocks = case_queries.open_clocks(tx, case.id)
    own = {Stage(c.stage): c for c in clocks if c.part_id is None}
    if after in ENDED:
        for clock in clocks:
            _finish(tx, house, case, clock, _OUTCOMES[action], now)
    elif action is _A.VERIFY:
        _pause(tx, house, own.get(Stage.ACCEPT), now)
        begin(tx, house, case, Stage.VERIFY, now)
    elif action is _A.RETURN or action is _A.SUSPEND:
        _pause(tx, house, own.get(Stage.HANDLE), now)
    elif action is _A.RESUME:
        _resume(tx, house, own.get(Stage.HANDLE), now)
    elif action is _A.EXTEND:
        _extend(tx, house, own.get(Stage.HANDLE), now)
    stage = CLOCKS[after]
    for clock in () if after in ENDED else own.values():
        over = clock.stage != stage and clock.running_since is not None
        if over or (action is _A.TRANSFER and clock.stage == Stage.HANDLE):
            _finish(tx, house, case, clock, _OUTCOMES[action], now)
    if stage is not None and action is not _A.VERIFY:
        _run(tx, house, case, stage, own.get(stage), action, now)
    tx.flush()
    show(tx, case)


def begin(
    tx: Transaction,
    house: House,
    case: CaseRow,
    stage: Stage,
    now: datetime,
    *,
    part_id: str | None = None,
    department: str | None = None,
    after: StageClock | None = None,
) -> ClockRow:
    """A clock that runs from `now`; a further run of `after` with what that one left."""
    calendar = house.rules.calendar
    limit = case.limit if stage is Stage.HANDLE else house.settings.stage_limits[stage]
    clock = after.again(now, calendar) if after is not None else StageClock.begin(limit, now, calendar)
    row = ClockRow(case_id=case.id, part_id=part_id, stage=stage.value, department_id=department)
    row.limit, row.started_at, row.carried_s, row.exempt = clock.limit, clock.started_at, clock.carried_s, False
    row.rule_version, row.calendar_version = case.rule_version, calendar.version
    _write(row, clock)
    tx.add(row)
    tx.flush()
    timer_queries.put(tx, OVERDUE, subject_of(row), row.deadline, case.id)
    ladder.follow(tx, house, row, clock, fresh=True)
    return row


def start_first(tx: Transaction, house: House, case: CaseRow, now: datetime) -> None:
    """The clock of the state that a new case begins in."""
    stage = CLOCKS[CaseState(case.state)]
    if stage is not None:
        begin(tx, house, case, stage, now)
    show(tx, case)


def subject_of(row: ClockRow) -> str:
    """Whom the clock's timer names."""
    return f"clock/{row.id}"


def finish_part(tx: Transaction, house: House, case: CaseRow, part_id: str, outcome: str, now: datetime) -> None:
    """The clock of a joint unit has ended."""
    for clock in case_queries.open_clocks(tx, case.id):
        if clock.part_id == part_id:
            _finish(tx, house, case, clock, outcome, now)


def show(tx: Transaction, case: CaseRow) -> None:
    """Copy to the case what lists sort and filter by."""
    clocks = [c for c in case_queries.clocks(tx, case.id) if c.part_id is None]
    running = next((c for c in reversed(clocks) if c.running_since is not None), None)
    handle = next((c for c in reversed(clocks) if c.stage == Stage.HANDLE), None)
    case.stage, case.due_at = (running.stage, running.deadline) if running else (None, None)
    case.deadline = handle.deadline if handle else None
    case.timed_out = bool(handle and handle.timed_out)
    case.order_at = case.closed_at or case.due_at or case.suspended_until or case.deadline or case.opened_at


def _run(
    tx: Transaction,
    house: House,
    case: CaseRow,
    stage: Stage,
    open_clock: ClockRow | None,
    action: CaseAction,
    now: datetime,
) -> None:
    if stage is not Stage.HANDLE:
        if open_clock is None:
            begin(tx, house, case, stage, now)
        elif open_clock.running_since is None and open_clock.finished_at is None:
            _resume(tx, house, open_clock, now)
        return
    if action is CaseAction.REWORK:
        last = case_queries.last_handle_clock(tx, case.id)
        begin(tx, house, case, stage, now, department=case.department_id, after=clock_of(last) if last else None)
    elif action in (CaseAction.DISPATCH, CaseAction.TRANSFER):
        # The same department again: the remaining time goes on; another one: it begins anew (domain.md §4.2).
        if open_clock is not None and open_clock.finished_at is None:
            if open_clock.department_id == case.department_id:
                _resume(tx, house, open_clock, now)
                return
            _finish(tx, house, case, open_clock, "returned", now)
        begin(tx, house, case, stage, now, department=case.department_id)


def _pause(tx: Transaction, house: House, row: ClockRow | None, now: datetime) -> None:
    if row is not None:
        _change(tx, house, row, clock_of(row).pause(now, house.rules.calendar))
        timer_queries.drop(tx, OVERDUE, subject_of(row))


def _resume(tx: Transaction, house: House, row: ClockRow | None, now: datetime) -> None:
    if row is not None:
        _change(tx, house, row, clock_of(row).resume(now, house.rules.calendar))
        row.calendar_version = house.rules.calendar.version
        if row.overdue_at is None:
            timer_queries.put(tx, OVERDUE, subject_of(row), row.deadline, row.case_id)


def _extend(tx: Transaction, house: House, row: ClockRow | None, now: datetime) -> None:
    if row is not None:
        _change(tx, house, row, clock_of(row).extend(now, house.rules.calendar))
        timer_queries.put(tx, OVERDUE, subject_of(row), row.deadline, row.case_id)


def _finish(tx: Transaction, house: House, case: CaseRow, row: ClockRow, outcome: str, now: datetime) -> None:
    if row.finished_at is None:
        _change(tx, house, row, clock_of(row).finish(now, house.rules.calendar))
        row.outcome = outcome
        timer_queries.drop(tx, OVERDUE, subject_of(row))


def _change(tx: Transaction, house: House, row: ClockRow, clock: StageClock) -> None:
    _write(row, clock)
    ladder.follow(tx, house, row, clock)


def _write(row: ClockRow, clock: StageClock) -> None:
    row.limit_s, row.deadline, row.extensions = clock.limit_s, clock.deadline, clock.extensions
    row.running_since, row.used_s = clock.running_since, clock.used_s
    row.paused_at, row.paused_s = clock.paused_at, clock.paused_s
    row.finished_at, row.timed_out, row.timeout_s = clock.finished_at, clock.timed_out, clock.timeout_s
