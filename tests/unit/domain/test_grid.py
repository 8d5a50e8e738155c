"""The grid tree and which base grid a point lies in."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain import grid_geojson
from hub.domain.grid import GridError, GridTree, Level
from hub.domain.grid_locator import Locator, distance_m

LON, LAT, STEP = 107.60, 35.70, 0.002


def square(west: float, south: float, width: float, height: float) -> dict[str, Any]:
    east, north = west + width, south + height
    return {
        "type": "Polygon",
        "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]],
    }


def feature(grid_id: str, level: str, parent: str, geometry: dict[str, Any]) -> dict[str, Any]:
    properties = {"id": grid_id, "name": grid_id.upper(), "level": level, "parent": parent}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def collection() -> dict[str, Any]:
    whole = square(LON, LAT, 2 * STEP, STEP)
    return {
        "type": "FeatureCollection",
        "features": [
            feature("b1", "base", "c", square(LON, LAT, STEP, STEP)),
            feature("b2", "base", "c", square(LON + STEP, LAT, STEP, STEP)),
            feature("c", "community", "s", whole),
            feature("s", "street", "d", whole),
            feature("d", "district", "", whole),
        ],
    }


TREE = grid_geojson.read(collection())


def test_the_tree_has_a_path_and_a_name() -> None:
    assert [g.id for g in TREE.path("b2")] == ["d", "s", "c", "b2"]
    assert TREE.full_name("b2") == "DSCB2"
    assert [g.id for g in TREE.children("c")] == ["b1", "b2"]
    assert TREE.path("nobody") == ()
    assert TREE.grids["s"].level is Level.STREET


@pytest.mark.parametrize(
    ("lon", "lat", "expected"),
    [
        (LON + 0.5 * STEP, LAT + 0.5 * STEP, "b1"),
        (LON + 1.5 * STEP, LAT + 0.5 * STEP, "b2"),
        (LON + STEP, LAT + 0.5 * STEP, "b1"),  # on the border: the lowest id
        (LON + 2 * STEP + 0.0009, LAT + 0.5 * STEP, "b2"),  # about 81 m to the east
        (LON + 2 * STEP + 0.0013, LAT + 0.5 * STEP, None),  # about 117 m
        (LON + 0.5 * STEP, LAT - 0.0009, None),  # the same degrees to the south are 100.1 m
        (LON + 0.5 * STEP, LAT - 0.00088, "b1"),
    ],
)
def test_a_point_finds_its_grid_or_the_nearest_within_100_m(lon: float, lat: float, expected: str | None) -> None:
    assert TREE.locate(lon, lat) == expected


def test_distance_is_in_metres() -> None:
    assert distance_m(LON + 0.5 * STEP, LAT - 0.01, TREE.grids["b1"].area) == pytest.approx(1112, rel=0.01)
    assert distance_m(LON - 0.01, LAT + 0.5 * STEP, TREE.grids["b1"].area) == pytest.approx(903, rel=0.01)
    assert distance_m(LON + 0.5 * STEP, LAT + 0.5 * STEP, TREE.grids["b1"].area) == 0


@given(st.floats(0, 2), st.floats(0, 1))
def test_every_point_inside_the_district_has_exactly_one_grid(x: float, y: float) -> None:
    found = TREE.locate(LON + x * STEP, LAT + y * STEP, fallback_m=0.01)
    assert found == ("b1" if x < 0.999 else "b2" if x > 1.001 else found)
    assert found in ("b1", "b2")


def test_no_grids_means_nowhere() -> None:
    assert Locator([]).locate(LON, LAT) is None
    assert GridTree.of([]).locate(LON, LAT) is None


def test_every_problem_is_named_at_once() -> None:
    broken = collection()
    features = broken["features"]
    features[0]["properties"]["level"] = "block"
    features[1]["geometry"] = {"type": "Point", "coordinates": [1, 2]}
    features[2]["geometry"]["coordinates"][0][2] = [LON + 500, LAT]
    del features[3]["properties"]["name"]
    with pytest.raises(GridError) as caught:
        grid_geojson.read(broken)
    text = str(caught.value)
    for word in ("grid b1: level: 'block'", "grid b2: geometry: 'Point'", "features[2]", "grid s: name"):
        assert word in text


@pytest.mark.parametrize(("index", "parent"), [(0, "s"), (0, "nobody"), (3, "s"), (4, "s")])
def test_a_parent_must_be_one_level_above(index: int, parent: str) -> None:
    broken = collection()
    broken["features"][index]["properties"]["parent"] = parent
    with pytest.raises(GridError, match="parent"):
        grid_geojson.read(broken)


@pytest.mark.parametrize("id_", ["b/1", "幸福里/2号楼", ".", "..", "b\n1", "b" * 65, ""])
def test_an_id_that_fits_no_address_is_refused(id_: str) -> None:
    broken = collection()
    broken["features"][0]["properties"]["id"] = id_
    with pytest.raises(GridError, match=r"id: .* is not a text of at most 64 characters, without / and line breaks"):
        grid_geojson.read(broken)


@pytest.mark.parametrize("id_", ["62100200100100A", "幸福里 2号楼", "b#1", "13579246801357924680"])
def test_codes_and_free_ids_of_buildings_are_taken(id_: str) -> None:
    made = collection()
    made["features"][0]["properties"]["id"] = id_
    assert id_ in grid_geojson.read(made).grids


def test_an_id_is_used_once() -> None:
    broken = collection()
    broken["features"][1]["properties"]["id"] = "b1"
    with pytest.raises(GridError, match="twice"):
        grid_geojson.read(broken)


def test_only_a_feature_collection_is_read() -> None:
    with pytest.raises(GridError, match="FeatureCollection"):
        grid_geojson.read({"type": "Feature"})
