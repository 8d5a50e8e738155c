"""Listening to a real Mosquitto: nothing is acknowledged before it is stored, nothing acknowledged is lost."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ingest.errors import InventoryError, PayloadError
from ingest.sensors.decode import DECODERS
from ingest.sensors.mqtt import Message, MqttListener, topic_matches
from ingest.supervisor import Backoff
from tests.peers import free_port, wait_until
from tests.peers.mosquitto import Mosquitto


class Store:
    """Keeps what it is given; `broken` makes it fail."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.broken = False
        self.failures = 0
        self.most = 0

    def __call__(self, batch: Sequence[Message]) -> None:
        if self.broken:
            self.failures += 1
            raise OSError("disk full")
        self.most = max(self.most, len(batch))
        self.messages.extend(batch)

    @property
    def values(self) -> set[int]:
        return {json.loads(message.payload)["n"] for message in self.messages}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as made:
        yield made


def listener(broker: Mosquitto, store: Store, **more: str) -> MqttListener:
    topics = {"city/#": "json", "application/+/device/+/event/+": "chirpstack"}
    return MqttListener(more.get("url", broker.url), topics, "worker-1", store, backoff=Backoff(0.05, 0.2))


def test_messages_come_with_their_format(broker: Mosquitto) -> None:
    store = Store()
    listening = listener(broker, store)
    broker.publish("city/kept", '{"n": 0}', retain=True)
    listening.start()
    wait_until(lambda: listening.connected)
    broker.publish("city/bin-1", '{"n": 1}')
    broker.publish("application/a/device/b/event/up", '{"n": 2}')
    broker.publish("elsewhere/x", '{"n": 3}')
    broker.publish("city/bin-2", '{"n": 4}', qos=0)
    wait_until(lambda: store.values >= {0, 1, 2, 4})
    listening.stop()
    assert 3 not in store.values
    by_topic = {message.topic: message for message in store.messages}
    assert by_topic["city/bin-1"].format == "json"
    assert by_topic["application/a/device/b/event/up"].format == "chirpstack"
    assert by_topic["city/kept"].retained
    assert not by_topic["city/bin-1"].retained
    assert by_topic["city/bin-1"].received_at.tzinfo is not None


@pytest.mark.parametrize("query", ["", "?protocol=3.1.1"])
def test_what_came_while_away_is_delivered_later(broker: Mosquitto, query: str) -> None:
    store = Store()
    first = listener(broker, store, url=broker.url + query)
    first.start()
    wait_until(lambda: first.connected)
    first.stop()
    for n in range(5):
        broker.publish("city/x", json.dumps({"n": n}))
    assert store.messages == []
    second = listener(broker, store, url=broker.url + query)
    second.start()
    wait_until(lambda: store.values == set(range(5)))
    second.stop()


def test_a_message_that_comes_with_another_packet_does_not_wait_for_the_next() -> None:
    """It lay there, read but not looked at, until the broker sent something more: up to half a minute."""
    store = Store()
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"mqtt://127.0.0.1:{server.getsockname()[1]}"
        listening = MqttListener(url, {"city/#": "json"}, "worker-1", store)
        listening.start()
        connection, _ = server.accept()
        with connection:
            connection.settimeout(10)
            assert connection.recv(4096)[0] == 0x10, "CONNECT"
            connection.sendall(b"\x20\x03\x00\x00\x00")
            subscribe = connection.recv(4096)
            assert subscribe[0] == 0x82
            suback = b"\x90\x04" + subscribe[2:4] + b"\x00\x01"
            publish = b"\x30\x10\x00\x06city/x\x00" + b'{"n":7}'
            connection.sendall(suback + publish)
            wait_until(lambda: store.values == {7}, 10)
            listening.stop()


def test_nothing_is_acknowledged_before_it_is_stored(broker: Mosquitto) -> None:
    store = Store()
    store.broken = True
    first = listener(broker, store)
    first.start()
    wait_until(lambda: first.connected)
    broker.publish("city/x", '{"n": 7}')
    wait_until(lambda: store.failures >= 3, what="the broker delivers it again")
    first.stop()
    assert first.counters.get("acknowledged", 0) == 0
    store.broken = False
    second = listener(broker, store)
    second.start()
    wait_until(lambda: store.values == {7})
    wait_until(lambda: second.counters["acknowledged"] == 1)
    second.stop()
    third = listener(broker, store)
    third.start()
    wait_until(lambda: third.connected)
    broker.publish("city/x", '{"n": 8}')
    wait_until(lambda: 8 in store.values)
    third.stop()
    assert len(store.messages) == 2, "acknowledged once, never delivered again"


