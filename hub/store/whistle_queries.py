"""Whistles: what is asked of the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Text, and_, cast, func, not_, or_, select, tuple_
from sqlalchemy.orm import Session

from .supervision_rows import WhistleCallRow, WhistleRow


def whistle(tx: Session, whistle_id: str, *, lock: bool = False) -> WhistleRow | None:
    """The whistle by its id or number; `lock` holds it until the transaction ends."""
    query = select(WhistleRow).where((WhistleRow.id == whistle_id) | (WhistleRow.number == whistle_id))
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return tx.scalars(query).first()


def page(
    tx: Session,
    *,
    is_open: bool | None,
    kind: str | None,
    unit: str | None,
    after: Sequence[Any] | None,
    limit: int,
) -> tuple[list[WhistleRow], list[Any] | None, int]:
    """(newest first; key of the next page; how many in all). A unit sees its own, and approved ones that call it."""
    wanted: list[Any] = []
    if is_open is not None:
        wanted.append(WhistleRow.open.is_(is_open))
    if kind is not None:
        wanted.append(WhistleRow.kind == kind)
    if unit is not None:
        # A call has its deadline from the approval on.
        calls = select(WhistleCallRow.whistle_id).where(
            WhistleCallRow.department_id == unit, WhistleCallRow.due_at.is_not(None)
        )
        wanted.append(or_(WhistleRow.initiator_id == unit, WhistleRow.id.in_(calls)))
    total = tx.scalar(select(func.count()).select_from(WhistleRow).where(*wanted)) or 0
    query = select(WhistleRow).where(*wanted)
    if after is not None:
        query = query.where(
            tuple_(WhistleRow.raised_at, WhistleRow.id) < tuple_(datetime.fromisoformat(after[0]), after[1])
        )
    rows = list(tx.scalars(query.order_by(WhistleRow.raised_at.desc(), WhistleRow.id.desc()).limit(limit + 1)))
    more, rows = len(rows) > limit, rows[:limit]
    return rows, ([rows[-1].raised_at.isoformat(), rows[-1].id] if more else None), total


def shown_with(tx: Session, sha256: str) -> list[WhistleRow]:
    """Whistles with the picture in their result, or in the arrival of a called unit."""
    quoted = f'"{sha256}"'
    came = select(WhistleCallRow.whistle_id).where(
        WhistleCallRow.arrived_at.is_not(None),
        cast(WhistleCallRow.arrived_evidence, Text).contains(quoted, autoescape=True),
    )
    result = cast(WhistleRow.result_evidence, Text).contains(quoted, autoescape=True)
    return list(tx.scalars(select(WhistleRow).where(WhistleRow.id.in_(came) | result)))


def calls_between(tx: Session, start: datetime, end: datetime) -> list[tuple[WhistleCallRow, bool | None]]:
    """Calls of whistles raised in the time and approved, with whether the whistle was solved.

    Whoever had still time to come when the whistle was withdrawn was not called in the end.
    """
    spared = and_(
        WhistleRow.state == "withdrawn",
        WhistleCallRow.arrived_at.is_(None),
        WhistleRow.closed_at <= WhistleCallRow.due_at,
    )
    query = (
        select(WhistleCallRow, WhistleRow.resolved)
        .join(WhistleRow, WhistleRow.id == WhistleCallRow.whistle_id)
        .where(WhistleRow.raised_at >= start, WhistleRow.raised_at < end, WhistleCallRow.due_at.is_not(None))
        .where(not_(spared))
    )
    return [(call, resolved) for call, resolved in tx.execute(query)]
