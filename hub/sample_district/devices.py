"""Cameras and sensors of the sample district, spread over the base grids along the streets."""

from __future__ import annotations

import random
from dataclasses import dataclass

from .areas import CROSSINGS, ROADS, STREETS, Areas, Cell

CAMERAS, SENSORS = 2000, 500
_SHARES = (
    ("bin_level", "bin", "垃圾箱", 200, 3600.0),
    ("manhole", "manhole", "井盖", 150, 21600.0),
    ("water_depth", "water", "积水点", 60, 600.0),
    ("smoke", "smoke", "烟感", 90, 3600.0),
)
"""Profile, id prefix, what stands there, how many, seconds between messages."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A device and where it stands; `profile`, `device` and `every_s` are those of a sensor."""

    id: str
    name: str
    address: str
    lon: float
    lat: float
    grid: str
    profile: str = ""
    device: str = ""
    every_s: float = 10.0


def cameras(areas: Areas) -> list[Placed]:
    """Eight or nine in each base grid, near its corners and edges; at most `CAMERAS`."""
    found = []
    for number in range(CAMERAS):
        cell = areas.cells[number % len(areas.cells)]
        noise = random.Random(f"{areas.seed}/camera/{number}")
        u, v = noise.choice((0.08, 0.5, 0.92)), noise.choice((0.08, 0.92))
        u, v = u + noise.uniform(-0.05, 0.05), v + noise.uniform(-0.05, 0.05)
        road, crossing = ROADS[cell.column + (u > 0.5)], CROSSINGS[cell.row + (v > 0.5)]
        where = f"{road}与{crossing}路口{'西' if u > 0.5 else '东'}{'南' if v > 0.5 else '北'}角"
        lon, lat = areas.inside(cell, u, v)
        address = f"{_street(cell)}{where}"
        found.append(Placed(f"c{number + 1:04d}", f"{where}{number + 1}", address, lon, lat, cell.id))
    return found


def sensors(areas: Areas) -> list[Placed]:
    """All profiles, by turns over the base grids."""
    found: list[Placed] = []
    order = list(areas.cells)
    random.Random(f"{areas.seed}/sensors").shuffle(order)
    for profile, prefix, thing, count, every_s in _SHARES:
        for k in range(count):
            cell = order[len(found) % len(order)]
            noise = random.Random(f"{areas.seed}/sensor/{profile}/{k}")
            east, v = noise.random() < 0.5, noise.uniform(0.1, 0.9)
            lon, lat = areas.inside(cell, 0.95 if east else 0.05, v)
            road = ROADS[cell.column + east]
            address = f"{_street(cell)}{road}{2 * noise.randint(4, 180) + (not east)}号"
            device = f"a84041ffff{noise.getrandbits(24):06x}"
            name = f"{road}{thing}{k + 1:03d}"
            found.append(Placed(f"{prefix}-{k + 1:03d}", name, address, lon, lat, cell.id, profile, device, every_s))
    return found


def _street(cell: Cell) -> str:
    return STREETS[int(cell.id[6:9]) - 1]
