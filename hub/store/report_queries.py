"""Issued reports, deductions and the lists that reports print: what is asked of the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from .case_rows import CaseRow, MoveRow, RequestRow
from .supervision_rows import BulletinRow, DeductionRow, SupervisionRow


def bulletin(tx: Session, kind: str, period: str) -> BulletinRow | None:
    """The issued report of a period."""
    query = select(BulletinRow).where(BulletinRow.kind == kind, BulletinRow.period == period)
    return tx.scalars(query).first()


def bulletins(tx: Session, kind: str | None, limit: int = 200) -> list[BulletinRow]:
    """The issued ones, newest first."""
    query = select(BulletinRow)
    if kind is not None:
        query = query.where(BulletinRow.kind == kind)
    return list(tx.scalars(query.order_by(BulletinRow.issued_at.desc()).limit(limit)))


def third_supervisions(tx: Session, start: datetime, end: datetime) -> list[tuple[str, str, bool]]:
    """(department, case number, ordered by a leader) of each third supervision of the time."""
    query = (
        select(SupervisionRow.department_id, CaseRow.number, SupervisionRow.cause)
        .join(CaseRow, CaseRow.id == SupervisionRow.case_id)
        .where(SupervisionRow.level == 3, SupervisionRow.raised_at >= start, SupervisionRow.raised_at < end)
        .where(SupervisionRow.department_id.is_not(None), CaseRow.timeout_exempt.is_(False), CaseRow.state != "void")
        .order_by(CaseRow.number)
    )
    return [(unit or "", number, cause == "leader") for unit, number, cause in tx.execute(query)]


def reworks(tx: Session, start: datetime, end: datetime) -> list[tuple[str, str, int]]:
    """(department, case number, times) of the reworks of the time."""
    query = (
        select(MoveRow.department_id, CaseRow.number, func.count())
        .join(CaseRow, CaseRow.id == MoveRow.case_id)
        .where(MoveRow.action == "rework", MoveRow.at >= start, MoveRow.at < end, MoveRow.department_id.is_not(None))
        .where(CaseRow.state != "void")
        .group_by(MoveRow.department_id, CaseRow.number)
        .order_by(CaseRow.number)
    )
    return [(unit or "", number, times) for unit, number, times in tx.execute(query)]


def third_failed_checks(tx: Session, start: datetime, end: datetime) -> list[tuple[str, str]]:
    """(department, case number) where the third rework of the case fell into the time."""
    earlier = aliased(MoveRow)
    before = (
        select(func.count())
        .where(earlier.case_id == MoveRow.case_id, earlier.action == "rework", earlier.id <= MoveRow.id)
        .scalar_subquery()
    )
    query = (
        select(MoveRow.department_id, CaseRow.number)
        .join(CaseRow, CaseRow.id == MoveRow.case_id)
        .where(MoveRow.action == "rework", MoveRow.at >= start, MoveRow.at < end, MoveRow.department_id.is_not(None))
        .where(CaseRow.rework_count >= 3, CaseRow.state != "void", before == 3)
    )
    return [(unit or "", number) for unit, number in tx.execute(query)]


def deductions(tx: Session, first: date, last: date) -> list[DeductionRow]:
    """Points off by hand, struck ones too, by day."""
    query = select(DeductionRow).where(DeductionRow.day >= first, DeductionRow.day <= last)
    return list(tx.scalars(query.order_by(DeductionRow.day, DeductionRow.at, DeductionRow.id)))


def deduction(tx: Session, deduction_id: str) -> DeductionRow | None:
    """One of them."""
    return tx.get(DeductionRow, deduction_id)


def overdue_at(tx: Session, moment: datetime, most: int) -> list[CaseRow]:
    """Cases whose handle deadline had passed at `moment` and that were not closed then.

    The longest overdue first, those of the same deadline by their numbers.
    """
    # Two small sets by their own indexes; by deadline alone it would walk through a year of closed cases.
    still = select(CaseRow.id).where(CaseRow.open.is_(True))
    later = select(CaseRow.id).where(CaseRow.closed_at >= moment)
    open_then = still.union(later).subquery()
    query = (
        select(CaseRow)
        .join(open_then, open_then.c.id == CaseRow.id)
        .where(CaseRow.deadline < moment, CaseRow.state != "void")
        .order_by(CaseRow.deadline, CaseRow.number)
        .limit(most)
    )
    return list(tx.scalars(query))


def supervised(tx: Session, start: datetime, end: datetime, most: int) -> list[tuple[SupervisionRow, CaseRow]]:
    """Supervisions of level 2 and above of the time, the highest first."""
    query = (
        select(SupervisionRow, CaseRow)
        .join(CaseRow, CaseRow.id == SupervisionRow.case_id)
        .where(SupervisionRow.level >= 2, SupervisionRow.raised_at >= start, SupervisionRow.raised_at < end)
        .order_by(SupervisionRow.level.desc(), SupervisionRow.raised_at, CaseRow.number)
        .limit(most)
    )
    return [(row, case) for row, case in tx.execute(query)]


def recurrences(tx: Session, start: datetime, end: datetime, most: int) -> list[tuple[str, str, str, int]]:
    """(address, class code, class name, how often) of the places where problems came back in the time."""
    times = func.count()
    query: Any = (
        select(CaseRow.address, CaseRow.category_code, times)
        .where(CaseRow.recurrence.is_(True), CaseRow.filed_at >= start, CaseRow.filed_at < end, CaseRow.state != "void")
        .group_by(CaseRow.address, CaseRow.category_code)
        .order_by(times.desc(), CaseRow.address, CaseRow.category_code)
        .limit(most)
    )
    return [(address, code, "", count) for address, code, count in tx.execute(query)]


def appeals(tx: Session, start: datetime, end: datetime) -> dict[str, tuple[int, int]]:
    """By department: (appeals made in the time, those granted)."""
    query = (
        select(RequestRow.department_id, RequestRow.state, func.count())
        .where(RequestRow.kind == "appeal", RequestRow.asked_at >= start, RequestRow.asked_at < end)
        .group_by(RequestRow.department_id, RequestRow.state)
    )
    found: dict[str, tuple[int, int]] = {}
    for unit, state, count in tx.execute(query):
        made, granted = found.get(unit or "", (0, 0))
        found[unit or ""] = (made + count, granted + (count if state == "granted" else 0))
    return found


def case_numbers(tx: Session, numbers: Sequence[str]) -> set[str]:
    """Which of the case numbers are known."""
    return set(tx.scalars(select(CaseRow.number).where(CaseRow.number.in_(numbers))))
