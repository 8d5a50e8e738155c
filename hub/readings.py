"""Sensor readings: stored once each, of known and unknown devices, and shown as a line over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from .errors import NotFound
from .house import House
from .store import device_queries as ask
from .wire import time_text

KEPT = timedelta(days=30)
SHOWN_MOST = 5000


def store_readings(house: House, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """{stored, duplicates}; a row is the columns of the readings table. On disk before this returns."""
    with house.db.write() as tx:
        stored = ask.add_readings(tx, [dict(row) for row in rows])
    house.tally.add("readings", by=stored)
    house.tally.add("reading_duplicates", by=len(rows) - stored)
    return {"stored": stored, "duplicates": len(rows) - stored}


def of_sensor(house: House, sensor_id: str, hours: float) -> dict[str, Any]:
    """{sensor, items: [{prop, value, unit, observed_at, quality}]}, oldest first. Raises NotFound."""
    with house.db.read() as tx:
        sensor = ask.sensor(tx, sensor_id)
        if sensor is None:
            raise NotFound("sensor", sensor_id)
        rows = ask.readings(tx, sensor.device, house.now() - timedelta(hours=hours), SHOWN_MOST)
        items = [
            {
                "prop": r.prop,
                "value": r.value,
                "unit": r.unit,
                "observed_at": time_text(r.observed_at),
                "quality": r.quality,
            }
            for r in rows
        ]
    return {"sensor": sensor_id, "items": items}


def forget_old(house: House, most: int = 5000) -> int:
    """Delete readings older than 30 days, at most `most` at a time so that writers wait for milliseconds only."""
    with house.db.write() as tx:
        return ask.forget_readings(tx, house.now() - KEPT, most)
