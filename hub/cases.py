"""What can be done with cases: found, reported, moved by people, read; each act is one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from . import rechecks
from .case_wire import case_json, cases_json
from .casework.begin import from_alert
from .casework.seeing import seen_by, sees
from .casework.step import Photo, Told, locked, step, tell
from .domain.case import MOVES, CaseAction, CaseState
from .errors import Forbidden, Invalid, NotFound, TooLate
from .house import SYSTEM, Actor, House
from .store import Transaction, people_queries
from .store import case_queries as ask
from .store.case_rows import CaseRow

PHOTOS_MOST = 9

_PLAIN = tuple(CaseAction(a) for a in ["dispatch", "accept", "return", "feedback", "check", "rework", "close", "void"])
"""What needs nothing but the table."""

file = from_alert


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
    if wanted not in _PLAIN:
        raise Invalid("action", action, _PLAIN)
    _may(actor, wanted)
    _complete(wanted, text, department)
    told = Told(text, [Photo(house.evidence.put(photo)) for photo in photos[:PHOTOS_MOST]])
    with house.db.write() as tx:
        row, now = _locked(tx, case_id, actor), house.now()
        _do(tx, house, row, actor, wanted, department, told, now)
        tell(tx, house, row)
        return case_json(tx, house, row, actor)


def _do(
    tx: Transaction,
    house: House,
    row: CaseRow,
    actor: Actor,
    action: CaseAction,
    department: str | None,
    told: Told,
    now: datetime,
) -> None:
    if action is CaseAction.DISPATCH and people_queries.department(tx, department or "") is None:
        raise Invalid("department", department, [d.id for d in people_queries.departments(tx)])
    step(tx, house, row, actor, action, now, told, department=department if action is CaseAction.DISPATCH else None)
    if action is CaseAction.FEEDBACK and rechecks.possible(row):
        # A case with a camera or a sensor can be looked at again, so the check begins by itself.
        rechecks.begin(tx, house, row, now)
        step(tx, house, row, SYSTEM, CaseAction.CHECK, now)


def withdraw(tx: Transaction, house: House, case_id: str, actor: Actor, now: datetime) -> None:
    """Void a case whose verdict is taken back; its alert keeps the place. Raises TooLate once it was accepted."""
    row = ask.case(tx, case_id, lock=True)
    if row is None or row.state not in (CaseState.FILED, CaseState.DISPATCHED):
        raise TooLate("a department has accepted the case by now")
    step(tx, house, row, actor, CaseAction.VOID, now, Told("撤销确认"))
    if row.alert is not None:
        row.alert.open_key, row.alert.ended_at = row.alert.place, None
    tell(tx, house, row)


def read(house: House, actor: Actor, case_id: str) -> dict[str, Any]:
    """One case with its history. Raises NotFound, also for a case of another department."""
    with house.db.read() as tx:
        row = ask.case(tx, case_id)
        if row is None or not sees(tx, actor, row):
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
    with house.db.read() as tx:
        wanted = ask.Wanted(state=state, department=department, is_open=is_open, seen_by=seen_by(actor))
        rows, key, total = ask.page(tx, wanted, after=after, limit=limit)
        return cases_json(tx, house, rows, actor), key, total


def _locked(tx: Transaction, case_id: str, actor: Actor) -> CaseRow:
    row = locked(tx, case_id)
    if not sees(tx, actor, row):
        raise NotFound("case", case_id)
    return row


def _may(actor: Actor, action: CaseAction) -> None:
    if actor.role not in MOVES[action].roles:
        allowed = ", ".join(sorted(MOVES[action].roles))
        raise Forbidden(f"{action} ({MOVES[action].zh}) is for: {allowed}; you are {actor.role}")


def _complete(action: CaseAction, text: str, department: str | None) -> None:
    for name in MOVES[action].needs:
        if not (department if name == "department" else text.strip()):
            raise Invalid(name, "", f"not empty: {action} ({MOVES[action].zh}) needs it")
