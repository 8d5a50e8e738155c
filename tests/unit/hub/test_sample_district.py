"""The made-up district: the counts of the real one, everything in its place, and the same each time."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from hub import units
from hub.checking import problems
from hub.config import shipped
from hub.domain.grid import ROLES, Level, PersonRole
from hub.domain.grid_survey import survey
from hub.sample_district import Areas, cameras, persons, sensors, write

AREAS = Areas(7)


def test_it_has_the_counts_of_the_real_one() -> None:
    levels = Counter(grid.level for grid in AREAS.tree.grids.values())
    assert [levels[level] for level in (1, 2, 3, 4, 6)] == [1, 6, 36, 234, 438]
    roles = Counter(person.role for person in persons(AREAS.tree, 7))
    assert (roles["grid_member"], roles["building_head"], roles["community_secretary"]) == (364, 667, 36)


def test_nothing_is_wrong_with_it() -> None:
    assert survey(AREAS.tree) == []


def test_every_device_stands_in_its_own_grid() -> None:
    placed = [*cameras(AREAS), *sensors(AREAS)]
    assert len(placed) == 2500
    found = AREAS.tree.locator.locate_many([d.lon for d in placed], [d.lat for d in placed], 0)
    assert found == [d.grid for d in placed]
    assert len({d.id for d in placed}) == 2500
    assert len({d.device for d in placed if d.device}) == 500


def test_people_have_the_role_of_their_level_and_no_phone_of_anybody() -> None:
    people = persons(AREAS.tree, 7)
    assert all(ROLES[PersonRole(p.role)][0] is AREAS.tree.grids[p.grid].level for p in people)
    assert len({(p.grid, p.role, p.name) for p in people}) == len(people)
    assert {p.phone[:3] for p in people} == {"100"}
    with_somebody = {p.grid for p in people}
    assert all(g.id in with_somebody for g in AREAS.tree.grids.values())


def test_one_look_up_in_many_points_is_the_same_as_many() -> None:
    tree = AREAS.tree
    lons = [107.60 + k * 0.0007 for k in range(100)] * 5
    lats = [35.69 + k * 0.013 for k in range(5) for _ in range(100)]
    each = [tree.locate(lon, lat) for lon, lat in zip(lons, lats, strict=True)]
    assert tree.locator.locate_many(lons, lats) == each
    assert None in each
    assert len(set(each)) > 20


def test_a_community_has_six_or_seven_grids() -> None:
    sizes = Counter(len(AREAS.tree.children(c.id)) for c in AREAS.tree.at(Level.COMMUNITY))
    assert sizes == {6: 18, 7: 18}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("district")
    write(made, 7, shipped("configs"))
    return made


def test_the_files_are_good_and_always_the_same(folder: Path, tmp_path: Path) -> None:
    assert len(units.read(folder / "departments.yaml")) == 48
    found, counts = problems(folder / "hub.yaml")
    assert found == []
    assert (counts["grids"], counts["cameras"], counts["sensors"], counts["handling units"]) == (949, 2000, 500, 48)
    write(tmp_path, 7, shipped("configs"))
    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name
    write(tmp_path, 8, shipped("configs"))
    assert (folder / "grids.geojson").read_bytes() != (tmp_path / "grids.geojson").read_bytes()
