"""Tables by time: one for each day of readings, month of 5-minute and year of hourly roll-ups; forgetting drops one.

The same on SQLite and PostgreSQL. A query that spans several partitions asks one after the other (`across`), which is
as fast as a view over them and needs no planner. Their rows are clustered by series and time on SQLite.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from ..batch import microseconds, time_at
from .counting import insert_if_new
from .reading_rows import PartitionRow

DAY_US = 86_400_000_000
FIVE_MINUTES_US = 300_000_000
HOUR_US = 3_600_000_000
_MAKING = 0x67_72_69_65
"""Key of the PostgreSQL advisory lock held while a partition is made."""


class Grain(StrEnum):
    """How fine: each reading, or a summary of five minutes or an hour."""

    RAW = "raw"
    FIVE_MINUTES = "5min"
    HOUR = "1h"

    @property
    def width_us(self) -> int:
        """How much time a row stands for; 0 for a reading."""
        return {"raw": 0, "5min": FIVE_MINUTES_US, "1h": HOUR_US}[self]


_READING = """series BIGINT NOT NULL, at_us BIGINT NOT NULL, key BIGINT NOT NULL, value DOUBLE PRECISION NOT NULL,
    received_us BIGINT NOT NULL, quality SMALLINT NOT NULL, seq BIGINT, battery_pct DOUBLE PRECISION,
    rssi_dbm DOUBLE PRECISION, snr_db DOUBLE PRECISION, PRIMARY KEY (series, at_us, key)"""
_ROLLUP = """series BIGINT NOT NULL, at_us BIGINT NOT NULL, n BIGINT NOT NULL, mean DOUBLE PRECISION NOT NULL,
    lowest DOUBLE PRECISION NOT NULL, highest DOUBLE PRECISION NOT NULL, last DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (series, at_us)"""


def bounds(grain: Grain, at_us: int) -> tuple[str, int, int]:
    """(table, from, until) of the partition that holds `at_us`; days, months and years are those of UTC."""
    at = time_at(at_us)
    if grain is Grain.RAW:
        first = at_us // DAY_US * DAY_US
        return f"readings_{at:%Y%m%d}", first, first + DAY_US
    start = datetime(at.year, at.month if grain is Grain.FIVE_MINUTES else 1, 1, tzinfo=UTC)
    after = start + timedelta(days=32 if grain is Grain.FIVE_MINUTES else 367)
    end = after.replace(day=1, month=after.month if grain is Grain.FIVE_MINUTES else 1)
    name = f"rollups_5min_{at:%Y%m}" if grain is Grain.FIVE_MINUTES else f"rollups_1h_{at:%Y}"
    return name, microseconds(start), microseconds(end)


def made(tx: Session, grain: Grain, at_us: int) -> str:
    """The partition that holds `at_us`, made where it is missing."""
    name, from_us, until_us = bounds(grain, at_us)
    if tx.get(PartitionRow, name) is not None:
        return name
    lite = tx.get_bind().dialect.name == "sqlite"
    if not lite:
        tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MAKING})
    columns = _READING if grain is Grain.RAW else _ROLLUP
    tx.execute(text(f"CREATE TABLE IF NOT EXISTS {name} ({columns}){' WITHOUT ROWID' if lite else ''}"))
    values = {"name": name, "grain": grain, "from_us": from_us, "until_us": until_us}
    insert_if_new(tx, PartitionRow, values, "name")
    return name


def across(tx: Session, grain: Grain, since_us: int, until_us: int, *, newest_first: bool = False) -> Iterator[str]:
    """The partitions that hold any of that time, in its order."""
    order = PartitionRow.from_us.desc() if newest_first else PartitionRow.from_us
    query = select(PartitionRow.name).where(
        PartitionRow.grain == grain, PartitionRow.until_us > since_us, PartitionRow.from_us < until_us
    )
    yield from tx.scalars(query.order_by(order)).all()


def kept_in(tx: Session, grain: Grain, since_us: int, until_us: int) -> list[tuple[int, int]]:
    """(from, until) of each partition that holds any of that time, no more than of that time, oldest first."""
    row = PartitionRow
    query = select(row.from_us, row.until_us).where(row.grain == grain, row.until_us > since_us, row.from_us < until_us)
    return [(max(a, since_us), min(b, until_us)) for a, b in tx.execute(query.order_by(row.from_us))]


def newest_us(tx: Session) -> int:
    """Where the newest partition of readings ends; 0 where there is none."""
    query = select(PartitionRow.until_us).where(PartitionRow.grain == Grain.RAW).order_by(PartitionRow.until_us.desc())
    return tx.scalar(query.limit(1)) or 0


def drop_before(tx: Session, grain: Grain, before_us: int) -> list[str]:
    """Forget the partitions that end before then."""
    query = select(PartitionRow.name).where(PartitionRow.grain == grain, PartitionRow.until_us <= before_us)
    names = list(tx.scalars(query))
    for name in names:
        tx.execute(text(f"DROP TABLE IF EXISTS {name}"))
        tx.execute(delete(PartitionRow).where(PartitionRow.name == name))
    return names
