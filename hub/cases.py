"""What can be done with cases: filed by a verdict, moved by people, each move with its history, audit and events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from . import rechecks
from .domain.case import CASE, CLOCK_RUNS, ENDED, MOVES, CaseAction, CaseState, case_number
from .domain.role import Role
from .errors import Forbidden, Invalid, NotFound, TooLate
from .evidence import Stored
from .house import SYSTEM, Actor, House
from .outbox import announce
from .store import Transaction, alert_queries, people_queries
from .store import case_queries as ask
from .store.counting import next_in
from .store.rows import AlertRow, CaseRow, MoveRow
from .wire import case_json, cases_json, clock_of

PHOTOS_MOST = 9


def file(tx: Transaction, house: House, alert: AlertRow, actor: Actor, category: str | None, now: datetime) -> CaseRow:
    """A case from a confirmed alert (locked by the caller), dispatched at once when its kind names one department."""
    kind = house.rules.kinds[alert.kind]
    day = now.astimezone(house.settings.timezone).date()
    sequence = next_in(tx, f"case/{day.isoformat()}")
    row = CaseRow(
        id=uuid4().hex,
        number=case_number(house.settings.district_code, now, sequence, house.settings.timezone),
        open_key=alert.place,
        alert_id=alert.id,
        state=CaseState.FILED.value,
        open=True,
        order_at=now,
        kind=alert.kind,
        category=house.rules.category_of(kind, category),
        urgent=alert.urgent,
        opened_at=now,
        filed_by=actor.id,
        limit=kind.limit,
        closing=kind.closing,
        rule_version=house.rules.versions[kind.id],
        calendar_version=house.rules.calendar.version,
        used_s=0.0,
        rework_count=0,
        alert=alert,
    )
    tx.add(row)
    tx.flush()
    alert.case_id = row.id
    alert_queries.hand_to_case(tx, alert.id, row.id)
    _note(tx, row, actor, "file", None, alert.note, (), now)
    tx.audit(now, actor.id, "case-filed", f"case/{row.number}", alert=alert.id, kind=row.kind, limit=row.limit)
    announce(tx, house, "cases", "case.filed", row.number, thin(row))
    if people_queries.department(tx, kind.department) is not None:
        _dispatch(tx, house, row, SYSTEM, kind.department, "", now)
    tell(tx, house, row)
    return row


def move(
    house: House,
    actor: Actor,
    case_id: str,
    action: str,
    *,
    department: str | None = None,
    text: str = "",
    photos: Sequence[bytes] = (),
) -> dict[str, Any]:
    """Do `action`; `text` is its note, reason or answer. Returns the case.

    Raises NotFound, Forbidden, IllegalMove, Invalid (a missing reason, an unknown department, a photo that is none).
    """
    if action not in list(CaseAction):
        raise Invalid("action", action, list(CaseAction))
    wanted = CaseAction(action)
    _may(actor, wanted)
    _complete(wanted, text, department)
    stored = [house.evidence.put(photo) for photo in photos[:PHOTOS_MOST]]
    with house.db.write() as tx:
        row, now = _locked(tx, case_id, actor), house.now()
        if wanted is CaseAction.DISPATCH:
            _dispatch(tx, house, row, actor, department or "", text, now)
        else:
            _step(tx, house, row, actor, wanted, text, stored, now)
        if wanted is CaseAction.FEEDBACK:
            # Every case has a camera or a sensor that can be asked again, so the check begins by itself.
            rechecks.begin(tx, house, row, now)
            _step(tx, house, row, SYSTEM, CaseAction.CHECK, "", (), now)
        tell(tx, house, row)
        return case_json(tx, house, row, actor)


def withdraw(tx: Transaction, house: House, case_id: str, actor: Actor, now: datetime) -> None:
    """Void a case whose verdict is taken back; its alert keeps the place. Raises TooLate once it was accepted."""
    row = ask.case(tx, case_id, lock=True)
    if row is None or row.state not in (CaseState.FILED, CaseState.DISPATCHED):
        raise TooLate("a department has accepted the case by now")
    _step(tx, house, row, actor, CaseAction.VOID, "撤销确认", (), now)
    row.alert.open_key, row.alert.ended_at = row.alert.place, None
    tell(tx, house, row)


def read(house: House, actor: Actor, case_id: str) -> dict[str, Any]:
    """One case with its history. Raises NotFound, also for a case of another department."""
    with house.db.read() as tx:
        row = ask.case(tx, case_id)
        if row is None or not _sees(actor, row):
            raise NotFound("case", case_id)
        return case_json(tx, house, row, actor)


def page(
    house: House,
    actor: Actor,
    *,
    state: str | None = None,
    department: str | None = None,
    is_open: bool | None = None,
    after: Sequence[Any] | None = None,
    limit: int = 50,
) -> tuple[list[dict[str, Any]], list[Any] | None, int]:
    """(cases without history, key of the next page, how many in all); a department's people see their own."""
    if state is not None and state not in list(CaseState):
        raise Invalid("state", state, list(CaseState))
    if actor.role is Role.DEPARTMENT:
        department = actor.department
    with house.db.read() as tx:
        rows, key, total = ask.page(tx, state=state, department=department, is_open=is_open, after=after, limit=limit)
        return cases_json(tx, house, rows, actor), key, total


