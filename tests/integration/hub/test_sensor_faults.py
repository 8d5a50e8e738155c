"""What goes wrong at night: full disks, floods, jumping clocks, backlogs, replays. Nothing is lost, all is told."""

from __future__ import annotations

import json
import logging
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from detectors.kinds import load_kinds
from detectors.profiles import load_profiles
from detectors.sensing import SensorRules
from hub.worker.rechecking import Rechecks
from hub.worker.sensing import Listening
from hub.worker.spool import Spool
from ingest.device import Sensor
from ingest.reading import Quality, Reading
from ingest.sensors.mqtt import Message, MqttListener
from ingest.supervisor import Backoff
from tests.peers import wait_until
from tests.peers.mosquitto import Mosquitto

CONFIGS = Path(__file__).resolve().parents[3] / "configs"


class Ear:
    """The sensor half of a worker: listener, rules, spool."""

    def __init__(self, folder: Path, broker: Mosquitto | None = None, readings_per_s: float = 0.0) -> None:
        self.spool, self.counters = Spool(folder), Counter[str]()
        self.listening = Listening(self.spool, Rechecks(self.spool, lambda _: b"", _quiet), self.counters, _quiet)
        rules = SensorRules(load_profiles(CONFIGS / "sensors"), load_kinds(CONFIGS / "kinds"))
        sensors = [Sensor(f"s{n}", f"{n}", f"smoke-{n}", "smoke") for n in range(3)]
        self.listening.assign(sensors, rules, readings_per_s)
        self.listener: MqttListener | None = None
        if broker is not None:
            backoff = Backoff(0.05, 0.2)
            self.listener = MqttListener(
                broker.url, {"city/+": "json"}, "ear", self.listening.on_batch, backoff=backoff
            )
            self.listener.start()
            wait_until(lambda: self.listener and self.listener.connected)

    def close(self) -> None:
        if self.listener is not None:
            self.listener.stop()
        self.listening.end()
        self.spool.close()

    @property
    def readings(self) -> list[Reading]:
        return [r for batch in self.spool.kept() for r in batch]

    @property
    def values(self) -> list[tuple[str, float]]:
        return [(r.device, r.value) for r in self.readings]

    def hears(self, *payloads: str, received_at: datetime, topic: str = "city/smoke-0", retained: bool = False) -> None:
        """Without a broker."""
        self.listening.on_batch([Message(topic, p.encode(), received_at, retained, "json") for p in payloads])


def _quiet() -> None:
    return


def lines(device: str, first: int, count: int, pad: int = 0) -> list[str]:
    """Numbered messages of one device."""
    base = datetime.now(UTC)
    times = [(base + timedelta(microseconds=n)).isoformat() for n in range(first, first + count)]
    return [
        json.dumps({"device": device, "fill_pct": n / 1000, "time": at, "note": "x" * pad})
        for n, at in enumerate(times, first)
    ]


