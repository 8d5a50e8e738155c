"""Which platform's sessions a camera shares, and how it is turned to its preset."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Three columns more."""
    op.add_column("cameras", sa.Column("platform", sa.String(length=64), nullable=False, server_default=""))
    op.add_column("cameras", sa.Column("goto", sa.Text(), nullable=False, server_default=""))
    op.add_column("cameras", sa.Column("settle_s", sa.Double(), nullable=False, server_default="4"))
