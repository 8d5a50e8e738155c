"""Cases of every channel: their own place, states, clocks, reports, joint units, requests, visits, links and timers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from hub.store.columns import UtcTime, json_type

revision = "0005"
down_revision = "0004"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Nine tables more; cases get columns, and lose those of the one clock they had to a table of clocks."""
    _new_tables()
    _columns()
    _fill()
    with op.batch_alter_table("cases") as batch_op:
        batch_op.drop_column("clock_stopped_at")
        batch_op.drop_column("used_s")
        batch_op.drop_column("clock_started_at")


def _new_tables() -> None:
    op.create_table(
        "case_clocks",
        sa.Column("id", _BIG, autoincrement=True, nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("part_id", sa.String(length=32), nullable=True),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("department_id", sa.String(length=64), nullable=True),
        sa.Column("limit", sa.String(length=32), nullable=False),
        sa.Column("limit_s", sa.Double(), nullable=False),
        sa.Column("extensions", sa.Integer(), nullable=False),
        sa.Column("started_at", UtcTime(), nullable=False),
        sa.Column("running_since", UtcTime(), nullable=True),
        sa.Column("paused_at", UtcTime(), nullable=True),
        sa.Column("paused_s", sa.Double(), nullable=False),
        sa.Column("carried_s", sa.Double(), nullable=False),
        sa.Column("used_s", sa.Double(), nullable=False),
        sa.Column("deadline", UtcTime(), nullable=False),
        sa.Column("overdue_at", UtcTime(), nullable=True),
        sa.Column("finished_at", UtcTime(), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("timed_out", sa.Boolean(), nullable=True),
        sa.Column("timeout_s", sa.Double(), nullable=True),
        sa.Column("exempt", sa.Boolean(), nullable=False),
        sa.Column("rule_version", sa.String(length=32), nullable=False),
        sa.Column("calendar_version", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_clocks_case_id_cases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_clocks")),
    )
    with op.batch_alter_table("case_clocks") as batch_op:
        batch_op.create_index("ix_case_clocks_case_id_id", ["case_id", "id"], unique=False)
        batch_op.create_index(
            "ix_case_clocks_department_id_stage_deadline", ["department_id", "stage", "deadline"], unique=False
        )
        batch_op.create_index("ix_case_clocks_stage_deadline", ["stage", "deadline"], unique=False)

    op.create_table(
        "case_links",
        sa.Column("id", _BIG, autoincrement=True, nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("other_id", sa.String(length=32), nullable=False),
        sa.Column("relation", sa.String(length=16), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_links_case_id_cases")),
        sa.ForeignKeyConstraint(["other_id"], ["cases.id"], name=op.f("fk_case_links_other_id_cases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_links")),
        sa.UniqueConstraint("case_id", "other_id", "relation", name=op.f("uq_case_links_case_id_other_id_relation")),
    )
    with op.batch_alter_table("case_links") as batch_op:
        batch_op.create_index("ix_case_links_other_id", ["other_id"], unique=False)

    op.create_table(
        "case_parts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("department_id", sa.String(length=64), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("added_by", sa.String(length=64), nullable=False),
        sa.Column("added_at", UtcTime(), nullable=False),
        sa.Column("accepted_at", UtcTime(), nullable=True),
        sa.Column("answered_at", UtcTime(), nullable=True),
        sa.Column("answered_by", sa.String(length=64), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("evidence", json_type(), nullable=False),
        sa.Column("deadline", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_parts_case_id_cases")),
        sa.ForeignKeyConstraint(
            ["department_id"], ["departments.id"], name=op.f("fk_case_parts_department_id_departments")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_parts")),
        sa.UniqueConstraint("case_id", "department_id", name=op.f("uq_case_parts_case_id_department_id")),
    )
    with op.batch_alter_table("case_parts") as batch_op:
        batch_op.create_index(batch_op.f("ix_case_parts_department_id"), ["department_id"], unique=False)

    op.create_table(
        "case_reports",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("external_id", sa.String(length=64), nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("alert_id", sa.String(length=32), nullable=True),
        sa.Column("attached", sa.Boolean(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("reporter", json_type(), nullable=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_case_reports_alert_id_alerts")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_reports_case_id_cases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_reports")),
        sa.UniqueConstraint("channel", "external_id", name=op.f("uq_case_reports_channel_external_id")),
        sa.UniqueConstraint("request_id", name=op.f("uq_case_reports_request_id")),
    )
    with op.batch_alter_table("case_reports") as batch_op:
        batch_op.create_index(batch_op.f("ix_case_reports_alert_id"), ["alert_id"], unique=False)
        batch_op.create_index("ix_case_reports_case_id_at", ["case_id", "at"], unique=False)
        batch_op.create_index("ix_case_reports_channel_at", ["channel", "at"], unique=False)

    op.create_table(
        "case_requests",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("open_key", sa.String(length=32), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("department_id", sa.String(length=64), nullable=True),
        sa.Column("to_department_id", sa.String(length=64), nullable=True),
        sa.Column("until", UtcTime(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", json_type(), nullable=False),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("asked_by_name", sa.Text(), nullable=False),
        sa.Column("asked_at", UtcTime(), nullable=False),
        sa.Column("first_by", sa.String(length=64), nullable=True),
        sa.Column("first_by_name", sa.Text(), nullable=True),
        sa.Column("first_at", UtcTime(), nullable=True),
        sa.Column("first_note", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_by_name", sa.Text(), nullable=True),
        sa.Column("decided_at", UtcTime(), nullable=True),
        sa.Column("decided_note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_requests_case_id_cases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_requests")),
        sa.UniqueConstraint("open_key", name=op.f("uq_case_requests_open_key")),
    )
    with op.batch_alter_table("case_requests") as batch_op:
        batch_op.create_index("ix_case_requests_case_id_asked_at", ["case_id", "asked_at"], unique=False)
        batch_op.create_index("ix_case_requests_state_asked_at", ["state", "asked_at"], unique=False)

    op.create_table(
        "case_visits",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("assignee", sa.String(length=64), nullable=True),
        sa.Column("camera_id", sa.String(length=64), nullable=True),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("asked_at", UtcTime(), nullable=False),
        sa.Column("result", sa.String(length=16), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=True),
        sa.Column("at", UtcTime(), nullable=True),
        sa.Column("evidence", json_type(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_visits_case_id_cases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_visits")),
    )
    with op.batch_alter_table("case_visits") as batch_op:
        batch_op.create_index("ix_case_visits_assignee_state", ["assignee", "state"], unique=False)
        batch_op.create_index("ix_case_visits_case_id_asked_at", ["case_id", "asked_at"], unique=False)

    op.create_table(
        "timers",
        sa.Column("id", _BIG, autoincrement=True, nullable=False),
        sa.Column("due_at", UtcTime(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=100), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_timers_case_id_cases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_timers")),
        sa.UniqueConstraint("kind", "subject", name=op.f("uq_timers_kind_subject")),
    )
    with op.batch_alter_table("timers") as batch_op:
        batch_op.create_index(batch_op.f("ix_timers_case_id"), ["case_id"], unique=False)
        batch_op.create_index("ix_timers_due_at_id", ["due_at", "id"], unique=False)


def _columns() -> None:
    with op.batch_alter_table("attachments") as batch_op:
        batch_op.add_column(sa.Column("photo_type", sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column("by", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("lon", sa.Double(), nullable=True))
        batch_op.add_column(sa.Column("lat", sa.Double(), nullable=True))
        batch_op.alter_column("alert_id", existing_type=sa.VARCHAR(length=32), nullable=True)

    with op.batch_alter_table("cases") as batch_op:
        batch_op.add_column(sa.Column("channel", sa.String(length=16), nullable=False, server_default="unattended"))
        batch_op.add_column(sa.Column("description", sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("reported_by", sa.String(length=64), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("filed_at", UtcTime(), nullable=True))
        batch_op.add_column(sa.Column("closed_by", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("category_code", sa.String(length=16), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("item_kind", sa.String(length=16), nullable=False, server_default="matter"))
        batch_op.add_column(sa.Column("condition_id", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("camera_id", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("sensor_id", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("source_name", sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("preset", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("zone", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("zone_points", json_type(), nullable=True))
        batch_op.add_column(sa.Column("address", sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("grid_id", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("community_id", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("street_id", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("grid_code", sa.String(length=20), nullable=True))
        batch_op.add_column(sa.Column("lon", sa.Double(), nullable=True))
        batch_op.add_column(sa.Column("lat", sa.Double(), nullable=True))
        batch_op.add_column(sa.Column("authority_id", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("routing", json_type(), nullable=True))
        batch_op.add_column(sa.Column("supervised", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("joint", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("whistle", sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column("recurrence", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("report_count", sa.Integer(), nullable=False, server_default="1"))
        batch_op.add_column(sa.Column("forced_close", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("timed_out", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("timeout_exempt", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("extension_count", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("suspended_until", UtcTime(), nullable=True))
        batch_op.add_column(sa.Column("bundle_id", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("stage", sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column("due_at", UtcTime(), nullable=True))
        batch_op.alter_column("alert_id", existing_type=sa.VARCHAR(length=32), nullable=True)
        batch_op.alter_column("filed_by", existing_type=sa.VARCHAR(length=64), nullable=True)
        batch_op.create_index("ix_cases_category_code_closed_at", ["category_code", "closed_at"], unique=False)
        batch_op.create_index("ix_cases_category_code_open_lat", ["category_code", "open", "lat"], unique=False)
        batch_op.create_index(batch_op.f("ix_cases_community_id"), ["community_id"], unique=False)
        batch_op.create_index("ix_cases_open_due_at", ["open", "due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_cases_street_id"), ["street_id"], unique=False)

    with op.batch_alter_table("moves") as batch_op:
        batch_op.add_column(sa.Column("detail", json_type(), nullable=True))

    with op.batch_alter_table("users") as batch_op:
        batch_op.add_column(sa.Column("grid_id", sa.String(length=64), nullable=True))


def _fill() -> None:
    """What cases had from their alert becomes their own, their handle clock becomes a row, their alert a report."""
    connection = op.get_bind()
    lent = (
        "camera_id",
        "sensor_id",
        "source_name",
        "preset",
        "zone",
        "zone_points",
        "address",
        "grid_id",
        "lon",
        "lat",
    )
    places = ", ".join(f"{name} = (SELECT alerts.{name} FROM alerts WHERE alerts.id = cases.alert_id)" for name in lent)
    code = "category->>'code'" if connection.dialect.name == "postgresql" else "json_extract(category, '$.code')"
    stage = "CASE state WHEN 'filed' THEN 'dispatch' WHEN 'dispatched' THEN 'handle' WHEN 'handling' THEN 'handle' "
    stage += "WHEN 'feedback' THEN 'check' WHEN 'checking' THEN 'check' END"
    due = "CASE WHEN clock_started_at IS NOT NULL THEN deadline END"
    op.execute(
        f"UPDATE cases SET {places}, category_code = {code}, filed_at = opened_at, stage = {stage}, due_at = {due}"
    )
    op.execute(
        "INSERT INTO case_reports (id, case_id, channel, alert_id, attached, description, address, lon, lat, "
        '"by", by_name, at) '
        "SELECT id, id, 'unattended', alert_id, false, '', address, lon, lat, filed_by, '', opened_at FROM cases"
    )
    for name, value in _clocks(connection):
        op.execute(name.insert().values(**value))
    op.execute(
        "INSERT INTO timers (due_at, kind, subject, case_id, attempts, error) "
        "SELECT deadline, 'overdue', 'clock/' || id, case_id, 0, '' FROM case_clocks WHERE running_since IS NOT NULL"
    )


def _clocks(connection: sa.Connection) -> Iterator[tuple[sa.TableClause, dict[str, Any]]]:
    """A row for each handle clock that ever ran."""
    names = ("id", "state", "last_department_id", "limit", "used_s", "rule_version", "calendar_version")
    times = ("opened_at", "clock_started_at", "clock_stopped_at", "deadline")
    cases = sa.table("cases", *map(sa.column, names), *(sa.column(n, UtcTime()) for n in times))
    wanted = ("started_at", "running_since", "paused_at", "deadline", "finished_at")
    plain = ("case_id", "stage", "department_id", "limit", "limit_s", "extensions", "paused_s", "carried_s", "used_s")
    told = ("outcome", "timed_out", "timeout_s", "exempt", "rule_version", "calendar_version")
    clocks = sa.table("case_clocks", *(sa.column(n, UtcTime()) for n in wanted), *map(sa.column, (*plain, *told)))
    ends = {"feedback": "answered", "checking": "answered", "closed": "answered", "void": "voided"}
    for row in connection.execute(sa.select(cases).where(cases.c.deadline.is_not(None))).all():
        stopped, outcome = row.clock_stopped_at, ends.get(row.state)
        late_s = max(0.0, (stopped - row.deadline).total_seconds()) if outcome and stopped else None
        yield (
            clocks,
            {
                "case_id": row.id,
                "stage": "handle",
                "department_id": row.last_department_id,
                "limit": row.limit,
                "limit_s": _length_s(row.limit),
                "extensions": 0,
                "started_at": row.clock_started_at or row.opened_at,
                "running_since": row.clock_started_at,
                "paused_at": stopped if not outcome else None,
                "paused_s": 0.0,
                "carried_s": 0.0,
                "used_s": row.used_s,
                "deadline": row.deadline,
                "finished_at": stopped if outcome else None,
                "outcome": outcome,
                "timed_out": None if late_s is None else late_s > 0,
                "timeout_s": late_s,
                "exempt": False,
                "rule_version": row.rule_version,
                "calendar_version": row.calendar_version,
            },
        )


def _length_s(limit: str) -> float:
    """Seconds of a limit's text, a working day taken as 8 hours."""
    match = re.match(r"([0-9.]+)\s*(.*)", limit)
    if match is None:
        return 0.0
    hours = {"紧急工作日": 24, "工作日": 8, "天": 8}.get(match[2], 1)
    return float(match[1]) * hours * 3600
