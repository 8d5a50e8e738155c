"""What readings of a span of time come to: their average, the change within it, how often something happened. Pure.

Readings are summed up in buckets of a part of the span, so that a day of readings every second costs as little as a
day of readings every hour. Times are seconds since 1970.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

BUCKETS = 24
COVERED = 0.75
"""Share of the span that readings must cover before their average says something."""


class Bucket(NamedTuple):
    """Readings of one part of a span."""

    start_s: float
    readings: int
    total: float
    low: float
    high: float
    events: int


@dataclass(frozen=True, slots=True)
class Span:
    """`how` readings of the last `over_s` become one value: average, change (the largest, either way), count."""

    how: str
    over_s: float

    def add(self, buckets: Sequence[Any], value: float, at_s: float) -> tuple[Bucket, ...]:
        """`buckets` (of this span, or the lists that JSON made of them) with one more reading, newer than all."""
        kept = [b if type(b) is Bucket else Bucket(*b) for b in buckets if b[0] > at_s - self.over_s]
        event = 1 if value else 0
        if kept and at_s - kept[-1].start_s < self.over_s / BUCKETS:
            last = kept[-1]
            kept[-1] = Bucket(
                last.start_s, last.readings + 1, last.total + value, min(last.low, value), max(last.high, value),
                last.events + event,
            )  # fmt: skip
        else:
            kept.append(Bucket(at_s, 1, value, value, value, event))
        return tuple(kept)

    def value(self, buckets: Sequence[Bucket], value: float, at_s: float) -> float | None:
        """What the span comes to with its newest reading `value`; None while too few readings say anything."""
        if self.how == "count":
            return float(sum(b.events for b in buckets))
        if self.how == "change":
            return max(value - min(b.low for b in buckets), max(b.high for b in buckets) - value)
        if at_s - buckets[0].start_s < COVERED * self.over_s:
            return None
        # Of the buckets, not of the readings: a device that speaks more often in an alarm must not weigh more.
        return sum(b.total / b.readings for b in buckets) / len(buckets)


def earlier(buckets: Sequence[Any], by_s: float) -> list[Bucket]:
    """The same buckets (or the lists that JSON made of them), so much earlier."""
    return [Bucket(*b)._replace(start_s=b[0] - by_s) for b in buckets]
