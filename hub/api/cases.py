"""Cases: reported, listed, moved, and what waits for consent."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query, Request
from pydantic import BaseModel, ValidationError

from .. import cases
from ..casework import holding
from ..casework.acts import known_class
from ..casework.begin import Report
from ..casework.order import Order
from ..casework.step import Photo
from ..domain.case import MOVES, REPORT, STATE_NAMES, CaseState
from ..domain.channel import CHANNEL_NAMES, Channel
from ..domain.role import Right
from ..domain.visit import PHOTO_TYPES, RESULTS
from ..errors import Invalid
from ..house import Actor, House
from ..store.case_queries import FLAGS, Wanted
from .access import TheHouse, cursor_of, key_of, needs
from .bodies import Hold, MoveCase, NewCase, Time
from .plain import a_router
from .shown import Page, shows
from .shown_cases import Case, CaseNumber, CasesByArea, CaseWords, Reported, Requests, WholeCase
from .uploads import Upload, parsed, photos_of, read_upload

router = a_router("cases")

Limit = Annotated[int, Query(ge=1, le=500)]
SeesCases = Annotated[Actor, Depends(needs(Right.SEE_CASES, Right.SEE_OWN_CASES))]
Holds = Annotated[Actor, Depends(needs(Right.HOLD_EVIDENCE))]
_Some = TypeVar("_Some", bound=BaseModel)


@router.get("/api/cases", **shows(Page[Case]))
def case_list(
    house: TheHouse,
    actor: SeesCases,
    state: Annotated[str | None, Query(description="one or several, with commas between")] = None,
    department: str | None = None,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
    grid: Annotated[str | None, Query(description="id of a base grid, community or street")] = None,
    category: Annotated[str | None, Query(description="class code")] = None,
    channel: Channel | None = None,
    overdue: bool | None = None,
    flags: Annotated[str | None, Query(description="all of: " + ", ".join(FLAGS))] = None,
    text: Annotated[str, Query(max_length=100)] = "",
    since: Annotated[Time | None, Query(description="reported from then on")] = None,
    until: Annotated[Time | None, Query(description="reported before then")] = None,
    limit: Limit = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    """Work to do by deadline; otherwise newest first. A department's people see their own."""
    wanted = Wanted(
        states=_words(state),
        department=department,
        is_open=is_open,
        grid=grid,
        code=category,
        channel=channel.value if channel else None,
        overdue=overdue,
        flags=_words(flags),
        text=text.strip(),
        since=since,
        until=until,
    )
    for flag in wanted.flags:
        if flag not in FLAGS:
            raise Invalid("flags", flag, list(FLAGS))
    items, key, total = cases.page(house, actor, wanted, after=key_of(cursor, datetime, str), limit=limit)
    return {"items": items, "next_cursor": cursor_of(key), "total": total}


@router.get("/api/cases/by-area", **shows(CasesByArea))
def by_area(
    house: TheHouse,
    actor: SeesCases,
    by: Annotated[str, Query(description="grid, community or street")] = "grid",
    since: Time | None = None,
    until: Time | None = None,
    category: str | None = None,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
) -> dict[str, Any]:
    """How many cases were reported in each area (for the heat map); the list of each is `/api/cases?grid=ID&…`."""
    wanted = Wanted(is_open=is_open, code=category, since=since, until=until)
    return cases.by_area(house, actor, by, wanted)


