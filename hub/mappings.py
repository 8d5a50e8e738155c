"""Mapping profiles written in the screen: tried on a sample, saved with the topics they read, sent to the workers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from ingest.errors import PayloadError
from ingest.reading import Reading
from ingest.sensors.decode import FORMATS, Decoders
from ingest.sensors.decode.mapping import MappingError, MappingProfile

from .errors import BadMapping, Invalid, NotFound
from .house import Actor, House
from .store import Transaction
from .store import mapping_queries as ask
from .store.device_rows import MappingRow
from .wire import time_text

TEXT_MOST, SAMPLE_MOST, TOPICS_MOST = 32_768, 65_536, 20
MOST = 200


def try_out(house: House, text: str, topic: str, sample: str, form: str = "") -> dict[str, Any]:
    """What a sample says: {readings, problems}. `form`: a known format instead of the profile in `text` (YAML).

    A profile that cannot be used, or a sample it cannot read, is no error here: `problems` says why, line by line.
    """
    if form and form not in FORMATS:
        raise Invalid("form", form, FORMATS)
    try:
        wanted = form or profile_of(text).to_json()
        told = Decoders().decode(wanted, topic or "sample", sample.encode(), house.now())
    except MappingError as error:
        return {"readings": [], "problems": error.problems}
    except PayloadError as error:
        return {"readings": [], "problems": [str(error)]}
    readings = [one for one in told if isinstance(one, Reading)]
    others = [f"{type(one).__name__}: {one}" for one in told if not isinstance(one, Reading)]
    return {"readings": [_reading_json(r) for r in readings], "problems": [], "others": others[:20]}


def profile_of(text: str) -> MappingProfile:
    """The profile that a YAML text describes. Raises MappingError with every problem in it."""
    try:
        stanza = yaml.safe_load(text)
        if "*" in text and any(isinstance(part, yaml.AliasEvent) for part in yaml.parse(text)):
            # A few lines of them stand for gigabytes once they are written out.
            raise MappingError(["YAML: aliases (*NAME) are not allowed; write out what is meant"])
    except yaml.YAMLError as error:
        raise MappingError([f"YAML: {' '.join(str(error).split())}"]) from None
    except RecursionError:
        raise MappingError(["YAML: nested too deep"]) from None
    # Through JSON, as it travels: what JSON cannot hold (a date, a set) is told here, not by a worker.
    try:
        json.dumps(stanza)
    except (TypeError, ValueError) as error:
        raise MappingError([f"YAML: {error}; allowed: texts, numbers, lists and mappings"]) from None
    return MappingProfile.from_stanza(stanza, "mapping")


def _reading_json(reading: Reading) -> dict[str, Any]:
    return {
        "device": reading.device,
        "prop": reading.prop,
        "channel": reading.channel,
        "value": reading.value,
        "unit": reading.unit,
        "observed_at": time_text(reading.observed_at),
        "quality": reading.quality.value,
        "battery_pct": reading.battery_pct,
        "rssi_dbm": reading.rssi_dbm,
    }


def save(house: House, actor: Actor, text: str, topics: Sequence[str], sample: str) -> dict[str, Any]:
    """Keep a profile under its own id; workers read with it from their next assignment on. Raises BadMapping,
    Invalid.
    """
    try:
        profile = profile_of(text)
    except MappingError as error:
        raise BadMapping("text", error.problems[0], "a mapping profile; try it first") from None
    if "/" in profile.id or profile.id in (".", ".."):
        raise BadMapping("text", f"id: {profile.id}", "an id without /")
    for topic in topics:
        _check_filter(topic)
    with house.db.write() as tx:
        taken = {t: m.id for m in ask.mappings(tx) if m.id != profile.id for t in m.topics}
        taken |= dict.fromkeys(house.settings.broker_topics, "hub.yaml")
        for topic in topics:
            if topic in taken:
                raise Invalid("topics", topic, f"a filter of its own; {taken[topic]} reads this one")
        row = ask.mapping(tx, profile.id)
        if row is None and len(ask.mappings(tx)) >= MOST:
            raise BadMapping("text", profile.id, f"at most {MOST} profiles")
        row = row or MappingRow(id=profile.id)
        row.text, row.stanza, row.topics, row.sample = text, dict(profile.wire), list(topics), sample
        row.changed_by, row.changed_at = actor.id, house.now()
        tx.add(row)
        tx.change_assignment()
        tx.audit(house.now(), actor.id, "mapping-saved", f"mapping/{profile.id}", topics=list(topics))
        return _json(row)


def _check_filter(topic: str) -> None:
    levels = topic.split("/")
    bad = not topic or len(topic) > 300 or "\0" in topic or "#" in levels[:-1]
    bad = bad or any(("#" in level or "+" in level) and len(level) > 1 for level in levels)
    if bad:
        raise Invalid("topics", topic, "MQTT topic filters: + for one level, # for the rest")


def remove(house: House, actor: Actor, mapping_id: str) -> None:
    """Read with it no more. Raises NotFound."""
    with house.db.write() as tx:
        row = ask.mapping(tx, mapping_id)
        if row is None:
            raise NotFound("mapping", mapping_id)
        tx.delete(row)
        tx.change_assignment()
        tx.audit(house.now(), actor.id, "mapping-removed", f"mapping/{mapping_id}")


def listed(house: House) -> list[dict[str, Any]]:
    """Those written here, and those that stand in hub.yaml, which only that file can change."""
    with house.db.read() as tx:
        own = [_json(row) for row in ask.mappings(tx)]
    filed: dict[str, dict[str, Any]] = {}
    for topic, form in house.settings.broker_topics.items():
        if form not in FORMATS:
            stanza = json.loads(form)
            text = yaml.safe_dump(stanza, allow_unicode=True, sort_keys=False)
            shown = {"id": stanza["id"], "text": text, "topics": [], "sample": "", "own": False}
            filed.setdefault(stanza["id"], shown)["topics"].append(topic)
    return [*own, *filed.values()]


def _json(row: MappingRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "text": row.text,
        "topics": row.topics,
        "sample": row.sample,
        "own": True,
        "changed_by": row.changed_by,
        "changed_at": time_text(row.changed_at),
    }


def topics(tx: Transaction, house: House, announced: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Topic filter to format, for the workers: of hub.yaml, of the profiles written here, and what was announced.

    `announced`: sensor to topics of its own, as Home Assistant's discovery named them.
    """
    found = dict(house.settings.broker_topics)
    for row in ask.mappings(tx):
        found |= dict.fromkeys(row.topics, MappingProfile.from_stanza(row.stanza, row.id).to_json())
    for own in announced.values():
        for topic in own:
            found.setdefault(topic, "homeassistant")
    return found
