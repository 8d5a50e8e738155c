"""What walking RTP costs: CPU time a packet over 2,000 interleaved streams of 640x360, 15 fps, 300 kb/s."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from ingest.cameras.rtsp.nal import Track, split_annexb
from ingest.cameras.rtsp.raw import Budget, RawRing
from ingest.cameras.rtsp.walk import Walker
from tests.bench.figures import figure
from tests.peers.clips import access_units, encode, scene
from tests.unit.ingest.rtsp_media.payloader import Sender, fragments, frame

STREAMS, FPS, KEYFRAME_S, ROUND_S = 2000, 15, 2, 0.3
"""A drain of every stream each `ROUND_S`, as the reader does."""
MTU = 1400


def stream(codec: str, folder: Path, sender: Sender) -> tuple[list[bytes], int, int]:
    """What a stream brings, cut as the reader drains it; the packets in it and its bits a second."""
    name = {"h264": "libx264", "hevc": "libx265"}[codec]
    seconds = 2 * KEYFRAME_S
    # So much noise that both codecs come to about 300 kb/s.
    pictures = scene(seconds * FPS, noise={"h264": 3.0, "hevc": 6.0}[codec])
    clip = encode(pictures, folder / codec, FPS, KEYFRAME_S * FPS, name)
    _, _, units = access_units(clip)
    chunks: list[bytes] = [b""]
    packets = 0
    for n, unit in enumerate(units):
        if n and int(n / FPS / ROUND_S) != int((n - 1) / FPS / ROUND_S):
            chunks.append(b"")
        payloads = [part for nal in split_annexb(unit) for part in fragments(codec, nal, [MTU])]
        packets += len(payloads)
        chunks[-1] += b"".join(frame(packet) for packet in sender.picture(payloads, n * 90000 // FPS))
    return chunks, packets, sum(map(len, chunks)) * 8 // seconds


def drained(walkers: list[Walker], chunks: list[bytes], also: Callable[[int, bytes], None] | None = None) -> float:
    """CPU seconds for each walker to take all chunks once, in turns as they come from the network."""
    buf = bytearray(1 << 18)
    spent = 0.0
    for n, chunk in enumerate(chunks):
        buf[: len(chunk)] = chunk
        end = len(chunk)
        started = time.thread_time()
        for number, walker in enumerate(walkers):
            walker.walk(buf, end, n * ROUND_S)
            if also:
                also(number, chunk)
        spent += time.thread_time() - started
    return spent


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for codec in ("h264", "hevc"):
            for name, sender in (("plain", Sender()), ("header extension", Sender(extension=b"\x10\xaa"))):
                measure(codec, name, *stream(codec, Path(folder), sender))


def measure(codec: str, name: str, chunks: list[bytes], packets: int, bits: int) -> None:
    track = Track(codec, 96)
    walkers = [Walker(track) for _ in range(STREAMS)]
    drained(walkers, chunks)
    spent = median(drained(walkers, chunks) for _ in range(5))
    assert all(walker.keys >= 6 and not walker.resyncs for walker in walkers)
    per_packet = spent / (packets * STREAMS)
    per_second = packets / (len(chunks) * ROUND_S) * STREAMS
    figure("walk", f"{codec} {name}: a packet", per_packet * 1e9, "ns")
    share = per_packet * per_second
    figure("walk", f"{codec} {name}: {STREAMS} streams", 100 * share, "% of a core")
    figure("walk", f"{codec} {name}: packets", per_second, "1/s")
    figure("walk", f"{codec} {name}: a stream", bits / 1000, "kb/s")
    if name == "plain":
        budget = Budget(256 << 20)
        rings = [RawRing(20.0, 8 << 20, budget) for _ in walkers]
        started = time.thread_time()
        for n, chunk in enumerate(chunks * 3):
            for ring in rings:
                ring.push(bytes(memoryview(chunk)), n * ROUND_S)
        pushing = (time.thread_time() - started) / 3 / (len(chunks) * ROUND_S)
        figure("walk", f"{codec} ring of last seconds", 100 * pushing, "% of a core")


if __name__ == "__main__":
    main()
