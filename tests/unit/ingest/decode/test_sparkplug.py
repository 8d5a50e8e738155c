"""Sparkplug B: births explain aliases, gaps and deaths are noticed, and what is remembered has bounds."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import PayloadError
from ingest.reading import Quality, Reading
from ingest.sensors.decode import sparkplug, tahu
from ingest.sensors.decode.said import Presence, RebirthWanted, Said
from ingest.sensors.decode.sparkplug import Sparkplug
from tests.samples.readings import NOW
from tests.samples.tahu import metric, payload, read

NODE = "spBv1.0/g/{}/n"
DEVICE = "spBv1.0/g/{}/n/d"
FLOAT, INT8, INT32, INT64, BOOL, TEXT = 9, 1, 3, 4, 11, 12


class Host:
    """Feeds one decoder."""

    def __init__(self) -> None:
        self.decoder = Sparkplug()
        self.now = NOW

    def node(self, kind: str, *metrics: dict[str, Any], **more: Any) -> list[Said]:
        return self.decoder(NODE.format(kind), payload(*metrics, **more), self.now)

    def device(self, kind: str, *metrics: dict[str, Any], **more: Any) -> list[Said]:
        return self.decoder(DEVICE.format(kind), payload(*metrics, **more), self.now)

    def born(self, bd_seq: int = 0) -> None:
        self.node("NBIRTH", metric(bd_seq, INT64, name="bdSeq"), metric(20.0, FLOAT, name="t", alias=1), seq=0)
        self.device("DBIRTH", metric(1.0, FLOAT, name="level_cm", alias=2), seq=1)


def values(said: list[Said]) -> dict[str, float]:
    return {r.prop: r.value for r in said if isinstance(r, Reading)}


def wanted(said: list[Said]) -> list[RebirthWanted]:
    return [one for one in said if isinstance(one, RebirthWanted)]


def test_births_are_readings_too_and_controls_are_not() -> None:
    said = Host().node(
        "NBIRTH",
        metric(4, INT64, name="bdSeq"),
        metric(False, BOOL, name="Node Control/Rebirth"),
        metric("1.4", TEXT, name="temperature"),
        metric("v1", TEXT, name="fw"),
        metric(None, FLOAT, name="humidity"),
        metric(1795400000000, 13, name="installed"),
        seq=0,
    )
    assert values(said) == {"temperature": 1.4}
    assert next(one for one in said if isinstance(one, Presence)).online


@pytest.mark.parametrize(
    ("value", "datatype", "found"),
    [(-5, INT8, -5.0), (-5, INT32, -5.0), (-5, INT64, -5.0), (200, 5, 200.0), (True, BOOL, 1.0), (2.5, 10, 2.5)],
)  # fmt: skip
def test_datatypes_are_those_of_the_birth(value: Any, datatype: int, found: float) -> None:
    host = Host()
    host.node("NBIRTH", metric(value, datatype, name="x", alias=9), seq=0)
    assert values(host.node("NDATA", metric(value, datatype, said=False, alias=9), seq=1)) == {"x": found}


def test_data_before_a_birth() -> None:
    host = Host()
    said = host.device("DDATA", metric(3.0, FLOAT, alias=2), metric(4.0, FLOAT, name="level_cm"), seq=9)
    assert values(said) == {"level_cm": 4.0}, "what has a name can be read"
    (ask,) = wanted(said)
    assert (ask.node, ask.topic, ask.why) == ("g/n", "spBv1.0/g/NCMD/n", "no birth of this edge node was seen")
    request = read(ask.payload)
    assert (request.metrics[0].name, request.metrics[0].datatype) == ("Node Control/Rebirth", BOOL)
    assert request.metrics[0].boolean_value is True
    assert request.timestamp == int(NOW.timestamp() * 1000)


def test_the_birth_of_a_device_is_enough_for_its_own_aliases() -> None:
    host = Host()
    assert wanted(host.device("DBIRTH", metric(1.0, FLOAT, name="level_cm", alias=2), seq=1))
    assert values(host.device("DDATA", metric(2.0, FLOAT, alias=2), seq=2)) == {"level_cm": 2.0}
    host.node("NDEATH")
    assert values(host.device("DDATA", metric(2.0, FLOAT, alias=2), seq=3)) == {}


def test_a_rebirth_is_asked_for_once_a_minute() -> None:
    host = Host()
    asked = []
    for second in (0, 1, 30, 61, 62):
        host.now = NOW + timedelta(seconds=second)
        asked += [second] * len(wanted(host.node("NDATA", metric(1.0, FLOAT, alias=1), seq=second)))
    assert asked == [0, 61]


def test_after_a_gap_aliases_are_read_and_the_gap_is_told() -> None:
    host = Host()
    host.born()
    assert not wanted(host.device("DDATA", metric(2.0, FLOAT, alias=2), seq=2))
    said = host.device("DDATA", metric(3.0, FLOAT, alias=2), seq=5)
    assert [ask.why for ask in wanted(said)] == ["message 3 was expected, 5 came"]
    assert values(said) == {"level_cm": 3.0}
    assert not wanted(host.device("DDATA", metric(3.0, FLOAT, alias=2), seq=6)), "the count goes on from there"


def test_the_count_goes_round() -> None:
    host = Host()
    host.born()
    for n in range(2, 600):
        assert not wanted(host.node("NDATA", metric(1.0, FLOAT, alias=1), seq=n % 256))


def test_redelivered_messages_are_no_gap_and_have_the_same_keys() -> None:
    host = Host()
    host.born()
    sent = [(metric(float(n), FLOAT, alias=2), {"seq": n, "timestamp": 1795400104000 + n}) for n in range(2, 8)]
    first = [host.device("DDATA", m, **more) for m, more in sent]
    again = [host.device("DDATA", m, **more) for m, more in sent]
    assert not [ask for said in again for ask in wanted(said)]
    assert again == first
    assert not wanted(host.device("DDATA", metric(8.0, FLOAT, alias=2), seq=8, timestamp=1795400104008))


def test_an_alias_of_another_datatype_is_not_trusted() -> None:
    host = Host()
    host.born()
    said = host.device("DDATA", metric(3, INT32, alias=2), seq=2)
    assert values(said) == {}
    assert "aliases" in wanted(said)[0].why


def test_a_new_birth_gives_aliases_new_meanings() -> None:
    host = Host()
    host.born()
    host.node("NBIRTH", metric(1, INT64, name="bdSeq"), metric(1.0, FLOAT, name="wind", alias=2), seq=0)
    assert values(host.node("NDATA", metric(3.0, FLOAT, alias=2), seq=1)) == {"wind": 3.0}
    assert values(host.device("DDATA", metric(3.0, FLOAT, alias=2), seq=2)) == {}, "the device has not been born again"


def test_deaths() -> None:
    host = Host()
    host.born(bd_seq=7)
    assert host.node("NDEATH", metric(6, INT64, name="bdSeq")) == [], "the will of an older connection"
    dead = host.node("NDEATH", metric(7, INT64, name="bdSeq"))
    assert [(p.device, p.online) for p in dead if isinstance(p, Presence)] == [("g/n", False), ("g/n/d", False)]
    assert wanted(host.device("DDATA", metric(3.0, FLOAT, alias=2), seq=2))


def test_a_device_dies_alone() -> None:
    host = Host()
    host.born()
    (gone,) = host.device("DDEATH", seq=2)
    assert gone == Presence("g/n/d", False, datetime.fromtimestamp(1795400104, NOW.tzinfo), "DDEATH")
    assert "birth of the device d" in wanted(host.device("DDATA", metric(3.0, FLOAT, alias=2), seq=3))[0].why
    assert not wanted(host.node("NDATA", metric(1.0, FLOAT, alias=1), seq=4))


def test_values_that_were_buffered_keep_their_times() -> None:
    host = Host()
    host.born()
    rows = [
        metric(float(n), FLOAT, alias=2, is_historical=True, timestamp=1795400104000 - n * 3600_000) for n in (2, 1)
    ]
    found = [r for r in host.device("DDATA", *rows, seq=2) if isinstance(r, Reading)]
    assert [(r.value, r.quality) for r in found] == [(2.0, Quality.LATE), (1.0, Quality.LATE)]
    assert len({r.key for r in found}) == 2


def test_units_are_converted() -> None:
    host = Host()
    host.node("NBIRTH", metric(0.25, FLOAT, name="level_cm", alias=1, unit="m"), seq=0)
    (reading,) = [r for r in host.node("NDATA", metric(0.5, FLOAT, alias=1), seq=1) if isinstance(r, Reading)]
    assert (reading.value, reading.unit, reading.seq) == (50.0, "cm", 1)


@pytest.mark.parametrize("topic", ["spBv1.0/STATE/host", "spBv1.0/g/NCMD/n", "spBv1.0/g/DCMD/n/d"])
def test_what_is_said_to_nodes_is_nothing_to_us(topic: str) -> None:
    assert Sparkplug()(topic, b"{}", NOW) == []


@pytest.mark.parametrize(
    ("topic", "data", "word"),
    [
        ("spAv1.0/g/NDATA/n", b"", "no topic of Sparkplug B"), ("spBv1.0/g/NDATA", b"", "no topic"),
        ("spBv1.0/g/NDATA/n/d", b"", "of a node"), ("spBv1.0/g/DDATA/n", b"", "needs a device"),
        ("spBv1.0/g/NDATA/n", b'{"metrics": []}', "not a Sparkplug B payload"),
        ("spBv1.0/g/NDATA/n", b"\x08\xff\xff", "without an end"), ("spBv1.0/g/NDATA/n", b"\x12\x7f", "127 bytes"),
        ("spBv1.0/g/NDATA/n", b"\x18\xac\x02", "seq: 300"),
        ("spBv1.0/g/NDATA/n", b"\x22\x12SPBV1.0_COMPRESSED", "compressed"),
    ],
)  # fmt: skip
def test_refusals(topic: str, data: bytes, word: str) -> None:
    with pytest.raises(PayloadError, match=word):
        Sparkplug()(topic, data, NOW)


CAPTURED = (
    (
        "NBIRTH/pump-st-02",
        "08cd8ffbeaa03412190a06757074696d65100118c98ffbeaa034200350fdffffff0f12120a02667718c98ffbeaa034200c7a"
        "03312e3212120a05626453657118ca8ffbeaa034200458001800",
    ),
    (
        "DBIRTH/pump-st-02/level1",
        "08cd8ffbeaa03412200a0e77617465725f6c6576656c5f636d100318ca8ffbeaa0342009650000cc4112140a05736d6f6b65"
        "100418ca8ffbeaa034200b700012230a0b496e707574732f666c6f77100518ca8ffbeaa034200458f4ffffffffffffffff01"
        "12150a016418ca8ffbeaa034200a69000000000000d03f1801",
    ),
    (
        "DDATA/pump-st-02/level1",
        "08b797fbeaa03412200a0e77617465725f6c6576656c5f636d100318b797fbeaa0342009650000da411802",
    ),
    (
        "NDATA/pump-st-02",
        "08b797fbeaa03412150a06757074696d65100118b797fbeaa034200350051803",
    ),
)
"""What the client pysparkplug 0.6.1 published through Mosquitto: an edge node, a device, one change of each."""


def test_messages_of_an_unmodified_client() -> None:
    decoder, now = Sparkplug(), datetime(2026, 11, 24, 11, 44, 8, tzinfo=NOW.tzinfo)
    said = [one for kind, data in CAPTURED for one in decoder(f"spBv1.0/xifeng/{kind}", bytes.fromhex(data), now)]
    assert [(r.prop, r.value) for r in said if isinstance(r, Reading)] == [
        ("uptime", -3.0), ("fw", 1.2), ("water_level_cm", 25.5), ("smoke", 0.0), ("inputs_flow", -12.0), ("d", 0.25),
        ("water_level_cm", 27.25), ("uptime", 5.0),
    ]  # fmt: skip
    assert not wanted(said)


def test_what_is_remembered_has_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparkplug, "MOST_NODES", 5)
    monkeypatch.setattr(sparkplug, "MOST_METRICS", 60)
    monkeypatch.setattr(sparkplug, "MOST_METRICS_A_NODE", 20)
    monkeypatch.setattr(sparkplug, "MOST_DEVICES_A_NODE", 3)
    decoder, births = Sparkplug(), [metric(1.0, FLOAT, name=f"m{n}", alias=n) for n in range(100)]
    for n in range(50):
        decoder(f"spBv1.0/g/NBIRTH/n{n}", payload(*births, seq=0), NOW)
        nodes, metrics = decoder.held
        assert nodes <= 5
        assert metrics <= 60
    for n in range(3):
        decoder(f"spBv1.0/g/DBIRTH/n49/d{n}", payload(*births, seq=1), NOW)
    with pytest.raises(PayloadError, match="more than 3 devices"):
        decoder("spBv1.0/g/DBIRTH/n49/d3", payload(*births, seq=1), NOW)
    for _ in range(5):
        decoder("spBv1.0/g/DBIRTH/n49/d0", payload(*births, seq=1), NOW)
    assert decoder.held[1] <= 60
    assert decoder.held[1] == sum(len(node.names) + len(node.aliases) for node in decoder._nodes.values())


@given(
    st.integers(0, 2**64 - 1), st.text(max_size=30),
    st.integers(-(2**31), 2**31 - 1) | st.floats(width=32, allow_nan=False) | st.booleans() | st.text(max_size=30),
)  # fmt: skip
def test_our_reader_agrees_with_protobuf(alias: int, name: str, value: Any) -> None:
    datatype = {bool: BOOL, int: INT32, float: FLOAT, str: TEXT}[type(value)]
    data = payload(metric(value, datatype, name=name, alias=alias, timestamp=alias), seq=alias & 255)
    found, theirs = tahu.parse(data), read(data)
    (ours,) = found.metrics
    assert (ours.name, ours.alias, ours.time_ms, found.seq) == (name, alias, alias, theirs.seq)
    assert tahu.typed(ours, ours.datatype) == value


@given(st.binary(max_size=200))
def test_what_protobuf_refuses_our_reader_refuses_or_steps_over(data: bytes) -> None:
    try:
        tahu.parse(data)
    except tahu.NotTahu:
        return
