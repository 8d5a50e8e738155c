"""The desks of supervision, whistles and reports in a real browser, before a really running hub."""

from __future__ import annotations

import re
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import APIResponse, Browser, Route, expect

from tests.e2e.desk.browser import PHONE, Screen, expect_told
from tests.e2e.desk.office import Office


@pytest.fixture(scope="module")
def case(office: Office) -> str:
    found = office.find("cam-01")
    alert = office.do(office.people["zhang"], f"alerts/{found['alert']}/confirm", {})
    return str(alert["case"]["id"])


def test_a_case_is_supervised_the_letter_signed_and_answered(office: Office, chrome: Browser, case: str) -> None:
    with Screen(chrome, office.url) as screen:
        page = screen.page
        screen.open("zhang", f"/cases/{case}")
        page.click("[data-test=supervise]")
        page.get_by_role("button", name="三次督办").click()
        page.fill("[data-test=demands]", "区长批示：立即清理")
        page.click("[data-test=supervise-now]")
        expect_told(page, "已督办")
        screen.go("/supervision/letters")
        page.locator("[data-test=letters] a").first.click()
        expect(page.locator("[data-test=letter]")).to_contain_text("区长批示：立即清理")
        page.click("[data-test=letter-sign]")
        expect(page.locator("[data-test=letter-number]")).to_have_text(re.compile(r"西网督〔\d{4}〕1号"))
        with page.expect_download() as download:
            page.click("[data-test=letter-pdf]")
        assert download.value.suggested_filename.startswith("工作督办函西网督")
        assert screen.overflow_px() == 0
    with Screen(chrome, office.url, PHONE) as screen:
        page = screen.page
        screen.open("li", "/supervision/letters")
        page.locator("[data-test=letters] a").first.click()
        page.click("[data-test=letter-reply]")
        page.fill("[data-test=letter-text]", "已清理完毕")
        page.click("[data-test=letter-send]")
        expect(page.locator("[data-test=reply]")).to_contain_text("已清理完毕")
        assert screen.overflow_px() == 0


def test_a_whistle_from_the_street_to_the_arrival(office: Office, chrome: Browser) -> None:
    with Screen(chrome, office.url) as screen:
        page = screen.page
        screen.open("jie", "/whistles")
        page.click("[data-test=blow]")
        page.fill("[data-test=whistle-subject]", "夜市占道")
        page.fill("[data-test=whistle-place]", "北大街东口")
        page.locator("[data-test=new-whistle] .el-select").click()
        page.get_by_role("option", name="环卫中心").click()
        page.click("[data-test=new-whistle] label[for=subject]")
        page.click("[data-test=blow-now]")
        expect(page.locator("[data-test=whistle-state]")).to_have_text("待审批")
    with Screen(chrome, office.url) as screen:
        page = screen.page
        screen.open("zhang", "/whistles")
        page.locator("[data-test=whistles] a").first.click()
        page.click("[data-test=whistle-approve]")
        page.click("[data-test=whistle-send]")
        expect(page.locator("[data-test=whistle-state]")).to_have_text("已吹哨/待报到")
    with Screen(chrome, office.url, PHONE) as screen:
        page = screen.page
        screen.open("li", "/whistles")
        page.locator("[data-test=whistles] a").first.click()
        page.click("[data-test=whistle-arrive]")
        page.click("[data-test=whistle-send]")
        expect(page.locator("[data-test=whistle-state]")).to_have_text("已集结/处置中")
        assert screen.overflow_px() == 0


