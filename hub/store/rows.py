"""The tables, as mapped classes; those of cases stand in `case_rows.py`.

`migrations/` makes them; a test holds the two equal.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, MetaData, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from .columns import UtcTime, json_type

BIG = BigInteger().with_variant(Integer(), "sqlite")


class Row(DeclarativeBase):
    """Root of all tables."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012
        datetime: UtcTime,
        dict[str, Any]: json_type(),
        list[Any]: json_type(),
        str: Text,
    }


# --- people and programs ----------------------------------------------------------------------------------------------


class DepartmentRow(Row):
    """A unit that receives cases. `kind`: district, street (then `grid_id` is the street's) or enterprise.

    `code`: its 统一社会信用代码; `duties`: what it is for, as texts, `duties_en` in English.
    """

    __tablename__ = "departments"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str]
    name_en: Mapped[str] = mapped_column(default="")
    kind: Mapped[str] = mapped_column(String(16), default="district", server_default="district")
    grid_id: Mapped[str | None] = mapped_column(String(64))
    code: Mapped[str] = mapped_column(String(18), default="", server_default="")
    duties: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    duties_en: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")


class UserRow(Row):
    """A person who signs in; `id` is the user name, `grid_id` the area a grid member answers for.

    `grids`: the areas that one of the centre is limited to; empty: the whole district.
    """

    __tablename__ = "users"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str]
    role: Mapped[str] = mapped_column(String(16))
    department_id: Mapped[str | None] = mapped_column(ForeignKey("departments.id"))
    grid_id: Mapped[str | None] = mapped_column(String(64))
    grids: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    password_hash: Mapped[str]
    must_change_password: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    signed_in_at: Mapped[datetime | None]


class SessionRow(Row):
    """A signed-in browser; only the SHA-256 of its cookie is kept."""

    __tablename__ = "sessions"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class TokenRow(Row):
    """A program's bearer token; only its SHA-256 is kept."""

    __tablename__ = "tokens"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime]


# --- the district and its devices -------------------------------------------------------------------------------------


class GridRow(Row):
    """A part of the six-level grid; `geometry` is GeoJSON in WGS-84, an area or (compounds, buildings) a point."""

    __tablename__ = "grids"
    __table_args__ = (Index("ix_grids_parent_id", "parent_id"), Index("ix_grids_level_id", "level", "id"))
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str]
    level: Mapped[str] = mapped_column(String(16))
    parent_id: Mapped[str | None] = mapped_column(String(64))
    area_level: Mapped[str] = mapped_column(String(16), default="", server_default="")
    geometry: Mapped[dict[str, Any]]


class GridPersonRow(Row):
    """A person responsible for a grid; `phone` is shown masked, and in full only to who may, which is audited."""

    __tablename__ = "grid_persons"
    __table_args__ = (UniqueConstraint("grid_id", "role", "name"),)
    id: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=True)
    grid_id: Mapped[str] = mapped_column(ForeignKey("grids.id", ondelete="CASCADE"))
    role: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(64))
    phone: Mapped[str] = mapped_column(String(32), default="")


class CameraRow(Row):
    """A camera, and how it was last seen. `url` and `goto` may hold credentials and never leave towards people.

    `zones_version`: how often its zones and what is looked for in them were saved; by whom last, and when. `view_at`:
    when a person last said that what it shows is right.
    """

    __tablename__ = "cameras"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str]
    url: Mapped[str]
    watch: Mapped[str] = mapped_column(String(16))
    every_s: Mapped[float]
    priority: Mapped[int]
    preset: Mapped[str | None]
    clip: Mapped[bool] = mapped_column(default=True)
    platform: Mapped[str] = mapped_column(String(64), default="")
    goto: Mapped[str] = mapped_column(default="")
    settle_s: Mapped[float] = mapped_column(default=4.0)
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    address: Mapped[str] = mapped_column(default="")
    grid_id: Mapped[str | None] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16), default="unknown")
    since: Mapped[datetime | None]
    message: Mapped[str] = mapped_column(default="")
    why: Mapped[dict[str, Any] | None] = mapped_column(json_type())
    last_look_at: Mapped[datetime | None]
    picture_at: Mapped[datetime | None]
    attained_s: Mapped[float | None]
    via: Mapped[str] = mapped_column(default="")
    resolution: Mapped[str] = mapped_column(String(16), default="")
    zones_version: Mapped[int] = mapped_column(default=0, server_default="0")
    zones_saved_by: Mapped[str | None] = mapped_column(String(64))
    zones_saved_at: Mapped[datetime | None]
    view_at: Mapped[datetime | None]
    tasks: Mapped[list[TaskRow]] = relationship(order_by="TaskRow.id", cascade="all, delete-orphan", lazy="selectin")


