"""The demo's sensors through the demo's broker to the listener that the worker uses."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from hub.demo.broker import free_port
from hub.demo.publishing import Publisher
from hub.demo.readiness import NotReady, await_ready
from hub.demo.sensors import SimulatedSensor
from hub.demo.timeline import Event, Happenings, Timeline
from ingest.sensors.decode import DECODERS
from ingest.sensors.mqtt import Message, MqttListener

TOPICS = {"application/+/device/+/event/up": "chirpstack", "gridhub/+": "json"}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[str]:
    ready, port = tmp_path / "broker.ready", free_port()
    command = [sys.executable, "-m", "hub.demo.broker", "--port", str(port), "--ready", str(ready)]
    process = subprocess.Popen(command)
    try:
        await_ready(ready, "broker", lambda: process.poll() is None)
        yield f"mqtt://127.0.0.1:{port}?protocol=3.1.1"
    finally:
        process.terminate()
        assert process.wait(10) == 0


def wait_until(true: Callable[[], bool], what: str, timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, f"{what} did not happen within {timeout_s} s"
        time.sleep(0.02)


def publish(publisher: Publisher, until: threading.Event) -> None:
    async def run() -> None:
        task = asyncio.ensure_future(publisher.run())
        while not until.is_set():
            await asyncio.sleep(0.02)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(run())


def test_what_happens_to_a_sensor_is_heard(broker: str) -> None:
    """Also holds that the listener speaks MQTT 3.1.1 where it is told to."""
    sensors = [
        SimulatedSensor("manhole-01", "a84041ffff000001", "manhole", "chirpstack", 30, 1),
        SimulatedSensor("smoke-01", "smoke-01", "smoke", "json", 30, 2),
        SimulatedSensor("smoke-02", "smoke-02", "smoke", "json", 30, 3),
    ]
    timeline = Timeline(
        (
            Event(1, "manhole-01", "manhole_abnormal"),
            Event(1, "smoke-01", "smoke_alarm"),
            Event(0, "smoke-02", trouble="silent", lasts_s=99),
        )
    )
    happenings, started = Happenings(timeline), time.monotonic()
    heard: list[Message] = []

    def on_batch(batch: Sequence[Message]) -> None:
        heard.extend(batch)

    def now_s() -> float:
        return time.monotonic() - started

    def look(place: str) -> tuple[list, float | None]:
        happenings.advance(now_s())
        return happenings.at(place, now_s()), happenings.cleared_s(place)

    def values(device: str, prop: str) -> list[float]:
        readings = [r for m in list(heard) for r in DECODERS[m.format](m.topic, m.payload, m.received_at)]
        return [r.value for r in readings if r.device == device and r.prop == prop]

    listener = MqttListener(broker, TOPICS, "demo-test", on_batch)
    listener.start()
    ended = threading.Event()
    thread = threading.Thread(target=publish, args=(Publisher(broker.partition("?")[0], sensors, look, now_s), ended))
    try:
        wait_until(lambda: listener.connected, "the subscription")
        thread.start()
        wait_until(lambda: 1.0 in values("smoke-01", "smoke"), "smoke")
        wait_until(lambda: 1.0 in values("a84041ffff000001", "open"), "an open cover")
        assert max(values("a84041ffff000001", "tilt_deg")) > 15
        assert values("smoke-02", "smoke") == []
    finally:
        ended.set()
        if thread.is_alive():
            thread.join(10)
        listener.stop()
    assert listener.counters["acknowledged"] == len(heard)


def test_a_child_that_ends_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="broker ended"):
        await_ready(tmp_path / "none", "broker", lambda: False)
    with pytest.raises(NotReady, match="did not start"):
        await_ready(tmp_path / "none", "broker", lambda: True, timeout_s=0.1)
    (tmp_path / "there").touch()
    await_ready(tmp_path / "there", "broker", lambda: False)
