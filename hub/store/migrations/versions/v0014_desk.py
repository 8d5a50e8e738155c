"""The desk: alerts that are put off, notes at the end of a shift; zones that are in force at times only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.store.columns import UtcTime, json_type

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Three columns and a table more."""
    op.add_column("alerts", sa.Column("postponed_until", UtcTime(), nullable=True))
    op.add_column("zones", sa.Column("schedule", json_type(), nullable=False, server_default="[]"))
    op.add_column("zones", sa.Column("permitted", json_type(), nullable=False, server_default="[]"))
    op.create_table(
        "handovers",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("figures", json_type(), nullable=False),
        sa.Column("taken_by", sa.String(64), nullable=True),
        sa.Column("taken_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_handovers"),
    )
    op.create_index("ix_handovers_at", "handovers", ["at"])
    op.create_index("ix_handovers_by_at", "handovers", ["by", "at"])
