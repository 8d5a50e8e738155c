"""What a worker tells the hub besides readings: devices it does not know, and what devices said of their health."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from ingest.reading import Reading
from ingest.sensors.decode.said import Announced, RebirthWanted, Trouble
from ingest.sensors.mqtt import Message

MOST = 500
"""Strangers, and troubles, that wait to be told; what comes on top is counted."""
AGAIN_S = 60.0
"""A device that speaks on is told of this often."""
_PAYLOAD_MOST, _READINGS_MOST, _ANNOUNCED_MOST = 4096, 50, 100


class Strangers:
    """Collects, bounded; `take` gives what is due, `lost` takes it back when the hub is away. Any thread."""

    def __init__(self) -> None:
        self._waiting: dict[str, dict[str, Any]] = {}
        self._troubles: list[dict[str, Any]] = []
        self._told_s: dict[str, float] = {}
        self._elsewhere: frozenset[str] = frozenset()
        self._lock = threading.Lock()
        self.dropped = 0

    def registered(self, devices: Iterable[str]) -> None:
        """The hub knows these: they are sensors of another worker, and no strangers."""
        with self._lock:
            self._elsewhere |= frozenset(devices)

    def assigned(self) -> None:
        """A new assignment: who was registered may not be any more."""
        with self._lock:
            self._elsewhere = frozenset()

    def speak(self, device: str, message: Message, readings: Sequence[Reading]) -> None:
        """The newest message of a device that nobody registered here."""
        with self._lock:
            row = self._row(device, message)
            if row is None:
                return
            row["payload"] = message.payload[:_PAYLOAD_MOST].decode("utf-8", "backslashreplace")[:_PAYLOAD_MOST]
            row["count"] += 1
            shown = {(r["prop"], r["channel"]): r for r in row["readings"]}
            shown |= {(r.prop, r.channel): _shown(r) for r in readings}
            row["readings"] = list(shown.values())[-_READINGS_MOST:]

    def announce(self, message: Message, announced: Announced) -> None:
        """A device says what it will measure."""
        with self._lock:
            row = self._row(announced.device, message)
            if row is None:
                return
            if not row["payload"]:
                row["payload"] = message.payload[:_PAYLOAD_MOST].decode("utf-8", "backslashreplace")[:_PAYLOAD_MOST]
            row["model"] = announced.model or row["model"]
            one = {
                "prop": announced.prop,
                "name": announced.name,
                "unit": announced.unit,
                "state_topic": announced.state_topic,
                "availability_topic": announced.availability_topic,
                "readable": announced.readable,
                "expire_after_s": announced.expire_after_s,
            }
            others = [a for a in row["announced"] if (a["prop"], a["state_topic"]) != (one["prop"], one["state_topic"])]
            row["announced"] = [*others, one][-_ANNOUNCED_MOST:]

    def _row(self, device: str, message: Message) -> dict[str, Any] | None:
        if device in self._elsewhere:
            return None
        row = self._waiting.get(device)
        if row is None:
            if len(self._waiting) >= MOST:
                self.dropped += 1
                return None
            row = {"device": device, "payload": "", "readings": [], "announced": [], "model": "", "count": 0}
            self._waiting[device] = row
        form = message.format if not message.format.startswith("{") else "mapping"
        row |= {"form": form[:64], "topic": message.topic[:1000], "at": message.received_at.isoformat()}
        return row

    def trouble(self, one: Trouble | RebirthWanted) -> None:
        """Something that a device or its network said of the device's health."""
        if isinstance(one, Trouble):
            row = {"device": one.device, "code": one.code, "text": one.text, "at": one.at.isoformat()}
        else:
            row = {"device": one.node, "code": "REBIRTH_WANTED", "text": one.why, "at": one.at.isoformat()}
        with self._lock:
            if len(self._troubles) >= MOST:
                self.dropped += 1
            else:
                self._troubles.append({**row, "text": row["text"][:500]})

    def take(self, now_s: float) -> dict[str, Any] | None:
        """What is due, as the body of a request; None where nothing is."""
        with self._lock:
            due = {d: row for d, row in self._waiting.items() if now_s - self._told_s.get(d, -1e9) >= AGAIN_S}
            if not due and not self._troubles:
                return None
            for device in due:
                del self._waiting[device]
                self._told_s[device] = now_s
            if len(self._told_s) > 4 * MOST:
                self._told_s = dict(list(self._told_s.items())[-2 * MOST :])
            troubles, self._troubles = self._troubles, []
            return {"strangers": list(due.values()), "troubles": troubles}

    def lost(self, body: Mapping[str, Any]) -> None:
        """The hub did not get it: it is told again."""
        with self._lock:
            for row in body["strangers"]:
                self._told_s.pop(row["device"], None)
                newer = self._waiting.get(row["device"])
                if newer is not None:
                    newer["count"] += row["count"]
                elif len(self._waiting) < MOST:
                    self._waiting[row["device"]] = dict(row)
            self._troubles = [*body["troubles"], *self._troubles][:MOST]


def _shown(reading: Reading) -> dict[str, Any]:
    at: datetime = reading.observed_at
    return {
        "prop": reading.prop,
        "channel": reading.channel,
        "value": reading.value,
        "unit": reading.unit,
        "at": at.isoformat(),
    }
