"""The tables of cases: the case, its history and clocks, who else takes part, what was asked, and what is due when."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .columns import json_type
from .rows import BIG, AlertRow, Row


class CaseRow(Row):
    """A grid event, from its report to its end.

    It has its own place: an alert lends it one, a report brings one. `open_key` is the place of an alert's case while
    it is open; unique, as for alerts. `deadline` is that of the handle clock, `due_at` that of the clock that runs now
    (`stage`); the clocks themselves are ClockRows. `kind` is empty where no detector's kind fits the class.
    """

    __tablename__ = "cases"
    __table_args__ = (
        Index("ix_cases_open_order_at_id", "open", "order_at", "id"),
        Index("ix_cases_department_id_open_order_at_id", "department_id", "open", "order_at", "id"),
        Index("ix_cases_state_order_at_id", "state", "order_at", "id"),
        Index("ix_cases_opened_at_id", "opened_at", "id"),
        Index("ix_cases_state_opened_at_id", "state", "opened_at", "id"),
        Index("ix_cases_department_id_opened_at_id", "department_id", "opened_at", "id"),
        Index("ix_cases_closed_at_state", "closed_at", "state"),
        Index("ix_cases_kind_open", "kind", "open"),
        Index("ix_cases_category_code_open_lat", "category_code", "open", "lat"),
        Index("ix_cases_category_code_closed_at", "category_code", "closed_at"),
        Index("ix_cases_open_due_at", "open", "due_at"),
        # For reports: each counter of a period is a range over one of these.
        Index("ix_cases_filed_at", "filed_at"),
        Index("ix_cases_closed_at", "closed_at"),
        Index("ix_cases_deadline", "deadline"),
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    number: Mapped[str] = mapped_column(String(19), unique=True)
    open_key: Mapped[str | None] = mapped_column(unique=True)
    alert_id: Mapped[str | None] = mapped_column(ForeignKey("alerts.id"), index=True)
    channel: Mapped[str] = mapped_column(String(16), default="unattended")
    description: Mapped[str] = mapped_column(default="")
    reported_by: Mapped[str] = mapped_column(String(64), default="")
    state: Mapped[str] = mapped_column(String(16))
    open: Mapped[bool]
    order_at: Mapped[datetime]
    opened_at: Mapped[datetime]
    filed_at: Mapped[datetime | None]
    filed_by: Mapped[str | None] = mapped_column(String(64))
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None] = mapped_column(String(64))
    # What it is: a class of a code set, the filing condition chosen, and what that demands.
    kind: Mapped[str] = mapped_column(String(64))
    category: Mapped[dict[str, Any]]
    category_code: Mapped[str] = mapped_column(String(16), default="")
    item_kind: Mapped[str] = mapped_column(String(16), default="matter")
    condition_id: Mapped[str | None] = mapped_column(String(64))
    limit: Mapped[str] = mapped_column(String(32))
    closing: Mapped[str]
    rule_version: Mapped[str] = mapped_column(String(32))
    calendar_version: Mapped[str]
    # `grid_step` is the level of the grid that handles it first, until `grid_due_at`.
    # Where it is: `grid_id`, `community_id`, `street_id` are ids of grids, `grid_code` the unit grid's 15 characters.
    camera_id: Mapped[str | None] = mapped_column(String(64))
    sensor_id: Mapped[str | None] = mapped_column(String(64))
    source_name: Mapped[str] = mapped_column(default="")
    preset: Mapped[str | None]
    zone: Mapped[str | None]
    zone_points: Mapped[list[Any] | None] = mapped_column(json_type())
    address: Mapped[str] = mapped_column(default="")
    grid_id: Mapped[str | None] = mapped_column(String(64))
    community_id: Mapped[str | None] = mapped_column(String(64), index=True)
    street_id: Mapped[str | None] = mapped_column(String(64), index=True)
    grid_code: Mapped[str | None] = mapped_column(String(20))
    grid_step: Mapped[str | None] = mapped_column(String(16))
    grid_due_at: Mapped[datetime | None]
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    # Who: the unit that handles it (the lead, where several do), the one before, the competent one (主管部门).
    department_id: Mapped[str | None] = mapped_column(ForeignKey("departments.id"))
    last_department_id: Mapped[str | None] = mapped_column(String(64))
    authority_id: Mapped[str | None] = mapped_column(String(64))
    routing: Mapped[dict[str, Any] | None] = mapped_column(json_type())
    # Flags, orthogonal to the state (domain.md §4.2).
    urgent: Mapped[bool]
    supervised: Mapped[int] = mapped_column(default=0)
    joint: Mapped[bool] = mapped_column(default=False)
    whistle: Mapped[str | None] = mapped_column(String(16))
    recurrence: Mapped[bool] = mapped_column(default=False)
    report_count: Mapped[int] = mapped_column(default=1)
    forced_close: Mapped[bool] = mapped_column(default=False)
    timed_out: Mapped[bool] = mapped_column(default=False)
    timeout_exempt: Mapped[bool] = mapped_column(default=False)
    rework_count: Mapped[int] = mapped_column(default=0)
    extension_count: Mapped[int] = mapped_column(default=0)
    suspended_until: Mapped[datetime | None]
    # Since when its evidence is preserved (证据保全): nothing of it is purged.
    held_at: Mapped[datetime | None]
    bundle_id: Mapped[str | None] = mapped_column(String(64))
    # The clock that counts now, kept here for lists.
    stage: Mapped[str | None] = mapped_column(String(16))
    due_at: Mapped[datetime | None]
    deadline: Mapped[datetime | None]
    alert: Mapped[AlertRow | None] = relationship(lazy="joined")


class MoveRow(Row):
    """One line of a case's history."""

    __tablename__ = "moves"
    __table_args__ = (Index("ix_moves_case_id_id", "case_id", "id"), Index("ix_moves_action_at", "action", "at"))
    id: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"))
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(64))
    by_name: Mapped[str]
    action: Mapped[str] = mapped_column(String(16))
    from_state: Mapped[str | None] = mapped_column(String(16))
    to_state: Mapped[str] = mapped_column(String(16))
    department_id: Mapped[str | None] = mapped_column(String(64))
    note: Mapped[str]
    evidence: Mapped[list[Any]]
    detail: Mapped[dict[str, Any] | None] = mapped_column(json_type())


