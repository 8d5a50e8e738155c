"""rtsp:// and rtsps:// through FFmpeg: over TCP, over UDP where the camera refuses TCP; Basic and Digest sign-in."""

from __future__ import annotations

from ...device import Camera, Watch
from ...errors import InventoryError
from ...media import Stream, open_stream, rtsp_options
from ..source import Source
from ..stream import PatrolStream, StandingStream


def rtsp(camera: Camera) -> Source:
    """A standing or a patrolling source, as the camera's `watch` says."""

    def opener(network_s: float) -> Stream:
        return open_stream(camera.url, camera.safe_url, network_s, rtsp_options(network_s))

    if camera.watch is Watch.STAY:
        return StandingStream(camera, opener)
    if camera.watch is Watch.PATROL:
        return PatrolStream(camera, opener)
    raise InventoryError(f"camera {camera.id}: watch: {camera.watch} does not go with rtsp; allowed: stay, patrol")
