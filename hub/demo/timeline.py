"""What happens in the demo district, and when. Pure: seconds since the start go in, what can be seen comes out.

Only the street simulator reads this. Worker and hub get nothing of it but pictures and sensor messages.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

TROUBLES = ("black", "offline", "silent")
LEFT_OVER = 0.5
"""Share of a stubborn heap that the first answer leaves behind."""
FIRST_EFFECT_S = 1.0
"""Seconds between hearing of a department's answer and seeing what it did."""


class TimelineError(ValueError):
    """A time-line that cannot be used; `problems` holds one line each: file, event, key, value, what is allowed."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Event:
    """At `at_s` something begins at `place` (a camera's or sensor's id).

    `shows` is what comes into view: an overlay of the view or an effect. `kind` is what a city would call it; empty for
    the harmless. It stays until a department handles it, or for `lasts_s`. `stubborn`: the first answer leaves half.
    `trouble` is a fault of the device itself.
    """

    at_s: float
    place: str
    kind: str = ""
    shows: str = ""
    lasts_s: float | None = None
    stubborn: bool = False
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """An event as it stands now: begun `since_s`, `share` of it there (1, or what a half-hearted answer left)."""

    event: Event
    since_s: float
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Timeline:
    """The known beginning, and the pool from which later events are drawn, `every_s` (shortest, longest) apart."""

    opening: tuple[Event, ...]
    pool: tuple[Event, ...] = ()
    every_s: tuple[float, float] = (60.0, 180.0)
    seed: int = 0

    @classmethod
    def from_yaml(cls, path: Path) -> Timeline:
        """Read `configs/demo/timeline.yaml`. Raises TimelineError with every problem at once."""
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        if not isinstance(raw, dict):
            raise TimelineError([f"{path}: holds {type(raw).__name__}, wanted opening and later"])
        problems: list[str] = []
        later = raw.get("later") or {}
        opening = _events(raw.get("opening"), f"{path}: opening", problems, timed=True)
        pool = _events(later.get("pool") or [], f"{path}: later.pool", problems, timed=False)
        low, high = later.get("every_s", (60, 180))
        if not 0 < low <= high:
            problems.append(f"{path}: later.every_s: {[low, high]} is not [shortest, longest], above 0")
        if problems:
            raise TimelineError(problems)
        return cls(tuple(opening), tuple(pool), (low, high), int(later.get("seed", 0)))


@dataclass(slots=True)
class _Standing:
    """One event that has begun, and how it goes away: (when, share that is left) in order of time."""

    event: Event
    since_s: float
    steps: list[tuple[float, float]] = field(default_factory=list)

    def share(self, now_s: float) -> float:
        share = 1.0
        for at_s, left in self.steps:
            if now_s >= at_s:
                share = left
        if self.event.lasts_s is not None and now_s >= self.since_s + self.event.lasts_s:
            share = 0.0
        return share


class Happenings:
    """The district's events as they come and go. One thread at a time; `now_s` never runs backwards."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._random = random.Random(timeline.seed)
        self._waiting = sorted(timeline.opening, key=lambda event: event.at_s)
        self._standing: list[_Standing] = []
        self._cleared_s: dict[str, float] = {}
        last_s = self._waiting[-1].at_s if self._waiting else 0.0
        self._next_later_s = last_s + self._gap_s()

    def advance(self, now_s: float) -> list[Event]:
        """Let time go on; returns what began since the last call."""
        begun = []
        while self._waiting and self._waiting[0].at_s <= now_s:
            event = self._waiting.pop(0)
            self._begin(event, event.at_s)
            begun.append(event)
        while self._timeline.pool and self._next_later_s <= now_s:
            at_s = self._next_later_s
            self._next_later_s += self._gap_s()
            free = [e for e in self._timeline.pool if not self._busy(e.place, at_s)]
            if free:
                event = self._random.choice(free)
                self._begin(event, at_s)
                begun.append(event)
        for standing in self._standing:
            if standing.steps and standing.share(now_s) == 0:
                place = standing.event.place
                self._cleared_s[place] = max(self._cleared_s.get(place, 0.0), standing.steps[-1][0])
        self._standing = [s for s in self._standing if s.share(now_s) > 0]
        return begun

    def cleared_s(self, place: str) -> float | None:
        """When an answer last put things right at `place`."""
        return self._cleared_s.get(place)

    def at(self, place: str, now_s: float) -> list[Seen]:
        """What is going on at `place`, oldest first."""
        shares = [(s, s.share(now_s)) for s in self._standing if s.event.place == place and s.since_s <= now_s]
        return [Seen(s.event, s.since_s, share) for s, share in shares if share > 0]

    def answered(self, place: str, kind: str, now_s: float) -> list[Event]:
        """A department says it has handled `kind` at `place`: the street changes a moment later.

        Who comes for something that isn't there clears what is. Returns the events that this ends or (the stubborn,
        the first time) lessens.
        """
        here = [s for s in self._standing if s.event.place == place and s.event.kind and s.share(now_s) > 0]
        meant = [s for s in here if s.event.kind == kind] or here
        touched = []
        for standing in meant:
            event = standing.event
            half = event.stubborn and not standing.steps
            standing.steps.append((now_s + FIRST_EFFECT_S, LEFT_OVER if half else 0.0))
            touched.append(event)
        return touched

    def _begin(self, event: Event, at_s: float) -> None:
        self._standing.append(_Standing(event, at_s))

    def _busy(self, place: str, now_s: float) -> bool:
        return any(s.event.place == place and s.share(now_s) > 0 for s in self._standing)

    def _gap_s(self) -> float:
        return self._random.uniform(*self._timeline.every_s)


