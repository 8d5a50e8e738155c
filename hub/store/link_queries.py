"""Links between sensors and cameras, and looks that alarms ask for: what is asked of the database."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from .counting import insert_if_new, insert_new
from .device_rows import LinkRow, SightRow
from .rows import AlertRow, SensorRow


def link(tx: Session, sensor_id: str, camera_id: str) -> LinkRow | None:
    """The link between the two."""
    return tx.get(LinkRow, (sensor_id, camera_id))


def links(tx: Session, state: str | None, sensor: str | None, camera: str | None, most: int) -> list[LinkRow]:
    """By sensor, the nearest camera first."""
    query = select(LinkRow)
    for column, value in ((LinkRow.state, state), (LinkRow.sensor_id, sensor), (LinkRow.camera_id, camera)):
        if value is not None:
            query = query.where(column == value)
    return list(tx.scalars(query.order_by(LinkRow.sensor_id, LinkRow.distance_m).limit(most)))


def counts(tx: Session) -> dict[str, int]:
    """Links by state."""
    return dict(tx.execute(select(LinkRow.state, func.count()).group_by(LinkRow.state)).all())


def propose(tx: Session, rows: list[dict[str, Any]]) -> int:
    """Add those that are new; what somebody has decided stays decided."""
    return insert_new(tx, LinkRow, list(rows), "sensor_id", "camera_id")


def cameras_of(tx: Session, sensor_id: str, most: int) -> list[LinkRow]:
    """Confirmed links of a sensor, the nearest first."""
    query = select(LinkRow).where(LinkRow.sensor_id == sensor_id, LinkRow.state == "confirmed")
    return list(tx.scalars(query.order_by(LinkRow.distance_m).limit(most)))


def sensors_of(tx: Session, camera_id: str, most: int) -> list[tuple[LinkRow, SensorRow]]:
    """Sensors that a camera sees, by confirmed links, the nearest first."""
    query = (
        select(LinkRow, SensorRow)
        .join(SensorRow, SensorRow.id == LinkRow.sensor_id)
        .where(LinkRow.camera_id == camera_id, LinkRow.state == "confirmed")
        .order_by(LinkRow.distance_m)
        .limit(most)
    )
    return [(row[0], row[1]) for row in tx.execute(query)]


def open_alerts_of(tx: Session, kinds: Collection[str], camera: str | None, sensors: Collection[str]) -> list[AlertRow]:
    """Open problems of `kinds` at the camera, or at one of the sensors, locked.

    Those that somebody else holds just now are passed over: two that meet would wait for each other.
    """
    query = select(AlertRow).where(AlertRow.open_key.is_not(None), AlertRow.kind.in_(kinds))
    query = query.where(AlertRow.camera_id == camera) if camera else query.where(AlertRow.sensor_id.in_(sensors))
    query = query.order_by(AlertRow.id).with_for_update(skip_locked=True)
    return list(tx.scalars(query.execution_options(populate_existing=True)))


def want_sight(tx: Session, values: dict[str, Any]) -> bool:
    """Ask for a look; False where the alert asked that camera already."""
    return insert_if_new(tx, SightRow, values, "alert_id", "camera_id")


def sight(tx: Session, sight_id: str, *, lock: bool = False) -> SightRow | None:
    """The look that was asked for."""
    query = select(SightRow).where(SightRow.id == sight_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return tx.scalars(query).first()


def sights_wanted(tx: Session) -> list[tuple[SightRow, str]]:
    """(look, kind of its alert) for every look that nobody has taken."""
    query = select(SightRow, AlertRow.kind).join(AlertRow, AlertRow.id == SightRow.alert_id)
    return [(row[0], row[1]) for row in tx.execute(query.where(SightRow.state == "wanted"))]


def give_up_sights(tx: Session, before: datetime) -> list[SightRow]:
    """Looks that were asked for before then and that nobody could take; they are wanted no more."""
    rows = list(tx.scalars(select(SightRow).where(SightRow.state == "wanted", SightRow.created_at < before)))
    for row in rows:
        row.state = "missed"
    return rows
