"""http:// and https:// cameras that answer with one JPEG; Basic and Digest sign-in, as the camera asks."""

from __future__ import annotations

import threading
from collections.abc import Generator
from datetime import datetime, timedelta
from typing import cast
from urllib.parse import unquote, urlsplit, urlunsplit

import cv2
import httpx
import numpy as np

from ..clock import utc_now
from ..device import Camera
from ..errors import Lost, NotFound, NotVideo, SignInRefused, Silent, SourceError, Stale, Unreachable
from ..frame import Frame, Image

MOST_BYTES = 20_000_000
"""A snapshot larger than this is refused unread."""


class _AsAsked(httpx.Auth):
    """Signs in the way the camera asks for; sends no password unasked."""

    def __init__(self, user: str, password: str) -> None:
        self._basic = httpx.BasicAuth(user, password)
        self._digest = httpx.DigestAuth(user, password)
        self._asked: httpx.Auth | None = None

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if self._asked is None:
            response = yield request
            if response.status_code != 401:
                return
            schemes = [value.split(" ")[0].lower() for value in response.headers.get_list("www-authenticate")]
            self._asked = self._digest if "digest" in schemes else self._basic
        yield from self._asked.auth_flow(request)


class Snapshot:
    """One GET a look. A fragment `#insecure` accepts the camera's own certificate (https)."""

    def __init__(self, camera: Camera) -> None:
        self.camera = camera
        self.via = "HTTP JPEG"
        parts = urlsplit(camera.url)
        host = parts.netloc.rpartition("@")[2]
        self._url = urlunsplit((parts.scheme, host, parts.path or "/", parts.query, ""))
        auth = _AsAsked(unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        self._client = httpx.Client(auth=auth, verify=parts.fragment != "insecure", trust_env=False)
        self._closed = threading.Event()

    def look(self, not_before: datetime, timeout_s: float) -> Frame:
        """A JPEG asked for at or after `not_before`. Raises SourceError."""
        wait_s = (not_before - utc_now()).total_seconds()
        if wait_s > timeout_s:
            raise Stale(f"{self.camera.safe_url}: the look is {wait_s:.1f} s ahead")
        if self._closed.wait(max(0.0, wait_s)):
            raise Lost(f"{self.camera.safe_url}: closed")
        asked_at = max(utc_now(), not_before)
        data, age_s = self._get(timeout_s)
        captured_at = asked_at - timedelta(seconds=age_s)
        if captured_at < not_before:
            raise Stale(f"{self.camera.safe_url}: the picture was {age_s:.0f} s old when it came")
        image = decode_jpeg(data, self.camera.safe_url)
        return Frame(self.camera.id, self.camera.preset, captured_at, image, "jpeg", len(data))

    def _get(self, timeout_s: float) -> tuple[bytes, float]:
        shown = self.camera.safe_url
        try:
            with self._client.stream("GET", self._url, timeout=timeout_s) as response:
                _check(response, shown)
                data = bytearray()
                for chunk in response.iter_bytes():
                    data += chunk
                    if len(data) > MOST_BYTES:
                        raise NotVideo(f"{shown}: more than {MOST_BYTES // 1_000_000} MB for one picture")
                return bytes(data), _age_s(response)
        except httpx.HTTPError as error:
            raise _said(error, shown, timeout_s) from None
        except RuntimeError:
            raise Lost(f"{shown}: closed") from None

    def close(self) -> None:
        """Let go of the connection."""
        self._closed.set()
        self._client.close()


def _check(response: httpx.Response, shown: str) -> None:
    status = response.status_code
    if status in (401, 403):
        raise SignInRefused(f"{shown}: user or password refused ({status})")
    if status in (404, 410):
        raise NotFound(f"{shown}: no such picture ({status})")
    if status != 200:
        raise NotVideo(f"{shown}: answered {status} {response.reason_phrase}")
    if response.headers.get("content-type", "").startswith("multipart/"):
        raise NotVideo(f"{shown}: a stream of pictures, not one; use libav+{shown}")


def _age_s(response: httpx.Response) -> float:
    """Seconds that a cache on the way held the picture (RFC 9111 §5.1)."""
    text = response.headers.get("age", "0")
    return float(text) if text.isdigit() else 0.0


def _said(error: httpx.HTTPError, shown: str, timeout_s: float) -> SourceError:
    if isinstance(error, httpx.ConnectTimeout):
        return Unreachable(f"{shown}: no answer to the connection within {timeout_s:.0f} s")
    if isinstance(error, httpx.TimeoutException):
        return Silent(f"{shown}: accepted the connection, then said nothing for {timeout_s:.0f} s")
    if isinstance(error, httpx.ConnectError):
        if "certificate" in str(error).lower():
            return Unreachable(f"{shown}: its certificate is not trusted; end the URL with #insecure to accept it")
        return Unreachable(f"{shown}: no connection ({error})")
    if isinstance(error, httpx.RemoteProtocolError):
        return NotVideo(f"{shown}: the answer is no HTTP, or was cut short ({error})")
    return Lost(f"{shown}: the connection broke ({type(error).__name__})")


def decode_jpeg(data: bytes, shown: str) -> Image:
    """H x W x 3 BGR of a whole JPEG or PNG; raises NotVideo where it is none, or was cut short."""
    if data[:2] == b"\xff\xd8" and b"\xff\xd9" not in data[-64:]:
        raise NotVideo(f"{shown}: the picture was cut short after {len(data)} bytes")
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if image is None:
        raise NotVideo(f"{shown}: {len(data)} bytes that are no picture")
    return cast(Image, image)
