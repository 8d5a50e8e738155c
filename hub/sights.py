"""Sensors and cameras together: an alarm of a sensor asks linked cameras for a look, a camera's finding shows what the
sensors beside it say; where both show the same problem, both alerts come first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from .domain.alert import review_due
from .errors import Invalid, NotFound
from .house import SYSTEM, House
from .learning import tuning
from .store import Transaction, alert_queries, device_queries
from .store import link_queries as ask
from .store.device_rows import LinkRow
from .store.rows import AlertRow, SensorRow
from .wire import alert_json, evidence_url, time_text

CAMERAS_MOST, SENSORS_MOST = 2, 5
PATIENCE = timedelta(minutes=10)
"""A camera that has not looked by then is not waited for."""
ROLE = "beside"
"""Evidence of another device than the one that found the problem."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What a camera saw when a sensor alarmed: `seen` as {kind, score, boxes} of what agrees with the alarm."""

    captured_at: datetime
    seen: Sequence[Mapping[str, Any]]


def consider(tx: Transaction, house: House, alert: AlertRow, *, opened: bool) -> None:
    """Look beside an alert, in the transaction of its finding: ask cameras, show sensors, note agreement."""
    if alert.sensor_id is not None:
        if opened:
            _ask_cameras(tx, house, alert)
        _agree(tx, house, alert, None, [link.camera_id for link in ask.cameras_of(tx, alert.sensor_id, CAMERAS_MOST)])
    elif alert.camera_id is not None:
        beside = ask.sensors_of(tx, alert.camera_id, SENSORS_MOST)
        if opened and beside:
            alert.beside = [_sensor_json(house, alert, link, sensor) for link, sensor in beside]
            if any(item["agrees"] for item in alert.beside):
                _raise(tx, house, alert, next(item["sensor"] for item in alert.beside if item["agrees"]))
        _agree(tx, house, alert, [sensor.id for _, sensor in beside], None)


def _ask_cameras(tx: Transaction, house: House, alert: AlertRow) -> None:
    assert alert.sensor_id is not None
    names = {camera.id: camera.name for camera in device_queries.cameras_of(
        tx, [link.camera_id for link in ask.cameras_of(tx, alert.sensor_id, CAMERAS_MOST)])}  # fmt: skip
    shown = []
    for link in ask.cameras_of(tx, alert.sensor_id, CAMERAS_MOST):
        now = house.now()
        wanted = {
            "id": uuid4().hex,
            "alert_id": alert.id,
            "camera_id": link.camera_id,
            "state": "wanted",
            "not_before": alert.last_seen_at,
            "created_at": now,
            "captured_at": None,
            "sha256": None,
            "seen": [],
        }
        if ask.want_sight(tx, wanted):
            tx.change_assignment()
            name = names.get(link.camera_id, link.camera_id)
            shown.append(_camera_json(link.camera_id, name, link.distance_m, "wanted"))
    alert.beside = shown


def _agree(
    tx: Transaction, house: House, alert: AlertRow, sensors: Sequence[str] | None, cameras: Sequence[str] | None
) -> None:
    """Both alerts come first where a linked device has an open one of an agreeing kind."""
    kinds = house.rules.agreeing(alert.kind)
    others = [other for camera in cameras or () for other in ask.open_alerts_of(tx, kinds, camera, ())]
    others += ask.open_alerts_of(tx, kinds, None, sensors) if sensors else []
    for other in others:
        _raise(tx, house, alert, f"alert/{other.id}")
        if not other.agreed:
            _raise(tx, house, other, f"alert/{alert.id}")
            _mark(other, alert)
        _mark(alert, other)


def _raise(tx: Transaction, house: House, alert: AlertRow, because: str) -> None:
    if alert.agreed:
        return
    alert.agreed = True
    alert.review_due_at = min(alert.review_due_at, review_due(alert.opened_at, True))
    tx.audit(house.now(), SYSTEM.id, "alert-agreed", f"alert/{alert.id}", because=because)


def _mark(alert: AlertRow, other: AlertRow) -> None:
    """In what `alert` shows, the device of `other` agrees."""
    device = {"camera": other.camera_id} if other.camera_id else {"sensor": other.sensor_id}
    ((key, value),) = device.items()
    shown = [dict(item) for item in alert.beside]
    found = next((item for item in shown if item.get(key) == value), None)
    if found is None:
        found = {key: value, "name": other.source_name, "distance_m": None, "state": "seen"}
        shown.append(found)
    found |= {"agrees": True, "alert": other.id}
    alert.beside = shown


