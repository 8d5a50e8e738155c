"""The table of samples: every decoder says what it says, the same again, and within the limits of the hub."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest

from ingest.reading import Reading
from ingest.sensors.decode import FORMATS, Decoders
from tests.samples.readings import DOCUMENT, NOW, SAMPLES, Sample, document, wire_form


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: f"{s.form}: {s.about}")
def test_every_sample_says_what_the_table_says(sample: Sample) -> None:
    assert sample.decoded() == list(sample.says)


def test_every_format_has_a_sample() -> None:
    assert {sample.form for sample in SAMPLES} >= set(FORMATS)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: f"{s.form}: {s.about}")
def test_the_same_message_again_has_the_same_keys(sample: Sample) -> None:
    """Redelivered to the same decoders, and after a restart to new ones."""
    first, form = Decoders(), wire_form(sample.form)
    for topic, data in sample.before:
        first.decode(form, topic, data, NOW)
    keys = [r.key for r in first.decode(form, sample.topic, sample.data, NOW) if isinstance(r, Reading)]
    again = [
        r.key
        for r in first.decode(form, sample.topic, sample.data, NOW + timedelta(milliseconds=400))
        if isinstance(r, Reading)
    ]
    assert again == keys
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: f"{s.form}: {s.about}")
def test_readings_fit_what_the_hub_takes(sample: Sample) -> None:
    for reading in readings_of(sample):
        assert 1 <= len(reading.device) <= 128
        assert 1 <= len(reading.prop) <= 64
        assert 1 <= len(reading.key) <= 200
        assert len(reading.unit) <= 32
        assert len(reading.source_format) <= 32
        assert math.isfinite(reading.value)


def readings_of(sample: Sample) -> list[Reading]:
    decoders, form = Decoders(), wire_form(sample.form)
    for topic, data in sample.before:
        decoders.decode(form, topic, data, NOW)
    return [r for r in decoders.decode(form, sample.topic, sample.data, NOW) if isinstance(r, Reading)]


def test_the_document_of_sensors_is_true() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "make sensors-doc writes it anew"
