"""The tables of the handling rules: filing conditions, and which classes somebody has checked against the standard."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from .rows import Row


class ConditionRow(Row):
    """A row of the handling table (`domain/condition.py`). One that was retired stays for cases that chose it."""

    __tablename__ = "conditions"
    __table_args__ = (Index("ix_conditions_code_kind", "code", "kind"), Index("ix_conditions_position", "position"))
    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    position: Mapped[int]
    standard: Mapped[str] = mapped_column(String(32))
    kind: Mapped[str] = mapped_column(String(16))
    code: Mapped[str] = mapped_column(String(16))
    area: Mapped[str] = mapped_column(String(16))
    group_name: Mapped[str]
    class_name: Mapped[str]
    unit: Mapped[str]
    authority: Mapped[str]
    filing: Mapped[str]
    closing: Mapped[str]
    limit: Mapped[str]
    filing_en: Mapped[str] = mapped_column(default="", server_default="")
    closing_en: Mapped[str] = mapped_column(default="", server_default="")
    changed_at: Mapped[datetime]
    verified_by: Mapped[str | None] = mapped_column(String(64))
    verified_at: Mapped[datetime | None]
    retired_at: Mapped[datetime | None]


class CheckedClassRow(Row):
    """A class of a code set that a person has compared with the standard itself, under the `name` it had then."""

    __tablename__ = "checked_classes"
    standard: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    code: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str]
    by: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