def test_a_number_of_a_report_opens_as_many_cases(office: Office, chrome: Browser, case: str) -> None:
    with Screen(chrome, office.url, routed=True) as screen:
        page = screen.page
        screen.open("zhang", "/reports")
        number = page.locator("[data-test=fact-register] a")
        expect(number).to_have_text(re.compile(r"\d+"))
        value = int(number.inner_text())
        number.click()
        expect(page.locator("[data-test=counted] b")).to_have_text(str(value))
        expect(page.locator("[data-test=counted-cases] tbody tr")).to_have_count(value)
        held: list[tuple[Route, APIResponse]] = []
        page.route("**/api/reports/monthly/*", lambda route: held.append((route, route.fetch())))
        page.go_back()
        while not held:
            page.wait_for_timeout(20)
        page.click("[data-test=kind-weekly]")
        expect(page.locator("[data-test=section-focus]")).to_be_visible()
        route, monthly = held[0]
        with page.expect_response("**/api/reports/monthly/*"):
            route.fulfill(response=monthly)
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        expect(page.locator("[data-test=section-focus]")).to_be_visible()  # the month came too late
        page.click("[data-test=earlier]")
        expect(page.locator("[data-test=issue]")).to_be_visible()
        page.click("[data-test=issue]")
        page.fill("[data-test=notes]", "本周无异常。")
        page.click("[data-test=issue-now]")
        expect(page.locator("[data-test=report]")).to_contain_text("本周无异常。")
        with page.expect_download() as download:
            page.click("[data-test=file-xlsx]")
        assert download.value.suggested_filename.endswith("周小结.xlsx")
        assert screen.overflow_px() == 0


def test_in_english_only_names_of_places_are_chinese(office: Office, chrome: Browser, case: str) -> None:
    names = [camera["name"] for camera in office.get(office.admin, "cameras")["items"]]
    names += [f"北大街{number}号" for number in (1, 11, 21, 31)]
    left: dict[str, set[str]] = {}
    with Screen(chrome, office.url, locale="en") as screen:
        screen.open("zhang", "/reports/weekly")
        screen.page.wait_for_selector("[data-test=fact-register] a")
        screen.page.click("[data-test=fact-register] a")
        screen.page.wait_for_selector("[data-test=counted-cases] tbody tr")
        counted = screen.page.url.removeprefix(office.url)
        for path in (counted, *(f"/reports/{kind}" for kind in ("weekly", "monthly", "quarterly", "yearly"))):
            screen.page.goto(office.url + path)
            screen.page.wait_for_selector("[data-test=report], [data-test=counted-cases] tbody tr")
            said = screen.page.locator("main.screen").inner_text()
            for name in sorted(names, key=len, reverse=True):
                said = said.replace(name, "")
            left[path] = {line for line in said.splitlines() if re.search(r"[\u3000-\u303f\u4e00-\u9fff]", line)}
        for path, part in ((f"/cases/{case}", "[data-test=case]"), ("/cases", "[data-test=cases]")):
            screen.page.goto(office.url + path)
            expect(screen.page.locator(part)).to_contain_text("Sanitation centre")
            expect(screen.page.locator(part)).not_to_contain_text("环卫中心")
        screen.go("/whistles")
        screen.page.click("[data-test=blow]")
        screen.page.locator("[data-test=whistle-called]").click()
        screen.page.locator("[data-test=whistle-called] input").fill("环卫")  # found by its Chinese name as well
        expect(screen.page.get_by_role("option")).to_have_text(["Sanitation centre"])
        screen.page.goto(f"{office.url}/supervision/letters")
        screen.page.locator("[data-test=letters] a").first.click()
        table = screen.page.locator("[data-test=letter] table")
        expect(table).to_contain_text("Sanitation centre")
        cells = table.locator("td").all_inner_texts()
        assert {cell for cell in cells if re.search(r"[\u4e00-\u9fff]", cell)} <= set(names), "but for its place"
    assert not any(left.values()), left


def test_points_are_taken_off_by_hand_and_given_back(office: Office, chrome: Browser) -> None:
    with Screen(chrome, office.url) as screen:
        page = screen.page
        screen.open("zhang", "/reports/quarterly")
        part = page.locator("[data-test=hand-deductions]")
        expect(part).to_contain_text("本期没有人工扣分")
        page.click("[data-test=deduct]")
        expect(page.locator("[data-test=deduct-save]")).to_be_disabled()
        page.locator(".fields .el-select").click()
        page.get_by_role("option", name="环卫中心").click()
        page.click("[data-test=deduct-rule-media]")
        page.check("[data-test=deduct-doubled]")
        page.fill("[data-test=deduct-note]", "《陇东报》曝光，区督查室通报〔2026〕12号")
        page.click("[data-test=deduct-save]")
        one = page.locator("[data-test=deduction]")
        expect(one).to_contain_text("环卫中心")
        expect(one).to_contain_text("zhang 登记于")
        expect(one.locator(".points")).to_have_text("−2")
        expect(page.locator("[data-test=section-deductions]")).to_contain_text("媒体曝光（加倍）")
        assert screen.overflow_px() == 0
    with Screen(chrome, office.url, PHONE, locale="en") as screen:
        page = screen.page
        screen.open("zhang", "/reports/quarterly")
        page.click("[data-test=withdraw]")
        expect(page.locator("[data-test=withdraw-now]")).to_be_disabled()
        page.fill("[data-test=withdraw-why]", "查无实据")
        page.click("[data-test=withdraw-now]")
        one = page.locator("[data-test=deduction]")
        expect(one).to_contain_text("withdrawn by zhang")
        expect(one).to_contain_text("查无实据")
        expect(page.locator("[data-test=withdraw]")).to_have_count(0)
        assert screen.overflow_px() == 0


