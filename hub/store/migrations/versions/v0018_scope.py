"""The grids that a person of the centre is limited to."""

import sqlalchemy as sa
from alembic import op

from hub.store.columns import json_type

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Add the column."""
    op.add_column("users", sa.Column("grids", json_type(), nullable=False, server_default="[]"))
