"""Whether two problems are at the same place (domain.md §4.5)."""

from __future__ import annotations

import math
from dataclasses import dataclass

_EARTH_RADIUS_M = 6_371_008.8


@dataclass(frozen=True, slots=True)
class Spot:
    """A position in WGS-84 degrees, where known, and the device that sees it."""

    lon: float | None
    lat: float | None
    camera: str | None = None
    sensor: str | None = None


def near(a: Spot, b: Spot, within_m: float) -> bool:
    """Seen by the same camera or sensor, or not further apart than `within_m` metres."""
    if (a.camera and a.camera == b.camera) or (a.sensor and a.sensor == b.sensor):
        return True
    if a.lon is None or a.lat is None or b.lon is None or b.lat is None:
        return False
    return distance_m(a.lon, a.lat, b.lon, b.lat) <= within_m


def distance_m(lon_a: float, lat_a: float, lon_b: float, lat_b: float) -> float:
    """Metres on a plane at `lat_a` (equirectangular, mean Earth radius of IUGG): exact to 1 % within kilometres."""
    north = math.radians(lat_a - lat_b) * _EARTH_RADIUS_M
    east = math.radians(lon_a - lon_b) * _EARTH_RADIUS_M * math.cos(math.radians(lat_a))
    return math.hypot(north, east)


def degrees_around(lat: float, within_m: float) -> tuple[float, float]:
    """(longitude, latitude) degrees that `within_m` metres are at most, for a box that a database can search."""
    north = math.degrees(within_m / _EARTH_RADIUS_M)
    return north / max(0.01, math.cos(math.radians(lat))), north
