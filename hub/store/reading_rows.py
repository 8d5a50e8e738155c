"""The tables around readings: which series there are, which partitions, and where roll-ups are no longer true.

Readings and their roll-ups themselves lie in partitions (`partitions.py`), tables that are made as they are needed.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from .rows import BIG, Row


class SeriesRow(Row):
    """What one device measures in one unit: readings name it by its id."""

    __tablename__ = "series"
    __table_args__ = (UniqueConstraint("device", "prop", "channel", "unit"),)
    id: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=True)
    device: Mapped[str] = mapped_column(String(128))
    prop: Mapped[str] = mapped_column(String(64))
    channel: Mapped[str] = mapped_column(String(64), default="")
    unit: Mapped[str] = mapped_column(String(32))


class PartitionRow(Row):
    """A table of readings or roll-ups: of `grain`, from `from_us` up to `until_us` (microseconds since 1970)."""

    __tablename__ = "partitions"
    __table_args__ = (Index("ix_partitions_grain_from_us", "grain", "from_us"),)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    grain: Mapped[str] = mapped_column(String(8))
    from_us: Mapped[int] = mapped_column(BigInteger)
    until_us: Mapped[int] = mapped_column(BigInteger)


class TouchedRow(Row):
    """Five minutes (from `at_us`) of a series whose readings changed since they were rolled up."""

    __tablename__ = "touched"
    at_us: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    series: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    times: Mapped[int] = mapped_column(default=1)
