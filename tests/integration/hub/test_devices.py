"""Quarantine, mapping profiles, links and looks beside, maintenance, notices of sensors, ThingsBoard over HTTP."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from detectors.finding import Finding
from hub.brake import Allowance
from hub.store.device_rows import MappingRow
from ingest.device import Place, Sensor

from .conftest import City, jpeg


def stranger(city: City, device: str = "a84041ffff000042", **more: Any) -> dict[str, Any]:
    return {
        "device": device, "form": "chirpstack", "topic": f"application/a1/device/{device}/event/up",
        "payload": '{"object": {"fill_pct": 40}}', "at": city.clock().isoformat(), "count": 3,
        "readings": [{"prop": "fill_pct", "value": 40, "unit": "%", "at": city.clock().isoformat()}], **more,
    }  # fmt: skip


def hear(city: City, *strangers: dict[str, Any], troubles: Any = ()) -> None:
    answer = city.who("worker").post("/api/worker/heard", json={"strangers": strangers, "troubles": list(troubles)})
    assert answer.status_code == 200, answer.text


def get(city: City, path: str, who: str = "eng") -> Any:
    answer = city.who(who).get(f"/api/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def post(city: City, path: str, body: Any = None, who: str = "eng", status: int = 200) -> Any:
    answer = city.who(who).post(f"/api/{path}", json=body or {})
    assert answer.status_code == status, answer.text
    return answer.json()


def report(city: City, sensor: str = "s1", **more: Any) -> None:
    said = {"id": sensor, "state": "online", "last_seen": city.clock().isoformat(), "values": {"fill_pct": 40}, **more}
    answer = city.who("worker").post("/api/worker/status", json={"worker": "w", "sensors": [said], "session": "1"})
    assert answer.status_code == 200, answer.text


def alarm(city: City, **more: Any) -> Finding:
    at = city.clock() - timedelta(seconds=5)
    readings = ({"device": "bin-7", "prop": "fill_pct", "value": 95.0, "unit": "%", "observed_at": at.isoformat()},)
    words = {"why": "满溢度 95 % > 90 %，连续 2 次", "why_en": "Fill level 95 % > 90 % for 2 readings"}
    return city.finding(
        **({"kind": "bin_overflow", "camera": None, "sensor": "s1", "boxes": (), "model": None, "readings": readings,
            "at": at, "since": at} | words | more)
    )  # fmt: skip


# --- quarantine -------------------------------------------------------------------------------------------------------


def test_an_unknown_device_waits_in_quarantine_until_somebody_adopts_it(city: City) -> None:
    hear(city, stranger(city))
    city.clock.forward(minutes=10)
    hear(city, stranger(city, payload="{}", count=1))
    (item,) = get(city, "quarantine")["items"]
    assert (item["count"], item["payload"], item["suggested"]) == (4, "{}", "bin_level")
    assert item["readings"][0]["value"] == 40
    body = {"id": "bin-42", "name": "42 号桶", "profile": "bin_level", "lon": 107.641, "lat": 35.731, "every_s": 1200,
            "asset": "62100203005000457", "installed_on": "2026-11-01"}  # fmt: skip
    sensor = post(city, f"quarantine/{item['device']}/adopt", body, status=201)
    assert (sensor["device"], sensor["asset"], sensor["every_s"]) == (item["device"], "62100203005000457", 1200)
    assert get(city, "quarantine")["total"] == 0
    assignment = city.who("worker").get("/api/worker/assignment").json()
    assert item["device"] in {s["device"] for s in assignment["sensors"]}
    hear(city, stranger(city))
    assert get(city, "quarantine")["total"] == 0, "a registered device is no stranger"


def test_a_binary_message_of_a_stranger_hides_no_other(city: City) -> None:
    """Sparkplug's payloads hold NULs, which PostgreSQL keeps in no text: all that came with one was refused."""
    binary = b"\x08\x00\x12\x07\x0a\x00plc".decode("utf-8", "backslashreplace")
    announced = [{"prop": "x", "name": "a\0b", "state_topic": "t", "availability_topic": None, "expire_after_s": None}]
    trouble = {"device": "g/n", "code": "X", "text": "a\0b", "at": city.clock().isoformat()}
    plc = stranger(city, "g/n/d", form="sparkplug", payload=binary, announced=announced)
    hear(city, plc, stranger(city), plc, troubles=[trouble])
    found = {item["device"]: item for item in get(city, "quarantine")["items"]}
    assert found.keys() == {"g/n/d", "a84041ffff000042"}
    assert found["g/n/d"]["payload"] == "\x08\\x00\x12\x07\n\\x00plc"
    assert (found["g/n/d"]["count"], found["g/n/d"]["announced"][0]["name"]) == (6, "a\\x00b")


