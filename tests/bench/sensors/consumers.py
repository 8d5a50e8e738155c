"""Other consumers of the same messages, a process each: what a subscriber costs that only counts, or stores as usual.

`python -m tests.bench.sensors.consumers NAME PORT COUNT`: subscribes, says "ready", and prints JSON when it has had
COUNT messages.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

TOPIC = "gridhub/+"


class Clock:
    """Wall and CPU seconds from the first message to the last."""

    def __init__(self, count: int) -> None:
        self.count, self.seen = count, 0
        self._began = (0.0, 0.0)

    def another(self) -> bool:
        """One more; whether it was the last."""
        if not self.seen:
            self._began = (time.time(), time.process_time())
        self.seen += 1
        return self.seen >= self.count

    def told(self) -> str:
        wall, cpu = time.time() - self._began[0], time.process_time() - self._began[1]
        return json.dumps({"messages": self.seen, "wall_s": wall, "cpu_s": cpu})


def paho_counts(port: int, count: int) -> str:
    """paho-mqtt, acknowledging by itself, doing nothing with what comes."""
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, "counts", protocol=paho.MQTTv5)
    clock, done = Clock(count), threading.Event()

    def on_message(_client: Any, _data: Any, _message: Any) -> None:
        if clock.another():
            done.set()
            client.disconnect()

    client.on_message = on_message
    client.on_connect = lambda *_: client.subscribe(TOPIC, 1)
    client.on_subscribe = lambda *_: print("ready", flush=True)
    properties: Any = Properties(PacketTypes.CONNECT)
    properties.ReceiveMaximum = 2000
    client.connect("127.0.0.1", port, 60, properties=properties)
    client.loop_forever()
    return clock.told()


def aiomqtt_stores(port: int, count: int) -> str:
    """aiomqtt, JSON and SQLite as in its tutorials: a table, a commit each 500 messages, acknowledged before that."""
    import aiomqtt

    clock = Clock(count)

    async def run(folder: str) -> None:
        db = sqlite3.connect(Path(folder, "x.sqlite"))
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("CREATE TABLE readings (device TEXT, prop TEXT, value REAL, at TEXT)")
        async with aiomqtt.Client("127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5) as client:
            await client.subscribe(TOPIC, 1)
            print("ready", flush=True)
            rows: list[tuple[str, str, float, str]] = []
            async for message in client.messages:
                said = json.loads(message.payload)  # type: ignore[arg-type]
                at, device = said.pop("time"), str(message.topic).rpartition("/")[2]
                rows += [(device, prop, float(value), at) for prop, value in said.items() if prop != "seq"]
                last = clock.another()
                if len(rows) >= 1000 or last:
                    with db:
                        db.executemany("INSERT INTO readings VALUES (?, ?, ?, ?)", rows)
                    rows.clear()
                if last:
                    return

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(folder))
    return clock.told()


CONSUMERS: dict[str, Callable[[int, int], str]] = {"paho counts": paho_counts, "aiomqtt stores": aiomqtt_stores}


if __name__ == "__main__":
    print(CONSUMERS[sys.argv[1]](int(sys.argv[2]), int(sys.argv[3])), flush=True)
