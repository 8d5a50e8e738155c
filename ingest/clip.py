"""The seconds before a finding: a bounded ring of coded packets, cut at keyframes and remuxed to MP4."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from .media import Coding, Packet, remux


@dataclass(frozen=True, slots=True)
class Kept:
    """A packet and when it arrived (UTC)."""

    packet: Packet
    arrived_at: datetime


class Ring:
    """The newest packets of one stream, whole groups of pictures only, bounded in seconds and in bytes.

    What no longer fits is dropped group by group and counted in `dropped`. Not thread-safe; its owner locks.
    """

    def __init__(self, span_s: float = 20.0, most_bytes: int = 12_000_000) -> None:
        self._span_s = span_s
        self._most_bytes = most_bytes
        self._kept: deque[Kept] = deque()
        self._bytes = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def held_bytes(self) -> int:
        """Bytes of coded pictures held now."""
        return self._bytes

    def push(self, packet: Packet, arrived_at: datetime) -> None:
        """Add the newest packet; anything before the first keyframe is not kept."""
        if not self._kept and not packet.key:
            return
        self._kept.append(Kept(packet, arrived_at))
        self._bytes += len(packet.data)
        if packet.key:
            self._trim(arrived_at)
        while self._bytes > self._most_bytes:
            self._drop_group()

    def clear(self) -> None:
        """Forget everything: the connection began anew."""
        self._kept.clear()
        self._bytes = 0

    def _trim(self, now: datetime) -> None:
        while (second := self._second_group()) and (now - second.arrived_at).total_seconds() > self._span_s:
            self._drop_group()

    def _second_group(self) -> Kept | None:
        keys = (kept for i, kept in enumerate(self._kept) if i and kept.packet.key)
        return next(keys, None)

    def _drop_group(self) -> None:
        first = True
        while self._kept and (first or not self._kept[0].packet.key):
            self._bytes -= len(self._kept.popleft().packet.data)
            self.dropped += 1
            first = False

    def cut(self, since: datetime, until: datetime, taken_at: Callable[[Kept], datetime]) -> list[Packet]:
        """Packets from the last keyframe taken at or before `since` (else the first held) up to `until`."""
        cut: list[Packet] = []
        for kept in self._kept:
            at = taken_at(kept)
            if at > until:
                break
            if kept.packet.key and at <= since:
                cut.clear()
            cut.append(kept.packet)
        return cut


def make_clip(coding: Coding, packets: Sequence[Packet]) -> bytes | None:
    """MP4 bytes, or None where there is nothing to show."""
    return remux(coding, packets) if packets else None
