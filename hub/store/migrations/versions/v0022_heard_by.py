"""The gateways that heard a sensor's newest message."""

import sqlalchemy as sa
from alembic import op

from hub.store.columns import json_type

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Add the column."""
    op.add_column("sensors", sa.Column("heard_by", json_type(), nullable=False, server_default="[]"))