def test_two_that_hear_a_stranger_at_once_both_keep_it(city: City) -> None:
    told = [stranger(city, f"new-{number // 8}", count=1) for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(partial(hear, city), told))
    assert {item["device"] for item in get(city, "quarantine")["items"]} == {f"new-{each}" for each in range(5)}


def test_a_device_can_be_ignored_and_shown_again(city: City) -> None:
    hear(city, stranger(city, "xifeng/pump/level 1"))
    assert post(city, "quarantine/xifeng/pump/level 1/ignore")["ignored"] is True
    hear(city, stranger(city, "xifeng/pump/level 1"))
    assert get(city, "quarantine")["total"] == 0
    assert get(city, "quarantine?ignored=true")["items"][0]["count"] == 6
    assert post(city, "quarantine/xifeng/pump/level 1/show")["ignored"] is False
    assert get(city, "quarantine")["total"] == 1


def test_what_discovery_announced_is_listened_to_once_adopted(city: City) -> None:
    announced = [{"prop": "open", "name": "door", "unit": "", "state_topic": "cab/0107/state",
                  "availability_topic": "cab/0107/lwt", "readable": "", "expire_after_s": 93600}]  # fmt: skip
    hear(city, stranger(city, "cab-0107", form="homeassistant", announced=announced, readings=[], model="NB magnet"))
    waiting = get(city, "quarantine/cab-0107")
    assert (waiting["suggested"], waiting["every_s"]) == ("door", 31200), "silence is three intervals"
    before = city.who("worker").get("/api/worker/assignment").json()["broker"]["topics"]
    assert "cab/0107/state" not in before
    post(city, "quarantine/cab-0107/adopt", {"id": "cab-107", "name": "配电箱", "profile": "door"}, status=201)
    topics = city.who("worker").get("/api/worker/assignment").json()["broker"]["topics"]
    assert topics["cab/0107/state"] == topics["cab/0107/lwt"] == "homeassistant"


def test_quarantine_is_bounded_and_the_quiet_go_first(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.quarantine.MOST", 5)
    for number in range(8):
        city.clock.forward(seconds=1)
        hear(city, stranger(city, f"d{number}"))
    assert [i["device"] for i in get(city, "quarantine")["items"]] == ["d7", "d6", "d5", "d4", "d3"]
    assert city.hub.house.tally.counts["dropped", "quarantine_full"] == 3


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"profile": "flood"}, "profile: 'flood'"),
        ({"asset": "123"}, "17 digits"),
        ({"asset": "62100207005000457"}, "01 to 05"),
        ({"settings": {"crown": 3}}, "settings.crown"),
        ({"profile": "well_level", "settings": {"crown_cm": -50}}, "make sense together"),
        ({"installed_on": "yesterday"}, "YYYY-MM-DD"),
    ],
)
def test_what_cannot_be_adopted_says_why_and_stays(city: City, body: dict[str, Any], said: str) -> None:
    hear(city, stranger(city))
    whole = {"id": "x", "name": "x", "profile": "bin_level"} | body
    assert said in post(city, "quarantine/a84041ffff000042/adopt", whole, status=422)["detail"]
    assert get(city, "quarantine")["total"] == 1


def test_a_table_of_sensors_comes_in_row_by_row(city: City) -> None:
    rows = ("id,device,profile,asset", "b1,d-1,bin_level,62100203005000457", "b2,d-2,flood,", "b3,bin-7,bin_level,")
    table = "\n".join((*rows, "b4,d-4,smoke,12"))
    answer = city.who("eng").post("/api/sensors/import", files=[("sensors.csv", ("sensors.csv", table.encode()))])
    assert answer.status_code == 200, answer.text
    assert answer.json()["imported"] == 1
    assert [e.split(": ")[:2] for e in answer.json()["errors"]] == [
        ["sensors.csv", "row 5"], ["sensors.csv", "b2"], ["sensors.csv", "b3"],
    ]  # fmt: skip
    assert get(city, "sensors/b1")["asset"] == "62100203005000457"
    odd = city.who("eng").post("/api/sensors/import", files=[("x.doc", ("x.doc", b"?"))])
    assert odd.status_code == 422
    assert ".xlsx" in odd.json()["detail"]


def test_only_engineers_adopt(city: City) -> None:
    hear(city, stranger(city))
    post(city, "quarantine/a84041ffff000042/adopt", {"id": "x", "name": "x", "profile": "smoke"}, "wang", 403)


