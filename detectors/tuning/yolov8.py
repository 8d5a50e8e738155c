"""The heavier start: YOLOv8n (COCO) out of its dynamic 8-bit ONNX file, as Ultralytics' own network.

Checkpoints name this class by its import path, so neither this module nor the class may be renamed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
import ultralytics.nn.tasks as tasks
from torch import nn

from detectors.errors import DetectorError
from detectors.tuning.body import neutralise

COCO_CLASSES = 80
_LAYERS = {"stem": ("0",), "stage2": ("1", "2"), "stage3": ("3", "4"), "stage4": ("5", "6"), "stage5": ("7", "8", "9")}
"""Stages named as NanoBody's, by their stride as a power of two: what `freeze` lists in recipes name."""


class QuantizedError(DetectorError):
    """The 8-bit file is not YOLOv8n."""


class V8Detector(tasks.DetectionModel):  # type: ignore[misc]  # ultralytics is not there for mypy
    """Ultralytics' `yolov8n` with the towers of its 80-class head whatever the number of labels; input RGB 0-1."""

    def __init__(self, cfg: Any = None, ch: int = 3, nc: int | None = None, verbose: bool = False) -> None:
        super().__init__(cfg or "yolov8n.yaml", ch, COCO_CLASSES, verbose)
        if nc is None or nc == COCO_CLASSES:
            return
        head = self.model[-1]
        for tower in head.cv3:
            tower[-1] = nn.Conv2d(tower[-1].in_channels, nc, 1)
            nn.init.normal_(tower[-1].weight, std=0.01)
            nn.init.constant_(tower[-1].bias, -4.6)  # a prior of 0.01
        head.nc, head.no = nc, nc + 4 * head.reg_max
        self.yaml["nc"] = nc
        self.names = {index: str(index) for index in range(nc)}

    @property
    def class_layers(self) -> list[nn.Conv2d]:
        """The last 1x1 convolutions, one a level, whose rows are the labels."""
        return [tower[-1] for tower in self.model[-1].cv3]

    @property
    def last_layers(self) -> list[nn.Module]:
        """What learns at the full rate."""
        return [tower[-1] for tower in (*self.model[-1].cv2, *self.model[-1].cv3)]

    @staticmethod
    def layers_of(stage: str) -> tuple[str, ...]:
        """The layers below `model.` that make up `stage` (stem, stage2 ... stage5)."""
        return _LAYERS[stage]


def is_quantized(weights: Path) -> bool:
    """Whether the ONNX file holds 8-bit convolutions."""
    return any(node.op_type == "ConvInteger" for node in onnx.load(str(weights)).graph.node)


def load_quantized(detector: V8Detector, weights: Path) -> None:
    """Copy YOLOv8n weights out of its dynamic 8-bit ONNX: scale * (value - zero point), one scale a tensor.

    BatchNorm is folded in the file and becomes the identity plus bias here. Raises QuantizedError.
    """
    tensors = {i.name: onnx.numpy_helper.to_array(i) for i in onnx.load(str(weights)).graph.initializer}
    for name, conv, norm in _convolutions(detector):
        try:
            kernel, bias = _kernel(tensors, f"{name}.weight"), torch.from_numpy(tensors[f"{name}.bias"].copy())
        except KeyError as error:
            raise QuantizedError(f"{weights}: has no {error.args[0]}; wanted a dynamic 8-bit YOLOv8n") from error
        if kernel.shape != conv.weight.shape:
            raise QuantizedError(f"{weights}: {name} is {tuple(kernel.shape)}, wanted {tuple(conv.weight.shape)}")
        conv.weight.data.copy_(kernel)
        if norm is None:
            conv.bias.data.copy_(bias)
        else:
            neutralise(norm, bias)


def _convolutions(detector: V8Detector) -> Iterator[tuple[str, nn.Conv2d, nn.BatchNorm2d | None]]:
    """Name as in the file, convolution, and the BatchNorm behind it where there is one. The box sum (DFL) is fixed."""
    modules = dict(detector.named_modules())
    for name, module in modules.items():
        if isinstance(module, nn.Conv2d) and ".dfl." not in name:
            yield name, module, modules.get(f"{name.removesuffix('.conv')}.bn") if name.endswith(".conv") else None


def _kernel(tensors: Mapping[str, Any], name: str) -> torch.Tensor:
    value, zero, scale = (tensors[f"{name}_{part}"] for part in ("quantized", "zero_point", "scale"))
    return torch.from_numpy((value.astype(np.float32) - np.float32(zero)) * np.float32(scale))
