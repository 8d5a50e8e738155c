"""A town of two streets, east and west, for tests of who may see what."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from .conftest import City, jpeg

EAST, WEST = (107.6425, 35.7325), (107.6475, 35.7325)
"""In the first and in the second of the two streets."""


def lay_out(city: City, limited: Mapping[str, str]) -> None:
    """Streets `east-s` and `west-s`, each with a community and a base grid, and the cameras c1 (east) and c2 (west).

    `limited`: who is limited to which grid.
    """
    features = [_feature("d", "district", "", 107.64, 107.65)]
    for name, west in (("east", 107.64), ("west", 107.645)):
        parent = "d"
        for level, id_ in (("street", f"{name}-s"), ("community", f"{name}-c"), ("base", f"{name}-b")):
            features.append(_feature(id_, level, parent, west, round(west + 0.005, 4)))
            parent = id_
    city.hub.registry.import_grids({"type": "FeatureCollection", "features": features})
    boss = city.who("boss")
    for name, (lon, lat) in (("c1", EAST), ("c2", WEST)):
        assert boss.patch(f"/api/cameras/{name}", json={"lon": lon, "lat": lat}).status_code == 200
    for user, grid in limited.items():
        changed = boss.patch(f"/api/users/{user}", json={"grids": [grid]})
        assert (changed.status_code, changed.json()["grids"]) == (200, [grid])


def case_at(city: City, camera: str, **more: Any) -> tuple[str, str, str]:
    """(alert, case, SHA-256 of the picture), confirmed by somebody who sees everything."""
    frame = jpeg(7 if camera == "c1" else 8)
    taken = city.post_finding(city.finding(camera=camera, preset="confirmed", **more), frame=frame)
    told = city.who("li").post(f"/api/alerts/{taken['alert']}/confirm", json={})
    assert told.status_code == 200, told.text
    return taken["alert"], told.json()["case"]["id"], hashlib.sha256(frame).hexdigest()


def _feature(id_: str, level: str, parent: str, west: float, east: float) -> dict[str, Any]:
    south, north = 35.73, 35.735
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    properties = {"id": id_, "name": id_, "level": level, "parent": parent or None}
    return {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [ring]}}
