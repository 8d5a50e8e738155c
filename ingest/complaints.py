"""Log lines that cannot flood: one a minute for each device and kind of error, with how often it happened."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from .errors import without_credentials


class Complaints:
    """`say` logs the first of a kind at once and counts the others until `every_s` has passed."""

    def __init__(
        self,
        log: logging.Logger,
        every_s: float = 60.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._every_s = every_s
        self._monotonic = monotonic
        self._said: dict[tuple[str, str], tuple[float, int]] = {}
        self._lock = threading.Lock()

    def say(self, device: str, kind: str, message: str) -> None:
        """`device` has trouble of this `kind`; `message` is what happened last."""
        now_s = self._monotonic()
        with self._lock:
            said_s, held_back = self._said.get((device, kind), (-1e18, 0))
            if now_s - said_s < self._every_s:
                self._said[(device, kind)] = (said_s, held_back + 1)
                return
            self._said[(device, kind)] = (now_s, 0)
            if len(self._said) > 50_000:
                self._said.clear()
        text = without_credentials(message)
        if held_back:
            self._log.warning("%s: %d %s errors, last was: %s", device, held_back + 1, kind, text)
        else:
            self._log.warning("%s: %s: %s", device, kind, text)
