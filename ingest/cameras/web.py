"""HTTP as cameras speak it: one pooled client a loop, signed in as the camera asks. The only importer of aiohttp."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit, urlunsplit

from yarl import URL

from ..errors import Lost, NotFound, NotVideo, SignInRefused, Silent, SourceError, Unreachable
from .rtsp.signin import SignIn, choose

if TYPE_CHECKING:
    import aiohttp

IDLE_S = 75.0
"""How long a connection is kept for the next look. Looks are seconds apart; cameras that close sooner are met anew."""
MOST_REDIRECTS = 3
MOST_TRIES = 3
"""Unsigned, signed, and once more where the nonce was too old already: many lock an account after a few refusals."""
_MOVED = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class Answer:
    """A body, and the headers it came with (their names in any case)."""

    body: bytes
    headers: Mapping[str, str]


class Address:
    """An http:// or https:// URL with what its sign-in has learnt. The fragment `#insecure` accepts the camera's own
    certificate. Messages call it `shown`."""

    def __init__(self, url: str, shown: str) -> None:
        parts = urlsplit(url)
        bare = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path or "/", parts.query, ""))
        self._url = URL(bare, encoded=bare.isascii() and " " not in bare)
        self._shown = shown
        self._tls = parts.fragment != "insecure"
        user = unquote(parts.username) if parts.username else None
        self._sign_in = () if user is None else (_AsAsked(user, unquote(parts.password or "")),)

    async def fetch(self, timeout_s: float, most_bytes: int, method: str = "GET") -> Answer:
        """The answer, whole, within `timeout_s`. Raises SourceError.

        Redirects are followed on the same host only: what a device announces is not to be trusted with more.
        """
        import aiohttp  # 9 MB that a worker without HTTP cameras does not need

        try:
            async with asyncio.timeout(timeout_s):
                return await self._follow(timeout_s, most_bytes, method)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _said(error, self._shown, timeout_s) from None

    async def _follow(self, timeout_s: float, most_bytes: int, method: str) -> Answer:
        import aiohttp

        url = self._url
        patience = aiohttp.ClientTimeout(total=None, sock_connect=0.95 * timeout_s)
        for _ in range(MOST_REDIRECTS + 1):
            async with client().request(
                method, url, timeout=patience, ssl=self._tls, allow_redirects=False, middlewares=self._sign_in
            ) as response:
                if response.status in _MOVED and "location" in response.headers:
                    url = self._moved(url, response.headers["location"])
                    continue
                _check(response, self._shown)
                return Answer(await _body(response, most_bytes, self._shown), response.headers)
        raise NotVideo(f"{self._shown}: answers {response.status} again and again")

    def _moved(self, url: URL, location: str) -> URL:
        try:
            there = url.join(URL(location))
        except ValueError:
            raise NotVideo(f"{self._shown}: sends us to an address that is none") from None
        if there.host != url.host or there.scheme not in (url.scheme, "https"):
            raise NotVideo(f"{self._shown}: sends us to {there.origin()}; put that address into the inventory")
        return there.with_user(None).with_fragment(None)


class _AsAsked:
    """Signs in the way the camera asks for; sends no password unasked."""

    def __init__(self, user: str, password: str) -> None:
        self._user, self._password = user, password
        self._asked: dict[URL, SignIn] = {}

    async def __call__(self, request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        origin = request.url.origin()
        known = self._asked.pop(origin, None)
        for tries in range(MOST_TRIES):
            if known is not None:
                request.headers["Authorization"] = known.header(request.method, request.url.raw_path_qs)
            response = await send(request)
            if response.status != 401:
                if known is not None:
                    self._asked[origin] = known
                break
            asked = choose(response.headers.getall("www-authenticate", []), self._user, self._password)
            if asked is None or tries == MOST_TRIES - 1 or (tries and not asked.stale):
                break
            response.release()
            known = asked
        return response


_CLIENTS: dict[asyncio.AbstractEventLoop, tuple[aiohttp.ClientSession, asyncio.Task[None]]] = {}


def client() -> aiohttp.ClientSession:
    """The running loop's client, made with the first request and closed when the loop ends its tasks.

    How many connections there are at once is for whoever plans the looks; proxies of the environment are ignored.
    """
    import aiohttp

    loop = asyncio.get_running_loop()
    if loop in _CLIENTS:
        return _CLIENTS[loop][0]
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": "gridhub", "Accept-Encoding": "identity"},
        trust_env=False,
    )
    _CLIENTS[loop] = session, loop.create_task(_keep(session))
    return session


async def _keep(session: aiohttp.ClientSession) -> None:
    loop = asyncio.get_running_loop()
    try:
        await loop.create_future()
    finally:
        del _CLIENTS[loop]
        await session.close()


def _check(response: aiohttp.ClientResponse, shown: str) -> None:
    status = response.status
    if status in (401, 403):
        raise SignInRefused(f"{shown}: user or password refused ({status})")
    if status in (404, 410):
        raise NotFound(f"{shown}: no such picture ({status})")
    if not 200 <= status < 300:
        raise NotVideo(f"{shown}: answered {status} {response.reason}")


async def _body(response: aiohttp.ClientResponse, most_bytes: int, shown: str) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > most_bytes:
            raise NotVideo(f"{shown}: more than {most_bytes // 1_000_000} MB for one picture")
    return bytes(body)


def _said(error: aiohttp.ClientError | TimeoutError, shown: str, timeout_s: float) -> SourceError:
    import aiohttp

    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return Unreachable(f"{shown}: no answer to the connection within {timeout_s:.0f} s")
    if isinstance(error, TimeoutError):
        return Silent(f"{shown}: accepted the connection, then said nothing for {timeout_s:.0f} s")
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return Unreachable(f"{shown}: its certificate is not trusted; end the URL with #insecure to accept it")
    if isinstance(error, aiohttp.ClientConnectorError):
        return Unreachable(f"{shown}: no connection ({error.strerror or error.os_error})")
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientPayloadError | aiohttp.ClientResponseError):
        return NotVideo(f"{shown}: the answer is no HTTP, or was cut short ({type(error).__name__})")
    return Lost(f"{shown}: the connection broke ({type(error).__name__})")
