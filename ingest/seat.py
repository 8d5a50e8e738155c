"""One camera's place in the looker: its source, its health, and when it is worth trying again."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum, auto

from .cameras.source import Clipping, Clocked, Connected, Hosted, Source, Visiting
from .device import Camera
from .errors import SourceError
from .frame import Frame
from .health import CameraState, ClockOff, Health, Via
from .supervisor import Backoff, backoff_for

AGAIN_S = 10.0
"""A connected camera whose look failed is looked at again after so long, if its interval is longer."""
LEAST_WAIT_S = 5.0
"""Nobody is visited again sooner than this after a failure, unless the interval is shorter."""


class Way(Enum):
    """How a camera is looked at."""

    READY = auto()
    """The newest picture is there: a thread decodes it."""
    VISIT = auto()
    """The reading loop fetches a picture, then a thread decodes it."""
    BLOCK = auto()
    """A thread of its own kind waits for the picture."""


@dataclass(slots=True, eq=False)
class Seat:
    """`opened` is the camera as its source was opened; `note` is said of it while nothing else is.

    `asked`: from when on pictures are wanted out of turn.
    """

    camera: Camera
    opened: Camera
    health: Health
    source: Source | None = None
    note: str = ""
    way: Way = Way.BLOCK
    connected: Connected | None = None
    hosted: Hosted | None = None
    visiting: Visiting | None = None
    clipping: Clipping | None = None
    clocked: Clocked | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    via: str = ""
    last_at: datetime | None = None
    asked: set[datetime] = field(default_factory=set)
    waits_since_s: float | None = None
    backoff: Backoff | None = None
    backoff_kind: str = ""
    gone: bool = False

    def take(self, source: Source) -> None:
        """What kind of source it is, asked once: protocols are slow to ask."""
        self.source = source
        self.connected = source if isinstance(source, Connected) else None
        self.hosted = source if isinstance(source, Hosted) else None
        self.visiting = source if isinstance(source, Visiting) else None
        self.clipping = source if isinstance(source, Clipping) else None
        self.clocked = source if isinstance(source, Clocked) else None
        if self.opened.goto or self.visiting is not None:
            self.way = Way.VISIT
        elif self.connected is not None:
            self.way = Way.READY

    def close(self) -> None:
        """Let go of the source."""
        if self.source is not None:
            self.source.close()

    def shown(self, state: CameraState) -> CameraState:
        """`state`, with the note where it says nothing itself."""
        return replace(state, message=self.note) if self.note and not state.message else state

    def ask(self, not_before: datetime, now: datetime) -> None:
        """Of those whose time has come the latest stands for all; those ahead wait for theirs."""
        come = [at for at in self.asked | {not_before} if at <= now]
        self.asked = {at for at in self.asked | {not_before} if at > now} | ({max(come)} if come else set())

    def asked_by(self, now: datetime, most_ahead: timedelta) -> datetime | None:
        """From when on the picture of a look that begins now must be; what lies further ahead is given up."""
        self.asked = {at for at in self.asked if at - now <= most_ahead}
        return max((at for at in self.asked if at <= now), default=None)

    def saw(self, frame: Frame) -> tuple[str, CameraState]:
        """A look gave a picture: the state before, and after."""
        with self.lock:
            if self.source is not None and self.source.via != self.via:
                self.via = self.source.via
                self.health.told(Via(self.via))
            if self.clocked is not None:
                self.health.told(ClockOff(self.clocked.clock_off_s))
            before = self.health.state.state
            state = self.health.saw(frame)
            self.backoff, self.last_at = None, frame.captured_at
        return before, self.shown(state)

    def failed(self, error: SourceError, now: datetime, told: bool) -> tuple[str, CameraState]:
        """A look failed; `told`: somebody counted it already."""
        with self.lock:
            before = self.health.state.state
            if not told:
                self.health.count(error)
            return before, self.shown(self.health.failed(error, now))

    def wait_s(self, error: SourceError, rng: Callable[[], float] = random.random) -> float:
        """How long to wait after this failure: never as long as the others that failed with it."""
        share = 0.6 + 0.6 * rng()
        if self.connected is not None:
            return min(self.camera.every_s, AGAIN_S) * share
        if self.backoff is None or self.backoff_kind != error.kind:
            self.backoff, self.backoff_kind = backoff_for(error), error.kind
        return max(self.backoff.next_s(), min(self.camera.every_s, LEAST_WAIT_S) * share)
