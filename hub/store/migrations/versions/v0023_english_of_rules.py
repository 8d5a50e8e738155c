"""English of the table of conditions and of what units are for, where somebody writes it."""

import sqlalchemy as sa
from alembic import op

from hub.store.columns import json_type

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Add the columns; what there is has none of its own."""
    for name in ("filing_en", "closing_en"):
        op.add_column("conditions", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.add_column("departments", sa.Column("duties_en", json_type(), nullable=False, server_default="[]"))
