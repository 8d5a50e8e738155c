"""The reports of one person, or one program, are found without reading all."""

from __future__ import annotations

from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """One index more, which has all that a list of somebody's own cases asks of it."""
    op.create_index("ix_case_reports_by_case_id", "case_reports", ["by", "case_id"])
