"""Devices that speak and that nobody has registered: kept with their newest message, adopted or ignored by a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from ingest.device import Sensor

from . import rebirths
from .errors import NotFound
from .house import Actor, House
from .registry import Registry
from .store import Transaction, device_queries
from .store import quarantine_queries as ask
from .store.counting import insert_if_new
from .store.device_rows import QuarantineRow
from .wire import time_text

MOST = 2000
"""Devices in quarantine; where more speak, those that have been quiet longest go, and are counted."""
MOST_OVER_HTTP = MOST // 2
"""Of them: those that speak HTTP, where anybody may make up a name. Where more do, one goes of the address that has
most, so that the devices of another address, or of a broker, are not pushed out."""
OVER_HTTP = "HTTP api/v1/***/telemetry from "
"""How the topic of those begins; their address follows."""
PAYLOAD_MOST = 4096
EVENTS_KEPT = timedelta(days=365)
_READINGS_MOST = 50
_ANNOUNCED_MOST = 100


def hear(house: House, strangers: Sequence[Mapping[str, Any]], troubles: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a worker heard: strangers, and what devices said of their health. Which strangers are registered after all.

    A stranger is {device, form, topic, payload, readings, announced, model, at, count}. Nothing of registered devices
    is kept; the readings of strangers are stored as any others, so a device that is adopted has its past.
    """
    strangers, troubles = _storable(strangers), _storable(troubles)
    with house.db.write() as tx:
        known = ask.known(tx, [s["device"] for s in strangers])
        new = any(s["device"] not in known for s in strangers)
        registered = device_queries.with_devices(tx, {s["device"] for s in strangers})
        for stranger in strangers:
            if stranger["device"] not in registered:
                _keep(tx, known, stranger)
        tx.flush()
        _make_room(tx, house)
        rows = [{"device": t["device"], "code": t["code"], "text": t["text"], "at": t["at"]} for t in troubles]
        house.tally.add("device_events", by=ask.add_events(tx, rows))
        if new:
            waiting = ask.count(tx, ignored=False)
            tx.after(partial(house.feed.publish, "quarantine", {"waiting": waiting}))
    return sorted(registered)


def _storable(said: Any) -> Any:
    """With NULs, which PostgreSQL keeps in no text, as `\\x00`: binary payloads (Sparkplug's) are full of them."""
    if isinstance(said, str):
        return said.replace("\0", "\\x00")
    if isinstance(said, Mapping):
        return {name: _storable(value) for name, value in said.items()}
    return [_storable(one) for one in said] if isinstance(said, list | tuple) else said


def _keep(tx: Transaction, known: dict[str, QuarantineRow], said: Mapping[str, Any]) -> None:
    row = known.get(said["device"])
    if row is None:
        values = {
            "device": said["device"], "first_seen": said["at"], "last_seen": said["at"], "count": 0, "ignored": False,
            "readings": [], "announced": [], "form": said["form"], "topic": said["topic"], "payload": "", "model": "",
        }  # fmt: skip
        # Another worker, or the device itself over HTTP, may tell of it at the same instant.
        insert_if_new(tx, QuarantineRow, values, "device")
        row = ask.stranger(tx, said["device"])
        assert row is not None
        known[said["device"]] = row
    row.count += said["count"]
    if said["at"] >= row.last_seen and said["payload"]:
        row.form, row.topic, row.payload = said["form"], said["topic"], said["payload"][:PAYLOAD_MOST]
        row.last_seen = said["at"]
    by_name = {(r["prop"], r.get("channel", "")): r for r in (*row.readings, *said["readings"])}
    row.readings = list(by_name.values())[-_READINGS_MOST:]
    announced = {(a["prop"], a["state_topic"]): a for a in (*row.announced, *said["announced"])}
    row.announced = list(announced.values())[-_ANNOUNCED_MOST:]
    row.model = said["model"] or row.model
    tx.add(row)


def _make_room(tx: Transaction, house: House) -> None:
    for _ in range(ask.count(tx, ignored=False, topics=OVER_HTTP) - MOST_OVER_HTTP):
        _remove(tx, house, ask.oldest(tx, 1, topic=ask.commonest_topic(tx, OVER_HTTP)))
    _remove(tx, house, ask.oldest(tx, max(0, ask.count(tx) - MOST)))


