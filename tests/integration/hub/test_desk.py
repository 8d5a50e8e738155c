"""The desk over HTTP: claims that move with the eye, putting off, merging, a broken camera's alerts, shifts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from .conftest import City, jpeg


def opened(city: City, camera: str = "c1", **changes: Any) -> str:
    return str(city.post_finding(city.finding(camera=camera, **changes), frame=jpeg())["alert"])


def act(city: City, alert: str, what: str, user: str = "wang", **body: Any) -> Any:
    return city.who(user).post(f"/api/alerts/{alert}/{what}", json=body)


def read(city: City, alert: str) -> dict[str, Any]:
    return dict(city.who("boss").get(f"/api/alerts/{alert}").json())


def test_who_claims_the_next_one_lets_go_of_the_one_before(city: City) -> None:
    first, second = opened(city), opened(city, "c2")
    assert act(city, first, "claim").json()["claimed_by"]["user"] == "wang"
    refused = act(city, first, "confirm", "li")
    assert (refused.status_code, refused.json()["by"]) == (409, "wang")
    act(city, second, "claim")
    assert read(city, first)["claimed_by"] is None
    assert act(city, first, "claim", "li").status_code == 200
    assert city.who("wang").post("/api/alerts/release").json() == {"released": 1}
    assert act(city, second, "reject", "li", reason="unclear").status_code == 200


def test_a_claim_is_not_written_again_and_again(city: City) -> None:
    alert = opened(city)
    for _ in range(5):
        act(city, alert, "claim")
    entries = city.who("shen").get("/api/audit").json()["items"]
    assert sum(e["action"] == "alert-claimed" for e in entries) == 1
    city.clock.forward(seconds=90)
    act(city, alert, "claim")
    city.clock.forward(seconds=90)
    assert read(city, alert)["claimed_by"]["user"] == "wang", "a claim that is renewed holds"


def test_a_claim_that_ones_own_verdict_overtook_does_nothing(city: City) -> None:
    alert = opened(city)
    act(city, alert, "reject", reason="unclear")
    late = act(city, alert, "claim")
    assert (late.status_code, late.json()["state"], late.json()["claimed_by"]) == (200, "rejected", None)
    assert act(city, alert, "claim", "li").status_code == 409


def test_an_alert_is_put_off_within_limits_and_let_go_of(city: City) -> None:
    alert, urgent = opened(city), opened(city, kind="open_burning")
    act(city, alert, "claim")
    in_an_hour = (city.clock() + timedelta(hours=1)).isoformat()
    shown = act(city, alert, "postpone", until=in_an_hour).json()
    assert (shown["state"], shown["claimed_by"]) == ("pending_review", None)
    assert shown["postponed_until"] == in_an_hour
    assert city.who("wang").get("/api/shift").json()["postponed"] == 1
    refused = act(city, urgent, "postpone", until=in_an_hour)
    assert refused.status_code == 422
    assert "15 minutes" in refused.json()["detail"]
    assert act(city, alert, "postpone", until=city.clock().isoformat()).status_code == 422
    assert act(city, alert, "confirm", "li").json()["alert"]["postponed_until"] is None


def test_an_alert_is_merged_into_the_case_that_a_person_chose(city: City) -> None:
    case = city.case()
    other = opened(city, "c2", kind="goods_pile", zone="x")  # of another class, far away: never the same by itself
    merged = act(city, other, "confirm", into=case["id"]).json()
    assert merged["attached"] is True
    assert merged["case"]["id"] == case["id"]
    assert merged["case"]["report_count"] == 2
    assert {e["sha256"] for e in read(city, other)["evidence"]} <= {
        e["sha256"] for e in city.read(case["id"])["evidence"]
    }
    assert act(city, other, "undo").json()["case"] is None
    assert city.read(case["id"])["report_count"] == 1
    city.move("boss", case["id"], "void", reason="测试")
    refused = act(city, other, "confirm", into=case["id"])
    assert (refused.status_code, refused.json()["field"]) == (422, "into")
    assert read(city, other)["state"] == "pending_review"
    assert act(city, other, "confirm", into="nowhere").status_code == 404


def test_the_alerts_of_a_broken_camera_are_rejected_at_once_but_not_one_in_anothers_hand(city: City) -> None:
    ids = [opened(city, zone=zone) for zone in ("a", "b", "c")]
    elsewhere = opened(city, "c2")
    act(city, ids[1], "claim", "li")
    body = {"camera": "c1", "reason": "unclear", "note": "镜头被遮挡"}
    assert city.who("wang").post("/api/alerts/reject-all", json=body).json() == {"rejected": 2, "left": 1}
    assert [read(city, id_)["state"] for id_ in (*ids, elsewhere)] == [
        "rejected",
        "pending_review",
        "rejected",
        "pending_review",
    ]
    assert read(city, ids[0])["verdict"]["reason"] == "unclear"
    for wrong in ({"camera": "c9", "reason": "unclear"}, {"camera": "c1", "reason": "tired"}):
        assert city.who("wang").post("/api/alerts/reject-all", json=wrong).status_code in (404, 422)
    assert city.who("eng").post("/api/alerts/reject-all", json=body).status_code == 403


def test_a_camera_keeps_its_last_looks_as_a_film(city: City) -> None:
    alert = opened(city)
    for minute in range(12):
        at = city.clock()
        city.who("worker").put(
            "/api/cameras/c1/look", content=jpeg(10 * minute), headers={"X-Captured-At": at.isoformat()}
        )
        city.clock.forward(minutes=1)
    looks = city.who("wang").get(f"/api/alerts/{alert}/around").json()["looks"]
    assert len(looks) == 8
    assert [look["at"] for look in looks] == sorted((look["at"] for look in looks), reverse=True)
    assert city.who("wang").get(looks[0]["url"]).content == jpeg(100)
    assert city.who("wang").get("/api/cameras/c1/looks/1").status_code == 404
    city.clock.forward(days=2)
    assert city.who("wang").get(f"/api/alerts/{alert}/around").json()["looks"] == []


def test_a_shift_counts_its_verdicts_and_hands_over(city: City) -> None:
    wang = city.who("wang")
    assert wang.get("/api/shift").json()["figures"]["since"] is None
    ids = [opened(city, zone=zone) for zone in "abcd"]
    act(city, ids[0], "reject", reason="false_detection")
    act(city, ids[1], "reject", reason="false_detection")
    act(city, ids[1], "undo")
    act(city, ids[1], "unsure")
    act(city, ids[2], "confirm")
    act(city, ids[3], "claim")
    city.clock.forward(hours=8)
    act(city, ids[3], "claim")
    figures = wang.get("/api/shift").json()["figures"]
    assert {k: figures[k] for k in ("confirmed", "rejected", "unsure")} == {"confirmed": 1, "rejected": 1, "unsure": 1}
    assert figures["reasons"] == {"false_detection": 1}
    left = wang.post("/api/shift/handover", json={"note": " 东大街在施工 "}).json()
    assert (left["note"], left["waiting"], left["unsure"]) == ("东大街在施工", 1, 1)
    assert read(city, ids[3])["claimed_by"] is None, "nothing stays in the hand of who has left"
    assert wang.get("/api/shift").json()["figures"]["confirmed"] == 0, "the next shift begins at nothing"
    assert wang.post(f"/api/shift/handovers/{left['id']}/take").status_code == 409
    assert city.who("li").get("/api/shift").json()["handover"]["note"] == "东大街在施工"
    taken = city.who("li").post(f"/api/shift/handovers/{left['id']}/take").json()
    assert taken["taken_by"] == "li"
    assert city.who("shou").post(f"/api/shift/handovers/{left['id']}/take").status_code == 409


def test_the_time_from_claim_to_verdict_is_kept_with_it(city: City) -> None:
    wang = city.who("wang")

    def decided(seconds: float | None, act: str = "reject", **body: Any) -> dict[str, Any]:
        alert = city.post_finding(city.finding(zone=uuid4().hex))["alert"]
        if seconds is not None:
            assert wang.post(f"/api/alerts/{alert}/claim").status_code == 200
            city.clock.forward(seconds=seconds)
        answer = wang.post(f"/api/alerts/{alert}/{act}", json=body or {"reason": "unclear"}).json()
        return dict(answer.get("alert", answer))

    def median() -> Any:
        return wang.get("/api/shift").json()["figures"]["median_ms"]

    assert median() is None
    assert decided(None)["verdict"]["took_ms"] is None, "nobody looked at it first"
    assert median() is None
    last = decided(2.5, "confirm", note="")
    assert last["verdict"]["took_ms"] == 2500
    decided(6.0)
    decided(4.0, "unsure", note="看不清")
    assert median() == 4000
    assert wang.post(f"/api/alerts/{last['id']}/undo").json()["verdict"] is None
    assert median() == 5000
    assert wang.post("/api/shift/handover", json={"note": ""}).json()["figures"]["median_ms"] == 5000


def test_a_claim_that_is_renewed_counts_from_its_beginning_and_a_new_one_anew(city: City) -> None:
    wang, alert = city.who("wang"), city.post_finding(city.finding())["alert"]

    def claim(who: Any, after_s: float) -> None:
        city.clock.forward(seconds=after_s)
        assert who.post(f"/api/alerts/{alert}/claim").status_code == 200

    claim(wang, 0)
    claim(wang, 90)
    claim(wang, 90)
    wang.post("/api/alerts/release")
    claim(city.who("li"), 5)
    claim(wang, 200)
    claim(wang, 90)
    city.clock.forward(seconds=30)
    verdict = wang.post(f"/api/alerts/{alert}/reject", json={"reason": "unclear"}).json()["verdict"]
    assert verdict["took_ms"] == 120_000


@pytest.mark.parametrize("user", ["eng", "huan", "shen"])
def test_the_desk_is_for_those_who_decide(city: City, user: str) -> None:
    assert city.who(user).get("/api/shift").status_code == 403
