"""Parameter sets by id, of H.264 and H.265."""

from __future__ import annotations

import pytest

from ingest.cameras.rtsp.nal import (
    CODECS,
    MOST_SETS,
    PPS,
    SPS,
    VPS,
    Bits,
    ParameterSets,
    set_ids,
    slice_pps,
    split_annexb,
)
from tests.unit.ingest.rtsp_media.payloader import annexb, parameter_sets, pps, slices, sps, vps

H264, HEVC = CODECS["h264"], CODECS["hevc"]


def test_exp_golomb() -> None:
    bits = Bits(bytes((0b10100110, 0b01000010, 0b10000000)))
    assert [bits.golomb() for _ in range(5)] == [0, 1, 2, 3, 4]


def test_emulation_prevention_is_undone() -> None:
    assert Bits(b"\x00\x00\x03\x01").number(24) == 1


def test_past_the_end() -> None:
    assert Bits(b"").golomb() > 255
    assert Bits(b"\x00" * 9).golomb() > 255
    assert Bits(b"\xff").number(16) == 0xFF00


@pytest.mark.parametrize("number", [0, 1, 14])
def test_ids(number: int) -> None:
    for codec in (H264, HEVC):
        assert set_ids(codec, SPS, sps(codec.name, number, vps=3)) == (number, 3 if codec is HEVC else 0)
        assert set_ids(codec, PPS, pps(codec.name, number, 2)) == (number, 2)
        for key in (False, True):
            for one in slices(codec.name, [b"\x99"] * 3, key, number):
                assert slice_pps(codec, one) == number
    assert set_ids(HEVC, VPS, vps(number)) == (number, 0)


def test_ids_beyond_the_standard_are_none() -> None:
    assert set_ids(H264, SPS, sps("h264", 32)) is None
    assert set_ids(H264, PPS, pps("h264", 256, 0)) is None
    assert set_ids(HEVC, PPS, pps("hevc", 64, 0)) is None
    assert set_ids(HEVC, PPS, pps("hevc", 0, 16)) is None


def test_sub_layers_are_passed_over() -> None:
    """An SPS of three temporal layers with both profile and level of each."""
    bits = "0000" + "010" + "1" + "10" * 48 + "11" + "11" + "00" * 6 + "0" * 88 + "1" * 8 + "0" * 96 + "010" + "1" * 8
    bits += "0" * (-len(bits) % 8)
    nal = b"\x42\x01" + int(bits, 2).to_bytes(len(bits) // 8, "big")
    escaped = nal.replace(b"\x00\x00\x00", b"\x00\x00\x03\x00")
    assert set_ids(HEVC, SPS, escaped) == (1, 0)


@pytest.mark.parametrize("codec", [H264, HEVC])
def test_the_newest_of_an_id_counts(codec: CODECS.__class__) -> None:  # type: ignore[name-defined]
    old, new = (parameter_sets(codec.name, 0, tail) for tail in (b"\x01", b"\x02"))
    sets = ParameterSets(codec, annexb(old))
    slice_ = slices(codec.name, [b"\x99"], True)
    assert sets.front(slice_) == annexb(old)
    for nal in new:
        sets.remember(codec.kinds[nal[0]], nal)
    assert sets.front(slice_) == annexb(new)


def test_they_are_bounded() -> None:
    sets = ParameterSets(H264, annexb([sps("h264"), *(pps("h264", n, 0) for n in range(200))]))
    assert len(sets._sets) == MOST_SETS
    assert sets.front(slices("h264", [b"\x99"], True, 5)) is None
    sets.remember(SPS, sps("h264") + bytes(5000))
    assert len(sets._sets) == MOST_SETS


def test_splitting() -> None:
    assert split_annexb(b"\0\0\0\1ab\0\0\1c\0\0\0\0\1\0\0\1d") == [b"ab", b"c", b"d"]
    assert split_annexb(b"rubbish") == []
