"""Cases and re-checks as JSON: the shapes of the HTTP contract, made for many rows with few questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from . import conditions, grids
from .casework import wording
from .casework.clocks import clock_of
from .casework.grid_first import in_the_grid
from .domain.case import CASE, EXTENSIONS_MOST, HISTORY_NAMES, MOVES, RECURS_WITHIN, STATE_NAMES, CaseAction, CaseState
from .domain.channel import CHANNEL_NAMES, Channel
from .domain.clock import parse_limit
from .domain.consent import CONSENT_NAMES, REQUEST_STATE_NAMES, STEPS, RequestState, may_consent
from .domain.grid import LEVEL_NAMES, LEVELS
from .domain.joint import PART, PART_ACTIONS, PART_STATE_NAMES, PartState
from .domain.role import UNIT_ROLES, Right, may
from .domain.stage_clock import STAGE_NAMES, Stage
from .domain.visit import RESULTS, VisitKind
from .house import Actor, House
from .store import Transaction, case_queries
from .store.case_rows import (
    CaseRow,
    ClockRow,
    LinkRow,
    MoveRow,
    PartRow,
    RecheckRow,
    ReportRow,
    RequestRow,
    VisitRow,
)
from .wire import Names, evidence_json, evidence_url, time_text


def cases_json(tx: Transaction, house: House, rows: Sequence[CaseRow], actor: Actor | None) -> list[dict[str, Any]]:
    """The cases without their histories; `actions` are those of `actor`."""
    if not rows:
        return []
    names, now = Names.of(tx), house.now()
    ids = [r.id for r in rows]
    attached = case_queries.attachments(tx, ids)
    rechecks = case_queries.newest_rechecks(tx, ids)
    clocks = case_queries.clocks_of(tx, ids)
    english = conditions.closings_in_english(tx, house)
    return [
        {
            **_case_json(row, house, names, now),
            "closing_en": english.get(row.closing, ""),
            **_clocks_json(clocks.get(row.id, ()), house, now),
            "actions": [] if actor is None else [action_json(a) for a in open_actions(row, actor, now)],
            "evidence": [evidence_json(a, f) for a, f in attached.get(row.id, ())],
            "recheck": recheck_json(rechecks[row.id]) if row.id in rechecks else None,
        }
        for row in rows
    ]


def case_json(
    tx: Transaction, house: House, row: CaseRow, actor: Actor | None, *, history: bool = True
) -> dict[str, Any]:
    """One case, with all that belongs to it: history, clocks, requests, joint parts, visits, reports, links."""
    shown = cases_json(tx, house, [row], actor)[0]
    if history:
        names, now = Names.of(tx), house.now()
        links = case_queries.links(tx, row.id)
        requests = case_queries.requests(tx, row.id)
        shown |= {
            "history": [_move_json(move, names) for move in case_queries.moves(tx, row.id)],
            "clocks": [clock_json(c, house, names, now) for c in case_queries.clocks(tx, row.id)],
            "requests": [_request_json(request, names, actor) for request in requests],
            "parts": [_part_json(part, names) for part in case_queries.parts(tx, row.id)],
            "visits": [_visit_json(visit, names) for visit in case_queries.visits(tx, row.id)],
            "reports": [_report_json(r, whole=_sees_phones(actor)) for r in case_queries.reports(tx, row.id)],
            "links": [_link_json(link, other, row, house) for link, other in links],
            "responsible": grids.responsible(tx, row.grid_id),
        }
        shown["calendar_missing"] = _calendar_missing(shown["clocks"], house)
        shown["actions"] = [] if actor is None else actions_json(tx, row, actor, now)
    return shown


def case_brief(house: House, row: CaseRow) -> dict[str, Any]:
    """A case as lists of other things name it."""
    return {
        "id": row.id,
        "number": row.number,
        "state": row.state,
        "state_name": STATE_NAMES[CaseState(row.state)],
        "category": house.rules.with_english(row.category),
        "address": row.address or row.source_name,
        "department": row.department_id or row.last_department_id,
        "urgent": row.urgent,
        "supervised": row.supervised,
        "opened_at": time_text(row.opened_at),
        "deadline": time_text(row.deadline),
        "closed_at": time_text(row.closed_at),
    }


def _sees_phones(actor: Actor | None) -> bool:
    return actor is not None and may(actor.role, Right.SEE_PHONES)


def _calendar_missing(clocks: Sequence[Mapping[str, Any]], house: House) -> list[int]:
    """Years that a working-time clock of the case reaches and the calendar lacks: there only weekends count."""
    years = set[int]()
    for clock in clocks:
        if not parse_limit(clock["limit"]).continuous:
            begin, end = (datetime.fromisoformat(clock[key]) for key in ("started_at", "deadline"))
            years |= house.rules.calendar.missing(begin, end)
    return sorted(years)


def actions_json(tx: Transaction, row: CaseRow, actor: Actor, now: datetime) -> list[dict[str, Any]]:
    """What the actor can do now: with the case, with his own part of it, with the request that waits."""
    part = None if actor.department in (None, row.department_id) else case_queries.part_of(tx, row.id, actor.department)
    if part is not None:
        possible = PART.allowed(PartState(part.state))
        actions = [a for a, p in PART_ACTIONS.items() if p in possible and actor.role in MOVES[a].roles]
    else:
        actions = open_actions(row, actor, now)
        asked = {r.kind for r in case_queries.requests(tx, row.id) if r.state == RequestState.GRANTED}
        asked |= {r.kind for r in case_queries.requests(tx, row.id) if r.kind == CaseAction.APPEAL}
        actions = [a for a in actions if a not in (CaseAction.SUSPEND, CaseAction.APPEAL) or a not in asked]
    shown = [action_json(a) for a in actions]
    request = case_queries.pending_request(tx, row.id)
    if request is not None:
        shown = [a for a in shown if CaseAction(a["action"]) not in STEPS]
        shown += [{"action": a, "name": CONSENT_NAMES[a], "needs": n} for a, n in _request_actions(request, actor)]
    return shown


def _request_actions(request: RequestRow, actor: Actor) -> list[tuple[str, list[str]]]:
    own = actor.department is None or actor.department == request.department_id
    found: list[tuple[str, list[str]]] = []
    if own and may_consent(CaseAction(request.kind), RequestState(request.state), actor.role):
        found += [("consent", []), ("deny", ["reason"])]
    if actor.id == request.asked_by or (actor.department is not None and actor.department == request.department_id):
        found.append(("take_back", []))
    return found


def requests_json(tx: Transaction, rows: Sequence[tuple[RequestRow, CaseRow]], actor: Actor) -> list[dict[str, Any]]:
    """Requests with the case each is about; `yours` when the actor may consent."""
    names = Names.of(tx)
    return [
        {**_request_json(row, names, actor), "case": {"id": case.id, "number": case.number, "state": case.state}}
        for row, case in rows
    ]


def _request_json(row: RequestRow, names: Names, actor: Actor | None) -> dict[str, Any]:
    move, state = MOVES[CaseAction(row.kind)], RequestState(row.state)
    actions = [] if actor is None else [a for a, _needs in _request_actions(row, actor)]
    return {
        "id": row.id,
        "kind": row.kind,
        "kind_name": {"zh": move.zh, "en": move.en},
        "state": row.state,
        "state_name": REQUEST_STATE_NAMES[state],
        "department": names.department(row.department_id),
        "to_department": names.department(row.to_department_id),
        "until": time_text(row.until),
        "reason": row.reason,
        "evidence": [{"sha256": s, "url": evidence_url(s)} for s in row.evidence],
        "asked_by_name": row.asked_by_name,
        "asked_at": time_text(row.asked_at),
        "first_by_name": row.first_by_name,
        "first_at": time_text(row.first_at),
        "first_note": row.first_note,
        "decided_by_name": row.decided_by_name,
        "decided_at": time_text(row.decided_at),
        "decided_note": row.decided_note,
        "yours": "consent" in actions,
    }


def _part_json(row: PartRow, names: Names) -> dict[str, Any]:
    return {
        "id": row.id,
        "department": names.department(row.department_id),
        "task": row.task,
        "state": row.state,
        "state_name": PART_STATE_NAMES[PartState(row.state)],
        "open": row.open,
        "added_at": time_text(row.added_at),
        "accepted_at": time_text(row.accepted_at),
        "answered_at": time_text(row.answered_at),
        "answer": row.answer,
        "evidence": [{"sha256": s, "url": evidence_url(s)} for s in row.evidence],
        "deadline": time_text(row.deadline),
    }


def _visit_json(row: VisitRow, names: Names) -> dict[str, Any]:
    results = RESULTS[VisitKind(row.kind)]
    return {
        "id": row.id,
        "kind": row.kind,
        "state": row.state,
        "assignee": row.assignee,
        "assignee_name": names.person(row.assignee),
        "camera": row.camera_id,
        "asked_at": time_text(row.asked_at),
        "result": row.result,
        "result_name": results.get(row.result or ""),
        "note": row.note,
        "by_name": names.person(row.by),
        "at": time_text(row.at),
        "evidence": [{"sha256": s, "url": evidence_url(s)} for s in row.evidence],
    }


def _report_json(row: ReportRow, *, whole: bool) -> dict[str, Any]:
    """Who reported it is for the centre alone."""
    shown = {
        "channel": row.channel,
        "channel_name": CHANNEL_NAMES[Channel(row.channel)],
        "attached": row.attached,
        "description": row.description,
        "address": row.address,
        "at": time_text(row.at),
        "alert": row.alert_id,
    }
    if whole:
        shown |= {"external_id": row.external_id, "reporter": row.reporter, "by_name": row.by_name}
    return shown


def _link_json(link: LinkRow, other: CaseRow, row: CaseRow, house: House) -> dict[str, Any]:
    """`direction`: `to` when this case is the one that is a duplicate, a recurrence or reopened; else `from`."""
    return {
        "relation": link.relation,
        "direction": "to" if link.case_id == row.id else "from",
        "case": {"id": other.id, "number": other.number, "state": other.state, "kind_name": _name(other, house)},
        "at": time_text(link.at),
    }


def open_actions(row: CaseRow, actor: Actor, now: datetime) -> list[CaseAction]:
    """What `actor` can do with the case now, as far as the case itself tells; what is used up is not offered."""
    if actor.role in UNIT_ROLES and actor.department != row.department_id:
        return []
    used_up = {
        CaseAction.REOPEN: row.closed_at is not None and now - row.closed_at > RECURS_WITHIN,
        CaseAction.APPEAL: not row.timed_out or row.timeout_exempt,
        CaseAction.EXTEND: row.extension_count >= EXTENSIONS_MOST or (row.due_at is not None and row.due_at < now),
    }
    allowed = CASE.allowed(CaseState(row.state))
    return [action for action in allowed if actor.role in MOVES[action].roles and not used_up.get(action)]


def _case_json(row: CaseRow, house: House, names: Names, now: datetime) -> dict[str, Any]:
    state = CaseState(row.state)
    return {
        "id": row.id,
        "number": row.number,
        "state": row.state,
        "state_name": STATE_NAMES[state],
        "channel": row.channel,
        "channel_name": CHANNEL_NAMES[Channel(row.channel)],
        "kind": row.kind,
        "kind_name": _name(row, house),
        "category": house.rules.with_english(row.category),
        "item_kind": row.item_kind,
        "condition": row.condition_id,
        "description": row.description,
        "camera": row.camera_id,
        "sensor": row.sensor_id,
        "source_name": row.source_name,
        "preset": row.preset,
        "zone": row.zone,
        "zone_points": row.zone_points,
        "address": row.address,
        "grid": names.grid(row.grid_id),
        "street": names.grid(row.street_id),
        "community": names.grid(row.community_id),
        "grid_code": row.grid_code,
        "lon": row.lon,
        "lat": row.lat,
        "boxes": row.alert.boxes if row.alert else [],
        "department": names.department(row.department_id),
        "authority": names.department(row.authority_id),
        "routing": row.routing,
        "grid_step": _grid_step(row),
        "limit": row.limit,
        "closing": row.closing,
        "opened_at": time_text(row.opened_at),
        "filed_at": time_text(row.filed_at),
        "closed_at": time_text(row.closed_at),
        **_flags(row),
        "alert": row.alert_id,
    }


def _grid_step(row: CaseRow) -> dict[str, Any] | None:
    """{level, level_name, due_at} of the level of the grid that has the case first, while the grid has it."""
    if row.grid_step is None or not in_the_grid(row):
        return None
    return {
        "level": row.grid_step,
        "level_name": LEVEL_NAMES[LEVELS[row.grid_step]],
        "due_at": time_text(row.grid_due_at),
    }


def _flags(row: CaseRow) -> dict[str, Any]:
    return {
        "urgent": row.urgent,
        "supervised": row.supervised,
        "joint": row.joint,
        "whistle": row.whistle,
        "recurrence": row.recurrence,
        "report_count": row.report_count,
        "forced_close": row.forced_close,
        "timed_out": row.timed_out,
        "timeout_exempt": row.timeout_exempt,
        "rework_count": row.rework_count,
        "extension_count": row.extension_count,
        "suspended_until": time_text(row.suspended_until),
        "held_at": time_text(row.held_at),
        "bundle": row.bundle_id,
    }


def _name(row: CaseRow, house: House) -> dict[str, str]:
    """What the problem is called: by its kind, or by its class where no kind of ours finds it."""
    if row.kind in house.rules.kinds and house.rules.kinds[row.kind].code == row.category_code:
        return house.rules.name_of(row.kind)
    names = house.rules.class_names(row.category)
    return names if names["zh"] else {"zh": row.kind, "en": row.kind}


def _clocks_json(clocks: Sequence[ClockRow], house: House, now: datetime) -> dict[str, Any]:
    """The handle clock as the list shows it, and the clock that runs now, whichever that is."""
    handle = next((c for c in reversed(clocks) if c.stage == Stage.HANDLE), None)
    running = next((c for c in reversed(clocks) if c.running_since is not None), None)
    shown: dict[str, Any] = {
        "deadline": None,
        "remaining_s": None,
        "used_pct": 0.0,
        "overdue": False,
        "clock_running": False,
        "clock": clock_json(running, house, None, now) if running else None,
    }
    if handle is not None:
        clock, calendar = clock_of(handle), house.rules.calendar
        shown["deadline"], shown["remaining_s"] = time_text(handle.deadline), round(clock.remaining_s(now))
        shown["used_pct"], shown["overdue"] = clock.used_pct(now, calendar), clock.overdue(now)
        shown["clock_running"] = handle.running_since is not None
    return shown


def clock_json(row: ClockRow, house: House, names: Names | None, now: datetime) -> dict[str, Any]:
    """One run of a stage clock."""
    clock, calendar = clock_of(row), house.rules.calendar
    return {
        "id": row.id,
        "stage": row.stage,
        "stage_name": STAGE_NAMES[Stage(row.stage)],
        **({"department": names.department(row.department_id)} if names else {}),
        "part": row.part_id,
        "limit": row.limit,
        "limit_s": row.limit_s,
        "extensions": row.extensions,
        "started_at": time_text(row.started_at),
        "deadline": time_text(row.deadline),
        "running": row.running_since is not None,
        "paused_s": round(row.paused_s),
        "used_s": round(clock.used_at(now, calendar)),
        "used_pct": clock.used_pct(now, calendar),
        "remaining_s": round(clock.remaining_s(now)),
        "remaining_work_s": round(clock.remaining_work_s(now, calendar)),
        "overdue": clock.overdue(now),
        "finished_at": time_text(row.finished_at),
        "outcome": row.outcome,
        "timed_out": row.timed_out,
        "timeout_s": None if row.timeout_s is None else round(row.timeout_s),
        "exempt": row.exempt,
        "rule_version": row.rule_version,
        "calendar_version": row.calendar_version,
    }


def action_json(action: CaseAction) -> dict[str, Any]:
    """An action as a button needs it."""
    move = MOVES[action]
    return {"action": action.value, "name": {"zh": move.zh, "en": move.en}, "needs": list(move.needs)}


def _move_json(move: MoveRow, names: Names) -> dict[str, Any]:
    return {
        "at": time_text(move.at),
        "by": move.by,
        "by_name": move.by_name,
        "action": move.action,
        "name": _line_name(move),
        "from": move.from_state,
        "to": move.to_state,
        "department": names.department(move.department_id),
        "note": move.note,
        "note_en": wording.in_english(move.action, move.note, move.detail),
        "evidence": [{"sha256": s, "url": evidence_url(s)} for s in move.evidence],
        "detail": move.detail,
    }


def _line_name(line: MoveRow) -> dict[str, str]:
    """The same of a line as it stands: of a request also what was asked for."""
    name, kind = move_name(line.action), (line.detail or {}).get("kind")
    if line.action not in HISTORY_NAMES or kind not in list(CaseAction):
        return name
    asked = MOVES[CaseAction(kind)]
    return {"zh": f"{name['zh']}：{asked.zh}", "en": f"{name['en']}: {asked.en}"}


def move_name(action: str) -> dict[str, str]:
    """What a line of the history is called."""
    if action in HISTORY_NAMES:
        return HISTORY_NAMES[action]
    move = MOVES[CaseAction(action)]
    return {"zh": move.zh, "en": move.en}


def recheck_json(row: RecheckRow) -> dict[str, Any]:
    """A re-check with its looks."""
    return {
        "id": row.id,
        "case": row.case_id,
        "state": row.state,
        "wanted": row.wanted,
        "not_before": time_text(row.not_before),
        "proposal": row.proposal,
        "looks": [
            {
                "captured_at": time_text(look.captured_at),
                "present": look.present,
                "score": look.score,
                "boxes": look.boxes,
                "why": look.why,
                "said": look.said,
                "reading": look.reading,
                "url": evidence_url(look.sha256) if look.sha256 else None,
            }
            for look in row.looks
        ],
    }
