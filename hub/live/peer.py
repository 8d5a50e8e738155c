"""A camera's packets to browsers over WebRTC, passed through as they are: no decoder, no encoder. Imports aiortc.

Host candidates only: nobody is asked what our address is, and nothing leaves the house. ICE, DTLS and SRTP run on a
loop of their own, so that viewers and the API never wait for each other.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

import aioice.ice
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.exceptions import InternalError, InvalidAccessError, InvalidStateError, OperationError

from ..errors import Invalid
from .upstream import Take

ANSWER_S = 10.0
WAITING_MOST = 150
"""Packets that wait for one viewer; more means that he cannot keep up, and he begins anew at a keyframe."""
_UNREADABLE = (
    ValueError, LookupError, AttributeError, TypeError, AssertionError, RuntimeError,
    InternalError, InvalidAccessError, InvalidStateError, OperationError,
)  # fmt: skip
"""What aiortc raises for an offer that is none, or of a browser without H.264 (RuntimeError: a StopIteration)."""
_CANDIDATE = re.compile(r"a=candidate:(\S+ \d+ \S+ \d+) (\S+) (\d+) typ host.*")


class Peers:
    """Every viewer's connection. `addresses`: those of this machine that browsers reach; empty: all but loopback."""

    def __init__(self, addresses: Sequence[str], on_dropped: Callable[[int], None]) -> None:
        self._on_dropped = on_dropped
        if addresses:
            # aioice asks the machine for its addresses and leaves loopback out; it has no option for either.
            aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: list(addresses)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="live peers", daemon=True)
        self._thread.start()

    def answer(self, offer: str, client: str, listen: Callable[[Take], Callable[[], None]]) -> tuple[Viewer, str]:
        """The viewer behind an SDP offer of a browser at `client`, and our SDP answer. Raises Invalid."""
        answered: tuple[Viewer, str] = self._wait(self._answer(offer, client, listen))
        return answered

    def close(self, viewer: Viewer) -> None:
        """End one viewer's connection; returns at once."""
        if not self._loop.is_closed():
            asyncio.run_coroutine_threadsafe(viewer.end(), self._loop)

    def end(self) -> None:
        """End the loop; the viewers were closed before."""
        self._wait(_settled())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
        self._loop.close()

    def _wait(self, work: Any) -> Any:
        future: Future[Any] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(ANSWER_S)

    async def _answer(self, offer: str, client: str, listen: Callable[[Take], Callable[[], None]]) -> Any:
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        track = _Passing(self._on_dropped)
        viewer = Viewer(connection, track)
        try:
            connection.addTrack(track)
            sender = connection.getTransceivers()[0]
            sender.setCodecPreferences(_h264())
            await connection.setRemoteDescription(RTCSessionDescription(reachable(offer, client), "offer"))
            await connection.setLocalDescription(await connection.createAnswer())
        except _UNREADABLE as error:
            await viewer.end()
            raise Invalid("sdp", offer[:80], f"an SDP offer to receive H.264 video ({error})") from None
        except BaseException:
            await viewer.end()
            raise

        def take(packet: Any, key: bool) -> None:
            self._loop.call_soon_threadsafe(track.put, packet, key)

        viewer.stop_listening = listen(take)

        @connection.on("connectionstatechange")
        async def changed() -> None:
            if connection.connectionState in ("failed", "closed"):
                await viewer.end()

        return viewer, connection.localDescription.sdp


class Viewer:
    """One browser's connection."""

    def __init__(self, connection: RTCPeerConnection, track: _Passing) -> None:
        self._connection, self._track = connection, track
        self.stop_listening: Callable[[], None] = lambda: None
        self.ended = False

    async def end(self) -> None:
        """Close it; may be repeated."""
        if self.ended:
            return
        self.ended = True
        self.stop_listening()
        self._track.stop()
        await self._connection.close()


class _Passing(MediaStreamTrack):
    """Packets of a camera for one viewer, from a keyframe on."""

    kind = "video"

    def __init__(self, on_dropped: Callable[[int], None]) -> None:
        super().__init__()
        self._on_dropped = on_dropped
        self._packets: asyncio.Queue[Any] = asyncio.Queue()
        self._begun = False

    def put(self, packet: Any, key: bool) -> None:
        """One more; on the loop."""
        if key and not self._begun:
            self._begun = True
        if not self._begun:
            return
        if self._packets.qsize() >= WAITING_MOST:
            self._begun = False
            self._on_dropped(self._packets.qsize())
            while not self._packets.empty():
                self._packets.get_nowait()
            return
        self._packets.put_nowait(packet)

    async def recv(self) -> Any:
        """The next one (aiortc asks)."""
        return await self._packets.get()


def _h264() -> list[Any]:
    return [c for c in RTCRtpSender.getCapabilities("video").codecs if c.mimeType == "video/H264"]


async def _settled() -> None:
    await asyncio.sleep(0.05)


def reachable(offer: str, client: str) -> str:
    """`offer` with names that only the browser's own machine can resolve (mDNS) replaced by the address it asked from.

    Browsers hide their addresses behind `.local` names; the hub neither sends nor needs multicast to find them.
    """
    try:
        ipaddress.ip_address(client)
    except ValueError:
        return offer
    lines = []
    for line in offer.splitlines():
        match = _CANDIDATE.fullmatch(line)
        if match and match[2].endswith(".local"):
            lines.append(f"a=candidate:{match[1]} {client} {match[3]} typ host")
        else:
            lines.append(line)
    return "\r\n".join(lines) + "\r\n"
