"""RTP packets (RFC 3550 §5): where the payload stands, arithmetic on sequence numbers, and order after UDP."""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import NamedTuple

from .nal import Buffer

HEADER_BYTES = 12
_FIXED = Struct(">BBHII").unpack_from
_RESTART_AFTER = 3000
"""A jump of the sequence by more than this is a sender that began anew (MAX_DROPOUT of RFC 3550 A.1)."""


class Header(NamedTuple):
    """A parsed header; `start` and `end` bound the payload in the buffer."""

    marker: bool
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    start: int
    end: int


def parse(buf: Buffer, start: int, end: int) -> Header | None:
    """The header at `start` of a packet that ends before `end`; None where it is no RTP, or holds no payload."""
    if end - start <= HEADER_BYTES:
        return None
    first, second, sequence, timestamp, ssrc = _FIXED(buf, start)
    if first >> 6 != 2:
        return None
    at = start + HEADER_BYTES + 4 * (first & 0x0F)
    if first & 0x10:
        if at + 4 > end:
            return None
        at += 4 + 4 * (buf[at + 2] << 8 | buf[at + 3])
    if first & 0x20:
        end -= buf[end - 1] or 1 << 16
    if at >= end:
        return None
    return Header(second > 127, second & 0x7F, sequence, timestamp, ssrc, at, end)


def steps(since: int, to: int) -> int:
    """How far sequence number `to` is ahead of `since`, -32768..32767 (RFC 1982)."""
    return (to - since + 0x8000 & 0xFFFF) - 0x8000


class Reorder:
    """Puts UDP packets in order again: waits for a missing one while at most `most_packets` newer ones or
    `most_wait_s` seconds have come. Losses are counted, and show as gaps of the sequence to whoever reads on.
    """

    def __init__(self, most_packets: int = 64, most_wait_s: float = 0.2) -> None:
        self._most_packets = most_packets
        self._most_wait_s = most_wait_s
        self._next: int | None = None
        self._held: dict[int, tuple[bytes, float]] = {}
        self._strange: int | None = None
        self.lost = 0
        self.late = 0
        self.duplicates = 0
        self.restarts = 0
        self.damaged = 0

    def push(self, packet: bytes, arrived_s: float) -> Sequence[bytes]:
        """The packets that are in order now; often just this one."""
        if len(packet) < HEADER_BYTES or packet[0] >> 6 != 2:
            self.damaged += 1
            return ()
        sequence = packet[2] << 8 | packet[3]
        if sequence == self._next and not self._held:
            self._next = sequence + 1 & 0xFFFF
            self._strange = None
            return (packet,)
        return self._unexpected(packet, sequence, arrived_s)

    def _unexpected(self, packet: bytes, sequence: int, arrived_s: float) -> list[bytes]:
        if self._next is None:
            self._next = sequence
        ahead = steps(self._next, sequence)
        if abs(ahead) > _RESTART_AFTER:
            return self._restarted(packet, sequence)
        self._strange = None
        if ahead < 0:
            self.late += 1
            return []
        if sequence in self._held:
            self.duplicates += 1
            return []
        self._held[sequence] = packet, arrived_s
        return self._in_order() + self.waited(arrived_s)

    def _restarted(self, packet: bytes, sequence: int) -> list[bytes]:
        """One wild packet is dropped; two in a row are a sender that began anew (RFC 3550 A.1)."""
        if sequence != self._strange:
            self._strange = sequence + 1 & 0xFFFF
            self.late += 1
            return []
        left = self._given_up()
        self.restarts += 1
        self._next, self._strange = sequence + 1 & 0xFFFF, None
        return [*left, packet]

    def waited(self, now_s: float) -> list[bytes]:
        """What need not wait any longer; call it also when nothing came for a while."""
        out: list[bytes] = []
        while self._held:
            oldest_s = min(arrived_s for _, arrived_s in self._held.values())
            if len(self._held) <= self._most_packets and 0 <= now_s - oldest_s <= self._most_wait_s:
                break
            out += self._past_the_gap()
        return out

    def _past_the_gap(self) -> list[bytes]:
        expected = self._next or 0
        ahead = min(steps(expected, sequence) for sequence in self._held)
        self.lost += ahead
        self._next = expected + ahead & 0xFFFF
        return self._in_order()

    def _in_order(self) -> list[bytes]:
        out = []
        while self._next is not None and self._next in self._held:
            out.append(self._held.pop(self._next)[0])
            self._next = self._next + 1 & 0xFFFF
        return out

    def _given_up(self) -> list[bytes]:
        out: list[bytes] = []
        while self._held:
            out += self._past_the_gap()
        return out
