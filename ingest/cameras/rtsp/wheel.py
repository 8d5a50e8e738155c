"""Drains thousands of sockets by turns: one wake-up reads most of a second of many streams.

On the machines this runs on, a wake-up costs as much as walking twenty packets, so nothing is woken by a packet. The
wheel turns on its own clock; each turn drains one slot of it, each slot a share of all streams.

Measured with 500 streams of 300 kb/s: rounds of 0.3, 0.6 and 0.9 s cost 7.1, 5.2 and 4.3 CPU ms a minute each.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol
from weakref import WeakKeyDictionary

ROUND_S = 0.8
"""Every stream is drained this often: what a picture may wait in the socket."""
SLOTS = 20
READ_BYTES = 1 << 19
WATCH_EVERY = 2
"""Rounds between two calls of `watch`."""


class Drained(Protocol):
    """What hangs on the wheel."""

    def drain(self, now_s: float) -> None:
        """Take what has come, without blocking; `now_s`: seconds since 1970. Never raises."""
        ...

    def watch(self, now_s: float) -> None:
        """About once a second: time-outs, keep-alive. Never raises."""
        ...


class Wheel:
    """One a loop; turns while anything hangs on it. Only the loop's thread may touch it."""

    def __init__(self, round_s: float = ROUND_S) -> None:
        self._step_s = round_s / SLOTS
        self._slots: list[dict[Drained, None]] = [{} for _ in range(SLOTS)]
        self._turns = 0
        self._turning = False
        self.buffer = bytearray(READ_BYTES)
        """What one drain reads into: only the loop's thread uses it, one drain at a time."""
        self.view = memoryview(self.buffer)

    def add(self, item: Drained, times: int = 1) -> None:
        """Drain it from now on, `times` (a divisor of SLOTS) a round, beginning in the emptiest slot."""
        first = min(range(SLOTS), key=lambda n: len(self._slots[n]))
        for n in range(times):
            self._slots[(first + n * SLOTS // times) % SLOTS][item] = None
        if not self._turning:
            self._turning = True
            loop = asyncio.get_running_loop()
            loop.call_later(self._step_s, self._turn, loop, loop.time() + self._step_s)

    def remove(self, item: Drained) -> None:
        """No more; any number of times."""
        for slot in self._slots:
            slot.pop(item, None)

    def __len__(self) -> int:
        return len({item for slot in self._slots for item in slot})

    def _turn(self, loop: asyncio.AbstractEventLoop, due_s: float) -> None:
        slot = self._slots[self._turns % SLOTS]
        watching = (self._turns // SLOTS) % WATCH_EVERY == 0
        self._turns += 1
        now_s = time.time()
        for item in list(slot):
            item.drain(now_s)
            if watching:
                item.watch(now_s)
        if not any(self._slots):
            self._turning = False
            return
        # Never behind its time by more than a round: a machine that cannot keep up reads in larger helpings.
        due_s = max(due_s + self._step_s, loop.time() - SLOTS * self._step_s)
        loop.call_at(due_s, self._turn, loop, due_s)


_WHEELS: WeakKeyDictionary[asyncio.AbstractEventLoop, Wheel] = WeakKeyDictionary()


def running_wheel() -> Wheel:
    """The wheel of the running loop."""
    loop = asyncio.get_running_loop()
    if loop not in _WHEELS:
        _WHEELS[loop] = Wheel()
    return _WHEELS[loop]
