"""Whatever comes, on whatever topic: a decoder says something sound or raises PayloadError."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors import PayloadError
from ingest.sensors.decode import FORMATS, Decoders
from tests.fuzz.payloads import feed
from tests.samples.readings import NOW, SAMPLES, Sample, wire_form

_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_bytes_break_a_decoder(form: str, data: st.DataObject) -> None:
    sample = data.draw(st.sampled_from([s for s in SAMPLES if s.form == form]))
    topic = data.draw(st.just(sample.topic) | st.text(max_size=30))
    feed_one(form, sample, topic, data.draw(st.binary(max_size=200)))


@pytest.mark.parametrize("sample", [s for s in SAMPLES if s.form != "sparkplug"], ids=lambda s: f"{s.form}: {s.about}")
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_no_json_in_place_of_a_field_breaks_a_decoder(sample: Sample, data: st.DataObject) -> None:
    message = json.loads(sample.data) if sample.data.startswith((b"{", b"[")) else {}
    feed_one(sample.form, sample, sample.topic, json.dumps(_replaced(message, data)).encode())


def feed_one(form: str, sample: Sample, topic: str, payload: bytes) -> None:
    decoders, wire = Decoders(), wire_form(form)
    for before, birth in sample.before:
        decoders.decode(wire, before, birth, NOW)
    feed(lambda t, p, now: decoders.decode(wire, t, p, now), topic.encode(errors="replace") + b"\0" + payload)


def _replaced(value: Any, data: st.DataObject) -> Any:
    """`value` with one of its fields, however deep, changed for something else."""
    keys = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    if not keys or data.draw(st.integers(0, 4)) == 0:
        return data.draw(_JSON)
    key = data.draw(st.sampled_from(keys))
    changed = value.copy()
    changed[key] = _replaced(value[key], data)
    return changed


def test_a_message_of_megabytes_is_not_even_parsed() -> None:
    with pytest.raises(PayloadError, match="at most 1048576"):
        Decoders().decode("json", "t", b" " * (1 << 20) + b"{}", NOW)


def test_every_decoder_has_a_harness() -> None:
    for form in (*FORMATS, "mapping"):
        assert import_module(f"tests.fuzz.fuzz_decode_{form}").seeds()
