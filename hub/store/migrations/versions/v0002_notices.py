"""How a camera is read and what it gives; device notices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.store.columns import UtcTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Two columns and two tables more."""
    op.add_column("cameras", sa.Column("via", sa.Text(), nullable=False, server_default=""))
    op.add_column("cameras", sa.Column("resolution", sa.String(length=16), nullable=False, server_default=""))
    op.create_table(
        "notices",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("trouble", sa.String(length=16), nullable=False),
        sa.Column("cause_kind", sa.String(length=16), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("cause_name", sa.Text(), nullable=False),
        sa.Column("began_at", UtcTime(), nullable=False),
        sa.Column("joined_at", UtcTime(), nullable=False),
        sa.Column("ended_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
    )
    op.create_index("ix_notices_ended_at", "notices", ["ended_at"])
    op.create_index("ix_notices_began_at", "notices", ["began_at"])
    op.create_table(
        "notice_cameras",
        sa.Column("notice_id", sa.String(length=32), nullable=False),
        sa.Column("camera_id", sa.String(length=64), nullable=False),
        sa.Column("since", UtcTime(), nullable=False),
        sa.Column("back_at", UtcTime(), nullable=True),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notices.id"], name=op.f("fk_notice_cameras_notice_id_notices"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["camera_id"], ["cameras.id"], name=op.f("fk_notice_cameras_camera_id_cameras"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("notice_id", "camera_id", name=op.f("pk_notice_cameras")),
    )
