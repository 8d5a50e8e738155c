"""The district's cameras, sensors, zones, grids, departments: brought in, changed, shown. Imports may be repeated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar
from urllib.parse import quote

from detectors.errors import KindsError
from detectors.geometry import Zone
from detectors.profiles import profile_from_wire
from ingest.cameras.preset import split_goto
from ingest.device import ASSET, ASSET_FORM, DEVICE_ID, DEVICE_ID_FORM, Camera, Place, Sensor, Watch
from ingest.errors import shown_url
from ingest.inventory import url_fault

from . import grids
from .domain import polygon
from .domain.grid import GridTree
from .errors import BadPolygon, HubError, Invalid, NotFound, SavedSince, Taken
from .house import SYSTEM, Actor, House
from .people import add_user
from .store import Transaction, people_queries
from .store import device_queries as ask
from .store.counting import locked_counter
from .store.rows import CameraRow, DepartmentRow, SensorRow, TaskRow, ZoneRow
from .units import Unit, unit_of
from .wire import Names, time_text

_Device = TypeVar("_Device", Camera, Sensor)
_TABLE = (
    *("name", "url", "watch", "every_s", "priority", "preset", "platform", "goto", "settle_s", "device", "profile"),
    *("settings", "gateway", "asset", "installed_on", "lon", "lat", "address", "grid_id"),
)


@dataclass(frozen=True, slots=True)
class TaskEntry:
    """Look for `kind` in the zone of that name (empty: the whole picture); `dwell_s` overrides the kind's own."""

    kind: str
    zone: str = ""
    dwell_s: float | None = None


