"""Recorded footage through gate, model and rules, on the footage's own clock: the engine of `gridhub replay`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.catalog import Catalog
from detectors.errors import FootageError, KindsError
from detectors.geometry import Zone
from detectors.kinds import Kind, load_kinds
from detectors.model import Model
from detectors.pipeline import Binding, CameraTask, Found, Pipeline
from detectors.second_look import SecondModel
from ingest.frame import Frame

PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
START = datetime(2000, 1, 1, tzinfo=UTC)
"""The clock of footage whose start nobody knows; schedules are then left out."""


def replay(
    path: Path,
    *,
    kinds_dir: Path,
    models_dir: Path,
    kinds: Sequence[str] | None = None,
    zone: Zone | None = None,
    every_s: float = 1.0,
    dwell_s: float | None = None,
    start: datetime | None = None,
    tz: ZoneInfo | None = None,
) -> Iterator[dict[str, Any]]:
    """What the rules of `kinds` (ids; None: all that cameras find) find in a video or a folder of pictures, in order.

    A video is looked at every `every_s` of its own time; the pictures of a folder, by name, lie `every_s` apart.
    `zone`: None means the whole picture. `dwell_s` replaces the kinds' own. `start` (UTC-aware) is when the footage
    began; without it schedules are ignored. Each dict has kind, category (GB/T 47678.5 code), at, since (RFC 3339),
    t, t_since (seconds from the start), score, boxes, zone, why. Raises FootageError, KindsError, ModelError,
    CatalogError.
    """
    all_kinds = load_kinds(kinds_dir)
    unknown = [kind for kind in kinds or () if kind not in all_kinds]
    if unknown:
        raise KindsError([f"kinds: {kind!r}; allowed: {', '.join(sorted(all_kinds))}" for kind in unknown])
    wanted = {kind_id: all_kinds[kind_id] for kind_id in (kinds or all_kinds)}
    catalog = Catalog(models_dir)
    models = partial(catalog.open, streams=1)
    for found in findings(path, wanted, models, zone, every_s, dwell_s, start, tz, catalog.open_second):
        yield as_json(found, wanted, start or START)


def findings(
    path: Path,
    kinds: Mapping[str, Kind],
    models: Callable[[str], Model],
    zone: Zone | None = None,
    every_s: float = 1.0,
    dwell_s: float | None = None,
    start: datetime | None = None,
    tz: ZoneInfo | None = None,
    seconds: Callable[[str], SecondModel] | None = None,
) -> Iterator[Found]:
    """The same as `replay` with kinds and models already read, and with pictures."""
    if every_s <= 0:
        raise FootageError(f"every: {every_s:g} s; allowed: above 0")
    used = {
        kind.id: replace(kind, enabled=True, schedule=kind.schedule if start else ())
        for kind in kinds.values()
        if kind.rule is not None
    }
    if not used:
        raise KindsError([f"kinds: {', '.join(kinds) or 'none'}: none of them is found by cameras"])
    bindings = tuple(Binding(kind_id, zone or Zone.whole(), dwell_s) for kind_id in used)
    pipeline = Pipeline(used, models, None, tz or ZoneInfo("UTC"), seconds)
    pipeline.set_tasks([CameraTask(path.name, None, bindings)])
    for t_s, image in pictures(path, every_s):
        at = (start or START) + timedelta(seconds=t_s)
        yield from pipeline.look([Frame(path.name, None, at, image)])


def as_json(found: Found, kinds: Mapping[str, Kind], start: datetime) -> dict[str, Any]:
    """One line of `gridhub replay --json`."""
    finding = found.finding
    return {
        "kind": finding.kind,
        "category": kinds[finding.kind].code,
        "at": finding.at.isoformat(),
        "since": finding.since.isoformat(),
        "t": round((finding.at - start).total_seconds(), 3),
        "t_since": round((finding.since - start).total_seconds(), 3),
        "score": round(finding.score, 4),
        "boxes": [[round(value, 5) for value in box] for box in finding.boxes],
        "zone": finding.zone or None,
        "why": finding.why,
    }


def pictures(path: Path, every_s: float) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """(seconds from the start, BGR picture) every `every_s`. Raises FootageError naming the file."""
    if path.is_dir():
        yield from _of_folder(path, every_s)
    elif path.is_file():
        yield from _of_video(path, every_s)
    else:
        raise FootageError(f"{path}: no such file or folder")


def _of_folder(folder: Path, every_s: float) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in PICTURES)
    if not files:
        raise FootageError(f"{folder}: no pictures in it; allowed: {', '.join(PICTURES)}")
    for index, file in enumerate(files):
        yield index * every_s, read_picture(file)


def read_picture(file: Path) -> NDArray[np.uint8]:
    """A picture file as BGR, 8 bits a channel, whatever its own depth. Raises FootageError."""
    try:
        data = np.fromfile(file, np.uint8)
    except OSError as error:
        raise FootageError(f"{file}: cannot be read: {error.strerror}") from error
    return read_bytes_as_picture(data.tobytes(), str(file))


def read_bytes_as_picture(content: bytes, name: str) -> NDArray[np.uint8]:
    """The bytes of a picture file as BGR, 8 bits a channel. Raises FootageError with `name`."""
    data = np.frombuffer(content, np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
    if image is None:
        raise FootageError(f"{name}: is no picture")
    return np.asarray(image, np.uint8)


def _of_video(file: Path, every_s: float) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    if file.suffix.lower() in PICTURES:
        yield 0.0, read_picture(file)
        return
    video = cv2.VideoCapture(str(file))
    try:
        if not video.isOpened():
            raise FootageError(f"{file}: is no video that can be opened")
        rate = video.get(cv2.CAP_PROP_FPS)
        period_s = 1 / rate if 0 < rate <= 1000 else 0.04
        due_s, shown, t_s = 0.0, 0, -period_s
        while video.grab():
            stamp_s = video.get(cv2.CAP_PROP_POS_MSEC) / 1000
            t_s = stamp_s if stamp_s > t_s else t_s + period_s
            if t_s + period_s / 2 < due_s:
                continue
            whole, image = video.retrieve()
            if not whole:
                continue
            shown += 1
            due_s = max(due_s + every_s, t_s - every_s)
            yield max(t_s, 0.0), np.asarray(image, np.uint8)
        if not shown:
            raise FootageError(f"{file}: no picture in it could be decoded")
    finally:
        video.release()


def read_zone(file: Path) -> Zone:
    """One zone from JSON: `{name, points: [[x, y], …]}` or only the points, 0 to 1. Raises FootageError."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise FootageError(f"{file}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise FootageError(f"{file}: is not JSON: {error}") from error
    if isinstance(content, list) and len(content) == 1 and isinstance(content[0], dict):
        content = content[0]
    points = content.get("points") if isinstance(content, dict) else content
    name = content.get("name", file.stem) if isinstance(content, dict) else file.stem
    if not isinstance(name, str):
        raise FootageError(f"{file}: name: {name!r}; allowed: a text")
    if not isinstance(points, list) or not all(_is_point(point) for point in points):
        raise FootageError(f"{file}: points: {points!r}; allowed: [[x, y], …] with 0 to 1")
    try:
        return Zone(name, tuple((float(x), float(y)) for x, y in points))
    except ValueError as error:
        raise FootageError(f"{file}: {error}") from error


def _is_point(value: Any) -> bool:
    numbers = isinstance(value, list) and all(isinstance(v, int | float) and not isinstance(v, bool) for v in value)
    return numbers and len(value) == 2
