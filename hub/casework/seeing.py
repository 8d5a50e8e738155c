"""Who sees which cases: the centre all, a department its own, a grid member or a program those it has to do with."""

from __future__ import annotations

from ..domain.role import UNIT_ROLES, Right, may
from ..errors import Forbidden
from ..house import Actor
from ..store import Transaction, case_queries
from ..store.case_queries import SeenBy
from ..store.case_rows import CaseRow


def seen_by(actor: Actor) -> SeenBy | None:
    """Whose cases alone the actor sees; None: all. Raises Forbidden for one who sees none."""
    if may(actor.role, Right.SEE_CASES):
        return None
    if not may(actor.role, Right.SEE_OWN_CASES):
        raise Forbidden(f"cases are not for the role {actor.role}")
    return SeenBy(department=actor.department or "") if actor.role in UNIT_ROLES else SeenBy(person=actor.id)


def sees(tx: Transaction, actor: Actor, row: CaseRow) -> bool:
    """Whether the actor may see the case."""
    by = seen_by(actor)
    if by is None or (by.department is not None and by.department == row.department_id):
        return True
    return case_queries.visible(tx, row.id, by)


def sees_evidence(tx: Transaction, actor: Actor, sha256: str) -> bool:
    """Whether the file belongs to a case that the actor sees, or to an alert within his grids."""
    by = seen_by(actor)
    if by is None:
        return actor.grids is None or case_queries.evidence_within(tx, sha256)
    return case_queries.evidence_visible(tx, sha256, by)
