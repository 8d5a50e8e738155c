"""What a camera's message says, for other languages than the one it is written in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.store.columns import json_type

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """One column more."""
    op.add_column("cameras", sa.Column("why", json_type(), nullable=True))
