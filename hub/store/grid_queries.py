"""The grid and its people: what is asked of the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from .rows import CameraRow, GridPersonRow, GridRow, SensorRow


def grids(tx: Session, levels: Iterable[str] | None = None) -> list[GridRow]:
    """By id; of some levels, or all."""
    query = select(GridRow).order_by(GridRow.id)
    return list(tx.scalars(query if levels is None else query.where(GridRow.level.in_(list(levels)))))


def grid(tx: Session, grid_id: str) -> GridRow | None:
    """One of them."""
    return tx.get(GridRow, grid_id)


def path(tx: Session, grid_id: str | None) -> list[tuple[str, str, str, str]]:
    """(id, name, level, area level) from the district down to the grid; empty for an unknown id."""
    steps: list[tuple[str, str, str, str]] = []
    while grid_id and len(steps) < 8:
        columns = (GridRow.id, GridRow.name, GridRow.level, GridRow.area_level, GridRow.parent_id)
        found = tx.execute(select(*columns).where(GridRow.id == grid_id)).first()
        if found is None:
            break
        steps.insert(0, (found[0], found[1], found[2], found[3]))
        grid_id = found[4]
    return steps


def area_level(tx: Session, grid_id: str | None) -> str:
    """The class of area (地区等级) of the grid, its own or the nearest above; empty where none is set."""
    return next((step[3] for step in reversed(path(tx, grid_id)) if step[3]), "")


def remove(tx: Session, ids: Sequence[str]) -> None:
    """Take grids away, with their people."""
    for start in range(0, len(ids), 500):
        part = list(ids[start : start + 500])
        tx.execute(delete(GridPersonRow).where(GridPersonRow.grid_id.in_(part)))
        tx.execute(delete(GridRow).where(GridRow.id.in_(part)))


def persons(tx: Session, grid_ids: Iterable[str] | None = None) -> list[GridPersonRow]:
    """By grid, role and name; of some grids, or all."""
    query = select(GridPersonRow).order_by(GridPersonRow.grid_id, GridPersonRow.role, GridPersonRow.name)
    return list(tx.scalars(query if grid_ids is None else query.where(GridPersonRow.grid_id.in_(list(grid_ids)))))


def person(tx: Session, person_id: int) -> GridPersonRow | None:
    """One of them."""
    return tx.get(GridPersonRow, person_id)


def device_counts(tx: Session) -> dict[str, tuple[int, int]]:
    """(cameras, sensors) by base grid."""
    counts: dict[str, list[int]] = {}
    tables: tuple[Any, ...] = (CameraRow, SensorRow)
    for index, table in enumerate(tables):
        for grid_id, count in tx.execute(select(table.grid_id, func.count()).group_by(table.grid_id)):
            if grid_id:
                counts.setdefault(grid_id, [0, 0])[index] = count
    return {grid_id: (found[0], found[1]) for grid_id, found in counts.items()}
