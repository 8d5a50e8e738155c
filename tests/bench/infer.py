"""What a picture costs the model, letterbox and suppression included: CPU milliseconds, and pictures a CPU-second.

The shipped model at 32 bit and at the processor's fastest, square as it was trained and fitted to 16:9, on OpenVINO and
ONNX Runtime, one thread each; Ultralytics' own loop over the same file where it is installed.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from statistics import median

from detectors.backends import Backend
from detectors.backends.onnxruntime import OnnxRuntime
from detectors.backends.openvino import OpenVino
from detectors.catalog import Card, Catalog
from detectors.model import YoloModel, letterboxed, placement, suppressed
from ingest.frame import Image
from tests.bench.figures import figure
from tests.peers.clips import scene

ROOT = Path(__file__).resolve().parents[2]
SIZES = {"1080p": (1920, 1080), "as within() gives it": (416, 234)}
ROUNDS = 15
Detect = Callable[[Sequence[Image]], object]


def main() -> None:
    card = Catalog(ROOT / "models").card("street")
    fast = OpenVino(card.file, threads=1)
    forms: dict[str, tuple[Backend, bool]] = {
        "OpenVINO 32 bit, square": (OpenVino(card.file, threads=1, exact=True), False),
        "OpenVINO 32 bit, fitted": (OpenVino(card.file, threads=1, exact=True), True),
        "OpenVINO fastest, square": (fast, False),
        "OpenVINO fastest, fitted": (fast, True),
        "ONNX Runtime, fitted": (OnnxRuntime(card.file, threads=1), True),
    }
    for size, (width, height) in SIZES.items():
        pictures = list(islice(scene(8, width, height), 8))
        for name, (backend, fitted) in forms.items():
            told(f"{size}: {name}", model(card, backend, fitted=fitted).detect, pictures)
        stages(size, card, fast, pictures)
        peer(size, card, pictures)


def model(card: Card, backend: Backend, *, fitted: bool) -> YoloModel:
    form = card.form if fitted else replace(card.form, step=None)
    return YoloModel(card.name, card.version, card.labels, form, backend, card.thresholds)


def told(name: str, detect: Detect, pictures: Sequence[Image], who: str | None = None) -> None:
    """One by one and in a batch of eight."""
    alone = cpu_ms(lambda: [detect([picture]) for picture in pictures]) / len(pictures)
    figure("infer", f"{name}: alone", alone, "ms CPU", who)
    together = cpu_ms(lambda: detect(pictures)) / len(pictures)
    figure("infer", f"{name}: in eights", together, "ms CPU", who)
    figure("infer", f"{name}: in eights", 1000 / together, "pictures/CPU-s", who)


def stages(size: str, card: Card, backend: Backend, pictures: Sequence[Image]) -> None:
    """Where the time goes in a batch of eight: letterbox, network, suppression."""
    places = [placement(p.shape[1], p.shape[0], card.form) for p in pictures]
    batch = letterboxed(pictures, places)
    answers = backend.infer(batch)
    parts: dict[str, Callable[[], object]] = {
        "letterbox": lambda: letterboxed(pictures, places),
        "network": lambda: backend.infer(batch),
        "suppression": lambda: [suppressed(a, p, card.labels, 0.05) for a, p in zip(answers, places, strict=True)],
    }
    for name, work in parts.items():
        figure("infer", f"{size}: {name}", cpu_ms(work) / len(pictures), "ms CPU")


def peer(size: str, card: Card, pictures: Sequence[Image]) -> None:
    """Ultralytics' `predict` on the same ONNX file, one thread, as its documentation has it."""
    if importlib.util.find_spec("ultralytics") is None or importlib.util.find_spec("torch") is None:
        print("infer: Ultralytics left out: it is not installed (pip install 'gridhub[tune]')")
        return
    import torch
    from ultralytics import YOLO

    torch.set_num_threads(1)
    yolo = YOLO(str(card.file), task="detect")
    told(
        f"{size}: predict",
        lambda some: [yolo.predict(p, imgsz=card.form.width, conf=0.05, verbose=False, device="cpu") for p in some],
        pictures,
        "ultralytics",
    )


def cpu_ms(work: Callable[[], object]) -> float:
    """Median CPU milliseconds of one call, all threads, after one call that doesn't count."""
    work()
    taken = []
    for _ in range(ROUNDS):
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return 1e3 * median(taken)


if __name__ == "__main__":
    main()
