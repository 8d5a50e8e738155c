"""Cameras: one file a protocol, found by the scheme of the camera's URL."""

from __future__ import annotations

from collections.abc import Callable

from ..device import Camera
from ..errors import InventoryError
from .file import FileSource
from .libav import PREFIX, libav
from .rtsp import open_rtsp
from .snapshot import Snapshot
from .source import Caught, Clipping, Connected, Hosted, Source, Standing, Visiting

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
    """The source for `camera`; connects to nothing yet. Raises InventoryError naming the scheme and those allowed."""
    scheme = camera.url.partition(":")[0].lower()
    if scheme.startswith(PREFIX):
        return libav(camera)
    if scheme not in SOURCES:
        allowed = ", ".join([*SOURCES, f"{PREFIX}…"])
        raise InventoryError(f"camera {camera.id}: url: unknown scheme {scheme!r}; allowed: {allowed}")
    return SOURCES[scheme](camera)


__all__ = [
    "SOURCES", "Caught", "Clipping", "Connected", "Hosted", "Source", "Standing", "Visiting", "open_source",
]  # fmt: skip