@dataclass(frozen=True, slots=True)
class ZoneEntry:
    """A zone as the editor has it: `was` is its name before; hours as in `detectors.zone_hours`."""

    name: str
    points: tuple[tuple[float, float], ...]
    was: str | None = None
    schedule: tuple[dict[str, Any], ...] = ()
    permitted: tuple[dict[str, Any], ...] = ()
    tasks: tuple[TaskEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class CameraEntry:
    """A camera with what is looked for; `clip`: whether findings carry a clip."""

    camera: Camera
    tasks: tuple[TaskEntry, ...] = ()
    zones: tuple[Zone, ...] = ()
    clip: bool = True


@dataclass(slots=True)
class Registry:
    """What the hub knows of the outside."""

    house: House

    # --- importing: idempotent, what is there is brought up to date ---------------------------------------------------

    def import_departments(self, rows: Iterable[Unit | Mapping[str, Any]]) -> int:
        """Units, or rows of {id, name, …} as in `departments.yaml`; how many."""
        count = 0
        with self.house.db.write() as tx:
            for row in rows:
                unit = row if isinstance(row, Unit) else unit_of(row)
                tx.merge(DepartmentRow(id=unit.id, **unit.columns()))
                count += 1
            tx.audit(self.house.now(), SYSTEM.id, "departments-imported", "departments", count=count)
        return count

    def import_grids(self, collection: Mapping[str, Any]) -> int:
        """A GeoJSON FeatureCollection (see `domain/grid.py`); how many. Raises GridError with every problem."""
        done = grids.bring(self.house, collection, surveyed=False)
        with self.house.db.write() as tx:
            self.locate_all(tx)
        return int(done["added"] + done["changed"] + done["same"])

    def import_cameras(self, entries: Iterable[CameraEntry | Camera], by: Actor = SYSTEM) -> int:
        """Add or update; how many. Raises Invalid.

        A camera's zones and tasks become those of its entry. A bare Camera keeps what it has; a new one is looked at
        for every enabled kind that needs no zone.
        """
        count = 0
        with self.house.db.write() as tx:
            _one_at_a_time(tx)
            grids, _known = _tree(tx), ask.cameras(tx)  # loaded at once, so that none is asked for one by one
            for entry in entries:
                self._put_camera(tx, entry if isinstance(entry, CameraEntry) else self._entry(tx, entry), grids, by)
                count += 1
            tx.change_assignment()
            tx.audit(self.house.now(), by.id, "cameras-imported", "cameras", count=count)
        return count

    def import_sensors(self, sensors: Iterable[Sensor], by: Actor = SYSTEM) -> int:
        """Add or update; how many. Raises Invalid, Taken (two sensors with one device id)."""
        count = 0
        with self.house.db.write() as tx:
            _one_at_a_time(tx)
            grids = _tree(tx)
            for sensor in sensors:
                self._put_sensor(tx, sensor, grids)
                count += 1
            tx.change_assignment()
            tx.audit(self.house.now(), by.id, "sensors-imported", "sensors", count=count)
        return count

    def bring_cameras(self, cameras: Sequence[Camera], by: Actor, apply: bool = True) -> dict[str, Any]:
        """Add or update those that can be: {added, changed, same, refused: [(id, error)]}.

        Without `apply` it is only said what would be done.
        """

        def put(tx: Transaction, camera: Camera, grids: GridTree | None) -> CameraRow:
            return self._put_camera(tx, self._entry(tx, camera), grids)

        return self._bring("cameras", cameras, put, ask.camera, by, apply)

    def bring_sensors(self, sensors: Sequence[Sensor], by: Actor, apply: bool = True) -> dict[str, Any]:
        """The same of sensors."""
        return self._bring("sensors", sensors, self._put_sensor, ask.sensor, by, apply)

    def _bring(
        self,
        what: str,
        devices: Sequence[_Device],
        put: Callable[[Transaction, _Device, GridTree | None], CameraRow | SensorRow],
        find: Callable[[Transaction, str], CameraRow | SensorRow | None],
        by: Actor,
        apply: bool,
    ) -> dict[str, Any]:
        done: dict[str, Any] = {"added": 0, "changed": 0, "same": 0, "refused": []}
        with self.house.db.write() as tx, tx.begin_nested() as all_of_them:
            _one_at_a_time(tx)
            grids = _tree(tx)
            for device in devices:
                row = find(tx, device.id)
                before = None if row is None else _columns(row)
                try:
                    with tx.begin_nested():
                        after = _columns(put(tx, device, grids))
                        tx.flush()
                except HubError as error:
                    done["refused"].append((device.id, error))
                    continue
                done["added" if before is None else "same" if before == after else "changed"] += 1
            count = done["added"] + done["changed"]
            if not apply:
                all_of_them.rollback()
            elif count:
                tx.change_assignment()
                tx.audit(self.house.now(), by.id, f"{what}-imported", what, count=count)
        return done

    def add_user(
        self,
        name: str,
        role: str,
        department: str | None = None,
        *,
        password: str | None = None,
        shown_name: str = "",
    ) -> str:
        """Make a person and return the password, a one-time one unless it is given. Raises Invalid, Taken."""
        return add_user(self.house, name, role, department, name=shown_name, password=password)

    # --- showing ------------------------------------------------------------------------------------------------------

    def cameras(self, after: str | None = None, limit: int | None = None) -> list[dict[str, Any]]:
        """By id; URLs without credentials."""
        with self.house.db.read() as tx:
            names = Names.of(tx)
            zones = ask.zones_by_camera(tx)
            return [camera_json(row, names, zones.get(row.id, {})) for row in ask.cameras(tx, after, limit)]

    def camera(self, camera_id: str) -> dict[str, Any]:
        """One camera. Raises NotFound."""
        with self.house.db.read() as tx:
            row = ask.camera(tx, camera_id)
            if row is None:
                raise NotFound("camera", camera_id)
            zones = {z.name: z for z in ask.zones(tx, camera_id)}
            return camera_json(row, Names.of(tx), zones)

    def sensors(self, after: str | None = None, limit: int | None = None) -> list[dict[str, Any]]:
        """By id."""
        with self.house.db.read() as tx:
            names = Names.of(tx)
            return [sensor_json(row, names) for row in ask.sensors(tx, after, limit)]

    def sensor(self, sensor_id: str) -> dict[str, Any]:
        """One sensor. Raises NotFound."""
        with self.house.db.read() as tx:
            row = ask.sensor(tx, sensor_id)
            if row is None:
                raise NotFound("sensor", sensor_id)
            return sensor_json(row, Names.of(tx))

    def zones(self, camera_id: str | None = None) -> list[dict[str, Any]]:
        """{id, camera, name, points}"""
        with self.house.db.read() as tx:
            return [zone_json(z) for z in ask.zones(tx, camera_id)]

    def grids(self) -> dict[str, Any]:
        """A GeoJSON FeatureCollection of the areas, with id, name, level and parent."""
        return grids.geojson(self.house)

    def departments(self) -> list[dict[str, Any]]:
        """{id, name, name_en, kind, grid, code, duties, duties_en}"""
        with self.house.db.read() as tx:
            names = Names.of(tx)
            return [
                {
                    "id": d.id,
                    "name": d.name,
                    "name_en": d.name_en,
                    "kind": d.kind,
                    "grid": names.grid(d.grid_id),
                    "code": d.code,
                    "duties": d.duties,
                    "duties_en": d.duties_en,
                }
                for d in people_queries.departments(tx)
            ]

    # --- changing -----------------------------------------------------------------------------------------------------

    def add_camera(self, entry: CameraEntry, by: Actor) -> dict[str, Any]:
        """A new camera. Raises Taken, Invalid."""
        with self.house.db.write() as tx:
            _one_at_a_time(tx)
            if ask.camera(tx, entry.camera.id) is not None:
                raise Taken(f"camera {entry.camera.id!r} is there already", id=entry.camera.id)
            self._put_camera(tx, entry, _tree(tx))
            tx.change_assignment()
            tx.audit(self.house.now(), by.id, "camera-added", f"camera/{entry.camera.id}", url=entry.camera.safe_url)
        return self._told(self.camera(entry.camera.id))

    def change_camera(
        self,
        camera_id: str,
        changes: Mapping[str, Any],
        tasks: Sequence[TaskEntry] | None,
        by: Actor,
        zones: Sequence[Zone] = (),
    ) -> dict[str, Any]:
        """Change columns (name, url, watch, every_s, priority, preset, platform, goto, settle_s, clip, lon, lat,
        address) and tasks, with `zones` that these bring. Raises NotFound, Invalid; then nothing has changed.
        """
        with self.house.db.write() as tx:
            row = ask.camera(tx, camera_id, lock=tasks is not None)
            if row is None:
                raise NotFound("camera", camera_id)
            for name, value in changes.items():
                setattr(row, name, value)
            _check_camera(row)
            if changes.keys() & {"url", "watch"}:
                _check_url(row)  # what does not touch it can be changed of cameras that older hubs took
            _place(row, _tree(tx))
            if tasks is not None:
                for zone in zones:
                    _put_zone(tx, camera_id, zone)
                    tx.audit(self.house.now(), by.id, "zone-drawn", f"camera/{camera_id}", zone=zone.name)
                note_saved(row, by, self.house.now())
                self._put_tasks(row, tasks, {z.name for z in ask.zones(tx, camera_id)})
            tx.change_assignment()
            shown = {k: shown_url(str(v)) if k in ("url", "goto") else v for k, v in changes.items()}
            tx.audit(self.house.now(), by.id, "camera-changed", f"camera/{camera_id}", **shown)
        return self._told(self.camera(camera_id))

    def accept_view(self, camera_id: str, by: Actor) -> dict[str, Any]:
        """What a camera shows now is right, though it used to show something else: learnt anew. Raises NotFound."""
        with self.house.db.write() as tx:
            row = ask.camera(tx, camera_id)
            if row is None:
                raise NotFound("camera", camera_id)
            row.view_at = self.house.now()
            tx.change_assignment()
            tx.audit(self.house.now(), by.id, "view-accepted", f"camera/{camera_id}", state=row.state)
        return self._told(self.camera(camera_id))

    def add_sensor(self, sensor: Sensor, by: Actor) -> dict[str, Any]:
        """A new sensor. Raises Taken, Invalid."""
        with self.house.db.write() as tx:
            self.put_new_sensor(tx, sensor)
            tx.change_assignment()
            tx.audit(self.house.now(), by.id, "sensor-added", f"sensor/{sensor.id}", device=sensor.device)
        return self.sensor(sensor.id)

    def put_new_sensor(self, tx: Transaction, sensor: Sensor) -> SensorRow:
        """A new sensor, in a transaction of the caller's. Raises Taken, Invalid."""
        _one_at_a_time(tx)
        if ask.sensor(tx, sensor.id) is not None:
            raise Taken(f"sensor {sensor.id!r} is there already", id=sensor.id)
        return self._put_sensor(tx, sensor, _tree(tx))

    def change_sensor(self, sensor_id: str, changes: Mapping[str, Any], by: Actor) -> dict[str, Any]:
        """Change columns (name, device, profile, every_s, lon, lat, address, settings, gateway, asset …)."""
        with self.house.db.write() as tx:
            row = ask.sensor(tx, sensor_id)
            if row is None:
                raise NotFound("sensor", sensor_id)
            if changes.get("device", row.device) != row.device:
                row.heard_by = []
            for name, value in changes.items():
                setattr(row, name, value)
            self._check_sensor(tx, row)
            _place(row, _tree(tx))
            tx.change_assignment()
            tx.audit(self.house.now(), by.id, "sensor-changed", f"sensor/{sensor_id}", **changes)
        return self.sensor(sensor_id)

    def zones_of(self, camera_id: str) -> dict[str, Any]:
        """The zones of a camera and all that is looked for, as of one instant, with their version. Raises NotFound."""
        with self.house.db.read() as tx:
            row = ask.camera(tx, camera_id)
            if row is None:
                raise NotFound("camera", camera_id)
            zones = {zone.name: zone for zone in ask.zones(tx, camera_id)}
            return {
                "version": row.zones_version,
                "saved_by": row.zones_saved_by,
                "saved_by_name": _saver(tx, row),
                "saved_at": time_text(row.zones_saved_at),
                "zones": [zone_json(zone) for zone in zones.values()],
                "tasks": [task_json(task, zones) for task in row.tasks],
            }

    def put_zones(
        self,
        camera_id: str,
        wanted: Sequence[ZoneEntry],
        whole: Sequence[TaskEntry],
        by: Actor,
        version: int | None = None,
    ) -> dict[str, Any]:
        """All zones of a camera and all that is looked for, anew; workers have it within seconds.

        `version`: the one that was read; None saves over whatever stands. What somebody else had saved stands in the
        audit. Raises NotFound, SavedSince, Invalid, BadPolygon; then nothing has changed.
        """
        with self.house.db.write() as tx:
            row = ask.camera(tx, camera_id, lock=True)
            if row is None:
                raise NotFound("camera", camera_id)
            if version is not None and version != row.zones_version:
                at, who = time_text(row.zones_saved_at), _saver(tx, row)
                what = f"the zones of camera {camera_id}"
                raise SavedSince(what, row.zones_version, version, row.zones_saved_by, who, at)
            over = _replaced(tx, row) if row.zones_saved_by not in (None, by.id) else {}
            names = [zone.name for zone in wanted]
            if len(set(names)) < len(names):
                raise Invalid("name", next(n for n in names if names.count(n) > 1), "a name of its own for each zone")
            before = {zone.name: zone for zone in ask.zones(tx, camera_id)}
            kept = {zone.was: before[zone.was] for zone in wanted if zone.was is not None and zone.was in before}
            for name, old in before.items():
                if name not in kept:
                    tx.delete(old)
                else:
                    old.name = f"\x1f{old.id}"  # names may change places
            tx.flush()
            for zone in wanted:
                check_polygon(zone.name, zone.points)
                made = kept.get(zone.was or "") or ZoneRow(camera_id=camera_id)
                made.name, made.points = zone.name, [[x, y] for x, y in zone.points]
                made.schedule, made.permitted = list(zone.schedule), list(zone.permitted)
                tx.add(made)
            tx.flush()
            tasks = [TaskEntry(t.kind, zone.name, t.dwell_s) for zone in wanted for t in zone.tasks]
            self._put_tasks(row, [*whole, *tasks], set(names))
            tx.change_assignment()
            note_saved(row, by, self.house.now())
            told = {"zones": names, "tasks": len(row.tasks), "version": row.zones_version, **over}
            tx.audit(self.house.now(), by.id, "zones-drawn", f"camera/{camera_id}", **told)
        return self._told(self.camera(camera_id))

    def put_zone(self, camera_id: str, zone: Zone, by: Actor) -> dict[str, Any]:
        """Draw a zone, or draw it anew. Raises NotFound, Invalid."""
        with self.house.db.write() as tx:
            camera = ask.camera(tx, camera_id, lock=True)
            if camera is None:
                raise NotFound("camera", camera_id)
            row = _put_zone(tx, camera_id, zone)
            note_saved(camera, by, self.house.now())
            tx.change_assignment()
            tx.audit(self.house.now(), by.id, "zone-drawn", f"camera/{camera_id}", zone=zone.name)
            tx.flush()
            return zone_json(row)

    # --- the rows -----------------------------------------------------------------------------------------------------

    def _put_camera(self, tx: Transaction, entry: CameraEntry, grids: GridTree | None, by: Actor = SYSTEM) -> CameraRow:
        camera = entry.camera
        if not DEVICE_ID.fullmatch(camera.id):
            raise Invalid("id", camera.id, DEVICE_ID_FORM)
        new = CameraRow(id=camera.id, state="unknown", message="", tasks=[], zones_version=0)
        row = ask.camera(tx, camera.id) or new
        row.name, row.url, row.watch, row.every_s = camera.name, camera.url, camera.watch.value, camera.every_s
        row.priority, row.preset, row.clip = camera.priority, camera.preset, entry.clip
        row.platform, row.goto, row.settle_s = camera.platform, camera.goto, camera.settle_s
        _set_place(row, camera.place)
        _check_camera(row)
        _check_url(row)
        _place(row, grids)
        tx.add(row)
        if entry.zones:
            tx.flush()
        for zone in entry.zones:
            _put_zone(tx, camera.id, zone)
        if entry.zones or {(t.kind, t.zone_name, t.dwell_s) for t in row.tasks} != {
            (t.kind, t.zone, t.dwell_s) for t in entry.tasks
        }:
            note_saved(row, by, self.house.now())
        zoned = any(task.zone for task in entry.tasks)
        self._put_tasks(row, entry.tasks, {z.name for z in ask.zones(tx, camera.id)} if zoned else set())
        return row

    def _entry(self, tx: Transaction, camera: Camera) -> CameraEntry:
        row = ask.camera(tx, camera.id)
        if row is not None:
            kept = tuple(TaskEntry(t.kind, t.zone_name, t.dwell_s) for t in row.tasks)
            return CameraEntry(camera, kept, (), row.clip)
        kinds = self.house.rules.kinds.values()
        return CameraEntry(
            camera, tuple(TaskEntry(k.id) for k in kinds if k.enabled and k.rule is not None and k.zone != "required")
        )

    def _put_tasks(self, row: CameraRow, tasks: Sequence[TaskEntry], zones: set[str]) -> None:
        kept = {(t.kind, t.zone_name): t for t in row.tasks}
        wanted: dict[tuple[str, str], TaskRow] = {}
        for task in tasks:
            kind = self.house.rules.kinds.get(task.kind)
            if kind is None:
                raise Invalid("tasks.kind", task.kind, sorted(self.house.rules.kinds))
            if task.zone and task.zone not in zones:
                raise Invalid("tasks.zone", task.zone, sorted(zones) or "none is drawn for this camera yet")
            if kind.zone == "required" and not task.zone:
                raise Invalid("tasks.zone", "", f"a zone of this camera; {task.kind} needs one")
            key = (task.kind, task.zone)
            entry = kept.get(key) or TaskRow(kind=task.kind, zone_name=task.zone)
            entry.dwell_s = task.dwell_s
            wanted[key] = entry
        row.tasks = list(wanted.values())

    def _put_sensor(self, tx: Transaction, sensor: Sensor, grids: GridTree | None) -> SensorRow:
        if not DEVICE_ID.fullmatch(sensor.id):
            raise Invalid("id", sensor.id, DEVICE_ID_FORM)
        row = ask.sensor(tx, sensor.id) or SensorRow(id=sensor.id, state="unknown", values={})
        row.name, row.device, row.profile, row.every_s = sensor.name, sensor.device, sensor.profile, sensor.every_s
        row.settings, row.gateway, row.asset = dict(sensor.settings), sensor.gateway, sensor.asset
        row.installed_on = sensor.installed_on
        _set_place(row, sensor.place)
        self._check_sensor(tx, row)
        _place(row, grids)
        tx.add(row)
        tx.flush()
        return row

    def _check_sensor(self, tx: Transaction, row: SensorRow) -> None:
        if row.profile not in self.house.rules.profiles:
            raise Invalid("profile", row.profile, sorted(self.house.rules.profiles))
        if not row.every_s > 0:
            raise Invalid("every_s", row.every_s, "seconds above 0")
        _check_settings(row, self.house.rules.profiles[row.profile])
        if row.asset and not ASSET.fullmatch(row.asset):
            raise Invalid("asset", row.asset, ASSET_FORM)
        try:
            _ = row.installed_on and date.fromisoformat(row.installed_on)
        except ValueError:
            raise Invalid("installed_on", row.installed_on, "a date, YYYY-MM-DD") from None
        with tx.no_autoflush:
            other = ask.sensor_with_device(tx, row.device)
        if other is not None and other.id != row.id:
            raise Taken(f"device {row.device!r} belongs to sensor {other.id!r}", device=row.device)

    def locate_all(self, tx: Transaction) -> None:
        """Every device's base grid anew, by its position."""
        found = _tree(tx)
        for camera in ask.cameras(tx):
            _place(camera, found)
        for sensor in ask.sensors(tx):
            _place(sensor, found)

    def _told(self, shown: dict[str, Any]) -> dict[str, Any]:
        self.house.feed.publish("camera", shown)
        return shown


def _columns(row: CameraRow | SensorRow) -> dict[str, Any]:
    """What a table can change."""
    return {name: getattr(row, name) for name in _TABLE if hasattr(row, name)}


def camera_json(row: CameraRow, names: Names, zones: Mapping[str, ZoneRow]) -> dict[str, Any]:
    """A camera as people may see it."""
    look = f"/api/cameras/{quote(row.id, safe='')}/look?at={_version(row.picture_at)}" if row.picture_at else None
    return {
        "id": row.id,
        "name": row.name,
        "url": shown_url(row.url),
        "watch": row.watch,
        "every_s": row.every_s,
        "priority": row.priority,
        "preset": row.preset,
        "clip": row.clip,
        "platform": row.platform,
        "goto": shown_url(row.goto),
        "settle_s": row.settle_s,
        "lon": row.lon,
        "lat": row.lat,
        "address": row.address,
        "grid": names.grid(row.grid_id),
        "state": row.state,
        "since": time_text(row.since),
        "message": row.message,
        "why": row.why,
        "last_look_at": time_text(row.last_look_at),
        "last_look_url": look,
        "attained_s": row.attained_s,
        "via": row.via,
        "resolution": row.resolution,
        "zones_version": row.zones_version,
        "tasks": [task_json(t, zones) for t in row.tasks],
    }


def _saver(tx: Transaction, row: CameraRow) -> str | None:
    """The name of who saved its zones last."""
    return Names.of(tx).person(row.zones_saved_by)


def note_saved(row: CameraRow, by: Actor, at: datetime) -> None:
    """Its zones, or what is looked for in them, are others now."""
    row.zones_version += 1
    row.zones_saved_by, row.zones_saved_at = by.id, at


def _replaced(tx: Transaction, row: CameraRow) -> dict[str, Any]:
    """For the audit: the zones that another person had saved, whole."""
    tasks = [[task.kind, task.zone_name, task.dwell_s] for task in row.tasks]
    return {
        "replaced_of": row.zones_saved_by,
        "replaced": {"zones": [zone_shape(zone) for zone in ask.zones(tx, row.id)], "tasks": tasks},
    }


def task_json(task: TaskRow, zones: Mapping[str, ZoneRow]) -> dict[str, Any]:
    """{kind, zone: {name, points, schedule, permitted} | null, dwell_s}"""
    zone = zones.get(task.zone_name) if task.zone_name else None
    return {
        "kind": task.kind,
        "zone": zone_shape(zone) if zone else None,
        "dwell_s": task.dwell_s,
    }


def _check_settings(row: SensorRow, stanza: Mapping[str, Any]) -> None:
    known = stanza.get("settings") or {}
    for name, value in row.settings.items():
        if name not in known:
            raise Invalid(f"settings.{name}", value, ", ".join(known) or f"none; profile {row.profile} has no settings")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Invalid(f"settings.{name}", value, "a number")
    try:
        profile_from_wire(stanza, row.profile, tuple(sorted((name, float(v)) for name, v in row.settings.items())))
    except KindsError as error:
        raise Invalid(
            "settings", str(row.settings), f"numbers that make sense together ({error.problems[0]})"
        ) from None


def sensor_json(row: SensorRow, names: Names) -> dict[str, Any]:
    """A sensor and its newest values, which are stale while nobody hears from it."""
    return {
        "id": row.id,
        "name": row.name,
        "device": row.device,
        "profile": row.profile,
        "every_s": row.every_s,
        "lon": row.lon,
        "lat": row.lat,
        "address": row.address,
        "grid": names.grid(row.grid_id),
        "state": row.state,
        "last_seen": time_text(row.last_seen),
        "values": row.values,
        "quality": "stale" if row.state in ("silent", "offline", "gateway_lost") else "ok",
        "level": row.level,
        "battery": row.battery,
        "ailments": row.ailments,
        "settings": row.settings,
        "gateway": row.gateway,
        "heard_by": row.heard_by,
        "asset": row.asset,
        "installed_on": row.installed_on,
        "maintenance": _maintenance_json(row) if row.maintenance_until else None,
    }


def _maintenance_json(row: SensorRow) -> dict[str, Any]:
    """{since, until, note}; `since` is None of one that began before that was kept."""
    return {
        "since": time_text(row.maintenance_since),
        "until": time_text(row.maintenance_until),
        "note": row.maintenance_note,
    }


def zone_json(row: ZoneRow) -> dict[str, Any]:
    """{id, camera, name, points, schedule, permitted}"""
    return {"id": str(row.id), "camera": row.camera_id, **zone_shape(row)}


def zone_shape(row: ZoneRow) -> dict[str, Any]:
    """{name, points, schedule, permitted}"""
    return {"name": row.name, "points": row.points, "schedule": row.schedule, "permitted": row.permitted}


def _version(at: datetime | None) -> int:
    return int(at.timestamp() * 1000) if at else 0


def check_polygon(name: str, points: Sequence[tuple[float, float]]) -> None:
    """Raises Invalid (`fault`: code and points) for one that encloses nothing, or crosses itself."""
    wrong = polygon.fault(points)
    if wrong is None:
        return
    said = {
        "few": "at least 3 points",
        "same": "points that differ: {a} and {b} are one",
        "crossed": "edges that do not cross: {a}-{b} and {c}-{d} do",
        "flat": "an area of a ten-thousandth of the picture at least",
    }[wrong["code"]].format(**wrong)
    raise BadPolygon(f"points of zone {name}", f"{len(points)} points", said, zone=name, fault=wrong)


def _one_at_a_time(tx: Transaction) -> None:
    """Of two who register the same device at the same moment, the second finds it there."""
    locked_counter(tx, "devices")


def _put_zone(tx: Transaction, camera_id: str, zone: Zone) -> ZoneRow:
    if not 1 <= len(zone.name) <= 128:
        raise Invalid("name", zone.name, "1 to 128 characters")
    check_polygon(zone.name, zone.points)
    row = ask.zone(tx, camera_id, zone.name) or ZoneRow(camera_id=camera_id, name=zone.name)
    row.points = [[x, y] for x, y in zone.points]
    tx.add(row)
    return row


def _set_place(row: CameraRow | SensorRow, place: Place | None) -> None:
    row.lon, row.lat = (place.lon, place.lat) if place else (None, None)
    row.address, row.grid_id = (place.address, place.grid or None) if place else ("", None)


def _place(row: CameraRow | SensorRow, grids: GridTree | None) -> None:
    """The base grid of the position; one that was given and exists is kept when the position lies in none."""
    if (row.lon is None) != (row.lat is None):
        raise Invalid("lat" if row.lat is None else "lon", None, "both lon and lat, or neither")
    if row.lon is None or row.lat is None:
        return
    if not (-180 <= row.lon <= 180 and -90 <= row.lat <= 90):
        raise Invalid("lon, lat", f"{row.lon}, {row.lat}", "WGS-84 degrees, longitude first")
    if grids is not None:
        row.grid_id = grids.locate(row.lon, row.lat) or (row.grid_id if row.grid_id in grids.grids else None)


def _check_camera(row: CameraRow) -> None:
    if row.watch not in list(Watch):
        raise Invalid("watch", row.watch, list(Watch))
    if not 0.2 <= row.every_s <= 86400:
        raise Invalid("every_s", row.every_s, "seconds from 0.2 to 86400")
    if not 0 <= row.settle_s <= 60:
        raise Invalid("settle_s", row.settle_s, "seconds from 0 to 60")
    try:
        _ = row.goto and split_goto(row.goto)
    except ValueError as error:
        raise Invalid("goto", shown_url(row.goto), str(error)) from None


def _check_url(row: CameraRow) -> None:
    camera = Camera(row.id, row.name, row.url, Watch(row.watch), row.every_s)
    if fault := url_fault(camera):
        raise Invalid(*fault)


def locate(tx: Transaction, lon: float, lat: float) -> str | None:
    """Id of the base grid that the point lies in."""
    tree = _tree(tx)
    return tree.locate(lon, lat) if tree is not None else None


def _tree(tx: Transaction) -> GridTree | None:
    found = grids.tree(tx)
    return found if found.grids else None
