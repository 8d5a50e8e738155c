"""What more is known of sensors; quarantine, device events, notices of sensors, links to cameras, mapping profiles."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.store.columns import UtcTime, json_type

revision = "0007"
down_revision = "0006"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Columns for sensors and alerts, six tables more."""
    _sensors()
    op.add_column("alerts", sa.Column("why_en", sa.Text(), nullable=False, server_default=""))
    op.add_column("alerts", sa.Column("beside", json_type(), nullable=False, server_default="[]"))
    op.add_column("alerts", sa.Column("agreed", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.drop_index("ix_alerts_state_urgent_opened_at_id", "alerts")
    op.create_index(
        "ix_alerts_state_urgent_agreed_opened_at_id", "alerts", ["state", "urgent", "agreed", "opened_at", "id"]
    )
    op.create_index("ix_findings_outcome_received_at", "findings", ["outcome", "received_at"])
    _quarantine()
    _notices()
    _links()
    op.create_table(
        "mappings",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("stanza", json_type(), nullable=False),
        sa.Column("topics", json_type(), nullable=False),
        sa.Column("sample", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.String(length=64), nullable=False),
        sa.Column("changed_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mappings")),
    )
    op.create_table(
        "rule_states",
        sa.Column("sensor_id", sa.String(length=64), nullable=False),
        sa.Column("state", json_type(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sensor_id"], ["sensors.id"], name=op.f("fk_rule_states_sensor_id_sensors"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sensor_id", name=op.f("pk_rule_states")),
    )


def _sensors() -> None:
    for column in (
        sa.Column("said", sa.String(length=16), nullable=False, server_default=""),
        sa.Column("topics", json_type(), nullable=False, server_default="[]"),
        sa.Column("settings", json_type(), nullable=False, server_default="{}"),
        sa.Column("gateway", sa.String(length=128), nullable=False, server_default=""),
        sa.Column("asset", sa.String(length=17), nullable=False, server_default=""),
        sa.Column("installed_on", sa.String(length=10), nullable=False, server_default=""),
        sa.Column("maintenance_until", UtcTime(), nullable=True),
        sa.Column("maintenance_note", sa.Text(), nullable=False, server_default=""),
        sa.Column("level", sa.String(length=16), nullable=False, server_default=""),
        sa.Column("battery", json_type(), nullable=True),
        sa.Column("ailments", json_type(), nullable=False, server_default="[]"),
    ):
        op.add_column("sensors", column)


def _quarantine() -> None:
    op.create_table(
        "quarantine",
        sa.Column("device", sa.String(length=128), nullable=False),
        sa.Column("form", sa.String(length=64), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("readings", json_type(), nullable=False),
        sa.Column("announced", json_type(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("first_seen", UtcTime(), nullable=False),
        sa.Column("last_seen", UtcTime(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("ignored", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("device", name=op.f("pk_quarantine")),
    )
    op.create_index("ix_quarantine_ignored_last_seen", "quarantine", ["ignored", "last_seen"])
    op.create_table(
        "device_events",
        sa.Column("id", _BIG, autoincrement=True, nullable=False),
        sa.Column("device", sa.String(length=128), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_events")),
        sa.UniqueConstraint("device", "code", "at", name=op.f("uq_device_events_device_code_at")),
    )
    op.create_index("ix_device_events_at", "device_events", ["at"])


def _notices() -> None:
    op.create_table(
        "sensor_notices",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("open_key", sa.String(length=300), nullable=True),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("sensor_id", sa.String(length=64), nullable=True),
        sa.Column("gateway", sa.String(length=128), nullable=False),
        sa.Column("what", sa.String(length=64), nullable=False),
        sa.Column("why", json_type(), nullable=False),
        sa.Column("children", json_type(), nullable=False),
        sa.Column("began_at", UtcTime(), nullable=False),
        sa.Column("told_at", UtcTime(), nullable=False),
        sa.Column("ended_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["sensor_id"], ["sensors.id"], name=op.f("fk_sensor_notices_sensor_id_sensors"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sensor_notices")),
        sa.UniqueConstraint("open_key", name=op.f("uq_sensor_notices_open_key")),
    )
    op.create_index("ix_sensor_notices_ended_at", "sensor_notices", ["ended_at"])
    op.create_index("ix_sensor_notices_sensor_id_began_at", "sensor_notices", ["sensor_id", "began_at"])


def _links() -> None:
    op.create_table(
        "links",
        sa.Column("sensor_id", sa.String(length=64), nullable=False),
        sa.Column("camera_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("distance_m", sa.Double(), nullable=False),
        sa.Column("proposed_at", UtcTime(), nullable=False),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["sensor_id"], ["sensors.id"], name=op.f("fk_links_sensor_id_sensors"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["camera_id"], ["cameras.id"], name=op.f("fk_links_camera_id_cameras"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sensor_id", "camera_id", name=op.f("pk_links")),
    )
    op.create_index("ix_links_camera_id_state", "links", ["camera_id", "state"])
    op.create_index("ix_links_state", "links", ["state"])
    op.create_table(
        "sights",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("alert_id", sa.String(length=32), nullable=False),
        sa.Column("camera_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("not_before", UtcTime(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("captured_at", UtcTime(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("seen", json_type(), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_sights_alert_id_alerts")),
        sa.ForeignKeyConstraint(
            ["camera_id"], ["cameras.id"], name=op.f("fk_sights_camera_id_cameras"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sights")),
        sa.UniqueConstraint("alert_id", "camera_id", name=op.f("uq_sights_alert_id_camera_id")),
    )
    op.create_index("ix_sights_state", "sights", ["state"])