def test_the_broker_is_killed_and_comes_back(broker: Mosquitto) -> None:
    store = Store()
    listening = listener(broker, store)
    listening.start()
    wait_until(lambda: listening.connected)
    broker.publish("city/x", '{"n": 1}')
    wait_until(lambda: store.values == {1})
    broker.kill()
    wait_until(lambda: not listening.connected)
    broker.start()
    wait_until(lambda: listening.connected)
    broker.publish("city/x", '{"n": 2}')
    wait_until(lambda: store.values == {1, 2})
    listening.stop()
    assert listening.counters["connections"] >= 2


def test_a_burst_comes_whole_and_in_bounded_batches(broker: Mosquitto) -> None:
    store = Store()
    listening = listener(broker, store)
    listening.start()
    wait_until(lambda: listening.connected)
    broker.publish_lines("city/x", [json.dumps({"n": n}) for n in range(5000)])
    wait_until(lambda: len(store.messages) >= 5000, 60)
    listening.stop()
    assert store.values == set(range(5000))
    assert len(store.messages) == 5000
    assert 1 < store.most <= 1000


def test_wrong_password_and_dead_broker_are_said_once_without_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Mosquitto(user="hub", password="right") as broker, caplog.at_level(logging.WARNING, "ingest"):
        wrong = listener(broker, Store(), url=f"mqtt://hub:pw123@127.0.0.1:{broker.port}")
        dead = listener(broker, Store(), url=f"mqtt://hub:pw123@127.0.0.1:{free_port()}")
        right = listener(broker, Store())
        for listening in (wrong, dead):
            listening.start()
        wait_until(lambda: wrong.counters.get("failures", 0) >= 2 and dead.counters.get("failures", 0) >= 2)
        right.start()
        wait_until(lambda: right.connected)
        assert not wrong.connected
        for listening in (wrong, dead, right):
            listening.stop()
    assert len(caplog.records) == 2
    assert "refused" in caplog.text
    assert "pw123" not in caplog.text
    assert str(broker.port) in caplog.text


@pytest.mark.parametrize("url", ["http://h", "mqtt://", "127.0.0.1:1883", "mqtt://u:pw123@"])
def test_a_broker_url_that_is_none(url: str) -> None:
    with pytest.raises(InventoryError, match="mqtt://") as refused:
        MqttListener(url, {}, "x", Store())
    assert "pw123" not in str(refused.value)


def test_bad_payloads_do_not_stop_the_good_ones(broker: Mosquitto) -> None:
    """What the worker does with a batch: decode, count and name what cannot be read, store the rest."""
    refused: list[str] = []
    stored: list[float] = []
    done = threading.Event()

    def store(batch: Sequence[Message]) -> None:
        for message in batch:
            try:
                readings = DECODERS[message.format](message.topic, message.payload, message.received_at)
            except PayloadError as error:
                refused.append(str(error))
                continue
            stored.extend(reading.value for reading in readings)
            if 99.0 in stored:
                done.set()

    listening = MqttListener(broker.url, {"city/#": "json"}, "worker-1", store)
    listening.start()
    wait_until(lambda: listening.connected)
    for payload in (b"not json", b'{"fill_pct": "full"}', b'{"fill_pct": 50}', b"\xff\xfe\x00", b'{"fill_pct": 99}'):
        broker.publish("city/bin-1", payload)
    assert done.wait(10)
    listening.stop()
    assert stored == [50.0, 99.0]
    assert len(refused) == 3
    assert all("city/bin-1" in text for text in refused)


@pytest.mark.parametrize(
    ("topic_filter", "topic", "matches"),
    [
        ("city/#", "city/a/b", True), ("city/+", "city/a/b", False), ("$share/g/city/#", "city/a", True),
        ("#", "$SYS/x", False), ("a/+/c", "a/b/c", True),
    ],
)  # fmt: skip
def test_topic_filters(topic_filter: str, topic: str, matches: bool) -> None:
    assert topic_matches(topic_filter, topic) is matches
