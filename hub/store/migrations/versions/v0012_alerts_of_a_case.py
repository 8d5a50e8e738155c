"""The alerts of a case are found without reading all alerts: each move of a case locks them."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """One index more."""
    op.create_index("ix_alerts_case_id", "alerts", ["case_id"])
