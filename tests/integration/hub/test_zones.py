"""Zones as the editor saves them, tables of cameras, a first look, and how the workers are."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import openpyxl

from .conftest import City

SQUARE = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]]
MORNING = {"days": [1, 2, 3, 4, 5], "from": "06:00", "to": "09:00"}
MARKET = {**MORNING, "first": "2026-11-20", "last": "2026-12-31", "note": "早市"}


def save(city: City, zones: list[dict[str, Any]], whole: list[dict[str, Any]] | None = None, user: str = "eng") -> Any:
    return city.who(user).put("/api/cameras/c1/zones", json={"zones": zones, "whole": whole or []})


def zone(name: str = "门前", **more: Any) -> dict[str, Any]:
    return {"name": name, "was": name, "points": SQUARE, **more}


def zones(city: City) -> dict[str, Any]:
    return {z["name"]: z for z in city.who("eng").get("/api/zones?camera=c1").json()["items"]}


def test_zones_are_saved_with_their_kinds_and_hours_and_reach_the_worker(city: City) -> None:
    before = city.who("worker").get("/api/worker/assignment").json()["version"]
    wanted = [
        zone(kinds=[{"kind": "goods_pile", "dwell_s": 120}], permitted=[MARKET]),
        zone("路口", was=None, kinds=[{"kind": "vehicle_parking"}], schedule=[MORNING]),
    ]
    camera = save(city, wanted, [{"kind": "open_burning"}]).json()
    assert {(t["kind"], t["zone"] and t["zone"]["name"], t["dwell_s"]) for t in camera["tasks"]} == {
        ("open_burning", None, None), ("goods_pile", "门前", 120.0), ("vehicle_parking", "路口", None),
    }  # fmt: skip
    assignment = city.who("worker").get("/api/worker/assignment").json()
    assert assignment["version"] != before, "workers fetch it without a restart"
    tasks = {t["kind"]: t for t in next(c for c in assignment["cameras"] if c["id"] == "c1")["tasks"]}
    assert tasks["goods_pile"]["zone"]["permitted"] == [MARKET]
    assert tasks["vehicle_parking"]["zone"]["schedule"] == [MORNING]
    assert zones(city)["门前"]["points"] == SQUARE


def test_zones_are_renamed_exchanged_and_removed(city: City) -> None:
    save(city, [zone(), zone("乙", was=None)])
    first = {name: z["id"] for name, z in zones(city).items()}
    assert save(city, [zone("乙", was="门前"), zone("门前", was="乙")]).status_code == 200
    assert {name: z["id"] for name, z in zones(city).items()} == {"乙": first["门前"], "门前": first["乙"]}
    assert save(city, [zone("门前")]).status_code == 200
    assert list(zones(city)) == ["门前"]


def test_a_bad_polygon_is_named_and_nothing_changes(city: City) -> None:
    stood = zones(city)
    crossed = [SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3]]
    refused = save(city, [zone("好", was=None), zone(points=crossed)])
    assert refused.status_code == 422
    problem = refused.json()
    assert (problem["zone"], problem["fault"]) == ("门前", {"code": "crossed", "a": 1, "b": 2, "c": 3, "d": 4})
    assert "1-2 and 3-4" in problem["detail"]
    for bad in (
        [zone(points=SQUARE[:2])],
        [zone(), zone()],
        [zone(kinds=[{"kind": "ufo"}])],
        [zone(schedule=[{"days": [8], "from": "06:00", "to": "09:00"}])],
        [zone(schedule=[{"days": [1], "from": "6", "to": "09:00"}])],
        [zone(permitted=[{**MARKET, "last": "2026-01-01"}])],
    ):
        assert save(city, bad).status_code == 422, bad
    assert save(city, [], [{"kind": "vehicle_parking"}]).status_code == 422, "this kind needs a zone"
    assert save(city, [zone()], user="wang").status_code == 403
    assert zones(city) == stood
    drawn = {"camera": "c1", "name": "x", "points": crossed}
    assert city.who("eng").post("/api/zones", json=drawn).json()["fault"]["code"] == "crossed"


def test_who_saves_over_what_he_has_not_seen_is_told_who_saved_what_and_when(city: City) -> None:
    first = city.who("eng").get("/api/cameras/c1/zones").json()
    assert (first["saved_by"], [z["name"] for z in first["zones"]]) == ("system", ["门前"])
    read = first["version"]

    def put(name: str, version: int | None, user: str = "eng") -> Any:
        body = {"zones": [zone(), zone(name, was=None)], "version": version}
        return city.who(user).put("/api/cameras/c1/zones", json=body)

    taken = put("乙", read, "boss")
    assert taken.json()["zones_version"] == read + 1
    refused = put("丙", read)
    told = refused.json()
    assert (refused.status_code, told["type"], told["version"], told["wanted"]) == (409, "saved-since", read + 1, read)
    assert (told["by"], told["by_name"], told["at"]) == ("boss", "boss先生", city.clock().isoformat())
    assert "zones of camera c1" in told["detail"]
    assert set(zones(city)) == {"门前", "乙"}, "nothing of it was taken over"

    theirs = city.who("eng").get("/api/cameras/c1/zones").json()
    assert (theirs["version"], theirs["saved_by"]) == (read + 1, "boss")
    assert put("丙", theirs["version"]).status_code == 200
    assert set(zones(city)) == {"门前", "丙"}
    entry = city.who("boss").get("/api/audit").json()["items"][0]
    assert (entry["action"], entry["detail"]["replaced_of"]) == ("zones-drawn", "boss")
    assert {z["name"] for z in entry["detail"]["replaced"]["zones"]} == {"门前", "乙"}, "what was saved over is kept"
    assert put("丁", None).status_code == 200, "a program that names no version saves over whatever stands"


def test_whatever_changes_what_is_looked_for_makes_another_version(city: City) -> None:
    eng, seen = city.who("eng"), set[int]()

    def new() -> bool:
        version = eng.get("/api/cameras/c1").json()["zones_version"]
        fresh = version not in seen
        seen.add(version)
        return fresh

    assert new()
    eng.patch("/api/cameras/c1", json={"name": "新名"})
    assert not new(), "its name is no matter of its zones"
    eng.patch("/api/cameras/c1", json={"tasks": [{"kind": "garbage_exposed"}]})
    assert new()
    eng.post("/api/zones", json={"camera": "c1", "name": "x", "points": SQUARE})
    assert new()
    eng.patch("/api/kinds/garbage_exposed", json={"dwell_s": 900, "camera": "c1"})
    assert new()


def test_of_two_who_save_at_once_one_is_refused(city: City) -> None:
    read = city.who("eng").get("/api/cameras/c1/zones").json()["version"]

    def put(user: str) -> int:
        body = {"zones": [zone(user, was=None)], "version": read}
        return int(city.who(user).put("/api/cameras/c1/zones", json=body).status_code)

    with ThreadPoolExecutor(2) as both:
        assert sorted(both.map(put, ("eng", "boss"))) == [200, 409]


def upload(city: City, what: str, name: str, content: bytes, apply: bool) -> dict[str, Any]:
    form = {"name": name}
    answer = city.who("eng").post(f"/api/{what}/import?apply={apply}", data=form, files={"file": (name, content)})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_a_table_of_cameras_is_looked_at_with_all_its_errors_and_then_taken_over(city: City) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (
        ("id", "name", "url", "watch", "every_s", "lon", "lat"),
        ("c1", "北大街", "rtsp://admin:secret@10.0.0.7/1", "stay", 10, 107.64, 35.73),
        ("n1", "新一", "rtsp://u:p4ss@10.0.0.9/1", "sometimes", 10, 107.6, 35.7),
        ("n2", "新二", "gopher://10.0.0.9/1", "stay", 0.01, 107.6, None),
        ("n3", "新三", "rtsp://10.0.0.10/1", "patrol", 30, 107.6, 35.7),
    ):
        sheet.append(row)
    file = BytesIO()
    book.save(file)
    looked = upload(city, "cameras", "表.xlsx", file.getvalue(), apply=False)
    assert {k: looked[k] for k in ("applied", "good", "refused", "added", "changed")} == {
        "applied": False, "good": 2, "refused": 2, "added": 1, "changed": 1,
    }  # fmt: skip
    assert {(p["row"], p["column"]) for p in looked["problems"]} == {
        (3, "watch"),
        (4, "url"),
        (4, "every_s"),
        (4, "lat"),
    }
    assert "p4ss" not in str(looked)
    assert city.who("eng").get("/api/cameras").json()["total"] == 2, "looking changes nothing"
    taken = upload(city, "cameras", "表.xlsx", file.getvalue(), apply=True)
    assert taken["imported"] == 2
    assert {c["id"] for c in city.who("eng").get("/api/cameras").json()["items"]} == {"c1", "c2", "n3"}
    kept = city.who("eng").get("/api/cameras/c1").json()
    assert [t["kind"] for t in kept["tasks"]] == ["garbage_exposed", "goods_pile"], "zones and tasks stay"
    assert upload(city, "cameras", "表.xlsx", file.getvalue(), apply=False)["same"] == 2


def test_a_table_of_sensors_names_the_row_that_the_hub_refuses(city: City) -> None:
    table = "id,device,profile\nb0,,bin_level\nb1,d-1,bin_level\nb2,d-2,flood\nb3,bin-7,bin_level\n"
    looked = upload(city, "sensors", "s.csv", table.encode(), apply=False)
    assert [(p["row"], p["column"]) for p in looked["problems"]] == [(2, "device"), (4, "profile"), (5, "id")]
    assert looked["added"] == 1
    assert city.who("eng").get("/api/sensors").json()["total"] == 1


def test_a_first_look_shows_the_picture_or_says_why_not(city: City, tmp_path: Path) -> None:
    path = tmp_path / "street.jpg"
    assert cv2.imwrite(str(path), np.full((72, 128, 3), 90, np.uint8))
    tried = city.who("eng").post("/api/cameras/try", json={"url": f"file://{path}"}).json()
    assert (tried["ok"], tried["width"], tried["height"]) == (True, 128, 72)
    assert tried["picture"].startswith("data:image/jpeg;base64,")
    away = city.who("eng").post("/api/cameras/try", json={"url": "rtsp://u:geheim@127.0.0.1:9/x"}).json()
    assert away["ok"] is False
    assert away["error"]
    assert away["why"] == {"code": "unreachable", "values": {"detail": "connection refused"}}
    assert "geheim" not in str(away)
    for wrong in ({}, {"url": "gopher://x"}):
        assert city.who("eng").post("/api/cameras/try", json=wrong).status_code == 422
    assert city.who("eng").post("/api/cameras/try", json={"camera": "c9"}).status_code == 404
    assert city.who("wang").post("/api/cameras/try", json={"url": "file:///x"}).status_code == 403


def test_how_the_workers_are(city: City) -> None:
    counters = {"pipeline_looks": 200, "pipeline_gated": 150, "pipeline_inferences": 50, "pipeline_infer_us": 400_000}
    more: dict[str, Any] = {"dropped_infer": 3, "dropped_spool": 0, "spool_findings": 2}
    more["left_out"] = ["kind crowd: rule.type: 'crowd'"]
    at = city.clock().isoformat()
    looks = {"at": at, "ids": ["c1", "c2"], "ago_ms": [0, 0], "attained_s": [10.0, 25.0]}
    cameras = [{"id": id_, "state": "online", "since": at} for id_ in ("c1", "c2")]
    body = {"worker": "w1", "cameras": cameras, "looks": looks, "counters": counters | more}
    assert city.who("worker").post("/api/worker/status", json=body).status_code == 200
    shown = city.who("eng").get("/api/workers").json()
    worker = shown["items"][0]
    assert (worker["gate_share"], worker["inference_ms"], worker["lost"]) == (0.75, 8.0, False)
    assert (worker["dropped"], worker["waiting"]) == ({"infer": 3}, {"findings": 2})
    assert worker["left_out"] == ["kind crowd: rule.type: 'crowd'"]
    assert (shown["cameras"], shown["on_time"], shown["worst_s"]) == (2, 1, 25.0)
    city.clock.forward(minutes=2)
    assert city.who("eng").get("/api/workers").json()["items"][0]["lost"] is True


def test_a_change_of_a_camera_that_is_refused_leaves_no_zone_behind(city: City) -> None:
    """A zone that comes with a task is drawn where the whole change is taken, and only there."""
    eng = city.who("eng")
    before = eng.get("/api/cameras/c1/zones").json()
    drawn = {"kind": "vehicle_parking", "zone": {"name": "禁停", "points": SQUARE}}
    anew = {"kind": "goods_pile", "zone": {"name": "门前", "points": SQUARE}}
    crossed = {"kind": "goods_pile", "zone": {"name": "路口", "points": [[0, 0], [1, 1], [1, 0], [0, 1]]}}
    for refused in (
        {"tasks": [drawn, anew, {"kind": "ufo"}]},
        {"tasks": [drawn, crossed]},
        {"tasks": [drawn, anew], "name": None},
        {"tasks": [anew], "goto": "nonsense"},
    ):
        assert eng.patch("/api/cameras/c1", json=refused).status_code == 422, refused
        assert eng.get("/api/cameras/c1/zones").json() == before, refused
    assert eng.patch("/api/cameras/c1", json={"tasks": [drawn, anew]}).status_code == 200
    after = eng.get("/api/cameras/c1/zones").json()
    assert {z["name"]: z["points"] for z in after["zones"]} == {"门前": SQUARE, "禁停": SQUARE}
    assert (after["version"], after["saved_by"]) == (before["version"] + 1, "eng")
