"""The grid: district, streets, communities and base grids as a tree of polygons, and which one a point lies in."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from shapely import transform
from shapely.geometry import MultiPolygon, Point, Polygon, shape
from shapely.ops import nearest_points

_EARTH_RADIUS_M = 6_371_008.8


class GridError(ValueError):
    """Grids that make no tree; `problems` holds one line each: grid, field, value, what is allowed."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Level(IntEnum):
    """Levels with an area of their own; a grid's parent is exactly one level above it."""

    DISTRICT = 1
    STREET = 2
    COMMUNITY = 3
    BASE = 4


_LEVELS = {"district": Level.DISTRICT, "street": Level.STREET, "community": Level.COMMUNITY, "base": Level.BASE}


@dataclass(frozen=True, slots=True)
class Grid:
    """An area with an id: `area` is a polygon in WGS-84 degrees (longitude, latitude); `parent` is empty at the top."""

    id: str
    name: str
    level: Level
    parent: str
    area: Polygon | MultiPolygon = field(repr=False)

    @property
    def level_name(self) -> str:
        """`district`, `street`, `community` or `base`."""
        return self.level.name.lower()


@dataclass(frozen=True, slots=True)
class GridTree:
    """Grids by id; made with `GridTree.of` or `GridTree.from_geojson`, which check that they form a tree."""

    grids: Mapping[str, Grid]

    @classmethod
    def of(cls, grids: Iterable[Grid]) -> GridTree:
        """Check ids and parents. Raises GridError with every problem at once."""
        by_id: dict[str, Grid] = {}
        problems = []
        for grid in grids:
            if grid.id in by_id:
                problems.append(f"grid {grid.id}: the id is used twice")
            by_id[grid.id] = grid
        for grid in by_id.values():
            parent = by_id.get(grid.parent)
            if grid.level is Level.DISTRICT:
                if grid.parent:
                    problems.append(f"grid {grid.id}: parent: {grid.parent!r}, but a district has none")
            elif parent is None:
                problems.append(f"grid {grid.id}: parent: {grid.parent!r} is not the id of a grid")
            elif parent.level != grid.level - 1:
                above = Level(grid.level - 1).name.lower()
                problems.append(f"grid {grid.id}: parent: {grid.parent!r} is a {parent.level_name}, wanted a {above}")
        if problems:
            raise GridError(problems)
        return cls(by_id)

    @classmethod
    def from_geojson(cls, collection: Mapping[str, Any]) -> GridTree:
        """From a FeatureCollection (RFC 7946) whose properties are id, name, level and parent. Raises GridError."""
        features = collection.get("features")
        if collection.get("type") != "FeatureCollection" or not isinstance(features, list):
            raise GridError([f"type: {collection.get('type')!r} with features; wanted a GeoJSON FeatureCollection"])
        grids, problems = [], []
        for number, feature in enumerate(features):
            try:
                grids.append(_grid(feature))
            except GridError as error:
                problems += [f"features[{number}]: {problem}" for problem in error.problems]
        if problems:
            raise GridError(problems)
        return cls.of(grids)

    def path(self, grid_id: str) -> tuple[Grid, ...]:
        """The district first, the grid itself last; empty for an unknown id."""
        steps: list[Grid] = []
        grid = self.grids.get(grid_id)
        while grid is not None:
            steps.append(grid)
            grid = self.grids.get(grid.parent)
        return tuple(reversed(steps))

    def full_name(self, grid_id: str) -> str:
        """Names from the district down, without spaces, as an address begins."""
        return "".join(grid.name for grid in self.path(grid_id))

    def children(self, grid_id: str) -> tuple[Grid, ...]:
        """Grids directly below, in order of id."""
        return tuple(sorted((g for g in self.grids.values() if g.parent == grid_id), key=lambda g: g.id))

    def locate(self, lon: float, lat: float, fallback_m: float = 100.0) -> str | None:
        """As the function `locate`."""
        return locate(lon, lat, self.grids.values(), fallback_m)


def locate(lon: float, lat: float, grids: Iterable[Grid], fallback_m: float = 100.0) -> str | None:
    """Id of the base grid that holds the point (WGS-84 degrees); on a shared border, the one with the lowest id.

    Outside every base grid: the nearest one not further than `fallback_m` metres, else None.
    """
    point = Point(lon, lat)
    base = sorted((g for g in grids if g.level is Level.BASE), key=lambda g: g.id)
    for grid in base:
        if grid.area.covers(point):
            return grid.id
    near = [(distance_m(lon, lat, grid), grid.id) for grid in base]
    best = min(near, default=(math.inf, ""))
    return best[1] if best[0] <= fallback_m else None


def distance_m(lon: float, lat: float, grid: Grid) -> float:
    """Metres from the point to the grid's border (0 inside), on a plane at the point's latitude.

    The plane is equirectangular with the mean Earth radius of IUGG: exact to about 1 % within a few kilometres.
    """
    here = Point(lon, lat)
    if grid.area.covers(here):
        return 0.0
    # Degrees of longitude are shorter than those of latitude: measure on a stretched copy, where a unit is a metre.
    metres = math.radians(1) * _EARTH_RADIUS_M
    flat = _scaled(grid.area, metres * math.cos(math.radians(lat)), metres)
    origin = Point(lon * metres * math.cos(math.radians(lat)), lat * metres)
    return float(nearest_points(origin, flat)[1].distance(origin))


def _scaled(area: Any, x: float, y: float) -> Any:

    return transform(area, lambda points: points * [x, y])


def _grid(feature: Any) -> Grid:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(properties, dict):
        raise GridError(["no properties; wanted id, name, level and parent"])
    problems = []
    for key in ("id", "name"):
        if not isinstance(properties.get(key), str) or not properties[key]:
            problems.append(f"{key}: {properties.get(key)!r} is not a text")
    level = _LEVELS.get(str(properties.get("level")))
    if level is None:
        problems.append(f"level: {properties.get('level')!r} is not one of {', '.join(_LEVELS)}")
    area = _area(feature.get("geometry"), problems)
    if problems or level is None:
        raise GridError(problems)
    return Grid(properties["id"], properties["name"], level, str(properties.get("parent") or ""), area)


def _area(geometry: Any, problems: list[str]) -> Any:
    if not isinstance(geometry, dict) or geometry.get("type") not in ("Polygon", "MultiPolygon"):
        kind = geometry.get("type") if isinstance(geometry, dict) else geometry
        problems.append(f"geometry: {kind!r} is not a Polygon or MultiPolygon")
        return None
    try:
        area = shape(geometry)
    except (ValueError, TypeError, IndexError, KeyError) as error:
        problems.append(f"geometry: the coordinates make no polygon: {error}")
        return None
    west, south, east, north = area.bounds if not area.is_empty else (0, 0, 0, 0)
    if area.is_empty or not area.is_valid:
        problems.append("geometry: the polygon is empty or crosses itself")
    elif not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        problems.append(f"geometry: {area.bounds} is not in WGS-84 degrees, longitude first")
    return area
