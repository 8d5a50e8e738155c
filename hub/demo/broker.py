"""The demo's own MQTT broker, in its own process (`python -m hub.demo.broker`), and the line the sensors send over.

It speaks MQTT 3.1.1. A real installation has its own broker and needs none of this.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import socket
import sys
from pathlib import Path
from types import TracebackType

from amqtt.broker import Broker
from amqtt.client import MQTTClient
from amqtt.errors import AMQTTError


class BrokerAway(OSError):
    """The broker cannot be reached, or went away."""


class Line:
    """A connection to a broker for sending: `async with Line(url) as line: await line.send(topic, payload)`."""

    def __init__(self, url: str, client_id: str) -> None:
        self._url = url
        self._client = MQTTClient(client_id=client_id, config={"auto_reconnect": False})

    async def __aenter__(self) -> Line:
        try:
            await self._client.connect(self._url, cleansession=True)
        except (AMQTTError, OSError) as error:
            raise BrokerAway(f"{self._url}: {error}") from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await asyncio.wait_for(self._client.disconnect(), 2)
        except (AMQTTError, OSError, TimeoutError):
            await self._client.cancel_tasks()

    async def send(self, topic: str, payload: bytes) -> None:
        """Publish with QoS 1; returns once the broker has acknowledged. Raises BrokerAway."""
        try:
            await asyncio.wait_for(self._client.publish(topic, payload, qos=1), 5)
        except (AMQTTError, OSError, TimeoutError) as error:
            raise BrokerAway(f"{self._url}: {error}") from None


def free_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


async def _serve(port: int, ready: Path) -> None:
    listener = {"type": "tcp", "bind": f"127.0.0.1:{port}", "max_connections": 64}
    open_to_all = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
    broker = Broker({"listeners": {"default": listener}, "plugins": open_to_all})
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await broker.start()
    ready.touch()
    await ended.wait()
    await broker.shutdown()


def main() -> int:
    """Serve 127.0.0.1 until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m hub.demo.broker", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--ready", type=Path, required=True, help="file to make once it listens")
    args = parser.parse_args()
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)
    asyncio.run(_serve(args.port, args.ready))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
