"""What answers about reports hold."""

from __future__ import annotations

from datetime import date, datetime

from .shown import Names, Shown


class Deduction(Shown):
    """Points off that a person entered; `struck`: taken back, by whom and why."""

    id: str
    department: str
    department_name: str
    department_name_en: str
    day: date
    rule: str
    name: Names
    points: float
    case: str
    doubled: bool
    note: str
    at: datetime
    by: str
    struck: bool
    struck_at: datetime | None
    struck_by: str | None
    struck_note: str


class DeductionChoice(Shown):
    """A deduction that is entered by hand, and what one costs."""

    rule: str
    name: Names
    points: float


class Deductions(Shown):
    """Those of a period, and what the rule in force at its beginning lets a person enter."""

    rules: list[DeductionChoice]
    version: str
    items: list[Deduction]
