"""Staff who are limited to some grids, over HTTP on both databases: what is outside is not listed, read or decided."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from .conftest import City
from .two_streets import EAST, WEST, case_at, lay_out


@pytest.fixture
def town(city: City) -> City:
    """Two streets, each with a camera, a sensor, an alert and a case; wang has the first."""
    lay_out(city, {"wang": "east-s"})
    boss = city.who("boss")
    assert boss.patch("/api/sensors/s1", json={"lon": WEST[0], "lat": WEST[1]}).status_code == 200
    made = {"id": "s2", "name": "桶", "device": "bin-8", "profile": "bin_level", "lon": EAST[0], "lat": EAST[1]}
    assert boss.post("/api/sensors", json=made).status_code == 201
    city.sign_all_out()
    return city


def ids(city: City, path: str, user: str = "wang") -> list[str]:
    answer = city.who(user).get(path)
    assert answer.status_code == 200, answer.text
    return sorted(item["id"] for item in answer.json()["items"])


def test_what_is_outside_is_not_listed_and_not_counted(town: City) -> None:
    (mine, my_case, _), (theirs, their_case, _) = case_at(town, "c1"), case_at(town, "c2")
    waits = [town.post_finding(town.finding(camera=camera))["alert"] for camera in ("c1", "c2")]
    assert ids(town, "/api/alerts") == sorted([mine, waits[0]])
    assert ids(town, "/api/alerts", "li") == sorted([mine, theirs, *waits])
    assert ids(town, "/api/alerts?camera=c2") == []
    assert ids(town, "/api/cases") == [my_case]
    assert ids(town, "/api/cases?open=true") == [my_case]
    assert ids(town, "/api/cases", "li") == sorted([my_case, their_case])
    assert ids(town, "/api/cameras") == ["c1"]
    assert ids(town, "/api/sensors") == ["s2"]
    assert [zone["camera"] for zone in town.who("wang").get("/api/zones").json()["items"]] == ["c1"]
    for path in ("/api/alerts", "/api/cases", "/api/cameras", "/api/sensors"):
        page = town.who("wang").get(path).json()
        assert page["total"] == len(page["items"]), path
    assert town.who("li").post(f"/api/alerts/{waits[1]}/unsure", json={}).status_code == 200
    mine_only, whole = (town.who(user).get("/api/numbers").json() for user in ("wang", "li"))
    rest = {"postponed": 0, "rejected": 0}
    assert mine_only["alerts"] == {"opened": 2, "pending": 1, "unsure": 0, "confirmed": 1, **rest}
    assert whole["alerts"] == {"opened": 4, "pending": 2, "unsure": 1, "confirmed": 2, **rest}
    assert (sum(mine_only["cameras"].values()), sum(whole["cameras"].values())) == (1, 2)
    assert (sum(mine_only["cases"].values()), sum(whole["cases"].values())) == (1, 2)
    assert town.who("wang").get("/api/shift").json()["waiting"] == 1
    for layer in ("cameras", "sensors", "cases"):
        assert len(town.who("wang").get(f"/api/geojson/{layer}").json()["features"]) == 1, layer
    areas = town.who("wang").get("/api/cases/by-area").json()
    assert "west" not in json.dumps(areas)
    by_camera = town.who("wang").get("/api/learning/precision?by=camera").json()
    assert [row["camera"] for row in by_camera["items"]] == ["c1"]


def test_what_is_outside_is_named_so_and_not_read(town: City) -> None:
    (mine, my_case, my_picture), (theirs, their_case, their_picture) = case_at(town, "c1"), case_at(town, "c2")
    wang = town.who("wang")
    for path in (f"/api/alerts/{mine}", f"/api/cases/{my_case}", "/api/cameras/c1", "/api/sensors/s2"):
        assert wang.get(path).status_code == 200, path
    for path, what in (
        (f"/api/alerts/{theirs}", "alert"),
        (f"/api/alerts/{theirs}/around", "alert"),
        (f"/api/cases/{their_case}", "case"),
        ("/api/cameras/c2", "camera"),
        ("/api/cameras/c2/zones", "camera"),
        ("/api/cameras/c2/look", "camera"),
        ("/api/cameras/c2/looks/1", "camera"),
        ("/api/sensors/s1", "sensor"),
        ("/api/readings?sensor=s1", "sensor"),
    ):
        answer = wang.get(path)
        assert (answer.status_code, answer.json()["type"]) == (403, "outside-scope"), (path, answer.text)
        assert answer.json()["what"] == what
    number = town.read(their_case)["number"]
    assert wang.get(f"/api/cases/{number}").json()["type"] == "outside-scope"
    assert wang.get("/api/alerts/none").json()["type"] == "not-found"
    assert wang.get(f"/api/evidence/{my_picture}").status_code == 200
    assert wang.get(f"/api/evidence/{their_picture}").status_code == 404
    assert town.who("li").get(f"/api/evidence/{their_picture}").status_code == 200
    assert town.who("huan").get(f"/api/cases/{their_case}").status_code in (200, 404), "departments are as they were"


def test_what_is_outside_is_not_decided_looked_at_live_or_reported(town: City) -> None:
    waits = {camera: town.post_finding(town.finding(camera=camera))["alert"] for camera in ("c1", "c2")}
    _, their_case, _ = case_at(town, "c2")
    wang = town.who("wang")
    tried = [
        *((f"/api/alerts/{waits['c2']}/{what}", {"reason": "unclear"}) for what in ("reject",)),
        *((f"/api/alerts/{waits['c2']}/{what}", {}) for what in ("claim", "confirm", "unsure")),
        ("/api/alerts/reject-all", {"camera": "c2", "reason": "unclear"}),
        (f"/api/cases/{their_case}/void", {"note": "x"}),
        ("/api/live", {"camera": "c2", "reason": "duty"}),
        (f"/api/alerts/{waits['c1']}/confirm", {"into": their_case}),
    ]
    for path, body in tried:
        answer = wang.post(path, json=body)
        if answer.status_code == 422 or answer.json()["type"] == "illegal-move":
            pytest.fail(f"{path}: {answer.text}")
        assert (answer.status_code, answer.json()["type"]) == (403, "outside-scope"), (path, answer.text)
    states = {row["id"]: row["state"] for row in town.who("li").get("/api/alerts").json()["items"]}
    assert (states[waits["c1"]], states[waits["c2"]]) == ("pending_review", "pending_review")
    outside = {"channel": "hotline", "category": "06010", "description": "路边有垃圾", "address": "西街"}
    place = {"lon": WEST[0], "lat": WEST[1]}
    refused = wang.post("/api/cases", json={**outside, **place})
    assert (refused.status_code, refused.json()["type"]) == (403, "outside-scope")
    assert len(ids(town, "/api/cases", "li")) == 1, "nothing of it was written"
    assert wang.post("/api/cases", json={**outside, "lon": EAST[0], "lat": EAST[1]}).status_code == 201
    confirmed = wang.post(f"/api/alerts/{waits['c1']}/confirm", json={"separate": True})
    assert confirmed.status_code == 200, confirmed.text


@contextmanager
def listening(city: City, user: str) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """The events that come over the feed, while the block runs."""
    heard: list[tuple[str, dict[str, Any]]] = []
    begun, ended = threading.Event(), threading.Event()

    def listen() -> None:
        with city.who(user).stream("GET", "/api/feed") as answer:
            event = ""
            for line in answer.iter_lines():
                begun.set()
                if line.startswith("event: "):
                    event = line[7:]
                elif line.startswith("data: "):
                    heard.append((event, json.loads(line[6:])))
                    if heard[-1][0] == "handover":
                        ended.set()
                        return

    city.who(user)
    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    assert begun.wait(10)
    yield heard
    assert city.who("ban").post("/api/shift/handover", json={"note": "last"}).status_code == 200
    assert ended.wait(10)
    thread.join(10)


def test_the_feed_tells_nothing_of_what_is_outside(town: City) -> None:
    with listening(town, "wang") as heard, listening(town, "li") as all_heard:
        mine = town.post_finding(town.finding(camera="c1"))["alert"]
        theirs = town.post_finding(town.finding(camera="c2"))["alert"]
        case_at(town, "c1")
        case_at(town, "c2")
        at = town.clock().isoformat()
        states = [{"id": id_, "state": "stale", "since": at, "last_look_at": at} for id_ in ("c1", "c2")]
        told = {"worker": "w", "cameras": states}
        assert town.who("worker").post("/api/worker/status", json=told).status_code == 200
    assert mine in {body.get("id") for _, body in heard}
    assert theirs not in json.dumps(heard)
    assert theirs in json.dumps(all_heard)
    for event, body in heard:
        if event in ("alert", "case", "camera"):
            assert body["grid"]["id"] == "east-b", (event, body)
    assert {event for event, _ in heard} == {event for event, _ in all_heard} >= {"alert", "case", "camera"}


def test_a_scope_is_given_changed_and_taken_away(town: City) -> None:
    boss = town.who("boss")
    town.who("wang")
    assert boss.patch("/api/users/wang", json={"grids": ["east-s", "west-c"]}).status_code == 200
    assert town.who("wang").get("/api/cameras").status_code == 401, "whose scope changes signs in anew"
    town.clients.pop("wang")
    assert ids(town, "/api/cameras") == ["c1", "c2"]
    assert boss.patch("/api/users/wang", json={"grids": []}).json()["grids"] == []
    town.clients.pop("wang")
    assert ids(town, "/api/sensors") == ["s1", "s2"]
    refused = boss.patch("/api/users/wang", json={"grids": ["nowhere"]})
    assert (refused.status_code, refused.json()["field"]) == (422, "grids")
    assert boss.patch("/api/users/eng", json={"grids": ["east-s"]}).json()["grids"] == [], "of the centre's roles only"
    entry = next(e for e in boss.get("/api/audit?action=user-changed").json()["items"] if e["subject"] == "user/wang")
    assert "grids" in entry["detail"]
    roles = {role["role"]: role["by_grids"] for role in boss.get("/api/roles").json()["items"]}
    assert (roles["staff"], roles["leader"], roles["engineer"], roles["department"]) == (True, True, False, False)


def test_alarms_during_maintenance_are_told_of_ones_own_sensors(town: City) -> None:
    for sensor in ("s1", "s2"):
        until = (town.clock() + timedelta(hours=1)).isoformat()
        begun = town.who("eng").post(f"/api/sensors/{sensor}/maintenance", json={"until": until})
        assert begun.status_code == 200, begun.text
        finding = town.finding(kind="bin_overflow", camera=None, sensor=sensor, boxes=(), model=None)
        assert town.post_finding(finding)["outcome"] == "set_aside"
    told = {user: town.who(user).get("/api/set-aside").json()["items"] for user in ("wang", "li")}
    assert [item["sensor"] for item in told["wang"]] == ["s2"]
    assert {item["sensor"] for item in told["li"]} == {"s1", "s2"}


def test_timers_and_workers_see_the_whole_district(town: City) -> None:
    _, case, _ = case_at(town, "c2")
    town.who("wang").get("/api/alerts")
    town.clock.forward(days=3)
    town.sweep()
    assert town.read(case)["id"] == case
    assignment = town.who("worker").get("/api/worker/assignment").json()
    assert {camera["id"] for camera in assignment["cameras"]} == {"c1", "c2"}


def test_an_order_that_another_street_has_registered_is_told_as_such(town: City) -> None:
    told = {"channel": "hotline", "category": "06010", "description": "x", "external_id": "12345-9"}
    there = town.who("li").post("/api/cases", json={**told, "lon": WEST[0], "lat": WEST[1]})
    assert there.status_code == 201, there.text
    here = town.who("wang").post("/api/cases", json={**told, "lon": EAST[0], "lat": EAST[1]})
    assert (here.status_code, here.json()["type"]) == (403, "outside-scope")
    assert here.json()["id"] == there.json()["case"]["id"]
