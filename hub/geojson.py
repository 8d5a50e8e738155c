"""Sensors, cameras, cases and grids as GeoJSON (RFC 7946): lon before lat, WGS-84, seven decimals, no `crs`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from shapely.geometry import mapping, shape
from shapely.geometry.polygon import orient

from . import cases
from .errors import NotFound
from .house import Actor, House
from .registry import Registry
from .store.case_queries import Wanted

CASES_MOST = 5000
Feature = dict[str, Any]


def collection(house: House, actor: Actor, what: str) -> dict[str, Any]:
    """A FeatureCollection of `what`: sensors, cameras, cases (open ones that the actor may see), grids.

    Raises NotFound.
    """
    makers: dict[str, Callable[[], Iterable[Feature]]] = {
        "sensors": lambda: _points(Registry(house).sensors(), _SENSOR),
        "cameras": lambda: _points(Registry(house).cameras(), _CAMERA),
        "cases": lambda: _points(_cases(house, actor), _CASE),
        "grids": lambda: map(_area, Registry(house).grids()["features"]),
    }
    if what not in makers:
        raise NotFound("layer", what)
    return {"type": "FeatureCollection", "features": list(makers[what]())}


LAYERS = ("sensors", "cameras", "cases", "grids")
_SENSOR = (
    "id", "name", "device", "profile", "address", "grid", "state", "level", "last_seen", "values", "quality", "asset",
)  # fmt: skip
_CAMERA = ("id", "name", "address", "grid", "state", "since", "last_look_at")
_CASE = (
    "id", "number", "state", "kind", "category", "urgent", "address", "grid", "department", "opened_at", "deadline",
    "overdue",
)  # fmt: skip


def _cases(house: House, actor: Actor) -> list[dict[str, Any]]:
    items, _key, _total = cases.page(house, actor, Wanted(is_open=True), limit=CASES_MOST)
    return items


def _points(items: Iterable[dict[str, Any]], names: Sequence[str]) -> Iterable[Feature]:
    """Those that have a position; properties that there are."""
    for item in items:
        if item["lon"] is not None and item["lat"] is not None:
            yield {
                "type": "Feature",
                "id": item["id"],
                "geometry": {"type": "Point", "coordinates": [round(item["lon"], 7), round(item["lat"], 7)]},
                "properties": {name: item[name] for name in names if name in item},
            }


def _area(feature: Feature) -> Feature:
    """With outer rings counter-clockwise and holes clockwise, as the standard wants them."""
    geometry = shape(feature["geometry"])
    if geometry.geom_type == "Polygon":
        turned = mapping(orient(geometry))
    elif geometry.geom_type == "MultiPolygon":
        parts = [mapping(orient(part))["coordinates"] for part in geometry.geoms]
        turned = {"type": "MultiPolygon", "coordinates": parts}
    else:
        turned = mapping(geometry)
    return {**feature, "geometry": {"type": turned["type"], "coordinates": _rounded(turned["coordinates"])}}


def _rounded(value: Any) -> Any:
    return round(value, 7) if isinstance(value, float | int) else [_rounded(inner) for inner in value]
