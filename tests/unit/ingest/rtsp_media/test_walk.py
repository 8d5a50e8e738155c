"""The walker on streams of the test's own sender: every way to packetize, and what goes wrong on the way."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from ingest.cameras.rtsp.nal import Track
from ingest.cameras.rtsp.walk import MOST_TEXTS, Walker
from tests.unit.ingest.rtsp_media.payloader import (
    Sender,
    aggregate,
    annexb,
    delimiter,
    fragments,
    frame,
    parameter_sets,
    pps,
    sei,
    slices,
    sps,
)

CODECS = ("h264", "hevc")
BODY = bytes(range(1, 200)) * 3


def track(codec: str, known: list[bytes] | None = None) -> Track:
    return Track(codec, 96, parameter_sets=annexb(known or []))


def walked(walker: Walker, data: bytes, arrived_s: float = 0.0) -> int:
    return walker.walk(bytearray(data), len(data), arrived_s)


def framed(packets: list[bytes]) -> bytes:
    return b"".join(map(frame, packets))


def key_nals(codec: str, bodies: tuple[bytes, ...] = (BODY,)) -> list[bytes]:
    return [*parameter_sets(codec), *slices(codec, bodies, True)]


def other(codec: str, sender: Sender, time: int) -> list[bytes]:
    return sender.picture(slices(codec, [b"\x55" * 60], False), time)


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("size", [1, 2, 7, 100, 5000])
def test_a_keyframe_in_fragments_of_any_size(codec: str, size: int) -> None:
    sender, walker = Sender(), Walker(track(codec))
    nals = key_nals(codec, (BODY, BODY[:50], BODY[50:]))
    payloads = [part for nal in nals for part in fragments(codec, nal, [size])]
    data = framed(other(codec, sender, 1) + sender.picture(payloads, 9000) + other(codec, sender, 12000))
    assert walked(walker, data, 7.5) == len(data)
    assert walker.key is not None
    assert walker.key.data == annexb(nals)
    assert walker.key.data is walker.key.data
    assert (walker.key.rtp_time, walker.key.arrived_s, walker.key.number) == (9000, 7.5, 1)
    assert (walker.key.size, walker.packets) == (len(annexb(nals)), 2 + len(payloads))
    assert (walker.lost, walker.resyncs, walker.bytes) == (0, 0, len(data))
    assert walker.newest_time == 12000


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("header", [{"extension": b"\x10\xaa\xbb"}, {"extension": b""}, {"csrc": 3}, {"padding": 5}])
@pytest.mark.parametrize("size", [90, 2000])
def test_unusual_headers(codec: str, header: dict[str, bytes | int], size: int) -> None:
    sender, walker = Sender(**header), Walker(track(codec))  # type: ignore[arg-type]
    nals = key_nals(codec)
    payloads = [part for nal in nals for part in fragments(codec, nal, [size])]
    walked(walker, framed(other(codec, sender, 1) + sender.picture(payloads, 9) + other(codec, sender, 10)))
    assert walker.key is not None
    assert walker.key.data == annexb(nals)
    assert (walker.packets, walker.newest_time) == (len(payloads) + 2, 10)


@pytest.mark.parametrize("codec", CODECS)
def test_aggregated_sets_and_slices(codec: str) -> None:
    nals = key_nals(codec, (BODY, BODY))
    for payloads in (
        [aggregate(codec, [delimiter(codec), *nals])],
        [aggregate(codec, nals[:-1]), sei(codec), nals[-1]],
    ):
        walker = Walker(track(codec))
        walked(walker, framed(Sender().picture(payloads, 9)))
        assert walker.key is not None
        assert walker.key.data == annexb(nals)


@pytest.mark.parametrize("codec", CODECS)
def test_only_what_decoding_needs_is_kept(codec: str) -> None:
    nals = key_nals(codec)
    payloads = [delimiter(codec), *nals[:-1], sei(codec), *fragments(codec, sei(codec, bytes(300)), [99]), nals[-1]]
    walker = Walker(track(codec))
    walked(walker, framed(Sender().picture(payloads, 9)))
    assert walker.key is not None
    assert walker.key.data == annexb(nals)


@pytest.mark.parametrize("codec", CODECS)
def test_sets_of_the_description_then_those_of_the_stream(codec: str) -> None:
    said, sent = parameter_sets(codec, tail=b"\x01"), parameter_sets(codec, tail=b"\x02")
    (key,) = slices(codec, [BODY], True)
    sender, walker = Sender(), Walker(track(codec, said))
    walked(walker, framed(sender.picture([key], 1)))
    assert walker.key is not None
    assert walker.key.data == annexb([*said, key])
    walked(walker, framed(sender.picture([*sent, key], 2) + sender.picture([key], 3)))
    assert (walker.key.data, walker.key.number) == (annexb([*sent, key]), 3)


@pytest.mark.parametrize("codec", CODECS)
def test_a_key_takes_the_sets_it_refers_to(codec: str) -> None:
    """Two resolutions by two ids: what the slice does not refer to stays out."""
    sender, walker = Sender(), Walker(track(codec, parameter_sets(codec, 1) + parameter_sets(codec, 2)))
    (key,) = slices(codec, [BODY], True, number=2)
    walked(walker, framed(sender.picture([key], 1)))
    assert walker.key is not None
    assert walker.key.data == annexb([*parameter_sets(codec, 2), key])


@pytest.mark.parametrize("codec", CODECS)
def test_a_key_without_its_sets_is_none(codec: str) -> None:
    walker = Walker(track(codec, [sps(codec), pps(codec, 5)]))
    walked(walker, framed(Sender().picture(slices(codec, [BODY], True), 1)))
    assert (walker.key, walker.collector.bare) == (None, 1)


@pytest.mark.parametrize("codec", CODECS)
def test_no_marker_ends_with_the_next_time(codec: str) -> None:
    sender, walker, nals = Sender(), Walker(track(codec)), key_nals(codec, (BODY, BODY))
    walked(walker, framed(sender.picture(nals, 9, marker=False)))
    assert walker.key is None
    walked(walker, framed(other(codec, sender, 10)))
    assert walker.key is not None
    assert walker.key.data == annexb(nals)


@pytest.mark.parametrize("codec", CODECS)
def test_a_marker_on_every_slice_costs_the_first_key(codec: str) -> None:
    sender, walker, nals = Sender(), Walker(track(codec)), key_nals(codec, (BODY, BODY, BODY))
    for time in (1, 2, 3):
        packets = [sender.packet(nal, time, marker=True) for nal in nals]
        walked(walker, framed(packets))
        if time == 1:
            assert walker.key is None
    walked(walker, framed(other(codec, sender, 4)))
    assert walker.key is not None
    assert (walker.key.rtp_time, walker.key.data, walker.lost) == (3, annexb(nals), 1)


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("missing", range(9))
def test_a_hole_in_a_keyframe_refuses_it(codec: str, missing: int) -> None:
    sender, walker = Sender(), Walker(track(codec, parameter_sets(codec)))
    payloads = fragments(codec, slices(codec, [bytes(900)], True)[0], [100])
    packets = sender.picture(payloads, 5)
    del packets[missing]
    walked(walker, framed(packets + other(codec, sender, 6)))
    assert (walker.key, walker.lost) == (None, 1)
    nals = key_nals(codec)
    walked(walker, framed(sender.picture(nals, 7)))
    assert walker.key is not None
    assert walker.key.data == annexb(nals)


@pytest.mark.parametrize("codec", CODECS)
def test_a_hole_elsewhere_costs_nothing(codec: str) -> None:
    sender, walker, nals = Sender(), Walker(track(codec)), key_nals(codec)
    packets = other(codec, sender, 1) + other(codec, sender, 2) + sender.picture(nals, 3)
    walked(walker, framed(packets[:1] + packets[2:]))
    assert (walker.keys, walker.lost) == (1, 0)


@pytest.mark.parametrize("codec", CODECS)
def test_sets_lost_just_before_a_keyframe_refuse_it(codec: str) -> None:
    """They may have been other ones: the old ones would give rubbish."""
    sender, walker, nals = Sender(), Walker(track(codec)), key_nals(codec)
    walked(walker, framed(sender.picture(nals, 1)))
    walked(walker, framed(other(codec, sender, 2) + sender.picture(nals, 3)[len(nals) - 1 :]))
    assert (walker.keys, walker.lost) == (1, 1)


@pytest.mark.parametrize("codec", CODECS)
def test_the_first_slice_must_be_there(codec: str) -> None:
    sender, walker = Sender(), Walker(track(codec, parameter_sets(codec)))
    walked(walker, framed(sender.picture(slices(codec, [BODY, BODY], True), 1)[1:]))
    assert (walker.key, walker.lost) == (None, 1)


@pytest.mark.parametrize("codec", CODECS)
def test_a_packet_sent_twice(codec: str) -> None:
    sender, walker, nals = Sender(), Walker(track(codec)), key_nals(codec)
    payloads = [part for nal in nals for part in fragments(codec, nal, [100])]
    walked(walker, framed([twice for packet in sender.picture(payloads, 1) for twice in (packet, packet)]))
    assert walker.key is not None
    assert walker.key.data == annexb(nals)


@pytest.mark.parametrize("codec", CODECS)
def test_others_on_the_channel_are_passed_over(codec: str) -> None:
    video, audio, stray = Sender(), Sender(payload_type=8, ssrc=9), Sender(ssrc=77)
    walker, nals, mixed = Walker(track(codec)), key_nals(codec), b""
    payloads = [part for nal in nals for part in fragments(codec, nal, [100])]
    mixed += framed(other(codec, video, 1))
    for packet in video.picture(payloads, 9):
        mixed += frame(packet) + frame(audio.packet(b"\x65\x88" * 9, 9)) + frame(stray.packet(payloads[0], 9))
        mixed += frame(audio.packet(b"sound" * 9, 9), 4) + frame(b"", 0) + frame(b"\0\0\0\0", 0)
    walked(walker, mixed)
    assert walker.key is not None
    assert (walker.key.data, walker.lost, walker.resyncs) == (annexb(nals), 0, 0)


@pytest.mark.parametrize("codec", CODECS)
def test_a_camera_that_begins_anew_is_followed(codec: str) -> None:
    old, new, walker, nals = Sender(), Sender(ssrc=5, sequence=9), Walker(track(codec)), key_nals(codec)
    walked(walker, framed(old.picture(nals, 1)), 100.0)
    walked(walker, framed(new.picture(nals, 50)), 101.0)
    assert walker.keys == 1
    walked(walker, framed(new.picture(nals, 60)), 103.1)
    assert walker.key is not None
    assert (walker.key.rtp_time, walker.newest_time) == (60, 60)


def test_reports_text_and_goodbye() -> None:
    sender, walker, nals = Sender(), Walker(track("h264")), key_nals("h264")
    report = struct.pack(">BBHIIIIII", 0x80, 200, 6, sender.ssrc, 0x83AA7E80 + 1000, 1 << 31, 4500, 7, 8)
    text = b"RTSP/1.0 200 OK\r\nCSeq: 9\r\nContent-Length: 4\r\n\r\nwell"
    asked = b"OPTIONS rtsp://x/ RTSP/1.0\r\nCSeq: 1\r\n\r\n"
    packets = sender.picture(nals, 1)
    data = frame(packets[0]) + frame(report, 1) + text + frame(packets[1]) + asked + b"\r\n" + frame(packets[2])
    assert walked(walker, data, 50.0) == len(data)
    assert walker.report == (1000.5, 4500, 50.0)
    assert walker.texts == [text, asked]
    assert (walker.keys, walker.bye, walker.resyncs) == (1, False, 0)
    walked(walker, frame(struct.pack(">BBHI", 0x81, 203, 1, sender.ssrc), 0))
    assert walker.bye
    sender.ssrc = 5
    walked(walker, framed(sender.picture(nals, 2)), 50.0)
    assert walker.keys == 2


@pytest.mark.parametrize("said", [0, 3, 19, 21, 40, 5000, 99999])
@pytest.mark.parametrize("body", [b"", b"a: real, body, of 20"])
def test_a_wrong_content_length_loses_no_keyframe(said: int, body: bytes) -> None:
    sender, walker, nals = Sender(), Walker(track("h264")), key_nals("h264")
    text = b"RTSP/1.0 200 OK\r\nCSeq: 9\r\ncontent-length: %d\r\n\r\n" % said + body
    data = framed(other("h264", sender, 1)) + text + framed(sender.picture(nals, 2) + other("h264", sender, 3))
    left = data[walked(walker, data) :]
    assert not left
    assert walker.keys == 1
    assert len(walker.texts) == 1


def test_texts_are_bounded() -> None:
    walker = Walker(track("h264"))
    walked(walker, b"RTSP/1.0 200 OK\r\nCSeq: 9\r\n\r\n" * (MOST_TEXTS + 5))
    assert (len(walker.texts), walker.texts_dropped) == (MOST_TEXTS, 5)


def test_a_text_that_never_ends_is_given_up() -> None:
    sender, walker = Sender(), Walker(track("h264"))
    data = b"RTSP/1.0 200 OK\r\n" + b"a: b\r\n" * 4000 + framed(sender.picture(key_nals("h264"), 2))
    walked(walker, data)
    assert (walker.keys, walker.resyncs) == (1, 1)


@pytest.mark.parametrize("codec", CODECS)
def test_another_channel_than_the_one_said(codec: str) -> None:
    walker = Walker(track(codec), 0, 1)
    walked(walker, b"".join(frame(packet, 2) for packet in Sender().picture(key_nals(codec), 2)))
    assert walker.keys == 1


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("cut", [1, 4, 40, 113, 114, 115, 300])
def test_bytes_lost_in_the_stream_refuse_the_key_they_fell_into(codec: str, cut: int) -> None:
    """Whether the walker meets the damage in one read or in two."""
    for split in (None, 0, 1):
        sender, walker = Sender(), Walker(track(codec))
        nals = key_nals(codec)
        payloads = [part for nal in nals for part in fragments(codec, nal, [100])]
        before, damaged = (framed(sender.picture(payloads, time)) for time in (1, 2))
        after = framed(sender.picture(slices(codec, [bytes(900)], False), 3) + sender.picture(payloads, 4))
        damaged = damaged[: len(damaged) - 60 - cut] + damaged[len(damaged) - 60 :]
        data = before + damaged + after
        ends = [len(data)] if split is None else [len(before) + len(damaged) + cut * split, len(data)]
        at = 0
        for end in ends:
            at += walked(walker, data[at:end])
        assert walker.key is not None
        assert (walker.key.rtp_time, walker.key.data) == (4, annexb(nals)), split
        assert walker.lost == 1
        assert walker.resyncs >= 1


def test_a_key_taken_back_leaves_the_one_before() -> None:
    """The last packet of a key swallowed what was lost after it; that shows only with the next read."""
    sender, walker, nals = Sender(), Walker(track("h264")), key_nals("h264")
    walked(walker, framed(sender.picture(nals, 1)))
    whole = walker.key
    data = framed(sender.picture(nals, 2))
    short = data[:-30]
    following = framed(sender.picture(slices("h264", [bytes(900)], False), 3))
    walked(walker, short + following[:30])
    assert walker.keys == 2
    walked(walker, following[30:])
    assert walker.key is whole
    assert walker.lost == 1


@pytest.mark.parametrize("codec", CODECS)
def test_byte_by_byte(codec: str) -> None:
    sender, walker = Sender(), Walker(track(codec))
    nals, rest = key_nals(codec), b""
    data = framed(other(codec, sender, 1) + sender.picture(nals, 2)) + b"RTSP/1.0 200 OK\r\nCSeq: 2\r\n\r\n"
    for byte in data:
        rest += bytes((byte,))
        rest = rest[walked(walker, rest) :]
    assert not rest
    assert (walker.keys, len(walker.texts), walker.resyncs) == (1, 1, 0)
    assert walker.bytes == len(data)


@pytest.mark.parametrize("codec", CODECS)
def test_a_key_beyond_all_bounds_is_refused(codec: str) -> None:
    sender, walker = Sender(), Walker(track(codec, parameter_sets(codec)))
    (key,) = slices(codec, [bytes(9 << 20)], True)
    for packet in sender.picture(fragments(codec, key, [60000]), 1):
        walked(walker, frame(packet))
    assert (walker.key, walker.lost) == (None, 1)


def test_the_clock_wraps() -> None:
    sender, walker, nals = Sender(), Walker(track("h264")), key_nals("h264")
    for time in (0xFFFFFFFF, 0):
        walked(walker, framed(sender.picture(nals, time)))
    assert (walker.keys, walker.newest_time) == (2, 0)


def test_what_makes_no_sense_is_survived() -> None:
    changes: list[Callable[[bytearray, int], None]] = [
        lambda data, i: data.__setitem__(i, 0),
        lambda data, i: data.__setitem__(i, 255),
        lambda data, i: data.__delitem__(i),
        lambda data, i: data.insert(i, 36),
    ]
    sender, nals = Sender(extension=b"\1\2\3\4", padding=2), key_nals("h264")
    clean = framed(sender.picture([aggregate("h264", nals[:2]), *fragments("h264", nals[2], [200])], 1))
    for change in changes:
        for place in range(len(clean)):
            data = bytearray(clean)
            change(data, place)
            Walker(track("h264")).walk(data, len(data), 0.0)


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("cut", [1, 5, 40, 700])
def test_what_was_left_out_on_purpose_is_neither_lost_nor_a_fault(codec: str, cut: int) -> None:
    """The walk goes on anywhere: in the middle of a frame, of a keyframe, or of what looks like one."""
    sender, walker = Sender(), Walker(track(codec))
    whole = [part for nal in key_nals(codec) for part in fragments(codec, nal, [100])]
    first = framed(sender.picture(whole, 9000) + other(codec, sender, 12000))
    assert walked(walker, first) == len(first)
    assert walker.at_rest
    for n in range(30):
        other(codec, sender, 15000 + n)
    cut_short = framed(sender.picture(whole, 90000))[cut:]
    late = framed(other(codec, sender, 93000) + sender.picture(whole, 99000) + other(codec, sender, 102000))
    walker.missed(20.0)
    data = cut_short + late
    assert walked(walker, data, 21.0) == len(data)
    assert walker.key is not None
    assert (walker.key.rtp_time, walker.key.number) == (99000, 2)
    assert walker.key.data == annexb(key_nals(codec))
    assert (walker.lost, walker.resyncs, walker.newest_time) == (0, 0, 102000)


def test_a_hole_is_still_told_after_something_was_left_out() -> None:
    sender, walker = Sender(), Walker(track("h264"))
    whole = [part for nal in key_nals("h264") for part in fragments("h264", nal, [100])]
    walked(walker, framed(sender.picture(whole, 9000)))
    walker.missed(1.0)
    good = framed(sender.picture(whole, 18000))
    holed = sender.picture(whole, 27000)
    del holed[3]
    walked(walker, good + framed(holed) + framed(other("h264", sender, 30000)), 2.0)
    assert walker.key is not None
    assert (walker.key.rtp_time, walker.lost) == (18000, 1)


def test_another_sender_is_a_stray_even_after_a_long_doze() -> None:
    """Of our own sender came something all the time: it was only not looked at."""
    sender, stranger, walker = Sender(), Sender(ssrc=77), Walker(track("h264"))
    walked(walker, framed(sender.picture(key_nals("h264"), 9000)), 1.0)
    walker.missed(500.0)
    walked(walker, framed(other("h264", sender, 10000) + stranger.picture(key_nals("h264"), 1)), 500.5)
    assert walker.key is not None
    assert walker.key.rtp_time == 9000
    assert walker.collector.strays > 0
