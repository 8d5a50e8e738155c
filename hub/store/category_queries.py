"""Filing conditions and checked classes: what is asked of the database."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from ..domain.category import Key
from .category_rows import CheckedClassRow, ConditionRow


def condition(tx: Session, condition_id: str) -> ConditionRow | None:
    """The condition, retired or not."""
    return tx.get(ConditionRow, condition_id)


def any_condition(tx: Session) -> bool:
    """Whether the hub holds any, even a retired one."""
    return tx.scalar(select(ConditionRow.id).limit(1)) is not None


def conditions(tx: Session, area: str | None = None, *, retired: bool = False) -> list[ConditionRow]:
    """In the order of the table; of one class of area, or all. `retired`: those that are no longer in force, too."""
    query = select(ConditionRow).order_by(ConditionRow.position, ConditionRow.id)
    if area is not None:
        query = query.where(ConditionRow.area == area)
    return list(tx.scalars(query if retired else query.where(ConditionRow.retired_at.is_(None))))


def conditions_of(tx: Session, keys: Iterable[Key]) -> list[ConditionRow]:
    """Those in force of the classes (standard, kind, code), in the order of the table."""
    classes = [
        (ConditionRow.standard == standard) & (ConditionRow.kind == kind) & (ConditionRow.code == code)
        for standard, kind, code in keys
    ]
    if not classes:
        return []
    query = select(ConditionRow).where(or_(*classes), ConditionRow.retired_at.is_(None))
    return list(tx.scalars(query.order_by(ConditionRow.position, ConditionRow.id)))


def english_of_closings(tx: Session) -> dict[str, str]:
    """Closing conditions to their English, of the rows in force that have English of their own."""
    query = select(ConditionRow.closing, ConditionRow.closing_en).order_by(ConditionRow.position, ConditionRow.id)
    rows = tx.execute(query.where(ConditionRow.closing_en != "", ConditionRow.retired_at.is_(None)))
    return {row.closing: row.closing_en for row in rows}


def conditions_unverified(tx: Session) -> int:
    """How many in force nobody has ticked."""
    query = select(func.count()).select_from(ConditionRow)
    return tx.scalar(query.where(ConditionRow.retired_at.is_(None), ConditionRow.verified_at.is_(None))) or 0


def checked_classes(tx: Session) -> dict[Key, CheckedClassRow]:
    """By (standard, kind, code)."""
    return {(row.standard, row.kind, row.code): row for row in tx.scalars(select(CheckedClassRow))}  # type: ignore[misc]


def checked_class(tx: Session, key: Key) -> CheckedClassRow | None:
    """The tick of one class."""
    return tx.get(CheckedClassRow, key)
