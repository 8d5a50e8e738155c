"""How long what is kept: as set in hub.yaml, or as the hub has it of itself; None: until somebody deletes it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from . import album, notices, people, quarantine, sensor_notices
from .house import House
from .store import alert_queries, chain

DELIVERIES = timedelta(days=30)


def kept(house: House) -> list[dict[str, Any]]:
    """{what, days, key, count, bytes}: `key` of hub.yaml that sets it, where there is one."""
    settings = house.settings
    with house.db.read() as tx:
        pictures, size = alert_queries.evidence_kept(tx)
        entries = chain.length(tx)
    return [
        _row("evidence", None, count=pictures, size=size),
        _row("audit", None, count=entries),
        _row("readings", settings.keep_readings_days, "keep_readings_days"),
        _row("readings_5min", settings.keep_5min_days, "keep_5min_days"),
        _row("readings_1h", settings.keep_1h_days, "keep_1h_days"),
        _row("looks", album.KEPT_FOR.total_seconds() / 86400),
        _row("device_events", quarantine.EVENTS_KEPT.days),
        _row("camera_notices", notices.FORGOTTEN.days),
        _row("sensor_notices", sensor_notices.FORGOTTEN.days),
        _row("deliveries", DELIVERIES.days),
        _row("sessions", people.SESSION_LASTS.total_seconds() / 86400),
    ]


def _row(
    what: str, days: float | None, key: str | None = None, count: int | None = None, size: int | None = None
) -> dict[str, Any]:
    return {"what": what, "days": days, "key": key, "count": count, "bytes": size}