def tell(tx: Transaction, house: House, row: CaseRow) -> None:
    """The screens get the case after the commit; those of its department and of the one before too."""
    tx.flush()
    shown = case_json(tx, house, row, None, history=False)
    seen_by = frozenset(d for d in (row.department_id, row.last_department_id) if d)
    tx.after(lambda: house.feed.publish("case", shown, seen_by))


def thin(row: CaseRow, department: str | None = None) -> dict[str, Any]:
    """What a webhook is told: where to look, nothing about people."""
    return {
        "id": row.id,
        "number": row.number,
        "state": row.state,
        "kind": row.kind,
        "camera": row.alert.camera_id,
        "sensor": row.alert.sensor_id,
        "preset": row.alert.preset,
        "zone": row.alert.zone,
        "department": row.department_id or department,
    }


def _dispatch(
    tx: Transaction, house: House, row: CaseRow, actor: Actor, department: str, note: str, now: datetime
) -> None:
    CASE.next(CaseState(row.state), CaseAction.DISPATCH)
    if people_queries.department(tx, department) is None:
        raise Invalid("department", department, [d.id for d in people_queries.departments(tx)])
    # The same department again: the remaining time goes on; another one: it begins anew (domain.md §4.2).
    fresh = row.last_department_id != department
    row.department_id = row.last_department_id = department
    _step(tx, house, row, actor, CaseAction.DISPATCH, note, (), now, fresh_clock=fresh)


def _step(
    tx: Transaction,
    house: House,
    row: CaseRow,
    actor: Actor,
    action: CaseAction,
    note: str,
    photos: Sequence[Stored],
    now: datetime,
    *,
    fresh_clock: bool = False,
) -> None:
    """One move by the table, with all that belongs to it. Raises IllegalMove."""
    before = CaseState(row.state)
    after = CASE.next(before, action)
    row.state = after.value
    _run_clock(house, row, before, after, now, fresh_clock)
    department = row.department_id
    if action is CaseAction.RETURN:
        row.department_id = None
    if action is CaseAction.REWORK:
        row.rework_count += 1
    if action in (CaseAction.REWORK, CaseAction.CLOSE, CaseAction.VOID):
        rechecks.end(tx, row, now)
    if after in ENDED:
        row.open, row.open_key, row.closed_at = False, None, now
        row.alert.open_key, row.alert.ended_at = None, now
    row.order_at = row.closed_at or row.deadline or row.opened_at
    for photo in photos:
        alert_queries.note_evidence(tx, photo.sha256, photo.media_type, photo.size, now)
        alert_queries.attach(tx, row.alert_id, row.id, "photo", photo.sha256, now)
    _note(tx, row, actor, action, before, note, [p.sha256 for p in photos], now)
    tx.audit(
        now, actor.id, f"case-{action}", f"case/{row.number}", was=before, now=after, department=department, note=note
    )
    if MOVES[action].event:
        announce(tx, house, "cases", f"case.{MOVES[action].event}", row.number, thin(row, department))


def _run_clock(house: House, row: CaseRow, before: CaseState, after: CaseState, now: datetime, fresh: bool) -> None:
    runs, ran = after in CLOCK_RUNS, before in CLOCK_RUNS
    if runs == ran:
        return
    calendar, clock = house.rules.calendar, clock_of(row)
    clock = clock.start(now, calendar, fresh=fresh) if runs else clock.stop(now, calendar)
    row.used_s, row.deadline = clock.used_s, clock.deadline
    row.clock_started_at, row.clock_stopped_at = clock.started_at, clock.stopped_at


def _note(
    tx: Transaction,
    row: CaseRow,
    actor: Actor,
    action: str,
    before: CaseState | None,
    note: str,
    evidence: Sequence[str],
    now: datetime,
) -> None:
    line = MoveRow(case_id=row.id, at=now, by=actor.id, by_name=actor.name, action=str(action), note=note)
    line.from_state, line.to_state, line.evidence = before, row.state, list(evidence)
    line.department_id = row.department_id
    tx.add(line)


def _locked(tx: Transaction, case_id: str, actor: Actor) -> CaseRow:
    row = ask.case(tx, case_id)
    # The alert is locked first, as findings and verdicts do: the same order everywhere, so that nobody waits in a ring.
    if row is not None:
        alert_queries.alert(tx, row.alert_id, lock=True)
        row = ask.case(tx, case_id, lock=True)
    if row is None or not _sees(actor, row):
        raise NotFound("case", case_id)
    return row


def _sees(actor: Actor, row: CaseRow) -> bool:
    return actor.role is not Role.DEPARTMENT or row.department_id == actor.department


def _may(actor: Actor, action: CaseAction) -> None:
    if actor.role not in MOVES[action].roles:
        allowed = ", ".join(sorted(MOVES[action].roles))
        raise Forbidden(f"{action} ({MOVES[action].zh}) is for: {allowed}; you are {actor.role}")


def _complete(action: CaseAction, text: str, department: str | None) -> None:
    for name in MOVES[action].needs:
        if not (department if name == "department" else text.strip()):
            raise Invalid(name, "", f"not empty: {action} ({MOVES[action].zh}) needs it")