def test_what_a_network_says_of_a_device_is_kept_once(city: City) -> None:
    said = {"device": "bin-7", "code": "UPLINK_F_CNT_RESET", "text": "counter fell", "at": city.clock().isoformat()}
    hear(city, troubles=[said, said])
    hear(city, troubles=[said])
    (event,) = get(city, "sensors/s1/events")["items"]
    assert event["code"] == "UPLINK_F_CNT_RESET"


# --- mapping profiles -------------------------------------------------------------------------------------------------

TEXT = """
id: vendor
device: $.sn
time: {path: $.t, as: ms}
readings:
  - {prop: fill_pct, path: $.lvl, unit: fraction}
"""
SAMPLE = json.dumps({"sn": "b-1", "t": 1795400104000, "lvl": "0.93"})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: " + "[" * 15_000, "YAML"),
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]", "YAML: aliases (*NAME) are not allowed"),
        ("a: &a [*a]", "YAML: aliases"),
    ],
)
def test_a_profile_that_would_fill_the_memory_is_told(city: City, text: str, why: str) -> None:
    tried = post(city, "mappings/try", {"text": text, "sample": SAMPLE})
    assert tried["readings"] == []
    assert tried["problems"][0].startswith(why)


def test_a_mapping_profile_is_tried_saved_and_sent_to_workers(city: City) -> None:
    tried = post(city, "mappings/try", {"text": TEXT, "sample": SAMPLE, "topic": "vendor/up"})
    assert tried["problems"] == []
    assert [(r["device"], r["prop"], r["value"], r["unit"]) for r in tried["readings"]] == [
        ("b-1", "fill_pct", 93, "%")
    ]
    saved = city.who("eng").put("/api/mappings", json={"text": TEXT, "topics": ["vendor/+"], "sample": SAMPLE})
    assert saved.status_code == 200, saved.text
    topics = city.who("worker").get("/api/worker/assignment").json()["broker"]["topics"]
    assert json.loads(topics["vendor/+"])["id"] == "vendor"
    (item,) = get(city, "mappings")["items"]
    assert (item["id"], item["own"], item["text"]) == ("vendor", True, TEXT)
    assert city.who("eng").delete("/api/mappings/vendor").status_code == 204
    assert "vendor/+" not in city.who("worker").get("/api/worker/assignment").json()["broker"]["topics"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"text": "id: [broken"}, "YAML"),
        ({"text": TEXT.replace("$.sn", "sn")}, "device"),
        ({"text": TEXT.replace("fraction", "cm")}, "unit"),
        ({"sample": '{"sn": "b-1", "lvl": "full"}'}, "$.lvl: 'full' is not a number"),
        ({"sample": "{"}, "not JSON"),
        ({"text": "id: 2026-01-01\ndevice: $.a"}, "YAML"),
    ],
)
def test_what_is_wrong_with_a_profile_or_a_sample_is_said_line_by_line(city: City, change: Any, said: str) -> None:
    tried = post(city, "mappings/try", {"text": TEXT, "sample": SAMPLE} | change)
    assert tried["readings"] == []
    assert any(said in problem for problem in tried["problems"]), tried["problems"]


@pytest.mark.parametrize(
    ("change", "said"),
    [({"topics": ["gridhub/+"]}, "hub.yaml reads this one"), ({"topics": ["a/#/b"]}, "MQTT topic filters"),
     ({"text": "id: x"}, "device"), ({"text": TEXT.replace("id: vendor", "id: vendor/2")}, "an id without /")],
)  # fmt: skip
def test_a_profile_that_cannot_be_saved(city: City, change: Any, said: str) -> None:
    answer = city.who("eng").put("/api/mappings", json={"text": TEXT, "topics": ["v/+"]} | change)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]


def test_a_profile_that_an_older_hub_kept_under_an_id_with_a_slash_can_be_removed(city: City) -> None:
    city.who("eng").put("/api/mappings", json={"text": TEXT, "topics": ["v/+"]})
    with city.hub.house.db.write() as tx:
        tx.get_one(MappingRow, "vendor").id = "vendor/2"
    assert city.who("eng").delete("/api/mappings/vendor%2F2").status_code == 204
    assert get(city, "mappings")["items"] == []


# --- links, looks, agreement ------------------------------------------------------------------------------------------


def linked(city: City) -> None:
    assert post(city, "links/propose") == {"proposed": 1, "waiting": 1}
    (link,) = get(city, "links?state=proposed")["items"]
    assert (link["sensor"], link["camera"], link["distance_m"]) == ("s1", "c1", 0.0)
    assert post(city, "links/confirm", {"sensor": "s1", "camera": "c1"})["state"] == "confirmed"