def _sensor_json(house: House, alert: AlertRow, link: LinkRow, sensor: SensorRow) -> dict[str, Any]:
    finds = house.rules.sensing.finds(sensor.profile)
    agrees = sensor.level == "alarm" and sensor.state == "online" and bool(finds & house.rules.agreeing(alert.kind))
    return {
        "sensor": sensor.id,
        "name": sensor.name,
        "distance_m": link.distance_m,
        "state": sensor.state,
        "level": sensor.level,
        "values": dict(sensor.values),
        "last_seen": time_text(sensor.last_seen),
        "agrees": agrees,
    }


def _camera_json(camera: str, name: str, distance_m: float | None, state: str, **more: Any) -> dict[str, Any]:
    return {"camera": camera, "name": name, "distance_m": distance_m, "state": state, "agrees": False, **more}


# --- the looks that were asked for ------------------------------------------------------------------------------------


def wanted(tx: Transaction, house: House) -> list[dict[str, Any]]:
    """For the assignment: {id, camera, kinds, not_before}; `kinds`: what the camera could see that would agree."""
    return [
        {
            "id": sight.id,
            "camera": sight.camera_id,
            "kinds": sorted(k for k in house.rules.agreeing(kind) if _by_label(tx, house, k)),
            "not_before": sight.not_before.isoformat(),
        }
        for sight, kind in ask.sights_wanted(tx)
    ]


def _by_label(tx: Transaction, house: House, kind_id: str) -> bool:
    kind = tuning.kind(tx, house, kind_id)
    return kind is not None and kind.enabled and kind.look_for is not None and bool(kind.look_for.labels)


def take(house: House, sight_id: str, sight: Sight, files: Mapping[str, bytes]) -> dict[str, Any]:
    """Attach the picture to the alert (idempotent). Raises NotFound, Invalid, HashMismatch."""
    if len(files) != 1:
        raise Invalid("files", len(files), "one picture")
    ((sha256, content),) = files.items()
    stored = house.evidence.put(content, sha256)
    with house.db.write() as tx:
        row = ask.sight(tx, sight_id)
        alert = alert_queries.alert(tx, row.alert_id, lock=True) if row else None
        row = ask.sight(tx, sight_id, lock=True)
        if row is None or alert is None:
            raise NotFound("sight", sight_id)
        if row.state == "seen":
            return alert_json(tx, house, alert)
        row.state, row.captured_at, row.sha256 = "seen", sight.captured_at, stored.sha256
        row.seen = [dict(item) for item in sight.seen]
        now = house.now()
        alert_queries.note_evidence(tx, stored.sha256, stored.media_type, stored.size, now)
        alert_queries.attach(tx, alert.id, alert.case_id, ROLE, stored.sha256, sight.captured_at)
        _show(alert, row.camera_id, sight, stored.sha256)
        if sight.seen:
            _raise(tx, house, alert, f"camera/{row.camera_id}")
        tx.change_assignment()
        tx.audit(now, SYSTEM.id, "sight-taken", f"alert/{alert.id}", camera=row.camera_id, seen=len(sight.seen))
        tx.flush()
        shown = alert_json(tx, house, alert)
        tx.after(lambda: house.feed.publish("alert", shown))
        return shown


def _show(alert: AlertRow, camera: str, sight: Sight, sha256: str) -> None:
    shown = [dict(item) for item in alert.beside]
    for item in shown:
        if item.get("camera") == camera:
            item |= {
                "state": "seen",
                "captured_at": time_text(sight.captured_at),
                "url": evidence_url(sha256),
                "seen": [dict(s) for s in sight.seen],
                "agrees": bool(sight.seen) or bool(item.get("agrees")),
            }
    alert.beside = shown


def give_up(house: House) -> int:
    """Want no more looks that no camera could take; how many that were."""
    with house.db.write() as tx:
        missed = ask.give_up_sights(tx, house.now() - PATIENCE)
        for sight in missed:
            alert = alert_queries.alert(tx, sight.alert_id, lock=True)
            if alert is not None:
                shown = [dict(item) for item in alert.beside]
                for item in shown:
                    if item.get("camera") == sight.camera_id:
                        item["state"] = "missed"
                alert.beside = shown
        if missed:
            tx.change_assignment()
        return len(missed)
