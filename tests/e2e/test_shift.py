"""A shift at the desk in a real browser: twenty alerts by keyboard, with every verdict there is, and its hand-over."""

from __future__ import annotations

import re
import time

from playwright.sync_api import Browser, Page, Route, expect

from tests.e2e.desk.browser import Screen, expect_told
from tests.e2e.desk.office import CAMERAS, Office


def selected(page: Page) -> str:
    return str(page.locator("[data-test=queue] [aria-current=true]").get_attribute("data-alert"))


def keys(page: Page, *pressed: str) -> None:
    """Each key, and then another alert on the stage."""
    before = selected(page)
    for key in pressed:
        page.keyboard.press(key)
    page.wait_for_function("b => document.querySelector('[aria-current=true]')?.dataset.alert !== b", arg=before)


def states(office: Office, ids: list[str]) -> list[str]:
    return [office.get(office.admin, f"alerts/{id_}")["state"] for id_ in ids]


def no_picture_before(ms: int, route: Route) -> None:
    """As if the hub had let go of a look between telling of it and being asked for it."""
    if int(route.request.url.rsplit("/", 1)[1]) < ms:
        route.fulfill(status=200, content_type="image/jpeg", body=b"")
    else:
        route.continue_()


def test_a_shift_of_twenty_alerts_by_keyboard(office: Office, chrome: Browser) -> None:
    zhang = office.people["zhang"]
    office.look("cam-01")
    first_ms = int(time.time() * 1000)
    for _ in range(3):
        office.look("cam-01")
    office.do(office.people["wang"], "shift/handover", {"note": "3号杆夜间反光"})
    ids = [office.find(CAMERAS[n % 4], minutes_ago=40 - n, before=True)["alert"] for n in range(20)]
    with Screen(chrome, office.url) as screen:
        page = screen.page
        page.route("**/looks/*", lambda route: no_picture_before(first_ms, route))
        screen.sign_in("zhang")
        rows = page.locator("[data-test=queue] [data-alert]")
        expect(rows).to_have_count(20)
        expect(page.locator("[data-test=handover-note]")).to_contain_text("3号杆夜间反光")
        page.click("[data-test=take-over]")
        expect(page.locator("[data-test=handover-note]")).to_have_count(0)
        page.locator("body").click(position={"x": 900, "y": 500})

        screen.drawn("[data-test=picture]")
        expect(page.locator("[data-test=film] li")).to_have_count(
            3
        )  # the picture found, and two looks before the last; the oldest is gone
        page.keyboard.press("[")
        screen.drawn("[data-test=look]")
        expect(page.locator("[data-test=marks] rect.box")).to_have_count(
            0
        )  # boxes belong to the picture that was judged
        page.keyboard.press("Escape")
        page.keyboard.press("+")
        expect(page.locator(".picture.zoomed")).to_be_visible()
        page.keyboard.press("0")
        expect(page.locator(".picture.zoomed")).to_have_count(0)
        page.keyboard.press("s")
        screen.drawn("[data-test=before]")
        page.keyboard.press("s")

        keys(page, "c")  # 1: a case
        for reason in "1234567":  # 2 to 8: every reason
            keys(page, "r", reason)
        page.keyboard.press("m")  # 9: another class
        page.keyboard.press("1")
        expect(page.locator("[data-test=confirm]")).to_contain_text("06011")
        keys(page, "c")
        keys(page, "u")  # 10
        keys(page, "p", "1")  # 11: later
        # 12 to 16: of cam-04, which is broken, five are left; this one is cam-04's
        assert office.get(zhang, f"alerts/{selected(page)}")["camera"] == "cam-04"
        page.keyboard.press("x")
        expect(page.locator("[data-test=broken-send]")).to_contain_text("3")
        page.click("[data-test=broken-send]")
        expect(rows).to_have_count(6)
        # the feed may take the rows away before the answer closes the dialog, which has the keyboard until then
        expect(page.locator("[data-test=broken-send]")).to_be_hidden()
        # the one on the stage was rejected with the others: it stays until the eye moves on
        page.keyboard.press("j")
        page.wait_for_selector("[data-test=similar] li")
        keys(page, "g", "1")  # merged into the first case
        last = selected(page)
        keys(page, "r", "1")
        page.keyboard.press("z")
        expect(page.locator("[data-test=queue] [aria-current=true]")).to_have_attribute("data-alert", last)
        expect(rows).to_have_count(5)
        while rows.count() > 1:
            keys(page, "r", "1")
        page.keyboard.press("c")
        expect(rows).to_have_count(0)
        page.click("[data-test=postponed-queue]")
        expect(rows).to_have_count(1)
        expect(page.locator("[data-test=shift-confirmed]")).to_contain_text(re.compile(r"确认 [34]"))
        page.click("[data-test=hand-over]")
        page.fill("#handover-note", "4号杆镜头被遮挡，已报修")
        page.click("[data-test=hand-over-send]")
        expect(page.locator("[data-test=shift-confirmed]")).to_contain_text("确认 0")
    decided = states(office, ids)
    assert decided.count("pending_review") == 1, "the one that was put off"
    assert decided.count("unsure") == 1
    assert decided.count("rejected") >= 11
    reasons = {office.get(office.admin, f"alerts/{id_}")["verdict"]["reason"] for id_ in ids[1:8]}
    assert len(reasons) == 7
    assert office.get(office.admin, f"alerts/{ids[8]}")["case"]
    case = office.get(office.admin, f"cases/{office.get(office.admin, f'alerts/{ids[8]}')['case']}")
    assert case["category"]["code"] == "06011"
    noted = office.get(office.people["wang"], "shift")["handover"]
    assert (noted["by"], noted["note"], noted["postponed"]) == ("zhang", "4号杆镜头被遮挡，已报修", 1)


