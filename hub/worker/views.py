"""What cameras are used to showing, over a restart: one SQLite file, written rarely."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

from ingest.device import Camera

_SCHEMA = """
CREATE TABLE IF NOT EXISTS views (camera TEXT PRIMARY KEY, source TEXT NOT NULL, memory BLOB NOT NULL);
"""


class Views:
    """The memories of cameras. Each is given back once, and only to the source that it was learnt from: a camera that
    was replaced or turned to another preset is learnt anew. One thread.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "views.sqlite"
        self._sources: dict[str, str] = {}
        self._kept: dict[str, tuple[str, bytes]] = self._read()

    def assign(self, cameras: Iterable[Camera]) -> None:
        """The cameras that are looked at from now on."""
        self._sources = {camera.id: _source(camera) for camera in cameras}

    def memory(self, camera_id: str) -> bytes | None:
        """What this camera was used to before the worker was started."""
        source, memory = self._kept.pop(camera_id, ("", b""))
        return memory if memory and source == self._sources.get(camera_id) else None

    def save(self, memories: Mapping[str, bytes]) -> None:
        """Keep these, and forget cameras that are no longer assigned. What was not given back yet stays."""
        rows = [(id_, self._sources[id_], memory) for id_, memory in memories.items() if id_ in self._sources]
        with closing(sqlite3.connect(self._path, timeout=30)) as db, db:
            db.executescript(_SCHEMA)
            gone = {id_ for (id_,) in db.execute("SELECT camera FROM views")} - self._sources.keys()
            db.executemany("DELETE FROM views WHERE camera = ?", [(id_,) for id_ in gone])
            db.executemany("INSERT OR REPLACE INTO views VALUES (?, ?, ?)", rows)

    def _read(self) -> dict[str, tuple[str, bytes]]:
        """Everything; nothing where the file can't be read: cameras are learnt anew then."""
        if not self._path.exists():
            return {}
        try:
            with closing(sqlite3.connect(self._path, timeout=30)) as db:
                db.executescript(_SCHEMA)
                rows = db.execute("SELECT camera, source, memory FROM views").fetchall()
        except sqlite3.DatabaseError:
            self._path.unlink()
            return {}
        return {camera: (source, bytes(memory)) for camera, source, memory in rows}


def _source(camera: Camera) -> str:
    """What the memory belongs to; a hash, because URLs hold passwords."""
    said = f"{camera.safe_url} {camera.preset or ''}" + (f" {camera.view}" if camera.view else "")
    return hashlib.sha256(said.encode()).hexdigest()[:32]
