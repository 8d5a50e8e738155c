"""Reports: read, issue, download; the cases behind every number; points off by hand."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Query
from fastapi.responses import Response

from ..domain.role import Right
from ..house import Actor
from ..reports import bulletins
from .access import TheHouse, cursor_of, key_of, needs
from .plain import a_router
from .shown import shows
from .shown_reports import Deduction, Deductions
from .supervision import download
from .supervision_bodies import Deduct, Issue, Strike

router = a_router("reports", "/api/reports")

Limit = Annotated[int, Query(ge=1, le=500)]
Sees = Annotated[Actor, Depends(needs(Right.SEE_REPORTS))]
Evaluates = Annotated[Actor, Depends(needs(Right.EVALUATE))]


@router.get("")
def issued(house: TheHouse, _actor: Sees, kind: str | None = None) -> dict[str, Any]:
    """The issued reports, newest first."""
    return {"items": bulletins.listed(house, kind)}


@router.get("/cases")
def cases(
    house: TheHouse,
    _actor: Sees,
    counter: str,
    within: Annotated[str, Query(alias="period")],
    department: str | None = None,
    street: str | None = None,
    community: str | None = None,
    category: str | None = None,
    item: str | None = None,
    channel: str | None = None,
    limit: Limit = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    """What a number of a report counted: `total` is that number."""
    scope = {
        "department": department,
        "street": street,
        "community": community,
        "category": category,
        "item": item,
        "channel": channel,
    }
    items, key, total = bulletins.cases_of(house, counter, within, scope, key_of(cursor, str, int | str), limit)
    named = bulletins.counted(house, counter, within, scope)
    return {"items": items, "next_cursor": cursor_of(key), "total": total, **named}


@router.get("/deductions", **shows(Deductions))
def deductions(house: TheHouse, _actor: Sees, within: Annotated[str, Query(alias="period")]) -> dict[str, Any]:
    """Points off by hand in a period."""
    return bulletins.deductions(house, within)


@router.post("/deductions", **shows(Deduction))
def deduct(house: TheHouse, actor: Evaluates, body: Deduct) -> dict[str, Any]:
    """Take points off a department."""
    return bulletins.deduct(house, actor, body.model_dump())


@router.post("/deductions/{deduction_id}/strike", **shows(Deduction))
def strike(deduction_id: str, house: TheHouse, actor: Evaluates, body: Strike) -> dict[str, Any]:
    """Take them back."""
    return bulletins.strike(house, actor, deduction_id, body.note)


@router.get("/{kind}/{period}")
def report(kind: str, period: str, house: TheHouse, actor: Sees, live: bool = False) -> dict[str, Any]:
    """weekly 2026-W48, monthly 2026-11, quarterly 2026-Q4, yearly 2026: as issued, or as the figures are now."""
    return bulletins.read(house, actor, kind, period, live=live)


@router.post("/{kind}/{period}/issue")
def issue(kind: str, period: str, house: TheHouse, actor: Evaluates, body: Issue | None = None) -> dict[str, Any]:
    """Freeze the figures under the next number."""
    return bulletins.issue(house, actor, kind, period, body.notes if body else "")


@router.get("/{kind}/{period}/{form}")
def report_file(kind: str, period: str, form: str, house: TheHouse, actor: Sees, live: bool = False) -> Response:
    """The report as `xlsx`, `docx` or `pdf`."""
    return download(bulletins.printed(house, actor, kind, period, form, live=live))
