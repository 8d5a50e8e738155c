"""One connection to a camera for all who look at it: its packets as they come, and its newest picture.

Opened by the hub when the first viewer comes and closed when the last one leaves. It tries again while somebody looks;
what a worker does with the same camera goes on beside it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from ingest.cameras import Opener, open_source, stream_opener
from ingest.clock import utc_now
from ingest.device import Camera
from ingest.errors import Lost, SourceError
from ingest.frame import Frame
from ingest.media import DECODERS, Coding, Packet, Stream, relayed
from ingest.said import Said

from ..jpeg import encode_jpeg

NETWORK_S = 5.0
"""How long each wait on the camera may last."""
FIRST_RETRY_S, MOST_RETRY_S = 1.0, 10.0
PICTURE_EVERY_S = 0.9
"""A camera that gives pictures is asked at most so often, however many look at it."""
_LOOKED_AT_S = 3.0
"""Whoever looks asks every second: one who has not for so long looks no more."""
LARGEST_PX = (1280, 720)
_JUMP_S = 5.0
_STEP_S = 0.04

Take = Callable[[Any, bool], None]
"""Gets each packet (PyAV's) and whether it is a keyframe; called on the reading thread."""


class Showing(StrEnum):
    """How a camera can be shown."""

    OPENING = "opening"
    VIDEO = "video"
    """H.264 without reordering: packets may be passed through to a browser."""
    PICTURES = "pictures"
    """Pictures only, one by one."""
    FAILED = "failed"
    """Not reachable from here; what its worker saw last is all there is."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture as JPEG."""

    jpeg: bytes
    captured_at: datetime


class Upstream(Protocol):
    """A camera that somebody looks at. Any thread may call."""

    camera: Camera

    def settle(self, timeout_s: float) -> None:
        """Wait until it is known how the camera can be shown, at most so long."""
        ...

    def showing(self) -> tuple[Showing, Said | None]:
        """How, and why not better."""
        ...

    def listen(self, take: Take) -> Callable[[], None]:
        """Hand every packet to `take` until what is returned is called."""
        ...

    def shot(self) -> Shot | None:
        """The newest picture, at once; None where none came yet. Raises SourceError."""
        ...

    def close(self) -> None:
        """Let go of the camera; returns at once."""
        ...


def open_upstream(camera: Camera) -> Upstream:
    """For `camera`; raises InventoryError where no source speaks its URL."""
    opener = stream_opener(camera)
    return Pictures(camera) if opener is None else Streaming(camera, opener)


class Pictures:
    """A camera that gives pictures and no stream: asked by a thread of its own while somebody looks, once for all."""

    def __init__(self, camera: Camera) -> None:
        self.camera = camera
        self._source = open_source(camera)
        self._changed = threading.Condition()
        self._newest: Shot | None = None
        self._failure: SourceError | None = None
        self._wanted_s = -1e9
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"live {camera.id}", daemon=True)
        self._thread.start()

    def settle(self, timeout_s: float) -> None:
        """See Upstream; known from the start."""

    def showing(self) -> tuple[Showing, Said | None]:
        """See Upstream."""
        return Showing.PICTURES, Said("the camera gives single pictures, no stream", "snapshot")

    def listen(self, take: Take) -> Callable[[], None]:
        """See Upstream; there are none."""
        return lambda: None

    def shot(self) -> Shot | None:
        """See Upstream."""
        with self._changed:
            self._wanted_s = time.monotonic()
            self._changed.notify_all()
            if self._failure is not None:
                raise self._failure.with_traceback(None)
            return self._newest

    def close(self) -> None:
        """See Upstream; the thread ends when its wait on the camera ends."""
        self._ended.set()
        with self._changed:
            self._changed.notify_all()
        self._source.close()

    def _run(self) -> None:
        retry_s = FIRST_RETRY_S
        while self._wanted():
            began_s = time.monotonic()
            try:
                shot = _shot(self._source.look(utc_now(), NETWORK_S))
            except SourceError as error:
                self._keep(self._newest, error)
                pause_s, retry_s = retry_s, min(2 * retry_s, MOST_RETRY_S)
            else:
                self._keep(shot, None)
                pause_s, retry_s = PICTURE_EVERY_S - (time.monotonic() - began_s), FIRST_RETRY_S
            self._ended.wait(max(0.0, pause_s))

    def _wanted(self) -> bool:
        """Wait until somebody looks: True; False where the view has ended."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended.is_set() or time.monotonic() - self._wanted_s < _LOOKED_AT_S)
            return not self._ended.is_set()

    def _keep(self, newest: Shot | None, failure: SourceError | None) -> None:
        with self._changed:
            self._newest, self._failure = newest, failure


@dataclass(frozen=True, slots=True)
class _Key:
    packet: Packet
    coding: Coding
    captured_at: datetime


class Streaming:
    """A camera with a stream, read by a thread of its own."""

    def __init__(self, camera: Camera, opener: Opener) -> None:
        self.camera = camera
        self._opener = opener
        self._changed = threading.Condition()
        self._showing: tuple[Showing, Said | None] = (Showing.OPENING, None)
        self._takers: dict[int, Take] = {}
        self._key: _Key | None = None
        self._shot: tuple[_Key, Shot] | None = None
        self._ended = threading.Event()
        self._line = _TimeLine()
        self._thread = threading.Thread(target=self._run, name=f"live {camera.id}", daemon=True)
        self._thread.start()

    def settle(self, timeout_s: float) -> None:
        """See Upstream."""
        with self._changed:
            self._changed.wait_for(lambda: self._showing[0] is not Showing.OPENING, timeout_s)

    def showing(self) -> tuple[Showing, Said | None]:
        """See Upstream."""
        with self._changed:
            return self._showing

    def listen(self, take: Take) -> Callable[[], None]:
        """See Upstream."""
        with self._changed:
            self._takers[id(take)] = take
        return lambda: self._forget(take)

    def _forget(self, take: Take) -> None:
        with self._changed:
            self._takers.pop(id(take), None)

    def shot(self) -> Shot | None:
        """See Upstream; decoded once for all who look."""
        with self._changed:
            key = self._key
            if key is None:
                return None
            if self._shot is not None and self._shot[0] is key:
                return self._shot[1]
        picture = DECODERS.decode(key.coding, key.packet, self.camera.safe_url)
        codec, size = key.coding.codec, len(key.packet.data)
        shot = _shot(Frame(self.camera.id, self.camera.preset, key.captured_at, picture, codec, size))
        with self._changed:
            self._shot = key, shot
        return shot

    def close(self) -> None:
        """See Upstream; the thread ends at the next packet, or when its wait on the camera ends."""
        self._ended.set()
        with self._changed:
            self._takers.clear()
            self._changed.notify_all()

    def wait_closed(self, timeout_s: float) -> bool:
        """Whether the connection is gone, after `close`."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        wait_s = FIRST_RETRY_S
        while not self._ended.is_set():
            began_s = time.monotonic()
            try:
                self._read()
            except SourceError as error:
                self._show(Showing.FAILED, _why(error))
            if time.monotonic() - began_s > MOST_RETRY_S:
                wait_s = FIRST_RETRY_S
            self._ended.wait(wait_s)
            wait_s = min(2 * wait_s, MOST_RETRY_S)

    def _read(self) -> None:
        stream = self._opener(NETWORK_S)
        try:
            self._show(*_first_guess(stream))
            self._line.begin()
            for packet in stream.packets():
                if self._ended.is_set():
                    return
                self._hand_on(stream.coding, packet)
        finally:
            stream.close()
        raise Lost(f"{self.camera.safe_url}: the camera ended the stream")

    def _hand_on(self, coding: Coding, packet: Packet) -> None:
        at_s, reordered = self._line.place(packet, time.monotonic())
        if packet.key and not packet.corrupt:
            with self._changed:
                self._key = _Key(packet, coding, utc_now())
                self._changed.notify_all()
        if self.showing()[0] is not Showing.VIDEO:
            return
        if reordered:
            said = Said("its H.264 has B frames, which browsers do not play live", "b_frames")
            self._show(Showing.PICTURES, said)
            return
        with self._changed:
            takers = list(self._takers.values())
        if takers:
            made = relayed(coding, packet, at_s)
            for take in takers:
                take(made, packet.key)

    def _show(self, showing: Showing, why: Said | None) -> None:
        with self._changed:
            self._showing = showing, why
            self._changed.notify_all()


