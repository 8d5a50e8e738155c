"""What a picture costs the model, letterbox and suppression included: CPU milliseconds, and pictures a CPU-second.

Every shipped model at 32 bit and at the fastest, square as it was trained and fitted to 16:9, on OpenVINO and ONNX
Runtime, one thread each; Ultralytics' own loop over the same weights (torch, ONNX) where it is installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import tempfile
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
ROUNDS = 7
Detect = Callable[[Sequence[Image]], object]


def main() -> None:
    catalog = Catalog(ROOT / "models")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", metavar="MODEL", help="names in models/ (default: all)")
    wanted = parser.parse_args().models
    for card in [catalog.card(name) for name in wanted] or catalog.cards():
        if card.task == "detect":
            detector(card)
        else:
            classifier(catalog, card)


def detector(card: Card) -> None:
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
        name = f"{card.name}, {size}"
        ours = {
            form: told(f"{name}: {form}", model(card, b, fitted=f).detect, pictures) for form, (b, f) in forms.items()
        }
        stages(name, card, fast, pictures)
        peers(name, card, pictures, ours["OpenVINO fastest, fitted"])


def classifier(catalog: Catalog, card: Card) -> None:
    pictures = list(islice(scene(8, 640, 480), 8))
    for runtime in ("openvino", "onnxruntime"):
        opened = catalog.open_classifier(card.name, runtime, threads=1, streams=1)
        told(f"{card.name}, 640x480: {runtime}", opened.classify, pictures)


def model(card: Card, backend: Backend, *, fitted: bool) -> YoloModel:
    form = card.form if fitted else replace(card.form, step=None)
    return YoloModel(card.name, card.version, card.labels, form, backend, card.thresholds, card.loose)


def told(name: str, detect: Detect, pictures: Sequence[Image], who: str | None = None) -> float:
    """One by one and in a batch of eight; returns the pictures a CPU-second of the batch."""
    alone = cpu_ms(lambda: [detect([picture]) for picture in pictures]) / len(pictures)
    figure("infer", f"{name}: alone", alone, "ms CPU", who)
    figure("infer", f"{name}: alone", 1000 / alone, "pictures/CPU-s", who)
    together = cpu_ms(lambda: detect(pictures)) / len(pictures)
    figure("infer", f"{name}: in eights", together, "ms CPU", who)
    figure("infer", f"{name}: in eights", 1000 / together, "pictures/CPU-s", who)
    return 1000 / together


def stages(name: str, card: Card, backend: Backend, pictures: Sequence[Image]) -> None:
    """Where the time goes in a batch of eight: letterbox, network, suppression; and the share that is no network."""
    places = [placement(p.shape[1], p.shape[0], card.form) for p in pictures]
    batch = letterboxed(pictures, places)
    answers = backend.infer(batch)
    parts: dict[str, Callable[[], object]] = {
        "letterbox": lambda: letterboxed(pictures, places),
        "network": lambda: backend.infer(batch),
        "suppression": lambda: [
            suppressed(a, p, card.labels, 0.05, card.loose) for a, p in zip(answers, places, strict=True)
        ],
    }
    spent = {part: cpu_ms(work) / len(pictures) for part, work in parts.items()}
    for part, ms in spent.items():
        figure("infer", f"{name}: {part}", ms, "ms CPU")
    figure("infer", f"{name}: letterbox and suppression", 100 * (1 - spent["network"] / sum(spent.values())), "%")


def peers(name: str, card: Card, pictures: Sequence[Image], ours: float) -> None:
    """Ultralytics' `predict` on the same weights, one thread, as its documentation has it: torch, and the ONNX file.

    `ours`: pictures a CPU-second of our runtime in eights, to tell how many times the peer's that is.
    """
    if importlib.util.find_spec("ultralytics") is None or importlib.util.find_spec("torch") is None:
        print("infer: Ultralytics left out: it is not installed (pip install 'gridhub[tune]')")
        return
    import torch
    from ultralytics import YOLO

    from detectors.tuning.transfer import reopened, save

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder) / f"{card.name}.pt"
        save(reopened(card.file, card.labels), card.labels, checkpoint, size_px=card.form.width)
        for who, file in (("ultralytics, torch", checkpoint), ("ultralytics, ONNX", card.file)):
            yolo = YOLO(str(file), task="detect")

            def predict(some: Sequence[Image], yolo: YOLO = yolo, whole: bool = who.endswith("torch")) -> object:
                torch.set_num_threads(1)  # predict sets its own
                parts = [list(some)] if whole else [[picture] for picture in some]
                return [yolo.predict(p, imgsz=card.form.width, conf=0.05, verbose=False, device="cpu") for p in parts]

            theirs = told(f"{name}: predict", predict, pictures, who)
            figure("infer", f"{name}: ours, times", ours / theirs, "x", who)


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
