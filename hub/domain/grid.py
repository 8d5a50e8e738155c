"""The six-level grid: district, streets, communities and base grids as areas, compounds and buildings as points."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from functools import cached_property
from typing import Any

from .grid_locator import Locator


class GridError(ValueError):
    """Grids that make no tree; `problems` holds one line each: grid, field, value, what is allowed."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Level(IntEnum):
    """Levels of the grid; levels 1-4 are areas, 5 and 6 are points. `level_name` of a grid is the word in files."""

    DISTRICT = 1
    STREET = 2
    COMMUNITY = 3
    BASE = 4
    COMPOUND = 5
    BUILDING = 6


LEVELS: Mapping[str, Level] = {level.name.lower(): level for level in Level}
"""By the word that stands in files: `district`, `street`, `community`, `base`, `compound`, `building`."""
LEVEL_NAMES: Mapping[Level, dict[str, str]] = {
    Level.DISTRICT: {"zh": "区", "en": "District"},
    Level.STREET: {"zh": "街道", "en": "Subdistrict"},
    Level.COMMUNITY: {"zh": "社区", "en": "Community"},
    Level.BASE: {"zh": "基础网格", "en": "Base grid"},
    Level.COMPOUND: {"zh": "小区院落", "en": "Compound"},
    Level.BUILDING: {"zh": "楼栋", "en": "Building group"},
}
_ABOVE: Mapping[Level, tuple[Level, ...]] = {
    Level.STREET: (Level.DISTRICT,),
    Level.COMMUNITY: (Level.STREET,),
    Level.BASE: (Level.COMMUNITY,),
    Level.COMPOUND: (Level.BASE,),
    Level.BUILDING: (Level.COMPOUND, Level.BASE),
}
"""Of which levels a parent may be; a building outside any compound hangs on its base grid."""


class PersonRole(StrEnum):
    """Who is responsible at each level (domain.md §0)."""

    DISTRICT_LEADER = "district_leader"
    STREET_LEADER = "street_leader"
    COMMUNITY_SECRETARY = "community_secretary"
    GRID_MEMBER = "grid_member"
    COMPOUND_HEAD = "compound_head"
    BUILDING_HEAD = "building_head"


ROLES: Mapping[PersonRole, tuple[Level, dict[str, str]]] = {
    PersonRole.DISTRICT_LEADER: (Level.DISTRICT, {"zh": "区委书记/区长", "en": "District secretary or head"}),
    PersonRole.STREET_LEADER: (Level.STREET, {"zh": "街道书记/主任", "en": "Subdistrict secretary or director"}),
    PersonRole.COMMUNITY_SECRETARY: (Level.COMMUNITY, {"zh": "社区书记（网格长）", "en": "Community secretary"}),
    PersonRole.GRID_MEMBER: (Level.BASE, {"zh": "网格员", "en": "Grid member"}),
    PersonRole.COMPOUND_HEAD: (
        Level.COMPOUND,
        {"zh": "业委会主任/物业经理", "en": "Owners' chair or property manager"},
    ),
    PersonRole.BUILDING_HEAD: (Level.BUILDING, {"zh": "楼院长", "en": "Building head"}),
}
"""The level each role belongs to, and what it is called."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A part of the district with an id, which is its code (`grid_survey.py` knows the rules of codes).

    `area`: a polygon at levels 1-4, a point at 5 and 6, in WGS-84 degrees (longitude, latitude). `parent` is empty at
    the top. `area_level`: class of area that limits may depend on (地区等级); empty: that of its parent.
    """

    id: str
    name: str
    level: Level
    parent: str
    area: Any = field(repr=False)
    area_level: str = ""

    @property
    def level_name(self) -> str:
        """As in files, a key of LEVELS."""
        return self.level.name.lower()


@dataclass(frozen=True)
class GridTree:
    """Grids by id; made with `GridTree.of` or `grid_geojson.read`, which check that they form a tree."""

    grids: Mapping[str, Grid]

    @classmethod
    def of(cls, grids: Iterable[Grid]) -> GridTree:
        """Check ids and parents. Raises GridError with every problem at once."""
        by_id: dict[str, Grid] = {}
        problems = []
        for grid in grids:
            first = by_id.get(grid.id)
            if first is not None:
                problems.append(f"grid {grid.id}: the id is used twice, by {first.name!r} and by {grid.name!r}")
            by_id[grid.id] = grid
        for grid in by_id.values():
            parent = by_id.get(grid.parent)
            if grid.level is Level.DISTRICT:
                if grid.parent:
                    problems.append(f"grid {grid.id}: parent: {grid.parent!r}, but a district has none")
            elif parent is None:
                problems.append(f"grid {grid.id}: parent: {grid.parent!r} is not the id of a grid")
            elif parent.level not in _ABOVE[grid.level]:
                above = " or a ".join(level.name.lower() for level in _ABOVE[grid.level])
                problems.append(f"grid {grid.id}: parent: {grid.parent!r} is a {parent.level_name}, wanted a {above}")
        if problems:
            raise GridError(problems)
        return cls(by_id)

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

    def area_level(self, grid_id: str) -> str:
        """The class of area of the grid, its own or the nearest above; empty where none is set."""
        return next((grid.area_level for grid in reversed(self.path(grid_id)) if grid.area_level), "")

    def children(self, grid_id: str) -> tuple[Grid, ...]:
        """Grids directly below, in order of id."""
        return tuple(sorted((g for g in self.grids.values() if g.parent == grid_id), key=lambda g: g.id))

    def at(self, level: Level) -> tuple[Grid, ...]:
        """Grids of one level, in order of id."""
        return tuple(sorted((g for g in self.grids.values() if g.level is level), key=lambda g: g.id))

    @cached_property
    def locator(self) -> Locator:
        """Which base grid a point lies in."""
        return Locator([(grid.id, grid.area) for grid in self.at(Level.BASE)])

    def locate(self, lon: float, lat: float, fallback_m: float = 100.0) -> str | None:
        """As `Locator.locate`."""
        return self.locator.locate(lon, lat, fallback_m)


def masked(phone: str) -> str:
    """A phone number as it may be shown to everybody: the middle digits as stars (138****5678)."""
    digits = [i for i, character in enumerate(phone) if character.isdigit()]
    hidden = set(digits[3:-4] if len(digits) > 7 else digits[1:-1])
    return "".join("*" if i in hidden else character for i, character in enumerate(phone))
