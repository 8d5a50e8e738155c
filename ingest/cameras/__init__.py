"""Cameras: one file a protocol, found by the scheme of the camera's URL."""

from __future__ import annotations

from collections.abc import Callable

from ..device import Camera
from ..errors import InventoryError
from .file import FileSource
from .libav import PREFIX, libav, libav_opener
from .rtsp import ffmpeg_opener, open_rtsp
from .snapshot import Snapshot
from .source import Caught, Clipping, Connected, Hosted, Source, Standing, Visiting
from .stream import Opener

SOURCES: dict[str, Callable[[Camera], Source]] = {
    "rtsp": open_rtsp,
    "rtsps": open_rtsp,
    "http": Snapshot,
    "https": Snapshot,
    "file": FileSource,
    "tcp": libav,
    "udp": libav,
    "rtmp": libav,
}
"""What opens a camera, by the scheme of its URL; `libav+` in front of any other URL hands it to FFmpeg."""


def open_source(camera: Camera) -> Source:
    """The source for `camera`; connects to nothing yet. Raises InventoryError naming what is allowed."""
    scheme = camera.url.partition(":")[0].lower()
    if scheme.startswith(PREFIX):
        return libav(camera)
    if scheme not in SOURCES:
        allowed = ", ".join([*SOURCES, f"{PREFIX}…"])
        raise InventoryError(f"camera {camera.id}: url: unknown scheme {scheme!r}; allowed: {allowed}")
    try:
        return SOURCES[scheme](camera)
    except ValueError:
        # Python's own words would show a part of the password.
        form = f"{scheme}://[USER:PASSWORD@]HOST[:PORT]/PATH"
        raise InventoryError(
            f"camera {camera.id}: url: {camera.safe_url} cannot be read; allowed: {form}, with / @ : [ ] in a "
            "password written %2F %40 %3A %5B %5D"
        ) from None


def stream_opener(camera: Camera) -> Opener | None:
    """How to read every packet of `camera`, for people who watch; None for one that gives pictures and no stream."""
    scheme = camera.url.partition(":")[0].lower()
    if scheme in ("rtsp", "rtsps"):
        return ffmpeg_opener(camera)
    if scheme.startswith(PREFIX) or SOURCES.get(scheme) is libav:
        return libav_opener(camera)
    return None


__all__ = [
    "SOURCES", "Caught", "Clipping", "Connected", "Hosted", "Opener", "Source", "Standing", "Visiting", "open_source",
    "stream_opener",
]  # fmt: skip