class ZoneRow(Row):
    """A named polygon in one camera's view; `points` are [x, y] pairs, 0-1.

    `schedule`: when it is looked at (empty: always); `permitted`: when what happens there is allowed.
    """

    __tablename__ = "zones"
    __table_args__ = (UniqueConstraint("camera_id", "name"),)
    id: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=True)
    camera_id: Mapped[str] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(128))
    points: Mapped[list[Any]]
    schedule: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    permitted: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")


class TaskRow(Row):
    """What to look for at one camera: a kind, in a zone or in the whole picture (`zone_name` empty)."""

    __tablename__ = "tasks"
    __table_args__ = (UniqueConstraint("camera_id", "kind", "zone_name"),)
    id: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=True)
    camera_id: Mapped[str] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(64))
    zone_name: Mapped[str] = mapped_column(String(128), default="")
    dwell_s: Mapped[float | None]


class NoticeRow(Row):
    """Cameras that went into the same trouble together, and what they have in common."""

    __tablename__ = "notices"
    __table_args__ = (Index("ix_notices_ended_at", "ended_at"), Index("ix_notices_began_at", "began_at"))
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    trouble: Mapped[str] = mapped_column(String(16))
    cause_kind: Mapped[str] = mapped_column(String(16))
    cause: Mapped[str]
    cause_name: Mapped[str]
    began_at: Mapped[datetime]
    joined_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class NoticeCameraRow(Row):
    """A camera of a notice: since when it is in trouble, when it came back, how often it has been in it."""

    __tablename__ = "notice_cameras"
    notice_id: Mapped[str] = mapped_column(ForeignKey("notices.id", ondelete="CASCADE"), primary_key=True)
    camera_id: Mapped[str] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"), primary_key=True)
    since: Mapped[datetime]
    back_at: Mapped[datetime | None]
    times: Mapped[int]


class SensorRow(Row):
    """A sensor, and what it last said. While it is in maintenance (`maintenance_until`) its alarms are set aside.

    `said`: what its worker told of its presence, of which (with silence, and the gateway's) the hub makes `state`.
    `topics`: what is listened to for this device alone, as its discovery announced it. `gateway` is what somebody
    registered, `heard_by` the gateways that heard its newest message, as that said.
    """

    __tablename__ = "sensors"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str]
    device: Mapped[str] = mapped_column(String(128), unique=True)
    profile: Mapped[str] = mapped_column(String(64))
    every_s: Mapped[float]
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    address: Mapped[str] = mapped_column(default="")
    grid_id: Mapped[str | None] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16), default="unknown")
    last_seen: Mapped[datetime | None]
    values: Mapped[dict[str, Any]] = mapped_column(default=dict)
    said: Mapped[str] = mapped_column(String(16), default="")
    topics: Mapped[list[Any]] = mapped_column(default=list)
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    gateway: Mapped[str] = mapped_column(String(128), default="")
    heard_by: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    asset: Mapped[str] = mapped_column(String(17), default="")
    installed_on: Mapped[str] = mapped_column(String(10), default="")
    maintenance_since: Mapped[datetime | None]
    maintenance_until: Mapped[datetime | None]
    maintenance_note: Mapped[str] = mapped_column(default="")
    level: Mapped[str] = mapped_column(String(16), default="")
    battery: Mapped[dict[str, Any] | None] = mapped_column(json_type())
    ailments: Mapped[list[Any]] = mapped_column(default=list)


