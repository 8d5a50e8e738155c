"""Alerts: the validation desk."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Query

from .. import alerts, around, shifts
from ..domain.role import Right
from ..house import Actor
from .access import TheHouse, cursor_of, key_of, needs
from .bodies import Category, Confirm, Note, Postpone, Reject, RejectAll
from .plain import a_router
from .shown import Alert, Around, Handover, Page, Rejected, Released, Shift, shows
from .shown_cases import Confirmed

router = a_router("desk")

Limit = Annotated[int, Query(ge=1, le=500)]
Sees = Annotated[Actor, Depends(needs(Right.SEE_ALERTS))]
Decides = Annotated[Actor, Depends(needs(Right.DECIDE_ALERTS))]


@router.get("/api/alerts", **shows(Page[Alert]))
def alert_list(
    house: TheHouse,
    _actor: Sees,
    state: str | None = None,
    kind: str | None = None,
    camera: str | None = None,
    sensor: str | None = None,
    limit: Limit = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    """Waiting ones (state=pending_review or unsure): urgent first, then oldest; otherwise newest first."""
    items, key, total = alerts.page(
        house,
        state=state,
        kind=kind,
        camera=camera,
        sensor=sensor,
        after=key_of(cursor, int, datetime, str),
        limit=limit,
    )
    return {"items": items, "next_cursor": cursor_of(key), "total": total}


@router.post("/api/alerts/reject-all", **shows(Rejected))
def reject_all(house: TheHouse, actor: Decides, body: RejectAll) -> dict[str, Any]:
    """Reject everything that waits of one camera: it is broken, or shows something that it should not."""
    return alerts.reject_all(house, actor, body.camera, body.reason, body.note, body.kind)


@router.post("/api/alerts/release", **shows(Released))
def release_all(house: TheHouse, actor: Decides) -> dict[str, Any]:
    """Have nothing in hand any more."""
    return {"released": alerts.release(house, actor)}


@router.get("/api/alerts/{alert_id}", **shows(Alert))
def alert(alert_id: str, house: TheHouse, _actor: Sees) -> dict[str, Any]:
    """One alert."""
    return alerts.read(house, alert_id)


@router.post("/api/alerts/{alert_id}/claim", **shows(Alert))
def claim(alert_id: str, house: TheHouse, actor: Decides) -> dict[str, Any]:
    """Take it in hand for two minutes."""
    return alerts.claim(house, actor, alert_id)


@router.post("/api/alerts/{alert_id}/confirm", **shows(Confirmed))
def confirm(alert_id: str, house: TheHouse, actor: Decides, body: Confirm | None = None) -> dict[str, Any]:
    """It is so: {alert, case}."""
    body = body or Confirm()
    code = body.category.code if isinstance(body.category, Category) else body.category
    return alerts.confirm(
        house, actor, alert_id, code, body.note, separate=body.separate, condition=body.condition, into=body.into
    )


@router.post("/api/alerts/{alert_id}/reject", **shows(Alert))
def reject(alert_id: str, house: TheHouse, actor: Decides, body: Reject) -> dict[str, Any]:
    """It is not so, and why."""
    return alerts.reject(house, actor, alert_id, body.reason, body.note)


@router.post("/api/alerts/{alert_id}/unsure", **shows(Alert))
def unsure(alert_id: str, house: TheHouse, actor: Decides, body: Note | None = None) -> dict[str, Any]:
    """Leave it to somebody else."""
    return alerts.unsure(house, actor, alert_id, body.note if body else "")


@router.post("/api/alerts/{alert_id}/undo", **shows(Alert))
def undo(alert_id: str, house: TheHouse, actor: Decides) -> dict[str, Any]:
    """Take one's own verdict back."""
    return alerts.undo(house, actor, alert_id)


@router.post("/api/alerts/{alert_id}/postpone", **shows(Alert))
def postpone(alert_id: str, house: TheHouse, actor: Decides, body: Postpone) -> dict[str, Any]:
    """Put it off: 4 hours at most, an urgent one 15 minutes."""
    return alerts.postpone(house, actor, alert_id, body.until)


@router.get("/api/alerts/{alert_id}/around", **shows(Around))
def what_is_around(alert_id: str, house: TheHouse, _actor: Sees) -> dict[str, Any]:
    """Open cases that it may belong to, the nearest first, and its camera's last looks."""
    return around.around(house, alert_id)


@router.get("/api/shift", **shows(Shift))
def shift(house: TheHouse, actor: Decides) -> dict[str, Any]:
    """One's own figures since the last hand-over, what waits, and the note of the shift before."""
    return shifts.mine(house, actor)


@router.post("/api/shift/handover", **shows(Handover))
def hand_over(house: TheHouse, actor: Decides, body: Note) -> dict[str, Any]:
    """End one's shift with a note to the next."""
    return shifts.hand_over(house, actor, body.note)


@router.post("/api/shift/handovers/{handover_id}/take", **shows(Handover))
def take_over(handover_id: str, house: TheHouse, actor: Decides) -> dict[str, Any]:
    """The note was read."""
    return shifts.take_over(house, actor, handover_id)
