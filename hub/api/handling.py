"""The rules of handling: classes, filing conditions as a table in and out, ticks, and the routing table."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Query, Response

from .. import conditions, routes, workbook
from ..domain.category import GBT_47678
from ..domain.role import Right
from ..errors import Forbidden
from ..house import Actor
from ..people import PROGRAM
from .access import TheActor, TheHouse, needs
from .bodies import Tick, TickClass
from .files import edited_file
from .plain import a_router

router = a_router("handling")

Sees = Annotated[Actor, Depends(needs(Right.SEE_RULES))]
Edits = Annotated[Actor, Depends(needs(Right.EDIT_RULES))]
Text = Annotated[str, Query(max_length=100)]


@router.get("/api/categories")
def categories(
    house: TheHouse, _actor: TheActor, standard: str | None = None, kind: str | None = None, q: Text = ""
) -> dict[str, Any]:
    """Classes of the code sets, with their counterparts in the other standards."""
    return _page(conditions.classes(house, standard=standard, kind=kind, text=q))


@router.post("/api/categories/verify")
def verify_category(house: TheHouse, actor: Edits, body: TickClass) -> dict[str, Any]:
    """A named person has compared the class with the standard itself (or takes it back)."""
    _person(actor)
    return conditions.verify_class(house, actor, body.standard, body.kind, body.code, body.verified)


@router.get("/api/conditions")
def list_conditions(
    house: TheHouse,
    _actor: TheActor,
    code: str | None = None,
    standard: str = GBT_47678,
    area: str | None = None,
    grid: str | None = None,
    q: Text = "",
    verified: bool | None = None,
) -> dict[str, Any]:
    """Filing conditions in the order of the table; with `code`, those of a class (in `grid`)."""
    found = conditions.listed(house, code=code, standard=standard, area=area, grid=grid, text=q, verified=verified)
    return _page(found)


@router.get("/api/conditions/sheet")
def export_conditions(house: TheHouse, _actor: Sees, area: str = "") -> Response:
    """The handling table as XLSX: sheets 部件 and 事件, nine columns and two of English."""
    headers = {"Content-Disposition": 'attachment; filename="handling-table.xlsx"'}
    return Response(conditions.export_sheet(house, area), media_type=workbook.MEDIA_TYPE, headers=headers)


@router.post("/api/conditions/sheet")
def import_conditions(
    house: TheHouse,
    actor: Edits,
    content: Annotated[bytes, Depends(edited_file)],
    standard: str = GBT_47678,
    area: str = "",
    replace: bool = False,
    apply: bool = False,
) -> dict[str, Any]:
    """Take over the good rows of an XLSX handling table (multipart, part `file`); without `apply`, only look at it."""
    done = conditions.import_sheet(house, actor, content, standard=standard, area=area, replace=replace, apply=apply)
    return done.to_json()


@router.post("/api/conditions/{condition_id}/verify")
def verify_condition(condition_id: str, house: TheHouse, actor: Edits, body: Tick) -> dict[str, Any]:
    """A named person says that the row is right (or takes it back)."""
    _person(actor)
    return conditions.verify(house, actor, condition_id, body.verified)


@router.get("/api/routing")
def routing(house: TheHouse, _actor: Sees) -> dict[str, Any]:
    """Which unit has which class, overrides of areas, owners of components, and what the grid handles first."""
    return routes.table_json(house)


@router.get("/api/routing/try")
def try_routing(
    house: TheHouse,
    _actor: Sees,
    code: Annotated[str, Query(max_length=16)],
    lon: Annotated[float | None, Query(ge=-180, le=180)] = None,
    lat: Annotated[float | None, Query(ge=-90, le=90)] = None,
    grid: Annotated[str | None, Query(max_length=64)] = None,
) -> dict[str, Any]:
    """Who would handle a matter of class `code` at the point (or in the grid), and why."""
    return routes.attempt(house, code, lon, lat, grid)


def _person(actor: Actor) -> None:
    if actor.id.startswith(PROGRAM):
        raise Forbidden("a person ticks what was checked; this is a program")


def _page(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"items": items, "next_cursor": None, "total": len(items)}
