"""Readings in their partitions: stored once each, and asked for."""

from __future__ import annotations

import threading
from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import select, text

from .database import Transaction
from .partitions import DAY_US, FIVE_MINUTES_US, Grain, across, made
from .reading_rows import SeriesRow

QUALITIES = ("ok", "clock_skew", "duplicate", "late", "decode_error")
"""By the number that stands in the tables."""
_CODES = {name: code for code, name in enumerate(QUALITIES)}
MOST_SERIES = 1_000_000
_COLUMNS = "series, at_us, key, value, received_us, quality, seq, battery_pct, rssi_dbm, snr_db"
_TYPES = ("bigint", "bigint", "bigint", "float8", "bigint", "int2", "bigint", "float8", "float8", "float8")


class Arrived(NamedTuple):
    """A reading as it comes from a worker: the columns of `hub.batch`, in their order."""

    device: str
    prop: str
    channel: str
    unit: str
    value: float
    observed_us: int
    received_us: int
    key: str
    quality: str
    seq: int | None
    battery_pct: float | None
    rssi_dbm: float | None
    snr_db: float | None
    source_format: str


@dataclass(frozen=True, slots=True)
class Series:
    """What one device measures in one unit."""

    id: int
    device: str
    prop: str
    channel: str
    unit: str


class Stored(NamedTuple):
    """A reading as it is stored."""

    series: int
    at_us: int
    value: float
    received_us: int
    quality: str
    seq: int | None
    battery_pct: float | None
    rssi_dbm: float | None
    snr_db: float | None


_Name = tuple[str, str, str, str]


class ReadingStore:
    """Stores readings; remembers the numbers of series, which never change."""

    def __init__(self) -> None:
        self._ids: dict[_Name, int] = {}
        self._lock = threading.Lock()

    def add(self, tx: Transaction, rows: Sequence[Sequence[Any]]) -> int:
        """Store those (columns of `Arrived`) that are new by series, time and key; how many that were.

        What was rolled up of their time is marked as no longer true.
        """
        ids = self._series(tx, rows)
        days: dict[int, list[tuple[Any, ...]]] = {}
        touched = set()
        for row in rows:
            series, at_us = ids[row[0], row[1], row[2], row[3]], row[5]
            days.setdefault(at_us // DAY_US, []).append(
                (series, at_us, _hash(row[7]), row[4], row[6], _CODES[row[8]], row[9], row[10], row[11], row[12])
            )
            touched.add((at_us // FIVE_MINUTES_US * FIVE_MINUTES_US, series))
        stored = 0
        for day, values in sorted(days.items()):
            table = made(tx, Grain.RAW, day * DAY_US)
            # In the order of the table: each of its pages is found, and filled, once.
            values.sort(key=itemgetter(0, 1, 2))
            stored += _insert(tx, f"{table} ({_COLUMNS})", _TYPES, values, "ON CONFLICT DO NOTHING")
        if stored:
            # Updated, not left alone, where it is there: on PostgreSQL that makes the roll-up wait for us.
            again = "ON CONFLICT (at_us, series) DO UPDATE SET times = touched.times + 1"
            marks = [(at_us, number, 1) for at_us, number in sorted(touched)]
            _insert(tx, "touched (at_us, series, times)", ("bigint", "bigint", "int"), marks, again)
        return stored

    def forget_numbers(self) -> None:
        """Ask for the numbers of series anew: the database was emptied."""
        self._ids = {}

    def _series(self, tx: Transaction, rows: Sequence[Sequence[Any]]) -> Mapping[_Name, int]:
        """The series of the rows, made where they are missing, in an order in which writers do not wait in a ring."""
        known = self._ids
        missing = sorted({name for row in rows if (name := (row[0], row[1], row[2], row[3])) not in known})
        if not missing:
            return known
        known_ = "ON CONFLICT (device, prop, channel, unit) DO NOTHING"
        _insert(tx, "series (device, prop, channel, unit)", ("text",) * 4, missing, known_)
        found: dict[_Name, int] = {}
        columns = (SeriesRow.id, SeriesRow.device, SeriesRow.prop, SeriesRow.channel, SeriesRow.unit)
        devices = sorted({name[0] for name in missing})
        for start in range(0, len(devices), 500):
            query = select(*columns).where(SeriesRow.device.in_(devices[start : start + 500]))
            found.update({(device, prop, channel, unit): id_ for id_, device, prop, channel, unit in tx.execute(query)})
        tx.after(lambda: self._learn(found))
        return ChainMap(found, known)

    def _learn(self, found: dict[_Name, int]) -> None:
        with self._lock:
            if len(self._ids) > MOST_SERIES:
                self._ids = {}
            self._ids.update(found)


def series_of(tx: Transaction, device: str) -> list[Series]:
    """What a device ever measured."""
    query = (
        select(SeriesRow).where(SeriesRow.device == device).order_by(SeriesRow.prop, SeriesRow.channel, SeriesRow.id)
    )
    return [Series(r.id, r.device, r.prop, r.channel, r.unit) for r in tx.scalars(query)]


def newest(tx: Transaction, series: Iterable[int], since_us: int, until_us: int, most: int) -> list[Stored]:
    """The newest `most` readings of some series in that time, oldest first."""
    numbers = sorted(series)
    if not numbers:
        return []
    found: list[Stored] = []
    among = ", ".join(str(number) for number in numbers)
    for table in across(tx, Grain.RAW, since_us, until_us, newest_first=True):
        query = text(
            f"SELECT series, at_us, value, received_us, quality, seq, battery_pct, rssi_dbm, snr_db FROM {table} "
            f"WHERE series IN ({among}) AND at_us >= :since AND at_us < :until "
            "ORDER BY at_us DESC, series DESC, key DESC LIMIT :most"
        )
        rows = tx.execute(query, {"since": since_us, "until": until_us, "most": most - len(found)})
        found += [Stored(r[0], r[1], r[2], r[3], QUALITIES[r[4]], *r[5:]) for r in rows]
        if len(found) >= most:
            break
    return found[::-1]


def _hash(key: str) -> int:
    """Of an idempotency key, which need only differ from the others of its series and instant."""
    return int.from_bytes(blake2b(key.encode(errors="surrogatepass"), digest_size=8).digest(), "big", signed=True)


def _insert(tx: Transaction, into: str, types: Sequence[str], rows: list[tuple[Any, ...]], then: str) -> int:
    """Insert many rows in one statement; how many were new (or changed)."""
    if tx.get_bind().dialect.name == "sqlite":
        statement = f"INSERT INTO {into} VALUES ({', '.join('?' * len(types))}) {then}"
        return max(0, tx.connection().exec_driver_sql(statement, rows).rowcount)
    # A column each: a tenth of the messages between us and PostgreSQL.
    arrays = ", ".join(f"%s::{type_}[]" for type_ in types)
    columns = tuple([list(column) for column in zip(*rows, strict=True)])
    statement = f"INSERT INTO {into} SELECT * FROM unnest({arrays}) {then}"
    return max(0, tx.connection().exec_driver_sql(statement, columns).rowcount)
