"""What is wrong with a grid: codes, overlaps and strays are named with both ids; GeoJSON goes out by RFC 7946."""

from __future__ import annotations

import json
from typing import Any

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from hub.domain import grid_geojson
from hub.domain.grid import GridError, GridTree, Level, masked
from hub.domain.grid_survey import survey

LON, LAT, STEP = 107.60, 35.70, 0.004


def box(x: float, y: float, width: float = 1, height: float = 1) -> list[list[list[float]]]:
    west, south = LON + x * STEP, LAT + y * STEP
    east, north = west + width * STEP, south + height * STEP
    return [[[west, south], [east, south], [east, north], [west, north], [west, south]]]


def feature(id_: str, level: str, parent: str, coordinates: Any, kind: str = "Polygon") -> dict[str, Any]:
    properties = {"id": id_, "name": id_, "level": level, "parent": parent or None}
    return {"type": "Feature", "properties": properties, "geometry": {"type": kind, "coordinates": coordinates}}


D, S, C = "621002", "621002001", "621002001001"
A, B = f"{C}001", f"{C}002"


def district(**areas: Any) -> dict[str, Any]:
    features = [
        feature(D, "district", "", box(0, 0, 2)),
        feature(S, "street", D, box(0, 0, 2)),
        feature(C, "community", S, box(0, 0, 2)),
        feature(A, "base", C, areas.get("a", box(0, 0))),
        feature(B, "base", C, areas.get("b", box(1, 0))),
        feature(f"{A}-A", "compound", A, areas.get("compound", [LON + 0.001, LAT + 0.001]), "Point"),
        feature(f"{A}-A01", "building", f"{A}-A", [LON + 0.001, LAT + 0.001], "Point"),
    ]
    return {"type": "FeatureCollection", "features": features}


def test_a_good_district_has_nothing_wrong() -> None:
    tree = grid_geojson.read(district())
    assert survey(tree) == []
    assert [g.level for g in tree.path(f"{A}-A01")] == list(Level)


def test_an_overlap_is_named_with_both_ids() -> None:
    (problem,) = survey(grid_geojson.read(district(b=box(0.9, 0, 1.1))))
    assert A in problem
    assert B in problem
    assert "overlap" in problem


def test_a_hair_of_overlap_is_what_surveyors_leave() -> None:
    assert survey(grid_geojson.read(district(b=box(0.9999, 0, 1.0001)))) == []


def test_an_area_outside_its_parent_is_named_with_both_ids() -> None:
    (problem,) = survey(grid_geojson.read(district(b=box(1, 0, 1.5))))
    assert B in problem
    assert C in problem


def test_a_compound_far_from_its_grid_is_named() -> None:
    (problem,) = survey(grid_geojson.read(district(compound=[LON + 0.02, LAT])))
    assert f"{A}-A" in problem
    assert A in problem


def test_a_polygon_that_crosses_itself_is_refused() -> None:
    bow = [[[LON, LAT], [LON + STEP, LAT + STEP], [LON + STEP, LAT], [LON, LAT + STEP], [LON, LAT]]]
    with pytest.raises(GridError, match=rf"grid {A}: geometry: the polygon crosses itself"):
        grid_geojson.read(district(a=bow))


@pytest.mark.parametrize(
    ("index", "id_", "word"),
    [
        (1, "62100201", "9 digits"),
        (1, "621003001", "does not begin with the code of its parent 621002"),
        (2, "62100200100A", "12 digits"),
        (3, f"{C}01", "15 characters"),
        (3, f"{C}00a", "15 characters"),
    ],
)
def test_codes_are_held_to_their_rules(index: int, id_: str, word: str) -> None:
    made = district()
    old = made["features"][index]["properties"]["id"]
    made["features"][index]["properties"]["id"] = id_
    for other in made["features"]:
        if other["properties"]["parent"] == old:
            other["properties"]["parent"] = id_
    assert any(word in problem and id_ in problem for problem in survey(grid_geojson.read(made)))


def test_an_id_used_twice_names_both_grids() -> None:
    made = district()
    made["features"][4]["properties"] |= {"id": A, "name": "second"}
    with pytest.raises(GridError, match=f"{A}.*used twice.*'{A}'.*'second'"):
        grid_geojson.read(made)


def test_a_building_may_hang_on_a_base_grid_but_not_on_a_street() -> None:
    made = district()
    made["features"][6]["properties"]["parent"] = A
    assert survey(grid_geojson.read(made)) == []
    made["features"][6]["properties"]["parent"] = S
    with pytest.raises(GridError, match="wanted a compound or a base"):
        grid_geojson.read(made)


@pytest.mark.parametrize(
    ("name", "good"), [("urn:ogc:def:crs:EPSG::4326", True), ("EPSG:3857", False), ("GCJ02", False)]
)
def test_another_reference_system_is_refused(name: str, good: bool) -> None:
    made = district() | {"crs": {"type": "name", "properties": {"name": name}}}
    if good:
        assert grid_geojson.read(made).grids
    else:
        with pytest.raises(GridError, match="crs"):
            grid_geojson.read(made)


def test_what_goes_out_is_rfc_7946() -> None:
    clockwise = [list(reversed(box(0, 0)[0]))]
    clockwise[0] = [[x + 1e-9, y, 1400.5] for x, y in clockwise[0]]
    tree = grid_geojson.read(district(a=clockwise))
    out = grid_geojson.write(tree.grids.values())
    assert set(out) == {"type", "features"}
    ring = next(f for f in out["features"] if f["id"] == A)["geometry"]["coordinates"][0]
    assert shapely.LinearRing(ring).is_ccw
    assert ring[0] == ring[-1]
    assert all(len(position) == 2 and round(value, 7) == value for position in ring for value in position)


@given(st.integers(0, 10**6))
def test_out_and_in_again_is_the_same(seed: int) -> None:
    shift = seed / 10**7
    tree = grid_geojson.read(district(a=box(shift, 0, 1 - shift)))
    text = json.dumps(grid_geojson.write(tree.grids.values()))
    again = grid_geojson.read(json.loads(text))
    assert again.grids == tree.grids
    assert json.dumps(grid_geojson.write(again.grids.values())) == text


def test_the_class_of_area_comes_from_above() -> None:
    made = district()
    made["features"][2]["properties"]["area_level"] = "1"
    tree: GridTree = grid_geojson.read(made)
    assert [tree.area_level(id_) for id_ in (D, C, A, f"{A}-A01")] == ["", "1", "1", "1"]
    assert grid_geojson.write(tree.grids.values())["features"][2]["properties"]["area_level"] == "1"


@pytest.mark.parametrize(
    ("phone", "shown"),
    [("13812345678", "138****5678"), ("138-1234-5678", "138-****-5678"), ("0934 8212345", "093* ***2345"),
     ("12345", "1***5"), ("", ""), ("+8613812345678", "+861******5678")],
)  # fmt: skip
def test_phones_are_masked(phone: str, shown: str) -> None:
    assert masked(phone) == shown
