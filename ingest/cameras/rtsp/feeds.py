"""From a camera's URL to pictures that come: over TCP, over UDP where the camera refuses TCP."""

from __future__ import annotations

from collections.abc import Callable

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
