"""axe-core on the main screens, in Chinese, on a wide screen and on a phone: nothing serious, nothing critical."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.desk.browser import PHONE, WIDE, Screen
from tests.e2e.desk.office import Office
from tests.page import WEB

AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
STAFF = ("/desk", "/cases", "/cases/{case}", "/cases/new", "/supervision", "/whistles", "/reports", "/map", "/cameras")
ENGINEER = (
    *(
        "/cameras",
        "/cameras/cam-01/zones",
        "/sensors/all",
        "/sensors/quarantine",
        "/sensors/mappings",
        "/sensors/links",
    ),
    *("/rules/conditions", "/rules/grid", "/rules/units"),
)
ADMIN = ("/admin/people", "/admin/audit", "/admin/keeping")
DEPARTMENT = ("/cases", "/cases/{case}")


@pytest.fixture(scope="module")
def case(office: Office) -> str:
    """A case, and two alerts that wait."""
    office.look("cam-01")
    found = office.find("cam-02", minutes_ago=30, before=True)
    case = office.do(office.admin, f"alerts/{found['alert']}/confirm")["case"]["id"]
    office.find("cam-01", before=True)
    office.find("cam-02", minutes_ago=20)
    return str(case)


def findings(page: Page) -> list[str]:
    """What axe calls serious or critical: rule, element, why."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text())
    found: list[dict[str, Any]] = page.evaluate(
        "async () => (await axe.run(document, { resultTypes: ['violations'] })).violations"
    )
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    return [
        f"{one['id']}: {n['html'][:160]} ({n['failureSummary'][:300]})" for one in serious for n in one["nodes"][:4]
    ]


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize(
    ("user", "paths"), [("zhang", STAFF), ("gong", ENGINEER), ("admin", ADMIN), ("li", DEPARTMENT)]
)
def test_screens_are_accessible(
    office: Office, chrome: Browser, case: str, user: str, paths: tuple[str, ...], size: tuple[int, int]
) -> None:
    if not AXE.is_file():
        pytest.fail("hub/web/node_modules lacks the page's tools: `make check` installs them")
    wrong = []
    with Screen(chrome, office.url, size) as screen:
        page = screen.page
        if user == "admin":
            page.goto(office.url)
            page.wait_for_selector("[data-test=sign-in]")
            wrong += [f"sign-in: {line}" for line in findings(page)]
        screen.sign_in(user)
        screen.still()
        page.mouse.move(0, 0)  # off the rows of tables
        for path in paths:
            screen.go(path.format(case=case))
            page.wait_for_selector("main.screen > *")
            screen.still()
            assert page.url.startswith(office.url + path.format(case=case))
            wrong += [f"{path}: {line}" for line in findings(page)]
    assert not wrong, f"{len(wrong)} findings:\n" + "\n".join(wrong)
