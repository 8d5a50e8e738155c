"""Filing conditions and checked classes; six levels of grid with their people; what handling units are for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.store.columns import UtcTime, json_type

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Three tables more, and columns of departments and grids."""
    op.add_column("departments", sa.Column("kind", sa.String(length=16), nullable=False, server_default="district"))
    op.add_column("departments", sa.Column("grid_id", sa.String(length=64), nullable=True))
    op.add_column("departments", sa.Column("code", sa.String(length=18), nullable=False, server_default=""))
    op.add_column("departments", sa.Column("duties", json_type(), nullable=False, server_default="[]"))
    op.add_column("grids", sa.Column("area_level", sa.String(length=16), nullable=False, server_default=""))
    op.create_index("ix_grids_parent_id", "grids", ["parent_id"])
    op.create_index("ix_grids_level_id", "grids", ["level", "id"])
    op.create_table(
        "grid_persons",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, autoincrement=True),
        sa.Column("grid_id", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("phone", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["grid_id"], ["grids.id"], name=op.f("fk_grid_persons_grid_id_grids"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grid_persons")),
        sa.UniqueConstraint("grid_id", "role", "name", name=op.f("uq_grid_persons_grid_id_role_name")),
    )
    op.create_table(
        "conditions",
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("standard", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("area", sa.String(length=16), nullable=False),
        sa.Column("group_name", sa.Text(), nullable=False),
        sa.Column("class_name", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("filing", sa.Text(), nullable=False),
        sa.Column("closing", sa.Text(), nullable=False),
        sa.Column("limit", sa.Text(), nullable=False),
        sa.Column("changed_at", UtcTime(), nullable=False),
        sa.Column("verified_by", sa.String(length=64), nullable=True),
        sa.Column("verified_at", UtcTime(), nullable=True),
        sa.Column("retired_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conditions")),
    )
    op.create_index("ix_conditions_code_kind", "conditions", ["code", "kind"])
    op.create_index("ix_conditions_position", "conditions", ["position"])
    op.create_table(
        "checked_classes",
        sa.Column("standard", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("standard", "kind", "code", name=op.f("pk_checked_classes")),
    )
