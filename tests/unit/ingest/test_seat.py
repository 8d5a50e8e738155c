"""A seat hands on to its camera's health what its source knows besides pictures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ingest.device import Camera
from ingest.frame import Frame
from ingest.health import Health
from ingest.seat import Seat
from tests.peers.clips import street

T0 = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
CAMERA = Camera("a", "A", "rtsp://127.0.0.1:9/a")


class Wrong:
    """A source whose camera is an hour ahead."""

    camera, via, clock_off_s = CAMERA, "RTSP/TCP h264", 3600.0

    def look(self, not_before: datetime, timeout_s: float) -> Frame:
        return Frame("a", None, not_before, street(320, 180))

    def close(self) -> None:
        pass


def test_how_it_is_read_and_what_time_it_thinks_it_is() -> None:
    seat, source = Seat(CAMERA, CAMERA, Health("a", T0)), Wrong()
    seat.take(source)
    states = [seat.saw(source.look(T0 + timedelta(seconds=10 * i), 0.0))[1] for i in range(4)]
    assert [s.state for s in states] == ["online", "online", "clock_wrong", "clock_wrong"]
    assert (states[-1].via, states[-1].clock_off_s) == ("RTSP/TCP h264", 3600.0)


def test_who_asks_for_now_does_not_wait_for_who_asked_for_later() -> None:
    seat, later, most = Seat(CAMERA, CAMERA, Health("a", T0)), T0 + timedelta(seconds=40), timedelta(seconds=60)
    for at in (later, T0 - timedelta(seconds=2), T0, T0 + timedelta(hours=8)):
        seat.ask(at, T0)
    assert seat.asked_by(T0, most) == T0
    assert seat.asked == {T0, later}, "one stands for all that have come; what is hours ahead is given up"
    assert seat.asked_by(later, most) == later