def test_links_are_proposed_from_positions_and_decided_once(city: City) -> None:
    near = Sensor("s2", "近", "bin-8", "bin_level", place=Place(107.6404, 35.73))
    far = Sensor("s3", "远", "bin-9", "bin_level", place=Place(107.66, 35.73))
    city.hub.registry.import_sensors([near, far, Sensor("s4", "无", "bin-10", "bin_level")])
    assert post(city, "links/propose") == {"proposed": 2, "waiting": 2}
    by_sensor = {i["sensor"]: i for i in get(city, "links")["items"]}
    assert set(by_sensor) == {"s1", "s2"}
    assert by_sensor["s2"]["distance_m"] == pytest.approx(36.1, abs=0.3)
    post(city, "links/refuse", {"sensor": "s2", "camera": "c1"})
    assert post(city, "links/propose") == {"proposed": 0, "waiting": 1}, "what was refused is not proposed again"
    assert post(city, "links/confirm", {"sensor": "s3", "camera": "c2"})["state"] == "confirmed", "by hand"
    again = post(city, "links/refuse", {"sensor": "s2", "camera": "c1"}, status=409)
    assert again["allowed"] == ["confirm"]
    assert get(city, "links")["counts"] == {"proposed": 1, "refused": 1, "confirmed": 1}
    post(city, "links/burn", {"sensor": "s2", "camera": "c1"}, status=422)
    post(city, "links/confirm", {"sensor": "s9", "camera": "c1"}, status=404)


def test_an_alarm_asks_the_linked_camera_and_shows_its_picture(city: City) -> None:
    linked(city)
    alert = city.post_finding(alarm(city))["alert"]
    (beside,) = get(city, f"alerts/{alert}", "wang")["beside"]
    assert (beside["camera"], beside["state"], beside["agrees"]) == ("c1", "wanted", False)
    (wanted,) = city.who("worker").get("/api/worker/assignment").json()["sights"]
    assert (wanted["camera"], wanted["kinds"]) == ("c1", ["bin_overflow", "garbage_exposed"])
    picture = jpeg()
    name = hashlib.sha256(picture).hexdigest()
    seen = [{"kind": "garbage_exposed", "score": 0.7, "boxes": [[0.1, 0.2, 0.3, 0.4]]}]
    sight = {"captured_at": city.clock().isoformat(), "seen": seen}
    for _ in range(2):
        parts = [(name, (name, picture, "image/jpeg"))]
        body = {"sight": json.dumps(sight)}
        answer = city.who("worker").post(f"/api/sights/{wanted['id']}", data=body, files=parts)
        assert answer.status_code == 200, answer.text
    shown = get(city, f"alerts/{alert}", "wang")
    (beside,) = shown["beside"]
    assert (beside["state"], beside["agrees"], beside["seen"]) == ("seen", True, seen)
    assert [e["role"] for e in shown["evidence"]] == ["beside"]
    assert shown["agreed"] is True
    assert shown["why_en"] == "Fill level 95 % > 90 % for 2 readings"
    assert city.who("worker").get("/api/worker/assignment").json()["sights"] == []


def test_a_look_that_nobody_takes_is_given_up(city: City) -> None:
    linked(city)
    alert = city.post_finding(alarm(city))["alert"]
    city.clock.forward(minutes=11)
    city.hub.sensor_notices.step()
    assert get(city, f"alerts/{alert}", "wang")["beside"][0]["state"] == "missed"
    assert city.who("worker").get("/api/worker/assignment").json()["sights"] == []


def test_a_camera_finding_shows_what_the_sensors_beside_it_say_and_both_agree(city: City) -> None:
    linked(city)
    report(city, level="warn")
    first = city.post_finding(city.finding(id="quiet", kind="goods_pile", zone="门前"))["alert"]
    (beside,) = get(city, f"alerts/{first}", "wang")["beside"]
    assert (beside["sensor"], beside["level"], beside["values"], beside["agrees"]) == (
        "s1",
        "warn",
        {"fill_pct": 40},
        False,
    )
    sensors = city.post_finding(alarm(city))["alert"]
    cameras = city.post_finding(city.finding())["alert"]
    one, other = get(city, f"alerts/{sensors}", "wang"), get(city, f"alerts/{cameras}", "wang")
    assert one["agreed"] is other["agreed"] is True
    assert {item.get("alert") for item in other["beside"]} == {sensors}
    assert {item.get("alert") for item in one["beside"]} == {cameras}
    assert one["review_due_at"] < get(city, f"alerts/{first}", "wang")["review_due_at"]
    queue = [a["id"] for a in get(city, "alerts?state=pending_review", "wang")["items"]]
    assert queue.index(first) == 2, "those that agree come first"


