"""Grids as GeoJSON (RFC 7946): longitude first, WGS-84, outer rings counter-clockwise, at most 7 decimals, no `crs`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import shapely
from shapely.geometry import mapping, shape

from .grid import LEVELS, Grid, GridError, GridTree, Level

DECIMALS = 7
"""About a centimetre."""
_ID = re.compile(r"(?!\.{1,2}\Z)[^/\x00-\x1f\x7f]{1,64}")
_AREAS = ("Polygon", "MultiPolygon")
_CRS84 = "urn:ogc:def:crs:OGC:1.3:CRS84"


def parsed(content: bytes) -> dict[str, Any]:
    """The collection in a file (UTF-8, with or without a byte order mark), for `read`. Raises GridError."""
    try:
        found = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise GridError([f"cannot be read as JSON: {error}"]) from None
    return found if isinstance(found, dict) else {}


def read(collection: Mapping[str, Any]) -> GridTree:
    """From a FeatureCollection whose properties are id, name, level, parent and area_level. Raises GridError.

    Rings that turn the wrong way are turned, as readers should; positions are rounded to 7 decimals.
    """
    features = collection.get("features")
    if collection.get("type") != "FeatureCollection" or not isinstance(features, list):
        raise GridError([f"type: {collection.get('type')!r} with features; wanted a GeoJSON FeatureCollection"])
    grids, problems = [], _crs_problems(collection)
    for number, feature in enumerate(features):
        try:
            grids.append(_grid(feature))
        except GridError as error:
            problems += [f"features[{number}]: {problem}" for problem in error.problems]
    if problems:
        raise GridError(problems)
    return GridTree.of(grids)


def write(grids: Iterable[Grid]) -> dict[str, Any]:
    """The FeatureCollection, in the order given."""
    return {"type": "FeatureCollection", "features": [_feature(grid) for grid in grids]}


def geometry(area: Any) -> dict[str, Any]:
    """A geometry by the rules of RFC 7946."""
    if area.geom_type in _AREAS:
        area = shapely.orient_polygons(area)
    return _lists(mapping(area))


def shape_of(made: Mapping[str, Any]) -> Any:
    """The shape of a geometry that was checked before."""
    return shape(made)


def tidy(area: Any) -> Any:
    """A shape with positions of at most 7 decimals."""
    return shapely.transform(area, lambda points: points.round(DECIMALS))


def _lists(made: Mapping[str, Any]) -> dict[str, Any]:
    def plain(value: Any) -> Any:
        return round(value, DECIMALS) if isinstance(value, float) else [plain(item) for item in value]

    return {"type": made["type"], "coordinates": plain(made["coordinates"])}


def _feature(grid: Grid) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "id": grid.id,
        "name": grid.name,
        "level": grid.level_name,
        "parent": grid.parent or None,
    }
    if grid.area_level:
        properties["area_level"] = grid.area_level
    return {"type": "Feature", "id": grid.id, "geometry": geometry(grid.area), "properties": properties}


def _crs_problems(collection: Mapping[str, Any]) -> list[str]:
    """RFC 7946 knows no `crs`; older files name one, and any but WGS-84 would put every grid somewhere else."""
    crs = collection.get("crs")
    if crs is None:
        return []
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = str((properties or {}).get("name", crs))
    if name == _CRS84 or name.rpartition(":")[2] in ("4326", "4490"):
        return []
    return [f"crs: {name!r}; wanted WGS-84 degrees (or CGCS2000), longitude first, and no crs member"]


def _grid(feature: Any) -> Grid:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(properties, dict):
        raise GridError(["no properties; wanted id, name, level and parent"])
    problems = []
    for key in ("id", "name"):
        value = properties.get(key)
        if not isinstance(value, str) or not value or (key == "id" and not _ID.fullmatch(value)):
            allowed = "a text of at most 64 characters, without / and line breaks" if key == "id" else "a text"
            problems.append(f"{key}: {value!r} is not {allowed}")
    level = LEVELS.get(str(properties.get("level")))
    if level is None:
        problems.append(f"level: {properties.get('level')!r} is not one of {', '.join(LEVELS)}")
    area_level = str(properties.get("area_level") or "")
    if len(area_level) > 16:
        problems.append(f"area_level: {area_level!r} is longer than 16 characters")
    area = _area(feature.get("geometry"), level, problems)
    if problems or level is None:
        who = properties.get("id")
        raise GridError([f"grid {who}: {p}" if isinstance(who, str) and who else p for p in problems])
    return Grid(properties["id"], properties["name"], level, str(properties.get("parent") or ""), area, area_level)


def _area(made: Any, level: Level | None, problems: list[str]) -> Any:
    kind = made.get("type") if isinstance(made, dict) else made
    allowed = ("Point",) if level is not None and level > Level.BASE else _AREAS
    if kind not in allowed:
        problems.append(f"geometry: {kind!r} is not a {' or '.join(allowed)}")
        return None
    try:
        area = tidy(shapely.force_2d(shape(made)))
    except (ValueError, TypeError, IndexError, KeyError) as error:
        problems.append(f"geometry: the coordinates make no {kind}: {error}")
        return None
    west, south, east, north = area.bounds if not area.is_empty else (0, 0, 0, 0)
    if area.is_empty:
        problems.append("geometry: it is empty")
    elif not area.is_valid:
        problems.append(f"geometry: the polygon crosses itself: {shapely.is_valid_reason(area)}")
    elif not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        problems.append(f"geometry: {area.bounds} is not in WGS-84 degrees, longitude first")
    return area
