"""`make bench-ingest`: what a camera costs, each way of reading it.

Every reader gets its own process and as many cameras as suit it on two cores; all look at each camera every ten
seconds and hand over a picture as they have it: YUV as decoded (gridhub, PyAV), YUV scaled (ffmpeg), BGR (OpenCV and
Ultralytics, which know no other). Its number and time are checked. Only the reader's CPU counts, without the checking.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from ingest.media.decoding import SKIP_LOOP_FILTER
from tests.bench.figures import figure
from tests.peers.many_cameras import ManyCameras
from tests.peers.shown import FORMS

from .job import Job, percentile
from .watched import Use, Watched

LEARNING_LOOKS = 7
"""Health judges every picture whole until it knows the view, which takes a minute; it is measured after."""
QUIET = {"YOLO_OFFLINE": "true", "YOLO_VERBOSE": "false", "OPENCV_FFMPEG_CAPTURE_OPTIONS": "rtsp_transport;tcp"}


@dataclass(frozen=True, slots=True)
class Peer:
    """A way of reading: its module here, and how many cameras it gets."""

    name: str
    module: str
    cameras: int
    options: dict[str, Any] = field(default_factory=dict)
    needs: str = ""
    """A program or a Python package that may be missing."""


PEERS = [
    Peer("gridhub-stay", "gridhub", 2000, {"watch": "stay", "settle_looks": LEARNING_LOOKS}),
    Peer("gridhub-patrol", "gridhub", 2000, {"watch": "patrol", "settle_looks": LEARNING_LOOKS}),
    Peer("pyav-threads", "pyav_threads", 100, {"every_key": True}),
    Peer("pyav-due-keys", "pyav_threads", 100),
    Peer("opencv-threads", "opencv_threads", 10),
    Peer("ffmpeg-processes", "ffmpeg_processes", 6, needs="ffmpeg"),
    Peer("ultralytics", "ultralytics_streams", 6, needs="ultralytics"),
]


def main() -> None:
    asked = _arguments()
    form = FORMS[asked.size]
    counts = {peer.name: peer.cameras for peer in PEERS} | dict(_counts(asked.cameras))
    chosen = [peer for peer in PEERS if peer.name in (asked.peers.split(",") if asked.peers else counts)]
    costs: dict[str, list[float]] = {}
    with ManyCameras(max(counts[peer.name] for peer in chosen), form) as server:
        for peer in chosen * asked.rounds:
            python = asked.ultralytics_python if peer.needs == "ultralytics" else sys.executable
            if reason := _missing(peer, python):
                print(f"{peer.name}: left out, {reason}")
                continue
            costs.setdefault(peer.name, []).append(_measure(peer, counts[peer.name], asked, server, python))
    _compare({name: fmean(measured) for name, measured in costs.items()}, asked.size)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-ingest ARGS=…", description=__doc__)
    parser.add_argument("--size", choices=FORMS, default="360p")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each peer is measured (default: 60)")
    parser.add_argument(
        "--rounds", type=int, default=1, help="all peers by turns so often: a machine whose pace changes is fair to all"
    )
    parser.add_argument("--every", type=float, default=10.0, help="seconds between looks at a camera (default: 10)")
    parser.add_argument("--skip-loop-filter", choices=SKIP_LOOP_FILTER, default="h264", help="gridhub's setting")
    parser.add_argument("--peers", default="", help="of " + ", ".join(peer.name for peer in PEERS))
    parser.add_argument("--cameras", action="append", default=[], metavar="PEER=N", help="another number of cameras")
    parser.add_argument(
        "--ultralytics-python",
        default=os.environ.get("ULTRALYTICS_PYTHON", sys.executable),
        help="a Python with ultralytics, torch and pytest (default: this one, or $ULTRALYTICS_PYTHON)",
    )
    return parser.parse_args()


def _counts(told: list[str]) -> Iterator[tuple[str, int]]:
    for one in told:
        name, _, count = one.partition("=")
        if name not in {peer.name for peer in PEERS} or not count.isdigit():
            raise SystemExit(f"--cameras {one}: wanted PEER=N, with PEER of {', '.join(p.name for p in PEERS)}")
        yield name, int(count)


def _missing(peer: Peer, python: str) -> str:
    if peer.needs == "ffmpeg" and not shutil.which("ffmpeg"):
        return "there is no ffmpeg"
    if peer.needs == "ultralytics" and python == sys.executable and not importlib.util.find_spec("ultralytics"):
        return "ultralytics is not installed (see --ultralytics-python)"
    return ""


def _measure(peer: Peer, cameras: int, asked: argparse.Namespace, server: ManyCameras, python: str) -> float:
    """CPU seconds a camera-minute."""
    shown = [server.showing(n) for n in range(cameras)]
    options = peer.options | {"skip_loop_filter": asked.skip_loop_filter}
    job = Job(server.urls[:cameras], shown, asked.every, open_s=120.0, options=options)
    with Watched(f"tests.bench.ingest.{peer.module}", job, python, QUIET) as child:
        child.tell()
        before, server_before = child.use(), Use.of(server.pid)
        time.sleep(asked.seconds)
        told = child.tell()
        after, server_after = child.use(), Use.of(server.pid)
    took_s = after.at_s - before.at_s
    cost = (after.cpu_s - before.cpu_s - told["checking_s"]) / (max(1, told["held"]) * took_s / 60)

    def say(name: str, value: float, unit: str) -> None:
        figure("ingest", f"{asked.size} {name}", value, unit, peer.name)

    say("streams held", told["held"], f"of {cameras}")
    say("CPU", (after.cpu_s - before.cpu_s - told["checking_s"]) / took_s, "cores")
    say("CPU a camera-minute", cost, "CPU-s")
    say("RSS", after.rss / 1e6, "MB")
    say("RSS a stream", (after.rss - child.opened["rss_before"]) / 1e6 / max(1, told["held"]), "MB")
    say("all looked at first after", child.opened["opened_s"], "s")
    for share in (50, 95, 99):
        say(f"look age p{share}", percentile(told["ages_s"], share), "s")
        say(f"interval p{share}", percentile(told["gaps_s"], share), "s")
    for name in ("looks", "wrong", "stale", "unreadable", "misdated"):
        say(name, told[name], "pictures")
    say("server CPU", (server_after.cpu_s - server_before.cpu_s) / (server_after.at_s - server_before.at_s), "cores")
    return cost


def _compare(costs: dict[str, float], size: str) -> None:
    for name, cost in costs.items():
        figure("ingest", f"{size} cameras a core", 60 / max(cost, 1e-9), "cameras", name)
    ours = costs.get("gridhub-stay")
    if ours is None:
        return
    for name, cost in costs.items():
        if not name.startswith("gridhub"):
            figure("ingest", f"{size} gridhub holds more, times", cost / max(ours, 1e-9), "x", name)


main()
