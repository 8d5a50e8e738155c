"""The detector that is trained: YOLOX-nano's body under an Ultralytics `Detect` head of nothing but 1x1 convolutions.

Checkpoints name these classes by their import path, so neither this module nor its classes may be renamed.
Layout of the network: YOLOX (Ge et al. 2021, arXiv 2107.08430), nano size: width 0.25, depth 0.33, depthwise.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
import ultralytics.nn.tasks as tasks
from torch import nn
from ultralytics.nn.modules.conv import Conv

TOWER_CHANNELS = 64
"""Channels of each of the two towers; a level's feature map is [box tower | class tower], 128 channels."""


def depthwise(channels_in: int, channels_out: int, stride: int = 1) -> nn.Sequential:
    """3x3 depthwise, then 1x1; each with BatchNorm and SiLU."""
    return nn.Sequential(Conv(channels_in, channels_in, 3, stride, g=channels_in), Conv(channels_in, channels_out, 1))


class CrossStage(nn.Module):  # type: ignore[misc]  # torch is not there for mypy
    """YOLOX's CSP layer: half of the channels pass `depth` bottlenecks, half go round them."""

    def __init__(self, channels_in: int, channels_out: int, depth: int = 1, shortcut: bool = True) -> None:
        super().__init__()
        half = channels_out // 2
        self.through = Conv(channels_in, half, 1)
        self.around = Conv(channels_in, half, 1)
        self.bottlenecks = nn.ModuleList(
            nn.Sequential(Conv(half, half, 1), *depthwise(half, half)) for _ in range(depth)
        )
        self.out = Conv(channels_out, channels_out, 1)
        self.shortcut = shortcut

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """N x channels_in x H x W -> N x channels_out x H x W."""
        y = self.through(x)
        for bottleneck in self.bottlenecks:
            y = bottleneck(y) + y if self.shortcut else bottleneck(y)
        return self.out(torch.cat((y, self.around(x)), 1))


