"""Which camera is due: pure, told the time; knows nothing of threads, sources or clocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import heappop, heappush, nlargest
from zlib import crc32

from .device import Camera

_REMEMBER = 0.3
"""Share of the newest interval in the attained one: about the last five looks count."""


@dataclass(slots=True)
class _Turn:
    camera: Camera
    due_s: float
    since_s: float
    """When it was last looked at (or added): what it waits since."""
    running: bool = False
    asked_s: float | None = None
    ok_s: float | None = None
    attained_s: float | None = field(default=None)


class Schedule:
    """Looks for `cameras`, at most `per_host` at once to one host. Times are seconds of any clock that only grows.

    Where more is due than there is room, each camera waits in proportion to its interval, and half as long with each
    step of priority: looks get rarer evenly and nothing queues. A look that was asked for goes before all others.
    """

    def __init__(self, cameras: Iterable[Camera] = (), per_host: int = 4) -> None:
        self._per_host = per_host
        self._turns: dict[str, _Turn] = {}
        self._times: list[tuple[float, str]] = []
        self._ready: set[str] = set()
        self._on_host: Counter[str] = Counter()
        for camera in cameras:
            self.add(camera, 0.0)

    def __contains__(self, camera_id: str) -> bool:
        return camera_id in self._turns

    def add(self, camera: Camera, now_s: float) -> None:
        """A new camera, due at once, or new settings for a known one."""
        known = self._turns.get(camera.id)
        if known is None:
            self._turns[camera.id] = _Turn(camera, now_s, now_s - camera.every_s)
            heappush(self._times, (now_s, camera.id))
            return
        if known.running and known.camera.host != camera.host:
            self._on_host[known.camera.host] -= 1
            self._on_host[camera.host] += 1
        known.due_s = min(known.due_s, known.since_s + camera.every_s)
        known.camera = camera
        heappush(self._times, (known.due_s, camera.id))

    def remove(self, camera_id: str) -> None:
        """Forget a camera; a look under way no longer counts."""
        turn = self._turns.pop(camera_id, None)
        self._ready.discard(camera_id)
        if turn and turn.running:
            self._on_host[turn.camera.host] -= 1

    def due(self, now_s: float, room: int) -> list[str]:
        """Ids of at most `room` cameras to look at now, the most urgent first, within the limits of their hosts."""
        self._wake(now_s)
        waiting = [self._turns[camera_id] for camera_id in self._ready]
        chosen: list[str] = []
        here: Counter[str] = Counter()
        most = room if len(waiting) <= room else len(waiting)
        for turn in nlargest(most, waiting, key=lambda turn: _urgency(turn, now_s)):
            if len(chosen) >= room:
                break
            host = turn.camera.host
            if self._on_host[host] + here[host] < self._per_host:
                here[host] += 1
                chosen.append(turn.camera.id)
        return chosen

    def _wake(self, now_s: float) -> None:
        """Move what came due from the heap of times, where old entries linger, to the ready ones."""
        while self._times and self._times[0][0] <= now_s:
            _, camera_id = heappop(self._times)
            turn = self._turns.get(camera_id)
            if turn is not None and not turn.running and _is_due(turn, now_s):
                self._ready.add(camera_id)

    def next_s(self) -> float | None:
        """When to ask `due` again at the latest; None where nothing is planned."""
        return self._times[0][0] if self._times else None

    def started(self, camera_id: str, now_s: float) -> None:
        """A look at this camera begins."""
        turn = self._turns.get(camera_id)
        if turn is None or turn.running:
            return
        self._ready.discard(camera_id)
        turn.running, turn.since_s, turn.asked_s = True, now_s, None
        # The first interval is cut by a share of its own, so that cameras added together do not stay in step.
        share = 0.5 + 0.5 * (crc32(camera_id.encode()) % 997) / 997 if turn.ok_s is None else 1.0
        turn.due_s = now_s + turn.camera.every_s * share
        self._on_host[turn.camera.host] += 1

    def finished(self, camera_id: str, now_s: float, ok: bool, wait_s: float | None = None) -> None:
        """The look is over; after a failure the camera comes back `wait_s` from now (its back-off)."""
        turn = self._turns.get(camera_id)
        if turn is None or not turn.running:
            return
        turn.running = False
        self._on_host[turn.camera.host] -= 1
        if ok:
            if turn.ok_s is not None:
                newest_s = now_s - turn.ok_s
                old_s = newest_s if turn.attained_s is None else turn.attained_s
                turn.attained_s = old_s + _REMEMBER * (newest_s - old_s)
            turn.ok_s = now_s
        elif wait_s is not None:
            turn.due_s = now_s + wait_s
        heappush(self._times, (turn.due_s, camera_id))
        if turn.asked_s is not None:
            heappush(self._times, (turn.asked_s, camera_id))

    def postpone(self, camera_id: str, until_s: float) -> None:
        """Not before `until_s`."""
        turn = self._turns.get(camera_id)
        if turn is not None:
            turn.due_s = max(turn.due_s, until_s)
            turn.asked_s = None if turn.asked_s is None else max(turn.asked_s, until_s)
            self._ready.discard(camera_id)
            heappush(self._times, (until_s, camera_id))

    def ask(self, camera_id: str, now_s: float) -> None:
        """A look out of turn, as soon as there is room from `now_s` on."""
        turn = self._turns.get(camera_id)
        if turn is not None:
            turn.asked_s = now_s if turn.asked_s is None else min(now_s, turn.asked_s)
            heappush(self._times, (turn.asked_s, camera_id))

    def attained_s(self, camera_id: str, now_s: float) -> float | None:
        """Seconds between good looks as attained lately, the present gap where longer; None before the second look."""
        turn = self._turns.get(camera_id)
        if turn is None or turn.ok_s is None:
            return None
        gap_s = now_s - turn.ok_s
        if turn.attained_s is None:
            return gap_s if gap_s > turn.camera.every_s else None
        return max(turn.attained_s, gap_s)


def _is_due(turn: _Turn, now_s: float) -> bool:
    return turn.due_s <= now_s or (turn.asked_s is not None and turn.asked_s <= now_s)


def _urgency(turn: _Turn, now_s: float) -> tuple[bool, float]:
    asked = turn.asked_s is not None and turn.asked_s <= now_s
    waited = (now_s - turn.since_s) / max(turn.camera.every_s, 0.01)
    return asked, waited * 2.0 ** max(-8, min(8, turn.camera.priority))
