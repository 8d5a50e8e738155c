"""Looks that must be fetched: out over the reading loop, home with a coded picture that waits for a thread."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

from .cameras.source import Caught
from .device import Camera
from .errors import Silent, SourceError
from .loop import ReadingLoop
from .seat import Seat

log = logging.getLogger("ingest")

MOST_CAUGHT = 64
"""Coded pictures that wait to be decoded; the oldest goes when another comes."""
FEW_CAUGHT, MANY_CAUGHT = 16, 32
"""While fewer wait, more visits may be out at once than before; while more wait, fewer."""
MORE_A_SECOND = 40.0
LEAST_OUT = 8
GRACE_S = 1.0
"""A visit that does not keep its own time is ended this much later."""
PATIENCE_S = 30.0
"""How long a turned camera's stream may take to its next keyframe."""
POLL_S = 0.2
NEVER = datetime.max.replace(tzinfo=UTC)

Brought = Caught | SourceError | datetime | None


class Visits:
    """`home` is told on the loop how each visit ended: with a picture to `take`, why there is none, from when on the
    source may be looked at (it was turned, and does not visit), or None where its picture was dropped."""

    def __init__(
        self,
        loop: ReadingLoop,
        home: Callable[[Seat, Brought], None],
        turn_to: Callable[[Camera, float], Awaitable[None]],
        timeout_s: float,
        clock: Callable[[], datetime],
    ) -> None:
        self._loop, self._home, self._turn_to = loop, home, turn_to
        self._timeout_s, self._clock = timeout_s, clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._out: set[Seat] = set()
        self._left: deque[Seat] = deque()
        self._caught: deque[tuple[Seat, Caught]] = deque()
        self._lock = threading.Lock()
        self._window = float(MOST_CAUGHT)
        self._window_at_s = 0.0

    @property
    def under_way(self) -> int:
        """Visits that have set out and are not home."""
        return len(self._out)

    @property
    def busy(self) -> bool:
        """Whether somebody is out, or waits at home."""
        return bool(self._out or self._caught or self._left)

    def may_be_out(self, most: int, now_s: float) -> int:
        """How many visits may be out now, `most` at most: as many as keep the threads that decode busy.

        What is out and what waits to be decoded fill one window together, which grows while little waits and shrinks
        while much does: visits set out as fast as pictures are decoded, and hardly any is fetched in vain.
        """
        waiting = len(self._caught)
        since_s, self._window_at_s = min(0.1, now_s - self._window_at_s), now_s
        if waiting < FEW_CAUGHT:
            self._window = min(self._window + MORE_A_SECOND * since_s, float(most))
        elif waiting > MANY_CAUGHT:
            self._window = max(self._window * (1.0 - since_s), float(LEAST_OUT))
        return max(0, min(most, round(self._window) - waiting))

    def set_out(self, seats: Sequence[tuple[Seat, datetime]]) -> None:
        """Visit all of these, each for a picture taken at or after its time: one hand-over for all of them."""
        self._out.update(seat for seat, _ in seats)
        self._loop.spawn(self._begin(seats))

    def left(self) -> list[Seat]:
        """Those who came home since the last call: their sessions are free again."""
        return [self._left.popleft() for _ in range(len(self._left))]

    def take(self) -> tuple[Seat, Caught] | None:
        """The picture that has waited longest; None where it was dropped meanwhile."""
        with self._lock:
            return self._caught.popleft() if self._caught else None

    async def _begin(self, seats: Sequence[tuple[Seat, datetime]]) -> None:
        for seat, not_before in seats:
            task = asyncio.create_task(self._visit(seat, not_before))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _visit(self, seat: Seat, not_before: datetime) -> None:
        brought: Brought
        budget_s = self._budget_s(seat)
        try:
            async with asyncio.timeout(budget_s):
                brought = await self._fetch(seat, not_before)
        except SourceError as error:
            brought = error
        except TimeoutError:
            brought = Silent(f"{seat.camera.safe_url}: no picture within {budget_s:.0f} s")
        except Exception as error:
            # A defect met at one camera must cost that camera only.
            log.debug("%s", seat.camera.id, exc_info=True)
            brought = SourceError(f"{seat.camera.safe_url}: {type(error).__name__}: {error}")
        self._out.discard(seat)
        if not isinstance(brought, datetime):
            self._left.append(seat)
        if isinstance(brought, SourceError | datetime) or brought is None:
            self._home(seat, brought)
        else:
            self._bring(seat, brought)

    def _bring(self, seat: Seat, caught: Caught) -> None:
        dropped = None
        with self._lock:
            if len(self._caught) >= MOST_CAUGHT:
                dropped = self._caught.popleft()
            self._caught.append((seat, caught))
        if dropped is None:
            self._home(seat, caught)
        else:
            # The thread that was called for the dropped one takes this one.
            self._home(dropped[0], None)

    async def _fetch(self, seat: Seat, not_before: datetime) -> Brought:
        camera = seat.opened
        if camera.goto:
            await self._turn_to(camera, self._timeout_s)
            settled = self._clock() + timedelta(seconds=camera.settle_s)
            not_before = max(not_before, settled)
            await asyncio.sleep(camera.settle_s)
        if seat.visiting is not None:
            return await seat.visiting.visit(not_before, self._timeout_s)
        while seat.connected is not None and not seat.connected.ready(not_before):
            await asyncio.sleep(POLL_S)
        return not_before

    def _budget_s(self, seat: Seat) -> float:
        budget_s = self._timeout_s + GRACE_S
        if seat.opened.goto:
            budget_s += self._timeout_s + seat.opened.settle_s
        return budget_s + PATIENCE_S if seat.visiting is None else budget_s
