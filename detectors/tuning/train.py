"""From a recipe to a model: `train` makes the start, the union, the stages, the ONNX file, card and record."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from detectors.errors import DetectorError
from detectors.tuning.class_recipe import read_class_recipe
from detectors.tuning.dataset import Teach, build_union, read_yolo_set
from detectors.tuning.recipe import Recipe, Stage, Teacher, read_raw, read_recipe

REPOSITORY = Path(__file__).resolve().parents[2]
HEAD_FIT_PICTURES = 800
LIBRARIES = ("torch", "ultralytics", "onnx", "onnxruntime", "openvino", "numpy", "opencv-python-headless")


class NotInstalled(DetectorError):
    """The extra `tune` is not installed."""


def train(recipe_path: Path, out_dir: Path, *, root: Path = REPOSITORY, until: str | None = None) -> Path:
    """Do everything the recipe says in `out_dir`; returns the folder of the trained model: card, ONNX file, record.

    Steps whose inputs are unchanged since an earlier call are not repeated, so an interrupted run goes on where it
    was. `until` names the last stage to run (default: all). Raises RecipeError, NotInstalled,
    DataError, TransferError.
    """
    from detectors.tuning.card import measure, write_card
    from detectors.tuning.export import export_onnx

    os.environ.setdefault("YOLO_OFFLINE", "true")  # Ultralytics reports nothing and fetches nothing
    trained_by = f"gridhub model train {_plain(recipe_path.resolve(), root)}"
    raw = read_raw(recipe_path)
    if isinstance(raw, Mapping) and raw.get("task") == "classify":
        class_recipe = read_class_recipe(recipe_path, root)
        _need_libraries()
        from detectors.tuning.classify import train_classifier

        target = train_classifier(class_recipe, out_dir, trained_by, _tell)
        _add_to_record(target, {"libraries": versions(), "recipe": _plain(class_recipe, root)})
        return target
    recipe = read_recipe(recipe_path, root)
    _need_libraries()
    checkpoint = _start(recipe, out_dir)
    teach = _teacher_labels(out_dir / "coco80.pt", recipe.teacher, out_dir / "taught.json")
    inputs, done = "", list[dict[str, Any]]()
    for stage in _up_to(recipe.stages, until):
        folder = out_dir / stage.name
        inputs = _fingerprint(inputs, _plain(_decides(recipe, stage), root))
        done.append(_read_done(folder, inputs) or _run(recipe, stage, checkpoint, folder, inputs, teach))
        checkpoint = folder / done[-1]["checkpoint"]
    target = out_dir / recipe.name
    weights = target / f"{recipe.name}.onnx"
    differences = export_onnx(checkpoint, weights, size_px=recipe.size_px)
    evaluations = {name: folder / path for name, path in done[-1]["evaluations"].items()}
    measured = measure(recipe, weights, evaluations)
    hidden = ("checkpoint", "evaluations", "inputs")
    record = {
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
        "libraries": versions(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, one torch thread",
        "stages": [{k: v for k, v in stage.items() if k not in hidden} for stage in done],
        "largest_difference_from_torch": {f"batch {n}": round(v, 6) for n, v in differences.items()},
        "validation": {name: scores.as_dict() for name, scores in measured.sets.items()},
        "recipe": _plain(recipe, root),
    }
    write_card(recipe, weights, measured, trained_by, target / "card.yaml")
    (target / "record.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return target


def _need_libraries() -> None:
    missing = [name for name in ("torch", "ultralytics", "onnx") if importlib.util.find_spec(name) is None]
    if missing:
        raise NotInstalled(f"training needs {', '.join(missing)}: pip install 'gridhub[tune]'")


def _add_to_record(target: Path, more: Mapping[str, Any]) -> None:
    path = target / "record.json"
    record = json.loads(path.read_text(encoding="utf-8")) | more
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _run(recipe: Recipe, stage: Stage, start: Path, folder: Path, inputs: str, teach: Teach) -> dict[str, Any]:
    """Build the stage's union, fine-tune, and leave `done.json` for the next call."""
    from detectors.tuning.trainer import run_stage

    _tell(f"{stage.name}: building the union of {', '.join(stage.sets)}")
    sets = [recipe.set_named(name) for name in stage.sets]
    union = build_union(sets, recipe.labels, folder / "data", teach=teach, seed=recipe.seed)
    for problem in union.problems:
        _tell(f"left out: {problem}")
    started, cpu = time.monotonic(), time.process_time()
    if stage.activation is not None:
        start = _harden(recipe, stage, start, folder)
    last, epochs = run_stage(
        stage, start, union.data, folder / "run", size_px=recipe.size_px, seed=recipe.seed, tell=_tell
    )
    if stage.kept:
        last = _keep(recipe, stage, start, last, folder)
    done = {
        "name": stage.name,
        "inputs": inputs,
        "checkpoint": str(last.relative_to(folder)),
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "wall_minutes": round((time.monotonic() - started) / 60, 1),
        "cpu_minutes": round((time.process_time() - cpu) / 60, 1),
        "data": {name: dataclasses.asdict(share) for name, share in union.shares.items()},
        "left_out": len(union.problems),
        "evaluations": {name: str(path.relative_to(folder)) for name, path in union.evaluations.items()},
        "epochs": epochs,
    }
    (folder / "done.json").write_text(json.dumps(done, indent=1), encoding="utf-8")
    return done


