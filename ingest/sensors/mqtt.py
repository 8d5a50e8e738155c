"""Listening to an MQTT broker: nothing is acknowledged before it is stored. The only importer of paho.

One thread does everything in turn: read what has arrived, hand it over as one batch, acknowledge it, wait for more. So
an acknowledgement always goes to the connection its message came from. If storing fails, the connection is dropped
unacknowledged and the broker, which keeps the session, delivers the batch again.

It speaks MQTT 5, and 3.1.1 to a broker whose address ends in `?protocol=3.1.1`.
"""

from __future__ import annotations

import logging
import select
import ssl
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, cast
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from ..clock import utc_now
from ..complaints import Complaints
from ..errors import InventoryError
from ..supervisor import Backoff
from .publishes import MOST_PACKET_BYTES, Malformed, Publish, acknowledgements, cut

log = logging.getLogger("ingest")

BATCH_MOST = 1000
IN_FLIGHT_MOST = 2 * BATCH_MOST
"""Messages that the broker may send ahead: while one batch is stored, the next one comes."""
KEEPALIVE_S = 30
POLL_MS = 250
LINGER_MS = 5
GATHER_S = 0.05
"""A batch is stored when nothing more came for LINGER_MS, and at the latest this long after its first message."""
_KNOWN_TOPICS = 100_000
_READ_BYTES = 1 << 17


class Message(NamedTuple):
    """What came on a topic. `format` is the decoder that the listener's topic filters name for it."""

    topic: str
    payload: bytes
    received_at: datetime
    retained: bool
    format: str


