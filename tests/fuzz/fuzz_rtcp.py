"""RTCP compounds: any bytes give reports or none, and what is reported back can always be written."""

from __future__ import annotations

import struct

from ingest.cameras.rtsp.rtcp import Reception, SenderReport, parse


def seeds() -> list[bytes]:
    """A sender report, a name, a goodbye."""
    sender = struct.pack(">BBHIIIIII", 0x80, 200, 6, 7, 0xE9000000, 0x80000000, 4500, 10, 1000)
    name = struct.pack(">BBHI", 0x81, 202, 3, 7) + b"\x01\x03cam\x00\x00\x00"
    bye = struct.pack(">BBHI", 0x81, 203, 2, 7) + b"\x03off"
    return [sender, sender + name, sender + name + bye, bye]


def one(data: bytes) -> None:
    """At the front of a buffer and further on; then the bytes as numbers for our own report."""
    reports = parse(data, 0, len(data))
    assert reports == parse(bytearray(b"xyz" + data + b"z"), 3, 3 + len(data))
    reception = Reception(90000)
    for report in reports:
        if isinstance(report, SenderReport):
            reception.sender_said(report, 1.0)
    for at in range(0, len(data) - 11, 11):
        packets, sequence, rtp_time, ms = struct.unpack_from(">BHII", data, at)
        reception.took(packets or 1, sequence, rtp_time, ms / 1000)
        assert len(reception.receiver_report(1, 2, "hub", ms / 900)) == 48
    assert reception.lost >= 0
