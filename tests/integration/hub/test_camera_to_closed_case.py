"""The whole path over HTTP: finding, alert, confirm, case, answer, second look, closed."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any

from hub.store.chain import broken_at

from .conftest import City, jpeg


def test_from_finding_to_closed_case(city: City) -> None:
    frame, before = jpeg(10), jpeg(20)
    taken = city.post_finding(city.finding(), frame=frame, before=before)
    assert taken["outcome"] == "opened"

    staff = city.who("wang")
    queue = staff.get("/api/alerts?state=pending_review").json()
    assert queue["total"] == 1
    alert = queue["items"][0]
    assert alert["kind_name"]["zh"] == "暴露垃圾"
    assert alert["category"]["code"] == "06010"
    assert [e["role"] for e in alert["evidence"]] == ["frame", "before"]
    assert staff.get(alert["evidence"][0]["url"]).content == frame

    done = staff.post(f"/api/alerts/{alert['id']}/confirm", json={"note": "确认"}).json()
    case = done["case"]
    assert case["number"] == "6210022026112300001"
    assert case["state"] == "dispatched"
    assert case["department"] == {"id": "sanitation", "name": "环卫中心", "name_en": "Sanitation centre"}
    assert [line["by_name"] for line in case["history"]] == ["wang先生", "系统"]
    assert case["deadline"] == "2026-11-23T08:00:00+00:00"  # 10:00 + 4工作时 with the lunch break = 16:00

    mine = city.who("huan").get("/api/cases?open=true").json()
    assert [c["id"] for c in mine["items"]] == [case["id"]]
    assert [a["action"] for a in mine["items"][0]["actions"]] == ["accept", "return", "transfer"]
    assert city.who("zhao").get("/api/cases").json()["total"] == 0
    assert city.who("zhao").get(f"/api/cases/{case['id']}").status_code == 404

    city.move("huan", case["id"], "accept")
    city.clock.forward(minutes=30)
    photo = jpeg(30)
    answer = city.who("huan").post(
        f"/api/cases/{case['id']}/feedback", data={"text": "已清理"}, files=[("photos", ("a.jpg", photo, "image/jpeg"))]
    )
    assert answer.status_code == 200, answer.text
    case = answer.json()
    assert case["state"] == "checking"
    assert case["recheck"]["state"] == "waiting"
    assert not case["overdue"]
    assert city.who("huan").get(f"/api/evidence/{hashlib.sha256(photo).hexdigest()}").content == photo

    worker = city.who("worker")
    todo = worker.get("/api/worker/assignment").json()["rechecks"]
    assert todo[0]["camera"] == "c1"
    assert todo[0]["frame"] == hashlib.sha256(frame).hexdigest()
    assert todo[0]["before"] == hashlib.sha256(before).hexdigest()
    early = _look(city, todo[0]["id"], city.clock() - timedelta(seconds=1), present=False)
    assert early.status_code == 422
    assert early.json()["type"] == "too-early"
    for n in range(3):
        city.clock.forward(seconds=10)
        look = _look(city, todo[0]["id"], city.clock(), present=False, picture=jpeg(100 + n))
        assert look.status_code == 200, look.text
    assert look.json()["proposal"] == "close"
    assert worker.get("/api/worker/assignment").json()["rechecks"] == []
    assert _look(city, todo[0]["id"], city.clock() + timedelta(seconds=1), present=True).json()["proposal"] == "close"

    closed = city.move("wang", case["id"], "close", note="已清除")
    assert closed["state"] == "closed"
    assert [a["action"] for a in closed["actions"]] == ["reopen"]
    assert [e["role"] for e in closed["evidence"]].count("after") == 3
    assert [line["action"] for line in closed["history"]] == [
        "file", "dispatch", "accept", "feedback", "check", "close",
    ]  # fmt: skip
    with city.hub.house.db.read() as tx:
        assert broken_at(tx) is None


def _look(city: City, recheck: str, at: Any, *, present: bool, picture: bytes | None = None) -> Any:
    look = {"captured_at": at.isoformat(), "present": present, "score": 0.1, "boxes": [], "why": "nothing there"}
    worker, url = city.who("worker"), f"/api/rechecks/{recheck}/looks"
    if picture is None:
        return worker.post(url, json=look)
    name = hashlib.sha256(picture).hexdigest()
    return worker.post(url, data={"look": json.dumps(look)}, files=[(name, (name, picture, "image/jpeg"))])
