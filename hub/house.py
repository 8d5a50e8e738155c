"""What every part of the hub works with, made once in `bootstrap.py`."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .config import Settings
from .domain.role import Role
from .domain.scoring import ScoringRule
from .evidence import EvidenceStore
from .feed import Feed
from .office import Office
from .rulebook import RuleBook
from .store import Database, ReadingStore


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: a person (`id` is the user name), a program, or the hub itself.

    `grids`: ids of the grids (with all below them) that he is limited to; None: the whole district.
    """

    id: str
    name: str
    role: Role
    department: str | None = None
    grids: frozenset[str] | None = None


SYSTEM = Actor("system", "系统", Role.ADMIN)
"""The hub itself: automatic dispatch, automatic check."""


@dataclass(slots=True)
class Tally:
    """Counts since the hub started, and what each worker last reported."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    workers: dict[str, dict[str, Any]] = field(default_factory=dict)
    heard: dict[str, datetime] = field(default_factory=dict)
    """When each worker last reported."""
    sessions: dict[str, str] = field(default_factory=dict)
    """By worker: the run of it whose whole state is known here, on which its later reports build."""
    unsure: set[str] = field(default_factory=set)
    """Cameras whose state was set here because nobody looked: the next look asks their worker for the true one."""
    live: dict[str, int] = field(default_factory=lambda: {"cameras": 0, "views": 0})
    """Cameras that are shown live, and how many views of them there are."""
    live_sessions: dict[str, int] = field(default_factory=dict)
    """Sessions of limited platforms that live views take; their workers do with the rest."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, name: str, label: str = "", by: int = 1) -> None:
        """Count `by` more of `name` (with one label value)."""
        with self._lock:
            self.counts[name, label] += by

    def report(self, worker: str, counters: dict[str, Any], at: datetime) -> None:
        """Keep what a worker says about itself."""
        with self._lock:
            if worker in self.workers or len(self.workers) < 1000:
                self.workers[worker] = counters
                self.heard[worker] = at


@dataclass(frozen=True, slots=True)
class House:
    """The hub's parts; `now` is the clock (UTC-aware)."""

    settings: Settings
    db: Database
    readings: ReadingStore
    rules: RuleBook
    office: Office
    scoring: tuple[ScoringRule, ...]
    evidence: EvidenceStore
    feed: Feed
    now: Callable[[], datetime]
    tally: Tally
    wake_outbox: Callable[[], None]
