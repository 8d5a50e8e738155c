"""Live view in a real browser: cameras of a real RTSP server, passed through the hub, asked for with a reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.e2e.city import Json
from tests.e2e.desk.browser import Screen
from tests.e2e.desk.office import Office
from tests.peers import clips, wait_until
from tests.peers.rtsp_server import RtspServer

STATS = """async video => {
  const shown = video.srcObject?.getTracks()[0]?.id
  const receiver = window.__peers.map(p => p.getReceivers()[0]).find(r => r && shown === r.track.id)
  if (!receiver) return { time: 0, frames: 0 }
  const stats = [...(await receiver.getStats()).values()].find(s => s.type === 'inbound-rtp') ?? {}
  return { time: video.currentTime, frames: stats.framesDecoded ?? 0, lost: stats.packetsLost, width: video.videoWidth }
}"""
PEERS = """
window.__peers = []
window.RTCPeerConnection = class extends window.RTCPeerConnection {
  constructor(...a) { super(...a); window.__peers.push(this) }
}
"""


@pytest.fixture(scope="module")
def cameras(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RtspServer]:
    folder = tmp_path_factory.mktemp("clips")
    with RtspServer(("digest", "admin", "geheim-7")) as server:
        plain = clips.encode(clips.scene(50, 640, 360), folder / "h264.mp4", fps=10, gop=10)
        for path in ("/one", "/two"):
            server.play(path, plain)
        server.play("/new", clips.encode(clips.scene(20, 320, 180), folder / "h265.mp4", gop=10, codec="libx265"))
        yield server


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, page: Path, cameras: RtspServer) -> Iterator[Office]:
    with Office(tmp_path_factory.mktemp("live"), live_per_host=2) as running:
        for id_, path in (("live-1", "/one"), ("live-2", "/two"), ("live-new", "/new")):
            running.add(
                "cameras", {"id": id_, "name": f"桥头{path}", "url": cameras.url(path), "lon": 107.6, "lat": 35.7}
            )
        running.colleague("zhang", "staff")
        running.colleague("wang", "staff")
        running.colleague("li", "department", "sanitation")
        yield running


def watch(screen: Screen, user: str, camera: str, reason: str = "duty") -> Locator:
    """Open the camera's card and its live view; the tile."""
    page = screen.page
    screen.open(user, f"/map?camera={camera}")
    page.click("[data-test=live-open]")
    expect(page.locator("[data-test=live-go]")).to_be_disabled()  # not without a reason
    page.click(f"[data-test=reason-{reason}]")
    page.click("[data-test=live-go]")
    return page.locator(f"[data-live='{camera}']")


def seen(tile: Locator) -> dict[str, Any]:
    found: dict[str, Any] = tile.locator("video").evaluate(STATS)
    return found


def register(office: Office, action: str) -> list[Json]:
    items: list[Json] = office.get(office.admin, "audit", limit=200)["items"]
    return [entry for entry in items if entry["action"] == action]


def sessions(office: Office) -> dict[str, float]:
    text = office.admin.get("/metrics").text
    return {m[1]: float(m[2]) for m in re.finditer(r"^gridhub_live_(\w+) (\S+)$", text, re.M)}


