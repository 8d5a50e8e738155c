"""`watch: stay` over RTSP: the connection stays open on the reading loop, the newest keyframe is kept coded.

What this reader does not speak goes to FFmpeg, for that camera only, in a thread of its own; `via` says so and why.
"""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import datetime

from ...clip import make_clip
from ...device import Camera
from ...errors import SourceError
from ...frame import Frame
from ...media import DECODERS, Coding, Packet
from ..newest_key import NewestKey
from ..stream import StandingStream
from .clock import RtpClock
from .collect import Key
from .dial import NotSpoken
from .feed import Feed
from .feeds import ffmpeg_opener, open_feed
from .key import TakenKey
from .raw import Budget, Picture, RawRing, pictures
from .wheel import running_wheel

PREROLL = Budget(256 << 20)
"""What all cameras of the process may keep for clips; `preroll_mb` of the worker's settings."""
MOST_RING_BYTES = 32 << 20
RING_MORE_S = 4.0
"""A clip begins at a keyframe: so much more than the pre-roll is kept."""
AGAIN_S = 3600.0
"""How long a camera that needs FFmpeg stays with it before this reader is tried again."""


class RtspStay:
    """See Hosted. `network_s`: how long nothing may come; `keyframe_s`: how long no keyframe may come."""

    def __init__(self, camera: Camera, network_s: float = 8.0, keyframe_s: float = 60.0) -> None:
        self.camera = camera
        self.via = ""
        self._shown = camera.safe_url
        self._network_s, self._keyframe_s = network_s, keyframe_s
        self._feed: Feed | None = None
        self._newest: NewestKey[TakenKey] = NewestKey(self._shown, self._packets)
        self._size = (0, 0)
        self._ffmpeg: StandingStream | None = None
        self._ffmpeg_until_s = 0.0

    # On the reading loop.

    async def stay(self) -> None:
        """See Hosted."""
        try:
            if time.monotonic() >= self._ffmpeg_until_s:
                await self._read()
            await self._by_ffmpeg()
        except SourceError as error:
            self._newest.failed(error)
            raise

    async def _read(self) -> None:
        """Until it fails; returns only where FFmpeg should try."""
        self._ffmpeg = None
        try:
            network_s = self._network_s
            feed = await open_feed(self.camera.url, self._shown, self._on_key, network_s, self._keyframe_s)
            self._open(feed)
            await feed.run(running_wheel(), time.time)
        except NotSpoken as reason:
            self.via = f"FFmpeg: {reason}"
            self._ffmpeg_until_s = time.monotonic() + AGAIN_S

    def _open(self, feed: Feed) -> None:
        if self.camera.preroll_s > 0:
            feed.raw = RawRing(self.camera.preroll_s + RING_MORE_S, MOST_RING_BYTES, PREROLL)
        self._feed = feed
        self._newest.opened()
        self.via = f"RTSP/{feed.transport} {feed.track.codec}"

    def _on_key(self, key: Key) -> None:
        assert self._feed is not None
        self._newest.put(TakenKey(self.camera, self._shown, key, self._feed.clock, self._size))

    def refresh(self) -> None:
        """See Hosted."""
        if self._ffmpeg is None and self._feed is not None:
            self._feed.doze.wake()
            self._feed.now()

    async def _by_ffmpeg(self) -> None:
        loop = asyncio.get_running_loop()
        reason, stop, ended = self.via, threading.Event(), loop.create_future()
        stream = StandingStream(self.camera, ffmpeg_opener(self.camera), self._network_s, self._keyframe_s)
        self._ffmpeg = stream

        def run() -> None:
            failure: SourceError | None = None
            try:
                stream.run(stop)
            except SourceError as error:
                failure = error
            if not loop.is_closed():
                loop.call_soon_threadsafe(_end, ended, failure)

        threading.Thread(target=run, name=f"stay-{self.camera.id}", daemon=True).start()
        try:
            await ended
        finally:
            stop.set()
            stream.close()
            self.via = reason

    # From any thread.

    def doze(self, for_s: float) -> float:
        """See Hosted."""
        feed = self._feed
        if feed is None:
            return for_s
        wall_s = time.time()
        best_s = feed.doze.best(for_s, wall_s)
        feed.doze.until(best_s, time.monotonic(), wall_s)
        return best_s

    @property
    def clock_off_s(self) -> float | None:
        """The camera's own clock minus ours, where it tells it."""
        feed = self._feed
        if feed is None or feed.newest is None:
            return None
        return feed.clock.camera_off_s(*feed.newest)

    def _packets(self) -> int:
        return self._feed.collected.packets if self._feed is not None else 0

    def ready(self, not_before: datetime) -> bool:
        """See Connected."""
        return (self._ffmpeg or self._newest).ready(not_before)

    def look(self, not_before: datetime, timeout_s: float) -> Frame:
        """See Source."""
        if self._ffmpeg is not None:
            return self._ffmpeg.look(not_before, timeout_s)
        taken = self._newest.look(not_before, timeout_s)
        frame = taken.frame(taken.captured_at())
        taken.key.let_go()
        self._size = frame.width, frame.height
        return frame

    def clip(self, since: datetime, until: datetime) -> bytes | None:
        """See Clipping."""
        if self._ffmpeg is not None:
            return self._ffmpeg.clip(since, until)
        feed = self._feed
        if feed is None or feed.raw is None:
            return None
        held = pictures(feed.raw.chunks(), feed.track, feed.channels)
        cut = _cut(held, since.timestamp(), until.timestamp(), feed.clock)
        if not cut:
            return None
        if not self._size[0]:
            key = Packet(cut[0].data, 0.0, 0.0, 0.0, True)
            first = DECODERS.decode(Coding(feed.track.codec), key, self.camera.safe_url)
            self._size = first.width, first.height
        packets = [Packet(p.data, p.pts_s, p.dts_s, p.duration_s, p.key) for p in cut]
        return make_clip(Coding(feed.track.codec, b"", *self._size), packets)

    def close(self) -> None:
        """See Source."""
        self._newest.close()
        if self._ffmpeg is not None:
            self._ffmpeg.close()


def _cut(held: list[Picture], since_s: float, until_s: float, clock: RtpClock) -> list[Picture]:
    """From the last keyframe taken at or before `since_s` (else the first held) up to `until_s`."""
    cut: list[Picture] = []
    for picture in held:
        taken_s = clock.taken_s(picture.rtp_time, picture.arrived_s)
        if taken_s > until_s:
            break
        if picture.key and taken_s <= since_s:
            cut.clear()
        cut.append(picture)
    return cut


def _end(ended: asyncio.Future[None], failure: SourceError | None) -> None:
    if ended.done():
        return
    if failure is None:
        ended.set_result(None)
    else:
        ended.set_exception(failure)
