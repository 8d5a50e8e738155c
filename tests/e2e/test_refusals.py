"""What the hub refuses is said in the reader's language; what a lost connection spoilt comes back with it; a list that
is overtaken on its way holds what has happened meanwhile.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import APIResponse, Browser, Route, expect

from tests.e2e.desk.browser import PHONE, Screen, expect_told
from tests.e2e.desk.office import Office
from tests.e2e.test_phone import NO_NETWORK
from tests.peers.relay import Relay

LOST = (*NO_NETWORK, "ERR_NETWORK_CHANGED", "ERR_SOCKET_NOT_CONNECTED")


def confirmed(office: Office, minutes_ago: float) -> str:
    return str(confirmed_case(office, minutes_ago)["id"])


def confirmed_case(office: Office, minutes_ago: float) -> dict[str, Any]:
    found = office.find("cam-04", minutes_ago=minutes_ago)
    case: dict[str, Any] = office.do(office.people["zhang"], f"alerts/{found['alert']}/confirm")["case"]
    return case


@pytest.mark.parametrize(("locale", "said"), [("zh", "状态已变"), ("en", "accept is not possible")])
def test_a_step_that_is_no_longer_possible(office: Office, chrome: Browser, locale: str, said: str) -> None:
    case = confirmed(office, 12 if locale == "zh" else 13)
    with Screen(chrome, office.url, PHONE, locale) as screen:
        screen.excused += ("409", "ERR_FAILED")
        page = screen.page
        page.route("**/api/feed", lambda route: route.abort())  # nobody tells this phone of what happens
        screen.open("li", f"/cases/{case}")
        accept = page.locator("[data-test=do-accept]")
        expect(accept).to_be_visible()
        office.do(office.admin, f"cases/{case}/void", {"reason": "重复"})
        accept.tap()
        expect_told(page, said)


def test_a_day_that_is_over_cannot_be_chosen_for_a_suspension(office: Office, chrome: Browser) -> None:
    case = confirmed(office, 15)
    office.do(office.people["li"], f"cases/{case}/accept")
    with Screen(chrome, office.url, PHONE) as screen:
        screen.excused.append("422")
        page = screen.page
        screen.open("li", f"/cases/{case}")
        suspend = page.locator("[data-test=do-suspend]")
        if not suspend.is_visible():
            page.locator("[data-test=more-actions]").tap()
        suspend.tap()
        until = page.locator("[data-test=field-until]")
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", until.get_attribute("min") or "")
        until.fill("2020-01-01")
        page.fill("[data-test=field-reason]", "等待产权单位")
        expect(page.locator("[data-test=send]")).to_be_disabled()
        assert screen.overflow_px() <= 0


def test_an_undo_that_did_not_reach_the_hub_still_means_the_same_verdict(office: Office, chrome: Browser) -> None:
    first, second = (office.find("cam-02", minutes_ago=m)["alert"] for m in (35, 36))
    with Relay(office.port) as line, Screen(chrome, f"http://127.0.0.1:{line.port}") as screen:
        screen.excused += LOST
        page = screen.page
        screen.sign_in("wang")
        for alert in (first, second):
            page.locator(f"[data-alert='{alert}']").click()
            expect(page.locator("[data-test=confirm]")).to_be_enabled()
            page.keyboard.press("c")
            expect_told(page, "已确认，案件")  # the answer has come, so what is lost below is the undo
        line.cut()
        page.keyboard.press("z")
        expect_told(page, "连不上")
        line.mend()
        expect(page.locator("[data-test=connection].lost")).to_have_count(0)
        page.keyboard.press("z")
        expect(page.locator(f"[data-alert='{second}']")).to_have_attribute("aria-current", "true")
    states = [office.get(office.admin, f"alerts/{alert}")["state"] for alert in (first, second)]
    assert states == ["confirmed", "pending_review"]


def test_what_was_decided_elsewhere_while_the_line_was_away_is_seen_when_it_is_back(
    office: Office, chrome: Browser
) -> None:
    found = office.find("cam-01", minutes_ago=45)["alert"]
    with Relay(office.port) as line, Screen(chrome, f"http://127.0.0.1:{line.port}") as screen:
        screen.excused += (*LOST, "409")
        page = screen.page
        screen.sign_in("wang")
        page.locator(f"[data-alert='{found}']").click()
        expect(page.locator("[data-test=confirm]")).to_be_enabled()
        line.cut()
        expect(page.locator("[data-test=connection].lost")).to_be_visible()
        office.do(office.people["wang"], f"alerts/{found}/confirm")  # in another window
        line.mend()
        expect(page.locator("[data-test=verdict]")).to_contain_text("wang 已处理：已确认")
        expect(page.locator("[data-test=confirm]")).to_be_disabled()


def test_a_picture_that_did_not_come_is_fetched_again_with_the_connection(office: Office, chrome: Browser) -> None:
    found = office.find("cam-01", minutes_ago=25)["alert"]
    with Relay(office.port) as line, Screen(chrome, f"http://127.0.0.1:{line.port}") as screen:
        screen.excused += LOST
        page = screen.page
        page.route("**/api/evidence/*", lambda route: route.abort())
        screen.sign_in("wang")
        page.locator(f"[data-alert='{found}']").click()
        expect(page.get_by_text("图片读取失败")).to_be_visible()
        line.cut()
        expect(page.locator("[data-test=connection].lost")).to_be_visible()
        page.unroute("**/api/evidence/*")
        line.mend()
        screen.drawn("[data-test=picture]")


def test_a_case_that_comes_while_the_list_is_on_its_way_stays_in_it(office: Office, chrome: Browser) -> None:
    held: list[tuple[Route, APIResponse]] = []

    def hold_the_first(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append((route, route.fetch()))

    with Screen(chrome, office.url) as screen:
        page = screen.page
        page.route(re.compile(r"/api/cases\?open=true"), hold_the_first)
        screen.sign_in("wang")
        before = page.locator("[data-test=number-cases]").text_content() or ""
        page.click("[data-test=number-cases]")
        while not held:
            page.wait_for_timeout(20)
        case = confirmed(office, 17)
        expect(page.locator("[data-test=number-cases]")).not_to_have_text(before)  # so the page has heard of it
        route, older = held[0]
        route.fulfill(response=older)
        expect(page.locator("[data-test=cases] [data-case]").first).to_be_visible()
        expect(page.locator(f"[data-case='{case}']")).to_be_visible()


def test_a_case_that_comes_after_another_was_chosen_does_not_take_its_place(office: Office, chrome: Browser) -> None:
    slow, quick = confirmed_case(office, 18), confirmed_case(office, 19)
    held: list[tuple[Route, APIResponse]] = []
    with Screen(chrome, office.url) as screen:
        page = screen.page
        page.route(f"**/api/cases/{slow['id']}", lambda route: held.append((route, route.fetch())))
        screen.sign_in("wang")
        page.click("[data-test=number-cases]")
        page.click(f"[data-case='{slow['id']}']")
        while not held:
            page.wait_for_timeout(20)
        page.click(f"[data-case='{quick['id']}']")
        opened = page.locator("[data-test=case] header")
        expect(opened).to_contain_text(quick["number"])
        route, late = held[0]
        with page.expect_response(f"**/api/cases/{slow['id']}"):
            route.fulfill(response=late)
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        expect(opened).to_contain_text(quick["number"])
