"""RTCP (RFC 3550 §6): what a camera reports of its clock and its end, and what we report back of losses and jitter."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct, pack

from .nal import Buffer
from .rtp import steps

SENDER, RECEIVER, DESCRIPTION, BYE = 200, 201, 202, 203
PACKET_TYPES = range(192, 214)
_1900_TO_1970_S = 2_208_988_800
_ERA_S = 1 << 32
_CNAME = 1
_SENDER = Struct(">IIIIII").unpack_from
_WORD = Struct(">I").unpack_from
_RESTART_AFTER = 3000


@dataclass(frozen=True, slots=True)
class SenderReport:
    """The sender's clock: at `ntp_utc_s` (None: it has no clock) its RTP clock stood at `rtp_time`."""

    ssrc: int
    ntp_utc_s: float | None
    ntp_middle: int
    rtp_time: int
    packets: int
    octets: int


@dataclass(frozen=True, slots=True)
class Bye:
    """Senders that end."""

    ssrcs: tuple[int, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Description:
    """The lasting name (CNAME) of a sender."""

    ssrc: int
    cname: str


Report = SenderReport | Bye | Description


def utc_of_ntp(seconds: int, fraction: int) -> float | None:
    """Seconds since 1970 of an NTP time stamp; None for 0 (no clock). The era turns in February 2036 (RFC 4330 §3)."""
    if not seconds and not fraction:
        return None
    era_s = 0 if seconds & 0x80000000 else _ERA_S
    return seconds + era_s - _1900_TO_1970_S + fraction / _ERA_S


def parse(buf: Buffer, start: int, end: int) -> list[Report]:
    """The reports of a compound packet, as far as it is well-formed. What we don't use is skipped."""
    found: list[Report] = []
    while end - start >= 4 and buf[start] >> 6 == 2 and buf[start + 1] in PACKET_TYPES:
        count, kind = buf[start] & 0x1F, buf[start + 1]
        after = start + 4 + 4 * (buf[start + 2] << 8 | buf[start + 3])
        if after > end:
            break
        if kind == SENDER and after - start >= 28:
            ssrc, high, low, rtp_time, packets, octets = _SENDER(buf, start + 4)
            middle = (high & 0xFFFF) << 16 | low >> 16
            found.append(SenderReport(ssrc, utc_of_ntp(high, low), middle, rtp_time, packets, octets))
        elif kind == BYE:
            found.append(_bye(bytes(buf[start + 4 : after]), count))
        elif kind == DESCRIPTION:
            found += _descriptions(bytes(buf[start + 4 : after]), count)
        start = after
    return found


def _bye(body: bytes, count: int) -> Bye:
    whole = min(count, len(body) // 4)
    reason = body[4 * whole + 1 : 4 * whole + 1 + body[4 * whole]] if len(body) > 4 * whole else b""
    return Bye(tuple(_WORD(body, 4 * i)[0] for i in range(whole)), reason.decode(errors="replace"))


def _descriptions(body: bytes, count: int) -> list[Description]:
    found: list[Description] = []
    at = 0
    while count and at + 4 <= len(body):
        ssrc = _WORD(body, at)[0]
        at += 4
        while at + 1 < len(body) and body[at]:
            size = body[at + 1]
            if body[at] == _CNAME:
                found.append(Description(ssrc, body[at + 2 : at + 2 + size].decode(errors="replace")))
            at += 2 + size
        at += 4 - at % 4
        count -= 1
    return found


class Reception:
    """What we tell the sender of its stream: losses (RFC 3550 A.3) and jitter (A.8), over batches of packets."""

    def __init__(self, clock_hz: int) -> None:
        self._clock_hz = clock_hz
        self._first = 0
        self._highest: int | None = None
        self._received = 0
        self._told = (0, 0)
        self._transit: float | None = None
        self._jitter = 0.0
        self._sender: tuple[int, float] | None = None

    def took(self, packets: int, sequence: int, rtp_time: int, arrived_s: float) -> None:
        """`packets` came, the newest of them with `sequence` and `rtp_time`.

        Jitter takes one packet a batch: those before it waited for the read, not for the network.
        """
        highest = self._highest
        ahead = 0 if highest is None else steps(highest & 0xFFFF, sequence)
        if highest is None or abs(ahead) > _RESTART_AFTER + packets:
            self._first = sequence - packets + 1 & 0xFFFF
            self._highest = self._first + packets - 1
            self._received, self._told, self._transit = 0, (0, 0), None
        elif ahead > 0:
            self._highest = highest + ahead
        self._received += packets
        transit = arrived_s * self._clock_hz - rtp_time
        if self._transit is not None:
            # Modulo the 32 bits of the RTP clock: a wrap is no jitter.
            moved = abs((transit - self._transit + 0x80000000) % _ERA_S - 0x80000000)
            self._jitter += (moved - self._jitter) / 16
        self._transit = transit

    def sender_said(self, report: SenderReport, arrived_s: float) -> None:
        """Keep what the next report of ours refers back to (LSR, DLSR)."""
        self._sender = report.ntp_middle, arrived_s

    @property
    def lost(self) -> int:
        """Packets that never came since the sender began; 0 or more."""
        return max(0, self._expected - self._received)

    @property
    def jitter_s(self) -> float:
        """Mean deviation of the time packets are under way, in seconds."""
        return self._jitter / self._clock_hz

    @property
    def _expected(self) -> int:
        return 0 if self._highest is None else self._highest - self._first + 1

    def receiver_report(self, own_ssrc: int, ssrc: int, cname: str, now_s: float) -> bytes:
        """A compound of RR and SDES about sender `ssrc`; the fraction lost counts since the last such report."""
        expected, received = self._expected, self._received
        new, came = expected - self._told[0], received - self._told[1]
        self._told = expected, received
        fraction = min(255, max(0, (new - came) * 256 // new)) if new > 0 else 0
        lost = max(-0x800000, min(0x7FFFFF, expected - received)) & 0xFFFFFF
        middle, since_s = self._sender or (0, now_s)
        delay = min(0xFFFFFFFF, max(0, int((now_s - since_s) * 65536)))
        block = pack(
            ">IIIIII",
            ssrc,
            fraction << 24 | lost,
            (self._highest or 0) & 0xFFFFFFFF,
            min(0xFFFFFFFF, int(self._jitter)),
            middle,
            delay,
        )
        name = cname.encode()[:255]
        item = bytes((_CNAME, len(name))) + name + b"\0"
        item += bytes(-len(item) % 4)
        report = pack(">BBHI", 0x81, RECEIVER, 7, own_ssrc) + block
        return report + pack(">BBHI", 0x81, DESCRIPTION, 1 + len(item) // 4, own_ssrc) + item
