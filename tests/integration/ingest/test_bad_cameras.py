"""Cameras as they are in the field: dead, silent, locked, lying. Each is named and counted; the others go on."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from ingest.cameras import Hosted, Source, Standing, open_source
from ingest.cameras.libav import libav_opener
from ingest.cameras.rtsp.feeds import ffmpeg_opener
from ingest.cameras.rtsp.stay import RtspStay
from ingest.cameras.rtsp.visit import RtspPatrol
from ingest.cameras.stream import Opener, PatrolStream, StandingStream
from ingest.clock import utc_now
from ingest.device import Camera, Watch
from ingest.errors import Lost, NotFound, NotVideo, SignInRefused, Silent, SourceError, Stale, Unreachable
from ingest.frame import Frame
from ingest.health import CameraState
from ingest.looker import Looker
from ingest.media import DECODERS, Packet, open_stream
from tests.peers import clips, free_port, wait_until
from tests.peers.nginx import Nginx
from tests.peers.odd_cameras import OddCamera, only_reports, relay, says_nothing
from tests.peers.rtsp_server import RtspServer

STAY, PATROL = "FFmpeg stay", "FFmpeg patrol"
ALL = pytest.mark.parametrize("reader", [STAY, PATROL, "stay", "patrol"])
STAYS = pytest.mark.parametrize("reader", [STAY, "stay"])


def camera(url: str, watch: Watch = Watch.PATROL, name: str = "cam") -> Camera:
    return Camera(name, name, url, watch, every_s=1.0)


PATIENT_S = 15.0
"""How long an answer may take that does come: a busy machine must not look like a camera that says nothing."""
IMPATIENT_S = 1.0
"""How long nothing may come, where that is what is tried."""


def why(url: str, reader: str, network_s: float = PATIENT_S, keyframe_s: float = PATIENT_S) -> SourceError:
    """What a look at `url` fails with."""
    error = failure(make(url, reader, network_s, keyframe_s), keyframe_s)
    assert error is not None
    assert "pw123" not in str(error)
    assert "127.0.0.1" in str(error) or "no-such-camera" in str(error), "it names the camera's address"
    return error


def failure(source: Source, look_s: float = PATIENT_S, stop: threading.Event | None = None) -> SourceError | None:
    """What living, or else looking for `look_s`, ends with."""
    try:
        if isinstance(source, Standing):
            source.run(stop or threading.Event())
        elif isinstance(source, Hosted):
            asyncio.run(source.stay())
        else:
            source.look(utc_now(), look_s)
    except SourceError as error:
        return error
    finally:
        source.close()
    return None


def make(url: str, reader: str, network_s: float = PATIENT_S, keyframe_s: float = PATIENT_S) -> Source:
    seen = camera(url)
    if reader == STAY:
        return StandingStream(seen, ffmpeg_opener(seen), network_s=network_s, keyframe_s=keyframe_s)
    if reader == PATROL:
        return PatrolStream(seen, ffmpeg_opener(seen), network_s=network_s)
    return RtspStay(seen, network_s, keyframe_s) if reader == "stay" else RtspPatrol(seen, network_s)


@contextmanager
def living(source: Source) -> Iterator[list[SourceError | None]]:
    """It runs in a thread; what it ended with is in the list then."""
    ended: list[SourceError | None] = []
    stop = threading.Event()
    thread = threading.Thread(target=lambda: ended.append(failure(source, stop=stop)))
    thread.start()
    yield ended
    stop.set()
    if not ended and isinstance(source, Hosted):
        pytest.fail("a hosted source ends only when it fails")
    thread.join(15)
    assert not thread.is_alive()


@ALL
def test_nobody_listens(reader: str) -> None:
    error = why(f"rtsp://admin:pw123@127.0.0.1:{free_port()}/x", reader)
    assert isinstance(error, Unreachable)
    assert "refused" in str(error)


@ALL
def test_the_host_name_is_unknown(reader: str) -> None:
    error = why("rtsp://admin:pw123@no-such-camera.invalid/x", reader)
    assert isinstance(error, Unreachable)
    assert "no-such-camera.invalid" in str(error)


@ALL
@pytest.mark.parametrize("scheme", ["digest", "basic"])
def test_wrong_password(reader: str, scheme: str, clip: Path) -> None:
    with RtspServer((scheme, "admin", "right")) as server:
        server.play("/x", clip)
        assert isinstance(why(server.url("/x", "admin", "pw123"), reader), SignInRefused)
        assert isinstance(why(f"rtsp://127.0.0.1:{server.port}/x", reader), SignInRefused)
        frame = open_source(camera(server.url("/x"), Watch.PATROL)).look(utc_now() - timedelta(seconds=2), PATIENT_S)
        assert frame.width == 320


@ALL
def test_no_such_stream(reader: str, rtsp: RtspServer) -> None:
    assert isinstance(why(rtsp.url("/nowhere"), reader), NotFound)


@ALL
def test_a_web_server_is_no_camera(reader: str) -> None:
    with Nginx() as web:
        assert isinstance(why(f"rtsp://127.0.0.1:{web.port}/x", reader), NotVideo)


@ALL
def test_one_that_accepts_and_says_nothing(reader: str) -> None:
    with OddCamera(says_nothing) as odd:
        began_s = time.monotonic()
        error = why(f"rtsp://admin:pw123@127.0.0.1:{odd.port}/x", reader, IMPATIENT_S)
        assert isinstance(error, Silent)
        assert time.monotonic() - began_s < 8


@ALL
def test_one_that_plays_and_then_says_nothing(reader: str, clip: Path) -> None:
    with RtspServer() as server:
        source = make(server.play("/x", clip), reader, network_s=3.0)
        if reader in (STAY, "stay"):
            with living(source) as ended:
                source.look(utc_now() - timedelta(seconds=2), PATIENT_S)
                server.hush("/x")
                wait_until(lambda: ended, 15)
            assert isinstance(ended[0], Silent)
        else:
            server.hush("/x")
            with pytest.raises(Silent):
                source.look(utc_now(), PATIENT_S)


def middleman(rtsp: RtspServer, change: Callable[[bytes, int], bytes | None]) -> OddCamera:
    return OddCamera(relay(rtsp.port, change))


@STAYS
def test_one_that_hangs_up_in_mid_stream(reader: str, rtsp: RtspServer) -> None:
    with middleman(rtsp, lambda data, sent: data if sent < 60_000 else None) as odd:
        assert isinstance(why(f"rtsp://127.0.0.1:{odd.port}/good", reader), Lost)


@STAYS
def test_one_that_sends_garbage_in_mid_stream(reader: str, rtsp: RtspServer) -> None:
    """What it sends afterwards is refused or fails; no torn picture comes out, and the thread lives."""

    def spoil(data: bytes, sent: int) -> bytes:
        return data if sent < 40_000 else bytes((byte * 31 + i) % 256 for i, byte in enumerate(data))

    with middleman(rtsp, spoil) as odd:
        source = make(f"rtsp://127.0.0.1:{odd.port}/good", reader, network_s=4.0, keyframe_s=4.0)
        with living(source) as ended:
            source.look(utc_now() - timedelta(seconds=2), PATIENT_S)
            with pytest.raises(SourceError):
                _look_on(source, 12)
            if reader == STAY:
                source.close()
            wait_until(lambda: ended, 15)


def _look_on(source: Source, for_s: float) -> None:
    began_s = time.monotonic()
    while time.monotonic() - began_s < for_s:
        source.look(utc_now(), 4)


@pytest.mark.parametrize(("opener_of", "prefix"), [(libav_opener, "libav+"), (ffmpeg_opener, "")])
def test_one_that_sends_reports_and_no_video_is_not_waited_for_for_ever(
    opener_of: Callable[[Camera], Opener], prefix: str
) -> None:
    with OddCamera(only_reports) as odd:
        began_s = time.monotonic()
        with pytest.raises(Silent):
            list(opener_of(camera(f"{prefix}rtsp://127.0.0.1:{odd.port}/live"))(IMPATIENT_S).packets())
        assert time.monotonic() - began_s < 20


def test_damaged_keyframes_are_refused(tmp_path: Path) -> None:
    for codec in ("libx264", "libx265"):
        path = clips.encode(clips.scene(6, 320, 184), tmp_path / f"{codec}.mp4", gop=3, codec=codec)
        stream = open_stream(str(path), path.name)
        key = next(p for p in stream.packets() if p.key)
        assert DECODERS.decode(stream.coding, key, "x").image.shape == (184, 320, 3)
        cut = Packet(key.data[: len(key.data) // 2], 0, 0, 0, True)
        with pytest.raises(NotVideo, match="keyframe"):
            DECODERS.decode(stream.coding, cut, "x")
        assert DECODERS.decode(stream.coding, key, "x").image.shape == (184, 320, 3), (
            "the next camera gets a clean decoder"
        )
        with pytest.raises(NotVideo, match="damaged"):
            DECODERS.decode(stream.coding, Packet(key.data, 0, 0, 0, True, corrupt=True), "x")
        stream.close()


@ALL
def test_a_stream_without_keyframes(reader: str, tmp_path: Path) -> None:
    """One keyframe in 1000: whoever comes later waits in vain, and says for how long."""
    clip = clips.encode(clips.scene(250, 160, 96), tmp_path / "rare.mp4", fps=25, gop=1000)
    with RtspServer() as server:
        url = server.play("/x", clip)
        with suppress(SourceError):
            make(url, PATROL).look(utc_now(), 2)  # may still meet the only one
        error = why(url, reader, keyframe_s=3.0)
        assert isinstance(error, Silent)
        assert "no keyframe" in str(error)


def test_a_keyframe_from_before_the_look_is_stale(rtsp: RtspServer) -> None:
    source = make(rtsp.url("/good"), STAY)
    with living(source):
        source.look(utc_now() - timedelta(seconds=2), PATIENT_S)
        with pytest.raises(Stale, match="older than the look"):
            source.look(utc_now() + timedelta(seconds=30), 0.2)


def test_ffmpeg_reads_a_camera_that_only_speaks_udp(tmp_path: Path) -> None:
    """Its answer to SETUP over TCP is 461; here a relay gives it, before a server that would speak both."""
    clip = clips.encode(clips.scene(20, 160, 96), tmp_path / "a.mp4", gop=5)
    with RtspServer() as server:
        server.play("/x", clip)
        with OddCamera(_udp_only(server.port)) as odd:
            frame = make(f"rtsp://127.0.0.1:{odd.port}/x", PATROL).look(utc_now() - timedelta(seconds=2), PATIENT_S)
            assert frame.width == 160


def _udp_only(port: int) -> Callable[[socket.socket], None]:
    def behave(client: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", port)) as server:
            while request := client.recv(65536):
                if b"interleaved" in request:
                    sequence = next(line for line in request.split(b"\r\n") if line.lower().startswith(b"cseq"))
                    client.sendall(b"RTSP/1.0 461 Unsupported transport\r\n" + sequence + b"\r\n\r\n")
                    continue
                server.sendall(request)
                client.sendall(server.recv(65536))

    return behave


SNAPSHOTS: dict[str, tuple[bytes, type[SourceError], str]] = {
    "text": (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", NotVideo, "no picture"),
    "nothing": (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", NotVideo, "no picture"),
    "cut by length": (b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n\xff\xd8\xff", NotVideo, "cut short"),
    "cut jpeg": (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\xff\xd8\xff\xe0", NotVideo, "cut short"),
    "no http": (b"\x00\x01\x02garbage\r\n\r\n", NotVideo, "no HTTP"),
    "hangs up": (b"", NotVideo, "cut short"),
    "error": (b"HTTP/1.1 500 Internal\r\nContent-Length: 0\r\n\r\n", NotVideo, "500"),
    "redirect": (b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", NotVideo, "302"),
    "mjpeg": (b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace\r\n\r\n", NotVideo, r"libav\+http"),
    "old": (b"HTTP/1.1 200 OK\r\nAge: 500\r\nContent-Length: 4\r\n\r\n\xff\xd8\xff\xd9", Stale, "500 s old"),
    "locked": (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", SignInRefused, "403"),
}


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_snapshots_that_are_none(name: str) -> None:
    answer, kind, words = SNAPSHOTS[name]

    def behave(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_WR)

    with OddCamera(behave) as odd:
        source = open_source(camera(f"http://admin:pw123@127.0.0.1:{odd.port}/snap.jpg"))
        with pytest.raises(kind, match=words) as failed:
            source.look(utc_now(), PATIENT_S)
        assert "pw123" not in str(failed.value)
        source.close()


def test_snapshot_servers_that_are_dead_silent_or_locked() -> None:
    with pytest.raises(Unreachable):
        open_source(camera(f"http://127.0.0.1:{free_port()}/s.jpg")).look(utc_now(), PATIENT_S)
    with OddCamera(says_nothing) as odd, pytest.raises(Silent):
        open_source(camera(f"http://127.0.0.1:{odd.port}/s.jpg")).look(utc_now(), 0.5)
    with Nginx("admin", "right") as web:
        with pytest.raises(SignInRefused):
            open_source(camera(web.url("/s.jpg", "admin", "pw123"))).look(utc_now(), PATIENT_S)
        with pytest.raises(NotFound):
            open_source(camera(web.url("/s.jpg"))).look(utc_now(), PATIENT_S)


def test_files_that_are_no_video(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("not a video at all" * 100)
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "folder").mkdir()
    for name, kind in (("text.mp4", NotVideo), ("empty.mp4", NotVideo), ("folder", NotFound), ("gone.mp4", NotFound)):
        with pytest.raises(kind, match=name):
            open_source(camera(f"file://{tmp_path}/{name}")).look(utc_now(), PATIENT_S)


def test_the_others_go_on(rtsp: RtspServer, clip: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A looker with every kind of bad camera: good ones are seen on time, bad ones are told apart, the log is calm."""
    frames: dict[str, list[Frame]] = defaultdict(list)
    changes: list[CameraState] = []
    with OddCamera(says_nothing) as silent, Nginx() as web, RtspServer(("digest", "admin", "right")) as locked:
        locked.play("/x", clip)
        cameras = [
            camera(rtsp.url("/good"), Watch.STAY, "good-stay"),
            camera(rtsp.url("/good"), Watch.PATROL, "good-patrol"),
            camera(f"file://{clip}", Watch.STAY, "good-file"),
            camera(f"rtsp://admin:pw123@127.0.0.1:{free_port()}/x", Watch.STAY, "dead"),
            camera(f"rtsp://admin:pw123@127.0.0.1:{silent.port}/x", Watch.PATROL, "silent"),
            camera(locked.url("/x", "admin", "pw123"), Watch.STAY, "locked"),
            camera(rtsp.url("/nowhere"), Watch.PATROL, "nowhere"),
            camera(web.put("page.html", b"<html>"), Watch.STAY, "page"),
            camera("gopher://admin:pw123@127.0.0.1/x", Watch.STAY, "odd"),
        ]
        looker = Looker(lambda frame, _: frames[frame.camera].append(frame), changes.append, timeout_s=6.0)
        with caplog.at_level(logging.INFO, "ingest"):
            looker.update(cameras)
            looker.start()
            wait_until(lambda: all(len(frames[f"good-{w}"]) >= 4 for w in ("stay", "patrol", "file")), 20)
            wait_until(lambda: all(state.failures for state in looker.states() if "good" not in state.id), 20)
            states = {state.id: state for state in looker.states()}
            looker.stop()
    assert {name: states[name].state for name in states} == {
        **dict.fromkeys(("good-stay", "good-patrol", "good-file"), "online"),
        **dict.fromkeys(("dead", "silent", "locked", "nowhere", "page", "odd"), "offline"),
    }
    kinds = {name: set(states[name].failures) for name in states}
    assert kinds["dead"] == {"unreachable"}
    assert kinds["silent"] == {"silent"}
    assert kinds["locked"] == {"sign_in_refused"}
    assert kinds["nowhere"] == {"not_found"}
    assert kinds["page"] == {"not_video"}
    for seen in frames.values():
        times = [frame.captured_at for frame in seen]
        assert times == sorted(set(times)), "each look is newer than the one before"
    bad = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert sorted({record.getMessage().split(":")[0] for record in bad}) == sorted(
        ["dead", "silent", "locked", "nowhere", "page", "odd"]
    )
    assert len(bad) == 6, "one line a minute for each camera and kind"
    assert "pw123" not in caplog.text + repr(cameras) + "".join(state.message for state in states.values())
