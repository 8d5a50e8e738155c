"""What a surveyor would find wrong with a grid tree: codes against their rules, areas that overlap or stray."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from shapely import STRtree

from .grid import Grid, GridTree, Level
from .grid_locator import area_m2

CODES: Mapping[Level, tuple[str, str]] = {
    Level.DISTRICT: (r"\d{6}", "6 digits of GB/T 2260"),
    Level.STREET: (r"\d{9}", "9 digits: 6 of the district and 3"),
    Level.COMMUNITY: (r"\d{12}", "12 digits: 9 of the street and 3"),
    Level.BASE: (r"[0-9A-Z]{15}", "15 characters 0-9 A-Z (GB/T 47678.3)"),
}
"""Code rules of domain.md §2.1. Compounds and buildings have no standard code: their ids are free."""
_BEGINS_WITH_PARENT = (Level.STREET, Level.COMMUNITY)
"""How the 15 characters of a base grid are divided is not verified, so it need not begin with its community's code."""
_LEAST_M2, _LEAST_SHARE = 100.0, 0.002
"""What survey lines of neighbours may overlap by: both must be exceeded."""
_OUTSIDE_SHARE = 0.02


def survey(tree: GridTree) -> list[str]:
    """One line a problem, each naming the grids by id."""
    return [*code_problems(tree), *overlaps(tree), *strays(tree)]


def code_problems(tree: GridTree) -> list[str]:
    """Ids that are no codes of their level, or do not begin with their parent's."""
    problems = []
    for grid in tree.grids.values():
        pattern, allowed = CODES.get(grid.level, (None, ""))
        if pattern is not None and not re.fullmatch(pattern, grid.id):
            problems.append(f"grid {grid.id}: id: {grid.id!r} is not a code of a {grid.level_name}: {allowed}")
        elif grid.level in _BEGINS_WITH_PARENT and not grid.id.startswith(grid.parent):
            problems.append(f"grid {grid.id}: id: does not begin with the code of its parent {grid.parent}")
    return problems


def overlaps(tree: GridTree) -> list[str]:
    """Areas of one level that lie on each other, by more than survey lines do."""
    problems = []
    for level in (Level.STREET, Level.COMMUNITY, Level.BASE):
        grids = tree.at(level)
        areas = [grid.area for grid in grids]
        first, second = STRtree(areas).query(areas, predicate="intersects") if areas else (np.array([]), np.array([]))
        for a, b in zip(first.tolist(), second.tolist(), strict=True):
            if a < b:
                problems += _overlap(grids[a], grids[b])
    return problems


def _overlap(a: Grid, b: Grid) -> list[str]:
    shared = area_m2(a.area.intersection(b.area))
    if shared <= _LEAST_M2 or shared <= _LEAST_SHARE * min(area_m2(a.area), area_m2(b.area)):
        return []
    return [f"grids {a.id} and {b.id}: they overlap by {shared:.0f} m²; two {a.level_name} grids share only a border"]


def strays(tree: GridTree) -> list[str]:
    """Areas and points that do not lie in their parent's area."""
    problems = []
    for grid in tree.grids.values():
        above = next((g for g in reversed(tree.path(grid.parent)) if g.level <= Level.BASE), None)
        if above is None:
            continue
        if grid.level > Level.BASE:
            outside = not above.area.buffer(0.001).covers(grid.area)  # about 100 m, as for cameras
        else:
            outside = area_m2(grid.area.difference(above.area)) > _OUTSIDE_SHARE * area_m2(grid.area)
        if outside:
            problems.append(f"grids {grid.id} and {above.id}: {grid.id} does not lie inside its parent's area")
    return problems
