"""Weights in: a published ONNX file into our network, BatchNorm put back; YOLOX-nano's head fitted to the teacher.

The result detects COCO's 80 classes without a label having been seen. It is a start for training, never shipped.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional
from ultralytics.nn.modules.conv import Conv

from detectors.errors import DetectorError
from detectors.tuning.body import TOWER_CHANNELS, GridDetector, is_hard, neutralise, put_hardswish
from detectors.tuning.export import tensors_of
from detectors.tuning.yolov8 import COCO_CLASSES, V8Detector, is_quantized, load_quantized

Detector = GridDetector | V8Detector

NORM_PICTURES = 120
"""Pictures on which BatchNorm's statistics are measured."""
FIT_STEPS = 400
FIT_CELLS = 2048
"""Cells per level and step of the head fit."""
OBJECT_CELL = 0.05
"""A cell of at least this objectness teaches where boxes are."""
BACKGROUND_SHARES = (0.02, 0.08, 0.25)
"""Share of the other cells taken along per level, so that the classes learn background."""


class TransferError(DetectorError):
    """The weights file is not the network expected here."""


@dataclass(frozen=True, slots=True)
class Predictors:
    """YOLOX's own last 1x1 convolutions of one level, each (weight, bias): the teacher."""

    classes: tuple[torch.Tensor, torch.Tensor]
    boxes: tuple[torch.Tensor, torch.Tensor]
    objects: tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True, slots=True)
class Cells:
    """Features of n cells of one level and what the teacher says there (n first everywhere).

    features n x 128; classes n x 80 (objectness times class, 0-1); distances n x 4 (left, top, right, bottom in
    strides from the anchor point); objects n (0-1).
    """

    features: torch.Tensor
    classes: torch.Tensor
    distances: torch.Tensor
    objects: torch.Tensor


def coco_detector(weights: Path, pictures: Sequence[Path], *, size_px: int, seed: int) -> Detector:
    """The 80-class detector made from the ONNX file `weights` and unlabelled `pictures`.

    The file is YOLOX-nano's (its head is fitted: two minutes of one core for 800 pictures) or YOLOv8n's in 8 bit.
    Raises TransferError, QuantizedError where it is another network.
    """
    if is_quantized(weights):
        heavier = V8Detector(nc=COCO_CLASSES)
        load_quantized(heavier, weights)
        restore_batchnorm(heavier, random_crops(pictures[:NORM_PICTURES], size_px, random.Random(seed)))
        return heavier
    detector = GridDetector(nc=COCO_CLASSES)
    teacher = load_weights(detector, weights)
    sample = random_crops(pictures, size_px, random.Random(seed))
    restore_batchnorm(detector, sample[:NORM_PICTURES])
    generator = torch.Generator().manual_seed(seed)
    for level, cells in enumerate(_teacher_cells(detector, teacher, sample, generator)):
        _fit_level(detector, level, cells, generator)
    return detector


def load_weights(detector: GridDetector, weights: Path) -> list[Predictors]:
    """Copy every convolution of YOLOX-nano's ONNX file into the body; returns the teacher's predictors per level.

    BatchNorm becomes the identity plus bias (it is folded in the file): the body computes exactly what the file does.
    """
    graph = onnx.load(str(weights)).graph
    tensors = {i.name: torch.from_numpy(onnx.numpy_helper.to_array(i).copy()) for i in graph.initializer}
    folded = [(tensors[n.input[1]], tensors[n.input[2]]) for n in graph.node if n.op_type == "Conv"]
    body = detector.body
    shared = body.shared_convs()
    if len(folded) != len(shared) + 36:
        raise TransferError(f"{weights}: {len(folded)} convolutions, wanted {len(shared) + 36} (YOLOX-nano)")
    pairs = list(zip(shared, folded[: len(shared)], strict=True))
    teacher = []
    for level in range(3):
        part = folded[len(shared) + 12 * level : len(shared) + 12 * (level + 1)]
        pairs += zip(body.level_convs(level), part[:5] + part[6:10], strict=True)
        teacher.append(Predictors(classes=part[5], boxes=part[10], objects=part[11]))
    for index, (conv, (weight, bias)) in enumerate(pairs):
        kernel = _stem_kernel(weight) if index == 0 else weight
        if conv.conv.weight.shape != kernel.shape:
            raise TransferError(
                f"{weights}: convolution {index} is {tuple(kernel.shape)}, wanted {tuple(conv.conv.weight.shape)}"
            )
        _put_folded(conv, kernel, bias, gain=255.0 if index == 0 else 1.0)  # the file wants 0-255
    return teacher


