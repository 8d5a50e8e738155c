"""Cases and re-checks as JSON: the shapes of the HTTP contract, made for many rows with few questions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from .casework.clocks import clock_of
from .domain.case import CASE, HISTORY_NAMES, MOVES, STATE_NAMES, CaseAction, CaseState
from .domain.channel import CHANNEL_NAMES, Channel
from .domain.stage_clock import STAGE_NAMES, Stage
from .house import Actor, House
from .store import Transaction, case_queries
from .store.case_rows import CaseRow, ClockRow, MoveRow, RecheckRow
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
    return [
        {
            **_case_json(row, house, names, now),
            **_clocks_json(clocks.get(row.id, ()), house, now),
            "actions": [] if actor is None else [action_json(a) for a in open_actions(row, actor)],
            "evidence": [evidence_json(a, f) for a, f in attached.get(row.id, ())],
            "recheck": recheck_json(rechecks[row.id]) if row.id in rechecks else None,
        }
        for row in rows
    ]


def case_json(
    tx: Transaction, house: House, row: CaseRow, actor: Actor | None, *, history: bool = True
) -> dict[str, Any]:
    """One case, with its history."""
    shown = cases_json(tx, house, [row], actor)[0]
    if history:
        names, now = Names.of(tx), house.now()
        shown["history"] = [_move_json(move, names) for move in case_queries.moves(tx, row.id)]
        shown["clocks"] = [clock_json(c, house, names, now) for c in case_queries.clocks(tx, row.id)]
    return shown


def case_brief(row: CaseRow) -> dict[str, Any]:
    """A case as lists of other things name it."""
    return {
        "id": row.id,
        "number": row.number,
        "state": row.state,
        "state_name": STATE_NAMES[CaseState(row.state)],
        "category": row.category,
        "address": row.address or row.source_name,
        "department": row.department_id or row.last_department_id,
        "urgent": row.urgent,
        "supervised": row.supervised,
        "opened_at": time_text(row.opened_at),
        "deadline": time_text(row.deadline),
        "closed_at": time_text(row.closed_at),
    }


def open_actions(row: CaseRow, actor: Actor) -> list[CaseAction]:
    """What `actor` can do with the case now."""
    return [action for action in CASE.allowed(CaseState(row.state)) if actor.role in MOVES[action].roles]


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
        "category": row.category,
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
        "limit": row.limit,
        "closing": row.closing,
        "opened_at": time_text(row.opened_at),
        "filed_at": time_text(row.filed_at),
        "closed_at": time_text(row.closed_at),
        **_flags(row),
        "alert": row.alert_id,
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
        "bundle": row.bundle_id,
    }


def _name(row: CaseRow, house: House) -> dict[str, str]:
    """What the problem is called: by its kind, or by its class where no kind of ours finds it."""
    if row.kind in house.rules.kinds and house.rules.kinds[row.kind].code == row.category_code:
        return house.rules.name_of(row.kind)
    name = str(row.category.get("name") or row.category.get("code") or row.kind)
    return {"zh": name, "en": name}


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
        "name": move_name(move.action),
        "from": move.from_state,
        "to": move.to_state,
        "department": names.department(move.department_id),
        "note": move.note,
        "evidence": [{"sha256": s, "url": evidence_url(s)} for s in move.evidence],
        "detail": move.detail,
    }


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
                "reading": look.reading,
                "url": evidence_url(look.sha256) if look.sha256 else None,
            }
            for look in row.looks
        ],
    }
