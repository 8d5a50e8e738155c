"""The areas of the sample district: a street plan that is slightly turned and bent, cut into six levels."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from functools import cached_property

from shapely.geometry import Point as ShapelyPoint
from shapely.geometry import Polygon

from ..domain.grid import Grid, GridTree, Level

CENTRE = (107.6385, 35.7205)
"""Longitude and latitude of the middle, WGS-84: the town of 西峰."""
CELL_DEG = (0.0042, 0.0034)
"""About 380 m each way."""
TURN = math.radians(4.0)
DISTRICT_NAME = "西峰区"
# Streets 2 x 3, communities 2 x 3 in each, cells 3 x 2 in each of those: 12 columns, 18 rows, 216 cells.
_STREETS, _COMMUNITIES, _CELLS = (2, 3), (2, 3), (3, 2)
COLUMNS = _STREETS[0] * _COMMUNITIES[0] * _CELLS[0]
ROWS = _STREETS[1] * _COMMUNITIES[1] * _CELLS[1]
SPLIT_EVERY = 2
"""In every second community one cell is two base grids: 216 + 18 = 234."""
BUILDING_GROUPS = 438
STREETS = ("南街街道", "北街街道", "西街街道", "安定街道", "九龙街道", "长庆街道")
_COMMUNITIES_TEXT = """
育才 广场 南大街 合水路 陇东路 公园 兰州路 北大街 庆州 弘化 世纪大道 秦霸岭
西大街 朔州路 董志 温泉 向阳 天禾 解放 人民 民主 和平 团结 建设 安化 文化
体育 东湖 南湖 凤凰 新华 光明 友谊 油田 石化 兴业
"""
COMMUNITIES = tuple(_COMMUNITIES_TEXT.split())
_ROADS_TEXT = """
九龙路 长庆大道 南大街 育才路 安定路 弘化路 陇东大道 朔州路 世纪大道 温泉路
天禾路 凤凰路 东湖路
"""
ROADS = tuple(_ROADS_TEXT.split())
"""Between columns, from west to east."""
_CROSSINGS_TEXT = """
董志路 合水路 兰州路 西大街 庆州路 解放路 人民路 公园路 建设路 和平路 团结路
文化路 体育路 新华路 光明路 友谊路 石化路 向阳路 南湖路
"""
CROSSINGS = tuple(_CROSSINGS_TEXT.split())
"""Between rows, from south to north."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Cell:
    """A base grid's place on the plan: `east` and `west` halves of a cell that is split, else the whole."""

    id: str
    column: int
    row: int
    half: str = ""


