"""The worker's ear: broker messages to readings, through the rules to findings; all on the disk, then acknowledged."""

from __future__ import annotations

import logging
import math
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from detectors.finding import Finding
from detectors.sensing import SensorRules
from ingest.device import Sensor
from ingest.errors import PayloadError
from ingest.reading import Reading
from ingest.sensors.decode import REMEMBERING, Decoders, explains
from ingest.sensors.decode.said import Announced, Presence, RebirthWanted, Trouble
from ingest.sensors.mqtt import Message

from . import handover
from .handover import owner
from .hearing import MOST_DEVICES, READINGS_PER_S, Hearing
from .rechecking import Rechecks
from .spool import Spool, SpoolFull
from .strangers import Strangers

log = logging.getLogger("worker.sensing")


_SAID_MOST = 1000
_MANY = 100
"""Messages in one batch that speak of a backlog."""
_SETTLES_S = 5.0
"""How long after the start, or after a backlog, nothing is concluded from silence."""
_COUNTED = {Presence: "presences", Trouble: "troubles", Announced: "announced", RebirthWanted: "rebirths_wanted"}


Admit = Callable[[Reading, bool], bool]
"""Whether a reading may come in; the second argument: whether the broker had kept its message."""


@dataclass(slots=True)
class Told:
    """What a batch of messages said. `explaining`: messages that explain later ones.

    `others`: what is no reading, with its message. `strangers`: the newest message of each device that is not known.
    `elsewhere`: messages that speak of devices of other workers, by worker.
    """

    readings: list[Reading] = field(default_factory=list)
    explaining: list[Message] = field(default_factory=list)
    others: list[tuple[Message, Presence | Trouble | Announced | RebirthWanted]] = field(default_factory=list)
    strangers: dict[str, tuple[Message, list[Reading]]] = field(default_factory=dict)
    elsewhere: dict[int, list[Message]] = field(default_factory=dict)


def decode(
    messages: Sequence[Message],
    counters: Counter[str],
    said: dict[str, float],
    decoders: Decoders,
    admit: Admit = lambda _reading, _retained: True,
    known: Container[str] = (),
    shard: tuple[int, int] = (0, 1),
) -> Told:
    """What `messages` say. An unreadable payload is counted, named at most once a minute, and skipped.

    What is no reading (who came, who is new, what is wrong) is counted, and logged as often. Of several workers
    (`shard`: which of how many), each takes what its own devices said.
    """
    index, workers = shard
    all_told = Told()
    for message in messages:
        try:
            told = decoders.decode(message.format, message.topic, message.payload, message.received_at)
        except PayloadError as error:
            counters["dropped_payload"] += 1
            if _due(said, message.topic):
                log.warning("%s (%d unreadable payloads so far)", error, counters["dropped_payload"])
            continue
        if explains(message.format, message.topic):
            all_told.explaining.append(message)
        for one in told:
            if workers > 1:
                whose = owner(one.node if isinstance(one, RebirthWanted) else one.device, workers)
                if whose != index:
                    passed = all_told.elsewhere.setdefault(whose, [])
                    if not passed or passed[-1] is not message:
                        passed.append(message)
                    continue
            if isinstance(one, Reading):
                if admit(one, message.retained):
                    all_told.readings.append(one)
                if one.device not in known:
                    _of_stranger(all_told, message, one)
            else:
                counters[_COUNTED[type(one)]] += 1
                all_told.others.append((message, one))
                _log_said(one, said)
    return all_told


def _of_stranger(told: Told, message: Message, reading: Reading) -> None:
    newest, readings = told.strangers.get(reading.device, (None, []))
    told.strangers[reading.device] = message, [*readings, reading] if newest is message else [reading]