class SpatialPyramid(nn.Module):  # type: ignore[misc]
    """Max pools of 5, 9 and 13 beside the map itself (9 and 13 by pooling 5 again)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.narrow = Conv(channels, channels // 2, 1)
        self.out = Conv(2 * channels, channels, 1)
        self.pool = nn.MaxPool2d(5, 1, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """N x channels x H x W, in and out."""
        maps = [self.narrow(x)]
        for _ in range(3):
            maps.append(self.pool(maps[-1]))
        return self.out(torch.cat(maps, 1))


class NanoBody(nn.Module):  # type: ignore[misc]
    """Picture (N x 3 x H x W, RGB 0-1) -> three maps of 128 channels at strides 8, 16, 32.

    Stages are named by their stride as a power of two (`stage2` = stride 4); `freeze` lists in recipes use these names.
    Modules are registered in the order in which the exported YOLOX graph holds its convolutions.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = Conv(3, 16, 6, 2, 2)  # YOLOX's Focus and 3x3 convolution are one 6x6 convolution of stride 2
        self.stage2 = nn.Sequential(*depthwise(16, 32, 2), CrossStage(32, 32, 1))
        self.stage3 = nn.Sequential(*depthwise(32, 64, 2), CrossStage(64, 64, 3))
        self.stage4 = nn.Sequential(*depthwise(64, 128, 2), CrossStage(128, 128, 3))
        self.stage5 = nn.Sequential(*depthwise(128, 256, 2), SpatialPyramid(256), CrossStage(256, 256, 1, False))
        self.lateral = Conv(256, 128, 1)
        self.down_to4 = CrossStage(256, 128, 1, False)
        self.reduce = Conv(128, 64, 1)
        self.down_to3 = CrossStage(128, 64, 1, False)
        self.stride4 = depthwise(64, 64, 2)
        self.up_to4 = CrossStage(128, 128, 1, False)
        self.stride5 = depthwise(128, 128, 2)
        self.up_to5 = CrossStage(256, 256, 1, False)
        self.upsample = nn.Upsample(scale_factor=2, mode="nearest")
        self.entries = nn.ModuleList(Conv(c, TOWER_CHANNELS, 1) for c in (64, 128, 256))
        self.box_towers = nn.ModuleList(_tower() for _ in range(3))
        self.class_towers = nn.ModuleList(_tower() for _ in range(3))

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Three maps N x 128 x H/s x W/s, s = 8, 16, 32."""
        c3 = self.stage3(self.stage2(self.stem(x)))
        c4 = self.stage4(c3)
        top = self.lateral(self.stage5(c4))
        middle = self.reduce(self.down_to4(torch.cat((self.upsample(top), c4), 1)))
        o3 = self.down_to3(torch.cat((self.upsample(middle), c3), 1))
        o4 = self.up_to4(torch.cat((self.stride4(o3), middle), 1))
        o5 = self.up_to5(torch.cat((self.stride5(o4), top), 1))
        maps = [entry(o) for entry, o in zip(self.entries, (o3, o4, o5), strict=True)]
        towers = zip(maps, self.box_towers, self.class_towers, strict=True)
        return [torch.cat((box(m), cls(m)), 1) for m, box, cls in towers]

    def shared_convs(self) -> list[Conv]:
        """Backbone and pyramid, without the per-level part, in the order of the exported YOLOX graph."""
        shared = ("entries", "box_towers", "class_towers")
        return [m for n, m in self.named_modules() if _is_conv(m) and n.split(".")[0] not in shared]

    def level_convs(self, level: int) -> list[Conv]:
        """Of level 0, 1 or 2 (stride 8, 16, 32): entry, four of the class tower, four of the box tower."""
        towers = (self.class_towers[level], self.box_towers[level])
        return [self.entries[level], *(m for tower in towers for m in tower.modules() if _is_conv(m))]


def is_hard(network: nn.Module) -> bool:
    """Whether `network` computes with HardSwish."""
    return any(isinstance(module, nn.Hardswish) for module in network.modules())


def put_hardswish(network: nn.Module) -> None:
    """In the place of every SiLU, in place; the weights stay."""
    for module in network.modules():
        if isinstance(getattr(module, "act", None), nn.SiLU):
            module.act = nn.Hardswish()


def neutralise(norm: nn.BatchNorm2d, bias: torch.Tensor, gain: float = 1.0) -> None:
    """Make `norm`, in evaluation, `gain` times what comes plus `bias`: it was folded into the convolution before it."""
    norm.running_mean.zero_()
    norm.running_var.fill_(1 - norm.eps)
    norm.weight.data.fill_(gain)
    norm.bias.data.copy_(bias)


def _tower() -> nn.Sequential:
    return nn.Sequential(*depthwise(TOWER_CHANNELS, TOWER_CHANNELS), *depthwise(TOWER_CHANNELS, TOWER_CHANNELS))


def _is_conv(module: nn.Module) -> bool:
    return isinstance(module, Conv)


_GRAPH: Mapping[str, Any] = {
    "nc": 1,
    "yaml_file": "gridhub-nano.yaml",
    "depth_multiple": 1.0,
    "width_multiple": 1.0,
    "backbone": [
        [-1, 1, "NanoBody", []],
        *([0, 1, "Index", [2 * TOWER_CHANNELS, level]] for level in range(3)),
    ],
    "head": [[[1, 2, 3], 1, "Detect", ["nc"]]],
}

tasks.NanoBody = NanoBody  # Ultralytics' parse_model looks layer names up in its own module


class GridDetector(tasks.DetectionModel):  # type: ignore[misc]
    """An Ultralytics detection model whose body is `NanoBody`; input as Ultralytics' own (RGB, 0-1)."""

    def __init__(self, cfg: Any = None, ch: int = 3, nc: int | None = None, verbose: bool = False) -> None:
        super().__init__(copy.deepcopy(dict(cfg or _GRAPH)), ch, nc, verbose)
        head = self.model[-1]  # strides are known by now
        channels = 2 * TOWER_CHANNELS
        head.cv2 = nn.ModuleList(nn.Conv2d(channels, 4 * head.reg_max, 1) for _ in range(3))
        head.cv3 = nn.ModuleList(nn.Conv2d(channels, head.nc, 1) for _ in range(3))
        for conv in head.cv3:
            nn.init.normal_(conv.weight, std=0.01)
            nn.init.constant_(conv.bias, -4.6)  # a prior of 0.01

    @property
    def body(self) -> NanoBody:
        """The part below the head."""
        body: NanoBody = self.model[0]
        return body

    @property
    def class_layers(self) -> list[nn.Conv2d]:
        """The last 1x1 convolutions, one a level, whose rows are the labels."""
        return list(self.model[-1].cv3)

    @property
    def last_layers(self) -> list[nn.Module]:
        """What learns at the full rate."""
        return [*self.model[-1].cv2, *self.model[-1].cv3]

    @staticmethod
    def layers_of(stage: str) -> tuple[str, ...]:
        """The layers below `model.` that make up `stage` (a module of NanoBody)."""
        return (f"0.{stage}",)
