"""Whether the grid still has a case that it handles first."""

from __future__ import annotations

from ..domain.case import CaseState
from ..store.case_rows import CaseRow

_IN_HAND = (CaseState.DISPATCHED, CaseState.HANDLING)


def in_the_grid(case: CaseRow) -> bool:
    """The step of the grid holds: the office of the street has the case, and has not answered yet."""
    office = (case.routing or {}).get("grid_unit")
    return case.grid_step is not None and case.department_id == office and CaseState(case.state) in _IN_HAND
