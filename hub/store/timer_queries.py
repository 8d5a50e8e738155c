"""Timers: set, moved, dropped, found when due."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from .case_rows import TimerRow


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
