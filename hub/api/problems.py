"""The one place where errors become HTTP: application/problem+json (RFC 9457)."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from detectors.finding import FindingError

from ..domain.grid import GridError
from ..domain.machine import IllegalMove
from ..domain.period import PeriodError
from ..errors import HubError, NotFound, OutsideScope, TooOften
from ..evidence import DamagedEvidence
from ..papers.template import TemplateError
from ..store import scope

log = logging.getLogger("hub.api")


class Problem(JSONResponse):
    """A problem document."""

    media_type = "application/problem+json"


def problem(status: int, type_: str, title: str, detail: str, **extra: Any) -> Problem:
    """{type, title, status, detail, …}"""
    body = {**extra, "type": type_, "title": title, "status": status, "detail": detail}
    return Problem(body, status_code=status)


def install(app: FastAPI) -> None:
    """Map every error of the hub."""
    app.add_exception_handler(HubError, _refused)
    app.add_exception_handler(IllegalMove, _illegal)
    app.add_exception_handler(FindingError, _broken_finding)
    app.add_exception_handler(GridError, _broken_finding)
    app.add_exception_handler(PeriodError, _broken_finding)
    app.add_exception_handler(TemplateError, _broken_template)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(DamagedEvidence, _damaged)
    app.add_exception_handler(Exception, _unforeseen)


def _refused(request: Request, error: Exception) -> Problem:
    assert isinstance(error, HubError)
    error = _outside(request, error)
    answer = problem(error.status, error.type, error.title, str(error), **error.extra)
    if isinstance(error, TooOften):
        answer.headers["Retry-After"] = str(error.wait_s)
    if error.status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def _outside(request: Request, error: HubError) -> HubError:
    """What is there but outside the scope of who asks is told as such: it was not found, being left out."""
    if not isinstance(error, NotFound) or scope.limited() is None:
        return error
    what, id_ = error.extra["what"], error.extra["id"]
    with scope.lifted(), request.app.state.house.db.read() as tx:
        return OutsideScope(what, id_) if scope.stands(tx, what, id_) else error


def _illegal(_request: Request, error: Exception) -> Problem:
    assert isinstance(error, IllegalMove)
    return problem(
        409,
        "illegal-move",
        "Not possible in this state",
        str(error),
        state=error.state,
        action=error.action,
        allowed=list(error.allowed),
    )


def _broken_finding(_request: Request, error: Exception) -> Problem:
    field, _colon, _rest = str(error).partition(":")
    return problem(422, "invalid", "A field cannot be used", str(error), field=field)


def _broken_template(_request: Request, error: Exception) -> Problem:
    assert isinstance(error, TemplateError)
    return problem(422, "broken-template", "The template cannot be used", str(error), problems=error.problems)


def _unreadable(_request: Request, error: Exception) -> Problem:
    assert isinstance(error, RequestValidationError)
    errors = [_field_error(e) for e in error.errors()[:50]]
    detail = "; ".join(f"{e['field']}: {e['value']!r}: {e['allowed']}" for e in errors[:5])
    return problem(422, "invalid", "A field cannot be used", detail, errors=errors)


_SECRET = frozenset({"password", "old", "new", "url"})


def _field_error(error: Any) -> dict[str, Any]:
    where = [str(part) for part in error["loc"] if part not in ("body", "query", "path", "header")]
    hidden = bool(_SECRET & set(where))
    value = error.get("input")
    shown = value if isinstance(value, str | int | float | bool | None) else type(value).__name__
    if isinstance(shown, str):
        shown = shown[:100]
    return {"field": ".".join(where) or "body", "value": "(hidden)" if hidden else shown, "allowed": error["msg"]}


def _http(_request: Request, error: Exception) -> Problem:
    assert isinstance(error, HTTPException)
    names = {404: "not-found", 405: "method-not-allowed", 413: "too-large"}
    answer = problem(error.status_code, names.get(error.status_code, "error"), str(error.detail), str(error.detail))
    answer.headers.update(error.headers or {})
    return answer


def _damaged(_request: Request, error: Exception) -> Problem:
    log.error("%s", error)
    return problem(500, "damaged-evidence", "The stored evidence is damaged", str(error))


def _unforeseen(request: Request, error: Exception) -> Problem:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem(500, "error", "The hub failed", "the log of the hub says why")
