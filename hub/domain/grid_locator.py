"""Point in polygon: which of many areas holds a position, else which is near."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from shapely import STRtree
from shapely.geometry import Point

_EARTH_RADIUS_M = 6_371_008.8
_METRES = math.radians(1) * _EARTH_RADIUS_M
"""Of a degree of latitude."""


class Locator:
    """An index over areas; a look-up costs some microseconds. Areas are (id, polygon in WGS-84 degrees)."""

    def __init__(self, areas: Sequence[tuple[str, Any]]) -> None:
        ordered = sorted(areas, key=lambda area: area[0])
        self._ids = [id_ for id_, _area in ordered]
        self._areas = [area for _id, area in ordered]
        self._tree = STRtree(self._areas)
        south, north = (
            (min(a.bounds[1] for a in self._areas), max(a.bounds[3] for a in self._areas)) if areas else (0, 0)
        )
        self._x_m = _METRES * math.cos(math.radians((south + north) / 2))
        self._flat = STRtree([_stretched(area, self._x_m) for area in self._areas])

    def locate(self, lon: float, lat: float, fallback_m: float = 100.0) -> str | None:
        """Id of the area that holds the point; on a shared border, the lowest id.

        Outside all of them: the nearest one not further than `fallback_m` metres, else None.
        """
        point = Point(lon, lat)
        inside = self._tree.query(point, predicate="intersects")
        return self._ids[int(inside.min())] if len(inside) else self._nearest(lon, lat, fallback_m)

    def locate_many(self, lons: Sequence[float], lats: Sequence[float], fallback_m: float = 100.0) -> list[str | None]:
        """As `locate`, of many points at once."""
        which, area = self._tree.query(shapely.points(lons, lats), predicate="intersects")
        nobody = len(self._ids)
        lowest = np.full(len(lons), nobody)
        np.minimum.at(lowest, which, area)
        return [
            self._ids[found] if found < nobody else self._nearest(lon, lat, fallback_m)
            for found, lon, lat in zip(lowest.tolist(), lons, lats, strict=True)
        ]

    def _nearest(self, lon: float, lat: float, fallback_m: float) -> str | None:
        """The index measures at the areas' middle latitude, so a margin is let in and measured again exactly."""
        if not self._ids or fallback_m <= 0:
            return None
        here = Point(lon * self._x_m, lat * _METRES)
        candidates = self._flat.query(here, predicate="dwithin", distance=fallback_m * 1.05 + 1)
        near = [(distance_m(lon, lat, self._areas[i]), self._ids[i]) for i in candidates.tolist()]
        best = min(near, default=(math.inf, ""))
        return best[1] if best[0] <= fallback_m else None


def distance_m(lon: float, lat: float, area: Any) -> float:
    """Metres from the point to the area's border (0 inside), on a plane at the point's latitude.

    The plane is equirectangular with the mean Earth radius of IUGG: exact to about 1 % within a few kilometres.
    """
    if area.covers(Point(lon, lat)):
        return 0.0
    # Degrees of longitude are shorter than those of latitude: measure on a stretched copy, where a unit is a metre.
    x_m = _METRES * math.cos(math.radians(lat))
    return float(shapely.distance(_stretched(area, x_m), Point(lon * x_m, lat * _METRES)))


def area_m2(area: Any) -> float:
    """Square metres, on a plane at the area's middle latitude."""
    if area.is_empty:
        return 0.0
    x_m = _METRES * math.cos(math.radians((area.bounds[1] + area.bounds[3]) / 2))
    return float(_stretched(area, x_m).area)


def _stretched(area: Any, x_m: float) -> Any:
    return shapely.transform(area, lambda points: points * [x_m, _METRES])