def test_the_queue_pages_through_every_rank(city: City) -> None:
    linked(city)
    city.hub.registry.import_sensors([Sensor(f"m{i}", "", f"mh-{i}", "manhole") for i in range(3)])
    for i in range(3):
        city.post_finding(alarm(city, sensor=f"m{i}", kind="manhole_abnormal"))
    city.post_finding(city.finding(id="g", kind="goods_pile", zone="门前"))
    city.post_finding(alarm(city))
    city.post_finding(city.finding())
    seen: list[str] = []
    cursor = ""
    while True:
        page = get(city, f"alerts?state=pending_review&limit=1{cursor}", "wang")
        seen += [f"{a['kind']}{a['agreed']}" for a in page["items"]]
        if not page["next_cursor"]:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen[:3] == ["manhole_abnormalFalse"] * 3
    assert sorted(seen[3:5]) == ["bin_overflowTrue", "garbage_exposedTrue"]
    assert seen[5:] == ["goods_pileFalse"]


# --- maintenance and notices ------------------------------------------------------------------------------------------


def test_alarms_during_maintenance_are_set_aside_and_can_be_seen(city: City) -> None:
    until = (city.clock() + timedelta(hours=2)).isoformat()
    begun = city.clock().isoformat()
    assert post(city, "sensors/s1/maintenance", {"until": until, "note": "换电池"})["maintenance"]["note"] == "换电池"
    city.clock.forward(minutes=5)
    longer = post(city, "sensors/s1/maintenance", {"until": until, "note": "还要校准"})["maintenance"]
    assert (longer["since"], longer["note"]) == (begun, "还要校准"), "who lengthens it begins nothing anew"
    assert city.post_finding(alarm(city))["outcome"] == "set_aside"
    (item,) = get(city, "set-aside?sensor=s1")["items"]
    assert (item["kind"], item["why"]) == ("bin_overflow", "满溢度 95 % > 90 %，连续 2 次")
    assert get(city, "alerts", "wang")["total"] == 0
    city.clock.forward(hours=3)
    assert city.post_finding(alarm(city))["outcome"] == "opened", "it ends by itself"
    assert city.who("eng").delete("/api/sensors/s1/maintenance").json()["maintenance"] is None


@pytest.mark.parametrize("hours", [-1, 0, 24 * 31])
def test_maintenance_needs_an_end(city: City, hours: float) -> None:
    until = (city.clock() + timedelta(hours=hours)).isoformat()
    assert "30 days" in post(city, "sensors/s1/maintenance", {"until": until}, status=422)["detail"]


def codes(city: City, ended: bool = False) -> list[tuple[str, str]]:
    items = get(city, f"sensor-notices?ended={str(ended).lower()}")["items"]
    return sorted((i["code"], i["sensor"] or i["gateway"]) for i in items)


def step(city: City, **by: float) -> None:
    """Time goes on by small steps, so that the hub does not take it for a pause of its own."""
    end = city.clock() + timedelta(**by)
    while city.clock() < end:
        city.clock.time = min(end, city.clock() + timedelta(seconds=50))
        if end - city.clock() < timedelta(minutes=4):
            city.hub.sensor_notices.step()


def test_silence_is_a_notice_that_ends_when_the_sensor_speaks(city: City) -> None:
    report(city)
    step(city, hours=24)
    assert codes(city) == []
    step(city, hours=2)
    assert codes(city) == [("offline", "s1")]
    sensor = get(city, "sensors/s1")
    assert (sensor["state"], sensor["quality"]) == ("silent", "stale")
    report(city)
    step(city, minutes=4)
    assert codes(city) == []
    assert codes(city, ended=True) == [("offline", "s1")]
    assert get(city, "alerts", "wang")["total"] == 0, "a notice is no case"


def test_a_lost_gateway_is_one_notice_and_its_children_have_none(city: City) -> None:
    children = [Sensor(f"g{i}", "", f"gw-{i}", "bin_level", 600, gateway="24e124") for i in range(40)]
    city.hub.registry.import_sensors(children)
    for child in children:
        report(city, child.id)
    report(city)
    step(city, minutes=29)
    assert codes(city) == []
    step(city, minutes=6)
    assert codes(city) == [("gateway_lost", "24e124")]
    (notice,) = get(city, "sensor-notices")["items"]
    assert len(notice["children"]) == 40
    assert get(city, "sensors/g7")["state"] == "gateway_lost"
    step(city, hours=30)
    assert codes(city) == [("gateway_lost", "24e124"), ("offline", "s1")]
    report(city, "g7")
    step(city, minutes=4)
    assert ("gateway_lost", "24e124") not in codes(city)
    assert len(codes(city)) == 40, "each of the others is silent on its own now"


