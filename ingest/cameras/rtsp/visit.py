"""`watch: patrol` over RTSP: connect, take the first keyframe that is fresh enough, leave. One handshake a look.

Servers with a cache send pictures of some seconds ago first, in a burst. So after the keyframe, reading goes on until
the stream advances at the pace of time: then the keyframe's age is known.
"""

from __future__ import annotations

import asyncio
import time
from asyncio import FIRST_COMPLETED
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from ...clock import utc_now
from ...device import Camera
from ...errors import Lost, Silent, SourceError, Stale
from ...frame import Frame
from ..source import Caught
from ..stream import PatrolStream
from .dial import NotSpoken
from .feed import Feed
from .feeds import ffmpeg_opener, open_feed
from .key import TakenKey
from .stay import AGAIN_S
from .wheel import running_wheel

CLOSED_SEEN_S = 1.0
_FFMPEG = ThreadPoolExecutor(8, thread_name_prefix="visit-ffmpeg")


class RtspPatrol:
    """See Visiting. `network_s`: how long a wait on the network may last."""

    def __init__(self, camera: Camera, network_s: float = 8.0) -> None:
        self.camera = camera
        self.via = ""
        self._shown = camera.safe_url
        self._network_s = network_s
        self._size = (0, 0)
        self._closed = False
        self._ffmpeg = PatrolStream(camera, ffmpeg_opener(camera), network_s)
        self._ffmpeg_until_s = 0.0

    def look(self, not_before: datetime, timeout_s: float) -> Frame:
        """See Source; a visit on a loop of this thread's own."""
        return asyncio.run(self.visit(not_before, timeout_s)).frame()

    async def visit(self, not_before: datetime, timeout_s: float) -> Caught:
        """See Visiting."""
        began_s = time.monotonic()
        ahead_s = (not_before - utc_now()).total_seconds()
        if ahead_s > timeout_s:
            raise Stale(f"{self.camera.safe_url}: the look is {ahead_s:.1f} s ahead")
        await self._sleep(ahead_s)
        left_s = max(0.1, timeout_s - (time.monotonic() - began_s))
        if time.monotonic() >= self._ffmpeg_until_s:
            try:
                return await self._visit(not_before, left_s)
            except NotSpoken as reason:
                self.via = f"FFmpeg: {reason}"
                self._ffmpeg_until_s = time.monotonic() + AGAIN_S
        loop = asyncio.get_running_loop()
        return _Seen(await loop.run_in_executor(_FFMPEG, self._ffmpeg.look, not_before, left_s))

    async def _visit(self, not_before: datetime, timeout_s: float) -> Caught:
        network_s = min(self._network_s, timeout_s)
        feed = await open_feed(self.camera.url, self._shown, lambda key: None, network_s)
        self.via = f"RTSP/{feed.transport} {feed.track.codec}"
        return await self._first_fresh(feed, not_before, timeout_s)

    async def _first_fresh(self, feed: Feed, not_before: datetime, timeout_s: float) -> Caught:
        """Woken by the drains, not by a clock of its own: thousands of visits cost what they read."""
        found: asyncio.Future[Caught] = asyncio.get_running_loop().create_future()

        def look() -> None:
            if not found.done() and (caught := self._fresh(feed, not_before)) is not None:
                found.set_result(caught)

        feed.on_drain = look
        feed.hasten()
        reading = asyncio.ensure_future(feed.run(running_wheel(), time.time))
        deadline_s = time.monotonic() + timeout_s
        try:
            while not found.done():
                left_s = deadline_s - time.monotonic()
                if self._closed:
                    raise Lost(f"{self.camera.safe_url}: closed")
                if left_s <= 0:
                    raise self._too_late(feed)
                both: list[asyncio.Future[Any]] = [found, reading]
                await asyncio.wait(both, timeout=min(left_s, CLOSED_SEEN_S), return_when=FIRST_COMPLETED)
                look()
                if reading.done() and not found.done():
                    reading.result()
            return found.result()
        finally:
            reading.cancel()
            await asyncio.wait([reading])

    def _fresh(self, feed: Feed, not_before: datetime) -> Caught | None:
        key = feed.collected.key
        if key is None or not feed.in_pace:
            return None
        taken = TakenKey(self.camera, self._shown, key, feed.clock, self._size)
        captured_at = taken.captured_at()
        return _Caught(self, taken, captured_at) if captured_at >= not_before else None

    def _too_late(self, feed: Feed) -> SourceError:
        if feed.collected.key is not None:
            return Stale(f"{self.camera.safe_url}: only keyframes older than the look came")
        return Silent(f"{self.camera.safe_url}: {feed.collected.packets} packets, but no keyframe in time")

    async def _sleep(self, seconds: float) -> None:
        until_s = time.monotonic() + seconds
        while (left_s := until_s - time.monotonic()) > 0:
            if self._closed:
                raise Lost(f"{self.camera.safe_url}: closed")
            await asyncio.sleep(min(left_s, 0.25))

    def learn_size(self, frame: Frame) -> None:
        """What to expect of the next picture."""
        self._size = frame.width, frame.height

    def close(self) -> None:
        """See Source."""
        self._closed = True
        self._ffmpeg.close()


class _Caught:
    """See Caught."""

    def __init__(self, patrol: RtspPatrol, taken: TakenKey, captured_at: datetime) -> None:
        self._patrol, self._taken = patrol, taken
        self.captured_at = captured_at

    def frame(self) -> Frame:
        """See Caught."""
        frame = self._taken.frame(self.captured_at)
        self._patrol.learn_size(frame)
        return frame


class _Seen:
    """See Caught; FFmpeg decoded it already."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self.captured_at = frame.captured_at

    def frame(self) -> Frame:
        """See Caught."""
        return self._frame
