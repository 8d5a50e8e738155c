"""Looking through a coded stream, whatever opened it: `StandingStream` stays connected, `PatrolStream` visits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ..clip import Kept, Ring, make_clip
from ..clock import utc_now
from ..device import Camera
from ..errors import Lost, Silent, SourceError, Stale
from ..frame import Frame
from ..media import DECODERS, Coding, Packet, Stream
from .arrival import ArrivalClock

Opener = Callable[[float], Stream]
"""Opens the stream; the argument is the time-out of each wait on the network, in seconds."""


@dataclass(frozen=True, slots=True)
class _Key:
    packet: Packet
    arrived_at: datetime
    coding: Coding


def _frame(camera: Camera, key: _Key, captured_at: datetime) -> Frame:
    image = DECODERS.decode(key.coding, key.packet, camera.safe_url)
    return Frame(camera.id, camera.preset, captured_at, image, key.coding.codec, len(key.packet.data))


class StandingStream:
    """`watch: stay`: packets are read, the newest keyframe is kept coded, nothing is decoded until a look is due.

    `network_s` bounds each wait on the network; `keyframe_s` is how long a stream may go without a keyframe; the ring
    for clips is bounded by `ring_s` seconds and `ring_bytes` bytes.
    """

    def __init__(
        self,
        camera: Camera,
        opener: Opener,
        network_s: float = 8.0,
        keyframe_s: float = 60.0,
        ring_s: float = 20.0,
        ring_bytes: int = 12_000_000,
    ) -> None:
        self.camera = camera
        self.via = "FFmpeg"
        self._opener = opener
        self._network_s = network_s
        self._keyframe_s = keyframe_s
        self._ring = Ring(ring_s, ring_bytes)
        self._clock = ArrivalClock()
        self._changed = threading.Condition()
        self._key: _Key | None = None
        self._coding = Coding("unknown")
        self._failure: SourceError | None = None
        self._packets = 0
        self._closed = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Open, read until it fails (SourceError) or `stop` is set. Never retries."""
        try:
            self._run(stop)
        except SourceError as error:
            with self._changed:
                self._failure = error
                self._changed.notify_all()
            raise

    def _run(self, stop: threading.Event) -> None:
        stream = self._opener(self._network_s)
        try:
            with self._changed:
                self._ring.clear()
                self._clock = ArrivalClock()
                self._key, self._failure, self._coding = None, None, stream.coding
                self.via = f"FFmpeg {stream.coding.codec}"
            self._read(stream, stop)
        finally:
            stream.close()
        if not (stop.is_set() or self._closed.is_set()):
            raise Lost(f"{self.camera.safe_url}: the camera ended the stream")

    def _read(self, stream: Stream, stop: threading.Event) -> None:
        last_key_s = time.monotonic()
        for packet in stream.packets():
            if stop.is_set() or self._closed.is_set():
                return
            if packet.key:
                last_key_s = time.monotonic()
            elif time.monotonic() - last_key_s > self._keyframe_s:
                raise Silent(f"{self.camera.safe_url}: packets, but no keyframe for {self._keyframe_s:.0f} s")
            self._take(packet, utc_now())

    def _take(self, packet: Packet, arrived_at: datetime) -> None:
        with self._changed:
            self._packets += 1
            self._clock.arrived(packet.dts_s, arrived_at)
            self._ring.push(packet, arrived_at)
            if packet.key:
                self._key = _Key(packet, arrived_at, self._coding)
                self._changed.notify_all()

    def ready(self, not_before: datetime) -> bool:
        """Whether a look would answer at once."""
        with self._changed:
            return self._failure is not None or self._taken_at_or_after(not_before) is not None

    def _taken_at_or_after(self, not_before: datetime) -> tuple[_Key, datetime] | None:
        if self._key is None:
            return None
        captured_at = self._clock.captured_at(self._key.packet.pts_s, self._key.arrived_at)
        return (self._key, captured_at) if captured_at >= not_before else None

    def look(self, not_before: datetime, timeout_s: float) -> Frame:
        """The newest keyframe, if taken at or after `not_before`; waits for the next one up to `timeout_s`.

        Raises what broke the connection, Stale where the newest keyframe is too old, Silent where there is none, and
        NotVideo where it is damaged.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._failure or self._closed.is_set() or self._taken_at_or_after(not_before), timeout_s
            )
            found = self._taken_at_or_after(not_before)
            if found is None:
                raise self._why_none(not_before, timeout_s)
            key, captured_at = found
        frame = _frame(self.camera, key, captured_at)
        self._learn_size(frame)
        return frame

    def _learn_size(self, frame: Frame) -> None:
        """A stream may open without saying its size; the first picture says it, and the clip's index needs it."""
        if (self._coding.width, self._coding.height) != (frame.width, frame.height):
            with self._changed:
                self._coding = replace(self._coding, width=frame.width, height=frame.height)

    def _why_none(self, not_before: datetime, timeout_s: float) -> SourceError:
        shown = self.camera.safe_url
        if self._closed.is_set():
            return Lost(f"{shown}: closed")
        if self._failure is not None:
            return type(self._failure)(str(self._failure))
        if self._key is not None:
            captured_at = self._clock.captured_at(self._key.packet.pts_s, self._key.arrived_at)
            late_s = (not_before - captured_at).total_seconds()
            waited = f"; waited {timeout_s:.1f} s" if timeout_s else ""
            return Stale(f"{shown}: the newest keyframe is {late_s:.1f} s older than the look{waited}")
        if self._packets:
            return Silent(f"{shown}: {self._packets} packets, but no keyframe within {timeout_s:.1f} s")
        return Silent(f"{shown}: no packet within {timeout_s:.1f} s")

    def clip(self, since: datetime, until: datetime) -> bytes | None:
        """MP4 of the ring's part of that time, from a keyframe on; None where nothing of it is held."""
        with self._changed:
            clock, coding = self._clock, self._coding

            def taken_at(kept: Kept) -> datetime:
                return clock.captured_at(kept.packet.dts_s, kept.arrived_at)

            packets = self._ring.cut(since, until, taken_at)
        if not packets:
            return None
        if not coding.width:
            key = _Key(packets[0], until, coding)
            frame = _frame(self.camera, key, until)
            coding = replace(coding, width=frame.width, height=frame.height)
        return make_clip(coding, packets)

    def close(self) -> None:
        """End `run` at its next packet, and every look that waits."""
        self._closed.set()
        with self._changed:
            self._changed.notify_all()