class ClockRow(Row):
    """One run of a stage clock: accept, verify, dispatch, handle or check (domain.md §4.3).

    A handle clock is one stay at one department: a return pauses it, the same department resumes it, another one gets
    its own; a rework begins a new run with what was left (`carried_s` used before). Assistants of a joint case have
    handle clocks of their own (`part_id`). Once `finished_at` stands, the verdict (`timed_out`, `timeout_s`) is never
    computed again; `exempt` says that an appeal was granted. `outcome`: how the run ended (answered, returned,
    transferred, filed, dispatched, closed, voided, …).
    """

    __tablename__ = "case_clocks"
    __table_args__ = (
        Index("ix_case_clocks_case_id_id", "case_id", "id"),
        Index("ix_case_clocks_department_id_stage_deadline", "department_id", "stage", "deadline"),
        Index("ix_case_clocks_stage_deadline", "stage", "deadline"),
        Index("ix_case_clocks_stage_finished_at", "stage", "finished_at"),
        Index("ix_case_clocks_stage_started_at", "stage", "started_at"),
    )
    id: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"))
    part_id: Mapped[str | None] = mapped_column(String(32))
    stage: Mapped[str] = mapped_column(String(16))
    department_id: Mapped[str | None] = mapped_column(String(64))
    limit: Mapped[str] = mapped_column(String(32))
    limit_s: Mapped[float]
    extensions: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime]
    running_since: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    paused_s: Mapped[float] = mapped_column(default=0.0)
    carried_s: Mapped[float] = mapped_column(default=0.0)
    used_s: Mapped[float] = mapped_column(default=0.0)
    deadline: Mapped[datetime]
    overdue_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(16))
    timed_out: Mapped[bool | None]
    timeout_s: Mapped[float | None]
    exempt: Mapped[bool] = mapped_column(default=False)
    rule_version: Mapped[str] = mapped_column(String(32))
    calendar_version: Mapped[str]


class ReportRow(Row):
    """One report of a problem: the one that began its case, or a later one of the same (`attached`).

    The number at the source (a 12345 order) and the sender's own request id are unique: told twice is one report.
    """

    __tablename__ = "case_reports"
    __table_args__ = (
        UniqueConstraint("channel", "external_id"),
        Index("ix_case_reports_case_id_at", "case_id", "at"),
        Index("ix_case_reports_channel_at", "channel", "at"),
        Index("ix_case_reports_by_case_id", "by", "case_id"),
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"))
    channel: Mapped[str] = mapped_column(String(16))
    external_id: Mapped[str | None] = mapped_column(String(64))
    request_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    alert_id: Mapped[str | None] = mapped_column(ForeignKey("alerts.id"), index=True)
    attached: Mapped[bool] = mapped_column(default=False)
    description: Mapped[str] = mapped_column(default="")
    reporter: Mapped[dict[str, Any] | None] = mapped_column(json_type())
    address: Mapped[str] = mapped_column(default="")
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    by: Mapped[str] = mapped_column(String(64))
    by_name: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]


class LinkRow(Row):
    """`case_id` is a duplicate_of, recurrence_of or reopened_from `other_id`."""

    __tablename__ = "case_links"
    __table_args__ = (UniqueConstraint("case_id", "other_id", "relation"), Index("ix_case_links_other_id", "other_id"))
    id: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"))
    other_id: Mapped[str] = mapped_column(ForeignKey("cases.id"))
    relation: Mapped[str] = mapped_column(String(16))
    by: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]


