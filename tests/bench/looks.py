"""What one look costs, stage by stage, and how many looks a CPU-second buys, at 360p, 720p and 1080p."""

from __future__ import annotations

import hashlib
import tempfile
import time
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from zoneinfo import ZoneInfo

from detectors.catalog import Catalog
from detectors.finding import Evidence, Finding
from detectors.gate import Thumb, changed
from detectors.kinds import load_kinds
from detectors.model import Model
from detectors.pipeline import Binding, CameraTask, Pipeline
from hub.jpeg import encode_jpeg
from hub.worker.spool import Spool
from ingest.cameras import open_source
from ingest.device import Camera, Watch
from ingest.frame import Frame, Image, Pixels
from ingest.health import CameraState
from ingest.looker import Looker
from ingest.media import Decoders, open_stream, rtsp_options
from tests.bench.figures import figure, milliseconds
from tests.peers.clips import encode, scene
from tests.peers.rtsp_server import RtspServer

ROOT = Path(__file__).resolve().parents[2]
SIZES = {"360p": (640, 360), "720p": (1280, 720), "1080p": (1920, 1080)}
START = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def main() -> None:
    model = Catalog(ROOT / "models").open("street")
    with tempfile.TemporaryDirectory() as folder, RtspServer() as server:
        for name, (width, height) in SIZES.items():
            pictures = list(islice(scene(40, width, height), 40))
            url = server.play(f"/{name}", encode(pictures, Path(folder) / f"{name}.mp4", fps=10, gop=10))
            connecting(name, url)
            judging(name, pictures, model, Path(folder) / name)
            looking(name, url, model)


def connecting(name: str, url: str) -> None:
    """connect: RTSP sign-on until packets may come; read: one keyframe's packets; decode: keyframe to picture."""

    def connect() -> None:
        open_stream(url, name, options=rtsp_options(5.0)).close()

    figure("looks", f"{name} connect", milliseconds(connect, 5), "ms")
    stream = open_stream(url, name, options=rtsp_options(5.0))
    packets = stream.packets()
    key = next(p for p in packets if p.key)
    reads = []
    for _ in range(20):
        started = time.process_time()
        next(packets)
        reads.append(time.process_time() - started)
    figure("looks", f"{name} read (CPU, a packet)", sum(reads) / len(reads) * 1000, "ms")
    decoders, coding = Decoders(), stream.coding
    figure("looks", f"{name} decode", milliseconds(lambda: decoders.decode(coding, key, name)), "ms")
    stream.close()


def judging(name: str, pictures: list[Image], model: Model, folder: Path) -> None:
    """gate, infer (alone and in eights), rules (a pipeline look less inference), store (JPEG and durable spool)."""
    before = Pixels(pictures[-1]).grey
    figure("looks", f"{name} gate", milliseconds(lambda: changed(before, Pixels(pictures[0]).grey)), "ms")
    infer_ms = milliseconds(lambda: model.detect(pictures[:1]))
    figure("looks", f"{name} infer", infer_ms, "ms")
    figure("looks", f"{name} infer, a picture of 8", milliseconds(lambda: model.detect(pictures[:8]), 5) / 8, "ms")
    kinds = load_kinds(ROOT / "configs" / "kinds")
    pipeline = Pipeline(kinds, lambda _name: model, None, ZoneInfo("Asia/Shanghai"))
    bindings = (Binding("garbage_exposed", None, None), Binding("open_burning", None, None))
    pipeline.set_tasks([CameraTask("cam", None, bindings)])
    numbers = count()

    def look() -> None:
        n = next(numbers)
        pipeline.look([Frame("cam", None, START + timedelta(seconds=61 * n), pictures[n % len(pictures)])])

    figure("looks", f"{name} rules and the rest", max(0.0, milliseconds(look) - infer_ms), "ms")
    folder.mkdir()
    spool = Spool(folder)

    def store() -> None:
        content = encode_jpeg(pictures[0]) + str(n := next(numbers)).encode()
        sha256 = hashlib.sha256(content).hexdigest()
        evidence = (Evidence("frame", sha256, "image/jpeg"),)
        spool.add_finding(Finding(f"f{n}", "k", START, START, 1.0, camera="cam", evidence=evidence), {sha256: content})

    figure("looks", f"{name} store", milliseconds(store), "ms")
    spool.close()


def looking(name: str, url: str, model: Model) -> None:
    """Standing streams looked at once a second each: how many looks a CPU-second buys, without and with inference."""
    figure("looks", f"{name} looks a CPU-second", _per_cpu_second(url, None), "looks")
    figure("looks", f"{name} looks with inference", _per_cpu_second(url, model), "looks/CPU-s")


def _per_cpu_second(url: str, model: Model | None, cameras: int = 8, seconds: float = 12.0) -> float:
    seen, last = 0, dict[str, Thumb]()

    def on_look(frame: Frame, _state: CameraState) -> None:
        nonlocal seen
        changed(last.get(frame.camera, frame.grey), frame.grey)
        last[frame.camera] = frame.grey
        if model is not None:
            model.detect([frame.within(*model.input_px)])
        seen += 1

    looker = Looker(on_look=on_look, open_source=open_source, looks_at_once=2, per_host=cameras)
    looker.update(Camera(f"cam{n}", f"cam{n}", url, Watch.STAY, every_s=1.0) for n in range(cameras))
    looker.start()
    time.sleep(2.0)
    before, cpu_s = seen, time.process_time()
    time.sleep(seconds)
    spent_s = time.process_time() - cpu_s
    looker.stop()
    return (seen - before) / spent_s


if __name__ == "__main__":
    main()