def _remove(tx: Transaction, house: House, rows: Sequence[QuarantineRow]) -> None:
    for row in rows:
        tx.delete(row)
        house.tally.add("dropped", "quarantine_full")
    tx.flush()


def listed(house: House, ignored: bool, most: int) -> dict[str, Any]:
    """{items, total}: those that spoke last come first; `suggested`: the profile that fits; `every_s`: if announced."""
    with house.db.read() as tx:
        rows = ask.strangers(tx, ignored, most)
        return {"items": [_json(house, row) for row in rows], "total": ask.count(tx, ignored)}


def read(house: House, device: str) -> dict[str, Any]:
    """One device. Raises NotFound."""
    with house.db.read() as tx:
        return _json(house, _row(tx, device))


def _row(tx: Transaction, device: str) -> QuarantineRow:
    row = ask.stranger(tx, device)
    if row is None:
        raise NotFound("device in quarantine", device)
    return row


def ignore(house: House, actor: Actor, device: str, ignored: bool) -> dict[str, Any]:
    """Show it no more, or again. Raises NotFound."""
    with house.db.write() as tx:
        row = _row(tx, device)
        row.ignored = ignored
        tx.audit(house.now(), actor.id, "device-ignored" if ignored else "device-shown", f"device/{device}")
        return _json(house, row)


def adopt(house: House, actor: Actor, sensor: Sensor) -> dict[str, Any]:
    """Register the device as `sensor`: its next readings count. Raises NotFound, Taken, Invalid."""
    registry = Registry(house)
    with house.db.write() as tx:
        row = _row(tx, sensor.device)
        made = registry.put_new_sensor(tx, sensor)
        # What a discovery announced lies on topics that no configured filter may cover.
        topics = {t for a in row.announced for t in (a["state_topic"], a.get("availability_topic")) if t}
        made.topics = sorted(topics)
        ask.release(tx, sensor.device)
        tx.change_assignment()
        tx.audit(house.now(), actor.id, "device-adopted", f"sensor/{sensor.id}", device=sensor.device)
        waiting = ask.count(tx, ignored=False)
        tx.after(partial(house.feed.publish, "quarantine", {"waiting": waiting}))
    return registry.sensor(sensor.id)


def forget(house: House) -> None:
    """What devices said of their health a year ago."""
    with house.db.write() as tx:
        ask.forget_events(tx, house.now() - EVENTS_KEPT)


def events(house: House, sensor_id: str, most: int) -> dict[str, Any]:
    """{items, rebirth}: what a sensor's device, or its edge node, said of its health, the newest first, as {code, text,
    at}; `rebirth` see `hub.rebirths`. Raises NotFound.
    """
    with house.db.read() as tx:
        sensor = device_queries.sensor(tx, sensor_id)
        if sensor is None:
            raise NotFound("sensor", sensor_id)
        rows = ask.events(tx, sorted({sensor.device, rebirths.node_of(sensor.device)}), most)
        items = [{"code": r.code, "text": r.text, "at": time_text(r.at)} for r in rows]
        return {"items": items, "rebirth": rebirths.shown(tx, sensor.device)}


def _json(house: House, row: QuarantineRow) -> dict[str, Any]:
    props = {r["prop"] for r in row.readings} | {a["prop"] for a in row.announced}
    return {
        "device": row.device,
        "form": row.form,
        "topic": row.topic,
        "payload": row.payload,
        "readings": row.readings,
        "announced": row.announced,
        "model": row.model,
        "first_seen": time_text(row.first_seen),
        "last_seen": time_text(row.last_seen),
        "count": row.count,
        "ignored": row.ignored,
        "suggested": suggested(house, props),
        "every_s": usual_interval(row.announced),
    }


def usual_interval(announced: Sequence[Mapping[str, Any]]) -> float | None:
    """Seconds between two messages that fit the shortest `expire_after` of a discovery: silence is three of them."""
    ends = [a["expire_after_s"] for a in announced if a.get("expire_after_s")]
    return max(1.0, min(ends) / 3) if ends else None


def suggested(house: House, props: set[str]) -> str | None:
    """The profile most of whose properties are measured; None where none is."""
    best, most = None, 0.0
    for key, stanza in sorted(house.rules.profiles.items()):
        wanted = {rule["prop"] for rule in stanza.get("rules", ())}
        share = len(wanted & props) / len(wanted) if wanted else 0.0
        if share > most:
            best, most = key, share
    return best
