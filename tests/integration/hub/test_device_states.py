"""Device states from the worker to the screens: only what changed, nothing invented, no storm."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from hub.config import Settings
from hub.device_states import MOST_WHOLE
from ingest.device import Camera
from tests.peers import wait_until

from .conftest import City, serving_city
from .test_feed import Stream


def status(city: City, **fields: Any) -> bool:
    """Post a report; whether the hub asks for everything."""
    body = {"worker": "w", "session": "1", "full": False, "cameras": [], "sensors": [], **fields}
    answer = city.who("worker").post("/api/worker/status", json=body)
    assert answer.status_code == 200, answer.text
    return bool(answer.json()["full"])


def state(city: City, camera: str, state: str, message: str = "", **fields: Any) -> dict[str, Any]:
    return {"id": camera, "state": state, "since": city.clock().isoformat(), "message": message, **fields}


def looks(city: City, *cameras: str) -> dict[str, Any]:
    return {
        "at": city.clock().isoformat(),
        "ids": list(cameras),
        "ago_ms": [1500] * len(cameras),
        "attained_s": [10.2] * len(cameras),
    }


def shown(city: City, camera: str) -> dict[str, Any]:
    return dict(city.who("eng").get(f"/api/cameras/{camera}").json())


def test_changes_and_looks_are_kept(city: City) -> None:
    via = {"via": "RTSP/TCP h264", "resolution": "1920x1080"}
    assert not status(city, full=True, cameras=[state(city, "c1", "online", **via), state(city, "c2", "online")])
    city.clock.forward(seconds=20)
    assert not status(city, cameras=[state(city, "c2", "black", "black: 3 of 255")], looks=looks(city, "c1", "gone"))
    one, two = shown(city, "c1"), shown(city, "c2")
    assert (one["state"], one["via"], one["resolution"], one["attained_s"]) == (
        "online", "RTSP/TCP h264", "1920x1080", 10.2,
    )  # fmt: skip
    assert one["last_look_at"] == (city.clock() - timedelta(seconds=1.5)).isoformat()
    assert (two["state"], two["since"]) == ("black", city.clock().isoformat())
    metrics = city.who("nobody").get("/metrics").text
    assert 'gridhub_camera_look_interval_seconds{camera="c1"} 10.2' in metrics
    assert "gridhub_look_interval_attained_share 1" in metrics


def test_what_a_message_says_is_kept_for_other_languages(city: City) -> None:
    why = {"code": "black", "values": {"level": 3, "lens": "left"}}
    status(city, full=True, cameras=[state(city, "c1", "black", "black: 3 of 255", why=why)])
    assert (shown(city, "c1")["message"], shown(city, "c1")["why"]) == ("black: 3 of 255", why)
    status(city, cameras=[state(city, "c1", "online")])
    assert (shown(city, "c1")["message"], shown(city, "c1")["why"]) == ("", None)
    broken = {"code": "x" * 41, "values": {}}
    body = {"worker": "w", "cameras": [state(city, "c1", "black", "black", why=broken)]}
    assert city.who("worker").post("/api/worker/status", json=body).status_code == 422


def test_a_hub_that_does_not_know_the_worker_asks_for_everything(city: City) -> None:
    assert status(city, cameras=[state(city, "c1", "online")])
    assert shown(city, "c1")["state"] == "online", "but what was told is taken"
    assert not status(city, full=True)
    assert not status(city)
    assert status(city, session="2"), "the worker was started again"


def test_the_older_form_is_accepted_and_writes_the_same(city: City) -> None:
    at = city.clock().isoformat()
    row = {"id": "c1", "state": "online", "since": at, "message": "", "last_look_at": at, "attained_s": 9.5}
    answer = city.who("worker").post("/api/worker/status", json={"worker": "old", "cameras": [row]})
    assert answer.json() == {"ok": True, "full": False}
    assert (shown(city, "c1")["last_look_at"], shown(city, "c1")["attained_s"]) == (at, 9.5)


def test_a_restarted_worker_does_not_make_old_trouble_new(city: City) -> None:
    began = city.clock().isoformat()
    status(city, full=True, cameras=[state(city, "c1", "offline", "refused")])
    city.clock.forward(hours=2)
    status(city, full=True, first=True, session="2", cameras=[state(city, "c1", "offline", "timed out")])
    assert (shown(city, "c1")["since"], shown(city, "c1")["message"]) == (began, "timed out")


@pytest.mark.parametrize("short", ["ids", "ago_ms", "attained_s"])
def test_lists_that_do_not_match_are_refused(city: City, short: str) -> None:
    body = {"worker": "w", "looks": {**looks(city, "c1", "c2"), short: []}}
    assert city.who("worker").post("/api/worker/status", json=body).status_code == 422


def test_online_means_somebody_looks(city: City) -> None:
    """A dead worker leaves nobody online; when it is back it is asked how things really are."""
    status(city, full=True, cameras=[state(city, "c1", "online"), state(city, "c2", "frozen")])
    status(city, looks=looks(city, "c1", "c2"))
    city.hub.notices.step()
    for _ in range(15):
        city.clock.forward(seconds=10)
        city.hub.notices.step()
    one = shown(city, "c1")
    assert (one["state"], one["since"]) == ("stale", one["last_look_at"])
    assert shown(city, "c2")["state"] == "stale"
    assert status(city, looks=looks(city, "c1")), "the hub asks"
    assert not status(city, full=True, cameras=[state(city, "c1", "online"), state(city, "c2", "frozen")])
    assert (shown(city, "c1")["state"], shown(city, "c2")["state"]) == ("online", "frozen")
    assert not status(city, looks=looks(city, "c1"))


def test_a_clock_set_back_does_not_keep_it_waiting(city: City) -> None:
    """A hub that had started by a wrong clock, hours ahead, asked nobody for hours."""
    city.clock.forward(hours=3)
    city.hub.notices.step()
    city.clock.forward(hours=-3)
    status(city, full=True, cameras=[state(city, "c1", "online")])
    status(city, looks=looks(city, "c1"))
    for _ in range(15):
        city.hub.notices.step()
        city.clock.forward(seconds=10)
    assert shown(city, "c1")["state"] == "stale"


@pytest.fixture
def switch(settings: Settings, rules: Any) -> Iterator[City]:
    """48 cameras behind one switch, more than are told one by one."""
    with serving_city(settings, rules) as city:
        city.hub.registry.import_cameras(
            [Camera(f"n{i:02d}", f"西街 {i}", f"rtsp://u:p@10.3.7.{i + 1}/s") for i in range(48)]
        )
        yield city


def test_a_dead_switch_is_one_notice_and_few_events(switch: City) -> None:
    city, names = switch, [f"n{i:02d}" for i in range(48)]
    assert len(names) > MOST_WHOLE
    screen = Stream(city.who("wang"))
    status(city, full=True, cameras=[state(city, n, "online") for n in [*names, "c1", "c2"]])
    assert len(screen.next("cameras")[1]["items"]) == 50
    status(city, looks=looks(city, *names))
    assert screen.next("looks")[1]["ids"] == names
    status(city, cameras=[state(city, n, "offline", "no answer") for n in names])
    told = screen.next("cameras")[1]["items"]
    assert {(i["state"], i["message"]) for i in told} == {("offline", "no answer")}
    began = city.clock().isoformat()
    for _ in range(8):
        city.clock.forward(seconds=5)
        city.hub.notices.step()
    notice = screen.next("notice")[1]
    assert (notice["trouble"], notice["out"], notice["total"], notice["since"]) == ("offline", 48, 48, began)
    assert notice["cause"] == {"kind": "subnet", "value": "10.3.7.0/24", "name": "10.3.7.0/24"}
    assert notice["cameras"][0]["name"] == "西街 0"
    listed = city.who("wang").get("/api/notices").json()["items"]
    assert listed == [notice]
    assert 'gridhub_device_notices{trouble="offline"} 1' in city.who("nobody").get("/metrics").text
    assert city.who("huan").get("/api/notices").status_code == 403
    status(city, cameras=[state(city, n, "online") for n in names])
    for _ in range(8):
        city.clock.forward(seconds=5)
        city.hub.notices.step()
    assert screen.next("notice")[1]["ended_at"] is not None
    assert city.who("wang").get("/api/notices").json()["items"] == []
    assert city.who("wang").get("/api/notices?ended=true").json()["items"][0]["out"] == 0
    city.hub.house.feed.close()
    wait_until(screen.ended.is_set)
