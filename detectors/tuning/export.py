"""A checkpoint as an ONNX file (any batch size, no suppression inside), and proof that the runtimes agree with it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

MOST_DIFFERENCE = 0.05
"""Input pixels or score."""


def export_onnx(checkpoint: Path, target: Path, *, size_px: int) -> dict[int, float]:
    """Write `target`: input `images` B x 3 x H x W (RGB, 0-1), output B x (4 + labels) x cells.

    H and W may be any multiples of 32; training was at `size_px` square. A cell is centre x, centre y, width, height
    in input pixels, then one score a label (0-1). Returns, for batches of 1 and 8, how far the runtimes' answers are
    from torch's (see `parity`); raises RuntimeError above MOST_DIFFERENCE.
    """
    from ultralytics import YOLO

    made = YOLO(str(checkpoint)).export(
        format="onnx", imgsz=size_px, dynamic=True, simplify=False, opset=17, device="cpu"
    )
    target.parent.mkdir(parents=True, exist_ok=True)
    free_sides(Path(made))
    shutil.move(made, target)
    differences = {batch: parity(checkpoint, target, batch=batch, size_px=size_px) for batch in (1, 8)}
    if max(differences.values()) > MOST_DIFFERENCE:
        raise RuntimeError(f"{target}: answers differ from torch's by {differences} (batch: pixels or score)")
    return differences


def free_sides(path: Path) -> None:
    """Leave batch and sides (multiples of 32) of the ONNX file at `path` free, and no path of this machine in it.

    Ultralytics' head reckons its cells from the input's shape, so nothing else has to change. Fixed sides (a file of
    an earlier version of this project) are freed too.
    """
    import onnx

    model = onnx.load(str(path))
    (picture,), (answer,) = model.graph.input, model.graph.output
    for index, name in enumerate(("batch", None, "height", "width")):
        if name:
            picture.type.tensor_type.shape.dim[index].dim_param = name
    answer.type.tensor_type.shape.dim[2].dim_param = "cells"
    del model.graph.value_info[:]
    told = [entry for entry in model.metadata_props if entry.key != "description"]  # it holds a path of this machine
    del model.metadata_props[:]
    model.metadata_props.extend(told)
    onnx.save(model, str(path))


def parity(checkpoint: Path, exported: Path, *, batch: int, size_px: int) -> float:
    """Largest difference (input pixels or score) between torch and ONNX Runtime or OpenVINO on seeded noise."""
    import torch
    from ultralytics import YOLO

    from detectors.backends.onnxruntime import OnnxRuntime
    from detectors.backends.openvino import OpenVino

    noise = np.random.default_rng(0).integers(0, 256, (batch, size_px, size_px, 3), dtype=np.uint8)
    model = YOLO(str(checkpoint)).model.float().eval()
    with torch.no_grad():
        rgb = np.ascontiguousarray(noise[..., ::-1].transpose(0, 3, 1, 2)).astype(np.float32) / 255
        wanted = model(torch.from_numpy(rgb))[0].numpy()
    answers = (OnnxRuntime(exported).infer(noise), OpenVino(exported, exact=True).infer(noise))
    return float(max(np.abs(answer - wanted).max() for answer in answers))
