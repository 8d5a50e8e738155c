"""The pictures of a scripted RTSP camera on their way to one client, over its connection or as datagrams."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import suppress
from typing import Protocol

from .payload import Clip, goodbye, interleaved, is_key, is_parameter_set, nal_units, payloads, sender_report
from .rtsp_script import Script
from .rtsp_words import Asked


class Visit(Protocol):
    """One client's connection."""

    writer: asyncio.StreamWriter
    way: Way | None

    @property
    def script(self) -> Script: ...

    @property
    def clip(self) -> Clip: ...

    async def send(self, data: bytes) -> None: ...

    def end(self, reset: bool = False) -> None: ...


class Stream:
    """What one client gets to see."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._clip, self._at = visit.clip, 0
        self._sequence, self._packets, self._octets = 0xFFF0, 0, 0
        self._began_s = time.monotonic()
        self._due_s = self._began_s
        self._reported_s = 0.0
        self._kept: bytes | None = None

    async def run(self) -> None:
        with suppress(OSError):
            while True:
                await asyncio.sleep(max(0.0, self._due_s - time.monotonic()))
                await self.step()

    async def step(self) -> None:
        """One picture."""
        visit, script = self._visit, self._visit.script
        if visit.clip is not self._clip:
            self._clip, self._at = visit.clip, 0
        unit = self._clip.units[self._at % len(self._clip.units)]
        at_s = self._due_s - self._began_s + script.stamp_off_s
        self._at += 1
        self._due_s = max(self._due_s + 1 / self._clip.fps, time.monotonic() - 1.0)
        if script.silent or script.frozen:
            return
        await self._report(script, at_s)
        packets = self._coded(unit, script, round(at_s * 90000))
        if script.reset_in_key and is_key(self._clip.codec, unit):
            await self._way.media(packets[: max(1, len(packets) // 2)])
            visit.end(reset=True)
            return
        await self._way.media(self._disturbed(packets, script))
        if script.odd_channel is not None:
            await visit.send(interleaved(script.odd_channel, b"\x00something else"))

    @property
    def _way(self) -> Way:
        if self._visit.way is None:
            raise ConnectionAbortedError
        return self._visit.way

    def _coded(self, unit: bytes, script: Script, rtp_time: int) -> list[bytes]:
        codec = self._clip.codec
        nals = [nal for nal in nal_units(unit) if script.in_band or not is_parameter_set(codec, nal)]
        bodies = list(payloads(codec, nals, script.mtu, script.aggregate))
        made = []
        for n, body in enumerate(bodies):
            last = script.markers and n == len(bodies) - 1
            made.append(script.header.packet(self._sequence, rtp_time, last, body))
            self._sequence += 1
            self._octets += len(body)
        self._packets += len(bodies)
        return made

    def _disturbed(self, packets: list[bytes], script: Script) -> list[bytes]:
        """Some lost, some behind their successor."""
        sent: list[bytes] = []
        for n, packet in enumerate(packets, self._packets - len(packets) + 1):
            if script.lose_every and n % script.lose_every == 0:
                continue
            if script.swap_every and n % script.swap_every == 0 and self._kept is None:
                self._kept = packet
                continue
            sent.append(packet)
            if self._kept is not None:
                sent.append(self._kept)
                self._kept = None
        return sent

    async def _report(self, script: Script, at_s: float) -> None:
        now_s = time.monotonic()
        if script.report_every_s and now_s - self._reported_s >= script.report_every_s:
            self._reported_s = now_s
            wall_s, ssrc = time.time() + script.clock_off_s, script.header.ssrc
            await self._way.control(sender_report(ssrc, wall_s, round(at_s * 90000), self._packets, self._octets))


class Interleaved:
    """Media over the connection itself."""

    def __init__(self, visit: Visit, asked: Asked) -> None:
        self._visit = visit
        self._rtp, self._rtcp = visit.script.channels or asked.numbers("interleaved") or (0, 1)
        self.answer = f"RTP/AVP/TCP;unicast;interleaved={self._rtp}-{self._rtcp}"

    async def media(self, packets: list[bytes]) -> None:
        await self._visit.send(b"".join(interleaved(self._rtp, packet) for packet in packets))

    async def control(self, packet: bytes) -> None:
        await self._visit.send(interleaved(self._rtcp, packet))

    def close(self) -> None:
        pass


class Datagrams:
    """Media over UDP."""

    def __init__(self, visit: Visit, asked: Asked) -> None:
        ports = asked.numbers("client_port") or (0, 0)
        client = visit.writer.get_extra_info("peername")[0]
        self._to, self._to_control = (client, ports[0]), (client, ports[1])
        self._media, self._control = _two_ports()
        self._ssrc = visit.script.header.ssrc
        own = f"{self._media.getsockname()[1]}-{self._control.getsockname()[1]}"
        self.answer = f"RTP/AVP;unicast;client_port={ports[0]}-{ports[1]};server_port={own};ssrc={self._ssrc:08X}"

    async def media(self, packets: list[bytes]) -> None:
        for packet in packets:
            self._media.sendto(packet, self._to)

    async def control(self, packet: bytes) -> None:
        self._control.sendto(packet, self._to_control)

    def close(self) -> None:
        with suppress(OSError):
            self._control.sendto(goodbye(self._ssrc), self._to_control)
        self._media.close()
        self._control.close()


Way = Interleaved | Datagrams


def _two_ports() -> tuple[socket.socket, socket.socket]:
    """An even UDP port and the next one (RFC 3550 §11)."""
    for port in range(36000, 60000, 2):
        made: list[socket.socket] = []
        try:
            for one in (port, port + 1):
                made.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                made[-1].bind(("127.0.0.1", one))
            return made[0], made[1]
        except OSError:
            for taken in made:
                taken.close()
    raise OSError("no two UDP ports are free")
