"""SDP: never an exception; URLs stay on the camera's host and fit on a request line."""

from __future__ import annotations

from ingest.cameras.rtsp.sdp import MOST_MEDIA, based, parse

from . import FIXTURES

URL = "rtsp://10.0.0.7:554/cam?channel=1"


def seeds() -> list[bytes]:
    """The SDP of captured conversations, with a Content-Base in front."""
    whole = [path.read_bytes() for path in sorted(FIXTURES.glob("*.rtsp"))]
    bodies = [data[data.index(b"v=0\r\n") :] for data in whole if b"v=0\r\n" in data]
    return [b"rtsp://192.168.1.64:554/cam/\n" + body for body in bodies]


def one(data: bytes) -> None:
    """The first line is Content-Base."""
    base, _, text = data.decode("utf-8", "replace").partition("\n")
    found = parse(text, based(URL, base))
    assert len(found.media) <= MOST_MEDIA
    for url in (found.control_url, *(media.control_url for media in found.media)):
        assert url.startswith("rtsp://10.0.0.7:554")
        assert url[19:20] in ("", "/", "?")
        assert len(url.split()) == 1
