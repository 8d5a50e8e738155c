"""Edge nodes that a person asked for their births: passed on to the broker once, and told to the hub."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime

from ingest.sensors.decode.sparkplug import rebirth

log = logging.getLogger("worker.rebirths")


class Rebirths:
    """Those of this shard that are wanted, and those whose request is on its way to the hub's knowledge."""

    def __init__(self) -> None:
        self._wanted: set[str] = set()
        self._sent: set[str] = set()

    def assign(self, nodes: Iterable[str]) -> None:
        """Those of the newest assignment; one that was passed on is not passed on again while the hub learns of it."""
        named = set(nodes)
        self._sent &= named
        self._wanted = named - self._sent

    def step(self, now: datetime, command: Callable[[str, bytes], bool], tell: Callable[[list[str]], object]) -> None:
        """`command` publishes (topic, payload) and says whether the broker's connection took it; `tell` tells the hub.

        What `tell` raises goes on to the caller, and is told again next time.
        """
        for node in sorted(self._wanted):
            if command(*rebirth(node, now)):
                log.info("edge node %s: asked for its births", node)
                self._wanted.discard(node)
                self._sent.add(node)
        if self._sent:
            tell(sorted(self._sent))
            self._sent.clear()
