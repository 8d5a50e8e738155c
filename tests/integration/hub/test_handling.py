"""Classes, conditions, grid, people, units and routing over HTTP, on both databases."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from openpyxl import load_workbook

from hub import workbook
from hub.domain.handling_table import COLUMNS, ENGLISH_COLUMNS
from hub.store.chain import Sought, entries

from .conftest import City

D, S, C, A = "621002", "621002001", "621002001001", "621002001001001"


def box(west: float, south: float, size: float) -> dict[str, Any]:
    east, north = west + size, south + size
    return {
        "type": "Polygon",
        "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]],
    }


def grid(size: float = 0.01) -> dict[str, Any]:
    rows = [(D, "西峰区", "district", None), (S, "南街街道", "street", D), (C, "育才社区", "community", S)]
    features = [
        {
            "type": "Feature",
            "properties": {"id": id_, "name": name, "level": level, "parent": parent},
            "geometry": box(107.63, 35.71, size),
        }
        for id_, name, level, parent in [*rows, (A, "育才社区第1网格", "base", C)]
    ]
    home = {"id": f"{A}-A", "name": "陇东家园", "level": "compound", "parent": A}
    point = {"type": "Point", "coordinates": [107.631, 35.711]}
    return {
        "type": "FeatureCollection",
        "features": [*features, {"type": "Feature", "properties": home, "geometry": point}],
    }


PERSONS = f"""网格编码,角色,姓名,电话
{A},网格员,王建国,13812345678
{S},街道书记/主任,李芳,0934 8212345
{D},district_leader,赵伟,
"""


def send(city: City, user: str, path: str, content: bytes, **query: Any) -> Any:
    return city.who(user).post(path, params=query, files={"file": ("file", content, "application/octet-stream")})


@pytest.fixture
def gridded(city: City) -> City:
    assert send(city, "eng", "/api/grids", json.dumps(grid()).encode(), apply=True).status_code == 200
    assert send(city, "eng", "/api/grids/persons", PERSONS.encode(), apply=True).status_code == 200
    return city


def seen(city: City, action: str) -> list[Any]:
    with city.hub.house.db.read() as tx:
        return [entry for entry in entries(tx, None, 1000, Sought()) if entry.action == action]


# --- conditions -------------------------------------------------------------------------------------------------------


def test_the_shipped_conditions_are_there_unverified_and_a_named_person_ticks_one(city: City) -> None:
    found = city.who("wang").get("/api/conditions", params={"code": "06001"}).json()["items"]
    assert [(c["limit"], c["verified"]) for c in found] == [("2紧急工作日", False), ("15工作日", False)]
    path = f"/api/conditions/{found[0]['id']}/verify"
    assert city.who("wang").post(path, json={}).status_code == 403
    assert city.who("worker").post(path, json={}).status_code == 403
    ticked = city.who("eng").post(path, json={}).json()
    assert ticked["verified"]
    assert ticked["verified_by"]
    assert [e.by for e in seen(city, "condition-verified")] == ["eng"]
    assert len(city.who("wang").get("/api/conditions", params={"verified": True}).json()["items"]) == 1
    assert not city.who("eng").post(path, json={"verified": False}).json()["verified"]
    assert city.who("eng").post("/api/conditions/nobody/verify", json={}).status_code == 404


def test_conditions_of_a_component_serve_its_matter_and_of_a_kind_without_any_none(city: City) -> None:
    ask = city.who("wang")
    covers = ask.get("/api/conditions", params={"code": "01023"}).json()["items"]
    assert [c["limit"] for c in covers] == ["2紧急工作时", "4工作时", "2工作日", "5工作日"]
    assert ask.get("/api/conditions", params={"code": "09015"}).json()["items"] == []
    assert ask.get("/api/conditions", params={"q": "井盖 缺失"}).json()["total"] == 20


def test_the_table_goes_out_and_in_and_nothing_changes(city: City) -> None:
    out = city.who("eng").get("/api/conditions/sheet")
    assert out.headers["content-type"] == workbook.MEDIA_TYPE
    book = load_workbook(io.BytesIO(out.content))
    assert book.sheetnames == ["部件", "事件"]
    assert [cell.value for cell in book["事件"][1]] == [*COLUMNS, *ENGLISH_COLUMNS]
    done = send(city, "eng", "/api/conditions/sheet", out.content, apply=True, replace=True).json()
    assert (done["same"], done["added"], done["changed"], done["retired"], done["refused"]) == (113, 0, 0, 0, 0)
    assert {p["what"] for p in done["problems"]} == {"unknown_unit"}  # 权属单位, whoever it is
    again = city.who("eng").get("/api/conditions/sheet").content
    assert workbook.read(again) == workbook.read(out.content)


def test_bad_rows_are_named_and_good_ones_taken(city: City) -> None:
    rows = [
        list(COLUMNS),
        ["06", "市容环境类", "010", "暴露垃圾", "环卫中心", "", "公共场所的生活垃圾未入容器", "清理", "3工作时"],
        ["", "", "", "", "环卫中心", "", "卫生死角", "清理", "三天"],
        ["", "", "012", "道路不洁", "", "", "", "清理", "2工作时"],
        ["", "", "099", "不存在", "环卫中心", "", "", "清理", "2工作时"],
        ["", "", "002", "店面无证装修", "街道办事处", "", "", "整改", "1工作日"],
        ["", "", "", "", "街道办事处", "", "", "整改", "2工作日"],
    ]
    content = workbook.write({"部件": [list(COLUMNS)], "事件": rows})
    look = send(city, "eng", "/api/conditions/sheet", content).json()
    assert (look["applied"], look["good"], look["refused"], look["added"], look["changed"]) == (False, 2, 4, 1, 1)
    named = [(p["sheet"], p["row"], p["column"], p["value"]) for p in look["problems"]]
    assert named == [
        ("事件", 3, "处置时限", "三天"),
        ("事件", 4, "处置单位", ""),
        ("事件", 5, "小类代码", "06099"),
        ("事件", 7, "立案条件", "店面无证装修"),
    ]
    before = city.who("wang").get("/api/conditions", params={"code": "06010"}).json()["items"]
    assert [c["limit"] for c in before] == ["4工作时"]
    path = f"/api/conditions/{before[0]['id']}/verify"
    assert city.who("eng").post(path, json={}).json()["verified"]
    send(city, "eng", "/api/conditions/sheet", content, apply=True, replace=True)
    after = city.who("wang").get("/api/conditions", params={"code": "06010"}).json()["items"]
    assert [(c["limit"], c["verified"]) for c in after] == [("3工作时", False)]  # other words than were ticked
    # A row of an unknown class may have meant any of them, so nothing was retired.
    assert city.who("wang").get("/api/conditions").json()["total"] == 114


def test_replacing_retires_what_the_file_does_not_hold(city: City) -> None:
    row = ["06", "市容环境类", "010", "暴露垃圾", "环卫中心", "", "新条件", "清理", "3工作时"]
    content = workbook.write({"部件": [list(COLUMNS)], "事件": [list(COLUMNS), row]})
    done = send(city, "eng", "/api/conditions/sheet", content, apply=True, replace=True).json()
    assert (done["added"], done["retired"]) == (1, 113)
    assert city.who("wang").get("/api/conditions").json()["total"] == 1
    out = workbook.read(city.who("eng").get("/api/conditions/sheet").content)["事件"][1]
    assert out == [cell or None for cell in [*row, "", "Cleared away"]]


def the_one(city: City, filing: str) -> Any:
    found = city.who("wang").get("/api/conditions", params={"code": "06010"}).json()["items"]
    return next(c for c in found if c["filing"] == filing)


def bring(city: City, *rows: list[str], english: bool = True) -> Any:
    head = [*COLUMNS, *ENGLISH_COLUMNS] if english else list(COLUMNS)
    content = workbook.write({"事件": [head, *(["06", "市容环境类", "010", "暴露垃圾", *row] for row in rows)]})
    return send(city, "eng", "/api/conditions/sheet", content, apply=True).json()


def test_conditions_are_said_in_english_too(city: City) -> None:
    shipped = the_one(city, "公共场所的生活垃圾未入容器")
    assert (shipped["filing_en"], shipped["closing_en"]) == (
        "Household garbage in a public place, outside a container",
        "Cleared away",
    )
    assert (shipped["class_en"], shipped["unit_en"]) == ("Exposed garbage", "Sanitation centre")
    assert city.who("wang").get("/api/conditions", params={"q": "household GARBAGE"}).json()["total"] == 1
    (one,) = city.who("eng").get("/api/categories", params={"q": "06010"}).json()["items"]
    assert (one["group"], one["group_en"]) == ("市容环境类", "City appearance and environment")


def test_what_people_write_may_have_english_of_its_own(city: City) -> None:
    path = f"/api/conditions/{the_one(city, '公共场所的生活垃圾未入容器')['id']}/verify"
    city.who("eng").post(path, json={})
    old = ["环卫中心", "", "公共场所的生活垃圾未入容器", "清理", "4工作时"]
    new = ["环卫中心", "", "卫生死角", "清扫干净", "1工作日"]
    assert bring(city, old, new, english=False)["same"] == 1
    assert (the_one(city, "卫生死角")["filing_en"], the_one(city, "卫生死角")["closing_en"]) == ("", "")
    done = bring(city, [*old, "Litter", ""], [*new, "Neglected corner", "Swept clean"])
    assert (done["same"], done["changed"]) == (0, 2)
    ours, theirs = the_one(city, "公共场所的生活垃圾未入容器"), the_one(city, "卫生死角")
    assert (ours["filing_en"], ours["closing_en"]) == ("Litter", "Cleared away")
    assert ours["verified"], "the words that were ticked are the same"
    assert (theirs["filing_en"], theirs["closing_en"]) == ("Neglected corner", "Swept clean")
    assert bring(city, old, new, english=False)["same"] == 2, "an old file leaves the English there is"
    assert the_one(city, "卫生死角")["closing_en"] == "Swept clean"
    new[3] = "清扫并消毒"
    assert bring(city, old, new, english=False)["changed"] == 1
    after = the_one(city, "卫生死角")
    assert (after["filing_en"], after["closing_en"]) == ("Neglected corner", ""), "it was English of other words"
    assert bring(city, [*old, "", ""])["changed"] == 1
    assert the_one(city, "公共场所的生活垃圾未入容器")["filing_en"].startswith("Household garbage")


def test_conditions_of_a_class_of_area_come_before_those_for_everywhere(city: City) -> None:
    row = ["06", "市容环境类", "010", "暴露垃圾", "环卫中心", "", "主干道", "清理", "1工作时"]
    content = workbook.write({"事件": [list(COLUMNS), row]})
    send(city, "eng", "/api/conditions/sheet", content, apply=True, area="1")
    ask = city.who("wang")
    here = ask.get("/api/conditions", params={"code": "06010", "area": "1"}).json()["items"]
    assert [c["limit"] for c in here] == ["1工作时"]
    there = ask.get("/api/conditions", params={"code": "06010", "area": "2"}).json()["items"]
    assert [c["limit"] for c in there] == ["4工作时"]


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7", b"PK\x03\x04"])
def test_a_file_that_is_no_workbook_is_a_problem_not_a_failure(city: City, content: bytes) -> None:
    answer = send(city, "eng", "/api/conditions/sheet", content)
    assert answer.status_code == 422
    assert "XLSX" in answer.json()["detail"]


def test_only_engineers_bring_tables_in(city: City) -> None:
    for path in ("/api/conditions/sheet", "/api/grids", "/api/grids/persons"):
        assert send(city, "wang", path, b"x").status_code == 403
        assert city.who("eng").post(path, json={}).status_code == 422
        assert city.who("nobody").post(path).status_code == 401


def test_classes_with_their_counterparts_and_a_tick(city: City) -> None:
    ask = city.who("eng")
    (one,) = ask.get("/api/categories", params={"q": "机动车乱停放 09009"}).json()["items"]
    assert [(s["standard"], s["code"]) for s in one["same"]] == [("GB/T 30428.2", "04-09"), ("CJ/T 214", "05-05")]
    assert (one["verified"], one["extension"], one["conditions"]) == (False, False, 1)
    assert ask.get("/api/categories", params={"q": "雨水井盖", "kind": "matter"}).json()["items"][0]["code"] == "01003"
    found = ask.get("/api/categories", params={"q": "Improper vehicle"}).json()["items"]
    assert {one["code"] for one in found} == {"09009", "04-09", "05-05"}
    ticked = ask.post("/api/categories/verify", json={"code": "09009"}).json()
    assert ticked["verified"]
    assert ask.get("/api/categories", params={"q": "09009"}).json()["items"][0]["verified_by"]
    assert not ask.post("/api/categories/verify", json={"code": "09009", "verified": False}).json()["verified"]
    assert ask.post("/api/categories/verify", json={"code": "99999"}).status_code == 404
    assert city.who("wang").post("/api/categories/verify", json={"code": "09009"}).status_code == 403


# --- the grid ---------------------------------------------------------------------------------------------------------


def test_the_grid_goes_in_and_out(gridded: City) -> None:
    out = gridded.who("wang").get("/api/grids", params={"levels": "all"}).json()
    assert [f["id"] for f in out["features"]] == [D, S, C, A, f"{A}-A"]
    assert "crs" not in out
    assert len(gridded.who("wang").get("/api/grids").json()["features"]) == 4
    assert gridded.who("wang").get("/api/grids", params={"levels": "planet"}).status_code == 422
    done = send(gridded, "eng", "/api/grids", json.dumps(out).encode(), apply=True).json()
    assert (done["same"], done["added"], done["changed"], done["removed"]) == (5, 0, 0, 0)


def test_a_bad_grid_is_refused_whole_with_every_problem(gridded: City) -> None:
    made = grid(0.02)
    made["features"].append(json.loads(json.dumps(made["features"][3])))
    made["features"][5]["properties"] |= {"id": f"{C}002"}
    answer = send(gridded, "eng", "/api/grids", json.dumps(made).encode(), apply=True)
    assert answer.status_code == 422
    assert any(A in p and f"{C}002" in p for p in answer.json()["problems"])
    ring = gridded.who("wang").get("/api/grids").json()["features"][0]["geometry"]["coordinates"][0]
    assert max(x for x, _y in ring) == pytest.approx(107.64)
    assert send(gridded, "eng", "/api/grids", b"{").status_code == 422


def test_replacing_the_grid_removes_grids_with_their_people(gridded: City) -> None:
    made = grid()
    made["features"] = made["features"][:3]
    look = send(gridded, "eng", "/api/grids", json.dumps(made).encode(), replace=True).json()
    assert (look["removed"], look["applied"]) == (2, False)
    send(gridded, "eng", "/api/grids", json.dumps(made).encode(), replace=True, apply=True)
    tree = gridded.who("wang").get("/api/grids/tree").json()["items"]
    assert [g["id"] for g in tree] == [D, S, C]


def test_phones_are_masked_and_seeing_one_is_on_record(gridded: City) -> None:
    tree = {g["id"]: g for g in gridded.who("eng").get("/api/grids/tree").json()["items"]}
    (person,) = tree[A]["persons"]
    assert (person["name"], person["phone"], person["role_name"]["zh"]) == ("王建国", "138****5678", "网格员")
    assert (tree[A]["cameras"], tree[A]["level_name"]["zh"]) == (tree[A]["cameras"], "基础网格")
    path = f"/api/grids/persons/{person['id']}/phone"
    assert gridded.who("eng").post(path).status_code == 403
    assert gridded.who("wang").post(path).json()["phone"] == "13812345678"
    assert [(e.by, e.subject) for e in seen(gridded, "phone-seen")] == [("wang", f"grid/{A}")]
    assert gridded.who("wang").post("/api/grids/persons/99/phone").status_code == 404
    assert gridded.who("eng").get("/api/grids/persons").status_code == 403
    out = gridded.who("wang").get("/api/grids/persons").content
    assert ["13812345678" in row for row in workbook.read(out)["责任人"]] == [False, False, False, True]
    assert len(seen(gridded, "phones-exported")) == 1
    done = send(gridded, "eng", "/api/grids/persons", out, apply=True, replace=True).json()
    assert (done["good"], done["refused"]) == (3, 0)


def test_people_with_something_wrong_are_named(gridded: City) -> None:
    text = (
        "网格编码,角色,姓名,电话\n"
        f"{A},网格员,刘静,1391234\n"
        f"{A},楼院长,陈静,1391234\n"
        f"{A},队长,陈静,1391234\n"
        "999,网格员,陈静,1391234\n"
        f"{A},网格员,,1391234\n"
        f"{A},网格员,张静,call me\n"
        f"{A},网格员,刘静,2222222\n"
    )
    done = send(gridded, "eng", "/api/grids/persons", text.encode("gb18030"), apply=True, replace=True).json()
    assert (done["good"], done["refused"]) == (1, 6)
    assert [(p["row"], p["column"]) for p in done["problems"]] == [
        (3, "角色"),
        (4, "角色"),
        (5, "网格编码"),
        (6, "姓名"),
        (7, "电话"),
        (8, "姓名"),
    ]
    names = {p["name"] for g in gridded.who("wang").get("/api/grids/tree").json()["items"] for p in g["persons"]}
    assert {"刘静", "王建国"} <= names  # with rows refused, nobody was removed


# --- routing ----------------------------------------------------------------------------------------------------------


def test_who_would_handle_it_and_why(gridded: City) -> None:
    ask = gridded.who("eng")
    tried = ask.get("/api/routing/try", params={"code": "09006", "lon": 107.635, "lat": 35.715}).json()
    assert tried["grid"]["id"] == A
    assert tried["routing"]["unit"] == "enforcement"
    assert tried["routing"]["why"] == {
        "zh": "因为 09006 占道经营 → 综合执法局",
        "en": "because class 09006 Trading on the road → Urban enforcement bureau",
    }
    assert [p["level"] for p in tried["persons"]] == ["base", "community", "street", "district"]
    assert tried["persons"][0]["persons"][0]["phone"] == "138****5678"
    far = ask.get("/api/routing/try", params={"code": "06036", "lon": 100, "lat": 30}).json()
    assert (far["grid"], far["persons"], far["routing"]["grid_first"]) == (None, [], False)
    assert ask.get("/api/routing/try", params={"code": "06036", "grid": A}).json()["routing"]["grid_first"]
    assert ask.get("/api/routing/try", params={"code": "77777"}).status_code == 422
    table = ask.get("/api/routing").json()
    assert {"code": "09006", "name": "占道经营", "en": "Trading on the road"} in table["duties"]["enforcement"]
    assert not table["verified"]


@pytest.fixture
def covered(city: City) -> City:
    """The grid lies under the cameras, with people at the base grid and the street, none in the community."""
    assert send(city, "eng", "/api/grids", json.dumps(grid(0.05)).encode(), apply=True).status_code == 200
    assert send(city, "eng", "/api/grids/persons", PERSONS.encode(), apply=True).status_code == 200
    return city


def test_a_case_of_the_grid_climbs_and_then_goes_to_the_centre(covered: City) -> None:
    case = covered.case(kind="goods_pile", zone="门前")
    assert case["department"]["id"] == "street_office"
    assert (case["grid_step"]["level"], case["limit"]) == ("base", "1工作日")
    assert "小事不出网格" in case["routing"]["why"]["zh"]
    assert case["responsible"][0]["persons"][0]["phone"] == "138****5678"
    covered.clock.forward(hours=2, seconds=1)  # 2 working hours of the grid member: noon
    covered.hub.timers.sweep()
    now_at = covered.who("wang").get(f"/api/cases/{case['id']}").json()
    assert now_at["grid_step"]["level"] == "street"  # nobody is registered in the community
    assert now_at["state"] == "dispatched"
    covered.clock.forward(hours=6)  # 4 working hours of the street: 18:00
    covered.hub.timers.sweep()
    risen = covered.who("wang").get(f"/api/cases/{case['id']}").json()
    assert (risen["state"], risen["department"], risen["grid_step"]) == ("filed", None, None)
    told = [line for line in risen["history"] if line["action"] in ("climb", "return")]
    assert [(line["detail"] or {}).get("to") for line in told] == ["base", "street", None]
    assert [line["by"] for line in told] == ["system"] * 3


def test_what_was_answered_in_time_stays_where_it_was(covered: City) -> None:
    case = covered.case(kind="goods_pile", zone="门前")
    unit = covered.who("boss")
    assert unit.post(f"/api/cases/{case['id']}/accept", json={}).status_code == 200
    assert unit.post(f"/api/cases/{case['id']}/feedback", json={"text": "已清理"}).status_code == 200
    covered.clock.forward(days=2)
    covered.hub.timers.sweep()
    after = covered.who("wang").get(f"/api/cases/{case['id']}").json()
    assert "return" not in [line["action"] for line in after["history"]]
    assert [line["action"] for line in after["history"]].count("climb") == 1


@pytest.mark.parametrize("way", ["answered", "returned", "given away", "closed"])
def test_who_has_it_in_the_grid_is_told_only_while_the_grid_has_it(covered: City, way: str) -> None:
    """The member of the grid stood on the case for good, with a time to climb that had passed."""
    case = covered.case(kind="goods_pile", zone="门前")["id"]
    if way == "returned":
        covered.move("boss", case, "return", reason="不归我们")
    elif way == "given away":
        covered.move("boss", case, "return", reason="不归我们")
        covered.move("pai", case, "dispatch", department="enforcement")
    else:
        covered.move("boss", case, "accept")
        covered.move("boss", case, "feedback", text="已清理")
    if way == "closed":
        covered.move("wang", case, "close")
    assert covered.read(case)["grid_step"] is None
    covered.clock.forward(days=2)
    covered.hub.timers.sweep()
    assert covered.read(case)["grid_step"] is None
    assert [line["action"] for line in covered.read(case)["history"]].count("climb") == 1


def test_a_case_that_left_the_grid_does_not_say_so_again_when_it_comes_back(covered: City) -> None:
    case = covered.case(kind="goods_pile", zone="门前")["id"]
    covered.move("boss", case, "accept")
    covered.move("boss", case, "feedback", text="已清理")
    covered.clock.forward(days=2)
    covered.hub.timers.sweep()
    assert covered.move("wang", case, "rework", reason="还在")["department"]["id"] == "street_office"
    assert covered.read(case)["grid_step"] is None, "its time to climb passed while it was answered"


def test_other_classes_do_not_climb(covered: City) -> None:
    case = covered.case()
    assert (case["department"]["id"], case["grid_step"]) == ("sanitation", None)
    assert case["routing"]["why"]["zh"] == "因为 06010 暴露垃圾 → 环卫中心"
    assert (case["closing"], case["closing_en"]) == ("清理", "Cleared away")
    assert case["grid"]["id"] == A


def test_a_case_has_what_reporting_upward_needs(covered: City) -> None:
    case = covered.case()
    assert (case["grid_code"], case["authority"]["id"]) == (A, "sanitation")
    first = covered.case(kind="goods_pile", zone="门前")
    assert (first["grid_code"], first["authority"]["id"]) == (A, "street_office")
    row = ["06", "市容环境类", "012", "道路不洁", "环卫中心", "综合执法局", "路面", "清理", "1工作时"]
    send(covered, "eng", "/api/conditions/sheet", workbook.write({"事件": [list(COLUMNS), row]}), apply=True)
    made = covered.report(category="06012", lon=107.63, lat=35.73)["case"]
    possible = covered.who("wang").get("/api/conditions", params={"code": "06012", "grid": A}).json()["items"]
    chosen = next(c["id"] for c in possible if c["filing"] == "路面")
    filed = covered.move("shou", made["id"], "file", condition=chosen)
    assert (filed["authority"]["id"], filed["department"]["id"]) == ("enforcement", "sanitation")


def test_a_case_says_which_year_the_calendar_lacks(covered: City) -> None:
    assert covered.case()["calendar_missing"] == []
    covered.clock.forward(days=5 * 365)
    covered.sign_all_out()
    late = covered.case(kind="goods_pile", zone="门前")
    assert late["calendar_missing"] == [covered.clock().year]
    assert late["deadline"], "a deadline all the same: weekends are known"


def test_an_alert_is_filed_under_the_condition_that_was_chosen(covered: City) -> None:
    bring(covered, ["环卫中心", "", "主干道", "清理干净", "1工作时", "", "Cleaned up"])
    found = covered.who("wang").get("/api/conditions", params={"code": "06010", "grid": A}).json()["items"]
    chosen = next(c for c in found if c["filing"] == "主干道")
    taken = covered.post_finding(covered.finding())
    path = f"/api/alerts/{taken['alert']}/confirm"
    refused = covered.who("wang").post(path, json={"condition": "nonsense"})
    assert refused.status_code == 422
    assert "主干道" in refused.json()["detail"]
    case = covered.who("wang").post(path, json={"condition": chosen["id"]}).json()["case"]
    assert (case["condition"], case["limit"], case["closing"]) == (chosen["id"], "1工作时", "清理干净")
    assert case["closing_en"] == "Cleaned up"
    assert case["deadline"] == "2026-11-23T03:00:00+00:00"


def test_units_say_what_they_are_for(city: City) -> None:
    units = {d["id"]: d for d in city.who("wang").get("/api/departments").json()["items"]}
    assert "道路清扫保洁" in units["sanitation"]["duties"]
    assert "street cleaning" in units["sanitation"]["duties_en"]
    assert units["street_office"]["kind"] == "street"
