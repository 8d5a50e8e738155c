"""三次督办: the supervision desk, letters with their replies and print-outs, templates."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Query, Request
from fastapi.responses import Response

from .. import letters, sheets, supervisions
from ..domain.role import Right
from ..errors import TooLarge
from ..house import Actor
from ..letters import Print
from ..papers.template import BYTES_MAX
from ..papers.typeface import complaint
from .access import TheHouse, cursor_of, key_of, needs
from .plain import a_router
from .supervision_bodies import IssueBatch, Supervise, WriteLetter
from .uploads import Upload, parsed, photos_of, read_upload

router = a_router("supervision", "/api/supervision")

Limit = Annotated[int, Query(ge=1, le=500)]
Sees = Annotated[Actor, Depends(needs(Right.SEE_LETTERS))]
Supervises = Annotated[Actor, Depends(needs(Right.SUPERVISE))]
EditsTemplates = Annotated[Actor, Depends(needs(Right.EDIT_TEMPLATES))]
SeesCases = Annotated[Actor, Depends(needs(Right.SEE_CASES, Right.SEE_OWN_CASES))]


def download(made: Print) -> Response:
    """A file; `X-Missing-Characters` says (percent-encoded) what no font of the machine has."""
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(made.name)}"}
    if made.missing:
        headers["X-Missing-Characters"] = quote(complaint(made.missing))
    return Response(made.content, media_type=made.media_type, headers=headers)


@router.get("/desk")
def desk(house: TheHouse, actor: Sees) -> dict[str, Any]:
    """What comes within two days, letters that wait, cases for the next 问题清单."""
    return supervisions.desk(house, actor)


@router.get("/supervisions")
def supervision_list(
    house: TheHouse,
    actor: Sees,
    level: int | None = None,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
    limit: Limit = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    """Newest first; a department's people see their own."""
    items, key, total = supervisions.page(
        house, actor, level=level, is_open=is_open, after=key_of(cursor, datetime, int, str), limit=limit
    )
    return {"items": items, "next_cursor": cursor_of(key), "total": total}


@router.post("/supervisions")
def supervise(house: TheHouse, actor: Supervises, body: Supervise) -> dict[str, Any]:
    """A person supervises a case, at any level."""
    return supervisions.supervise(house, actor, body.case, body.level, body.cause, body.demands, body.reason)


@router.post("/batches")
def issue_batch(house: TheHouse, actor: Supervises, body: IssueBatch | None = None) -> dict[str, Any]:
    """Hand over the open problems as 问题清单 第n批."""
    return supervisions.issue_batch(house, actor, body.demands if body else "")


@router.get("/letters")
def letter_list(
    house: TheHouse,
    actor: Sees,
    kind: str | None = None,
    state: str | None = None,
    limit: Limit = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    """Newest first; a department's people see those issued to them."""
    items, key, total = letters.page(
        house, actor, kind=kind, state=state, after=key_of(cursor, datetime, str), limit=limit
    )
    return {"items": items, "next_cursor": cursor_of(key), "total": total}


@router.post("/letters")
def write_letter(house: TheHouse, actor: Supervises, body: WriteLetter) -> dict[str, Any]:
    """A letter by hand: a draft to be signed."""
    return supervisions.write(house, actor, body.kind, body.model_dump())


@router.get("/letters/{letter_id}")
def letter(letter_id: str, house: TheHouse, actor: Sees) -> dict[str, Any]:
    """One letter."""
    return letters.read(house, actor, letter_id)


@router.get("/letters/{letter_id}/{form}")
def letter_file(letter_id: str, form: str, house: TheHouse, actor: Sees) -> Response:
    """The letter as `docx` or `pdf`."""
    return download(letters.printed(house, actor, letter_id, form))


async def _act_upload(request: Request, _actor: Sees) -> Upload:
    if request.headers.get("Content-Type", "").startswith("multipart/form-data"):
        return await read_upload(request)
    upload = await read_upload(request, "act")
    return Upload({"text": str(parsed(upload.fields["act"] or "{}", "body").get("text", ""))})


@router.post("/letters/{letter_id}/{action}")
def letter_act(
    letter_id: str, action: str, house: TheHouse, actor: Sees, upload: Annotated[Upload, Depends(_act_upload)]
) -> dict[str, Any]:
    """sign, reply (multipart: `text` and `photos`), accept_reply, refuse_reply, withdraw."""
    photos = [content for _kind, content in photos_of(upload)]
    return letters.act(house, actor, letter_id, action, upload.fields.get("text", ""), photos)


@router.get("/sheets/{kind}/{case_id}/{form}")
def sheet(kind: str, case_id: str, form: str, house: TheHouse, actor: SeesCases) -> Response:
    """案件处置单 (case_sheet) or 核查单 (check_sheet) of a case, as `docx` or `pdf`."""
    return download(sheets.printed(house, actor, case_id, kind, form))


@router.get("/templates")
def template_list(house: TheHouse, _actor: EditsTemplates) -> dict[str, Any]:
    """The current templates, with the fields they may use."""
    return {"items": letters.templates(house)}


@router.get("/templates/{kind}")
def template_file(kind: str, house: TheHouse, _actor: EditsTemplates) -> Response:
    """The DOCX, to be edited."""
    return download(letters.template_file(house, kind))


async def _docx(request: Request, _actor: EditsTemplates) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BYTES_MAX:
            raise TooLarge("template", BYTES_MAX)
        chunks.append(chunk)
    return b"".join(chunks)


@router.put("/templates/{kind}")
def replace_template(
    kind: str, house: TheHouse, actor: EditsTemplates, content: Annotated[bytes, Depends(_docx)]
) -> dict[str, Any]:
    """The changed DOCX (the file as the body), for the letters from now on."""
    return letters.replace_template(house, actor, kind, content)


@router.delete("/templates/{kind}")
def restore_template(kind: str, house: TheHouse, actor: EditsTemplates) -> dict[str, Any]:
    """The shipped one again."""
    return letters.restore_template(house, actor, kind)
