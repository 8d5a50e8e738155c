"""小事不出网格: some cases climb from the grid member to community and street, and only then go to the centre.

While it climbs, the office of the street has it: the grid's people answer through it. When the time of a step is up and
nobody has answered, the next level that has somebody gets it; after the last the dispatcher decides (domain.md §6).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from ..domain.case import CaseAction, CaseState
from ..domain.clock import deadline, parse_limit
from ..domain.routing import climb
from ..grids import staffed
from ..house import SYSTEM, House
from ..store import Transaction, timer_queries
from ..store.case_rows import CaseRow, TimerRow
from . import wording
from .grid_first import in_the_grid
from .step import Told, note, step

if TYPE_CHECKING:
    from ..timers import Fire

CLIMB = "climb"
"""Kind of the timer that ends a step of the grid."""


def start(tx: Transaction, house: House, case: CaseRow, now: datetime) -> None:
    """If the case's class is handled in the grid first and the office of its street just got it: to the first level."""
    routing = case.routing or {}
    mine = routing.get("grid_first") and case.department_id == routing.get("grid_unit")
    first = climb(None, staffed(tx, case.grid_id)) if mine and case.state == CaseState.DISPATCHED else None
    if first is not None:
        _give(tx, house, case, first, now)


def _give(tx: Transaction, house: House, case: CaseRow, level: str, now: datetime) -> None:
    limit = house.rules.routing.limits[level]
    came_from, case.grid_step = case.grid_step, level
    case.grid_due_at = deadline(now, parse_limit(limit), house.rules.calendar)
    timer_queries.put(tx, CLIMB, f"case/{case.id}", case.grid_due_at, case.id)
    detail = {"from": came_from, "to": level, "limit": limit, "until": case.grid_due_at.isoformat()}
    told = Told(wording.grid_first(level, limit), (), detail)
    note(tx, case, SYSTEM, "climb", CaseState(case.state), told, now)
    tx.audit(house.now(), SYSTEM.id, "case-climbed", f"case/{case.number}", **detail)
    tx.flush()


def _climb(tx: Transaction, house: House, timer: TimerRow, case: CaseRow | None) -> None:
    """The time of the step is up."""
    if case is None:
        return
    if not in_the_grid(case):
        case.grid_step = case.grid_due_at = None  # it was answered, suspended or given to another unit meanwhile
        return
    following = climb(case.grid_step, staffed(tx, case.grid_id))
    if following is not None:
        _give(tx, house, case, following, timer.due_at)
        return
    case.grid_step = case.grid_due_at = None
    step(tx, house, case, SYSTEM, CaseAction.RETURN, timer.due_at, Told(wording.OUT_OF_THE_GRID))


FIRES: Mapping[str, Fire] = {CLIMB: _climb}