def test_a_gateway_that_uplinks_name_is_one_notice_without_being_registered(city: City) -> None:
    """Of 20 sensors 17 are heard by one gateway alone; one is registered elsewhere, two are heard by another."""
    children = [Sensor(f"g{i}", "", f"eui-{i}", "bin_level", 600) for i in range(20)]
    children[17] = Sensor("g17", "", "eui-17", "bin_level", 600, gateway="by-hand")
    city.hub.registry.import_sensors(children)
    heard = {i: ["north"] for i in range(18)} | {18: ["north", "south"], 19: ["south"]}
    for i, gateways in heard.items():
        report(city, f"g{i}", heard_by=gateways)
    report(city)
    shown = get(city, "sensors/g18")
    assert (shown["gateway"], shown["heard_by"]) == ("", ["north", "south"])
    assert get(city, "sensors/s1")["heard_by"] == []
    report(city, "g3")
    assert get(city, "sensors/g3")["heard_by"] == ["north"], "a report that says nothing of it forgets nothing"
    for _ in range(3):
        step(city, minutes=12)
        report(city, "g18", heard_by=["south"])
        report(city, "g19", heard_by=["south"])
    assert codes(city) == [("gateway_lost", "north")], "its sensors are silent, those that another one hears are not"
    (notice,) = get(city, "sensor-notices")["items"]
    assert {child["id"] for child in notice["children"]} == {f"g{i}" for i in range(17)}
    assert get(city, "sensors/g5")["state"] == "gateway_lost"
    assert get(city, "sensors/g17")["state"] == get(city, "sensors/g18")["state"] == "online"
    assert get(city, "sensors/g18")["heard_by"] == ["south"]
    # The other one dies too: g18 was heard by it alone since.
    step(city, minutes=40)
    assert codes(city) == [("gateway_lost", "north"), ("gateway_lost", "south")]
    assert get(city, "sensors/g17")["state"] == "online", "one sensor alone says nothing of its gateway"
    for i in heard:
        report(city, f"g{i}", heard_by=["north"])
    step(city, minutes=4)
    assert codes(city) == []


def test_a_sensor_that_another_gateway_hears_has_no_excuse_for_its_silence(city: City) -> None:
    city.hub.registry.import_sensors([Sensor(f"g{i}", "", f"eui-{i}", "bin_level", 600) for i in range(5)])
    for i in range(3):
        report(city, f"g{i}", heard_by=["north", "south"] if i == 0 else ["north"])
    for _ in range(53):
        step(city, minutes=30)
        for i in (3, 4):
            report(city, f"g{i}", heard_by=["south"])
    told = codes(city)
    assert ("gateway_lost", "north") in told
    assert ("offline", "g0") in told
    assert not {("offline", "g1"), ("offline", "g2"), ("gateway_lost", "south")} & set(told)


def test_a_new_device_was_heard_by_nobody_yet(city: City) -> None:
    report(city, heard_by=["north"])
    changed = city.who("eng").patch("/api/sensors/s1", json={"name": "桶"})
    assert (changed.status_code, changed.json()["heard_by"]) == (200, ["north"])
    assert city.who("eng").patch("/api/sensors/s1", json={"device": "bin-9"}).json()["heard_by"] == []


def test_a_gateway_that_says_goodbye_takes_its_children_along(city: City) -> None:
    city.hub.registry.import_sensors([Sensor(f"p{i}", "", f"xf/pump/l{i}", "well_level", 60) for i in range(2)])
    for i in range(2):
        report(city, f"p{i}", state="gateway_lost")
    step(city, minutes=4)
    assert codes(city) == [("gateway_lost", "xf/pump")]
    report(city, "p0")
    report(city, "p1")
    step(city, minutes=4)
    assert codes(city) == []


def test_what_rules_say_of_a_device_is_told_once_and_again_when_it_gets_worse(city: City) -> None:
    low = {"code": "battery_low", "what": "battery", "why": {"zh": "电池电量 18 %", "en": "Battery at 18 %"}}
    stuck = {"code": "stuck", "what": "fill_pct", "why": {"zh": "不变", "en": "the same"}}
    report(city, ailments=[low, stuck], battery={"pct": 18, "v": None, "level": "low"})
    step(city, minutes=4)
    assert codes(city) == [("battery_low", "s1"), ("stuck", "s1")]
    first = get(city, "sensor-notices?sensor=s1")["items"]
    report(city, ailments=[low | {"code": "battery_critical"}])
    step(city, minutes=1)
    assert codes(city) == [("battery_critical", "s1")]
    assert first[0]["since"] == get(city, "sensor-notices")["items"][0]["since"], "the same trouble, grown worse"
    report(city)
    step(city, minutes=1)
    assert codes(city) == []


