"""A process that publishes sensor messages at QoS 1 as fast as asked: MQTT packets by hand, so that it costs little.

`python -m tests.bench.sensors.publisher PORT --rate 10000 --seconds 60 …`; the last line it prints is JSON: what the
broker acknowledged. Bins speak in turn (two readings each); smoke alarms in between, one message each.
"""

from __future__ import annotations

import argparse
import json
import socket
import struct
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime

IN_FLIGHT = 20_000
_KEEPALIVE_S = 0
BURST = 100


@dataclass(frozen=True, slots=True)
class Load:
    """What one publisher sends: `devices` from `first` on, an alarm of the next smoke detector every `alarm_s`.

    It ends after `seconds`, or after `count` messages, where that is not 0.
    """

    port: int
    rate: float
    seconds: float
    first: int = 0
    devices: int = 1000
    alarm_s: float = 0.0
    alarms: int = 1
    count: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    for name, kind, usual in (
        ("rate", float, 1000.0), ("seconds", float, 10.0), ("first", int, 0), ("devices", int, 1000),
        ("alarm-s", float, 0.0), ("alarms", int, 1), ("count", int, 0),
    ):  # fmt: skip
        parser.add_argument(f"--{name}", type=kind, default=usual)
    asked = parser.parse_args()
    load = Load(**vars(asked))
    print(json.dumps(Publisher(load).run()), flush=True)


class Publisher:
    """Sends by the clock; waits where the broker has not acknowledged IN_FLIGHT messages."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._socket = socket.create_connection(("127.0.0.1", load.port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sent = self._alarms = self._acknowledged = 0
        self._sign_in()
        threading.Thread(target=self._listen, daemon=True).start()

    def _sign_in(self) -> None:
        name = f"load-{self._load.first}".encode()
        # MQTT 5, clean start, no keep-alive; receive maximum 65535.
        head = b"\x00\x04MQTT\x05\x02" + struct.pack(">H", _KEEPALIVE_S) + b"\x03\x21\xff\xff"
        body = head + struct.pack(">H", len(name)) + name
        self._socket.sendall(b"\x10" + bytes([len(body)]) + body)
        answer = self._socket.recv(256)
        assert (answer[0], answer[3]) == (0x20, 0), f"the broker refused: {answer!r}"

    def _listen(self) -> None:
        """Count acknowledgements: 4 bytes each, 5 or more where nobody is subscribed."""
        rest = b""
        while data := self._socket.recv(1 << 16):
            rest += data
            at = count = 0
            while len(rest) - at >= 2 and len(rest) - at >= 2 + rest[at + 1]:
                count += rest[at] == 0x40
                at += 2 + rest[at + 1]
            rest = rest[at:]
            self._acknowledged += count

    def run(self) -> dict[str, float]:
        load, began_s = self._load, time.time()
        next_alarm_s = began_s + load.alarm_s if load.alarm_s else float("inf")
        most = load.count or 2**40
        while (now_s := time.time()) < began_s + load.seconds and self._sent < most:
            due = min(int((now_s - began_s) * load.rate), most, IN_FLIGHT + self._acknowledged) - self._sent
            if now_s >= next_alarm_s:
                next_alarm_s += load.alarm_s
                self._alarm()
            elif due >= min(BURST, load.rate / 100, most - self._sent):
                self._burst(min(due, 2 * BURST))
            else:
                time.sleep(0.002)
        sent_s = time.time() - began_s
        while self._acknowledged < self._sent:
            time.sleep(0.01)
        return {
            "began_s": began_s, "sent_s": sent_s, "acknowledged": self._acknowledged, "alarms": self._alarms,
            "cpu_s": time.process_time(),
        }  # fmt: skip

    def _burst(self, count: int) -> None:
        load, at = self._load, datetime.now(UTC).isoformat().encode()
        packets = []
        for number in range(self._sent, self._sent + count):
            device = load.first + number % load.devices
            payload = b'{"time":"%b","seq":%d,"fill_pct":%d,"temperature":%.1f}' % (
                at,
                number,
                number % 70,
                number % 300 / 10,
            )
            packets.append(_publish(b"gridhub/bin-%d" % device, number, payload))
        self._sent += count
        self._socket.sendall(b"".join(packets))

    def _alarm(self) -> None:
        payload = b'{"time":"%b","smoke":true}' % datetime.now(UTC).isoformat().encode()
        device = b"gridhub/smoke-%d" % (self._load.first + self._alarms % self._load.alarms)
        self._socket.sendall(_publish(device, self._sent, payload))
        self._sent += 1
        self._alarms += 1


def _publish(topic: bytes, number: int, payload: bytes) -> bytes:
    body = struct.pack(">H", len(topic)) + topic + struct.pack(">HB", number % 65535 + 1, 0) + payload
    length = len(body)
    size = bytes([length]) if length < 128 else bytes([length & 127 | 128, length >> 7])
    return b"\x32" + size + body


if __name__ == "__main__":
    main()
