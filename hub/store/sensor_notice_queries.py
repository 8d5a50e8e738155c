"""Notices about sensors, and what they are made of: what is asked of the database."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from ..domain.sensor_notice import SensorNotice, Trouble
from .device_rows import SensorNoticeRow
from .rows import SensorRow


class Seen(NamedTuple):
    """How one sensor was last heard, and what its rules say of its health."""

    id: str
    device: str
    profile: str
    gateway: str
    every_s: float
    state: str
    said: str
    last_seen: datetime | None
    maintenance_until: datetime | None
    ailments: list[Any]
    heard_by: list[Any]


def seen(tx: Session) -> list[Seen]:
    """Of every sensor."""
    columns = (
        SensorRow.id, SensorRow.device, SensorRow.profile, SensorRow.gateway, SensorRow.every_s, SensorRow.state,
        SensorRow.said, SensorRow.last_seen, SensorRow.maintenance_until, SensorRow.ailments,
        SensorRow.heard_by,
    )  # fmt: skip
    return [Seen(*row) for row in tx.execute(select(*columns).order_by(SensorRow.id))]


def set_states(tx: Session, states: dict[str, str]) -> None:
    """New states by sensor."""
    for sensor, state in sorted(states.items()):
        tx.execute(update(SensorRow).where(SensorRow.id == sensor).values(state=state))


def notices(tx: Session, ended_after: datetime | None, sensor: str | None, most: int) -> list[SensorNotice]:
    """Open ones, and those that ended after then; the newest first."""
    query = select(SensorNoticeRow)
    if ended_after is None:
        query = query.where(SensorNoticeRow.ended_at.is_(None))
    else:
        query = query.where(or_(SensorNoticeRow.ended_at.is_(None), SensorNoticeRow.ended_at > ended_after))
    if sensor is not None:
        query = query.where(SensorNoticeRow.sensor_id == sensor)
    query = query.order_by(SensorNoticeRow.began_at.desc(), SensorNoticeRow.id).limit(most)
    return [_notice(row) for row in tx.scalars(query)]


def open_by_key(tx: Session) -> dict[str, SensorNotice]:
    """All open notices."""
    rows = tx.scalars(select(SensorNoticeRow).where(SensorNoticeRow.open_key.is_not(None)))
    return {row.open_key: _notice(row) for row in rows if row.open_key is not None}


def keep(tx: Session, notice: SensorNotice) -> None:
    """Write a notice down."""
    trouble = notice.trouble
    tx.merge(
        SensorNoticeRow(
            id=notice.id,
            open_key=notice.key if notice.ended_at is None else None,
            code=trouble.code,
            sensor_id=trouble.sensor,
            gateway=trouble.gateway,
            what=trouble.what,
            why=dict(trouble.why),
            children=list(trouble.children),
            began_at=notice.began_at,
            told_at=notice.told_at,
            ended_at=notice.ended_at,
        )
    )


def names(tx: Session) -> dict[str, str]:
    """Names of all sensors."""
    return dict(tx.execute(select(SensorRow.id, SensorRow.name)).all())


def forget(tx: Session, ended_before: datetime) -> None:
    """What ended before then."""
    tx.execute(delete(SensorNoticeRow).where(SensorNoticeRow.ended_at < ended_before))


def _notice(row: SensorNoticeRow) -> SensorNotice:
    trouble = Trouble(
        row.code, row.sensor_id, row.gateway, row.what, dict(row.why), row.began_at, tuple(row.children or ())
    )
    return SensorNotice(row.id, row.open_key or "", trouble, row.began_at, row.told_at, row.ended_at)
