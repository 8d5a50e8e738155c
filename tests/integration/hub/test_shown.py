"""Answers hold what `hub/api/shown.py` says, and nothing else: the page's types are made from it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from hub.api import shown, shown_cases

from .conftest import City, jpeg

Model = Any
ROOT = Path(__file__).parents[3]


def holds(model: Model, value: Any) -> None:
    """Raises ValidationError where the value has a field more, a field less, or one of another type."""
    TypeAdapter(model).validate_python(value)


def test_answers_of_the_desk(city: City) -> None:
    wang, now = city.who("wang"), city.clock()
    city.post_finding(city.finding(), frame=jpeg(1), before=jpeg(2))
    city.post_finding(city.finding(kind="goods_pile", zone="门前"), frame=jpeg(3))
    near = city.post_finding(city.finding(camera="c2"), frame=jpeg(4))["alert"]
    page = wang.get("/api/alerts").json()
    assert page["total"] == 3
    holds(shown.Page[shown.Alert], page)
    holds(shown.Alert, wang.post(f"/api/alerts/{near}/claim").json())
    until = (now + timedelta(minutes=30)).isoformat()
    holds(shown.Alert, wang.post(f"/api/alerts/{near}/postpone", json={"until": until}).json())
    holds(shown_cases.Confirmed, wang.post(f"/api/alerts/{near}/confirm", json={}).json())
    again = city.post_finding(city.finding(camera="c2", zone="二"), frame=jpeg(5))["alert"]
    around = wang.get(f"/api/alerts/{again}/around").json()
    assert [case["state"] for case in around["cases"]] == ["dispatched"]
    holds(shown.Around, around)
    holds(shown.Alert, wang.post(f"/api/alerts/{again}/reject", json={"reason": "duplicate"}).json())
    holds(shown.Rejected, wang.post("/api/alerts/reject-all", json={"camera": "c1", "reason": "unclear"}).json())
    holds(shown.Shift, wang.get("/api/shift").json())
    left = wang.post("/api/shift/handover", json={"note": "c2 在修"}).json()
    holds(shown.Handover, left)
    holds(shown.Handover, city.who("li").post(f"/api/shift/handovers/{left['id']}/take").json())
    holds(shown.Shift, city.who("li").get("/api/shift").json())


def test_answers_about_cases(city: City) -> None:
    staff, unit = city.who("wang"), city.who("huan")
    city.hub.registry.import_grids(json.loads((ROOT / "configs" / "demo" / "grids.geojson").read_text()))
    found = city.case()
    case = f"/api/cases/{found['id']}"
    holds(shown_cases.WholeCase, unit.post(f"{case}/accept", json={}).json())
    until = (city.clock() + timedelta(days=3)).isoformat()
    asked = city.who("lead").post(f"{case}/suspend", json={"until": until, "reason": "等管线迁改"})
    holds(shown_cases.WholeCase, asked.json())
    waiting = staff.get("/api/cases/requests?mine=true").json()
    assert [r["yours"] for r in waiting["items"]] == [True]
    holds(shown_cases.Requests, waiting)
    holds(shown_cases.WholeCase, staff.post(f"{case}/deny", json={"reason": "不符合条件"}).json())
    joined = staff.post(f"{case}/join", json={"department": "enforcement", "text": "取缔摊点"}).json()
    assert [part["state"] for part in joined["parts"]] == ["dispatched"]
    holds(shown_cases.WholeCase, joined)
    photo = [("photos:after", ("a.jpg", jpeg(9), "image/jpeg"))]
    answered = unit.post(f"{case}/feedback", data={"text": "已清理", "reason": "会办单位另行反馈"}, files=photo).json()
    (line,) = [entry for entry in answered["history"] if entry["action"] == "feedback"]
    assert (answered["recheck"]["state"], len(line["evidence"])) == ("waiting", 1)
    holds(shown_cases.WholeCase, answered)
    recheck, look = answered["recheck"]["id"], {"present": False, "score": 0.1, "boxes": [], "why": "clean"}
    city.clock.forward(minutes=1)
    look |= {"captured_at": city.clock().isoformat()}
    assert city.who("worker").post(f"/api/rechecks/{recheck}/looks", json=look).is_success
    holds(shown_cases.WholeCase, city.who("boss").post(f"{case}/force_close", json={"reason": "已解决"}).json())
    holds(shown_cases.WholeCase, city.who("ban").put(f"{case}/hold", json={"held": True, "reason": "诉讼"}).json())
    again = staff.post(f"{case}/reopen", json={"reason": "又出现"}).json()
    assert [link["relation"] for link in again["links"]] == ["reopened_from"]
    holds(shown_cases.WholeCase, again)


def test_answers_about_reports_and_lists_of_cases(city: City) -> None:
    accepts = city.who("shou")
    told = {"channel": "hotline", "category": "06010", "description": "路边有垃圾", "address": "东大街5号"}
    caller = {"reporter": {"name": "刘", "phone": "13900001234"}, "external_id": "12345-7", "request_id": "r-1"}
    reported = accepts.post("/api/cases", json={**told, **caller, "lon": 107.64, "lat": 35.73}).json()
    assert reported["case"]["reports"][0]["reporter"]["phone"] == "13900001234"
    holds(shown_cases.Reported, reported)
    repeated = accepts.post("/api/cases", json={**told, **caller}).json()
    assert repeated["outcome"] == "repeated"
    holds(shown_cases.Reported, repeated)
    case = f"/api/cases/{reported['case']['id']}"
    holds(shown_cases.WholeCase, accepts.post(f"{case}/verify", json={"assignee": "wangge"}).json())
    verified = city.who("wangge").post(f"{case}/verified", json={"result": "present", "text": "属实"}).json()
    assert verified["visits"][0]["result_name"]["zh"] == "存在"
    holds(shown_cases.WholeCase, verified)
    holds(shown_cases.WholeCase, accepts.post(f"{case}/file", json={"category": "06010"}).json())
    returned = {"reason": "不属本单位", "request_id": "u-1"}
    for _ in range(2):
        answer = city.who("lead").post(f"{case}/return", json=returned)
        assert answer.status_code == 200, answer.text
        holds(shown_cases.WholeCase | shown_cases.CaseNumber, answer.json())
    holds(shown.Page[shown_cases.Case], city.who("boss").get("/api/cases").json())
    holds(shown.Page[shown_cases.Case], city.who("huan").get("/api/cases").json())
    holds(shown_cases.WholeCase, city.who("ling").get(case).json())
    holds(shown_cases.CasesByArea, city.who("boss").get("/api/cases/by-area?by=street").json())
    holds(shown_cases.CaseWords, city.who("huan").get("/api/cases/words").json())


def test_answers_about_devices(city: City) -> None:
    engineer = city.who("eng")
    at = city.clock().isoformat()
    worker = city.who("worker")
    state = {
        "id": "c1",
        "state": "blurred",
        "since": at,
        "message": "soft",
        "why": {"code": "blurred", "values": {"share": 0.4}},
    }
    heard = {
        "id": "s1",
        "state": "online",
        "last_seen": at,
        "values": {"fill_pct": 91},
        "battery": {"pct": 40, "level": "low"},
    }
    body = {"worker": "w", "cameras": [state], "sensors": [heard], "counters": {}}
    assert worker.post("/api/worker/status", json=body).status_code == 200
    for minute in range(3):
        headers = {"X-Captured-At": (city.clock() + timedelta(minutes=minute)).isoformat()}
        assert worker.put("/api/cameras/c1/look", content=jpeg(minute), headers=headers).status_code == 200
    until = (city.clock() + timedelta(hours=2)).isoformat()
    assert engineer.post("/api/sensors/s1/maintenance", json={"until": until, "note": "换电池"}).status_code == 200
    holds(shown.Page[shown.Camera], engineer.get("/api/cameras").json())
    holds(shown.Camera, engineer.get("/api/cameras/c1").json())
    holds(shown.Camera, engineer.patch("/api/cameras/c1", json={"every_s": 20}).json())
    holds(shown.Page[shown.Sensor], engineer.get("/api/sensors").json())
    holds(shown.Sensor, engineer.patch("/api/sensors/s1", json={"name": "七号桶"}).json())
    holds(shown.Page[shown.Zone], engineer.get("/api/zones").json())
    drawn = {"camera": "c2", "name": "路口", "points": [[0, 0], [1, 0], [1, 1]]}
    holds(shown.Zone, engineer.post("/api/zones", json=drawn).json())
