"""axe-core on the main screens, in Chinese and some in English, wide and narrow: nothing serious, nothing critical."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.desk.browser import PHONE, WIDE, Screen
from tests.e2e.desk.office import Office
from tests.page import WEB

AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
STAFF = (
    *("/desk", "/cases", "/cases/{case}", "/cases/new", "/supervision", "/whistles", "/reports", "/map", "/cameras"),
    "/wall",
)
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
    *("/bench/kinds", "/bench/precision", "/bench/models", "/bench/dataset"),
)
ADMIN = ("/admin/people", "/admin/audit", "/admin/keeping")
ENGLISH = ("/desk", "/cases/{case}", "/cameras", "/wall", "/bench/kinds", "/bench/models", "/admin/people")
DEPARTMENT = ("/cases", "/cases/{case}")


@pytest.fixture(scope="module")
def case(office: Office) -> str:
    """A case, an alert that was refused, and two that wait."""
    office.look("cam-01")
    found = office.find("cam-02", minutes_ago=30, before=True)
    case = office.do(office.admin, f"alerts/{found['alert']}/confirm")["case"]["id"]
    wrong = office.find("cam-02", minutes_ago=45)
    office.do(office.admin, f"alerts/{wrong['alert']}/reject", {"reason": "false_detection"})
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


def wrong_on(
    office: Office, chrome: Browser, case: str, user: str, paths: tuple[str, ...], locale: str = "zh"
) -> list[str]:
    """What is wrong on those screens, wide and then as narrow as a phone: each is loaded once."""
    if not AXE.is_file():
        pytest.fail("hub/web/node_modules lacks the page's tools: `make check` installs them")
    wrong = []
    with Screen(chrome, office.url, WIDE, locale) as screen:
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
            for name, (width, height) in (("wide", WIDE), ("narrow", PHONE)):
                page.set_viewport_size({"width": width, "height": height})
                screen.still()
                wrong += [f"{path} ({name}): {line}" for line in findings(page)]
            assert page.url.startswith(office.url + path.format(case=case))
            page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    return wrong


@pytest.mark.parametrize(
    ("user", "paths"), [("zhang", STAFF), ("gong", ENGINEER), ("admin", ADMIN), ("li", DEPARTMENT)]
)
def test_screens_are_accessible(office: Office, chrome: Browser, case: str, user: str, paths: tuple[str, ...]) -> None:
    wrong = wrong_on(office, chrome, case, user, paths)
    assert not wrong, f"{len(wrong)} findings:\n" + "\n".join(wrong)


def test_the_english_interface_is_accessible(office: Office, chrome: Browser, case: str) -> None:
    wrong = wrong_on(office, chrome, case, "admin", ENGLISH, "en")
    assert not wrong, f"{len(wrong)} findings:\n" + "\n".join(wrong)


@pytest.mark.usefixtures("case")
def test_forms_that_open_over_a_screen_are_accessible(office: Office, chrome: Browser) -> None:
    wrong = []
    with Screen(chrome, office.url) as screen:
        screen.sign_in("admin")
        for path, opens in (("/admin/people", "person-add"), ("/wall", "wall-choose"), ("/wall", "wall-live")):
            screen.page.goto(office.url + path)
            screen.page.click(f"[data-test={opens}]")
            screen.still()
            wrong += [f"{path} {opens}: {line}" for line in findings(screen.page)]
    assert not wrong, f"{len(wrong)} findings:\n" + "\n".join(wrong)
