"""rtsp:// and rtsps://: thousands of streams read by one thread; FFmpeg for those that this reader does not speak.

URL ─ dial (wire, session: message, sdp, signin) ─ feed on the wheel (walk, collect; udp) ─ newest key ─ look
"""

from __future__ import annotations

from ...device import Camera, Watch
from ...errors import InventoryError
from ..source import Source
from .stay import RtspStay
from .visit import RtspPatrol


def open_rtsp(camera: Camera) -> Source:
    """A staying or a patrolling source, as the camera's `watch` says."""
    if camera.watch is Watch.STAY:
        return RtspStay(camera)
    if camera.watch is Watch.PATROL:
        return RtspPatrol(camera)
    raise InventoryError(f"camera {camera.id}: watch: {camera.watch} does not go with rtsp; allowed: stay, patrol")
