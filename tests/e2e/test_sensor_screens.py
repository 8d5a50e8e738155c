"""The engineer's sensor screens in a real browser: adopt a device, map a message, confirm a link, work on a sensor."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.city import Json
from tests.e2e.desk.browser import PHONE, Screen
from tests.e2e.desk.office import Office, picture

BINS = ("bin-01", "bin-02", "bin-03")
HELD_FRAMES = """(() => {
  const real = requestAnimationFrame.bind(window), callOff = cancelAnimationFrame.bind(window), planned = new Map()
  let last = 0, held = false
  const draw = id => real(at => { const { call } = planned.get(id); planned.delete(id); call(at) })
  window.requestAnimationFrame = call => { planned.set(++last, { call, frame: held ? null : draw(last) }); return last }
  window.cancelAnimationFrame = id => { callOff(planned.get(id)?.frame ?? 0); planned.delete(id) }
  window.holdFrames = yes => {
    held = yes
    if (!held) for (const [id, one] of planned) one.frame ??= draw(id)
  }
})()"""
"""With `holdFrames(true)` the page draws no frame until `holdFrames(false)`, as a slow machine would."""


class Bench(Office):
    """An office with sensors that speak, one that is silent, a stranger, and an alarm in the making."""

    def furnish(self) -> None:
        for number, name in enumerate(BINS):
            place = {"lon": 107.6401 + number * 0.002, "lat": 35.73, "address": f"北大街{number * 10 + 3}号"}
            row = {"id": name, "name": f"北大街{number + 1}号桶", "device": f"a84041ffff00000{number}"}
            self.add("sensors", row | place | {"profile": "bin_level", "asset": f"6210020300500045{number}"})
        well = {
            "id": "well-1",
            "name": "雨水井",
            "device": "w1",
            "profile": "well_level",
            "settings": {"crown_cm": 180},
        }
        self.add("sensors", well | {"gateway": "24e124fffef00001"})
        self.tell(list(BINS), well_seen=datetime.now(UTC) - timedelta(hours=1))
        now, rows = datetime.now(UTC), []
        for number in range(len(BINS)):
            for i in range(96):
                at = (now - timedelta(minutes=15 * (95 - i))).isoformat()
                times = {"observed_at": at, "received_at": at}
                level = round(min(97, 20 + i * 0.7 + number * 5), 1)
                for prop, value, unit in (("fill_pct", level, "%"), ("temperature", 4.5, "degC")):
                    row = {"device": f"a84041ffff00000{number}", "prop": prop, "value": value, "unit": unit}
                    rows.append(row | times | {"key": f"{number}{prop}{i}"})
        self._posted("readings", {"readings": rows})
        said = {"fill_pct": 40, "temperature": 4.5}
        payload = json.dumps({"deviceInfo": {"devEui": "a84041ffff0000aa"}, "object": said})
        readings = [
            {"prop": p, "channel": "", "value": v, "unit": "%" if p == "fill_pct" else "degC", "at": now.isoformat()}
            for p, v in said.items()
        ]
        stranger = {"device": "a84041ffff0000aa", "form": "chirpstack", "payload": payload, "readings": readings}
        stranger |= {"topic": "application/a1/device/a84041ffff0000aa/event/up", "at": now.isoformat(), "count": 7}
        self._posted("worker/heard", {"strangers": [stranger]})

    def tell(self, names: list[str], well_seen: datetime) -> None:
        """The sensors' states, as a worker tells them."""
        now = datetime.now(UTC).isoformat()
        low = {"code": "battery_low", "what": "battery", "why": {"zh": "电池电量 18 %", "en": "Battery at 18 %"}}
        said: list[dict[str, Any]] = [
            {"id": name, "state": "online", "last_seen": now, "values": {"fill_pct": 86.5, "temperature": 4.5},
             "level": "warn", "battery": {"pct": 82, "v": None, "level": "ok"}} for name in names
        ]  # fmt: skip
        said[0] |= {"heard_by": ["24e124fffef00002", "24e124fffef00003"]}
        said[1] |= {"battery": {"pct": 18, "v": None, "level": "low"}, "ailments": [low]}
        well = {"id": "well-1", "state": "gateway_lost", "last_seen": well_seen.isoformat(), "values": {"level_cm": 62}}
        self._posted("worker/status", {"worker": "test", "session": "1", "sensors": [*said, well]})

    def _posted(self, route: str, body: Json) -> None:
        answer = self._worker.post(f"/api/{route}", json=body)
        assert answer.status_code == 200, answer.text

    def alarm(self, sensor: str) -> str:
        """An alarm of a sensor, and what its linked camera saw; the alert's id."""
        at = datetime.now(UTC)
        readings = [
            {"device": "d", "prop": "fill_pct", "value": value, "unit": "%", "observed_at": at.isoformat()}
            for value in (92, 95)
        ]
        finding = {"id": uuid.uuid4().hex, "kind": "bin_overflow", "source": {"sensor": sensor}, "score": 1.0}
        finding |= {"at": at.isoformat(), "since": at.isoformat(), "boxes": [], "evidence": [], "readings": readings}
        finding |= {"why": "满溢度 95 % > 90 %，连续 2 次", "why_en": "Fill level 95 % > 90 % for 2 readings"}
        taken = self._worker.post("/api/findings", json=finding).json()
        for sight in self.get(self._worker, "worker/assignment", shard="0/1")["sights"]:
            jpeg = picture("beside", 5)
            name = hashlib.sha256(jpeg).hexdigest()
            seen = [{"kind": "garbage_exposed", "score": 0.7, "boxes": [[0.2, 0.3, 0.4, 0.6]]}]
            body = {"captured_at": datetime.now(UTC).isoformat(), "seen": seen}
            parts = [("sight", (None, json.dumps(body))), (name, (name, jpeg, "image/jpeg"))]
            answer = self._worker.post(f"/api/sights/{sight['id']}", files=parts)  # type: ignore[arg-type]
            assert answer.status_code == 200, answer.text
        alert: str = taken["alert"]
        return alert


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, page: Path) -> Iterator[Bench]:
    with Bench(tmp_path_factory.mktemp("bench"), inside=True) as running:
        running.colleague("wu", "engineer")
        running.colleague("zhang", "staff")
        running.look("cam-01")
        running.furnish()
        yield running


