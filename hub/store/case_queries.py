"""Cases, their moves and re-checks: what is asked of the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from .counting import insert_if_new
from .rows import CaseRow, LookRow, MoveRow, RecheckRow


def case(tx: Session, case_id: str, *, lock: bool = False) -> CaseRow | None:
    """The case by its id or number; `lock` holds it until the transaction ends."""
    query = select(CaseRow).where((CaseRow.id == case_id) | (CaseRow.number == case_id))
    if lock:
        query = query.with_for_update(of=CaseRow).execution_options(populate_existing=True)
    return tx.scalars(query).first()


def page(
    tx: Session,
    *,
    state: str | None,
    department: str | None,
    is_open: bool | None,
    after: Sequence[Any] | None,
    limit: int,
) -> tuple[list[CaseRow], list[Any] | None, int]:
    """Open cases by deadline, nearest first; otherwise newest first. (rows, key of the next page, how many in all)."""
    wanted: list[Any] = []
    if state is not None:
        wanted.append(CaseRow.state == state)
    if department is not None:
        wanted.append(CaseRow.department_id == department)
    if is_open is not None:
        wanted.append(CaseRow.open.is_(is_open))
    total = tx.scalar(select(func.count()).select_from(CaseRow).where(*wanted)) or 0
    by_deadline = is_open is True or state not in (None, "closed", "void")
    column = CaseRow.order_at if by_deadline else CaseRow.opened_at
    key = tuple_(column, CaseRow.id)
    query = select(CaseRow).where(*wanted)
    query = query.order_by(column, CaseRow.id) if by_deadline else query.order_by(column.desc(), CaseRow.id.desc())
    if after is not None:
        last = tuple_(datetime.fromisoformat(after[0]), after[1])
        query = query.where(key > last if by_deadline else key < last)
    rows = list(tx.scalars(query.limit(limit + 1)))
    more = len(rows) > limit
    rows = rows[:limit]
    if not more:
        return rows, None, total
    value: datetime = rows[-1].order_at if by_deadline else rows[-1].opened_at
    return rows, [value.isoformat(), rows[-1].id], total


def moves(tx: Session, case_id: str) -> list[MoveRow]:
    """The case's history, oldest first."""
    return list(tx.scalars(select(MoveRow).where(MoveRow.case_id == case_id).order_by(MoveRow.id)))


def newest_rechecks(tx: Session, case_ids: Iterable[str]) -> dict[str, RecheckRow]:
    """The newest re-check of each case that has one."""
    query = (
        select(RecheckRow).where(RecheckRow.case_id.in_(set(case_ids))).order_by(RecheckRow.created_at, RecheckRow.id)
    )
    return {row.case_id: row for row in tx.scalars(query)}


def recheck(tx: Session, recheck_id: str, *, lock: bool = False) -> RecheckRow | None:
    """The re-check; `lock` holds it until the transaction ends."""
    query = select(RecheckRow).where(RecheckRow.id == recheck_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return tx.scalars(query).first()


def rechecks_to_do(tx: Session) -> list[tuple[RecheckRow, CaseRow]]:
    """Re-checks that still want looks, with their cases, oldest first."""
    query = (
        select(RecheckRow, CaseRow)
        .join(CaseRow, CaseRow.id == RecheckRow.case_id)
        .where(RecheckRow.state.in_(("waiting", "looking")))
        .order_by(RecheckRow.created_at, RecheckRow.id)
    )
    return [(row, case_row) for row, case_row in tx.execute(query)]


def add_look(tx: Session, values: dict[str, Any]) -> bool:
    """Note a look; False when one of the same instant is there."""
    return insert_if_new(tx, LookRow, values, "recheck_id", "captured_at")


def looks(tx: Session, recheck_id: str) -> list[LookRow]:
    """In order of time."""
    return list(tx.scalars(select(LookRow).where(LookRow.recheck_id == recheck_id).order_by(LookRow.captured_at)))


def counts_by_state(tx: Session) -> dict[str, int]:
    """All cases, by state."""
    return dict(tx.execute(select(CaseRow.state, func.count()).group_by(CaseRow.state)).all())
