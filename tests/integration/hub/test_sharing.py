"""Several workers at one broker: each message is judged once, by the worker of its device, whoever received it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.sensing import SensorRules
from hub.worker import handover
from hub.worker.rechecking import Rechecks
from hub.worker.sensing import Listening
from hub.worker.spool import Spool
from ingest.errors import PayloadError
from ingest.sensors.mqtt import Broker, Message, MqttListener
from ingest.supervisor import Backoff
from tests.peers import wait_until
from tests.peers.mosquitto import Mosquitto
from tests.samples.tahu import metric, payload

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
TOPICS = {"city/#": "json", "spBv1.0/#": "sparkplug"}


class Worker:
    """The ear of one of `workers`, without the rest."""

    def __init__(self, folder: Path, url: str, index: int, workers: int, group: str) -> None:
        self.spool = Spool(folder / f"{index}-of-{workers}")
        self.counters: Counter[str] = Counter()
        self.listening = Listening(self.spool, Rechecks(self.spool, lambda _: b"", _quiet), self.counters, _quiet)
        self.listening.assign([], SensorRules({}, {}))
        broker = Broker.from_wire({"url": url, "share": group, "session_s": 600})
        own = {handover.topic(group, index, workers): handover.FORMAT} if group else {}
        self.listener = MqttListener(
            broker,
            TOPICS | own,
            f"worker-{index}",
            self.listening.on_batch,
            shared=["city/#"],
            backoff=Backoff(0.05, 0.3),
        )
        passing: Callable[[Sequence[tuple[int, bytes]]], None] = lambda parcels: self.listener.pass_on(  # noqa: E731
            [(handover.topic(group, n, workers), data) for n, data in parcels]
        )
        self.listening.share((index, workers), passing if group else None)

    def start(self) -> Worker:
        self.listener.start()
        wait_until(lambda: self.listener.connected)
        return self

    def stop(self) -> None:
        self.listener.stop()
        self.spool.close()

    @property
    def values(self) -> list[tuple[str, float]]:
        return [(r.device, r.value) for batch in self.spool.kept() for r in batch]


def _quiet() -> None:
    return


def send(broker: Mosquitto, first: int, count: int) -> set[tuple[str, float]]:
    lines = []
    for number in range(first, first + count):
        at = (datetime.now(UTC) + timedelta(microseconds=number)).isoformat()
        lines.append(json.dumps({"device": f"bin-{number % 20}", "fill_pct": 50 + number * 1e-6, "time": at}))
    broker.publish_lines("city/all", lines)
    return {(f"bin-{n % 20}", 50 + n * 1e-6) for n in range(first, first + count)}


@pytest.mark.parametrize("group", ["", "ears"])
def test_each_device_is_judged_by_one_worker_and_nothing_is_lost(tmp_path: Path, group: str) -> None:
    with Mosquitto() as broker:
        workers = [Worker(tmp_path, broker.url, index, 3, group).start() for index in range(3)]
        sent = send(broker, 0, 1500)
        workers[1].stop()
        sent |= send(broker, 1500, 500)
        workers[1] = Worker(tmp_path, broker.url, 1, 3, group).start()
        sent |= send(broker, 2000, 500)
        wait_until(lambda: sum(len(w.values) for w in workers) >= len(sent), 60, "all readings are kept")
        kept = [worker.values for worker in workers]
        assert sorted(value for values in kept for value in values) == sorted(sent), "each once"
        for index, values in enumerate(kept):
            assert {handover.owner(device, 3) for device, _ in values} == {index}
        received = [worker.listener.counters["messages"] for worker in workers]
        passed = sum(worker.counters["passed_on"] for worker in workers)
        if group:
            assert passed > 500
            assert max(received) < 2500, "they took turns"
        else:
            assert passed == 0
            assert max(received) == 2500
        for worker in workers:
            worker.stop()


def test_births_reach_every_worker(tmp_path: Path) -> None:
    """Only one of them judges g/n, but a message of it may not be read by one that did not see its birth."""
    with Mosquitto() as broker:
        workers = [Worker(tmp_path, broker.url, index, 2, "ears").start() for index in range(2)]
        birth = payload(metric(1.0, 9, name="level_cm", alias=3), seq=0)
        broker.publish("spBv1.0/g/NBIRTH/n", birth)
        for seq in range(1, 6):
            broker.publish("spBv1.0/g/NDATA/n", payload(metric(float(seq), 9, said=False, alias=3), seq=seq))
        owner = workers[handover.owner("g/n", 2)]
        wait_until(lambda: len(owner.values) == 6)
        assert [value for _, value in owner.values] == [1.0, 1.0, 2.0, 3.0, 4.0, 5.0]
        other = workers[1 - handover.owner("g/n", 2)]
        assert other.listener.counters["messages"] == 6
        assert other.values == []
        assert other.counters["rebirths_wanted"] == other.counters["passed_on"] == 0
        for worker in workers:
            worker.stop()


def test_what_cannot_be_passed_on_is_not_acknowledged(tmp_path: Path) -> None:
    with Mosquitto() as broker:
        alone = Worker(tmp_path, broker.url, 0, 2, "ears").start()
        sent = send(broker, 0, 40)
        wait_until(lambda: alone.listener.counters["failures"] >= 2, what="the other one never ran")
        other = Worker(tmp_path, broker.url, 1, 2, "ears").start()
        wait_until(lambda: len(alone.values) + len(other.values) >= len(sent), 30)
        assert sorted(alone.values + other.values) == sorted(sent)
        alone.stop()
        other.stop()


MESSAGES = st.builds(
    Message,
    st.text(max_size=20),
    st.binary(max_size=200),
    st.just(NOW),
    st.booleans(),
    st.sampled_from(["a", "{}", "c"]),
)


@given(st.lists(MESSAGES, min_size=1, max_size=20))
def test_a_parcel_holds_what_was_put_in(messages: list[Message]) -> None:
    assert handover.unpacked(handover.parcel(messages), "t") == messages


@given(st.binary(max_size=300))
def test_any_bytes_are_a_parcel_or_none(data: bytes) -> None:
    for payload_ in (data, b'{"forms":["a"],"messages":[["t",0,1,false,3]]}\n' + data, b"[]\n" + data):
        with suppress(PayloadError):
            handover.unpacked(payload_, "t")


def test_parcels_are_no_larger_than_brokers_like() -> None:
    messages = [Message("t", bytes(60_000), NOW, False, "json") for _ in range(20)]
    made = handover.parcels(messages)
    assert [m for data in made for m in handover.unpacked(data, "t")] == messages
    assert max(map(len, made)) < 300_000
