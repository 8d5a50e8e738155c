"""How long an alert was on the decider's screen: since when it is claimed, and from there to the verdict."""

import sqlalchemy as sa
from alembic import op

from hub.store.columns import UtcTime

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Two columns; what was decided before has no time."""
    op.add_column("alerts", sa.Column("claimed_since", UtcTime(), nullable=True))
    op.add_column("alerts", sa.Column("decided_ms", sa.Integer(), nullable=True))
