"""rtsp:// and rtsps://: thousands of streams read by one thread; FFmpeg for those that this reader does not speak.

URL ─ dial (wire, session: message, sdp, signin) ─ feed on the wheel (walk, collect; udp) ─ newest key ─ look
"""

from __future__ import annotations

from ...device import Camera, Watch
from ...errors import WrongWatch
from ..source import Source
from .feeds import ffmpeg_opener as ffmpeg_opener
from .stay import PREROLL, RtspStay
from .udp import PORTS
from .visit import RtspPatrol


def open_rtsp(camera: Camera) -> Source:
    """A staying or a patrolling source, as the camera's `watch` says."""
    if camera.watch is Watch.STAY:
        return RtspStay(camera)
    if camera.watch is Watch.PATROL:
        return RtspPatrol(camera)
    raise WrongWatch(camera.id, camera.watch, "rtsp")


def configure(preroll_bytes: int, first_port: int = PORTS.first, last_port: int = PORTS.last) -> None:
    """For all cameras of the process: what they may keep for clips together, and the UDP ports they share."""
    PREROLL.most_bytes = preroll_bytes
    PORTS.first, PORTS.last = first_port, last_port
