"""The application: routers in, errors mapped, the page behind them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from ..house import House
from ..live.views import Views
from ..people import Brake
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
