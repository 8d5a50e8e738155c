"""By keyboard a case goes on where one works: after a step the next has the focus, never the top of the page."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from tests.e2e.desk.browser import Screen, expect_told
from tests.e2e.desk.office import Office

FOCUSED = "document.activeElement?.dataset.test ?? document.activeElement?.tagName"


def confirmed(office: Office, minutes_ago: float) -> str:
    found = office.find("cam-03", minutes_ago=minutes_ago)
    case: str = office.do(office.people["zhang"], f"alerts/{found['alert']}/confirm")["case"]["id"]
    return case


def press(page: Page, test: str) -> None:
    """Go to that button by keyboard alone, and press it."""
    button = page.locator(f"[data-test={test}]")
    button.focus()
    expect(button).to_be_focused()
    page.keyboard.press("Enter")


def test_a_case_that_is_not_ours_leaves_and_the_next_one_has_the_focus(office: Office, chrome: Browser) -> None:
    ours, other = confirmed(office, 61), confirmed(office, 62)
    with Screen(chrome, office.url) as unit:
        unit.excused.append("404")
        page = unit.page
        unit.open("li", f"/cases/{other}")
        press(page, "do-return")
        page.fill("[data-test=field-reason]", "不属本单位")
        press(page, "send")
        expect_told(page, "已退回，案件已转出")
        expect(page).to_have_url(re.compile("/cases$"))
        expect(page.locator(f"[data-case='{other}']")).to_have_count(0)
        page.wait_for_function("document.activeElement?.dataset.case")
        expect(page.locator(".el-message--error")).to_have_count(0)

        page.locator(f"[data-case='{ours}']").click()
        expect(page.locator("[data-test=do-accept]")).to_be_visible()
        office.do(office.admin, f"cases/{ours}/return", {"reason": "派错了"})  # somebody else took it away
        expect(page.get_by_text("不再由您办理")).to_be_visible()


def test_after_each_step_of_a_case_the_next_one_has_the_focus(office: Office, chrome: Browser) -> None:
    case = confirmed(office, 14)
    with Screen(chrome, office.url) as unit:
        page = unit.page
        unit.open("li", f"/cases/{case}")
        press(page, "do-accept")
        expect(page.locator("[data-test=do-feedback]")).to_be_focused()

        press(page, "more-actions")
        page.wait_for_function(f"{FOCUSED}.startsWith('do-')")

        press(page, "do-extend")
        expect(page.locator("[data-test=action-form]")).to_be_focused()
        page.keyboard.press("Tab")
        page.keyboard.type("机械故障，需从外区调车")
        press(page, "send")
        expect_told(page, "已提交延期申请，等待审批")
        expect(page.locator("[data-test=advice]")).to_contain_text("延期")
        page.wait_for_function(f"{FOCUSED}.startsWith('do-')")

        press(page, "do-feedback")
        page.keyboard.press("Tab")
        page.keyboard.type("已清理")
        press(page, "send")
        expect(page.locator("[data-test=case-state]")).to_have_text("核查中")
        page.wait_for_function(f"{FOCUSED} !== 'BODY'")
    with Screen(chrome, office.url) as centre:
        page = centre.page
        centre.open("wang", f"/cases/{case}")
        press(page, "do-close")
        page.locator("[data-test=field-met]").focus()
        page.keyboard.press("Space")
        page.locator("#field-note").focus()
        page.keyboard.type("现场已核")
        press(page, "send")
        expect(page.locator("[data-test=case-state]")).to_have_text("已结案")
        page.wait_for_function(f"{FOCUSED} !== 'BODY'")
