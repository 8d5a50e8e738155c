"""A bounded hand-over in which the newest wins: a slow taker sees fewer items, never old ones."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")


class Newest(Generic[T]):
    """One waiting item a key, at most `room` keys; taken in the order in which the keys began to wait."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._items: OrderedDict[str, T] = OrderedDict()
        self._lock = threading.Lock()
        self._came = threading.Condition(self._lock)
        self._went = threading.Condition(self._lock)
        self._closed = False
        self.dropped = 0
        """Items that were replaced or pushed out before anyone took them."""

    def put(self, key: str, item: T, wait_s: float = 0.0) -> T | None:
        """Offer an item; it replaces the one of the same key that still waits.

        Where there is no room it waits up to `wait_s`, then pushes out the one that waited longest. Gives back what was
        replaced or pushed out.
        """
        lost = None
        with self._lock:
            if wait_s > 0:
                self._went.wait_for(lambda: key in self._items or len(self._items) < self._room or self._closed, wait_s)
            if key in self._items:
                lost = self._items[key]
            elif len(self._items) >= self._room:
                _, lost = self._items.popitem(last=False)
            self.dropped += lost is not None
            self._items[key] = item
            self._came.notify()
        return lost

    def take(self, most: int) -> list[T] | None:
        """Wait for at least one item and take up to `most`; None once closed."""
        with self._lock:
            while not self._items and not self._closed:
                self._came.wait()
            if self._closed:
                return None
            taken = [self._items.popitem(last=False)[1] for _ in range(min(most, len(self._items)))]
            self._went.notify(len(taken))
            return taken

    def __len__(self) -> int:
        """How many wait now."""
        return len(self._items)

    def close(self) -> None:
        """Wake everybody for good."""
        with self._lock:
            self._closed = True
            self._came.notify_all()
            self._went.notify_all()
