"""Connections, transactions and migrations; each written transaction carries its audit entries, all or nothing."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DataError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from ..errors import Invalid
from .chain import append_to_chain
from .counting import next_in
from .migrations import HEAD
from .scope import hold

log = logging.getLogger("hub.store")

ASSIGNMENT = "assignment"
"""The counter that moves whenever the workers' assignment changes."""
_BUSY_MS = 15_000
_WRITES = "gridhub_writes"
_MIGRATION_LOCK = 0x67_72_69_64
"""Key of the PostgreSQL advisory lock held while migrating ("grid"); on SQLite the write lock keeps others away."""
_MIGRATING = threading.Lock()
"""Alembic keeps its environment in module globals, so one thread of a process at a time."""


class StoreError(Exception):
    """The database cannot be used: names the address (without password) and the reason."""


UNUSABLE = (StoreError, OperationalError)
"""What is raised where there is no database, it is none, or it cannot be written."""


def why_unusable(error: Exception) -> str:
    """The reason of one of UNUSABLE, in a line without secrets."""
    return f"the database cannot be used: {_reason(error)}" if isinstance(error, OperationalError) else str(error)


class Unstorable(Invalid):
    """A value that the database cannot hold."""


class Transaction(Session):
    """A unit of work. What `audit` is told is chained and written just before the commit; `after` runs after it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._entries: list[tuple[datetime, str, str, str, dict[str, Any]]] = []
        self._then: list[Callable[[], None]] = []
        self._new_assignment = False

    def audit(self, at: datetime, by: str, action: str, subject: str, **detail: Any) -> None:
        """Remember that `by` did `action` to `subject`; `detail` must be JSON-ready and free of secrets."""
        self._entries.append((at, by, action, subject, detail))

    def after(self, run: Callable[[], None]) -> None:
        """Call `run` once the transaction is committed; never, if it is not."""
        self._then.append(run)

    def change_assignment(self) -> None:
        """Workers must fetch what they have to do anew."""
        self._new_assignment = True

    def finish(self) -> None:
        """Write the audit entries last, so that the head of the chain is locked for as short as can be, and commit."""
        self.flush()
        if self._new_assignment:
            next_in(self, ASSIGNMENT)
        if self._entries:
            append_to_chain(self, self._entries)
        self.commit()
        for run in self._then:
            run()


hold(Transaction)


class Database:
    """One engine. Writers say so when they begin: on SQLite they then queue at the door instead of failing half-way."""

    def __init__(self, url: str) -> None:
        self.url = _with_driver(url)
        self._engine = _sqlite(self.url) if self.url.get_backend_name() == "sqlite" else _postgres(self.url)
        self._writer = self._engine.execution_options(**{_WRITES: True})

    @property
    def shown(self) -> str:
        """The address without its password."""
        return self.url.render_as_string(hide_password=True)

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A transaction that writes nothing."""
        with Transaction(bind=self._engine, autoflush=False) as tx:
            try:
                yield tx
            except DataError as error:
                raise Unstorable("query", _reason(error), "what the database can hold") from None

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Committed when the block ends, rolled back when it raises."""
        with Transaction(bind=self._writer, expire_on_commit=False) as tx:
            try:
                yield tx
                tx.finish()
            except DataError as error:
                # What no column can hold (on PostgreSQL a NUL in a text) never will: the sender must not try again.
                raise Unstorable("body", _reason(error), "what the database can hold") from None

    def migrate(self, to: str = HEAD) -> None:
        """Bring the schema to the newest version, or up to an older one. Raises StoreError."""
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        try:
            if self.version() == to:
                return
            with _MIGRATING, self._writer.connect() as connection, _tables_may_be_rebuilt(connection):
                if self.url.get_backend_name() == "postgresql":
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
                config.attributes["connection"] = connection
                command.upgrade(config, to)
                connection.commit()
        except SQLAlchemyError as error:
            raise StoreError(f"database {self.shown}: {_reason(error)}") from None

    def version(self) -> str | None:
        """The schema's version."""
        with self._engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()

    def optimize(self) -> None:
        """Let SQLite look at what has grown, so that it picks the right index; PostgreSQL does so by itself."""
        if self.url.get_backend_name() == "sqlite":
            with self._writer.connect() as connection:
                # 0x10002: tables that were never analysed too, each by a sample (the limit that SQLite recommends).
                connection.execute(text("PRAGMA analysis_limit=400"))
                connection.execute(text("PRAGMA optimize=0x10002"))
                connection.commit()

    def ping(self) -> bool:
        """Whether the database answers."""
        try:
            with self._engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except OperationalError:
            return False
        return True

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()


def _write_ahead(connection: sqlite3.Connection) -> None:
    """WAL. SQLite's own waiting does not cover this: two that open a new file at once would see "locked"."""
    until_s = time.monotonic() + _BUSY_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until_s:
                raise
        time.sleep(0.01)


@contextmanager
def _tables_may_be_rebuilt(connection: Connection) -> Iterator[None]:
    """SQLite changes a column by building its table anew, which foreign keys would forbid: off here, checked after."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = connection.connection.dbapi_connection
    assert isinstance(driver, sqlite3.Connection)
    driver.execute("PRAGMA foreign_keys=OFF")  # has no effect inside a transaction, so before the first one
    try:
        yield
        broken = driver.execute("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise StoreError(f"after migrating, {len(broken)} rows refer to rows that are not there: {broken[:3]}")
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def _with_driver(url: str) -> URL:
    parsed = make_url(url)
    return parsed.set(drivername="postgresql+psycopg") if parsed.drivername == "postgresql" else parsed


def _reason(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]


def _postgres(url: URL) -> Engine:
    # Nothing here runs long enough for a compiled query to pay: the monthly report of a year took 2.0-2.1 s
    # with the compiler, 1.6-1.8 s without.
    options = {"options": "-c timezone=utc -c jit=off"}
    return create_engine(url, pool_size=10, max_overflow=20, pool_pre_ping=True, connect_args=options)


def _sqlite(url: URL) -> Engine:
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    # Last in, first out: the connection that wrote last has its pages still in memory. Few are kept, for each keeps its
    # own `cache_size` of pages: ten were 320 MB.
    options = {"pool_size": 4, "max_overflow": 26, "pool_use_lifo": True}
    engine = create_engine(url, **options, connect_args={"timeout": _BUSY_MS / 1000})

    @event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, _record: object) -> None:
        # Transactions are begun below, not by the driver, which would begin them too late and as readers.
        connection.isolation_level = None
        _write_ahead(connection)
        for pragma in (
            # FULL: in WAL mode NORMAL may lose the last commits when the power fails, and a worker forgets a finding
            # (a broker a reading) once the hub has said it is stored. Costs one fsync a transaction.
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={_BUSY_MS}",
            "cache_size=-32000",
            # 32 MB: pages that many transactions write, as those of readings, are copied into the file once.
            "wal_autocheckpoint=8000",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A deferred transaction that reads and then writes fails at once with "locked" when another wrote meanwhile,
        # busy_timeout or not; IMMEDIATE takes the write lock first and waits for it.
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
