"""Named counters, and inserts that tell whether they were first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from .rows import CounterRow, Row

COUNTED_MOST = 10_000
"""Lists longer than that say "at least so many": nobody reads the exact number, and counting on costs a scan."""


def count_up_to(tx: Session, query: Select[Any], most: int = COUNTED_MOST) -> int:
    """How many rows the query finds, at most `most`."""
    return tx.scalar(select(func.count()).select_from(query.limit(most).subquery())) or 0


def insert_if_new(tx: Session, table: type[Row], values: Mapping[str, Any], *keys: str) -> bool:
    """Insert a row; False when a row with the same unique `keys` is there. Waits for a rival that has not committed."""
    return bool(insert_new(tx, table, [values], *keys))


def insert_new(tx: Session, table: type[Row], values: list[Mapping[str, Any]], *keys: str) -> int:
    """Insert those of the rows whose unique `keys` are not taken; how many that were."""
    if not values:
        return 0
    insert: Any = postgresql.insert if tx.get_bind().dialect.name == "postgresql" else sqlite.insert
    first = table.__mapper__.primary_key[0]
    statement = insert(table).on_conflict_do_nothing(index_elements=list(keys)).returning(first)
    return len(tx.execute(statement, [dict(v) for v in values]).all())


def locked_counter(tx: Session, name: str, *, lock: bool = True) -> CounterRow:
    """The counter `name`, made when it is missing, held until the transaction ends."""
    if lock:
        insert_if_new(tx, CounterRow, {"name": name, "value": 0, "text": ""}, "name")
    query = select(CounterRow).where(CounterRow.name == name)
    counter = tx.scalars(query.with_for_update().execution_options(populate_existing=True) if lock else query).first()
    return counter if counter is not None else CounterRow(name=name, value=0, text="")


def next_in(tx: Session, name: str) -> int:
    """The next number of the sequence `name`, from 1; gaps where a transaction was rolled back are not filled."""
    counter = locked_counter(tx, name)
    counter.value += 1
    tx.flush()
    return counter.value
