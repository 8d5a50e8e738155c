"""What the harnesses of the sensor decoders share: any bytes on any topic raise PayloadError or give sound readings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from ingest.errors import PayloadError
from ingest.reading import Reading
from ingest.sensors.decode import Decoder
from ingest.sensors.decode.origin import MOST_DEVICE, MOST_KEY, MOST_NAME
from ingest.sensors.decode.said import Said
from ingest.sensors.decode.tahu import MOST_METRICS
from tests.samples.readings import SAMPLES

NOW = datetime(2026, 11, 23, 2, 15, 6, tzinfo=UTC)
_MOST_MESSAGES = 8


def seeds_of(form: str) -> list[bytes]:
    """The samples of a format: each message's topic, a zero, its payload, and a line between messages."""
    found = []
    for sample in SAMPLES:
        if sample.form.partition(":")[0] == form:
            messages = [*sample.before, (sample.topic, sample.data)]
            found.append(b"\xff\xfe".join(topic.encode() + b"\0" + data for topic, data in messages))
    return found


def feed(decoder: Decoder, data: bytes) -> None:
    """The messages in `data`, in turn, to one decoder; each refusal is short, each reading fits its table."""
    for message in data.split(b"\xff\xfe")[:_MOST_MESSAGES]:
        topic, _, payload = message.partition(b"\0")
        said, refusal = _said(decoder, topic.decode("utf-8", "replace")[:300], payload)
        assert len(refusal) < 1500
        assert len(said) <= 2 * MOST_METRICS
        for one in said:
            if isinstance(one, Reading):
                _check(one)


def _said(decoder: Decoder, topic: str, payload: bytes) -> tuple[Sequence[Said], str]:
    """What is said, or the words of its refusal."""
    try:
        return decoder(topic, payload, NOW), ""
    except PayloadError as error:
        return (), str(error)


def _check(reading: Reading) -> None:
    assert 1 <= len(reading.device) <= MOST_DEVICE
    assert 1 <= len(reading.prop) <= MOST_NAME
    assert 1 <= len(reading.key) <= MOST_KEY
    assert math.isfinite(reading.value)
    assert reading.seq is None or 0 <= reading.seq < 2**63
    for number in (reading.battery_pct, reading.rssi_dbm, reading.snr_db):
        assert number is None or math.isfinite(number)
    for text in (reading.device, reading.prop, reading.key, reading.unit, reading.channel, reading.source_format):
        assert text.isprintable()
        text.encode()
    assert reading.observed_at.tzinfo is not None
    assert len(reading.unit) <= 32
