"""Descriptions as cameras write them, and where their tracks are set up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.cameras.rtsp.sdp import MOST_MEDIA, based, parse, resolved, without_user

URL = "rtsp://10.0.0.7:554/cam"
START = b"\x00\x00\x00\x01"

HIKVISION = """v=0
o=- 1109162014219182 1109162014219192 IN IP4 0.0.0.0
s=Media Presentation
b=AS:5100
t=0 0
a=control:rtsp://192.168.1.64:554/Streaming/Channels/101/?transportmode=unicast
m=video 0 RTP/AVP 96
b=AS:5000
a=recvonly
a=x-dimensions:1920,1080
a=control:rtsp://192.168.1.64:554/Streaming/Channels/101/trackID=1?transportmode=unicast
a=rtpmap:96 H264/90000
a=fmtp:96 profile-level-id=420029; packetization-mode=1; sprop-parameter-sets=Z00AKp2oHgCJ+WbgICAoAAAfQAAGGoQg,aO48gA==
m=audio 0 RTP/AVP 8
a=control:rtsp://192.168.1.64:554/Streaming/Channels/101/trackID=2?transportmode=unicast
a=rtpmap:8 PCMA/8000
a=Media_header:MEDIAINFO=494D4B48010200000400000100000000;
"""
DAHUA = """v=0
o=- 2208989105 2208989105 IN IP4 0.0.0.0
s=RTP Session/2.0
c=IN IP4 0.0.0.0
t=0 0
a=control:*
a=range:npt=now-
m=video 0 RTP/AVP 98
a=control:trackID=0
a=framerate:25.000000
a=rtpmap:98 H265/90000
a=fmtp:98 profile-id=1;sprop-sps=QgEB;sprop-pps=RAHB;sprop-vps=QAEM
a=recvonly
m=application 0 RTP/AVP 107
a=control:trackID=4
a=rtpmap:107 vnd.onvif.metadata/90000
"""


def test_hikvision_behind_nat() -> None:
    found = parse(HIKVISION, URL)
    assert found.control_url == "rtsp://10.0.0.7:554/Streaming/Channels/101/?transportmode=unicast"
    video, audio = found.media
    assert video.control_url == "rtsp://10.0.0.7:554/Streaming/Channels/101/trackID=1?transportmode=unicast"
    assert (video.kind, video.codec, video.payload_type, video.clock_hz) == ("video", "h264", 96, 90000)
    assert (video.packetization_mode, video.direction, video.packetization) == (1, "recvonly", "")
    assert video.parameter_sets.startswith(START + b"\x67")
    assert video.parameter_sets.endswith(START + b"\x68\xee\x3c\x80")
    assert (audio.kind, audio.codec, audio.clock_hz) == ("audio", "pcma", 8000)


def test_dahua_with_h265() -> None:
    base = based(URL, "rtsp://10.0.0.7:554/cam/realmonitor?channel=1&subtype=0/")
    video, application = parse(DAHUA, base).media
    assert video.control_url == "rtsp://10.0.0.7:554/cam/realmonitor?channel=1&subtype=0/trackID=0"
    assert (video.codec, video.framerate) == ("hevc", 25.0)
    assert video.parameter_sets == START + b"\x40\x01\x0c" + START + b"\x42\x01\x01" + START + b"\x44\x01\xc1"
    assert application.codec == "vnd.onvif.metadata"


@pytest.mark.parametrize(
    ("base", "control", "url"),
    [
        (URL, "", URL),
        (URL, "*", URL),
        (URL, "trackID=1", f"{URL}/trackID=1"),
        (f"{URL}/", "trackID=1", f"{URL}/trackID=1"),
        (f"{URL}?a=1", "track1", f"{URL}?a=1/track1"),
        (URL, "/cam/track1", f"{URL}/track1"),
        (URL, "/track1", f"{URL}/track1"),
        (URL, "rtsp://192.168.1.2/x?y=1", "rtsp://10.0.0.7:554/x?y=1"),
        (URL, "RTSP://u:p@192.168.1.2:8554/x", "rtsp://10.0.0.7:554/x"),
        (URL, "rtsp://192.168.1.2", "rtsp://10.0.0.7:554/"),
        (URL, "rtsp://192.168.1.2?x", "rtsp://10.0.0.7:554/?x"),
        (URL, "track 1\r\nX: y", f"{URL}/track%201%0D%0AX:%20y"),
        ("rtsp://[fe80::1]:554/cam", "t", "rtsp://[fe80::1]:554/cam/t"),
        ("rtsp://10.0.0.7", "t", "rtsp://10.0.0.7/t"),
    ],
)
def test_where_a_control_leads(base: str, control: str, url: str) -> None:
    assert resolved(base, control) == url


@pytest.mark.parametrize(
    ("told", "base"),
    [
        (("", ""), URL),
        (("rtsp://192.168.1.2/other/", ""), "rtsp://10.0.0.7:554/other/"),
        (("", "rtsp://192.168.1.2/location/"), "rtsp://10.0.0.7:554/location/"),
        (("/other/", ""), "rtsp://10.0.0.7:554/other/"),
        (("nonsense", ""), URL),
        (("http://192.168.1.2/", ""), URL),
    ],
)
def test_the_base_is_on_the_host_that_we_asked(told: tuple[str, ...], base: str) -> None:
    assert based(URL, *told) == base


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("rtsp://admin:p%40ss@h:554/cam?a=1#insecure", "rtsp://h:554/cam?a=1"),
        ("rtsp://h/a b", "rtsp://h/a%20b"),
        ("rtsp://u@h", "rtsp://h"),
    ],
)
def test_a_url_is_sent_without_who_signs_in(url: str, sent: str) -> None:
    assert without_user(url) == sent


def video(*lines: str) -> str:
    return "\n".join(("v=0", *lines))


@pytest.mark.parametrize(
    ("lines", "codec", "payload_type"),
    [
        (("m=video 0 RTP/AVP 26",), "jpeg", 26),
        (("m=video 0 RTP/AVP 33",), "mp2t", 33),
        (("m=video 0 RTP/AVP 96", "a=rtpmap:96 MP4V-ES/90000"), "mp4v-es", 96),
        (("m=video 0 RTP/AVP 96 97", "a=rtpmap:96 VP8/90000", "a=rtpmap:97 h264/90000"), "h264", 97),
        (("m=video 0 RTP/AVP 96", "a=rtpmap:96 HEVC/90000"), "hevc", 96),
        (("m=video 0 RTP/AVP 96", "a=rtpmap:96 H264"), "h264", 96),
        (("m=video 0 RTP/AVP 96", "a=rtpmap: 96  H264/0"), "h264", 96),
        (("m=video 0 RTP/AVP",), "", -1),
        (("m=video",), "", -1),
    ],
)
def test_codecs(lines: tuple[str, ...], codec: str, payload_type: int) -> None:
    (media,) = parse(video(*lines), URL).media
    assert (media.codec, media.payload_type, media.clock_hz) == (codec, payload_type, 90000)


@pytest.mark.parametrize(
    ("told", "sets"),
    [
        ("sprop-parameter-sets=Z0IAHg==,aM4G4g==", START + b"\x67\x42\x00\x1e" + START + b"\x68\xce\x06\xe2"),
        ("sprop-parameter-sets=Z0IAHg,aM4G4g", START + b"\x67\x42\x00\x1e" + START + b"\x68\xce\x06\xe2"),
        ("sprop-parameter-sets=AAAAAWdCAB4=,", START + b"\x67\x42\x00\x1e"),
        ("SPROP-PARAMETER-SETS = Z0IAHg== ; packetization-mode=1", START + b"\x67\x42\x00\x1e"),
        ("sprop-parameter-sets=!!,aM4G4g==,Z", START + b"\x68\xce\x06\xe2"),
        ("sprop-parameter-sets=" + "A" * 8000, b""),
        ("packetization-mode=1", b""),
    ],
)
def test_parameter_sets(told: str, sets: bytes) -> None:
    text = video("m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000", f"a=fmtp:96 {told}")
    assert parse(text, URL).media[0].parameter_sets == sets


@pytest.mark.parametrize(
    ("protocol", "told", "why"),
    [
        ("RTP/AVP", "packetization-mode=0", ""),
        ("RTP/AVPF", "packetization-mode=1", ""),
        ("RTP/AVP/TCP", "", ""),
        ("RTP/AVP", "packetization-mode=2", "interleaved"),
        ("RTP/AVP", "sprop-max-don-diff=3", "reordered"),
        ("RTP/AVP", "sprop-max-don-diff=0", ""),
        ("RTP/SAVP", "", "RTP/SAVP"),
        ("MP2T/H2221/UDP", "", "MP2T"),
    ],
)
def test_packetization_that_we_dont_read_is_named(protocol: str, told: str, why: str) -> None:
    text = video(f"m=video 0 {protocol} 96", "a=rtpmap:96 H264/90000", f"a=fmtp:96 {told}")
    said = parse(text, URL).media[0].packetization
    assert why in said
    assert bool(why) == bool(said)


@pytest.mark.parametrize(
    ("told", "rate"),
    [("25", 25.0), ("29.97", 29.97), ("0", None), ("nan", None), ("inf", None), ("-1", None), ("fast", None)],
)
def test_frame_rates(told: str, rate: float | None) -> None:
    assert parse(video("m=video 0 RTP/AVP 26", f"a=framerate:{told}"), URL).media[0].framerate == rate


def test_the_direction_of_the_session_holds_where_a_medium_says_none() -> None:
    text = video("a=recvonly", "m=video 0 RTP/AVP 26", "m=audio 0 RTP/AVP 0", "a=sendonly")
    assert [media.direction for media in parse(text, URL).media] == ["recvonly", "sendonly"]


def test_media_are_bounded() -> None:
    assert len(parse("m=video 0 RTP/AVP 26\n" * 500, URL).media) == MOST_MEDIA


@given(st.text(max_size=200))
def test_any_text_is_a_description(text: str) -> None:
    for media in parse("m=video 0 RTP/AVP 96\n" + text, URL).media:
        assert media.control_url.startswith("rtsp://10.0.0.7:554")
