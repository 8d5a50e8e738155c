"""Lays out the demo district from a seed: `python -m hub.demo.plan --seed 2026 --out configs/demo`.

The area is an invented part of 西峰区: real road names on an invented street plan. Run once; the files it writes are
the ones that ship and may be edited by hand (`timeline.yaml` and `district.yaml` are only written by hand).
"""

from __future__ import annotations

import argparse
import json
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from shapely.geometry import MultiPoint, box

CENTRE = (107.6385, 35.7205)
"""Longitude and latitude of the middle, WGS-84: the town of 西峰."""
CELL_DEG = (0.0040, 0.0031)
"""About 360 x 345 m: a base grid."""
COLUMNS, ROWS = 4, 3
TURN = math.radians(4.0)
DISTRICT, DISTRICT_NAME = "621002", "西峰区"
STREETS = ("南街街道", "北街街道")
COMMUNITIES = ("九龙社区", "长庆社区", "育才社区", "安定社区")
AVENUES = ("九龙路", "长庆大道", "南大街", "育才路", "安定路")
"""The lines between columns, from west to east."""
CROSSINGS = ("董志路", "合水路", "兰州路", "西大街")
"""The lines between rows, from south to north."""
SENSORS = (
    ("bin_level", "bin", "垃圾箱", 14, "chirpstack", 20.0),
    ("manhole", "manhole", "井盖", 12, "chirpstack", 30.0),
    ("water_depth", "water", "积水点", 6, "chirpstack", 20.0),
    ("smoke", "smoke", "烟感", 8, "json", 30.0),
)
"""Profile, id prefix, what stands there, how many, payload format, seconds between messages."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Lattice:
    """Corners of the base grids: `corner[column][row]`, longitude and latitude."""

    corner: tuple[tuple[Point, ...], ...]

    @classmethod
    def of(cls, seed: int) -> Lattice:
        """A slightly turned and bent street plan."""
        noise = random.Random(seed)
        columns = []
        for i in range(COLUMNS + 1):
            column = []
            for j in range(ROWS + 1):
                x = (i - COLUMNS / 2) * CELL_DEG[0] + noise.uniform(-0.09, 0.09) * CELL_DEG[0]
                y = (j - ROWS / 2) * CELL_DEG[1] + noise.uniform(-0.09, 0.09) * CELL_DEG[1]
                lon = CENTRE[0] + x * math.cos(TURN) - y * math.sin(TURN)
                lat = CENTRE[1] + x * math.sin(TURN) + y * math.cos(TURN)
                column.append((round(lon, 6), round(lat, 6)))
            columns.append(tuple(column))
        return cls(tuple(columns))

    def ring(self, west: int, east: int, south: int, north: int) -> list[Point]:
        """The closed outline of a block of cells (lines, not cells, are counted), counter-clockwise."""
        lower = [self.corner[i][south] for i in range(west, east + 1)]
        right = [self.corner[east][j] for j in range(south + 1, north + 1)]
        upper = [self.corner[i][north] for i in range(east - 1, west - 1, -1)]
        left = [self.corner[west][j] for j in range(north - 1, south - 1, -1)]
        return lower + right + upper + left

    def inside(self, column: int, row: int, u: float, v: float) -> Point:
        """A point of a cell: u from west to east, v from south to north, 0-1 (bilinear)."""
        a, b = self.corner[column][row], self.corner[column + 1][row]
        c, d = self.corner[column][row + 1], self.corner[column + 1][row + 1]
        lon, lat = ((1 - u) * (1 - v) * a[k] + u * (1 - v) * b[k] + (1 - u) * v * c[k] + u * v * d[k] for k in range(2))
        return (round(lon, 6), round(lat, 6))


def grid_id(column: int, row: int) -> str:
    """15 digits: county, street, community, sequence."""
    return f"{community_id(column)}{row + 1:03d}"


def community_id(column: int) -> str:
    """12 digits: county, street, community."""
    return f"{DISTRICT}{column // 2 + 1:03d}{column % 2 + 1:03d}"


def grids(lattice: Lattice) -> dict[str, Any]:
    """District, streets, communities and base grids as a FeatureCollection."""
    features = [_feature(DISTRICT, DISTRICT_NAME, "district", "", lattice.ring(0, COLUMNS, 0, ROWS))]
    for k, name in enumerate(STREETS):
        features.append(
            _feature(f"{DISTRICT}{k + 1:03d}", name, "street", DISTRICT, lattice.ring(2 * k, 2 * k + 2, 0, ROWS))
        )
    for column, name in enumerate(COMMUNITIES):
        ring = lattice.ring(column, column + 1, 0, ROWS)
        features.append(_feature(community_id(column), name, "community", community_id(column)[:9], ring))
    for column in range(COLUMNS):
        for row in range(ROWS):
            name = f"{COMMUNITIES[column]}第{row + 1}网格"
            ring = lattice.ring(column, column + 1, row, row + 1)
            features.append(_feature(grid_id(column, row), name, "base", community_id(column), ring))
    return {"type": "FeatureCollection", "features": features}


def _feature(ident: str, name: str, level: str, parent: str, ring: list[Point]) -> dict[str, Any]:
    properties = {"id": ident, "name": name, "level": level, "parent": parent}
    return {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [ring]}}


def cameras(lattice: Lattice, seed: int) -> list[dict[str, Any]]:
    """Two cameras a base grid, each near a street corner: id, name, address, lon, lat, grid."""
    noise = random.Random(seed + 1)
    found: list[dict[str, Any]] = []
    for column in range(COLUMNS):
        for row in range(ROWS):
            west = noise.random() < 0.5
            for east, north in ((not west, False), (west, True)):
                u = noise.uniform(0.86, 0.93) if east else noise.uniform(0.07, 0.14)
                v = noise.uniform(0.86, 0.93) if north else noise.uniform(0.07, 0.14)
                lon, lat = lattice.inside(column, row, u, v)
                # A camera in the east of its cell stands west of the avenue.
                side = ("西" if east else "东") + ("南" if north else "北")
                crossing = f"{AVENUES[column + east]}与{CROSSINGS[row + north]}路口"
                found.append(
                    {
                        "id": f"c{len(found) + 1:02d}",
                        "name": f"{crossing}{side}角",
                        "address": f"{STREETS[column // 2]}{crossing}{side}角",
                        "lon": lon,
                        "lat": lat,
                        "grid": grid_id(column, row),
                    }
                )
    return found


def sensors(lattice: Lattice, seed: int) -> list[dict[str, Any]]:
    """Sensors spread over the base grids along the streets: id, name, device, profile, every_s, place."""
    noise = random.Random(seed + 2)
    cells = [(column, row) for column in range(COLUMNS) for row in range(ROWS)]
    found: list[dict[str, Any]] = []
    for profile, prefix, thing, count, _format, every_s in SENSORS:
        noise.shuffle(cells)
        for k in range(count):
            column, row = cells[k % len(cells)]
            along, east = noise.uniform(0.2, 0.8), noise.random() < 0.5
            lon, lat = lattice.inside(column, row, 0.95 if east else 0.05, along)
            road = AVENUES[column + east]
            address = f"{STREETS[column // 2]}{road}{2 * noise.randint(4, 90) + (0 if east else 1)}号"
            number = f"{k + 1:02d}"
            device = f"{prefix}-{number}" if _format == "json" else f"a84041ffff{noise.getrandbits(24):06x}"
            found.append(
                {
                    "id": f"{prefix}-{number}",
                    "name": f"{road}{thing}{number}",
                    "device": device,
                    "profile": profile,
                    "every_s": every_s,
                    "lon": lon,
                    "lat": lat,
                    "address": address,
                    "grid": grid_id(column, row),
                }
            )
    return found


def formats() -> dict[str, str]:
    """Payload format by sensor profile."""
    return {profile: form for profile, _prefix, _thing, _count, form, _every in SENSORS}


def scene(scenes: Path, view: str) -> tuple[dict[str, list[Point]], bool]:
    """Natural zones of a rendered view (0-1 polygons) by name, and whether cars are parked there for good."""
    drawn = json.loads((scenes / view / "scene.json").read_text(encoding="utf-8"))
    zones = {name: [(x, y) for x, y in points] for name, points in drawn["zones"].items()}
    matrix, ground_m = np.array(drawn["projection"]), drawn["street"]["ground_z"]
    for name, ground in (("shop_front", "shop_front"), ("street_side", "pavement")):
        if ground in zones:
            zones[name] = raised(zones[ground], matrix, ground_m, HEIGHT_M)
    return {ZONE_NAMES.get(name, name): points for name, points in zones.items()}, bool(drawn["static"])


def raised(zone: Sequence[Point], matrix: NDArray[np.float64], ground_m: float, height_m: float) -> list[Point]:
    """A zone on the ground with the space up to `height_m` above it: where things that stand there are seen.

    `zone` is a picture polygon (0-1), `matrix` (3 x 4) takes world metres to the picture.
    """
    on_ground = np.column_stack([matrix[:, 0], matrix[:, 1], matrix[:, 3] + ground_m * matrix[:, 2]])
    plan = np.linalg.inv(on_ground) @ np.array([[x, y, 1.0] for x, y in zone]).T
    plan /= plan[2]
    above = on_ground @ plan + height_m * matrix[:, 2:3]
    tops = [(float(u), float(v)) for u, v in (above[:2] / above[2]).T]
    hull = MultiPoint([*zone, *tops]).convex_hull.intersection(box(0, 0, 1, 1))
    return [(round(x, 4), round(y, 4)) for x, y in list(hull.exterior.coords)[:-1]]


def write(out: Path, seed: int, views: Sequence[tuple[str, str]]) -> None:
    """Write grids, cameras, sensors and the street's own list; `views` are (view, light), one a camera."""
    lattice = Lattice.of(seed)
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(grids(lattice), ensure_ascii=False, indent=1)
    (out / "grids.geojson").write_text(text + "\n", encoding="utf-8")
    placed = cameras(lattice, seed)
    shown = {c["id"]: {"view": view, "light": light} for c, (view, light) in zip(placed, views, strict=True)}
    inventory = [{**camera, **_inventory(camera["id"])} for camera in placed]
    tasks = {ident: _tasks(ident, *scene(out / "scenes", spot["view"])) for ident, spot in shown.items()}
    _yaml(out / "cameras.yaml", CAMERAS_HEAD, {"cameras": inventory})
    _yaml(out / "sensors.yaml", "The inventory of sensors.", {"sensors": sensors(lattice, seed)})
    _yaml(out / "tasks.yaml", TASKS_HEAD, tasks)
    _yaml(out / "street.yaml", STREET_HEAD, {"cameras": shown})


