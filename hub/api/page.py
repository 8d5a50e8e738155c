"""The page's files, health and figures."""

from __future__ import annotations

import gzip
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import FileResponse, PlainTextResponse

from .. import metrics
from ..errors import NotFound
from .access import TheHouse
from .problems import problem

router = APIRouter()

CONTENT_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
    "connect-src 'self'; media-src 'self' blob:; frame-ancestors 'none'; base-uri 'self'; form-action 'self'"
)

_PACKED = {".js": "text/javascript", ".css": "text/css", ".html": "text/html; charset=utf-8", ".svg": "image/svg+xml"}


@router.get("/healthz", tags=["health"])
def healthz(house: TheHouse) -> Any:
    """{ok: true} while the database answers."""
    if not house.db.ping():
        return problem(503, "unhealthy", "Not healthy", "the database does not answer")
    return {"ok": True}


@router.get("/metrics", tags=["health"], response_class=PlainTextResponse)
def figures(house: TheHouse) -> Response:
    """Prometheus text."""
    return Response(metrics.text(house), media_type=metrics.CONTENT_TYPE)


def serve_page(app: FastAPI, folder: Path) -> None:
    """Files of the built page; every other path outside the API is the page itself, which has its own routes."""

    @app.get("/{path:path}", include_in_schema=False)
    def file(path: str, request: Request) -> Response:
        if path.startswith(("api/", "open311/", "sta/")) or path == "api":
            raise NotFound("route", f"/{path}")
        wanted = (folder / path).resolve()
        if path and wanted.is_relative_to(folder.resolve()) and wanted.is_file():
            # Built files carry a hash in their names, so they may be kept for ever.
            kept = "public, max-age=31536000, immutable" if path.startswith("assets/") else "no-cache"
            return _answer(wanted, request, {"Cache-Control": kept})
        index = folder / "index.html"
        if Path(path).suffix or not index.is_file():
            raise NotFound("file", f"/{path}")
        headers = {"Cache-Control": "no-cache", "Content-Security-Policy": CONTENT_POLICY}
        return _answer(index, request, headers)


def _answer(path: Path, request: Request, headers: dict[str, str]) -> Response:
    """The file; texts are packed for browsers that take it."""
    headers = {**headers, "X-Content-Type-Options": "nosniff"}
    if path.suffix not in _PACKED or "gzip" not in request.headers.get("Accept-Encoding", ""):
        return FileResponse(path, headers=headers)
    packed = _packed(path, path.stat().st_mtime_ns)
    headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return Response(packed, media_type=_PACKED[path.suffix], headers=headers)


@lru_cache(maxsize=256)
def _packed(path: Path, _changed_ns: int) -> bytes:
    return gzip.compress(path.read_bytes(), 6)
