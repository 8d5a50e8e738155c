"""Sends the simulated sensors' messages, each when its time has come."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from .broker import BrokerAway, Line
from .sensors import QUICK_S, SETTLE_S, SimulatedSensor, message, values
from .timeline import Seen

log = logging.getLogger("demo.publishing")

Look = Callable[[str], tuple[list[Seen], float | None]]
"""What is going on at a sensor now, and when somebody last put things right there."""


class Publisher:
    """All sensors of the district over one connection, as a network server would send them."""

    def __init__(
        self, broker_url: str, sensors: Sequence[SimulatedSensor], look: Look, now_s: Callable[[], float]
    ) -> None:
        self._broker_url, self._sensors, self._look, self._now_s = broker_url, sensors, look, now_s
        self._counts = dict.fromkeys((s.id for s in sensors), 0)
        # The first round is spread over a few seconds only, so that every sensor is known soon.
        self._due_s = {s.id: 0.15 * index for index, s in enumerate(sensors)}
        self._busy: dict[str, bool] = {}

    async def run(self) -> None:
        """Publish until cancelled; a broker that goes away is tried again every second."""
        while True:
            try:
                async with Line(self._broker_url, "demo-street") as line:
                    while True:
                        for sensor in self._sensors:
                            await self._send_if_due(line, sensor)
                        await asyncio.sleep(0.2)
            except BrokerAway as error:
                log.warning("the broker is away: %s", error)
                await asyncio.sleep(1.0)

    async def _send_if_due(self, line: Line, sensor: SimulatedSensor) -> None:
        now_s = self._now_s()
        seen, cleared_s = self._look(sensor.id)
        busy = any(s.event.kind for s in seen)
        changed = busy != self._busy.get(sensor.id, False)
        if now_s < self._due_s[sensor.id] and not changed:
            return
        self._busy[sensor.id] = busy
        recent = cleared_s is not None and now_s - cleared_s < SETTLE_S
        self._due_s[sensor.id] = now_s + (QUICK_S if busy or recent else sensor.every_s)
        if any(s.event.trouble == "silent" for s in seen):
            return
        count = self._counts[sensor.id]
        self._counts[sensor.id] = count + 1
        topic, payload = message(sensor, values(sensor, now_s, seen, cleared_s), count, datetime.now(UTC))
        await line.send(topic, payload)