def test_two_people_watch_a_camera_over_one_connection(office: Office, chrome: Browser, cameras: RtspServer) -> None:
    with Screen(chrome, office.url) as first, Screen(chrome, office.url) as second:
        for screen in (first, second):
            screen.page.add_init_script(PEERS)
        tile = watch(first, "zhang", "live-1", "emergency")
        expect(tile).to_have_attribute("data-mode", "video")
        wait_until(lambda: seen(tile)["frames"] > 0, what="the first frame is decoded", timeout_s=15)
        before = seen(tile)
        first.page.wait_for_timeout(10_000)
        after = seen(tile)
        assert after["time"] - before["time"] > 9.0, (before, after)
        assert after["frames"] - before["frames"] > 90, (before, after)
        assert after["width"] == 640
        opened = register(office, "live-opened")[0]
        assert (opened["by"], opened["subject"], opened["detail"]["reason"]) == ("zhang", "camera/live-1", "emergency")

        other = watch(second, "wang", "live-1")
        wait_until(lambda: seen(other)["frames"] > 10, what="the second viewer sees it too", timeout_s=15)
        assert sessions(office) == {"cameras": 1, "views": 2}
        expect(tile.locator("[data-test=live-how]")).to_contain_text("2 人在看")
        assert "geheim" not in first.page.content() + second.page.content()

        first.page.click("[data-test=live-close]")
        wait_until(lambda: sessions(office) == {"cameras": 1, "views": 1}, what="the first view is closed")
        frames = seen(other)["frames"]
        second.page.wait_for_timeout(1500)
        assert seen(other)["frames"] > frames + 8
        second.page.goto(f"{office.url}/cases")
        wait_until(lambda: sessions(office) == {"cameras": 0, "views": 0}, what="the last one closes the camera")
    closed = register(office, "live-closed")[:2]
    assert {entry["by"] for entry in closed} == {"zhang", "wang"}
    assert all(entry["detail"]["seconds"] > 1 and entry["detail"]["how"] == "left" for entry in closed)


def test_a_camera_that_browsers_cannot_play_is_shown_in_pictures_and_says_so(office: Office, chrome: Browser) -> None:
    with Screen(chrome, office.url) as screen:
        tile = watch(screen, "zhang", "live-new")
        expect(tile).to_have_attribute("data-mode", "pictures")
        expect(tile.locator("[data-test=live-why]")).to_contain_text("H.265")
        picture = tile.locator("img")
        first = picture.get_attribute("src")
        expect(picture).not_to_have_attribute("src", first or "")  # another one comes
        expect(tile.locator("[data-test=live-how]")).to_contain_text(re.compile(r"每 [12] 秒一张"))  # a keyframe each
        screen.page.click("[data-test=live-close]")


def test_a_browser_without_webrtc_gets_pictures(office: Office, chrome: Browser) -> None:
    with Screen(chrome, office.url) as screen:
        screen.page.add_init_script("delete window.RTCPeerConnection")
        tile = watch(screen, "zhang", "live-1")
        expect(tile).to_have_attribute("data-mode", "pictures")
        expect(tile.locator("[data-test=live-why]")).to_contain_text("WebRTC")
        expect(tile.locator("img")).to_be_visible()


def test_a_camera_that_cannot_be_reached_shows_its_last_look(office: Office, chrome: Browser) -> None:
    office.look("cam-02")
    with Screen(chrome, office.url) as screen:
        tile = watch(screen, "zhang", "cam-02")
        expect(tile).to_have_attribute("data-mode", "last")
        expect(tile.locator("[data-test=live-why]")).to_contain_text("连接不上")
        expect(tile.locator("img")).to_be_visible()


def test_who_may_and_how_many(office: Office) -> None:
    zhang, li = office.people["zhang"], office.people["li"]
    wanted = {"camera": "live-1", "reason": "duty"}
    assert li.post("/api/live", json=wanted).status_code == 403
    assert zhang.post("/api/live", json={"camera": "live-1"}).status_code == 422
    assert zhang.post("/api/live", json={**wanted, "reason": "because"}).status_code == 422
    assert zhang.post("/api/live", json={**wanted, "reason": "other"}).status_code == 422
    first = office.do(zhang, "live", wanted)
    assert office.people["wang"].post(f"/api/live/{first['id']}/offer", json={"sdp": "v=0"}).status_code == 404
    assert zhang.post(f"/api/live/{first['id']}/offer", json={"sdp": "v=0"}).status_code == 422
    second = office.do(zhang, "live", {**wanted, "camera": "live-2"})
    assert (first["mode"], second["mode"]) == ("video", "video")
    third = office.do(zhang, "live", {**wanted, "camera": "live-new"})
    assert (third["mode"], third["why"]["code"]) == ("last", "host_full")
    more = [office.do(zhang, "live", wanted)["id"] for _ in range(13)]
    refused = zhang.post("/api/live", json=wanted)
    assert refused.status_code == 503
    assert "16" in refused.json()["detail"]
    for view in (first["id"], second["id"], third["id"], *more):
        assert zhang.delete(f"/api/live/{view}").status_code == 204
    assert sessions(office) == {"cameras": 0, "views": 0}
