"""The six-level grid: areas as GeoJSON in and out, the tree with its people, and a phone number on record."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Query, Response

from .. import grids, workbook
from ..domain.grid import LEVELS, GridError
from ..domain.role import Right
from ..errors import Invalid, Refused
from ..house import Actor
from ..registry import Registry
from .access import TheActor, TheHouse, needs
from .files import edited_file
from .plain import a_router
from .uploads import parsed

router = a_router("grid")

Edits = Annotated[Actor, Depends(needs(Right.EDIT_RULES))]
Sees = Annotated[Actor, Depends(needs(Right.SEE_RULES))]
Phones = Annotated[Actor, Depends(needs(Right.SEE_PHONES))]
File = Annotated[bytes, Depends(edited_file)]
AREAS = ",".join(grids.AREAS)
Levels = Annotated[str, Query(max_length=100)]


@router.get("/api/grids")
def grid_areas(house: TheHouse, _actor: TheActor, levels: Levels = AREAS) -> dict[str, Any]:
    """A GeoJSON FeatureCollection (RFC 7946) of the levels named, or `all`."""
    wanted = list(LEVELS) if levels == "all" else [level for level in levels.split(",") if level]
    return grids.geojson(house, wanted)


@router.post("/api/grids")
def import_grids(
    house: TheHouse, actor: Edits, content: File, replace: bool = False, apply: bool = False
) -> dict[str, Any]:
    """Take grids over from GeoJSON (multipart, part `file`): all of them, or none and every problem."""
    collection = parsed(_text(content), "file")
    try:
        done = grids.bring(house, collection, actor, replace=replace, apply=apply)
    except GridError as error:
        raise Refused("grids", error.problems) from None
    if apply:
        with house.db.write() as tx:
            Registry(house).locate_all(tx)
    return done


@router.get("/api/grids/tree")
def grid_tree(house: TheHouse, _actor: Sees) -> dict[str, Any]:
    """Every grid without its geometry, with its people (masked phones) and how many devices stand in it."""
    items = grids.listed(house)
    return {"items": items, "next_cursor": None, "total": len(items)}


@router.get("/api/grids/persons")
def export_persons(house: TheHouse, actor: Phones) -> Response:
    """The responsible people with their phones as XLSX, on record."""
    headers = {"Content-Disposition": 'attachment; filename="grid-persons.xlsx"'}
    return Response(grids.export_persons(house, actor, phones=True), media_type=workbook.MEDIA_TYPE, headers=headers)


@router.post("/api/grids/persons")
def import_persons(
    house: TheHouse, actor: Edits, content: File, replace: bool = False, apply: bool = False
) -> dict[str, Any]:
    """Take people over from CSV or XLSX (multipart, part `file`): the good rows, and what is wrong with the others."""
    return grids.import_persons(house, content, actor, replace=replace, apply=apply)


@router.post("/api/grids/persons/{person_id}/phone")
def phone(person_id: str, house: TheHouse, actor: Phones) -> dict[str, str]:
    """The number in full; who saw it is on record."""
    return grids.phone(house, actor, person_id)


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid("file", f"{len(content)} bytes", "JSON in UTF-8") from None
