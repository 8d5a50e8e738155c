"""Supervisions, letters and their templates: what is asked of the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, func, select, tuple_, update
from sqlalchemy.orm import Session

from ..domain.supervision import Level
from .case_rows import CaseRow, ClockRow, TimerRow
from .supervision_rows import LetterRow, SupervisionRow, TemplateRow


def highest(tx: Session, clock_id: int) -> int | None:
    """The highest level that the clock has reached."""
    keys = [f"clock/{clock_id}/{level.value}" for level in Level]  # not LIKE: no index of either database serves it
    return tx.scalar(select(func.max(SupervisionRow.level)).where(SupervisionRow.key.in_(keys)))


def known(tx: Session, key: str) -> bool:
    """Whether the rung was reached before."""
    return tx.scalar(select(SupervisionRow.id).where(SupervisionRow.key == key)) is not None


def end_of_clock(tx: Session, clock_id: int, now: datetime) -> None:
    """The department has answered: what its clock raised is over."""
    _end(tx, SupervisionRow.clock_id == clock_id, now)


def end_of_case(tx: Session, case_id: str, now: datetime) -> None:
    """The case has ended: so has what was raised after its department had answered."""
    _end(tx, SupervisionRow.case_id == case_id, now)


def _end(tx: Session, which: ColumnElement[bool], now: datetime) -> None:
    open_ones = update(SupervisionRow).where(which, SupervisionRow.ended_at.is_(None))
    tx.execute(open_ones.values(ended_at=now).execution_options(synchronize_session=False))


def of_case(tx: Session, case_id: str) -> list[SupervisionRow]:
    """All of a case, oldest first."""
    query = select(SupervisionRow).where(SupervisionRow.case_id == case_id)
    return list(tx.scalars(query.order_by(SupervisionRow.raised_at, SupervisionRow.level)))


def page(
    tx: Session,
    *,
    level: int | None,
    department: str | None,
    is_open: bool | None,
    letter: str | None = None,
    after: Sequence[Any] | None,
    limit: int,
) -> tuple[list[tuple[SupervisionRow, CaseRow]], list[Any] | None, int]:
    """(with their cases, newest first; key of the next page; how many in all)"""
    wanted: list[Any] = []
    if level is not None:
        wanted.append(SupervisionRow.level == level)
    if department is not None:
        wanted.append(SupervisionRow.department_id == department)
    if is_open is not None:
        wanted.append(SupervisionRow.ended_at.is_(None) if is_open else SupervisionRow.ended_at.is_not(None))
    if letter is not None:
        wanted.append((SupervisionRow.letter_id == letter) | (SupervisionRow.batch_id == letter))
    total = tx.scalar(select(func.count()).select_from(SupervisionRow).where(*wanted)) or 0
    query = select(SupervisionRow, CaseRow).join(CaseRow, CaseRow.id == SupervisionRow.case_id).where(*wanted)
    # After an outage one sweep raises several levels of a case at the same moment.
    order = (SupervisionRow.raised_at, SupervisionRow.level, SupervisionRow.id)
    key = tuple_(*order)
    if after is not None:
        query = query.where(key < tuple_(datetime.fromisoformat(after[0]), *after[1:]))
    query = query.order_by(*(column.desc() for column in order)).limit(limit + 1)
    rows = [(row, case) for row, case in tx.execute(query)]
    more, rows = len(rows) > limit, rows[:limit]
    last = rows[-1][0] if rows else None
    return rows, ([last.raised_at.isoformat(), last.level, last.id] if more and last is not None else None), total


def unbatched(tx: Session, most: int = 2000) -> list[tuple[SupervisionRow, CaseRow]]:
    """Supervisions of level 1 and above of open cases that no 问题清单 has taken in, oldest first."""
    query = (
        select(SupervisionRow, CaseRow)
        .join(CaseRow, CaseRow.id == SupervisionRow.case_id)
        .where(SupervisionRow.level >= 1, SupervisionRow.ended_at.is_(None), SupervisionRow.batch_id.is_(None))
        .where(CaseRow.open.is_(True))
        .order_by(SupervisionRow.raised_at, SupervisionRow.level)
        .limit(most)
    )
    return [(row, case) for row, case in tx.execute(query)]


def coming(tx: Session, kind: str, until: datetime, most: int) -> list[tuple[TimerRow, ClockRow, CaseRow]]:
    """The ladder's timers that fire by `until`, soonest first, with clock and case; `subject` is clock/ID."""
    query = (
        select(TimerRow, CaseRow)
        .join(CaseRow, CaseRow.id == TimerRow.case_id)
        .where(TimerRow.kind == kind, TimerRow.due_at <= until)
        .order_by(TimerRow.due_at, TimerRow.id)
        .limit(most)
    )
    rows = [(timer, case) for timer, case in tx.execute(query)]
    ids = {int(timer.subject.partition("/")[2]) for timer, _case in rows}
    clocks = {clock.id: clock for clock in tx.scalars(select(ClockRow).where(ClockRow.id.in_(ids)))} if ids else {}
    found = ((t, clocks.get(int(t.subject.partition("/")[2])), c) for t, c in rows)
    return [(timer, clock, case) for timer, clock, case in found if clock is not None]