def test_an_engineer_adopts_a_device_with_a_few_clicks(bench: Bench, chrome: Browser) -> None:
    with Screen(chrome, bench.url) as screen:
        page = screen.page
        screen.open("wu", "/sensors/quarantine")
        expect(page.locator("[data-test=stranger] pre")).to_contain_text('"fill_pct": 40')
        expect(page.locator("[data-test=waiting]")).to_have_text("1")
        expect(page.locator("[data-test=profile]")).to_contain_text("垃圾桶满溢传感器")
        page.locator("[data-test=adopt-name]").fill("新桶")
        page.locator("[data-test=stranger] .leaflet-container").click(position={"x": 150, "y": 100})
        page.click("[data-test=adopt]")
        expect(page.locator("[data-test=waiting]")).to_have_count(0)
        page.goto(f"{bench.url}/sensors/all")
        expect(page.locator("[data-sensor=a84041ffff0000aa]")).to_contain_text("新桶")


def test_a_mapping_is_written_beside_a_sample_that_is_read_as_one_types(bench: Bench, chrome: Browser) -> None:
    with Screen(chrome, bench.url) as screen:
        page = screen.page
        screen.open("wu", "/sensors/mappings")
        expect(page.locator("[data-test=mapping-readings]")).to_contain_text("93 %")
        page.locator("[data-test=mapping-sample]").fill('{"deviceId": "x", "level": "full"}')
        expect(page.locator("[data-test=mapping-problems]")).to_contain_text("'full' is not a number")
        page.locator("[data-test=mapping-sample]").fill('{"deviceId": "x", "level": 0.5}')
        expect(page.locator("[data-test=mapping-readings]")).to_contain_text("50 %")
        page.locator("[data-test=mapping-topics] textarea, textarea[data-test=mapping-topics]").first.fill(
            "push/vendor/+"
        )
        page.click("[data-test=save-mapping]")
        expect(page.locator("[data-test=mappings]")).to_contain_text("vendor_bin")
    topics = bench.get(bench._worker, "worker/assignment", shard="0/1")["broker"]["topics"]
    assert "push/vendor/+" in topics


