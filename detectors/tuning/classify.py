"""From a classifier's recipe to a model: weights, card and record.

The loop is small and our own: Ultralytics' cuts pictures square and needs torchvision's transforms; ours are
letterboxed as the hub does.
"""

from __future__ import annotations

import copy
import hashlib
import json
import math
import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from detectors.model import PAD
from detectors.tuning.class_card import counted, measured, write_class_card
from detectors.tuning.class_recipe import ClassRecipe
from detectors.tuning.classes import ClassScores, class_scores, read_classes
from detectors.tuning.classifier import PictureNet, write_onnx
from detectors.tuning.dataset import Picture, read_picture
from detectors.tuning.looks import varied
from detectors.tuning.transfer import restore_batchnorm
from detectors.tuning.yolov8 import V8Detector, load_quantized

KEPT = 0.99
"""Of the running mean of weights, at each step: what is shipped, not the last step's."""
SMOOTHING = 0.05
"""Of the labels: some pictures are labelled wrongly."""


def train_classifier(recipe: ClassRecipe, out_dir: Path, trained_by: str, tell: Callable[[str], None]) -> Path:
    """Everything the recipe says, in `out_dir`; returns the folder of the model: card, ONNX file, record."""
    torch.set_num_threads(int(os.environ.get("GRIDHUB_TORCH_THREADS", "1")))
    torch.manual_seed(recipe.seed)
    began, cpu = time.monotonic(), time.process_time()
    shown = read_classes(recipe.train, recipe.labels)
    pictures = [_fitted(read_picture(path), recipe.size_px) for path in shown.pictures]
    truth = torch.tensor([recipe.labels.index(label) for label in shown.labels])
    network = _start(recipe, pictures)
    mean, epochs = _fit(recipe, network, pictures, truth, tell)
    target = out_dir / recipe.name
    weights = target / f"{recipe.name}.onnx"
    write_onnx(mean, weights, recipe.size_px)
    in_torch = _in_torch(recipe, mean)
    at_scores = {recipe.positive: _recommended(recipe, mean)}
    scores = {runtime: measured(recipe, weights, at_scores, runtime) for runtime in ("openvino", "onnxruntime")}
    record = {
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, one torch thread",
        "wall_minutes": round((time.monotonic() - began) / 60, 1),
        "cpu_minutes": round((time.process_time() - cpu) / 60, 1),
        "pictures": {label: shown.labels.count(label) for label in recipe.labels},
        "epochs": epochs,
        "validation": {name: score.as_dict() for name, score in scores.items()} | {"torch": in_torch.as_dict()},
    }
    if also := counted(recipe, weights):
        record["also"] = also
    (target / "record.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    write_class_card(recipe, weights, scores["openvino"], also, trained_by, target / "card.yaml")
    return target


def _start(recipe: ClassRecipe, pictures: Sequence[Picture]) -> PictureNet:
    start = V8Detector()
    load_quantized(start, recipe.start)
    some = np.random.default_rng(recipe.seed).choice(len(pictures), min(64, len(pictures)), replace=False)
    restore_batchnorm(start, _tensor([_padded(pictures[i], recipe.size_px) for i in some]))
    network = PictureNet(start, len(recipe.labels), recipe.through)
    for name in _frozen(recipe, network):
        network.body[name].requires_grad_(False)
    network.to(memory_format=torch.channels_last)
    return network


def _fit(
    recipe: ClassRecipe,
    network: PictureNet,
    pictures: Sequence[Picture],
    truth: torch.Tensor,
    tell: Callable[[str], None],
) -> tuple[PictureNet, list[dict[str, float]]]:
    """Train; returns the running mean of the weights, and loss and scores on validation after each epoch."""
    chance = np.random.default_rng(recipe.seed)
    body = [p for p in network.body.parameters() if p.requires_grad]
    groups = [
        {"params": body, "lr": recipe.learning_rate * recipe.body_factor},
        {"params": network.last.parameters(), "lr": recipe.learning_rate},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    steps = recipe.epochs * math.ceil(len(pictures) / recipe.batch)
    rates = [group["lr"] for group in groups]
    weight = len(truth) / (len(recipe.labels) * torch.bincount(truth, minlength=len(recipe.labels)).clamp(min=1))
    mean, step, told = copy.deepcopy(network), 0, list[dict[str, float]]()
    for epoch in range(recipe.epochs):
        _set_training(network, recipe)
        losses = []
        for chosen in _batches(len(pictures), recipe.batch, chance):
            share = min(1.0, step / max(1, steps // recipe.epochs)) * (
                0.02 + 0.49 * (1 + math.cos(math.pi * step / steps))
            )
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * share
            images = _tensor([_changed(pictures[i], recipe.size_px, chance) for i in chosen]).float() / 255
            images = varied(images, recipe.varied).contiguous(memory_format=torch.channels_last)
            loss = functional.cross_entropy(network(images), truth[chosen], weight, label_smoothing=SMOOTHING)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
            _follow(mean, network, min(KEPT, step / (step + 10)))
            losses.append(float(loss.detach()))
        scores = _in_torch(recipe, mean)
        told.append({"epoch": epoch + 1, "loss": round(float(np.mean(losses)), 4), "auc": round(scores.auc, 4)})
        tell(f"{recipe.name}: epoch {epoch + 1}/{recipe.epochs} loss {told[-1]['loss']:.3f} AUC {scores.auc:.3f}")
    return mean, told


def _set_training(network: PictureNet, recipe: ClassRecipe) -> None:
    network.train()
    for layer in _frozen(recipe, network):
        network.body[layer].eval()


def _frozen(recipe: ClassRecipe, network: PictureNet) -> list[int]:
    """The layers of the body that stay as they are."""
    layers = {int(layer) for stage in recipe.freeze for layer in V8Detector.layers_of(stage)}
    return sorted(layer for layer in layers if layer < len(network.body))


def _follow(mean: PictureNet, network: PictureNet, kept: float) -> None:
    with torch.no_grad():
        for old, new in zip(mean.state_dict().values(), network.state_dict().values(), strict=True):
            if old.dtype.is_floating_point:
                old.lerp_(new, 1 - kept)
            else:
                old.copy_(new)


def _batches(count: int, size: int, chance: np.random.Generator) -> Iterator[NDArray[np.int_]]:
    order = chance.permutation(count)
    return (order[start : start + size] for start in range(0, count, size))


def _fitted(picture: Picture, size_px: int) -> Picture:
    scale = size_px / max(picture.shape[:2])
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR), np.uint8)


def _padded(picture: Picture, size_px: int) -> Picture:
    canvas = np.full((size_px, size_px, 3), PAD, np.uint8)
    height, width = picture.shape[:2]
    top, left = (size_px - height) // 2, (size_px - width) // 2
    canvas[top : top + height, left : left + width] = picture
    return canvas


def _changed(picture: Picture, size_px: int, chance: np.random.Generator) -> Picture:
    """The picture mirrored, turned by up to 12 degrees, moved, zoomed (0.8 to 1.3) and its colours shifted."""
    if chance.random() < 0.5:
        picture = picture[:, ::-1]
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), chance.uniform(-12, 12), chance.uniform(0.8, 1.3))
    turn[0, 2] += (size_px - width) / 2 + chance.uniform(-0.1, 0.1) * width
    turn[1, 2] += (size_px - height) / 2 + chance.uniform(-0.1, 0.1) * height
    picture = cv2.warpAffine(picture, turn, (size_px, size_px), borderValue=(PAD, PAD, PAD))
    hsv = cv2.cvtColor(picture, cv2.COLOR_BGR2HSV).astype(np.int16)
    hsv[..., 0] = (hsv[..., 0] + int(chance.integers(-12, 13))) % 180
    hsv[..., 1] = np.clip(hsv[..., 1] * chance.uniform(0.5, 1.4), 0, 255)
    return np.asarray(cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2BGR), np.uint8)


