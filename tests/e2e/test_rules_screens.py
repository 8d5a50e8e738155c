"""The screens of the rules in a browser: conditions ticked and imported, the grid with its people, routing tried."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from hub import workbook
from hub.bootstrap import Hub, build_hub
from hub.config import load, shipped
from hub.domain.handling_table import COLUMNS
from hub.sample_district import write
from hub.serving import Serving, claim_port
from tests.e2e.city import PASSWORD
from tests.e2e.desk.browser import PHONE, Screen


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Hub, str]]:
    """A hub in the sample district, without its cameras."""
    folder = tmp_path_factory.mktemp("district")
    write(folder, 3, shipped("configs"))
    settings = replace(load(folder / "hub.yaml"), data_dir=folder / "data", cameras_file=None, sensors_file=None)
    made = build_hub(settings)
    made.prepare()
    for user, role in (("eng", "engineer"), ("staff", "staff"), ("guan", "admin"), ("limited", "staff")):
        made.registry.add_user(user, role, password=PASSWORD, shown_name=f"{user}先生")
    sock = claim_port("127.0.0.1", 0)
    serving = Serving(made.app, sock)
    serving.start()
    yield made, f"http://127.0.0.1:{sock.getsockname()[1]}"
    made.house.feed.close()
    serving.end()
    made.stop()


def table() -> bytes:
    rows = [
        ["06", "市容环境类", "010", "暴露垃圾", "环卫中心", "", "主干道两侧", "清理", "2工作时"],
        ["", "", "", "", "环卫中心", "", "背街小巷", "清理", "三天"],
    ]
    return workbook.write({"部件": [list(COLUMNS)], "事件": [list(COLUMNS), *rows]})


def test_an_engineer_ticks_and_imports_conditions(hub: tuple[Hub, str], chrome: Browser, tmp_path: Path) -> None:
    (tmp_path / "table.xlsx").write_bytes(table())
    with Screen(chrome, hub[1]) as screen:
        screen.open("eng", "/rules/conditions")
        page = screen.page
        page.fill(".search input", "06010")
        row = page.locator("[data-test=conditions] tbody tr").first
        row.locator("[data-test=tick]").click()
        page.wait_for_selector("[data-test=conditions] >> text=eng先生")
        page.click("[data-test=import]")
        page.set_input_files("[data-test=import-file]", str(tmp_path / "table.xlsx"))
        page.wait_for_selector("[data-test=import-summary]")
        dialog = page.locator(".el-dialog")
        assert "三天" in dialog.inner_text()
        assert "处置时限" in dialog.inner_text()
        dialog.locator("[data-test=import-apply]").click()
        page.wait_for_selector("[data-test=conditions] >> text=主干道两侧")
        with page.expect_download() as download:
            page.locator("[data-test=export]").evaluate("a => a.click()")
        content = Path(download.value.path()).read_bytes()
        assert any("主干道两侧" in row for row in workbook.read(content)["事件"])


def test_the_grid_shows_who_answers_for_it(hub: tuple[Hub, str], chrome: Browser) -> None:
    with Screen(chrome, hub[1]) as screen:
        screen.open("staff", "/rules/grid")
        page = screen.page
        page.fill("aside header input", "育才社区第3网格")
        page.locator(".hit").first.click()
        card = page.locator("[data-test=grid-card]")
        card.locator("text=网格员").first.wait_for()
        masked = card.locator("[data-test=reveal]").first
        assert "****" in masked.inner_text()
        masked.click()
        card.locator("td.phone:has-text('1000000')").first.wait_for()
        assert page.locator("[data-test=import-grids]").count() == 0  # staff look, engineers change


def test_a_person_is_limited_to_grids_chosen_by_name_or_code(hub: tuple[Hub, str], chrome: Browser) -> None:
    with Screen(chrome, hub[1]) as screen:
        screen.open("guan", "/admin/people")
        page = screen.page
        row = page.locator("[data-user=limited]")
        row.locator("[data-test=person-edit]").click()
        picker, offered = page.locator("[data-test=person-grids]"), page.locator(".el-select-dropdown__item:visible")
        picker.click()
        picker.locator("input").fill("育才社区第3")
        expect(offered).to_have_text(["育才社区第3网格"])
        offered.click()
        picker.locator("input").fill("621002004")  # the code of a street finds it and all that lies in it
        expect(offered.first).to_have_text("安定街道")
        offered.first.click()
        picker.locator("input").fill("没有这个网格")
        expect(page.get_by_text("没有匹配的选项")).to_be_visible()
        page.locator(".el-dialog__title:visible").click()  # closes the list
        expect(picker.locator(".el-tag")).to_have_text(["育才社区第3网格", "安定街道"])
        page.click("[data-test=person-save]")
        expect(row).to_contain_text("育才社区第3网格、安定街道")
        users = page.request.get(f"{hub[1]}/api/users").json()["items"]
        (kept,) = [user["grids"] for user in users if user["user"] == "limited"]
        assert [kept[0][:6], kept[1]] == ["621002", "621002004"]


def test_routing_can_be_tried_and_says_why(hub: tuple[Hub, str], chrome: Browser) -> None:
    with Screen(chrome, hub[1]) as screen:
        screen.open("eng", "/rules/units")
        page = screen.page
        page.wait_for_selector("[data-test=units] tbody tr")
        page.click("[data-test=try-class]")
        page.locator(".el-select-dropdown__item:has-text('09006')").click()
        page.locator("[data-test=place]").click()  # waits until the list of classes no longer lies over it
        page.locator("[data-test=why]:has-text('综合执法局')").wait_for()
        page.locator("dd:has-text('网格')").first.wait_for()


def test_rules_are_read_in_english(hub: tuple[Hub, str], chrome: Browser) -> None:
    with Screen(chrome, hub[1], locale="en") as screen:
        page = screen.page
        screen.open("staff", "/rules/conditions")
        page.fill(".search input", "exposed garbage")
        page.locator("[data-test=conditions] >> text=Household garbage in a public place").wait_for()
        page.fill(".search input", "")
        page.locator("[data-test=conditions] >> text=Storm-drain grate").first.wait_for()
        said = chinese(page.locator("[data-test=conditions]").inner_text())
        # What the test above may have imported has no English, and who ticked it is a person.
        assert {text for text in said if text != "主干道两侧" and "eng先生" not in text} == set()
        screen.go("/rules/units")
        page.wait_for_selector("[data-test=units] tbody tr")
        said = chinese(page.locator("[data-test=units]").inner_text())
        # Which subdistrict it is of: its name.
        assert {text for text in said if not text.startswith("Subdistrict office · ")} == set()
        page.click("[data-test=try-class]")
        page.locator("[data-test=try-class] input").fill("占道经营")  # found by its Chinese name as well
        expect(page.locator(".el-select-dropdown__item:visible")).to_have_text(["09006 Trading on the road"])
        page.locator(".el-select-dropdown__item:visible").click()
        page.locator("[data-test=why]:has-text('→ Urban enforcement bureau')").wait_for()


def chinese(said: str) -> set[str]:
    return {part for part in re.split(r"[\t\n]", said) if re.search(r"[\u3000-\u303f\u4e00-\u9fff]", part)}


@pytest.mark.parametrize("name", ["conditions", "grid", "units"])
def test_a_phone_is_wide_enough(hub: tuple[Hub, str], chrome: Browser, name: str) -> None:
    with Screen(chrome, hub[1], PHONE, "en") as screen:
        screen.open("staff", f"/rules/{name}")
        screen.page.wait_for_selector(".rules [data-test]")
        assert screen.overflow_px() <= 0
