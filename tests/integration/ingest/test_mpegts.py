"""A simulated camera as MPEG-TS over HTTP: our encoder at one end, `libav+http://` at the other."""

from __future__ import annotations

import socket
import threading
import time
from datetime import timedelta

import numpy as np

from ingest.cameras import Standing, open_source
from ingest.clock import utc_now
from ingest.device import Camera, Watch
from ingest.media import Encoder
from tests.peers.clips import scene
from tests.peers.odd_cameras import OddCamera

FPS = 10


def shows_a_street(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\nConnection: close\r\n\r\n")
    encoder, began_s = Encoder(320, 184, FPS, 0.5), time.monotonic()
    for i, picture in enumerate(scene(600, 320, 184)):
        connection.sendall(encoder.add(picture))
        time.sleep(max(0.0, began_s + (i + 1) / FPS - time.monotonic()))


def test_each_picture_comes_out_at_once() -> None:
    encoder = Encoder(320, 184, FPS, 0.5)
    sizes = [len(encoder.add(picture)) for picture in scene(12, 320, 184)]
    assert min(sizes) > 188
    assert encoder.end() is not None


def test_it_is_seen_as_it_is_shown() -> None:
    with OddCamera(shows_a_street) as camera:
        source = open_source(Camera("c", "c", f"libav+http://127.0.0.1:{camera.port}/x.ts", Watch.STAY))
        assert isinstance(source, Standing)
        stop = threading.Event()
        thread = threading.Thread(target=source.run, args=(stop,))
        thread.start()
        for _ in range(3):
            asked_at = utc_now()
            frame = source.look(asked_at, 10)
            assert (frame.width, frame.height, frame.codec) == (320, 184, "h264")
            assert timedelta(0) <= frame.captured_at - asked_at < timedelta(seconds=6)
            still = next(iter(scene(1, 320, 184, noise=0)))
            rows = np.abs(frame.image.astype(int) - still).mean(axis=2)[:80]
            assert rows.mean() < 15, "the street above the walker is the street that was shown"
        assert source.clip(asked_at - timedelta(seconds=1), utc_now())
        stop.set()
        thread.join(10)
        assert not thread.is_alive()
