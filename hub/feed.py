"""What changes, pushed to the screens: a bounded queue a listener, a short memory for those that come back."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

REMEMBERED = 500
QUEUE = 200


def as_data(body: Mapping[str, Any]) -> str:
    """As it goes over the wire."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Change:
    """One event: `departments` may see it besides those who see everything (None: they alone).

    `body` is what `data` was made of, for those who are shown a part of it.
    """

    id: int
    event: str
    data: str
    departments: frozenset[str] | None
    body: Mapping[str, Any]


@dataclass(eq=False)
class Listener:
    """One open stream. `wake` is called, from any thread, when there is something to take."""

    sees: Callable[[Change], bool]
    wake: Callable[[], None]
    waiting: deque[Change] = field(default_factory=lambda: deque(maxlen=QUEUE))
    dropped: int = 0


class Feed:
    """Fan-out to listeners. A slow one loses its oldest events, counted; nobody waits for it."""

    def __init__(self, first_id: int) -> None:
        # Ids go on growing over a restart when they begin at the time of the start in milliseconds.
        self._next = first_id
        self._ring: deque[Change] = deque()
        self._forgotten = first_id - 1
        self._listeners: set[Listener] = set()
        self._lock = threading.Lock()
        self._closed = False
        self.dropped = 0

    @property
    def closed(self) -> bool:
        """Whether the hub is stopping: streams end."""
        return self._closed

    @property
    def listeners(self) -> int:
        """Open streams."""
        return len(self._listeners)

    def publish(
        self, event: str, data: dict[str, Any], departments: frozenset[str] | None = None, *, remember: bool = True
    ) -> None:
        """Tell everybody who may see it; never blocks. What need not be told again later is not remembered."""
        text = as_data(data)
        with self._lock:
            change = Change(self._next, event, text, departments, data)
            self._next += 1
            if remember:
                self._ring.append(change)
                while len(self._ring) > REMEMBERED:
                    self._forgotten = self._ring.popleft().id
            woken = [listener for listener in self._listeners if listener.sees(change)]
            for listener in woken:
                if len(listener.waiting) == QUEUE:
                    listener.dropped += 1
                    self.dropped += 1
                listener.waiting.append(change)
        for listener in woken:
            listener.wake()

    def listen(self, listener: Listener, last_id: int | None) -> bool:
        """Open a stream, beginning after `last_id`. False when what came in between is no longer remembered."""
        with self._lock:
            self._listeners.add(listener)
            if last_id is None:
                return True
            missed = [c for c in self._ring if c.id > last_id and listener.sees(c)]
            listener.waiting.extend(missed[-QUEUE:])
            return self._forgotten <= last_id < self._next and len(missed) <= QUEUE

    def take(self, listener: Listener) -> list[Change]:
        """What waits for this listener."""
        with self._lock:
            changes = list(listener.waiting)
            listener.waiting.clear()
            return changes

    def leave(self, listener: Listener) -> None:
        """The stream ended."""
        with self._lock:
            self._listeners.discard(listener)

    def close(self) -> None:
        """End all streams."""
        with self._lock:
            self._closed = True
            listeners = list(self._listeners)
        for listener in listeners:
            listener.wake()
