"""The page's types are those of the hub's answers."""

from __future__ import annotations

import pytest

from tests import page


def test_the_generated_types_are_those_of_the_hub() -> None:
    if not (page.WEB / "node_modules" / "openapi-typescript").is_dir():
        pytest.fail("hub/web/node_modules lacks the page's tools: `make check` installs them")
    assert page.schema(page.openapi()) == page.SCHEMA.read_text(), "run `make schema` and commit what it changed"
