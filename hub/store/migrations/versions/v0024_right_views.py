"""When a person last said that what a camera shows is right."""

import sqlalchemy as sa
from alembic import op

from hub.store.columns import UtcTime

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Add the column."""
    op.add_column("cameras", sa.Column("view_at", UtcTime(), nullable=True))
