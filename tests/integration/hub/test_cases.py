"""Cases over HTTP: the moves people make, the clock, the second look, and who sees what."""

from __future__ import annotations

from .conftest import City, jpeg


def test_a_returned_case_pauses_the_clock_and_another_department_begins_anew(city: City) -> None:
    case = city.case()  # dispatched at 10:00, 4工作时, deadline 16:00
    city.clock.forward(hours=1)
    back = city.move("huan", case["id"], "return", reason="不属本单位")
    assert (back["state"], back["department"], back["clock_running"]) == ("filed", None, False)
    assert city.who("huan").get("/api/cases").json()["total"] == 0
    city.clock.forward(hours=5)  # 16:00
    again = city.move("wang", case["id"], "dispatch", department="sanitation")
    assert again["deadline"] == "2026-11-24T01:00:00+00:00"  # 3 h left: 2 today, 1 tomorrow from 08:00
    city.move("huan", case["id"], "return", reason="不属本单位")
    other = city.move("wang", case["id"], "dispatch", department="enforcement")
    assert other["deadline"] == "2026-11-24T02:00:00+00:00"  # 4 h: 2 today, 2 tomorrow
    assert other["department"]["name"] == "综合执法局"
    assert [c["id"] for c in city.who("zhao").get("/api/cases").json()["items"]] == [case["id"]]


def test_the_answer_stops_the_clock_and_a_rework_resumes_it(city: City) -> None:
    case = city.case()
    city.move("huan", case["id"], "accept")
    city.clock.forward(hours=1)
    answered = city.move("huan", case["id"], "feedback", text="已清理")
    assert answered["state"] == "checking"
    city.clock.forward(days=1)
    assert not city.who("wang").get(f"/api/cases/{case['id']}").json()["overdue"]
    again = city.move("wang", case["id"], "rework", reason="仍有垃圾")
    assert (again["state"], again["rework_count"], again["department"]["id"]) == ("dispatched", 1, "sanitation")
    assert again["deadline"] == "2026-11-24T08:00:00+00:00"  # 3 h left from 11:00 with the lunch break
    assert again["recheck"]["state"] == "done"
    city.clock.forward(hours=6)
    late = city.who("wang").get(f"/api/cases/{case['id']}").json()
    assert late["overdue"]
    assert late["remaining_s"] == -3600
    assert late["used_pct"] > 100


def test_looks_that_still_show_it_propose_rework_and_a_person_decides(city: City) -> None:
    case = city.case()
    city.move("huan", case["id"], "accept")
    city.move("huan", case["id"], "feedback", text="已清理")
    recheck = city.who("worker").get("/api/worker/assignment").json()["rechecks"][0]
    for _ in range(3):
        city.clock.forward(seconds=10)
        look = {"captured_at": city.clock().isoformat(), "present": True, "score": 0.9, "boxes": [[0, 0, 1, 1]]}
        look |= {"why": "原位置仍可见（90%）", "said": {"code": "seen", "values": {"share": 90}}}
        answer = city.who("worker").post(f"/api/rechecks/{recheck['id']}/looks", json=look)
        again = city.who("worker").post(f"/api/rechecks/{recheck['id']}/looks", json=look)
        assert answer.status_code == again.status_code == 200
    shown = city.who("wang").get(f"/api/cases/{case['id']}").json()
    assert shown["state"] == "checking"
    assert (shown["recheck"]["proposal"], len(shown["recheck"]["looks"])) == ("rework", 3)
    assert shown["recheck"]["looks"][0]["said"] == {"code": "seen", "values": {"share": 90}}
    assert city.move("wang", case["id"], "close", note="现场已核")["state"] == "closed"


def test_a_second_answer_gets_a_second_re_check(city: City) -> None:
    case = city.case()
    for n in range(2):
        city.move("huan", case["id"], "accept")
        city.clock.forward(minutes=1)
        city.move("huan", case["id"], "feedback", text=f"第{n + 1}次")
        todo = city.who("worker").get("/api/worker/assignment").json()["rechecks"]
        assert len(todo) == 1
        assert todo[0]["not_before"] == city.clock().isoformat()
        city.move("wang", case["id"], "rework", reason="仍有垃圾")
    assert city.who("worker").get("/api/worker/assignment").json()["rechecks"] == []


