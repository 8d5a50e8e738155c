"""One step of a case by the table, with all that belongs to it: clocks, history, audit, events, screens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from .. import rechecks
from ..case_wire import case_json
from ..domain.case import CASE, ENDED, MOVES, CaseAction, CaseState
from ..domain.consent import REQUEST, RequestAction, RequestState
from ..domain.joint import PART, PartAction, PartState
from ..errors import NotFound
from ..evidence import Stored
from ..house import Actor, House
from ..outbox import announce
from ..store import Transaction, alert_queries, case_queries, supervision_queries, timer_queries
from ..store.case_rows import CaseRow, MoveRow
from . import clocks

RESUME = "resume"
"""Kind of the timer that ends a suspension."""
AUTO_ACCEPT = "auto_accept"
"""Kind of the timer that accepts for a department which does not."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo that comes with a move: stored, with its type and where it was taken (domain.md §3.3)."""

    stored: Stored
    type: str | None = None
    lon: float | None = None
    lat: float | None = None
    taken_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What is written down of a move besides itself."""

    note: str = ""
    photos: Sequence[Photo] = ()
    detail: Mapping[str, Any] = field(default_factory=dict)


NOTHING = Told()


def step(
    tx: Transaction,
    house: House,
    case: CaseRow,
    actor: Actor,
    action: CaseAction,
    now: datetime,
    told: Told = NOTHING,
    *,
    department: str | None = None,
) -> None:
    """One move; `department` is the unit it goes to. `now` is when it counts. Raises IllegalMove."""
    before = CaseState(case.state)
    after = CASE.next(before, action)
    case.state = after.value
    left = case.department_id
    if department is not None:
        case.department_id = case.last_department_id = department
        _lead_alone(tx, house, case, department, now)
    if action is CaseAction.RETURN:
        case.department_id = None
    if action is CaseAction.RESUME:
        case.suspended_until = None
    if action is CaseAction.FORCE_CLOSE:
        case.forced_close = True
    if action is CaseAction.REWORK:
        case.rework_count += 1
    if action in (CaseAction.REWORK, CaseAction.CLOSE, CaseAction.VOID, CaseAction.FORCE_CLOSE):
        rechecks.end(tx, case, now)
        _call_off(tx, case)
    if after in ENDED and before not in ENDED:
        _end(tx, case, actor, now)
    _lapse(tx, case, left, now)
    clocks.turn(tx, house, case, action, now)
    _set_timers(tx, house, case, before, now)
    keep_photos(tx, case, actor, told.photos, now)
    note(tx, case, actor, action, before, told, now, department=case.department_id or left)
    tx.audit(
        house.now(),
        actor.id,
        f"case-{action}",
        f"case/{case.number}",
        was=before,
        now=after,
        department=case.department_id or left,
        note=told.note,
        **told.detail,
    )
    if MOVES[action].event:
        announce(tx, house, "cases", f"case.{MOVES[action].event}", case.number, thin(case, left))


def _lead_alone(tx: Transaction, house: House, case: CaseRow, unit: str, now: datetime) -> None:
    """A unit that assisted has the whole case now: its part ends, and the clock of the part with it."""
    part = case_queries.part_of(tx, case.id, unit)
    if part is not None and part.open:
        part.state, part.open = PART.next(PartState(part.state), PartAction.END).value, False
        clocks.finish_part(tx, house, case, part.id, "dispatched", now)


def _call_off(tx: Transaction, case: CaseRow) -> None:
    """Nobody need go and look any more: what is wanted next is asked for anew."""
    for visit in case_queries.open_visits(tx, case.id):
        visit.state = "called_off"


def _lapse(tx: Transaction, case: CaseRow, left: str | None, now: datetime) -> None:
    """A request that the case has overtaken is no longer one."""
    request = case_queries.pending_request(tx, case.id)
    if request is None:
        return
    possible = (CaseState(case.state), CaseAction(request.kind)) in CASE.table
    if not possible or case.department_id != left:
        request.state, request.open_key = REQUEST.next(RequestState(request.state), RequestAction.LAPSE).value, None
        request.decided_at = now


def _set_timers(tx: Transaction, house: House, case: CaseRow, before: CaseState, now: datetime) -> None:
    after, subject = CaseState(case.state), f"case/{case.id}"
    if after in ENDED and before not in ENDED:
        timer_queries.drop_of_case(tx, case.id)
    elif before is CaseState.SUSPENDED:
        timer_queries.drop(tx, RESUME, subject)
    wait_min = house.settings.auto_accept_min
    if wait_min and after is CaseState.DISPATCHED:
        timer_queries.put(tx, AUTO_ACCEPT, subject, now + timedelta(minutes=wait_min), case.id)
    elif wait_min and before is CaseState.DISPATCHED:
        timer_queries.drop(tx, AUTO_ACCEPT, subject)


def _end(tx: Transaction, case: CaseRow, actor: Actor, now: datetime) -> None:
    case.open, case.open_key, case.closed_at, case.closed_by = False, None, now, actor.id
    case.suspended_until = None
    for part in case_queries.parts(tx, case.id):
        if part.open:
            part.state, part.open = PART.next(PartState(part.state), PartAction.END).value, False
    _call_off(tx, case)
    supervision_queries.end_of_case(tx, case.id, now)
    for alert in alert_queries.of_case(tx, case.id):
        alert.open_key, alert.ended_at = None, now


def note(
    tx: Transaction,
    case: CaseRow,
    actor: Actor,
    action: str,
    before: CaseState | None,
    told: Told,
    now: datetime,
    *,
    department: str | None = None,
) -> None:
    """A line of the history."""
    line = MoveRow(case_id=case.id, at=now, by=actor.id, by_name=actor.name, action=str(action), note=told.note)
    line.from_state, line.to_state = before, case.state
    line.evidence = [photo.stored.sha256 for photo in told.photos]
    line.department_id, line.detail = department or case.department_id, dict(told.detail) or None
    tx.add(line)


def keep_photos(tx: Transaction, case: CaseRow, actor: Actor, photos: Sequence[Photo], now: datetime) -> None:
    """Tie the photos to the case; one that is there already stays as it is."""
    for photo in photos:
        file = photo.stored
        alert_queries.note_evidence(tx, file.sha256, file.media_type, file.size, now)
        case_queries.attach_photo(
            tx,
            case,
            file.sha256,
            photo.taken_at or now,
            photo_type=photo.type,
            by=actor.id,
            lon=photo.lon,
            lat=photo.lat,
        )


def locked(tx: Transaction, case_id: str) -> CaseRow:
    """The case, locked. Raises NotFound."""
    row = case_queries.case(tx, case_id)
    # Its alerts are locked first, as findings and verdicts do: one order everywhere, so that nobody waits in a ring.
    if row is not None:
        alert_queries.of_case(tx, row.id, lock=True)
        row = case_queries.case(tx, row.id, lock=True)
    if row is None:
        raise NotFound("case", case_id)
    return row


def tell(tx: Transaction, house: House, case: CaseRow) -> None:
    """The screens get the case after the commit; those of its units and of the one before too."""
    tx.flush()
    shown = case_json(tx, house, case, None, history=False)
    units = {case.department_id, case.last_department_id, *case_queries.part_units(tx, case.id)}
    seen_by = frozenset(unit for unit in units if unit)
    tx.after(lambda: house.feed.publish("case", shown, seen_by))


def thin(case: CaseRow, department: str | None = None) -> dict[str, Any]:
    """What a webhook is told: where to look, nothing about people."""
    return {
        "id": case.id,
        "number": case.number,
        "state": case.state,
        "kind": case.kind,
        "camera": case.camera_id,
        "sensor": case.sensor_id,
        "preset": case.preset,
        "zone": case.zone,
        "department": case.department_id or department,
    }
