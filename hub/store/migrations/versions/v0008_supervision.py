"""Supervision, letters, whistles, reports; indexes for what reports count."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.store.columns import UtcTime, json_type

revision = "0008"
down_revision = "0007"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Eight tables and six indexes more."""
    _letters()
    _supervisions()
    _whistles()
    _reports()
    _indexes()


def _letters() -> None:
    """Letters, and the templates they are made with."""
    op.create_table(
        "letter_templates",
        sa.Column("id", _BIG, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("shipped", sa.Boolean(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter_templates")),
    )
    op.create_index("ix_letter_templates_kind_id", "letter_templates", ["kind", "id"])
    op.create_table(
        "letters",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=True),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=True),
        sa.Column("template_id", _BIG, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("department_id", sa.String(length=64), nullable=True),
        sa.Column("to_name", sa.Text(), nullable=False),
        sa.Column("fields", json_type(), nullable=False),
        sa.Column("lines", json_type(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_by_name", sa.Text(), nullable=False),
        sa.Column("issued_at", UtcTime(), nullable=True),
        sa.Column("signed_by", sa.String(length=64), nullable=True),
        sa.Column("signed_by_name", sa.Text(), nullable=True),
        sa.Column("reply_required", sa.Boolean(), nullable=False),
        sa.Column("reply_limit", sa.String(length=32), nullable=False),
        sa.Column("reply_due_at", UtcTime(), nullable=True),
        sa.Column("replied_at", UtcTime(), nullable=True),
        sa.Column("replied_by", sa.String(length=64), nullable=True),
        sa.Column("replied_by_name", sa.Text(), nullable=True),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.Column("reply_evidence", json_type(), nullable=False),
        sa.Column("reply_count", sa.Integer(), nullable=False),
        sa.Column("decided_at", UtcTime(), nullable=True),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["department_id"], ["departments.id"], name=op.f("fk_letters_department_id_departments")
        ),
        sa.ForeignKeyConstraint(
            ["template_id"], ["letter_templates.id"], name=op.f("fk_letters_template_id_letter_templates")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letters")),
        sa.UniqueConstraint("kind", "year", "sequence", name=op.f("uq_letters_kind_year_sequence")),
        sa.UniqueConstraint("number", name=op.f("uq_letters_number")),
    )
    op.create_index("ix_letters_department_id_created_at", "letters", ["department_id", "created_at"])
    op.create_index("ix_letters_reply_due_at", "letters", ["reply_due_at"])
    op.create_index("ix_letters_state_created_at", "letters", ["state", "created_at"])


def _supervisions() -> None:
    """Cases that were supervised."""
    op.create_table(
        "supervisions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("clock_id", _BIG, nullable=True),
        sa.Column("department_id", sa.String(length=64), nullable=True),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(length=16), nullable=False),
        sa.Column("demands", sa.Text(), nullable=False),
        sa.Column("due_at", UtcTime(), nullable=False),
        sa.Column("raised_at", UtcTime(), nullable=False),
        sa.Column("raised_by", sa.String(length=64), nullable=False),
        sa.Column("raised_by_name", sa.Text(), nullable=False),
        sa.Column("letter_id", sa.String(length=32), nullable=True),
        sa.Column("batch_id", sa.String(length=32), nullable=True),
        sa.Column("ended_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["letters.id"], name=op.f("fk_supervisions_batch_id_letters")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_supervisions_case_id_cases")),
        sa.ForeignKeyConstraint(
            ["department_id"], ["departments.id"], name=op.f("fk_supervisions_department_id_departments")
        ),
        sa.ForeignKeyConstraint(["letter_id"], ["letters.id"], name=op.f("fk_supervisions_letter_id_letters")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supervisions")),
        sa.UniqueConstraint("key", name=op.f("uq_supervisions_key")),
    )
    op.create_index("ix_supervisions_batch_id", "supervisions", ["batch_id"])
    op.create_index("ix_supervisions_case_id_level", "supervisions", ["case_id", "level"])
    op.create_index("ix_supervisions_department_id_raised_at", "supervisions", ["department_id", "raised_at"])
    op.create_index("ix_supervisions_ended_at_level_raised_at", "supervisions", ["ended_at", "level", "raised_at"])
    op.create_index("ix_supervisions_letter_id", "supervisions", ["letter_id"])
    op.create_index("ix_supervisions_raised_at", "supervisions", ["raised_at"])


def _whistles() -> None:
    """Whistles and the departments they call."""
    op.create_table(
        "whistles",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=True),
        sa.Column("initiator_id", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("raised_at", UtcTime(), nullable=False),
        sa.Column("raised_by", sa.String(length=64), nullable=False),
        sa.Column("raised_by_name", sa.Text(), nullable=False),
        sa.Column("decided_at", UtcTime(), nullable=True),
        sa.Column("decided_by_name", sa.Text(), nullable=True),
        sa.Column("decided_note", sa.Text(), nullable=False),
        sa.Column("arrival_limit", sa.String(length=32), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("resolved", sa.Boolean(), nullable=True),
        sa.Column("result_at", UtcTime(), nullable=True),
        sa.Column("result_by_name", sa.Text(), nullable=True),
        sa.Column("result_evidence", json_type(), nullable=False),
        sa.Column("closed_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_whistles_case_id_cases")),
        sa.ForeignKeyConstraint(
            ["initiator_id"], ["departments.id"], name=op.f("fk_whistles_initiator_id_departments")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_whistles")),
        sa.UniqueConstraint("number", name=op.f("uq_whistles_number")),
    )
    op.create_index(op.f("ix_whistles_case_id"), "whistles", ["case_id"])
    op.create_index("ix_whistles_open_raised_at", "whistles", ["open", "raised_at"])
    op.create_index("ix_whistles_raised_at", "whistles", ["raised_at"])
    op.create_table(
        "whistle_calls",
        sa.Column("whistle_id", sa.String(length=32), nullable=False),
        sa.Column("department_id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("due_at", UtcTime(), nullable=True),
        sa.Column("arrived_at", UtcTime(), nullable=True),
        sa.Column("arrived_by", sa.Text(), nullable=False),
        sa.Column("arrived_note", sa.Text(), nullable=False),
        sa.Column("arrived_evidence", json_type(), nullable=False),
        sa.Column("mark", sa.Integer(), nullable=True),
        sa.Column("mark_note", sa.Text(), nullable=False),
        sa.Column("back_mark", sa.Integer(), nullable=True),
        sa.Column("back_mark_note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["department_id"], ["departments.id"], name=op.f("fk_whistle_calls_department_id_departments")
        ),
        sa.ForeignKeyConstraint(
            ["whistle_id"], ["whistles.id"], name=op.f("fk_whistle_calls_whistle_id_whistles"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("whistle_id", "department_id", name=op.f("pk_whistle_calls")),
    )
    op.create_index("ix_whistle_calls_department_id_due_at", "whistle_calls", ["department_id", "due_at"])


def _reports() -> None:
    """Issued reports, and points off."""
    op.create_table(
        "bulletins",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("period", sa.String(length=8), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("rule_version", sa.String(length=32), nullable=False),
        sa.Column("report", json_type(), nullable=False),
        sa.Column("issued_at", UtcTime(), nullable=False),
        sa.Column("issued_by", sa.String(length=64), nullable=False),
        sa.Column("issued_by_name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulletins")),
        sa.UniqueConstraint("kind", "period", name=op.f("uq_bulletins_kind_period")),
        sa.UniqueConstraint("kind", "year", "sequence", name=op.f("uq_bulletins_kind_year_sequence")),
    )
    op.create_table(
        "deductions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("department_id", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("case_number", sa.String(length=19), nullable=False),
        sa.Column("doubled", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("struck_at", UtcTime(), nullable=True),
        sa.Column("struck_by_name", sa.Text(), nullable=True),
        sa.Column("struck_note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["department_id"], ["departments.id"], name=op.f("fk_deductions_department_id_departments")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deductions")),
    )
    op.create_index("ix_deductions_day_department_id", "deductions", ["day", "department_id"])


def _indexes() -> None:
    """Each counter of a report is a range over one of these."""
    op.create_index("ix_case_clocks_stage_finished_at", "case_clocks", ["stage", "finished_at"])
    op.create_index("ix_case_clocks_stage_started_at", "case_clocks", ["stage", "started_at"])
    op.create_index("ix_cases_closed_at", "cases", ["closed_at"])
    op.create_index("ix_cases_deadline", "cases", ["deadline"])
    op.create_index("ix_cases_filed_at", "cases", ["filed_at"])
    op.create_index("ix_moves_action_at", "moves", ["action", "at"])
