"""Pictures over UDP: the second transport, for cameras that refuse TCP. A pair of ports a camera, from one range."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from struct import Struct

from ...errors import Lost, SourceError, Unreachable
from .collect import Collector, Key
from .dial import Line, dial
from .errors import RtspError
from .feed import QUICK_PAUSE_S, Collected, Feed
from .message import Interleaved, MessageReader
from .raw import interleaved
from .rtcp import Bye, Reception, SenderReport
from .rtcp import parse as parse_rtcp
from .rtp import Reorder
from .session import Udp
from .wheel import Wheel
from .wire import Wire, drained_dry

MOST_DATAGRAMS = 4096
"""A drain takes no more from one camera: a flood must not starve the others."""
REPORT_EVERY_S = 5.0
RECEIVE_BYTES = 1 << 21
"""Asked of the kernel: what may come between two drains. It may give less (net.core.rmem_max)."""
_NEWEST = Struct(">HHI").unpack_from
_GREETING = b"\x80" + bytes(11)
"""An empty RTP packet, sent once to the camera: firewalls then let its own through."""


@dataclass(slots=True)
class PortRange:
    """The UDP ports that all cameras of the process share; `first` is even."""

    first: int = 46000
    last: int = 49999
    _next: int = field(default=0)

    def pair(self, address: str) -> tuple[socket.socket, socket.socket]:
        """Two bound, non-blocking sockets, RTP on an even port and RTCP on the one above. Raises Unreachable."""
        pairs = (self.last - self.first + 1) // 2
        for _ in range(pairs):
            port = self.first + 2 * (self._next % pairs)
            self._next += 1
            try:
                rtp = _bound(address, port)
            except OSError:
                continue
            try:
                return rtp, _bound(address, port + 1)
            except OSError:
                rtp.close()
        raise Unreachable(f"no two UDP ports in a row are free between {self.first} and {self.last}")


PORTS = PortRange()
"""The range of this process; `udp_ports` of the worker's settings."""


