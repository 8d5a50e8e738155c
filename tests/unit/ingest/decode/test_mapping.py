"""Mapping profiles: what they read, and every mistake in one named with file, key, value and what is allowed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from ingest.errors import PayloadError
from ingest.reading import Reading
from ingest.sensors.decode import Decoders
from ingest.sensors.decode.jsonpath import JsonPath
from ingest.sensors.decode.mapping import MappingError, MappingProfile, load_mappings
from tests.samples.readings import MAPPINGS, NOW

AT = datetime(2026, 11, 23, 2, 15, 4, tzinfo=UTC)


def profile(**changes: Any) -> MappingProfile:
    stanza = {"id": "v", "device": "$.id", "readings": [{"prop": "depth_cm", "path": "$.d"}], **changes}
    return MappingProfile.from_stanza({k: v for k, v in stanza.items() if v is not ...}, "v.yaml")


def read(made: MappingProfile, message: Any, topic: str = "push/v/7") -> list[Reading]:
    return [*made(topic, json.dumps(message).encode(), NOW)]


def one(made: MappingProfile, message: Any, topic: str = "push/v/7") -> Reading:
    (reading,) = read(made, message, topic)
    return reading


@pytest.mark.parametrize(
    ("field", "said", "value", "unit"),
    [
        ({"prop": "depth_cm", "unit": "mm"}, 152, 15.2, "cm"), ({"prop": "depth_cm", "unit": "m"}, "0.152", 15.2, "cm"),
        ({"prop": "fill_pct", "unit": "fraction"}, 0.93, 93.0, "%"),
        ({"prop": "temperature", "scale": 0.1}, 45, 4.5, "degC"),
        ({"prop": "temperature", "unit": "°F"}, 68, 20.0, "degC"),
        ({"prop": "x", "scale": 2, "offset": -1}, 3, 5.0, ""),
        ({"prop": "open", "words": {True: 0, False: 1}}, True, 0.0, ""),
        ({"prop": "open", "words": {"开": 1}}, "开", 1.0, ""),
        ({"prop": "level", "unit": "kPa"}, 3, 3.0, "kPa"), ({"prop": "open"}, "OPEN", 1.0, ""),
    ],
)  # fmt: skip
def test_values_units_and_words(field: dict[str, Any], said: object, value: float, unit: str) -> None:
    reading = one(profile(readings=[{"path": "$.d", **field}]), {"id": "a", "d": said})
    assert (reading.value, reading.unit) == (value, unit)


@pytest.mark.parametrize(
    ("time", "said"),
    [
        ("$.t", 1795400104), ("$.t", "1795400104000"), ("$.t", "20261123101504"), ("$.t", "2026-11-23 10:15:04"),
        ({"path": "$.t", "as": "s"}, "1795400104"), ({"path": "$.t", "as": "ms"}, 1795400104000),
        ({"path": "$.t", "as": "iso"}, "2026-11-23T02:15:04Z"),
        ({"path": "$.t", "as": "%d/%m/%Y %H.%M.%S"}, "23/11/2026 10.15.04"),
        ({"path": "$.t", "as": "iso", "zone": "UTC"}, "2026-11-23T02:15:04"),
    ],
)  # fmt: skip
def test_times(time: object, said: object) -> None:
    assert one(profile(time=time), {"id": "a", "d": 1, "t": said}).observed_at == AT


def test_devices_from_paths_and_from_topics() -> None:
    assert one(profile(), {"id": 17, "d": 1}).device == "17"
    assert one(profile(device=2), {"d": 1}).device == "v"
    assert one(profile(device=-1), {"d": 1}).device == "7"
    with pytest.raises(PayloadError, match="no level 9"):
        read(profile(device=9), {"d": 1})


def test_each_record_has_readings_of_its_own() -> None:
    made = profile(each="$.rows[*]", device="@.id", time="$.t", readings=[{"prop": "depth_cm", "path": "@.d"}])
    found = read(
        made, {"t": 1795400104, "rows": [{"id": "a", "d": 1}, {"id": "b", "d": 2}, {"id": "c"}, {"id": "a", "d": 1}]}
    )
    assert [(r.device, r.value, r.observed_at) for r in found] == [("a", 1, AT), ("b", 2, AT), ("a", 1, AT)]


def test_keys() -> None:
    made = profile(key="$.n", time="$.t")
    first = one(made, {"id": "a", "d": 1, "n": 5, "t": 1795400104})
    assert one(made, {"id": "a", "d": 1, "n": 5, "t": 1795400104, "more": 1}).key == first.key
    assert one(made, {"id": "a", "d": 1, "n": 6, "t": 1795400104}).key != first.key
    assert one(made, {"id": "a", "d": 1, "n": 5, "t": 1795400105}).key != first.key, "platforms that always say -1"


def test_a_count_that_stands_still_or_begins_anew_hides_no_message() -> None:
    """The second opening of a cover was dropped as the first one, delivered again."""
    made = profile(key="$.n")
    where = ("push/x", json.dumps({"id": "a", "d": 1, "n": -1}).encode())
    first, again, later = (made(*where, NOW + timedelta(seconds=s))[0].key for s in (0, 5, 7200))
    assert first == again
    assert later != first
    assert one(made, {"id": "a", "d": 2, "n": -1}).key != one(made, {"id": "a", "d": 1, "n": -1}).key


def test_battery_signal_and_sequence() -> None:
    made = profile(battery={"path": "$.b", "scale": 0.1}, rssi="$.s", seq="$.n")
    level, battery = read(made, {"id": "a", "d": 1, "b": 870, "s": "-98", "n": 4})
    assert (level.battery_pct, level.rssi_dbm, level.seq) == (87.0, -98.0, 4)
    assert (battery.prop, battery.value, battery.unit) == ("battery_pct", 87.0, "%")


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"id": "a", "d": "deep"}, ["push/v/7", "mapping v", "$.d", "'deep'", "a number"]),
        ({"d": 3}, ["mapping v", "no device id"]), ({"id": "a"}, ["none of $.d in it"]), ([], ["none of $.d in it"]),
    ],
)  # fmt: skip
def test_messages_that_do_not_fit_are_named(message: object, words: list[str]) -> None:
    with pytest.raises(PayloadError) as refused:
        read(profile(), message)
    assert all(word in str(refused.value) for word in words), str(refused.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"id": ...}, ["v.yaml: id: 'None'", "a text"]), ({"devise": 1}, ["devise", "no such key", "device"]),
        ({"device": "id"}, ["device: 'id'", "the level of the topic", "begins with $"]),
        ({"device": "$.a[*]"}, ["device", "a path to one value"]), ({"device": "$.a b"}, ["device", "' b'"]),
        ({"readings": []}, ["readings: '[]'", "{prop, path"]), ({"readings": [3]}, ["readings[0]: '3'"]),
        ({"readings": [{"prop": "x"}]}, ["readings[0].path"]), ({"readings": [{"path": "$.x"}]}, ["readings[0].prop"]),
        ({"readings": [{"prop": "depth_cm", "path": "$.x", "unit": "kg"}]}, ["readings[0].unit: 'kg'", "cm, or what"]),
        ({"readings": [{"prop": "depth_cm", "path": "$.x", "unit": "ell"}]}, ["'ell'", "mm", "degC"]),
        ({"readings": [{"prop": "a", "path": "$.x", "scale": "two"}]}, ["readings[0].scale: 'two'", "a number"]),
        ({"readings": [{"prop": "a", "path": "$.x", "words": {"full": "x"}}]}, ["readings[0].words.full"]),
        ({"readings": [{"prop": "a", "path": "$.x"}] * 2}, ["readings[1].prop", "each property once"]),
        ({"time": {"path": "$.t", "as": "stardate"}}, ["time.as: 'stardate'", "auto, iso, s, ms"]),
        ({"time": {"path": "$.t", "zone": "Mars/X"}}, ["time.zone: 'Mars/X'", "Asia/Shanghai"]),
        ({"time": 3}, ["time: '3'", "{path, as, zone}"]), ({"battery": {"path": "$.b", "unit": "%"}}, ["battery.unit"]),
    ],
)  # fmt: skip
def test_mistakes_are_named(changes: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(MappingError) as wrong:
        profile(**changes)
    assert all(word in str(wrong.value) for word in words), str(wrong.value)
    assert all(line.startswith("v.yaml: ") for line in wrong.value.problems)


def test_all_mistakes_of_all_files_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("id: b\ndevice: $.id\nreadings: [{prop: x, path: $.x}]\n")
    (tmp_path / "c.yaml").write_text("id: c\ndevice: id\nreadings: 3\n")
    (tmp_path / "d.yaml").write_text("id: [")
    (tmp_path / "e.yaml").write_text("- 1")
    with pytest.raises(MappingError) as wrong:
        load_mappings(tmp_path)
    files = [Path(line.split(": ")[0]).stem for line in wrong.value.problems]
    assert files == ["a", "c", "c", "d", "e"]


def test_the_shipped_profiles_travel_as_json() -> None:
    shipped = load_mappings(MAPPINGS)
    assert shipped
    for name, made in shipped.items():
        assert MappingProfile.from_json(made.to_json()).to_json() == made.to_json()
        assert yaml.safe_load((MAPPINGS / f"{name}.yaml").read_text())["id"] == name


def test_a_format_that_nobody_knows() -> None:
    for form in ("lorawan", "{}", "[1]"):
        with pytest.raises(PayloadError, match="unknown payload format"):
            Decoders().decode(form, "t", b"{}", NOW)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", [{"a": [{"n": "x", "v": 1}, {"n": "y", "v": 2}], "b c": {"d": '{"e": [5]}'}}]), ("$.a[0].v", [1]),
        ("$.a[-1].v", [2]), ("$.a[*].v", [1, 2]), ("$.a.*.v", [1, 2]), ("$['b c'].d.e[0]", [5]),
        ("$.a[?@.n == 'y'].v", [2]),
        ("$.a[?(@.v==1)].n", ["x"]), ("$.a[7]", []), ("$.a.v", []), ("$.z", []),
    ],
)  # fmt: skip
def test_paths(path: str, found: list[object]) -> None:
    message = {"a": [{"n": "x", "v": 1}, {"n": "y", "v": 2}], "b c": {"d": '{"e": [5]}'}}
    assert list(JsonPath(path).all(message, message)) == found


@pytest.mark.parametrize("path", ["", "a", "$a", "$.", "$..a", "$.a[", "$.a[x]", "$.a[1:2]", "$" + ".a" * 40])
def test_paths_that_are_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"path|steps"):
        JsonPath(path)
