"""Home Assistant discovery: announced devices, their states and availability, within bounds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ingest.errors import PayloadError
from ingest.reading import Reading
from ingest.sensors.decode import homeassistant
from ingest.sensors.decode.homeassistant import HomeAssistant
from ingest.sensors.decode.said import Announced, Presence, Said
from ingest.sensors.decode.template import Template, TemplateError
from tests.samples.readings import NOW

CONFIG = "homeassistant/{}/cab/config"


def said(decoder: HomeAssistant, topic: str, payload: Any) -> list[Said]:
    return decoder(topic, payload if isinstance(payload, bytes) else json.dumps(payload).encode(), NOW)


def announced(component: str = "sensor", **config: Any) -> tuple[HomeAssistant, Announced]:
    decoder = HomeAssistant()
    config = {"state_topic": "cab/state", "unique_id": "u1", **config}
    (one,) = said(decoder, CONFIG.format(component), config)
    assert isinstance(one, Announced)
    return decoder, one


def values(found: list[Said]) -> dict[str, tuple[float, str]]:
    return {r.prop: (r.value, r.unit) for r in found if isinstance(r, Reading)}


def test_what_is_announced() -> None:
    _, one = announced(
        name="Level", device_class="distance", unit_of_measurement="mm", expire_after=3600,
        availability=[{"topic": "cab/lwt"}], device={"identifiers": "c7", "model": "M"}, value_template="{{ value }}",
    )  # fmt: skip
    assert one == Announced("c7", "distance", "Level", "M", "mm", "cab/state", "cab/lwt", 3600.0, "")


def test_abbreviations_and_the_base_topic() -> None:
    config = {
        "~": "cab/0107", "stat_t": "~/state", "avty_t": "~/lwt", "uniq_id": "u", "dev": {"ids": ["c7"], "mdl": "M"},
        "val_tpl": "{{ value_json.t }}", "dev_cla": "temperature", "unit_of_meas": "°F", "pl_avail": "up",
        "pl_not_avail": "down",
    }  # fmt: skip
    decoder = HomeAssistant()
    (one,) = said(decoder, CONFIG.format("sensor/node"), config)
    assert isinstance(one, Announced)
    assert (one.state_topic, one.availability_topic, one.device) == ("cab/0107/state", "cab/0107/lwt", "c7")
    assert values(said(decoder, "cab/0107/state", {"t": "68"})) == {"temperature": (20.0, "degC")}
    assert said(decoder, "cab/0107/lwt", b"down") == [Presence("c7", False, NOW, "availability")]
    assert said(decoder, "cab/0107/lwt", b"online") == [], "no word of this device"


@pytest.mark.parametrize(
    ("device_class", "payload", "prop", "value"),
    [
        ("door", b"ON", "open", 1.0), ("window", b"OFF", "open", 0.0), ("moisture", b"ON", "water", 1.0),
        ("battery", b"ON", "battery_low", 1.0), ("smoke", b"OFF", "smoke", 0.0),
    ],
)  # fmt: skip
def test_binary_sensors(device_class: str, payload: bytes, prop: str, value: float) -> None:
    decoder, _ = announced("binary_sensor", device_class=device_class)
    assert values(said(decoder, "cab/state", payload)) == {prop: (value, "")}


def test_payloads_for_on_and_off_may_mean_the_opposite_of_their_words() -> None:
    decoder, _ = announced("binary_sensor", device_class="door", payload_on="0", payload_off="1")
    assert values(said(decoder, "cab/state", b"0")) == {"open": (1.0, "")}


def test_several_entities_of_one_topic_and_a_device_with_components() -> None:
    decoder = HomeAssistant()
    parts = {
        "t": {"p": "sensor", "device_class": "temperature", "value_template": "{{ value_json.t }}"},
        "h": {"p": "sensor", "device_class": "humidity", "value_template": "{{ value_json['h'] | float(0) }}"},
        "b": {"p": "sensor", "device_class": "battery", "value_template": "{{ value_json.bat / 10 }}"},
        "s": {"p": "switch", "command_topic": "x"},
    }
    config = {"device": {"identifiers": ["c7"]}, "state_topic": "cab/state", "components": parts}
    found = said(decoder, "homeassistant/device/cab/config", config)
    assert [one.prop for one in found if isinstance(one, Announced)] == ["temperature", "humidity", "battery_pct"]
    states = said(decoder, "cab/state", {"t": 21.5, "h": "40", "bat": 875})
    assert values(states) == {"temperature": (21.5, "degC"), "humidity": (40.0, "%"), "battery_pct": (87.5, "%")}
    assert len({r.key for r in states if isinstance(r, Reading)}) == 3


def test_unknown_states_and_missing_fields_are_no_readings() -> None:
    decoder, _ = announced(device_class="temperature", value_template="{{ value_json.t }}")
    for payload in ({"t": None}, {"t": "unknown"}, {"u": 3}, {"t": "unavailable"}):
        assert said(decoder, "cab/state", payload) == []


def test_a_template_that_computes_is_announced_as_unreadable() -> None:
    decoder, one = announced(value_template="{{ states('sensor.x') }}")
    assert "more than pick a value" in one.readable
    with pytest.raises(PayloadError, match="value_template of u1"):
        said(decoder, "cab/state", b"3")


def test_an_empty_configuration_takes_the_device_away() -> None:
    decoder, _ = announced(availability_topic="cab/lwt")
    assert decoder.held == (1, 2)
    assert said(decoder, CONFIG.format("sensor"), b"") == []
    assert decoder.held == (0, 0)
    with pytest.raises(PayloadError, match="nor announced"):
        said(decoder, "cab/state", b"3")


def test_switches_are_not_ours() -> None:
    assert said(HomeAssistant(), CONFIG.format("switch"), {"state_topic": "a", "command_topic": "b"}) == []


def test_what_is_remembered_has_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(homeassistant, "MOST_ENTITIES", 10)
    decoder = HomeAssistant()
    for n in range(40):
        config = {"unique_id": f"u{n}", "state_topic": f"s/{n}", "availability_topic": "one/lwt"}
        said(decoder, f"homeassistant/sensor/o{n}/config", config)
        said(decoder, f"homeassistant/sensor/o{n}/config", config)
        assert decoder.held[0] <= 10
        assert decoder.held[1] <= 11
    with pytest.raises(PayloadError, match="nor announced"):
        said(decoder, "s/0", b"3")
    assert said(decoder, "s/39", b"3")


@pytest.mark.parametrize(
    ("template", "payload", "value"),
    [
        ("{{ value }}", b" 3.5 ", "3.5"), ("{{value_json.a}}", b'{"a": 3}', 3),
        ("{{ value_json.a.b[1] }}", b'{"a":{"b":[1,2]}}', 2),
        ("{{ value_json['a b'] | float | round(1) }}", b'{"a b": "2"}', "2"),
        ("{{ value_json.t * 0.1 }}", b'{"t": 215}', 21.5),
        ("{{ (value_json.t | float / 10) | round(1) }}", b'{"t": "215"}', 21.5),
        ("{{ value | float / 10 }}", b"215", 21.5),
        ("{{ value_json.a.b }}", b'{"a": 3}', None), ("{{ value_json[0] }}", b'{"a": 3}', None),
        ("{{ value_json.a / 10 }}", b'{"a": "x"}', None),
    ],
)  # fmt: skip
def test_templates(template: str, payload: bytes, value: object) -> None:
    assert Template(template).value("t", payload) == value


@pytest.mark.parametrize(
    "template",
    [
        "",
        "{% if x %}",
        "{{ value_json.a if value_json.b else 1 }}",
        "{{ value.a }}",
        "{{ value / 0 }}",
        "x" + " " * 900,
    ],
)
def test_templates_that_are_refused(template: str) -> None:
    with pytest.raises(TemplateError):
        Template(template)
