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
