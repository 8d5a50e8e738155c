"""Alerts and cases: the validation desk and the departments' inbox."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import ValidationError

from .. import alerts, cases
from ..domain.role import Right
from ..errors import Invalid
from ..house import Actor
from .access import TheHouse, cursor_of, key_of, needs
from .bodies import Category, Confirm, MoveCase, Note, Reject
from .uploads import Upload, parsed, read_upload

router = APIRouter(tags=["desk"])

Limit = Annotated[int, Query(ge=1, le=500)]
Sees = Annotated[Actor, Depends(needs(Right.SEE_ALERTS))]
Decides = Annotated[Actor, Depends(needs(Right.DECIDE_ALERTS))]
SeesCases = Annotated[Actor, Depends(needs(Right.SEE_CASES, Right.SEE_OWN_CASES))]


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
    return alerts.confirm(house, actor, alert_id, code, body.note)


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


@router.get("/api/cases")
def case_list(
    house: TheHouse,
    actor: SeesCases,
    state: str | None = None,
    department: str | None = None,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
    limit: Limit = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    """Open ones by deadline; otherwise newest first. A department's people see their own."""
    items, key, total = cases.page(
        house, actor, state=state, department=department, is_open=is_open, after=key_of(cursor, 2), limit=limit
    )
    return {"items": items, "next_cursor": cursor_of(key), "total": total}


@router.get("/api/cases/{case_id}")
def case(case_id: str, house: TheHouse, actor: SeesCases) -> dict[str, Any]:
    """One case (by id or number) with its history."""
    return cases.read(house, actor, case_id)


async def _move_upload(request: Request, _actor: SeesCases) -> Upload:
    if request.headers.get("Content-Type", "").startswith("multipart/form-data"):
        return await read_upload(request)
    return await read_upload(request, "move")


@router.post("/api/cases/{case_id}/{action}")
def move(
    case_id: str,
    action: str,
    house: TheHouse,
    actor: SeesCases,
    upload: Annotated[Upload, Depends(_move_upload)],
) -> dict[str, Any]:
    """Move a case: dispatch, accept, return, feedback (multipart: `text` and `photos`), check, rework, close, void."""
    values: dict[str, Any] = dict(upload.fields)
    if "move" in values:
        values = parsed(values["move"] or "{}", "body")
    try:
        body = MoveCase.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise Invalid(".".join(map(str, first["loc"])), str(first.get("input"))[:100], first["msg"]) from None
    photos = [content for name, content in upload.files if name in ("photos", "photos[]")]
    text = body.reason or body.text or body.note
    return cases.move(house, actor, case_id, action, department=body.department, text=text, photos=photos)
