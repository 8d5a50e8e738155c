"""Ultralytics' detection trainer, told how to fine-tune our body: layout in memory, two learning rates, one thread."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from ultralytics import YOLO
from ultralytics.models.yolo.detect import DetectionTrainer

from detectors.tuning.body import is_hard, put_hardswish
from detectors.tuning.looks import varied
from detectors.tuning.recipe import Stage
from detectors.tuning.transfer import Detector


class GridTrainer(DetectionTrainer):  # type: ignore[misc]  # ultralytics is not there for mypy
    """Starts from our detector's weights; `body_factor` times the learning rate for all but the last 1x1s."""

    body_factor = 0.5
    varied = 0.0

    def get_model(self, cfg: Any = None, weights: Any = None, verbose: bool = False) -> Detector:
        """A detector of the data's classes with the weights' tensors; channels last, 1.3-1.5 times faster on a CPU."""
        model: Detector = type(weights)(nc=self.data["nc"], ch=self.data["channels"])
        model.load_state_dict(weights.float().state_dict())
        if is_hard(weights):
            put_hardswish(model)
        model.to(memory_format=torch.channels_last)
        return model

    def preprocess_batch(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Ultralytics' own, then other looks for some pictures, channels last."""
        batch = super().preprocess_batch(batch)
        batch["img"] = varied(batch["img"], self.varied).contiguous(memory_format=torch.channels_last)
        return batch

    def build_optimizer(self, model: Any, *args: Any, **kwargs: Any) -> torch.optim.Optimizer:
        """Ultralytics' own groups, each split into head and body (the key `param_group` stays: warm-up reads it)."""
        optimizer = super().build_optimizer(model, *args, **kwargs)
        last = {id(p) for layer in model.last_layers for p in layer.parameters()}
        for group in list(optimizer.param_groups):
            body = [p for p in group["params"] if id(p) not in last]
            group["params"] = [p for p in group["params"] if id(p) in last]
            settings = {k: v for k, v in group.items() if k != "params"}
            optimizer.add_param_group({**settings, "params": body, "lr": group["lr"] * self.body_factor})
        optimizer.param_groups[:] = [g for g in optimizer.param_groups if g["params"]]
        return optimizer


def run_stage(
    stage: Stage, start: Path, data: Path, out: Path, *, size_px: int, seed: int, tell: Callable[[str], None]
) -> tuple[Path, list[Mapping[str, float]]]:
    """Fine-tune the checkpoint `start` on `data`; returns the last checkpoint (averaged weights) and figures per epoch.

    The last one, not the best on validation: choosing on validation makes its score lean high. A file `stop` in `out`
    ends the run after the epoch in progress.
    """
    trainer = type("StageTrainer", (GridTrainer,), {"body_factor": stage.body_factor, "varied": stage.varied})
    epochs: list[Mapping[str, float]] = []

    def at_start(_trainer: Any) -> None:
        torch.set_num_threads(int(os.environ.get("GRIDHUB_TORCH_THREADS", "1")))  # Ultralytics has reset it by now
        if stage.average is not None:
            kept = stage.average
            _trainer.ema.decay = lambda step: min(kept, step / (step + 10))

    trained = 0

    def at_train_epoch_end(running: Any) -> None:
        nonlocal trained
        trained += 1
        running.stop = running.stop or (out / "stop").exists()

    def at_epoch_end(running: Any) -> None:
        if len(epochs) == trained:
            return  # called once more after the last epoch, for the best checkpoint
        measured = stage.validate or running.stop or running.epoch + 1 >= stage.epochs  # else all are 0
        metrics = {k: float(v) for k, v in running.metrics.items()} if measured else {}
        epochs.append({"epoch": running.epoch + 1, **metrics})
        found = f" AP50 {metrics['metrics/mAP50(B)']:.3f}" if "metrics/mAP50(B)" in metrics else ""
        tell(f"{stage.name}: epoch {running.epoch + 1}/{stage.epochs}{found}")

    model = YOLO(str(start))
    frozen = [layer for name in stage.freeze for layer in model.model.layers_of(name)]
    model.add_callback("on_train_start", at_start)
    model.add_callback("on_train_epoch_end", at_train_epoch_end)
    model.add_callback("on_fit_epoch_end", at_epoch_end)
    model.train(
        trainer=trainer,
        data=str(data),
        project=str(out),
        name=stage.name,
        exist_ok=True,
        imgsz=stage.size_px or size_px,
        epochs=stage.epochs,
        batch=stage.batch,
        nbs=stage.batch,  # the default of 64 would take an optimizer step only every four batches
        seed=seed,
        device="cpu",
        workers=0,
        cache="ram",
        amp=False,
        plots=False,
        val=stage.validate,
        optimizer="AdamW",
        lr0=stage.learning_rate,
        lrf=stage.final_rate,
        cos_lr=True,
        momentum=0.9,
        weight_decay=5e-4,
        warmup_epochs=1,
        warmup_bias_lr=0.0,  # the default of 0.1 is meant for SGD
        warmup_momentum=0.9,
        close_mosaic=stage.close_mosaic,
        freeze=frozen,
    )
    return out / stage.name / "weights" / "last.pt", epochs
