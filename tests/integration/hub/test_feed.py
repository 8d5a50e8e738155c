"""The event stream over a real server: what changes arrives, what was missed comes again, the end is prompt."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from queue import Queue
from typing import Any

import httpx
import pytest

from hub.config import Settings
from hub.feed import QUEUE, REMEMBERED, Feed, Listener
from tests.peers import wait_until

from .conftest import City, serving_city


class Stream:
    """One open stream, read in a thread; `close` ends it."""

    def __init__(self, client: httpx.Client, last_id: str = "") -> None:
        self.events: Queue[tuple[str, str, Any]] = Queue()
        self.ended = threading.Event()
        self._stop = threading.Event()
        headers = {"Last-Event-ID": last_id} if last_id else {}
        self._open = threading.Event()
        self._thread = threading.Thread(target=self._read, args=(client, headers), daemon=True)
        self._thread.start()
        assert self._open.wait(10)

    def _read(self, client: httpx.Client, headers: dict[str, str]) -> None:
        with client.stream("GET", "/api/feed", headers=headers, timeout=60) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            fields: dict[str, str] = {}
            for line in answer.iter_lines():
                self._open.set()
                if line:
                    name, _colon, value = line.partition(": ")
                    fields[name] = value
                elif "event" in fields:
                    self.events.put((fields.get("id", ""), fields["event"], json.loads(fields["data"])))
                    fields = {}
        self.ended.set()

    def next(self, event: str) -> tuple[str, Any]:
        """(id, data) of the next event of that name."""
        while True:
            id_, name, data = self.events.get(timeout=15)
            if name == event:
                return id_, data


@pytest.fixture
def live(settings: Settings, rules: Any) -> Iterator[City]:
    with serving_city(settings, rules) as city:
        yield city


def test_staff_see_alerts_and_cases_a_department_only_its_own_cases(live: City) -> None:
    staff, ours, others = Stream(live.who("wang")), Stream(live.who("huan")), Stream(live.who("zhao"))
    case = live.case()
    assert staff.next("alert")[1]["state"] == "pending_review"
    last_id, filed = staff.next("case")
    assert filed["id"] == case["id"]
    assert "history" not in filed
    assert ours.next("case")[1]["number"] == case["number"]
    assert ours.events.qsize() == 0
    live.move("huan", case["id"], "return", reason="不属本单位")
    assert ours.next("case")[1]["department"] is None
    live.move("wang", case["id"], "dispatch", department="enforcement")
    assert others.next("case")[1]["department"]["id"] == "enforcement"

    missed = Stream(live.who("li"), last_id)
    seen = [missed.next("case")[1]["state"] for _ in range(2)]
    assert seen == ["filed", "dispatched"]
    late = Stream(live.who("li"), "12345")
    assert late.next("reset")[1] == {}
    wait_until(lambda: "gridhub_feed_listeners 5" in live.who("nobody").get("/metrics").text, what="5 listeners")
    started = time.monotonic()
    live.hub.house.feed.close()
    for stream in (staff, ours, others, missed, late):
        assert stream.ended.wait(20)
    assert time.monotonic() - started < 20


def test_devices_that_change_are_told(live: City) -> None:
    staff = Stream(live.who("eng"))
    state = {"id": "c1", "state": "offline", "since": live.clock().isoformat(), "message": "refused"}
    live.who("worker").post("/api/worker/status", json={"worker": "w", "cameras": [state]})
    told = staff.next("camera")[1]
    assert (told["state"], told["message"]) == ("offline", "refused")
    assert "secret" not in json.dumps(told)
    sensor = {"id": "s1", "state": "online", "last_seen": live.clock().isoformat(), "values": {"fill_pct": 93}}
    live.who("worker").post("/api/worker/status", json={"worker": "w", "cameras": [state], "sensors": [sensor]})
    assert staff.next("sensor")[1]["values"] == {"fill_pct": 93}
    live.hub.house.feed.close()
    assert staff.ended.wait(20)


def listener(sees: Callable[[Any], bool] = lambda _change: True) -> Listener:
    return Listener(sees, lambda: None)


def test_a_slow_listener_loses_the_oldest_and_it_is_counted() -> None:
    feed, slow = Feed(1), listener()
    feed.listen(slow, None)
    for n in range(QUEUE + 7):
        feed.publish("alert", {"n": n})
    assert feed.dropped == slow.dropped == 7
    assert [json.loads(c.data)["n"] for c in feed.take(slow)] == list(range(7, QUEUE + 7))


def test_what_is_no_longer_remembered_is_said() -> None:
    feed = Feed(1)
    for n in range(REMEMBERED + 10):
        feed.publish("alert", {"n": n})
    feed.publish("camera", {}, remember=False)
    assert not feed.listen(listener(), 9)
    assert not feed.listen(listener(), 20)  # remembered, but more than a queue holds
    late = listener()
    assert feed.listen(late, REMEMBERED + 5)
    assert [c.id for c in feed.take(late)] == list(range(REMEMBERED + 6, REMEMBERED + 11))
    assert not feed.listen(listener(), 10_000), "an id of another hub"


@pytest.mark.parametrize("last", [b"\xb2", b"9" * 5000, b"-1", b"x"])
def test_a_last_event_that_is_no_number_is_none(city: City, last: bytes) -> None:
    with city.who("wang").stream("GET", "/api/feed", headers={b"Last-Event-ID": last}) as answer:
        assert answer.status_code == 200
        assert next(answer.iter_lines()) == ": connected"
