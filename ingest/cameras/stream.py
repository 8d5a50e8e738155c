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
from .newest_key import NewestKey

Opener = Callable[[float], Stream]
"""Opens the stream; the argument is the time-out of each wait on the network, in seconds."""


@dataclass(frozen=True, slots=True)
class _Key:
    packet: Packet
    arrived_at: datetime
    coding: Coding
    clock: ArrivalClock
    spent: bool = False
    """It is kept for clips as well."""

    def captured_at(self) -> datetime:
        """As well as the stream's clock is known by now."""
        return self.clock.captured_at(self.packet.pts_s, self.arrived_at)

    def frame(self, camera: Camera, captured_at: datetime) -> Frame:
        """The picture; raises NotVideo."""
        image = DECODERS.decode(self.coding, self.packet, camera.safe_url)
        return Frame(camera.id, camera.preset, captured_at, image, self.coding.codec, len(self.packet.data))


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
        ring_s: float | None = None,
        ring_bytes: int = 12_000_000,
    ) -> None:
        self.camera = camera
        self.via = "FFmpeg"
        self._opener = opener
        self._network_s = network_s
        self._keyframe_s = keyframe_s
        self._ring = Ring(camera.preroll_s if ring_s is None else ring_s, ring_bytes)
        self._clock = ArrivalClock()
        self._lock = threading.Lock()
        self._newest: NewestKey[_Key] = NewestKey(camera.safe_url, lambda: self._packets)
        self._coding = Coding("unknown")
        self._packets = 0

    def run(self, stop: threading.Event) -> None:
        """Open, read until it fails (SourceError) or `stop` is set. Never retries."""
        try:
            self._run(stop)
        except SourceError as error:
            self._newest.failed(error)
            raise
        except Exception as error:
            # A thread that ends with anything else would end the whole worker, or leave its camera without a word.
            failure = SourceError(f"{self.camera.safe_url}: {type(error).__name__}: {error}")
            self._newest.failed(failure)
            raise failure from error

    def _run(self, stop: threading.Event) -> None:
        stream = self._opener(self._network_s)
        try:
            with self._lock:
                self._ring.clear()
                self._clock = ArrivalClock()
                self._coding = stream.coding
            self._newest.opened()
            self.via = f"FFmpeg {stream.coding.codec}"
            self._read(stream, stop)
        finally:
            stream.close()
        if not (stop.is_set() or self._newest.closed):
            raise Lost(f"{self.camera.safe_url}: the camera ended the stream")

    def _read(self, stream: Stream, stop: threading.Event) -> None:
        last_key_s = time.monotonic()
        for packet in stream.packets():
            if stop.is_set() or self._newest.closed:
                return
            if packet.key:
                last_key_s = time.monotonic()
            elif time.monotonic() - last_key_s > self._keyframe_s:
                raise Silent(f"{self.camera.safe_url}: packets, but no keyframe for {self._keyframe_s:.0f} s")
            self._take(packet, utc_now())

    def _take(self, packet: Packet, arrived_at: datetime) -> None:
        self._packets += 1
        with self._lock:
            self._clock.arrived(packet.dts_s, arrived_at)
            self._ring.push(packet, arrived_at)
        if packet.key:
            self._newest.put(_Key(packet, arrived_at, self._coding, self._clock))

    def ready(self, not_before: datetime) -> bool:
        """Whether a look would answer at once."""
        return self._newest.ready(not_before)

    def look(self, not_before: datetime, timeout_s: float) -> Frame:
        """The newest keyframe, if taken at or after `not_before`; waits for the next one up to `timeout_s`.

        Raises what broke the connection, Stale where the newest keyframe is too old, Silent where there is none, and
        NotVideo where it is damaged.
        """
        key = self._newest.look(not_before, timeout_s)
        frame = key.frame(self.camera, key.captured_at())
        self._learn_size(frame)
        return frame

    def _learn_size(self, frame: Frame) -> None:
        """A stream may open without saying its size; the first picture says it, and the clip's index needs it."""
        if (self._coding.width, self._coding.height) != (frame.width, frame.height):
            with self._lock:
                self._coding = replace(self._coding, width=frame.width, height=frame.height)

    def clip(self, since: datetime, until: datetime) -> bytes | None:
        """MP4 of the ring's part of that time, from a keyframe on; None where nothing of it is held."""
        with self._lock:
            clock, coding = self._clock, self._coding

            def taken_at(kept: Kept) -> datetime:
                return clock.captured_at(kept.packet.dts_s, kept.arrived_at)

            packets = self._ring.cut(since, until, taken_at)
        if not packets:
            return None
        if not coding.width:
            frame = _Key(packets[0], until, coding, clock).frame(self.camera, until)
            coding = replace(coding, width=frame.width, height=frame.height)
        return make_clip(coding, packets)

    def close(self) -> None:
        """End `run` at its next packet, and every look that waits."""
        self._newest.close()


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
        return key.frame(self.camera, captured_at)

    def _visit(self, stream: Stream, not_before: datetime, deadline_s: float) -> tuple[_Key, datetime]:
        clock, key, packets = ArrivalClock(), None, 0
        previous: tuple[Packet, datetime] | None = None
        settled_s = deadline_s
        for packet in stream.packets():
            packets += 1
            now = utc_now()
            clock.arrived(packet.dts_s, now)
            if packet.key:
                key = _Key(packet, now, stream.coding, clock)
                settled_s = time.monotonic() + self._settle_s
            elif key and (_in_pace(previous, packet, now) or time.monotonic() > settled_s):
                captured_at = key.captured_at()
                if captured_at >= not_before:
                    return key, captured_at
            previous = (packet, now)
            if self._closed.is_set():
                raise Lost(f"{self.camera.safe_url}: closed")
            if time.monotonic() > deadline_s:
                raise self._too_late(key, packets)
        if key is not None:
            # The stream ended right behind its keyframe: a peer that serves one picture.
            captured_at = key.captured_at()
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
