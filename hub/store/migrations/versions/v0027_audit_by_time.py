"""What was done at a time is found in the audit trail without reading all that was done since."""

from __future__ import annotations

from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """An index of times, with what their order is completed by."""
    op.create_index("ix_audit_at_seq", "audit", ["at", "seq"])
