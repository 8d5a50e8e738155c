"""What a department asks for and the centre answers, joint handling, and reporting, in a real browser."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.desk.browser import PHONE, Screen
from tests.e2e.desk.office import Office, picture

pytestmark = pytest.mark.timeout(240)
WITHOUT_FIELDS = ("accept", "take_back")
PHOTO: Any = {"name": "after.jpg", "mimeType": "image/jpeg", "buffer": picture("after", 7)}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, project: Path) -> Iterator[Office]:
    if not (project / "hub" / "web" / "dist" / "index.html").exists():
        pytest.fail("hub/web/dist is missing: the page is built by `make install`")
    with Office(tmp_path_factory.mktemp("requests"), inside=True) as running:
        running.colleague("zhang", "staff")
        running.colleague("li", "department_lead", "sanitation")
        running.colleague("gong", "handler", "sanitation")
        running.colleague("zhao", "department", "enforcement")
        running.colleague("wangge", "collector")
        yield running


def accepted(office: Office, camera: str) -> str:
    """A case that the sanitation centre has accepted."""
    found = office.find(camera)
    case = office.do(office.people["zhang"], f"alerts/{found['alert']}/confirm", {"separate": True})["case"]["id"]
    office.do(office.people["li"], f"cases/{case}/accept")
    return str(case)


def opened(screen: Screen, user: str, case: str) -> Page:
    """The case on that person's screen."""
    screen.open(user, f"/cases/{case}")
    expect(screen.page.locator("[data-test=case]")).to_be_visible()
    return screen.page


def start(page: Page, action: str) -> None:
    """Press the action, wherever it stands."""
    more, button = page.locator("[data-test=more-actions]"), page.locator(f"[data-test=do-{action}]")
    expect(button.or_(more).first).to_be_visible()
    if not button.is_visible():
        more.click()
    button.click()


def act(page: Page, action: str, **fields: str) -> None:
    """Press the action, fill its fields, send."""
    start(page, action)
    for field, value in fields.items():
        page.fill(f"[data-test=field-{field}]", value)
    if action not in WITHOUT_FIELDS:
        page.click("[data-test=send]")
    expect(page.locator("[data-test=action-form]")).to_have_count(0)


def deadline(office: Office, case: str) -> datetime:
    return datetime.fromisoformat(office.get(office.admin, f"cases/{case}")["deadline"])


def test_an_extension_goes_by_the_units_head_to_the_centre(office: Office, chrome: Browser) -> None:
    case = accepted(office, "cam-01")
    before = deadline(office, case)
    requests = "[data-test=requests] li"
    with Screen(chrome, office.url, PHONE) as screen:
        page = opened(screen, "gong", case)
        act(page, "extend", reason="需要吊车，明日到场")
        expect(page.locator(requests)).to_contain_text("待一级审批")
        expect(page.locator("[data-test=advice]")).to_contain_text("延期")
        assert screen.overflow_px() <= 0
    with Screen(chrome, office.url, PHONE) as screen:
        page = opened(screen, "li", case)
        act(page, "consent", note="属实")
        expect(page.locator(requests)).to_contain_text("待二级审批")
        assert deadline(office, case) == before, "one consent is not enough"
        assert screen.overflow_px() <= 0
    with Screen(chrome, office.url) as screen:
        page = opened(screen, "zhang", case)
        expect(page.locator(requests)).to_contain_text("需要吊车，明日到场")
        act(page, "consent")
        expect(page.locator(requests)).to_contain_text("已同意")
        expect(page.get_by_text("延期 1", exact=True)).to_be_visible()
    assert deadline(office, case) > before
    office.do(office.people["li"], f"cases/{case}/extend", {"reason": "雨天"})
    with Screen(chrome, office.url) as screen:
        page = opened(screen, "zhang", case)
        act(page, "deny", reason="雨已停")
        expect(page.locator("[data-test=requests]")).to_contain_text("雨已停")
        expect(page.locator("[data-test=requests] .tag", has_text="不同意")).to_be_visible()
    with Screen(chrome, office.url, PHONE, locale="en") as screen:
        page = opened(screen, "li", case)
        expect(page.locator("[data-test=requests]")).to_contain_text("雨已停")
        expect(page.locator("[data-test=requests]")).to_contain_text("Denied")
        assert screen.overflow_px() <= 0


