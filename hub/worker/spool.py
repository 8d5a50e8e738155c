"""The worker's durable memory: what was found and read stays here until the hub has it.

One SQLite file and a folder of evidence files. A finding and its pictures are on the disk before anything else hears
of them; a sensor message is acknowledged only after its readings are; the state of the sensor rules moves in the same
transaction as the findings it led to. So a worker may be killed at any instant and loses nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from detectors.finding import Finding
from ingest.reading import Quality, Reading

_SCHEMA = """
CREATE TABLE IF NOT EXISTS outgoing (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT NOT NULL, field TEXT NOT NULL, key TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL, files TEXT NOT NULL, dead TEXT);
CREATE INDEX IF NOT EXISTS outgoing_waiting ON outgoing (seq) WHERE dead IS NULL;
CREATE TABLE IF NOT EXISTS readings (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, body TEXT NOT NULL,
    evaluated INTEGER NOT NULL DEFAULT 0, posted INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS readings_unevaluated ON readings (seq) WHERE evaluated = 0;
CREATE INDEX IF NOT EXISTS readings_unposted ON readings (seq) WHERE posted = 0;
CREATE TABLE IF NOT EXISTS rule_state (sensor TEXT PRIMARY KEY, state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS explaining (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL UNIQUE, form TEXT NOT NULL, payload BLOB NOT NULL,
    received_at TEXT NOT NULL);
"""
_KEPT_KEYS = 50_000
"""Readings already posted whose keys are kept, so that a redelivered message is not evaluated twice."""


_KEPT_EXPLAINING = 10_000
_MOST_EXPLAINING_BYTES = 64 << 10


class SpoolFull(RuntimeError):
    """The hub has been away so long that the spool reached its limit: the caller must not acknowledge."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request that waits for the hub: JSON `body` for `path`, sent as form `field` where `files` go with it."""

    seq: int
    path: str
    field: str
    body: dict[str, Any]
    files: dict[str, str]


class Spool:
    """Safe for several threads; one process at a time."""

    def __init__(self, folder: Path, max_outgoing: int = 20_000, max_readings: int = 2_000_000) -> None:
        self._files = folder / "evidence"
        self._files.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._max_outgoing, self._max_readings = max_outgoing, max_readings
        self._db = sqlite3.connect(folder / "spool.sqlite", check_same_thread=False, isolation_level=None, timeout=30)
        self._db.execute("PRAGMA journal_mode=WAL")
        # FULL, not NORMAL: in WAL mode NORMAL may lose the last commits with the power, after they were acknowledged.
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_SCHEMA)
        self._sweep()

    def _sweep(self) -> None:
        """Remove what a kill between two steps left behind."""
        for path in self._files.iterdir():
            if not self._waits_for(self._db, path.name):
                path.unlink()

    def close(self) -> None:
        """Close the database; everything is already on the disk."""
        with self._lock:
            self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    # ── what goes to the hub ──

    def _keep_files(self, contents: Mapping[str, bytes]) -> None:
        for sha256, content in contents.items():
            path = self._files / sha256
            if not path.exists():
                partial = path.with_suffix(".partial")
                with partial.open("wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                partial.rename(path)

    def read_file(self, sha256: str) -> bytes:
        """The content of an evidence file."""
        return (self._files / sha256).read_bytes()

    def add_finding(self, finding: Finding, contents: Mapping[str, bytes]) -> None:
        """Keep a finding and the bytes of its evidence ({sha256: content}). Raises SpoolFull."""
        files = {e.sha256: e.media_type for e in finding.evidence}
        with self._transaction() as db:
            self._keep_files(contents)
            self._put(db, "/api/findings", "finding", finding.id, finding.to_wire(), files)

    def add_recheck_look(self, recheck: str, look: dict[str, Any], picture: bytes | None) -> None:
        """Keep one look of a re-check with its JPEG, if it has one; the same instant of one re-check is kept once."""
        contents = {} if picture is None else {hashlib.sha256(picture).hexdigest(): picture}
        files = dict.fromkeys(contents, "image/jpeg")
        with self._transaction() as db:
            self._keep_files(contents)
            key = f"{recheck}@{look['captured_at']}"
            self._put(db, f"/api/rechecks/{recheck}/looks", "look", key, look, files)

    def _put(
        self, db: sqlite3.Connection, path: str, field: str, key: str, body: dict[str, Any], files: dict[str, str]
    ) -> None:
        if self._count(db, "outgoing") >= self._max_outgoing:
            raise SpoolFull(f"{self._max_outgoing} findings wait for the hub")
        db.execute(
            "INSERT OR IGNORE INTO outgoing (path, field, key, body, files) VALUES (?, ?, ?, ?, ?)",
            (path, field, key, json.dumps(body, ensure_ascii=False), json.dumps(files)),
        )

    def next_outgoing(self) -> Outgoing | None:
        """The oldest request that waits, or None."""
        with self._lock:
            row = self._db.execute(
                "SELECT seq, path, field, body, files FROM outgoing WHERE dead IS NULL ORDER BY seq LIMIT 1"
            ).fetchone()
        return None if row is None else Outgoing(row[0], row[1], row[2], json.loads(row[3]), json.loads(row[4]))

    def sent(self, item: Outgoing) -> None:
        """The hub has it: forget the request and the files that nothing else waits for."""
        with self._lock:
            with self._transaction() as db:
                db.execute("DELETE FROM outgoing WHERE seq = ?", (item.seq,))
                orphans = [sha256 for sha256 in item.files if not self._waits_for(db, sha256)]
            for (
                sha256
            ) in orphans:  # only after the commit, so that a kill in between leaves a file too many, not one too few
                (self._files / sha256).unlink(missing_ok=True)

    def refused(self, item: Outgoing, why: str) -> None:
        """The hub will never take it: keep it aside with the reason, out of the way of the others."""
        with self._transaction() as db:
            db.execute("UPDATE outgoing SET dead = ? WHERE seq = ?", (why[:500], item.seq))

    @staticmethod
    def _waits_for(db: sqlite3.Connection, sha256: str) -> bool:
        return db.execute("SELECT 1 FROM outgoing WHERE instr(files, ?) LIMIT 1", (sha256,)).fetchone() is not None

    # ── readings ──

    def add_readings(self, readings: Iterable[Reading]) -> int:
        """Keep readings; those whose key is known are dropped. Returns how many were new. Raises SpoolFull."""
        rows = [(r.key, json.dumps(reading_to_wire(r))) for r in readings]
        with self._transaction() as db:
            if self._max_readings <= self._count(db, "readings WHERE posted = 0"):
                raise SpoolFull(f"{self._max_readings} readings wait for the hub")
            before = db.total_changes
            db.executemany("INSERT OR IGNORE INTO readings (key, body) VALUES (?, ?)", rows)
            return db.total_changes - before

    def keep_explaining(self, messages: Iterable[tuple[str, str, bytes, datetime]]) -> None:
        """Keep (topic, form, payload, received at) of messages that explain later ones: the newest of each topic."""
        rows = [(t, f, p, at.isoformat()) for t, f, p, at in messages if len(p) <= _MOST_EXPLAINING_BYTES]
        with self._transaction() as db:
            db.executemany(
                "INSERT OR REPLACE INTO explaining (topic, form, payload, received_at) VALUES (?, ?, ?, ?)", rows
            )
            db.execute(
                "DELETE FROM explaining WHERE seq <= (SELECT seq FROM explaining ORDER BY seq DESC LIMIT 1 OFFSET ?)",
                (_KEPT_EXPLAINING,),
            )

    def explaining(self) -> list[tuple[str, str, bytes, datetime]]:
        """What `keep_explaining` kept, in the order of arrival."""
        with self._lock:
            rows = self._db.execute("SELECT topic, form, payload, received_at FROM explaining ORDER BY seq").fetchall()
        return [(topic, form, payload, datetime.fromisoformat(at)) for topic, form, payload, at in rows]

    def unevaluated(self, limit: int = 500) -> list[tuple[int, Reading]]:
        """(seq, reading) of the oldest readings that no rule has seen."""
        with self._lock:
            rows = self._db.execute(
                "SELECT seq, body FROM readings WHERE evaluated = 0 ORDER BY seq LIMIT ?", (limit,)
            ).fetchall()
        return [(seq, reading_from_wire(json.loads(body))) for seq, body in rows]

    def rule_states(self) -> dict[str, dict[str, Any]]:
        """The state of the rules of each sensor, as last committed."""
        with self._lock:
            rows = self._db.execute("SELECT sensor, state FROM rule_state").fetchall()
        return {sensor: json.loads(state) for sensor, state in rows}

    def evaluated(self, seqs: Sequence[int], states: dict[str, dict[str, Any]], findings: Iterable[Finding]) -> None:
        """Commit in one step: these readings were seen, these are the rules' new states, this is what they found."""
        with self._transaction() as db:
            for finding in findings:
                self._put(db, "/api/findings", "finding", finding.id, finding.to_wire(), {})
            db.executemany(
                "INSERT INTO rule_state VALUES (?, ?) ON CONFLICT (sensor) DO UPDATE SET state = excluded.state",
                [(sensor, json.dumps(state)) for sensor, state in states.items()],
            )
            db.executemany("UPDATE readings SET evaluated = 1 WHERE seq = ?", [(s,) for s in seqs])

    def unposted(self, limit: int = 500) -> list[tuple[int, dict[str, Any]]]:
        """(seq, wire form) of the oldest readings that the hub does not have."""
        with self._lock:
            rows = self._db.execute(
                "SELECT seq, body FROM readings WHERE posted = 0 ORDER BY seq LIMIT ?", (limit,)
            ).fetchall()
        return [(seq, json.loads(body)) for seq, body in rows]

    def posted(self, seqs: Sequence[int]) -> None:
        """The hub has these readings."""
        with self._transaction() as db:
            db.executemany("UPDATE readings SET posted = 1 WHERE seq = ?", [(s,) for s in seqs])
            if seqs:
                done = (seqs[-1] - _KEPT_KEYS,)
                db.execute("DELETE FROM readings WHERE seq < ? AND posted = 1 AND evaluated = 1", done)

    def waiting(self) -> dict[str, int]:
        """How much waits, for the counters: findings, readings, dead letters."""
        with self._lock:
            return {
                "outgoing": self._count(self._db, "outgoing WHERE dead IS NULL"),
                "readings": self._count(self._db, "readings WHERE posted = 0"),
                "dead": self._count(self._db, "outgoing WHERE dead IS NOT NULL"),
            }

    @staticmethod
    def _count(db: sqlite3.Connection, what: str) -> int:
        return int(db.execute(f"SELECT COUNT(*) FROM {what}").fetchone()[0])


def reading_to_wire(reading: Reading) -> dict[str, Any]:
    """JSON-ready, as `POST /api/readings` takes it."""
    wire = asdict(reading)
    wire["observed_at"] = reading.observed_at.isoformat()
    wire["received_at"] = reading.received_at.isoformat()
    return wire


def reading_from_wire(wire: dict[str, Any]) -> Reading:
    """The inverse of `reading_to_wire`."""
    times = {name: datetime.fromisoformat(wire[name]) for name in ("observed_at", "received_at")}
    return Reading(**{**wire, **times, "quality": Quality(wire["quality"])})
