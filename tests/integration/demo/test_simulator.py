"""The street over HTTP: what a camera shows changes with what happens, and with the hub's signed answers."""

from __future__ import annotations

import base64
import http.client
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import cv2
import httpx
import numpy as np
import pytest
import yaml

from hub.demo.answers import HANDLED
from hub.demo.simulator import KEYFRAME_EVERY_S, VIDEO_FPS, Door, World, serve
from hub.demo.street import Street
from hub.demo.timeline import FIRST_EFFECT_S, Event, Seen, Timeline
from hub.outbox import signature
from ingest.media import open_stream

CONFIG = Path(__file__).parents[3] / "configs" / "demo"
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
HEAP = next(
    e for e in Timeline.from_yaml(CONFIG / "timeline.yaml").opening if e.kind == "garbage_exposed" and not e.stubborn
)


@dataclass
class Clock:
    now_s: float = 1000.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Running:
    url: str
    clock: Clock
    street: Street

    def picture(self, camera: str) -> np.ndarray:
        answer = httpx.get(f"{self.url}/camera/{camera}.jpg")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "image/jpeg"
        picture = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        return picture

    def heap(self) -> np.ndarray:
        """The place of the heap, grey and smoothed: what noise and passers-by change little."""
        picture = self.picture(HEAP.place)
        height, width = picture.shape[:2]
        box = self.street.boxes(HEAP.place)[HEAP.shows]
        x1, y1, x2, y2 = (round(v * s) for v, s in zip(box, (width, height, width, height), strict=True))
        return cv2.GaussianBlur(cv2.cvtColor(picture[y1:y2, x1:x2], cv2.COLOR_BGR2GRAY), (0, 0), 2).astype(float)

    def answer(self, place: str, kind: str, secret: str = SECRET, ident: str = "e1") -> int:
        event = {"specversion": "1.0", "id": ident, "type": HANDLED, "data": {"camera": place, "kind": kind}}
        body = json.dumps(event).encode()
        stamp = int(datetime.now(UTC).timestamp())
        headers = {
            "webhook-id": ident,
            "webhook-timestamp": str(stamp),
            "webhook-signature": signature(secret, ident, stamp, body),
        }
        return httpx.post(f"{self.url}/answers", content=body, headers=headers).status_code


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Street:
    cameras = yaml.safe_load((CONFIG / "street.yaml").read_text(encoding="utf-8"))["cameras"]
    some = {ident: cameras[ident] | {"busy": 0} for ident in (HEAP.place, *list(cameras)[-3:])}
    file = tmp_path_factory.mktemp("street") / "street.yaml"
    file.write_text(yaml.safe_dump({"cameras": some}), encoding="utf-8")
    return Street.load(file, CONFIG / "scenes")


@pytest.fixture
def running(street: Street) -> Iterator[Running]:
    black, offline, _video = [c for c in street.cameras if c != HEAP.place]
    timeline = Timeline(
        (
            Event(10, HEAP.place, HEAP.kind, HEAP.shows),
            Event(10, black, trouble="black", lasts_s=60),
            Event(10, offline, trouble="offline", lasts_s=60),
        )
    )
    clock = Clock()
    server = serve(Door(World(street, timeline, ZoneInfo("Asia/Shanghai"), clock), SECRET))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    running = Running(f"http://127.0.0.1:{server.server_address[1]}", clock, street)
    running.picture(offline)  # time begins with the first look
    yield running
    server.shutdown()
    thread.join()
    server.server_close()


def change(one: np.ndarray, two: np.ndarray) -> float:
    return float(np.abs(one - two).mean())


def test_a_heap_comes_and_a_signed_answer_takes_it_away(running: Running) -> None:
    running.clock.now_s += 5
    empty = running.heap()
    running.clock.now_s += 10
    full = running.heap()
    assert change(empty, full) > 8
    assert running.answer(HEAP.place, HEAP.kind, ident="e2") == 204
    assert change(running.heap(), full) < 4
    running.clock.now_s += FIRST_EFFECT_S + 0.1
    assert change(running.heap(), empty) < 4


def test_a_forged_answer_changes_nothing(running: Running) -> None:
    running.clock.now_s += 15
    full = running.heap()
    forged = "whsec_" + base64.b64encode(b"somebody else's secret!!").decode()
    assert running.answer(HEAP.place, HEAP.kind, secret=forged) == 401
    assert httpx.post(f"{running.url}/answers", content=b"{}").status_code == 401
    running.clock.now_s += 30
    assert change(running.heap(), full) < 4


def test_a_black_camera_is_black_and_an_offline_one_says_nothing(running: Running) -> None:
    _heap, black, offline, _video = running.street.cameras
    before = running.picture(black)
    running.clock.now_s += 20
    assert before.mean() > 30
    assert running.picture(black)[40:].mean() < 6
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"{running.url}/camera/{offline}.jpg")
    running.clock.now_s += 60
    assert running.picture(black).mean() > 30
    assert running.picture(offline).mean() > 30


def test_unknown_places_are_not_found(running: Running) -> None:
    for path in ("/camera/zz.jpg", "/camera/zz.ts", "/", "/camera/../../etc/passwd"):
        assert httpx.get(f"{running.url}{path}").status_code == 404
    connection = http.client.HTTPConnection(running.url.removeprefix("http://"), timeout=5)
    connection.request("POST", "/elsewhere", b"x")
    assert connection.getresponse().status == 404
    connection.close()


def test_standing_video_begins_with_a_keyframe(running: Running) -> None:
    camera = running.street.cameras[-1]
    stream = open_stream(f"{running.url}/camera/{camera}.ts", camera, 10.0)
    try:
        packets = [packet for packet, _n in zip(stream.packets(), range(12), strict=False)]
    finally:
        stream.close()
    assert stream.coding.codec == "h264"
    assert packets[0].key
    assert [k for k, p in enumerate(packets) if p.key] == [0, round(VIDEO_FPS * KEYFRAME_EVERY_S)]
    assert packets[-1].pts_s - packets[0].pts_s == pytest.approx(11 / VIDEO_FPS, abs=0.05)


def test_a_half_hearted_answer_leaves_the_left_half(street: Street) -> None:
    def heap(seen: list[Seen]) -> np.ndarray:
        picture = street.picture(HEAP.place, 50.0, datetime(2026, 11, 23, tzinfo=UTC), seen)
        height, width = picture.shape[:2]
        box = street.boxes(HEAP.place)[HEAP.shows]
        x1, y1, x2, y2 = (round(v * s) for v, s in zip(box, (width, height, width, height), strict=True))
        return picture[y1:y2, x1:x2].astype(float)

    empty, half, full = heap([]), heap([Seen(HEAP, 5.0, 0.5)]), heap([Seen(HEAP, 5.0)])
    middle = empty.shape[1] // 2
    left, right = slice(0, middle - 8), slice(middle + 8, None)
    assert change(full[:, left], half[:, left]) < 1 < change(empty[:, left], half[:, left])
    assert change(empty[:, right], half[:, right]) < 1 < change(full[:, right], half[:, right])
