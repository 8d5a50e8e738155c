"""The strip of pictures that stands in for an H.265 clip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ingest.media import picture_strip
from ingest.media.strip import COLUMNS, WIDTH_PX
from tests.peers import clips


def clip(folder: Path, codec: str, frames: int = 30) -> bytes:
    return clips.encode(clips.scene(frames, 320, 180, noise=0), folder / "c.mp4", gop=10, codec=codec).read_bytes()


def test_h265_gets_its_pictures_from_first_to_last(tmp_path: Path) -> None:
    strip = picture_strip(clip(tmp_path, "libx265"))
    assert strip is not None
    height = round(180 * WIDTH_PX / 320)
    assert strip.shape == (2 * height, COLUMNS * WIDTH_PX, 3)
    parts = [part for row in np.vsplit(strip, 2) for part in np.hsplit(row, COLUMNS)]
    # The red square of the scene walks from left to right.
    at = [int(np.argmax(part[height // 2 + 5, :, 2].astype(int) - part[height // 2 + 5, :, 1])) for part in parts]
    assert at == sorted(at)
    assert at[-1] - at[0] > WIDTH_PX // 2


def test_a_short_clip_gives_what_it_has(tmp_path: Path) -> None:
    strip = picture_strip(clip(tmp_path, "libx265", frames=2))
    assert strip is not None
    assert strip.shape == (round(180 * WIDTH_PX / 320), 2 * WIDTH_PX, 3)


def test_what_every_browser_plays_needs_none(tmp_path: Path) -> None:
    assert picture_strip(clip(tmp_path, "libx264")) is None


@pytest.mark.parametrize("data", [b"", b"no clip at all" * 50])
def test_what_is_no_clip_gives_none(data: bytes) -> None:
    assert picture_strip(data) is None
