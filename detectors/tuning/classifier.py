"""The network that says what a picture shows as a whole: YOLOv8n's backbone or its front, pooled, and a linear layer.

Checkpoints name this class by its import path, so neither this module nor the class may be renamed.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from detectors.tuning.export import halve
from detectors.tuning.yolov8 import V8Detector


class PictureNet(nn.Module):  # type: ignore[misc]  # torch is not there for mypy
    """N x 3 x H x W (RGB, 0-1) -> N x labels: logits in training, shares that add up to 1 in evaluation.

    Mean and maximum of each channel: rubbish beside a bin may fill one cell in a hundred. `through`: the last stage of
    the backbone that is taken (stage5: all of it, 256 channels at stride 32; stage4: 128 at 16, a quarter of the size).
    """

    def __init__(self, start: V8Detector, labels: int, through: str = "stage5") -> None:
        super().__init__()
        self.body = nn.Sequential(*list(start.model)[: int(V8Detector.layers_of(through)[-1]) + 1])
        self.dropout = nn.Dropout(0.2)
        self.last = nn.Linear(2 * self.body[-1].cv2.conv.out_channels, labels)
        nn.init.normal_(self.last.weight, std=0.01)
        nn.init.zeros_(self.last.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """See the class."""
        maps = self.body(x)
        pooled = torch.cat((maps.mean((2, 3)), maps.amax((2, 3))), 1)
        answer = self.last(self.dropout(pooled))
        return answer if self.training else answer.softmax(1)


def write_onnx(network: PictureNet, target: Path, size_px: int) -> None:
    """Write `target`: input `images` B x 3 x size x size (RGB, 0-1), output `shares` B x labels; weights in 16 bit."""
    target.parent.mkdir(parents=True, exist_ok=True)
    sample = torch.zeros(1, 3, size_px, size_px)
    torch.onnx.export(
        network.cpu().eval().to(memory_format=torch.contiguous_format),
        (sample,),
        str(target),
        input_names=["images"],
        output_names=["shares"],
        dynamic_axes={"images": {0: "batch"}, "shares": {0: "batch"}},
        opset_version=17,
        dynamo=False,
    )
    halve(target)
