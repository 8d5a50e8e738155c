"""Whatever is sent and however it is cut: the keyframes that come out are exactly those that were sent whole."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.cameras.rtsp.collect import Collector, Pieces
from ingest.cameras.rtsp.nal import Track
from ingest.cameras.rtsp.raw import pictures
from ingest.cameras.rtsp.walk import Key, Walker
from tests.unit.ingest.rtsp_media.payloader import (
    Sender,
    aggregate,
    annexb,
    delimiter,
    fragments,
    frame,
    parameter_sets,
    sei,
    slices,
)


@dataclass(repr=False)
class Sent:
    """A picture: what should come out, and the packets that carry it. Before `needed_from` stand delimiters and SEI."""

    time: int
    key: bool
    data: bytes
    marker: bool
    packets: list[bytes]
    needed_from: int

    def __repr__(self) -> str:
        return f"{'key' if self.key else 'picture'} at {self.time}: {len(self.packets)} packets, marker {self.marker}"


class Noting(Collector):
    """Notes every keyframe, not only the newest."""

    def __init__(self, track: Track) -> None:
        super().__init__(track)
        self.noted: list[Key] = []

    def _whole_picture(self, front: bytes, pieces: Pieces) -> None:
        super()._whole_picture(front, pieces)
        assert self.key
        self.noted.append(self.key)


@st.composite
def streams(draw: st.DrawFn, in_band: bool | None = None) -> tuple[str, list[bytes], list[Sent]]:
    """Codec, sets of the session description, pictures."""
    codec = draw(st.sampled_from(("h264", "hevc")))
    in_band = draw(st.booleans()) if in_band is None else in_band
    sender = Sender(
        sequence=draw(st.sampled_from((0, 5, 65530))),
        extension=draw(st.sampled_from((None, None, b"", b"\x10\xaa\xbb\xcc\xdd"))),
        csrc=draw(st.sampled_from((0, 0, 0, 2))),
        padding=draw(st.sampled_from((0, 0, 0, 3))),
    )
    random = Random(draw(st.integers(0, 1 << 30)))
    markers = draw(st.booleans())
    time, sent = draw(st.sampled_from((0, 0xFFFFF000))), []
    for n in range(draw(st.integers(2, 9))):
        key = random.random() < 0.5
        bodies = [random.randbytes(random.choice((1, 30, 300, 1500))) for _ in range(random.choice((1, 1, 2, 4)))]
        sets = parameter_sets(codec, 0, bytes((n + 1,))) if in_band and key else []
        needed = sets + slices(codec, bodies, key)
        spare = [delimiter(codec), sei(codec, random.randbytes(9))][: random.choice((0, 0, 1, 2))]
        payloads = spare + _payloads(codec, needed, random)
        marker = markers or random.random() < 0.5
        time = time + 6000 & 0xFFFFFFFF
        front = [] if in_band or not key else parameter_sets(codec)
        sent.append(Sent(time, key, annexb(front + needed), marker, sender.picture(payloads, time, marker), len(spare)))
    return codec, [] if in_band else parameter_sets(codec), sent


def _payloads(codec: str, needed: list[bytes], random: Random) -> list[bytes]:
    """The NAL units in order, each single, aggregated with its neighbours or in fragments, with others between."""
    out: list[bytes] = []
    todo = list(needed)
    while todo:
        if out and random.random() < 0.2:
            out.append(sei(codec, random.randbytes(9)))
        together = random.choice((1, 1, 2, 3))
        if together > 1 and len(todo) > 1:
            inner = todo[:together] + ([sei(codec)] if random.random() < 0.3 else [])
            out.append(aggregate(codec, inner))
            del todo[:together]
        else:
            sizes = [random.choice((25, 100, 700, 4000)) for _ in range(5)]
            out += fragments(codec, todo.pop(0), sizes)
    return out


def _between(random: Random, sender_ssrc: int) -> bytes:
    """What a server may put between two frames."""
    report = struct.pack(">BBHIIIIII", 0x80, 200, 6, sender_ssrc, 0xE0000000, 0, 1, 2, 3)
    text = b"RTSP/1.0 200 OK\r\nCSeq: 5\r\nContent-Length: 3\r\n\r\nyes"
    stray = Sender(payload_type=8, ssrc=4).packet(random.randbytes(40), 5)
    request = b"SET_PARAMETER rtsp://a/b RTSP/1.0\r\nCSeq: 5\r\n\r\n"
    return random.choice((frame(report, 1), text, frame(stray), frame(stray, 7), request, frame(b"", 1), b"\r\n"))


def _fed(walker: Walker, parts: list[tuple[bytes, float]], random: Random, most: int = 3000) -> None:
    """Bytes and when they come, in pieces of any size, the rest of each in front of the next."""
    buf = bytearray()
    for data, arrived_s in parts:
        at = 0
        while at < len(data):
            step = random.randint(1, most)
            buf += data[at : at + step]
            at += step
            del buf[: walker.walk(buf, len(buf), arrived_s)]


@settings(max_examples=200, deadline=None)
@given(streams(), st.integers(0, 1 << 30), st.sampled_from((0.0, 0.03, 0.2)))
def test_keyframes_out_are_those_sent_whole(
    stream: tuple[str, list[bytes], list[Sent]], seed: int, loss: float
) -> None:
    codec, said, sent = stream
    random = Random(seed)
    data, expected, waiting = b"", [], None
    for picture in sent:
        kept = [packet if random.random() >= loss else None for packet in picture.packets]
        if waiting is not None and kept[0] is not None:
            expected.append((waiting.time, waiting.data))
        waiting = None
        if picture.key and all(kept[picture.needed_from :]):
            if picture.marker:
                expected.append((picture.time, picture.data))
            else:
                waiting = picture
        for packet in kept:
            if packet is not None:
                # Counted together, a second copy would hide a packet that is missing.
                data += frame(packet) * (2 if not loss and random.random() < 0.05 else 1)
                data += _between(random, 0x1234ABCD) if random.random() < 0.1 else b""
    track = Track(codec, 96, parameter_sets=annexb(said))
    collector = Noting(track)
    walker = Walker(track, 0, 1, collector)
    _fed(walker, [(data, 1.0)], random)
    assert [(key.rtp_time, key.data) for key in collector.noted] == expected
    assert all(key.size == len(key.data) for key in collector.noted)
    assert walker.resyncs == 0


@settings(max_examples=200, deadline=None)
@given(streams(), st.integers(0, 1 << 30), st.sampled_from((50, 700, 4000)))
def test_what_is_left_out_on_purpose_shows_no_picture_that_was_not_sent(
    stream: tuple[str, list[bytes], list[Sent]], seed: int, most: int
) -> None:
    codec, said, sent = stream
    random = Random(seed)
    data = b"".join(frame(packet) for picture in sent for packet in picture.packets)
    collector = Noting(Track(codec, 96, parameter_sets=annexb(said)))
    walker = Walker(collector._track, 0, 1, collector)
    buf, at, now_s = bytearray(), 0, 1.0
    while at < len(data):
        step = random.randint(1, most)
        now_s += 0.1
        if walker.at_rest and random.random() < 0.4:
            buf.clear()
            walker.missed(now_s)
        else:
            buf += data[at : at + step]
            del buf[: walker.walk(buf, len(buf), now_s)]
        at += step
    were_sent = {(picture.time, picture.data) for picture in sent if picture.key}
    assert {(key.rtp_time, key.data) for key in collector.noted} <= were_sent
    assert walker.resyncs == 0


@settings(max_examples=200, deadline=None)
@given(streams(), st.integers(0, 1 << 30), st.integers(1, 3000))
def test_after_lost_bytes_the_next_keyframe_comes_out_whole(
    stream: tuple[str, list[bytes], list[Sent]], seed: int, cut: int
) -> None:
    codec, said, sent = stream
    random = Random(seed)
    data = b"".join(frame(packet) for picture in sent for packet in picture.packets)
    at = random.randrange(len(data))
    track = Track(codec, 96, parameter_sets=annexb(said))
    walker = Walker(track)
    closing = Sender(sequence=900)
    last = parameter_sets(codec) + slices(codec, [b"\x77" * 500], True)
    # A length that lost its place may swallow 64 kB before anyone can know.
    fillers = [closing.packet(slices(codec, [b"\x01" * 9000], False)[0], 7) for _ in range(9)]
    damaged = data[:at] + data[at + cut :] + b"".join(map(frame, fillers))
    _fed(walker, [(damaged, 1.0), (b"".join(map(frame, closing.picture(last, 9))), 4.0)], random)
    assert walker.key is not None
    assert (walker.key.rtp_time, walker.key.data) == (9, annexb(last))


@settings(max_examples=100, deadline=None)
@given(streams(in_band=True), st.integers(0, 1 << 30), st.sampled_from((0.0, 0.02, 0.1)))
def test_clips_hold_every_picture_up_to_a_hole(
    stream: tuple[str, list[bytes], list[Sent]], seed: int, loss: float
) -> None:
    codec, _, sent = stream
    random = Random(seed)
    expected, good, chunks, waiting = [], False, [(0.0, b"")], None
    for picture in sent:
        kept = [packet if random.random() >= loss else None for packet in picture.packets]
        if waiting is not None:
            if kept[0] is not None:
                expected.append(waiting)
            else:
                good = False
        waiting = None
        good = all(kept[picture.needed_from :]) if picture.key else good and all(kept)
        if good and picture.marker:
            expected.append(picture)
        elif good:
            waiting = picture
        chunks[-1] = (chunks[-1][0], chunks[-1][1] + b"".join(frame(packet) for packet in kept if packet))
        if random.random() < 0.5:
            chunks.append((chunks[-1][0] + 1, b""))
    out = pictures(chunks, Track(codec, 96))
    assert [(p.rtp_time, p.key, p.data) for p in out] == [(p.time, p.key, p.data) for p in expected]
    times = [(p.rtp_time - out[0].rtp_time & 0xFFFFFFFF) / 90000 for p in out]
    assert [p.pts_s for p in out] == times
