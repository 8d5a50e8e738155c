"""Logs that cannot flood, and credentials that never show."""

from __future__ import annotations

import logging

import pytest

from ingest.complaints import Complaints
from ingest.device import Camera
from ingest.errors import Lost, shown_url, without_credentials


def test_one_line_a_minute_for_each_device_and_kind(caplog: pytest.LogCaptureFixture) -> None:
    now_s = 0.0
    complaints = Complaints(logging.getLogger("ingest"), 60.0, lambda: now_s)
    with caplog.at_level(logging.WARNING, "ingest"):
        for i in range(313):
            complaints.say("cam-1", "not_video", f"picture {i}")
        complaints.say("cam-2", "not_video", "other camera")
        complaints.say("cam-1", "lost", "other kind")
        assert len(caplog.records) == 3
        now_s = 61.0
        complaints.say("cam-1", "not_video", "rtsp://u:pw@h/x: once more")
    assert caplog.messages[-1] == "cam-1: 313 not_video errors, last was: rtsp://h/x: once more"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rtsp://admin:pw123@10.0.0.5:554/ch1", "rtsp://10.0.0.5:554/ch1"),
        ("rtsp://admin:p@ss@10.0.0.5/ch1", "rtsp://10.0.0.5/ch1"),
        ("rtsp://admin:pa/ss@10.0.0.5/ch1", "rtsp://10.0.0.5/ch1"),
        ("rtsp://10.0.0.5:554/ch1@main", "rtsp://10.0.0.5:554/ch1@main"),
        ("http://h/s.cgi?user=admin&password=pw&n=1", "http://h/s.cgi?user=***&password=***&n=1"),
        ("from rtsp://a:b@h/1 to mqtt://c:d@k", "from rtsp://h/1 to mqtt://k"),
        ("nothing to hide: 3@4", "nothing to hide: 3@4"),
        (
            "rtsp://h/user=admin_password=tlJw_channel=1_stream=0.sdp?real",
            "rtsp://h/user=***_password=***_channel=1_stream=0.sdp?real",
        ),
        ("rtsp://h/user=admin&password=pw&channel=1&s.sdp?", "rtsp://h/user=***&password=***&channel=1&s.sdp?"),
    ],
)
def test_credentials_are_hidden(text: str, shown: str) -> None:
    assert without_credentials(text) == shown
    assert str(Lost(text)) == shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://admin:it's@10.0.0.5/ch1", "rtsp://10.0.0.5/ch1"),
        ('rtsp://admin:say "x"@10.0.0.5:554/ch1', "rtsp://10.0.0.5:554/ch1"),
        ("rtsp://admin:my pass@10.0.0.5/ch1", "rtsp://10.0.0.5/ch1"),
        ("libav+rtsp://admin:my p/s@10.0.0.5/ch1", "libav+rtsp://10.0.0.5/ch1"),
        ("PUT http://admin:it's@10.0.0.5/goto?n=1", "PUT http://10.0.0.5/goto?n=1"),
        ("rtsp://10.0.0.5:554/ch1@main", "rtsp://10.0.0.5:554/ch1@main"),
        ("rtsp://10.0.0.5/it's@home", "rtsp://10.0.0.5/it's@home"),
        ("http://h/s.cgi?password=pw", "http://h/s.cgi?password=***"),
        ("file:///a b/c@d", "file:///a b/c@d"),
    ],
)
def test_a_url_alone_hides_whatever_a_password_is_made_of(url: str, shown: str) -> None:
    assert shown_url(url) == shown
    assert Camera("c", "c", url).safe_url == shown
