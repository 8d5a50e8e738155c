"""Quarantine, and what devices said of their own health: what is asked of the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from .counting import insert_new
from .device_rows import DeviceEventRow, QuarantineRow, RebirthRow


def stranger(tx: Session, device: str) -> QuarantineRow | None:
    """The device in quarantine."""
    return tx.get(QuarantineRow, device)


def strangers(tx: Session, ignored: bool, most: int) -> list[QuarantineRow]:
    """Those that spoke last come first."""
    query = select(QuarantineRow).where(QuarantineRow.ignored.is_(ignored))
    return list(tx.scalars(query.order_by(QuarantineRow.last_seen.desc(), QuarantineRow.device).limit(most)))


def known(tx: Session, devices: Sequence[str]) -> dict[str, QuarantineRow]:
    """Those of `devices` that are in quarantine."""
    return {row.device: row for row in tx.scalars(select(QuarantineRow).where(QuarantineRow.device.in_(devices)))}


def count(tx: Session, ignored: bool | None = None, topics: str = "") -> int:
    """How many devices are in quarantine, of those whose topic begins with `topics`."""
    query = select(func.count()).select_from(QuarantineRow)
    if topics:
        query = query.where(QuarantineRow.topic.startswith(topics, autoescape=True))
    return tx.scalar(query if ignored is None else query.where(QuarantineRow.ignored.is_(ignored))) or 0


def oldest(tx: Session, most: int, topic: str | None = None) -> list[QuarantineRow]:
    """Those that have been quiet longest (on that topic); ignored ones last, so that they stay ignored."""
    query = select(QuarantineRow).order_by(QuarantineRow.ignored, QuarantineRow.last_seen)
    return list(tx.scalars((query if topic is None else query.where(QuarantineRow.topic == topic)).limit(most)))


def commonest_topic(tx: Session, topics: str) -> str | None:
    """The topic, of those that begin with `topics`, on which most devices are that nobody ignored."""
    row = QuarantineRow
    query = select(row.topic).where(row.ignored.is_(False), row.topic.startswith(topics, autoescape=True))
    return tx.scalar(query.group_by(row.topic).order_by(func.count().desc(), row.topic).limit(1))


def release(tx: Session, device: str) -> None:
    """It is in quarantine no more."""
    tx.execute(delete(QuarantineRow).where(QuarantineRow.device == device))


def add_events(tx: Session, rows: list[dict[str, Any]]) -> int:
    """Keep what devices said of their health; the same said twice is kept once."""
    return insert_new(tx, DeviceEventRow, list(rows), "device", "code", "at")


def events(tx: Session, devices: Sequence[str], most: int, code: str | None = None) -> list[DeviceEventRow]:
    """What some devices said, the newest first."""
    query = select(DeviceEventRow).where(DeviceEventRow.device.in_(devices))
    if code is not None:
        query = query.where(DeviceEventRow.code == code)
    return list(tx.scalars(query.order_by(DeviceEventRow.at.desc(), DeviceEventRow.id.desc()).limit(most)))


def rebirth(tx: Session, node: str, *, lock: bool = False) -> RebirthRow | None:
    """The last time that births were asked of an edge node."""
    query = select(RebirthRow).where(RebirthRow.node == node)
    return tx.scalars(query.with_for_update() if lock else query).first()


def rebirths_unsent(tx: Session, since: datetime) -> list[str]:
    """The edge nodes that no worker has told yet, of those asked after then."""
    query = select(RebirthRow.node).where(RebirthRow.sent_at.is_(None), RebirthRow.asked_at >= since)
    return list(tx.scalars(query.order_by(RebirthRow.node)))


def forget_events(tx: Session, before: datetime) -> None:
    """What was said before then."""
    tx.execute(delete(DeviceEventRow).where(DeviceEventRow.at < before))
