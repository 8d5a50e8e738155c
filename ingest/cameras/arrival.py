"""When a picture was taken, told from when its packets arrived: pure arithmetic on the two clocks."""

from __future__ import annotations

from datetime import UTC, datetime


class ArrivalClock:
    """Maps a stream's own timestamps to the wall clock.

    A camera's own date is often wrong, so arrival is the truth; but a packet that waited (a server's cache of old
    pictures on connecting, a stalled link, our own probing) arrived late. The packet that waited least gives the
    offset between the two clocks, and every other one is dated by it (a minimum filter, as in RFC 5905 §10). The
    minimum is taken over the last one to two windows, so that a drifting clock is followed, and so long that a
    minute of a machine that cannot keep up still counts as waiting. A jump between two packets starts anew.
    """

    def __init__(self, window_s: float = 60.0, jump_s: float = 10.0) -> None:
        self._window_s = window_s
        self._jump_s = jump_s
        self._window_began_s = 0.0
        self._least_s: float | None = None
        self._least_before_s: float | None = None
        self._delay_s = 0.0

    def arrived(self, pts_s: float, at: datetime) -> None:
        """A packet stamped `pts_s` came at `at`."""
        self.heard(pts_s, at.timestamp())

    def heard(self, pts_s: float, now_s: float) -> None:
        """The same, with the time as seconds since 1970 (UTC)."""
        delay_s = now_s - pts_s
        before_s, self._delay_s = self._delay_s, delay_s
        if self._least_s is None or abs(delay_s - before_s) > self._jump_s:
            self._least_s, self._least_before_s, self._window_began_s = delay_s, None, now_s
        elif now_s - self._window_began_s > self._window_s:
            self._least_s, self._least_before_s, self._window_began_s = delay_s, self._least_s, now_s
        elif delay_s < self._least_s:
            self._least_s = delay_s

    def captured_at(self, pts_s: float, arrived_at: datetime) -> datetime:
        """When the picture stamped `pts_s` was taken; never later than it arrived."""
        arrived_s = arrived_at.timestamp()
        taken_s = self.taken_s(pts_s, arrived_s)
        return arrived_at if taken_s == arrived_s else datetime.fromtimestamp(taken_s, UTC)

    def taken_s(self, pts_s: float, arrived_s: float) -> float:
        """The same in seconds since 1970 (UTC)."""
        if self._least_s is None:
            return arrived_s
        before_s = self._least_before_s
        offset_s = self._least_s if before_s is None else min(self._least_s, before_s)
        return min(arrived_s, pts_s + offset_s)
