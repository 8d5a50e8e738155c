"""Notes at the end of a shift: what is asked of the database."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from . import scope
from .rows import HandoverRow
from .supervision_rows import PaperAreaRow


def handover(tx: Session, handover_id: str) -> HandoverRow | None:
    """The note, locked."""
    query = select(HandoverRow).where(HandoverRow.id == handover_id)
    return tx.scalars(query.with_for_update().execution_options(populate_existing=True)).first()


def leave(tx: Session, row: HandoverRow, grids: frozenset[str] | None) -> None:
    """Keep the note, left by one who is limited to these grids (None: to none, so that it is the whole district's)."""
    tx.add(row)
    tx.flush()
    if grids is not None:
        tx.add_all(PaperAreaRow(paper_id=row.id, grid_id=grid) for grid in scope.tops(tx, grids))
        tx.flush()


def areas(tx: Session, handover_id: str) -> list[str]:
    """Ids of the grids that whoever left it was limited to; none: the whole district."""
    query = select(PaperAreaRow.grid_id).where(PaperAreaRow.paper_id == handover_id)
    return list(tx.scalars(query.order_by(PaperAreaRow.grid_id)))


def newest_of_each_desk(tx: Session, since: datetime) -> list[HandoverRow]:
    """The last one of each desk since then, newest first; a desk is all who are limited to the same grids."""
    rows = list(tx.scalars(select(HandoverRow).where(HandoverRow.at >= since).order_by(HandoverRow.at.desc())))
    query = select(PaperAreaRow.paper_id, PaperAreaRow.grid_id).where(PaperAreaRow.paper_id.in_([r.id for r in rows]))
    desks: dict[str, set[str]] = {row.id: set() for row in rows}
    for paper_id, grid_id in tx.execute(query):
        desks[paper_id].add(grid_id)
    found: dict[frozenset[str], HandoverRow] = {}
    for row in rows:
        found.setdefault(frozenset(desks[row.id]), row)
    return list(found.values())


def newest(tx: Session, since: datetime, by: str | None = None) -> HandoverRow | None:
    """The last one left since then (by that person)."""
    query = select(HandoverRow).where(HandoverRow.at >= since)
    query = query if by is None else query.where(HandoverRow.by == by)
    return tx.scalars(query.order_by(HandoverRow.at.desc()).limit(1)).first()