def test_two_people_never_hold_the_same_alert(office: Office, chrome: Browser) -> None:
    for alert in office.get(office.people["zhang"], "alerts", state="pending_review", limit=500)["items"]:
        office.do(office.people["zhang"], f"alerts/{alert['id']}/reject", {"reason": "false_detection"})
    first, second = (office.find(camera, minutes_ago=60)["alert"] for camera in ("cam-01", "cam-02"))
    with Screen(chrome, office.url) as one, Screen(chrome, office.url) as other:
        one.sign_in("zhang")
        office.until(lambda: office.get(office.admin, f"alerts/{first}")["claimed_by"], 10, "the first is claimed")
        other.sign_in("wang")
        expect(other.page.locator(f"[data-alert='{first}'] [data-test=claimed]")).to_contain_text("zhang")
        assert selected(other.page) == second, "who comes later begins with what nobody has in hand"
        office.until(lambda: office.get(office.admin, f"alerts/{second}")["claimed_by"], 10, "the second is claimed")
        other.page.keyboard.press("k")
        other.excused = ["409 (Conflict)"]
        other.page.keyboard.press("c")
        expect(other.page.get_by_text(re.compile("zhang"))).not_to_have_count(0)
        assert office.get(office.admin, f"alerts/{first}")["state"] == "pending_review"
        one.page.keyboard.press("j")  # lets go of the first
        office.until(
            lambda: not office.get(office.admin, f"alerts/{first}")["claimed_by"], 10, "the first is let go of"
        )


def test_new_alerts_do_not_move_the_row_that_is_looked_at(office: Office, chrome: Browser) -> None:
    for n in range(14):
        office.find(CAMERAS[n % 4], minutes_ago=30 - n)
    with Screen(chrome, office.url) as screen:
        page = screen.page
        screen.sign_in("zhang")
        page.wait_for_selector("[data-test=queue] [data-alert]")
        page.keyboard.press("j")
        page.keyboard.press("j")
        here, id_ = "[data-test=queue] [aria-current=true]", selected(page)
        stood = page.locator(here).bounding_box()
        urgent = [office.find(camera, kind="open_burning")["alert"] for camera in ("cam-03", "cam-04")]
        expect(page.locator(f"[data-alert='{urgent[0]}']")).to_be_attached()
        expect(page.locator("[data-test=new-above]")).to_contain_text("2")
        assert selected(page) == id_
        now = page.locator(here).bounding_box()
        assert stood
        assert now
        # the line that tells of the new ones takes some room above the list
        assert abs(now["y"] - stood["y"]) < 40
        page.click("[data-test=new-above]")
        expect(page.locator("[data-test=new-above]")).to_have_count(0)


