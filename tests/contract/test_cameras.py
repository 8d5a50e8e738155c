"""What every camera source promises, tried on all of them over real servers, and on the fake."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest

from ingest.cameras import Clipping, Connected, Hosted, Source, Standing, Visiting, open_source
from ingest.clock import utc_now
from ingest.device import Camera, Watch
from ingest.errors import SourceError
from ingest.loop import ReadingLoop
from ingest.supervisor import Supervisor
from tests.contract.fake_camera import FakeCamera
from tests.peers.clips import pictures_of, street
from tests.peers.nginx import Nginx
from tests.peers.rtsp_server import RtspServer

Make = Callable[[Watch], Source]

SOURCES = (
    "rtsp h264 stay", "rtsp h265 stay", "rtsp h264 patrol", "rtsp h265 patrol", "libav stay", "libav patrol",
    "file", "folder", "snapshot", "fake",
)  # fmt: skip


def jpeg(seed: int = 1) -> bytes:
    return bytes(cv2.imencode(".jpg", street(320, 184, seed))[1])


def camera(url: str, watch: Watch = Watch.STAY) -> Camera:
    return Camera("cam-1", "gate", url, watch, every_s=1.0, preset="north")


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Source]:
    made = make(request.param, request, tmp_path)
    failures: list[str] = []
    supervisor = Supervisor(lambda _, error: failures.append(str(error)))
    if isinstance(made, Standing | Hosted):
        supervisor.add(made)
    before = threading.active_count()
    yield made
    made.close()
    supervisor.stop(10)
    assert not failures
    assert threading.active_count() <= before, "something of it still runs"


def make(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Source:
    watch = Watch.PATROL if name.endswith("patrol") else Watch.STAY
    if name.startswith("rtsp"):
        server: RtspServer = request.getfixturevalue("rtsp")
        return open_source(camera(server.url("/" + name.split()[1]), watch))
    if name.startswith("libav"):
        server = request.getfixturevalue("rtsp")
        return open_source(camera("libav+" + server.url("/h264"), watch))
    if name == "file":
        return open_source(camera(f"file://{request.getfixturevalue('clip_h264')}"))
    if name == "folder":
        for i in range(3):
            (tmp_path / f"{i}.jpg").write_bytes(jpeg(i))
        return open_source(camera(f"file://{tmp_path}"))
    if name == "snapshot":
        nginx: Nginx = request.getfixturevalue("nginx")
        return open_source(camera(nginx.put("snap.jpg", jpeg())))
    return FakeCamera(camera("file:fake"))


def test_a_look_is_a_fresh_picture_of_this_camera(source: Source) -> None:
    asked_at = utc_now()
    frame = source.look(asked_at - timedelta(seconds=1), 10)
    assert (frame.camera, frame.preset) == ("cam-1", "north")
    assert frame.captured_at.tzinfo is not None
    assert asked_at - timedelta(seconds=1) <= frame.captured_at <= utc_now()
    assert frame.image.dtype == np.uint8
    assert frame.image.shape[2] == 3
    assert frame.image.std() > 10, "a picture of a street is not flat"


def test_no_picture_is_older_than_its_look(source: Source) -> None:
    for _ in range(2):
        not_before = utc_now() + timedelta(seconds=0.3)
        assert source.look(not_before, 10).captured_at >= not_before


def test_a_look_ahead_of_its_time_is_refused_in_time(source: Source) -> None:
    source.look(utc_now() - timedelta(seconds=5), 10)
    began = utc_now()
    with pytest.raises(SourceError) as refused:
        source.look(began + timedelta(seconds=60), 1.0)
    assert (utc_now() - began).total_seconds() < 5
    assert refused.value.kind in ("stale", "silent")
    assert "pw123" not in str(refused.value)


@pytest.mark.parametrize("source", ["snapshot"], indirect=True)
def test_a_visit_brings_home_what_a_look_would_show(source: Source) -> None:
    assert isinstance(source, Visiting)
    loop = ReadingLoop()
    try:
        for _ in range(2):
            not_before = utc_now() + timedelta(seconds=0.2)
            caught = loop.spawn(source.visit(not_before, 10)).result(15)
            assert not_before <= caught.captured_at <= utc_now()
            frame = caught.frame()
            assert (frame.camera, frame.preset, frame.captured_at) == ("cam-1", "north", caught.captured_at)
            assert frame.image.std() > 10
        both = [loop.spawn(source.visit(utc_now(), 10)) for _ in range(2)]
        assert [visit.result(15).frame().width for visit in both] == [320, 320]
        with pytest.raises(SourceError) as refused:
            loop.spawn(source.visit(utc_now() + timedelta(seconds=60), 1.0)).result(15)
        assert refused.value.kind == "stale"
    finally:
        loop.stop()


def test_two_threads_may_look_at_once(source: Source) -> None:
    seen: list[tuple[int, ...]] = []
    threads = [
        threading.Thread(target=lambda: seen.append(source.look(utc_now() - timedelta(seconds=2), 10).image.shape))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(15)
    assert len(seen) == 2
    assert seen[0] == seen[1]


def test_close_ends_a_look_that_waits(source: Source) -> None:
    source.look(utc_now() - timedelta(seconds=5), 10)
    ended: list[BaseException | None] = []

    def wait() -> None:
        try:
            source.look(utc_now() + timedelta(seconds=8), 9)
        except SourceError as error:
            ended.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    began = datetime.now(UTC)
    source.close()
    waiting.join(10)
    assert ended
    assert (datetime.now(UTC) - began).total_seconds() < 5


def test_credentials_are_nowhere_to_be_seen(source: Source) -> None:
    assert "pw123" not in repr(source.camera) + source.camera.safe_url


@pytest.mark.parametrize("source", [name for name in SOURCES if name == "file" or name.endswith("stay")], indirect=True)
def test_clips_play_and_begin_at_a_keyframe(source: Source, tmp_path: Path) -> None:
    assert isinstance(source, Clipping)
    # A second look past the first keyframe: there is something to cut.
    source.look(utc_now(), 10)
    source.look(utc_now(), 10)
    data = source.clip(utc_now() - timedelta(seconds=1), utc_now() + timedelta(seconds=1))
    assert data
    (tmp_path / "clip.mp4").write_bytes(data)
    pictures = list(pictures_of(tmp_path / "clip.mp4"))
    assert len(pictures) >= 5
    assert pictures[0].shape == (184, 320, 3)
    if isinstance(source, Connected):
        assert source.clip(utc_now() - timedelta(days=2), utc_now() - timedelta(days=1)) is None