class _TimeLine:
    """The viewers' time-line: the stream's own, made continuous over its jumps and new connections."""

    def __init__(self) -> None:
        self._offset_s: float | None = None
        self._last_pts_s = self._last_at_s = self._last_now_s = 0.0

    def begin(self) -> None:
        """A new connection, whose clock has nothing to do with the one before."""
        self._offset_s = None

    def place(self, packet: Packet, now_s: float) -> tuple[float, bool]:
        """(where the packet stands, whether it comes out of order)."""
        step_s = packet.pts_s - self._last_pts_s
        reordered = False
        if self._offset_s is None or abs(step_s) > _JUMP_S or (step_s <= 0 and packet.key):
            passed_s = now_s - self._last_now_s if self._last_now_s else 0.0
            self._offset_s = self._last_at_s + max(_STEP_S, min(passed_s, 3600.0)) - packet.pts_s
        else:
            reordered = step_s < 0
        self._last_pts_s, self._last_now_s = packet.pts_s, now_s
        self._last_at_s = packet.pts_s + self._offset_s
        return self._last_at_s, reordered


def _first_guess(stream: Stream) -> tuple[Showing, Said | None]:
    codec = stream.coding.codec
    if codec == "h264":
        return Showing.VIDEO, None
    return Showing.PICTURES, Said(f"its codec is {codec}; browsers play H.264 live", "codec", codec=_named(codec))


def _named(codec: str) -> str:
    return {"hevc": "H.265", "mjpeg": "MJPEG"}.get(codec, codec)


def _why(error: SourceError) -> Said:
    return Said(str(error), error.kind, detail=str(error).partition(": ")[2] or str(error))


def _shot(frame: Frame) -> Shot:
    return Shot(encode_jpeg(frame.within(*LARGEST_PX), quality=80), frame.captured_at)


def is_new(shot: Shot, after: datetime | None) -> bool:
    """Whether the picture was taken after the one somebody has."""
    return after is None or shot.captured_at > after + timedelta(milliseconds=1)
