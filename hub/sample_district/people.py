"""The people of the sample district: who is responsible at each level, in the numbers of the real one."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from ..domain.grid import GridTree, Level, PersonRole

GRID_MEMBERS, BUILDING_HEADS = 364, 667
"""Full-time grid members and building heads (domain.md §0); the other levels have two people each, communities one."""
_FAMILY_TEXT = """
王 李 张 刘 陈 杨 赵 黄 周 吴 徐 孙 马 朱 胡 郭 何 高 林 罗 慕 贺 姚
米
"""
_FAMILY = tuple(_FAMILY_TEXT.split())
_GIVEN_TEXT = """
建国 志强 秀英 伟 芳 娜 敏 静 丽 强 磊 军 洋 勇 艳 杰 娟 涛 明 超 霞
平 刚 玉兰 海燕 文博 晓东 永红
"""
_GIVEN = tuple(_GIVEN_TEXT.split())


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody responsible for the grid; `role` is one of PersonRole."""

    grid: str
    role: str
    name: str
    phone: str


def persons(tree: GridTree, seed: int) -> list[Person]:
    """Everybody, by level and grid."""
    noise = random.Random(f"{seed}/people")
    found: list[Person] = []
    for grid_id, role in _posts(tree):
        taken = {p.name for p in found[-3:] if p.grid == grid_id}
        name = next(n for n in iter(lambda: noise.choice(_FAMILY) + noise.choice(_GIVEN), None) if n not in taken)
        found.append(Person(grid_id, role.value, name, f"100{len(found) + 1:08d}"))
    return found


def _posts(tree: GridTree) -> Iterator[tuple[str, PersonRole]]:
    plan = (
        (Level.DISTRICT, PersonRole.DISTRICT_LEADER, 2),
        (Level.STREET, PersonRole.STREET_LEADER, 12),
        (Level.COMMUNITY, PersonRole.COMMUNITY_SECRETARY, 36),
        (Level.BASE, PersonRole.GRID_MEMBER, GRID_MEMBERS),
        (Level.COMPOUND, PersonRole.COMPOUND_HEAD, 2 * len(tree.at(Level.COMPOUND))),
        (Level.BUILDING, PersonRole.BUILDING_HEAD, BUILDING_HEADS),
    )
    for level, role, count in plan:
        grids = tree.at(level)
        for number, grid in enumerate(grids):
            share = count // len(grids) + (number < count % len(grids))
            yield from ((grid.id, role) for _ in range(share))
