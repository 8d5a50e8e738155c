"""The application: routers in, errors mapped, the page behind them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..brake import Brake
from ..house import House
from ..live.views import Views
from ..sensing import Door
from ..store import scope
from . import (
    administration,
    cases,
    desk,
    devices,
    exports,
    grid,
    handling,
    inventory,
    learning,
    live,
    page,
    problems,
    reports,
    sensorthings,
    session,
    stream,
    supervision,
    whistles,
    working,
)
from .uploads import BODY_BYTES_MAX, STRANGERS_BYTES_MAX


class Asked:
    """Each request has a data scope of its own, which whoever asks narrows when he is known (`access.the_actor`)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, asked: Scope, receive: Receive, send: Send) -> None:
        """One request, from its beginning to its end."""
        token = scope.begin()
        try:
            await self._app(asked, receive, send)
        finally:
            scope.end(token)


class Bounded:
    """No body is read beyond its bound, whoever sends it and whether or not it says how long it is.

    Bodies are read before anybody is asked who he is: where no session or token is shown at all, little is read.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, asked: Scope, receive: Receive, send: Send) -> None:
        """One request; HTTPException (413) where the body is read and is too large."""
        if asked["type"] != "http":
            await self._app(asked, receive, send)
            return
        headers, read = Headers(scope=asked), 0
        known = "cookie" in headers or "authorization" in headers
        most = BODY_BYTES_MAX if known else STRANGERS_BYTES_MAX
        said = headers.get("content-length", "")
        long = said.isdecimal() and (len(said) > 18 or int(said) > most)

        async def bounded() -> Message:
            nonlocal read
            if long:
                raise HTTPException(413, f"the body has {said[:20]} bytes; at most {most} are allowed")
            message = await receive()
            read += len(message.get("body", b""))
            if read > most:
                raise HTTPException(413, f"the body is longer than {most} bytes, which are allowed at most")
            return message

        await self._app(asked, bounded, send)


def create_app(house: House, page_folder: Path, demo_accounts: Sequence[dict[str, Any]], views: Views) -> FastAPI:
    """The ASGI application of one hub. `demo_accounts` is read at each request, so it may be filled later."""
    app = FastAPI(
        title="gridhub",
        description="Findings become alerts, alerts become cases. Times are RFC 3339 with offset, boxes 0-1, WGS-84.",
        docs_url=None,
        redoc_url=None,
    )
    app.state.house, app.state.brake, app.state.demo_accounts = house, Brake(), demo_accounts
    app.state.live, app.state.door = views, Door()
    problems.install(app)
    app.add_middleware(Asked)
    app.add_middleware(Bounded)
    parts = (
        session,
        working,
        desk,
        cases,
        supervision,
        whistles,
        reports,
        administration,
        inventory,
        learning,
        live,
        devices,
        sensorthings,
        exports,
        handling,
        grid,
        stream,
        page,
    )
    for part in parts:
        app.include_router(part.router)
    page.serve_page(app, page_folder)
    return app
