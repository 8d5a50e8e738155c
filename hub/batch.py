"""Readings on their way from a worker to the hub: one JSON list each, columns in a fixed order, times in microseconds.

A worker packs each reading once: what stands in its spool is what it posts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from ingest.reading import Quality, Reading

COLUMNS = (
    "device", "prop", "channel", "unit", "value", "observed_us", "received_us", "key", "quality", "seq",
    "battery_pct", "rssi_dbm", "snr_db", "source_format",
)  # fmt: skip
MOST_ROWS = 20_000
"""Readings in one request."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NAMES = orjson.dumps(COLUMNS)


def microseconds(at: datetime) -> int:
    """Whole microseconds since 1970 (UTC)."""
    return (at - _EPOCH) // _MICROSECOND


def time_at(us: int) -> datetime:
    """The inverse of `microseconds`."""
    return _EPOCH + timedelta(microseconds=us)


def packed(readings: Iterable[Reading]) -> bytes:
    """JSON lists with commas between; packed batches may be joined with a comma."""
    rows = []
    # The readings of one message share their times.
    observed = received = None
    observed_us = received_us = 0
    for r in readings:
        if r.observed_at is not observed:
            observed, observed_us = r.observed_at, microseconds(r.observed_at)
        if r.received_at is not received:
            received, received_us = r.received_at, microseconds(r.received_at)
        rows.append((
            r.device, r.prop, r.channel, r.unit, r.value, observed_us, received_us, r.key, r.quality, r.seq,
            r.battery_pct, r.rssi_dbm, r.snr_db, r.source_format,
        ))  # fmt: skip
    return orjson.dumps(rows)[1:-1]


def unpacked(batch: bytes) -> list[Reading]:
    """The inverse of `packed`."""
    return [
        Reading(
            device, prop, value, unit, time_at(observed_us), time_at(received_us), key, Quality(quality), battery, rssi,
            form, channel, seq, snr,
        )
        for (
            device, prop, channel, unit, value, observed_us, received_us, key, quality, seq, battery, rssi, snr, form,
        ) in orjson.loads(b"[%b]" % batch)
    ]  # fmt: skip


def halves(batch: bytes) -> tuple[bytes, bytes] | None:
    """The batch in two; None where it holds a single reading."""
    rows: list[Sequence[Any]] = orjson.loads(b"[%b]" % batch)
    if len(rows) < 2:
        return None
    middle = len(rows) // 2
    return orjson.dumps(rows[:middle])[1:-1], orjson.dumps(rows[middle:])[1:-1]


def request(batches: Iterable[bytes]) -> bytes:
    """The body of `POST /api/worker/readings`."""
    return b'{"columns":%b,"rows":[%b]}' % (_NAMES, b",".join(batches))
