"""People, roles, the audit trail with its filters and its check, what is kept: over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from hub.api import shown
from hub.store.rows import AuditRow

from .conftest import City
from .test_shown import holds


def change(city: City, user: str, by: str = "boss", **body: Any) -> Any:
    return city.who(by).patch(f"/api/users/{user}", json=body)


def test_people_move_and_leave_and_are_signed_out(city: City) -> None:
    assert city.who("wang").get("/api/alerts").status_code == 200
    moved = change(city, "wang", role="department", department="sanitation").json()
    assert (moved["role"], moved["department"]) == ("department", "sanitation")
    assert city.who("wang").get("/api/session").status_code == 401, "what he may see has changed: he signs in anew"
    assert change(city, "wang", role="staff").json()["department"] is None
    assert change(city, "wang", active=False).json()["active"] is False
    assert change(city, "wang", name="王芳").json()["name"] == "王芳"
    entries = city.who("shen").get("/api/audit?action=user-&subject=user/wang").json()["items"]
    assert [e["action"] for e in entries] == ["user-changed"] * 4
    assert entries[0]["by_name"] == "boss先生"


@pytest.mark.parametrize(
    ("user", "body", "status"),
    [
        ("wang", {"role": "king"}, 422),
        ("wang", {"role": "worker"}, 422),
        ("wang", {"role": "handler"}, 422),
        ("huan", {"department": "nowhere"}, 422),
        ("wangge", {"grid": "nowhere"}, 422),
        ("boss", {"role": "staff"}, 409),
        ("boss", {"active": False}, 409),
        ("nobody", {"name": "x"}, 404),
        ("wang", {"password": "x"}, 422),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    city: City, user: str, body: dict[str, Any], status: int
) -> None:
    before = city.who("boss").get("/api/users").json()
    assert change(city, user, **body).status_code == status
    assert city.who("boss").get("/api/users").json() == before


def test_a_password_is_reset_once(city: City) -> None:
    city.who("li").get("/api/session")
    made = city.who("boss").post("/api/users/li/reset-password").json()
    holds(shown.UserMade, made)
    assert city.who("li").get("/api/session").status_code == 401
    answer = city.who("nobody").post("/api/session", json={"user": "li", "password": made["one_time_password"]})
    assert answer.json()["must_change_password"] is True
    assert made["one_time_password"] not in city.who("shen").get("/api/audit").text


def test_answers_of_administration(city: City) -> None:
    holds(shown.Page[shown.UserShown], city.who("boss").get("/api/users").json())
    roles = city.who("boss").get("/api/roles").json()
    holds(shown.Page[shown.RoleShown], roles)
    assert {r["role"]: r["scope"] for r in roles["items"]}["handler"] == "department"
    holds(shown.Page[shown.AuditEntry], city.who("shen").get("/api/audit").json())
    kept = city.who("shen").get("/api/retention").json()
    holds(shown.Page[shown.Kept], kept)
    assert {row["what"]: row["days"] for row in kept["items"]}["readings"] == 30


def test_the_audit_trail_is_sought_by_person_action_subject_and_time(city: City) -> None:
    start = city.clock()
    city.post_finding(city.finding())
    alert = city.who("wang").get("/api/alerts").json()["items"][0]["id"]
    city.who("wang").post(f"/api/alerts/{alert}/claim")
    city.clock.forward(hours=1)
    city.who("li").post(f"/api/alerts/{alert}/reject", json={"reason": "unclear"})

    def sought(**query: Any) -> list[str]:
        return [e["action"] for e in city.who("shen").get("/api/audit", params=query).json()["items"]]

    assert sought(by="wang") == ["alert-claimed"]
    assert sought(subject=f"alert/{alert}") == ["alert-rejected", "alert-claimed", "alert-opened"]
    assert sought(action="alert-", since=(start.replace(minute=30)).isoformat()) == ["alert-rejected"]
    assert sought(subject="alert/%") == [], "a sign of SQL is a letter here"
    assert sought(subject=alert) == [], "from its beginning, as the page says"
    assert sought(subject=f"ALERT/{alert}") == []


def test_a_time_is_sought_page_by_page_in_the_order_of_times(city: City) -> None:
    """What happens by itself is written as of the time when it was due, after what was done meanwhile."""
    city.clock.forward(hours=1)
    start = city.clock()
    minutes = (0, 5, 2, 2, 2, 9, 1, 5)
    with city.hub.house.db.write() as tx:
        for number, minute in enumerate(minutes):
            tx.audit(start + timedelta(minutes=minute), "wang", "told", f"note/{number}")
        tx.audit(start + timedelta(minutes=3), "wang", "told", "note/8")

    def pages(**query: Any) -> list[list[str]]:
        found, cursor = list[list[str]](), {}
        while True:
            asked = {"limit": 2, **query, **cursor}
            page = city.who("shen").get("/api/audit", params=asked).json()
            found.append([entry["subject"].removeprefix("note/") for entry in page["items"]])
            if page["next_cursor"] is None:
                return [part for part in found if part]
            cursor = {"cursor": page["next_cursor"]}

    since, until = start.isoformat(), (start + timedelta(minutes=6)).isoformat()
    assert pages(since=since, until=until) == [["7", "1"], ["8", "4"], ["3", "2"], ["6", "0"]]
    assert pages(since=since, until=until, by="wang") == [["8", "7"], ["6", "4"], ["3", "2"], ["1", "0"]]
    assert city.who("shen").get("/api/audit?cursor=WzFd").status_code == 422


def test_an_action_is_sought_whole_or_by_a_beginning_that_ends_with_a_hyphen(city: City) -> None:
    """The page offers actions one by one: who chose 登录 got 登录失败 too."""
    with city.hub.house.db.write() as tx:
        for n, action in enumerate(("sign-in", "sign-in-failed", "sign-out", "case-check", "case-checked")):
            tx.audit(city.clock(), "wang", action, f"user/{n}")

    def sought(action: str) -> list[str]:
        answer = city.who("shen").get("/api/audit", params={"action": action, "by": "wang"})
        return [entry["action"] for entry in answer.json()["items"]]

    assert sought("sign-in") == ["sign-in"]
    assert sought("case-check") == ["case-check"]
    assert sought("sign-") == ["sign-out", "sign-in-failed", "sign-in"]
    assert sought("case-") == ["case-checked", "case-check"]
    assert sought("sign") == []


def test_the_chain_is_checked_and_a_change_is_found(city: City) -> None:
    city.post_finding(city.finding())
    whole = city.who("shen").get("/api/audit/check").json()
    holds(shown.ChainChecked, whole)
    assert whole["whole"] is True
    with city.hub.house.db.write() as tx:
        tx.execute(update(AuditRow).where(AuditRow.seq == 2).values(by="somebody"))
    found = city.who("shen").get("/api/audit/check").json()
    assert (found["whole"], found["broken_at"]) == (False, 2)


def test_administration_is_not_for_everybody(city: City) -> None:
    for user, path, status in (
        ("wang", "users", 403), ("shen", "users", 403), ("wang", "audit", 403), ("wang", "audit/check", 403),
        ("wang", "retention", 403), ("shen", "audit", 200), ("boss", "audit", 200), ("shen", "retention", 200),
    ):  # fmt: skip
        assert city.who(user).get(f"/api/{path}").status_code == status, (user, path)
    assert change(city, "li", "shen", name="x").status_code == 403