def test_a_suspension_is_taken_back_asked_again_granted_and_ended(office: Office, chrome: Browser) -> None:
    case, day = accepted(office, "cam-02"), (datetime.now(UTC) + timedelta(days=5)).date().isoformat()
    with Screen(chrome, office.url, PHONE) as screen:
        page = opened(screen, "li", case)
        act(page, "suspend", until=day, reason="等管线迁改")
        expect(page.locator("[data-test=requests] li").first).to_contain_text("待一级审批")
        expect(page.locator("[data-test=do-suspend]")).to_have_count(0)
        act(page, "take_back")
        expect(page.locator("[data-test=requests] li").first).to_contain_text("已撤回")
        act(page, "suspend", until=day, reason="等管线迁改，附施工计划")
        assert screen.overflow_px() <= 0
    with Screen(chrome, office.url) as screen:
        page = opened(screen, "zhang", case)
        act(page, "consent")
        expect(page.locator("[data-test=requests]")).to_contain_text("待二级审批")
        act(page, "consent", note="同意挂账")
        expect(page.locator("[data-test=case-state]")).to_have_text("挂账/缓办")
    with Screen(chrome, office.url, PHONE) as screen:
        page = opened(screen, "li", case)
        expect(page.locator("[data-test=case-state]")).to_have_text("挂账/缓办")
        expect(page.locator("[data-test=history]")).to_contain_text("同意：挂账")
        act(page, "resume", note="管线已迁")
        expect(page.locator("[data-test=case-state]")).to_have_text("处置中")
    clocks = [c for c in office.get(office.admin, f"cases/{case}")["clocks"] if c["stage"] == "handle"]
    assert clocks[-1]["running"]


def test_two_units_handle_a_case_and_the_lead_waits_for_the_assistant(office: Office, chrome: Browser) -> None:
    case = accepted(office, "cam-03")
    parts = "[data-test=parts]"
    with Screen(chrome, office.url) as screen:
        page = opened(screen, "zhang", case)
        start(page, "join")
        page.locator("[data-test=action-form] .el-select").click()
        page.get_by_role("option", name="综合执法局").first.click()
        page.fill("[data-test=field-text]", "取缔占道摊点")
        page.click("[data-test=send]")
        expect(page.locator(parts)).to_contain_text("取缔占道摊点")
        expect(page.locator(parts)).to_contain_text("待签收")
        assert screen.overflow_px() <= 0
    with Screen(chrome, office.url, PHONE) as screen:
        page = opened(screen, "li", case)
        start(page, "feedback")
        page.fill("[data-test=field-text]", "已清理")
        expect(page.locator("[data-test=send]")).to_be_disabled()
        expect(page.locator("[data-test=field-reason]")).to_be_visible()
        assert screen.overflow_px() <= 0
    with Screen(chrome, office.url, PHONE) as screen:
        page = screen.page
        screen.sign_in("zhao")
        page.locator(f"[data-case='{case}']").tap()
        expect(page.locator(parts)).to_contain_text("取缔占道摊点")
        act(page, "accept")
        start(page, "feedback")
        page.fill("[data-test=field-text]", "摊点已取缔")
        page.set_input_files("[data-test=field-photos]", PHOTO)
        page.click("[data-test=send]")
        expect(page.locator(parts)).to_contain_text("已反馈")
        expect(page.locator(f"{parts} img")).to_be_visible()
        assert screen.overflow_px() <= 0
    with Screen(chrome, office.url, PHONE) as screen:
        page = opened(screen, "li", case)
        act(page, "feedback", text="已清理")
        expect(page.locator("[data-test=case-state]")).to_have_text("核查中")
        expect(page.locator("[data-test=history]")).to_contain_text("会办反馈")