def _put_folded(layer: Conv, weight: torch.Tensor, bias: torch.Tensor, gain: float = 1.0) -> None:
    """A convolution whose BatchNorm is folded into it: the layer's own becomes `gain` times plus `bias`."""
    layer.conv.weight.data.copy_(weight)
    neutralise(layer.bn, bias, gain)


def _stem_kernel(focus: torch.Tensor) -> torch.Tensor:
    """16 x 12 x 3 x 3 over Focus patches, BGR -> 16 x 3 x 6 x 6 over the picture, RGB."""
    kernel = torch.zeros(focus.shape[0], 3, 6, 6)
    for patch, (dy, dx) in enumerate(((0, 0), (1, 0), (0, 1), (1, 1))):
        kernel[:, :, dy::2, dx::2] = focus[:, 3 * patch : 3 * patch + 3].flip(1)
    return kernel


def restore_batchnorm(detector: Detector, sample: torch.Tensor) -> None:
    """Put statistics measured on `sample` (N x 3 x H x W uint8 RGB) into every BatchNorm.

    In evaluation the function stays exactly the same; in training each is a real BatchNorm near its fixed point.
    """
    sums: dict[Any, list[Any]] = {}

    def add(bn: nn.Module, inputs: tuple[torch.Tensor, ...], _output: torch.Tensor) -> None:
        x = inputs[0].double()
        seen = sums.setdefault(bn, [0, 0, 0])
        seen[0] += x.numel() / x.shape[1]
        seen[1] += x.sum((0, 2, 3))
        seen[2] += (x * x).sum((0, 2, 3))

    norms = [m for m in detector.modules() if isinstance(m, nn.BatchNorm2d)]
    hooks = [bn.register_forward_hook(add) for bn in norms]
    detector.eval()
    with torch.no_grad():
        for batch in sample.split(8):
            detector(batch.float() / 255)
    for hook in hooks:
        hook.remove()
    for bn in norms:
        count, total, squares = sums[bn]
        mean = total / count
        variance = squares / count - mean * mean
        gain = bn.weight.data.clone()
        bn.running_mean.copy_(mean)
        bn.running_var.copy_(variance)
        bn.weight.data.copy_(gain * (variance + bn.eps).sqrt())
        bn.bias.data.copy_(bn.bias.data + gain * mean)


def folded(detector: Detector) -> Detector:
    """A copy in 32 bits with every BatchNorm folded into the convolution before it."""
    made: Detector = copy.deepcopy(detector).float().eval()
    made.fuse(verbose=False)
    return made


def unfolded(detector: Detector, sample: torch.Tensor) -> Detector:
    """What says the same as `detector` (see `folded`) and can be trained; for `sample` see restore_batchnorm."""
    made: Detector = type(detector)(nc=detector.model[-1].nc)
    if is_hard(detector):
        put_hardswish(made)
    layers = {name: module for name, module in made.named_modules() if isinstance(module, Conv)}
    given = detector.state_dict()
    made.load_state_dict({k: v for k, v in given.items() if k.rpartition(".conv.")[0] not in layers}, strict=False)
    for name, layer in layers.items():
        _put_folded(layer, given[f"{name}.conv.weight"], given[f"{name}.conv.bias"])
    restore_batchnorm(made, sample)
    return made


def mean_of(one: Detector, other: Detector, share: float, sample: torch.Tensor) -> Detector:
    """A detector whose weights lie between theirs: `share` (0-1) of `one`'s. For `sample` see restore_batchnorm.

    A network and what it became in a short training: between them often lies one that is as good where the first was
    and as good where the second is (Wortsman et al. 2022, arXiv 2109.01903).
    """
    made = folded(one)
    theirs = folded(other).state_dict()
    for name, own in made.state_dict().items():
        if own.is_floating_point():
            own.mul_(share).add_(theirs[name], alpha=1 - share)
    return unfolded(made, sample)


