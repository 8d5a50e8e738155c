"""The newest keyframe of a connected stream, kept coded until a look asks for it. Any thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from ..errors import Lost, Silent, SourceError, Stale


class Dated(Protocol):
    """A coded keyframe."""

    @property
    def spent(self) -> bool:
        """Whether its picture was made, and it is kept no longer."""
        ...

    def captured_at(self) -> datetime:
        """When it was taken, as well as its clock can tell by now."""
        ...


K = TypeVar("K", bound=Dated)


class NewestKey(Generic[K]):
    """One keyframe, replaced by each newer one; what is waited for, and why there is none.

    `shown` is the camera's URL without credentials; `packets` counts what came, for the reason.
    """

    def __init__(self, shown: str, packets: Callable[[], int]) -> None:
        self._shown = shown
        self._packets = packets
        self._changed = threading.Condition()
        self._key: K | None = None
        self._failure: SourceError | None = None
        self._closed = False
        self._waiting = 0

    def opened(self) -> None:
        """The connection began anew: nothing seen yet."""
        with self._changed:
            self._key, self._failure = None, None

    def put(self, key: K) -> None:
        """A newer keyframe. Of thousands hardly one is waited for, so the lock is left alone."""
        self._key = key
        if self._waiting:
            with self._changed:
                self._changed.notify_all()

    def failed(self, error: SourceError) -> None:
        """The connection failed: looks say so until it opens again."""
        with self._changed:
            self._failure = error
            self._changed.notify_all()

    def close(self) -> None:
        """End every look that waits, for good."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def ready(self, not_before: datetime) -> bool:
        """Whether `look` would answer at once."""
        return self._failure is not None or self._fresh(not_before) is not None

    def look(self, not_before: datetime, timeout_s: float) -> K:
        """The newest keyframe, if taken at or after `not_before`; waits up to `timeout_s` for the next one.

        Raises what broke the connection, Stale where the newest keyframe is too old, Silent where there is none.
        """
        found = self._fresh(not_before)
        if found is None and timeout_s > 0:
            found = self._wait(not_before, timeout_s)
        if found is None:
            raise self._why_none(not_before, timeout_s)
        return found

    def _wait(self, not_before: datetime, timeout_s: float) -> K | None:
        with self._changed:
            # Whoever puts a key looks for waiters after it: said before the first look at the key, none is missed.
            self._waiting += 1
            try:
                self._changed.wait_for(lambda: self._failure or self._closed or self._fresh(not_before), timeout_s)
            finally:
                self._waiting -= 1
            return self._fresh(not_before)

    def _fresh(self, not_before: datetime) -> K | None:
        key = self._key
        return key if key is not None and not key.spent and key.captured_at() >= not_before else None

    def _why_none(self, not_before: datetime, timeout_s: float) -> SourceError:
        if self._closed:
            return Lost(f"{self._shown}: closed")
        if self._failure is not None:
            return type(self._failure)(str(self._failure))
        if self._key is not None:
            late_s = max(0.0, (not_before - self._key.captured_at()).total_seconds())
            waited = f"; waited {timeout_s:.1f} s" if timeout_s else ""
            return Stale(f"{self._shown}: the newest keyframe is {late_s:.1f} s older than the look{waited}")
        if self._packets():
            return Silent(f"{self._shown}: {self._packets()} packets, but no keyframe within {timeout_s:.1f} s")
        return Silent(f"{self._shown}: no packet within {timeout_s:.1f} s")
