"""Damaged keyframes are refused, not shown: what no decoder may turn into a picture that differs visibly."""

from __future__ import annotations

import random
from fractions import Fraction

import av
import numpy as np
import pytest

from ingest.errors import NotVideo
from ingest.media import SKIP_LOOP_FILTER, Decoders
from ingest.media.coding import is_sound, only_slices
from tests.peers.damage import (
    START_CODE,
    STREAMS,
    Damage,
    cut,
    differing,
    flips,
    gap,
    luma_of,
    without_a_slice,
    zeros,
)
from tests.peers.keyframes import key


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("damage", [cut, zeros], ids=lambda damage: damage.__name__)
def test_what_was_cut_short_or_blanked_is_never_shown(name: str, damage: Damage) -> None:
    assert differing(Decoders(), name, damage) == 0


@pytest.mark.parametrize("name", ["h264", "h264, no CABAC", "h264, slices"])
@pytest.mark.parametrize("damage", [gap, flips], ids=lambda damage: damage.__name__)
def test_h264_with_gaps_or_wrong_bytes_is_never_shown(name: str, damage: Damage) -> None:
    assert differing(Decoders(), name, damage) == 0


@pytest.mark.parametrize("name", ["h264, slices", "hevc, slices", "hevc"])
@pytest.mark.parametrize("skip", SKIP_LOOP_FILTER)
def test_a_picture_that_lacks_a_slice_is_never_shown(name: str, skip: str) -> None:
    decoders = Decoders()
    decoders.use(skip_loop_filter=skip)
    assert differing(decoders, name, without_a_slice, rounds=6) == 0


def _second_picture(codec: str) -> bytes:
    """Parameter sets and a picture that refers to one that never came."""
    context = av.CodecContext.create("libx264" if codec == "h264" else "libx265", "w")
    context.width, context.height, context.pix_fmt, context.time_base = 320, 192, "yuv420p", Fraction(1, 25)
    extra = "repeat-headers=1:bframes=0:keyint=50"
    context.options = {"preset": "veryfast", "tune": "zerolatency"} | (
        {"x264-params": extra} if codec == "h264" else {"x265-params": f"log-level=none:{extra}"}
    )
    rng = np.random.default_rng(1)
    units: list[bytes] = []
    for _ in range(3):
        image = rng.integers(0, 255, (192, 320, 3), dtype=np.uint8)
        units += [bytes(p) for p in context.encode(av.VideoFrame.from_ndarray(image, format="bgr24"))]
    units += [bytes(p) for p in context.encode(None)]
    heads = units[0][: max(m.start() for m in START_CODE.finditer(units[0]))]
    return heads + units[1]


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_a_picture_whose_reference_never_came_is_refused(codec: str) -> None:
    decoders = Decoders()
    luma_of(decoders, codec, key(codec, 320, 192).data)
    with pytest.raises(NotVideo, match="keyframe"):
        luma_of(decoders, codec, _second_picture(codec))


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_after_damage_the_next_camera_gets_its_own_picture(codec: str) -> None:
    decoders = Decoders()
    ours, other = key(codec, 640, 360, 1), key(codec, 640, 360, 2)
    right = luma_of(Decoders(), codec, ours.data)
    for damage in (cut, gap, flips, without_a_slice):
        try:
            luma_of(decoders, codec, damage(other.data, random.Random(1)))
        except NotVideo:
            assert np.array_equal(luma_of(decoders, codec, ours.data), right)


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_the_wrong_codec_and_nothing_at_all(codec: str) -> None:
    decoders = Decoders()
    other = "hevc" if codec == "h264" else "h264"
    for data in (key(other).data, b"", b"\x00\x00\x00\x01", b"no video at all", bytes(5000)):
        with pytest.raises(NotVideo):
            luma_of(decoders, codec, data)


def test_too_large_a_picture_is_refused_before_it_takes_memory() -> None:
    big = key("h264", 640, 360)
    context = av.CodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt, context.time_base = 16000, 8000, "yuv420p", Fraction(1, 25)
    context.options = {"preset": "ultrafast", "x264-params": "keyint=1"}
    context.open(strict=False)
    sets = bytes(context.extradata or b"")
    slices = big.data[max(m.start() for m in START_CODE.finditer(big.data)) :]
    with pytest.raises(NotVideo):
        luma_of(Decoders(), "h264", sets + slices)


def test_how_to_decode_is_checked_by_name() -> None:
    decoders = Decoders()
    with pytest.raises(ValueError, match="skip_loop_filter: 'some'; allowed: none, h264, all"):
        decoders.use(skip_loop_filter="some")
    with pytest.raises(ValueError, match="hardware: 'abacus'; this FFmpeg offers: "):
        decoders.use(hardware="abacus")


@pytest.mark.parametrize(
    ("data", "sound"),
    [
        (b"\x00\x00\x01\x65abc", True), (b"\x00\x00\x00\x01\x65abc\x00\x00\x00\x01\x68", True),
        (b"\x00\x00\x01\x65abc\x00\x00\x00\x00\x00\x01\x68", True), (b"\x00\x00\x01\x65abc\x00\x00\x00\x00", True),
        (b"\x00\x00\x01\x65abc\x00\x00\x00\x07", False), (b"\x00\x00\x01\x65\x00\x00\x00\x00\x02", False), (b"", True),
    ],
)  # fmt: skip
def test_where_zeros_may_stand(data: bytes, sound: bool) -> None:
    assert is_sound(data) is sound


def test_only_slices_and_parameter_sets_reach_the_h265_decoder() -> None:
    def unit(kind: int) -> bytes:
        return b"\x00\x00\x01" + bytes([kind << 1, 1]) + b"payload"

    kept = b"".join(unit(kind) for kind in (32, 33, 34, 19, 19))
    data = b"\x00" + b"".join(unit(kind) for kind in (35, 32, 33, 34, 39, 19, 38, 19, 40, 36)) + b"\x00\x00"
    assert only_slices(data).startswith(kept + b"\xff")