def test_a_confirmed_link_shows_on_the_alert_in_both_languages(bench: Bench, chrome: Browser) -> None:
    with Screen(chrome, bench.url) as screen:
        page = screen.page
        screen.open("wu", "/sensors/links")
        page.click("[data-test=propose]")
        first = page.locator("[data-test=links] > li").filter(has_text="北大街1号桶")
        first.locator("[data-test=confirm-link]").click()
        expect(page.locator("[data-test=links-confirmed]")).to_contain_text("1")
    alert = bench.alarm("bin-01")
    for locale, why, agreed in (("zh", "满溢度 95 % > 90 %，连续 2 次", "多源一致"),
                                ("en", "Fill level 95 % > 90 % for 2 readings", "Sources agree")):  # fmt: skip
        with Screen(chrome, bench.url, locale=locale) as screen:
            page = screen.page
            screen.open("zhang", f"/desk/{alert}")
            expect(page.locator("[data-test=why]")).to_have_text(why)
            expect(page.locator("[data-test=agreed]")).to_have_text(agreed)
            expect(page.locator("[data-test=beside]")).to_contain_text("北大街1号杆")
            screen.drawn("[data-test=beside] img")


def test_maintenance_sets_alarms_aside_on_the_page_of_the_sensor(bench: Bench, chrome: Browser) -> None:
    with Screen(chrome, bench.url) as screen:
        page = screen.page
        screen.open("wu", "/sensors/all/bin-03")
        expect(page.locator("[data-test=chart-line]")).to_have_count(2)
        page.click("[data-test=maintain]")
        page.click("[data-test=begin-maintenance]")
        expect(page.locator("[data-test=in-maintenance]")).to_be_visible()
        bench.alarm("bin-03")
        page.reload()
        expect(page.locator("[data-test=set-aside]")).to_contain_text("满溢度 95 %")
        page.click("[data-test=end-maintenance]")
        expect(page.locator("[data-test=in-maintenance]")).to_have_count(0)


def test_the_page_of_a_sensor_names_the_gateways_that_hear_it(bench: Bench, chrome: Browser) -> None:
    with Screen(chrome, bench.url) as screen:
        screen.open("wu", "/sensors/all/well-1")
        expect(screen.page.locator(".facts").first).to_contain_text("24e124fffef00001")
        expect(screen.page.locator("[data-test=heard-by]")).to_have_count(0)
        screen.go("/sensors/all/bin-01")
        heard = screen.page.locator("[data-test=heard-by]")
        expect(heard.locator("li")).to_have_text(["24e124fffef00002", "24e124fffef00003"])
        expect(heard).to_contain_text("据最近一次上行")


def test_a_map_that_is_left_before_it_was_drawn_draws_no_more(bench: Bench, chrome: Browser) -> None:
    with Screen(chrome, bench.url) as screen:  # which fails when the page has an error
        page = screen.page
        page.add_init_script(HELD_FRAMES)
        screen.open("wu", "/sensors/all/well-1")
        expect(page.locator(".facts").first).to_be_visible()
        page.evaluate("holdFrames(true)")
        screen.go("/sensors/all/bin-01")
        page.wait_for_selector(".spot-map canvas")
        screen.go("/sensors/all/well-1")
        page.wait_for_selector(".spot-map", state="detached")
        page.evaluate("holdFrames(false)")
        page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


@pytest.mark.parametrize("path", ["all", "all/bin-01", "quarantine", "mappings", "links"])
def test_the_sensor_screens_fit_a_phone(bench: Bench, chrome: Browser, path: str) -> None:
    with Screen(chrome, bench.url, PHONE) as screen:
        screen.open("wu", f"/sensors/{path}")
        screen.page.wait_for_selector(".frame .page > *")
        assert screen.overflow_px() == 0
