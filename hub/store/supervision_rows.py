"""The tables of supervision, letters, whistles and reports."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .columns import json_type
from .rows import BIG, Row


class TemplateRow(Row):
    """A DOCX template; the newest of a kind is the current one, older ones stay for the letters made with them."""

    __tablename__ = "letter_templates"
    __table_args__ = (Index("ix_letter_templates_kind_id", "kind", "id"),)
    id: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(16))
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    shipped: Mapped[bool] = mapped_column(default=False)
    by: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]


class LetterRow(Row):
    """A letter. `number` is given when it is issued; `fields` and `template_id` make its text, the same for ever."""

    __tablename__ = "letters"
    __table_args__ = (
        UniqueConstraint("kind", "year", "sequence"),
        Index("ix_letters_state_created_at", "state", "created_at"),
        Index("ix_letters_department_id_created_at", "department_id", "created_at"),
        Index("ix_letters_reply_due_at", "reply_due_at"),
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    number: Mapped[str | None] = mapped_column(String(64), unique=True)
    year: Mapped[int | None]
    sequence: Mapped[int | None]
    template_id: Mapped[int] = mapped_column(ForeignKey("letter_templates.id"))
    title: Mapped[str]
    department_id: Mapped[str | None] = mapped_column(ForeignKey("departments.id"))
    to_name: Mapped[str]
    fields: Mapped[dict[str, Any]]
    lines: Mapped[list[Any]]
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(64))
    created_by_name: Mapped[str]
    issued_at: Mapped[datetime | None]
    signed_by: Mapped[str | None] = mapped_column(String(64))
    signed_by_name: Mapped[str | None]
    reply_required: Mapped[bool] = mapped_column(default=False)
    reply_limit: Mapped[str] = mapped_column(String(32), default="")
    reply_due_at: Mapped[datetime | None]
    replied_at: Mapped[datetime | None]
    replied_by: Mapped[str | None] = mapped_column(String(64))
    replied_by_name: Mapped[str | None]
    reply: Mapped[str] = mapped_column(default="")
    reply_evidence: Mapped[list[Any]] = mapped_column(default=list)
    reply_count: Mapped[int] = mapped_column(default=0)
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decided_note: Mapped[str] = mapped_column(default="")


class LetterCaseRow(Row):
    """A case that a letter names in its table: whoever is limited to some grids sees letters by their cases."""

    __tablename__ = "letter_cases"
    letter_id: Mapped[str] = mapped_column(ForeignKey("letters.id", ondelete="CASCADE"), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True, index=True)


class PaperAreaRow(Row):
    """An area that a letter or whistle without a case is about: of its point, or of the limited person who made it.

    Of the note of a shift: the areas of the limited person who left it.
    """

    __tablename__ = "paper_areas"
    paper_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    grid_id: Mapped[str] = mapped_column(String(64), primary_key=True, index=True)


class SupervisionRow(Row):
    """A case that was supervised at a level; `key` is unique, so a clock reaches each rung once.

    `due_at` is when the ladder wanted it, `raised_at` when it was done; `ended_at` when the department answered, or the
    case ended.
    `batch_id` is the 问题清单 that took it in.
    """

    __tablename__ = "supervisions"
    __table_args__ = (
        Index("ix_supervisions_raised_at", "raised_at"),
        Index("ix_supervisions_case_id_level", "case_id", "level"),
        Index("ix_supervisions_department_id_raised_at", "department_id", "raised_at"),
        Index("ix_supervisions_ended_at_level_raised_at", "ended_at", "level", "raised_at"),
        Index("ix_supervisions_letter_id", "letter_id"),
        Index("ix_supervisions_batch_id", "batch_id"),
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"))
    clock_id: Mapped[int | None] = mapped_column(BIG)
    department_id: Mapped[str | None] = mapped_column(ForeignKey("departments.id"))
    level: Mapped[int]
    cause: Mapped[str] = mapped_column(String(16))
    demands: Mapped[str] = mapped_column(default="")
    due_at: Mapped[datetime]
    raised_at: Mapped[datetime]
    raised_by: Mapped[str] = mapped_column(String(64))
    raised_by_name: Mapped[str]
    letter_id: Mapped[str | None] = mapped_column(ForeignKey("letters.id"))
    batch_id: Mapped[str | None] = mapped_column(ForeignKey("letters.id"))
    ended_at: Mapped[datetime | None]


class WhistleRow(Row):
    """A call of a street or community for departments."""

    __tablename__ = "whistles"
    __table_args__ = (
        Index("ix_whistles_open_raised_at", "open", "raised_at"),
        Index("ix_whistles_raised_at", "raised_at"),
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    number: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    open: Mapped[bool] = mapped_column(default=True)
    case_id: Mapped[str | None] = mapped_column(ForeignKey("cases.id"), index=True)
    initiator_id: Mapped[str] = mapped_column(ForeignKey("departments.id"))
    subject: Mapped[str]
    place: Mapped[str]
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    raised_at: Mapped[datetime]
    raised_by: Mapped[str] = mapped_column(String(64))
    raised_by_name: Mapped[str]
    decided_at: Mapped[datetime | None]
    decided_by_name: Mapped[str | None]
    decided_note: Mapped[str] = mapped_column(default="")
    arrival_limit: Mapped[str] = mapped_column(String(32))
    result: Mapped[str] = mapped_column(default="")
    resolved: Mapped[bool | None]
    result_at: Mapped[datetime | None]
    result_by_name: Mapped[str | None]
    result_evidence: Mapped[list[Any]] = mapped_column(default=list)
    closed_at: Mapped[datetime | None]
    calls: Mapped[list[WhistleCallRow]] = relationship(
        order_by="WhistleCallRow.position", cascade="all, delete-orphan", lazy="selectin"
    )


class WhistleCallRow(Row):
    """A called department: its deadline, its arrival with person and picture, and what each thought of the other."""

    __tablename__ = "whistle_calls"
    __table_args__ = (Index("ix_whistle_calls_department_id_due_at", "department_id", "due_at"),)
    whistle_id: Mapped[str] = mapped_column(ForeignKey("whistles.id", ondelete="CASCADE"), primary_key=True)
    department_id: Mapped[str] = mapped_column(ForeignKey("departments.id"), primary_key=True)
    position: Mapped[int]
    task: Mapped[str] = mapped_column(default="")
    due_at: Mapped[datetime | None]
    arrived_at: Mapped[datetime | None]
    arrived_by: Mapped[str] = mapped_column(default="")
    arrived_note: Mapped[str] = mapped_column(default="")
    arrived_evidence: Mapped[list[Any]] = mapped_column(default=list)
    mark: Mapped[int | None]
    mark_note: Mapped[str] = mapped_column(default="")
    back_mark: Mapped[int | None]
    back_mark_note: Mapped[str] = mapped_column(default="")


class DeductionRow(Row):
    """Points off that a person entered; `rule` is a by-hand deduction of the scoring rule of its period."""

    __tablename__ = "deductions"
    __table_args__ = (Index("ix_deductions_day_department_id", "day", "department_id"),)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    department_id: Mapped[str] = mapped_column(ForeignKey("departments.id"))
    day: Mapped[date]
    rule: Mapped[str] = mapped_column(String(64))
    case_number: Mapped[str] = mapped_column(String(19), default="")
    doubled: Mapped[bool] = mapped_column(default=False)
    note: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(64))
    by_name: Mapped[str]
    struck_at: Mapped[datetime | None]
    struck_by_name: Mapped[str | None]
    struck_note: Mapped[str] = mapped_column(default="")


class BulletinRow(Row):
    """An issued report: its figures as they were then, under a number that is never given twice."""

    __tablename__ = "bulletins"
    __table_args__ = (
        UniqueConstraint("kind", "period"),
        UniqueConstraint("kind", "year", "sequence"),
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    period: Mapped[str] = mapped_column(String(8))
    year: Mapped[int]
    sequence: Mapped[int]
    rule_version: Mapped[str] = mapped_column(String(32))
    report: Mapped[dict[str, Any]] = mapped_column(json_type())
    issued_at: Mapped[datetime]
    issued_by: Mapped[str] = mapped_column(String(64))
    issued_by_name: Mapped[str]
