"""The reports of one person, and what was done by whom and to what, are found without reading all."""

from __future__ import annotations

from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """An index that has all that a list of somebody's own cases asks of it; and three of the audit trail."""
    op.create_index("ix_case_reports_by_case_id", "case_reports", ["by", "case_id"])
    op.create_index("ix_audit_by_seq", "audit", ["by", "seq"])
    for name in ("action", "subject"):
        # For beginnings: PostgreSQL's usual order of texts is that of a language.
        ops = {name: "varchar_pattern_ops"}
        op.create_index(f"ix_audit_{name}_seq", "audit", [name, "seq"], postgresql_ops=ops)
