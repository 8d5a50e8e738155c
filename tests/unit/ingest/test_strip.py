"""The strip of pictures that stands in for an H.265 clip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ingest.media import picture_strip
from ingest.media.strip import HEIGHT_PX, PICTURES
from tests.peers import clips


def clip(folder: Path, codec: str, frames: int = 30) -> bytes:
    return clips.encode(clips.scene(frames, 320, 180, noise=0), folder / "c.mp4", gop=10, codec=codec).read_bytes()


def test_h265_gets_its_pictures_from_first_to_last(tmp_path: Path) -> None:
    strip = picture_strip(clip(tmp_path, "libx265"))
    assert strip is not None
    width = round(320 * HEIGHT_PX / 180)
    assert strip.shape == (HEIGHT_PX, PICTURES * width, 3)
    # The red square of the scene walks from left to right.
    at = [
        int(np.argmax(part[HEIGHT_PX // 2 + 5, :, 2].astype(int) - part[HEIGHT_PX // 2 + 5, :, 1]))
        for part in np.hsplit(strip, PICTURES)
    ]
    assert at == sorted(at)
    assert at[-1] - at[0] > width // 2


def test_a_short_clip_gives_what_it_has(tmp_path: Path) -> None:
    strip = picture_strip(clip(tmp_path, "libx265", frames=2))
    assert strip is not None
    assert strip.shape[1] == 2 * round(320 * HEIGHT_PX / 180)


def test_what_every_browser_plays_needs_none(tmp_path: Path) -> None:
    assert picture_strip(clip(tmp_path, "libx264")) is None


@pytest.mark.parametrize("data", [b"", b"no clip at all" * 50])
def test_what_is_no_clip_gives_none(data: bytes) -> None:
    assert picture_strip(data) is None
