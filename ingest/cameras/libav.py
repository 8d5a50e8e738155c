"""Anything else that FFmpeg opens: `libav+URL`, and tcp://, udp://, rtmp:// as they are."""

from __future__ import annotations

from ..device import Camera, Watch
from ..errors import WrongWatch
from ..media import Stream, open_stream
from .source import Source
from .stream import Opener, PatrolStream, StandingStream

PREFIX = "libav+"


def libav_opener(camera: Camera) -> Opener:
    """How FFmpeg opens this camera."""
    url = camera.url.removeprefix(PREFIX)

    def opener(network_s: float) -> Stream:
        # `rw_timeout` (µs) bounds what FFmpeg reads, but not RTSP; `timeout` would make tcp:// listen for time.
        options = {"rw_timeout": str(int(network_s * 1e6)), "fflags": "nobuffer", "analyzeduration": "1000000"}
        return open_stream(url, camera.safe_url, network_s, options, read_s=network_s)

    return opener


def libav(camera: Camera) -> Source:
    """A standing or a patrolling source over FFmpeg's own protocols."""
    opener = libav_opener(camera)
    if camera.watch is Watch.STAY:
        return StandingStream(camera, opener)
    if camera.watch is Watch.PATROL:
        return PatrolStream(camera, opener)
    raise WrongWatch(camera.id, camera.watch, PREFIX)
