"""Signing in to a camera: Digest (RFC 7616: SHA-256, MD5, -sess, qop auth and auth-int) and Basic (RFC 7617).

Of what a camera offers the strongest is taken, once: many lock an account after a few refusals.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

MOST_CHALLENGE_CHARS = 4096
MOST_CHALLENGES = 8

# A quote within quotes is one that neither a comma nor the end follows: cameras put names into the realm unescaped.
_PART = re.compile(
    r"""[\s,]*(?P<name>[A-Za-z0-9!#$%&'*+.^_`|~-]+)
        (?: \s*=\s* (?: "(?P<quoted>(?:\\.|[^"\\]|"(?!\s*(?:,|$)))*)" | (?P<bare>[^\s,]*) ) )?""",
    re.VERBOSE,
)
_ESCAPED = re.compile(r'\\(["\\])')
_HASHES: dict[str, Callable[[bytes], hashlib._Hash]] = {"md5": hashlib.md5, "sha-256": hashlib.sha256}
_STRENGTH = ("basic", "md5", "md5-sess", "sha-256", "sha-256-sess")


@dataclass(frozen=True)
class Challenge:
    """What a camera asks for: `scheme` in lower case, parameters by lower-case name, as they stood in the quotes."""

    scheme: str
    parameters: dict[str, str]

    @property
    def algorithm(self) -> str:
        """Lower case: "basic", or Digest's algorithm (MD5 where it names none); "" for what we don't speak."""
        if self.scheme == "basic":
            return "basic"
        named = self.parameters.get("algorithm", "md5").lower() or "md5"
        known = self.scheme == "digest" and "nonce" in self.parameters and named.removesuffix("-sess") in _HASHES
        return named if known else ""

    @property
    def stale(self) -> bool:
        """Whether user and password were right, and only the nonce too old."""
        return self.parameters.get("stale", "").lower() == "true"


class SignIn(ABC):
    """An answer to a challenge; its text never shows in a repr."""

    stale = False
    """Whether the challenge said that only the nonce was too old."""

    @abstractmethod
    def header(self, method: str, uri: str, body: bytes = b"") -> str:
        """The value of Authorization for one request."""


class Basic(SignIn):
    """User and password as they are."""

    def __init__(self, user: str, password: str) -> None:
        self._value = "Basic " + b64encode(f"{user}:{password}".encode()).decode()

    def header(self, method: str, uri: str, body: bytes = b"") -> str:
        """See SignIn."""
        return self._value


class Digest(SignIn):
    """One nonce, counted from 1 with each request."""

    def __init__(self, challenge: Challenge, user: str, password: str, cnonce: str) -> None:
        self._told = challenge.parameters
        self._algorithm = challenge.algorithm
        self._hash = _HASHES[self._algorithm.removesuffix("-sess")]
        self._user, self._password, self._cnonce = user, password, cnonce
        offered = [word.strip().lower() for word in self._told.get("qop", "").split(",") if word.strip()]
        self._qop = "auth" if "auth" in offered else "auth-int" if "auth-int" in offered else ""
        self._count = 0
        self.stale = challenge.stale

    def header(self, method: str, uri: str, body: bytes = b"") -> str:
        """See SignIn."""
        self._count += 1
        count, told = f"{self._count:08x}", self._told
        what = f"{method}:{uri}" + (f":{self._digest(body)}" if self._qop == "auth-int" else "")
        middle = f"{count}:{self._cnonce}:{self._qop}:" if self._qop else ""
        proof = self._digest(f"{self._secret()}:{_plain(told['nonce'])}:{middle}{self._digest(what)}")
        user = self._user.replace("\\", "\\\\").replace('"', '\\"')
        said = [
            f'username="{user}"', f'realm="{told.get("realm", "")}"', f'nonce="{told["nonce"]}"',
            f'uri="{uri}"', f'response="{proof}"',
        ]  # fmt: skip
        if "algorithm" in told:
            said.append(f"algorithm={told['algorithm']}")
        if "opaque" in told:
            said.append(f'opaque="{told["opaque"]}"')
        if self._qop:
            said.append(f"qop={self._qop}, nc={count}")
        if self._qop or self._algorithm.endswith("-sess"):
            said.append(f'cnonce="{self._cnonce}"')
        return "Digest " + ", ".join(said)

    def _secret(self) -> str:
        own = self._digest(f"{self._user}:{_plain(self._told.get('realm', ''))}:{self._password}")
        if not self._algorithm.endswith("-sess"):
            return own
        return self._digest(f"{own}:{_plain(self._told['nonce'])}:{self._cnonce}")

    def _digest(self, text: str | bytes) -> str:
        return self._hash(text.encode() if isinstance(text, str) else text).hexdigest()


def choose(challenges: Sequence[str], user: str, password: str, cnonce: str | None = None) -> SignIn | None:
    """The answer to the strongest of the WWW-Authenticate values; None where we speak none of them.

    `cnonce`: the client's nonce, made up unless given.
    """
    known = [challenge for challenge in parse(challenges) if challenge.algorithm]
    if not known:
        return None
    best = max(known, key=lambda challenge: _STRENGTH.index(challenge.algorithm))
    if best.scheme == "basic":
        return Basic(user, password)
    return Digest(best, user, password, cnonce or secrets.token_hex(8))


def parse(values: Sequence[str]) -> list[Challenge]:
    """Every challenge in WWW-Authenticate values; one value may hold several, parted by commas."""
    return [challenge for value in values[:MOST_CHALLENGES] for challenge in _parts(value[:MOST_CHALLENGE_CHARS])]


def _parts(value: str) -> Iterator[Challenge]:
    current: Challenge | None = None
    at, limit = 0, MOST_CHALLENGES
    while found := _PART.match(value, at):
        at = found.end()
        given = found["quoted"] if found["quoted"] is not None else found["bare"]
        if given is None:
            if current is not None:
                yield current
            limit -= 1
            if not limit:
                return
            current = Challenge(found["name"].lower(), {})
        elif current is not None:
            current.parameters.setdefault(found["name"].lower(), given)
    if current is not None:
        yield current


def _plain(quoted: str) -> str:
    r"""What a quoted string stands for. Only \" and \\ are escapes: a lone backslash in a realm is a camera's own."""
    return _ESCAPED.sub(r"\1", quoted)
