"""What a real RTSP server (gst-rtsp-server) sent, byte for byte: tests/fixtures/rtsp/capture.py made it."""

from __future__ import annotations

import hashlib
import io
import json
from itertools import pairwise
from pathlib import Path
from random import Random

import av
import pytest

from ingest.cameras.rtsp.nal import KEY, Track, split_annexb
from ingest.cameras.rtsp.raw import RawRing
from ingest.cameras.rtsp.walk import Key, Walker

FOLDER = Path(__file__).resolve().parents[3] / "fixtures" / "rtsp"
CODECS = ["h264", "hevc"]


def captured(codec: str) -> tuple[bytes, Track, list[str]]:
    """The bytes, the track as described, and the hashes of the slices of each keyframe that was played."""
    facts = json.loads((FOLDER / f"{codec}.json").read_text())
    sets = b"".join(b"\0\0\0\1" + bytes.fromhex(one) for one in facts["sets"])
    track = Track(codec, facts["payload_type"], parameter_sets=sets)
    return (FOLDER / f"{codec}.bin").read_bytes(), track, facts["keys"]


def played(key: Key, track: Track) -> str:
    nals = [nal for nal in split_annexb(key.data) if track.coding.kinds[nal[0]] == KEY]
    return hashlib.sha256(b"".join(b"\0\0\0\1" + nal for nal in nals)).hexdigest()


@pytest.mark.parametrize("codec", CODECS)
def test_every_keyframe_is_the_one_that_was_played(codec: str) -> None:
    data, track, hashes = captured(codec)
    walker, random, buf, keys, at = Walker(track), Random(3), bytearray(), [], 0
    while at < len(data):
        step = random.randint(1, 3000)
        buf += data[at : at + step]
        at += step
        del buf[: walker.walk(buf, len(buf), at / 1e5)]
        if walker.key and walker.key not in keys:
            keys.append(walker.key)
    assert len(keys) == walker.keys >= 4
    assert {played(key, track) for key in keys} == set(hashes)
    assert (walker.lost, walker.resyncs, walker.collector.bare) == (0, 0, 0)
    assert [b"CSeq: 3" in text or b"CSeq: 4" in text for text in walker.texts].count(True) >= 2
    assert walker.report is not None


@pytest.mark.parametrize("codec", CODECS)
def test_each_keyframe_decodes_by_itself(codec: str) -> None:
    data, track, _ = captured(codec)
    walker = Walker(track)
    walker.walk(bytearray(data), len(data), 1.0)
    assert walker.key is not None
    with av.open(io.BytesIO(walker.key.data), format=codec) as decoded:
        (picture,) = decoded.decode(video=0)
    assert (picture.width, picture.height, picture.is_corrupt) == (320, 180, False)


@pytest.mark.parametrize("codec", CODECS)
def test_every_picture_comes_out_of_the_ring(codec: str) -> None:
    data, track, _ = captured(codec)
    ring, walker, buf = RawRing(100.0, 1 << 20), Walker(track), bytearray()
    for at in range(0, len(data), 5000):
        buf += data[at : at + 5000]
        used = walker.walk(buf, len(buf), at / 1e5)
        ring.push(bytes(buf[:used]), at / 1e5)
        del buf[:used]
    out = ring.packets(track)
    steps = [later.pts_s - now.pts_s for now, later in pairwise(out)]
    assert sum(p.key for p in out) == walker.keys
    assert all(0 < step < 0.12 for step in steps)
    with av.open(io.BytesIO(b"".join(p.data for p in out)), format=codec) as decoded:
        assert sum(1 for _ in decoded.decode(video=0)) == len(out)


@pytest.mark.parametrize("codec", CODECS)
def test_lost_pieces_give_fewer_keyframes_but_no_other_ones(codec: str) -> None:
    data, track, hashes = captured(codec)
    random = Random(5)
    for _ in range(60):
        at, cut = random.randrange(len(data)), random.randint(1, 4000)
        walker, damaged, buf = Walker(track), data[:at] + data[at + cut :], bytearray()
        for begin in range(0, len(damaged), 10_000):
            buf += damaged[begin : begin + 10_000]
            del buf[: walker.walk(buf, len(buf), begin / 10_000)]
        assert walker.key is not None
        assert played(walker.key, track) in hashes
