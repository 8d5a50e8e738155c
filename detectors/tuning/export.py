"""A checkpoint as an ONNX file (any batch size, no suppression inside), and proof that the runtimes agree with it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

MOST_DIFFERENCE = 0.05
"""Input pixels or score."""


def export_onnx(checkpoint: Path, target: Path, *, size_px: int) -> dict[int, float]:
    """Write `target`: input `images` B x 3 x size x size (RGB, 0-1), output B x (4 + labels) x cells.

    A cell is centre x, centre y, width, height in input pixels, then one score a label (0-1). Returns, for batches of
    1 and 8, how far the runtimes' answers are from torch's (see `parity`); raises RuntimeError above MOST_DIFFERENCE.
    """
    from ultralytics import YOLO

    made = YOLO(str(checkpoint)).export(
        format="onnx", imgsz=size_px, dynamic=True, simplify=False, opset=17, device="cpu"
    )
    target.parent.mkdir(parents=True, exist_ok=True)
    _tidy(Path(made), size_px)
    shutil.move(made, target)
    differences = {batch: parity(checkpoint, target, batch=batch, size_px=size_px) for batch in (1, 8)}
    if max(differences.values()) > MOST_DIFFERENCE:
        raise RuntimeError(f"{target}: answers differ from torch's by {differences} (batch: pixels or score)")
    return differences


def _tidy(path: Path, size_px: int) -> None:
    """Leave only the batch free (fixed sides let a runtime plan its memory), and no path of this machine inside."""
    import onnx

    model = onnx.load(str(path))
    for name, index in (("height", 2), ("width", 3)):
        side = model.graph.input[0].type.tensor_type.shape.dim[index]
        if side.dim_param != name:
            raise RuntimeError(f"{path}: input dimension {index} is {side}, wanted {name}")
        side.dim_value = size_px
    cells = sum((size_px // stride) ** 2 for stride in (8, 16, 32))
    model.graph.output[0].type.tensor_type.shape.dim[2].dim_value = cells
    del model.graph.value_info[:]
    told = [entry for entry in model.metadata_props if entry.key != "description"]  # it holds a path of this machine
    del model.metadata_props[:]
    model.metadata_props.extend(told)
    onnx.save(onnx.shape_inference.infer_shapes(model), str(path))


def parity(checkpoint: Path, exported: Path, *, batch: int, size_px: int) -> float:
    """Largest difference (input pixels or score) between torch and ONNX Runtime or OpenVINO on seeded noise."""
    import torch
    from ultralytics import YOLO

    from detectors.backends.onnxruntime import OnnxRuntime
    from detectors.backends.openvino import OpenVino

    noise = np.random.default_rng(0).random((batch, 3, size_px, size_px), dtype=np.float32)
    model = YOLO(str(checkpoint)).model.float().eval()
    with torch.no_grad():
        wanted = model(torch.from_numpy(noise))[0].numpy()
    answers = (OnnxRuntime(exported).infer(noise), OpenVino(exported, exact=True).infer(noise))
    return float(max(np.abs(answer - wanted).max() for answer in answers))
