"""Wide tables on a phone: each row is a card that says its columns' names; nothing has to be pushed sideways."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.desk.browser import PHONE, Screen
from tests.e2e.desk.office import Office

SIDEWAYS = """() => [...document.querySelectorAll('main table')].filter(table => {
  for (let box = table; box && box.tagName !== 'MAIN'; box = box.parentElement)
    if (box.scrollWidth > box.clientWidth + 1 && getComputedStyle(box).overflowX !== 'visible') return true
  return false
}).map(table => table.outerHTML.slice(0, 200))"""
"""Tables that reach beyond a box which scrolls."""


def told(page: Page, table: str, column: int) -> str:
    """What stands before the value in that column of the table's first row."""
    cell = page.locator(f"[data-test={table}] tbody tr").first.locator("td").nth(column)
    text: str = cell.evaluate("cell => getComputedStyle(cell, '::before').content")
    return text.strip('"')


@pytest.mark.parametrize(
    ("user", "path", "table", "column", "name"),
    [
        ("gong", "/cameras", "table", 1, "状态"),
        ("admin", "/admin/audit", "audit", 3, "操作"),
        ("admin", "/admin/people", "people", 1, "角色"),
        ("gong", "/rules/conditions", "conditions", 1, "立案条件"),
        ("gong", "/rules/units", "units", 1, ""),
    ],
)
def test_rows_are_cards(
    office: Office, chrome: Browser, user: str, path: str, table: str, column: int, name: str
) -> None:
    with Screen(chrome, office.url, PHONE) as screen:
        page = screen.page
        screen.open(user, path)
        if path == "/cameras":
            page.locator("[data-test=as-table]").tap()
        expect(page.locator(f"[data-test={table}] tbody tr").first).to_be_visible()
        screen.still()
        assert page.evaluate(SIDEWAYS) == []
        assert screen.overflow_px() <= 0
        assert name in told(page, table, column)


def test_on_a_wide_screen_they_stay_tables(office: Office, chrome: Browser) -> None:
    with Screen(chrome, office.url) as screen:
        screen.open("admin", "/admin/people")
        cells = screen.page.locator("[data-test=people] tbody tr").first.locator("td")
        tops = [cells.nth(n).bounding_box() for n in range(3)]
        assert len({box["y"] for box in tops if box}) == 1
        assert told(screen.page, "people", 1) == "none"
