"""An engineer in a real browser: draws a zone that workers have at once, tries a camera, brings in a table."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.desk.browser import Screen, expect_told
from tests.e2e.desk.office import Office, picture


def at(page: Page, x: float, y: float) -> tuple[float, float]:
    """Page coordinates of a point of the picture (0-1)."""
    box = page.locator("[data-test=zone-stage]").bounding_box()
    assert box
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def click(page: Page, x: float, y: float) -> None:
    page.mouse.click(*at(page, x, y))


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*at(page, *start))
    page.mouse.down()
    page.mouse.move(*at(page, *end), steps=6)
    page.mouse.up()


def test_a_zone_is_drawn_on_a_real_look_and_reaches_the_workers(office: Office, chrome: Browser) -> None:
    office.look("cam-01")
    found = office.find("cam-01")
    office.do(office.admin, f"alerts/{found['alert']}/confirm")
    with Screen(chrome, office.url) as screen:
        page = screen.page
        screen.open("gong", "/cameras/cam-01/zones")
        screen.drawn("[data-test=zone-look]")
        expect(page.locator("[data-test=zones] li")).to_have_count(1)
        page.click("[data-test=draw]")
        for x, y in ((0.2, 0.2), (0.7, 0.2), (0.7, 0.7), (0.2, 0.7), (0.2, 0.2)):
            click(page, x, y)  # the last click, on the first point, closes it
        expect(page.locator("[data-test=zones] li")).to_have_count(2)
        page.fill("[data-test=zone-name]", "占道区")
        page.locator("[data-test=zone-name]").press("Tab")
        page.check("[data-test=kind-garbage_exposed]")
        # what it would have done to the alert that was confirmed
        expect(page.locator("[data-test=what-if]")).to_contain_text("确认的 1 条保留 1 条")

        drag(page, (0.7, 0.7), (0.1, 0.3))  # the third point over the first edge: crossed
        expect(page.locator("[data-test=fault]")).to_contain_text("相交")
        expect(page.locator("[data-test=zones-save]")).to_be_disabled()
        page.keyboard.press("Control+z")
        expect(page.locator("[data-test=fault]")).to_have_count(0)
        drag(page, (0.45, 0.45), (0.5, 0.5))  # the whole zone
        page.locator("[data-test=point-1]").dblclick()  # a point less
        expect(page.locator("[data-test=point-4]")).to_have_count(0)
        page.click("[data-test=zone-undo]")
        expect(page.locator("[data-test=point-4]")).to_be_visible()
        page.click("[data-test=add-permit]")
        page.fill("[data-test=permit-note]", "夜市")
        page.locator("[data-test=permit-note]").press("Tab")
        page.click("[data-test=zones-save]")
        expect_told(page, "已保存")
    assignment = office.get(office._worker, "worker/assignment", shard="0/1")
    camera = next(c for c in assignment["cameras"] if c["id"] == "cam-01")
    zones = {task["zone"]["name"]: task["zone"] for task in camera["tasks"] if task["zone"]}
    assert set(zones) == {"人行道", "占道区"}
    assert zones["占道区"]["permitted"][0]["note"] == "夜市"
    assert zones["占道区"]["points"][0] == pytest.approx([0.25, 0.25], abs=0.01)


def test_the_view_of_a_turned_camera_is_said_to_be_right(office: Office, chrome: Browser) -> None:
    moved = {"id": "cam-02", "state": "moved", "since": datetime.now(UTC).isoformat(), "message": "moved"}
    assert office._worker.post("/api/worker/status", json={"worker": "test", "cameras": [moved]}).status_code == 200

    def view() -> str | None:
        cameras = office.get(office._worker, "worker/assignment", shard="0/1")["cameras"]
        found: str | None = next(c for c in cameras if c["id"] == "cam-02")["view"]
        return found

    assert view() is None
    with Screen(chrome, office.url) as screen:
        page = screen.page
        screen.open("gong", "/cameras?state=moved")
        page.locator("[data-test=wall] button").first.click()
        page.click("[data-test=accept-view]")
        expect(page.locator("[data-test=view-accepted]")).to_be_visible()
        expect(page.locator("[data-test=accept-view]")).to_have_count(0)
    assert view() is not None


def test_two_engineers_draw_at_one_camera_and_neither_loses_a_zone(office: Office, chrome: Browser) -> None:
    office.colleague("wu", "engineer")
    url, zones = f"{office.url}/cameras/cam-03/zones", "[data-test=zones] li"

    def draw(page: Page, name: str) -> None:
        page.goto(url)
        page.click("[data-test=draw]")
        for x, y in ((0.2, 0.2), (0.7, 0.2), (0.7, 0.7), (0.2, 0.2)):
            click(page, x, y)
        page.fill("[data-test=zone-name]", name)
        page.locator("[data-test=zone-name]").press("Tab")

    def names() -> set[str]:
        return {zone["name"] for zone in office.get(office.admin, "zones", camera="cam-03")["items"]}

    with Screen(chrome, office.url) as first, Screen(chrome, office.url) as second:
        second.excused.append("409")
        mine, his = second.page, first.page
        first.sign_in("gong")
        second.sign_in("wu")
        draw(mine, "吴的")
        draw(his, "龚的")
        his.click("[data-test=zones-save]")
        expect_told(his, "已保存")
        mine.click("[data-test=zones-save]")
        since = mine.locator("[data-test=saved-since]")
        expect(since).to_contain_text("gong 于")
        expect(since).to_contain_text("新增：龚的")
        assert names() == {"人行道", "龚的"}
        mine.click("[data-test=take-theirs]")
        expect(since).to_have_count(0)
        expect(mine.locator(zones)).to_contain_text(["人行道", "龚的"])
        expect(mine.locator("[data-test=zones-save]")).to_be_disabled()
        mine.click("[data-test=zone-undo]")  # what was drawn here is there still
        expect(mine.locator(zones)).to_contain_text(["人行道", "吴的"])

        his.reload()
        his.fill("[data-test=zone-name]", "步道")  # the first zone
        his.locator("[data-test=zone-name]").press("Tab")
        his.click("[data-test=zones-save]")
        expect_told(his, "已保存")
        mine.click("[data-test=zones-save]")
        expect(since).to_contain_text("新增：步道")
        expect(since).to_contain_text("删除：人行道")
        mine.click("[data-test=keep-mine]")
        expect_told(mine, "已保存")
        assert names() == {"人行道", "吴的"}
        mine.click("[data-test=zone-undo]")  # and so is what was saved over
        expect(mine.locator(zones)).to_contain_text(["步道", "龚的"])
        mine.click("[data-test=zones-save]")
        expect_told(mine, "已保存")
        office.until(lambda: names() == {"步道", "龚的"}, 10, "what was saved over is back")


def test_a_camera_is_tried_and_added(office: Office, chrome: Browser, tmp_path: Path) -> None:
    street = tmp_path / "street.jpg"
    street.write_bytes(picture("street", 5))
    with Screen(chrome, office.url) as screen:
        page = screen.page
        screen.sign_in("gong")
        page.click("[data-test=camera-add]")
        page.fill("#c-id", "new-1")
        page.fill("#c-name", "东门")
        page.fill("[data-test=camera-url]", "rtsp://u:geheim@127.0.0.1:9/1")
        page.click("[data-test=try-look]")
        expect(page.locator("[data-test=tried-why]")).to_contain_text("连接不上")
        expect(page.locator("[data-test=tried-why]")).not_to_contain_text("geheim")
        page.fill("[data-test=camera-url]", f"file://{street}")
        page.click("[data-test=try-look]")
        screen.drawn("[data-test=tried]")
        page.click("[data-test=camera-save]")
        expect(page.get_by_text("东门").first).to_be_visible()
    assert office.get(office.admin, "cameras/new-1")["name"] == "东门"


def test_a_table_of_cameras_shows_its_errors_before_it_is_taken_over(office: Office, chrome: Browser) -> None:
    rows = "id,name,url,every_s\nt1,甲,rtsp://10.0.0.1/1,10\nt2,乙,gopher://10.0.0.1/1,0\n"
    with Screen(chrome, office.url) as screen:
        page = screen.page
        screen.sign_in("gong")
        page.click("[data-test=camera-import]")
        table = {"name": "表.csv", "mimeType": "text/csv", "buffer": rows.encode()}
        page.set_input_files("[data-test=import-file]", table)
        expect(page.locator("[data-test=import-summary]")).to_contain_text("可导入 1 条")
        expect(page.locator(".el-dialog table tbody tr")).to_have_count(2)
        expect(page.locator(".el-dialog table")).to_contain_text("第 3 行")
        page.click("[data-test=import-apply]")
        expect(page.get_by_text("已导入 1 条")).to_be_visible()
    assert office.get(office.admin, "cameras/t1")["every_s"] == 10
    assert office.admin.get("/api/cameras/t2").status_code == 404


def test_a_table_that_is_corrected_meanwhile_is_chosen_again(office: Office, chrome: Browser, tmp_path: Path) -> None:
    table = tmp_path / "cameras.csv"
    table.write_text("id,name,url\nu1,甲,rtsp://10.0.0.1/1\nu2,乙,gopher://10.0.0.1/1\n")
    with Screen(chrome, office.url) as screen:
        page = screen.page
        screen.sign_in("gong")
        page.click("[data-test=camera-import]")
        summary = page.locator("[data-test=import-summary]")
        page.set_input_files("[data-test=import-file]", table)
        expect(summary).to_contain_text("可导入 1 条")
        expect(page.locator(".el-dialog table")).to_contain_text("完整的视频地址")
        assert page.locator("[data-test=import-file]").input_value() == "", "the same file again is a new choice"
        table.write_text("id,name,url\nu1,甲,rtsp://10.0.0.1/1\nu2,乙,rtsp://10.0.0.1/2\n")
        page.click("[data-test=import-apply]")
        expect(page.get_by_text("已导入 1 条")).to_be_visible()
        page.set_input_files("[data-test=import-file]", table)
        expect(summary).to_contain_text("可导入 2 条")
    assert office.admin.get("/api/cameras/u2").status_code == 404


def test_the_workers_are_shown(office: Office, chrome: Browser) -> None:
    office.look("cam-01")
    with Screen(chrome, office.url) as screen:
        screen.sign_in("gong")
        screen.page.click("[data-test=health]")
        expect(screen.page.locator("[data-test=workers] tbody tr")).to_have_count(1)
