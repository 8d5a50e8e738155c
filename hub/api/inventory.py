"""Cameras, sensors, zones, kinds, grids, departments, figures."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import Depends, Query

from detectors.geometry import Zone
from ingest.device import Camera, Place, Sensor

from .. import notices, numbers, readings, sensing
from ..domain.role import Right
from ..errors import Invalid
from ..house import Actor
from ..learning import tuning
from ..registry import CameraEntry, Registry, TaskEntry, ZoneEntry
from ..store.partitions import Grain
from .access import TheActor, TheHouse, cursor_of, key_of, needs
from .bodies import (
    CameraChange,
    NewCamera,
    NewSensor,
    SensorChange,
    TaskWanted,
    Time,
    ZoneDrawn,
    ZoneOf,
    ZonesEdited,
)
from .plain import a_router
from .shown import Camera as CameraShown
from .shown import Page, ZonesOfCamera, shows
from .shown import Sensor as SensorShown
from .shown import Zone as ZoneShown

router = a_router("inventory")

Limit = Annotated[int, Query(ge=1, le=2000)]
Sees = Annotated[Actor, Depends(needs(Right.SEE_DEVICES))]
Edits = Annotated[Actor, Depends(needs(Right.EDIT_DEVICES))]


@router.get("/api/cameras", **shows(Page[CameraShown]))
def cameras(house: TheHouse, _actor: Sees, limit: Limit = 200, cursor: str | None = None) -> dict[str, Any]:
    """By id; URLs without credentials."""
    key = key_of(cursor, str)
    items = Registry(house).cameras(key[0] if key else None, limit + 1)
    return _page(items, limit, _count(house, "cameras"))


@router.get("/api/cameras/{camera_id}", **shows(CameraShown))
def camera(camera_id: str, house: TheHouse, _actor: Sees) -> dict[str, Any]:
    """One camera."""
    return Registry(house).camera(camera_id)


@router.post("/api/cameras", **shows(CameraShown, 201))
def add_camera(house: TheHouse, actor: Edits, body: NewCamera) -> dict[str, Any]:
    """A new camera; workers look at it within seconds."""
    place = place_of(body.lon, body.lat, body.address)
    camera = Camera(
        body.id, body.name, body.url, body.watch, body.every_s, body.priority, body.preset, place,
        platform=body.platform, goto=body.goto, settle_s=body.settle_s,
    )  # fmt: skip
    entry = CameraEntry(camera, _tasks(body.tasks), _zones(body.tasks), body.clip)
    return Registry(house).add_camera(entry, actor)


@router.patch("/api/cameras/{camera_id}", **shows(CameraShown))
def change_camera(camera_id: str, house: TheHouse, actor: Edits, body: CameraChange) -> dict[str, Any]:
    """Change what is given."""
    changes = body.model_dump(exclude_unset=True, exclude={"tasks"})
    _no_nulls(changes, "name", "url", "watch", "every_s", "priority", "clip", "address", "platform", "goto", "settle_s")
    tasks = None if body.tasks is None else _tasks(body.tasks)
    return Registry(house).change_camera(camera_id, changes, tasks, actor, _zones(body.tasks or []))


@router.post("/api/cameras/{camera_id}/accept-view", **shows(CameraShown))
def accept_view(camera_id: str, house: TheHouse, actor: Edits) -> dict[str, Any]:
    """What the camera shows now is right: one that was turned on purpose is judged by this view from now on."""
    return Registry(house).accept_view(camera_id, actor)


@router.get("/api/notices")
def device_notices(
    house: TheHouse, _actor: Sees, ended: bool = False, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> dict[str, Any]:
    """Cameras in trouble, by what they have in common: the open notices; with `ended`, those of seven days."""
    items = notices.listed(house, ended, limit)
    return {"items": items, "next_cursor": None, "total": len(items)}


@router.get("/api/sensors", **shows(Page[SensorShown]))
def sensors(house: TheHouse, _actor: Sees, limit: Limit = 200, cursor: str | None = None) -> dict[str, Any]:
    """By id."""
    key = key_of(cursor, str)
    items = Registry(house).sensors(key[0] if key else None, limit + 1)
    return _page(items, limit, _count(house, "sensors"))


@router.get("/api/sensors/{sensor_id}", **shows(SensorShown))
def sensor(sensor_id: str, house: TheHouse, _actor: Sees) -> dict[str, Any]:
    """One sensor."""
    return Registry(house).sensor(sensor_id)


@router.post("/api/sensors", **shows(SensorShown, 201))
def add_sensor(house: TheHouse, actor: Edits, body: NewSensor) -> dict[str, Any]:
    """A new sensor."""
    place = place_of(body.lon, body.lat, body.address)
    made = Sensor(
        body.id, body.name, body.device, body.profile, body.every_s, place, tuple(sorted(body.settings.items())),
        body.gateway, body.asset, body.installed_on,
    )  # fmt: skip
    return Registry(house).add_sensor(made, actor)


@router.patch("/api/sensors/{sensor_id}", **shows(SensorShown))
def change_sensor(sensor_id: str, house: TheHouse, actor: Edits, body: SensorChange) -> dict[str, Any]:
    """Change what is given."""
    changes = body.model_dump(exclude_unset=True)
    _no_nulls(changes, *(changes.keys() - {"lon", "lat"}))
    return Registry(house).change_sensor(sensor_id, changes, actor)


@router.get("/api/zones", **shows(Page[ZoneShown]))
def zones(house: TheHouse, _actor: Sees, camera: str | None = None) -> dict[str, Any]:
    """Of one camera, or all."""
    items = Registry(house).zones(camera)
    return {"items": items, "next_cursor": None, "total": len(items)}


@router.post("/api/zones", **shows(ZoneShown, 201))
def put_zone(house: TheHouse, actor: Edits, body: ZoneDrawn) -> dict[str, Any]:
    """Draw a zone, or draw the one of that name anew."""
    return Registry(house).put_zone(body.camera, Zone(body.name, tuple(body.points)), actor)


@router.get("/api/cameras/{camera_id}/zones", **shows(ZonesOfCamera))
def zones_of(camera_id: str, house: TheHouse, _actor: Sees) -> dict[str, Any]:
    """All zones of a camera and what is looked for, with their version and who saved it when."""
    return Registry(house).zones_of(camera_id)


@router.put("/api/cameras/{camera_id}/zones", **shows(CameraShown))
def put_zones(camera_id: str, house: TheHouse, actor: Edits, body: ZonesEdited) -> dict[str, Any]:
    """All zones of a camera, and what is looked for in them and in the whole picture.

    409 `saved-since` (by, by_name, at, version) where somebody has saved since `version` was read.
    """
    zones = [
        ZoneEntry(
            zone.name.strip(),
            tuple(zone.points),
            zone.was,
            tuple(window.model_dump(mode="json") for window in zone.schedule),
            tuple(permit.model_dump(mode="json") for permit in zone.permitted),
            tuple(TaskEntry(k.kind, "", k.dwell_s) for k in zone.kinds),
        )
        for zone in body.zones
    ]
    whole = [TaskEntry(k.kind, "", k.dwell_s) for k in body.whole]
    return Registry(house).put_zones(camera_id, zones, whole, actor, body.version)


@router.get("/api/kinds")
def kinds(house: TheHouse, _actor: TheActor) -> dict[str, Any]:
    """Every kind as it holds: configured, and set by engineers (`tunings`), with the version of its rules."""
    items = tuning.all_shown(house)
    return {"items": items, "next_cursor": None, "total": len(items)}


@router.get("/api/profiles")
def profiles(house: TheHouse, _actor: Sees) -> dict[str, Any]:
    """Every sensor profile as configured."""
    items = [dict(stanza) for stanza in house.rules.profiles.values()]
    return {"items": items, "next_cursor": None, "total": len(items)}


@router.get("/api/departments")
def departments(house: TheHouse, _actor: TheActor) -> dict[str, Any]:
    """Units that receive cases."""
    items = Registry(house).departments()
    return {"items": items, "next_cursor": None, "total": len(items)}


@router.get("/api/readings")
def sensor_readings(
    house: TheHouse, _actor: Sees, sensor: str, hours: Annotated[float, Query(gt=0, le=24 * 31)] = 24
) -> dict[str, Any]:
    """A sensor's readings of the last hours, oldest first."""
    return readings.of_sensor(house, sensor, hours)