def test_a_call_from_the_hotline_and_what_a_grid_member_sees_become_cases(office: Office, chrome: Browser) -> None:
    with Screen(chrome, office.url) as screen:
        page = screen.page
        screen.open("zhang", "/cases")
        page.click("[data-test=new-case]")
        form = page.locator("[data-test=report-form]")
        expect(page.locator("[data-test=report-send]")).to_be_disabled()
        choose_class(page, "暴露垃圾")
        page.fill("[data-test=report-description]", "小区门口垃圾两天没清")
        page.fill("[data-test=report-address]", "南大街12号")
        page.fill("#report-phone", "13900001234")
        page.fill("#report-external", "12345-0001")
        expect(form).to_contain_text("12345政务热线")
        page.click("[data-test=report-send]")
        expect(page.locator("[data-test=case]")).to_contain_text("小区门口垃圾两天没清")
        expect(page.locator("[data-test=case-state]")).to_have_text("已上报/待受理")
        assert screen.overflow_px() <= 0
    with Screen(chrome, office.url, PHONE) as screen:
        page = screen.page
        screen.open("wangge", "/cases/new")
        choose_class(page, "乱堆杂物")
        page.fill("[data-test=report-description]", "人行道堆放建材")
        page.fill("[data-test=report-address]", "西大街3号")
        page.set_input_files("[data-test=field-photos]", PHOTO)
        expect(page.locator("#report-phone")).to_have_count(0)
        assert screen.overflow_px() <= 0
        page.click("[data-test=report-send]")
        expect(page.locator("[data-test=case]")).to_contain_text("人行道堆放建材")
        expect(page.locator("[data-test=evidence-photo]")).to_be_visible()
        assert screen.overflow_px() <= 0
    listed = office.get(office.admin, "cases", state="reported")["items"]
    assert {case["channel"] for case in listed} == {"hotline", "grid_app"}


def test_a_report_in_words_is_filed_once_its_place_is_shown(office: Office, chrome: Browser) -> None:
    """A district with grids files nothing that lies in none."""
    ring = [[107.5, 35.6], [107.8, 35.6], [107.8, 35.9], [107.5, 35.9], [107.5, 35.6]]
    shape = {"type": "Polygon", "coordinates": [ring]}
    levels = (
        ("621002", "district", None),
        ("621002001", "street", "621002"),
        ("621002001001", "community", "621002001"),
    )
    named = [*levels, ("621002001001001", "base", "621002001001")]
    areas = [
        {"type": "Feature", "geometry": shape, "properties": {"id": id_, "name": id_, "level": level, "parent": parent}}
        for id_, level, parent in named
    ]
    file = json.dumps({"type": "FeatureCollection", "features": areas}).encode()
    taken = office.admin.post("/api/grids?apply=true", files={"file": ("grids.geojson", file)})
    assert taken.status_code == 200, taken.text
    told = {"channel": "hotline", "category": "06010", "description": "垃圾两天没清", "address": "南大街12号"}
    case = office.do(office.admin, "cases", told)["case"]["id"]
    with Screen(chrome, office.url) as screen:
        page = opened(screen, "zhang", case)
        start(page, "file")
        expect(page.locator("[data-test=place]")).to_be_visible()
        expect(page.locator("[data-test=send]")).to_be_disabled()
        unit = page.locator("[data-test=action-form] [data-test=field-department]")
        unit.click()
        page.get_by_role("option", name="综合执法局").first.click()
        unit.hover()
        unit.locator(".el-select__clear").click()
        page.locator("[data-test=place]").click()
        page.click("[data-test=send]")
        expect(page.locator("[data-test=case-state]")).to_have_text("已派遣/待签收")
        assert screen.overflow_px() <= 0
    assert office.get(office.admin, f"cases/{case}")["grid"]["id"] == "621002001001001"


def choose_class(page: Page, name: str) -> None:
    """Through the picker, as a person who knows a part of the name."""
    page.locator("[data-test=report-form] .el-select").nth(1).click()
    page.keyboard.type(name)
    page.get_by_role("option", name=re.compile(name)).first.click()
