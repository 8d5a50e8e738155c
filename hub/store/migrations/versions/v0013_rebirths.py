"""A person may ask a Sparkplug edge node for its births."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.store.columns import UtcTime

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """One table more."""
    op.create_table(
        "rebirths",
        sa.Column("node", sa.String(128), primary_key=True),
        sa.Column("asked_by", sa.String(64), nullable=False),
        sa.Column("asked_at", UtcTime(), nullable=False),
        sa.Column("sent_at", UtcTime(), nullable=True),
    )
