"""Messages of careful and of careless cameras, whole and in pieces."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.cameras.rtsp.errors import RtspError
from ingest.cameras.rtsp.message import (
    MOST_BODY_BYTES,
    MOST_HEADER_BYTES,
    MOST_RUBBISH_BYTES,
    Headers,
    Interleaved,
    Message,
    MessageReader,
    Request,
    Response,
    parse_text,
)

OK = b"RTSP/1.0 200 OK\r\nCSeq: 2\r\n\r\n"
RTP = b"$\x00\x00\x0c\x80\x60" + bytes(10)


def read(*pieces: bytes) -> list[Message]:
    reader = MessageReader()
    found: list[Message] = []
    for piece in pieces:
        reader.feed(piece)
        found += reader.messages()
    return found


def test_a_request_as_it_is_sent() -> None:
    request = Request("SETUP", "rtsp://h/cam", Headers([("CSeq", "3"), ("Session", "A")]), b"x")
    assert request.encode() == b"SETUP rtsp://h/cam RTSP/1.0\r\nCSeq: 3\r\nSession: A\r\nContent-Length: 1\r\n\r\nx"


@pytest.mark.parametrize(
    ("head", "status", "reason"),
    [
        (b"RTSP/1.0 200 OK\r\n\r\n", 200, "OK"),
        (b"RTSP/1.0 200 OK\n\n", 200, "OK"),
        (b"RTSP/1.0 200\r\n\r\n", 200, ""),
        (b"RTSP/1.0 200 \r\n\r\n", 200, ""),
        (b"RTSP/2.0  461   Unsupported: Transport, sorry\r\n\r\n", 461, "Unsupported: Transport, sorry"),
        (b"\r\n\r\nRTSP/1.0 200 OK\r\n\r\n", 200, "OK"),
        (b"RTSP/1.0 404 \xb2\xbb\xb4\xe6\r\n\r\n", 404, "\ufffd\ufffd\ufffd\ufffd"),
    ],
)
def test_status_lines_of_all_sorts(head: bytes, status: int, reason: str) -> None:
    (message,) = read(head)
    assert isinstance(message, Response)
    assert (message.status, message.reason) == (status, reason)


def test_fields_without_case_repeated_folded_and_broken() -> None:
    (message,) = read(
        b"RTSP/1.0 401 No\r\ncseq:1\r\nWWW-Authenticate: Digest\r\n realm=1\r\n"
        b"no field\r\nwww-authenticate:\tBasic\r\n\r\n"
    )
    assert isinstance(message, Response)
    assert message.headers.get("CSeq") == "1"
    assert message.headers.get_all("WWW-Authenticate") == ["Digest realm=1", "Basic"]
    assert message.headers.get("Session", "none") == "none"


def test_a_password_never_shows_in_a_repr() -> None:
    request = Request("PLAY", "rtsp://h/", Headers([("Authorization", "Basic c2VjcmV0")]))
    assert "c2VjcmV0" not in repr(request)


def test_answers_requests_and_packets_in_their_order() -> None:
    asked = b"SET_PARAMETER rtsp://h/ RTSP/1.0\r\nCSeq: 9\r\nContent-Length: 4\r\n\r\na: b"
    found = read(RTP + OK + asked + RTP + OK)
    assert [type(message) for message in found] == [Interleaved, Response, Request, Interleaved, Response]
    assert found[2] == Request("SET_PARAMETER", "rtsp://h/", Headers([("CSeq", "9"), ("Content-Length", "4")]), b"a: b")
    assert found[0] == Interleaved(0, RTP[4:])


def test_what_came_behind_the_last_message_is_there_for_who_reads_on() -> None:
    reader = MessageReader()
    reader.feed(OK + RTP + RTP[:5])
    next(reader.messages())
    assert reader.rest() == RTP + RTP[:5]


def sdp(length: int | None, body: bytes) -> bytes:
    told = b"" if length is None else b"Content-Length: %d\r\n" % length
    return b"RTSP/1.0 200 OK\r\nContent-Type: application/sdp\r\n" + told + b"\r\n" + body


@pytest.mark.parametrize("length", [12, 5, 0 + 1, None], ids=["right", "too short", "far too short", "missing"])
@pytest.mark.parametrize("after", [b"", OK, RTP], ids=["nothing", "answer", "packet"])
def test_an_sdp_ends_where_the_next_message_begins_whatever_its_length_says(length: int | None, after: bytes) -> None:
    found = read(sdp(length, b"v=0\r\nm=video\r\n"[:12]) + after)
    assert isinstance(found[0], Response)
    assert found[0].body == b"v=0\r\nm=video"
    assert len(found) == (2 if after else 1)


def test_an_sdp_that_stays_short_is_taken_as_it_stands() -> None:
    reader = MessageReader()
    reader.feed(sdp(99, b"v=0\r\n"))
    assert list(reader.messages()) == []
    assert reader.body_missing
    message = reader.as_it_stands()
    assert isinstance(message, Response)
    assert message.body == b"v=0\r\n"
    assert not reader.body_missing
    assert reader.as_it_stands() is None


@pytest.mark.parametrize("after", [OK, RTP])
def test_a_body_that_was_announced_and_never_came(after: bytes) -> None:
    found = read(b"RTSP/1.0 200 OK\r\nContent-Length: 20\r\n\r\n", after)
    assert [message.body for message in found if isinstance(message, Response)] == [b""] * (1 + (after is OK))
    assert len(found) == 2


def test_rubbish_between_messages_is_passed_over() -> None:
    found = read(OK + b"trackID=1\r\na=x" + RTP + b"\x00\x01bad\n" + OK, b"ue\r\nOPTIONS * RTSP/1.0\r\n\r\n")
    assert [type(message) for message in found] == [Response, Interleaved, Response, Request]


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x16\x03\x01\x00\x00",
        b"220 ftp ready\r\n",
        b"RTSP/1.0 OK 200\r\n\r\n",
        b"<html>",
    ],
)
def test_who_speaks_something_else_is_found_out_at_once(said: bytes) -> None:
    with pytest.raises(RtspError, match="it says"):
        read(said)


@pytest.mark.parametrize(
    ("flood", "why"),
    [
        (OK + b"\x01" * (MOST_RUBBISH_BYTES + 100), "neither RTSP nor RTP"),
        (b"RTSP/1.0 200 OK\r\nX: " + b"a" * MOST_HEADER_BYTES, "a header of more"),
        (b"RTSP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % (MOST_BODY_BYTES + 1), "a body of"),
    ],
)
def test_floods_are_refused(flood: bytes, why: str) -> None:
    with pytest.raises(RtspError, match=why):
        read(flood)


@pytest.mark.parametrize("length", [b"-1", b"abc", b"", b"99999999999999999999"])
def test_a_length_that_is_no_number_is_none(length: bytes) -> None:
    assert len(read(b"RTSP/1.0 200 OK\r\nContent-Length: " + length + b"\r\n\r\n" + OK)) == 2


def test_a_text_within_a_stream() -> None:
    stream = RTP + OK + RTP
    found = parse_text(bytearray(stream), len(RTP), len(stream))
    assert found is not None
    assert isinstance(found[0], Response)
    assert found[1] == len(OK)


def test_a_text_cut_out_of_a_stream_keeps_what_there_is_of_its_body() -> None:
    text = b"ANNOUNCE rtsp://h/ RTSP/1.0\r\nContent-Length: 50\r\n\r\nv=0"
    found = parse_text(text, 0, len(text))
    assert found is not None
    assert (found[0].body, found[1]) == (b"v=0", len(text))


@pytest.mark.parametrize("text", [b"", RTP, b"RTSP/1.0 200 OK\r\nCSeq", b"RTSP/1.0 OK\r\n\r\n", b"rubbish\r\n\r\n"])
def test_no_text(text: bytes) -> None:
    assert parse_text(text, 0, len(text)) is None


NAMES = st.text("ABCDEFabcdef-", min_size=1, max_size=12).map(lambda name: f"X-{name}")
VALUES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=20)
HEADERS = st.lists(st.tuples(NAMES, VALUES), max_size=4).map(Headers)
MESSAGES = st.one_of(
    st.builds(Response, st.integers(100, 599), st.just("Some reason"), HEADERS),
    st.builds(Request, st.sampled_from(["OPTIONS", "GET_PARAMETER"]), st.just("rtsp://h/cam"), HEADERS),
    st.builds(Interleaved, st.integers(0, 255), st.binary(max_size=60)),
)


def encoded(message: Message) -> bytes:
    if isinstance(message, Interleaved):
        return b"$" + bytes((message.channel,)) + len(message.payload).to_bytes(2, "big") + message.payload
    return message.encode()


@given(st.lists(MESSAGES, max_size=5), st.integers(1, 40))
@settings(max_examples=150, deadline=None)
def test_any_messages_cut_anyhow_come_out_as_they_went_in(messages: list[Message], size: int) -> None:
    stream = b"".join(encoded(message) for message in messages)
    assert read(*(stream[at : at + size] for at in range(0, len(stream), size))) == messages
