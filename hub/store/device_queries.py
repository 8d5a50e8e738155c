"""Cameras, sensors, zones and grids: what is asked of the database."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from ..domain.place import degrees_around, distance_m
from .rows import CameraRow, GridRow, SensorRow, ZoneRow


def camera(tx: Session, camera_id: str, lock: bool = False) -> CameraRow | None:
    """The camera; `lock`: until the transaction ends nobody else has it locked."""
    if not lock:
        return tx.get(CameraRow, camera_id)
    query = select(CameraRow).where(CameraRow.id == camera_id).with_for_update()
    return tx.scalars(query.execution_options(populate_existing=True)).first()


def ids(tx: Session) -> tuple[list[str], list[str]]:
    """Of all cameras, and of all sensors."""
    return list(tx.scalars(select(CameraRow.id))), list(tx.scalars(select(SensorRow.id)))


def cameras(tx: Session, after: str | None = None, limit: int | None = None) -> list[CameraRow]:
    """By id, those after `after`."""
    query = select(CameraRow).order_by(CameraRow.id).limit(limit)
    return list(tx.scalars(query if after is None else query.where(CameraRow.id > after)))


def sensor(tx: Session, sensor_id: str) -> SensorRow | None:
    """The sensor."""
    return tx.get(SensorRow, sensor_id)


def sensor_with_device(tx: Session, device: str) -> SensorRow | None:
    """The sensor whose payloads carry `device`."""
    return tx.scalars(select(SensorRow).where(SensorRow.device == device)).first()


def with_devices(tx: Session, devices: Collection[str]) -> set[str]:
    """Those of `devices` that belong to a sensor."""
    query = select(SensorRow.device)
    return {device for part in _parts(devices) for device in tx.scalars(query.where(SensorRow.device.in_(part)))}


def sensors(tx: Session, after: str | None = None, limit: int | None = None) -> list[SensorRow]:
    """By id, those after `after`."""
    query = select(SensorRow).order_by(SensorRow.id).limit(limit)
    return list(tx.scalars(query if after is None else query.where(SensorRow.id > after)))


def zones(tx: Session, camera_id: str | None = None) -> list[ZoneRow]:
    """Of one camera, or all."""
    query = select(ZoneRow).order_by(ZoneRow.camera_id, ZoneRow.name)
    return list(tx.scalars(query if camera_id is None else query.where(ZoneRow.camera_id == camera_id)))


def zones_by_camera(tx: Session) -> dict[str, dict[str, ZoneRow]]:
    """All zones: camera to name to zone."""
    found: dict[str, dict[str, ZoneRow]] = {}
    for row in zones(tx):
        found.setdefault(row.camera_id, {})[row.name] = row
    return found


def zone(tx: Session, camera_id: str, name: str) -> ZoneRow | None:
    """The zone by its name."""
    return tx.scalars(select(ZoneRow).where(ZoneRow.camera_id == camera_id, ZoneRow.name == name)).first()


def grids(tx: Session) -> list[GridRow]:
    """All areas."""
    return list(tx.scalars(select(GridRow).order_by(GridRow.id)))


def grid_names(tx: Session) -> dict[str, str]:
    """Names by id."""
    return dict(tx.execute(select(GridRow.id, GridRow.name)).all())


def nearest_camera(tx: Session, lon: float, lat: float, within_m: float) -> str | None:
    """The camera nearest to the point, if one is so near."""
    east, north = degrees_around(lat, within_m)
    query = select(CameraRow).where(
        CameraRow.lon.between(lon - east, lon + east), CameraRow.lat.between(lat - north, lat + north)
    )
    near = [(distance_m(lon, lat, c.lon or 0.0, c.lat or 0.0), c.id) for c in tx.scalars(query)]
    best = min(near, default=(within_m + 1, ""))
    return best[1] if best[0] <= within_m else None


def has_grids(tx: Session) -> bool:
    """Whether the district's grid is known."""
    return tx.scalar(select(GridRow.id).limit(1)) is not None


def grid_path(tx: Session, grid_id: str | None) -> dict[str, str]:
    """Level to id, from the grid up to the district; empty for no grid."""
    path: dict[str, str] = {}
    while grid_id is not None and len(path) < 8:
        row = tx.get(GridRow, grid_id)
        if row is None or row.level in path:
            break
        path[row.level], grid_id = row.id, row.parent_id
    return path


def cameras_of(tx: Session, ids: Collection[str]) -> list[CameraRow]:
    """Those cameras, by id."""
    query = select(CameraRow).order_by(CameraRow.id)
    return [row for part in _parts(ids) for row in tx.scalars(query.where(CameraRow.id.in_(part)))]


