"""证据保全: while a case is under it, nothing of its evidence is purged, whatever the periods say."""

from __future__ import annotations

from typing import Any

from ..case_wire import case_json
from ..domain.case import CaseState
from ..errors import Barred, Invalid
from ..house import Actor, House
from ..store import case_queries
from .step import Told, locked, note, tell


def hold(house: House, actor: Actor, case_id: str, held: bool, reason: str) -> dict[str, Any]:
    """Preserve the case's evidence, or no longer; said twice is once. Returns the case.

    Raises NotFound, Invalid (no reason), Barred (`merged`: its pictures are with the case that it was merged into).
    """
    reason = reason.strip()
    if not reason:
        raise Invalid("reason", "", "not empty: why the evidence is preserved (证据保全), or no longer")
    with house.db.write() as tx:
        row, now = locked(tx, case_id), house.now()
        for link, other in case_queries.links(tx, row.id):
            if held and link.relation == "duplicate_of" and link.case_id == row.id:
                raise Barred("merged", f"its pictures are with {other.number}, into which it was merged")
        if (row.held_at is not None) != held:
            row.held_at = now if held else None
            note(tx, row, actor, "hold" if held else "unhold", CaseState(row.state), Told(reason), now)
            action = "evidence-held" if held else "evidence-released"
            tx.audit(now, actor.id, action, f"case/{row.number}", reason=reason)
            tell(tx, house, row)
        tx.flush()
        return case_json(tx, house, row, actor)
