"""A few pictures of a clip on one sheet: what stands in for it where a browser cannot play its codec."""

from __future__ import annotations

import io
from typing import cast

import av
import av.error
import cv2
import numpy as np

from ..frame import Image

PICTURES, COLUMNS = 6, 3
WIDTH_PX = 480
"""Of each picture."""
_PLAYED_EVERYWHERE = ("h264",)


def picture_strip(clip: bytes) -> Image | None:
    """BGR with at most PICTURES moments, evenly over `clip` (MP4), in rows of COLUMNS, first to last as one reads.

    None where every browser plays the clip, and where nothing in it can be decoded.
    """
    try:
        with av.open(io.BytesIO(clip), "r") as container:
            video = container.streams.video[0]
            if video.codec_context is None or video.codec_context.name in _PLAYED_EVERYWHERE:
                return None
            count = video.frames or sum(1 for packet in container.demux(video) if packet.size)
            container.seek(0)
            wanted = set(np.linspace(0, max(0, count - 1), PICTURES).round().astype(int).tolist())
            frames = enumerate(container.decode(video))
            shown = [cast(Image, frame.to_ndarray(format="bgr24")) for n, frame in frames if n in wanted]
    except (av.error.FFmpegError, IndexError):
        return None
    return _sheet(shown) if shown else None


def _sheet(pictures: list[Image]) -> Image:
    height = max(1, round(pictures[0].shape[0] * WIDTH_PX / pictures[0].shape[1]))
    cells = [cv2.resize(picture, (WIDTH_PX, height), interpolation=cv2.INTER_AREA) for picture in pictures]
    columns = min(COLUMNS, len(cells))
    cells += [np.zeros_like(cells[0])] * (-len(cells) % columns)
    rows = [np.hstack(cells[at : at + columns]) for at in range(0, len(cells), columns)]
    return cast(Image, np.vstack(rows))
