"""吹哨报到 over HTTP: the whole way with its roles, who sees what, marks and indicators."""

from __future__ import annotations

from typing import Any

import pytest

from hub.store.rows import UserRow

from .conftest import City, jpeg

BASE = "/api/whistles"


@pytest.fixture
def town(city: City) -> City:
    """With a street office that blows, and a leader."""
    with city.hub.house.db.write() as tx:
        for user, role, unit in (("jie", "department_lead", "street_office"), ("qu", "leader", None)):
            row = UserRow(id=user, name=f"{user}先生", role=role, department_id=unit, password_hash="none")
            row.must_change_password, row.active, row.created_at = False, True, city.clock()
            tx.add(row)
    return city


def _blow(town: City, user: str = "jie", **changes: Any) -> Any:
    body = {
        "kind": "gather",
        "subject": "夜市占道经营，多次劝导无效",
        "place": "北大街东口",
        "departments": ["enforcement", "sanitation"],
        "tasks": {"sanitation": "清运垃圾"},
        **changes,
    }
    return town.who(user).post(BASE, json=body)


def _act(town: City, user: str, whistle: str, action: str, **body: Any) -> dict[str, Any]:
    answer = town.who(user).post(f"{BASE}/{whistle}/{action}", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def _actions(town: City, user: str, whistle: str) -> list[str]:
    return [a["action"] for a in town.who(user).get(f"{BASE}/{whistle}").json()["actions"]]


def test_from_the_street_to_the_marks(town: City) -> None:
    answer = _blow(town, case=(case := town.case())["id"])
    assert answer.status_code == 200, answer.text
    made = answer.json()
    assert (made["state"], made["number"]) == ("proposed", "2026-0001")
    assert made["initiator"] == {"id": "street_office", "name": "街道办事处", "name_en": "Subdistrict office"}
    assert {c["name_en"] for c in made["calls"]} == {"Sanitation centre", "Urban enforcement bureau"}
    assert town.who("huan").get(f"{BASE}/{made['id']}").status_code == 404  # not yet approved
    assert town.who("huan").get(BASE).json()["total"] == 0
    blown = _act(town, "qu", made["id"], "approve", text="同意")
    assert (blown["state"], blown["decided_by"]) == ("blown", "qu先生")
    assert {c["due_at"] for c in blown["calls"]} == {"2026-11-23T08:00:00+00:00"}  # 4 working hours from 10:00
    assert town.who("wang").get(f"/api/cases/{case['id']}").json()["whistle"] == "gather"
    assert _actions(town, "huan", made["id"]) == ["arrive"]
    came = town.who("huan").post(
        f"{BASE}/{made['id']}/arrive",
        data={"person": "环卫班长", "text": "带3人1车"},
        files=[("photos", ("a.jpg", jpeg(), "image/jpeg"))],
    )
    assert came.status_code == 200, came.text
    call = next(c for c in came.json()["calls"] if c["department"] == "sanitation")
    assert (call["arrived_by"], call["late"], len(call["evidence"])) == ("环卫班长", False, 1)
    assert _actions(town, "huan", made["id"]) == []
    town.clock.forward(hours=8)
    last = _act(town, "zhao", made["id"], "arrive")
    assert last["state"] == "gathered"  # all have come, so the work begins
    assert next(c for c in last["calls"] if c["department"] == "enforcement")["late"]
    done = _act(town, "jie", made["id"], "result", text="已取缔并清运", resolved=True)
    assert (done["state"], done["resolved"]) == ("resolved", True)
    _act(town, "jie", made["id"], "mark", department="sanitation", mark=5, text="到得快")
    _act(town, "jie", made["id"], "mark", department="enforcement", mark=3)
    marked = _act(town, "huan", made["id"], "mark", mark=4, text="指令清楚")
    call = next(c for c in marked["calls"] if c["department"] == "sanitation")
    assert (call["mark"], call["back_mark"]) == (5, 4)
    closed = _act(town, "jie", made["id"], "close")
    assert (closed["state"], closed["open"], closed["actions"]) == ("closed", False, [])
    rates = {r["department"]: r for r in town.who("qu").get(f"{BASE}/rates?period=2026-11").json()["items"]}
    assert (rates["sanitation"]["in_time_rate"], rates["enforcement"]["in_time_rate"]) == (100.0, 0.0)
    assert (rates["enforcement"]["arrival_rate"], rates["enforcement"]["resolved_rate"]) == (100.0, 100.0)
    assert (rates["sanitation"]["mark"], rates["sanitation"]["name_en"]) == (5.0, "Sanitation centre")
    assert town.who("qu").get(f"{BASE}/rates?period=2026-10").json()["items"] == []


REFUSED: tuple[tuple[str, str, dict[str, Any], int, str], ...] = (
    ("jie", "approve", {}, 403, "forbidden"),
    ("huan", "approve", {}, 404, "not-found"),
    ("wang", "arrive", {}, 403, "forbidden"),
    ("wang", "close", {}, 409, "illegal-move"),
    ("wang", "refuse", {}, 422, "invalid"),
    ("wang", "explode", {}, 422, "invalid"),
    ("wang", "approve", {"tone": "loud"}, 422, "invalid"),
    ("eng", "approve", {}, 403, "forbidden"),
    ("nobody", "approve", {}, 401, "not-signed-in"),
)


def test_acts_that_are_refused(town: City) -> None:
    whistle = _blow(town).json()["id"]
    for user, action, body, status, type_ in REFUSED:
        answer = town.who(user).post(f"{BASE}/{whistle}/{action}", json=body)
        assert (answer.status_code, answer.json()["type"]) == (status, type_), (user, action, answer.text)


def test_only_those_who_have_a_part_act(town: City) -> None:
    whistle = _blow(town, departments=["enforcement"]).json()["id"]
    _act(town, "wang", whistle, "approve")
    assert town.who("huan").get(f"{BASE}/{whistle}").status_code == 404  # not called
    refused = town.who("jie").post(f"{BASE}/{whistle}/arrive", json={})
    assert (refused.status_code, refused.json()["type"]) == (403, "forbidden")
    _act(town, "zhao", whistle, "arrive")
    again = town.who("zhao").post(f"{BASE}/{whistle}/arrive", json={})
    assert (again.status_code, again.json()["type"]) == (409, "conflict")
    result = town.who("zhao").post(f"{BASE}/{whistle}/result", json={"text": "好了", "resolved": True})
    assert result.status_code == 403  # the caller says whether it is solved
    for body in ({"resolved": True}, {"text": "好了"}, {"text": " ", "resolved": False}):
        assert town.who("jie").post(f"{BASE}/{whistle}/result", json=body).status_code == 422
    _act(town, "jie", whistle, "result", text="未解决，需区级协调", resolved=False)
    for mark in (None, 0, 6):
        answer = town.who("jie").post(f"{BASE}/{whistle}/mark", json={"department": "enforcement", "mark": mark})
        assert answer.status_code == 422
    _act(town, "jie", whistle, "mark", department="enforcement", mark=2)
    twice = town.who("jie").post(f"{BASE}/{whistle}/mark", json={"department": "enforcement", "mark": 5})
    assert twice.status_code == 409


def test_a_whistle_is_checked_before_it_sounds(town: City) -> None:
    for changes, status in (
        ({"kind": "loud"}, 422),
        ({"subject": " "}, 422),
        ({"departments": []}, 422),
        ({"departments": ["ghosts"]}, 422),
        ({"departments": ["street_office"]}, 422),
        ({"case": "nothing"}, 404),
        ({"initiator": "sanitation"}, 403),
        ({"volume": 11}, 422),
    ):
        answer = _blow(town, **changes)
        assert answer.status_code == status, (changes, answer.text)
    assert _blow(town, "eng").status_code == 403
    assert _blow(town, "wang").status_code == 422  # the centre says for whom
    made = _blow(town, "wang", initiator="street_office", kind="urgent")
    assert made.json()["arrival_limit"] == "0.5紧急工作时"
    refused = _act(town, "wang", made.json()["id"], "refuse", text="可由网格内解决")
    assert (refused["state"], refused["open"]) == ("refused", False)
    town.clock.forward(minutes=1)
    own = _blow(town).json()
    assert _act(town, "jie", own["id"], "withdraw", text="已自行解决")["state"] == "withdrawn"
    numbers = [w["number"] for w in town.who("wang").get(BASE).json()["items"]]
    assert numbers == sorted(numbers, reverse=True)
    first = town.who("wang").get(f"{BASE}?limit=1").json()
    assert town.who("wang").get(f"{BASE}?limit=1&cursor={first['next_cursor']}").json()["items"][0]["id"] != own["id"]


def test_a_withdrawn_whistle_is_nobodys_absence_but_of_whoever_was_late_by_then(town: City) -> None:
    def called(unit: str) -> tuple[int, int]:
        rates = {r["department"]: r for r in town.who("qu").get(f"{BASE}/rates?period=2026-11").json()["items"]}
        return (rates[unit]["called"], rates[unit]["arrived"]) if unit in rates else (0, 0)

    early = _blow(town).json()["id"]
    _act(town, "qu", early, "approve")
    _act(town, "huan", early, "arrive")
    _act(town, "jie", early, "withdraw", text="已自行解决")
    town.clock.forward(days=2)
    assert (called("enforcement"), called("sanitation")) == ((0, 0), (1, 1))
    shown = town.who("jie").get(f"{BASE}/{early}").json()
    assert {call["late"] for call in shown["calls"]} == {False}
    late = _blow(town, departments=["enforcement"]).json()["id"]
    _act(town, "qu", late, "approve")
    town.clock.forward(days=2)
    _act(town, "jie", late, "withdraw", text="不等了")
    assert called("enforcement") == (1, 0)
    assert town.who("jie").get(f"{BASE}/{late}").json()["calls"][0]["late"]


def test_more_pictures_than_are_kept_are_refused(town: City) -> None:
    whistle = _blow(town).json()["id"]
    _act(town, "qu", whistle, "approve")
    parts = [("photos", (f"{n}.jpg", jpeg(n), "image/jpeg")) for n in range(10)]
    answer = town.who("huan").post(f"{BASE}/{whistle}/arrive", data={"text": "到场"}, files=parts)
    assert (answer.status_code, answer.json()["field"]) == (422, "photos")
    assert _actions(town, "huan", whistle) == ["arrive"]
