"""The scripted camera does what its script says: shown with FFmpeg, and by its bytes where FFmpeg would hide it."""

from __future__ import annotations

import re
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import av
import av.error
import pytest

from tests.peers import wait_until
from tests.peers.clips import encode, scene
from tests.peers.odd_cameras import OddCamera, flipping, relay
from tests.peers.payload import Clip, Header
from tests.peers.scripted_rtsp import Script, ScriptedCamera


def clip(folder: Path, codec: str = "libx264", width: int = 320, height: int = 192) -> Clip:
    pictures = scene(20, width, height)
    return Clip.of(encode(pictures, folder / f"{codec}{width}.mp4", fps=25, gop=5, codec=codec))


@pytest.fixture(scope="module")
def h264(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    return clip(tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="module")
def h265(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    return clip(tmp_path_factory.mktemp("clips"), "libx265")


PATIENT_US = "20000000"
"""How long FFmpeg waits: what it plays does come, on a busy machine late."""


def played(url: str, pictures: int = 12, **options: str) -> list[Any]:
    """What FFmpeg decodes; it gives up after a while."""
    quick = {"fflags": "nobuffer", "analyzeduration": "0", "probesize": "5000", "fpsprobesize": "0"}
    how = {"rtsp_transport": "tcp", "timeout": PATIENT_US, **quick} | options
    with av.open(url, options=how, timeout=None) as container:
        return list(islice(container.decode(video=0), pictures))


@pytest.mark.parametrize("codec", ["h264", "h265"])
@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_ffmpeg_plays_a_camera_without_faults(codec: str, transport: str, h264: Clip, h265: Clip) -> None:
    with ScriptedCamera(h264 if codec == "h264" else h265) as camera:
        frames = played(camera.url, rtsp_transport=transport)
        assert [(f.width, f.height, f.is_corrupt) for f in frames] == [(320, 192, False)] * 12
        assert camera.counts["DESCRIBE"] == camera.counts["SETUP"] == camera.counts["sessions"] == 1
        wait_until(lambda: camera.counts["playing"] == 0, what="the end of the session")


@pytest.mark.parametrize(
    "script",
    [
        Script(aggregate=False),
        Script(in_band=False),
        Script(sprop=False),
        Script(aggregate_control=False),
        Script(channels=(6, 7)),
        Script(early_media=True),
        Script(mtu=200, header=Header(extension=b"12345678", csrcs=2, padding=7)),
        Script(odd_channel=5),
        Script(report_every_s=0.02),
        Script(session_s=0),
    ],
    ids=lambda script: ",".join(f.name for f in fields(script) if getattr(script, f.name) != getattr(Script(), f.name)),
)
def test_ffmpeg_plays_what_is_odd_but_allowed(script: Script, h264: Clip, h265: Clip) -> None:
    for shown in (h264, h265):
        with ScriptedCamera(shown, script) as camera:
            assert not any(frame.is_corrupt for frame in played(camera.url, 6))


@pytest.mark.parametrize("kind", ["basic", "digest"])
def test_sign_in_is_asked_for_refused_and_granted(kind: str, h264: Clip) -> None:
    with ScriptedCamera(h264, auth=(kind, "admin", "pw123")) as camera:
        for wrong in (camera.url_for("admin", "no"), camera.url_for("", "")):
            with pytest.raises(av.error.HTTPUnauthorizedError):
                played(wrong)
        camera.change(refuses_sign_in=True)
        with pytest.raises(av.error.HTTPUnauthorizedError):
            played(camera.url)
        camera.change(refuses_sign_in=False)
        assert len(played(camera.url)) == 12


def test_one_transport_only(h264: Clip) -> None:
    with ScriptedCamera(h264, Script(tcp=False)) as camera:
        with pytest.raises(av.error.FFmpegError):
            played(camera.url)
        assert len(played(camera.url, rtsp_transport="udp")) == 12
        assert len(played(camera.url, rtsp_transport="udp+tcp")) == 12


def test_a_redirect_is_followed(h264: Clip) -> None:
    with ScriptedCamera(h264) as there, ScriptedCamera(h264, Script(redirect_to=there.url)) as here:
        assert len(played(here.url)) == 12
        assert here.counts["sessions"] == 0 != there.counts["sessions"]


def test_the_picture_changes_in_mid_stream(h264: Clip, tmp_path: Path) -> None:
    with ScriptedCamera(h264) as camera:
        sizes = set()
        quick = {"rtsp_transport": "tcp", "timeout": PATIENT_US, "fflags": "nobuffer", "fpsprobesize": "0"}
        with av.open(camera.url, options=quick, timeout=None) as container:
            for n, frame in enumerate(container.decode(video=0)):
                sizes.add(frame.width)
                if n == 3:
                    camera.show(clip(tmp_path, width=480, height=272))
                if len(sizes) == 2 or n > 60:
                    break
        assert sizes == {320, 480}


def test_a_recorder_allows_so_many_sessions(h264: Clip) -> None:
    with ScriptedCamera(h264, Script(most_sessions=1)) as camera, closing(Client(camera)) as first:
        assert first.play().startswith("RTSP/1.0 200")
        with closing(Client(camera)) as second:
            assert second.ask("SETUP", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1").startswith("RTSP/1.0 453")


class Client:
    """An RTSP client in twenty lines, to see every byte."""

    def __init__(self, camera: ScriptedCamera) -> None:
        self.socket = socket.create_connection(("127.0.0.1", camera.port), timeout=20)
        self.file = self.socket.makefile("rb")
        self.url = camera.url

    def ask(self, method: str, *fields: str) -> str:
        self.socket.sendall("\r\n".join([f"{method} {self.url} RTSP/1.0", "CSeq: 7", *fields, "", ""]).encode())
        return self.answer()

    def answer(self) -> str:
        lines = []
        while (line := self.file.readline()) not in (b"\r\n", b""):
            lines.append(line.decode())
        return "".join(lines)

    def play(self) -> str:
        self.ask("SETUP", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
        return self.ask("PLAY")

    def packets(self) -> Iterator[tuple[int, bytes]]:
        """Channel and packet, until the connection ends."""
        while head := self.file.read(4):
            _, channel, length = struct.unpack(">BBH", head)
            yield channel, self.file.read(length)

    def close(self) -> None:
        self.file.close()
        self.socket.close()


def rtp(client: Client, count: int) -> list[tuple[int, bool, int]]:
    """Sequence number, marker and time of the next packets of the stream."""
    found = []
    for channel, packet in client.packets():
        if channel == 0:
            _, second, sequence, at = struct.unpack_from(">BBHI", packet)
            found.append((sequence, bool(second & 0x80), at))
        if len(found) == count:
            break
    return found


def test_markers_may_be_missing_and_numbers_wrap(h264: Clip) -> None:
    with ScriptedCamera(h264, Script(markers=False, mtu=500)) as camera, closing(Client(camera)) as client:
        client.play()
        seen = rtp(client, 60)
        assert not any(marker for _, marker, _ in seen)
        assert [(b[0] - a[0]) & 0xFFFF for a, b in pairwise(seen)] == [1] * 59
        assert seen[0][0] > seen[-1][0], "they began just before 65535"


def test_the_clock_jumps(h264: Clip) -> None:
    with ScriptedCamera(h264) as camera, closing(Client(camera)) as client:
        client.play()
        before = rtp(client, 3)[-1][2]
        camera.change(stamp_off_s=3600.0)
        wait_until(lambda: rtp(client, 1)[0][2] - before > 3500 * 90000, 5, "the jump")


def test_packets_are_lost_and_swapped(h264: Clip) -> None:
    with ScriptedCamera(h264, Script(lose_every=5, swap_every=7, mtu=400)) as camera, closing(Client(camera)) as client:
        client.play()
        numbers = [sequence for sequence, _, _ in rtp(client, 80)]
        steps = {(b - a) & 0xFFFF for a, b in pairwise(numbers)}
        assert 2 in steps, "one is missing"
        assert 0xFFFF in steps, "one came behind its successor"


def test_a_reset_in_the_middle_of_a_keyframe(h264: Clip) -> None:
    with ScriptedCamera(h264, Script(mtu=300)) as camera, closing(Client(camera)) as client:
        client.play()
        rtp(client, 5)
        camera.change(reset_in_key=True)
        with pytest.raises(ConnectionResetError):
            list(client.packets())


def test_a_byte_at_a_time(h264: Clip) -> None:
    with ScriptedCamera(h264) as camera, closing(Client(camera)) as client:
        client.play()
        camera.change(byte_every_s=0.02)
        wait_until(lambda: len(client.socket.recv(65536)) == 1, what="the pace")
        began = time.monotonic()
        assert all(len(client.socket.recv(65536)) <= 2 for _ in range(10))
        assert time.monotonic() - began > 0.15


def test_silence_with_an_open_connection(h264: Clip) -> None:
    with ScriptedCamera(h264) as camera, closing(Client(camera)) as client:
        client.play()
        camera.change(silent=True)
        client.socket.settimeout(0.4)
        with pytest.raises(TimeoutError):
            list(client.packets())
        assert camera.counts["playing"] == 1


def test_who_sends_no_keepalive_is_dropped(h264: Clip) -> None:
    script = Script(session_s=2, drops_idle=True)
    with ScriptedCamera(h264, script) as camera, closing(Client(camera)) as idle, closing(Client(camera)) as lively:
        for client in (idle, lively):
            client.play()
        for _ in range(4):
            time.sleep(0.6)
            lively.socket.sendall(f"GET_PARAMETER {camera.url} RTSP/1.0\r\nCSeq: 9\r\n\r\n".encode())
        wait_until(lambda: camera.counts["GET_PARAMETER"] == 4, what="the last keep-alive")
        assert camera.counts["dropped_idle"] == 1
        assert camera.counts["playing"] == 1


@pytest.mark.parametrize("off", [-20, 40])
def test_a_wrong_content_length(off: int, h264: Clip) -> None:
    with ScriptedCamera(h264, Script(describe_length_off=off)) as camera, closing(Client(camera)) as client:
        told = re.search(r"Content-Length: (\d+)", client.ask("DESCRIBE"))
        body = client.socket.recv(65536) if not client.file.peek() else client.file.peek()
        assert told
        assert int(told[1]) == len(body) + off


def test_a_nonce_goes_stale(h264: Clip) -> None:
    with ScriptedCamera(h264, auth=("digest", "admin", "pw123")) as camera:
        assert camera.door
        camera.door.uses = 1
        assert len(played(camera.url)) == 12, "FFmpeg answers each new challenge"
        assert camera.counts["refused"] >= 3


def test_it_says_what_it_is_told_to(h264: Clip) -> None:
    with ScriptedCamera(h264, Script(frozen=True)) as camera, closing(Client(camera)) as client:
        client.play()
        camera.say(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")
        assert client.answer().startswith("OPTIONS * RTSP/1.0")


def test_bytes_flip_the_same_way_each_time(h264: Clip) -> None:
    data = bytes(range(256)) * 400
    changes = [flipping(seed, 0.01, after=1000) for seed in (1, 1, 2)]
    first, again, other = (change(data, 0) for change in changes)
    assert first == again != other
    assert first is not None
    assert first[:1000] == data[:1000]
    assert 500 < sum(a != b for a, b in zip(first, data, strict=True)) < 1500
    with ScriptedCamera(h264) as camera, OddCamera(relay(camera.port, flipping(3, 0.0, after=0))) as between:
        assert len(played(f"rtsp://127.0.0.1:{between.port}/cam")) == 12
