"""The looker over real cameras: they come, go, break, mend and change while it runs."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import cv2
import pytest

from ingest.clock import utc_now
from ingest.device import Camera, Watch
from ingest.errors import Unreachable
from ingest.frame import Frame
from ingest.health import CameraState, Health
from ingest.looker import Looker
from tests.contract.fake_camera import FakeCamera
from tests.peers import clips, footage, wait_until
from tests.peers.rtsp_server import RtspServer


class Seen:
    """What a looker told."""

    def __init__(self) -> None:
        self.frames: dict[str, list[Frame]] = defaultdict(list)
        self.states: list[tuple[str, str]] = []

    def look(self, frame: Frame, state: CameraState) -> None:
        self.frames[frame.camera].append(frame)

    def state(self, state: CameraState) -> None:
        self.states.append((state.id, state.state))


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def looker(seen: Seen) -> Iterator[Looker]:
    made = Looker(seen.look, seen.state)
    made.start()
    yield made
    made.stop()


def camera(name: str, url: str, watch: Watch = Watch.STAY, every_s: float = 0.5) -> Camera:
    return Camera(name, name, url, watch, every_s)


def test_cameras_come_go_and_change(looker: Looker, seen: Seen, rtsp: RtspServer, clip: Path, tmp_path: Path) -> None:
    still = tmp_path / "still.jpg"
    cv2.imwrite(str(still), clips.street())
    looker.update([camera("a", rtsp.url("/good")), camera("b", f"file://{clip}")])
    wait_until(lambda: len(seen.frames["a"]) > 1 and len(seen.frames["b"]) > 1)
    looker.update([camera("a", f"file://{still}"), camera("c", rtsp.url("/good"), Watch.PATROL)])
    assert {state.id for state in looker.states()} == {"a", "c"}
    gone = len(seen.frames["b"])
    wait_until(lambda: seen.frames["a"][-1].codec == "jpg" and seen.frames["c"], what="the new sources answer")
    assert len(seen.frames["b"]) <= gone + 1, "at most the look that was under way"


def test_a_camera_that_loses_power_is_offline_and_comes_back(looker: Looker, seen: Seen, clip: Path) -> None:
    with RtspServer() as server:
        looker.update([camera("a", server.play("/x", clip))])
        wait_until(lambda: ("a", "online") in seen.states)
        server.kill()
        wait_until(lambda: seen.states[-1] == ("a", "offline"), 30)
        (state,) = looker.states()
        assert state.last_look_at is not None
        assert set(state.failures) & {"lost", "unreachable", "silent"}
        server.start_again()
        server.play("/x", clip)
        wait_until(lambda: seen.states[-1] == ("a", "online"), 30)


def test_a_look_on_demand_shows_what_is_there_now(looker: Looker, seen: Seen, rtsp: RtspServer) -> None:
    """Before its turn, and never a picture from before the question: what a re-check stands on."""
    looker.update([camera("stay", rtsp.url("/good"), every_s=3600), camera("p", rtsp.url("/good"), Watch.PATROL, 3600)])
    wait_until(lambda: seen.frames["stay"] and seen.frames["p"])
    first = {name: len(seen.frames[name]) for name in ("stay", "p")}
    asked_at = utc_now() + timedelta(seconds=0.5)
    for name in first:
        looker.ask(name, asked_at)
    wait_until(lambda: all(len(seen.frames[name]) > n for name, n in first.items()))
    for name, n in first.items():
        assert seen.frames[name][n].captured_at >= asked_at


def test_evidence_clip_from_real_footage(looker: Looker, seen: Seen, tmp_path: Path) -> None:
    real = clips.encode(
        clips.pictures_of(footage("intel_car-detection.mp4"), seconds=4, width=512, fps=10), tmp_path / "r.mp4", gop=10
    )
    with RtspServer() as server:
        looker.update([camera("a", server.play("/x", real))])
        wait_until(lambda: len(seen.frames["a"]) >= 4)
        data = looker.clip("a", utc_now() - timedelta(seconds=2), utc_now())
        assert data
        (tmp_path / "clip.mp4").write_bytes(data)
        assert len(list(clips.pictures_of(tmp_path / "clip.mp4"))) >= 10
        assert looker.clip("nobody", utc_now(), utc_now()) is None


def test_a_scene_that_changes_is_seen_in_the_next_look(looker: Looker, seen: Seen, tmp_path: Path) -> None:
    before = clips.encode(clips.scene(10, 320, 184, seed=1), tmp_path / "before.mp4", gop=5)
    after = clips.encode(clips.scene(10, 320, 184, seed=2), tmp_path / "after.mp4", gop=5)
    with RtspServer() as server:
        looker.update([camera("a", server.play("/x", before))])
        wait_until(lambda: seen.frames["a"])
        old = seen.frames["a"][-1].image.astype(int)
        server.play("/x", after)
        wait_until(lambda: abs(seen.frames["a"][-1].image.astype(int) - old).mean() > 15, what="the new scene")


def test_over_capacity_looks_get_rarer_evenly_and_the_figure_says_so() -> None:
    """40 cameras that want 10 looks a second each from 2 threads, with a handler that takes its time."""
    count: dict[str, int] = defaultdict(int)

    def slow(frame: Frame, _: CameraState) -> None:
        count[frame.camera] += 1
        threading.Event().wait(0.02)

    fakes = {f"c{i}": camera(f"c{i}", f"fake://host-{i}/x", every_s=0.1) for i in range(40)}
    looker = Looker(slow, open_source=lambda c: FakeCamera(c, frame_s=0.01), looks_at_once=2)
    looker.update(fakes.values())
    looker.start()
    wait_until(lambda: len(count) == 40 and min(count.values()) >= 4, 60)
    spread = max(count.values()) - min(count.values())
    attained = [looker.attained_s(name) for name in fakes]
    looker.stop()
    assert spread <= 2
    assert all(a is not None and a > 0.2 for a in attained)


def test_a_handler_or_source_with_a_defect_costs_only_itself(seen: Seen) -> None:
    class Defect(FakeCamera):
        def look(self, not_before: object, timeout_s: float) -> Frame:
            raise KeyError("a bug")

    def handler(frame: Frame, state: CameraState) -> None:
        seen.look(frame, state)
        if frame.camera == "b":
            raise RuntimeError("a bug in the worker")

    kinds = {"a": FakeCamera, "b": FakeCamera, "c": Defect}
    looker = Looker(handler, seen.state, open_source=lambda c: kinds[c.id](c))
    looker.update(camera(name, f"fake://{name}/x", every_s=0.2) for name in kinds)
    looker.start()
    wait_until(lambda: len(seen.frames["a"]) >= 4 and len(seen.frames["b"]) >= 4)
    states = {state.id: state for state in looker.states()}
    looker.stop()
    assert states["c"].failures["failed"] >= 1
    assert "KeyError" in states["c"].message
    assert looker.counters["looks"] >= 8


def test_failing_and_mending() -> None:
    fake: list[FakeCamera] = []

    def make(c: Camera) -> FakeCamera:
        fake.append(FakeCamera(c))
        return fake[-1]

    told: list[str] = []
    looker = Looker(lambda *_: None, lambda state: told.append(state.state), open_source=make)
    looker.update([camera("a", "fake://a/x", every_s=0.1)])
    looker.start()
    wait_until(lambda: told == ["online"])
    fake[0].break_with(Unreachable("fake://u:pw123@a/x: gone"))
    wait_until(lambda: told == ["online", "offline"])
    assert "pw123" not in looker.states()[0].message
    fake[0].mend()
    wait_until(lambda: told == ["online", "offline", "online"])
    looker.stop()


def test_stop_is_quick_even_with_a_camera_that_hangs() -> None:
    class Hangs(FakeCamera):
        def look(self, not_before: object, timeout_s: float) -> Frame:
            self._closed.wait(30)
            raise Unreachable("closed")

    looker = Looker(lambda *_: None, open_source=Hangs)
    looker.update([camera("a", "fake://a/x")])
    looker.start()
    wait_until(lambda: threading.active_count() > 1)
    began_s = time.monotonic()
    looker.stop()
    assert time.monotonic() - began_s < 5


def test_looks_go_on_when_the_clock_is_set_back(seen: Seen) -> None:
    """A computer whose clock stands on local time is eight hours ahead until told: no camera may be blind so long."""
    ahead = timedelta(hours=8)

    class OnThatClock(FakeCamera):
        def look(self, not_before: datetime, timeout_s: float) -> Frame:
            frame = super().look(not_before - ahead, timeout_s)
            return Frame(frame.camera, frame.preset, frame.captured_at + ahead, frame.image)

    looker = Looker(seen.look, open_source=OnThatClock, clock=lambda: utc_now() + ahead)
    looker.update([camera("a", "fake://a/x", every_s=0.2)])
    looker.start()
    wait_until(lambda: len(seen.frames["a"]) >= 2)
    ahead = timedelta(0)
    wait_until(lambda: seen.frames["a"][-1].captured_at < utc_now() + timedelta(seconds=1), 5)
    # Who asks may have another clock than who looks.
    looker.ask("a", utc_now() + timedelta(hours=8))
    so_far = len(seen.frames["a"])
    wait_until(lambda: len(seen.frames["a"]) >= so_far + 3, 5)
    looker.stop()


def test_a_platform_that_limits_no_more_is_like_any_host() -> None:
    inside, most = 0, 0
    lock = threading.Lock()

    class Slow(FakeCamera):
        def look(self, not_before: datetime, timeout_s: float) -> Frame:
            nonlocal inside, most
            with lock:
                inside += 1
                most = max(most, inside)
            self._closed.wait(0.05)
            with lock:
                inside -= 1
            return super().look(not_before, timeout_s)

    looker = Looker(lambda *_: None, open_source=Slow, platforms={"nvr": 1})
    looker.update(Camera(n, n, f"fake://{n}/x", Watch.PATROL, 0.1, platform="nvr") for n in ("a", "b", "c"))
    looker.start()
    wait_until(lambda: looker.counters["looks"] >= 6)
    assert most == 1
    looker.set_limits({}, per_host=4, visits_at_once=8)
    wait_until(lambda: most >= 2, 5)
    looker.stop()


def test_an_address_that_cannot_be_read_costs_its_own_camera_only(seen: Seen, tmp_path: Path) -> None:
    """It ended the worker with all its cameras and sensors, as often as it was started."""
    still = tmp_path / "still.jpg"
    cv2.imwrite(str(still), clips.street())
    looker = Looker(seen.look)
    looker.update([camera("odd", "http://admin:pa[ss@10.0.0.5/snap.jpg"), camera("good", f"file://{still}")])
    looker.start()
    wait_until(lambda: seen.frames["good"])
    states = {state.id: state for state in looker.states()}
    looker.stop()
    assert states["odd"].state == "offline"
    assert "password written" in states["odd"].message
    assert "pa[ss" not in states["odd"].message


def test_what_a_camera_is_used_to_is_not_read_while_a_look_adds_to_it() -> None:
    looker = Looker(lambda *_: None, open_source=FakeCamera)
    looker.update([camera("a", "fake://a/x")])
    seat = looker._seats["a"]
    held: list[bool] = []

    class Watched(Health):
        def memory(self) -> bytes | None:
            held.append(seat.lock.locked())
            return b"{}"

    seat.health = Watched("a", utc_now())
    assert looker.memories() == {"a": b"{}"}
    assert held == [True]
    looker.stop()


def test_a_camera_that_was_turned_on_purpose_is_judged_by_its_new_view(seen: Seen) -> None:
    made: list[FakeCamera] = []

    def make(of: Camera) -> FakeCamera:
        made.append(FakeCamera(of))
        return made[-1]

    looker = Looker(seen.look, seen.state, open_source=make)
    looker.update([camera("a", "fake://a/x", every_s=0.05)])
    looker.start()
    wait_until(lambda: len(seen.frames["a"]) >= 8)
    made[0]._still = clips.street(seed=5)[:, ::-1].copy()
    wait_until(lambda: seen.states[-1] == ("a", "moved"))
    looker.update([replace(camera("a", "fake://a/x", every_s=0.05), view="2026-11-28T05:00:00+00:00")])
    wait_until(lambda: seen.states[-1] == ("a", "online"))
    looker.stop()
    assert len(made) == 1, "its connection stays"
