"""Dating pictures by the packets that waited least."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ingest.cameras.arrival import ArrivalClock

T0 = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def test_steady_packets_are_dated_by_their_arrival() -> None:
    clock = ArrivalClock()
    for i in range(50):
        clock.arrived(1000 + i * 0.1, at(i * 0.1))
    assert clock.captured_at(1004.9, at(4.9)) == at(4.9)


def test_a_burst_of_cached_pictures_gets_its_true_age() -> None:
    """A server sends its cached 2 s at once on connecting; then packets come in pace."""
    clock = ArrivalClock()
    for i in range(20):
        clock.arrived(i * 0.1, at(0.0))
    clock.arrived(2.0, at(0.1))
    assert abs((clock.captured_at(0.0, at(0.0)) - at(-1.9)).total_seconds()) < 0.01


def test_a_stalled_link_does_not_make_pictures_younger() -> None:
    clock = ArrivalClock()
    clock.arrived(0.0, at(0.0))
    clock.arrived(1.0, at(4.0))
    assert clock.captured_at(1.0, at(4.0)) == at(1.0)


def test_never_later_than_it_arrived() -> None:
    clock = ArrivalClock()
    clock.arrived(0.0, at(1.0))
    assert clock.captured_at(5.0, at(1.5)) == at(1.5)


def test_a_jump_of_the_cameras_clock_starts_anew() -> None:
    clock = ArrivalClock()
    clock.arrived(100.0, at(0.0))
    clock.arrived(5000.0, at(0.1))
    assert abs((clock.captured_at(5000.0, at(0.1)) - at(0.1)).total_seconds()) < 0.001


def test_a_slow_clock_is_followed() -> None:
    """The camera loses 1 % : without the window, an hour later its pictures would be dated 36 s back."""
    clock = ArrivalClock(window_s=10.0)
    for i in range(3600):
        clock.arrived(i * 0.99, at(i))
    assert (at(3599) - clock.captured_at(3599 * 0.99, at(3599))).total_seconds() < 0.5


def test_without_packets_arrival_is_all_there_is() -> None:
    assert ArrivalClock().captured_at(3.0, at(7)) == at(7)


def test_a_backlog_that_grows_for_a_minute_is_waiting_not_a_jump() -> None:
    """The machine falls behind by half a second each second: what it reads is as old as it is."""
    clock = ArrivalClock()
    for i in range(30):
        clock.arrived(i, at(i))
    for i in range(30):
        clock.arrived(30 + i * 0.5, at(30 + i))
    assert clock.captured_at(44.5, at(59)) == at(44.5)