def _harden(recipe: Recipe, stage: Stage, start: Path, folder: Path) -> Path:
    """The checkpoint `start` with the stage's cheaper activation."""
    from detectors.tuning.harden import PICTURES, hardened

    return _remade(recipe, stage, PICTURES, folder / "hard.pt", lambda sample: hardened(_opened(start), sample, _tell))


def _keep(recipe: Recipe, stage: Stage, start: Path, end: Path, folder: Path) -> Path:
    """What lies between the checkpoints `start` and `end` by the stage's share."""
    from detectors.tuning.transfer import NORM_PICTURES, mean_of

    def between(sample: Any) -> Any:
        return mean_of(_opened(start), _opened(end), stage.kept, sample)

    return _remade(recipe, stage, NORM_PICTURES, folder / "between.pt", between)


def _remade(recipe: Recipe, stage: Stage, most: int, target: Path, make: Callable[[Any], Any]) -> Path:
    """Write what `make` makes of pictures, as many of each of the stage's sets."""
    import torch

    from detectors.tuning import transfer

    torch.set_num_threads(int(os.environ.get("GRIDHUB_TORCH_THREADS", "1")))
    sample = transfer.random_crops(_unlabelled(recipe, stage, most), recipe.size_px, random.Random(recipe.seed))
    transfer.save(make(sample), recipe.labels, target, size_px=recipe.size_px)
    return target


def _opened(checkpoint: Path) -> Any:
    from ultralytics import YOLO

    return YOLO(str(checkpoint)).model


def versions(libraries: Sequence[str] = LIBRARIES) -> dict[str, str]:
    """Versions of Python and of the libraries that decide the outcome."""
    return {"python": platform.python_version(), **{name: importlib.metadata.version(name) for name in libraries}}


def _start(recipe: Recipe, out_dir: Path) -> Path:
    """The checkpoint the first stage starts from: the fitted 80-class detector, cut to the recipe's labels."""
    import torch
    from ultralytics import YOLO

    from detectors.tuning import transfer

    start, coco_path = out_dir / "start.pt", out_dir / "coco80.pt"
    torch.set_num_threads(int(os.environ.get("GRIDHUB_TORCH_THREADS", "1")))
    names = coco_names()
    if not coco_path.is_file():
        _tell("start: the 80-class detector")
        torch.manual_seed(recipe.seed)
        pictures = _unlabelled(recipe, recipe.stages[0], HEAD_FIT_PICTURES)
        coco = transfer.coco_detector(recipe.teacher.weights, pictures, size_px=recipe.size_px, seed=recipe.seed)
        transfer.save(coco, names, coco_path, size_px=recipe.size_px)
    rows: dict[str, list[int]] = {}
    for name, label in recipe.teacher.classes.items():
        rows.setdefault(label, []).append(names.index(name))
    torch.manual_seed(recipe.seed)
    detector = transfer.with_labels(YOLO(str(coco_path)).model.float(), recipe.labels, rows)
    transfer.save(detector, recipe.labels, start, size_px=recipe.size_px)
    return start


