"""What was last heard of each device: its newest values, and whether more of it may come in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import orjson

from detectors.sensing import CLOCKS_DIFFER_S
from ingest.reading import Reading
from ingest.sensors.plausible import limits

from ..batch import microseconds, time_at

MOST_DEVICES = 100_000
READINGS_PER_S = 50.0
GATEWAYS_KEPT = 3
"""Of a device: enough to know whether it could still be heard when one gateway is lost."""
BURST_S = 600.0
"""A device may send this many seconds' worth of its limit at once: what it kept while its gateway was away."""
_CLOCKS_DIFFER = timedelta(seconds=CLOCKS_DIFFER_S)
_SAVE_EVERY_S = 5.0
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Heard:
    """Of one device: newest observation, newest value of each property, when each (property, channel) was observed.

    `gateways`: those that heard its newest message.
    """

    seen: datetime = _NEVER
    values: dict[str, float] = field(default_factory=dict)
    at: dict[str, datetime] = field(default_factory=dict)
    room: float = -1.0
    filled_s: float = 0.0
    gateways: tuple[str, ...] = ()

    def to_json(self) -> bytes:
        """For the spool."""
        at = {name: microseconds(time) for name, time in self.at.items()}
        wire = {"seen": microseconds(self.seen), "values": self.values, "at": at}
        return orjson.dumps({**wire, "gateways": self.gateways} if self.gateways else wire)

    @classmethod
    def from_json(cls, text: bytes) -> Heard:
        """The inverse of `to_json`."""
        wire = orjson.loads(text)
        at = {name: time_at(us) for name, us in wire["at"].items()}
        return cls(time_at(wire["seen"]), wire["values"], at, gateways=tuple(wire.get("gateways", ())))


class Hearing:
    """All devices, known or not. One thread writes; `of` may be asked by any."""

    def __init__(self, saved: Mapping[str, bytes], readings_per_s: float = READINGS_PER_S) -> None:
        self._devices = {device: Heard.from_json(text) for device, text in saved.items()}
        self._changed: set[str] = set()
        self._saved_s = 0.0
        self.readings_per_s = readings_per_s
        """What one device may send for long; 0: as much as it likes."""
        self.floods: Counter[str] = Counter()
        """Readings of each device that were dropped because it sent too many."""

    def refuses(self, reading: Reading, retained: bool, now_s: float) -> str:
        """Why `reading` is dropped: `range`, `replay` or `flood`; empty where it is welcome.

        `retained`: the broker had kept the message, so it may be as old as it likes: what is not newer than the newest
        that is stored, or does not say when it was observed, was heard before.
        """
        lowest, highest = limits(reading.prop, reading.unit)
        if not lowest <= reading.value <= highest:
            return "range"
        heard = self._devices.get(reading.device)
        if heard is None:
            heard = self._new(reading.device)
        if retained:
            last = heard.at.get(_name(reading))
            if last is not None and (reading.observed_at <= last or reading.observed_at == reading.received_at):
                return "replay"
        if self.readings_per_s and not self._room(heard, now_s):
            self.floods[reading.device] += 1
            return "flood"
        return ""

    def _new(self, device: str) -> Heard:
        if len(self._devices) >= MOST_DEVICES:
            self._devices.pop(next(iter(self._devices)))
        heard = self._devices[device] = Heard()
        return heard

    def _room(self, heard: Heard, now_s: float) -> bool:
        burst = self.readings_per_s * BURST_S
        if heard.room < 0:
            heard.room = burst
        else:
            heard.room = min(burst, heard.room + (now_s - heard.filled_s) * self.readings_per_s)
        heard.filled_s = now_s
        if heard.room < 1.0:
            return False
        heard.room -= 1.0
        return True

    def take(self, readings: Iterable[Reading]) -> None:
        """These were stored."""
        told: tuple[str, ...] = ()
        for reading in readings:
            heard = self._devices.get(reading.device) or self._new(reading.device)
            at, name = reading.observed_at, _name(reading)
            last = heard.at.get(name)
            # What was heard later than now was heard before the clock was set back.
            if last is None or at >= last or last - reading.received_at > _CLOCKS_DIFFER:
                heard.at[name] = at
                heard.values[reading.prop] = reading.value
                if at >= heard.seen or heard.seen - reading.received_at > _CLOCKS_DIFFER:
                    heard.seen = at
                    if reading.gateways is not told:  # readings of one message share them
                        told = reading.gateways
                        if told and told != heard.gateways:
                            heard.gateways = _kept(heard.gateways, told)
                self._changed.add(reading.device)

    def of(self, device: str) -> tuple[datetime | None, dict[str, float]]:
        """(newest observation, newest values) of a device."""
        heard = self._devices.get(device)
        return (None, {}) if heard is None or heard.seen is _NEVER else (heard.seen, dict(heard.values))

    def gateways(self, device: str) -> tuple[str, ...]:
        """Which gateways heard a device's newest message; none where that is not told."""
        heard = self._devices.get(device)
        return () if heard is None else heard.gateways

    def to_save(self, now_s: float) -> dict[str, bytes]:
        """What changed since it was last asked, at most every few seconds; `now_s` infinite: in any case."""
        if now_s - self._saved_s < _SAVE_EVERY_S or not self._changed:
            return {}
        self._saved_s = now_s
        changed, self._changed = self._changed, set()
        return {device: self._devices[device].to_json() for device in changed if device in self._devices}


def _kept(before: tuple[str, ...], heard: tuple[str, ...]) -> tuple[str, ...]:
    """Those of before that still hear it, then the strongest of the others: what is as it was does not change."""
    still = [gateway for gateway in before if gateway in heard]
    new = [gateway for gateway in heard if gateway not in still]
    return (*still, *new)[:GATEWAYS_KEPT]


def _name(reading: Reading) -> str:
    return f"{reading.channel}.{reading.prop}" if reading.channel else reading.prop
