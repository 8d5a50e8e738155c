"""The engineer's bench in a real browser: a threshold moved, precision read, a model promoted, a data set taken."""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import uuid
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Browser, expect

from tests.e2e.city import ROOT, Json
from tests.e2e.desk.browser import Screen, expect_told
from tests.e2e.desk.office import Office

RIGHT = [0.60 + n / 100 for n in range(12)]
WRONG = [0.40 + n / 100 for n in range(6)]


class Bench(Office):
    """An office with a second model, and verdicts of the staff on garbage at two cameras."""

    def judged(self, camera: str, right: bool, **more: Any) -> None:
        self.decide(self.find(camera, **more)["alert"], right)

    def decide(self, alert: str, right: bool) -> None:
        route = f"alerts/{alert}/{'confirm' if right else 'reject'}"
        self.do(self.people["zhang"], route, {"separate": True} if right else {"reason": "false_detection"})

    def looked_at(self, shadow: str, found_too: bool, right: bool) -> None:
        """A judged alert on whose looks the shadow ran, found by it too or not."""
        source = {"camera": "cam-01", "preset": uuid.uuid4().hex[:8]}
        answer = self._worker.post("/api/findings", json={**bare(source), "shadows": [shadow]})
        assert answer.status_code == 201, answer.text
        self.decide(answer.json()["alert"], right)
        if found_too:
            self.sighted(shadow, source)

    def sighted(self, shadow: str, source: Json) -> None:
        """The shadow finds it too, as its worker posts it."""
        answer = self._worker.post(f"/api/shadows/{shadow}/sightings", json=bare(source))
        assert answer.status_code == 200, answer.text


def bare(source: Json) -> Json:
    """A finding without a picture."""
    at = datetime.now(UTC)
    return {
        "id": uuid.uuid4().hex,
        "kind": "goods_pile",
        "source": source,
        "at": at.isoformat(),
        "since": (at - timedelta(minutes=12)).isoformat(),
        "score": 0.8,
        "boxes": [[0.3, 0.4, 0.6, 0.8]],
        "zone": "人行道",
        "model": {"name": "street", "version": "1"},
        "evidence": [],
    }


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("bench")
    with Bench(folder, models=str(two_models(folder / "models"))) as running:
        running.colleague("gong", "engineer")
        running.colleague("zhang", "staff")
        for n, score in enumerate(RIGHT):
            running.judged("cam-01", True, score=score, minutes_ago=12 + n)
        for n, score in enumerate(WRONG):
            running.judged("cam-02" if n else "cam-01", False, score=score, minutes_ago=30 + n)
        yield running


