"""`sparkplug`: Sparkplug B, whose data speak in aliases that only the last births explain.

Source: Eclipse Sparkplug 3.0, chapters 4 to 6; domain.md §8.2. The device is GROUP/NODE/DEVICE, or GROUP/NODE for what
the edge node measures itself. The state is one record an edge node, bounded; nodes that were silent longest make room.

Every message of a node carries the next of 256 sequence numbers. After a gap what is missing may have been a birth. The
aliases are then still read, because the hub is read-only and nobody may ever ask for the births again, but the gap is
told (RebirthWanted), and a metric whose datatype is not the one of its birth ends the trust in all aliases.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ...errors import PayloadError
from ...reading import Quality, Reading
from .origin import MOST_NAME, Origin, device_id
from .said import Presence, RebirthWanted, Said
from .tahu import DATETIME, Metric, NotTahu, Payload, parse, rebirth_request, typed
from .times import judge, parse_time
from .values import key_of, name_of, number

NAMESPACE = "spBv1.0"
MOST_NODES = 2000
MOST_METRICS_A_NODE = 5000
MOST_METRICS = 200_000
"""Of all nodes together."""
MOST_DEVICES_A_NODE = 1000
_MOST_TEXT = 200
_KNOWN = ("NBIRTH", "NDEATH", "NDATA", "DBIRTH", "DDEATH", "DDATA")
_QUIET = ("NCMD", "DCMD")
_ASKED_EVERY = timedelta(seconds=60)
_NEVER_SET = datetime(1970, 1, 1, tzinfo=UTC)
_ABOUT_NODE = ("bdSeq", "Node Control/", "Device Control/", "Node Info/", "Properties/")


@dataclass(slots=True)
class _Meaning:
    """What a birth said of one alias, or of one name."""

    device: str
    name: str
    datatype: int | None
    unit: str


@dataclass(slots=True)
class _Node:
    born: bool = False
    bd_seq: int | None = None
    seq: int | None = None
    last_ms: int = 0
    asked_at: datetime | None = None
    aliases: dict[int, _Meaning] = field(default_factory=dict)
    names: dict[tuple[str, str], _Meaning] = field(default_factory=dict)
    devices: dict[str, bool] = field(default_factory=dict)


def rebirth(node: str, at: datetime) -> tuple[str, bytes]:
    """(topic, payload) of the command by which the edge node GROUP/NODE tells its births again; QoS 0, not retained."""
    group, _, name = node.partition("/")
    return f"{NAMESPACE}/{group}/NCMD/{name}", rebirth_request(int(at.timestamp() * 1000))


def is_birth(topic: str) -> bool:
    """Whether messages on `topic` explain later ones."""
    levels = topic.split("/", 3)
    return levels[0] == NAMESPACE and len(levels) == 4 and levels[2] in ("NBIRTH", "DBIRTH")


class Sparkplug:
    """Decodes the messages of all edge nodes; one object for each listener."""

    def __init__(self) -> None:
        self._nodes: OrderedDict[tuple[str, str], _Node] = OrderedDict()
        self._metrics = 0

    @property
    def held(self) -> tuple[int, int]:
        """How many edge nodes, and metrics of all of them, are remembered."""
        return len(self._nodes), self._metrics

    def __call__(self, topic: str, payload: bytes, received_at: datetime) -> list[Said]:
        """What one message says. Raises PayloadError for what is no Sparkplug B; the state is then as it was."""
        group, kind, name, device = _parts(topic)
        if kind in _QUIET:
            return []
        whole_id = device_id(topic, f"{group}/{name}" + (f"/{device}" if device else ""))
        try:
            read = parse(payload)
        except NotTahu as error:
            raise PayloadError(f"{topic}: not a Sparkplug B payload ({error}): {payload[:40]!r}") from None
        if read.kind == "SPBV1.0_COMPRESSED":
            raise PayloadError(f"{topic}: a compressed payload; switch compression off at the edge node")
        if read.seq is not None and read.seq > 255:
            raise PayloadError(f"{topic}: seq: {read.seq} is not a number from 0 to 255")
        node = self._node(group, name)
        if device and device not in node.devices and len(node.devices) >= MOST_DEVICES_A_NODE:
            raise PayloadError(f"{topic}: more than {MOST_DEVICES_A_NODE} devices at one edge node")
        before = len(node.aliases) + len(node.names)
        said = _Turn(topic, f"{group}/{name}", whole_id, device, kind, read, received_at).told(node)
        self._make_room(len(node.aliases) + len(node.names) - before)
        return said

    def _make_room(self, more: int) -> None:
        self._metrics += more
        while len(self._nodes) > MOST_NODES or (self._metrics > MOST_METRICS and len(self._nodes) > 1):
            _, gone = self._nodes.popitem(last=False)
            self._metrics -= len(gone.aliases) + len(gone.names)

    def _node(self, group: str, name: str) -> _Node:
        node = self._nodes.setdefault((group, name), _Node())
        self._nodes.move_to_end((group, name))
        return node


def _parts(topic: str) -> tuple[str, str, str, str]:
    """(group, kind of message, node, device or nothing)."""
    levels = topic.split("/")
    if levels[:2] == [NAMESPACE, "STATE"]:
        return "", _QUIET[0], "", ""
    if levels[0] != NAMESPACE or not 4 <= len(levels) <= 5 or levels[2] not in (*_KNOWN, *_QUIET):
        raise PayloadError(
            f"{topic}: no topic of Sparkplug B; known: {NAMESPACE}/GROUP/{'|'.join(_KNOWN)}/NODE[/DEVICE]"
        )
    group, kind, name, device = levels[1], levels[2], levels[3], "/".join(levels[4:])
    if bool(device) != kind.startswith("D"):
        raise PayloadError(f"{topic}: {kind} {'is of a node, not of a device' if device else 'needs a device'}")
    return group, kind, name, device


@dataclass(slots=True)
class _Turn:
    """One message, and what it does to the state of its node."""

    topic: str
    node_id: str
    device_id: str
    device: str
    kind: str
    payload: Payload
    received_at: datetime

    def told(self, node: _Node) -> list[Said]:
        if self.kind == "NDEATH":
            return [*self._node_died(node)]
        said: list[Said] = []
        if self.kind == "NBIRTH":
            self._reborn(node)
        elif why := self._missing(node):
            said += self._asked(node, why)
        if self.payload.time_ms is not None:
            node.last_ms = max(node.last_ms, self.payload.time_ms)
        if self.kind == "DDEATH":
            node.devices[self.device] = False
            return [*said, Presence(self.device_id, False, self._at(), "DDEATH")]
        if self.kind in ("NBIRTH", "DBIRTH"):
            self._learn(node)
            said.append(Presence(self.device_id, True, self._at(), self.kind))
        measured = list(self._measured(node))
        unread = sum(isinstance(one, Metric) for one in measured)
        if unread:
            said += self._asked(node, f"{unread} metrics are named by aliases that no birth explained")
        return [*said, *(one for one in measured if isinstance(one, Reading))]

    def _at(self) -> datetime:
        return judge(_ms(self.payload.time_ms), self.received_at)[0]

    def _bd_seq(self) -> int | None:
        value = next((m.value for m in self.payload.metrics if m.name == "bdSeq"), None)
        return value if isinstance(value, int) else None

    def _reborn(self, node: _Node) -> None:
        node.aliases.clear()
        node.names.clear()
        node.devices.clear()
        node.born, node.bd_seq, node.seq, node.last_ms, node.asked_at = True, self._bd_seq(), self.payload.seq, 0, None

    def _node_died(self, node: _Node) -> Iterator[Presence]:
        """A will of a connection that has been replaced carries an old bdSeq and says nothing any more."""
        bd_seq = self._bd_seq()
        if node.born and None not in (bd_seq, node.bd_seq) and bd_seq != node.bd_seq:
            return
        node.born, node.seq = False, None
        node.aliases.clear()
        yield Presence(self.node_id, False, self.received_at, "NDEATH")
        for device, alive in node.devices.items():
            if alive:
                yield Presence(f"{self.node_id}/{device}", False, self.received_at, "NDEATH")
            node.devices[device] = False

    def _missing(self, node: _Node) -> str:
        """Why births should be asked for; empty where all is in order. Moves the expected number on."""
        seq, before = self.payload.seq, node.seq
        if not node.born:
            node.seq = seq
            return "no birth of this edge node was seen"
        if seq is None:
            return ""
        if before is not None and seq != (before + 1) % 256:
            repeated = self.payload.time_ms is not None and self.payload.time_ms < node.last_ms
            if seq == before or repeated:
                return ""
            node.seq = seq
            return f"message {(before + 1) % 256} was expected, {seq} came"
        node.seq = seq
        if self.kind in ("DDATA", "DDEATH") and not node.devices.get(self.device):
            return f"no birth of the device {self.device} was seen"
        return ""

    def _asked(self, node: _Node, why: str) -> Iterator[RebirthWanted]:
        """At most once a minute and node: asking more often would not bring the births sooner."""
        if node.asked_at is not None and timedelta() <= self.received_at - node.asked_at < _ASKED_EVERY:
            return
        node.asked_at = self.received_at
        topic, request = rebirth(self.node_id, self.received_at)
        yield RebirthWanted(self.node_id, topic, request, why, self.received_at)

    def _learn(self, node: _Node) -> None:
        if self.device:
            node.devices[self.device] = True
            node.names = {key: known for key, known in node.names.items() if key[0] != self.device}
            node.aliases = {key: known for key, known in node.aliases.items() if known.device != self.device}
        room = MOST_METRICS_A_NODE - max(len(node.names), len(node.aliases))
        for metric in self.payload.metrics[: max(0, room)]:
            if len(metric.name) > _MOST_TEXT or metric.name.startswith(_ABOUT_NODE):
                continue
            meaning = _Meaning(self.device, metric.name, metric.datatype, metric.unit[:_MOST_TEXT])
            node.names[self.device, metric.name] = meaning
            if metric.alias is not None:
                node.aliases[metric.alias] = meaning

    def _measured(self, node: _Node) -> Iterator[Reading | Metric]:
        """Readings; and every metric whose alias means nothing, as it is."""
        base = key_of(self.node_id, self.device, self.payload.seq, self.payload.time_ms)
        origin = Origin(
            self.topic, self.device_id, "sparkplug", self.received_at, self.received_at, Quality.OK, base,
            seq=self.payload.seq,
        )  # fmt: skip
        for metric in self.payload.metrics:
            meaning = self._meaning(node, metric)
            if meaning is None:
                yield metric
                continue
            datatype = metric.datatype if metric.datatype is not None else meaning.datatype
            # Of a birth with a hundred metrics, one that is no number costs only itself.
            found = number(typed(metric, datatype))
            prop = name_of(meaning.name)[:MOST_NAME]
            if found is None or not prop or datatype == DATETIME or meaning.name.startswith(_ABOUT_NODE):
                continue
            said = metric.time_ms if metric.time_ms is not None else self.payload.time_ms
            origin.observed_at, origin.quality = judge(_ms(said), self.received_at)
            # A node that buffered sends many values of one metric in one message.
            origin.base = base if said == self.payload.time_ms else f"{base}:{said}"
            yield origin.reading(prop, found, metric.unit or meaning.unit)

    def _meaning(self, node: _Node, metric: Metric) -> _Meaning | None:
        """Of a name, what the birth said or the metric itself says; of an alias, only what the birth said."""
        if metric.name:
            known = node.names.get((self.device, metric.name))
            return known or _Meaning(self.device, metric.name, metric.datatype, metric.unit)
        meaning = node.aliases.get(metric.alias) if metric.alias is not None else None
        if meaning is None or meaning.device != self.device:
            return None
        if None not in (metric.datatype, meaning.datatype) and metric.datatype != meaning.datatype:
            node.aliases.clear()
            return None
        return meaning


def _ms(value: int | None) -> datetime | None:
    """A time that no calendar holds is that of a clock that was never set."""
    return None if value is None else parse_time(value) or _NEVER_SET
