"""Drains thousands of sockets by turns: one wake-up reads a second or two of many streams.

On the machines this runs on, a wake-up costs as much as walking twenty packets, so nothing is woken by a packet. The
wheel turns on its own clock; each turn drains what hangs in one slot of it, and each item says how long it can wait
until its next turn. Whoever needs what has come drains it out of turn (`now`).
"""

from __future__ import annotations

import asyncio
import ctypes
import logging
import time
from typing import Protocol
from weakref import WeakKeyDictionary

log = logging.getLogger("ingest")

STEP_S = 0.04
SLOTS = 64
"""Nobody pauses longer than a round of so many steps."""
READ_BYTES = 1 << 19


class Drained(Protocol):
    """What hangs on the wheel."""

    @property
    def pause_s(self) -> float:
        """How long it can wait until it is drained again; asked after each drain."""
        ...

    def drain(self, now_s: float) -> None:
        """Take what has come, without blocking; `now_s`: seconds since 1970. Never raises."""
        ...

    def watch(self, now_s: float) -> None:
        """Behind each drain: time-outs, keep-alive. Never raises."""
        ...

    def fail(self, error: Exception) -> None:
        """It did raise, which is a defect: it ends with this error."""
        ...


class Wheel:
    """One a loop; turns while anything hangs on it. Only the loop's thread may touch it."""

    def __init__(self, step_s: float = STEP_S) -> None:
        self._step_s = step_s
        self._slots: list[dict[Drained, None]] = [{} for _ in range(SLOTS)]
        self._slot_of: dict[Drained, int] = {}
        self._turns = 0
        self._turning = False
        self.buffer = bytearray(READ_BYTES)
        """What one drain reads into: only the loop's thread uses it, one drain at a time."""
        self.view = memoryview(self.buffer)
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self.buffer))
        """Where it lies in memory."""

    def add(self, item: Drained) -> None:
        """Drain it from now on, first in the emptiest of the slots that come within its pause."""
        soon = range(self._turns + 1, self._turns + 1 + self._steps(item))
        self._hang(item, min(soon, key=lambda n: len(self._slots[n % SLOTS])))
        if not self._turning:
            self._turning = True
            loop = asyncio.get_running_loop()
            loop.call_later(self._step_s, self._turn, loop, loop.time() + self._step_s)

    def remove(self, item: Drained) -> None:
        """No more; any number of times."""
        slot = self._slot_of.pop(item, None)
        if slot is not None:
            self._slots[slot].pop(item, None)

    def now(self, item: Drained) -> None:
        """Drain it at once, if it hangs here; its pause begins anew."""
        if item in self._slot_of:
            self._slots[self._slot_of[item]].pop(item, None)
            self._drain(item, time.time())

    def __len__(self) -> int:
        return len(self._slot_of)

    def _steps(self, item: Drained) -> int:
        return max(1, min(SLOTS - 2, round(item.pause_s / self._step_s)))

    def _hang(self, item: Drained, turn: int) -> None:
        slot = turn % SLOTS
        self._slot_of[item] = slot
        self._slots[slot][item] = None

    def _drain(self, item: Drained, now_s: float) -> None:
        try:
            item.drain(now_s)
            item.watch(now_s)
        except Exception as error:
            # A defect met by one stream's bytes must cost that stream only: all others hang on the same wheel.
            log.debug("a stream could not be drained", exc_info=True)
            item.fail(error)
        if item in self._slot_of:
            self._hang(item, self._turns + self._steps(item))

    def _turn(self, loop: asyncio.AbstractEventLoop, due_s: float) -> None:
        slot = self._turns % SLOTS
        items, self._slots[slot] = self._slots[slot], {}
        now_s = time.time()
        for item in items:
            # Whoever left meanwhile hangs nowhere, whoever was drained out of turn elsewhere.
            if self._slot_of.get(item) == slot:
                self._drain(item, now_s)
        self._turns += 1
        if not self._slot_of:
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
