"""Which level of the grid handles a case first, and until when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.store.columns import UtcTime

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Two columns of cases more."""
    op.add_column("cases", sa.Column("grid_step", sa.String(length=16), nullable=True))
    op.add_column("cases", sa.Column("grid_due_at", UtcTime(), nullable=True))
