"""What real servers said, captured: gst-rtsp-server 1.22 and VLC 3.0.24, heard again byte by byte or at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.cameras.rtsp.message import MessageReader, Request, Response, parse_text
from ingest.cameras.rtsp.session import Event, Failed, Odd, Playing, Send, Session, Tcp, Udp
from ingest.errors import NotFound, SignInRefused

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures" / "rtsp"


def hear(name: str, path: str, piece: int, way: Tcp | Udp | None = None) -> tuple[list[str], list[Event]]:
    """Methods sent, and events other than Send; a keep-alive is sent once it plays."""
    session = Session(f"rtsp://10.0.0.7{path}", "admin", "pw123", way)
    reader, sent, events = MessageReader(), [session.begin()], list[Event]()
    data = (FIXTURES / f"{name}.rtsp").read_bytes()
    for at in range(0, len(data), piece):
        reader.feed(data[at : at + piece])
        for message in reader.messages():
            for event in session.receive(message):
                if isinstance(event, Send):
                    sent.append(event.data)
                else:
                    events.append(event)
                    sent += [session.keepalive()] if isinstance(event, Playing) else []
    assert reader.rest() == b""
    asked = [found[0] for data in sent if (found := parse_text(data, 0, len(data)))]
    assert all(isinstance(one, Request) and one.url.startswith("rtsp://10.0.0.7/") for one in asked)
    return [one.method for one in asked if isinstance(one, Request)], events


OPENED = ["OPTIONS", "DESCRIBE", "SETUP", "PLAY", "GET_PARAMETER"]
SIGNED_IN = ["OPTIONS", "DESCRIBE", "DESCRIBE", "SETUP", "PLAY", "GET_PARAMETER"]


@pytest.mark.parametrize("piece", [1, 100, 1 << 20])
@pytest.mark.parametrize(
    ("name", "path", "methods", "codec"),
    [
        ("gst_open", "/cam", OPENED, "h264"),
        ("gst_hevc", "/hevc", OPENED, "hevc"),
        ("gst_digest", "/cam", SIGNED_IN, "h264"),
        ("gst_basic", "/cam", SIGNED_IN, "h264"),
    ],
)
def test_gst_over_tcp(name: str, path: str, methods: list[str], codec: str, piece: int) -> None:
    asked, events = hear(name, path, piece)
    (event,) = events
    assert asked == methods
    assert isinstance(event, Playing)
    assert (event.media.codec, event.rtp_channel, event.rtcp_channel) == (codec, 0, 1)
    assert event.media.parameter_sets.count(b"\x00\x00\x00\x01") == (2 if codec == "h264" else 3)
    assert event.media.framerate == 5
    assert event.ssrc is not None


@pytest.mark.parametrize(("name", "path"), [("gst_udp", "/cam"), ("vlc_udp", "/vlc")])
def test_udp(name: str, path: str) -> None:
    asked, events = hear(name, path, 50, Udp(40000, 40001))
    (event,) = events
    assert asked == OPENED
    assert isinstance(event, Playing)
    assert event.server_ports is not None
    assert event.server_ports[1] == event.server_ports[0] + 1


def test_vlc_refuses_tcp() -> None:
    _, events = hear("vlc_tcp", "/vlc", 50)
    assert events == [Odd("answers only UDP (461)", udp_only=True)]


@pytest.mark.parametrize(("name", "error"), [("gst_not_found", NotFound), ("gst_refused", SignInRefused)])
def test_gst_says_no(name: str, error: type[Exception]) -> None:
    _, events = hear(name, "/cam", 50)
    (event,) = events
    assert isinstance(event, Failed)
    assert isinstance(event.error, error)


def test_a_stream_in_between_is_read_as_packets() -> None:
    reader = MessageReader()
    reader.feed((FIXTURES / "gst_digest.rtsp").read_bytes())
    messages = list(reader.messages())
    assert sum(isinstance(message, Response) for message in messages) == 6
    assert sum(not isinstance(message, Response) for message in messages) > 3
