"""From a camera's URL to pictures that come: over TCP, over UDP where the camera refuses TCP, or by FFmpeg."""

from __future__ import annotations

from collections.abc import Callable

from ...device import Camera
from ...media import Stream, open_stream, rtsp_options
from ..stream import Opener
from .collect import Key
from .dial import NotSpoken, dial
from .feed import Feed, TcpFeed
from .udp import dial_udp


async def open_feed(
    url: str, shown: str, on_key: Callable[[Key], None], network_s: float, keyframe_s: float = 60.0
) -> Feed:
    """A stream that plays; whoever asked runs it. Raises SourceError, or NotSpoken where FFmpeg should try."""
    try:
        return TcpFeed(await dial(url, shown, network_s), shown, on_key, network_s, keyframe_s)
    except NotSpoken as reason:
        if not reason.udp_only:
            raise
    return await dial_udp(url, shown, on_key, network_s, keyframe_s)


def ffmpeg_opener(camera: Camera) -> Opener:
    """How FFmpeg opens a camera that this reader does not speak with."""

    def opener(network_s: float) -> Stream:
        return open_stream(camera.url, camera.safe_url, network_s, rtsp_options(network_s), read_s=network_s)

    return opener
