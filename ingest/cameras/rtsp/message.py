"""RTSP messages (RFC 2326 §4-7, §10.12): bytes in, answers, requests and interleaved packets out.

Tolerant where cameras are careless: bare line feeds, folded fields, missing reason phrases, a Content-Length that
counts too few or announces a body that never comes. Strict where it must be bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .errors import RtspError

MOST_HEADER_BYTES = 16384
MOST_BODY_BYTES = 65536
MOST_RUBBISH_BYTES = 65536
"""Skipped between two messages of one connection before it is given up."""

_DOLLAR = 0x24
_FRAME_HEAD_BYTES = 4
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_STATUS_LINE = re.compile(r"RTSP/\d\.\d +(\d{3})(?: +(.*)|)")
_REQUEST_LINE = re.compile(r"([A-Z_]{3,20}) +(\S+) +RTSP/\d\.\d")
_MESSAGE_BEGINS = re.compile(rb"RTSP/\d\.\d|[A-Z_]{3,20} +\S{1,2048} +RTSP/\d\.\d")
_MAY_BEGIN = re.compile(rb"R(?:T(?:S(?:P(?:/.*)?)?)?)?|[A-Z_]{1,20}(?: .*)?", re.DOTALL)
_NEXT = re.compile(rb"RTSP/\d\.\d +\d{3}|(?<=\n)[A-Z_]{3,20} +(?:rtsps?:|\*)|\$[\x00-\x1f][\x00-\xff]{2}[\x80-\xbf]")
_NEXT_BEGUN = re.compile(rb"(?:R|RT|RTS|RTSP|RTSP/\d?\.?\d? *\d{0,2}|\$[\x00-\x1f]?[\x00-\xff]{0,2})\Z")
_NEXT_BYTES = 32
"""The longest start of a message that `_NEXT` must see to know it."""
_FIELD_NAME = re.compile(r"[!-9;-~]+")


class Headers:
    """Fields of a message in their order; names are compared without case, and may come more than once."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self.pairs = list(pairs)

    def get(self, name: str, default: str = "") -> str:
        """The first value."""
        return next((value for known, value in self.pairs if known.lower() == name.lower()), default)

    def get_all(self, name: str) -> list[str]:
        """Every value."""
        return [value for known, value in self.pairs if known.lower() == name.lower()]

    def encode(self) -> bytes:
        """As lines."""
        return "".join(f"{name}: {value}\r\n" for name, value in self.pairs).encode()

    def __repr__(self) -> str:
        # Never the values: an Authorization field may be among them.
        return f"Headers({', '.join(name for name, _ in self.pairs)})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self.pairs == other.pairs

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Request:
    """Ours to the camera, or the camera's to us."""

    method: str
    url: str
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""

    def encode(self) -> bytes:
        """As bytes; Content-Length is added where there is a body."""
        return _encoded(f"{self.method} {self.url} RTSP/1.0", self.headers, self.body)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer."""

    status: int
    reason: str
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""

    def encode(self) -> bytes:
        """As bytes; Content-Length is added where there is a body."""
        return _encoded(f"RTSP/1.0 {self.status} {self.reason}", self.headers, self.body)


@dataclass(frozen=True, slots=True)
class Interleaved:
    """A packet between the messages."""

    channel: int
    payload: bytes


Text = Request | Response
Message = Text | Interleaved


class MessageReader:
    """`feed` what came, then take the `messages`. Raises RtspError where the other end speaks no RTSP."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._spoken = False
        self._rubbish = 0

    def feed(self, data: bytes) -> None:
        """What the connection brought."""
        self._buffer += data

    def messages(self) -> Iterator[Message]:
        """Those that are whole; each is taken out of the buffer before it is given."""
        while (message := self._next()) is not None:
            self._spoken = True
            yield message

    def rest(self) -> bytes:
        """What came behind the last message given."""
        return bytes(self._buffer)

    @property
    def body_missing(self) -> bool:
        """Whether only the body of the next message, or a part of it, has not come."""
        whole_head = _HEADER_END.search(self._buffer, 0, MOST_HEADER_BYTES)
        return bool(whole_head and _MESSAGE_BEGINS.match(self._buffer))

    def as_it_stands(self) -> Text | None:
        """The next message with as much of its body as came; for when no more will. None where its head isn't whole."""
        found = parse_text(self._buffer, 0, len(self._buffer))
        if found is None:
            return None
        del self._buffer[: found[1]]
        return found[0]

    def _next(self) -> Message | None:
        while self._buffer:
            if self._buffer[0] == _DOLLAR:
                return self._frame()
            if _MESSAGE_BEGINS.match(self._buffer):
                return self._text()
            if self._buffer[0] in b"\r\n":
                del self._buffer[:1]
            elif not self._skip():
                return None
        return None

    def _frame(self) -> Interleaved | None:
        buffer = self._buffer
        after = _FRAME_HEAD_BYTES + int.from_bytes(buffer[2:4], "big")
        if len(buffer) < _FRAME_HEAD_BYTES or len(buffer) < after:
            return None
        frame = Interleaved(buffer[1], bytes(buffer[_FRAME_HEAD_BYTES:after]))
        del buffer[:after]
        return frame

    def _text(self) -> Text | None:
        buffer = self._buffer
        end = _HEADER_END.search(buffer, 0, MOST_HEADER_BYTES)
        if not end:
            if len(buffer) >= MOST_HEADER_BYTES:
                raise RtspError(f"a header of more than {MOST_HEADER_BYTES} bytes")
            return None
        message = _parsed_head(bytes(buffer[: end.start()]))
        after = _body_end(buffer, end.end(), message.headers)
        if after is None:
            return None
        body = bytes(buffer[end.end() : after])
        del buffer[:after]
        return _with_body(message, body)

    def _skip(self) -> bool:
        """Drop what is no message up to the next that is; False where more must come to know."""
        buffer = self._buffer
        if len(buffer) < MOST_HEADER_BYTES and b"\n" not in buffer and _MAY_BEGIN.fullmatch(buffer):
            return False
        if not self._spoken:
            raise RtspError(f"it says {_printable(bytes(buffer[:60]))!r}")
        found = _NEXT.search(buffer, 1)
        drop = found.start() if found else max(1, len(buffer) - _NEXT_BYTES)
        self._rubbish += drop
        if self._rubbish > MOST_RUBBISH_BYTES:
            raise RtspError(f"more than {MOST_RUBBISH_BYTES} bytes that are neither RTSP nor RTP")
        del buffer[:drop]
        return bool(found)


