"""Readings move into partitions, one table a day, with roll-ups beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_QUALITIES = {"ok": 0, "clock_skew": 1, "duplicate": 2, "late": 3}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_US = 86_400_000_000
_FIVE_US = 300_000_000
_COLUMNS = """series BIGINT NOT NULL, at_us BIGINT NOT NULL, key BIGINT NOT NULL, value DOUBLE PRECISION NOT NULL,
    received_us BIGINT NOT NULL, quality SMALLINT NOT NULL, seq BIGINT, battery_pct DOUBLE PRECISION,
    rssi_dbm DOUBLE PRECISION, snr_db DOUBLE PRECISION, PRIMARY KEY (series, at_us, key)"""


def upgrade() -> None:
    """Three tables for one; what is stored moves over."""
    op.create_table(
        "series",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("device", sa.String(length=128), nullable=False),
        sa.Column("prop", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("unit", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_series")),
        sa.UniqueConstraint("device", "prop", "channel", "unit", name=op.f("uq_series_device_prop_channel_unit")),
    )
    op.create_table(
        "partitions",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("grain", sa.String(length=8), nullable=False),
        sa.Column("from_us", sa.BigInteger(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_partitions")),
    )
    op.create_index("ix_partitions_grain_from_us", "partitions", ["grain", "from_us"])
    op.create_table(
        "touched",
        sa.Column("at_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("series", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("at_us", "series", name=op.f("pk_touched")),
    )
    _move()
    op.drop_table("readings")


def _move() -> None:
    """Every stored reading into the partition of its day, its five minutes marked to be summed up."""
    tables = sa.MetaData()
    tables.reflect(op.get_bind(), only=["series", "partitions", "touched"])
    series, partitions, touched = (tables.tables[name] for name in ("series", "partitions", "touched"))
    numbers: dict[tuple[str, str, str], int] = {}
    days: set[int] = set()
    marks: set[tuple[int, int]] = set()
    for rows in _old():
        for row in rows:
            at_us = (row.observed_at - _EPOCH) // timedelta(microseconds=1)
            name = (row.device, row.prop, row.unit)
            if name not in numbers:
                values = {"device": row.device, "prop": row.prop, "channel": "", "unit": row.unit}
                numbers[name] = (
                    op.get_bind().execute(sa.insert(series).values(values).returning(series.c.id)).scalar_one()
                )
            day = at_us // _DAY_US
            if day not in days:
                days.add(day)
                _make(day, partitions)
            _insert(_table(day), numbers[name], at_us, row)
            marks.add((at_us // _FIVE_US * _FIVE_US, numbers[name]))
    if marks:
        op.bulk_insert(touched, [{"at_us": at_us, "series": number, "times": 1} for at_us, number in sorted(marks)])


def _old() -> Iterator[Sequence[Any]]:
    from hub.store.columns import UtcTime

    old = sa.table(
        "readings", sa.column("id"), sa.column("key"), sa.column("device"), sa.column("prop"), sa.column("value"),
        sa.column("unit"), sa.column("observed_at", UtcTime), sa.column("received_at", UtcTime), sa.column("quality"),
        sa.column("battery_pct"), sa.column("rssi_dbm"),
    )  # fmt: skip
    last = 0
    while rows := op.get_bind().execute(sa.select(old).where(old.c.id > last).order_by(old.c.id).limit(5000)).all():
        yield rows
        last = rows[-1].id


def _table(day: int) -> str:
    return f"readings_{_EPOCH + timedelta(days=day):%Y%m%d}"


def _make(day: int, partitions: sa.Table) -> None:
    clustered = " WITHOUT ROWID" if op.get_bind().dialect.name == "sqlite" else ""
    op.execute(f"CREATE TABLE {_table(day)} ({_COLUMNS}){clustered}")
    values = {"name": _table(day), "grain": "raw", "from_us": day * _DAY_US, "until_us": (day + 1) * _DAY_US}
    op.bulk_insert(partitions, [values])


def _insert(table: str, number: int, at_us: int, row: Any) -> None:
    key = int.from_bytes(blake2b(row.key.encode(errors="surrogatepass"), digest_size=8).digest(), "big", signed=True)
    received_us = (row.received_at - _EPOCH) // timedelta(microseconds=1)
    op.get_bind().execute(
        sa.text(
            f"INSERT INTO {table} (series, at_us, key, value, received_us, quality, battery_pct, rssi_dbm) VALUES "
            "(:series, :at_us, :key, :value, :received_us, :quality, :battery, :rssi) ON CONFLICT DO NOTHING"
        ),
        {
            "series": number, "at_us": at_us, "key": key, "value": row.value, "received_us": received_us,
            "quality": _QUALITIES.get(row.quality, 0), "battery": row.battery_pct, "rssi": row.rssi_dbm,
        },
    )  # fmt: skip
