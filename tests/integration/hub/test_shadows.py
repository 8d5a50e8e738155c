"""A shadow over HTTP on both databases: begun, fed, judged, promoted on evidence, rolled back; drift told."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml

from detectors.catalog import Catalog
from detectors.finding import Finding
from detectors.pipeline import Pipeline
from hub.config import Settings
from hub.learning import drift
from hub.worker.models import Models
from hub.worker.uplink import Refused
from tests.conftest import ROOT

from .conftest import City, furnish, jpeg, serving_hub


@pytest.fixture
def models_dir(tmp_path: Path) -> Path:
    """The shipped model, and a newer one: other bytes, so another hash."""
    folder = tmp_path / "models"
    shutil.copytree(ROOT / "models" / "street", folder / "street")
    shutil.copytree(ROOT / "models" / "street", folder / "street-b")
    card = yaml.safe_load((folder / "street-b" / "card.yaml").read_text(encoding="utf-8"))
    weights = (folder / "street-b" / card["file"]).read_bytes()
    card |= {"name": "street-b", "version": "3", "sha256": hashlib.sha256(weights).hexdigest()}
    (folder / "street-b" / "card.yaml").write_text(yaml.safe_dump(card), encoding="utf-8")
    return folder


@pytest.fixture
def town(settings: Settings, rules: Any, models_dir: Path) -> Iterator[City]:
    with serving_hub(replace(settings, models_dir=models_dir), rules) as made:
        furnish(made.hub)
        yield made


def begin(city: City) -> str:
    answer = city.who("eng").post("/api/models/street-b/shadow", json={"base": "street"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def alert(city: City, shadow: str, found_too: bool, reason: str = "") -> None:
    """A judged alert on whose looks the shadow ran, found by it too or not."""
    city.clock.forward(hours=1)
    finding = city.finding(preset=uuid4().hex[:8], shadows=(shadow,))
    taken = city.post_finding(finding)
    if found_too:
        sight(city, shadow, replace(finding, id=uuid4().hex, at=finding.at + timedelta(seconds=5), shadows=()))
    what, body = ("reject", {"reason": reason}) if reason else ("confirm", {"separate": True})
    assert city.who("wang").post(f"/api/alerts/{taken['alert']}/{what}", json=body).status_code == 200


def sight(city: City, shadow: str, finding: Finding, picture: bytes | None = None) -> dict[str, Any]:
    """As a worker posts it."""
    path, worker = f"/api/shadows/{shadow}/sightings", city.who("worker")
    if picture is None:
        answer = worker.post(path, json=finding.to_wire())
    else:
        name = hashlib.sha256(picture).hexdigest()
        files = [(name, (name, picture, "image/jpeg"))]
        answer = worker.post(path, data={"finding": json.dumps(finding.to_wire())}, files=files)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def enough(city: City, shadow: str) -> None:
    """The shadow keeps 30 of 31 and drops 20 of 25 that were wrong."""
    for _ in range(30):
        alert(city, shadow, True)
    alert(city, shadow, False)
    for n in range(25):
        alert(city, shadow, n < 5, "false_detection")


def test_a_shadow_is_judged_by_the_same_verdicts_promoted_and_rolled_back(town: City) -> None:
    shadow = begin(town)
    told = town.who("worker").get("/api/worker/assignment").json()
    assert [(s["id"], s["base"], s["model"]) for s in told["shadows"]] == [(shadow, "street", "street-b")]
    assert told["models"] == {}
    eng = town.who("eng")
    for n in range(12):
        alert(town, shadow, n < 11)
    thin = eng.post("/api/models/street-b/promote")
    assert (thin.status_code, thin.json()["why"]) == (409, "thin_judged")
    assert "needs 50 judged looks, has 12" in thin.json()["detail"]

    enough(town, shadow)
    score = eng.get(f"/api/shadows/{shadow}").json()
    assert score["refusals"] == []
    assert (score["all"]["judged"], score["all"]["both_right"], score["all"]["live_wrong"]) == (68, 41, 20)
    assert score["all"]["keeps"]["of"] == 43
    promoted = eng.post("/api/models/street-b/promote")
    assert promoted.status_code == 200, promoted.text
    after = town.who("worker").get("/api/worker/assignment").json()
    assert after["models"]["street"]["name"] == "street-b"
    assert after["shadows"] == []
    assert after["version"] != told["version"]
    listed = {m["name"]: m for m in eng.get("/api/models").json()["items"]}
    assert (listed["street-b"]["works_as"], listed["street"]["works_as"]) == (["street"], [])

    back = eng.post("/api/models/street/rollback")
    assert back.json() == {"base": "street", "from": "street-b", "to": "street"}
    assert town.who("worker").get("/api/worker/assignment").json()["models"] == {}
    assert eng.post("/api/models/street/rollback").status_code == 404
    actions = [e["action"] for e in town.who("boss").get("/api/audit", params={"limit": 500}).json()["items"]]
    assert [a for a in actions if a.startswith(("model-", "shadow-"))] == [
        "model-rolled-back", "model-promoted", "shadow-started",
    ]  # fmt: skip


def test_one_that_is_worse_is_refused_in_numbers(town: City) -> None:
    shadow = begin(town)
    for n in range(40):
        alert(town, shadow, n < 20)
    for _ in range(15):
        alert(town, shadow, False, "false_detection")
    answer = town.who("eng").post("/api/models/street-b/promote")
    assert answer.status_code == 409
    assert "worse: finds 20 of what was right, the working model 40" in answer.json()["detail"]
    assert town.who("eng").get("/api/models").json()["promotions"] == []


def test_what_it_finds_alone_is_one_problem_waits_for_a_judgement_and_opens_no_alert(town: City) -> None:
    shadow = begin(town)
    town.clock.forward(minutes=20)
    one = town.finding(score=0.5, model=("street-b", "3"))
    assert sight(town, shadow, one, jpeg())["outcome"] == "kept"
    assert sight(town, shadow, one, jpeg())["outcome"] == "absorbed"  # told twice
    later = replace(one, id=uuid4().hex, at=one.at + timedelta(minutes=10), score=0.7)
    assert sight(town, shadow, later)["sighting"] == one.id
    assert town.who("wang").get("/api/alerts").json()["total"] == 0
    (alone,) = town.who("eng").get(f"/api/shadows/{shadow}").json()["alone"]
    assert (alone["count"], alone["score"], alone["camera_name"], alone["decision"]) == (2, 0.7, "北大街", None)
    assert town.who("eng").get(alone["url"]).content == jpeg()
    wrong = town.who("eng").post(f"/api/sightings/{one.id}/judge", json={"decision": "rejected"})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "reason")
    told = {"decision": "rejected", "reason": "false_detection"}
    assert town.who("eng").post(f"/api/sightings/{one.id}/judge", json=told).status_code == 200
    assert town.who("eng").get(f"/api/shadows/{shadow}").json()["all"]["shadow_wrong"] == 1
    assert town.who("wang").post(f"/api/sightings/{one.id}/judge", json=told).status_code == 403
    # The working model finds it a little later: then it was not alone.
    town.post_finding(town.finding(since=one.since))
    assert town.who("eng").get(f"/api/shadows/{shadow}").json()["alone"] == []
    town.who("eng").delete("/api/models/street-b/shadow")
    assert sight(town, shadow, town.finding())["outcome"] == "ended"


def test_only_sound_models_that_know_the_labels_may_run(town: City, models_dir: Path) -> None:
    eng = town.who("eng")

    def refused(model: str, base: str) -> str:
        answer = eng.post(f"/api/models/{model}/shadow", json={"base": base})
        assert answer.status_code in (409, 422), answer.text
        return str(answer.json()["detail"])

    assert "street, street-b" in refused("nothing", "street")
    assert "street" in refused("street-b", "nothing")
    assert "another model" in refused("street", "street")
    path = models_dir / "street-b" / "card.yaml"
    card = yaml.safe_load(path.read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump({**card, "labels": card["labels"][:1] + list("abcde")}), encoding="utf-8")
    assert "vehicle" in refused("street-b", "street")
    path.write_text(yaml.safe_dump({**card, "sha256": "0" * 64}), encoding="utf-8")
    assert "sha256 expected 0000" in refused("street-b", "street")
    assert next(m for m in eng.get("/api/models").json()["items"] if m["name"] == "street-b")["problem"]
    path.write_text(yaml.safe_dump(card), encoding="utf-8")
    begin(town)
    assert "already" in refused("street-b", "street")
    assert eng.post("/api/models/nothing/promote").status_code == 422
    assert town.who("wang").post("/api/models/street-b/promote").status_code == 403


def test_a_worker_on_another_machine_fetches_the_model(town: City, tmp_path: Path) -> None:
    def fetch(model: str, what: str) -> bytes:
        answer = town.who("worker").get(f"/api/worker/models/{model}/{what}")
        if answer.status_code != 200:
            raise Refused(answer.text)
        return bytes(answer.content)

    models = Models(ROOT / "models", tmp_path / "fetched", fetch)
    pipeline = Pipeline(town.hub.house.rules.kinds, models.model, None, town.hub.settings.timezone)
    pipeline._models["street"] = models.model("street")
    works = Catalog(town.hub.settings.models_dir).card("street-b")
    models.assign({"street": {"name": "street-b", "version": "3", "sha256": works.sha256}}, [], pipeline)
    assert (pipeline._models["street"].name, models.problems) == ("street-b", 0)
    assert (tmp_path / "fetched" / "street-b" / "card.yaml").is_file()
    gone = {"street": {"name": "street-c", "version": "1", "sha256": "1" * 64}}
    models.assign(gone, [], pipeline)
    assert (pipeline._models["street"].name, models.problems) == ("street", 1)  # the shipped one, rather than none
    assert town.who("eng").get("/api/worker/models/street-b/weights").status_code == 403
    assert town.who("worker").get("/api/worker/models/street-b/record").status_code == 404


def test_scores_that_moved_are_told_to_engineers_until_they_settle(city: City) -> None:
    usual, other = [40] * 5 + [10] * 15, [5] * 10 + [40] * 10
    worker, house = city.who("worker"), city.hub.house

    def day(bins: list[int]) -> None:
        row = {"camera": "c1", "model": "street", "version": "2", "label": "garbage", "bins": bins}
        stray = {**row, "camera": "unknown"}
        assert worker.post("/api/worker/scores", json={"rows": [row, stray]}).status_code == 200
        city.clock.forward(days=1)

    for _ in range(20):
        day(usual)
    assert drift.watch(house) == 0
    for _ in range(7):
        day(other)
    assert drift.watch(house) == 1
    (told,) = city.who("eng").get("/api/learning/drift").json()["items"]
    assert (told["camera_name"], told["label"], told["model"]) == ("北大街", "garbage", "street")
    assert told["psi"] > 0.25
    assert drift.watch(house) == 1  # told once
    assert [e["action"] for e in city.who("boss").get("/api/audit").json()["items"]].count("drift-told") == 1
    for _ in range(30):
        day(other)  # the new usual
    assert drift.watch(house) == 0
    bad = {"camera": "c1", "model": "street", "version": "2", "label": "garbage", "bins": [1]}
    assert worker.post("/api/worker/scores", json={"rows": [bad]}).status_code == 422
