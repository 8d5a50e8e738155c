"""吹哨报到: blow, approve, report arrival, record the result, mark; the indicators of the departments."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from pydantic import ValidationError

from .. import whistles
from ..domain import period
from ..domain.role import Right
from ..errors import Invalid
from ..house import Actor
from ..whistles import Told
from .access import TheHouse, cursor_of, key_of, needs
from .plain import a_router
from .supervision_bodies import Blow, WhistleAct
from .uploads import Upload, parsed, photos_of, read_upload

router = a_router("whistles", "/api/whistles")

Limit = Annotated[int, Query(ge=1, le=500)]
Sees = Annotated[Actor, Depends(needs(Right.SEE_WHISTLES))]
Blows = Annotated[Actor, Depends(needs(Right.BLOW_WHISTLES))]
SeesReports = Annotated[Actor, Depends(needs(Right.SEE_REPORTS))]


@router.get("")
def whistle_list(
    house: TheHouse,
    actor: Sees,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
    kind: str | None = None,
    limit: Limit = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    """Newest first; a unit sees its own and those that call it."""
    items, key, total = whistles.page(
        house, actor, is_open=is_open, kind=kind, after=key_of(cursor, datetime, str), limit=limit
    )
    return {"items": items, "next_cursor": cursor_of(key), "total": total}


@router.post("")
def blow(house: TheHouse, actor: Blows, body: Blow) -> dict[str, Any]:
    """Propose a whistle; the centre approves it."""
    return whistles.blow(house, actor, body.model_dump())


@router.get("/rates")
def rates(house: TheHouse, _actor: SeesReports, within: Annotated[str, Query(alias="period")]) -> dict[str, Any]:
    """报到率, 按时报到率, 解决率 by department; `period` as 2026-11, 2026-Q4, 2026 or 2026-W48."""
    span = period.parse(within, house.settings.timezone)
    return {"period": span.name, "items": whistles.rates(house, span.start, span.end)}


@router.get("/{whistle_id}")
def whistle(whistle_id: str, house: TheHouse, actor: Sees) -> dict[str, Any]:
    """One whistle, by id or number."""
    return whistles.read(house, actor, whistle_id)


async def _act_upload(request: Request, _actor: Sees) -> Upload:
    if request.headers.get("Content-Type", "").startswith("multipart/form-data"):
        return await read_upload(request)
    return await read_upload(request, "act")


@router.post("/{whistle_id}/{action}")
def act(
    whistle_id: str, action: str, house: TheHouse, actor: Sees, upload: Annotated[Upload, Depends(_act_upload)]
) -> dict[str, Any]:
    """approve, refuse, withdraw, arrive (multipart: `person`, `text`, `photos`), gather, result, mark, close."""
    values: dict[str, Any] = dict(upload.fields)
    if "act" in values:
        values = parsed(values["act"] or "{}", "body")
    try:
        body = WhistleAct.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise Invalid(".".join(map(str, first["loc"])), str(first.get("input"))[:100], first["msg"]) from None
    photos = [content for _kind, content in photos_of(upload)]
    told = Told(body.text, body.person, photos, body.resolved, body.mark, body.department)
    return whistles.act(house, actor, whistle_id, action, told)
