"""Maintenance of sensors: while somebody works on one, its alarms are set aside, where they can be seen."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from .errors import Invalid, NotFound
from .house import Actor, House
from .registry import sensor_json
from .store import alert_queries, device_queries
from .wire import Names, time_text

LONGEST = timedelta(days=30)
"""Maintenance always ends by itself: a forgotten one would hide a real alarm for ever."""
SET_ASIDE = "set_aside"


def begin(house: House, actor: Actor, sensor_id: str, until: datetime, note: str) -> dict[str, Any]:
    """Begin, lengthen or shorten it. Raises NotFound, Invalid (an end that is past, or too far)."""
    now = house.now()
    if not now < until <= now + LONGEST:
        raise Invalid("until", until.isoformat(), f"a time within {LONGEST.days} days from now")
    return _set(house, actor, sensor_id, until, note, "maintenance-begun")


def end(house: House, actor: Actor, sensor_id: str) -> dict[str, Any]:
    """It is done: alarms count again from now on. Raises NotFound."""
    return _set(house, actor, sensor_id, None, "", "maintenance-ended")


def _set(house: House, actor: Actor, sensor_id: str, until: datetime | None, note: str, action: str) -> dict[str, Any]:
    with house.db.write() as tx:
        row = device_queries.sensor(tx, sensor_id)
        if row is None:
            raise NotFound("sensor", sensor_id)
        now = house.now()
        if until is None or not is_on(row.maintenance_until, now):
            row.maintenance_since = now if until else None
        row.maintenance_until, row.maintenance_note = until, note
        tx.audit(now, actor.id, action, f"sensor/{sensor_id}", until=time_text(until), note=note)
        tx.flush()
        shown = sensor_json(row, Names.of(tx))
        tx.after(partial(house.feed.publish, "sensor", shown))
        return shown


def is_on(until: datetime | None, at: datetime) -> bool:
    """Whether something that happened at `at` belongs to the maintenance that lasts until then."""
    return until is not None and at < until


def set_aside(house: House, sensor_id: str | None, most: int) -> list[dict[str, Any]]:
    """Alarms that came during maintenance, the newest first: {id, sensor, kind, at, why, why_en, readings}."""
    with house.db.read() as tx:
        begins = f"sensor/{sensor_id}|" if sensor_id else "sensor/"
        found = alert_queries.findings_with(tx, SET_ASIDE, begins, most)
        # Findings lie in no grid themselves: the sensors that may be seen say which of them may.
        seen = {row.id for row in device_queries.sensors_of(tx, {row.wire["source"]["sensor"] for row in found})}
        rows = [row for row in found if row.wire["source"]["sensor"] in seen]
        return [
            {
                "id": row.id,
                "sensor": row.wire["source"]["sensor"],
                "kind": row.wire["kind"],
                "kind_name": house.rules.name_of(row.wire["kind"]),
                "at": time_text(row.at),
                "why": row.wire.get("why", ""),
                "why_en": row.wire.get("why_en", ""),
                "readings": row.wire.get("readings", []),
            }
            for row in rows
        ]