CAMERAS_HEAD = "The inventory of cameras; {street} stands for the address of the street simulator."
TASKS_HEAD = (
    "What is looked for at each camera, and where. dwell_s is shortened for the demo: a city waits 10 to 30 minutes."
)
STREET_HEAD = "What the street simulator shows at each camera. Hub and worker never read this."
STANDING = ("c03", "c12", "c21")
"""Cameras that are watched as standing video, so that clips exist."""
ZONE_NAMES = {"street_side": "沿街", "kerb_strip": "路缘禁停带", "pavement": "人行道", "shop_front": "店门前"}
"""What a rendered view calls its zones, and what the people at the desk read."""
IN_ZONE = (
    ("garbage_exposed", "沿街"),
    ("open_burning", "沿街"),
    ("vehicle_parking", "路缘禁停带"),
    ("vehicle_parking", "人行道"),
    ("goods_pile", "店门前"),
)
"""What is looked for where; nobody has rubbish on roofs or fire in the sky reported."""
HEIGHT_M = 1.2
GOODS_WATCHED = ("c01", "c02", "c09", "c15", "c18")
"""Cameras that watch a shop front for piled goods."""
_DWELL_S = {"garbage_exposed": 8, "open_burning": 8, "vehicle_parking": 40, "goods_pile": 40}


