"""How often the zones of a camera were saved, and by whom last, so that nobody saves over what he has not seen."""

import sqlalchemy as sa
from alembic import op

from hub.store.columns import UtcTime

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("cameras", sa.Column("zones_version", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("cameras", sa.Column("zones_saved_by", sa.String(length=64), nullable=True))
    op.add_column("cameras", sa.Column("zones_saved_at", UtcTime(), nullable=True))
