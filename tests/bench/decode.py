"""What a look's picture costs, step by step, against the way through BGR; what damage gets through; what models see.

CPU milliseconds of one thread, medians. Pictures are frames of real footage where `../shared/data/videos` is there,
rendered streets otherwise, coded as cameras do (veryfast, CRF 26).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import mean, median

import cv2
import numpy as np

from detectors.catalog import Catalog
from detectors.detection import Detections
from detectors.gate import changed
from detectors.geometry import iou
from detectors.model import Model
from ingest.frame import Grey, Image, Picture, Pixels
from ingest.media import SKIP_LOOP_FILTER, Coding, Decoders, Packet
from tests.bench.figures import figure
from tests.peers.clips import pictures_of, street
from tests.peers.damage import STREAMS, Damage, cut, differing, flips, gap, without_a_slice, zeros
from tests.peers.keyframes import coded

ROOT = Path(__file__).resolve().parents[2]
FOOTAGE = ROOT.parent / "shared" / "data" / "videos"
SIZES = {"360p": (640, 360), "720p": (1280, 720), "1080p": (1920, 1080)}
CODECS = ("h264", "hevc")
DAMAGE: tuple[Damage, ...] = (cut, gap, zeros, flips, without_a_slice)
SURE = 0.3


def main() -> None:
    cv2.setNumThreads(1)
    images = list(footage())
    for size in SIZES:
        for codec in CODECS:
            steps(f"{size} {codec}", codec, [cv2.resize(image, SIZES[size]) for image in images[:4]])
    model = Catalog(ROOT / "models").open("street", streams=1)
    for codec in CODECS:
        agreement(codec, images, model)
    for name in STREAMS:
        for damage in DAMAGE:
            figure("decode", f"{name}, {damage.__name__}: wrong of 48", differing(Decoders(), name, damage, 48), "")


def footage() -> Iterator[Image]:
    """Pictures seconds apart."""
    files = sorted(FOOTAGE.glob("*.mp4"))
    for file in files:
        yield from pictures_of(file, seconds=12, fps=0.5)
    if not files:
        yield from (street(1920, 1080, seed) for seed in range(12))


def cpu_ms(work: Callable[[], object], times: int = 40) -> float:
    """Median CPU milliseconds of this thread for one call, after two that don't count."""
    work(), work()
    taken = []
    for _ in range(times):
        began_s = time.thread_time()
        work()
        taken.append((time.thread_time() - began_s) * 1000)
    return median(taken)


def steps(name: str, codec: str, images: list[Image]) -> None:
    """Each step of a look alone, and looks whose view did not change as a whole: as they are, and through BGR."""
    packets = [Packet(coded(image, codec), 0, 0, 0, True) for image in images]
    coding, turn = Coding(codec, b"", *images[0].shape[1::-1]), iter(range(10**9))
    how = {skip: Decoders() for skip in SKIP_LOOP_FILTER}
    for skip, decoders in how.items():
        decoders.use(skip_loop_filter=skip)

    def decode(skip: str = "h264") -> Picture:
        return how[skip].decode(coding, packets[next(turn) % len(packets)], name)

    figure("decode", f"{name} decode, loop filter on", cpu_ms(lambda: decode("none")), "ms")
    figure("decode", f"{name} decode, loop filter off", cpu_ms(lambda: decode("all")), "ms")
    asked: dict[str, Callable[[Picture], object]] = {
        "grey": lambda picture: picture.grey,
        "colour": lambda picture: picture.colour,
        "to a model of 416 px": lambda picture: picture.within(416, 416),
        "all of it in BGR": lambda picture: picture.image,
    }
    for step, ask in asked.items():
        pictures = [decode() for _ in range(42)]
        figure("decode", f"{name} {step}", cpu_ms(partial(_ask_next, ask, iter(pictures))), "ms")
    before = [how["h264"].decode(coding, packet, name) for packet in packets]
    greys = [picture.grey for picture in before]
    noise = np.random.default_rng(1).normal(0, 1, greys[0].shape).astype(np.float32)
    figure("decode", f"{name} gate, nothing changed", cpu_ms(lambda: changed(greys[0], greys[0] + noise)), "ms")
    figure("decode", f"{name} gate, something did", cpu_ms(lambda: changed(greys[0], greys[1])), "ms")
    figure("decode", f"{name} look", cpu_ms(lambda: _look(decode(), greys)), "ms")
    figure("decode", f"{name} look", cpu_ms(lambda: _look(Pixels(decode("none").image), greys)), "ms", "through BGR")


def _ask_next(ask: Callable[[Picture], object], pictures: Iterator[Picture]) -> object:
    return ask(next(pictures))


def _look(picture: Picture, greys: list[Grey]) -> bool:
    """What each look asks for: thumbnail, colour, and the gate against the picture most like it."""
    grey = picture.grey
    like = min(greys, key=lambda other: cv2.norm(grey, other, cv2.NORM_L1))
    return picture.colour >= 0 and changed(like, grey)


def agreement(codec: str, images: list[Image], model: Model) -> None:
    """How far detections move: scaled once from YUV in place of from BGR, and with the loop filter off."""
    smooth, blocky = Decoders(), Decoders()
    smooth.use(skip_loop_filter="none")
    blocky.use(skip_loop_filter="all")
    moved: dict[str, list[float]] = {"scaled from YUV": [], "loop filter off": []}
    for image in images:
        packet = Packet(coded(image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2], codec), 0, 0, 0, True)
        whole = smooth.decode(Coding(codec), packet, "x")
        was, now, without = model.detect(
            [
                whole.image,
                whole.within(*model.input_px),
                blocky.decode(Coding(codec), packet, "x").within(*model.input_px),
            ]
        )
        moved["scaled from YUV"] += _apart(was, now)
        moved["loop filter off"] += _apart(now, without)
    for name, apart in moved.items():
        figure("decode", f"{codec} {name}: score moves by", mean(apart), f"(mean of {len(apart)})")
        lost = sum(value >= SURE for value in apart)
        figure("decode", f"{codec} {name}: boxes lost", lost, f"of {len(apart)}")


def _apart(a: Detections, b: Detections) -> list[float]:
    """By how much the score of each sure detection of `a` differs from that of the same thing in `b`."""
    apart = []
    for box, score, label in a:
        if score >= SURE:
            there = b.where(np.array([other == label for other in b.labels], bool))
            same = iou(box[None], there.boxes)[0] >= 0.5 if len(there) else np.zeros(0, bool)
            apart.append(abs(score - float(there.scores[same].max())) if same.any() else float(score))
    return apart


if __name__ == "__main__":
    main()
