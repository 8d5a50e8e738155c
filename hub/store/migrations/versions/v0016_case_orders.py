"""Moves of cases that were ordered with an id, so that one sent twice is done once."""

import sqlalchemy as sa
from alembic import op

from hub.store.columns import UtcTime

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "case_orders",
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_orders_case_id_cases")),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_case_orders")),
    )
    op.create_index(op.f("ix_case_orders_at"), "case_orders", ["at"])
