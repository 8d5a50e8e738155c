"""How devices are, as their workers say: changes are written at once, in one statement, and told to the screens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from .house import House
from .registry import camera_json, sensor_json
from .store import Transaction
from .store import device_queries as ask
from .store.device_queries import SensorTold, Told
from .wire import Names, time_text

MOST_WHOLE = 20
"""More cameras than this that change at once are told to the screens together, and only what changed of them."""
_PART = 500
OVERDUE_LEAST_S = 90.0
"""A camera is not called unseen before this, however short its interval."""
_UNSEEN = {"code": "unseen", "values": {}}


@dataclass(frozen=True, slots=True)
class Report:
    """What a worker says: of all its devices (`full`), or of those that changed since its last report.

    `cameras` as {id, state, since, message, why, via, resolution} and, in the older form, `last_look_at` and
    `attained_s`, which have a list of their own in `looks`. `first`: the worker has just been started.
    """

    worker: str
    session: str
    full: bool
    first: bool
    cameras: list[dict[str, Any]]
    sensors: list[dict[str, Any]]
    looks: list[dict[str, Any]]


def take(house: House, report: Report) -> bool:
    """Keep it; whether the worker should tell everything with its next report. Unknown devices are passed over."""
    looks = report.looks + [c for c in report.cameras if c.get("last_look_at") is not None]
    if report.cameras or report.sensors or looks:
        with house.db.write() as tx:
            _take_cameras(tx, house, report)
            _take_sensors(tx, house, report.sensors)
            ask.set_looks(tx, looks)
            if report.looks:
                tx.after(partial(_tell_looks, house, report.looks))
    tally = house.tally
    if report.full:
        tally.sessions[report.worker] = report.session
        tally.unsure.difference_update(c["id"] for c in report.cameras)
        return False
    unsure = not tally.unsure.isdisjoint(look["id"] for look in report.looks)
    return unsure or tally.sessions.get(report.worker) != report.session


def _take_cameras(tx: Transaction, house: House, report: Report) -> None:
    if not report.cameras:
        return
    before = ask.told_of(tx, [c["id"] for c in report.cameras])
    changes = [c for camera in report.cameras if (c := _change(before, camera, report.first)) is not None]
    ask.set_camera_states(tx, changes)
    if len(changes) <= MOST_WHOLE:
        ids = {c["id"] for c in changes}
        names, zones = (Names.of(tx), ask.zones_by_camera(tx)) if ids else (None, {})
        for row in ask.cameras_of(tx, ids):
            assert names is not None
            tx.after(partial(house.feed.publish, "camera", camera_json(row, names, zones.get(row.id, {}))))
        return
    for start in range(0, len(changes), _PART):
        items = [{**change, "since": time_text(change["since"])} for change in changes[start : start + _PART]]
        tx.after(partial(house.feed.publish, "cameras", {"items": items}))


def _change(before: Mapping[str, Told], camera: Mapping[str, Any], first: bool) -> dict[str, Any] | None:
    """What is to be written of a camera; None where nothing changed, or nobody knows it."""
    known = before.get(camera["id"])
    if known is None:
        return None
    since = camera["since"]
    if first and known.state == camera["state"] and known.since is not None:
        since = known.since  # the worker is new, the camera's trouble is not
    via, resolution = camera.get("via", ""), camera.get("resolution", "")
    told = Told(camera["state"], since, camera["message"], via, resolution, camera.get("why"))
    return None if told == known else {"id": camera["id"], **told._asdict()}


def _take_sensors(tx: Transaction, house: House, sensors: list[dict[str, Any]]) -> None:
    """Keep what is told of sensors that are known. A worker that has heard nothing yet leaves what was known before."""
    heard = [s for s in sensors if s["last_seen"] is not None or s["state"] in _SAID]
    before = ask.sensor_states(tx, [s["id"] for s in heard])
    known = [_told(s, before[s["id"]]) for s in heard if s["id"] in before]
    ask.set_sensor_states(tx, known)
    now = {s["id"]: (s["state"], s["values"], s["level"], s["heard_by"]) for s in known}
    changed = {id_ for id_, was in before.items() if now[id_] != (was.state, was.values, was.level, was.heard_by)}
    if changed:
        names = Names.of(tx)
        for row in ask.sensors_of(tx, changed):
            tx.after(partial(house.feed.publish, "sensor", sensor_json(row, names)))


def take_sensors(house: House, sensors: list[dict[str, Any]]) -> None:
    """Keep what was heard of sensors by the hub itself; as in a worker's report."""
    with house.db.write() as tx:
        _take_sensors(tx, house, sensors)


_SAID = ("offline", "gateway_lost")
"""What a worker may know of a sensor that never measured anything: its broker, or its gateway's, said that it went."""


def _told(said: dict[str, Any], before: SensorTold) -> dict[str, Any]:
    """`sensor_notices.py` decides of silence: what was silent and said nothing new stays so until it looks again."""
    now = said["state"]
    if now not in _SAID:
        quiet = said["last_seen"] == before.last_seen and before.state in ("silent", "gateway_lost")
        now = before.state if quiet else "online"
    return {
        **said,
        "state": now,
        "said": said["state"] if said["state"] in _SAID else "",
        "last_seen": said["last_seen"] or before.last_seen,
        "values": said["values"] or before.values,
        "heard_by": said.get("heard_by") or before.heard_by,
    }


def _tell_looks(house: House, looks: list[dict[str, Any]]) -> None:
    at = max(look["last_look_at"] for look in looks)
    told = {
        "at": time_text(at),
        "ids": [look["id"] for look in looks],
        "ago_ms": [round((at - look["last_look_at"]).total_seconds() * 1000) for look in looks],
        "attained_s": [look["attained_s"] for look in looks],
    }
    house.feed.publish("looks", told, remember=False)


def call_unseen(house: House, now: datetime) -> int:
    """Online means a fresh picture: cameras that nobody has looked at for long are stale, whatever was last said.

    Their worker may be dead, or kept from the hub. How many there were.
    """
    with house.db.read() as tx:
        overdue = [
            look for look in ask.looked(tx) if look.state not in ("offline", "stale", "unknown") and _overdue(look, now)
        ]
        before = ask.told_of(tx, [look.id for look in overdue])
    if not overdue:
        return 0
    said = {"state": "stale", "message": "nobody has looked at it: is its worker running?", "why": _UNSEEN}
    cameras = [
        {**before[look.id]._asdict(), **said, "id": look.id, "since": look.last_look_at}
        for look in overdue
        if look.id in before
    ]
    with house.db.write() as tx:
        _take_cameras(tx, house, Report("", "", False, False, cameras, [], []))
    house.tally.unsure.update(c["id"] for c in cameras)
    return len(cameras)


def _overdue(look: ask.Looked, now: datetime) -> bool:
    if look.last_look_at is None:
        return False
    usual_s = max(look.every_s, look.attained_s or 0.0)
    return now - look.last_look_at > timedelta(seconds=max(OVERDUE_LEAST_S, 6 * usual_s))
