"""Alerts over HTTP: what findings do to them, and what people do."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

from hub import alerts

from .conftest import City, jpeg


def decide(city: City, alert: str, what: str, user: str = "wang", **body: Any) -> Any:
    return city.who(user).post(f"/api/alerts/{alert}/{what}", json=body)


def test_a_finding_is_taken_in_once_by_its_id(city: City) -> None:
    finding = city.finding()
    first = city.send(finding, frame=jpeg())
    again = city.send(finding, frame=jpeg())
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == {**first.json(), "outcome": "duplicate"}


def test_later_findings_of_the_place_are_counted_and_those_of_an_open_case_attached(city: City) -> None:
    first = city.post_finding(city.finding(score=0.5), frame=jpeg(1))
    city.clock.forward(minutes=5)
    assert city.post_finding(city.finding(score=0.7), frame=jpeg(2))["outcome"] == "absorbed"
    alert = city.who("wang").get(f"/api/alerts/{first['alert']}").json()
    assert (alert["count"], alert["score"], len(alert["evidence"])) == (2, 0.7, 2)
    case = decide(city, first["alert"], "confirm").json()["case"]
    city.clock.forward(minutes=5)
    third = city.post_finding(city.finding(), frame=jpeg(3))
    assert third["outcome"] == "attached"
    assert third["case"] == case["id"]
    shown = city.who("wang").get(f"/api/cases/{case['id']}").json()
    assert len(shown["evidence"]) == 3


def test_another_zone_or_kind_is_another_problem(city: City) -> None:
    made = {city.post_finding(city.finding(**c))["alert"] for c in ({}, {"zone": "门前"}, {"kind": "goods_pile"})}
    assert len(made) == 3


def test_evidence_of_one_problem_is_bounded(city: City) -> None:
    for n in range(alerts.EVIDENCE_MOST + 3):
        taken = city.post_finding(city.finding(), frame=jpeg(n))
    shown = city.who("wang").get(f"/api/alerts/{taken['alert']}").json()
    assert len(shown["evidence"]) == alerts.EVIDENCE_MOST
    assert 'gridhub_dropped_total{stage="evidence_full"} 3' in city.who("nobody").get("/metrics").text


def test_what_the_hub_does_not_know_is_refused_by_name(city: City) -> None:
    for changes, type_, named in (
        ({"kind": "ufo"}, "unknown-kind", "ufo"),
        ({"camera": "c99"}, "unknown-source", "c99"),
        ({"camera": None, "sensor": "s99"}, "unknown-source", "s99"),
    ):
        answer = city.send(city.finding(**changes))
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"] == type_
        assert named in answer.json()["detail"]


def test_evidence_must_be_what_its_name_says(city: City) -> None:
    wire = city.finding().to_wire()
    name = hashlib.sha256(b"something else").hexdigest()
    wire["evidence"] = [{"role": "frame", "sha256": name, "media_type": "image/jpeg"}]
    worker = city.who("worker")
    forged = worker.post(
        "/api/findings", data={"finding": json.dumps(wire)}, files=[(name, (name, jpeg(), "image/jpeg"))]
    )
    assert (forged.status_code, forged.json()["type"]) == (422, "hash-mismatch")
    missing = worker.post("/api/findings", json=wire)
    assert (missing.status_code, missing.json()["type"]) == (422, "missing-evidence")
    script = b"<script>alert(1)</script>"
    name = hashlib.sha256(script).hexdigest()
    wire["evidence"][0]["sha256"] = name
    strange = worker.post(
        "/api/findings", data={"finding": json.dumps(wire)}, files=[(name, (name, script, "image/jpeg"))]
    )
    assert (strange.status_code, strange.json()["type"]) == (422, "invalid")
    assert city.who("wang").get("/api/alerts").json()["total"] == 0


def test_a_rejection_says_why_and_keeps_the_place_quiet_for_a_while(city: City) -> None:
    alert = city.post_finding(city.finding())["alert"]
    wrong = decide(city, alert, "reject", reason="because")
    assert wrong.status_code == 422
    assert "false_detection" in wrong.json()["allowed"]
    done = decide(city, alert, "reject", reason="false_detection", note="树影").json()
    assert done["state"] == "rejected"
    assert done["verdict"]["reason"] == "false_detection"
    assert done["precision"] == {"confirmed": 0, "rejected": 1}
    city.clock.forward(minutes=29)
    assert city.post_finding(city.finding())["outcome"] == "suppressed"
    city.clock.forward(minutes=2)
    assert city.post_finding(city.finding())["outcome"] == "opened"


def test_an_urgent_kind_is_never_muted(city: City) -> None:
    alert = city.post_finding(city.finding(kind="open_burning"))["alert"]
    decide(city, alert, "reject", reason="false_detection")
    city.clock.forward(seconds=30)
    assert city.post_finding(city.finding(kind="open_burning"))["outcome"] == "opened"


def test_a_finding_from_before_the_end_opens_nothing(city: City) -> None:
    """A worker that was cut off brings it after the case was closed."""
    late = city.finding()
    case = city.case(at=late.at + timedelta(seconds=1))
    city.move("wang", case["id"], "void", reason="重复")
    assert city.post_finding(late)["outcome"] == "suppressed"
    city.clock.forward(minutes=1)
    assert city.post_finding(city.finding())["outcome"] == "opened"


def test_the_second_verdict_is_told_who_was_first(city: City) -> None:
    alert = city.post_finding(city.finding())["alert"]
    assert decide(city, alert, "confirm").status_code == 200
    second = decide(city, alert, "reject", "li", reason="duplicate")
    assert second.status_code == 409
    assert second.json()["type"] == "already-decided"
    assert second.json()["by_name"] == "wang先生"
    assert "wang先生" in second.json()["detail"]


def test_a_claim_holds_for_two_minutes(city: City) -> None:
    alert = city.post_finding(city.finding())["alert"]
    assert decide(city, alert, "claim").json()["claimed_by"] == {"user": "wang", "name": "wang先生"}
    assert decide(city, alert, "claim").status_code == 200
    held = decide(city, alert, "confirm", "li")
    assert (held.status_code, held.json()["type"]) == (409, "claimed")
    city.clock.forward(minutes=2)
    assert decide(city, alert, "confirm", "li").status_code == 200


def test_unsure_leaves_it_to_somebody_else(city: City) -> None:
    alert = city.post_finding(city.finding())["alert"]
    assert decide(city, alert, "unsure").json()["state"] == "unsure"
    assert decide(city, alert, "unsure").json()["type"] == "illegal-move"
    assert city.post_finding(city.finding())["outcome"] == "absorbed"
    done = decide(city, alert, "confirm", "li", category="06011").json()
    assert done["alert"]["verdict"]["by"] == "li"
    names = {"name": "积存垃圾渣土", "en": "Accumulated garbage or rubble"}
    wanted = {"standard": "GB/T 47678.5", "code": "06011", **names}
    assert done["case"]["category"] == wanted


def test_a_verdict_can_be_taken_back_for_five_minutes(city: City) -> None:
    alert = city.post_finding(city.finding())["alert"]
    case = decide(city, alert, "confirm").json()["case"]
    assert decide(city, alert, "undo", "li").json()["type"] == "already-decided"
    back = decide(city, alert, "undo").json()
    assert (back["state"], back["case"], back["verdict"]) == ("pending_review", None, None)
    assert city.who("wang").get(f"/api/cases/{case['id']}").json()["state"] == "void"
    assert city.post_finding(city.finding())["outcome"] == "absorbed"
    again = decide(city, alert, "confirm").json()["case"]
    assert again["id"] != case["id"]
    city.clock.forward(minutes=5, seconds=1)
    assert decide(city, alert, "undo").json()["type"] == "too-late"


def test_a_verdict_stands_once_a_department_has_accepted(city: City) -> None:
    alert = city.post_finding(city.finding())["alert"]
    case = decide(city, alert, "confirm").json()["case"]
    city.move("huan", case["id"], "accept")
    assert decide(city, alert, "undo").json()["type"] == "too-late"
    assert city.who("wang").get(f"/api/alerts/{alert}").json()["state"] == "confirmed"


def test_a_rejection_cannot_be_taken_back_over_a_new_problem(city: City) -> None:
    first = city.post_finding(city.finding(kind="open_burning"))["alert"]
    decide(city, first, "reject", reason="unclear")
    assert decide(city, first, "undo").json()["state"] == "pending_review"
    decide(city, first, "reject", reason="unclear")
    city.clock.forward(minutes=1)
    assert city.post_finding(city.finding(kind="open_burning"))["outcome"] == "opened"
    answer = decide(city, first, "undo")
    assert (answer.status_code, answer.json()["type"]) == (409, "taken")


def test_similar_open_cases_are_shown(city: City) -> None:
    case = city.case(zone="门前")
    alert = city.post_finding(city.finding())["alert"]
    assert city.who("wang").get(f"/api/alerts/{alert}").json()["similar_cases"] == [case["id"]]
    far = city.post_finding(city.finding(camera="c2"))["alert"]
    assert city.who("wang").get(f"/api/alerts/{far}").json()["similar_cases"] == []


def test_the_queue_is_urgent_first_then_oldest_and_pages(city: City) -> None:
    wanted = []
    for n in range(5):
        wanted.append(city.post_finding(city.finding(zone=f"z{n}"))["alert"])
        city.clock.forward(seconds=1)
    urgent = [city.post_finding(city.finding(zone=f"u{n}", kind="open_burning"))["alert"] for n in range(2)]
    staff, seen, cursor = city.who("wang"), [], ""
    while True:
        page = staff.get(f"/api/alerts?state=pending_review&limit=2&cursor={cursor}").json()
        assert page["total"] == 7
        seen += [a["id"] for a in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = page["next_cursor"]
    assert set(seen[:2]) == set(urgent)
    assert seen[2:] == wanted
    newest = [a["id"] for a in staff.get("/api/alerts?kind=garbage_exposed&limit=3").json()["items"]]
    assert newest == wanted[:1:-1]
    assert staff.get("/api/alerts?cursor=rubbish").status_code == 422
    assert staff.get("/api/alerts?state=lost").status_code == 422
    assert staff.get(f"/api/alerts/{uuid4().hex}").status_code == 404


def test_alerts_nobody_decided_expire_and_free_the_place(city: City) -> None:
    alert = city.post_finding(city.finding())["alert"]
    city.clock.forward(days=6)
    assert alerts.expire(city.hub.house) == 0
    city.clock.forward(days=1, seconds=1)
    assert alerts.expire(city.hub.house) == 1
    assert city.who("wang").get(f"/api/alerts/{alert}").json()["state"] == "expired"
    assert city.post_finding(city.finding())["outcome"] == "opened"


def test_a_sensor_finding_takes_the_same_path(city: City) -> None:
    reading = {"prop": "fill_pct", "value": 93.0, "unit": "%"}
    sensed = city.finding(kind="bin_overflow", camera=None, sensor="s1", boxes=(), model=None, why="93 % > 90 %")
    taken = city.post_finding(replace(sensed, readings=(reading,)))
    alert = city.who("wang").get(f"/api/alerts/{taken['alert']}").json()
    assert (alert["sensor"], alert["source_name"], alert["why"]) == ("s1", "垃圾桶 7", "93 % > 90 %")
    assert alert["readings"] == [reading]
    assert alert["category"]["code"] == "06042"
