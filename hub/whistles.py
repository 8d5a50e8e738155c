"""Whistles: blown by a street or community, approved by the centre, answered by the called units, marked by both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from .casework.seeing import sees
from .domain.clock import deadline, parse_limit
from .domain.role import UNIT_ROLES, Right, may
from .domain.whistle import (
    ENDED,
    WHISTLE,
    WHISTLE_ACTION_NAMES,
    WHISTLE_NAMES,
    WHISTLE_ROLES,
    WHISTLE_STATE_NAMES,
    Call,
    Indicators,
    WhistleAction,
    WhistleKind,
    WhistleState,
    indicators,
    parts_in,
)
from .errors import Conflict, Forbidden, Invalid, NotFound, OutsideScope
from .evidence import Stored
from .house import Actor, House
from .outbox import announce
from .registry import locate
from .store import Transaction, alert_queries, case_queries, device_queries, people_queries, scope
from .store import whistle_queries as ask
from .store.case_rows import CaseRow
from .store.counting import next_in
from .store.supervision_rows import PaperAreaRow, WhistleCallRow, WhistleRow
from .unit_names import UnitNames

CALLED_MOST = 20
_TEXT_MOST = 2000
MARKS = range(1, 6)


@dataclass(frozen=True, slots=True)
class Told:
    """What comes with an act: a text, who came, pictures, whether it was solved, a mark and whom it is for."""

    text: str = ""
    person: str = ""
    photos: Sequence[bytes] = ()
    resolved: bool | None = None
    mark: int | None = None
    department: str | None = None


def blow(house: House, actor: Actor, body: Mapping[str, Any]) -> dict[str, Any]:
    """Propose a whistle: {kind, subject, place, departments, tasks?, initiator?, case?, lon?, lat?}.

    Raises Invalid, NotFound (an unknown case, also one that does not concern the unit), Forbidden (another unit's
    name), OutsideScope (a limited person: another street's name, a point outside his grids).
    """
    kind = body.get("kind")
    if kind not in list(WhistleKind):
        raise Invalid("kind", kind, list(WhistleKind))
    for name in ("subject", "place"):
        _text(name, body.get(name), needed=True)
    initiator = actor.department if actor.role in UNIT_ROLES else body.get("initiator")
    if actor.role in UNIT_ROLES and body.get("initiator") not in (None, actor.department):
        raise Forbidden(f"initiator: you blow for {actor.department}")
    with house.db.write() as tx:
        now = house.now()
        called = _called(tx, initiator, body)
        case = case_queries.case(tx, body["case"]) if body.get("case") else None
        if body.get("case") and (case is None or not _concerns(tx, actor, case)):
            raise NotFound("case", str(body["case"]))
        local = now.astimezone(house.settings.timezone)
        row = WhistleRow(
            id=uuid4().hex,
            number=f"{local.year}-{next_in(tx, f'whistle/{local.year}'):04d}",
            kind=kind,
            state=WhistleState.PROPOSED.value,
            open=True,
            case_id=case.id if case else None,
            initiator_id=initiator,
            subject=str(body["subject"]).strip(),
            place=str(body["place"]).strip(),
            lon=body.get("lon"),
            lat=body.get("lat"),
            raised_at=now,
            raised_by=actor.id,
            raised_by_name=actor.name,
            decided_note="",
            arrival_limit=house.office.whistles[WhistleKind(kind)],
            result="",
            result_evidence=[],
            calls=called,
        )
        tx.add(row)
        tx.flush()
        tx.add_all(PaperAreaRow(paper_id=row.id, grid_id=grid) for grid in _areas(tx, row, actor))
        tx.flush()
        _note(tx, house, row, actor, "raised", now)
        return whistle_json(tx, house, row, actor)


def _concerns(tx: Transaction, actor: Actor, case: CaseRow) -> bool:
    """Whether one may blow about the case: a unit about its own, the office of a street about those of its street."""
    if actor.role not in UNIT_ROLES or sees(tx, actor, case):
        return True
    unit = people_queries.department(tx, actor.department or "")
    if unit is None or unit.kind != "street":
        return False
    return unit.grid_id is None or unit.grid_id in (case.grid_id, case.community_id, case.street_id)


def _areas(tx: Transaction, row: WhistleRow, actor: Actor) -> list[str]:
    """Grids that the whistle is about: those around its point; without point and case, those of a limited caller.

    Raises OutsideScope.
    """
    grids = actor.grids
    initiator = people_queries.department(tx, row.initiator_id)
    if grids is not None and initiator is not None and initiator.grid_id is not None and initiator.grid_id not in grids:
        raise OutsideScope("department", initiator.id)
    if row.lon is not None and row.lat is not None:
        around = sorted(device_queries.grid_path(tx, locate(tx, row.lon, row.lat)).values())
        if grids is not None and grids.isdisjoint(around):
            raise OutsideScope("whistle", row.number)
        return around
    return scope.tops(tx, grids) if grids is not None and row.case_id is None else []


def _called(tx: Transaction, initiator: str | None, body: Mapping[str, Any]) -> list[WhistleCallRow]:
    units = {d.id for d in people_queries.departments(tx)}
    if initiator not in units:
        raise Invalid("initiator", initiator, sorted(units))
    wanted = list(dict.fromkeys(body.get("departments") or ()))
    if not 1 <= len(wanted) <= CALLED_MOST:
        raise Invalid("departments", len(wanted), f"1 to {CALLED_MOST} departments")
    for unit in wanted:
        if unit not in units or unit == initiator:
            raise Invalid("departments", unit, sorted(units - {initiator}))
    tasks = body.get("tasks") or {}
    made = []
    for position, unit in enumerate(wanted):
        task = str(tasks.get(unit, ""))
        _text("tasks", task)
        made.append(
            WhistleCallRow(
                department_id=unit, position=position, task=task, arrived_by="", arrived_note="", arrived_evidence=[]
            )
        )
        made[-1].mark_note = made[-1].back_mark_note = ""
    return made


def act(house: House, actor: Actor, whistle_id: str, action: str, told: Told) -> dict[str, Any]:
    """Do `action`. Raises NotFound, Forbidden, IllegalMove, Invalid, Conflict (arrived or marked before)."""
    if action not in list(WhistleAction):
        raise Invalid("action", action, list(WhistleAction))
    wanted = WhistleAction(action)
    _complete(wanted, told)
    stored = [house.evidence.put(photo) for photo in told.photos]
    with house.db.write() as tx:
        row, now = _seen(tx, actor, whistle_id, lock=True), house.now()
        _may(actor, row, wanted)
        if not _decides(tx, actor, row):
            raise OutsideScope("whistle", whistle_id)
        row.state = WHISTLE.next(WhistleState(row.state), wanted).value
        for photo in stored:
            alert_queries.note_evidence(tx, photo.sha256, photo.media_type, photo.size, now, for_ever=True)
        _do(tx, house, row, actor, wanted, told, stored, now)
        row.open = WhistleState(row.state) not in ENDED
        row.closed_at = None if row.open else now
        tx.flush()
        _note(tx, house, row, actor, wanted, now)
        return whistle_json(tx, house, row, actor)


def _do(
    tx: Transaction,
    house: House,
    row: WhistleRow,
    actor: Actor,
    action: WhistleAction,
    told: Told,
    stored: Sequence[Stored],
    now: datetime,
) -> None:
    if action in (WhistleAction.APPROVE, WhistleAction.REFUSE, WhistleAction.WITHDRAW):
        row.decided_at, row.decided_by_name, row.decided_note = now, actor.name, told.text.strip()
    if action is WhistleAction.APPROVE:
        due_at = deadline(now, parse_limit(row.arrival_limit), house.rules.calendar)
        for call in row.calls:
            call.due_at = due_at
        if row.case_id is not None and (case := case_queries.case(tx, row.case_id, lock=True)) is not None:
            case.whistle = row.kind
    elif action is WhistleAction.ARRIVE:
        _arrive(row, actor, told, stored, now)
    elif action is WhistleAction.RESULT:
        row.result, row.resolved, row.result_at = told.text.strip(), told.resolved, now
        row.result_by_name, row.result_evidence = actor.name, [photo.sha256 for photo in stored]
    elif action is WhistleAction.MARK:
        _mark(row, actor, told)


def _arrive(row: WhistleRow, actor: Actor, told: Told, stored: Sequence[Stored], now: datetime) -> None:
    call = _call(row, actor.department)
    if call.arrived_at is not None:
        raise Conflict(f"{call.department_id} has reported its arrival at {call.arrived_at.isoformat()}")
    call.arrived_at, call.arrived_by = now, told.person.strip() or actor.name
    call.arrived_note, call.arrived_evidence = told.text.strip(), [photo.sha256 for photo in stored]
    # The last one to come begins the joint work.
    if row.state == WhistleState.BLOWN and all(each.arrived_at is not None for each in row.calls):
        row.state = WHISTLE.next(WhistleState.BLOWN, WhistleAction.GATHER).value


def _mark(row: WhistleRow, actor: Actor, told: Told) -> None:
    """The caller marks a department, a department marks the call; each once."""
    if actor.department == row.initiator_id:
        call = _call(row, told.department)
        if call.mark is not None:
            raise Conflict(f"{call.department_id} is marked already: {call.mark}")
        call.mark, call.mark_note = told.mark, told.text.strip()
        return
    call = _call(row, actor.department)
    if call.back_mark is not None:
        raise Conflict(f"{call.department_id} has marked already: {call.back_mark}")
    call.back_mark, call.back_mark_note = told.mark, told.text.strip()


def _call(row: WhistleRow, department: str | None) -> WhistleCallRow:
    for call in row.calls:
        if call.department_id == department:
            return call
    raise Invalid("department", department, [call.department_id for call in row.calls])


def _may(actor: Actor, row: WhistleRow, action: WhistleAction) -> None:
    if actor.role not in WHISTLE_ROLES[action]:
        allowed = ", ".join(sorted(WHISTLE_ROLES[action]))
        raise Forbidden(f"{action} ({WHISTLE_ACTION_NAMES[action]['zh']}) is for: {allowed}; you are {actor.role}")
    if actor.role in UNIT_ROLES and not _has_part(actor, row, action):
        raise Forbidden(f"{action} ({WHISTLE_ACTION_NAMES[action]['zh']}): {actor.department} has not that part in it")


def _decides(tx: Transaction, actor: Actor, row: WhistleRow) -> bool:
    """Whether a limited person may act on a whistle that he sees: one about his case or area, or of his street.

    One that only calls the office of his street he reads.
    """
    if actor.grids is None:
        return True
    if row.case_id is not None:
        return case_queries.case(tx, row.case_id) is not None
    return (
        row.raised_by == actor.id
        or scope.about(tx, row.id, actor.grids)
        or scope.is_office(tx, row.initiator_id, actor.grids)
    )


def _has_part(actor: Actor, row: WhistleRow, action: WhistleAction) -> bool:
    called = actor.department in {call.department_id for call in row.calls}
    return parts_in(action, caller=actor.department == row.initiator_id, called=called)


def _complete(action: WhistleAction, told: Told) -> None:
    needed = action in (WhistleAction.REFUSE, WhistleAction.WITHDRAW, WhistleAction.RESULT)
    _text("text", told.text, needed=needed)
    _text("person", told.person)
    if action is WhistleAction.RESULT and told.resolved is None:
        raise Invalid("resolved", None, "true or false")
    if action is WhistleAction.MARK and told.mark not in MARKS:
        raise Invalid("mark", told.mark, "a whole number from 1 to 5")


def _text(name: str, value: object, *, needed: bool = False) -> None:
    if not isinstance(value, str) or len(value) > _TEXT_MOST or (needed and not value.strip()):
        raise Invalid(name, value, f"a text{', not empty,' if needed else ''} of at most {_TEXT_MOST} characters")


def _note(tx: Transaction, house: House, row: WhistleRow, actor: Actor, what: str, now: datetime) -> None:
    tx.audit(now, actor.id, f"whistle-{what}", f"whistle/{row.number}", state=row.state, kind=row.kind)
    data = {
        "id": row.id,
        "number": row.number,
        "kind": row.kind,
        "state": row.state,
        "initiator": row.initiator_id,
        "departments": [call.department_id for call in row.calls],
    }
    announce(tx, house, "whistles", f"whistle.{what}", row.number, data)
    shown = whistle_json(tx, house, row, None)
    seen_by = {row.initiator_id, *_approved(row)}
    tx.after(lambda: house.feed.publish("whistle", shown, frozenset(seen_by)))


def _seen(tx: Transaction, actor: Actor, whistle_id: str, *, lock: bool = False) -> WhistleRow:
    """A unit sees those it blew, and those that call it once they are approved."""
    row = ask.whistle(tx, whistle_id, lock=lock)
    if row is None:
        raise NotFound("whistle", whistle_id)
    if not _is_for(actor, row):
        raise NotFound("whistle", whistle_id)
    return row


def _is_for(actor: Actor, row: WhistleRow) -> bool:
    return actor.role not in UNIT_ROLES or actor.department in {row.initiator_id, *_approved(row)}


def _approved(row: WhistleRow) -> set[str]:
    """The units that it calls, once it is approved: from then on a call has its deadline."""
    return {call.department_id for call in row.calls if call.due_at is not None}


def shows(tx: Transaction, actor: Actor, sha256: str) -> bool:
    """Whether the file is of a whistle that the actor may see."""
    return may(actor.role, Right.SEE_WHISTLES) and any(_is_for(actor, row) for row in ask.shown_with(tx, sha256))


def read(house: House, actor: Actor, whistle_id: str) -> dict[str, Any]:
    """One whistle. Raises NotFound."""
    with house.db.read() as tx:
        return whistle_json(tx, house, _seen(tx, actor, whistle_id), actor)


def page(
    house: House,
    actor: Actor,
    *,
    is_open: bool | None = None,
    kind: str | None = None,
    after: Sequence[Any] | None = None,
    limit: int = 50,
) -> tuple[list[dict[str, Any]], list[Any] | None, int]:
    """(newest first, key of the next page, how many in all)"""
    if kind is not None and kind not in list(WhistleKind):
        raise Invalid("kind", kind, list(WhistleKind))
    unit = (actor.department or "") if actor.role in UNIT_ROLES else None
    with house.db.read() as tx:
        rows, key, total = ask.page(tx, is_open=is_open, kind=kind, unit=unit, after=after, limit=limit)
        return [whistle_json(tx, house, row, actor) for row in rows], key, total


def rates(house: House, start: datetime, end: datetime) -> list[dict[str, Any]]:
    """报到率, 按时报到率 and 解决率 of each department called in the time, with the mean mark of its callers."""
    with house.db.read() as tx:
        units = UnitNames.of(tx)
        calls: dict[str, list[Call]] = {}
        marks: dict[str, list[int]] = {}
        for call, resolved in ask.calls_between(tx, start, end):
            if call.due_at is None:
                continue
            made = Call(call.department_id, call.due_at, call.arrived_at, resolved)
            calls.setdefault(call.department_id, []).append(made)
            if call.mark is not None:
                marks.setdefault(call.department_id, []).append(call.mark)
    found = [(unit, indicators(each, min(end, house.now()))) for unit, each in calls.items()]
    order = sorted(found, key=lambda pair: (-(pair[1].in_time_rate or 0), pair[0]))
    return [_rates_json(unit, units.names(unit), each, marks.get(unit, [])) for unit, each in order]


def _rates_json(unit: str, names: Mapping[str, str], found: Indicators, marks: Sequence[int]) -> dict[str, Any]:
    return {
        "department": unit,
        **names,
        "called": found.called,
        "arrived": found.arrived,
        "in_time": found.in_time,
        "resolved": found.resolved,
        "decided": found.decided,
        "arrival_rate": _number(found.arrival_rate),
        "in_time_rate": _number(found.in_time_rate),
        "resolved_rate": _number(found.resolved_rate),
        "mark": round(sum(marks) / len(marks), 2) if marks else None,
    }


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def whistle_json(tx: Transaction, house: House, row: WhistleRow, actor: Actor | None) -> dict[str, Any]:
    """The whistle as the API shows it."""
    units, now = UnitNames.of(tx), house.now()
    state = WhistleState(row.state)
    actor = actor if actor is not None and _decides(tx, actor, row) else None
    actions = [] if actor is None else [a for a in WHISTLE.allowed(state) if _open_to(actor, row, a)]
    return {
        "id": row.id,
        "number": row.number,
        "kind": row.kind,
        "kind_name": WHISTLE_NAMES[WhistleKind(row.kind)],
        "state": row.state,
        "state_name": WHISTLE_STATE_NAMES[state],
        "open": row.open,
        "case": row.case_id,
        "initiator": {"id": row.initiator_id, **units.names(row.initiator_id)},
        "subject": row.subject,
        "place": row.place,
        "lon": row.lon,
        "lat": row.lat,
        "raised_at": row.raised_at.isoformat(),
        "raised_by": row.raised_by_name,
        "decided_at": _time(row.decided_at),
        "decided_by": row.decided_by_name,
        "decided_note": row.decided_note,
        "arrival_limit": row.arrival_limit,
        "result": row.result,
        "resolved": row.resolved,
        "result_at": _time(row.result_at),
        "result_by": row.result_by_name,
        "result_evidence": _pictures(row.result_evidence),
        "closed_at": _time(row.closed_at),
        "calls": [_call_json(call, units, row.closed_at or now) for call in row.calls],
        "actions": [{"action": a.value, "name": WHISTLE_ACTION_NAMES[a]} for a in actions],
    }


def _open_to(actor: Actor, row: WhistleRow, action: WhistleAction) -> bool:
    if actor.role not in WHISTLE_ROLES[action]:
        return False
    if actor.role not in UNIT_ROLES:
        return True
    if not _has_part(actor, row, action):
        return False
    own = next((c for c in row.calls if c.department_id == actor.department), None)
    if action is WhistleAction.ARRIVE:
        return own is not None and own.arrived_at is None
    if action is WhistleAction.MARK:
        if row.initiator_id == actor.department:
            return any(c.mark is None for c in row.calls)
        return own is not None and own.back_mark is None
    return True


def _call_json(call: WhistleCallRow, units: UnitNames, until: datetime) -> dict[str, Any]:
    """`until`: now, or when the whistle ended: nobody is late for it afterwards."""
    late = call.due_at is not None and (call.arrived_at or until) > call.due_at
    return {
        "department": call.department_id,
        **units.names(call.department_id),
        "task": call.task,
        "due_at": _time(call.due_at),
        "arrived_at": _time(call.arrived_at),
        "arrived_by": call.arrived_by,
        "note": call.arrived_note,
        "evidence": _pictures(call.arrived_evidence),
        "late": late,
        "mark": call.mark,
        "mark_note": call.mark_note,
        "back_mark": call.back_mark,
        "back_mark_note": call.back_mark_note,
    }


def _pictures(hashes: Sequence[str]) -> list[dict[str, str]]:
    return [{"sha256": s, "url": f"/api/evidence/{s}"} for s in hashes]


def _time(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()