class PartRow(Row):
    """An assistant of a joint case (会办): what it has to do, and its own answer."""

    __tablename__ = "case_parts"
    __table_args__ = (UniqueConstraint("case_id", "department_id"),)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"))
    department_id: Mapped[str] = mapped_column(ForeignKey("departments.id"), index=True)
    task: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(String(16))
    open: Mapped[bool] = mapped_column(default=True)
    added_by: Mapped[str] = mapped_column(String(64))
    added_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[str | None] = mapped_column(String(64))
    answer: Mapped[str] = mapped_column(default="")
    evidence: Mapped[list[Any]] = mapped_column(default=list)
    deadline: Mapped[datetime | None]


class RequestRow(Row):
    """Something that needs consent: a suspension, an extension, a transfer, an appeal.

    `open_key` is the case while the request is pending; unique: a case has one pending request at most.
    """

    __tablename__ = "case_requests"
    __table_args__ = (
        Index("ix_case_requests_case_id_asked_at", "case_id", "asked_at"),
        Index("ix_case_requests_state_asked_at", "state", "asked_at"),
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"))
    open_key: Mapped[str | None] = mapped_column(String(32), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    department_id: Mapped[str | None] = mapped_column(String(64))
    to_department_id: Mapped[str | None] = mapped_column(String(64))
    until: Mapped[datetime | None]
    reason: Mapped[str]
    evidence: Mapped[list[Any]] = mapped_column(default=list)
    asked_by: Mapped[str] = mapped_column(String(64))
    asked_by_name: Mapped[str]
    asked_at: Mapped[datetime]
    first_by: Mapped[str | None] = mapped_column(String(64))
    first_by_name: Mapped[str | None]
    first_at: Mapped[datetime | None]
    first_note: Mapped[str] = mapped_column(default="")
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decided_by_name: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decided_note: Mapped[str] = mapped_column(default="")


class VisitRow(Row):
    """Somebody goes and looks: 核实 before filing (`verify`), 核查 after handling (`check`)."""

    __tablename__ = "case_visits"
    __table_args__ = (
        Index("ix_case_visits_case_id_asked_at", "case_id", "asked_at"),
        Index("ix_case_visits_assignee_state", "assignee", "state"),
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"))
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    assignee: Mapped[str | None] = mapped_column(String(64))
    camera_id: Mapped[str | None] = mapped_column(String(64))
    asked_by: Mapped[str] = mapped_column(String(64))
    asked_at: Mapped[datetime]
    result: Mapped[str | None] = mapped_column(String(16))
    note: Mapped[str] = mapped_column(default="")
    by: Mapped[str | None] = mapped_column(String(64))
    at: Mapped[datetime | None]
    evidence: Mapped[list[Any]] = mapped_column(default=list)


class OrderRow(Row):
    """A move that was ordered with an id of the sender's: sent again after a lost answer, it is not done twice."""

    __tablename__ = "case_orders"
    request_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"))
    action: Mapped[str] = mapped_column(String(32))
    by: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(index=True)


class TimerRow(Row):
    """Something that happens at `due_at` whether anybody looks or not; gone once it has fired.

    `kind` names what, `subject` whom (a clock, a case, a letter); the two are unique, so setting it again moves it.
    """

    __tablename__ = "timers"
    __table_args__ = (UniqueConstraint("kind", "subject"), Index("ix_timers_due_at_id", "due_at", "id"))
    id: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=True)
    due_at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(100))
    case_id: Mapped[str | None] = mapped_column(ForeignKey("cases.id"), index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(default="")


class RecheckRow(Row):
    """The looks a department's answer asks for."""

    __tablename__ = "rechecks"
    __table_args__ = (
        Index("ix_rechecks_state", "state"),
        Index("ix_rechecks_case_id_created_at", "case_id", "created_at"),
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"))
    state: Mapped[str] = mapped_column(String(16))
    wanted: Mapped[int]
    every_s: Mapped[float]
    not_before: Mapped[datetime]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    proposal: Mapped[str | None] = mapped_column(String(16))
    looks: Mapped[list[LookRow]] = relationship(order_by="LookRow.captured_at", lazy="selectin")


class LookRow(Row):
    """One look of a re-check; the same instant posted twice is one row."""

    __tablename__ = "looks"
    __table_args__ = (UniqueConstraint("recheck_id", "captured_at"), Index("ix_looks_sha256", "sha256"))
    id: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=True)
    recheck_id: Mapped[str] = mapped_column(ForeignKey("rechecks.id"))
    captured_at: Mapped[datetime]
    present: Mapped[bool]
    score: Mapped[float]
    boxes: Mapped[list[Any]]
    why: Mapped[str]
    said: Mapped[dict[str, Any] | None] = mapped_column(json_type())
    sha256: Mapped[str | None] = mapped_column(String(64))
    reading: Mapped[dict[str, Any] | None] = mapped_column(json_type())
