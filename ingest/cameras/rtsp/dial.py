"""From a camera's URL to a stream that plays: connect, sign in, set up, play."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from urllib.parse import unquote, urlsplit, urlunsplit
from weakref import WeakKeyDictionary

from ...errors import NotVideo, Silent, SourceError, Unreachable, shown_url
from .errors import RtspError
from .message import Message, MessageReader
from .session import Failed, Odd, Playing, Redirected, Send, Session, Tcp, Udp
from .wire import Wire, connect

MOST_REDIRECTS = 3
SHORT_BODY_S = 1.5
"""How long the rest of a description may be missing before it counts as all there is."""
OPENING_AT_ONCE = 256
"""Connections of one loop that are being opened at the same time: two thousand at once would be a storm."""


class NotSpoken(Exception):
    """This camera needs FFmpeg; the text says why, in a few words. `udp_only`: it only refuses TCP."""

    def __init__(self, reason: str, udp_only: bool = False) -> None:
        super().__init__(reason)
        self.udp_only = udp_only


@dataclass(frozen=True, slots=True)
class Target:
    """Where a camera's stream is. The fragment `#insecure` accepts the camera's own certificate (rtsps)."""

    url: str
    host: str
    port: int
    user: str | None
    password: str | None
    tls: bool
    insecure: bool

    @classmethod
    def of(cls, url: str) -> Target:
        """Of a camera's URL; raises Unreachable where its port is no number or it has no host."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise Unreachable(f"{shown_url(url)}: its port is no number") from None
        if not parts.hostname:
            raise Unreachable(f"{shown_url(url)}: no host in it")
        tls = parts.scheme == "rtsps"
        bare = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, parts.query, ""))
        user = unquote(parts.username) if parts.username is not None else None
        password = unquote(parts.password) if parts.password is not None else None
        return cls(
            bare, parts.hostname, port or (322 if tls else 554), user, password, tls, parts.fragment == "insecure"
        )

    def moved(self, url: str) -> Target:
        """Where the camera sends us. Only to its own host: what a device announces is not to be trusted with more."""
        there = Target.of(url)
        if there.host != self.host:
            raise NotVideo(f"{self.url}: sends us to another host ({there.host}); put that address into the inventory")
        return Target(there.url, there.host, there.port, self.user, self.password, there.tls, self.insecure)


@dataclass(frozen=True, slots=True)
class Line:
    """An open connection with its session; `rest`: what came behind the last answer."""

    wire: Wire
    session: Session
    playing: Playing
    rest: bytes


async def dial(url: str, shown: str, network_s: float, transport: Callable[[Wire], Tcp | Udp] | None = None) -> Line:
    """Until the stream plays, each wait on the network bounded by `network_s`.

    Raises SourceError, or NotSpoken where FFmpeg should try. `transport` makes what SETUP asks for (TCP unless given).
    """
    target = Target.of(url)
    async with _openings():
        for _ in range(MOST_REDIRECTS + 1):
            wire = await _connect(target, shown, network_s)
            try:
                session = Session(target.url, target.user, target.password, transport(wire) if transport else Tcp())
                answer = await _talk(wire, session, shown, network_s)
            except BaseException:
                wire.close()
                raise
            if isinstance(answer, Line):
                return answer
            wire.close()
            target = target.moved(answer.url)
    raise NotVideo(f"{shown}: sends us from place to place")


async def _connect(target: Target, shown: str, network_s: float) -> Wire:
    try:
        async with asyncio.timeout(network_s):
            return await connect(target.host, target.port, shown, _tls(target.insecure) if target.tls else None)
    except TimeoutError:
        raise Unreachable(f"{shown}: no answer to the connection within {network_s:.0f} s") from None


async def _talk(wire: Wire, session: Session, shown: str, network_s: float) -> Line | Redirected:
    reader = MessageReader()
    wire.send(session.begin())
    try:
        while True:
            for message in await _hear(wire, reader, shown, network_s):
                for event in session.receive(message):
                    if isinstance(event, Playing):
                        return Line(wire, session, event, reader.rest())
                    if isinstance(event, Redirected):
                        return event
                    _obey(event, wire)
    except RtspError as error:
        raise NotVideo(f"{shown}: what came is no RTSP ({error})") from None


async def _hear(wire: Wire, reader: MessageReader, shown: str, network_s: float) -> Iterable[Message]:
    """Some messages; a body that never gets as long as it was said to be is taken as it stands."""
    began_s = time.monotonic()
    wait_s = min(network_s, SHORT_BODY_S) if reader.body_missing else network_s
    try:
        async with asyncio.timeout(wait_s):
            await wire.flush()
            reader.feed(await wire.receive())
    except TimeoutError:
        message = reader.as_it_stands()
        if message is None:
            waited_s = time.monotonic() - began_s
            raise Silent(f"{shown}: accepted the connection, then said nothing for {waited_s:.0f} s") from None
        return [message]
    return reader.messages()


def _obey(event: object, wire: Wire) -> None:
    if isinstance(event, Send):
        wire.send(event.data)
    elif isinstance(event, Failed):
        raise event.error
    elif isinstance(event, Odd):
        raise NotSpoken(event.reason, event.udp_only)


def hang_up(line: Line) -> None:
    """Say goodbye and let go."""
    with suppress(SourceError):
        line.wire.send(line.session.teardown())
    line.wire.close()


@cache
def _tls(insecure: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


_OPENINGS: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


def _openings() -> asyncio.Semaphore:
    loop = asyncio.get_running_loop()
    if loop not in _OPENINGS:
        _OPENINGS[loop] = asyncio.Semaphore(OPENING_AT_ONCE)
    return _OPENINGS[loop]