# --- letters ----------------------------------------------------------------------------------------------------------


def letter(tx: Session, letter_id: str, *, lock: bool = False) -> LetterRow | None:
    """The letter; `lock` holds it until the transaction ends."""
    query = select(LetterRow).where(LetterRow.id == letter_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return tx.scalars(query).first()


def letters(
    tx: Session,
    *,
    kind: str | None,
    state: str | None,
    department: str | None,
    issued_only: bool,
    after: Sequence[Any] | None,
    limit: int,
) -> tuple[list[LetterRow], list[Any] | None, int]:
    """(newest first; key of the next page; how many in all)"""
    wanted: list[Any] = []
    if kind is not None:
        wanted.append(LetterRow.kind == kind)
    if state is not None:
        wanted.append(LetterRow.state == state)
    if department is not None:
        wanted.append(LetterRow.department_id == department)
    if issued_only:
        wanted.append(LetterRow.issued_at.is_not(None))
    total = tx.scalar(select(func.count()).select_from(LetterRow).where(*wanted)) or 0
    query = select(LetterRow).where(*wanted)
    if after is not None:
        query = query.where(
            tuple_(LetterRow.created_at, LetterRow.id) < tuple_(datetime.fromisoformat(after[0]), after[1])
        )
    rows = list(tx.scalars(query.order_by(LetterRow.created_at.desc(), LetterRow.id.desc()).limit(limit + 1)))
    more, rows = len(rows) > limit, rows[:limit]
    return rows, ([rows[-1].created_at.isoformat(), rows[-1].id] if more else None), total


def replied_with(tx: Session, sha256: str) -> list[LetterRow]:
    """Letters whose reply holds the picture."""
    holds = cast(LetterRow.reply_evidence, Text).contains(f'"{sha256}"', autoescape=True)
    return list(tx.scalars(select(LetterRow).where(LetterRow.reply_count > 0, holds)))


def letter_counts(tx: Session, now: datetime, department: str | None = None) -> dict[str, int]:
    """{draft, waiting (a reply is due), late (it is overdue), answered}; of a department those issued to it."""
    wanted = [] if department is None else [LetterRow.department_id == department, LetterRow.issued_at.is_not(None)]
    states = dict(tx.execute(select(LetterRow.state, func.count()).where(*wanted).group_by(LetterRow.state)).all())
    asked = select(func.count()).select_from(LetterRow)
    asked = asked.where(LetterRow.state == "issued", LetterRow.reply_required.is_(True), *wanted)
    late = tx.scalar(asked.where(LetterRow.reply_due_at < now)) or 0
    waiting = tx.scalar(asked) or 0
    return {"draft": states.get("draft", 0), "waiting": waiting, "late": late, "answered": states.get("answered", 0)}


def letters_of_case(tx: Session, case_id: str) -> list[LetterRow]:
    """The letters that name the case, oldest first."""
    ids = select(SupervisionRow.letter_id).where(SupervisionRow.case_id == case_id)
    batches = select(SupervisionRow.batch_id).where(SupervisionRow.case_id == case_id)
    query = select(LetterRow).where(LetterRow.id.in_(ids) | LetterRow.id.in_(batches))
    return list(tx.scalars(query.order_by(LetterRow.created_at)))


def template(tx: Session, kind: str) -> TemplateRow | None:
    """The current template of a kind."""
    return tx.scalars(select(TemplateRow).where(TemplateRow.kind == kind).order_by(TemplateRow.id.desc())).first()


def template_by_id(tx: Session, template_id: int) -> TemplateRow | None:
    """The template that a letter was made with."""
    return tx.get(TemplateRow, template_id)


def template_ids(tx: Session) -> dict[str, tuple[int, str, bool]]:
    """(id, sha256, shipped) of the current template by kind, without the contents."""
    newest = select(func.max(TemplateRow.id)).group_by(TemplateRow.kind)
    query = select(TemplateRow.kind, TemplateRow.id, TemplateRow.sha256, TemplateRow.shipped)
    return {
        kind: (id_, sha, shipped) for kind, id_, sha, shipped in tx.execute(query.where(TemplateRow.id.in_(newest)))
    }