@router.get("/api/cases/requests", **shows(Requests))
def request_list(
    house: TheHouse,
    actor: SeesCases,
    pending: bool = True,
    mine: bool = False,
    limit: Limit = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    """What is asked for (转办, 挂账, 延期, 申诉), newest first; `mine`: only what the actor may consent to."""
    items, key = cases.requests(
        house, actor, pending=pending, mine=mine, after=key_of(cursor, datetime, str), limit=limit
    )
    return {"items": items, "next_cursor": cursor_of(key)}


@router.get("/api/cases/words", **shows(CaseWords))
def words(_actor: SeesCases) -> dict[str, Any]:
    """What states, actions, channels, photo types and results of visits are called."""
    moves = {action.value: {"zh": move.zh, "en": move.en} for action, move in MOVES.items()}
    return {
        "states": {state.value: STATE_NAMES[state] for state in CaseState},
        "actions": {"report": {"zh": REPORT.zh, "en": REPORT.en}, **moves},
        "channels": {channel.value: CHANNEL_NAMES[channel] for channel in Channel},
        "photo_types": dict(PHOTO_TYPES),
        "results": {kind.value: dict(results) for kind, results in RESULTS.items()},
    }


@router.get("/api/cases/{case_id}", **shows(WholeCase))
def case(case_id: str, house: TheHouse, actor: SeesCases) -> dict[str, Any]:
    """One case (by id or number) with its history, clocks, requests, joint parts, visits, reports and links."""
    return cases.read(house, actor, case_id)


async def _upload(request: Request, _actor: SeesCases) -> Upload:
    if request.headers.get("Content-Type", "").startswith("multipart/form-data"):
        return await read_upload(request)
    return await read_upload(request, "json")


TheUpload = Annotated[Upload, Depends(_upload)]


@router.post("/api/cases", **shows(Reported, 201))
def report(house: TheHouse, actor: SeesCases, upload: TheUpload) -> dict[str, Any]:
    """Register a report (上报): JSON, or multipart with the JSON in `case` and photos.

    {outcome, case}: `reported` opens a case, `attached` gives the report to the open case of the same problem within
    50 m, `repeated` has been told before.
    """
    values = parsed(upload.fields["case"], "case") if "case" in upload.fields else _values(upload)
    body = _read(NewCase, values)
    category = body.category_json()
    if category is None:
        raise Invalid("category", None, "a class of GB/T 47678.5")
    kind = body.item_kind or "matter"
    if not (body.address or "").strip() and body.lon is None:
        raise Invalid("address", body.address, "a place in words, or lon and lat")
    wanted = Report(
        channel=body.channel,
        category=known_class(house, category, kind),
        item_kind=kind,
        condition=body.condition,
        description=body.description or "",
        address=body.address or "",
        lon=body.lon,
        lat=body.lat,
        grid=body.grid,
        camera=body.camera,
        urgent=bool(body.urgent),
        reporter=body.reporter.model_dump() if body.reporter else None,
        external_id=body.external_id,
        request_id=body.request_id,
        separate=body.separate,
        photos=_photos(house, upload, None, None),
    )
    return cases.report(house, actor, wanted)


@router.post("/api/cases/{case_id}/{action}", **shows(WholeCase | CaseNumber))
def move(case_id: str, action: str, house: TheHouse, actor: SeesCases, upload: TheUpload) -> dict[str, Any]:
    """Move a case: any action of its `actions`, and `consent`, `deny`, `take_back` for the request that waits.

    JSON, or multipart with the same fields and `photos`; a part named `photos:after` says the type of its photo.
    """
    body = _read(MoveCase, _values(upload))
    order = Order(
        department=body.department,
        reason=body.reason,
        text=body.text or body.note,
        until=body.until,
        result=body.result,
        met=body.met,
        category=body.category_json(),
        item_kind=body.item_kind,
        condition=body.condition,
        limit=body.limit,
        closing=body.closing,
        description=body.description,
        address=body.address,
        lon=body.lon,
        lat=body.lat,
        grid=body.grid,
        urgent=body.urgent,
        assignee=body.assignee,
        into=body.into,
        request_id=body.request_id,
        photos=_photos(house, upload, body.lon, body.lat),
    )
    return cases.move(house, actor, case_id, action, order)


@router.put("/api/cases/{case_id}/hold", **shows(WholeCase))
def hold(case_id: str, house: TheHouse, actor: Holds, body: Hold) -> dict[str, Any]:
    """Preserve all evidence of the case (证据保全), or no longer: nothing of it is purged meanwhile."""
    return holding.hold(house, actor, case_id, body.held, body.reason)


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(word.strip() for word in (text or "").split(",") if word.strip())


def _values(upload: Upload) -> dict[str, Any]:
    values: dict[str, Any] = dict(upload.fields)
    return parsed(values["json"] or "{}", "body") if "json" in values else values


def _read(model: type[_Some], values: dict[str, Any]) -> _Some:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise Invalid(".".join(map(str, first["loc"])), str(first.get("input"))[:100], first["msg"]) from None


def _photos(house: House, upload: Upload, lon: float | None, lat: float | None) -> list[Photo]:
    """Photos of the parts `photos`, `photos[]` and `photos:TYPE`, stored. Raises Invalid."""
    found = photos_of(upload)
    for kind, _content in found:
        if kind and kind not in PHOTO_TYPES:
            raise Invalid(f"photos:{kind}", kind, list(PHOTO_TYPES))
    return [Photo(house.evidence.put(content), kind or None, lon, lat) for kind, content in found]
