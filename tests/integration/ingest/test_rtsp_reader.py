"""The many-stream reader against real sockets: what cameras in the field do, said in words and survived."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from ingest.cameras import open_source
from ingest.cameras.rtsp.feed import MOST_PAUSE_S, TcpFeed
from ingest.cameras.rtsp.stay import RtspStay
from ingest.cameras.rtsp.visit import RtspPatrol
from ingest.clock import utc_now
from ingest.device import Camera, Watch
from ingest.errors import SourceError
from ingest.frame import Frame
from ingest.supervisor import Backoff, Supervisor
from tests.peers import clips, wait_until
from tests.peers.odd_cameras import OddCamera, relay
from tests.peers.payload import Clip
from tests.peers.rtsp_script import Script
from tests.peers.scripted_rtsp import ScriptedCamera


@pytest.fixture(scope="module")
def h264(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    return made(tmp_path_factory, "libx264", 320, 192)


@pytest.fixture(scope="module")
def h265(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    return made(tmp_path_factory, "libx265", 320, 192)


@pytest.fixture(scope="module")
def larger(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    return made(tmp_path_factory, "libx264", 480, 272)


def made(folder: pytest.TempPathFactory, codec: str, width: int, height: int) -> Clip:
    target = folder.mktemp("clip") / "clip.mp4"
    return Clip.of(clips.encode(clips.scene(20, width, height), target, fps=20, gop=10, codec=codec))


@dataclass
class Held:
    """A source that runs, and what it failed with so far."""

    source: RtspStay
    failures: list[SourceError] = field(default_factory=list)

    def look(self, timeout_s: float = 5.0) -> Frame:
        return self.source.look(utc_now(), timeout_s)

    def looks_again(self, within_s: float = 10.0) -> Frame:
        """The first good look."""
        seen: list[Frame] = []

        def good() -> bool:
            with suppress(SourceError):
                seen.append(self.look(1.0))
            return bool(seen)

        wait_until(good, within_s, "a good look")
        return seen[0]

    def fails(self, kind: str, words: str, within_s: float = 8.0) -> None:
        wait_until(
            lambda: [e for e in self.failures if e.kind == kind and words in str(e)], within_s, f"{kind}: {words}"
        )


IMPATIENT_S = 1.0
"""How long nothing may come where that is what is tried; a busy machine takes as long to answer a good connection."""


@contextmanager
def held(url: str, network_s: float = 5.0, keyframe_s: float = 60.0, preroll_s: float = 10.0) -> Iterator[Held]:
    camera = Camera("cam", "cam", url, Watch.STAY, preroll_s=preroll_s)
    assert isinstance(open_source(camera), RtspStay)
    it = Held(RtspStay(camera, network_s, keyframe_s))
    supervisor = Supervisor(lambda _, error: it.failures.append(error), pace=lambda _: Backoff(0.1, 0.2))
    supervisor.add(it.source)
    yield it
    it.source.close()
    supervisor.stop()
    assert all("pw123" not in str(error) for error in it.failures)


ODD_BUT_ALLOWED = {
    "as it should be": {},
    "other channels than asked for": {"channels": (4, 5)},
    "something else on an odd channel": {"odd_channel": 6},
    "no markers": {"markers": False},
    "no aggregation, small packets": {"aggregate": False, "mtu": 300},
    "parameter sets in the SDP only": {"in_band": False},
    "parameter sets in the stream only": {"sprop": False},
    "no session time-out": {"session_s": 0},
    "answers with a wrong length": {"answer_length_off": 7},
    "a description shorter than it says": {"describe_length_off": 4},
    "pictures before the answer to PLAY": {"early_media": True},
    "an absolute control address": {"aggregate_control": False},
    "no CSeq": {"cseq": False},
    "no reports": {"report_every_s": 0.0},
    "knows no GET_PARAMETER": {"public": "DESCRIBE, SETUP, PLAY, TEARDOWN", "session_s": 2},
}


@pytest.mark.parametrize("codec", ["h264", "h265"])
@pytest.mark.parametrize("what", ODD_BUT_ALLOWED)
def test_what_is_odd_but_allowed_is_read(what: str, codec: str, request: pytest.FixtureRequest) -> None:
    clip: Clip = request.getfixturevalue(codec)
    with ScriptedCamera(clip, Script(**ODD_BUT_ALLOWED[what])) as camera:
        with held(camera.url) as it:
            first = it.look()
            assert (first.width, first.height) == (320, 192)
            assert it.look().captured_at > first.captured_at
            assert not it.failures
            assert it.source.via == f"RTSP/TCP {first.codec}"
        wait_until(lambda: camera.counts["TEARDOWN"] == 1, 5, "a goodbye")


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_a_camera_that_refuses_tcp_is_read_over_udp(codec: str, request: pytest.FixtureRequest) -> None:
    script = Script(tcp=False, swap_every=7)
    with ScriptedCamera(request.getfixturevalue(codec), script) as camera, held(camera.url) as it:
        first = it.look()
        assert it.look().captured_at > first.captured_at
        assert it.source.via.startswith("RTSP/UDP")
        wait_until(lambda: it.source.clip(utc_now() - timedelta(seconds=1), utc_now()), 5)
        assert not it.failures


def test_udp_that_loses_packets_gives_whole_pictures_only(h264: Clip) -> None:
    with ScriptedCamera(h264, Script(tcp=False, lose_every=97, mtu=400)) as camera, held(camera.url) as it:
        seen: list[Frame] = []

        def lost() -> int:
            with suppress(SourceError):
                seen.append(it.look(1.0))
            return it.source._feed.collected.lost if it.source._feed else 0

        wait_until(lambda: lost() and len(seen) > 2, 20, "a keyframe with a hole")
        assert all(frame.image.std() > 10 for frame in seen)


def test_a_camera_of_another_kind_goes_to_ffmpeg_by_itself(h264: Clip) -> None:
    """Neither TCP nor UDP as it is asked for: FFmpeg may try, the health says why."""
    with ScriptedCamera(h264, Script(tcp=False, udp=False)) as camera, held(camera.url, IMPATIENT_S) as it:
        wait_until(lambda: it.source.via.startswith("FFmpeg: "), 5)
        wait_until(lambda: it.failures, 10)
        assert "127.0.0.1" in str(it.failures[0])


@pytest.mark.parametrize("kind", ["basic", "digest", "digest-sha256"])
def test_sign_in_refused_and_then_granted(kind: str, h264: Clip) -> None:
    with ScriptedCamera(h264, Script(refuses_sign_in=True), auth=(kind, "admin", "pw123")) as camera:
        with held(camera.url) as it:
            it.fails("sign_in_refused", "refuses user or password")
            with pytest.raises(SourceError) as failed:
                it.look(0.0)
            assert failed.value.kind == "sign_in_refused"
            camera.change(refuses_sign_in=False)
            assert it.looks_again().width == 320
        assert camera.counts["refused"] < 30


def test_a_session_is_kept_alive(h264: Clip) -> None:
    with ScriptedCamera(h264, Script(session_s=2, drops_idle=True)) as camera, held(camera.url) as it:
        it.look()
        until_s = time.monotonic() + 4.5
        while time.monotonic() < until_s:
            it.look()
        assert not it.failures
        assert camera.counts["dropped_idle"] == 0
        assert camera.counts["GET_PARAMETER"] >= 2


@pytest.mark.parametrize("change", [{"silent": True}, {"frozen": True}, {"byte_every_s": 0.3}])
def test_a_peer_that_is_gone_without_a_word(change: dict[str, Any], h264: Clip) -> None:
    with ScriptedCamera(h264) as camera, held(camera.url, IMPATIENT_S) as it:
        it.look()
        camera.change(**change)
        it.fails("silent", "nothing came")
        camera.change(silent=False, frozen=False, byte_every_s=0.0)
        assert it.looks_again().width == 320


def test_a_reset_in_mid_keyframe(h264: Clip) -> None:
    with ScriptedCamera(h264) as camera, held(camera.url) as it:
        it.look()
        camera.change(reset_in_key=True)
        it.fails("lost", "connection")
        camera.change(reset_in_key=False)
        assert it.looks_again().width == 320


@pytest.mark.parametrize("to", ["larger", "h265"])
def test_resolution_or_codec_changes_in_mid_stream(to: str, h264: Clip, request: pytest.FixtureRequest) -> None:
    other: Clip = request.getfixturevalue(to)
    wanted, keyframe_s = (("h264", 480), 60.0) if to == "larger" else (("hevc", 320), 1.0)
    with ScriptedCamera(h264) as camera, held(camera.url, keyframe_s=keyframe_s) as it:
        assert it.looks_again().width == 320
        camera.show(other)

        def changed() -> bool:
            try:
                frame = it.look(5.0)
            except SourceError:
                assert to == "h265", "only another codec needs a new session"
                return False
            return (frame.codec, frame.width) == wanted

        wait_until(changed, 10, f"{wanted}")


def test_the_camera_s_clock_jumps(h264: Clip) -> None:
    with ScriptedCamera(h264) as camera, held(camera.url) as it:
        it.look()
        for off_s in (3600.0, -86400.0):
            camera.change(stamp_off_s=off_s)
            time.sleep(0.7)
            began = utc_now()
            frame = it.look()
            assert began <= frame.captured_at <= utc_now()
        assert not it.failures


@pytest.mark.parametrize("off_s", [0.0, -7.0, 3600.0])
def test_the_camera_s_wrong_clock_is_told_not_used(off_s: float, h264: Clip) -> None:
    with ScriptedCamera(h264, Script(clock_off_s=off_s, report_every_s=0.1)) as camera, held(camera.url) as it:
        began = utc_now()
        frame = it.look()
        assert began <= frame.captured_at <= utc_now()
        wait_until(lambda: it.source.clock_off_s is not None, 5)
        assert it.source.clock_off_s == pytest.approx(off_s, abs=1.0)


def test_corrupted_bytes_cost_pictures_never_show_wrong_ones(h264: Clip) -> None:
    rng = np.random.default_rng(7)

    def flip(data: bytes, sent: int) -> bytes:
        if sent < 4000 or rng.random() < 0.5:
            return data
        damaged = bytearray(data)
        damaged[int(rng.integers(len(data)))] ^= 1 << int(rng.integers(8))
        return bytes(damaged)

    still = clips.street(320, 192)
    with (
        ScriptedCamera(h264) as camera,
        OddCamera(relay(camera.port, flip)) as between,
        held(f"rtsp://127.0.0.1:{between.port}/cam", IMPATIENT_S, keyframe_s=3.0) as it,
    ):
        good, until_s = 0, time.monotonic() + 6
        while time.monotonic() < until_s:
            try:
                frame = it.look(1.0)
            except SourceError:
                continue
            good += 1
            apart = np.abs(frame.image.astype(int) - still)
            assert np.median(apart) < 12, "half a picture"
        assert good >= 3


def test_tls_by_its_own_certificate_only_where_that_is_accepted(h264: Clip, tmp_path: Path) -> None:
    with ScriptedCamera(h264, tls=own_certificate(tmp_path)) as camera:
        with held(camera.url) as it:
            it.fails("unreachable", "certificate is not trusted")
        with held(camera.url + "#insecure") as it:
            first = it.look()
            assert it.look().captured_at > first.captured_at


def own_certificate(folder: Path) -> ssl.SSLContext:
    import subprocess

    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=camera", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def test_a_redirect_within_the_camera_is_followed_and_none_to_elsewhere(h264: Clip) -> None:
    with ScriptedCamera(h264) as real, ScriptedCamera(h264, Script(redirect_to=real.url)) as moved:
        with held(moved.url) as it:
            assert it.look().width == 320
        moved.change(redirect_to="rtsp://203.0.113.7/elsewhere")
        with held(moved.url) as it:
            it.fails("not_video", "203.0.113.7")


def test_a_recorder_with_no_session_left_says_so(h264: Clip) -> None:
    with ScriptedCamera(h264, Script(most_sessions=1)) as camera, held(camera.url) as first:
        first.look()
        with held(camera.url) as second:
            second.fails("lost", "453")
        first.look()


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_a_visit_brings_one_fresh_picture_and_leaves(codec: str, request: pytest.FixtureRequest) -> None:
    clip: Clip = request.getfixturevalue(codec)
    with ScriptedCamera(clip, auth=("digest", "admin", "pw123")) as camera:
        patrol = RtspPatrol(Camera("cam", "cam", camera.url, Watch.PATROL))
        for _ in range(2):
            began = utc_now()
            frame = patrol.look(began, 5.0)
            assert began <= frame.captured_at <= utc_now()
            assert frame.width == 320
        wait_until(lambda: camera.counts["TEARDOWN"] == 2 and not camera.visits, 5)
        patrol.close()


def test_it_stops_within_a_moment_whatever_the_camera_does(h264: Clip) -> None:
    before = threading.active_count()
    with ScriptedCamera(h264) as camera:
        for script in (Script(), Script(silent=True), Script(tcp=False, udp=False)):
            camera.script = script
            with held(camera.url, network_s=30.0):
                time.sleep(0.3)
                began_s = time.monotonic()
            assert time.monotonic() - began_s < 10.0, "whatever it waits for, up to 30 s"
        wait_until(lambda: threading.active_count() <= before + 1, 5)


def packets(it: Held) -> int:
    assert it.source._feed is not None
    return it.source._feed.collected.packets


@pytest.mark.parametrize("preroll_s", [0.0, 10.0])
@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_between_looks_nothing_is_walked(codec: str, preroll_s: float, request: pytest.FixtureRequest) -> None:
    clip: Clip = request.getfixturevalue(codec)
    with ScriptedCamera(clip) as camera, held(camera.url, network_s=3.0, preroll_s=preroll_s) as it:
        for _ in range(6):
            it.look()
        shares = []
        for _ in range(2):
            it.source.doze(3.0)
            time.sleep(0.8)
            before = packets(it)
            time.sleep(1.0)
            shares.append(packets(it) - before)
            time.sleep(1.2)
            frame = it.source.look(utc_now() - timedelta(seconds=0.9), 5.0)
            assert frame.image.std() > 10
        assert shares == [0, 0]
        assert not it.failures
        assert it.source._feed is not None
        assert it.source._feed.collected.lost == 0
        if preroll_s:
            film = it.source.clip(utc_now() - timedelta(seconds=6), utc_now())
            assert film is not None
            with av.open(BytesIO(film)) as opened:
                pictures = sum(1 for _ in opened.decode(video=0))
            assert pictures > 6 * 20 * 0.8, "what was not walked is kept for clips"


def test_a_picture_is_given_once_and_its_bytes_are_let_go(h264: Clip) -> None:
    with ScriptedCamera(h264) as camera, held(camera.url, preroll_s=0.0) as it:
        at, kept = utc_now() - timedelta(seconds=3), []
        for _ in range(3):
            frame = it.source.look(at, 5.0)
            assert frame.captured_at > at
            at = frame.captured_at
            assert it.source._feed is not None
            key = it.source._feed.collected.key
            assert key is not None
            kept.append(len(key.data))
        assert 0 in kept, "a newer keyframe may have come, but hardly each time"


def test_a_look_out_of_turn_wakes_it(h264: Clip) -> None:
    with ScriptedCamera(h264) as camera, held(camera.url, preroll_s=0.0) as it:
        for _ in range(3):
            it.look()
        it.source.doze(600.0)
        time.sleep(1.0)
        it.source.doze(0.0)
        assert it.look().width == 320


def test_a_dozing_session_is_kept_alive_and_its_answers_are_read(h264: Clip) -> None:
    with ScriptedCamera(h264, Script(session_s=2, drops_idle=True)) as camera, held(camera.url, preroll_s=0.0) as it:
        for _ in range(3):
            it.look()
        asked = camera.counts["GET_PARAMETER"]
        it.source.doze(600.0)
        time.sleep(5.0)
        assert not it.failures
        assert camera.counts["dropped_idle"] == 0
        assert camera.counts["GET_PARAMETER"] - asked >= 3
        assert it.source._feed is not None
        assert len(it.source._feed._line.session._pending) <= 1


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [({"silent": True}, "silent", "nothing came"), ({"reset_in_key": True}, "lost", "connection")],
)
def test_what_breaks_while_it_dozes_is_noticed(change: dict[str, Any], kind: str, words: str, h264: Clip) -> None:
    with ScriptedCamera(h264) as camera, held(camera.url, IMPATIENT_S, preroll_s=0.0) as it:
        for _ in range(3):
            it.look()
        it.source.doze(600.0)
        time.sleep(0.5)
        camera.change(**change)
        it.fails(kind, words)


def test_the_pause_between_drains_follows_the_bit_rate(h264: Clip) -> None:
    """A helping is so many bytes, whatever the camera sends; what is timed bounds the pause."""
    with ScriptedCamera(h264) as camera, held(camera.url, network_s=8.0) as it:
        it.look()
        feed = it.source._feed
        assert isinstance(feed, TcpFeed)
        wait_until(lambda: feed.pause_s == MOST_PAUSE_S, what="a thin stream is left alone for long")
    with ScriptedCamera(h264) as camera, held(camera.url, network_s=IMPATIENT_S) as it:
        it.look()
        it.look()
        feed = it.source._feed
        assert isinstance(feed, TcpFeed)
        assert feed.pause_s <= 0.25
