"""Lists over HTTP: what is asked for in a way that no list and no database knows is refused, and told."""

from __future__ import annotations

from typing import Any

import pytest

from hub.api.access import cursor_of

from .conftest import City

PAPERS = ("supervision/letters", "supervision/supervisions", "whistles")
LISTS = ("alerts", "audit", "cameras", "cases", "cases/requests", "sensors", *PAPERS)


@pytest.mark.parametrize(
    "key", [[{}, {}, {}], [None], [1.5], ["x", "y"], ["2026-11-23", "x"], [0, "soon", "x"], [10**30], [10**30, "x"]]
)
def test_a_made_up_cursor_is_refused_by_every_list(city: City, key: list[Any]) -> None:
    for name in LISTS:
        answer = city.who("boss").get(f"/api/{name}", params={"cursor": cursor_of(key)})
        assert answer.status_code == 422, (name, answer.text)
        assert "cursor" in answer.json()["detail"], name


def test_what_the_database_cannot_hold_is_refused_in_a_search(city: City) -> None:
    """A NUL is no text for PostgreSQL; SQLite finds nothing."""
    for path in ("cases?text=%00", "alerts?camera=%00", "audit?subject=%00"):
        answer = city.who("boss").get(f"/api/{path}")
        if answer.status_code != 200:
            assert (answer.status_code, "what the database can hold" in answer.text) == (422, True), path
