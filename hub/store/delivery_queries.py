"""The outbox: what is asked of the database."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from .rows import DeliveryRow, EndpointRow


def pending_urls(tx: Session) -> set[str]:
    """Webhooks for which something waits."""
    return set(tx.scalars(select(DeliveryRow.url).where(DeliveryRow.state == "pending").distinct()))


def due(tx: Session, url: str, now: datetime, most: int) -> list[DeliveryRow]:
    """Deliveries to the webhook whose time has come, oldest first."""
    query = (
        select(DeliveryRow)
        .where(DeliveryRow.state == "pending", DeliveryRow.next_at <= now, DeliveryRow.url == url)
        .order_by(DeliveryRow.next_at, DeliveryRow.id)
        .limit(most)
    )
    return list(tx.scalars(query))


def next_time(tx: Session, url: str) -> datetime | None:
    """When the next delivery to the webhook is due."""
    waits = (DeliveryRow.state == "pending", DeliveryRow.url == url)
    return tx.scalar(select(func.min(DeliveryRow.next_at)).where(*waits))


def disabled(tx: Session) -> set[str]:
    """Webhooks that are not called any more."""
    return set(tx.scalars(select(EndpointRow.url)))


def of_url(tx: Session, url: str) -> list[DeliveryRow]:
    """What still waits for one webhook."""
    return list(tx.scalars(select(DeliveryRow).where(DeliveryRow.url == url, DeliveryRow.state == "pending")))


def counts_by_state(tx: Session) -> dict[str, int]:
    """Deliveries by state."""
    return dict(tx.execute(select(DeliveryRow.state, func.count()).group_by(DeliveryRow.state)).all())


def forget_sent(tx: Session, before: datetime) -> None:
    """Delete what arrived before then."""
    tx.execute(delete(DeliveryRow).where(DeliveryRow.state == "sent", DeliveryRow.next_at < before))
