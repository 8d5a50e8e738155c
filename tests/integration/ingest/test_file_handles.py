"""More cameras than open files allowed: those beyond are told so, the others go on, and all come in turn."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.peers import clips
from tests.peers.payload import Clip
from tests.peers.scripted_rtsp import ScriptedCamera

CAMERAS, FILES = 60, 48

READER = """
import json, resource, sys, time
from datetime import timedelta
from ingest.cameras.rtsp.stay import RtspStay
from ingest.clock import utc_now
from ingest.device import Camera
from ingest.errors import SourceError
from ingest.supervisor import Backoff, Supervisor

url, cameras, files = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
whole = resource.getrlimit(resource.RLIMIT_NOFILE)
failures = {}
supervisor = Supervisor(lambda name, error: failures.setdefault(name, str(error)), pace=lambda _: Backoff(0.2, 0.5))
sources = [RtspStay(Camera(f"c{n}", f"c{n}", url, preroll_s=0.0)) for n in range(cameras)]


seen_s = {}  # a picture is given once


def seen():
    for source in sources:
        try:
            source.look(utc_now() - timedelta(seconds=3), 0.0)
            seen_s[source] = time.monotonic()
        except SourceError:
            pass
    return sum(at > time.monotonic() - 3 for at in seen_s.values())


def wait(true):
    until_s = time.monotonic() + 20
    while not true() and time.monotonic() < until_s:
        time.sleep(0.1)


seen()  # decoders and loop are there before files become scarce
resource.setrlimit(resource.RLIMIT_NOFILE, (files, whole[1]))
for source in sources:
    supervisor.add(source)
wait(lambda: failures and seen() > files // 2)
scarce = {"seen": seen(), "failures": sorted(set(failures.values()))}
resource.setrlimit(resource.RLIMIT_NOFILE, whole)
wait(lambda: seen() == cameras)
print(json.dumps({"scarce": scarce, "then": seen()}))
supervisor.stop()
"""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    made = clips.encode(clips.scene(10, 160, 96), tmp_path_factory.mktemp("clip") / "a.mp4", fps=10, gop=5)
    return Clip.of(made)


def test_the_limit_of_open_files_is_told_and_survived(clip: Clip, project: Path) -> None:
    with ScriptedCamera(clip) as camera:
        done = subprocess.run(
            [sys.executable, "-c", READER, camera.url, str(CAMERAS), str(FILES)],
            cwd=project, capture_output=True, text=True, timeout=90, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert FILES // 2 < told["scarce"]["seen"] < CAMERAS, told
    assert any("too many open files" in failure for failure in told["scarce"]["failures"]), told
    assert told["then"] == CAMERAS, told
