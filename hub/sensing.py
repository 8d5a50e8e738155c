"""Sensors that speak HTTP to the hub itself (ThingsBoard's device API): decoded, judged, stored, as a worker would.

A token names its device, whose id is a hash of it: a token is never stored or shown. One that nobody has registered is
refused, and its device waits in quarantine.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from detectors.finding import Finding
from ingest.device import Place, Sensor
from ingest.reading import Reading
from ingest.sensors.decode import Decoders
from ingest.sensors.decode.thingsboard import device_of
from ingest.sensors.plausible import can_be

from . import alerts, device_states, quarantine, readings
from .batch import microseconds
from .brake import Allowance, place_of
from .errors import NotFound, NotSignedIn, TooOften
from .house import House
from .readings import AHEAD_MOST
from .store import device_queries, mapping_queries
from .store.readings import newest as newest_readings
from .store.readings import series_of
from .store.rows import SensorRow
from .worker.hearing import BURST_S

log = logging.getLogger("hub.sensing")

_FORM = "thingsboard"
_LOCK = threading.Lock()
"""One message at a time goes through the rules: a sensor's state must not move under another of its messages."""


class Door:
    """How often may be sent. Whose token nobody registered is counted by his address, a registered device by itself:
    it may send as much for long as any other, and what is more is refused whole, for the device to send again.
    """

    def __init__(self) -> None:
        self.strangers = Allowance(most=120, per_s=1)
        self.devices = Allowance(most=BURST_S, per_s=1)
        """In seconds' worth of `device_readings_per_s`."""

    def stranger(self, house: House, address: str) -> None:
        """A message with a token that nobody registered. Raises TooOften."""
        if wait_s := self.strangers.take(place_of(address), house.now()):
            house.tally.add("dropped", "telemetry")
            raise TooOften("too many messages with unknown tokens from this address", wait_s)

    def readings(self, house: House, device: str, count: int) -> None:
        """So many readings of a registered device. Raises TooOften."""
        per_s = house.settings.device_readings_per_s
        if per_s and (wait_s := self.devices.take(device, house.now(), count / per_s)):
            raise TooOften(f"this device may send {per_s:g} readings a second", wait_s)


def take(house: House, door: Door, token: str, payload: bytes, address: str) -> dict[str, int]:
    """{stored, duplicates} of a telemetry message, without what no sensor can measure.

    Raises PayloadError, NotSignedIn (nobody registered the device), TooOften.
    """
    now, device = house.now(), device_of(token)
    known = _registered(house, device) is not None
    if not known:
        door.stranger(house, address)
    told = Decoders().decode(_FORM, f"api/v1/{token}/telemetry", payload, now)
    found = [one for one in told if isinstance(one, Reading) and can_be(one.prop, one.unit, one.value)]
    if not found:
        return {"stored": 0, "duplicates": 0}
    if known:
        door.readings(house, device, len(found))
        with _LOCK:
            if (row := _registered(house, device)) is not None:
                return _judge(house, row, found)
    quarantine.hear(house, [_stranger(found, payload, now, address)], [])
    raise NotSignedIn("this token is of no registered sensor; an engineer finds its device in quarantine")


def _registered(house: House, device: str) -> SensorRow | None:
    with house.db.read() as tx:
        return device_queries.sensor_with_device(tx, device)


def _judge(house: House, row: SensorRow, found: Sequence[Reading]) -> dict[str, int]:
    """Findings first: they are known by their ids, so a message sent again after a crash opens nothing twice."""
    sensor, rules = sensor_of(row), house.rules.sensing
    with house.db.read() as tx:
        state = mapping_queries.rule_state(tx, row.id)
    findings: list[Finding] = []
    for reading in sorted(found, key=lambda r: r.observed_at):
        state, more = rules.evaluate(sensor, reading, state)
        findings += more
    for finding in findings:
        alerts.take_finding(house, finding, {})
    stored = readings.store_readings(house, [_stored(r) for r in found])
    with house.db.write() as tx:
        mapping_queries.keep_rule_state(tx, row.id, state)
    newest = max(found, key=lambda r: r.observed_at)
    seen = max(newest.observed_at, row.last_seen or newest.observed_at)
    said = {
        "id": row.id,
        "state": "online",
        "last_seen": seen,
        "values": _values(house, row, found),
        "level": state.get("level", ""),
        "battery": state.get("battery"),
        "ailments": [a.to_wire() for a in rules.ailments(sensor, state)],
    }
    device_states.take_sensors(house, [said])
    return stored