@router.get("/api/readings/trends")
def trends(house: TheHouse, _actor: Sees, sensors: str) -> dict[str, Any]:
    """The last day of the main value of some sensors (ids with commas), for a small line beside each."""
    return {"items": readings.trends(house, [part for part in sensors.split(",") if part])}


@router.get("/api/readings/chart")
def chart(
    house: TheHouse,
    _actor: Sees,
    sensor: str,
    since: Time | None = None,
    until: Time | None = None,
    grain: Grain | None = None,
) -> dict[str, Any]:
    """What a sensor measured, for drawing: readings, or summaries of 5 minutes or an hour where the span is long.

    Without `until`: now; without `since`: the day before. `limits`: where the sensor's rules warn and alarm now.
    """
    end = until or house.now()
    drawn = readings.chart(house, sensor, since or end - timedelta(days=1), end, grain)
    return {**drawn, "limits": sensing.limits(house, sensor)}


@router.get("/api/numbers")
def today(house: TheHouse, _actor: Annotated[Actor, Depends(needs(Right.SEE_NUMBERS))]) -> dict[str, Any]:
    """Today's figures."""
    return numbers.today(house)


def _page(items: list[dict[str, Any]], limit: int, total: int) -> dict[str, Any]:
    more = len(items) > limit
    items = items[:limit]
    return {"items": items, "next_cursor": cursor_of([items[-1]["id"]]) if more else None, "total": total}


def _count(house: TheHouse, what: str) -> int:
    counted: int = sum(numbers.devices(house)[what].values())
    return counted


def place_of(lon: float | None, lat: float | None, address: str) -> Place | None:
    """A place, where one is given. Raises Invalid for half of one."""
    if (lon is None) != (lat is None):
        raise Invalid("lat" if lat is None else "lon", None, "both lon and lat, or neither")
    return None if lon is None or lat is None else Place(lon, lat, address)


def _tasks(wanted: list[TaskWanted]) -> tuple[TaskEntry, ...]:
    return tuple(
        TaskEntry(t.kind, t.zone.name if isinstance(t.zone, ZoneOf) else t.zone or "", t.dwell_s) for t in wanted
    )


def _zones(wanted: list[TaskWanted]) -> tuple[Zone, ...]:
    """Those that come with a task."""
    return tuple(Zone(t.zone.name, tuple(t.zone.points)) for t in wanted if isinstance(t.zone, ZoneOf))


def _no_nulls(changes: dict[str, Any], *names: str) -> None:
    for name in names:
        if name in changes and changes[name] is None:
            raise Invalid(name, None, "a value, or leave it out")