def random_crops(pictures: Sequence[Path], size_px: int, chance: random.Random) -> torch.Tensor:
    """N x 3 x size x size uint8 RGB: each picture zoomed, cropped, perhaps mirrored, padded with grey."""
    return torch.from_numpy(np.stack([_random_crop(path, size_px, chance) for path in pictures]))


def _random_crop(path: Path, size_px: int, chance: random.Random) -> NDArray[np.uint8]:
    picture = cv2.imread(str(path))
    if picture is None:
        raise TransferError(f"{path}: not a picture")
    scale = size_px / max(picture.shape[:2]) * chance.choice((0.7, 1.0, 1.0, 1.5))
    picture = cv2.resize(picture, None, fx=scale, fy=scale)
    top = chance.randint(0, max(0, picture.shape[0] - size_px))
    left = chance.randint(0, max(0, picture.shape[1] - size_px))
    picture = picture[top : top + size_px, left : left + size_px, ::-1]
    if chance.random() < 0.5:
        picture = picture[:, ::-1]
    canvas = np.full((size_px, size_px, 3), 114, np.uint8)
    canvas[: picture.shape[0], : picture.shape[1]] = picture
    return np.ascontiguousarray(canvas.transpose(2, 0, 1))


def _teacher_cells(
    detector: GridDetector, teacher: Sequence[Predictors], sample: torch.Tensor, generator: torch.Generator
) -> list[Cells]:
    """Per level, the cells worth learning from: those with an object, and some of the others."""
    kept: list[list[Cells]] = [[], [], []]
    detector.eval()
    with torch.no_grad():
        for batch in sample.split(16):
            for level, features in enumerate(detector.body(batch.float() / 255)):
                cells = _read_teacher(teacher[level], features)
                wanted = (cells.objects > OBJECT_CELL) | (cells.classes.amax(1) > 0.02)
                wanted |= torch.rand(len(wanted), generator=generator) < BACKGROUND_SHARES[level]
                kept[level].append(_select(cells, wanted))
    return [_join(parts) for parts in kept]


def _read_teacher(teacher: Predictors, features: torch.Tensor) -> Cells:
    """YOLOX: centre = (cell + d) * stride, size = exp(t) * stride; Ultralytics' anchors sit at cell + 0.5."""
    box_half, class_half = features[:, :TOWER_CHANNELS], features[:, TOWER_CHANNELS:]
    objects = functional.conv2d(box_half, *teacher.objects).sigmoid()
    classes = functional.conv2d(class_half, *teacher.classes).sigmoid() * objects
    raw = _rows(functional.conv2d(box_half, *teacher.boxes))
    half_size = raw[:, 2:].clamp(max=5).exp() / 2
    shift = raw[:, :2] - 0.5
    distances = torch.cat((half_size - shift, half_size + shift), 1).clamp(0, 14.99)
    return Cells(_rows(features), _rows(classes), distances, _rows(objects)[:, 0])


def _rows(maps: torch.Tensor) -> torch.Tensor:
    """N x C x H x W -> N*H*W x C."""
    return maps.permute(0, 2, 3, 1).reshape(-1, maps.shape[1])


def _select(cells: Cells, wanted: torch.Tensor) -> Cells:
    return Cells(cells.features[wanted], cells.classes[wanted], cells.distances[wanted], cells.objects[wanted])


def _join(parts: Sequence[Cells]) -> Cells:
    return Cells(
        torch.cat([p.features for p in parts]),
        torch.cat([p.classes for p in parts]),
        torch.cat([p.distances for p in parts]),
        torch.cat([p.objects for p in parts]),
    )


