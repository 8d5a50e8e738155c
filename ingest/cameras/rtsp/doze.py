"""When a stream need not be walked because nobody looks at it for a while: pure, told the time.

A picture that nobody looks at is never decoded; here its packets are not even walked. Shortly before the last keyframe
that comes ahead of the next look they are again: it is there when the look comes, as old as it would be anyway.
"""

from __future__ import annotations

from dataclasses import dataclass

SURE_S = 0.3
"""A keyframe is whole so long after its time: sent, and read."""
EARLY_S = 0.25
"""A keyframe comes no more than this before it is expected; the wheel may be a tenth of a second late for it."""
LEAST_S = 1.0
"""Shorter dozes are not worth finding the way back into the packets."""
AFTER_S = 0.2
"""A look that follows a keyframe comes so long after it is surely whole: clocks and cameras are not that exact."""
_FOLLOWED = 4
"""Looks follow keyframes of which so many come in the wait: none comes sooner or later by more than an eighth of it."""
_FORGET = 0.25
"""Share of a keyframe interval's shortening that is believed at once."""
_EVEN_S = 0.1
_EVEN_KEYS = 3
"""So many keyframes in a row must come evenly, within `_EVEN_S`, before the time of the next one is relied on."""


@dataclass(slots=True, eq=False)
class Doze:
    """One stream's. `until_s` is on the clock that `until` is told; it may be set from any thread."""

    until_s: float = 0.0
    interval_s: float = 0.0
    """Between keyframes, as far as it is known; 0: not yet."""
    _woke_s: float | None = None
    _number: int | None = None
    _stream_s: float | None = None
    _taken_s: float = 0.0
    _even: int = 0

    def best(self, look_in_s: float, wall_s: float) -> float:
        """When to look instead of in `look_in_s`, it being `wall_s`: right after the keyframe that is nearest to then.

        The picture is fresher by half a keyframe interval, and less is walked for it. The same where keyframes come
        unevenly or rarely.
        """
        if self._even < _EVEN_KEYS or not 0 < self.interval_s <= look_in_s / _FOLLOWED:
            return look_in_s
        late_s = (wall_s + look_in_s - SURE_S - AFTER_S - self._taken_s) % self.interval_s
        return look_in_s + (self.interval_s - late_s if late_s > self.interval_s / 2 else -late_s)

    def until(self, look_in_s: float, now_s: float, wall_s: float) -> None:
        """The next look comes in `look_in_s`; it is `now_s`, `wall_s` since 1970. Any thread."""
        until_s = now_s + look_in_s - self._lead_s(wall_s + look_in_s)
        self.until_s = until_s if self.interval_s and until_s - now_s >= LEAST_S else 0.0

    def _lead_s(self, look_s: float) -> float:
        """How long before the look it must be walked again."""
        if self._even < _EVEN_KEYS:
            return self.interval_s + SURE_S
        return (look_s - SURE_S - self._taken_s) % self.interval_s + SURE_S + EARLY_S

    def wake(self) -> None:
        """Somebody wants a picture sooner. Any thread."""
        self.until_s = 0.0

    def passed_over(self, wall_s: float) -> None:
        """What came up to `wall_s` was not walked."""
        self._woke_s, self._number = wall_s, None

    def key(self, number: int, stream_s: float, taken_s: float) -> None:
        """The keyframe `number` was walked: of `stream_s` on the stream's clock, taken at `taken_s` since 1970."""
        if self._stream_s is not None:
            self._learn(number, stream_s - self._stream_s, taken_s)
        self._number, self._stream_s, self._taken_s, self._woke_s = number, stream_s, taken_s, None

    def _learn(self, number: int, gap_s: float, taken_s: float) -> None:
        if self._number is not None and number > self._number:
            gap_s /= number - self._number
            if gap_s <= 0:
                return
            even = abs(gap_s - self.interval_s) <= _EVEN_S
            self.interval_s = max(gap_s, self.interval_s - _FORGET * (self.interval_s - gap_s))
        else:
            # Keyframes were passed over in between: a whole number of intervals, if they are even.
            off_s = gap_s % self.interval_s if self.interval_s else 0.0
            even = min(off_s, self.interval_s - off_s) <= _EVEN_S
            if self._woke_s is not None:
                # The interval is at least as long as this one was waited for.
                self.interval_s = max(self.interval_s, taken_s - self._woke_s)
        self._even = self._even + 1 if even else 0
