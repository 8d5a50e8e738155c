"""Answers hold what `hub/api/shown.py` says, and nothing else: the page's types are made from it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter

from hub.api import shown

from .conftest import City, jpeg

Model = Any


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
    holds(shown.Confirmed, wang.post(f"/api/alerts/{near}/confirm", json={}).json())
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