@dataclass(frozen=True)
class Areas:
    """The plan for one seed. The same seed always gives the same district."""

    seed: int
    code: str = "621002"

    @cached_property
    def corners(self) -> tuple[tuple[Point, ...], ...]:
        """`corners[column][row]`: where the lines cross."""
        noise = random.Random(f"{self.seed}/corners")
        plan = []
        for i in range(COLUMNS + 1):
            line = []
            for j in range(ROWS + 1):
                x = (i - COLUMNS / 2 + noise.uniform(-0.12, 0.12)) * CELL_DEG[0]
                y = (j - ROWS / 2 + noise.uniform(-0.12, 0.12)) * CELL_DEG[1]
                lon = CENTRE[0] + x * math.cos(TURN) - y * math.sin(TURN)
                lat = CENTRE[1] + x * math.sin(TURN) + y * math.cos(TURN)
                line.append((round(lon, 6), round(lat, 6)))
            plan.append(tuple(line))
        return tuple(plan)

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Every base grid, in order of id."""
        found = []
        for street in range(len(STREETS)):
            for community in range(6):
                column, row = self._origin(street, community)
                places = [(column + c, row + r, "") for r in range(_CELLS[1]) for c in range(_CELLS[0])]
                if (street * 6 + community) % SPLIT_EVERY == 0:
                    last = places.pop()
                    places += [(last[0], last[1], "west"), (last[0], last[1], "east")]
                parent = self.community_id(street, community)
                found += [Cell(f"{parent}{n:03d}", *place) for n, place in enumerate(places, start=1)]
        return tuple(found)

    @cached_property
    def tree(self) -> GridTree:
        """All six levels."""
        grids = [Grid(self.code, DISTRICT_NAME, Level.DISTRICT, "", self._block(0, COLUMNS, 0, ROWS))]
        wide, high = COLUMNS // _STREETS[0], ROWS // _STREETS[1]
        for street, name in enumerate(STREETS):
            column, row = (street % _STREETS[0]) * wide, (street // _STREETS[0]) * high
            area = self._block(column, column + wide, row, row + high)
            grids.append(Grid(self.street_id(street), name, Level.STREET, self.code, area))
            grids += [self._community(street, community) for community in range(6)]
        grids += [self._base(cell) for cell in self.cells]
        grids += self._homes()
        return GridTree.of(grids)

    def street_id(self, street: int) -> str:
        """9 digits: district and 3 of the street."""
        return f"{self.code}{street + 1:03d}"

    def community_id(self, street: int, community: int) -> str:
        """12 digits: street and 3 of the community."""
        return f"{self.street_id(street)}{community + 1:03d}"

    def inside(self, cell: Cell, u: float, v: float) -> Point:
        """A point of a base grid: u from west to east, v from south to north, 0-1 (bilinear)."""
        u = {"west": u / 2, "east": 0.5 + u / 2}.get(cell.half, u)
        a, b = self.corners[cell.column][cell.row], self.corners[cell.column + 1][cell.row]
        c, d = self.corners[cell.column][cell.row + 1], self.corners[cell.column + 1][cell.row + 1]
        lon, lat = ((1 - u) * (1 - v) * a[k] + u * (1 - v) * b[k] + (1 - u) * v * c[k] + u * v * d[k] for k in range(2))
        return (round(lon, 7), round(lat, 7))

    def _origin(self, street: int, community: int) -> tuple[int, int]:
        column = (street % _STREETS[0]) * _COMMUNITIES[0] + community % _COMMUNITIES[0]
        row = (street // _STREETS[0]) * _COMMUNITIES[1] + community // _COMMUNITIES[0]
        return column * _CELLS[0], row * _CELLS[1]

    def _community(self, street: int, community: int) -> Grid:
        column, row = self._origin(street, community)
        name = f"{COMMUNITIES[street * 6 + community]}社区"
        area = self._block(column, column + _CELLS[0], row, row + _CELLS[1])
        central = abs(column + 1.5 - COLUMNS / 2) <= 3 and abs(row + 1 - ROWS / 2) <= 4
        parent = self.street_id(street)
        return Grid(self.community_id(street, community), name, Level.COMMUNITY, parent, area, "1" if central else "2")

    def _base(self, cell: Cell) -> Grid:
        parent = cell.id[:12]
        street, community = int(parent[6:9]) - 1, int(parent[9:12]) - 1
        name = f"{COMMUNITIES[street * 6 + community]}社区第{int(cell.id[12:])}网格"
        return Grid(cell.id, name, Level.BASE, parent, self._area(cell))

    def _homes(self) -> list[Grid]:
        """A compound in every base grid, and one or two building groups in each."""
        found = []
        doubled = BUILDING_GROUPS - len(self.cells)
        for number, cell in enumerate(self.cells):
            noise = random.Random(f"{self.seed}/homes/{cell.id}")
            spot = self.inside(cell, noise.uniform(0.3, 0.7), noise.uniform(0.3, 0.7))
            compound = Grid(f"{cell.id}-A", f"{_COMPOUNDS[number % len(_COMPOUNDS)]}{number // len(_COMPOUNDS) + 1}区",
                            Level.COMPOUND, cell.id, ShapelyPoint(spot))  # fmt: skip
            found.append(compound)
            for k in range(2 if number < doubled else 1):
                lon, lat = self.inside(cell, noise.uniform(0.2, 0.8), noise.uniform(0.2, 0.8))
                name = f"{compound.name}{k + 1}号楼院"
                found.append(Grid(f"{cell.id}-A{k + 1:02d}", name, Level.BUILDING, compound.id, ShapelyPoint(lon, lat)))
        return found

    def _area(self, cell: Cell) -> Polygon:
        if not cell.half:
            return self._block(cell.column, cell.column + 1, cell.row, cell.row + 1)
        i, j = cell.column, cell.row
        south, north = _middle(self.corners[i][j], self.corners[i + 1][j]), _middle(
            self.corners[i][j + 1], self.corners[i + 1][j + 1])  # fmt: skip
        if cell.half == "west":
            side = _middle(self.corners[i][j], self.corners[i][j + 1])
            return Polygon([self.corners[i][j], south, north, self.corners[i][j + 1], side])
        side = _middle(self.corners[i + 1][j], self.corners[i + 1][j + 1])
        return Polygon([south, self.corners[i + 1][j], side, self.corners[i + 1][j + 1], north])

    def _block(self, west: int, east: int, south: int, north: int) -> Polygon:
        """Between lines; counter-clockwise. Edges carry their middles, so that neighbours fit exactly."""
        around = [self.corners[i][south] for i in range(west, east)]
        around += [self.corners[east][j] for j in range(south, north)]
        around += [self.corners[i][north] for i in range(east, west, -1)]
        around += [self.corners[west][j] for j in range(north, south, -1)]
        ring = [point for a, b in zip(around, [*around[1:], around[0]], strict=True) for point in (a, _middle(a, b))]
        return Polygon(ring)


_COMPOUNDS_TEXT = """
陇东家园 石油佳苑 世纪花园 东湖名邸 凤凰城 天禾苑 庆州小区 向阳院 长庆小区 阳光里
育才公寓 弘化苑 金江名都
"""
_COMPOUNDS = tuple(_COMPOUNDS_TEXT.split())


def _middle(a: Point, b: Point) -> Point:
    return (round((a[0] + b[0]) / 2, 7), round((a[1] + b[1]) / 2, 7))
