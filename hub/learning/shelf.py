"""Data sets made by the screens: each a ZIP in the hub's own folder, for a week."""

from __future__ import annotations

import re
import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from ..errors import NotFound
from ..house import Actor, House
from .dataset import export

KEPT = timedelta(days=7)
_BEGUN = timedelta(days=1)
"""What was begun and is no ZIP yet: after that long its making has ended somehow."""
_ID = re.compile(r"[0-9a-f]{32}")


def make(house: House, actor: Actor, kinds: Sequence[str], days: float, reason: str) -> dict[str, Any]:
    """Export as in `dataset.export`; {id, url, bytes, …}. Raises what it raises."""
    folder = _folder(house)
    folder.mkdir(parents=True, exist_ok=True)
    forget(house)
    made = uuid4().hex
    with tempfile.TemporaryDirectory(dir=folder) as there:
        out = Path(there) / "dataset"
        report = export(house, actor, out, kinds, days, reason)
        part = folder / f"{made}.part"
        with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as packed:
            for path in sorted(p for p in out.rglob("*") if p.is_file()):
                packed.write(path, path.relative_to(out.parent))
        shutil.move(part, folder / f"{made}.zip")
    size = (folder / f"{made}.zip").stat().st_size
    return {
        **report,
        "id": made,
        "url": f"/api/learning/datasets/{made}.zip",
        "bytes": size,
        "data": "dataset/data.yaml",
    }


def take(house: House, actor: Actor, dataset_id: str) -> Path:
    """The ZIP, and a line in the audit that it was taken out. Raises NotFound."""
    path = _folder(house) / f"{dataset_id}.zip"
    if not _ID.fullmatch(dataset_id) or not path.is_file():
        raise NotFound("dataset", dataset_id)
    with house.db.write() as tx:
        tx.audit(house.now(), actor.id, "dataset-taken", f"dataset/{dataset_id}", bytes=path.stat().st_size)
    return path


def _folder(house: House) -> Path:
    return house.settings.data_dir / "datasets"


def forget(house: House) -> None:
    """Delete what is older than a week, and what a hub that was killed had begun."""
    now = house.now()
    for path in list(_folder(house).glob("*")):
        kept = KEPT if path.suffix == ".zip" else _BEGUN
        try:
            if path.stat().st_mtime >= (now - kept).timestamp():
                continue
        except FileNotFoundError:
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
