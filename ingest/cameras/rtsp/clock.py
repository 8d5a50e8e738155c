"""When a picture of an RTP stream was taken: arrival is the truth, the camera's own reports may only make it older."""

from __future__ import annotations

from ..arrival import ArrivalClock

_WRAP = 1 << 32
AGREES_S = 2.0
"""A camera's clock that differs more than this from arrival is wrong, and not used."""


class RtpClock:
    """Maps 32-bit RTP times, which wrap, to seconds since 1970 (UTC). One connection each."""

    __slots__ = ("_arrival", "_hz", "_last", "_report", "_total")

    def __init__(self, clock_hz: int) -> None:
        self._hz = clock_hz
        self._arrival = ArrivalClock()
        self._last: int | None = None
        self._total = 0
        self._report: tuple[float, int] | None = None

    def heard(self, rtp_time: int, now_s: float) -> None:
        """The newest packet of what was read at `now_s`."""
        if self._last is None:
            self._last = self._total = rtp_time
        else:
            self._total += _signed(rtp_time - self._last)
            self._last = rtp_time
        self._arrival.heard(self._total / self._hz, now_s)

    def reported(self, camera_s: float, rtp_time: int) -> None:
        """A sender report: `rtp_time` was `camera_s` by the camera's own clock (RFC 3550 §6.4.1)."""
        self._report = camera_s, rtp_time

    def taken_s(self, rtp_time: int, arrived_s: float) -> float:
        """When what is stamped `rtp_time` was taken; never later than it arrived."""
        by_arrival_s = self._by_arrival_s(rtp_time, arrived_s)
        by_camera_s = self._by_camera_s(rtp_time)
        if by_camera_s is not None and by_arrival_s - AGREES_S <= by_camera_s < by_arrival_s:
            return by_camera_s
        return by_arrival_s

    def camera_off_s(self, rtp_time: int, arrived_s: float) -> float | None:
        """The camera's clock minus ours; None where it sends no reports."""
        by_camera_s = self._by_camera_s(rtp_time)
        return None if by_camera_s is None else by_camera_s - self._by_arrival_s(rtp_time, arrived_s)

    def seconds(self, rtp_time: int) -> float:
        """The stream's own time of `rtp_time`, unwrapped around the newest packet."""
        if self._last is None:
            return rtp_time / self._hz
        return (self._total + _signed(rtp_time - self._last)) / self._hz

    def _by_arrival_s(self, rtp_time: int, arrived_s: float) -> float:
        return self._arrival.taken_s(self.seconds(rtp_time), arrived_s)

    def _by_camera_s(self, rtp_time: int) -> float | None:
        if self._report is None:
            return None
        camera_s, at = self._report
        return camera_s + _signed(rtp_time - at) / self._hz


def _signed(difference: int) -> int:
    """A difference of two 32-bit times, the shorter way round."""
    difference &= _WRAP - 1
    return difference - _WRAP if difference >= _WRAP // 2 else difference
