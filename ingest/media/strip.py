"""A few pictures of a clip side by side: what stands in for it where a browser cannot play its codec."""

from __future__ import annotations

import io
from typing import cast

import av
import av.error
import cv2
import numpy as np

from ..frame import Image

PICTURES = 6
HEIGHT_PX = 270
_PLAYED_EVERYWHERE = ("h264",)


def picture_strip(clip: bytes) -> Image | None:
    """HEIGHT_PX high BGR of at most PICTURES moments, evenly over `clip` (MP4), first to last from left to right.

    None where every browser plays the clip, and where nothing in it can be decoded.
    """
    try:
        with av.open(io.BytesIO(clip), "r") as container:
            video = container.streams.video[0]
            if video.codec_context.name in _PLAYED_EVERYWHERE:
                return None
            count = video.frames or sum(1 for packet in container.demux(video) if packet.size)
            container.seek(0)
            wanted = set(np.linspace(0, max(0, count - 1), PICTURES).round().astype(int).tolist())
            frames = enumerate(container.decode(video))
            shown = [cast(Image, frame.to_ndarray(format="bgr24")) for n, frame in frames if n in wanted]
    except (av.error.FFmpegError, IndexError):
        return None
    return cast(Image, np.hstack([_scaled(picture) for picture in shown])) if shown else None


def _scaled(picture: Image) -> Image:
    width = max(1, round(picture.shape[1] * HEIGHT_PX / picture.shape[0]))
    return cast(Image, cv2.resize(picture, (width, HEIGHT_PX), interpolation=cv2.INTER_AREA))