def parse_text(buf: bytes | bytearray, start: int, end: int) -> tuple[Text, int] | None:
    """The message at `start` of an interleaved stream and its length; None where there is none, or not all of its head.

    A body that is shorter in the buffer than it says is taken as it is: who cut it out knew better.
    """
    if not _MESSAGE_BEGINS.match(buf, start, end):
        return None
    head_end = _HEADER_END.search(buf, start, min(end, start + MOST_HEADER_BYTES))
    if not head_end:
        return None
    try:
        message = _parsed_head(bytes(buf[start : head_end.start()]))
        length = _content_length(message.headers) or 0
    except RtspError:
        return None
    after = min(end, head_end.end() + length)
    return _with_body(message, bytes(buf[head_end.end() : after])), after - start


def _parsed_head(head: bytes) -> Text:
    first, *lines = re.split(r"\r?\n", head.decode("utf-8", "replace"))
    headers = Headers(_fields(lines))
    if status := _STATUS_LINE.fullmatch(first.rstrip()):
        return Response(int(status[1]), _printable((status[2] or "").encode()), headers)
    if request := _REQUEST_LINE.fullmatch(first.rstrip()):
        return Request(request[1], request[2], headers)
    raise RtspError(f"it says {_printable(first[:60].encode())!r}")


def _fields(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Lines that are no field are passed over; a line that begins with a space goes on with the one before."""
    whole: list[str] = []
    for line in lines:
        if line[:1] in (" ", "\t") and whole:
            whole[-1] += " " + line.strip()
        else:
            whole.append(line)
    for line in whole:
        name, colon, value = line.partition(":")
        if colon and _FIELD_NAME.fullmatch(name.strip()):
            yield name.strip(), value.strip()


def _content_length(headers: Headers) -> int | None:
    """None where it says none, or no number. Raises RtspError where it is more than we take."""
    told = headers.get("Content-Length")
    if not re.fullmatch(r"[0-9]{1,12}", told):
        return None
    if int(told) > MOST_BODY_BYTES:
        raise RtspError(f"a body of {int(told)} bytes")
    return int(told)


def _body_end(buf: bytearray, start: int, headers: Headers) -> int | None:
    """Where the body ends that begins at `start`; None: more must come.

    A text body begins neither with `$` nor with a message, so one that seems to isn't there. An SDP that goes on
    behind its length, or tells none, ends with what came.
    """
    length = _content_length(headers)
    described = headers.get("Content-Type").lower().startswith("application/sdp")
    if length == 0 or (length is None and not described):
        return start
    if start >= len(buf):
        return None
    beginning = bytes(buf[start : start + 5])
    if beginning[0] == _DOLLAR or beginning == b"RTSP/":
        return start
    if len(buf) < start + (length or 0) or (len(beginning) < 5 and b"RTSP/".startswith(beginning)):
        return None
    after = start + (length or 0)
    if not described or buf[after : after + 1] == b"$":
        return after
    end = min(len(buf), start + MOST_BODY_BYTES)
    following = _NEXT.search(buf, after, end) or _NEXT_BEGUN.search(buf, max(after, end - _NEXT_BYTES), end)
    return following.start() if following else end


def _with_body(message: Text, body: bytes) -> Text:
    if not body:
        return message
    if isinstance(message, Response):
        return Response(message.status, message.reason, message.headers, body)
    return Request(message.method, message.url, message.headers, body)


def _encoded(first: str, headers: Headers, body: bytes) -> bytes:
    length = f"Content-Length: {len(body)}\r\n".encode() if body else b""
    return first.encode() + b"\r\n" + headers.encode() + length + b"\r\n" + body


def _printable(data: bytes) -> str:
    text = data.decode("utf-8", "replace")[:80]
    return "".join(c if c.isprintable() else "." for c in text)
