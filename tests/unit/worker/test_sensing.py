"""From messages to readings: what is unreadable is counted and skipped, what else is said is counted and named once."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path

import pytest

from detectors.sensing import SensorRules
from hub.worker.rechecking import Rechecks
from hub.worker.sensing import Listening, decode
from hub.worker.spool import Spool
from ingest.sensors.decode import Decoders
from ingest.sensors.mqtt import Message
from tests.samples.readings import NOW
from tests.samples.tahu import metric, payload


def message(form: str, topic: str, data: bytes) -> Message:
    return Message(topic, data, NOW, False, form)


def test_one_unreadable_message_costs_only_itself(caplog: pytest.LogCaptureFixture) -> None:
    counters, said = Counter[str](), dict[str, float]()
    messages = [message("json", "a/1", b'{"open": 1}'), *[message("json", "a/2", b"{")] * 5]
    messages += [message("lorawan", "a/3", b"{}"), message("json", "a/4", b'{"open": 0}')]
    with caplog.at_level(logging.WARNING, "worker.sensing"):
        readings = decode(messages, counters, said, Decoders()).readings
    assert [(r.device, r.value) for r in readings] == [("1", 1.0), ("4", 0.0)]
    assert counters["dropped_payload"] == 6
    assert len(caplog.messages) == 2, "each topic once a minute"
    assert "unknown payload format 'lorawan'" in caplog.messages[1]


def test_what_is_no_reading_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    counters, decoders = Counter[str](), Decoders()
    data = payload(metric(1.0, 9, name="level_cm"), seq=3)
    messages = [message("tasmota", "tele/x/LWT", b"Online"), *[message("sparkplug", "spBv1.0/g/NDATA/n", data)] * 3]
    with caplog.at_level(logging.WARNING, "worker.sensing"):
        readings = decode(messages, counters, {}, decoders).readings
    assert [r.prop for r in readings] == ["level_cm"] * 3
    assert counters == {"presences": 1, "rebirths_wanted": 1}
    assert ["spBv1.0/g/NCMD/n" in line for line in caplog.messages] == [True]


def listening(spool: Spool) -> Listening:
    made = Listening(spool, Rechecks(spool, lambda _: b"", lambda: None), Counter(), lambda: None)
    made.assign([], SensorRules({}, {}))
    return made


def test_after_a_restart_aliases_and_announced_topics_still_mean_something(tmp_path: Path) -> None:
    birth = payload(metric(1.0, 9, name="level_cm", alias=3), seq=0)
    spool, config = Spool(tmp_path), b'{"unique_id": "u1", "state_topic": "cab/state", "device_class": "temperature"}'
    listening(spool).on_batch(
        [
            message("sparkplug", "spBv1.0/g/NBIRTH/n", payload(metric(1.0, 9, name="other", alias=3), seq=0)),
            message("sparkplug", "spBv1.0/g/NBIRTH/n", birth),
            message("sparkplug", "spBv1.0/g/NBIRTH/n", b"no birth"),
            message("homeassistant", "homeassistant/sensor/u1/config", config),
        ]
    )
    spool.close()
    again = Spool(tmp_path)
    data = payload(metric(7.0, 9, said=False, alias=3), seq=9)
    listening(again).on_batch(
        [message("sparkplug", "spBv1.0/g/NDATA/n", data), message("homeassistant", "cab/state", b"21.5")]
    )
    stored = [(r.device, r.prop, r.value) for batch in again.kept() for r in batch]
    assert stored[-2:] == [("g/n", "level_cm", 7.0), ("u1", "temperature", 21.5)]
    again.close()


def test_what_was_said_is_remembered_within_bounds() -> None:
    said: dict[str, float] = {}
    decode([message("json", f"a/{n}", b"{") for n in range(3000)], Counter(), said, Decoders())
    assert len(said) <= 1000
