"""The sample district as files that a hub reads: `gridhub run --config DIR/hub.yaml` then works in it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from .. import units
from ..domain import grid_geojson
from .areas import STREETS, Areas
from .devices import Placed, cameras, sensors
from .people import persons

NIGHT_MARKET = 2
"""Index of the street that regulates trade on its own ground: the example of an override."""


def write(out: Path, seed: int, shipped: Path, camera_url: str = "rtsp://camera.invalid/{id}") -> dict[str, int]:
    """Write everything into the folder `out`; how many of what. `shipped`: configs of the project."""
    areas = Areas(seed)
    out.mkdir(parents=True, exist_ok=True)
    tree, people = areas.tree, persons(areas.tree, seed)
    collection = grid_geojson.write(tree.grids.values())
    _text(out / "grids.geojson", json.dumps(collection, ensure_ascii=False, separators=(",", ":")) + "\n")
    _csv(out / "persons.csv", ("grid", "role", "name", "phone"), ([p.grid, p.role, p.name, p.phone] for p in people))
    placed_cameras, placed_sensors = cameras(areas), sensors(areas)
    _csv(out / "cameras.csv", ("id", "name", "url", "watch", "every_s", *_PLACE), (
        [c.id, c.name, camera_url.replace("{id}", c.id), "stay", c.every_s, *_place(c)] for c in placed_cameras
    ))  # fmt: skip
    _csv(out / "sensors.csv", ("id", "name", "device", "profile", "every_s", *_PLACE), (
        [s.id, s.name, s.device, s.profile, s.every_s, *_place(s)] for s in placed_sensors
    ))  # fmt: skip
    made = departments(areas, shipped)
    head = f"# Handling units of the sample district (seed {seed}).\n"
    _text(out / "departments.yaml", head + _yaml({"verified": False, "departments": made}))
    _text(out / "routing.yaml", routing(areas, shipped))
    _text(out / "hub.yaml", HUB.format(seed=seed))
    levels = {level: sum(g.level_name == level for g in tree.grids.values()) for level in _LEVELS}
    counts = {"persons": len(people), "units": len(made), "cameras": len(placed_cameras)}
    return levels | counts | {"sensors": len(placed_sensors)}


_LEVELS = ("district", "street", "community", "base", "compound", "building")
_PLACE = ("lon", "lat", "address", "grid")
HUB = """# The sample district (seed {seed}); every other key has its default, see configs/hub.yaml.
name: gridhub · 样例区
data_dir: data
grids: grids.geojson
persons: persons.csv
departments: departments.yaml
routing: routing.yaml
cameras: cameras.csv
sensor_list: sensors.csv
workers: 0
"""


def departments(areas: Areas, shipped: Path) -> list[dict[str, Any]]:
    """48 units: those of a whole district, and an office of each street in place of the one for all."""
    found: list[dict[str, Any]] = []
    for unit in units.read(shipped / "departments.yaml"):
        offices = range(len(STREETS)) if unit.kind == "street" else ()
        rows = [
            (f"street_{k + 1:03d}", f"{STREETS[k]}办事处", f"Subdistrict office {k + 1}", areas.street_id(k))
            for k in offices
        ]
        for id_, name, name_en, grid in rows or [(unit.id, unit.name, unit.name_en, "")]:
            row: dict[str, Any] = {"id": id_, "name": {"zh": name, "en": name_en}, "kind": unit.kind}
            duties = {"zh": list(unit.duties), "en": list(unit.duties_en)}
            found.append(row | ({"grid": grid} if grid else {}) | {"duties": duties})
    return found


def routing(areas: Areas, shipped: Path) -> str:
    """The shipped table, with one street that regulates trade on its ground."""
    rule = {
        "area": areas.street_id(NIGHT_MARKET),
        "classes": ["09006"],
        "unit": f"street_{NIGHT_MARKET + 1:03d}",
        "why": {"zh": "夜市由街道管理", "en": "the subdistrict manages the night market"},
    }
    text = (shipped / "routing.yaml").read_text(encoding="utf-8")
    return text.replace("areas: []", f"areas:\n  - {json.dumps(rule, ensure_ascii=False)}")


def _place(device: Placed) -> list[Any]:
    return [device.lon, device.lat, device.address, device.grid]


def _csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _yaml(content: Any) -> str:
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=118)
