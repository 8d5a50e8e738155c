"""The worker's ear: broker messages to stored readings, stored readings through the rules to findings."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from detectors.sensing import SensorRules
from ingest.device import Sensor
from ingest.errors import PayloadError
from ingest.reading import Reading
from ingest.sensors.decode import Decoders, explains
from ingest.sensors.decode.said import Announced, Presence, RebirthWanted, Trouble
from ingest.sensors.mqtt import Message

from .rechecking import Rechecks
from .spool import Spool

log = logging.getLogger("worker.sensing")


_SAID_MOST = 1000
_COUNTED = {Presence: "presences", Trouble: "troubles", Announced: "announced", RebirthWanted: "rebirths_wanted"}


def decode(
    messages: Sequence[Message], counters: Counter[str], said: dict[str, float], decoders: Decoders
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
    """Stores what the broker delivers, then runs the rules over what was stored, in order, exactly once."""

    def __init__(
        self, spool: Spool, rechecks: Rechecks, counters: Counter[str], on_finding: Callable[[], None]
    ) -> None:
        self._spool, self._rechecks, self._counters, self._on_finding = spool, rechecks, counters, on_finding
        self._states: dict[str, dict[str, Any]] = spool.rule_states()
        self._said: dict[str, float] = {}
        self._decoders = Decoders()
        for topic, form, payload, received_at in spool.explaining():
            with suppress(PayloadError):
                self._decoders.decode(form, topic, payload, received_at)
        self._lock = threading.Lock()
        self._rules: SensorRules | None = None
        self._by_device: Mapping[str, Sensor] = {}
        self._last: dict[str, tuple[datetime, dict[str, float]]] = {}
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sensor-rules", daemon=True)

    def start(self) -> None:
        """Begin to evaluate."""
        self._thread.start()

    def end(self) -> None:
        """Stop after the batch in hand."""
        self._ended.set()
        self._wake.set()
        self._thread.join(timeout=10)

    def assign(self, sensors: Sequence[Sensor], rules: SensorRules) -> None:
        """The sensors and rules of the newest assignment."""
        with self._lock:
            self._by_device = {s.device: s for s in sensors}
            self._rules = rules
        self._wake.set()

    def on_batch(self, messages: Sequence[Message]) -> None:
        """Called by the listener before it acknowledges: returns only when every reading is on the disk."""
        readings, explaining = decode(messages, self._counters, self._said, self._decoders)
        if explaining:
            self._spool.keep_explaining((m.topic, m.format, m.payload, m.received_at) for m in explaining)
        if readings:
            self._counters["readings"] += self._spool.add_readings(readings)
            self._wake.set()

    def states(self, now: datetime) -> list[dict[str, Any]]:
        """Last values and whether each sensor still speaks, for the status report."""
        with self._lock:
            sensors, rules = list(self._by_device.values()), self._rules
        rows = []
        for sensor in sensors:
            seen, values = self._last.get(sensor.device, (None, {}))
            silent = rules is not None and seen is not None and rules.silent(sensor, seen, now)
            state = "unknown" if seen is None else "silent" if silent else "online"
            rows.append(
                {
                    "id": sensor.id,
                    "state": state,
                    "last_seen": seen.isoformat() if seen else None,
                    "values": dict(values),
                }
            )
        return rows

    def _run(self) -> None:
        while not self._ended.is_set():
            if self._rules is None or not self._evaluate():
                self._wake.wait(1.0)
                self._wake.clear()

    def _evaluate(self) -> bool:
        """One batch; False when there was nothing to do."""
        batch = self._spool.unevaluated()
        if not batch:
            return False
        with self._lock:
            by_device, rules = self._by_device, self._rules
        assert rules is not None
        findings, changed = [], {}
        for _seq, reading in batch:
            self._remember(reading)
            sensor = by_device.get(reading.device)
            if sensor is None:
                self._counters["dropped_unknown_device"] += 1
                continue
            state, found = rules.evaluate(sensor, reading, self._states.get(sensor.id, {}))
            self._states[sensor.id] = changed[sensor.id] = state
            findings += found
        self._spool.evaluated([seq for seq, _reading in batch], changed, findings)
        self._counters["findings"] += len(findings)
        for finding in findings:
            log.info("found %s (%s at sensor %s: %s)", finding.id, finding.kind, finding.sensor, finding.why)
        for _seq, reading in batch:
            if (sensor := by_device.get(reading.device)) is not None:
                self._rechecks.on_reading(sensor, reading, rules)
        self._on_finding()
        return True

    def _remember(self, reading: Reading) -> None:
        seen, values = self._last.get(reading.device, (datetime.min.replace(tzinfo=UTC), {}))
        self._last[reading.device] = (max(seen, reading.observed_at), {**values, reading.prop: reading.value})
