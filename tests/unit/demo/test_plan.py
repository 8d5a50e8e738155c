"""The demo district's plan, and that what ships is what the plan makes."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import yaml

from hub.demo.plan import Lattice, cameras, grids, sensors
from hub.demo.timeline import Timeline
from hub.domain import grid_geojson
from hub.domain.grid import Level

CONFIG = Path(__file__).parents[3] / "configs" / "demo"
SEED = 2026
LATTICE = Lattice.of(SEED)


def shipped(name: str) -> list[dict]:
    return yaml.safe_load((CONFIG / f"{name}.yaml").read_text(encoding="utf-8"))[name]


def test_the_grid_is_a_tree_of_four_levels() -> None:
    tree = grid_geojson.read(grids(LATTICE))
    levels = Counter(grid.level for grid in tree.grids.values())
    assert levels == {Level.DISTRICT: 1, Level.STREET: 2, Level.COMMUNITY: 4, Level.BASE: 12}
    assert all(len(g.id) == 15 for g in tree.grids.values() if g.level is Level.BASE)


def test_every_device_stands_in_its_own_grid() -> None:
    tree = grid_geojson.read(grids(LATTICE))
    placed = cameras(LATTICE, SEED) + sensors(LATTICE, SEED)
    assert len(placed) == 24 + 40
    assert all(tree.locate(d["lon"], d["lat"], fallback_m=0) == d["grid"] for d in placed)
    assert len({d["id"] for d in placed}) == len(placed)
    assert len({d["device"] for d in sensors(LATTICE, SEED)}) == 40


def test_what_ships_is_what_the_plan_makes() -> None:
    assert json.loads((CONFIG / "grids.geojson").read_text(encoding="utf-8")) == json.loads(json.dumps(grids(LATTICE)))
    for made, kept in zip(cameras(LATTICE, SEED), shipped("cameras"), strict=True):
        assert made.items() <= kept.items()
    assert shipped("sensors") == sensors(LATTICE, SEED)


def test_the_shipped_time_line_happens_at_devices_that_are_there() -> None:
    timeline = Timeline.from_yaml(CONFIG / "timeline.yaml")
    there = {row["id"] for name in ("cameras", "sensors") for row in shipped(name)}
    assert {event.place for event in (*timeline.opening, *timeline.pool)} <= there
    assert timeline.opening[0].at_s <= 6
    assert {e.trouble for e in timeline.opening} >= {"black", "offline", "silent"}
    assert any(e.stubborn for e in timeline.opening)
    assert any(e.shows and not e.kind for e in timeline.opening), "something harmless happens too"


def test_each_sensor_only_meets_what_it_can_measure() -> None:
    meets = {"bin_level": {"bin_overflow"}, "manhole": {"manhole_abnormal"}, "water_depth": {"road_ponding"}}
    profiles = {row["id"]: row["profile"] for row in shipped("sensors")}
    timeline = Timeline.from_yaml(CONFIG / "timeline.yaml")
    for event in (*timeline.opening, *timeline.pool):
        if event.place in profiles and event.kind:
            assert event.kind in meets.get(profiles[event.place], {"smoke_alarm"}), event
