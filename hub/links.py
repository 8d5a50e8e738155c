"""Links between sensors and cameras: proposed from their positions, confirmed or refused by an engineer."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from .domain.link import LINK, LinkAction, LinkState, Spot, distance_m, proposals
from .errors import Invalid, NotFound
from .house import Actor, House
from .store import Transaction, device_queries
from .store import link_queries as ask
from .store.device_rows import LinkRow
from .store.rows import CameraRow, SensorRow
from .wire import time_text


def propose(house: House, actor: Actor) -> dict[str, int]:
    """Propose links from positions: {proposed, waiting}. What somebody has decided stays as it is."""
    with house.db.write() as tx:
        cameras = [spot for row in device_queries.cameras(tx) if (spot := _spot(row)) is not None]
        sensors = [row for row in device_queries.sensors(tx) if row.lon is not None]
        spots = [spot for row in sensors if (spot := _spot(row)) is not None]
        finds = {key: _finds(house, key) for key in house.rules.profiles}
        wanted = {row.id: finds.get(row.profile, frozenset()) for row in sensors}
        now = house.now()
        rows = [
            {
                "sensor_id": p.sensor,
                "camera_id": p.camera,
                "state": LinkState.PROPOSED.value,
                "distance_m": p.distance_m,
                "proposed_at": now,
                "decided_by": None,
                "decided_at": None,
            }
            for p in proposals(spots, cameras, wanted)
        ]
        new = ask.propose(tx, rows)
        if new:
            tx.audit(now, actor.id, "links-proposed", "links", count=new)
        return {"proposed": new, "waiting": ask.counts(tx).get(LinkState.PROPOSED, 0)}


def _finds(house: House, profile: str) -> frozenset[str]:
    """The kinds that sensors of a profile find, and those that agree with them."""
    kinds = house.rules.sensing.finds(profile)
    return frozenset(kinds | {other for kind in kinds for other in house.rules.agreeing(kind)})


def _spot(row: CameraRow | SensorRow) -> Spot | None:
    if row.lon is None or row.lat is None:
        return None
    watches = frozenset(task.kind for task in row.tasks) if isinstance(row, CameraRow) else frozenset[str]()
    return Spot(row.id, row.lon, row.lat, row.grid_id, watches)


def decide(house: House, actor: Actor, sensor_id: str, camera_id: str, action: str) -> dict[str, Any]:
    """Confirm or refuse a link; confirming one that nobody proposed makes it. Raises NotFound, Invalid, IllegalMove."""
    if action not in list(LinkAction):
        raise Invalid("action", action, list(LinkAction))
    with house.db.write() as tx:
        row = ask.link(tx, sensor_id, camera_id) or _made(tx, house, sensor_id, camera_id)
        row.state = LINK.next(LinkState(row.state), LinkAction(action)).value
        row.decided_by, row.decided_at = actor.id, house.now()
        tx.add(row)
        tx.audit(house.now(), actor.id, f"link-{row.state}", f"sensor/{sensor_id}", camera=camera_id)
        tx.flush()
        return _json(row, *_names(tx))


def _made(tx: Transaction, house: House, sensor_id: str, camera_id: str) -> LinkRow:
    sensor, camera = device_queries.sensor(tx, sensor_id), device_queries.camera(tx, camera_id)
    if sensor is None:
        raise NotFound("sensor", sensor_id)
    if camera is None:
        raise NotFound("camera", camera_id)
    here, there = _spot(sensor), _spot(camera)
    metres = round(distance_m(here, there), 1) if here and there else 0.0
    return LinkRow(
        sensor_id=sensor_id,
        camera_id=camera_id,
        state=LinkState.PROPOSED.value,
        distance_m=metres,
        proposed_at=house.now(),
    )


def listed(
    house: House, state: str | None, sensor: str | None, camera: str | None, most: int
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """(links by sensor, the nearest camera first; how many by state). Raises Invalid."""
    if state is not None and state not in list(LinkState):
        raise Invalid("state", state, list(LinkState))
    with house.db.read() as tx:
        names = _names(tx)
        return [_json(row, *names) for row in ask.links(tx, state, sensor, camera, most)], ask.counts(tx)


_Names = tuple[dict[str, SensorRow], dict[str, CameraRow]]


def _names(tx: Transaction) -> _Names:
    return {s.id: s for s in device_queries.sensors(tx)}, {c.id: c for c in device_queries.cameras(tx)}


def _json(row: LinkRow, sensors: dict[str, SensorRow], cameras: dict[str, CameraRow]) -> dict[str, Any]:
    sensor, camera = sensors[row.sensor_id], cameras[row.camera_id]
    return {
        "sensor": row.sensor_id,
        "sensor_name": sensor.name,
        "profile": sensor.profile,
        "address": sensor.address,
        "lon": sensor.lon,
        "lat": sensor.lat,
        "camera": row.camera_id,
        "camera_name": camera.name,
        "preset": camera.preset,
        "camera_look_url": f"/api/cameras/{quote(camera.id, safe='')}/look" if camera.picture_at else None,
        "state": row.state,
        "distance_m": row.distance_m,
        "proposed_at": time_text(row.proposed_at),
        "decided_by": row.decided_by,
        "decided_at": time_text(row.decided_at),
    }
