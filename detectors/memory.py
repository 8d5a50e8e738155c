"""What a view remembers, on disk: dwell and backgrounds survive a restart. One file a view, replaced whole."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from detectors.album import Album, Print
from detectors.errors import DetectorError
from detectors.rules.new_and_stays import Background
from detectors.shadow import Beside
from detectors.view import View
from detectors.watch import Watch

FORMAT = 1
KEEP_S = 30 * 86_400.0
"""How long the file of a view that nobody looks at stays, should its camera come back: it holds pictures."""
MOST_NAME = 240
"""File systems take 255 bytes, the ending included."""


class Forgotten(DetectorError):
    """A stored view that cannot be read; it is started anew."""


def path_of(folder: Path, camera: str, preset: str | None) -> Path:
    """The file of a view; ids become safe file names, long ones (a Chinese letter takes nine) a hash."""
    name = f"{quote(camera, safe='')}@{quote(preset or '', safe='')}"
    return folder / f"{name if len(name) <= MOST_NAME else sha256(name.encode()).hexdigest()}.npz"


def write(folder: Path, view: View) -> None:
    """Store `view`. Raises OSError."""
    arrays: dict[str, NDArray[Any]] = {}
    if view.background is not None:
        arrays = {f"background.{name}": array for name, array in view.background.arrays().items()}
    for index, kept in enumerate(view.album.prints):
        arrays[f"album.{index}"] = np.frombuffer(kept.jpeg, np.uint8)
    words = {
        "format": FORMAT,
        "watches": {key: watch.to_json() for key, watch in view.watches.items()},
        "shadows": {id_: beside.to_json() for id_, beside in view.shadows.items()},
        "album": [kept.at.isoformat() for kept in view.album.prints],
    }
    arrays["words"] = np.frombuffer(json.dumps(words).encode(), np.uint8)
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays)  # type: ignore[arg-type]
    folder.mkdir(parents=True, exist_ok=True)
    target = path_of(folder, view.task.camera_id, view.task.preset)
    beside = target.with_suffix(".part")
    beside.write_bytes(packed.getvalue())
    os.replace(beside, target)


def read(folder: Path, view: View) -> None:
    """Put what was stored into `view`; nothing where nothing was. Raises Forgotten naming the file."""
    target = path_of(folder, view.task.camera_id, view.task.preset)
    if not target.is_file():
        return
    try:
        with np.load(target, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        _put(view, arrays)
    except Exception as error:
        # A file that a power cut left half written fails in every way that zip, zlib and NumPy know.
        raise Forgotten(f"{target}: cannot be read, this view starts anew: {error}") from error


def drop(folder: Path, views: Iterable[tuple[str, str | None]], now_s: float) -> int:
    """Delete the files of all but `views` (camera, preset) that were last written KEEP_S before; returns how many."""
    kept = {path_of(folder, camera, preset).name for camera, preset in views}
    old = [f for f in folder.glob("*.npz") if f.name not in kept and f.stat().st_mtime < now_s - KEEP_S]
    for file in old:
        file.unlink(missing_ok=True)
    return len(old)


def _put(view: View, arrays: Mapping[str, NDArray[Any]]) -> None:
    words = json.loads(arrays["words"].tobytes())
    if words["format"] != FORMAT:
        raise ValueError(f"format {words['format']}, this version reads {FORMAT}")
    background = {name.removeprefix("background."): a for name, a in arrays.items() if name.startswith("background.")}
    watches = {
        binding.key: Watch.from_json(binding.rule_of(view.kinds[binding.kind_id]), words["watches"][binding.key])
        for binding in view.task.bindings
        if binding.key in words["watches"]
    }
    prints = [
        Print(datetime.fromisoformat(at), arrays[f"album.{index}"].tobytes()) for index, at in enumerate(words["album"])
    ]
    view.background = Background.of_arrays(background) if background else None
    view.watches = watches
    bindings = {binding.key: binding for binding in view.task.bindings}
    view.shadows = {
        id_: Beside.from_json(stored, bindings, view.kinds) for id_, stored in words.get("shadows", {}).items()
    }
    view.album = Album(tuple(prints))