class PatrolStream:
    """`watch: patrol`: connect, take the first keyframe that is fresh enough, leave. One handshake a look.

    Servers with a cache send pictures of some seconds ago first, in a burst. So after the keyframe, reading goes on
    until packets come at the pace they were taken (one packet where there is no cache): then its age is known.
    """

    def __init__(self, camera: Camera, opener: Opener, network_s: float = 8.0, settle_s: float = 0.5) -> None:
        self.camera = camera
        self.via = "FFmpeg"
        self._opener = opener
        self._network_s = network_s
        self._settle_s = settle_s
        self._closed = threading.Event()

    def look(self, not_before: datetime, timeout_s: float) -> Frame:
        """One picture taken at or after `not_before`. Raises SourceError; Stale where only older ones came."""
        wait_s = (not_before - utc_now()).total_seconds()
        if wait_s > 0 and self._closed.wait(min(wait_s, timeout_s)):
            raise Lost(f"{self.camera.safe_url}: closed")
        deadline_s = time.monotonic() + timeout_s
        stream = self._opener(min(self._network_s, timeout_s))
        try:
            key, captured_at = self._visit(stream, not_before, deadline_s)
        finally:
            stream.close()
        return _frame(self.camera, key, captured_at)

    def _visit(self, stream: Stream, not_before: datetime, deadline_s: float) -> tuple[_Key, datetime]:
        clock, key, packets = ArrivalClock(), None, 0
        previous: tuple[Packet, datetime] | None = None
        settled_s = deadline_s
        for packet in stream.packets():
            packets += 1
            now = utc_now()
            clock.arrived(packet.dts_s, now)
            if packet.key:
                key = _Key(packet, now, stream.coding)
                settled_s = time.monotonic() + self._settle_s
            elif key and (_in_pace(previous, packet, now) or time.monotonic() > settled_s):
                captured_at = clock.captured_at(key.packet.pts_s, key.arrived_at)
                if captured_at >= not_before:
                    return key, captured_at
            previous = (packet, now)
            if self._closed.is_set():
                raise Lost(f"{self.camera.safe_url}: closed")
            if time.monotonic() > deadline_s:
                raise self._too_late(key, packets)
        if key is not None:
            # The stream ended right behind its keyframe: a peer that serves one picture.
            captured_at = clock.captured_at(key.packet.pts_s, key.arrived_at)
            if captured_at >= not_before:
                return key, captured_at
        raise Lost(f"{self.camera.safe_url}: the stream ended after {packets} packets, without a fresh keyframe")

    def _too_late(self, key: _Key | None, packets: int) -> SourceError:
        if key is None:
            return Silent(f"{self.camera.safe_url}: {packets} packets, but no keyframe in time")
        return Stale(f"{self.camera.safe_url}: only keyframes older than the look came")

    def close(self) -> None:
        """End a look under way at its next packet."""
        self._closed.set()


def _in_pace(previous: tuple[Packet, datetime] | None, packet: Packet, now: datetime) -> bool:
    """Whether this packet came no faster than it was taken (half the pace is pace: links jitter)."""
    if previous is None:
        return False
    taken_s = packet.dts_s - previous[0].dts_s
    return now - previous[1] >= timedelta(seconds=max(0.0, taken_s) / 2)
