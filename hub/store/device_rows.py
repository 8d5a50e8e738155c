"""Tables about devices besides their registry: quarantine, events, notices, links to cameras, looks, mappings."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from .rows import BIG, Row


class QuarantineRow(Row):
    """A device that speaks and that nobody has registered: its newest message, and what was read from it."""

    __tablename__ = "quarantine"
    __table_args__ = (Index("ix_quarantine_ignored_last_seen", "ignored", "last_seen"),)
    device: Mapped[str] = mapped_column(String(128), primary_key=True)
    form: Mapped[str] = mapped_column(String(64))
    topic: Mapped[str]
    payload: Mapped[str]
    readings: Mapped[list[Any]]
    announced: Mapped[list[Any]]
    model: Mapped[str] = mapped_column(default="")
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]
    count: Mapped[int]
    ignored: Mapped[bool] = mapped_column(default=False)


class DeviceEventRow(Row):
    """Something a device or its network said about the device's health; the same said twice is one row."""

    __tablename__ = "device_events"
    __table_args__ = (UniqueConstraint("device", "code", "at"), Index("ix_device_events_at", "at"))
    id: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=True)
    device: Mapped[str] = mapped_column(String(128))
    code: Mapped[str] = mapped_column(String(64))
    text: Mapped[str]
    at: Mapped[datetime]


class RebirthRow(Row):
    """That a person asked a Sparkplug edge node (GROUP/NODE) for its births; `sent_at`: when a worker passed it on."""

    __tablename__ = "rebirths"
    node: Mapped[str] = mapped_column(String(128), primary_key=True)
    asked_by: Mapped[str] = mapped_column(String(64))
    asked_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class SensorNoticeRow(Row):
    """Something about a sensor, or about a gateway with the sensors behind it, for whoever maintains it.

    `open_key` names the trouble while it lasts; its unique constraint is what makes one trouble one notice.
    """

    __tablename__ = "sensor_notices"
    __table_args__ = (
        Index("ix_sensor_notices_ended_at", "ended_at"),
        Index("ix_sensor_notices_sensor_id_began_at", "sensor_id", "began_at"),
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    open_key: Mapped[str | None] = mapped_column(String(300), unique=True)
    code: Mapped[str] = mapped_column(String(32))
    sensor_id: Mapped[str | None] = mapped_column(ForeignKey("sensors.id", ondelete="CASCADE"))
    gateway: Mapped[str] = mapped_column(String(128), default="")
    what: Mapped[str] = mapped_column(String(64), default="")
    why: Mapped[dict[str, Any]]
    children: Mapped[list[Any]]
    began_at: Mapped[datetime]
    told_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class LinkRow(Row):
    """That a camera (at its preset) sees the place of a sensor: proposed from positions, decided by an engineer."""

    __tablename__ = "links"
    __table_args__ = (Index("ix_links_camera_id_state", "camera_id", "state"), Index("ix_links_state", "state"))
    sensor_id: Mapped[str] = mapped_column(ForeignKey("sensors.id", ondelete="CASCADE"), primary_key=True)
    camera_id: Mapped[str] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"), primary_key=True)
    state: Mapped[str] = mapped_column(String(16))
    distance_m: Mapped[float]
    proposed_at: Mapped[datetime]
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decided_at: Mapped[datetime | None]


class SightRow(Row):
    """The look that a sensor's alarm asks of a linked camera."""

    __tablename__ = "sights"
    __table_args__ = (UniqueConstraint("alert_id", "camera_id"), Index("ix_sights_state", "state"))
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    alert_id: Mapped[str] = mapped_column(ForeignKey("alerts.id"))
    camera_id: Mapped[str] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(String(16))
    not_before: Mapped[datetime]
    created_at: Mapped[datetime]
    captured_at: Mapped[datetime | None]
    sha256: Mapped[str | None] = mapped_column(String(64))
    seen: Mapped[list[Any]]


class MappingRow(Row):
    """A mapping profile written in the screen, and the topics it reads."""

    __tablename__ = "mappings"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    text: Mapped[str]
    stanza: Mapped[dict[str, Any]]
    topics: Mapped[list[Any]]
    sample: Mapped[str] = mapped_column(default="")
    changed_by: Mapped[str] = mapped_column(String(64))
    changed_at: Mapped[datetime]


class RuleStateRow(Row):
    """Where the rules of a sensor stand that speaks HTTP to the hub itself; those of the others are in the spools."""

    __tablename__ = "rule_states"
    sensor_id: Mapped[str] = mapped_column(ForeignKey("sensors.id", ondelete="CASCADE"), primary_key=True)
    state: Mapped[dict[str, Any]]
