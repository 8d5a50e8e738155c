"""A stream that plays: drained by the wheel, kept alive, and watched for what it owes. TCP here, UDP beside it."""

from __future__ import annotations

import asyncio
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from ...errors import Lost, NotVideo, Silent, SourceError
from .clock import RtpClock
from .collect import Key
from .dial import Line, NotSpoken, hang_up
from .doze import Doze
from .errors import RtspError
from .message import Message, parse_text
from .nal import Track
from .raw import RawRing
from .session import Failed, Redirected, Send
from .walk import Walker
from .wheel import READ_BYTES, Wheel
from .wire import drained_dry

HELPING_BYTES = 64 << 10
"""A TCP stream is drained when about this much has come: whatever the bit rate, it fits into the socket."""
LEAST_PAUSE_S, MOST_PAUSE_S = 0.04, 2.0
REMEMBERED_S = 4.0
"""Over about so long the bit rate is averaged: two groups of pictures."""
QUICK_PAUSE_S = 0.2
"""Between drains of a stream that somebody waits for."""
SLOW_PAUSE_S = 0.8
"""Between drains while it is not known how much comes."""
LATE_S = 0.1
"""A drain may be so late for the end of a doze; Doze counts on it."""
WATCH_EVERY_S = 0.8
KEEPALIVE_SOON, KEEPALIVE_LATE = 0.8, 1.2
"""Of the time between keep-alives: their answers must be walked, so they are best asked for just before that is done
for a look; a stream that dozes is asked a little late rather than walked for it.
"""
KEYLESS_S = 30.0
"""A stream that never showed a keyframe for so long has pictures of another kind (intra refresh): FFmpeg may know."""


class Collected(Protocol):
    """What both transports know of the pictures that came."""

    @property
    def key(self) -> Key | None:
        """The newest whole keyframe."""

    @property
    def newest_time(self) -> int | None:
        """RTP time of the newest packet."""

    @property
    def packets(self) -> int:
        """Of the video."""

    @property
    def lost(self) -> int:
        """Keyframes refused for a hole in them."""

    @property
    def report(self) -> tuple[float, int, float] | None:
        """The camera's clock: UTC seconds, RTP time, when it arrived."""