_KEYS = {"at", "camera", "sensor", "kind", "shows", "lasts_s", "stubborn", "trouble"}


def _events(raw: Any, where: str, problems: list[str], timed: bool) -> list[Event]:
    if not isinstance(raw, list):
        problems.append(f"{where}: {raw!r} is not a list of events")
        return []
    found = []
    for number, item in enumerate(raw):
        event = _event(item, f"{where}[{number}]", problems, timed)
        if event is not None:
            found.append(event)
    return found


def _event(item: Any, where: str, problems: list[str], timed: bool) -> Event | None:
    if not isinstance(item, Mapping):
        problems.append(f"{where}: {item!r} is not a mapping")
        return None
    before = len(problems)
    for key in item.keys() - _KEYS:
        problems.append(f"{where}: unknown key {key!r}; allowed: {', '.join(sorted(_KEYS))}")
    place = item.get("camera") or item.get("sensor")
    if ("camera" in item) == ("sensor" in item) or not isinstance(place, str):
        problems.append(f"{where}: wanted exactly one of camera and sensor, with an id")
    at_s = item.get("at", None if timed else 0)
    if isinstance(at_s, bool) or not isinstance(at_s, int | float) or at_s < 0:
        problems.append(f"{where}: at: {at_s!r} is not seconds since the start")
    trouble = item.get("trouble", "")
    if trouble and trouble not in TROUBLES:
        problems.append(f"{where}: trouble: {trouble!r} is not one of {', '.join(TROUBLES)}")
    if not (item.get("shows") or trouble or ("sensor" in item and item.get("kind"))):
        problems.append(f"{where}: nothing happens: wanted shows, trouble, or a sensor's kind")
    lasts_s = item.get("lasts_s")
    if lasts_s is None and not item.get("kind"):
        problems.append(f"{where}: lasts_s: missing; what no department handles must end by itself")
    if len(problems) > before:
        return None
    return Event(
        float(at_s or 0),
        str(place),
        str(item.get("kind", "")),
        str(item.get("shows", "")),
        None if lasts_s is None else float(lasts_s),
        bool(item.get("stubborn", False)),
        str(trouble),
    )