def test_a_low_battery_is_told_again_each_week_and_a_stuck_value_is_not(city: City) -> None:
    low = {"code": "battery_low", "what": "battery", "why": {"zh": "电池电量 18 %", "en": "Battery at 18 %"}}
    stuck = {"code": "stuck", "what": "fill_pct", "why": {"zh": "不变", "en": "the same"}}
    report(city, ailments=[low, stuck])
    step(city, minutes=4)

    def told() -> dict[str, str]:
        return {item["code"]: item["told_at"] for item in get(city, "sensor-notices?sensor=s1")["items"]}

    first = told()
    for _day in range(6):
        city.clock.forward(days=1)
        report(city, ailments=[low, stuck])
        step(city, minutes=4)
    assert told() == first, "not before a week has passed"
    city.clock.forward(days=1)
    report(city, ailments=[low, stuck])
    step(city, minutes=4)
    assert told()["battery_low"] > first["battery_low"]
    assert told()["stuck"] == first["stuck"]


def test_nothing_is_told_of_a_sensor_that_somebody_works_on(city: City) -> None:
    report(city, ailments=[{"code": "stuck", "what": "fill_pct", "why": {}}])
    post(city, "sensors/s1/maintenance", {"until": (city.clock() + timedelta(hours=1)).isoformat()})
    step(city, minutes=10)
    assert codes(city) == []
    step(city, hours=1)
    assert codes(city) == [("stuck", "s1")]


def test_a_worker_that_heard_nothing_yet_leaves_what_was_known(city: City) -> None:
    report(city)
    report(city, state="unknown", last_seen=None, values={})
    assert get(city, "sensors/s1")["values"] == {"fill_pct": 40}


# --- ThingsBoard over HTTP --------------------------------------------------------------------------------------------


def telemetry(city: City, token: str, body: Any) -> Any:
    return city.who("nobody").post(f"/api/v1/{token}/telemetry", json=body)


def test_a_thingsboard_device_is_adopted_and_its_readings_count(city: City) -> None:
    assert telemetry(city, "Tok3n", {"fill_pct": 20}).status_code == 401
    (item,) = get(city, "quarantine")["items"]
    assert "Tok3n" not in json.dumps(item)
    post(city, f"quarantine/{item['device']}/adopt", {"id": "tb-1", "name": "TB", "profile": "bin_level"}, status=201)
    now_ms = int(city.clock().timestamp() * 1000)
    rows = [{"ts": now_ms - 120_000 + i * 60_000, "values": {"fill_pct": 91 + i, "battery": 15}} for i in range(2)]
    for again in (False, True):
        answer = telemetry(city, "Tok3n", rows)
        assert answer.status_code == 200, answer.text
        assert answer.json()["duplicates"] == (4 if again else 0)
    (alert,) = get(city, "alerts", "wang")["items"]
    assert (alert["sensor"], alert["why"], alert["count"]) == ("tb-1", "满溢度 92 % > 90 %，连续 2 次", 1)
    sensor = get(city, "sensors/tb-1")
    assert (sensor["level"], sensor["values"]["fill_pct"]) == ("alarm", 92)
    assert [a["code"] for a in sensor["ailments"]] == ["battery_low"]


def test_an_error_code_over_http_is_no_measurement(city: City) -> None:
    telemetry(city, "bin", {"fill_pct": 20})
    (item,) = get(city, "quarantine")["items"]
    post(city, f"quarantine/{item['device']}/adopt", {"id": "tb-2", "name": "TB", "profile": "bin_level"}, status=201)
    for minute in range(3):
        body = {"ts": int(city.clock().timestamp() * 1000) - 60_000 * (3 - minute), "values": {"fill_pct": 255}}
        assert telemetry(city, "bin", body).json() == {"stored": 0, "duplicates": 0}
    assert get(city, "alerts", "wang")["items"] == []


def test_what_was_kept_while_the_network_was_away_hides_nothing_newer(city: City) -> None:
    telemetry(city, "gap", {"fill_pct": 20})
    (item,) = get(city, "quarantine")["items"]
    post(city, f"quarantine/{item['device']}/adopt", {"id": "tb-3", "name": "TB", "profile": "bin_level"}, status=201)
    now_ms = int(city.clock().timestamp() * 1000)
    for minutes, values in ((0, {"fill_pct": 80}), (60, {"fill_pct": 30, "temperature": 4}), (30, {"temperature": 6})):
        body = {"ts": now_ms - minutes * 60_000, "values": values}
        assert telemetry(city, "gap", body).status_code == 200
    sensor = get(city, "sensors/tb-3")
    assert sensor["values"] == {"fill_pct": 80, "temperature": 6}
    assert sensor["last_seen"] == city.clock().isoformat()


