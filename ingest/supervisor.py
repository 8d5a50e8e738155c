"""The life of a connection: run, fail, wait, again. The only retry code of the project."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .cameras.source import Standing
from .errors import SignInRefused, SourceError

LIVED_S = 30.0
"""A connection that held this long was a good one: the next failure waits short again."""


@dataclass(slots=True)
class Backoff:
    """Waits that double from `first_s` to `most_s`, drawn from their upper half so that many do not return at once."""

    first_s: float = 1.0
    most_s: float = 60.0
    rng: random.Random = field(default_factory=random.Random)
    failures: int = 0

    def next_s(self) -> float:
        """How long to wait after one more failure."""
        whole_s = min(self.most_s, self.first_s * 2.0 ** min(self.failures, 30))
        self.failures += 1
        return whole_s * (0.5 + 0.5 * self.rng.random())

    def reset(self) -> None:
        """It worked."""
        self.failures = 0


def backoff_for(error: SourceError) -> Backoff:
    """The pace that suits a failure: cameras lock an account after a handful of wrong passwords."""
    return Backoff(60.0, 1800.0) if isinstance(error, SignInRefused) else Backoff()


class Supervisor:
    """Keeps standing sources running, one thread each; tells `on_failure` of every failure."""

    def __init__(
        self,
        on_failure: Callable[[str, SourceError], None],
        pace: Callable[[SourceError], Backoff] = backoff_for,
    ) -> None:
        self._on_failure = on_failure
        self._pace = pace
        self._running: dict[str, tuple[Standing, threading.Event, threading.Thread]] = {}
        self._lock = threading.Lock()

    def add(self, source: Standing) -> None:
        """Run `source` from now on."""
        stop = threading.Event()
        name = f"stay-{source.camera.id}"
        thread = threading.Thread(target=self._live, args=(source, stop), name=name, daemon=True)
        with self._lock:
            self._running[source.camera.id] = (source, stop, thread)
        thread.start()

    def remove(self, camera_id: str) -> None:
        """Stop running it; its thread ends with its next packet or time-out."""
        with self._lock:
            entry = self._running.pop(camera_id, None)
        if entry:
            entry[1].set()
            entry[0].close()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Stop all; waits up to `timeout_s` in all for their threads."""
        with self._lock:
            entries = list(self._running.values())
            self._running.clear()
        for source, stop, _ in entries:
            stop.set()
            source.close()
        deadline_s = time.monotonic() + timeout_s
        for _, _, thread in entries:
            thread.join(max(0.0, deadline_s - time.monotonic()))

    def _live(self, source: Standing, stop: threading.Event) -> None:
        backoff: Backoff | None = None
        kind = ""
        while not stop.is_set():
            began_s = time.monotonic()
            try:
                source.run(stop)
                return
            except SourceError as error:
                if stop.is_set():
                    return
                self._on_failure(source.camera.id, error)
                if backoff is None or error.kind != kind or time.monotonic() - began_s > LIVED_S:
                    backoff, kind = self._pace(error), error.kind
            stop.wait(backoff.next_s())
