"""The words of a scripted RTSP camera: requests as it reads them, its SDP, and its sign-in. No sockets."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass

from .payload import PAYLOAD_TYPE, Clip


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. `fields`: by lower-case name."""

    method: str
    url: str
    fields: dict[str, str]

    @classmethod
    def parse(cls, head: bytes) -> Asked:
        """From its bytes up to the empty line; an unreadable one is a request of method ""."""
        first, *lines = head.decode("utf-8", "replace").strip().split("\r\n")
        words = first.split(" ")
        pairs = [line.partition(":") for line in lines]
        fields = {name.strip().lower(): value.strip() for name, _, value in pairs}
        return cls(words[0] if len(words) == 3 else "", words[1] if len(words) == 3 else "", fields)

    @property
    def cseq(self) -> str:
        return self.fields.get("cseq", "0")

    @property
    def length(self) -> int:
        return int(self.fields.get("content-length", "0"))

    @property
    def transport(self) -> str:
        return self.fields.get("transport", "")

    def numbers(self, name: str) -> tuple[int, int] | None:
        """`name=a-b` of the Transport field."""
        found = re.search(rf"{name}=(\d+)-(\d+)", self.transport)
        return (int(found[1]), int(found[2])) if found else None


def described(clip: Clip, url: str, sprop: bool, aggregate_control: bool) -> tuple[bytes, str]:
    """SDP of `clip`, and the header fields that go with it."""
    name = "H264" if clip.codec == "h264" else "H265"
    track = "trackID=1" if aggregate_control else f"{url.rstrip('/')}/trackID=1"
    lines = [
        "v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=camera", "c=IN IP4 0.0.0.0", "t=0 0",
        *(["a=control:*"] if aggregate_control else []),
        f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
        f"a=rtpmap:{PAYLOAD_TYPE} {name}/90000",
        f"a=fmtp:{PAYLOAD_TYPE} {_format(clip, sprop)}",
        f"a=framerate:{clip.fps:g}",
        f"a=control:{track}",
    ]  # fmt: skip
    body = ("\r\n".join(lines) + "\r\n").encode()
    base = f"Content-Base: {url.rstrip('/')}/\r\n" if aggregate_control else ""
    return body, f"{base}Content-Type: application/sdp\r\n"


def _format(clip: Clip, sprop: bool) -> str:
    sets = [base64.b64encode(nal).decode() for nal in clip.parameter_sets]
    if clip.codec == "h264":
        told = f";sprop-parameter-sets={','.join(sets)}" if sprop else ""
        return f"packetization-mode=1{told}"
    if not sprop:
        return "sprop-max-don-diff=0"
    return f"sprop-vps={sets[0]};sprop-sps={sets[1]};sprop-pps={','.join(sets[2:])}"


def wrongly_long(body: bytes, off: int) -> str:
    """Content-Length of `body`, `off` by so much."""
    return f"Content-Length: {len(body) + off}\r\n"


class Doorkeeper:
    """Asks for user and password: `kind` is digest (MD5), digest-sha256 or basic (RFC 7616, RFC 7617).

    A nonce is good for `uses` requests, then it is stale.
    """

    def __init__(self, kind: str, user: str, password: str, uses: int = 1_000_000) -> None:
        self.kind, self.user, self.password, self.uses = kind, user, password, uses
        self._nonces: dict[str, int] = {}
        self._stale = False

    def challenge(self) -> str:
        """The header field that asks for them."""
        if self.kind == "basic":
            return 'WWW-Authenticate: Basic realm="camera"\r\n'
        nonce = f"n{len(self._nonces)}"
        self._nonces[nonce] = 0
        kind = "SHA-256" if self.kind == "digest-sha256" else "MD5"
        rest = f'qop="auth", algorithm={kind}' + (", stale=true" if self._stale else "")
        return f'WWW-Authenticate: Digest realm="camera", nonce="{nonce}", opaque="o", {rest}\r\n'

    def admits(self, asked: Asked) -> bool:
        """Whether the request bears the right answer."""
        self._stale = False
        kind, _, rest = asked.fields.get("authorization", "").partition(" ")
        if self.kind == "basic":
            right = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            return kind == "Basic" and rest == right
        told = {name: quoted or bare for name, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,"]+))', rest)}
        nonce = told.get("nonce", "")
        if kind != "Digest" or nonce not in self._nonces or told.get("response") != self._response(asked, told):
            return False
        self._nonces[nonce] += 1
        self._stale = self._nonces[nonce] > self.uses
        return not self._stale

    def _response(self, asked: Asked, told: dict[str, str]) -> str:
        make = hashlib.sha256 if self.kind == "digest-sha256" else hashlib.md5

        def digest(text: str) -> str:
            return make(text.encode()).hexdigest()

        who = digest(f"{self.user}:camera:{self.password}")
        what = digest(f"{asked.method}:{told.get('uri', '')}")
        if "qop" not in told:
            return digest(f"{who}:{told['nonce']}:{what}")
        return digest(f"{who}:{told['nonce']}:{told.get('nc')}:{told.get('cnonce')}:{told['qop']}:{what}")