def _bound(address: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        sock.bind((address, port))
    except OSError:
        sock.close()
        raise
    return sock


class _Datagrams(Collector):
    """See Collected; UDP brings one packet at a time."""

    packets = 0
    newest_time: int | None = None
    report: tuple[float, int, float] | None = None

    def take(self, packets: Sequence[bytes], now_s: float) -> int:
        """Packets in order; returns the sequence number of the last."""
        for packet in packets:
            self.packet(packet, 0, len(packet), now_s)
        self.packets += len(packets)
        sequence: int
        _, sequence, self.newest_time = _NEWEST(packets[-1])
        return sequence


class UdpFeed(Feed):
    """Pictures and reports on two UDP sockets; the RTSP connection stays open beside them for keep-alives."""

    transport = "UDP"

    def __init__(
        self,
        line: Line,
        sockets: tuple[socket.socket, socket.socket],
        shown: str,
        on_key: Callable[[Key], None],
        network_s: float = 8.0,
        keyframe_s: float = 60.0,
    ) -> None:
        super().__init__(line, shown, on_key, network_s, keyframe_s)
        # What comes in between must fit into the socket's buffer; TCP waits, UDP drops.
        self.pause_s = QUICK_PAUSE_S
        self.channels = 0, 1
        self._rtp, self._rtcp = sockets
        self._collector = _Datagrams(self.track)
        self._reorder = Reorder()
        self._reception = Reception(self.track.clock_hz)
        self._messages = MessageReader()
        self._control = bytearray(1 << 16)
        self._own_ssrc = random.getrandbits(32)
        self._hosts = {line.wire.peer_address, line.playing.source or line.wire.peer_address}
        self._reported_s = 0.0

    @property
    def collected(self) -> Collected:
        """See Feed."""
        return self._collector

    def begin(self, wheel: Wheel, now_s: float) -> None:
        """See Feed."""
        self._messages.feed(self._line.rest)
        for sock, port in zip((self._rtp, self._rtcp), self._line.playing.server_ports or (), strict=False):
            _send_to(sock, _GREETING, (self._line.wire.peer_address, port))

    def close(self) -> None:
        """See Feed."""
        super().close()
        self._rtp.close()
        self._rtcp.close()

    def drain(self, now_s: float) -> None:
        """See Drained."""
        if self.failed:
            return
        self._drain_control()
        packets = [packet for raw in _datagrams(self._rtp, self._hosts) for packet in self._reorder.push(raw, now_s)]
        packets += self._reorder.waited(now_s)
        self._drain_reports(now_s)
        if not packets:
            return
        sequence = self._collector.take(packets, now_s)
        self._reception.took(len(packets), sequence, self._collector.newest_time or 0, now_s)
        if self.raw is not None:
            self.raw.push(interleaved(self.channels[0], packets), now_s)
        self.took(now_s)

    def _drain_reports(self, now_s: float) -> None:
        for data in _datagrams(self._rtcp, self._hosts):
            for report in parse_rtcp(data, 0, len(data)):
                if isinstance(report, SenderReport):
                    self._reception.sender_said(report, now_s)
                    if report.ntp_utc_s is not None:
                        self._collector.report = report.ntp_utc_s, report.rtp_time, now_s
                elif isinstance(report, Bye):
                    self.fail(Lost(f"{self._shown}: the camera ended the stream"))

    def _drain_control(self) -> None:
        try:
            got = self._line.wire.recv_into(memoryview(self._control))
            if not got:
                self.fail(Lost(f"{self._shown}: the camera ended the session"))
                return
            self._messages.feed(bytes(self._control[:got]))
            for message in self._messages.messages():
                if not isinstance(message, Interleaved):
                    self.heard(message)
        except OSError as error:
            if not drained_dry(error):
                self.fail(Lost(f"{self._shown}: the connection broke ({error.strerror or error})"))
        except RtspError as error:
            self.fail(Lost(f"{self._shown}: garbage on the RTSP connection ({error})"))
        except SourceError as error:
            self.fail(error)

    def watch(self, now_s: float) -> None:
        """See Drained."""
        super().watch(now_s)
        ports, ssrc = self._line.playing.server_ports, self._collector.ssrc
        due = not 0 <= now_s - self._reported_s <= REPORT_EVERY_S
        if not self.failed and ports and ssrc >= 0 and due:
            self._reported_s = now_s
            report = self._reception.receiver_report(self._own_ssrc, ssrc, "gridhub", now_s)
            _send_to(self._rtcp, report, (self._line.wire.peer_address, ports[1]))


async def dial_udp(url: str, shown: str, on_key: Callable[[Key], None], network_s: float, keyframe_s: float) -> UdpFeed:
    """A stream that plays over UDP. Raises SourceError, or NotSpoken where FFmpeg should try."""
    sockets: list[tuple[socket.socket, socket.socket]] = []

    def transport(wire: Wire) -> Udp:
        _close(sockets)
        sockets[:] = [PORTS.pair(wire.local_address)]
        return Udp(*(int(sock.getsockname()[1]) for sock in sockets[0]))

    try:
        line = await dial(url, shown, network_s, transport)
    except BaseException:
        _close(sockets)
        raise
    return UdpFeed(line, sockets[0], shown, on_key, network_s, keyframe_s)


def _close(sockets: list[tuple[socket.socket, socket.socket]]) -> None:
    for pair in sockets:
        for sock in pair:
            sock.close()


def _datagrams(sock: socket.socket, hosts: set[str]) -> list[bytes]:
    """What has come from the camera; what others send is dropped."""
    found = []
    for _ in range(MOST_DATAGRAMS):
        try:
            data, address = sock.recvfrom(1 << 16)
        except OSError:
            # Dry, or an ICMP message about something sent before: the next drain asks again.
            break
        if address[0] in hosts:
            found.append(data)
    return found


def _send_to(sock: socket.socket, data: bytes, address: tuple[str, int]) -> None:
    """A greeting or report that gets lost is no failure."""
    try:
        sock.sendto(data, address)
    except OSError:
        return
