"""The ring of packets: bounded in seconds and bytes, whole groups only, cut at keyframes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.clip import Ring, make_clip
from ingest.errors import NotVideo
from ingest.media import Coding, Packet

T0 = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def filled(seconds: int, gop: int = 10, size: int = 100, span_s: float = 20.0, most: int = 10**9) -> Ring:
    ring = Ring(span_s, most)
    for i in range(seconds * 10):
        ring.push(Packet(b"x" * size, i / 10, i / 10, 0.1, i % gop == 0), at(i / 10))
    return ring


def test_it_holds_the_span_and_not_much_more() -> None:
    ring = filled(120)
    held = ring.cut(at(0), at(200), lambda kept: kept.arrived_at)
    assert held[0].key
    assert 20.0 <= held[-1].pts_s - held[0].pts_s + 0.1 <= 22.01
    assert ring.held_bytes == len(held) * 100


def test_bytes_bound_it_even_without_a_second_keyframe() -> None:
    ring = filled(60, gop=10_000, size=1000, most=50_000)
    assert ring.held_bytes <= 50_000
    assert ring.dropped > 0


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 5000)), max_size=200))
def test_whatever_comes_it_stays_bounded_and_begins_with_a_keyframe(packets: list[tuple[bool, int]]) -> None:
    ring = Ring(span_s=3.0, most_bytes=20_000)
    for i, (key, size) in enumerate(packets):
        ring.push(Packet(b"x" * size, i / 10, i / 10, 0.1, key), at(i / 10))
        assert ring.held_bytes <= 20_000
    held = ring.cut(at(-100), at(1000), lambda kept: kept.arrived_at)
    assert not held or held[0].key
    assert sum(len(p.data) for p in held) == ring.held_bytes


@pytest.mark.parametrize(
    ("since", "until", "first", "last"),
    [(5.0, 7.0, 5.0, 7.0), (5.3, 7.0, 5.0, 7.0), (-5.0, 1.5, 0.0, 1.5), (8.9, 99.0, 8.0, 9.9)],
)
def test_cut_from_the_keyframe_before(since: float, until: float, first: float, last: float) -> None:
    cut = filled(10).cut(at(since), at(until), lambda kept: kept.arrived_at)
    assert (cut[0].pts_s, cut[-1].pts_s) == (first, last)
    assert cut[0].key


def test_nothing_of_that_time_is_no_clip() -> None:
    ring = filled(10)
    assert ring.cut(at(-9), at(-1), lambda kept: kept.arrived_at) == []
    assert make_clip(Coding("h264"), []) is None


def test_other_codecs_are_refused_by_name() -> None:
    with pytest.raises(NotVideo, match="mjpeg"):
        make_clip(Coding("mjpeg"), [Packet(b"x", 0, 0, 0.1, True)])