def two_models(folder: Path) -> Path:
    """The shipped models, and another one of the same labels: what is tried beside `street`."""
    shutil.copytree(ROOT / "models", folder)
    shutil.copytree(folder / "street", folder / "street-b")
    card = yaml.safe_load((folder / "street-b" / "card.yaml").read_text(encoding="utf-8"))
    weights = (folder / "street-b" / card["file"]).read_bytes()
    card |= {"name": "street-b", "version": "9", "sha256": hashlib.sha256(weights).hexdigest()}
    (folder / "street-b" / "card.yaml").write_text(yaml.safe_dump(card, allow_unicode=True), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def screen(bench: Bench, chrome: Browser) -> Iterator[Screen]:
    with Screen(chrome, bench.url) as opened:
        opened.sign_in("gong")
        yield opened


def test_a_threshold_is_moved_shows_what_it_would_have_done_and_is_saved(bench: Bench, screen: Screen) -> None:
    page = screen.page
    page.goto(f"{bench.url}/bench/kinds?kind=garbage_exposed")
    expect(page.locator("[data-test=advice]")).to_contain_text("建议阈值 0.46")
    expect(page.locator("[data-test=advice]")).to_contain_text("保留 12 条确认中的 12 条，去除 6 条误报中的 6 条")
    page.fill("[data-test=score]", "0.65")  # too high: five confirmed alerts would not have been
    expect(page.locator("[data-test=effect]")).to_contain_text("保留 12 条确认中的 7 条，去除 6 条误报中的 6 条")
    page.fill("[data-test=score]", "0.42")
    expect(page.locator("[data-test=effect]")).to_contain_text("保留 12 条确认中的 12 条，去除 6 条误报中的 2 条")
    expect(page.locator(".chart line.here")).to_have_attribute("x1", re.compile(r"^55\.7"))  # at 0.42, of 0.4 to 1
    page.click("[data-test=take-advice]")
    expect(page.locator("[data-test=effect]")).to_contain_text("去除 6 条误报中的 6 条")
    page.fill(".answer .note input", "12 条全留")
    page.click("[data-test=apply]")
    expect_told(page, "已生效")
    expect(page.locator("[data-test=effect]")).to_have_count(0)
    expect(page.locator(".facts")).to_contain_text("≥ 0.46")
    expect(page.locator(".facts")).to_contain_text("12 条全留")
    expect(page.locator(".trial output")).to_have_text("0.46")
    kinds = {kind["id"]: kind for kind in bench.get(bench.admin, "kinds")["items"]}
    assert kinds["garbage_exposed"]["look_for"]["min_score"] == 0.46
    assignment = bench.get(bench._worker, "worker/assignment", shard="0/1")
    assert assignment["kinds"]["garbage_exposed"]["look_for"]["min_score"] == 0.46
    assert "min_score" not in assignment["kinds"]["goods_pile"]["look_for"]


def test_precision_stands_by_camera_and_kind(bench: Bench, screen: Screen) -> None:
    page = screen.page
    page.goto(f"{bench.url}/bench/precision")
    rows = page.locator("[data-test=by-camera] tbody tr")
    first, second = rows.filter(has_text="北大街1号杆"), rows.filter(has_text="北大街2号杆")
    expect(first).to_contain_text("12/13")  # the most alerts
    expect(first).to_contain_text("92%")
    expect(second).to_contain_text("0/5")
    expect(second.locator("td").nth(4)).to_have_text("5")  # refused as wrong
    expect(second).to_contain_text("样本太少")
    expect(page.locator("[data-test=by-kind] tbody tr")).to_contain_text("12/18")
    page.click("[data-test=by-kind] a")
    expect(page.locator(".detail h1")).to_have_text("暴露垃圾")


def test_a_model_is_promoted_on_evidence_only_and_taken_back(bench: Bench, screen: Screen) -> None:
    page = screen.page
    page.goto(f"{bench.url}/bench/models")
    card = page.locator("[data-model=street]")
    expect(card).to_contain_text("现用作 street")
    expect(card).to_contain_text("SHA-256")
    on = [row for row in card.locator("tbody tr").all_inner_texts() if "0." in row]
    assert {"garbage_nat", "bins", "fire", "vehicle"} <= {cell for row in on for cell in row.replace("\t", " ").split()}
    second = page.locator("[data-model=bins]")
    expect(second).to_contain_text("AUC")
    expect(second).to_contain_text("垃圾满溢（二次核对）")
    card.locator("summary").click()
    expect(card.locator("details li").first).to_be_visible()

    page.click("[data-model=street-b] [data-test=begin]")
    expect_told(page, "影子运行已开始")
    expect(page.locator("[data-test=refusals]")).to_contain_text("需要 50 个已校核画面，现有 0 个")
    expect(page.locator("[data-test=promote]")).to_be_disabled()
    shadow = bench.get(bench.admin, "models")["shadows"][0]
    assert (shadow["model"], shadow["base"], shadow["running"]) == ("street-b", "street", True)
    for n in range(27):
        bench.looked_at(shadow["id"], found_too=n < 26, right=True)
    for n in range(24):
        bench.looked_at(shadow["id"], found_too=n < 4, right=False)
    bench.sighted(shadow["id"], {"camera": "cam-02", "preset": "alone"})

    page.reload()
    table = page.locator("[data-test=shadow] tbody tr").last
    expect(table).to_contain_text("26/27")  # of what was right it found as many
    expect(page.locator("[data-test=refusals]")).to_have_count(0)
    page.get_by_role("button", name="属实").click()  # what it found alone
    expect_told(page, "已记录")
    page.click("[data-test=promote]")
    expect_told(page, "已上线")
    expect(page.locator("[data-model=street-b]")).to_contain_text("现用作 street")
    works = bench.get(bench._worker, "worker/assignment", shard="0/1")["models"]
    assert works["street"]["name"] == "street-b"

    page.click("[data-model=street-b] [data-test=rollback]")
    expect_told(page, "已回退")
    expect(page.locator("[data-model=street]")).to_contain_text("现用作 street")
    assert bench.get(bench._worker, "worker/assignment", shard="0/1")["models"] == {}
    expect(page.locator(".history li")).to_have_count(1)


def test_verdicts_are_taken_out_as_a_data_set(bench: Bench, screen: Screen) -> None:
    page = screen.page
    page.goto(f"{bench.url}/bench/dataset")
    page.check("[data-kind=garbage_exposed]")
    expect(page.locator("[data-test=export]")).to_be_disabled()  # why, is missing
    page.fill("[data-test=reason]", "重新训练")
    page.click("[data-test=export]")
    made = page.locator("[data-test=made]")
    expect(made).to_contain_text("正样本 12 张、12 个框，难例负样本 6 张", timeout=60_000)
    with page.expect_download() as download:
        made.locator("a").click()
    with zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes())) as packed:
        names = packed.namelist()
        manifest = json.loads(packed.read("dataset/manifest.json"))
        data = yaml.safe_load(packed.read("dataset/data.yaml"))
        labels = [packed.read(name).decode() for name in names if name.endswith(".txt")]
    assert (manifest["by"], manifest["reason"], manifest["kinds"]) == ("gong", "重新训练", ["garbage_exposed"])
    assert data["names"] == manifest["labels"]
    assert sorted(len(text.splitlines()) for text in labels) == [0] * 6 + [1] * 12
    assert len([name for name in names if name.endswith(".jpg")]) == 18
    sides = {(picture["camera"], picture["split"]) for picture in manifest["pictures"]}
    assert len(sides) == 2  # each camera on one side only
    assert {side for _camera, side in sides} == {"train", "val"}
    taken = [entry["action"] for entry in bench.get(bench.admin, "audit")["items"]]
    assert {"dataset-exported", "dataset-taken"} <= set(taken)
