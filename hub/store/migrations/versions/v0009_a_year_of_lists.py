"""Indexes for lists that stay quick with a year in the tables."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"

_NEW = {
    "alerts": (
        ("kind", "opened_at", "id"),
        ("state", "opened_at", "id"),
        ("camera_id", "opened_at", "id"),
        ("sensor_id", "opened_at", "id"),
        ("sensor_id", "kind", "state"),
        ("decided_at", "state"),
    ),
    "cases": (("state", "opened_at", "id"), ("department_id", "opened_at", "id"), ("closed_at", "state")),
}


def upgrade() -> None:
    """What they replace goes."""
    op.drop_index("ix_alerts_kind_state", "alerts")
    op.drop_index("ix_alerts_sensor_id", "alerts")
    for table, indexes in _NEW.items():
        for columns in indexes:
            op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))
