"""The life of a connection: run, fail, wait, again. The only retry code of the project."""

from __future__ import annotations

import asyncio
import logging
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from .cameras.source import Hosted, Standing
from .device import Camera
from .errors import SignInRefused, SourceError
from .loop import ReadingLoop

log = logging.getLogger("ingest")

LIVED_S = 30.0
"""A connection that held this long was a good one: the next failure waits short again."""


@dataclass(slots=True)
class Backoff:
    """Waits that double from `first_s` to `most_s`, drawn from their upper half so that many do not return at once.

    The first wait is longer by up to `spread_s`: when a switch comes back, a thousand cameras do not all knock at once.
    """

    first_s: float = 1.0
    most_s: float = 30.0
    rng: random.Random = field(default_factory=random.Random)
    failures: int = 0
    spread_s: float = 0.0

    def next_s(self) -> float:
        """How long to wait after one more failure."""
        whole_s = min(self.most_s, self.first_s * 2.0 ** min(self.failures, 30))
        more_s = self.spread_s * self.rng.random() if self.failures == 0 else 0.0
        self.failures += 1
        return more_s + whole_s * (0.5 + 0.5 * self.rng.random())

    def reset(self) -> None:
        """It worked."""
        self.failures = 0


def backoff_for(error: SourceError) -> Backoff:
    """The pace that suits a failure: cameras lock an account after a handful of wrong passwords."""
    return Backoff(60.0, 1800.0) if isinstance(error, SignInRefused) else Backoff(spread_s=5.0)


Pace = Callable[[SourceError], Backoff]


class _Life:
    """When to try again, told of each failure: starts anew with another kind of failure, or after a good connection."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._backoff: Backoff | None = None
        self._kind = ""
        self._began_s = 0.0

    def begins(self) -> None:
        """A connection is tried."""
        self._began_s = time.monotonic()

    def wait_s(self, error: SourceError) -> float:
        """It failed: how long to wait."""
        if self._backoff is None or error.kind != self._kind or time.monotonic() - self._began_s > LIVED_S:
            self._backoff, self._kind = self._pace(error), error.kind
        return self._backoff.next_s()


class Supervisor:
    """Keeps connected sources running: a thread each for standing ones, the reading loop for hosted ones.

    `on_failure` is told of every failure, from the thread or loop where it happened.
    """

    def __init__(
        self, on_failure: Callable[[str, SourceError], None], pace: Pace = backoff_for, loop: ReadingLoop | None = None
    ) -> None:
        self._on_failure = on_failure
        self._pace = pace
        self._loop = loop or ReadingLoop()
        self._threads: dict[str, tuple[Standing, threading.Event, threading.Thread]] = {}
        self._tasks: dict[str, tuple[Hosted, Future[None]]] = {}
        self._lock = threading.Lock()

    def add(self, source: Standing | Hosted) -> None:
        """Run `source` from now on."""
        if isinstance(source, Hosted):
            with self._lock:
                self._tasks[source.camera.id] = (source, self._loop.spawn(self._host(source)))
            return
        stop = threading.Event()
        name = f"stay-{source.camera.id}"
        thread = threading.Thread(target=self._live, args=(source, stop), name=name, daemon=True)
        with self._lock:
            self._threads[source.camera.id] = (source, stop, thread)
        thread.start()

    def remove(self, camera_id: str) -> None:
        """Stop running it; a thread ends with its next packet or time-out."""
        with self._lock:
            entry, hosted = self._threads.pop(camera_id, None), self._tasks.pop(camera_id, None)
        if entry:
            entry[1].set()
            entry[0].close()
        if hosted:
            hosted[1].cancel()
            hosted[0].close()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Stop all, and the loop; waits up to `timeout_s` in all."""
        deadline_s = time.monotonic() + timeout_s
        with self._lock:
            entries, hosted = list(self._threads.values()), list(self._tasks.values())
            self._threads.clear()
            self._tasks.clear()
        for source, stop, _ in entries:
            stop.set()
            source.close()
        for guest, future in hosted:
            future.cancel()
            guest.close()
        for _, _, thread in entries:
            thread.join(max(0.0, deadline_s - time.monotonic()))
        self._loop.stop(max(0.5, deadline_s - time.monotonic()))

    def _live(self, source: Standing, stop: threading.Event) -> None:
        life = _Life(self._pace)
        while not stop.is_set():
            life.begins()
            try:
                source.run(stop)
                return
            except SourceError as error:
                failure = error
            except Exception as error:
                log.debug("%s", source.camera.id, exc_info=True)
                failure = _defect(source.camera, error)
            if stop.is_set():
                return
            self._on_failure(source.camera.id, failure)
            stop.wait(life.wait_s(failure))

    async def _host(self, source: Hosted) -> None:
        life = _Life(self._pace)
        while True:
            life.begins()
            try:
                await source.stay()
                return
            except SourceError as error:
                failure = error
            except Exception as error:
                log.debug("%s", source.camera.id, exc_info=True)
                failure = _defect(source.camera, error)
            self._on_failure(source.camera.id, failure)
            await asyncio.sleep(life.wait_s(failure))


def _defect(camera: Camera, error: Exception) -> SourceError:
    """A defect met by one camera's address or bytes must cost that camera only."""
    return SourceError(f"{camera.safe_url}: {type(error).__name__}: {error}")
