"""${message}."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.store.columns import UtcTime, json_type

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """To the new version."""
    ${upgrades if upgrades else "pass"}