def test_telemetry_that_cannot_be_read_says_why_and_not_whose(city: City) -> None:
    answer = city.who("nobody").post("/api/v1/S3cret/telemetry", content=b"{oops")
    assert answer.status_code == 422
    assert "not JSON" in answer.json()["detail"]
    assert "S3cret" not in answer.text


def from_address(city: City, address: str, token: str, body: Any) -> Any:
    head = {"X-Forwarded-For": address}
    return city.who("nobody").post(f"/api/v1/{token}/telemetry", json=body, headers=head)


def test_made_up_tokens_push_no_other_device_out_of_quarantine(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.quarantine.MOST", 8)
    monkeypatch.setattr("hub.quarantine.MOST_OVER_HTTP", 4)
    hear(city, *(stranger(city, f"broker-{number}") for number in range(3)))
    city.clock.forward(seconds=60)
    assert from_address(city, "10.0.0.5", "of a bin", {"fill_pct": 20}).status_code == 401
    for number in range(20):
        city.clock.forward(seconds=1)
        assert from_address(city, "10.6.6.6", f"made-up-{number}", {"fill_pct": 20}).status_code == 401
    topics = [item["topic"].removeprefix("HTTP api/v1/***/telemetry") for item in get(city, "quarantine")["items"]]
    assert topics.count(" from 10.0.0.5") == 1
    assert topics.count(" from 10.6.6.6") == 3
    assert len(topics) == 7, "and those of the broker"
    assert city.hub.house.tally.counts["dropped", "quarantine_full"] == 17


def test_made_up_tokens_are_slowed_down_by_address_and_registered_ones_are_not(city: City) -> None:
    telemetry(city, "bin", {"fill_pct": 20})
    (item,) = get(city, "quarantine")["items"]
    post(city, f"quarantine/{item['device']}/adopt", {"id": "tb-4", "name": "TB", "profile": "bin_level"}, status=201)
    city.hub.app.state.door.strangers = Allowance(most=5, per_s=1 / 10)
    for number in range(5):
        assert from_address(city, "10.6.6.6", f"made-up-{number}", {"fill_pct": 20}).status_code == 401
    refused = from_address(city, "10.6.6.6", "made-up", {"fill_pct": 20})
    assert (refused.status_code, refused.json()["type"], refused.headers["retry-after"]) == (429, "too-often", "10")
    assert get(city, "quarantine")["total"] == 5, "nothing is written of it"
    assert 'gridhub_dropped_total{stage="telemetry"} 1' in city.who("nobody").get("/metrics").text
    for minute in range(20):
        body = {"ts": int(city.clock().timestamp() * 1000) - minute * 1000, "values": {"fill_pct": 30}}
        assert from_address(city, "10.6.6.6", "bin", body).json() == {"stored": 1, "duplicates": 0}
    assert from_address(city, "10.0.0.5", "another", {"fill_pct": 20}).status_code == 401


def test_a_registered_device_that_floods_over_http_is_told_to_wait_and_loses_nothing(city: City) -> None:
    telemetry(city, "bin", {"fill_pct": 20})
    telemetry(city, "other", {"fill_pct": 20})
    for number, item in enumerate(get(city, "quarantine")["items"]):
        body = {"id": f"tb-{number}", "name": "TB", "profile": "bin_level"}
        post(city, f"quarantine/{item['device']}/adopt", body, status=201)
    city.hub.app.state.door.devices = Allowance(most=1.2, per_s=1 / 1000)  # of 50 a second: 10 at once
    start_ms = int(city.clock().timestamp() * 1000) - 3_600_000

    def sent(token: str, first: int, count: int) -> Any:
        rows = [{"ts": start_ms + n * 1000, "values": {"fill_pct": 30}} for n in range(first, first + count)]
        return telemetry(city, token, rows)

    assert sent("bin", 0, 15).json()["stored"] == 15, "what was kept for long comes in one message"
    refused = sent("bin", 15, 5)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "100")
    assert sent("other", 0, 5).json()["stored"] == 5
    city.clock.forward(seconds=100)
    assert sent("bin", 15, 5).json()["stored"] == 5, "the same message is welcome later"


def test_a_door_that_speaks_http_is_open_for_too_long(city: City) -> None:
    telemetry(city, "door", {"open": True})
    (item,) = get(city, "quarantine")["items"]
    post(city, f"quarantine/{item['device']}/adopt", {"id": "door-1", "name": "箱", "profile": "door"}, status=201)
    telemetry(city, "door", {"open": True})
    city.clock.forward(minutes=11)
    city.hub.sensor_notices.step()
    (alert,) = get(city, "alerts", "wang")["items"]
    assert alert["why"] == "箱门打开，超过 10 分钟"
