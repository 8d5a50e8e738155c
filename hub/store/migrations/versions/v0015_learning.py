"""Learning from verdicts: settings of kinds, models in force, shadows with their sightings, spreads of scores."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.store.columns import UtcTime, json_type

revision = "0015"
down_revision = "0014"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Seven tables."""
    _settings()
    _shadows()
    _scores()


def _settings() -> None:
    op.create_table(
        "tunings",
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("camera_id", sa.String(length=64), nullable=False),
        sa.Column("min_score", sa.Double(), nullable=True),
        sa.Column("dwell_s", sa.Double(), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=True),
        sa.Column("schedule", json_type(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.String(length=64), nullable=False),
        sa.Column("changed_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "camera_id", name=op.f("pk_tunings")),
    )
    op.create_table(
        "promotions",
        sa.Column("id", _BIG, autoincrement=True, nullable=False),
        sa.Column("base", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("evidence", json_type(), nullable=False),
        sa.Column("ended_at", UtcTime(), nullable=True),
        sa.Column("ended_by", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotions")),
    )
    op.create_index("ix_promotions_base_at", "promotions", ["base", "at"])


def _shadows() -> None:
    op.create_table(
        "shadows",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("open_key", sa.String(length=64), nullable=True),
        sa.Column("base", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("started_at", UtcTime(), nullable=False),
        sa.Column("started_by", sa.String(length=64), nullable=False),
        sa.Column("ended_at", UtcTime(), nullable=True),
        sa.Column("ended_by", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shadows")),
        sa.UniqueConstraint("open_key", name=op.f("uq_shadows_open_key")),
    )
    op.create_index(op.f("ix_shadows_base"), "shadows", ["base"])
    shadow = sa.ForeignKeyConstraint
    op.create_table(
        "shadow_looks",
        sa.Column("shadow_id", sa.String(length=32), nullable=False),
        sa.Column("alert_id", sa.String(length=32), nullable=False),
        shadow(["shadow_id"], ["shadows.id"], name=op.f("fk_shadow_looks_shadow_id_shadows"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_shadow_looks_alert_id_alerts")),
        sa.PrimaryKeyConstraint("shadow_id", "alert_id", name=op.f("pk_shadow_looks")),
    )
    op.create_table(
        "sightings",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("shadow_id", sa.String(length=32), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("camera_id", sa.String(length=64), nullable=False),
        sa.Column("zone", sa.Text(), nullable=True),
        sa.Column("since", UtcTime(), nullable=False),
        sa.Column("seen_at", UtcTime(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("boxes", json_type(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("decision", sa.String(length=16), nullable=True),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", UtcTime(), nullable=True),
        shadow(["shadow_id"], ["shadows.id"], name=op.f("fk_sightings_shadow_id_shadows"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sightings")),
    )
    op.create_index("ix_sightings_shadow_id_place_seen_at", "sightings", ["shadow_id", "place", "seen_at"])


def _scores() -> None:
    op.create_table(
        "score_days",
        sa.Column("camera_id", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("label", sa.String(length=64), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("bins", json_type(), nullable=False),
        sa.ForeignKeyConstraint(
            ["camera_id"], ["cameras.id"], name=op.f("fk_score_days_camera_id_cameras"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("camera_id", "model", "version", "label", "day", name=op.f("pk_score_days")),
    )
    op.create_index("ix_score_days_day", "score_days", ["day"])
    op.create_table(
        "drifts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("open_key", sa.Text(), nullable=True),
        sa.Column("camera_id", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("label", sa.String(length=64), nullable=False),
        sa.Column("began_at", UtcTime(), nullable=False),
        sa.Column("ended_at", UtcTime(), nullable=True),
        sa.Column("psi", sa.Double(), nullable=False),
        sa.Column("ks", sa.Double(), nullable=False),
        sa.Column("detail", json_type(), nullable=False),
        sa.ForeignKeyConstraint(
            ["camera_id"], ["cameras.id"], name=op.f("fk_drifts_camera_id_cameras"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drifts")),
        sa.UniqueConstraint("open_key", name=op.f("uq_drifts_open_key")),
    )
    op.create_index("ix_drifts_ended_at", "drifts", ["ended_at"])
