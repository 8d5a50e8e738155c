"""The page in a real browser before a really running hub: the shift of a member of staff, a department on a phone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.e2e.city import PASSWORD
from tests.e2e.desk.browser import PHONE, Screen
from tests.e2e.desk.office import Office, picture
from tests.peers import clips, wait_until


def expect_selected(page: Page, alert: str) -> None:
    expect(page.locator("[data-test=queue] [aria-current=true]")).to_have_attribute("data-alert", alert)


def settle(office: Office) -> None:
    """Decide whatever waits, so that each test begins with an empty queue (as zhang, whose claims may still stand)."""
    for alert in office.get(office.people["zhang"], "alerts", state="pending_review", limit=500)["items"]:
        office.do(office.people["zhang"], f"alerts/{alert['id']}/reject", {"reason": "false_detection"})


def test_a_finding_is_confirmed_by_keyboard_and_becomes_a_case(office: Office, chrome: Browser) -> None:
    settle(office)
    found = office.find("cam-01", before=True)
    with Screen(chrome, office.url) as screen:
        page = screen.page
        screen.sign_in("zhang")
        expect(page.locator("[data-test=alert-kind]")).to_have_text("暴露垃圾")
        expect_selected(page, found["alert"])
        screen.drawn("[data-test=picture]")
        expect(page.locator("[data-test=marks] rect.box")).to_have_count(1)
        page.keyboard.press("b")
        screen.drawn("[data-test=before]")
        page.keyboard.press("b")
        expect(page.locator("[data-test=before]")).to_have_count(0)

        page.keyboard.press("c")
        expect(page.locator("[data-test=queue] [data-alert]")).to_have_count(0)
        expect(page.get_by_text("没有待校核的告警")).to_be_visible()
        page.click("[data-test=number-cases]")
        page.locator("[data-test=cases] [data-case]").first.click()
        expect(page.locator("[data-test=case] h1")).to_have_text("暴露垃圾")
        expect(page.locator("[data-test=case-state]")).to_have_text("已派遣/待签收")
        expect(page.locator("[data-test=history]")).to_contain_text("派遣")
        screen.drawn("[data-test=evidence-frame]")
    alert = office.get(office.admin, f"alerts/{found['alert']}")
    assert alert["state"] == "confirmed"
    assert alert["verdict"]["by"] == "zhang"
    office.do(office.admin, f"cases/{alert['case']}/void", {"reason": "测试结束"})


def test_the_queue_is_worked_by_keys_and_new_alerts_do_not_move_the_eye(office: Office, chrome: Browser) -> None:
    settle(office)
    ids = [office.find(camera, minutes_ago=20 - n)["alert"] for n, camera in enumerate(("cam-01", "cam-02", "cam-03"))]
    with Screen(chrome, office.url, routed=True) as screen:
        page = screen.page
        screen.sign_in("zhang")
        rows = page.locator("[data-test=queue] [data-alert]")
        expect(rows).to_have_count(3)
        page.keyboard.press("j")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("k")
        expect_selected(page, ids[1])
        urgent = office.find("cam-04", kind="open_burning")["alert"]
        expect(rows).to_have_count(4)
        expect(rows.first).to_have_attribute("data-alert", urgent)
        expect_selected(page, ids[1])  # a new alert took the place of the one that is looked at

        page.keyboard.press("r")
        expect(page.locator("[data-test=reasons] button")).to_have_count(7)
        page.keyboard.press("3")
        expect(rows).to_have_count(3)
        expect_selected(page, ids[2])  # the next one follows the one decided
        rejected = office.until(lambda: decided(office, ids[1]), 5, "the rejection is stored")
        assert rejected["verdict"]["reason"] == "already_handled"
        page.keyboard.press("z")
        expect(rows).to_have_count(4)
        expect_selected(page, ids[1])

        held: list[Route] = []
        page.route("**/reject", lambda route: held.append(route))
        page.keyboard.press("r")
        page.keyboard.press("3")
        expect(rows).to_have_count(3)
        page.keyboard.press("z")  # before the hub has answered: this verdict is meant, not the one before
        for _ in range(500):
            if held:
                break
            page.wait_for_timeout(20)  # the row goes at once, the request may come later
        held[0].continue_()
        expect(rows).to_have_count(4)
        expect_selected(page, ids[1])
        page.unroute("**/reject")
        page.keyboard.press("u")
        expect(rows).to_have_count(3)
        page.click("[data-test=unsure-queue]")
        expect(rows).to_have_count(1)
        expect(rows.first).to_have_attribute("data-alert", ids[1])
        page.keyboard.press("?")
        expect(page.locator("[data-test=help]")).to_be_visible()
    assert office.get(office.admin, f"alerts/{ids[1]}")["state"] == "unsure"


def decided(office: Office, alert: str) -> dict[str, object] | None:
    found = office.get(office.admin, f"alerts/{alert}")
    return found if found["state"] == "rejected" else None


def test_a_department_answers_with_a_photo_from_a_phone(office: Office, chrome: Browser) -> None:
    settle(office)
    found = office.find("cam-02", minutes_ago=30)
    case = office.do(office.admin, f"alerts/{found['alert']}/confirm")["case"]
    with Screen(chrome, office.url, PHONE) as screen:
        page = screen.page
        screen.sign_in("li")
        expect(page.locator("html")).to_have_attribute("data-theme", "light")
        assert screen.overflow_px() <= 0
        page.locator(f"[data-case='{case['id']}']").tap()
        expect(page.locator("[data-test=case-state]")).to_have_text("已派遣/待签收")
        page.locator("[data-test=do-accept]").tap()
        expect(page.locator("[data-test=case-state]")).to_have_text("处置中")
        page.locator("[data-test=do-feedback]").tap()
        page.fill("[data-test=field-text]", "已清理完毕")
        photo = {"name": "after.jpg", "mimeType": "image/jpeg", "buffer": picture("after", 7)}
        page.set_input_files("[data-test=field-photos]", photo)
        assert screen.overflow_px() <= 0
        page.locator("[data-test=send]").tap()
        expect(page.locator("[data-test=case-state]")).to_have_text("核查中")
        page.locator("[data-test=evidence-photo]").scroll_into_view_if_needed()
        screen.drawn("[data-test=evidence-photo]")
        expect(page.locator("[data-test=history]")).to_contain_text("已清理完毕")
        assert screen.overflow_px() <= 0
    answered = office.get(office.admin, f"cases/{case['id']}")
    assert answered["state"] == "checking"
    assert any(e["role"] == "photo" for e in answered["evidence"])
    office.do(office.admin, f"cases/{case['id']}/close")


def test_the_recheck_proposes_and_a_person_closes(office: Office, chrome: Browser) -> None:
    settle(office)
    found = office.find("cam-04", minutes_ago=35)
    case = office.do(office.admin, f"alerts/{found['alert']}/confirm")["case"]["id"]
    office.do(office.people["li"], f"cases/{case}/accept")
    office.do(office.people["li"], f"cases/{case}/feedback", {"text": "已清理"})
    with Screen(chrome, office.url) as screen:
        page = screen.page
        screen.open("zhang", f"/cases/{case}")
        expect(page.locator("[data-test=proposal]")).to_contain_text("等待复查画面")
        office.answer_recheck(case, present=False)
        expect(page.locator("[data-test=proposal]")).to_contain_text("建议结案")
        screen.drawn("[data-test=recheck-now]")
        page.click("[data-test=do-close]")
        page.check("[data-test=field-met]")
        page.click("[data-test=send]")
        expect(page.locator("[data-test=case-state]")).to_have_text("已结案")
        page.click("[data-test=filter-done]")
        expect(page.locator(f"[data-case='{case}']")).to_be_visible()


def test_a_lost_connection_is_shown_and_heals(chrome: Browser, tmp_path: Path) -> None:
    with Office(tmp_path) as office, Screen(chrome, office.url) as screen:
        office.colleague("zhang", "staff")
        page = screen.page
        screen.excused = [
            "ERR_CONNECTION_REFUSED",
            "ERR_INCOMPLETE_CHUNKED_ENCODING",
            "ERR_CONNECTION_RESET",
            "ERR_EMPTY",
        ]
        screen.sign_in("zhang")
        expect(page.locator("[data-test=connection]")).to_contain_text("实时连接正常")
        office.hub.kill()
        expect(page.locator("[data-test=connection]")).to_contain_text("实时连接中断")
        office.start_hub()
        missed = office.find("cam-03", minutes_ago=40)["alert"]
        expect(page.locator("[data-test=connection]")).to_contain_text("实时连接正常", timeout=30_000)
        expect(page.locator(f"[data-alert='{missed}']")).to_be_visible()


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_every_screen_opens_in_both_languages(office: Office, chrome: Browser, locale: str) -> None:
    office.look("cam-01")
    with Screen(chrome, office.url, locale=locale) as screen:
        page = screen.page
        screen.open("zhang", "/cameras?state=online")
        screen.drawn("[data-test=wall] img")
        page.click("[data-test=as-table]")
        expect(page.locator("[data-test=table] tbody tr")).to_have_count(1)
        page.goto(f"{office.url}/map")
        expect(page.locator("[data-test=map] canvas.dots")).to_be_visible()
        page.goto(f"{office.url}/sensors")
        page.goto(f"{office.url}/cases")
        expect(page.locator("[data-test=cases]")).to_be_attached()
        words = page.locator("nav").inner_text()
        assert bool(re.search(r"[\u4e00-\u9fff]", words)) == (locale == "zh"), words


def test_the_first_password_has_to_be_changed(office: Office, chrome: Browser) -> None:
    made = office.add("users", {"user": "fang", "name": "王芳", "role": "staff"})
    once = made["one_time_password"]
    with Screen(chrome, office.url) as screen:
        page = screen.page
        page.goto(office.url)
        page.fill("input#user", "fang")
        page.fill("input#password", once)
        page.click("[data-test=sign-in]")
        expect(page).to_have_url(re.compile("/password$"))
        page.fill("input#old", once)
        page.fill("input#next", PASSWORD)
        page.fill("input#again", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_selector("header.strip")
        expect(page).to_have_url(re.compile("/desk$"))


def test_two_people_do_not_judge_the_same_alert(office: Office, chrome: Browser) -> None:
    settle(office)
    found = office.find("cam-03", minutes_ago=50)["alert"]
    with Screen(chrome, office.url) as first, Screen(chrome, office.url) as second:
        first.sign_in("zhang")
        claimed = f"alerts/{found}"
        office.until(
            lambda: office.get(office.admin, claimed)["claimed_by"], 10, "the alert is claimed by looking at it"
        )
        second.sign_in("admin")
        expect(second.page.get_by_text("zhang 正在查看这条告警")).to_be_visible()
        first.page.keyboard.press("c")
        expect(second.page.locator("[data-test=verdict]")).to_contain_text("zhang 已处理：已确认")
        expect(second.page.locator("[data-test=confirm]")).to_be_disabled()
    case = office.get(office.admin, f"alerts/{found}")["case"]
    office.do(office.admin, f"cases/{case}/void", {"reason": "测试结束"})


def test_a_clip_plays_and_pictures_stand_in_for_what_the_browser_cannot(
    office: Office, chrome: Browser, tmp_path: Path
) -> None:
    settle(office)
    for codec, camera in (("libx264", "cam-01"), ("libx265", "cam-02")):
        clip = clips.encode(clips.scene(40, 320, 180), tmp_path / f"{codec}.mp4", gop=10, codec=codec).read_bytes()
        office.find(camera, minutes_ago=20.0 if codec == "libx264" else 10.0, clip=clip)
    with Screen(chrome, office.url) as screen:
        page = screen.page
        screen.sign_in("zhang")
        page.click("[data-test=view-clip]")
        playing = page.locator("[data-test=clip]")
        wait_until(lambda: playing.evaluate("video => video.currentTime") > 0.3, what="the clip plays")
        page.keyboard.press("j")
        page.click("[data-test=view-clip]")
        screen.drawn("[data-test=strip]")
        expect(page.get_by_text("此浏览器不能播放该编码")).to_be_visible()
        expect(page.locator("[data-test=clip]")).to_have_count(0)
