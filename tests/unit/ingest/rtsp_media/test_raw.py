"""The ring of the last seconds, the budget that rings share, and what is taken out of them for a clip."""

from __future__ import annotations

import io

import av
import pytest

from ingest.cameras.rtsp.nal import Track, split_annexb
from ingest.cameras.rtsp.raw import Budget, RawRing, interleaved, pictures
from tests.peers.clips import access_units, encode, scene
from tests.unit.ingest.rtsp_media.payloader import Sender, fragments, frame, parameter_sets, slices


def held(ring: RawRing) -> list[float]:
    return [arrived_s for arrived_s, _ in ring.chunks()]


def test_only_the_last_seconds_are_kept() -> None:
    ring = RawRing(5.0, 1 << 20)
    for n in range(20):
        ring.push(bytes(100), float(n))
    assert held(ring) == [14.0, 15.0, 16.0, 17.0, 18.0, 19.0]
    assert ring.dropped_bytes == 0


def test_what_came_before_the_clock_was_set_back_is_not_kept_till_it_comes_round() -> None:
    ring = RawRing(5.0, 1 << 20)
    for n in range(3):
        ring.push(bytes(100), 28800.0 + n)
    for n in range(3):
        ring.push(bytes(100), float(n))
    assert held(ring) == [0.0, 1.0, 2.0]


def test_too_many_bytes_are_given_up_and_counted() -> None:
    ring = RawRing(1000.0, 10_000)
    for n in range(20):
        ring.push(bytes(1000), float(n))
    assert held(ring) == [float(n) for n in range(12, 20)]
    assert ring.held_bytes <= 10_000
    assert ring.dropped_bytes > 12_000


def test_a_chunk_larger_than_the_ring_is_not_kept() -> None:
    ring = RawRing(1000.0, 10_000)
    ring.push(bytes(20_000), 0.0)
    assert (len(ring), ring.held_bytes) == (0, 0)


def test_the_largest_rings_give_way() -> None:
    budget = Budget(100_000)
    small, large = (RawRing(1000.0, 1 << 20, budget) for _ in range(2))
    for n in range(10):
        small.push(bytes(1000), float(n))
    for n in range(200):
        large.push(bytes(1000), float(n))
    assert len(small) == 10
    assert budget.held_bytes == small.held_bytes + large.held_bytes <= 100_000
    assert large.dropped_bytes == budget.dropped_bytes > 0
    large.clear()
    assert budget.held_bytes == small.held_bytes


def test_a_ring_that_is_gone_gives_its_bytes_back() -> None:
    budget = Budget(100_000)
    ring = RawRing(1000.0, 1 << 20, budget)
    ring.push(bytes(1000), 0.0)
    ring.clear()
    del ring
    assert budget.held_bytes == 0
    budget.trim()


def test_no_picture_after_a_hole_up_to_the_next_key() -> None:
    sender, track = Sender(), Track("h264", 96)
    nals = [*parameter_sets("h264"), *slices("h264", [b"k" * 50], True)]
    packets = [
        *sender.picture(slices("h264", [b"a"], False), 1),
        *sender.picture(nals, 2),
        *sender.picture(slices("h264", [b"b"], False), 3),
        *sender.picture(slices("h264", [b"c"], False), 4),
        *sender.picture(slices("h264", [b"d"], False), 5),
        *sender.picture(nals, 6),
    ]
    del packets[5]
    out = pictures([(0.0, interleaved(0, packets))], track)
    assert [(p.rtp_time, p.key) for p in out] == [(2, True), (3, False), (6, True)]


def test_a_clock_that_is_set_makes_no_gap() -> None:
    """Time between two pictures is then told by their arrival."""
    sender, track = Sender(), Track("h264", 96)
    nals = [*parameter_sets("h264"), *slices("h264", [b"k" * 50], True)]
    times = [100, 9100, 3_000_000_000, 3_000_009_000]
    chunks = [(n * 0.1, interleaved(0, sender.picture(nals, time))) for n, time in enumerate(times)]
    assert [p.pts_s for p in pictures(chunks, track)] == pytest.approx([0, 0.1, 0.2, 0.3])


def test_reordered_pictures_are_decoded_before_they_are_shown() -> None:
    sender, track = Sender(), Track("h264", 96)
    nals = [*parameter_sets("h264"), *slices("h264", [b"k" * 50], True)]
    packets = sender.picture(nals, 0)
    for place in (3, 1, 2, 6, 4, 5):
        packets += sender.picture(slices("h264", [b"b"], False), place * 9000)
    out = pictures([(0.0, interleaved(0, packets))], track)
    assert [round(p.pts_s * 10) for p in out] == [0, 3, 1, 2, 6, 4, 5]
    assert [p.dts_s for p in out] == sorted(p.dts_s for p in out)
    assert all(p.dts_s <= p.pts_s for p in out)
    assert out[0].duration_s == pytest.approx(0.1)


@pytest.mark.parametrize(("codec", "encoder"), [("h264", "libx264"), ("hevc", "libx265")])
def test_every_picture_of_a_real_clip_comes_back_and_decodes(codec: str, encoder: str, tmp_path) -> None:  # type: ignore[no-untyped-def]
    _, _, units = access_units(encode(scene(25, 320, 180), tmp_path / "c.mp4", 10, 10, encoder))
    sender, ring = Sender(), RawRing(1000.0, 1 << 24)
    for n, unit in enumerate(units):
        payloads = [part for nal in split_annexb(unit) for part in fragments(codec, nal, [700])]
        ring.push(b"".join(map(frame, sender.picture(payloads, n * 9000))), n * 0.1)
    out = ring.packets(Track(codec, 96))
    assert [p.key for p in out] == [n % 10 == 0 for n in range(25)]
    assert [p.pts_s for p in out] == pytest.approx([n * 0.1 for n in range(25)])
    assert [p.dts_s for p in out] == [p.pts_s for p in out]
    with av.open(io.BytesIO(b"".join(p.data for p in out)), format=codec) as decoded:
        assert sum(1 for _ in decoded.decode(video=0)) == 25
