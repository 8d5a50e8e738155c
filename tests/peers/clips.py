"""Clips for cameras to show: rendered on the fly with numpy, or cut from real footage; as MP4 and as access units."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.bitstream import BitStreamFilterContext
from numpy.typing import NDArray

Image = NDArray[np.uint8]


def street(width: int = 640, height: int = 360, seed: int = 1) -> Image:
    """A still picture with the textures of a street: ground, walls with windows, kerb lines; BGR."""
    rng = np.random.default_rng(seed)
    small = rng.integers(60, 180, (height // 8, width // 8, 3), dtype=np.uint8)
    picture = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    picture = cv2.addWeighted(picture, 0.5, np.full_like(picture, 90), 0.5, 0)
    for _ in range(40):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        w, h = int(rng.integers(8, width // 5)), int(rng.integers(8, height // 4))
        colour = tuple(int(c) for c in rng.integers(20, 235, 3))
        cv2.rectangle(picture, (x, y), (x + w, y + h), colour, -1 if rng.random() < 0.6 else 2)
    return picture


def scene(frames: int, width: int = 640, height: int = 360, seed: int = 1, noise: float = 3.0) -> Iterator[Image]:
    """The street with sensor noise and one square walking through it."""
    still = street(width, height, seed)
    rng = np.random.default_rng(seed + 1)
    side = height // 8
    for i in range(frames):
        picture = still.astype(np.float32)
        x = int((i / max(frames, 1)) * (width - side))
        picture[height // 2 : height // 2 + side, x : x + side] = (40, 40, 200)
        if noise:
            grain = rng.normal(0, noise, (height, width, 1)).astype(np.float32)
            picture += grain
        yield np.clip(picture, 0, 255).astype(np.uint8)


def encode(
    pictures: Iterable[Image], path: Path, fps: int = 10, gop: int = 10, codec: str = "libx264", bit_rate: int = 0
) -> Path:
    """Encode to MP4 as a camera does: no B frames, closed GOPs of `gop` frames. `codec`: libx264 or libx265."""
    output = av.open(str(path), "w", format="mp4")
    stream = None
    options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "26"}
    if codec == "libx265":
        closed = f"keyint={gop}:min-keyint={gop}:scenecut=0:open-gop=0:repeat-headers=1"
        options = {"preset": "ultrafast", "crf": "28", "x265-params": f"log-level=none:bframes=0:pools=1:{closed}"}
    else:
        options["x264-params"] = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes=0"
    for picture in pictures:
        if stream is None:
            stream = output.add_stream(codec, rate=fps, options=options)
            stream.height, stream.width = picture.shape[:2]
            stream.pix_fmt = "yuv420p"
            stream.codec_context.gop_size = gop
            stream.codec_context.max_b_frames = 0
            if bit_rate:
                stream.codec_context.bit_rate = bit_rate
        output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
    if stream is None:
        raise ValueError("no pictures")
    output.mux(stream.encode(None))
    output.close()
    return path


def pictures_of(
    path: Path, seconds: float = 1e9, width: int | None = None, fps: float | None = None
) -> Iterator[Image]:
    """The pictures of a video file, at most `seconds` of them, scaled to `width`, thinned to `fps`."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        due = 0.0
        for frame in container.decode(stream):
            t = float(frame.time or 0.0)
            if t > seconds:
                return
            if fps and t + 1e-6 < due:
                continue
            due += 1 / fps if fps else 0
            picture = frame.to_ndarray(format="bgr24")
            if width and width != picture.shape[1]:
                height = round(picture.shape[0] * width / picture.shape[1] / 2) * 2
                picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
            yield picture


def access_units(path: Path) -> tuple[str, Fraction, list[bytes]]:
    """Codec (h264 or h265), frame rate and Annex-B access units with parameter sets, of an MP4 without B frames."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        name = {"h264": "h264", "hevc": "h265"}[stream.codec_context.name]
        filter_name = "h264_mp4toannexb" if name == "h264" else "hevc_mp4toannexb"
        to_annexb = BitStreamFilterContext(filter_name, stream)
        units = []
        for packet in container.demux(stream):
            if packet.size:
                units += [bytes(out) for out in to_annexb.filter(packet)]
        return name, Fraction(stream.average_rate or 25), units


def write_units(path: Path, target: Path) -> tuple[str, Fraction, Path]:
    """Access units of `path` to `target`, each behind a 4-byte length: what the RTSP peer reads."""
    name, rate, units = access_units(path)
    target.write_bytes(b"".join(struct.pack(">I", len(unit)) + unit for unit in units))
    return name, rate, target