# --- findings and alerts ----------------------------------------------------------------------------------------------


class FindingRow(Row):
    """Each finding that was taken in, by its idempotency key, and what became of it."""

    __tablename__ = "findings"
    __table_args__ = (Index("ix_findings_outcome_received_at", "outcome", "received_at"),)
    id: Mapped[str] = mapped_column(String(128), primary_key=True)
    place: Mapped[str]
    at: Mapped[datetime]
    received_at: Mapped[datetime] = mapped_column(index=True)
    outcome: Mapped[str] = mapped_column(String(16))
    alert_id: Mapped[str | None] = mapped_column(ForeignKey("alerts.id"), index=True)
    case_id: Mapped[str | None] = mapped_column(String(32))
    wire: Mapped[dict[str, Any]]


class AlertRow(Row):
    """One problem at one place.

    `open_key` is the place while the problem is open: until a verdict rejects it, it expires, or its case ends. Its
    unique constraint is what makes one problem one alert. A claim is renewed (`claimed_at`) while its holder looks on
    (`claimed_since`); `decided_ms`: how long the decider had it on the screen, None where he never claimed it.
    `beside`: what linked sensors (of a camera's alert) or cameras (of a sensor's) show; `agreed`: one of them shows the
    same problem.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        Index("ix_alerts_state_urgent_agreed_opened_at_id", "state", "urgent", "agreed", "opened_at", "id"),
        Index("ix_alerts_opened_at_id", "opened_at", "id"),
        Index("ix_alerts_camera_id_kind_state", "camera_id", "kind", "state"),
        Index("ix_alerts_place_ended_at", "place", "ended_at"),
        Index("ix_alerts_kind_opened_at_id", "kind", "opened_at", "id"),
        Index("ix_alerts_state_opened_at_id", "state", "opened_at", "id"),
        Index("ix_alerts_camera_id_opened_at_id", "camera_id", "opened_at", "id"),
        Index("ix_alerts_sensor_id_opened_at_id", "sensor_id", "opened_at", "id"),
        Index("ix_alerts_sensor_id_kind_state", "sensor_id", "kind", "state"),
        Index("ix_alerts_decided_at_state", "decided_at", "state"),
        Index("ix_alerts_case_id", "case_id"),
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    open_key: Mapped[str | None] = mapped_column(unique=True)
    place: Mapped[str]
    state: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(64))
    urgent: Mapped[bool]
    camera_id: Mapped[str | None] = mapped_column(ForeignKey("cameras.id"))
    sensor_id: Mapped[str | None] = mapped_column(ForeignKey("sensors.id"))
    source_name: Mapped[str]
    preset: Mapped[str | None]
    zone: Mapped[str | None]
    zone_points: Mapped[list[Any] | None] = mapped_column(json_type())
    address: Mapped[str]
    grid_id: Mapped[str | None] = mapped_column(String(64))
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    since: Mapped[datetime]
    opened_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    count: Mapped[int]
    score: Mapped[float]
    boxes: Mapped[list[Any]]
    readings: Mapped[list[Any]]
    why: Mapped[str]
    why_en: Mapped[str] = mapped_column(default="")
    beside: Mapped[list[Any]] = mapped_column(default=list)
    agreed: Mapped[bool] = mapped_column(default=False)
    model: Mapped[dict[str, Any] | None] = mapped_column(json_type())
    rule_version: Mapped[str] = mapped_column(String(32))
    review_due_at: Mapped[datetime]
    claimed_by: Mapped[str | None] = mapped_column(String(64))
    claimed_at: Mapped[datetime | None]
    claimed_since: Mapped[datetime | None]
    postponed_until: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decided_at: Mapped[datetime | None]
    decision: Mapped[str | None] = mapped_column(String(16))
    decided_ms: Mapped[int | None]
    reason: Mapped[str | None] = mapped_column(String(32))
    note: Mapped[str] = mapped_column(default="")
    ended_at: Mapped[datetime | None]
    case_id: Mapped[str | None] = mapped_column(String(32))


class HandoverRow(Row):
    """What a member of staff left to the next shift: a note, what the shift did, what was open; who took it over."""

    __tablename__ = "handovers"
    __table_args__ = (Index("ix_handovers_at", "at"), Index("ix_handovers_by_at", "by", "at"))
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(64))
    note: Mapped[str]
    figures: Mapped[dict[str, Any]]
    taken_by: Mapped[str | None] = mapped_column(String(64))
    taken_at: Mapped[datetime | None]


class EvidenceRow(Row):
    """A picture or clip in the content-addressed store.

    `due_at`: when to look whether it is still wanted, or, once purged, when to delete its file; None: never (a letter
    or whistle uses it, or the file is gone). `purged_at`: since when it is not kept any more; the row stays to say so.
    """

    __tablename__ = "evidence"
    __table_args__ = (Index("ix_evidence_due_at", "due_at"),)
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    media_type: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    stored_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    purged_at: Mapped[datetime | None]


class RetentionRow(Row):
    """A period that the administrator set in place of hub.yaml's; `days` None: until somebody sets one."""

    __tablename__ = "retention"
    what: Mapped[str] = mapped_column(String(32), primary_key=True)
    days: Mapped[int | None]
    by: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]