def test_a_verdict_that_the_hub_refuses_leaves_the_alert_where_it_is(office: Office, chrome: Browser) -> None:
    """As when the case that it was to be merged into has been closed meanwhile."""
    for alert in office.get(office.people["zhang"], "alerts", state="pending_review", limit=500)["items"]:
        office.do(office.people["zhang"], f"alerts/{alert['id']}/reject", {"reason": "false_detection"})
    found = office.find("cam-03", minutes_ago=70)["alert"]
    problem = {"type": "invalid", "status": 422, "detail": "into: not a case that is open", "field": "into"}
    with Screen(chrome, office.url) as screen:
        page = screen.page
        screen.excused = ["422 ("]
        page.route("**/confirm", lambda route: route.fulfill(status=422, json=problem))
        screen.sign_in("zhang")
        row = page.locator(f"[data-test=queue] [data-alert='{found}'][aria-current=true]")
        expect(row).to_be_visible()
        page.keyboard.press("c")
        expect_told(page, "请填写另一件未结案件的编号")
        expect(row).to_be_visible()
        page.unroute("**/confirm")
        page.keyboard.press("c")
        expect(row).to_have_count(0)
        office.until(lambda: states(office, [found]) == ["confirmed"], 10, "the verdict is there")
        doubtful = office.find("cam-02", minutes_ago=71)["alert"]
        expect(page.locator(f"[data-test=queue] [data-alert='{doubtful}'][aria-current=true]")).to_be_visible()
        page.keyboard.press("u")
        office.until(lambda: states(office, [doubtful]) == ["unsure"], 10, "the verdict is there")
        unsure = office.get(office.people["zhang"], "alerts", state="unsure")["total"]
        expect(page.get_by_text(f"存疑 {unsure} 条、已推迟 0 条")).to_be_visible()


def test_a_key_held_down_and_a_double_click_give_one_verdict_and_more_come_than_were_loaded(
    office: Office, chrome: Browser
) -> None:
    for alert in office.get(office.people["zhang"], "alerts", state="pending_review", limit=500)["items"]:
        office.do(office.people["zhang"], f"alerts/{alert['id']}/reject", {"reason": "false_detection"})
    ids = [office.find(CAMERAS[n], minutes_ago=80 - n)["alert"] for n in range(4)]

    def two_at_most(route: Route) -> None:
        """As the page loads a long queue: some of it, and how many there are."""
        answer = route.fetch()
        body = answer.json()
        route.fulfill(response=answer, json={**body, "items": body["items"][:2], "next_cursor": None})

    with Screen(chrome, office.url) as screen:
        page = screen.page
        page.route("**/api/alerts?state=pending_review*", two_at_most)
        screen.sign_in("zhang")
        rows = page.locator("[data-test=queue] [data-alert]")
        expect(rows).to_have_count(2)
        for _ in range(4):
            page.keyboard.down("c")
        page.keyboard.up("c")
        office.until(lambda: states(office, ids).count("confirmed") == 1, 10, "the verdict is there")
        expect(page.locator(f"[data-alert='{ids[2]}']")).to_be_visible()
        assert states(office, ids) == ["confirmed", *["pending_review"] * 3]
        page.locator("[data-test=confirm]").dblclick()
        office.until(lambda: states(office, ids).count("confirmed") == 2, 10, "the second verdict is there")
        expect(page.locator(f"[data-alert='{ids[3]}']")).to_be_visible()
        assert states(office, ids) == [*["confirmed"] * 2, *["pending_review"] * 2]
        for _ in ids[2:]:
            keys(page, "r", "1") if rows.count() > 1 else (page.keyboard.press("r"), page.keyboard.press("1"))
        expect(rows).to_have_count(0)
    assert states(office, ids) == [*["confirmed"] * 2, *["rejected"] * 2]
