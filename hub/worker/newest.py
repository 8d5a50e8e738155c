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
        self._changed = threading.Condition()
        self._closed = False
        self.dropped = 0
        """Items that were replaced or pushed out before anyone took them."""

    def put(self, key: str, item: T) -> None:
        """Offer an item; it replaces the one of the same key that still waits."""
        with self._changed:
            if key in self._items:
                self.dropped += 1
            elif len(self._items) >= self._room:
                self._items.popitem(last=False)
                self.dropped += 1
            self._items[key] = item
            self._changed.notify()

    def take(self, most: int) -> list[T] | None:
        """Wait for at least one item and take up to `most`; None once closed."""
        with self._changed:
            while not self._items and not self._closed:
                self._changed.wait()
            if self._closed:
                return None
            return [self._items.popitem(last=False)[1] for _ in range(min(most, len(self._items)))]

    def close(self) -> None:
        """Wake the takers for good."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
