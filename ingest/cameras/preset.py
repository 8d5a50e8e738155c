"""Turning a PTZ camera to its preset: one HTTP request, as the camera's maker defines it."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit, urlunsplit

from ..device import Camera
from ..errors import shown_url
from .web import Address

METHODS = ("GET", "PUT")
MOST_BYTES = 1_000_000


async def call_preset(camera: Camera, timeout_s: float) -> None:
    """Ask for `camera.goto` within `timeout_s`. Raises SourceError where it is refused or not answered."""
    method, url = split_goto(camera.goto)
    await _address(_signed(url, camera.url)).fetch(timeout_s, MOST_BYTES, method)


def split_goto(goto: str) -> tuple[str, str]:
    """Method and URL: "PUT http://…" puts, a URL alone is got. Raises ValueError saying what is allowed."""
    method, _, url = goto.strip().rpartition(" ")
    method = method.strip().upper() or "GET"
    parts = urlsplit(url)
    if method not in METHODS or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("http://… or https://… to GET, or the same behind 'PUT '")
    return method, url


def _signed(url: str, camera_url: str) -> str:
    """`url` with the camera's own user and password where it names none and goes to the same host."""
    parts, camera = urlsplit(url), urlsplit(camera_url)
    if parts.username or not camera.username or parts.hostname != camera.hostname:
        return url
    sign_in = camera.netloc.rpartition("@")[0]
    return urlunsplit((parts.scheme, f"{sign_in}@{parts.netloc}", parts.path, parts.query, parts.fragment))


@lru_cache(maxsize=4096)
def _address(url: str) -> Address:
    """One for each preset, so that its sign-in is learnt once."""
    return Address(url, f"preset {shown_url(url)}")
