"""Timers: set, moved, dropped, found when due."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from .case_rows import CaseRow, ClockRow, TimerRow
from .rows import AlertRow


def put(tx: Session, kind: str, subject: str, due_at: datetime, case_id: str | None = None) -> None:
    """Let `kind` happen to `subject` at `due_at`; one that was set before is moved."""
    insert: Any = postgresql.insert if tx.get_bind().dialect.name == "postgresql" else sqlite.insert
    values = {"kind": kind, "subject": subject, "due_at": due_at, "case_id": case_id, "attempts": 0, "error": ""}
    statement = insert(TimerRow).values(**values)
    moved = {"due_at": due_at, "case_id": case_id, "attempts": 0, "error": ""}
    tx.execute(statement.on_conflict_do_update(index_elements=["kind", "subject"], set_=moved))
    tx.info["timer_set"] = min(tx.info.get("timer_set", due_at), due_at)


def drop(tx: Session, kind: str, subject: str) -> None:
    """Let it not happen."""
    tx.execute(delete(TimerRow).where(TimerRow.kind == kind, TimerRow.subject == subject))


def drop_of_case(tx: Session, case_id: str) -> None:
    """Let nothing happen to the case any more."""
    tx.execute(delete(TimerRow).where(TimerRow.case_id == case_id))


def due(tx: Session, now: datetime, most: int, without_cases: Collection[str] = ()) -> list[TimerRow]:
    """The timers that are due, oldest first; those of the named cases left out."""
    query = select(TimerRow).where(TimerRow.due_at <= now)
    if without_cases:
        query = query.where(TimerRow.case_id.is_(None) | TimerRow.case_id.not_in(without_cases))
    return list(tx.scalars(query.order_by(TimerRow.due_at, TimerRow.id).limit(most)))


def next_time(tx: Session) -> datetime | None:
    """When the next timer is due."""
    return tx.scalar(select(func.min(TimerRow.due_at)))


def forget(tx: Session, fired: Sequence[TimerRow]) -> None:
    """The timers have fired; one that its own firing has set again stays."""
    was = {timer.id: timer.due_at for timer in fired}
    query = select(TimerRow.id, TimerRow.due_at).where(TimerRow.id.in_(was))
    over = [timer_id for timer_id, due_at in tx.execute(query) if due_at == was[timer_id]]
    tx.execute(delete(TimerRow).where(TimerRow.id.in_(over)).execution_options(synchronize_session=False))


def put_off(tx: Session, timer_id: int, until: datetime, error: str) -> None:
    """Try again later, and remember what went wrong."""
    row = tx.get(TimerRow, timer_id)
    if row is not None:
        row.due_at, row.attempts, row.error = until, row.attempts + 1, error


def lock_cases(tx: Session, case_ids: Collection[str]) -> dict[str, CaseRow]:
    """Those of the cases that nobody else holds, locked with their alerts, and their open clocks loaded."""
    if not case_ids:
        return {}
    ids = sorted(case_ids)
    fresh = {"populate_existing": True}
    alerts = select(AlertRow).where(AlertRow.case_id.in_(ids)).order_by(AlertRow.id)
    got = {a.id for a in tx.scalars(alerts.with_for_update(skip_locked=True).execution_options(**fresh))}
    held = {case_id for alert_id, case_id in _alerts_of(tx, ids) if alert_id not in got}
    free = [case_id for case_id in ids if case_id not in held]
    query = select(CaseRow).where(CaseRow.id.in_(free)).order_by(CaseRow.id)
    query = query.with_for_update(skip_locked=True, of=CaseRow).execution_options(**fresh)
    found = {row.id: row for row in tx.scalars(query)}
    clocks = select(ClockRow).where(ClockRow.case_id.in_(found), ClockRow.finished_at.is_(None))
    # Kept with the transaction, so that `tx.get` of a clock finds it here.
    tx.info["clocks"] = list(tx.scalars(clocks.execution_options(**fresh)))
    return found


def _alerts_of(tx: Session, case_ids: Sequence[str]) -> list[tuple[str, str]]:
    query = select(AlertRow.id, AlertRow.case_id).where(AlertRow.case_id.in_(case_ids))
    return [(alert_id, case_id or "") for alert_id, case_id in tx.execute(query)]


def still_there(tx: Session, timers: Sequence[TimerRow]) -> list[TimerRow]:
    """Those that nobody fired, moved or dropped before their cases were locked; locked now, in order of time."""
    if not timers:
        return []
    due = {t.id: t.due_at for t in timers}
    query = select(TimerRow).where(TimerRow.id.in_(due)).order_by(TimerRow.due_at, TimerRow.id)
    query = query.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    return [t for t in tx.scalars(query) if t.due_at == due[t.id]]