def sensors_of(tx: Session, ids: Collection[str]) -> list[SensorRow]:
    """Those sensors, by id."""
    query = select(SensorRow).order_by(SensorRow.id)
    return [row for part in _parts(ids) for row in tx.scalars(query.where(SensorRow.id.in_(part)))]


def _parts(ids: Collection[str], size: int = 500) -> Iterator[list[str]]:
    """Sorted, in parts that a database takes as parameters."""
    ordered = sorted(ids)
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]


def camera_states(tx: Session) -> dict[str, tuple[str, datetime | None]]:
    """(state, since) by camera."""
    rows = tx.execute(select(CameraRow.id, CameraRow.state, CameraRow.since))
    return {id_: (state, since) for id_, state, since in rows}


class Told(NamedTuple):
    """What was last told of a camera."""

    state: str
    since: datetime | None
    message: str
    via: str
    resolution: str
    why: dict[str, Any] | None = None
    """`message` as {code, values}."""


def told_of(tx: Session, ids: Collection[str]) -> dict[str, Told]:
    """What was last told, by camera."""
    row = CameraRow
    query = select(row.id, row.state, row.since, row.message, row.via, row.resolution, row.why)
    return {row[0]: Told(*row[1:]) for part in _parts(ids) for row in tx.execute(query.where(CameraRow.id.in_(part)))}


class Looked(NamedTuple):
    """How one camera is looked at: wanted and attained interval, newest look."""

    id: str
    state: str
    every_s: float
    attained_s: float | None
    last_look_at: datetime | None


def looked(tx: Session) -> list[Looked]:
    """Of every camera."""
    columns = (CameraRow.id, CameraRow.state, CameraRow.every_s, CameraRow.attained_s, CameraRow.last_look_at)
    return [Looked(*row) for row in tx.execute(select(*columns).order_by(CameraRow.id))]


def camera_places(tx: Session) -> list[tuple[str, str, str | None]]:
    """(id, url, grid) of every camera."""
    return [(id_, url, grid) for id_, url, grid in tx.execute(select(CameraRow.id, CameraRow.url, CameraRow.grid_id))]


class SensorTold(NamedTuple):
    """What was last told of a sensor."""

    state: str
    last_seen: datetime | None
    values: dict[str, Any]
    level: str
    heard_by: list[Any]


def sensor_states(tx: Session, ids: Collection[str]) -> dict[str, SensorTold]:
    """Of those of `ids` that there are."""
    columns = (SensorRow.state, SensorRow.last_seen, SensorRow.values, SensorRow.level, SensorRow.heard_by)
    query = select(SensorRow.id, *columns)
    rows = (row for part in _parts(ids) for row in tx.execute(query.where(SensorRow.id.in_(part))))
    return {row[0]: SensorTold(*row[1:]) for row in rows}


def set_camera_states(tx: Session, changes: list[dict[str, Any]]) -> None:
    """Rows of {id, state, since, message, via, resolution, why}."""
    _set_cameras(tx, changes, "state", "since", "message", "via", "resolution", "why")


def set_looks(tx: Session, changes: list[dict[str, Any]]) -> None:
    """Rows of {id, last_look_at, attained_s}; unknown cameras are passed over."""
    _set_cameras(tx, changes, "last_look_at", "attained_s")


def _set_cameras(tx: Session, changes: list[dict[str, Any]], *names: str) -> None:
    if not changes:
        return
    table: Any = CameraRow.__table__
    values: dict[str, Any] = {name: bindparam(name) for name in names}
    statement = update(table).where(table.c.id == bindparam("camera")).values(**values)
    rows = [{"camera": c["id"], **{name: c[name] for name in names}} for c in _in_order(changes)]
    tx.connection().execute(statement, rows)


def set_sensor_states(tx: Session, changes: list[dict[str, Any]]) -> None:
    """Rows of {id, state, said, last_seen, values, level, battery, ailments, heard_by}."""
    if not changes:
        return
    table: Any = SensorRow.__table__
    names = ("state", "said", "last_seen", "values", "level", "battery", "ailments", "heard_by")
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
    statement = update(table).where(table.c.id == bindparam("sensor")).values(values)
    rows = [{"sensor": c["id"], **{f"new_{name}": c[name] for name in names}} for c in _in_order(changes)]
    tx.connection().execute(statement, rows)


def _in_order(changes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By id: rows are locked in the same order by everybody, so that nobody waits in a ring."""
    return sorted(changes, key=lambda change: str(change["id"]))


def counts_by_state(tx: Session) -> tuple[dict[str, int], dict[str, int]]:
    """(cameras by state, sensors by state)."""
    by_camera = tx.execute(select(CameraRow.state, func.count()).group_by(CameraRow.state))
    by_sensor = tx.execute(select(SensorRow.state, func.count()).group_by(SensorRow.state))
    return dict(by_camera.all()), dict(by_sensor.all())
