"""The worker's line to the hub, against a real HTTP server that is told how to answer."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import pytest

from detectors.finding import Finding
from hub.batch import COLUMNS, MOST_ROWS
from hub.worker.spool import Spool
from hub.worker.uplink import HubAway, Refused, Sender, Uplink
from ingest.reading import Reading
from tests.peers import free_port, wait_until

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


class Hub:
    """Answers with the status that `answers` gives for (path, body)."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str, bytes]] = []
        self.status_for = lambda path, body: 200
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hub.got.append((self.path, self.headers["Authorization"], body))
                self._answer(hub.status_for(self.path, body))

            def do_PUT(self) -> None:
                self.do_POST()

            def do_GET(self) -> None:
                same = self.headers.get("If-None-Match") == '"v1"'
                self._answer(304 if same else 200, {"ETag": '"v1"'})

            def _answer(self, status: int, headers: dict[str, str] | None = None) -> None:
                content = b"" if status == 304 else b"{}"
                self.send_response(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub()
    yield hub
    hub.close()


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool(tmp_path)
    yield spool
    spool.close()


def finding(number: int) -> Finding:
    return Finding(f"f{number}", "bin_overflow", NOW, NOW, 1.0, sensor="s1")


def reading(number: int) -> Reading:
    at = NOW + timedelta(seconds=number)
    return Reading("bin-1", "fill_pct", float(number), "%", at, at, f"key-{number}")


def test_an_unchanged_assignment_is_none(hub: Hub) -> None:
    uplink = Uplink(hub.url, "token", "0/1")
    assert uplink.assignment() == {}
    assert uplink.assignment() is None


def test_a_hub_that_is_not_there_is_away() -> None:
    with pytest.raises(HubAway):
        Uplink(f"http://127.0.0.1:{free_port()}", "token", "0/1").assignment()


@pytest.mark.parametrize(
    ("status", "error"), [(422, Refused), (404, Refused), (500, HubAway), (401, HubAway), (503, HubAway)]
)
def test_what_a_status_means(hub: Hub, status: int, error: type[Exception]) -> None:
    hub.status_for = lambda path, body: status
    with pytest.raises(error):
        Uplink(hub.url, "token", "0/1").readings([])


def test_findings_arrive_in_order_with_the_token(hub: Hub, spool: Spool) -> None:
    for number in range(5):
        spool.add_finding(finding(number), {})
    sender = Sender(spool, Uplink(hub.url, "token", "0/1"), Counter())
    sender.start()
    wait_until(lambda: spool.next_outgoing() is None, what="the spool is empty")
    sender.end()
    sender.join(5)
    assert [json.loads(body)["id"] for _path, _token, body in hub.got] == [f"f{n}" for n in range(5)]
    assert {token for _path, token, _body in hub.got} == {"Bearer token"}


def test_a_hub_that_comes_back_gets_everything_and_a_refused_finding_steps_aside(hub: Hub, spool: Spool) -> None:
    down = threading.Event()
    down.set()
    hub.status_for = lambda path, body: 503 if down.is_set() else 422 if b'"f1"' in body else 200
    for number in range(3):
        spool.add_finding(finding(number), {})
    counters: Counter[str] = Counter()
    sender = Sender(spool, Uplink(hub.url, "token", "0/1"), counters)
    sender.start()
    wait_until(lambda: hub.got, what="a first try")
    assert spool.waiting()["outgoing"] == 3
    down.clear()
    wait_until(lambda: spool.next_outgoing() is None, what="the spool is empty")
    sender.end()
    sender.join(5)
    assert counters["dropped_refused"] == 1
    assert spool.waiting() == {"outgoing": 0, "readings": 0, "dead": 1}


def test_one_bad_reading_does_not_take_the_others_with_it(hub: Hub, spool: Spool) -> None:
    accepted: list[str] = []

    def judge(path: str, body: bytes) -> int:
        keys = [row[COLUMNS.index("key")] for row in json.loads(body)["rows"]]
        if "key-3" in keys:
            return 422
        accepted.extend(keys)
        return 200

    hub.status_for = judge
    spool.keep([reading(n) for n in range(5)])
    spool.keep([reading(n) for n in range(5, 8)])
    counters: Counter[str] = Counter()
    sender = Sender(spool, Uplink(hub.url, "token", "0/1"), counters)
    sender.start()
    wait_until(lambda: not spool.unposted()[1], what="all readings are posted")
    sender.end()
    sender.join(5)
    assert sorted(accepted) == [f"key-{n}" for n in range(8) if n != 3]
    assert counters["dropped_refused"] == 1


def test_readings_that_fill_a_request_wait_for_no_others(
    hub: Hub, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.worker.uplink.POST_EVERY_S", 1e9)
    for first in range(0, 2 * MOST_ROWS + 7, 5_000):
        spool.keep([reading(n) for n in range(first, min(first + 5_000, 2 * MOST_ROWS + 7))])
    sender = Sender(spool, Uplink(hub.url, "token", "0/1"), Counter())
    sender.start()
    wait_until(lambda: spool.waiting()["readings"] == 7, what="two requests are posted")
    sender.end()
    sender.join(5)
    assert [len(json.loads(body)["rows"]) for _path, _token, body in hub.got] == [MOST_ROWS, MOST_ROWS]


@pytest.mark.parametrize("camera", ["3#楼北", "a b", "50%?", "c1"])
def test_a_picture_goes_to_its_camera_whatever_the_id(hub: Hub, camera: str) -> None:
    """Of `3#楼北` the hub heard `3`, and its pictures were never seen."""
    uplink = Uplink(hub.url, "t", "0/1")
    uplink.last_look(camera, NOW, b"jpeg")
    uplink.close()
    assert unquote(hub.got[-1][0]) == f"/api/cameras/{camera}/look"
