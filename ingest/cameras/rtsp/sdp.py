"""SDP as cameras write it (RFC 8866, RFC 6184 §8.1, RFC 7798 §7.1): which media there are and where each is set up.

Never fails: a line that cannot be read is passed over.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass, field
from math import isfinite

MOST_LINES = 1000
MOST_MEDIA = 32
MOST_SET_BYTES = 4096
MOST_SETS = 32

_CODECS = {"h264": "h264", "h265": "hevc", "hevc": "hevc"}
_STATIC = {26: ("jpeg", 90000), 31: ("h261", 90000), 32: ("mpv", 90000), 33: ("mp2t", 90000), 34: ("h263", 90000)}
"""Payload types that need no rtpmap (RFC 3551 table 5)."""
_SETS = {"h264": ("sprop-parameter-sets",), "hevc": ("sprop-vps", "sprop-sps", "sprop-pps")}
_START_CODE = b"\x00\x00\x00\x01"
_DIRECTIONS = frozenset(("sendrecv", "sendonly", "recvonly", "inactive"))
_RTP = "RTP/AVP"
_FULL_URL = re.compile(r"rtsps?://", re.IGNORECASE)
_NOT_IN_URL = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Media:
    """One medium. `codec`: "h264", "hevc", or another's name in lower case; `parameter_sets` in Annex-B, or empty.

    `packetization` says in a few words why this reader can't take the packets apart; empty where it can.
    """

    kind: str
    codec: str
    payload_type: int
    clock_hz: int
    control_url: str
    parameter_sets: bytes = b""
    packetization_mode: int = 0
    framerate: float | None = None
    direction: str = "sendrecv"
    packetization: str = ""


@dataclass(frozen=True, slots=True)
class Description:
    """What DESCRIBE answered. `control_url` plays all of it."""

    control_url: str
    media: tuple[Media, ...]


@dataclass
class _Section:
    """The lines of the session, or of one medium."""

    kind: str = ""
    protocol: str = ""
    formats: list[str] = field(default_factory=list)
    attributes: list[tuple[str, str]] = field(default_factory=list)

    def get(self, name: str) -> str:
        return next((value for known, value in self.attributes if known == name), "")

    def of_format(self, name: str, payload_type: int) -> list[str]:
        """Values of `name` that begin with the payload type."""
        told = (value.split(None, 1) for known, value in self.attributes if known == name)
        return [words[1] for words in told if len(words) == 2 and words[0] == str(payload_type)]


def parse(text: str, base: str) -> Description:
    """The media of an SDP; `base`: the URL that relative controls belong to (see `based`)."""
    session, sections = _sections(text)
    control_url = resolved(base, session.get("control"))
    direction = _direction(session, "sendrecv")
    media = [_media(section, base, direction) for section in sections]
    return Description(control_url, tuple(media))


def based(request_url: str, *told: str) -> str:
    """The base of relative controls: the first usable of `told` (Content-Base, Content-Location), else the request's.

    Host and port are always those of the request: a camera behind NAT announces its inner address.
    """
    root = _parted(request_url)[0]
    for url in told:
        if _FULL_URL.match(url):
            return resolved(request_url, url)
        if url.startswith("/"):
            return root + _quoted(url)
    return request_url


def resolved(base: str, control: str) -> str:
    """The URL of a control attribute. As FFmpeg and live555 do, a relative one is appended, even behind a query."""
    control = _quoted(control.strip())
    if control in ("", "*"):
        return base
    root, path = _parted(base)
    if _FULL_URL.match(control):
        there = _parted(control)[1]
        return root + (there if there.startswith("/") else f"/{there}")
    if control.startswith("/"):
        own = path.partition("?")[0].rstrip("/")
        return root + control if control.startswith(own or "/") else base.rstrip("/") + control
    return f"{base}{'' if base.endswith('/') else '/'}{control}"


def _parted(url: str) -> tuple[str, str]:
    """A full URL as scheme with host and port, and all that follows."""
    scheme, _, rest = url.partition("://")
    end = next((i for i, c in enumerate(rest) if c in "/?"), len(rest))
    return f"{scheme}://{rest[:end]}", rest[end:]


def _sections(text: str) -> tuple[_Section, list[_Section]]:
    session, media = _Section(), list[_Section]()
    current = session
    for line in text.splitlines()[:MOST_LINES]:
        kind, equals, value = line.strip().partition("=")
        if not equals:
            continue
        if kind == "m":
            if len(media) == MOST_MEDIA:
                break
            name, _, protocol, *formats = [*value.split(), "", "", ""]
            current = _Section(name.lower(), protocol.upper(), [word for word in formats if word])
            media.append(current)
        elif kind == "a":
            name, _, told = value.partition(":")
            current.attributes.append((name.strip().lower(), told.strip()))
    return session, media


def _media(section: _Section, base: str, direction: str) -> Media:
    payload_type, name, clock_hz = _format(section)
    codec = _CODECS.get(name, name)
    told = _parameters(section.of_format("fmtp", payload_type))
    sets = [nal for key in _SETS.get(codec, ()) for nal in _nal_units(told.get(key, ""))]
    return Media(
        kind=section.kind,
        codec=codec,
        payload_type=payload_type,
        clock_hz=clock_hz,
        control_url=resolved(base, section.get("control")),
        parameter_sets=b"".join(_START_CODE + nal for nal in sets[:MOST_SETS]),
        packetization_mode=_number(told.get("packetization-mode", ""), 0),
        framerate=_rate(section),
        direction=_direction(section, direction),
        packetization=_packetization(section, told),
    )


def _format(section: _Section) -> tuple[int, str, int]:
    """Payload type, encoding name in lower case and clock: of the first that is H.264 or H.265, else of the first."""
    found: list[tuple[int, str, int]] = []
    for word in section.formats:
        payload_type = _number(word, -1)
        if not 0 <= payload_type < 128:
            continue
        name, clock_hz = _STATIC.get(payload_type, ("", 90000))
        for mapped in section.of_format("rtpmap", payload_type)[:1]:
            words = mapped.split("/")
            name, clock_hz = words[0].strip().lower(), _number(words[1], 90000) if len(words) > 1 else 90000
        found.append((payload_type, name, clock_hz or 90000))
    return next((one for one in found if one[1] in _CODECS), found[0] if found else (-1, "", 90000))


def _parameters(told: list[str]) -> dict[str, str]:
    """fmtp parameters by lower-case name."""
    parts = (part.partition("=") for line in told for part in line.split(";"))
    return {name.strip().lower(): value.strip().strip('"') for name, equals, value in parts if equals}


def _nal_units(told: str) -> list[bytes]:
    """Base64 NAL units parted by commas; some cameras leave the padding away, or put a start code in front."""
    found = []
    for word in told.split(",")[:MOST_SETS]:
        bare = word.strip().rstrip("=")
        try:
            nal = b64decode(bare + "=" * (-len(bare) % 4), validate=True)
        except (Base64Error, ValueError):
            continue
        nal = nal.removeprefix(_START_CODE).removeprefix(_START_CODE[1:])
        if 0 < len(nal) <= MOST_SET_BYTES:
            found.append(nal)
    return found


def _packetization(section: _Section, told: dict[str, str]) -> str:
    if section.protocol and not section.protocol.startswith(_RTP):
        return f"packets of {section.protocol[:40]}"
    if told.get("packetization-mode") == "2":
        return "interleaved NAL units (packetization-mode 2)"
    if _number(told.get("sprop-max-don-diff", ""), 0) or _number(told.get("sprop-depack-buf-nalus", ""), 0):
        return "reordered NAL units (sprop-max-don-diff)"
    return ""


def _rate(section: _Section) -> float | None:
    for name in ("framerate", "x-framerate"):
        try:
            rate = float(section.get(name))
        except ValueError:
            continue
        if isfinite(rate) and 0 < rate <= 1000:
            return rate
    return None


def _direction(section: _Section, otherwise: str) -> str:
    return next((name for name, _ in section.attributes if name in _DIRECTIONS), otherwise)


def _number(text: str, otherwise: int) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text.strip()) else otherwise


def without_user(url: str) -> str:
    """`url` as it may be sent: no user, no password, no fragment."""
    root, path = _parted(_quoted(url.strip().partition("#")[0]))
    scheme, _, place = root.partition("://")
    return f"{scheme}://{place.rpartition('@')[2]}{path}"


def _quoted(url: str) -> str:
    """What would break a request line, in percent-encoding."""
    return _NOT_IN_URL.sub(lambda found: f"%{ord(found[0]):02X}", url)