def _fit_level(detector: GridDetector, level: int, cells: Cells, generator: torch.Generator) -> None:
    """Fit the level's two 1x1 convolutions: distribution-focal loss for boxes, cross-entropy for classes."""
    head = detector.model[-1]
    boxes = nn.Linear(2 * TOWER_CHANNELS, 4 * head.reg_max)
    classes = nn.Linear(2 * TOWER_CHANNELS, COCO_CLASSES)
    for layer, bias in ((boxes, 0.0), (classes, -5.0)):
        nn.init.zeros_(layer.weight)
        nn.init.constant_(layer.bias, bias)
    optimizer = torch.optim.Adam([*boxes.parameters(), *classes.parameters()], lr=2e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-2, total_steps=FIT_STEPS, pct_start=0.1)
    with_object = _select(cells, cells.objects > OBJECT_CELL)
    for _ in range(FIT_STEPS):
        pick = torch.randint(len(with_object.objects), (FIT_CELLS,), generator=generator)
        loss = _box_loss(boxes, _select(with_object, pick), head.reg_max)
        pick = torch.randint(len(cells.objects), (FIT_CELLS,), generator=generator)
        errors = functional.binary_cross_entropy_with_logits(
            classes(cells.features[pick]), cells.classes[pick], reduction="none"
        )
        optimizer.zero_grad()
        (loss + errors.sum(1).mean()).backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        boxes.weight[:, TOWER_CHANNELS:] = 0
        for conv, layer in ((head.cv2[level], boxes), (head.cv3[level], classes)):
            conv.weight.copy_(layer.weight[..., None, None])
            conv.bias.copy_(layer.bias)


def _box_loss(layer: nn.Linear, cells: Cells, bins: int) -> torch.Tensor:
    """Cross-entropy on the two neighbouring bins plus the error of the expectation, weighted by objectness."""
    features = cells.features.clone()
    features[:, TOWER_CHANNELS:] = 0  # YOLOX reads boxes from the box tower alone
    logits = layer(features).view(-1, 4, bins)
    lower = cells.distances.long()
    part = cells.distances - lower
    log_share = logits.log_softmax(-1)
    left = log_share.gather(2, lower[..., None])[..., 0]
    right = log_share.gather(2, (lower + 1)[..., None])[..., 0]
    expected = (logits.softmax(-1) * torch.arange(float(bins))).sum(-1)
    errors = (expected - cells.distances).abs() - left * (1 - part) - right * part
    return (errors * cells.objects[:, None]).mean() / cells.objects.mean()


def with_labels(coco: Detector, labels: Sequence[str], rows: Mapping[str, Sequence[int]]) -> Detector:
    """A detector of `labels` with everything of `coco`; a label in `rows` starts as the mean of those COCO classes."""
    detector = type(coco)(nc=len(labels))
    own, given = detector.state_dict(), coco.state_dict()
    detector.load_state_dict({k: v for k, v in given.items() if k in own and v.shape == own[k].shape}, strict=False)
    for conv, start in zip(detector.class_layers, coco.class_layers, strict=True):
        for index, label in enumerate(labels):
            if label in rows:
                chosen = list(rows[label])
                conv.weight.data[index] = start.weight.data[chosen].mean(0)
                conv.bias.data[index] = start.bias.data[chosen].mean(0) + 1.0  # several classes' chances add up
    return detector


def save(detector: Detector, names: Sequence[str], path: Path, *, size_px: int) -> None:
    """Write a checkpoint that Ultralytics' `YOLO(path)` opens (where this package is importable)."""
    detector.names = dict(enumerate(names))
    detector.nc = len(names)
    detector.args = {"task": "detect", "imgsz": size_px}
    detector.task = "detect"
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"model": detector, "ema": None, "epoch": -1, "train_args": {"task": "detect"}}, path)


def reopened(exported: Path, labels: Sequence[str]) -> Detector:
    """The torch network of an ONNX file that `export` wrote (ours, BatchNorm folded): to measure against, or train on.

    Raises TransferError where it is another network.
    """
    tensors = tensors_of(exported)
    kind: type[Detector] = GridDetector if "model.0.stem.conv.weight" in tensors else V8Detector
    detector: Detector = kind(nc=len(labels))
    detector.eval().fuse(verbose=False)
    if any(node.op_type == "HardSwish" for node in onnx.load(str(exported)).graph.node):
        put_hardswish(detector)
    for name, own in detector.state_dict().items():
        given = tensors.get(name)
        if given is None or given.shape != tuple(own.shape):
            found = "missing" if given is None else given.shape
            raise TransferError(f"{exported}: {name}: {found}, wanted {tuple(own.shape)}")
        own.copy_(torch.from_numpy(given.copy()))
    return detector
