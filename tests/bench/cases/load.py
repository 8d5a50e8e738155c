"""Rows by the hundred thousand into the real tables: secondary indexes are made at the end, constraints are kept."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
from sqlalchemy import Boolean, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.schema import CreateIndex

from hub.store.columns import UtcTime
from hub.store.rows import Row

Rows = Iterable[Sequence[Any]]


class Bulk:
    """A connection that loads. Times are aware datetimes, JSON columns are given as JSON text."""

    def __init__(self, url: str) -> None:
        self._url: URL = make_url(url)
        self.is_sqlite = self._url.get_backend_name() == "sqlite"
        self._sqlite: sqlite3.Connection | None = None
        self._postgres: psycopg.Connection[Any] | None = None
        if self.is_sqlite:
            self._sqlite = sqlite3.connect(str(self._url.database), isolation_level=None)
            for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-600000", "locking_mode=EXCLUSIVE"):
                self._sqlite.execute(f"PRAGMA {pragma}")
            self._sqlite.execute("BEGIN")
        else:
            port, name = self._url.port, self._url.database
            self._postgres = psycopg.connect(f"postgresql://gridhub@127.0.0.1:{port}/{name}", autocommit=True)
            # The rows are made to fit; checking millions of references one by one is not what is measured here.
            self._postgres.execute("SET session_replication_role = replica")

    def execute(self, statement: str) -> None:
        """Run one statement."""
        (self._sqlite or self._postgres).execute(statement)  # type: ignore[union-attr, arg-type]

    @contextmanager
    def later_indexes(self, tables: Sequence[Table]) -> Iterator[None]:
        """Secondary indexes of `tables` are away meanwhile."""
        dialect = sqlite.dialect() if self.is_sqlite else postgresql.dialect()  # type: ignore[no-untyped-call]
        indexes = [index for table in tables for index in sorted(table.indexes, key=lambda i: str(i.name))]
        for index in indexes:
            self.execute(f"DROP INDEX IF EXISTS {index.name}")
        yield
        for index in indexes:
            self.execute(str(CreateIndex(index).compile(dialect=dialect)))

    def put(self, row: type[Row], columns: Sequence[str], rows: Rows) -> None:
        """Insert; every column that is not named is empty or has a constant default."""
        table: Table = row.__table__  # type: ignore[assignment]
        given, constants = list(columns), dict[str, Any]()
        for column in table.columns:
            if column.name not in given and not column.nullable and column.default is not None:
                value = column.default.arg  # type: ignore[attr-defined]
                constants[column.name] = "[]" if callable(value) else value
        names = [*given, *constants]
        tail = list(constants.values())
        if self._sqlite is not None:
            changes = [(i, change) for i, name in enumerate(names) if (change := _for_sqlite(table, name))]
            marks = ", ".join("?" * len(names))
            listed = ", ".join(f'"{name}"' for name in names)
            statement = f'INSERT INTO "{table.name}" ({listed}) VALUES ({marks})'
            self._sqlite.executemany(statement, (_changed([*r, *tail], changes) for r in rows))
            return
        assert self._postgres is not None
        listed = ", ".join(f'"{name}"' for name in names)
        with (
            self._postgres.cursor() as cursor,
            cursor.copy(f'COPY "{table.name}" ({listed}) FROM STDIN') as copy,  # type: ignore[arg-type]
        ):
            for values in rows:
                copy.write_row([*values, *tail])

    def close(self) -> None:
        """Commit and give the connection back."""
        if self._sqlite is not None:
            self._sqlite.execute("COMMIT")
            self._sqlite.execute("PRAGMA journal_mode=WAL")
            self._sqlite.close()
        if self._postgres is not None:
            self._postgres.execute("VACUUM ANALYZE")  # autovacuum has done it long before a year is over
            self._postgres.close()


def _for_sqlite(table: Table, name: str) -> Callable[[Any], Any] | None:
    kind = table.columns[name].type
    if isinstance(kind, UtcTime):
        return lambda value: _time(value)
    return int if isinstance(kind, Boolean) else None


def _time(value: datetime) -> str:
    return value.replace(tzinfo=None).isoformat(" ", "microseconds")


def _changed(values: list[Any], changes: Sequence[tuple[int, Callable[[Any], Any]]]) -> list[Any]:
    for index, change in changes:
        if values[index] is not None:
            values[index] = change(values[index])
    return values
