"""The worker's durable memory: what was found and read stays here until the hub has it.

One SQLite file and a folder of evidence files. A finding and its pictures are on the disk before anything else hears
of them; readings, the state of the sensor rules after them and the findings they led to move in one transaction, and
only then is the sensor's message acknowledged. So a worker may be killed at any instant and loses nothing.

Readings are kept a batch a row, packed as they will be posted: what a reading costs here is its bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice, takewhile
from pathlib import Path
from typing import Any

import orjson

from detectors.finding import Finding
from ingest.reading import Quality, Reading

from ..batch import MOST_ROWS, packed, unpacked

_SCHEMA = """
CREATE TABLE IF NOT EXISTS outgoing (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT NOT NULL, field TEXT NOT NULL, key TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL, files TEXT NOT NULL, dead TEXT);
CREATE INDEX IF NOT EXISTS outgoing_waiting ON outgoing (seq) WHERE dead IS NULL;
CREATE TABLE IF NOT EXISTS batches (seq INTEGER PRIMARY KEY AUTOINCREMENT, n INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS posted (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL);
INSERT OR IGNORE INTO posted VALUES (1, 0);
CREATE TABLE IF NOT EXISTS rule_state (sensor TEXT PRIMARY KEY, state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS heard (device TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS gone (device TEXT PRIMARY KEY, at TEXT NOT NULL, why TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS explaining (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL UNIQUE, form TEXT NOT NULL, payload BLOB NOT NULL,
    received_at TEXT NOT NULL);
"""
_KEPT_POSTED = 50_000
"""Readings already posted that are kept, so that one delivered again after a restart is known."""
_KNOWN_KEYS = 100_000
"""Newest keys held in memory, once or twice as many."""
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
        self._keys: set[str] = set()
        self._older_keys: set[str] = set()
        self._recall()
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

    def limit_pages(self, most: int) -> int:
        """Let the database grow to at most so many pages (0: no more than now); what the limit was."""
        before = int(self._db.execute("PRAGMA max_page_count").fetchone()[0])
        self._db.execute(f"PRAGMA max_page_count = {max(1, most)}")
        return before

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                # A full disk may end the transaction by itself, at any statement, the commit included.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

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

    def add_sighting(self, shadow: str, finding: Finding, picture: bytes | None) -> None:
        """Keep what a shadow found, with the JPEG of one that it found alone. Raises SpoolFull."""
        contents = {} if picture is None else {hashlib.sha256(picture).hexdigest(): picture}
        files = dict.fromkeys(contents, "image/jpeg")
        with self._transaction() as db:
            self._keep_files(contents)
            self._put(db, f"/api/shadows/{shadow}/sightings", "finding", finding.id, finding.to_wire(), files)

    def add_recheck_look(self, recheck: str, look: dict[str, Any], picture: bytes | None) -> None:
        """Keep one look of a re-check with its JPEG, if it has one; the same instant of one re-check is kept once."""
        contents = {} if picture is None else {hashlib.sha256(picture).hexdigest(): picture}
        files = dict.fromkeys(contents, "image/jpeg")
        with self._transaction() as db:
            self._keep_files(contents)
            key = f"{recheck}@{look['captured_at']}"
            self._put(db, f"/api/rechecks/{recheck}/looks", "look", key, look, files)

    def add_sight(self, sight: str, body: dict[str, Any], picture: bytes) -> None:
        """Keep the look that a sensor's alarm asked for, with its JPEG; kept once."""
        contents = {hashlib.sha256(picture).hexdigest(): picture}
        with self._transaction() as db:
            self._keep_files(contents)
            files = dict.fromkeys(contents, "image/jpeg")
            self._put(db, f"/api/sights/{sight}", "sight", f"sight/{sight}", body, files)

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

    def unknown(self, readings: Iterable[Reading]) -> list[Reading]:
        """Those whose key was not kept before, nor stands earlier among them."""
        fresh, keys = [], set[str]()
        for reading in readings:
            key = reading.key
            if key not in self._keys and key not in self._older_keys and key not in keys:
                keys.add(key)
                fresh.append(reading)
        return fresh

    def keep(
        self,
        readings: Sequence[Reading],
        states: Mapping[str, dict[str, Any]] | None = None,
        findings: Iterable[Finding] = (),
        explaining: Iterable[tuple[str, str, bytes, datetime]] = (),
    ) -> None:
        """Commit in one step: these new readings, the states of the rules after them, and what they found.

        `explaining`: (topic, form, payload, received at) of messages that explain later ones; the newest of each topic
        stays. Raises SpoolFull, and then nothing was kept.
        """
        if readings and self._waiting >= self._max_readings:
            raise SpoolFull(f"{self._waiting} readings wait for the hub")
        parts = [readings[start : start + MOST_ROWS] for start in range(0, len(readings), MOST_ROWS)]
        rows = [(len(part), packed(part)) for part in parts]
        changed = [(sensor, orjson.dumps(state, default=tuple).decode()) for sensor, state in (states or {}).items()]
        with self._lock:
            with self._transaction() as db:
                for finding in findings:
                    self._put(db, "/api/findings", "finding", finding.id, finding.to_wire(), {})
                db.executemany("INSERT OR REPLACE INTO rule_state VALUES (?, ?)", changed)
                self._explain(db, explaining)
                kept = [(self._add(db, row), row[0]) for row in rows]
            self._unposted += kept
            self._waiting += len(readings)
            self._remember(reading.key for reading in readings)

    @staticmethod
    def _add(db: sqlite3.Connection, row: tuple[int, bytes]) -> int:
        return db.execute("INSERT INTO batches (n, body) VALUES (?, ?)", row).lastrowid or 0

    def _remember(self, keys: Iterable[str]) -> None:
        self._keys.update(keys)
        if len(self._keys) > _KNOWN_KEYS:
            self._older_keys, self._keys = self._keys, set()

    def kept(self) -> Iterator[list[Reading]]:
        """The readings that are still here, posted or not, a batch at a time, oldest first."""
        with self._lock:
            seqs = [seq for seq, _n in (*self._still, *self._unposted)]
        for seq in seqs:
            with self._lock:
                row = self._db.execute("SELECT body FROM batches WHERE seq = ?", (seq,)).fetchone()
            if row is not None:
                yield unpacked(row[0])

    def _recall(self) -> None:
        """What is waiting, and which keys are known, after a start."""
        self._leave_old_form()
        (posted,) = self._db.execute("SELECT seq FROM posted").fetchone()
        batches = self._db.execute("SELECT seq, n FROM batches ORDER BY seq").fetchall()
        self._still = deque(batch for batch in batches if batch[0] <= posted)
        self._unposted = deque(batch for batch in batches if batch[0] > posted)
        self._still_n, self._waiting = (sum(n for _seq, n in kept) for kept in (self._still, self._unposted))
        for readings in self.kept():
            self._remember(reading.key for reading in readings)

    def _leave_old_form(self) -> None:
        """Take over what a spool of the first version, a row for each reading, did not send yet."""
        db = self._db
        if not db.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'readings'").fetchone():
            return
        with self._transaction():
            for (body,) in db.execute("SELECT body FROM readings WHERE posted = 0 ORDER BY seq").fetchall():
                wire = json.loads(body)
                times = {name: datetime.fromisoformat(wire[name]) for name in ("observed_at", "received_at")}
                self._add(db, (1, packed([Reading(**{**wire, **times, "quality": Quality(wire["quality"])})])))
            db.execute("DROP TABLE readings")

    def _explain(self, db: sqlite3.Connection, messages: Iterable[tuple[str, str, bytes, datetime]]) -> None:
        """Keep (topic, form, payload, received at) of messages that explain later ones: the newest of each topic."""
        rows = [(t, f, p, at.isoformat()) for t, f, p, at in messages if len(p) <= _MOST_EXPLAINING_BYTES]
        if rows:
            db.executemany(
                "INSERT OR REPLACE INTO explaining (topic, form, payload, received_at) VALUES (?, ?, ?, ?)", rows
            )
            db.execute(
                "DELETE FROM explaining WHERE seq <= (SELECT seq FROM explaining ORDER BY seq DESC LIMIT 1 OFFSET ?)",
                (_KEPT_EXPLAINING,),
            )

    def explaining(self) -> list[tuple[str, str, bytes, datetime]]:
        """What `keep` was given to explain later messages, in the order of arrival."""
        with self._lock:
            rows = self._db.execute("SELECT topic, form, payload, received_at FROM explaining ORDER BY seq").fetchall()
        return [(topic, form, payload, datetime.fromisoformat(at)) for topic, form, payload, at in rows]

    def gone(self) -> dict[str, tuple[datetime, str]]:
        """Devices that said, or whose broker said, that they went: when, and how that was said."""
        with self._lock:
            rows = self._db.execute("SELECT device, at, why FROM gone").fetchall()
        return {device: (datetime.fromisoformat(at), why) for device, at, why in rows}

    def keep_gone(self, went: Mapping[str, tuple[datetime, str]], back: Iterable[str]) -> None:
        """Who went, and who came back."""
        with self._transaction() as db:
            rows = [(device, at.isoformat(), why) for device, (at, why) in went.items()]
            db.executemany("INSERT OR REPLACE INTO gone VALUES (?, ?, ?)", rows)
            db.executemany("DELETE FROM gone WHERE device = ?", [(device,) for device in back])

    def rule_states(self) -> dict[str, dict[str, Any]]:
        """The state of the rules of each sensor, as last committed."""
        with self._lock:
            rows = self._db.execute("SELECT sensor, state FROM rule_state").fetchall()
        return {sensor: json.loads(state) for sensor, state in rows}

    def heard(self) -> dict[str, bytes]:
        """What `keep_heard` last kept of each device."""
        with self._lock:
            return dict(self._db.execute("SELECT device, body FROM heard").fetchall())

    def keep_heard(self, devices: Mapping[str, bytes]) -> None:
        """What was last heard of these devices: may be behind by what `kept` still tells."""
        with self._transaction() as db:
            db.executemany("INSERT OR REPLACE INTO heard VALUES (?, ?)", list(devices.items()))

    def unposted(self, most: int = MOST_ROWS) -> tuple[int, list[bytes]]:
        """(seq of the last of them, packed batches): the oldest that the hub does not have, about `most` readings."""
        with self._lock:
            if not self._unposted:
                return 0, []
            first, n = self._unposted[0]
            last = first
            for seq, size in islice(self._unposted, 1, None):
                n += size
                if n > most:
                    break
                last = seq
            rows = self._db.execute("SELECT body FROM batches WHERE seq BETWEEN ? AND ? ORDER BY seq", (first, last))
            return last, [body for (body,) in rows]

    def posted(self, seq: int) -> None:
        """The hub has all batches up to `seq`."""
        with self._lock:
            done = list(takewhile(lambda batch: batch[0] <= seq, self._unposted))
            more = sum(n for _seq, n in done)
            left, forget = self._still_n + more, 0
            for batch, n in chain(self._still, done):
                if left - n < _KEPT_POSTED:
                    break
                left, forget = left - n, batch
            with self._transaction() as db:
                db.execute("UPDATE posted SET seq = ?", (seq,))
                db.execute("DELETE FROM batches WHERE seq <= ?", (forget,))
            self._still.extend(self._unposted.popleft() for _ in done)
            while self._still and self._still[0][0] <= forget:
                self._still.popleft()
            self._still_n, self._waiting = left, self._waiting - more

    def fills_a_request(self) -> bool:
        """Whether as many readings wait for the hub as go into one request."""
        return bool(self._waiting >= MOST_ROWS)

    def waiting(self) -> dict[str, int]:
        """How much waits, for the counters: findings, readings, dead letters."""
        with self._lock:
            return {
                "outgoing": self._count(self._db, "outgoing WHERE dead IS NULL"),
                "readings": self._waiting,
                "dead": self._count(self._db, "outgoing WHERE dead IS NOT NULL"),
            }

    @staticmethod
    def _count(db: sqlite3.Connection, what: str) -> int:
        return int(db.execute(f"SELECT COUNT(*) FROM {what}").fetchone()[0])