class Feed(ABC):
    """Runs on the wheel until it fails.

    `on_key` gets each new keyframe; `on_drain` is called after each drain that brought something once a keyframe is
    there. `raw` keeps the bytes of the last seconds, for clips. `network_s`: how long nothing may come; `keyframe_s`:
    how long no keyframe may come.
    """

    transport = ""

    def __init__(
        self, line: Line, shown: str, on_key: Callable[[Key], None], network_s: float = 8.0, keyframe_s: float = 60.0
    ) -> None:
        self._line, self._shown, self._on_key = line, shown, on_key
        self._network_s, self._keyframe_s = network_s, keyframe_s
        # A pause may hide only a part of what is timed.
        self._most_pause_s = min(MOST_PAUSE_S, min(network_s, keyframe_s, line.session.keepalive_every_s) / 4)
        self.pause_s = min(SLOW_PAUSE_S, self._most_pause_s)
        media = line.playing.media
        self.track = Track(media.codec, media.payload_type, media.clock_hz, media.parameter_sets)
        self.clock = RtpClock(media.clock_hz)
        self.channels = line.playing.rtp_channel, line.playing.rtcp_channel
        self.raw: RawRing | None = None
        self.on_drain: Callable[[], None] | None = None
        self.newest: tuple[int, float] | None = None
        """The RTP time that the pictures have reached, and when that was seen."""
        self.in_pace = False
        """Whether the stream advances at the pace of time, so that its clock can be trusted."""
        self.doze = Doze()
        """Set by who looks, on time.monotonic(); a transport may heed it."""
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._wheel: Wheel | None = None
        self._quick = False
        self._key: Key | None = None
        self._packets = 0
        self._asked = False
        """Whether an answer may be on its way."""
        self._keepalive_share = 1.0
        """Of `keepalive_every_s`; a transport may say when it suits."""
        self._began_s = self._heard_s = self._key_s = self._alive_s = self._watched_s = 0.0

    @property
    @abstractmethod
    def collected(self) -> Collected:
        """The pictures so far."""

    @abstractmethod
    def begin(self, wheel: Wheel, now_s: float) -> None:
        """Take what came behind the last answer."""

    @abstractmethod
    def drain(self, now_s: float) -> None:
        """See Drained."""

    def close(self) -> None:
        """Say goodbye and let go; `run` does so in the end."""
        hang_up(self._line)
        if self.raw is not None:
            self.raw.clear()

    async def run(self, wheel: Wheel, now_s: Callable[[], float]) -> None:
        """Until it fails; raises SourceError, or NotSpoken where FFmpeg should try."""
        began_s = now_s()
        self._began_s = self._heard_s = self._key_s = self._alive_s = began_s
        self.begin(wheel, began_s)
        self._wheel = wheel
        wheel.add(self)
        try:
            await self._ended
        finally:
            wheel.remove(self)
            self.close()

    def hasten(self) -> None:
        """Somebody waits for the next picture: pause little."""
        self._quick, self.pause_s = True, QUICK_PAUSE_S

    def now(self) -> None:
        """Take at once what has come."""
        if self._wheel is not None:
            self._wheel.now(self)

    # What drains report.

    def took(self, now_s: float) -> None:
        """Packets were walked."""
        collected = self.collected
        time, key = collected.newest_time, collected.key
        if time is not None and (self.newest is None or self.newest[0] != time):
            self._advanced(time, now_s)
        if key is not self._key and key is not None:
            self._key, self._key_s = key, now_s
            if collected.report is not None:
                self.clock.reported(collected.report[0], collected.report[1])
            self.doze.key(key.number, self.clock.seconds(key.rtp_time), self.clock.taken_s(key.rtp_time, key.arrived_s))
            self._on_key(key)
        if self.on_drain is not None and self._key is not None:
            self.on_drain()

    def _advanced(self, time: int, now_s: float) -> None:
        if self.newest is not None and not self.in_pace:
            gone_s = self.clock.seconds(time) - self.clock.seconds(self.newest[0])
            self.in_pace = 0 < gone_s <= 2 * (now_s - self.newest[1])
        self.newest = time, now_s
        self.clock.heard(time, now_s)

    def answer(self, text: bytes) -> None:
        """RTSP behind PLAY: answers to keep-alives, and what the camera asks."""
        with suppress(RtspError):
            if (found := parse_text(text, 0, len(text))) is not None:
                self.heard(found[0])

    def heard(self, message: Message) -> None:
        """The same, taken apart."""
        for event in self._line.session.receive(message):
            if isinstance(event, Send):
                self.send(event.data)
            elif isinstance(event, Failed):
                self.fail(event.error)
            elif isinstance(event, Redirected):
                self.fail(Lost(f"{self._shown}: the camera asks to connect anew"))

    def send(self, data: bytes) -> None:
        """To the camera."""
        try:
            self._line.wire.send(data)
        except SourceError as error:
            self.fail(error)

    def fail(self, error: Exception) -> None:
        """End it; the first reason counts."""
        if not self._ended.done():
            self._ended.set_exception(error)

    @property
    def failed(self) -> bool:
        """Whether it has ended."""
        return self._ended.done()

    # What the wheel asks behind each drain.

    def watch(self, now_s: float) -> None:
        """See Drained."""
        rests = 0 <= now_s - self._watched_s < min(WATCH_EVERY_S, self._most_pause_s)
        # The last drain of a doze is the time for a keep-alive, however lately it was watched.
        if (rests and self._keepalive_share != KEEPALIVE_SOON) or self._ended.done():
            return
        if now_s < self._watched_s:
            # The clock was set back: what is timed begins anew, and the camera hears of us at once.
            self._began_s = self._heard_s = self._key_s = now_s
            self._alive_s = -math.inf
        self._watched_s = now_s
        if self.collected.packets != self._packets:
            self._packets, self._heard_s = self.collected.packets, now_s
        if now_s - self._heard_s > self._network_s:
            self.fail(Silent(f"{self._shown}: nothing came for {now_s - self._heard_s:.0f} s"))
        elif self._key is None and now_s - self._began_s > min(KEYLESS_S, self._keyframe_s):
            self.fail(self._keyless())
        elif now_s - self._key_s > self._keyframe_s:
            self.fail(Silent(f"{self._shown}: packets, but no keyframe for {self._keyframe_s:.0f} s"))
        elif now_s - self._alive_s > self._keepalive_share * self._line.session.keepalive_every_s:
            self._alive_s, self._asked = now_s, True
            self.send(self._line.session.keepalive())

    def _keyless(self) -> Exception:
        if self.collected.lost:
            return NotVideo(f"{self._shown}: {self.collected.lost} keyframes came with holes, none whole")
        return NotSpoken(f"no {self.track.codec} keyframe in {KEYLESS_S:.0f} s")


