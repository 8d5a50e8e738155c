"""Snapshots and presets over real web servers: connections kept, sign-in as asked, redirects on the same host."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from ingest.cameras.preset import call_preset, split_goto
from ingest.cameras.snapshot import Snapshot
from ingest.clock import utc_now
from ingest.device import Camera
from ingest.errors import NotFound, NotVideo, SignInRefused, SourceError
from ingest.frame import Frame
from ingest.loop import ReadingLoop
from tests.contract.test_cameras import jpeg
from tests.peers.lighttpd import Lighttpd
from tests.peers.nginx import Nginx
from tests.peers.odd_cameras import OddCamera, relay


@pytest.fixture
def loop() -> Iterator[ReadingLoop]:
    made = ReadingLoop()
    yield made
    made.stop()


def visit(loop: ReadingLoop, source: Snapshot) -> Frame:
    return loop.spawn(source.visit(utc_now(), 5.0)).result(10).frame()


def refused(loop: ReadingLoop, source: Snapshot) -> SourceError:
    with pytest.raises(SourceError) as failed:
        visit(loop, source)
    assert "pw123" not in str(failed.value)
    return failed.value


def snapshot(url: str) -> Snapshot:
    return Snapshot(Camera("c", "c", url))


def test_one_connection_serves_many_looks(loop: ReadingLoop) -> None:
    with Nginx() as web, OddCamera(relay(web.port, lambda data, sent: data)) as between:
        web.put("a.jpg", jpeg(1))
        web.put("b.jpg", jpeg(2))
        sources = [snapshot(f"http://127.0.0.1:{between.port}/{name}.jpg") for name in "ab"]
        for _ in range(5):
            assert [visit(loop, source).width for source in sources] == [320, 320]
        assert between.connections == 1
        looks = [loop.spawn(source.visit(utc_now(), 5.0)) for source in sources * 4]
        assert all(look.result(10).frame().width == 320 for look in looks)
        opened = between.connections
        assert opened <= 8
        for source in sources * 4:
            visit(loop, source)
        assert between.connections == opened, "none beyond those that were needed at once"


def test_a_kept_connection_that_the_camera_closed_is_no_failure(loop: ReadingLoop) -> None:
    with Nginx() as web, OddCamera(relay(web.port, lambda data, sent: data)) as between:
        source = snapshot(f"http://127.0.0.1:{between.port}/a.jpg")
        web.put("a.jpg", jpeg())
        for look in range(3):
            assert visit(loop, source).width == 320
            assert between.connections == look + 1
            between._open[-1].shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_digest_is_asked_for_once(loop: ReadingLoop, algorithm: str) -> None:
    password = "p@ss:w/1 2"
    with Lighttpd("admin", password, algorithm) as web:
        web.put("snap.jpg", jpeg())
        source = snapshot(web.url("/snap.jpg?channel=1%202&x=/", "admin", quote(password, safe="")))
        for _ in range(3):
            assert visit(loop, source).width == 320
        assert web.answers() == [401, 200, 200, 200]


def test_a_wrong_password_is_tried_once_a_look(loop: ReadingLoop) -> None:
    with Lighttpd("admin", "right") as web:
        web.put("snap.jpg", jpeg())
        assert isinstance(refused(loop, snapshot(web.url("/snap.jpg", "admin", "pw123"))), SignInRefused)
        assert isinstance(refused(loop, snapshot(f"http://127.0.0.1:{web.port}/snap.jpg")), SignInRefused)
        assert web.answers() == [401, 401, 401]


def answering(*answers: bytes) -> tuple[OddCamera, list[bytes]]:
    """A camera that gives each of `answers` once, then closes; and what it was asked."""
    asked: list[bytes] = []

    def behave(connection: socket.socket) -> None:
        while (request := connection.recv(8192)) and len(asked) < len(answers):
            asked.append(request)
            connection.sendall(answers[len(asked) - 1])

    return OddCamera(behave), asked


def redirect(to: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()


def picture() -> bytes:
    data = jpeg()
    return b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(data) + data


def test_a_redirect_on_the_same_host_is_followed_and_no_other(loop: ReadingLoop) -> None:
    near, asked = answering(redirect("/real.jpg"), picture())
    with near:
        assert visit(loop, snapshot(f"http://admin:pw123@127.0.0.1:{near.port}/a.jpg")).width == 320
        assert asked[1].startswith(b"GET /real.jpg ")
    far, asked = answering(redirect("http://elsewhere.invalid/x.jpg"))
    with far:
        error = refused(loop, snapshot(f"http://admin:pw123@127.0.0.1:{far.port}/a.jpg"))
        assert isinstance(error, NotVideo)
        assert "elsewhere.invalid" in str(error)
    assert not any(b"authorization" in request.lower() for request in asked), "no password unasked"


def test_basic_goes_only_where_it_was_asked_for(loop: ReadingLoop) -> None:
    locked = b'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n'
    camera, asked = answering(locked, picture(), picture())
    with camera:
        source = snapshot(f"http://admin:pw123@127.0.0.1:{camera.port}/a.jpg")
        visit(loop, source)
        visit(loop, source)
    signed = [b"authorization: basic" in request.lower() for request in asked]
    assert signed == [False, True, True]


def test_a_preset_is_called_as_its_maker_wants_it() -> None:
    done = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    dome, asked = answering(done, done)
    with dome:
        put = f"PUT http://127.0.0.1:{dome.port}/ISAPI/PTZCtrl/channels/1/presets/2/goto"
        asyncio.run(call_preset(Camera("c", "c", "rtsp://127.0.0.1/x", goto=put), 5))
        got = f"http://127.0.0.1:{dome.port}/cgi-bin/ptz.cgi?action=start&code=GotoPreset&arg2=2"
        asyncio.run(call_preset(Camera("c", "c", "rtsp://127.0.0.1/x", goto=got), 5))
    assert asked[0].startswith(b"PUT /ISAPI/PTZCtrl/channels/1/presets/2/goto HTTP/1.1")
    assert asked[1].startswith(b"GET /cgi-bin/ptz.cgi?action=start&code=GotoPreset&arg2=2 HTTP/1.1")


def test_a_preset_signs_in_as_the_camera_does_on_the_same_host() -> None:
    with Lighttpd("admin", "right") as web:
        web.put("goto", b"ok")
        goto = f"http://127.0.0.1:{web.port}/goto"
        for _ in range(2):
            asyncio.run(call_preset(Camera("c", "c", "rtsp://admin:right@127.0.0.1:554/x", goto=goto), 5))
        with pytest.raises(NotFound, match="preset http://127"):
            asyncio.run(call_preset(Camera("c", "c", "rtsp://admin:right@127.0.0.1:554/x", goto=goto + "2"), 5))
        with pytest.raises(SignInRefused) as failed:
            asyncio.run(call_preset(Camera("c", "c", "rtsp://admin:right@10.9.9.9:554/x", goto=goto), 5))
        assert "right" not in str(failed.value)


@pytest.mark.parametrize("goto", ["POST http://h/x", "ftp://h/x", "PUT", "http://", "PUT PUT http://h/x", "north"])
def test_what_is_no_preset(goto: str) -> None:
    with pytest.raises(ValueError, match="PUT"):
        split_goto(goto)
