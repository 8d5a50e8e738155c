"""Notes at the end of a shift: what is asked of the database."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from .rows import HandoverRow


def handover(tx: Session, handover_id: str) -> HandoverRow | None:
    """The note, locked."""
    query = select(HandoverRow).where(HandoverRow.id == handover_id)
    return tx.scalars(query.with_for_update().execution_options(populate_existing=True)).first()


def newest(tx: Session, since: datetime, by: str | None = None) -> HandoverRow | None:
    """The last one left since then (by that person)."""
    query = select(HandoverRow).where(HandoverRow.at >= since)
    query = query if by is None else query.where(HandoverRow.by == by)
    return tx.scalars(query.order_by(HandoverRow.at.desc()).limit(1)).first()