def _inventory(ident: str) -> dict[str, Any]:
    if ident in STANDING:
        return {"url": f"libav+http://{{street}}/camera/{ident}.ts", "watch": "stay", "every_s": 5}
    return {"url": f"http://{{street}}/camera/{ident}.jpg", "watch": "snapshot", "every_s": 5}


def _tasks(ident: str, zones: dict[str, list[Point]], parked: bool) -> dict[str, Any]:
    """Nobody draws a no-parking zone where cars may stand, nor watches every shop front."""
    unwanted = {"vehicle_parking": parked, "goods_pile": ident not in GOODS_WATCHED}
    in_zone = [(kind, zone) for kind, zone in IN_ZONE if zone in zones and not unwanted.get(kind)]
    tasks = [{"kind": kind, "zone": zone, "dwell_s": _DWELL_S[kind]} for kind, zone in in_zone]
    used = {zone: [list(p) for p in zones[zone]] for _kind, zone in in_zone}
    return {"clip": ident in STANDING, "zones": used, "tasks": tasks}


def _yaml(path: Path, head: str, content: dict[str, Any]) -> None:
    body = yaml.safe_dump(content, allow_unicode=True, sort_keys=False, default_flow_style=None, width=118)
    path.write_text(f"# {head}\n{body}", encoding="utf-8")


def main() -> int:
    """Write the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--night", default="", help="comma list of cameras shown by night, and so on with --rain, --dusk"
    )
    parser.add_argument("--rain", default="")
    parser.add_argument("--dusk", default="")
    args = parser.parse_args()
    names = sorted(p.parent.name for p in (args.out / "scenes").glob("*/scene.json"))
    if not names:
        parser.error(f"{args.out / 'scenes'} holds no rendered view (*/scene.json)")
    lights = {ident: light for light in ("night", "rain", "dusk") for ident in getattr(args, light).split(",") if ident}
    count = 2 * COLUMNS * ROWS
    write(args.out, args.seed, [(names[k % len(names)], lights.get(f"c{k + 1:02d}", "day")) for k in range(count)])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
