"""The desks of supervision, whistles and reports in a real browser, before a really running hub."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.desk.browser import PHONE, Screen, browser
from tests.e2e.desk.office import Office

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, project: Path) -> Iterator[Office]:
    if not (project / "hub" / "web" / "dist" / "index.html").exists():
        pytest.fail("hub/web/dist is missing: the page is built by `make install`")
    with Office(tmp_path_factory.mktemp("supervision")) as running:
        running.colleague("zhang", "staff")
        running.colleague("li", "department", "sanitation")
        running.colleague("jie", "department", "street_office")
        yield running


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with browser() as running:
        yield running


@pytest.fixture(scope="module")
def case(office: Office) -> str:
    found = office.find("cam-01")
    alert = office.do(office.people["zhang"], f"alerts/{found['alert']}/confirm", {})
    return str(alert["case"]["id"])


def test_a_case_is_supervised_the_letter_signed_and_answered(office: Office, chrome: Browser, case: str) -> None:
    with Screen(chrome, office.url) as screen:
        page = screen.page
        screen.sign_in("zhang")
        page.goto(f"{office.url}/cases/{case}")
        page.click("[data-test=supervise]")
        page.get_by_role("button", name="三次督办").click()
        page.fill("[data-test=demands]", "区长批示：立即清理")
        page.click("[data-test=supervise-now]")
        expect(page.get_by_text("已督办")).to_be_visible()
        page.goto(f"{office.url}/supervision/letters")
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
        screen.sign_in("li")
        page.goto(f"{office.url}/supervision/letters")
        page.locator("[data-test=letters] a").first.click()
        page.click("[data-test=letter-reply]")
        page.fill("[data-test=letter-text]", "已清理完毕")
        page.click("[data-test=letter-send]")
        expect(page.locator("[data-test=reply]")).to_contain_text("已清理完毕")
        assert screen.overflow_px() == 0


def test_a_whistle_from_the_street_to_the_arrival(office: Office, chrome: Browser) -> None:
    with Screen(chrome, office.url) as screen:
        page = screen.page
        screen.sign_in("jie")
        page.goto(f"{office.url}/whistles")
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
        screen.sign_in("zhang")
        page.goto(f"{office.url}/whistles")
        page.locator("[data-test=whistles] a").first.click()
        page.click("[data-test=whistle-approve]")
        page.click("[data-test=whistle-send]")
        expect(page.locator("[data-test=whistle-state]")).to_have_text("已吹哨/待报到")
    with Screen(chrome, office.url, PHONE) as screen:
        page = screen.page
        screen.sign_in("li")
        page.goto(f"{office.url}/whistles")
        page.locator("[data-test=whistles] a").first.click()
        page.click("[data-test=whistle-arrive]")
        page.click("[data-test=whistle-send]")
        expect(page.locator("[data-test=whistle-state]")).to_have_text("已集结/处置中")
        assert screen.overflow_px() == 0


def test_a_number_of_a_report_opens_as_many_cases(office: Office, chrome: Browser, case: str) -> None:
    with Screen(chrome, office.url) as screen:
        page = screen.page
        screen.sign_in("zhang")
        page.goto(f"{office.url}/reports")
        number = page.locator("[data-test=fact-register] a")
        expect(number).to_have_text(re.compile(r"\d+"))
        value = int(number.inner_text())
        number.click()
        expect(page.locator("[data-test=counted] b")).to_have_text(str(value))
        expect(page.locator("[data-test=counted-cases] tbody tr")).to_have_count(value)
        page.go_back()
        page.click("[data-test=kind-weekly]")
        expect(page.locator("[data-test=section-focus]")).to_be_visible()
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
