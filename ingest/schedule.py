"""Which camera is due: pure, told the time; knows nothing of threads, sources or clocks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import log2
from zlib import crc32

from .attained import Attained, attained
from .device import Camera

_REMEMBER = 0.3
"""Share of the newest interval in the attained one: about the last five looks count."""
_PACES_AN_OCTAVE = 4
"""Cameras whose intervals (or priorities) differ by less than a fifth wait in one heap."""
_ASKED = 1 << 20
"""The pace of looks that were asked for."""


@dataclass(slots=True, eq=False)
class _Limit:
    """At most `most` looks at once within it; those that found it full wait here."""

    most: int
    inside: int = 0
    cameras: int = 0
    line: _Line = field(default_factory=lambda: _Line())


@dataclass(slots=True, eq=False)
class _Turn:
    camera: Camera
    limits: tuple[_Limit, ...]
    names: tuple[str, ...]
    due_s: float
    since_s: float
    """When it was last looked at (or added): what it waits since."""
    added_s: float
    rate: float = 1.0
    pace: int = 0
    waits: bool = False
    running: bool = False
    inside: bool = False
    before_s: float = 0.0
    asked_s: float | None = None
    ok_s: float | None = None
    failed: bool = False
    attained_s: float | None = None
    shifted_s: float = 0.0
    """How much later than its pace has it the planned look is due."""
    number: int = 0
    ticket: int = 0

    def settle(self, camera: Camera) -> None:
        self.camera = camera
        self.rate = 2.0 ** max(-8, min(8, camera.priority)) / max(camera.every_s, 0.01)
        self.pace = round(log2(self.rate) * _PACES_AN_OCTAVE)


class _Line:
    """Turns that wait, the most urgent first. One heap a pace, by who waits longest: any two of a pace keep their order
    however time goes on, so that only the heads are compared."""

    def __init__(self) -> None:
        self._heaps: dict[int, list[tuple[float, int, int, _Turn]]] = {}

    def push(self, turn: _Turn, asked: bool) -> None:
        """Entries of the same turn that were pushed before, here or elsewhere, are void."""
        turn.ticket += 1
        turn.waits = True
        entry = (turn.since_s, turn.number, turn.ticket, turn)
        heappush(self._heaps.setdefault(_ASKED if asked else turn.pace, []), entry)

    def pop(self, now_s: float) -> _Turn | None:
        """The most urgent one; None where nobody waits."""
        found, most, empty = None, -1.0, -1
        for pace, heap in self._heaps.items():
            while heap and (heap[0][2] != heap[0][3].ticket or not heap[0][3].waits):
                heappop(heap)
            if not heap:
                empty = pace
                continue
            if pace == _ASKED:
                found = heap
                break
            urgency = (now_s - heap[0][0]) * heap[0][3].rate
            if urgency > most:
                found, most = heap, urgency
        if empty >= 0 or not found:
            self._heaps = {pace: heap for pace, heap in self._heaps.items() if heap}
        if not found:
            return None
        turn = heappop(found)[3]
        turn.waits = False
        return turn

    def __bool__(self) -> bool:
        """Whether somebody may wait."""
        return any(self._heaps.values())


class Schedule:
    """Looks for cameras, within limits. Times are seconds of any clock that only grows.

    A camera's looks stay `within` named limits: `limits` gives how many at once (those not named in it: `per_host`).
    Where more is due than there is room, each camera waits in proportion to its interval, and half as long with each
    step of priority: looks get rarer evenly and nothing queues. A look that was asked for goes before all others.
    Every call costs about the logarithm of the number of cameras, however many are due.
    """

    def __init__(
        self, cameras: Iterable[Camera] = (), per_host: int = 4, limits: Mapping[str, int] | None = None
    ) -> None:
        self._per_host = per_host
        self._most = dict(limits or {})
        self._limits: dict[str, _Limit] = {}
        self._turns: dict[str, _Turn] = {}
        self._times: list[tuple[float, str]] = []
        self._ready = _Line()
        self._numbers = 0
        for camera in cameras:
            self.add(camera, 0.0)

    def __contains__(self, camera_id: str) -> bool:
        return camera_id in self._turns

    # Cameras and limits.

    def add(self, camera: Camera, now_s: float, within: Sequence[str] | None = None) -> None:
        """A new camera, due at once, or new settings for a known one. `within`: names of limits (default: its host)."""
        names = (f"host {camera.host}",) if within is None else tuple(within)
        turn = self._turns.get(camera.id)
        if turn is None:
            self._numbers += 1
            turn = _Turn(camera, (), (), now_s, now_s - camera.every_s, now_s, number=self._numbers)
            self._turns[camera.id] = turn
        turn.due_s, turn.shifted_s = min(turn.due_s, turn.since_s + camera.every_s), 0.0
        turn.settle(camera)
        if names != turn.names:
            self._move(turn, names, now_s)
        if not turn.running:
            turn.waits = False
            heappush(self._times, (turn.due_s, camera.id))

    def remove(self, camera_id: str, now_s: float = 0.0) -> None:
        """Forget a camera; a look under way no longer counts."""
        turn = self._turns.pop(camera_id, None)
        if turn is not None:
            turn.waits = False
            self._move(turn, (), now_s)

    def limit(self, name: str, most: int, now_s: float) -> None:
        """From now on `most` looks at once within the limit `name`."""
        self._most[name] = most
        limit = self._limits.get(name)
        if limit is not None:
            self._widen(limit, most, now_s)

    def limit_hosts(self, per_host: int, now_s: float) -> None:
        """From now on `per_host` looks at once within every limit that was not set by its name."""
        self._per_host = per_host
        for name, limit in self._limits.items():
            if name not in self._most:
                self._widen(limit, per_host, now_s)

    def _widen(self, limit: _Limit, most: int, now_s: float) -> None:
        limit.most = most
        for _ in range(most - limit.inside):
            if not self._let_in(limit, now_s):
                return

    def _move(self, turn: _Turn, names: tuple[str, ...], now_s: float) -> None:
        before, was_inside = turn.limits, turn.inside
        self._leave(turn, now_s)
        after = [self._limits.setdefault(name, _Limit(self._most.get(name, self._per_host))) for name in names]
        for limit in after:
            limit.cameras += 1
            limit.inside += was_inside
        turn.limits, turn.inside = tuple(after), was_inside
        for name, limit in zip(turn.names, before, strict=True):
            limit.cameras -= 1
            if limit.cameras == 0 and self._limits.get(name) is limit:
                del self._limits[name]
        turn.names = names

    # Turns.

    def due(self, now_s: float, room: int) -> list[str]:
        """At most `room` cameras whose looks begin now, most urgent first; each ends by `finished` or `postpone`."""
        self._wake(now_s)
        chosen: list[str] = []
        while len(chosen) < room and (turn := self._ready.pop(now_s)) is not None:
            full = next((limit for limit in turn.limits if limit.inside >= limit.most), None)
            if full is None:
                self._start(turn, now_s)
                chosen.append(turn.camera.id)
                continue
            full.line.push(turn, self._is_asked(turn, now_s))
            for limit in turn.limits:
                if limit is not full:
                    self._let_in(limit, now_s)
        return chosen

    def _wake(self, now_s: float) -> None:
        """Move what came due from the heap of times, where old entries linger, to the ready ones."""
        while self._times and self._times[0][0] <= now_s:
            turn = self._turns.get(heappop(self._times)[1])
            if turn is None or turn.running:
                continue
            asked = self._is_asked(turn, now_s)
            if asked or (turn.due_s <= now_s and not turn.waits):
                self._ready.push(turn, asked)

    def _start(self, turn: _Turn, now_s: float) -> None:
        turn.running = turn.inside = True
        turn.before_s, turn.since_s, turn.asked_s = turn.since_s, now_s, None
        for limit in turn.limits:
            limit.inside += 1
        every_s = turn.camera.every_s
        if turn.ok_s is None:
            # The first interval is cut by a share of its own, so that cameras added together do not stay in step.
            turn.due_s = now_s + every_s * (0.5 + 0.5 * (crc32(turn.camera.id.encode()) % 997) / 997)
        elif 0 <= now_s - turn.due_s < every_s / 2:
            # A little late is not late for ever: the next one keeps the pace.
            turn.due_s += every_s - turn.shifted_s
        else:
            turn.due_s = now_s + every_s
        turn.shifted_s = 0.0

    def left(self, camera_id: str, now_s: float) -> None:
        """The look under way is done with the camera itself: others may have its place within the limits."""
        turn = self._turns.get(camera_id)
        if turn is not None:
            self._leave(turn, now_s)

    def finished(self, camera_id: str, now_s: float, ok: bool, wait_s: float | None = None) -> None:
        """The look is over; after a failure the camera comes back `wait_s` from now (its back-off)."""
        turn = self._turns.get(camera_id)
        if turn is None or not turn.running:
            return
        turn.running, turn.failed = False, not ok
        self._leave(turn, now_s)
        if ok:
            if turn.ok_s is not None:
                newest_s = now_s - turn.ok_s
                old_s = newest_s if turn.attained_s is None else turn.attained_s
                turn.attained_s = old_s + _REMEMBER * (newest_s - old_s)
            turn.ok_s = now_s
        elif wait_s is not None:
            turn.due_s = now_s + wait_s
        self._plan(turn)

    def postpone(self, camera_id: str, now_s: float, until_s: float) -> None:
        """The look did not take place: not before `until_s`, and it waits since as long as before."""
        turn = self._turns.get(camera_id)
        if turn is None or not turn.running:
            return
        turn.running, turn.since_s, turn.due_s = False, turn.before_s, until_s
        self._leave(turn, now_s)
        self._plan(turn)

    def shift(self, camera_id: str, by_s: float) -> None:
        """The planned look comes `by_s` later (or earlier, below 0); those after it keep the pace as if it did not."""
        turn = self._turns.get(camera_id)
        if turn is not None and not turn.running and turn.asked_s is None:
            turn.due_s += by_s
            turn.shifted_s += by_s
            heappush(self._times, (turn.due_s, camera_id))

    def ask(self, camera_id: str, at_s: float) -> None:
        """A look out of turn, as soon as there is room from `at_s` on."""
        turn = self._turns.get(camera_id)
        if turn is not None and (turn.asked_s is None or at_s < turn.asked_s):
            turn.asked_s = at_s
            if not turn.running:
                heappush(self._times, (at_s, camera_id))

    def next_s(self) -> float | None:
        """When to ask `due` again at the latest; None where nothing is planned."""
        return self._times[0][0] if self._times else None

    def next_of(self, camera_id: str) -> float | None:
        """When this camera's next look is planned; None while one is under way."""
        turn = self._turns.get(camera_id)
        if turn is None or turn.running:
            return None
        return turn.due_s if turn.asked_s is None else min(turn.due_s, turn.asked_s)

    @property
    def waiting(self) -> bool:
        """Whether `due` may have more to give at once."""
        return bool(self._ready)

    def _plan(self, turn: _Turn) -> None:
        heappush(self._times, (turn.due_s, turn.camera.id))
        if turn.asked_s is not None:
            heappush(self._times, (turn.asked_s, turn.camera.id))

    def _leave(self, turn: _Turn, now_s: float) -> None:
        if turn.inside:
            turn.inside = False
            for limit in turn.limits:
                limit.inside -= 1
        for limit in turn.limits:
            self._let_in(limit, now_s)

    def _let_in(self, limit: _Limit, now_s: float) -> bool:
        """Whoever waits most urgently for `limit` may try again, if there is room in it; whether somebody did."""
        if limit.inside >= limit.most or (turn := limit.line.pop(now_s)) is None:
            return False
        self._ready.push(turn, self._is_asked(turn, now_s))
        return True

    @staticmethod
    def _is_asked(turn: _Turn, now_s: float) -> bool:
        return turn.asked_s is not None and turn.asked_s <= now_s

    # Figures.

    def attained_s(self, camera_id: str, now_s: float) -> float | None:
        """Seconds between good looks as attained lately, the present gap where longer; None before the second look."""
        turn = self._turns.get(camera_id)
        return None if turn is None else _attained_s(turn, now_s)

    def attained(self, now_s: float) -> Attained:
        """Over all cameras whose last look gave a picture, and those that still wait for their first look."""
        answering = [turn for turn in self._turns.values() if not turn.failed]
        return attained((_attained_s(turn, now_s) or _gap_s(turn, now_s), turn.camera.every_s) for turn in answering)


def _gap_s(turn: _Turn, now_s: float) -> float:
    return now_s - (turn.added_s if turn.ok_s is None else turn.ok_s)


def _attained_s(turn: _Turn, now_s: float) -> float | None:
    if turn.ok_s is None:
        return None
    gap_s = _gap_s(turn, now_s)
    if turn.attained_s is None:
        return gap_s if gap_s > turn.camera.every_s else None
    return max(turn.attained_s, gap_s)
