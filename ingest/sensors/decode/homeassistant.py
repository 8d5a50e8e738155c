"""`homeassistant`: MQTT discovery as Home Assistant defines it, and the state topics that it announces.

Source: home-assistant.io, "MQTT Discovery", "MQTT Sensor", "MQTT Binary sensor"; domain.md §8.2. What is announced is
told (Announced, for quarantine) and remembered, bounded, so that its state and availability topics can be read when a
topic filter brings them here. Discovery messages are retained: after a restart the broker sends them again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ...errors import PayloadError
from ...reading import Reading
from .origin import MOST_NAME, Origin, device_id
from .plain import load_object
from .said import Announced, Presence, Said
from .template import Template, TemplateError
from .times import judge
from .values import key_of, measure, name_of, number

MOST_ENTITIES = 20_000
_MOST_AT_ONCE = 200
_MOST_TEXT = 200
_MOST_TOPIC = 300
_SHORT = {
    "stat_t": "state_topic", "val_tpl": "value_template", "uniq_id": "unique_id", "dev": "device", "mdl": "model",
    "ids": "identifiers", "avty_t": "availability_topic", "avty": "availability", "t": "topic",
    "pl_on": "payload_on", "pl_off": "payload_off", "pl_avail": "payload_available", "p": "platform",
    "pl_not_avail": "payload_not_available", "dev_cla": "device_class", "unit_of_meas": "unit_of_measurement",
    "exp_aft": "expire_after", "cmps": "components", "avty_tpl": "availability_template",
}  # fmt: skip
"""Abbreviations that configurations may use."""
_UNKNOWN = ("None", "unknown", "unavailable", "")
_PROPS = {
    "door": "open", "garage_door": "open", "opening": "open", "window": "open", "moisture": "water",
    "occupancy": "occupied", "presence": "occupied", "motion": "motion", "pm25": "pm25", "pm10": "pm10",
    "sound_pressure": "noise_leq", "signal_strength": "rssi_dbm",
}  # fmt: skip
"""Device class -> property, where they are not called the same. An open door is `on`, as here."""


@dataclass(frozen=True, slots=True)
class _Entity:
    device: str
    prop: str
    channel: str
    unit: str
    binary: bool
    state_topic: str
    template: Template | None
    unreadable: str
    on: str
    off: str
    availability_topic: str
    here: str
    away: str


class HomeAssistant:
    """Decodes discovery and what was discovered; one object for each listener."""

    def __init__(self) -> None:
        self._by_config: OrderedDict[str, tuple[_Entity, ...]] = OrderedDict()
        self._configs_of: dict[str, dict[str, None]] = {}
        self._entities = 0

    @property
    def held(self) -> tuple[int, int]:
        """How many entities, and topics of theirs, are remembered."""
        return self._entities, len(self._configs_of)

    def __call__(self, topic: str, payload: bytes, received_at: datetime) -> list[Said]:
        """What one message says; PayloadError for a state that nothing announced, or that its template cannot read."""
        if is_config(topic):
            if len(topic) > _MOST_TOPIC:
                raise PayloadError(f"{topic[:60]}…: a topic of {len(topic)} characters, at most {_MOST_TOPIC}")
            self._forget(topic)
            return [*self._discovered(topic, payload)] if payload else []
        configs = self._configs_of.get(topic)
        if configs is None:
            raise PayloadError(f"{topic}: neither a discovery topic (…/COMPONENT/OBJECT/config) nor announced by one")
        entities = [entity for config in configs for entity in self._by_config[config]]
        said: dict[Said, None] = dict.fromkeys(_presence(topic, entities, payload, received_at))
        said.update(dict.fromkeys(_states(topic, entities, payload, received_at)))
        return [*said]

    def _discovered(self, topic: str, payload: bytes) -> Iterator[Announced]:
        found = list(_entities(topic, _long(load_object(topic, payload))))
        self._by_config[topic] = tuple(entity for entity, _ in found)
        self._entities += len(found)
        for entity, announced in found:
            for used in (entity.state_topic, entity.availability_topic):
                if used:
                    self._configs_of.setdefault(used, {})[topic] = None
            yield announced
        while self._entities > MOST_ENTITIES:
            self._forget(next(iter(self._by_config)))

    def _forget(self, config: str) -> None:
        for entity in self._by_config.pop(config, ()):
            self._entities -= 1
            for used in (entity.state_topic, entity.availability_topic):
                configs = self._configs_of.get(used, {})
                configs.pop(config, None)
                if used in self._configs_of and not configs:
                    del self._configs_of[used]


def is_config(topic: str) -> bool:
    """PREFIX/COMPONENT/[NODE/]OBJECT/config."""
    levels = topic.split("/")
    return levels[-1] == "config" and len(levels) >= 4


def _long(config: dict[str, Any]) -> dict[str, Any]:
    return {_SHORT.get(name, name): value for name, value in config.items()}


def _entities(topic: str, config: dict[str, Any]) -> Iterator[tuple[_Entity, Announced]]:
    """One of a component's own message, several of a device's message with `components`."""
    *_, outer, inner, object_id, _config = topic.split("/")
    component = outer if outer in _MEASURING else inner
    parts = config.get("components")
    if not isinstance(parts, dict):
        if "state_topic" in config and component in _MEASURING:
            yield _entity(topic, component, object_id, config)
        return
    if len(parts) > _MOST_AT_ONCE:
        raise PayloadError(f"{topic}: {len(parts)} components in one device, at most {_MOST_AT_ONCE}")
    shared = {name: value for name, value in config.items() if name != "components"}
    for name, part in parts.items():
        if isinstance(part, dict):
            whole = shared | _long(part)
            if whole.get("platform") in _MEASURING and "state_topic" in whole:
                yield _entity(topic, str(whole["platform"]), name, whole)


_MEASURING = ("sensor", "binary_sensor")
"""Components that measure; switches, lights and buttons are for commands, which the hub does not give."""


def _entity(topic: str, component: str, object_id: str, config: dict[str, Any]) -> tuple[_Entity, Announced]:
    about = config.get("device")
    about = _long(about) if isinstance(about, dict) else {}
    ids = about.get("identifiers")
    first = (ids[0] if ids else None) if isinstance(ids, list) else ids
    device = device_id(topic, first if first is not None else config.get("unique_id", object_id))
    device_class = _words(config, "device_class")
    name = _words(config, "name") or object_id
    binary = component == "binary_sensor"
    prop = _prop(device_class, binary) or name_of(object_id)[:MOST_NAME] or "value"
    template, unreadable = None, ""
    try:
        template = Template(_words(config, "value_template", 1000) or "{{ value }}")
    except TemplateError as error:
        unreadable = str(error)
    available = _availability(config)
    entity = _Entity(
        device, prop, name_of(object_id)[:MOST_NAME], _words(config, "unit_of_measurement", 32), binary,
        _topic(config, "state_topic"), template, unreadable,
        _words(config, "payload_on") or "ON", _words(config, "payload_off") or "OFF",
        _topic(available, "topic"), _words(available, "payload_available") or "online",
        _words(available, "payload_not_available") or "offline",
    )  # fmt: skip
    announced = Announced(
        device, prop, name, _words(about, "model"), entity.unit, entity.state_topic, entity.availability_topic,
        number(config.get("expire_after")), unreadable,
    )  # fmt: skip
    return entity, announced


def _prop(device_class: str, binary: bool) -> str:
    if device_class == "battery":
        return "battery_low" if binary else "battery_pct"
    return _PROPS.get(device_class, name_of(device_class)[:MOST_NAME])


def _availability(config: Mapping[str, Any]) -> dict[str, Any]:
    """The first of `availability`, or the keys that stand for it."""
    listed = config.get("availability")
    first = listed[0] if isinstance(listed, list) and listed else None
    if isinstance(first, dict):
        return {"~": config.get("~"), **_long(first)}
    keys = ("payload_available", "payload_not_available", "~")
    return {"topic": config.get("availability_topic"), **{key: config.get(key) for key in keys}}


def _topic(config: Mapping[str, Any], key: str) -> str:
    """`~` at the begin or end of a topic stands for the topic in the key `~`."""
    said, base = _words(config, key), _words(config, "~")
    if base and said.startswith("~"):
        said = base + said[1:]
    elif base and said.endswith("~"):
        said = said[:-1] + base
    return said


def _words(config: Mapping[str, Any], key: str, most: int = _MOST_TEXT) -> str:
    value = config.get(key)
    return value[:most] if isinstance(value, str) and value.isprintable() else ""


def _presence(topic: str, entities: list[_Entity], payload: bytes, received_at: datetime) -> Iterator[Presence]:
    said = payload[:_MOST_TEXT].decode("utf-8", "replace").strip()
    for entity in entities:
        if entity.availability_topic == topic and said in (entity.here, entity.away):
            yield Presence(entity.device, said == entity.here, received_at, "availability")


def _states(topic: str, entities: list[_Entity], payload: bytes, received_at: datetime) -> Iterator[Reading]:
    observed_at, quality = judge(None, received_at)
    for entity in entities:
        if entity.state_topic != topic:
            continue
        if entity.template is None:
            raise PayloadError(f"{topic}: value_template of {entity.device} {entity.prop}: {entity.unreadable}")
        value = entity.template.value(topic, payload)
        if str(value) in _UNKNOWN:
            continue
        if entity.binary:
            value = {entity.on: True, entity.off: False}.get(str(value), value)
        found = measure(topic, entity.prop, value)
        if found is not None:
            base = key_of(entity.device, topic, payload.hex(), int(received_at.timestamp()))
            origin = Origin(topic, entity.device, "homeassistant", received_at, observed_at, quality, base)
            channel = entity.channel if entity.channel != entity.prop else ""
            yield origin.reading(entity.prop, found, entity.unit, channel)