class AttachmentRow(Row):
    """Which alert or case a piece of evidence belongs to, in which role; of a photo also its type (domain.md §3.3)."""

    __tablename__ = "attachments"
    __table_args__ = (
        UniqueConstraint("alert_id", "role", "sha256"),
        Index("ix_attachments_case_id_id", "case_id", "id"),
        Index("ix_attachments_sha256", "sha256"),
    )
    id: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=True)
    sha256: Mapped[str] = mapped_column(ForeignKey("evidence.sha256"))
    alert_id: Mapped[str | None] = mapped_column(ForeignKey("alerts.id"))
    case_id: Mapped[str | None] = mapped_column(String(32))
    role: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime]
    photo_type: Mapped[str | None] = mapped_column(String(16))
    by: Mapped[str | None] = mapped_column(String(64))
    lon: Mapped[float | None]
    lat: Mapped[float | None]


# --- what leaves the house, and what is remembered --------------------------------------------------------------------


class DeliveryRow(Row):
    """One event on its way to one webhook."""

    __tablename__ = "outbox"
    __table_args__ = (UniqueConstraint("event_id", "url"), Index("ix_outbox_state_next_at", "state", "next_at"))
    id: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=True)
    event_id: Mapped[str] = mapped_column(String(32))
    url: Mapped[str]
    type: Mapped[str] = mapped_column(String(64))
    body: Mapped[str]
    created_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime]
    last_error: Mapped[str] = mapped_column(default="")


class EndpointRow(Row):
    """A webhook that asked not to be called again (410 Gone)."""

    __tablename__ = "endpoints"
    url: Mapped[str] = mapped_column(String(2000), primary_key=True)
    disabled_at: Mapped[datetime]
    reason: Mapped[str]


class AuditRow(Row):
    """Who did what: each entry holds the hash of the one before."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_at_seq", "at", "seq"),
        Index("ix_audit_by_seq", "by", "seq"),
        Index("ix_audit_action_seq", "action", "seq", postgresql_ops={"action": "varchar_pattern_ops"}),
        Index("ix_audit_subject_seq", "subject", "seq", postgresql_ops={"subject": "varchar_pattern_ops"}),
    )
    seq: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str]
    detail: Mapped[dict[str, Any]]
    prev_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class CounterRow(Row):
    """Named sequences (a day's case numbers) and the head of the audit chain; locked by who moves them."""

    __tablename__ = "counters"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[int] = mapped_column(BIG)
    text: Mapped[str] = mapped_column(default="")