def test_periods_are_set_on_the_screen_and_mistakes_are_told(office: Office, chrome: Browser) -> None:
    with Screen(chrome, office.url) as screen:
        page = screen.page
        screen.open("admin", "/admin/keeping")
        row = page.locator("[data-test=kept-evidence_unconfirmed]")
        expect(row).to_contain_text("30 天")
        page.click("[data-test=set-evidence_unconfirmed]")
        page.fill("[data-test=keep-days]", "29")
        expect(page.locator("[data-test=keep-save]")).to_be_disabled()
        page.fill("[data-test=keep-days]", "60")
        page.click("[data-test=keep-save]")
        expect(row).to_contain_text("60 天")
        expect(row).to_contain_text("管理员 于")
        cases = page.locator("[data-test=kept-evidence_cases]")
        expect(cases).to_contain_text("不自动删除")
        page.click("[data-test=set-evidence_cases]")
        page.uncheck("[data-test=keep-endless]")
        page.fill("[data-test=keep-days]", "1095")
        page.click("[data-test=keep-save]")
        expect(cases).to_contain_text("1095 天")
        page.click("[data-test=set-evidence_cases]")
        page.click("[data-test=keep-restore]")
        expect(cases).to_contain_text("hub.yaml")
        assert screen.overflow_px() == 0


@pytest.mark.parametrize(
    ("locale", "unit", "put_off"),
    [("zh", "部门：环卫中心", "至：2"), ("en", "department: Sanitation centre", "until: 2")],
)
def test_the_audit_trail_tells_its_details_in_words(
    office: Office, chrome: Browser, case: str, locale: str, unit: str, put_off: str
) -> None:
    zhang = office.people["zhang"]
    later = office.find("cam-02", minutes_ago=3)["alert"]
    until = (datetime.now(UTC) + timedelta(minutes=15)).isoformat()
    office.do(zhang, f"alerts/{later}/postpone", {"until": until})
    with Screen(chrome, office.url, locale=locale) as screen:
        page = screen.page
        screen.open("admin", "/admin/audit")
        table = page.locator("[data-test=audit]")
        number = office.get(office.admin, f"cases/{case}")["number"]
        expect(table.locator("tr", has_text=number).first).to_contain_text(unit)
        entry = table.locator("tr", has_text=f"alert/{later}").first
        expect(entry).to_contain_text(put_off)
        expect(entry).not_to_contain_text("+00:00")


def test_evidence_is_preserved_and_a_purged_picture_is_no_broken_one(
    office: Office, chrome: Browser, case: str
) -> None:
    with Screen(chrome, office.url) as screen:
        page = screen.page
        screen.open("zhang", f"/cases/{case}")
        page.click("[data-test=hold]")
        page.fill("[data-test=hold-reason]", "当事人提起行政诉讼")
        page.click("[data-test=hold-save]")
        expect(page.locator("[data-test=history]")).to_contain_text("当事人提起行政诉讼")
        expect(page.locator("header .tag", has_text="证据保全")).to_be_visible()
        screen.drawn("[data-test=evidence-frame]")
    with sqlite3.connect(office.folder / "hub" / "hub.sqlite") as database:
        database.execute("UPDATE evidence SET purged_at = '2026-11-20 02:00:00.000000'")
    with Screen(chrome, office.url) as screen:
        page = screen.page
        screen.open("zhang", f"/cases/{case}")
        expect(page.locator("[data-test=missing-picture]").first).to_have_text("保存期满，已于 2026-11-20 清除")
        assert page.locator("[data-test=evidence-frame]").count() == 0