def coco_names() -> list[str]:
    """COCO's 80 class names in order, as Ultralytics ships them."""
    from ultralytics.utils import ROOT, YAML

    return list(YAML.load(ROOT / "cfg" / "datasets" / "coco.yaml")["names"].values())


def _unlabelled(recipe: Recipe, stage: Stage, most: int) -> list[Path]:
    """Pictures to fit by: as many from each set of the stage, in a seeded order."""
    chance = random.Random(recipe.seed)
    chosen: list[Path] = []
    for name in stage.sets:
        pictures = read_yolo_set(recipe.set_named(name).data).pictures("train")
        chosen += chance.sample(pictures, min(len(pictures), most // len(stage.sets)))
    chance.shuffle(chosen)
    return chosen


def _teacher_labels(coco_path: Path, teacher: Teacher, kept: Path) -> Teach:
    """The teacher as a function from a picture's path to labels of the recipe; loads its model on first use.

    Stages share pictures and runs are interrupted, so what it said is kept in the file `kept`.
    """
    settings = [teacher.min_score, teacher.max_iou, teacher.size_px, dict(teacher.classes), str(teacher.weights)]
    said: dict[str, list[Any]] = {}
    if kept.is_file():
        old = json.loads(kept.read_text(encoding="utf-8"))
        said = old["said"] if old["settings"] == settings else {}
    model: Any = None

    def look(picture: Path) -> list[Any]:
        nonlocal model
        if model is None:
            from ultralytics import YOLO

            model = YOLO(str(coco_path))
        names = model.names
        wanted = [index for index, name in names.items() if name in teacher.classes]
        result = model.predict(
            str(picture),
            imgsz=teacher.size_px,
            conf=teacher.min_score,
            iou=teacher.max_iou,
            classes=wanted,
            verbose=False,
        )[0].boxes
        found = zip(result.cls.tolist(), result.xywhn.tolist(), strict=True)
        return [[teacher.classes[names[int(index)]], box] for index, box in found]

    def teach(picture: Path) -> list[tuple[str, tuple[float, float, float, float]]]:
        key = str(picture)
        if key not in said:
            said[key] = look(picture)
            if len(said) % 100 == 0:
                kept.write_text(json.dumps({"settings": settings, "said": said}), encoding="utf-8")
        return [(label, (box[0], box[1], box[2], box[3])) for label, box in said[key]]

    return teach


def _up_to(stages: Sequence[Stage], last: str | None) -> Sequence[Stage]:
    if last is None:
        return stages
    names = [stage.name for stage in stages]
    if last not in names:
        raise ValueError(f"until: {last!r}; wanted one of {', '.join(names)}")
    return stages[: names.index(last) + 1]


def _read_done(folder: Path, inputs: str) -> dict[str, Any] | None:
    path = folder / "done.json"
    if not path.is_file():
        return None
    done: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return done if done["inputs"] == inputs and (folder / done["checkpoint"]).is_file() else None


def _decides(recipe: Recipe, stage: Stage) -> tuple[Any, ...]:
    """What a stage's outcome depends on, besides the stages before it."""
    sets = [recipe.set_named(name) for name in stage.sets]
    return (recipe.labels, stage.size_px or recipe.size_px, recipe.seed, recipe.teacher, sets, stage)


def _fingerprint(before: str, settings: Any) -> str:
    return hashlib.sha256((before + json.dumps(settings, sort_keys=True)).encode()).hexdigest()


def _plain(value: Any, root: Path) -> Any:
    """Dataclasses and paths as JSON values; paths relative to the repository, so a record names no machine."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        given = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return {name: _plain(part, root) for name, part in given.items() if part is not None}
    if isinstance(value, Path):
        return os.path.relpath(value, root)
    if isinstance(value, Mapping):
        return {str(k): _plain(v, root) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v, root) for v in value]
    return value


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
