"""Readings as SensorThings reads them: a stretch of some series in either order, and how many there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import func, select, text

from .database import Transaction
from .partitions import Grain, across
from .reading_rows import SeriesRow
from .readings import QUALITIES, Series, Stored
from .rows import SensorRow


def series(tx: Transaction, device: str | None = None, number: int | None = None) -> list[tuple[Series, str]]:
    """(series, sensor) of registered sensors; of one device, or the one of that number."""
    query = select(SeriesRow, SensorRow.id).join(SensorRow, SensorRow.device == SeriesRow.device)
    if device is not None:
        query = query.where(SeriesRow.device == device)
    if number is not None:
        query = query.where(SeriesRow.id == number)
    return [
        (Series(row.id, row.device, row.prop, row.channel, row.unit), sensor)
        for row, sensor in tx.execute(query.order_by(SeriesRow.id))
    ]


def walk(
    tx: Transaction, numbers: Sequence[int], since_us: int, until_us: int, *, newest_first: bool
) -> Iterator[Stored]:
    """Readings of those series in that time, one after the other, read in chunks as they are wanted."""
    among, order = ", ".join(str(n) for n in sorted(numbers)), "DESC" if newest_first else "ASC"
    if not among:
        return
    for table in across(tx, Grain.RAW, since_us, until_us, newest_first=newest_first):
        query = text(
            f"SELECT series, at_us, value, received_us, quality, seq, battery_pct, rssi_dbm, snr_db FROM {table} "
            f"WHERE series IN ({among}) AND at_us >= :since AND at_us < :until "
            f"ORDER BY at_us {order}, series {order}, key {order}"
        )
        result = tx.execute(query.execution_options(yield_per=500), {"since": since_us, "until": until_us})
        for row in result:
            yield Stored(row[0], row[1], row[2], row[3], QUALITIES[row[4]], *row[5:])


def count(tx: Transaction, numbers: Sequence[int], since_us: int, until_us: int) -> int:
    """How many readings of those series there are in that time."""
    among = ", ".join(str(n) for n in sorted(numbers))
    if not among:
        return 0
    total = 0
    for table in across(tx, Grain.RAW, since_us, until_us):
        query = text(f"SELECT COUNT(*) FROM {table} WHERE series IN ({among}) AND at_us >= :since AND at_us < :until")
        total += int(tx.execute(query, {"since": since_us, "until": until_us}).scalar() or 0)
    return total


def span(tx: Transaction, number: int, since_us: int, until_us: int) -> tuple[int, int] | None:
    """(first, last) instant of a series in that time, in microseconds; None where it has none."""
    first = next(walk(tx, [number], since_us, until_us, newest_first=False), None)
    last = next(walk(tx, [number], since_us, until_us, newest_first=True), None)
    return None if first is None or last is None else (first.at_us, last.at_us)


def props(tx: Transaction) -> dict[str, tuple[str, int]]:
    """Properties that registered sensors measure: to (a unit, how many series)."""
    query = (
        select(SeriesRow.prop, func.max(SeriesRow.unit), func.count())
        .join(SensorRow, SensorRow.device == SeriesRow.device)
        .group_by(SeriesRow.prop)
        .order_by(SeriesRow.prop)
    )
    return {prop: (unit, n) for prop, unit, n in tx.execute(query)}