@dataclass(frozen=True, slots=True)
class Broker:
    """Where to connect, and as whom. `old`: speak MQTT 3.1.1.

    `ca`, `certificate` and `key` are PEM texts: who signed the broker's certificate (None: one of the system's), and
    our own, where it asks for one. `session_s`: how long it keeps our session while we are away. `share`: the group of
    workers that take turns with its messages.
    """

    host: str
    port: int
    tls: bool
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    old: bool = False
    ca: str | None = None
    certificate: str | None = None
    key: str | None = field(default=None, repr=False)
    session_s: int = 7 * 86400
    share: str = ""

    @classmethod
    def from_url(cls, url: str) -> Broker:
        """Raises InventoryError naming the URL (without its password) and the allowed schemes."""
        parts = urlsplit(url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise InventoryError(f"broker: {url}: write mqtt://[USER:PASSWORD@]HOST[:PORT] or mqtts://…")
        if parts.query not in ("", "protocol=5", "protocol=3.1.1"):
            raise InventoryError(f"broker: {url}: ?{parts.query} is neither ?protocol=5 nor ?protocol=3.1.1")
        tls = parts.scheme == "mqtts"
        user = unquote(parts.username) if parts.username else None
        password = unquote(parts.password) if parts.password else None
        port, old = parts.port or (8883 if tls else 1883), parts.query == "protocol=3.1.1"
        return cls(parts.hostname, port, tls, user, password, old)

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Broker:
        """From a worker's assignment. Raises InventoryError."""
        found = cls.from_url(wire["url"])
        said = {name: wire[name] for name in ("user", "password") if wire.get(name)}
        more = {name: wire[name] for name in ("ca", "certificate", "key", "session_s", "share") if name in wire}
        return replace(found, **said, **more)

    @property
    def shown(self) -> str:
        """The address, as it may be logged."""
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"

    def context(self) -> ssl.SSLContext:
        """For TLS: the broker's name and certificate are checked. Raises ssl.SSLError (an OSError)."""
        made = ssl.create_default_context(cadata=self.ca)
        if self.certificate and self.key:
            # Python takes our own certificate from files only.
            with tempfile.TemporaryDirectory(prefix="gridhub-") as folder:
                paths = Path(folder, "certificate"), Path(folder, "key")
                for path, text in zip(paths, (self.certificate, self.key), strict=True):
                    path.touch(mode=0o600)
                    path.write_text(text)
                made.load_cert_chain(*paths, password="")
        return made


@dataclass(frozen=True, slots=True, eq=False)
class _Order:
    """Something to publish, and whether it was."""

    topic: str
    payload: bytes
    taken: threading.Event = field(default_factory=threading.Event)


class MqttListener:
    """Subscribes to `topics` (topic filter -> name of a payload format) with QoS 1 and hands over batches.

    `on_batch` gets at most 1000 messages and stores them; when it returns, they are acknowledged; when it raises, they
    come again. `client_id` names the session that the broker keeps while we are away. Of the topic filters `shared`,
    the group that the broker's `share` names gets each message once.
    """

    def __init__(
        self,
        broker: Broker | str,
        topics: Mapping[str, str],
        client_id: str,
        on_batch: Callable[[Sequence[Message]], None],
        shared: Collection[str] = (),
        clock: Callable[[], datetime] = utc_now,
        backoff: Backoff | None = None,
    ) -> None:
        self._broker = Broker.from_url(broker) if isinstance(broker, str) else broker
        self._topics = dict(topics)
        self._shared = frozenset(shared) if self._broker.share else frozenset()
        self._forms: dict[bytes, tuple[str, str]] = {}
        self._client_id = client_id
        self._on_batch = on_batch
        self._clock = clock
        self._backoff = backoff or Backoff(0.5, 30.0)
        self._complaints = Complaints(log)
        self._counters: Counter[str] = Counter()
        self._connected = threading.Event()
        self._stopped = threading.Event()
        self._refused: str | None = None
        self._client_now: _Client | None = None
        self._orders: deque[_Order] = deque()
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted us and the subscriptions."""
        return self._connected.is_set()

    @property
    def counters(self) -> dict[str, int]:
        """`messages`, `batches`, `acknowledged`, `connections`, `failures` since the start."""
        return dict(self._counters)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Finish the batch at hand and leave; the broker keeps the session."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def command(self, topic: str, payload: bytes, timeout_s: float = 5.0) -> bool:
        """Publish once (QoS 0, not retained), from any thread; whether the connection took it."""
        order = _Order(topic, payload)
        self._orders.append(order)
        taken = order.taken.wait(timeout_s)
        if not taken:
            with suppress(ValueError):
                self._orders.remove(order)
        return taken

    def pass_on(self, parcels: Sequence[tuple[str, bytes]]) -> None:
        """Publish to other workers' topics; returns when the broker has all. Only from within `on_batch`.

        Raises where the broker does not take one, or nobody ever subscribed to its topic.
        """
        if self._client_now is None:
            raise _Broken("no connection")
        self._client_now.send(parcels)

    def _run(self) -> None:
        while not self._stopped.is_set():
            client: _Client | None = None
            try:
                client = self._client_now = self._client()
                self._connect(client)
                self._listen(client)
            except (OSError, ValueError, Malformed, _Broken) as error:
                self._counters["failures"] += 1
                self._complaints.say("broker", "connection", f"{self._broker.shown}: {error}")
            finally:
                self._connected.clear()
                if client is not None:
                    _drop(client)
            if not self._stopped.is_set():
                self._stopped.wait(self._backoff.next_s())

    def _client(self) -> _Client:
        client = _Client(self._client_id, self._broker.old)
        if self._broker.user is not None:
            client.username_pw_set(self._broker.user, self._broker.password)
        if self._broker.tls:
            client.tls_set_context(self._broker.context())
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        return client

    def _connect(self, client: _Client) -> None:
        self._refused = None
        client.connect_timeout = 5.0
        if self._broker.old:
            client.connect(self._broker.host, self._broker.port, KEEPALIVE_S)
            return
        properties: Any = cast(Any, Properties)(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = self._broker.session_s
        properties.ReceiveMaximum = IN_FLIGHT_MOST
        properties.MaximumPacketSize = MOST_PACKET_BYTES
        client.connect(self._broker.host, self._broker.port, KEEPALIVE_S, clean_start=False, properties=properties)

    def _listen(self, client: _Client) -> None:
        """Until the connection breaks (raises) or `stop`. Reads all that has arrived, then stores, then waits."""
        arrived, first_s = client.arrived, 0.0
        while not self._stopped.is_set():
            if len(arrived) < BATCH_MOST and client.wait(LINGER_MS if arrived else POLL_MS):
                if not arrived:
                    first_s = time.monotonic()
                _check(client.loop_read())
                if arrived and len(arrived) < BATCH_MOST and time.monotonic() - first_s < GATHER_S:
                    continue
            if arrived:
                self._store(client)
            if self._orders and self.connected:
                self._obey(client)
            _check(client.loop_misc())
            if self._refused:
                raise _Broken(self._refused)
        client.disconnect()

    def _store(self, client: _Client) -> None:
        publishes = client.arrived[:BATCH_MOST]
        now = self._clock()
        batch = [self._message(publish, now) for publish in publishes]
        try:
            self._on_batch(batch)
        except Exception as error:
            # Whatever the store's reason: unacknowledged, the broker delivers the batch again.
            raise _Broken(f"{len(batch)} messages could not be stored ({type(error).__name__}: {error})") from error
        mids = [publish.mid for publish in publishes if publish.mid]
        client.acknowledge(mids)
        self._counters["acknowledged"] += len(mids)
        self._counters["messages"] += len(batch)
        self._counters["batches"] += 1
        del client.arrived[: len(publishes)]

    def _obey(self, client: _Client) -> None:
        while self._orders:
            order = self._orders.popleft()
            _check(client.publish(order.topic, order.payload, qos=0).rc)
            order.taken.set()
            self._counters["commands"] += 1

    def _message(self, publish: Publish, now: datetime) -> Message:
        known = self._forms.get(publish.topic)
        if known is None:
            if len(self._forms) >= _KNOWN_TOPICS:
                self._forms.clear()
            known = self._forms[publish.topic] = self._form(publish.topic)
        return Message(known[0], publish.payload, now, publish.retained, known[1])

    def _form(self, topic: bytes) -> tuple[str, str]:
        """(topic, format of its payloads)."""
        try:
            text = topic.decode()
        except UnicodeDecodeError:
            return "", ""  # of no format: named as unreadable, and acknowledged like any other
        return text, next((name for wanted, name in self._topics.items() if topic_matches(wanted, text)), "")

    # paho calls these from loop_read, in the listener's thread.

    def _on_connect(self, client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        if reason.is_failure:
            self._refused = f"refused: {reason}"
            if reason == "Unsupported protocol version":
                self._refused += "; a broker of MQTT 3.1.1 needs ?protocol=3.1.1 at the end of its address"
            return
        self._counters["connections"] += 1
        # What the broker retains comes with the first subscription of a session, not again at each reconnect.
        once = SubscribeOptions.RETAIN_SEND_IF_NEW_SUB
        options: Any = 1 if self._broker.old else SubscribeOptions(qos=1, retainHandling=once)
        group = self._broker.share
        client.subscribe([(f"$share/{group}/{t}" if t in self._shared else t, options) for t in self._topics])

    def _on_subscribe(
        self, _client: paho.Client, _data: Any, _mid: int, reasons: list[ReasonCode], _properties: Any
    ) -> None:
        refused = [topic for topic, reason in zip(self._topics, reasons, strict=False) if reason.is_failure]
        if refused:
            self._refused = f"the subscription to {', '.join(refused)} was refused"
            return
        self._backoff.reset()
        self._connected.set()

    def _on_disconnect(
        self, _client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        if reason.is_failure and not self._refused:
            self._refused = f"the connection ended: {reason}"


class _Client(paho.Client):
    """paho, which signs in, subscribes and keeps alive, but never sees the messages: they are cut out before it.

    It asks `_sock_recv` for the bytes of one packet after the other; messages among them would cost it 26 µs each.
    """

    def __init__(self, client_id: str, old: bool) -> None:
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id,
            clean_session=False if old else None,
            protocol=paho.MQTTv311 if old else paho.MQTTv5,
        )
        self.arrived: list[Publish] = []
        self.most = BATCH_MOST
        self._sent: dict[int, ReasonCode] = {}
        self.on_publish = self._published
        self._old = old
        self._bytes = bytearray()
        self._due = 0
        """What is left of the packet that paho is reading."""
        self._left = False
        """Whether something came together with the packet that paho read last."""

    def _sock_recv(self, bufsize: int) -> bytes:
        self._left = False
        while not self._due:
            found, used, length = cut(self._bytes, self._old)
            self.arrived += found
            del self._bytes[:used]
            if length and len(self._bytes) >= length:
                self._due = length
                break
            if len(self.arrived) >= self.most:
                raise BlockingIOError
            data: bytes = super()._sock_recv(_READ_BYTES)
            if not data:
                return data
            self._bytes += data
        taken = bytes(self._bytes[: min(bufsize, self._due)])
        del self._bytes[: len(taken)]
        self._due -= len(taken)
        self._left = not self._due and bool(self._bytes)
        return taken

    def wait(self, most_ms: int) -> bool:
        """Whether there is something to read; sends meanwhile what waits to be sent. Raises _Broken, OSError."""
        socket: Any = self.socket()
        if socket is None:
            raise _Broken("no connection")
        # Neither what was read already nor what TLS holds is seen by poll().
        if self._left or getattr(socket, "pending", lambda: 0)():
            return True
        poller = select.poll()
        poller.register(socket, select.POLLIN | (select.POLLOUT if self.want_write() else 0))
        flags = next((flags for _fd, flags in poller.poll(most_ms)), 0)
        if flags & select.POLLOUT:
            _check(self.loop_write())
        return bool(flags & (select.POLLIN | select.POLLHUP | select.POLLERR))

    def send(self, parcels: Sequence[tuple[str, bytes]]) -> None:
        """Publish and wait for the broker's word. Raises _Broken. What arrives meanwhile waits behind."""
        self.most = len(self.arrived) + 10 * IN_FLIGHT_MOST
        waiting = {self.publish(topic, data, qos=1).mid: topic for topic, data in parcels}
        deadline_s = time.monotonic() + KEEPALIVE_S
        while waiting:
            if self.wait(POLL_MS):
                _check(self.loop_read())
            _check(self.loop_misc())
            for mid in waiting.keys() & self._sent.keys():
                topic, reason = waiting.pop(mid), self._sent.pop(mid)
                if reason.is_failure or reason == "No matching subscribers":
                    raise _Broken(f"{topic} did not reach its worker ({reason}): is it running?")
            if time.monotonic() > deadline_s:
                raise _Broken("the broker does not acknowledge what is passed on to other workers")
        self.most = BATCH_MOST

    def _published(self, _client: Any, _data: Any, mid: int, reason: ReasonCode, _properties: Any) -> None:
        self._sent[mid] = reason

    def acknowledge(self, mids: list[bytes]) -> None:
        """All at once. Raises _Broken where the broker does not take them for long."""
        data = acknowledgements(mids)
        deadline_s = time.monotonic() + KEEPALIVE_S
        while data:
            if self.want_write():  # a packet of paho's that is half on its way goes first
                _check(self.loop_write())
            else:
                try:
                    data = data[self._sock_send(data) :]
                    continue
                except BlockingIOError:
                    pass
            if time.monotonic() > deadline_s:
                raise _Broken("the broker takes no acknowledgements")
            select.select([], [cast(Any, self.socket())], [], 1.0)


class _Broken(Exception):
    """This connection is no good any more."""


def _check(code: MQTTErrorCode) -> None:
    if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
        raise _Broken(paho.error_string(code))


def _drop(client: paho.Client) -> None:
    """Close the socket without a word more."""
    socket: Any = client.socket()
    if socket is not None:
        socket.close()


def topic_matches(topic_filter: str, topic: str) -> bool:
    """MQTT 5 §4.7, with the `$share/GROUP/` of a shared subscription taken off."""
    if topic_filter.startswith("$share/"):
        topic_filter = topic_filter.split("/", 2)[2]
    return paho.topic_matches_sub(topic_filter, topic)
