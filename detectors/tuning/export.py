"""A checkpoint as an ONNX file (any batch size, no suppression inside), and proof that the runtimes agree with it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_DIFFERENCE = 0.05
"""Input pixels or score."""
HALF = ".half"
"""Behind the name of a tensor that is stored in 16 bits."""
LEAST_HALVED = 256
"""Numbers in a tensor: smaller ones stay as they are."""


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


def halve(path: Path) -> None:
    """Store the weights of the ONNX file at `path` as 16-bit floats, in half the space; runtimes widen them on loading.

    Each is off by up to 1/2048 of itself; biases stay in 32 bit. A file that is halved already stays as it is.
    """
    import onnx

    model = onnx.load(str(path))
    graph = model.graph
    weights = {node.input[1] for node in graph.node if node.op_type in ("Conv", "Gemm", "MatMul")}
    widened = []
    for tensor in list(graph.initializer):
        numbers = onnx.numpy_helper.to_array(tensor)
        if tensor.name in weights and numbers.dtype == np.float32 and numbers.size >= LEAST_HALVED:
            graph.initializer.remove(tensor)
            graph.initializer.append(onnx.numpy_helper.from_array(numbers.astype(np.float16), tensor.name + HALF))
            told = {"name": tensor.name + ".widened", "to": onnx.TensorProto.FLOAT}
            widened.append(onnx.helper.make_node("Cast", [tensor.name + HALF], [tensor.name], **told))
    rest = list(graph.node)
    del graph.node[:]
    graph.node.extend([*widened, *rest])
    onnx.save(model, str(path))


def tensors_of(path: Path) -> dict[str, NDArray[Any]]:
    """The stored tensors of an ONNX file by name, those that `halve` made smaller in 32 bit under their own names."""
    import onnx

    stored = {i.name: onnx.numpy_helper.to_array(i) for i in onnx.load(str(path)).graph.initializer}
    return {
        name.removesuffix(HALF): numbers.astype(np.float32) if name.endswith(HALF) else numbers
        for name, numbers in stored.items()
    }


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
