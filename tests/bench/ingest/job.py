"""What every reader is asked to do, and how its pictures are checked: whose they are, and how old when handed over."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter, deque
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tests.peers.marks import Mark, marked_part, read_marks
from tests.peers.shown import GOP_S, Form, Shown

FRESH_S = GOP_S + 1.0
"""A picture older than a keyframe interval and a second when it is handed over is stale."""
CLOCK_S = 1.0
"""So much may the time that a reader gives its picture be away from the one in it."""


@dataclass(frozen=True)
class Job:
    """Look at every camera of `urls` each `every_s`; camera n shows `shown[n]`.

    The option `apart`: from this camera on, intervals are told apart from the others'.
    """

    urls: list[str]
    shown: list[Shown]
    every_s: float = 10.0
    open_s: float = 60.0
    options: dict[str, Any] | None = None

    def dump(self) -> str:
        """One line."""
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, line: str) -> Job:
        """From `dump`."""
        told = json.loads(line)
        return cls(**told | {"shown": shown_of(told["shown"])})


def shown_of(told: list[dict[str, Any]]) -> list[Shown]:
    """From their JSON."""
    return [Shown(one["number"], one["began_s"], Form(**one["form"])) for one in told]


CHECK_EVERY_S = 0.5


class _Look(NamedTuple):
    """A picture as it was handed over: the part of it that says whose it is, and when it came."""

    camera: int
    part: NDArray[np.uint8]
    came_s: float
    taken_s: float | None


class Looks:
    """Checks and counts the looks of one reader, after they came: what the reader does is not held up by it. The time
    that this takes is told apart: it is not the reader's.
    """

    def __init__(self, job: Job) -> None:
        self._lock = threading.Lock()
        self._unchecked: deque[_Look] = deque()
        self._shown = job.shown
        self._apart = (job.options or {}).get("apart", len(job.urls))
        self._last: dict[int, float] = {}
        self._first_s: dict[int, float] = {}
        self._forget()

    def _forget(self) -> None:
        self._counts: Counter[str] = Counter()
        self._ages: list[float] = []
        self._gaps: list[float] = []
        self._apart_gaps: list[float] = []
        self._checking_s = 0.0

    def saw(self, camera: int, picture: NDArray[np.uint8], taken_s: float | None = None) -> None:
        """A picture (luma or BGR) handed over now; `taken_s`: when the reader says that it was taken (wall clock)."""
        self._unchecked.append(_Look(camera, marked_part(picture), time.time(), taken_s))

    def keep_checking(self) -> None:
        """From now on, every so often."""
        threading.Thread(target=self._keep_checking, name="checking", daemon=True).start()

    def _keep_checking(self) -> None:
        while True:
            time.sleep(CHECK_EVERY_S)
            with self._lock:
                self._check()

    def _check(self) -> None:
        began_s = time.thread_time()
        looks = [self._unchecked.popleft() for _ in range(len(self._unchecked))]
        for look, mark in zip(looks, read_marks([look.part for look in looks]), strict=True):
            self._judge(look, mark)
        self._checking_s += time.thread_time() - began_s

    def _judge(self, look: _Look, mark: Mark | None) -> None:
        shown = self._shown[look.camera]
        kind, age_s = "unreadable", None
        if mark is not None:
            age_s = shown.age_s(mark, look.came_s)
            kind = "right" if age_s <= FRESH_S else "stale"
            if mark.number != shown.number:
                kind = "wrong"
            elif look.taken_s is not None and abs(look.came_s - look.taken_s - age_s) > CLOCK_S:
                self._counts["misdated"] += 1
        self._count(look.camera, kind, age_s, look.came_s)

    def _count(self, camera: int, kind: str, age_s: float | None, now_s: float) -> None:
        self._counts[kind] += 1
        if kind in ("right", "stale") and age_s is not None:
            self._ages.append(age_s)
            if camera in self._last:
                gaps = self._gaps if camera < self._apart else self._apart_gaps
                gaps.append(now_s - self._last[camera])
            self._last[camera] = now_s
            self._first_s.setdefault(camera, now_s)

    def show(self, shown: list[Shown]) -> None:
        """The server began anew: other times, and every camera is to be seen again."""
        with self._lock:
            self._check()
            self._shown = shown
            self._first_s.clear()

    def seen(self, within_s: float = 1e9) -> int:
        """Cameras with a look in the last `within_s`."""
        oldest = time.time() - within_s
        with self._lock:
            self._check()
            return sum(at >= oldest for at in self._last.values())

    def tell(self, every_s: float) -> dict[str, Any]:
        """Figures since the last time they were told. `held`: cameras seen within three intervals."""
        held = self.seen(3 * every_s)
        with self._lock:
            told = {
                "held": held,
                "looks": sum(self._counts[kind] for kind in ("right", "stale", "wrong", "unreadable")),
                "wrong": self._counts["wrong"],
                "unreadable": self._counts["unreadable"],
                "stale": self._counts["stale"],
                "misdated": self._counts["misdated"],
                "ages_s": [round(age, 3) for age in self._ages],
                "gaps_s": [round(gap, 3) for gap in self._gaps],
                "apart_gaps_s": [round(gap, 3) for gap in self._apart_gaps],
                "checking_s": self._checking_s,
                "first_s": sorted(self._first_s.values()),
            }
            self._forget()
        return told


def percentile(values: list[float], share: int) -> float:
    """Of 100; -1 where there are no values."""
    return float(np.percentile(values, share)) if values else -1.0
