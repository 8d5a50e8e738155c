"""Alerts: the validation desk."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from .. import alerts
from ..domain.role import Right
from ..house import Actor
from .access import TheHouse, cursor_of, key_of, needs
from .bodies import Category, Confirm, Note, Reject

router = APIRouter(tags=["desk"])

Limit = Annotated[int, Query(ge=1, le=500)]
Sees = Annotated[Actor, Depends(needs(Right.SEE_ALERTS))]
Decides = Annotated[Actor, Depends(needs(Right.DECIDE_ALERTS))]


@router.get("/api/alerts")
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
        house, state=state, kind=kind, camera=camera, sensor=sensor, after=key_of(cursor, 3), limit=limit
    )
    return {"items": items, "next_cursor": cursor_of(key), "total": total}


@router.get("/api/alerts/{alert_id}")
def alert(alert_id: str, house: TheHouse, _actor: Sees) -> dict[str, Any]:
    """One alert."""
    return alerts.read(house, alert_id)


@router.post("/api/alerts/{alert_id}/claim")
def claim(alert_id: str, house: TheHouse, actor: Decides) -> dict[str, Any]:
    """Take it in hand for two minutes."""
    return alerts.claim(house, actor, alert_id)


@router.post("/api/alerts/{alert_id}/confirm")
def confirm(alert_id: str, house: TheHouse, actor: Decides, body: Confirm | None = None) -> dict[str, Any]:
    """It is so: {alert, case}."""
    body = body or Confirm()
    code = body.category.code if isinstance(body.category, Category) else body.category
    return alerts.confirm(house, actor, alert_id, code, body.note, separate=body.separate, condition=body.condition)


@router.post("/api/alerts/{alert_id}/reject")
def reject(alert_id: str, house: TheHouse, actor: Decides, body: Reject) -> dict[str, Any]:
    """It is not so, and why."""
    return alerts.reject(house, actor, alert_id, body.reason, body.note)


@router.post("/api/alerts/{alert_id}/unsure")
def unsure(alert_id: str, house: TheHouse, actor: Decides, body: Note | None = None) -> dict[str, Any]:
    """Leave it to somebody else."""
    return alerts.unsure(house, actor, alert_id, body.note if body else "")


@router.post("/api/alerts/{alert_id}/undo")
def undo(alert_id: str, house: TheHouse, actor: Decides) -> dict[str, Any]:
    """Take one's own verdict back."""
    return alerts.undo(house, actor, alert_id)