def _values(house: House, row: SensorRow, found: Sequence[Reading]) -> dict[str, float]:
    """The newest value of each property: what was kept while the network was away comes after what is newer."""
    told = {r.prop: r for r in sorted(found, key=lambda r: r.observed_at)}
    seen, until_us = row.last_seen, microseconds(house.now() + AHEAD_MOST)
    late = [r for r in told.values() if seen is not None and r.observed_at < seen and r.prop in row.values]
    with house.db.read() as tx:
        numbers: dict[str, list[int]] = {}
        for series in series_of(tx, row.device) if late else ():
            numbers.setdefault(series.prop, []).append(series.id)
        for r in late:
            if newest_readings(tx, numbers.get(r.prop, []), microseconds(r.observed_at) + 1, until_us, 1):
                del told[r.prop]
    return dict(row.values) | {r.prop: r.value for r in told.values()}


def tick(house: House, now: datetime) -> int:
    """What time alone does to sensors that speak HTTP; how many findings that gave."""
    with _LOCK:
        with house.db.read() as tx:
            states = mapping_queries.rule_states(tx)
            due = {k: s for k, s in states.items() if (s.get("due_s") or now.timestamp() + 1) <= now.timestamp()}
            rows = device_queries.sensors_of(tx, due) if due else []
        count = 0
        for row in rows:
            state, findings = house.rules.sensing.tick(sensor_of(row), due[row.id], now)
            for finding in findings:
                alerts.take_finding(house, finding, {})
            with house.db.write() as tx:
                mapping_queries.keep_rule_state(tx, row.id, state)
            count += len(findings)
        return count


def limits(house: House, sensor_id: str) -> dict[str, dict[str, float]]:
    """By property: the points at which a sensor's rules warn and alarm now, to be drawn. Raises NotFound."""
    with house.db.read() as tx:
        row = device_queries.sensor(tx, sensor_id)
        if row is None:
            raise NotFound("sensor", sensor_id)
    known = house.rules.sensing.profile(row.profile) is not None
    return house.rules.sensing.limits(sensor_of(row), house.now()) if known else {}


def sensor_of(row: SensorRow) -> Sensor:
    """A row as the rules know it."""
    place = Place(row.lon, row.lat, row.address) if row.lon is not None and row.lat is not None else None
    settings = tuple(sorted((name, float(value)) for name, value in row.settings.items()))
    return Sensor(row.id, row.name, row.device, row.profile, row.every_s, place, settings, row.gateway)


def _stored(reading: Reading) -> dict[str, Any]:
    return {
        "device": reading.device,
        "prop": reading.prop,
        "value": reading.value,
        "unit": reading.unit,
        "observed_at": reading.observed_at,
        "received_at": reading.received_at,
        "key": reading.key,
        "quality": reading.quality.value,
        "battery_pct": reading.battery_pct,
        "rssi_dbm": reading.rssi_dbm,
        "source_format": reading.source_format,
    }


def _stranger(found: Sequence[Reading], payload: bytes, now: datetime, address: str) -> dict[str, Any]:
    shown = [
        {"prop": r.prop, "channel": r.channel, "value": r.value, "unit": r.unit, "at": r.observed_at.isoformat()}
        for r in found
    ]
    return {
        "device": found[0].device,
        "form": _FORM,
        "topic": f"{quarantine.OVER_HTTP}{place_of(address)}",
        "payload": payload.decode("utf-8", "replace"),
        "readings": shown,
        "announced": [],
        "model": "",
        "at": now,
        "count": 1,
    }