def test_a_full_disk_is_told_and_nothing_is_acknowledged_until_there_is_room(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Mosquitto() as broker, caplog.at_level(logging.WARNING):
        ear = Ear(tmp_path, broker)
        broker.publish_lines("city/x", lines("bin-1", 0, 10))
        wait_until(lambda: len(ear.values) == 10)
        before = ear.spool.limit_pages(0)
        broker.publish_lines("city/x", lines("bin-1", 10, 3000))
        wait_until(lambda: ear.counters["store_failures"] >= 3, 30, "the disk is full, again and again")
        assert ear.listener is not None
        assert len(ear.values) < 3010
        ear.spool.limit_pages(before)
        wait_until(lambda: len(ear.values) == 3010, 30, "there is room again")
        wait_until(lambda: ear.listener and ear.listener.counters["acknowledged"] == 3010)
        assert sorted(ear.values) == [("bin-1", n / 1000) for n in range(3010)], "each once"
        told = ear.listening.strangers.take(0.0)
        ear.close()
    assert told is not None
    assert [(t["code"], "full" in t["text"]) for t in told["troubles"]] == [("NOT_STORED", True)]
    assert sum("could not be stored" in line for line in caplog.messages) == 1, "said once a period"


def test_a_device_that_floods_is_cut_and_named_and_the_others_are_heard(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Mosquitto() as broker, caplog.at_level(logging.WARNING, "worker.sensing"):
        ear = Ear(tmp_path, broker, readings_per_s=0.5)
        broker.publish_lines("city/x", [line for n in range(4) for line in lines("mad", n * 1000, 1000)])
        for number in range(20):
            broker.publish_lines("city/x", lines(f"bin-{number}", 0, 5))
        wait_until(lambda: ear.listener and ear.listener.counters["acknowledged"] == 4100)
        heard = Counter(device for device, _ in ear.values)
        told = ear.listening.strangers.take(0.0)
        ear.close()
    assert {heard[f"bin-{n}"] for n in range(20)} == {5}
    assert 300 <= heard["mad"] <= 330, "ten minutes' worth, and little more"
    assert ear.counters["dropped_flood"] == 4000 - heard["mad"]
    assert ["mad floods" in line for line in caplog.messages] == [True]
    assert told is not None
    assert [(t["device"], t["code"]) for t in told["troubles"]] == [("mad", "FLOOD")]


def test_a_backlog_of_the_broker_comes_in_whole_and_in_order(tmp_path: Path) -> None:
    """As 100,000 in `make bench-sensors`."""
    with Mosquitto() as broker:
        ear = Ear(tmp_path, broker)
        ear.close()
        for device in ("bin-1", "bin-2"):
            broker.publish_lines("city/x", lines(device, 0, 4000))
        again = Ear(tmp_path, broker)
        wait_until(lambda: len(again.values) == 8000, 60, "all of it is here")
        for device in ("bin-1", "bin-2"):
            assert [v for d, v in again.values if d == device] == [n / 1000 for n in range(4000)]
        again.close()


def test_killed_between_the_disk_and_the_acknowledgement(tmp_path: Path) -> None:
    """The broker delivers again what was kept but not acknowledged: it is known, and raises no second finding."""
    ear, at = Ear(tmp_path), datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
    alarm = json.dumps({"device": "smoke-0", "smoke": True, "time": at.isoformat()})
    ear.hears(alarm, received_at=at)
    ear.spool.close()  # no word more: as after SIGKILL
    again = Ear(tmp_path)
    again.hears(alarm, received_at=at + timedelta(seconds=5))
    assert again.values == [("smoke-0", 1.0)]
    assert again.counters["dropped_duplicate"] == 1
    first = again.spool.next_outgoing()
    assert first is not None
    assert (first.body["kind"], first.body["source"]) == ("smoke_alarm", {"sensor": "s0"})
    again.spool.sent(first)
    assert again.spool.next_outgoing() is None
    again.close()


def test_retained_messages_are_heard_once(tmp_path: Path) -> None:
    with Mosquitto() as broker:
        (line,) = lines("bin-1", 7, 1)
        broker.publish("city/bin-1", line, retain=True)
        broker.publish("city/door", '{"open": 1}', retain=True)
        ear = Ear(tmp_path / "spool", broker)
        wait_until(lambda: len(ear.values) == 2)
        ear.close()
        # A new session gets them again.
        second = Ear(tmp_path / "spool")
        listener = MqttListener(broker.url, {"city/+": "json"}, "another", second.listening.on_batch)
        listener.start()
        wait_until(lambda: listener.counters.get("messages", 0) == 2)
        listener.stop()
        assert second.counters["dropped_replay"] == 2
        assert sorted(second.values) == [("bin-1", 0.007), ("door", 1.0)]
        second.close()


def test_a_clock_that_jumps_loses_nothing_and_marks_what_came_meanwhile(tmp_path: Path) -> None:
    ear, at = Ear(tmp_path), datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
    steps = [timedelta(), timedelta(days=400), timedelta(days=-400), timedelta(hours=1), timedelta(seconds=30)]
    for number, step in enumerate(steps):
        said = (at + timedelta(seconds=10 * number)).isoformat()
        payload = json.dumps({"device": "smoke-1", "smoke": number % 2, "time": said})
        ear.hears(payload, received_at=at + timedelta(seconds=10 * number) + step)
        ear.listening.tick(at + step)
    assert len(ear.readings) == 5
    assert [r.quality for r in ear.readings] == [
        Quality.OK, Quality.CLOCK_SKEW, Quality.CLOCK_SKEW, Quality.LATE, Quality.OK,
    ]  # fmt: skip
    assert ear.readings[2].observed_at == ear.readings[2].received_at, "of the future: the hub's own clock counts"
    ear.close()


def test_rules_that_fail_cost_only_their_sensor(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ear, at = Ear(tmp_path), datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
    rules = SensorRules(load_profiles(CONFIGS / "sensors"), load_kinds(CONFIGS / "kinds"))
    ear.listening.assign(
        [Sensor("a", "a", "smoke-1", "no such profile"), Sensor("b", "b", "smoke-2", "smoke")], rules, 0.0
    )
    said = [json.dumps({"device": f"smoke-{n}", "smoke": True, "time": at.isoformat()}) for n in (1, 2)]
    ear.hears(*said, received_at=at)
    assert sorted(ear.values) == [("smoke-1", 1.0), ("smoke-2", 1.0)]
    assert (ear.counters["dropped_rule"], ear.counters["findings"]) == (1, 1)
    assert "no such profile" in caplog.text
    ear.close()
