"""What tests of the page share: one Chromium for all, and a hub for each file, with people who play every part."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.e2e.desk.browser import browser
from tests.e2e.desk.office import Office

PEOPLE = (
    ("zhang", "staff", None),
    ("wang", "staff", None),
    ("gong", "engineer", None),
    ("li", "department", "sanitation"),
    ("jie", "department", "street_office"),
)


@pytest.fixture(scope="package")
def chrome() -> Iterator[Browser]:
    """Each Screen has a context of its own: nothing is left behind. It ends with this folder, as its loop must."""
    with browser() as running:
        yield running


@pytest.fixture(scope="session")
def page(project: Path) -> Path:
    """The page, built."""
    built = project / "hub" / "web" / "dist" / "index.html"
    if not built.exists():
        pytest.fail("hub/web/dist is missing: the page is built by `make install`")
    return built


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, page: Path) -> Iterator[Office]:
    """A hub of this file's own, with four cameras and PEOPLE; nothing has been found yet."""
    with Office(tmp_path_factory.mktemp("office"), inside=True) as running:
        for name, role, department in PEOPLE:
            running.colleague(name, role, department)
        yield running
