"""The worker's ear: broker messages to readings, through the rules to findings; all on the disk, then acknowledged."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from detectors.finding import Finding
from detectors.sensing import SensorRules
from ingest.device import Sensor
from ingest.errors import PayloadError
from ingest.reading import Reading
from ingest.sensors.decode import Decoders, explains
from ingest.sensors.decode.said import Announced, Presence, RebirthWanted, Trouble
from ingest.sensors.mqtt import Message

from .hearing import READINGS_PER_S, Hearing
from .rechecking import Rechecks
from .spool import Spool

log = logging.getLogger("worker.sensing")


_SAID_MOST = 1000
_COUNTED = {Presence: "presences", Trouble: "troubles", Announced: "announced", RebirthWanted: "rebirths_wanted"}


Admit = Callable[[Reading, bool], bool]
"""Whether a reading may come in; the second argument: whether the broker had kept its message."""


def decode(
    messages: Sequence[Message],
    counters: Counter[str],
    said: dict[str, float],
    decoders: Decoders,
    admit: Admit = lambda _reading, _retained: True,
) -> tuple[list[Reading], list[Message]]:
    """All readings of `messages`, and those messages that explain later ones.

    An unreadable payload is counted, named at most once a minute, and skipped.

    What else the messages say (who came, who is new, what is wrong) is counted, and logged as often.
    """
    readings: list[Reading] = []
    explaining: list[Message] = []
    for message in messages:
        try:
            told = decoders.decode(message.format, message.topic, message.payload, message.received_at)
        except PayloadError as error:
            counters["dropped_payload"] += 1
            if _due(said, message.topic):
                log.warning("%s (%d unreadable payloads so far)", error, counters["dropped_payload"])
            continue
        if explains(message.format, message.topic):
            explaining.append(message)
        for one in told:
            if isinstance(one, Reading):
                if admit(one, message.retained):
                    readings.append(one)
            else:
                counters[_COUNTED[type(one)]] += 1
                _log_said(one, said)
    return readings, explaining


def _log_said(one: Presence | Trouble | Announced | RebirthWanted, said: dict[str, float]) -> None:
    if isinstance(one, Trouble) and _due(said, f"{one.device} {one.code}"):
        log.warning("%s: %s %s", one.device, one.code, one.text)
    elif isinstance(one, RebirthWanted) and _due(said, one.node):
        log.warning("%s: %s; its births are wanted (%s), which only a person may send", one.node, one.why, one.topic)
    elif isinstance(one, Announced) and _due(said, f"{one.device} {one.prop}"):
        log.info("%s announces %s on %s", one.device, one.prop, one.state_topic)


def _due(said: dict[str, float], what: str) -> bool:
    """Whether a minute has gone since `what` was last said; it is then said now."""
    now = time.monotonic()
    if now - said.get(what, -60.0) < 60.0:
        return False
    if len(said) >= _SAID_MOST:
        said.clear()
    said[what] = now
    return True


class Listening:
    """Runs the rules over what the broker delivers, in order, and keeps it, each reading exactly once."""

    def __init__(
        self, spool: Spool, rechecks: Rechecks, counters: Counter[str], on_finding: Callable[[], None]
    ) -> None:
        self._spool, self._rechecks, self._counters, self._on_finding = spool, rechecks, counters, on_finding
        self._states: dict[str, dict[str, Any]] = spool.rule_states()
        self._hearing = Hearing(spool.heard())
        for readings in spool.kept():
            self._hearing.take(readings)
        self._said: dict[str, float] = {}
        self._decoders = Decoders()
        for topic, form, payload, received_at in spool.explaining():
            with suppress(PayloadError):
                self._decoders.decode(form, topic, payload, received_at)
        self._lock = threading.Lock()
        self._rules: SensorRules | None = None
        self._by_device: Mapping[str, Sensor] = {}

    def end(self) -> None:
        """After the last batch."""
        self._spool.keep_heard(self._hearing.to_save(math.inf))

    def assign(self, sensors: Sequence[Sensor], rules: SensorRules, readings_per_s: float = READINGS_PER_S) -> None:
        """The sensors and rules of the newest assignment, and how much one device may send for long."""
        with self._lock:
            self._by_device = {s.device: s for s in sensors}
            self._rules = rules
            self._hearing.readings_per_s = readings_per_s

    def on_batch(self, messages: Sequence[Message]) -> None:
        """Called by the listener before it acknowledges: returns only when all is judged and on the disk.

        Where it raises, nothing has changed, and the broker delivers the messages again.
        """
        with self._lock:
            by_device, rules = self._by_device, self._rules
        if rules is None:
            raise RuntimeError("no assignment yet")
        now_s = time.monotonic()
        admitted, explaining = decode(
            messages, self._counters, self._said, self._decoders, lambda r, kept: self._admits(r, kept, now_s)
        )
        readings = self._spool.unknown(admitted)
        self._counters["dropped_duplicate"] += len(admitted) - len(readings)
        states, findings = self._judge(readings, by_device, rules)
        if readings or explaining:
            explained = ((m.topic, m.format, m.payload, m.received_at) for m in explaining)
            self._spool.keep(readings, states, findings, explained)
        self._states.update(states)
        self._hearing.take(readings)
        if heard := self._hearing.to_save(now_s):
            self._spool.keep_heard(heard)
        self._tell(readings, findings, by_device, rules)

    def _admits(self, reading: Reading, retained: bool, now_s: float) -> bool:
        why = self._hearing.refuses(reading, retained, now_s)
        if not why:
            return True
        self._counters[f"dropped_{why}"] += 1
        if why == "flood" and _due(self._said, f"flood {reading.device}"):
            count, limit = self._hearing.floods[reading.device], self._hearing.readings_per_s
            log.warning("%s floods: %d readings dropped so far, it may send %g/s", reading.device, count, limit)
        elif why == "range" and _due(self._said, f"range {reading.device}"):
            log.warning("%s: %s = %g %s cannot be", reading.device, reading.prop, reading.value, reading.unit)
        return False

    def _judge(
        self, readings: Sequence[Reading], by_device: Mapping[str, Sensor], rules: SensorRules
    ) -> tuple[dict[str, dict[str, Any]], list[Finding]]:
        """The states of the rules that changed, and what they found."""
        states: dict[str, dict[str, Any]] = {}
        findings: list[Finding] = []
        for reading in readings:
            sensor = by_device.get(reading.device)
            if sensor is None:
                self._counters["dropped_unknown_device"] += 1
                continue
            before = states.get(sensor.id)
            if before is None:
                before = self._states.get(sensor.id, {})
            try:
                states[sensor.id], found = rules.evaluate(sensor, reading, before)
            except Exception as error:
                # Whatever is wrong with one sensor's rules: its readings are kept, and all others go on.
                self._counters["dropped_rule"] += 1
                if _due(self._said, f"rule {sensor.id}"):
                    log.error("sensor %s: not judged: %s", sensor.id, error, exc_info=error)
                continue
            findings += found
        return states, findings

    def _tell(
        self,
        readings: Sequence[Reading],
        findings: Sequence[Finding],
        by_device: Mapping[str, Sensor],
        rules: SensorRules,
    ) -> None:
        self._counters["readings"] += len(readings)
        self._counters["findings"] += len(findings)
        for finding in findings:
            log.info("found %s (%s at sensor %s: %s)", finding.id, finding.kind, finding.sensor, finding.why)
        if self._rechecks.open:
            for reading in readings:
                if (sensor := by_device.get(reading.device)) is not None:
                    self._rechecks.on_reading(sensor, reading, rules)
        if readings:
            self._on_finding()

    def states(self, now: datetime) -> list[dict[str, Any]]:
        """Last values and whether each sensor still speaks, for the status report."""
        with self._lock:
            sensors, rules = list(self._by_device.values()), self._rules
        rows = []
        for sensor in sensors:
            seen, values = self._hearing.of(sensor.device)
            silent = rules is not None and seen is not None and rules.silent(sensor, seen, now)
            state = "unknown" if seen is None else "silent" if silent else "online"
            rows.append(
                {"id": sensor.id, "state": state, "last_seen": seen.isoformat() if seen else None, "values": values}
            )
        return rows