REFUSED: tuple[tuple[str, str, dict[str, str], int, str], ...] = (
    ("wang", "close", {}, 409, "illegal-move"),
    ("huan", "feedback", {"text": "x"}, 409, "illegal-move"),
    ("huan", "close", {}, 403, "forbidden"),
    ("wang", "accept", {}, 403, "forbidden"),
    ("eng", "void", {"reason": "x"}, 403, "forbidden"),
    ("zhao", "accept", {}, 404, "not-found"),
    ("wang", "void", {}, 422, "invalid"),
    ("huan", "return", {"reason": "  "}, 422, "invalid"),
    ("wang", "explode", {}, 422, "invalid"),
    ("wang", "void", {"raison": "x"}, 422, "invalid"),
    ("worker", "accept", {}, 403, "forbidden"),
    ("nobody", "accept", {}, 401, "not-signed-in"),
)


def test_moves_that_are_refused(city: City) -> None:
    case = city.case()
    for user, action, body, status, type_ in REFUSED:
        answer = city.who(user).post(f"/api/cases/{case['id']}/{action}", json=body)
        assert (answer.status_code, answer.json()["type"]) == (status, type_), (user, action, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        if type_ == "illegal-move":
            assert (answer.json()["state"], answer.json()["action"]) == ("dispatched", action)
            assert answer.json()["allowed"] == ["accept", "return", "transfer", "join", "void", "force_close"]
    assert city.who("wang").get(f"/api/cases/{case['id']}").json()["state"] == "dispatched"


def test_a_dispatch_needs_a_department_that_exists(city: City) -> None:
    case = city.case()
    city.move("huan", case["id"], "return", reason="不属本单位")
    answer = city.who("wang").post(f"/api/cases/{case['id']}/dispatch", json={"department": "ghosts"})
    assert answer.status_code == 422
    assert "sanitation" in answer.json()["allowed"]
    assert city.who("wang").post(f"/api/cases/{case['id']}/dispatch", json={}).status_code == 422


def test_photos_of_an_answer_must_be_pictures(city: City) -> None:
    case = city.case()
    city.move("huan", case["id"], "accept")
    files = [("photos", ("a.jpg", b"<html>", "image/jpeg"))]
    answer = city.who("huan").post(f"/api/cases/{case['id']}/feedback", data={"text": "已清理"}, files=files)
    assert answer.status_code == 422
    files = [("photos", ("a.jpg", jpeg(1), "image/jpeg")), ("photos", ("b.jpg", jpeg(2), "image/jpeg"))]
    answer = city.who("huan").post(f"/api/cases/{case['id']}/feedback", data={"text": "已清理"}, files=files)
    assert [e["role"] for e in answer.json()["evidence"]] == ["photo", "photo"]
    assert len(answer.json()["history"][-2]["evidence"]) == 2


def test_a_closed_place_can_have_a_new_problem(city: City) -> None:
    first = city.case()
    city.move("wang", first["id"], "void", reason="误报")
    city.clock.forward(minutes=1)
    second = city.case()
    assert second["id"] != first["id"]
    assert second["number"][-5:] == "00002"


def test_lists_are_by_deadline_and_page(city: City) -> None:
    made = []
    for n in range(5):
        made.append(city.case(zone=f"z{n}")["id"])
        city.clock.forward(minutes=1)
    city.move("wang", made[2], "void", reason="误报")
    seen, cursor = [], ""
    while cursor is not None:
        page = city.who("wang").get(f"/api/cases?open=true&limit=3&cursor={cursor}").json()
        seen += [c["id"] for c in page["items"]]
        cursor = page["next_cursor"]
    assert seen == [made[n] for n in (0, 1, 3, 4)]
    closed = city.who("wang").get("/api/cases?state=void").json()["items"]
    assert [c["id"] for c in closed] == [made[2]]
    assert city.who("eng").get("/api/cases?department=sanitation&open=true").json()["total"] == 4
    assert city.who("wang").get("/api/cases?state=lost").status_code == 422
    by_number = city.who("wang").get(f"/api/cases/{closed[0]['number']}").json()
    assert by_number["id"] == made[2]


def test_evidence_of_other_departments_stays_hidden(city: City) -> None:
    picture = jpeg(77)
    taken = city.post_finding(city.finding(), frame=picture)
    url = city.who("wang").get(f"/api/alerts/{taken['alert']}").json()["evidence"][0]["url"]
    assert city.who("huan").get(url).status_code == 404
    city.who("wang").post(f"/api/alerts/{taken['alert']}/confirm", json={})
    assert city.who("huan").get(url).content == picture
    assert city.who("zhao").get(url).status_code == 404
    assert city.who("worker").get(url).content == picture
    assert city.who("nobody").get(url).status_code == 401
    answer = city.who("wang").get(url)
    assert answer.headers["content-type"] == "image/jpeg"
    assert "immutable" in answer.headers["cache-control"]


def test_figures_of_the_day_and_for_prometheus(city: City) -> None:
    city.case()
    rejected = city.post_finding(city.finding(kind="open_burning"))["alert"]
    city.who("wang").post(f"/api/alerts/{rejected}/reject", json={"reason": "false_detection"})
    city.post_finding(city.finding(camera="c2"))
    status = {
        "worker": "w1",
        "cameras": [{"id": "c1", "state": "online", "last_look_at": city.clock().isoformat(), "attained_s": 10.2}],
        "counters": {"looks": 12, "pipeline_inferences": 5, "dropped_spool": 2, "spool_outgoing": 3, "Bad name": 1},
    }
    assert city.who("worker").post("/api/worker/status", json=status).status_code == 200
    assert city.who("worker").post("/api/worker/status", json={**status, "worker": "w2"}).status_code == 200
    numbers = city.who("wang").get("/api/numbers").json()
    undecided = {"pending": 1, "unsure": 0, "postponed": 0}
    assert numbers["alerts"] == {"opened": 3, **undecided, "confirmed": 1, "rejected": 1}
    assert numbers["cases"] == {"dispatched": 1}
    assert numbers["cameras"] == {"online": 1, "unknown": 1}
    lines = city.who("nobody").get("/metrics").text.splitlines()
    for line in (
        'gridhub_alerts_opened_total{kind="garbage_exposed"} 2',
        'gridhub_cases_total{state="dispatched"} 1',
        "gridhub_looks_total 24",
        "gridhub_inferences_total 10",
        'gridhub_dropped_total{stage="spool"} 4',
        "gridhub_spool_outgoing 6",
        'gridhub_findings_total{outcome="opened"} 3',
        "gridhub_readings_total 0",
        'gridhub_look_age_seconds{quantile="0.5"} 0',
    ):
        assert line in lines
    assert city.who("huan").get("/api/numbers").status_code == 403


def test_an_order_sent_twice_is_carried_out_once(city: City) -> None:
    case = city.case()["id"]
    order = {"request_id": "phone-1"}
    first = city.move("huan", case, "accept", **order)
    again = city.move("huan", case, "accept", **order)
    assert (first["state"], again["state"]) == ("handling", "handling")
    assert [entry["action"] for entry in city.read(case)["history"]].count("accept") == 1
    refused = city.refused("huan", case, "feedback", text="好了", **order)
    assert refused["type"] == "invalid"
    assert refused["field"] == "request_id"
    city.refused("huan", case, "accept", request_id="phone-2")  # an order that fails is not remembered
    city.move("huan", case, "feedback", text="好了", request_id="phone-2")
    # Whoever has handed the case on, and may not see it any more, hears that it was done.
    other = city.case(camera="c2")["id"]
    city.move("huan", other, "accept")
    asked = city.move("huan", other, "return", reason="不归我们", request_id="phone-3")
    assert asked["number"] == city.move("huan", other, "return", reason="不归我们", request_id="phone-3")["number"]
