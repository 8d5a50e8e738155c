"""The page's files: packed for browsers that take it, kept for ever where their names hold a hash."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from hub.api import page

Ask = Callable[..., httpx.Response]
SCRIPT = "const here = 1\n" * 200


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "app-1a2b.js").write_text(SCRIPT)
    (tmp_path / "assets" / "dot.png").write_bytes(b"\x89PNG")
    (tmp_path / "index.html").write_text("<html></html>")
    (tmp_path.parent / "secret.js").write_text("no")
    app = FastAPI()
    page.serve_page(app, tmp_path)

    async def asked(path: str, encoding: str) -> httpx.Response:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
            return await client.get(path, headers={"Accept-Encoding": encoding})

    return lambda path, encoding="gzip": asyncio.run(asked(path, encoding))


def test_texts_are_packed_for_who_takes_it(ask: Ask) -> None:
    packed = ask("/assets/app-1a2b.js")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) < len(SCRIPT) / 10
    assert packed.text == SCRIPT
    assert "immutable" in packed.headers["Cache-Control"]
    plain = ask("/assets/app-1a2b.js", "identity")
    assert "Content-Encoding" not in plain.headers
    assert plain.text == SCRIPT


def test_pictures_are_not_and_the_page_answers_for_its_own_routes(ask: Ask) -> None:
    picture = ask("/assets/dot.png")
    assert "Content-Encoding" not in picture.headers
    screen = ask("/desk/123")
    assert screen.text == "<html></html>"
    assert "Content-Security-Policy" in screen.headers
    assert screen.headers["Cache-Control"] == "no-cache"


def test_nothing_outside_the_folder_is_served(ask: Ask) -> None:
    assert "no" not in ask("/%2e%2e/secret.js").text.split()


def test_a_changed_file_is_packed_anew(ask: Ask, tmp_path: Path) -> None:
    ask("/assets/app-1a2b.js")
    (tmp_path / "assets" / "app-1a2b.js").write_text("other")
    assert ask("/assets/app-1a2b.js").text == "other"
