"""Streets for many cameras: rendered once, kept under .make; each carries its number and its time in the picture.

Twelve clips of 40 seconds. Nine are quiet: sensor noise, and nothing else changes. In two something passes now and
then (12 of the 40 seconds), in one there is always something moving. So 11 % of all pictures show something moving.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import cv2
import numpy as np
from av.codec.context import CodecContext
from numpy.typing import NDArray

from .clips import street
from .marks import Mark, draw_mark
from .shown import GOP_S, Form

CLIPS = 12
PASSING, BUSY = (9, 10), (11,)
"""Numbers of the clips in which something passes now and then, and always."""
_PASSES_S = ((4.0, 10.0), (22.0, 28.0))
_NOISE = 4.0
_MADE = Path(__file__).resolve().parents[2] / ".make" / "clips"


def load_clips(form: Form, clips: int = CLIPS) -> list[Path]:
    """Files of access units, one a clip, as the RTSP peer reads them. The first time takes up to a minute or two."""
    _MADE.mkdir(parents=True, exist_ok=True)
    made = hashlib.sha256(Path(__file__).read_bytes() + Path(__file__).with_name("marks.py").read_bytes())
    paths = [_MADE / f"{form.name}-{number:02d}-{made.hexdigest()[:8]}.units" for number in range(clips)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda todo: _make(form, *todo), [(n, p) for n, p in enumerate(paths) if not p.exists()]))
    return paths


def _make(form: Form, number: int, path: Path) -> None:
    part = path.with_suffix(f".{os.getpid()}.part")
    with part.open("wb") as file:
        for unit in _coded(form, number):
            file.write(struct.pack(">I", len(unit)) + unit)
    part.replace(path)


def _coded(form: Form, number: int) -> Iterator[bytes]:
    """Annex-B access units as an IP camera sends them.

    No B frames, closed GOPs, parameter sets in each keyframe; and no look ahead, which a camera cannot have.
    """
    gop = GOP_S * form.fps
    context = cast(Any, CodecContext.create("libx264" if form.codec == "h264" else "libx265", "w"))
    context.width, context.height, context.pix_fmt = form.width_px, form.height_px, "yuv420p"
    context.framerate, context.time_base = Fraction(form.fps), Fraction(1, form.fps)
    context.gop_size, context.max_b_frames, context.thread_count = gop, 0, 1
    context.bit_rate = form.kilobits * 1000
    shared = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes=0:repeat-headers=1"
    shared += f":vbv-maxrate={form.kilobits}:vbv-bufsize={form.kilobits}:rc-lookahead=0"
    if form.codec == "h264":
        context.options = {
            "preset": "veryfast",
            "profile": "main",
            "x264-params": f"{shared}:mbtree=0:ipratio={form.ip_ratio}",
        }
    else:
        single = "open-gop=0:pools=1:log-level=none:cutree=0"
        context.options = {"preset": "ultrafast", "x265-params": f"{shared}:{single}:ipratio={form.ip_ratio}"}
    for n, planes in enumerate(_pictures(form, number)):
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts = n
        yield from (bytes(packet) for packet in context.encode(frame))
    yield from (bytes(packet) for packet in context.encode(None))


def _pictures(form: Form, number: int) -> Iterator[NDArray[np.uint8]]:
    """I420 planes (1.5 H x W) of one loop."""
    width, height = form.width_px, form.height_px
    still = cv2.cvtColor(street(width, height, seed=100 + number), cv2.COLOR_BGR2YUV_I420)
    rng = np.random.default_rng(number)
    grain = [np.rint(rng.normal(0, _NOISE, (height + 64, width))).astype(np.int16) for _ in range(4)]
    for n in range(form.pictures):
        planes = still.copy()
        for box in _moving(number, n / form.fps):
            _paint(planes, width, height, box)
        down, across = int(rng.integers(0, 64)), int(rng.integers(0, width))
        noise = np.roll(grain[n % 4][down : down + height], across, axis=1)
        planes[:height] = np.clip(planes[:height] + noise, 0, 255).astype(np.uint8)
        draw_mark(planes[:height], Mark(number, n))
        yield planes


_Box = tuple[float, float, float, float, int]
"""Left, top, width, height (shares of the picture) and brightness of something that moves."""


def _moving(number: int, at_s: float) -> list[_Box]:
    if number in BUSY:
        return [(_swing(at_s, 5.0 + 2 * k), 0.3 + 0.2 * k, 0.12, 0.15, 60 + 60 * k) for k in range(3)]
    if number in PASSING:
        return [
            ((at_s - since) / (until - since) * 0.9, 0.55, 0.1, 0.18, 200)
            for since, until in _PASSES_S
            if since <= at_s < until
        ]
    return []


def _swing(at_s: float, period_s: float) -> float:
    """To the right side and back, 0 to 0.85."""
    share = at_s / period_s % 1.0
    return 0.85 * (2 * share if share < 0.5 else 2 - 2 * share)


def _paint(planes: NDArray[np.uint8], width: int, height: int, box: _Box) -> None:
    left, top, across, down, brightness = box
    x, y = int(left * width), int(top * height)
    w, h = int(across * width), int(down * height)
    planes[y : y + h, x : x + w] = brightness
    planes[y + h // 3 : y + 2 * h // 3, x + w // 4 : x + 3 * w // 4] = 255 - brightness
