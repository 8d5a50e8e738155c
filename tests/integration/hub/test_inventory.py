"""Cameras, sensors, zones and grids over HTTP, the workers' assignment, readings, and the problems of bad requests."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.bootstrap import build_hub
from hub.config import Settings
from hub.store.rows import CameraRow
from ingest.device import Camera

from .conftest import City, Clock, jpeg

SQUARE = [[107.6, 35.7], [107.7, 35.7], [107.7, 35.8], [107.6, 35.8], [107.6, 35.7]]


def feature(id_: str, level: str, parent: str = "") -> dict[str, Any]:
    properties = {"id": id_, "name": f"{id_}区", "level": level, "parent": parent}
    return {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [SQUARE]}}


GRID = {
    "type": "FeatureCollection",
    "features": [
        feature("d", "district"),
        feature("s", "street", "d"),
        feature("c", "community", "s"),
        feature("b", "base", "c"),
    ],
}


def test_people_never_see_a_cameras_password_and_workers_get_it(city: City) -> None:
    for user in ("wang", "eng", "boss"):
        text = city.who(user).get("/api/cameras").text
        assert "secret" not in text
        assert "rtsp://10.0.0.7/1" in text
    cameras = city.who("worker").get("/api/worker/assignment").json()["cameras"]
    assert cameras[0]["url"] == "rtsp://admin:secret@10.0.0.7/1"
    assert cameras[0]["tasks"][1] == {
        "kind": "goods_pile",
        "zone": {
            "name": "门前",
            "points": [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]],
            "schedule": [],
            "permitted": [],
        },
        "dwell_s": 60.0,
        "min_score": None,
    }
    eng = city.who("eng")
    assert eng.patch("/api/cameras/c1", json={"url": "rtsp://root:hunter2@10.0.0.9/2"}).status_code == 200
    assert "hunter2" not in city.who("boss").get("/api/audit").text
    assert "hunter2" not in eng.patch("/api/cameras/c1", json={"url": "//root:hunter2@nowhere"}).text


def test_the_assignment_is_sent_again_only_when_it_changed(city: City) -> None:
    worker = city.who("worker")
    first = worker.get("/api/worker/assignment?shard=0/1")
    tag = {"If-None-Match": first.headers["etag"]}
    assert worker.get("/api/worker/assignment?shard=0/1", headers=tag).status_code == 304
    zone = {"camera": "c1", "name": "路口", "points": [[0, 0], [1, 0], [0.5, 1]]}
    assert city.who("eng").post("/api/zones", json=zone).status_code == 201
    second = worker.get("/api/worker/assignment?shard=0/1", headers=tag)
    assert second.status_code == 200
    assert second.json()["version"] != first.json()["version"]
    case = city.case()
    city.move("huan", case["id"], "accept")
    city.move("huan", case["id"], "feedback", text="已清理")
    assert len(worker.get("/api/worker/assignment?shard=0/1", headers=tag).json()["rechecks"]) == 1
    assert set(first.json()["kinds"]) >= {"garbage_exposed", "open_burning", "vehicle_parking", "goods_pile"}
    assert set(first.json()["profiles"]) >= {"bin_level", "manhole", "water_depth", "smoke"}


def test_shards_share_the_devices_without_overlap(city: City) -> None:
    city.hub.registry.import_cameras([Camera(f"k{n}", f"k{n}", "rtsp://10.1.1.1/1") for n in range(40)])
    worker = city.who("worker")
    parts = [worker.get(f"/api/worker/assignment?shard={n}/3").json() for n in range(3)]
    ids = [c["id"] for part in parts for c in part["cameras"]]
    assert len(ids) == len(set(ids)) == 42
    assert all(len(part["cameras"]) > 5 for part in parts)
    assert sum(len(part["sensors"]) for part in parts) == 1
    for bad in ("3/3", "x", "1", "-1/2"):
        assert worker.get(f"/api/worker/assignment?shard={bad}").status_code == 422


def test_a_camera_is_added_changed_and_put_on_the_grid(city: City) -> None:
    city.hub.registry.import_grids(GRID)
    eng = city.who("eng")
    new = {
        "id": "c7",
        "name": "东门",
        "url": "rtsp://10.0.0.3/1",
        "lon": 107.65,
        "lat": 35.75,
        "tasks": [{"kind": "vehicle_parking", "zone": {"name": "禁停", "points": [[0, 0], [1, 0], [1, 1]]}}],
    }
    made = eng.post("/api/cameras", json=new)
    assert made.status_code == 201, made.text
    assert made.json()["grid"] == {"id": "b", "name": "b区"}
    assert made.json()["tasks"][0]["zone"]["name"] == "禁停"
    assert eng.post("/api/cameras", json=new).json()["type"] == "taken"
    for wrong in (
        {"tasks": [{"kind": "ufo"}]},
        {"tasks": [{"kind": "vehicle_parking"}]},
        {"tasks": [{"kind": "garbage_exposed", "zone": "没有"}]},
        {"every_s": 0},
        {"lon": 200},
        {"lon": 107.6, "lat": None},
        {"name": None},
        {"watch": "stare"},
        {"colour": "red"},
    ):
        answer = eng.patch("/api/cameras/c7", json=wrong)
        assert (answer.status_code, answer.json()["type"]) == (422, "invalid"), wrong
        assert next(iter(wrong)) in answer.text
    changed = eng.patch("/api/cameras/c7", json={"every_s": 5, "tasks": []}).json()
    assert (changed["every_s"], changed["tasks"], changed["name"]) == (5, [], "东门")
    assert city.who("wang").get("/api/grids").json()["features"][0]["properties"]["id"] == "b"
    alert = city.post_finding(city.finding())["alert"]
    assert city.who("wang").get(f"/api/alerts/{alert}").json()["grid"]["id"] == "b"


@pytest.mark.parametrize(
    ("url", "shown", "allowed"),
    [
        ("gopher://root:hunter2@10.0.0.9/1", "gopher://10.0.0.9/1", "SCHEME://"),
        ("root:hunter2@10.0.0.9/1", "(hidden)", "SCHEME://"),
        ("rtsp:root:hunter2@10.0.0.9/1", "(hidden)", "SCHEME://"),
        ("rtsp:///root:hunter2@10.0.0.9/1", "(hidden)", "rtsp://HOST[:PORT]/PATH"),
        ("rtsp://root:hunter2@:554/1", "rtsp://:554/1", "rtsp://HOST[:PORT]/PATH"),
        ("rtsp://root:hunter2@10.0.0.9:99999/1", "rtsp://10.0.0.9:99999/1", "HOST[:PORT]"),
        ("http://root:hunt[er2@10.0.0.9/snap.jpg", "http://10.0.0.9/snap.jpg", "in a password written %2F"),
        ("file:///clip.mp4?each=never", "file:///clip.mp4?each=never", "a number of seconds"),
    ],
)
def test_a_url_that_no_reader_can_read_is_refused_wherever_it_comes_in(
    city: City, url: str, shown: str, allowed: str
) -> None:
    eng = city.who("eng")
    for answer in (
        eng.patch("/api/cameras/c1", json={"url": url}),
        eng.post("/api/cameras", json={"id": "c7", "name": "东门", "url": url}),
    ):
        problem = answer.json()
        assert (answer.status_code, problem["field"], problem["value"]) == (422, "url", shown)
        assert allowed in problem["allowed"]
        assert "hunt" not in answer.text
    assert eng.get("/api/cameras/c1").json()["url"] == "rtsp://10.0.0.7/1"
    assert "hunt" not in city.who("boss").get("/api/audit").text


def test_a_way_of_looking_that_does_not_go_with_the_url_is_refused(city: City) -> None:
    answer = city.who("eng").patch("/api/cameras/c1", json={"watch": "snapshot"})
    assert (answer.status_code, answer.json()["field"]) == (422, "watch")
    assert "watch: 'snapshot' is not allowed; allowed: stay, patrol with rtsp" in answer.json()["detail"]


def test_a_camera_whose_url_an_older_hub_took_can_be_changed_otherwise(city: City) -> None:
    with city.hub.house.db.write() as tx:
        tx.get_one(CameraRow, "c2").url = "rtsp:///1"
    eng = city.who("eng")
    assert eng.patch("/api/cameras/c2", json={"name": "南街"}).json()["name"] == "南街"
    assert eng.patch("/api/cameras/c2", json={"url": "rtsp://10.0.0.8/1"}).json()["url"] == "rtsp://10.0.0.8/1"


def test_an_engineer_says_that_a_turned_cameras_view_is_right(city: City) -> None:
    """Rules are silent on a camera that shows another view than it is used to: somebody must be able to end that."""

    def view() -> str | None:
        (wire,) = [c for c in city.who("worker").get("/api/worker/assignment").json()["cameras"] if c["id"] == "c1"]
        return wire["view"]  # type: ignore[no-any-return]

    assert view() is None
    before = city.who("worker").get("/api/worker/assignment").headers["ETag"]
    assert city.who("wang").post("/api/cameras/c1/accept-view").status_code == 403
    assert city.who("eng").post("/api/cameras/c99/accept-view").status_code == 404
    assert city.who("eng").post("/api/cameras/c1/accept-view").json()["id"] == "c1"
    assert view() == city.clock().isoformat()
    assert city.who("worker").get("/api/worker/assignment").headers["ETag"] != before


def test_a_bare_camera_is_looked_at_for_what_needs_no_zone(city: City) -> None:
    city.hub.registry.import_cameras(
        [Camera("new", "新", "rtsp://10.0.0.4/1"), Camera("c1", "改名", "rtsp://10.0.0.4/2")]
    )
    made = city.hub.registry.camera("new")
    assert {t["kind"] for t in made["tasks"]} == {"garbage_exposed", "open_burning"}
    kept = city.hub.registry.camera("c1")
    assert kept["name"] == "改名"
    assert [t["kind"] for t in kept["tasks"]] == ["garbage_exposed", "goods_pile"]


def test_a_sensor_is_added_and_changed(city: City) -> None:
    eng = city.who("eng")
    new = {"id": "s2", "name": "井盖 3", "device": "cover-3", "profile": "manhole"}
    assert eng.post("/api/sensors", json=new).status_code == 201
    assert eng.post("/api/sensors", json={**new, "id": "s3"}).json()["type"] == "taken"
    assert "bin_level" in eng.post("/api/sensors", json={**new, "id": "s3", "profile": "x"}).json()["allowed"]
    assert eng.patch("/api/sensors/s2", json={"every_s": 60}).json()["every_s"] == 60
    page = city.who("wang").get("/api/sensors?limit=1").json()
    assert (page["total"], [s["id"] for s in page["items"]]) == (2, ["s1"])
    page = city.who("wang").get(f"/api/sensors?limit=1&cursor={page['next_cursor']}").json()
    assert ([s["id"] for s in page["items"]], page["next_cursor"]) == (["s2"], None)


def reading(city: City, **changes: Any) -> dict[str, Any]:
    at = city.clock().isoformat()
    row = {"device": "bin-7", "prop": "fill_pct", "value": 50.0, "unit": "%", "observed_at": at, "received_at": at}
    return {**row, "key": "k1", "quality": "ok", **changes}


def test_a_reading_is_stored_once_and_unknown_devices_too(city: City) -> None:
    worker = city.who("worker")
    batch = [reading(city), reading(city, prop="battery_v", value=3.5), reading(city, device="stranger", key="k2")]
    assert worker.post("/api/readings", json={"readings": batch}).json() == {"stored": 3, "duplicates": 0}
    again = [*batch, reading(city, key="k3", value=60)]
    assert worker.post("/api/readings", json={"readings": again}).json() == {"stored": 1, "duplicates": 3}
    assert worker.post("/api/readings", json={"readings": []}).json() == {"stored": 0, "duplicates": 0}
    shown = city.who("wang").get("/api/readings?sensor=s1&hours=1").json()["items"]
    assert sorted((r["prop"], r["value"]) for r in shown) == [
        ("battery_v", 3.5),
        ("fill_pct", 50.0),
        ("fill_pct", 60.0),
    ]
    assert "gridhub_readings_total 4" in city.who("nobody").get("/metrics").text
    bad = worker.post("/api/readings", json={"readings": [reading(city), reading(city, value="much", key="k9")]})
    assert bad.status_code == 422
    assert bad.json()["errors"][0]["field"] == "readings.1.value"
    assert worker.post("/api/readings", json={"readings": [reading(city, observed_at="2026-11-23")]}).status_code == 422


def test_what_the_database_cannot_hold_is_refused_for_good(city: City) -> None:
    """PostgreSQL holds no NUL in a text; a worker that is told "later" would try for ever."""
    worker = city.who("worker")
    wire = city.finding(why="a\0b").to_wire()
    wanted = {200, 201} if not city.hub.settings.database_url else {422}
    assert worker.post("/api/findings", json=wire).status_code in wanted
    batch = {"readings": [reading(city, unit="\0", key="nul")]}
    assert worker.post("/api/readings", json=batch).status_code in wanted


def test_old_readings_are_forgotten(city: City) -> None:
    worker = city.who("worker")
    worker.post("/api/readings", json={"readings": [reading(city, key=f"k{n}") for n in range(20)]})
    city.clock.forward(days=29)
    worker.post("/api/readings", json={"readings": [reading(city, key="young")]})
    city.clock.forward(days=2)
    worker.post("/api/readings", json={"readings": [reading(city, key="now", device="stranger")]})
    city.hub.tidy()
    assert len(city.who("wang").get("/api/readings?sensor=s1&hours=240").json()["items"]) == 1


def test_the_newest_look_is_shown(city: City) -> None:
    worker, staff = city.who("worker"), city.who("wang")

    def put(picture: bytes, at: Any) -> httpx.Response:
        return worker.put("/api/cameras/c1/look", content=picture, headers={"X-Captured-At": at.isoformat()})

    assert put(jpeg(1), city.clock()).status_code == 200
    assert put(jpeg(2), city.clock() + timedelta(seconds=9)).status_code == 200
    assert put(jpeg(3), city.clock()).status_code == 200, "an older one changes nothing"
    url = staff.get("/api/cameras/c1").json()["last_look_url"]
    assert staff.get(url).content == jpeg(2)
    assert put(b"no picture", city.clock()).status_code == 422
    assert put(b"\xff\xd8\xff" + bytes(1024 * 1024), city.clock()).status_code == 413
    assert staff.get("/api/cameras/c2/look").status_code == 404


def test_a_picture_from_the_future_hides_none_that_comes_after_it(city: City) -> None:
    """The clock of a worker was wrong for a minute."""
    worker, staff = city.who("worker"), city.who("wang")
    for shade, days in ((1, 0.0), (2, 300.0), (3, 0.001)):
        head = {"X-Captured-At": (city.clock() + timedelta(days=days)).isoformat()}
        assert worker.put("/api/cameras/c1/look", content=jpeg(shade), headers=head).status_code == 200
    shown = staff.get("/api/cameras/c1").json()
    assert staff.get(shown["last_look_url"]).content == jpeg(3)
    assert shown["last_look_at"] == (city.clock() + timedelta(days=0.001)).isoformat()


@pytest.mark.parametrize(
    ("user", "path"),
    [
        ("eng", "readings/chart?sensor=s1&until=0001-01-01T00:00:00Z"),
        ("boss", "audit?since=0001-01-01T00:00:00%2B14:00"),
        ("boss", "audit?until=9999-12-31T23:59:59-12:00"),
    ],
)
def test_times_that_no_calendar_holds_are_refused_by_name(city: City, user: str, path: str) -> None:
    answer = city.who(user).get(f"/api/{path}")
    assert (answer.status_code, answer.json()["type"]) == (422, "invalid"), answer.text
    assert answer.json()["errors"][0]["field"] in ("since", "until")


def test_bad_requests_are_problems_that_name_what_is_wrong(city: City) -> None:
    staff = city.who("wang")
    for method, path, body, status in (
        ("GET", "/api/nothing", None, 404),
        ("GET", "/api/alerts/none", None, 404),
        ("GET", "/api/cases/none", None, 404),
        ("GET", "/api/cameras/none", None, 404),
        ("GET", "/api/evidence/..%2f..%2fetc%2fpasswd", None, 404),
        ("GET", "/api/evidence/" + "0" * 64, None, 404),
        ("DELETE", "/api/alerts", None, 405),
        ("GET", "/api/alerts?limit=0", None, 422),
        ("GET", "/api/alerts?limit=many", None, 422),
        ("POST", "/api/alerts/x/reject", {}, 422),
        ("POST", "/api/alerts/x/confirm", {"category": "99999"}, 422),
    ):
        answer = staff.request(method, path, json=body)
        assert answer.status_code == status, (path, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["status"] == status
        assert problem["title"]
        assert problem["detail"]
        assert "Traceback" not in answer.text
    worker = city.who("worker")
    for content in (b"", b"{", b"[]", b"\xff\xfe", b'{"id": 5}'):
        answer = worker.post("/api/findings", content=content, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["type"]) == (422, "invalid"), content
    broken = worker.post("/api/findings", content=b"x", headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert broken.status_code == 400
    assert broken.headers["content-type"] == "application/problem+json"
    huge = worker.post("/api/findings", content=b" " * (2 * 1024 * 1024), headers={"Content-Type": "application/json"})
    assert (huge.status_code, huge.json()["type"]) == (413, "too-large")


def test_what_anybody_may_know(city: City) -> None:
    nobody = city.who("nobody")
    known = nobody.get("/api/hub").json()
    assert known["timezone"] == "Asia/Shanghai"
    assert "accounts" not in known
    assert nobody.get("/healthz").json() == {"ok": True}
    paths = nobody.get("/openapi.json").json()["paths"]
    assert {"/api/findings", "/api/alerts/{alert_id}/confirm", "/api/cases/{case_id}/{action}"} <= set(paths)
    for path in ("/api/alerts", "/api/cases", "/api/cameras", "/api/feed", "/api/grids", "/api/kinds"):
        assert nobody.get(path).status_code == 401
    assert nobody.get("/api/session").status_code == 401


def test_inventory_files_are_read_at_start(settings: Settings, rules: Any, tmp_path: Path, caplog: Any) -> None:
    cameras = tmp_path / "cameras.csv"
    cameras.write_text("id,name,url\na,甲,rtsp://u:p@10.0.0.1/1\nb,乙,gopher://x\nc/1,丙,rtsp://x\n", encoding="utf-8")
    hub = build_hub(replace(settings, cameras_file=cameras), rules=rules, now=Clock())
    hub.start()
    hub.stop()
    with_file = build_hub(settings, rules=rules, now=Clock())
    assert [c["id"] for c in with_file.registry.cameras()] == ["a"]
    with_file.stop()
    assert re.search(r"cameras\.csv: row 3: url: 'gopher://x'", caplog.text)
    assert re.search(r"cameras\.csv: row 4: id: 'c/1' is not allowed; allowed: 1 to 64 of the letters", caplog.text)
