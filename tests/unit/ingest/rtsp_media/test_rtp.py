"""RTP headers, sequence arithmetic and order after UDP."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.cameras.rtsp.collect import Collector
from ingest.cameras.rtsp.nal import Track
from ingest.cameras.rtsp.rtp import Reorder, parse, steps
from tests.unit.ingest.rtsp_media.payloader import Sender, annexb, fragments, parameter_sets, slices


@pytest.mark.parametrize("extension", [None, b"", b"\x10\xaa\xbb"])
@pytest.mark.parametrize("csrc", [0, 15])
@pytest.mark.parametrize("padding", [0, 1, 9])
def test_where_the_payload_stands(extension: bytes | None, csrc: int, padding: int) -> None:
    packet = Sender(extension=extension, csrc=csrc, padding=padding, sequence=7).packet(b"payload", 99, marker=True)
    header = parse(b"xx" + packet, 2, 2 + len(packet))
    assert header is not None
    assert (b"xx" + packet)[header.start : header.end] == b"payload"
    assert header[:5] == (True, 96, 7, 99, 0x1234ABCD)


@pytest.mark.parametrize(
    "packet",
    [b"", b"\x80" * 12, b"\x40" + bytes(20), b"\x9f" + bytes(20), b"\xa0" + bytes(20), b"\xa0" + bytes(19) + b"\xff"],
    ids=["nothing", "no payload", "version 1", "all extension", "padding of 0", "all padding"],
)
def test_what_is_no_rtp(packet: bytes) -> None:
    assert parse(packet, 0, len(packet)) is None


@pytest.mark.parametrize(
    ("since", "to", "ahead"), [(0, 1, 1), (65535, 0, 1), (0, 65535, -1), (10, 10, 0), (0, 32768, -32768), (5, 3, -2)]
)
def test_steps(since: int, to: int, ahead: int) -> None:
    assert steps(since, to) == ahead


def numbers(packets: list[bytes]) -> list[int]:
    return [packet[2] << 8 | packet[3] for packet in packets]


def sent(count: int, first: int = 65530) -> list[bytes]:
    sender = Sender(sequence=first)
    return [sender.packet(b"p", n) for n in range(count)]


def test_in_order_they_pass_through() -> None:
    reorder = Reorder()
    for packet in sent(20):
        assert list(reorder.push(packet, 0.0)) == [packet]


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 65535), st.integers(0, 1 << 30), st.integers(1, 8))
def test_any_order_within_the_window_is_put_right(first: int, seed: int, apart: int) -> None:
    packets, random, reorder, out = sent(60, first), Random(seed), Reorder(16, 10.0), []
    mixed = sorted(range(len(packets)), key=lambda n: n + random.random() * apart if n else -1)
    for place in mixed:
        for _ in range(1 + (random.random() < 0.1)):
            out += reorder.push(packets[place], 0.0)
    assert out == packets
    assert (reorder.lost, reorder.restarts) == (0, 0)


def test_a_lost_packet_is_given_up_by_number() -> None:
    reorder, packets = Reorder(most_packets=4, most_wait_s=10.0), sent(8)
    out = [n for i, packet in enumerate(packets) if i != 2 for n in numbers(list(reorder.push(packet, 0.0)))]
    assert out == [65530, 65531, 65533, 65534, 65535, 0, 1]
    assert reorder.lost == 1


def test_a_lost_packet_is_given_up_by_time() -> None:
    reorder, packets = Reorder(most_packets=40, most_wait_s=0.2), sent(5)
    assert len(reorder.push(packets[0], 0.0)) == 1
    assert not reorder.push(packets[2], 0.1)
    assert not reorder.waited(0.25)
    assert reorder.waited(0.35) == [packets[2]]
    assert not reorder.push(packets[1], 0.4)
    assert (reorder.lost, reorder.late) == (1, 1)


def test_a_sender_that_begins_anew() -> None:
    reorder, old, new = Reorder(), sent(5, 100), sent(5, 40000)
    out = [n for packet in [*old, *new] for n in numbers(list(reorder.push(packet, 0.0)))]
    assert out == [100, 101, 102, 103, 104, 40001, 40002, 40003, 40004]
    assert reorder.restarts == 1


def test_one_wild_packet_is_dropped() -> None:
    reorder, packets = Reorder(), sent(6, 100)
    wild = sent(1, 50000)
    out = [n for packet in [*packets[:3], *wild, *packets[3:]] for n in numbers(list(reorder.push(packet, 0.0)))]
    assert out == [100, 101, 102, 103, 104, 105]
    assert reorder.late == 1


def test_rubbish_is_counted() -> None:
    reorder = Reorder()
    assert not reorder.push(b"", 0.0)
    assert not reorder.push(bytes(40), 0.0)
    assert reorder.damaged == 2


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_packets_from_udp_make_keyframes(codec: str) -> None:
    sender, nals = Sender(), [*parameter_sets(codec), *slices(codec, [bytes(3000)], True)]
    packets = sender.picture([part for nal in nals for part in fragments(codec, nal, [500])], 9)
    packets[3], packets[5] = packets[5], packets[3]
    reorder, collector = Reorder(), Collector(Track(codec, 96))
    for packet in packets:
        for ordered in reorder.push(packet, 1.0):
            collector.packet(ordered, 0, len(ordered), 1.0)
    assert collector.key is not None
    assert collector.key.data == annexb(nals)
