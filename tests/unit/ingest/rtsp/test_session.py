"""The session against cameras that answer as they like: a camera here is the list of its answers."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ingest.cameras.rtsp.message import Headers, Interleaved, Request, Response, parse_text
from ingest.cameras.rtsp.session import (
    MOST_PENDING,
    Event,
    Failed,
    Odd,
    Playing,
    Redirected,
    Send,
    Session,
    Tcp,
    Udp,
)
from ingest.errors import Lost, NotFound, NotVideo, SignInRefused, SourceError

URL = "rtsp://10.0.0.7:554/cam"
SDP = b"v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track1\r\n"
DIGEST = ("WWW-Authenticate", 'Digest realm="r", nonce="1"')
STALE = ("WWW-Authenticate", 'Digest realm="r", nonce="2", stale=true')
TCP = ("Transport", "RTP/AVP/TCP;unicast;interleaved=0-1")


def ok(*fields: tuple[str, str], body: bytes = b"") -> Response:
    return Response(200, "OK", Headers(fields), body)


def no(status: int, *fields: tuple[str, str]) -> Response:
    return Response(status, "Said so", Headers(fields))


OPTIONS = ok(("Public", "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER"))
DESCRIBE = ok(("Content-Base", f"{URL}/"), body=SDP)
SETUP = ok(("Session", "ABC;timeout=20"), TCP)
PLAY = ok(("Session", "ABC"), ("Range", "npt=now-"))


class Talk:
    """What a session sent and said, given the answers of a camera one after the other."""

    def __init__(self, session: Session, answers: Sequence[Response]) -> None:
        self.session = session
        self.asked = [asked(session.begin())]
        self.events: list[Event] = []
        for answer in answers:
            self.hear(answer)

    def hear(self, message: Response | Request | Interleaved) -> list[Event]:
        events = self.session.receive(message)
        self.asked += [asked(event.data) for event in events if isinstance(event, Send)]
        self.events += [event for event in events if not isinstance(event, Send)]
        return events

    @property
    def methods(self) -> list[str]:
        return [request.method for request in self.asked]

    @property
    def error(self) -> SourceError:
        (event,) = self.events
        assert isinstance(event, Failed)
        return event.error


def asked(data: bytes) -> Request:
    found = parse_text(data, 0, len(data))
    assert found is not None
    assert isinstance(found[0], Request)
    return found[0]


def talk(
    *answers: Response, user: str | None = None, password: str | None = None, way: Tcp | Udp | None = None
) -> Talk:
    return Talk(Session(URL, user, password, way), answers)


def playing(*fields: tuple[str, str], way: Tcp | Udp | None = None) -> Playing:
    (event,) = talk(OPTIONS, DESCRIBE, ok(("Session", "A"), *fields), PLAY, way=way).events
    assert isinstance(event, Playing)
    return event


def test_from_options_to_play() -> None:
    heard = talk(OPTIONS, DESCRIBE, SETUP, PLAY)
    assert heard.methods == ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"]
    assert [request.url for request in heard.asked] == [URL, URL, f"{URL}/track1", f"{URL}/"]
    assert [request.headers.get("CSeq") for request in heard.asked] == ["1", "2", "3", "4"]
    assert [request.headers.get("Session") for request in heard.asked] == ["", "", "", "ABC"]
    assert heard.asked[2].headers.get("Transport") == "RTP/AVP/TCP;unicast;interleaved=0-1"
    (event,) = heard.events
    assert isinstance(event, Playing)
    assert (event.media.codec, event.rtp_channel, event.rtcp_channel, event.session_timeout_s) == ("h264", 0, 1, 20)
    assert heard.session.keepalive_every_s == 10


@pytest.mark.parametrize(
    ("transport", "channels", "ssrc"),
    [
        ("RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=9CBAC909;mode=\"PLAY\"", (0, 1), 0x9CBAC909),
        ("RTP/AVP/TCP;interleaved=6-7", (6, 7), None),
        ("RTP/AVP/TCP;unicast;interleaved=4", (4, 5), None),
        ("RTP/AVP;unicast;Interleaved=2-3; SSRC = 0x12 ", (2, 3), 0x12),
        ("RTP/AVP/TCP;unicast", (0, 1), None),
        ("RTP/AVP/TCP;unicast;interleaved=900-901;ssrc=xyz", (0, 1), None),
        ("rtp/avp/tcp;unicast;interleaved=8-9,RTP/AVP;unicast", (8, 9), None),
    ],
)  # fmt: skip
def test_channels_are_those_that_the_camera_names(transport: str, channels: tuple[int, int], ssrc: int | None) -> None:
    event = playing(("Transport", transport))
    assert ((event.rtp_channel, event.rtcp_channel), event.ssrc) == (channels, ssrc)


def test_without_a_transport_field_it_is_as_asked() -> None:
    assert (playing().rtp_channel, playing().rtcp_channel) == (0, 1)


def test_udp() -> None:
    told = "RTP/AVP;unicast;client_port=40000-40001;server_port=5000-5001;source=10.0.0.9;ssrc=1A"
    event = playing(("Transport", told), way=Udp(40000, 40001))
    assert (event.server_ports, event.source, event.ssrc) == ((5000, 5001), "10.0.0.9", 0x1A)
    bare = playing(("Transport", "RTP/AVP/UDP;unicast;source=<nobody>"), way=Udp(40000, 40001))
    assert (bare.server_ports, bare.source, bare.ssrc) == (None, None, None)


@pytest.mark.parametrize(
    ("told", "timeout_s", "every_s"),
    [
        ("A", 60, 30),
        ("A;timeout=60", 60, 30),
        ("A ; Timeout = 10", 10, 5),
        ("A;timeout=0", 60, 30),
        ("A;timeout=900", 900, 30),
    ],
)
def test_the_sessions_time_out(told: str, timeout_s: int, every_s: float) -> None:
    heard = talk(OPTIONS, DESCRIBE, ok(("Session", told), TCP), ok())
    (event,) = heard.events
    assert isinstance(event, Playing)
    assert (event.session_timeout_s, heard.session.keepalive_every_s) == (timeout_s, every_s)
    assert asked(heard.session.keepalive()).headers.get("Session") == "A"


# Cameras that do without this or that.


@pytest.mark.parametrize("status", [400, 404, 405, 454, 501, 503, 551])
def test_options_may_be_unknown(status: int) -> None:
    heard = talk(no(status), DESCRIBE, SETUP, PLAY)
    assert isinstance(heard.events[0], Playing)
    assert asked(heard.session.keepalive()).method == "OPTIONS"


def test_answers_may_lack_their_number_or_bear_a_foreign_one() -> None:
    numbered = [
        Response(200, "OK", Headers([*answer.headers.pairs, ("CSeq", "77")]), answer.body)
        for answer in (DESCRIBE, SETUP)
    ]
    assert isinstance(talk(OPTIONS, *numbered, PLAY).events[0], Playing)


def test_an_interim_answer_is_not_the_answer() -> None:
    assert isinstance(talk(no(100), OPTIONS, no(100), DESCRIBE, SETUP, PLAY).events[0], Playing)


def test_packets_before_the_answer_to_play_change_nothing() -> None:
    heard = talk(OPTIONS, DESCRIBE, SETUP)
    assert heard.hear(Interleaved(0, b"early")) == []
    heard.hear(PLAY)
    assert isinstance(heard.events[0], Playing)


def test_a_range_that_is_refused_is_left_away() -> None:
    heard = talk(OPTIONS, DESCRIBE, SETUP, no(457), PLAY)
    assert [request.headers.get("Range") for request in heard.asked[-2:]] == ["npt=0.000-", ""]
    assert isinstance(heard.events[0], Playing)


def test_where_the_whole_cannot_be_played_the_track_is() -> None:
    heard = talk(OPTIONS, DESCRIBE, SETUP, no(459), PLAY)
    assert [request.url for request in heard.asked[-2:]] == [f"{URL}/", f"{URL}/track1"]
    assert isinstance(heard.events[0], Playing)


def test_the_first_video_that_can_be_read_is_taken() -> None:
    body = (
        b"m=audio 0 RTP/AVP 0\na=control:a\nm=video 0 RTP/AVP 26\na=control:j\n"
        b"m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\na=fmtp:96 packetization-mode=2\na=control:i\n"
        b"m=video 0 RTP/AVP 97\na=rtpmap:97 H265/90000\na=control:v\n"
    )
    heard = talk(OPTIONS, ok(body=body), SETUP, PLAY)
    assert heard.asked[2].url == f"{URL}/v"
    assert heard.asked[3].url == URL


def test_an_inner_address_is_never_used() -> None:
    body = SDP.replace(b"track1", b"rtsp://192.168.1.64:8554/in/track1")
    heard = talk(OPTIONS, ok(("Content-Base", "rtsp://admin:pw@192.168.1.64/in/"), body=body), SETUP, PLAY)
    assert [request.url for request in heard.asked[2:]] == ["rtsp://10.0.0.7:554/in/track1", "rtsp://10.0.0.7:554/in/"]


# Signing in.


def test_sign_in_once_and_then_unasked() -> None:
    heard = talk(OPTIONS, no(401, DIGEST), DESCRIBE, SETUP, PLAY, user="admin", password="pw")
    assert heard.methods == ["OPTIONS", "DESCRIBE", "DESCRIBE", "SETUP", "PLAY"]
    assert [bool(request.headers.get("Authorization")) for request in heard.asked] == [False, False, True, True, True]
    assert 'uri="rtsp://10.0.0.7:554/cam/track1"' in heard.asked[3].headers.get("Authorization")
    assert isinstance(heard.events[0], Playing)


def test_what_was_refused_is_not_tried_again() -> None:
    """Cameras lock an account after a few refusals."""
    heard = talk(OPTIONS, no(401, DIGEST), no(401, DIGEST), DESCRIBE, user="admin", password="wrong")
    assert heard.methods == ["OPTIONS", "DESCRIBE", "DESCRIBE"]
    assert isinstance(heard.error, SignInRefused)


def test_a_stale_nonce_is_no_refusal() -> None:
    heard = talk(OPTIONS, no(401, DIGEST), no(401, STALE), DESCRIBE, SETUP, PLAY, user="admin", password="pw")
    assert 'nonce="2"' in heard.asked[3].headers.get("Authorization")
    assert isinstance(heard.events[0], Playing)


def test_a_new_nonce_for_each_request_is_no_refusal_once_we_are_in() -> None:
    """Some cameras never say stale."""
    fresh = [no(401, ("WWW-Authenticate", f'Digest realm="r", nonce="{n}"')) for n in range(3)]
    answers = (OPTIONS, fresh[0], DESCRIBE, fresh[1], SETUP, fresh[2], PLAY)
    assert isinstance(talk(*answers, user="admin", password="pw").events[0], Playing)


def test_a_camera_that_calls_every_nonce_stale_gives_us_up() -> None:
    heard = talk(OPTIONS, *[no(401, STALE)] * 9, user="admin", password="pw")
    assert isinstance(heard.error, SignInRefused)
    assert len(heard.asked) == 5


@pytest.mark.parametrize(
    ("user", "answer", "why"),
    [
        (None, no(401, DIGEST), "asks for a user"),
        ("admin", no(401), r"\(none\)"),
        ("admin", no(401, ("WWW-Authenticate", "NTLM")), r"\(ntlm\)"),
        ("admin", no(403), "403 Said so"),
    ],
)
def test_refused(user: str | None, answer: Response, why: str) -> None:
    with pytest.raises(SignInRefused, match=why):
        raise talk(OPTIONS, answer, user=user, password="pw").error


def test_credentials_are_neither_sent_in_urls_nor_shown() -> None:
    heard = Talk(Session("rtsp://admin:pw123@10.0.0.7/cam", "admin", "pw123"), [OPTIONS, no(404)])
    assert {request.url for request in heard.asked} == {"rtsp://10.0.0.7/cam"}
    assert "pw123" not in str(heard.error)


# What goes wrong.


@pytest.mark.parametrize(
    ("answers", "kind", "why"),
    [
        ([no(404)], NotFound, "DESCRIBE with 404 Said so"),
        ([no(410)], NotFound, "410"),
        ([no(400)], NotVideo, "400"),
        ([no(453)], Lost, "453"),
        ([no(500)], Lost, "500"),
        ([no(503)], Lost, "503"),
        ([ok(body=b"")], NotVideo, "no video"),
        ([ok(body=b"m=audio 0 RTP/AVP 0\n")], NotVideo, "no video"),
        ([ok(body=b"\xff\x00\xfe" * 50)], NotVideo, "no video"),
        ([DESCRIBE, no(404)], NotFound, "SETUP with 404"),
        ([DESCRIBE, no(453)], Lost, "453"),
        ([DESCRIBE, no(503)], Lost, "503"),
        ([DESCRIBE, SETUP, no(454)], Lost, "PLAY with 454"),
        ([DESCRIBE, SETUP, no(404), no(404)], NotFound, "PLAY with 404"),
        ([DESCRIBE, SETUP, no(457), no(457)], NotVideo, "457"),
        ([no(302)], NotVideo, "without saying where"),
    ],
)
def test_failures_name_the_camera_and_what_it_said(answers: list[Response], kind: type[SourceError], why: str) -> None:
    error = talk(OPTIONS, *answers).error
    assert type(error) is kind
    assert str(error).startswith(URL)
    assert why in str(error)


@pytest.mark.parametrize(
    ("answers", "way", "why", "udp_only"),
    [
        ([DESCRIBE, no(461)], Tcp(), "only UDP (461)", True),
        ([DESCRIBE, no(400)], Tcp(), "only UDP (400)", True),
        ([DESCRIBE, no(461)], Udp(2, 3), "refuses UDP too (461)", False),
        ([DESCRIBE, ok(("Transport", "RTP/AVP;unicast;client_port=0-1"))], Tcp(), "UDP to TCP", True),
        ([DESCRIBE, ok(TCP)], Udp(2, 3), "TCP to UDP", False),
        ([DESCRIBE, ok(("Transport", "RTP/AVP;multicast;port=5000-5001"))], Tcp(), "multicast", False),
        ([ok(body=b"m=video 0 RTP/AVP 26\n")], Tcp(), "sends jpeg", False),
        ([ok(body=SDP.replace(b"RTP/AVP", b"RTP/SAVP"))], Tcp(), "RTP/SAVP", False),
        ([no(406)], Tcp(), "406", False),
    ],
)  # fmt: skip
def test_what_this_reader_doesnt_speak(answers: list[Response], way: Tcp | Udp, why: str, udp_only: bool) -> None:
    (event,) = talk(OPTIONS, *answers, way=way).events
    assert isinstance(event, Odd)
    assert why in event.reason
    assert event.udp_only is udp_only


@pytest.mark.parametrize("at", [0, 1, 2, 3])
def test_sent_elsewhere(at: int) -> None:
    answers = [OPTIONS, DESCRIBE, SETUP, PLAY][:at]
    heard = talk(*answers, no(302, ("Location", "rtsp://admin:pw@10.0.0.8:8554/new?x=1")), PLAY)
    assert heard.events == [Redirected("rtsp://10.0.0.8:8554/new?x=1")]


def test_sent_to_another_path() -> None:
    assert talk(OPTIONS, no(301, ("Location", "/new"))).events == [Redirected("rtsp://10.0.0.7:554/new")]


# Once it plays.


def test_keep_alive_as_the_camera_knows_it() -> None:
    heard = talk(OPTIONS, DESCRIBE, SETUP, PLAY)
    request = asked(heard.session.keepalive())
    assert (request.method, request.url, request.headers.get("Session")) == ("GET_PARAMETER", f"{URL}/", "ABC")
    assert heard.hear(ok()) == []
    heard.session.keepalive()
    assert heard.hear(no(501)) == []
    assert asked(heard.session.keepalive()).method == "OPTIONS"


def test_a_session_that_the_camera_forgot_is_lost() -> None:
    heard = talk(OPTIONS, DESCRIBE, SETUP, PLAY)
    heard.session.keepalive()
    (event,) = heard.hear(no(454))
    assert isinstance(event, Failed)
    assert isinstance(event.error, Lost)


def test_keep_alive_signs_in_again_where_the_nonce_grew_old() -> None:
    heard = talk(OPTIONS, no(401, DIGEST), DESCRIBE, SETUP, PLAY, user="admin", password="pw")
    heard.session.keepalive()
    heard.hear(no(401, STALE))
    assert heard.asked[-1].method == "GET_PARAMETER"
    assert 'nonce="2"' in heard.asked[-1].headers.get("Authorization")


def test_a_camera_that_never_answers_keep_alives_is_no_leak() -> None:
    heard = talk(OPTIONS, DESCRIBE, SETUP, PLAY)
    for _ in range(100):
        heard.session.keepalive()
    assert len(heard.session._pending) == MOST_PENDING
    assert heard.hear(no(454)) != []


def test_teardown_is_the_last_word() -> None:
    heard = talk(OPTIONS, DESCRIBE, SETUP, PLAY)
    assert asked(heard.session.teardown()).method == "TEARDOWN"
    assert heard.hear(no(454)) == []


@pytest.mark.parametrize(
    ("method", "fields", "status", "then"),
    [
        ("OPTIONS", [], 200, []),
        ("SET_PARAMETER", [], 200, []),
        ("ANNOUNCE", [], 200, []),
        ("RECORD", [], 501, []),
        ("REDIRECT", [("Location", "rtsp://10.0.0.8/")], 200, [Redirected("rtsp://10.0.0.8/")]),
        ("REDIRECT", [], 200, [NotVideo]),
        ("TEARDOWN", [], 200, [Lost]),
    ],
)
def test_requests_of_the_camera(method: str, fields: list[tuple[str, str]], status: int, then: list[object]) -> None:
    heard = talk(OPTIONS, DESCRIBE, SETUP, PLAY)
    sent, *events = heard.session.receive(Request(method, "*", Headers([("CSeq", "9"), ("Session", "ABC"), *fields])))
    assert isinstance(sent, Send)
    assert sent.data.startswith(b"RTSP/1.0 %d " % status)
    assert b"CSeq: 9\r\nSession: ABC\r\n" in sent.data
    assert [type(event.error) if isinstance(event, Failed) else event for event in events] == then


def test_an_answer_that_nobody_waits_for() -> None:
    heard = talk(OPTIONS, DESCRIBE, SETUP, PLAY)
    assert heard.hear(no(454)) == []