def _log_said(one: Presence | Trouble | Announced | RebirthWanted, said: dict[str, float]) -> None:
    if isinstance(one, Trouble) and _due(said, f"{one.device} {one.code}"):
        log.warning("%s: %s %s", one.device, one.code, one.text)
    elif isinstance(one, RebirthWanted) and _due(said, one.node):
        log.warning("%s: %s; its births are wanted (%s), which only a person may send", one.node, one.why, one.topic)
    elif isinstance(one, Announced) and _due(said, f"{one.device} {one.prop}"):
        log.info("%s announces %s on %s", one.device, one.prop, one.state_topic)


def _observed_at(reading: Reading) -> datetime:
    return reading.observed_at


def _due(said: dict[str, float], what: str) -> bool:
    """Whether a minute has gone since `what` was last said; it is then said now."""
    now = time.monotonic()
    if now - said.get(what, -60.0) < 60.0:
        return False
    if len(said) >= _SAID_MOST:
        said.clear()
    said[what] = now
    return True


PassOn = Callable[[Sequence[tuple[int, bytes]]], None]
"""Give parcels to workers by their numbers; returns when the broker has them."""


class Listening:
    """Runs the rules over what the broker delivers, in order, and keeps it, each reading exactly once."""

    def __init__(
        self, spool: Spool, rechecks: Rechecks, counters: Counter[str], on_finding: Callable[[], None]
    ) -> None:
        self._spool, self._rechecks, self._counters, self._on_finding = spool, rechecks, counters, on_finding
        self.strangers = Strangers()
        self._gone = spool.gone()
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
        self._turn = threading.Lock()
        self._rules: SensorRules | None = None
        self._by_device: Mapping[str, Sensor] = {}
        self._by_id: Mapping[str, Sensor] = {}
        self._unjudged: frozenset[str] = frozenset()
        self._problems: set[str] = set()
        self._shard = (0, 1)
        self._pass_on: PassOn | None = None
        self._due_s = {sensor: state["due_s"] for sensor, state in self._states.items() if state.get("due_s")}
        self._settled_s = time.monotonic() + _SETTLES_S
        self._ailments: dict[str, tuple[Any, list[dict[str, Any]]]] = {}

    def end(self) -> None:
        """After the last batch."""
        self._spool.keep_heard(self._hearing.to_save(math.inf))

    def assign(self, sensors: Sequence[Sensor], rules: SensorRules, readings_per_s: float = READINGS_PER_S) -> None:
        """The sensors and rules of the newest assignment, and how much one device may send for long.

        A sensor that its profile no longer fits is named in the log, once; it alone is not judged.
        """
        problems = {s.id: found for s in sensors if (found := rules.problems(s))}
        told = {line for lines in problems.values() for line in lines}
        for problem in sorted(told - self._problems):
            log.error("%s", problem)
        self._problems = told
        with self._lock:
            self._unjudged = frozenset(problems)
            self._by_device = {s.device: s for s in sensors}
            self._by_id = {s.id: s for s in sensors}
            self._rules = rules
            self._ailments.clear()
            self._hearing.readings_per_s = readings_per_s
        self.strangers.assigned()

    def share(self, shard: tuple[int, int], pass_on: PassOn | None) -> None:
        """Which of how many workers this is; `pass_on` where they take turns with the broker's messages."""
        with self._lock:
            self._shard, self._pass_on = shard, pass_on

    def on_batch(self, messages: Sequence[Message]) -> None:
        """Called by the listener before it acknowledges: returns only when all is judged and on the disk.

        Where it raises, nothing has changed, and the broker delivers the messages again.
        """
        with self._lock:
            by_device, rules = self._by_device, self._rules
        if rules is None:
            raise RuntimeError("no assignment yet")
        try:
            with self._turn:
                self._take(messages, by_device, rules)
        except (sqlite3.Error, SpoolFull) as error:
            self._counters["store_failures"] += 1
            if _due(self._said, "store"):
                self.strangers.trouble(Trouble("gridhub", "NOT_STORED", f"{error}", messages[0].received_at))
            raise

    def _take(self, messages: Sequence[Message], by_device: Mapping[str, Sensor], rules: SensorRules) -> None:
        now_s = time.monotonic()
        messages, handed = self._opened(messages)
        if len(messages) >= _MANY:
            self._settled_s = now_s + _SETTLES_S
        told = decode(
            messages,
            self._counters,
            self._said,
            self._decoders,
            lambda r, kept: self._admits(r, kept, now_s),
            by_device,
            self._shard,
        )
        if self._pass_on is not None and told.elsewhere:
            self._hand_over(told.elsewhere, handed)
        if self._shard[1] > 1:
            # What others passed on comes a little later than what came here.
            told.readings.sort(key=_observed_at)
        readings = self._spool.unknown(told.readings)
        self._counters["dropped_duplicate"] += len(told.readings) - len(readings)
        states, findings = self._judge(readings, by_device, rules)
        if readings or told.explaining:
            explained = ((m.topic, m.format, m.payload, m.received_at) for m in told.explaining)
            self._spool.keep(readings, states, findings, explained)
        if told.others or self._gone:
            self._follow(told.others, readings)
        self._moved(states)
        self._hearing.take(readings)
        if heard := self._hearing.to_save(now_s):
            self._spool.keep_heard(heard)
        for device, (message, said) in told.strangers.items():
            self.strangers.speak(device, message, said)
        self._tell(readings, findings, by_device, rules)

    def _opened(self, messages: Sequence[Message]) -> tuple[Sequence[Message], frozenset[int]]:
        """With the parcels of other workers opened, and which of them (by identity) came in such."""
        if all(message.format != handover.FORMAT for message in messages):
            return messages, frozenset()
        opened, handed = list[Message](), set[int]()
        for message in messages:
            if message.format != handover.FORMAT:
                opened.append(message)
                continue
            try:
                inside = handover.unpacked(message.payload, message.topic)
            except PayloadError as error:
                self._counters["dropped_payload"] += 1
                if _due(self._said, message.topic):
                    log.warning("%s", error)
                continue
            handed.update(map(id, inside))
            opened += inside
        return opened, frozenset(handed)

    def _hand_over(self, elsewhere: Mapping[int, Sequence[Message]], handed: Container[int]) -> None:
        """Pass on what came to this worker alone: neither what all get, nor what was passed on before."""
        assert self._pass_on is not None
        parcels = list[tuple[int, bytes]]()
        for worker, messages in elsewhere.items():
            own = [m for m in messages if id(m) not in handed and m.format not in REMEMBERING]
            if own:
                parcels += [(worker, parcel) for parcel in handover.parcels(own)]
                self._counters["passed_on"] += len(own)
        if parcels:
            self._pass_on(parcels)

    def _moved(self, states: Mapping[str, dict[str, Any]]) -> None:
        """The rules stand so from now on."""
        self._states.update(states)
        for sensor, state in states.items():
            due_s = state.get("due_s")
            if due_s is not None:
                self._due_s[sensor] = due_s
            elif sensor in self._due_s:
                del self._due_s[sensor]

    def _follow(self, others: Sequence[tuple[Message, Any]], readings: Sequence[Reading]) -> None:
        """Who went and who came back, on the disk before the messages are acknowledged; who is new, what is wrong."""
        went, back = dict[str, tuple[datetime, str]](), set[str]()
        for message, one in others:
            if isinstance(one, Announced) and one.device not in self._by_device:
                self.strangers.announce(message, one)
            elif isinstance(one, Trouble | RebirthWanted):
                self.strangers.trouble(one)
            elif isinstance(one, Presence) and one.online:
                went.pop(one.device, None)
                back.add(one.device)
            elif isinstance(one, Presence) and len(self._gone) + len(went) < MOST_DEVICES:
                back.discard(one.device)
                went[one.device] = (one.at, one.why)
        # Whatever speaks is there, unless it spoke before it went.
        for reading in readings:
            gone = went.get(reading.device) or self._gone.get(reading.device)
            if gone is not None and reading.observed_at > gone[0]:
                went.pop(reading.device, None)
                back.add(reading.device)
        back &= self._gone.keys()
        if went or back:
            self._spool.keep_gone(went, back)
            self._gone = {d: g for d, g in self._gone.items() if d not in back} | went

    def tick(self, now: datetime) -> None:
        """What time alone does: a door that was open ten minutes ago and has not spoken since is still open.

        Nothing while a backlog may still be on its way, which may hold what it said since.
        """
        due = [sensor for sensor, due_s in self._due_s.copy().items() if due_s <= now.timestamp()]
        if not due or time.monotonic() < self._settled_s:
            return
        with self._turn:
            with self._lock:
                by_id, rules = self._by_id, self._rules
            if rules is None:
                return
            states, findings = dict[str, dict[str, Any]](), list[Finding]()
            for sensor_id in due:
                sensor = by_id.get(sensor_id)
                if sensor is None or sensor_id in self._unjudged:
                    del self._due_s[sensor_id]
                    continue
                states[sensor_id], found = rules.tick(sensor, self._states[sensor_id], now)
                findings += found
            self._spool.keep((), states, findings)
            self._moved(states)
            self._tell((), findings, {}, rules)
        if findings:
            self._on_finding()

    def _admits(self, reading: Reading, retained: bool, now_s: float) -> bool:
        why = self._hearing.refuses(reading, retained, now_s)
        if not why:
            return True
        self._counters[f"dropped_{why}"] += 1
        if why == "flood" and _due(self._said, f"flood {reading.device}"):
            count, limit = self._hearing.floods[reading.device], self._hearing.readings_per_s
            text = f"floods: {count} readings dropped so far, it may send {limit:g}/s"
            log.warning("%s %s", reading.device, text)
            self.strangers.trouble(Trouble(reading.device, "FLOOD", text, reading.received_at))
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
                sensor = by_device.get(reading.device)
                if sensor is not None and sensor.id not in self._unjudged:
                    self._rechecks.on_reading(sensor, reading, rules, self._states.get(sensor.id, {}))
        if readings:
            self._on_finding()

    def states(self, now: datetime) -> list[dict[str, Any]]:
        """Last values and whether each sensor still speaks, for the status report."""
        with self._lock:
            sensors, rules = list(self._by_device.values()), self._rules
        rows = []
        for sensor in sensors:
            seen, values = self._hearing.of(sensor.device)
            judged = rules is not None and sensor.id not in self._unjudged
            silent = rules is not None and judged and seen is not None and rules.silent(sensor, seen, now)
            state = "unknown" if seen is None else "silent" if silent else "online"
            standing = self._states.get(sensor.id) or {}
            rows.append(
                {
                    "id": sensor.id,
                    "state": self._presence(sensor) or state,
                    "last_seen": seen.isoformat() if seen else None,
                    "values": values,
                    "level": standing.get("level", ""),
                    "battery": standing.get("battery"),
                    "ailments": self._ailing(sensor, standing, rules if judged else None),
                    "heard_by": list(self._hearing.gateways(sensor.device)),
                }
            )
        return rows

    def _presence(self, sensor: Sensor) -> str:
        """`offline` or `gateway_lost` where that was said; else empty."""
        if not self._gone:
            return ""
        if sensor.device in self._gone and self._gone[sensor.device][1] != "NDEATH":
            return "offline"
        # Sparkplug's devices are named after their edge node, whose death is theirs.
        node = sensor.gateway or sensor.device.rpartition("/")[0]
        nodes = (node,) if node else self._hearing.gateways(sensor.device)
        if nodes and all(each in self._gone for each in nodes):
            return "gateway_lost"
        return "offline" if sensor.device in self._gone else ""

    def _ailing(self, sensor: Sensor, state: dict[str, Any], rules: SensorRules | None) -> list[dict[str, Any]]:
        if rules is None or not state:
            return []
        before = self._ailments.get(sensor.id)
        if before is None or before[0] is not state:
            found = [ailment.to_wire() for ailment in rules.ailments(sensor, state)]
            before = self._ailments[sensor.id] = state, found
        return before[1]