def _tensor(pictures: Sequence[Picture]) -> torch.Tensor:
    """N x 3 x H x W uint8, RGB."""
    return torch.from_numpy(np.ascontiguousarray(np.stack(pictures)[..., ::-1].transpose(0, 3, 1, 2)))


def _in_torch(recipe: ClassRecipe, network: PictureNet) -> ClassScores:
    shares, truth = _shares(recipe, network)
    return class_scores(shares, truth, recipe.labels)


def _shares(recipe: ClassRecipe, network: PictureNet) -> tuple[NDArray[np.float32], Sequence[str]]:
    """What torch says of the validation pictures, and what they show."""
    shown = read_classes(recipe.val, recipe.labels)
    network.eval()
    shares = []
    with torch.no_grad():
        for start in range(0, len(shown.pictures), 16):
            chosen = [_fitted(read_picture(p), recipe.size_px) for p in shown.pictures[start : start + 16]]
            shares.append(network(_tensor([_padded(p, recipe.size_px) for p in chosen]).float() / 255).numpy())
    return np.concatenate(shares), shown.labels


def _recommended(recipe: ClassRecipe, network: PictureNet) -> float:
    """The score of the positive label with the best harmonic mean of precision and recall, on validation."""
    shares, truth = _shares(recipe, network)
    scores = shares[:, recipe.labels.index(recipe.positive)]
    right = np.array([label == recipe.positive for label in truth])
    levels = np.arange(0.05, 1.0, 0.05)
    f1 = [2 * right[scores >= at].sum() / max(1, (scores >= at).sum() + right.sum()) for at in levels]
    return round(float(levels[int(np.argmax(f1))]), 2)
