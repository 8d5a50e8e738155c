"""What the looking attains: intervals over all cameras, and how old pictures are when they are handed over."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

ON_TIME = 1.2
"""A camera is on time while its attained interval is at most this many times the wanted one."""


@dataclass(frozen=True, slots=True)
class Attained:
    """Seconds between looks over `cameras` cameras; `on_time`: share of them within ON_TIME of the wanted interval."""

    cameras: int = 0
    median_s: float = 0.0
    p95_s: float = 0.0
    worst_s: float = 0.0
    on_time: float = 1.0


def attained(pairs: Iterable[tuple[float, float]]) -> Attained:
    """Of (attained, wanted) seconds, one pair a camera."""
    listed = list(pairs)
    if not listed:
        return Attained()
    seconds = sorted(got for got, _ in listed)
    on_time = sum(got <= ON_TIME * wanted for got, wanted in listed) / len(listed)
    return Attained(len(listed), quantile(seconds, 0.5), quantile(seconds, 0.95), seconds[-1], on_time)


@dataclass(frozen=True, slots=True)
class Ages:
    """Quantiles of the newest looks, in seconds."""

    looks: int = 0
    p50_s: float = 0.0
    p95_s: float = 0.0
    p99_s: float = 0.0
    worst_s: float = 0.0


class LookAges:
    """How old the newest `most` pictures were when they were handed over. Any thread may add."""

    def __init__(self, most: int = 4096) -> None:
        self._ages: deque[float] = deque(maxlen=most)
        self.add = self._ages.append

    def ages(self) -> Ages:
        """Their quantiles."""
        ages = sorted(self._ages.copy())
        if not ages:
            return Ages()
        return Ages(len(ages), *(quantile(ages, share) for share in (0.5, 0.95, 0.99, 1.0)))


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below or at which `share` of `ordered` lie (nearest rank); `ordered` holds at least one."""
    return ordered[max(0, min(len(ordered) - 1, -(-int(share * 1000) * len(ordered) // 1000) - 1))]
