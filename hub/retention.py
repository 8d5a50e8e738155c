"""How long what is kept, and how much there is; None: no end is set."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from . import album, notices, people, periods, quarantine, sensor_notices
from .house import House
from .periods import PERIODS
from .store import alert_queries, chain
from .store import retention_queries as ask
from .store.rows import RetentionRow
from .wire import Names

DELIVERIES = timedelta(days=30)


def kept(house: House) -> list[dict[str, Any]]:
    """One for each thing that is kept, as `Kept` in api/shown.py says."""
    with house.db.read() as tx:
        pictures, size = alert_queries.evidence_kept(tx)
        entries, names, rows = chain.length(tx), Names.of(tx), ask.periods(tx)
    return [
        _row("evidence", None, count=pictures, size=size),
        *(_set(house, what, rows.get(what), names) for what in PERIODS),
        _row("audit", None, count=entries),
        _row("looks", album.KEPT_FOR.total_seconds() / 86400),
        _row("device_events", quarantine.EVENTS_KEPT.days),
        _row("camera_notices", notices.FORGOTTEN.days),
        _row("sensor_notices", sensor_notices.FORGOTTEN.days),
        _row("deliveries", DELIVERIES.days),
        _row("sessions", people.SESSION_LASTS.total_seconds() / 86400),
    ]


def _set(house: House, what: str, row: RetentionRow | None, names: Names) -> dict[str, Any]:
    period, default = PERIODS[what], periods.default(house, what)
    return {
        **_row(what, default if row is None else row.days),
        "key": period.key,
        "least": period.least,
        "most": period.most,
        "endless": period.endless,
        "default": default,
        "set_by": names.person(row.by) if row else None,
        "set_at": row.at.isoformat() if row else None,
    }


def _row(what: str, days: float | None, count: int | None = None, size: int | None = None) -> dict[str, Any]:
    return {"what": what, "days": days, "count": count, "bytes": size, "key": None}
