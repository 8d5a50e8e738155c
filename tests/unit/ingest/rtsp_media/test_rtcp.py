"""RTCP: reports of the camera read, our own written; the arithmetic of losses, jitter and NTP times."""

from __future__ import annotations

import struct
from datetime import UTC, datetime

import pytest

from ingest.cameras.rtsp.rtcp import Bye, Description, Reception, SenderReport, parse, utc_of_ntp

_SENDER = struct.pack(">BBHIIIIII", 0x80, 200, 6, 7, 0xE9000000, 0x80000000, 4500, 10, 1000)
_NAME = struct.pack(">BBHI", 0x81, 202, 3, 7) + b"\x01\x03cam\x00\x00\x00"
_BYE = struct.pack(">BBHI", 0x81, 203, 2, 7) + b"\x03off"


def test_a_compound_is_read() -> None:
    compound = b"xx" + _SENDER + _NAME + _BYE
    told = SenderReport(7, utc_of_ntp(0xE9000000, 0x80000000), 0x00008000, 4500, 10, 1000)
    assert parse(compound, 2, len(compound)) == [told, Description(7, "cam"), Bye((7,), "off")]


@pytest.mark.parametrize(
    "data",
    [b"", b"\x80", b"\x80\xc8\x00\xff", b"\x00\xc8\x00\x00", b"\x80\x60" + bytes(30), b"\x80\xc8\x00\x01" + bytes(4)],
    ids=["nothing", "one byte", "too long", "version 0", "RTP", "short report"],
)
def test_what_is_no_report(data: bytes) -> None:
    assert parse(data, 0, len(data)) == []


def test_what_is_whole_before_damage_counts() -> None:
    cut = _SENDER + _BYE[:-1]
    assert [type(report) for report in parse(cut, 0, len(cut))] == [SenderReport]


@pytest.mark.parametrize(
    ("seconds", "at"),
    [
        (2_208_988_800, datetime(1970, 1, 1, tzinfo=UTC)),
        (0xFFFFFFFF, datetime(2036, 2, 7, 6, 28, 15, tzinfo=UTC)),
        (0, datetime(2036, 2, 7, 6, 28, 16, tzinfo=UTC)),
        (0x10000000, datetime(2044, 8, 10, 3, 52, 32, tzinfo=UTC)),
    ],
)
def test_ntp_eras(seconds: int, at: datetime) -> None:
    assert utc_of_ntp(seconds, 1 << 31) == at.timestamp() + 0.5


def test_no_clock() -> None:
    assert utc_of_ntp(0, 0) is None


def fields(report: bytes) -> tuple[int, int, int, int, int, int]:
    """ssrc, fraction lost, lost, highest sequence, jitter, (LSR, DLSR) of an RR's only block."""
    assert report[:4] == b"\x81\xc9\x00\x07"
    ssrc, lost, highest, jitter, last, delay = struct.unpack_from(">IIIIII", report, 8)
    return ssrc, lost >> 24, lost & 0xFFFFFF, highest, jitter, last << 32 | delay


def test_losses() -> None:
    reception = Reception(90000)
    reception.took(10, 65530, 0, 0.0)
    reception.took(8, 4, 900, 0.01)
    report = reception.receiver_report(1, 7, "hub", 0.0)
    assert fields(report)[:4] == (7, 2 * 256 // 20, 2, 65536 + 4)
    assert reception.lost == 2
    again = fields(reception.receiver_report(1, 7, "hub", 0.0))
    assert again[1:3] == (0, 2)
    reception.took(3, 14, 900, 0.01)
    assert fields(reception.receiver_report(1, 7, "hub", 0.0))[1:3] == (7 * 256 // 10, 9)


def test_the_report_is_a_whole_compound() -> None:
    reception = Reception(90000)
    reception.took(1, 5, 0, 0.0)
    (sender,) = parse(_SENDER, 0, len(_SENDER))
    assert isinstance(sender, SenderReport)
    reception.sender_said(sender, 10.0)
    report = reception.receiver_report(1, 7, "hub", 12.5)
    assert fields(report)[5] == 0x00008000 << 32 | int(2.5 * 65536)
    assert len(report) % 4 == 0
    assert parse(report, 0, len(report)) == [Description(1, "hub")]


def test_jitter_is_nothing_for_a_steady_stream_over_a_wrap() -> None:
    reception = Reception(90000)
    for n in range(100):
        reception.took(1, n, (0xFFFFFFFF - 90000 + n * 3600) & 0xFFFFFFFF, 1000 + n * 0.04)
    assert reception.jitter_s < 1e-6


def test_jitter_grows_towards_the_mean_deviation() -> None:
    reception = Reception(90000)
    for n in range(200):
        reception.took(1, n, n * 3600, n * 0.04 + 0.01 * (n % 2))
    assert reception.jitter_s == pytest.approx(0.01, rel=0.01)


def test_a_sender_that_begins_anew_has_lost_nothing() -> None:
    reception = Reception(90000)
    reception.took(10, 100, 0, 0.0)
    reception.took(10, 40000, 0, 0.1)
    assert reception.lost == 0
