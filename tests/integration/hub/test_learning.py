"""What verdicts teach, over HTTP on both databases: precision, advice, what would change, settings for workers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from .conftest import City


def verdicts(city: City, scores: dict[float, str], camera: str = "c1", **changes: Any) -> list[str]:
    """Alerts with these scores, each confirmed ("") or rejected for the reason given; ids in order."""
    ids = []
    for score, reason in scores.items():
        city.clock.forward(hours=1)
        # Each at a preset of its own, so that each is a problem of its own.
        taken = city.post_finding(city.finding(score=score, camera=camera, preset=uuid4().hex[:8], **changes))
        assert taken["outcome"] == "opened", taken
        what, body = ("reject", {"reason": reason}) if reason else ("confirm", {"separate": True})
        answer = city.who("wang").post(f"/api/alerts/{taken['alert']}/{what}", json=body)
        assert answer.status_code == 200, answer.text
        ids.append(taken["alert"])
    return ids


def test_precision_is_counted_by_kind_camera_and_hour(city: City) -> None:
    verdicts(city, {0.8: "", 0.7: "", 0.5: "false_detection", 0.6: "permitted"})
    verdicts(city, {0.9: ""}, camera="c2")
    city.post_finding(city.finding())  # waits for its verdict
    by_camera = city.who("eng").get("/api/learning/precision", params={"by": "camera"}).json()
    rows = {row["camera"]: row for row in by_camera["items"]}
    assert (rows["c1"]["right"], rows["c1"]["wrong"], rows["c1"]["unwanted"], rows["c1"]["waiting"]) == (2, 1, 1, 1)
    assert (rows["c1"]["precision"]["share"], rows["c1"]["seen_right"]["share"]) == (0.5, 0.75)
    assert (rows["c1"]["enough"], rows["c1"]["camera_name"]) == (False, "北大街")
    assert rows["c2"]["precision"]["share"] == 1.0
    assert rows["c2"]["precision"]["low"] < 0.25  # one verdict proves little
    assert by_camera["all"]["volume"] == 6
    city.post_finding(city.finding(kind="bin_overflow", camera=None, sensor="s1", boxes=(), model=None))
    by_source = city.who("eng").get("/api/learning/precision", params={"by": "kind,camera"}).json()
    names = {row["camera"]: row["camera_name"] for row in by_source["items"]}
    assert names["sensor/s1"] == city.who("eng").get("/api/sensors/s1").json()["name"]
    by_hour = city.who("eng").get("/api/learning/precision", params={"by": "hour", "kind": "garbage_exposed"}).json()
    # The clock starts at 10:00 in Shanghai; the first alert is raised an hour later.
    assert {row["hour"]: row["volume"] for row in by_hour["items"]} == {11: 1, 12: 1, 13: 1, 14: 1, 15: 2}
    assert city.who("huan").get("/api/learning/precision").status_code == 403
    wrong = city.who("eng").get("/api/learning/precision", params={"by": "colour"})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "by")


def test_what_people_report_where_a_camera_watches_stands_for_what_was_missed(city: City) -> None:
    here = {"lon": 107.6401, "lat": 35.7301}  # 14 m from camera c1
    city.report(**here)  # nobody had seen it
    verdicts(city, {0.8: ""}, camera="c1")
    city.report(lon=107.70, lat=35.70)  # no camera there
    city.report(category="09005", **here)  # nobody looks for that there
    kinds = city.who("eng").get("/api/learning/precision", params={"by": "kind"}).json()["items"]
    proxy = {row["kind"]: row["recall_proxy"] for row in kinds}["garbage_exposed"]
    assert (proxy["of"], proxy["hits"], proxy["within_m"]) == (1, 0, 60.0)
    city.clock.forward(hours=2)
    taken = city.post_finding(city.finding())
    confirmed = city.who("wang").post(f"/api/alerts/{taken['alert']}/confirm", json={}).json()
    assert confirmed["attached"]  # to the case that was reported
    kinds = city.who("eng").get("/api/learning/precision", params={"by": "kind"}).json()["items"]
    proxy = {row["kind"]: row["recall_proxy"] for row in kinds}["garbage_exposed"]
    assert (proxy["of"], proxy["hits"]) == (1, 1)


def test_a_threshold_is_advised_set_and_reaches_the_workers(city: City) -> None:
    right = verdicts(city, {round(0.6 + n / 100, 2): "" for n in range(12)})
    wrong = verdicts(city, {round(0.4 + n / 100, 2): "false_detection" for n in range(6)})
    eng = city.who("eng")
    advice = eng.get("/api/learning/kinds/garbage_exposed/advice").json()
    assert (advice["why"], advice["advised"]["score"]) == ("advised", 0.46)
    assert (advice["advised"]["kept"], advice["advised"]["confirmed"]) == (12, 12)
    assert (advice["advised"]["removed"], advice["advised"]["rejected"]) == (6, 6)
    assert advice["now"] == {"min_score": None, "from": "card"}
    assert (advice["model"], advice["judged"]) == ({"name": "street", "version": "1"}, 18)

    changed = eng.post("/api/learning/kinds/garbage_exposed/what-if", json={"min_score": 0.62}).json()
    assert (changed["effect"]["kept"], changed["effect"]["removed"]) == (10, 6)
    assert set(changed["lost"]) == set(right[:2])
    assert set(changed["gone"]) == set(wrong)

    before = city.who("worker").get("/api/worker/assignment", params={"shard": "0/1"})
    told = eng.patch("/api/kinds/garbage_exposed", json={"min_score": 0.5, "note": "41 of 42"})
    assert told.status_code == 200, told.text
    assert told.json()["look_for"]["min_score"] == 0.5
    after = city.who("worker").get("/api/worker/assignment", params={"shard": "0/1"})
    assert before.headers["ETag"] != after.headers["ETag"]
    assert after.json()["kinds"]["garbage_exposed"]["look_for"]["min_score"] == 0.5
    assert "min_score" not in before.json()["kinds"]["garbage_exposed"]["look_for"]

    only_here = eng.patch("/api/kinds/garbage_exposed", json={"min_score": 0.7, "dwell_s": 900, "camera": "c1"})
    assert [t["camera"] for t in only_here.json()["tunings"]] == [None, "c1"]
    cameras = {c["id"]: c for c in city.who("worker").get("/api/worker/assignment").json()["cameras"]}
    task = next(t for t in cameras["c1"]["tasks"] if t["kind"] == "garbage_exposed")
    assert (task["min_score"], task["dwell_s"]) == (0.7, 900)
    assert (
        eng.get("/api/learning/kinds/garbage_exposed/advice", params={"camera": "c1"}).json()["now"]["from"] == "camera"
    )

    entries = city.who("boss").get("/api/audit").json()["items"]
    tuned = [e for e in entries if e["action"] == "kind-tuned"]
    assert [e["subject"] for e in tuned] == ["kind/garbage_exposed@c1", "kind/garbage_exposed"]
    assert (tuned[1]["detail"]["before"], tuned[1]["detail"]["note"]) == ({"min_score": None}, "41 of 42")

    back = eng.patch("/api/kinds/garbage_exposed", json={"min_score": None}).json()
    assert "min_score" not in back["look_for"]
    kinds = {k["id"]: k for k in eng.get("/api/kinds").json()["items"]}
    assert kinds["garbage_exposed"]["version"] == city.hub.house.rules.versions["garbage_exposed"]


def test_scores_of_an_older_model_are_left_out(city: City) -> None:
    verdicts(city, {0.5: "", 0.6: "false_detection"}, model=("street", "1"))
    verdicts(city, {0.7: ""}, model=("street", "2"))
    advice = city.who("eng").get("/api/learning/kinds/garbage_exposed/advice").json()
    assert (advice["judged"], advice["model"]["version"], advice["why"]) == (1, "2", "too_few_confirmed")


def test_dwell_schedule_and_zone_are_tried_together_and_alone(city: City) -> None:
    verdicts(city, {0.8: ""}, boxes=((0.1, 0.5, 0.2, 0.6),))  # at 11:00
    city.clock.forward(hours=10)
    verdicts(city, {0.7: "permitted_time"}, boxes=((0.8, 0.5, 0.9, 0.6),))  # at 22:00
    body: dict[str, Any] = {"schedule": [{"from": "08:00", "to": "20:00"}], "dwell_s": 1200}
    body["zone"] = [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]
    changed = city.who("eng").post("/api/learning/kinds/garbage_exposed/what-if", json=body).json()
    assert (changed["effect"]["kept"], changed["effect"]["unwanted_removed"]) == (1, 1)
    assert changed["each"]["schedule"]["unwanted_removed"] == 1
    assert changed["each"]["zone"]["unwanted_removed"] == 1
    # Both were decided at once: for how long they would have stayed nobody knows.
    assert (changed["each"]["dwell_s"]["unknown"], changed["each"]["dwell_s"]["kept"]) == (2, 1)


def test_what_another_zone_of_the_camera_finds_is_not_lost(city: City) -> None:
    verdicts(city, {0.9: ""}, boxes=((0.1, 0.5, 0.2, 0.6),))
    left, right = ([[x, 0], [x + 0.5, 0], [x + 0.5, 1], [x, 1]] for x in (0, 0.5))

    def kept(**change: Any) -> int:
        answer = city.who("eng").post("/api/learning/kinds/garbage_exposed/what-if", json=change)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["effect"]["kept"])

    assert (kept(zone=left), kept(zone=right)) == (1, 0)
    assert kept(zone=right, beside=[{"zone": left}]) == 1
    assert kept(zone=right, beside=[{}]) == 1, "the whole picture"
    assert kept(zone=right, beside=[{"zone": left, "schedule": [{"from": "01:00", "to": "01:01"}]}]) == 0
    wrong = {"zone": right, "beside": [{"zone": left, "min_score": 0.5}]}
    assert city.who("eng").post("/api/learning/kinds/garbage_exposed/what-if", json=wrong).status_code == 422


def test_what_is_permitted_in_a_zone_counts_as_hours_in_which_nothing_is_found(city: City) -> None:
    verdicts(city, {0.8: "", 0.7: "permitted_time"})  # raised at 11:00 and 12:00

    def tried(**change: Any) -> dict[str, Any]:
        answer = city.who("eng").post("/api/learning/kinds/garbage_exposed/what-if", json=change)
        assert answer.status_code == 200, answer.text
        return dict(answer.json()["effect"])

    first = city.clock().date().isoformat()
    market = {
        "days": [1, 2, 3, 4, 5, 6, 7],
        "from": "11:30",
        "to": "24:00",
        "first": first,
        "last": first,
        "note": "市",
    }
    assert (tried(permitted=[market])["kept"], tried(permitted=[market])["unwanted_removed"]) == (1, 1)
    assert tried(permitted=[{**market, "first": "2027-06-01", "last": "2027-06-30"}])["unwanted_removed"] == 0
    # Until 12:30 the zone is watched, from 11:30 on it is permitted: an instant must suit both.
    watched = [{"from": "11:30", "to": "13:00"}]
    assert tried(permitted=[market], schedule=watched)["kept"] == 0
    wrong = {**market, "last": "2020-01-01"}
    refused = city.who("eng").post("/api/learning/kinds/garbage_exposed/what-if", json={"permitted": [wrong]})
    assert refused.status_code == 422


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"min_score": 3}, "min_score"),
        ({"schedule": [{"from": "8", "to": "20:00"}]}, "from"),
        ({"enabled": False, "camera": "c1"}, "min_score, dwell_s"),
        ({"min_score": 0.5, "camera": "nowhere"}, "nowhere"),
        ({"colour": 1}, "colour"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(city: City, body: dict[str, Any], says: str) -> None:
    answer = city.who("eng").patch("/api/kinds/garbage_exposed", json=body)
    assert answer.status_code in (404, 422)
    assert says in answer.text
    assert city.who("eng").get("/api/learning/kinds/nothing/advice").status_code == 404
    assert city.who("eng").get("/api/learning/kinds/bin_overflow/advice").status_code in (200, 422)
    assert city.who("wang").patch("/api/kinds/garbage_exposed", json={"min_score": 0.5}).status_code == 403


def test_the_command_line_says_the_same(city: City, tmp_path: Path) -> None:
    verdicts(city, {round(0.6 + n / 100, 2): "" for n in range(12)})
    verdicts(city, {round(0.4 + n / 100, 2): "false_detection" for n in range(6)})
    config = tmp_path / "hub.yaml"
    settings = city.hub.settings
    config.write_text(json.dumps({"data_dir": str(settings.data_dir), "database": settings.database}), encoding="utf-8")

    def gridhub(*args: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "hub.cli", "kinds", *args, "--config", str(config)],
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    out = gridhub("advise", "garbage_exposed", "--days", "3000")
    assert "0.46: keeps 12 of 12 confirmed, removes 6 of 6 rejected <- advised" in out
    out = gridhub("what-if", "garbage_exposed", "--score", "0.62", "--hours", "1-7/00:00-24:00", "--days", "3000")
    assert "min_score: keeps 10 of 12 confirmed, removes 6 of 6 rejected" in out
    gridhub("set", "garbage_exposed", "--score", "0.46")
    kinds = {k["id"]: k for k in city.who("eng").get("/api/kinds").json()["items"]}
    assert kinds["garbage_exposed"]["look_for"]["min_score"] == 0.46
    told = json.loads(gridhub("precision", "--days", "3000", "--json"))
    assert told["all"]["precision"]["share"] == 0.6667
    assert gridhub("set", "garbage_exposed", "--score", "file") == "garbage_exposed: min_score = None\n"
