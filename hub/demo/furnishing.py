"""Brings the demo district into a hub's registry: grid, cameras with zones and tasks, sensors, people."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from detectors.geometry import Zone
from ingest.device import Camera
from ingest.inventory import read_cameras, read_sensors

from ..errors import Taken
from ..registry import CameraEntry, Registry, TaskEntry
from .district import District

SILENCE_S = 90
"""Shortened for the demo: a battery sensor that speaks every few hours is given more than a day."""


class FurnishingFailed(ValueError):
    """The district's own inventory is broken; one line for each error."""


def furnish(registry: Registry, district: District, street: str, scratch: Path) -> None:
    """Import everything; `street` is the simulator's HOST:PORT, `scratch` a folder to write in. May be repeated."""
    cameras, camera_errors = read_cameras(district.write_cameras(scratch / "cameras.yaml", street))
    sensors, sensor_errors = read_sensors(district.folder / "sensors.yaml")
    if errors := [str(error) for error in (*camera_errors, *sensor_errors)]:
        raise FurnishingFailed("the inventory of the demo is broken:\n" + "\n".join(errors))
    tasks = yaml.safe_load((district.folder / "tasks.yaml").read_text(encoding="utf-8"))
    registry.import_grids(district.grids())
    registry.import_cameras([entry(camera, tasks.get(camera.id, {})) for camera in cameras])
    registry.import_sensors(sensors)
    for account in district.accounts:
        with suppress(Taken):  # from an earlier run with the same data
            registry.add_user(
                account.user,
                account.role,
                account.department,
                password=account.password,
                shown_name=account.name,
            )


def hasty_profiles(shipped: Path, to: Path) -> Path:
    """Write the shipped sensor profiles to the folder `to`, with silence noticed within minutes; returns `to`."""
    to.mkdir(parents=True, exist_ok=True)
    for path in shipped.glob("*.yaml"):
        profile = yaml.safe_load(path.read_text(encoding="utf-8")) | {"silence_s": SILENCE_S}
        (to / path.name).write_text(yaml.safe_dump(profile, allow_unicode=True), encoding="utf-8")
    return to


def entry(camera: Camera, raw: Mapping[str, Any]) -> CameraEntry:
    """`camera` with what `tasks.yaml` says about it: clip, zones, tasks."""
    return CameraEntry(
        camera,
        tuple(TaskEntry(t["kind"], t.get("zone", ""), t.get("dwell_s")) for t in raw.get("tasks", [])),
        tuple(Zone(name, tuple((x, y) for x, y in points)) for name, points in raw.get("zones", {}).items()),
        bool(raw.get("clip", False)),
    )
