"""The application: routers in, errors mapped, the page behind them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from ..house import House
from ..live.views import Views
from ..people import Brake
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


def create_app(house: House, page_folder: Path, demo_accounts: Sequence[dict[str, Any]], views: Views) -> FastAPI:
    """The ASGI application of one hub. `demo_accounts` is read at each request, so it may be filled later."""
    app = FastAPI(
        title="gridhub",
        description="Findings become alerts, alerts become cases. Times are RFC 3339 with offset, boxes 0-1, WGS-84.",
        docs_url=None,
        redoc_url=None,
    )
    app.state.house, app.state.brake, app.state.demo_accounts = house, Brake(), demo_accounts
    app.state.live = views
    problems.install(app)
    app.add_middleware(Asked)
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