class TcpFeed(Feed):
    """Pictures interleaved with RTSP on one connection (RFC 2326 §10.12)."""

    transport = "TCP"

    def __init__(
        self, line: Line, shown: str, on_key: Callable[[Key], None], network_s: float = 8.0, keyframe_s: float = 60.0
    ) -> None:
        super().__init__(line, shown, on_key, network_s, keyframe_s)
        self.walker = Walker(self.track, *self.channels)
        self._buffer, self._view, self._address = bytearray(), memoryview(b""), 0
        self._rest = b""
        self._rate = 0.0
        """Bytes a second."""
        self._read_s = 0.0
        self._passed_s: float | None = None
        """Up to when what came was passed over; the walker and the doze hear of it when there is something to walk."""

    @property
    def collected(self) -> Collected:
        """See Feed."""
        return self.walker

    def begin(self, wheel: Wheel, now_s: float) -> None:
        """See Feed."""
        # One buffer a wheel: what a drain leaves unwalked is kept here.
        self._buffer, self._view, self._address = wheel.buffer, wheel.view, wheel.address
        self._read_s = now_s
        rest = self._line.rest
        self._buffer[: len(rest)] = rest
        self._walk(len(rest), now_s)

    def drain(self, now_s: float) -> None:
        """See Drained."""
        # The wheel turns in steps: what it drains shortly after the end of a doze came within it.
        dozes_s = self.doze.until_s + LATE_S - time.monotonic() if self.doze.until_s else 0.0
        dozes = dozes_s > 0 and not self._asked and self.walker.at_rest
        came = self._pass_over(now_s) if dozes else self._read(now_s)
        self._keepalive_share = (KEEPALIVE_LATE if dozes_s > LATE_S else KEEPALIVE_SOON) if dozes else 1.0
        pause_s = self._pause_s(came, now_s)
        self.pause_s = max(LEAST_PAUSE_S, min(pause_s, dozes_s - LATE_S)) if dozes_s > LATE_S else pause_s

    def _read(self, now_s: float) -> int:
        """Take what has come; returns how many bytes."""
        came = 0
        self._asked = False
        if self._passed_s is not None:
            self.walker.missed(self._passed_s)
            self.doze.passed_over(self._passed_s)
            self._passed_s = None
        while not self._ended.done():
            rest = self._rest
            kept = len(rest)
            if kept:
                self._buffer[:kept] = rest
            got = self._got(self._line.wire.read, kept)
            if not got:
                break
            came += got
            self._walk(kept + got, now_s)
            if kept + got < READ_BYTES and not self._line.wire.in_records:
                break
        return came

    def _pass_over(self, now_s: float) -> int:
        """The same, but nobody wants to know what it is: it is dropped, or kept for clips as it came."""
        came = 0
        if self.raw is not None and self._rest:
            self.raw.push(self._rest, now_s)
        self._rest = b""
        while not self._ended.done():
            if self.raw is None:
                got = self._got(self._line.wire.throw_away)
            elif got := self._got(self._line.wire.read, 0):
                self.raw.push(bytes(self._view[:got]), now_s)
            came += got
            if not got or (got < READ_BYTES and not self._line.wire.in_records):
                break
        self._passed_s = now_s
        if came:
            self._heard_s = self._key_s = now_s
        return came

    def _got(self, receive: Callable[..., int], *start: int) -> int:
        """One read; 0 where there is nothing, or no more at all."""
        try:
            got = receive(self._view, self._address, *start)
        except OSError as error:
            if not drained_dry(error):
                self.fail(Lost(f"{self._shown}: the connection broke ({error.strerror or error})"))
            return 0
        if not got:
            self.fail(Lost(f"{self._shown}: the camera ended the stream"))
        return got

    def _pause_s(self, came: int, now_s: float) -> float:
        """Until about a helping has come, by what came lately."""
        span_s, self._read_s = now_s - self._read_s, now_s
        if came and span_s > LEAST_PAUSE_S / 2:
            share = min(1.0, span_s / REMEMBERED_S) if self._rate else 1.0
            self._rate += share * (came / span_s - self._rate)
        if self._quick:
            return QUICK_PAUSE_S
        known = came and self._key is not None
        pause_s = HELPING_BYTES / max(self._rate, 1.0) if known else SLOW_PAUSE_S
        return max(LEAST_PAUSE_S, min(self._most_pause_s, pause_s))

    def _walk(self, end: int, now_s: float) -> None:
        used = self.walker.walk(self._buffer, end, now_s)
        self._rest = bytes(self._view[used:end])
        if self.raw is not None and used:
            self.raw.push(bytes(self._view[:used]), now_s)
        self.took(now_s)
        if self.walker.bye:
            self.fail(Lost(f"{self._shown}: the camera ended the stream"))
        if self.walker.texts:
            texts, self.walker.texts = self.walker.texts, []
            for text in texts:
                self.answer(text)
