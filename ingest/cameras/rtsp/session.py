"""An RTSP session from our end (RFC 2326, §10): messages in, what to send and what happened out. No sockets, no clock.

OPTIONS, DESCRIBE, SETUP of the first H.264 or H.265 video, PLAY; then keep-alive, until one end has enough.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from ...errors import Lost, NotFound, NotVideo, SignInRefused, SourceError, without_credentials
from . import sdp, signin, transport
from .message import Headers, Interleaved, Message, Request, Response
from .sdp import Media
from .transport import Tcp as Tcp
from .transport import Udp as Udp

USER_AGENT = "gridhub"
DEFAULT_TIMEOUT_S = 60
MOST_KEEPALIVE_S = 30.0
MOST_PENDING = 8
"""Keep-alives that a camera may leave unanswered before the oldest is forgotten."""

_CODECS = ("h264", "hevc")
_KNOWN_METHODS = "OPTIONS, ANNOUNCE, GET_PARAMETER, SET_PARAMETER, REDIRECT, TEARDOWN"
_AGREED = frozenset(("OPTIONS", "ANNOUNCE", "GET_PARAMETER", "SET_PARAMETER", "PLAY_NOTIFY"))
_SESSION = re.compile(r"\s*([^;\s]{1,256})\s*(?:;.*?timeout\s*=\s*([0-9]{1,6}))?", re.IGNORECASE)
_UNSUPPORTED = (405, 501, 551)
_OVERLOADED = 453


@dataclass(frozen=True, slots=True)
class Send:
    """Bytes for the camera."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Redirected:
    """The camera wants us at another URL (without credentials); this session is over."""

    url: str


@dataclass(frozen=True, slots=True)
class Playing:
    """The stream comes. Channels are those of TCP; `server_ports` and `source` those of UDP, where the camera says."""

    media: Media
    rtp_channel: int
    rtcp_channel: int
    ssrc: int | None
    server_ports: tuple[int, int] | None
    source: str | None
    session_timeout_s: int


@dataclass(frozen=True, slots=True)
class Failed:
    """This session is over."""

    error: SourceError


@dataclass(frozen=True, slots=True)
class Odd:
    """The camera answers, but wants what this reader doesn't speak; `udp_only`: it only refuses TCP."""

    reason: str
    udp_only: bool = False


Event = Send | Redirected | Playing | Failed | Odd


@dataclass(slots=True)
class _Asked:
    """A request that waits for its answer. `tries`: how often it was sent with a sign-in."""

    method: str
    url: str
    fields: tuple[tuple[str, str], ...]
    then: Callable[[Response], list[Event]]
    cseq: int = 0
    tries: int = 0


