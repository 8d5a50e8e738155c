"""Clips of the project's own rendered streets, so that every path is covered where no real footage lies at hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detectors.tuning.scenes.compose import View, compose, load_sprites, traffic

from .clips import encode

SCENES = Path(__file__).resolve().parents[2] / "configs" / "demo" / "scenes"
VIEW = "v04"
"""A pavement before a shop, in daylight."""


def rendered_pictures(
    overlay: str | None, seconds: float = 15.0, fps: float = 5.0, view_name: str = VIEW
) -> Iterator[NDArray[np.uint8]]:
    """The corner with people and cars passing; with the first overlay of the kind `overlay` ("garbage") or without."""
    view = View.load(SCENES / view_name)
    sprites = load_sprites(SCENES / "sprites")
    shown = [o.name for o in view.overlays.values() if o.kind == overlay][:2]
    for n in range(int(seconds * fps)):
        t_s = n / fps
        yield compose(view, "day", shown, traffic(view, sprites, t_s, seed=3), t_s=t_s, seed=3)[0]


def rendered_clip(path: Path, overlay: str | None, seconds: float = 15.0, view_name: str = VIEW) -> Path:
    """`rendered_pictures` as an H.264 MP4 with a keyframe a second."""
    return encode(rendered_pictures(overlay, seconds, view_name=view_name), path, fps=5, gop=5)
