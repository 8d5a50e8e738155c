"""Clips and a camera that is alright, for cameras that are not to be compared with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers import clips
from tests.peers.rtsp_server import RtspServer


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clips.encode(clips.scene(20, 320, 184), tmp_path_factory.mktemp("clips") / "a.mp4", fps=10, gop=5)


@pytest.fixture(scope="session")
def rtsp(clip: Path) -> Iterator[RtspServer]:
    with RtspServer() as server:
        server.play("/good", clip)
        yield server