class Session:
    """One life of a stream. Who signs in is told by `user` and `password` alone; `url` is sent without any."""

    def __init__(self, url: str, user: str | None, password: str | None, way: Tcp | Udp | None = None) -> None:
        self._url = sdp.without_user(url)
        self._shown = without_credentials(self._url)
        self._user, self._password = user, password or ""
        self._way = way or Tcp()
        self._cseq = 0
        self._pending: deque[_Asked] = deque()
        self._sign_in: signin.SignIn | None = None
        self._signed_in = False
        self._public = ""
        self._id = ""
        self._timeout_s = DEFAULT_TIMEOUT_S
        self._control_url = self._url
        self._granted = transport.parse("")
        self._over = False

    def begin(self) -> bytes:
        """The first request."""
        return self._send(_Asked("OPTIONS", self._url, (), self._options))

    def receive(self, message: Message) -> list[Event]:
        """What follows from a message. Nothing does once the session is over."""
        if self._over or isinstance(message, Interleaved):
            return []
        events = self._answered(message) if isinstance(message, Response) else self._requested(message)
        self._over = any(isinstance(event, Failed | Redirected | Odd) for event in events)
        return events

    def keepalive(self) -> bytes:
        """A request that keeps the session from timing out; to be sent every `keepalive_every_s`."""
        method = "GET_PARAMETER" if "GET_PARAMETER" in self._public else "OPTIONS"
        while len(self._pending) >= MOST_PENDING:
            self._pending.popleft()
        return self._send(_Asked(method, self._control_url, (), self._kept_alive))

    @property
    def keepalive_every_s(self) -> float:
        """Half the session's time-out, at most MOST_KEEPALIVE_S."""
        return min(MOST_KEEPALIVE_S, self._timeout_s / 2)

    def teardown(self) -> bytes:
        """The last request; its answer need not be waited for."""
        self._over = True
        return self._send(_Asked("TEARDOWN", self._control_url, (), lambda _: []))

    # Requests of ours.

    def _send(self, asked: _Asked) -> bytes:
        self._cseq += 1
        asked.cseq = self._cseq
        fields = [("CSeq", str(self._cseq)), ("User-Agent", USER_AGENT), *asked.fields]
        if self._id:
            fields.append(("Session", self._id))
        if self._sign_in:
            asked.tries += 1
            fields.append(("Authorization", self._sign_in.header(asked.method, asked.url)))
        self._pending.append(asked)
        return Request(asked.method, asked.url, Headers(fields)).encode()

    def _describe(self) -> list[Event]:
        asked = _Asked("DESCRIBE", self._url, (("Accept", "application/sdp"),), self._described)
        return [Send(self._send(asked))]

    def _set_up(self, media: Media) -> list[Event]:
        fields = (("Transport", self._way.asked),)
        asked = _Asked("SETUP", media.control_url, fields, lambda answer: self._ready(answer, media))
        return [Send(self._send(asked))]

    def _play(self, media: Media, url: str, ranged: bool = True) -> list[Event]:
        fields = (("Range", "npt=0.000-"),) if ranged else ()
        asked = _Asked("PLAY", url, fields, lambda answer: self._played(answer, media, url, ranged))
        return [Send(self._send(asked))]

    # Answers to them.

    def _answered(self, answer: Response) -> list[Event]:
        if not self._pending or answer.status < 200:
            return []
        asked = self._matching(answer.headers.get("CSeq"))
        if answer.status == 401:
            return self._sign_in_again(asked, answer)
        self._signed_in = self._signed_in or (self._sign_in is not None and answer.status < 300)
        return asked.then(answer)

    def _matching(self, cseq: str) -> _Asked:
        """The request that this answers. Order holds on TCP, so a missing or foreign number means the oldest."""
        ours = [asked for asked in self._pending if str(asked.cseq) == cseq.strip()]
        while ours and self._pending[0] is not ours[0]:
            self._pending.popleft()
        return self._pending.popleft()

    def _sign_in_again(self, asked: _Asked, answer: Response) -> list[Event]:
        """Once; and again where a nonce grew old, but never with what was refused: cameras lock accounts."""
        if self._user is None:
            return [Failed(SignInRefused(f"{self._shown}: asks for a user and a password (401)"))]
        asked_for = answer.headers.get_all("WWW-Authenticate")
        fresh = signin.choose(asked_for, self._user, self._password)
        if fresh is None:
            schemes = ", ".join(sorted({one.scheme for one in signin.parse(asked_for)})) or "none"
            return [Failed(SignInRefused(f"{self._shown}: offers no sign-in that we know ({schemes[:80]})"))]
        aged = fresh.stale or (self._signed_in and isinstance(fresh, signin.Digest))
        if asked.tries and not (aged and asked.tries < 3):
            return [Failed(SignInRefused(f"{self._shown}: refuses user or password (401)"))]
        self._sign_in = fresh
        return [Send(self._send(asked))]

    def _options(self, answer: Response) -> list[Event]:
        """Whatever a camera thinks of OPTIONS, it may still answer DESCRIBE."""
        self._public = ", ".join(answer.headers.get_all("Public")).upper()
        if 300 <= answer.status < 400 or answer.status == 403:
            return self._refused("OPTIONS", answer)
        return self._describe()

    def _described(self, answer: Response) -> list[Event]:
        if answer.status >= 300:
            return self._refused("DESCRIBE", answer)
        told = (answer.headers.get("Content-Base"), answer.headers.get("Content-Location"))
        description = sdp.parse(answer.body.decode("utf-8", "replace"), sdp.based(self._url, *told))
        self._control_url = description.control_url
        videos = [media for media in description.media if media.kind == "video"]
        known = [media for media in videos if media.codec in _CODECS]
        if not known:
            codecs = sorted({media.codec for media in videos if media.codec})
            if codecs:
                return [Odd(f"sends {', '.join(codecs)[:80]}, neither H.264 nor H.265")]
            return [Failed(NotVideo(f"{self._shown}: describes no video"))]
        readable = [media for media in known if not media.packetization]
        if not readable:
            return [Odd(f"sends {known[0].packetization}")]
        return self._set_up(min(readable, key=lambda media: media.direction == "inactive"))

    def _ready(self, answer: Response, media: Media) -> list[Event]:
        if answer.status >= 300:
            return self._not_set_up(answer)
        self._remember_session(answer)
        told = answer.headers.get("Transport")
        granted = self._granted = transport.parse(told)
        if granted.multicast:
            return [Odd("sends only multicast")]
        over_tcp = isinstance(self._way, Tcp)
        if told and granted.over_tcp != over_tcp:
            return [Odd(f"answers {'UDP to TCP' if over_tcp else 'TCP to UDP'}", udp_only=over_tcp)]
        return self._play(media, self._control_url)

    def _not_set_up(self, answer: Response) -> list[Event]:
        """What may mean the transport is told as such: 461 does, and some say it with 400, 406 or 501."""
        if answer.status == 461 or answer.status in (400, 406, 451, *_UNSUPPORTED):
            if isinstance(self._way, Tcp):
                return [Odd(f"answers only UDP ({answer.status})", udp_only=True)]
            return [Odd(f"refuses UDP too ({answer.status})")]
        return self._refused("SETUP", answer)

    def _played(self, answer: Response, media: Media, url: str, ranged: bool) -> list[Event]:
        if answer.status in (451, 457) and ranged:
            return self._play(media, url, ranged=False)
        if answer.status in (404, 459) and url != media.control_url:
            self._control_url = media.control_url
            return self._play(media, media.control_url, ranged)
        if answer.status >= 300:
            return self._refused("PLAY", answer)
        self._remember_session(answer)
        granted = self._granted
        asked = self._way.channels if isinstance(self._way, Tcp) else (0, 1)
        rtp, rtcp = granted.channels or asked
        ports, source = granted.server_ports, granted.source
        return [Playing(media, rtp, rtcp, granted.ssrc, ports, source, self._timeout_s)]

    def _kept_alive(self, answer: Response) -> list[Event]:
        if answer.status == 454:
            return self._refused("the keep-alive", answer)
        if answer.status in _UNSUPPORTED:
            self._public = ""
        return []

    def _remember_session(self, answer: Response) -> None:
        found = _SESSION.match(answer.headers.get("Session"))
        if found:
            self._id = found[1]
            if found[2]:
                self._timeout_s = int(found[2]) or DEFAULT_TIMEOUT_S

    def _refused(self, to: str, answer: Response) -> list[Event]:
        status = answer.status
        said = f"{self._shown}: answers {to} with {status} {answer.reason}".rstrip()
        if status in (401, 403):
            return [Failed(SignInRefused(said))]
        if 300 <= status < 400:
            return self._moved(answer.headers.get("Location"))
        if status in (404, 410):
            return [Failed(NotFound(said))]
        if status in (406, 415):
            return [Odd(f"answers {to} with {status}")]
        if status in (_OVERLOADED, 454) or status >= 500:
            return [Failed(Lost(said))]
        return [Failed(NotVideo(said))]

    def _moved(self, location: str) -> list[Event]:
        if re.match(r"rtsps?://", location, re.IGNORECASE):
            return [Redirected(sdp.without_user(location))]
        if location.startswith("/"):
            return [Redirected(sdp.based(self._url, location))]
        return [Failed(NotVideo(f"{self._shown}: sends us elsewhere without saying where"))]

    # Requests of the camera.

    def _requested(self, request: Request) -> list[Event]:
        if request.method == "TEARDOWN":
            return [_reply(request, 200, "OK"), Failed(Lost(f"{self._shown}: the camera ended the session"))]
        if request.method == "REDIRECT":
            return [_reply(request, 200, "OK"), *self._moved(request.headers.get("Location"))]
        if request.method not in _AGREED:
            return [_reply(request, 501, "Not Implemented")]
        return [_reply(request, 200, "OK", *((("Public", _KNOWN_METHODS),) if request.method == "OPTIONS" else ()))]


def _reply(request: Request, status: int, reason: str, *fields: tuple[str, str]) -> Send:
    told = [("CSeq", request.headers.get("CSeq")[:64]), ("Session", request.headers.get("Session")[:256])]
    headers = Headers([pair for pair in told if pair[1]] + list(fields))
    return Send(Response(status, reason, headers).encode())
