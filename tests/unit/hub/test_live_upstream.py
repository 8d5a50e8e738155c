"""A camera that gives single pictures, as several look at it: nobody waits for it, and it is asked once for all."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from hub.live.upstream import Pictures
from ingest.device import Camera, Watch
from ingest.errors import SourceError
from tests.integration.hub.conftest import jpeg
from tests.peers import wait_until


class SnapshotCamera:
    """Answers GETs once `answers` is set; until then it lets whoever asks wait."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.asked = threading.Semaphore(0)
        self.count = 0
        self.alive = True
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/snap.jpg"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            while connection.recv(65536):
                self.count += 1
                self.asked.release()
                self.answers.wait(30)
                if not self.alive:
                    return
                body = jpeg()
                head = f"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n\r\n"
                connection.sendall(head.encode() + body)

    def close(self) -> None:
        self.answers.set()
        self._listener.close()


@pytest.fixture
def camera() -> Iterator[SnapshotCamera]:
    made = SnapshotCamera()
    yield made
    made.close()


@pytest.fixture
def pictures(camera: SnapshotCamera) -> Iterator[Pictures]:
    made = Pictures(Camera("c1", "c1", camera.url, Watch.SNAPSHOT))
    yield made
    made.close()


def test_nobody_waits_for_a_camera_that_does_not_answer(camera: SnapshotCamera, pictures: Pictures) -> None:
    """Each viewer waited five seconds, one after the other, on a thread that answers requests."""
    with ThreadPoolExecutor(8) as viewers:
        first = viewers.submit(pictures.shot)
        assert camera.asked.acquire(timeout=10)
        looks = [first, *(viewers.submit(pictures.shot) for _ in range(20))]
        try:
            assert [look.result(timeout=3) for look in looks] == [None] * 21
        finally:
            camera.answers.set()
    assert camera.count == 1


def test_a_camera_that_fails_is_not_asked_anew_for_each_viewer(camera: SnapshotCamera, pictures: Pictures) -> None:
    camera.alive = False
    camera.answers.set()

    def fails() -> bool:
        try:
            pictures.shot()
        except SourceError:
            return True
        return False

    wait_until(fails, 10)
    before = camera.count
    assert all(fails() for _ in range(20))
    assert camera.count - before <= 1


def test_all_who_look_see_the_picture(camera: SnapshotCamera, pictures: Pictures) -> None:
    camera.answers.set()
    wait_until(lambda: pictures.shot() is not None, 10)
    seen = [pictures.shot() for _ in range(20)]
    assert all(shot is not None and shot.jpeg.startswith(b"\xff\xd8") for shot in seen)
    assert camera.count <= 3
