"""The last looks of a camera as a short film: each new picture sets the one before aside; no evidence, soon gone."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .errors import NotFound
from .house import House

KEPT = 8
KEPT_FOR = timedelta(days=1)


def set_aside(newest: Path, taken_at: datetime, now: datetime) -> None:
    """Keep the picture that lies at `newest` under its time, and no more than KEPT of them, none older than a day."""
    folder = newest.with_suffix("")
    folder.mkdir(exist_ok=True)
    try:
        os.link(newest, folder / f"{_ms(taken_at)}.jpg")
    except (FileNotFoundError, FileExistsError):
        return
    oldest_ms = _ms(now - KEPT_FOR)
    for number, ms in enumerate(_times(folder)):
        if number >= KEPT or ms < oldest_ms:
            (folder / f"{ms}.jpg").unlink(missing_ok=True)


def looks_of(house: House, camera_id: str, newest: Path) -> list[dict[str, Any]]:
    """{at, url} of the looks that were set aside, newest first."""
    oldest_ms = _ms(house.now() - KEPT_FOR)
    return [
        {"at": datetime.fromtimestamp(ms / 1000, UTC).isoformat(), "url": f"/api/cameras/{quote(camera_id)}/looks/{ms}"}
        for ms in _times(newest.with_suffix(""))
        if ms >= oldest_ms
    ]


def look(newest: Path, camera_id: str, ms: int) -> bytes:
    """One of them (JPEG). Raises NotFound."""
    try:
        return (newest.with_suffix("") / f"{ms}.jpg").read_bytes()
    except FileNotFoundError:
        raise NotFound("look of camera", f"{camera_id} at {ms}") from None


def _times(folder: Path) -> list[int]:
    """Milliseconds since 1970 of what lies there, newest first."""
    try:
        return sorted((int(path.stem) for path in folder.glob("*.jpg") if path.stem.isdigit()), reverse=True)
    except FileNotFoundError:
        return []


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
