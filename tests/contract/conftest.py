"""The clips and servers that the camera contract is tried on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers import clips
from tests.peers.nginx import Nginx
from tests.peers.rtsp_server import RtspServer


@pytest.fixture(scope="session")
def clip_h264(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clips.encode(clips.scene(20, 320, 184), tmp_path_factory.mktemp("clips") / "h264.mp4", fps=10, gop=5)


@pytest.fixture(scope="session")
def clip_h265(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("clips") / "h265.mp4"
    return clips.encode(clips.scene(20, 320, 184), target, fps=10, gop=5, codec="libx265")


@pytest.fixture(scope="session")
def rtsp(clip_h264: Path, clip_h265: Path) -> Iterator[RtspServer]:
    with RtspServer(("digest", "admin", "pw123")) as server:
        server.play("/h264", clip_h264)
        server.play("/h265", clip_h265)
        yield server


@pytest.fixture(scope="session")
def nginx() -> Iterator[Nginx]:
    with Nginx("admin", "pw123") as server:
        yield server
