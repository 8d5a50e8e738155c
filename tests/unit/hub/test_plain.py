"""Routes whose answers go out without FastAPI's second look at them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import PlainTextResponse

from hub.api.plain import a_router


@pytest.fixture
def ask() -> Callable[..., httpx.Response]:
    router = a_router("test", "/api")

    @router.get("/one", status_code=201)
    def one() -> dict[str, Any]:
        return {"name": "垃圾满溢", "at": None, "boxes": [[0.25, 1]]}

    @router.get("/with-a-header")
    def with_a_header(response: Response) -> dict[str, Any]:
        response.headers["X-Said"] = "yes"
        return {"ok": True}

    @router.get("/text")
    def text() -> Response:
        return PlainTextResponse("as it is")

    @router.delete("/one", status_code=204)
    def gone() -> None:
        return None

    app, outer = FastAPI(), APIRouter()
    outer.include_router(router)
    app.include_router(outer)

    def asked(method: str, path: str) -> httpx.Response:
        async def once() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub") as client:
                return await client.request(method, path)

        return asyncio.run(once())

    return asked


def test_what_is_json_goes_out_as_it_is(ask: Callable[..., httpx.Response]) -> None:
    answer = ask("GET", "/api/one")
    assert (answer.status_code, answer.headers["content-type"]) == (201, "application/json")
    assert answer.text == '{"name":"垃圾满溢","at":null,"boxes":[[0.25,1]]}'


def test_what_needs_fastapi_is_left_to_it(ask: Callable[..., httpx.Response]) -> None:
    answer = ask("GET", "/api/with-a-header")
    assert (answer.headers["X-Said"], answer.json()) == ("yes", {"ok": True})
    assert ask("GET", "/api/text").text == "as it is"
    gone = ask("DELETE", "/api/one")
    assert (gone.status_code, gone.content) == (204, b"")
