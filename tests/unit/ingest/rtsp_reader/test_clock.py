"""Dating the pictures of an RTP stream: wraps, bursts of old pictures, the camera's own reports."""

from __future__ import annotations

import pytest

from ingest.cameras.rtsp.clock import RtpClock

HZ = 90000
START_S = 1_790_000_000.0


def heard(clock: RtpClock, first: int, seconds: int, delay_s: float = 0.0) -> None:
    for i in range(seconds):
        clock.heard((first + i * HZ) % 2**32, START_S + i + delay_s)


@pytest.mark.parametrize("first", [0, 5, 2**31 - 3 * HZ, 2**32 - 3 * HZ, 2**32 - 1])
def test_times_are_told_across_a_wrap(first: int) -> None:
    clock = RtpClock(HZ)
    heard(clock, first, 10)
    for i in range(10):
        taken_s = clock.taken_s((first + i * HZ) % 2**32, START_S + i + 0.4)
        assert taken_s == pytest.approx(START_S + i), "what waited 0.4 s in the socket was taken 0.4 s before"


def test_nothing_is_taken_after_it_arrived() -> None:
    clock = RtpClock(HZ)
    heard(clock, 0, 5, delay_s=0.3)
    assert clock.taken_s(4 * HZ, START_S + 4.1) == START_S + 4.1


def test_a_cache_of_old_pictures_is_dated_back_once_the_stream_is_in_pace() -> None:
    clock = RtpClock(HZ)
    for i in range(5):
        clock.heard(i * HZ, START_S)
    heard(clock, 5 * HZ, 5)
    assert clock.taken_s(0, START_S) == pytest.approx(START_S - 5)


@pytest.mark.parametrize(
    ("camera_is_off_s", "dated_s"),
    [(0.0, 0.0), (-0.4, -0.4), (-1.9, -1.9), (0.4, 0.0), (-60.0, 0.0), (3600.0, 0.0)],
)
def test_a_report_may_only_make_a_picture_a_little_older(camera_is_off_s: float, dated_s: float) -> None:
    clock = RtpClock(HZ)
    heard(clock, 7, 5)
    clock.reported(START_S + 1 + camera_is_off_s, 7 + HZ)
    assert clock.taken_s(7 + 3 * HZ, START_S + 3) == pytest.approx(START_S + 3 + dated_s)
    assert clock.camera_off_s(7 + 3 * HZ, START_S + 3) == pytest.approx(camera_is_off_s)


def test_without_a_report_the_camera_s_clock_is_unknown() -> None:
    clock = RtpClock(HZ)
    heard(clock, 7, 5)
    assert clock.camera_off_s(7, START_S) is None


def test_a_clock_that_jumps_is_followed_at_once() -> None:
    clock = RtpClock(HZ)
    heard(clock, 0, 5)
    clock.heard(500 * HZ, START_S + 6)
    assert clock.taken_s(500 * HZ, START_S + 6) == START_S + 6
