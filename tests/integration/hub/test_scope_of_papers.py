"""Letters, whistles, points off, issued reports over HTTP, on both databases: seen by those whom they concern."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from hub.store.rows import DepartmentRow, UserRow
from hub.store.scope import tops

from .conftest import City, jpeg
from .two_streets import EAST, WEST, case_at, lay_out

LETTERS, WHISTLES = "/api/supervision/letters", "/api/whistles"


@pytest.fixture
def town(city: City) -> City:
    """Two streets, each with a camera and an office; wang and ban have the first, ling the second, li the district."""
    lay_out(city, {"wang": "east-s", "ban": "east-s", "ling": "west-s"})
    with city.hub.house.db.write() as tx:
        for name in ("east", "west"):
            tx.add(DepartmentRow(id=f"{name}_office", name=f"{name}街道办", kind="street", grid_id=f"{name}-s"))
        tx.flush()
        for name in ("east", "west"):
            row = UserRow(id=f"{name}lead", name=name, role="department_lead", department_id=f"{name}_office")
            row.password_hash, row.must_change_password, row.active = "none", False, True
            row.created_at = city.clock()
            tx.add(row)
    city.sign_all_out()
    return city


def posted(town: City, user: str, path: str, **body: Any) -> dict[str, Any]:
    answer = town.who(user).post(path, json=body)
    assert answer.status_code in (200, 201), answer.text
    return dict(answer.json())


def refused(town: City, user: str, method: str, path: str, status: int, type_: str, **body: Any) -> None:
    answer = town.who(user).request(method, path, **({"json": body} if method == "POST" else {}))
    assert (answer.status_code, answer.json()["type"]) == (status, type_), (user, path, answer.text)


def seen(town: City, user: str, path: str) -> set[str]:
    page = town.who(user).get(path).json()
    assert page["total"] == len(page["items"]), page
    return {item["id"] for item in page["items"]}


def contact(town: City, user: str, *cases: str, **more: Any) -> str:
    return str(posted(town, user, LETTERS, kind="contact", cases=list(cases), **{"to": "供电公司", **more})["id"])


def blow(town: City, user: str, **more: Any) -> str:
    body = {"kind": "gather", "subject": "占道经营", "place": "夜市", "departments": ["enforcement"], **more}
    return str(posted(town, user, WHISTLES, **body)["id"])


def test_a_letter_is_for_those_whose_cases_it_names(town: City) -> None:
    (_, east, _), (_, west, _) = case_at(town, "c1"), case_at(town, "c2")
    of_east, of_west, of_both = contact(town, "li", east), contact(town, "li", west), contact(town, "li", east, west)
    assert seen(town, "li", LETTERS) == {of_east, of_west, of_both}
    assert seen(town, "wang", LETTERS) == {of_east, of_both}
    assert seen(town, "ling", LETTERS) == {of_west, of_both}
    assert town.who("wang").get("/api/supervision/desk").json()["letters"]["draft"] == 2
    for path in ("", "/docx", "/pdf"):
        refused(town, "wang", "GET", f"{LETTERS}/{of_west}{path}", 403, "outside-scope")
        assert town.who("wang").get(f"{LETTERS}/{of_east}{path}").status_code == 200
    refused(town, "wang", "POST", f"{LETTERS}/{of_west}/sign", 403, "outside-scope")
    refused(town, "wang", "GET", f"{LETTERS}/none", 404, "not-found")
    # Of the one about both he is shown his case; he neither prints nor signs it.
    shown = town.who("wang").get(f"{LETTERS}/{of_both}").json()
    assert [line["编号"] for line in shown["lines"]] == [town.read(east)["number"]]
    assert (shown["elsewhere"], shown["actions"]) == (1, [])
    refused(town, "wang", "GET", f"{LETTERS}/{of_both}/pdf", 403, "outside-scope")
    refused(town, "wang", "POST", f"{LETTERS}/{of_both}/sign", 403, "outside-scope")
    assert town.who("li").get(f"{LETTERS}/{of_both}").json()["state"] == "draft"
    whole = posted(town, "li", f"{LETTERS}/{of_both}/sign")
    assert (len(whole["lines"]), whole["elsewhere"], whole["state"]) == (2, 0, "issued")
    assert posted(town, "wang", f"{LETTERS}/{of_east}/sign")["state"] == "issued"
    refused(town, "wang", "POST", LETTERS, 403, "outside-scope", kind="contact", to="甲", cases=[west])


def test_a_note_of_the_shift_is_for_the_desk_of_its_area(town: City) -> None:
    def left_to(*users: str) -> list[str | None]:
        notes = [town.who(user).get("/api/shift").json()["handover"] for user in users]
        return [note and note["note"] for note in notes]

    def leave(user: str, note: str) -> dict[str, Any]:
        town.clock.forward(minutes=1)
        return posted(town, user, "/api/shift/handover", note=note)

    def limit(user: str, grid: str) -> None:
        assert town.who("boss").patch(f"/api/users/{user}", json={"grids": [grid]}).status_code == 200
        town.sign_all_out()

    limit("ban", "west-s")
    east = leave("wang", "east")
    assert east["grids"] == [{"id": "east-s", "name": "east-s"}]
    assert left_to("wang", "ban", "li") == ["east", None, "east"]
    refused(town, "ban", "POST", f"/api/shift/handovers/{east['id']}/take", 403, "outside-scope")
    assert posted(town, "li", f"/api/shift/handovers/{east['id']}/take")["taken_by"] == "li"
    whole = leave("li", "all")
    assert whole["grids"] == []
    assert left_to("wang", "ban", "li") == ["all"] * 3
    west = leave("ban", "west")
    assert left_to("wang", "ban", "li") == ["all", "all", "west"], "who left one himself still has the other to read"
    posted(town, "li", f"/api/shift/handovers/{west['id']}/take")
    assert left_to("wang", "li") == ["all", "west"], "nothing is to be read: the last one"
    posted(town, "wang", f"/api/shift/handovers/{whole['id']}/take")
    # Who has a part of the street shares it: he sees its notes, and the street sees his.
    limit("ban", "east-b")
    assert left_to("ban") == ["west"], "what he left himself"
    leave("wang", "east again")
    assert left_to("wang", "ban", "li") == ["east again"] * 3
    leave("ban", "one grid of the east")
    assert left_to("wang", "ban", "li") == ["one grid of the east", "east again", "one grid of the east"]


def test_a_letter_without_cases_is_for_the_street_that_wrote_or_gets_it(town: City) -> None:
    of_district = contact(town, "li")
    to_office = contact(town, "li", department="east_office", to="", reply="1工作日")
    of_street = contact(town, "wang")
    assert seen(town, "wang", LETTERS) == seen(town, "ban", LETTERS) == {to_office, of_street}
    assert seen(town, "ling", LETTERS) == set()
    assert seen(town, "kao", LETTERS) == {of_district, to_office, of_street}
    refused(town, "wang", "GET", f"{LETTERS}/{of_district}", 403, "outside-scope")
    assert [a["action"] for a in town.who("ban").get(f"{LETTERS}/{of_street}").json()["actions"]] == [
        "sign",
        "withdraw",
    ]
    assert posted(town, "ban", f"{LETTERS}/{of_street}/sign")["state"] == "issued"
    # What the district writes to his street's office he reads.
    assert town.who("wang").get(f"{LETTERS}/{to_office}").json()["actions"] == []
    refused(town, "wang", "POST", f"{LETTERS}/{to_office}/sign", 403, "outside-scope")
    assert town.who("eastlead").get("/api/supervision/desk").json()["letters"]["draft"] == 0
    assert seen(town, "eastlead", LETTERS) == set(), "not issued yet"
    posted(town, "li", f"{LETTERS}/{to_office}/sign")
    assert seen(town, "eastlead", LETTERS) == {to_office}
    assert seen(town, "westlead", LETTERS) == set()
    refused(town, "westlead", "GET", f"{LETTERS}/{to_office}", 404, "not-found")
    refused(town, "westlead", "POST", f"{LETTERS}/{to_office}/reply", 404, "not-found", text="x")


def test_pictures_of_a_reply_are_for_those_who_see_the_letter(town: City) -> None:
    letter = contact(town, "li", department="east_office", to="", reply="1工作日")
    posted(town, "li", f"{LETTERS}/{letter}/sign")
    photo = jpeg(91)
    path = f"/api/evidence/{hashlib.sha256(photo).hexdigest()}"
    answer = town.who("eastlead").post(
        f"{LETTERS}/{letter}/reply", data={"text": "已整改"}, files=[("photos", ("a.jpg", photo, "image/jpeg"))]
    )
    assert answer.status_code == 200, answer.text
    for user, status in (("eastlead", 200), ("wang", 200), ("li", 200), ("westlead", 404), ("ling", 404)):
        assert town.who(user).get(path).status_code == status, user
    assert town.who("wangge").get(path).status_code == 404, "a grid member reads no letters"


def test_a_whistle_is_for_its_area_its_caller_and_the_called(town: City) -> None:
    (_, east, _), (_, west, _) = case_at(town, "c1"), case_at(town, "c2")
    by_point = blow(town, "li", initiator="street_office", lon=EAST[0], lat=EAST[1])
    by_office = blow(town, "eastlead")
    by_case = blow(town, "li", initiator="street_office", case=east)
    elsewhere = [
        blow(town, "li", initiator="street_office", lon=WEST[0], lat=WEST[1]),
        blow(town, "westlead"),
        blow(town, "li", initiator="street_office", case=west),
    ]
    nowhere = blow(town, "li", initiator="street_office")
    of_staff = blow(town, "wang", initiator="street_office")
    theirs = {by_point, by_office, by_case, of_staff}
    assert seen(town, "wang", WHISTLES) == seen(town, "ban", WHISTLES) == theirs
    assert seen(town, "ling", WHISTLES) == set(elsewhere)
    assert seen(town, "kao", WHISTLES) == theirs | {*elsewhere, nowhere}
    for whistle in (*elsewhere, nowhere):
        refused(town, "wang", "GET", f"{WHISTLES}/{whistle}", 403, "outside-scope")
        refused(town, "wang", "POST", f"{WHISTLES}/{whistle}/approve", 403, "outside-scope")
    number = town.who("li").get(f"{WHISTLES}/{nowhere}").json()["number"]
    refused(town, "wang", "GET", f"{WHISTLES}/{number}", 403, "outside-scope")
    for whistle in theirs:
        assert posted(town, "ban", f"{WHISTLES}/{whistle}/approve")["state"] == "blown"
    assert town.read(east)["whistle"] == "gather"
    # One of another street that calls the office of his is read by him, and decided by others.
    calls = blow(town, "westlead", departments=["east_office"])
    assert calls not in seen(town, "wang", WHISTLES) | seen(town, "eastlead", WHISTLES), "not approved yet"
    posted(town, "li", f"{WHISTLES}/{calls}/approve")
    assert calls in seen(town, "wang", WHISTLES) & seen(town, "eastlead", WHISTLES)
    assert town.who("wang").get(f"{WHISTLES}/{calls}").json()["actions"] == []
    refused(town, "wang", "POST", f"{WHISTLES}/{calls}/withdraw", 403, "outside-scope", text="x")
    rates = f"{WHISTLES}/rates?period=2026-11"
    assert {r["department"]: r["called"] for r in town.who("li").get(rates).json()["items"]} == {
        "enforcement": 0,
        "east_office": 0,
    }
    posted(town, "eastlead", f"{WHISTLES}/{calls}/arrive")
    assert [r["department"] for r in town.who("ling").get(rates).json()["items"]] == ["east_office"]


def test_a_limited_person_blows_within_his_grids(town: City) -> None:
    body = {"kind": "gather", "subject": "占道", "place": "夜市", "departments": ["enforcement"]}
    for more in (
        {"initiator": "street_office", "lon": WEST[0], "lat": WEST[1]},
        {"initiator": "street_office", "lon": 100.0, "lat": 30.0},
        {"initiator": "west_office"},
    ):
        refused(town, "wang", "POST", WHISTLES, 403, "outside-scope", **body, **more)
    assert seen(town, "li", WHISTLES) == set(), "nothing of it was written"
    assert blow(town, "wang", initiator="east_office", lon=EAST[0], lat=EAST[1]) in seen(town, "ban", WHISTLES)


def test_a_unit_blows_about_cases_that_concern_it(town: City) -> None:
    (_, east, _) = case_at(town, "c1")
    body = {"kind": "gather", "subject": "占道", "place": "夜市", "departments": ["water_affairs"]}
    unit = town.read(east)["department"]["id"]
    assert unit == "sanitation"
    refused(town, "westlead", "POST", WHISTLES, 404, "not-found", **body, case=east)
    refused(town, "zhao", "POST", WHISTLES, 404, "not-found", **body, case=east)
    for user in ("eastlead", "lead"):
        assert blow(town, user, case=east) in seen(town, user, WHISTLES)


def test_a_whistle_that_was_never_approved_is_not_for_the_called(town: City) -> None:
    withdrawn, gone = blow(town, "eastlead"), blow(town, "eastlead")
    posted(town, "eastlead", f"{WHISTLES}/{withdrawn}/withdraw", text="不用了")
    posted(town, "li", f"{WHISTLES}/{gone}/refuse", text="不批")
    for whistle in (withdrawn, gone):
        refused(town, "zhao", "GET", f"{WHISTLES}/{whistle}", 404, "not-found")
    assert seen(town, "zhao", WHISTLES) == set()
    assert seen(town, "eastlead", WHISTLES) == {withdrawn, gone}


def test_pictures_of_a_whistle_are_for_those_who_see_it(town: City) -> None:
    whistle = blow(town, "eastlead")
    posted(town, "li", f"{WHISTLES}/{whistle}/approve")
    photo = jpeg(92)
    answer = town.who("zhao").post(
        f"{WHISTLES}/{whistle}/arrive", data={"person": "班长"}, files=[("photos", ("a.jpg", photo, "image/jpeg"))]
    )
    assert answer.status_code == 200, answer.text
    path = f"/api/evidence/{hashlib.sha256(photo).hexdigest()}"
    for user, status in (("zhao", 200), ("eastlead", 200), ("wang", 200), ("li", 200), ("huan", 404), ("ling", 404)):
        assert town.who(user).get(path).status_code == status, user


def test_reports_and_points_off_name_cases_of_ones_grids_only(town: City) -> None:
    (_, east, _), (_, west, _) = case_at(town, "c1"), case_at(town, "c2")
    numbers = {name: town.read(id_)["number"] for name, id_ in (("east", east), ("west", west))}
    for case in (east, west):
        posted(town, "li", "/api/supervision/supervisions", case=case, level=2, cause="key")
    counted = "/api/reports/cases?counter=register&period=2026-11"
    for user, names in (("wang", ["east"]), ("ling", ["west"]), ("kao", ["east", "west"])):
        page = town.who(user).get(counted).json()
        assert sorted(item["number"] for item in page["items"]) == sorted(numbers[n] for n in names)
        assert page["total"] == len(names)
    off = {"department": "sanitation", "day": "2026-11-23", "rule": "falsification", "note": "造假"}
    points = {name: posted(town, "kao", "/api/reports/deductions", **off, case=numbers[name])["id"] for name in numbers}
    whole = posted(town, "kao", "/api/reports/deductions", **off)["id"]
    listed = "/api/reports/deductions?period=2026-11"
    for user, ids in (("wang", {points["east"], whole}), ("kao", {*points.values(), whole})):
        assert {item["id"] for item in town.who(user).get(listed).json()["items"]} == ids
    strike = "/api/reports/deductions/{}/strike"
    refused(town, "wang", "POST", strike.format(points["west"]), 403, "outside-scope", note="x")
    refused(town, "wang", "POST", strike.format(whole), 403, "outside-scope", note="x")
    refused(town, "wang", "POST", "/api/reports/deductions", 403, "outside-scope", **off)
    refused(town, "wang", "POST", "/api/reports/deductions", 403, "outside-scope", **off, case=numbers["west"])
    posted(town, "wang", "/api/reports/deductions", **{**off, "department": "east_office"})
    assert posted(town, "wang", strike.format(points["east"]), note="查无实据")["struck"] is True
    town.clock.forward(days=10)
    town.sign_all_out()
    issued = posted(town, "kao", "/api/reports/monthly/2026-11/issue")
    lists = {section["id"]: section["table"]["rows"] for section in issued["sections"] if section["table"]}
    named = {name: _named(rows) for name, rows in lists.items()}
    assert set(numbers.values()) <= named["supervision"] & named["overdue"]
    for user, mine, others in (("wang", "east", "west"), ("ling", "west", "east")):
        report = town.who(user).get("/api/reports/monthly/2026-11").json()
        for section in report["sections"]:
            if section["id"] in ("supervision", "overdue"):
                assert _named(section["table"]["rows"]) == {numbers[mine]}
                assert section["note"]["zh"].endswith("另有1件不在您的数据范围内。")
                assert section["note"]["en"].endswith("1 more lies outside your data scope.")
        assert numbers[others] not in str(report)
        assert report["sections"][0] == issued["sections"][0], "figures are as they were issued"
    # What was issued stands as it was.
    again = town.who("kao").get("/api/reports/monthly/2026-11").json()
    assert again["sections"] == issued["sections"]


def _named(rows: list[list[Any]]) -> set[str]:
    return {cell["case"] for row in rows for cell in row if isinstance(cell, dict) and cell.get("case")}


def test_the_grids_a_person_was_given_are_found_again(town: City) -> None:
    with town.hub.house.db.read() as tx:
        assert tops(tx, frozenset({"east-s", "east-c", "east-b", "west-b"})) == ["east-s", "west-b"]
