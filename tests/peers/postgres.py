"""A real PostgreSQL server on a free port, with a fresh database for each test that asks."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg

from tests.peers import free_port, listens, need, stop_process, wait_until

_DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name), reverse=True)


@dataclass(frozen=True)
class Postgres:
    """A running server; `url` is the SQLAlchemy URL of its maintenance database."""

    port: int

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://gridhub@127.0.0.1:{self.port}/postgres"

    def fresh_database(self) -> str:
        """URL of a new, empty database."""
        name = f"t{uuid4().hex[:12]}"
        with psycopg.connect(f"postgresql://gridhub@127.0.0.1:{self.port}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]  # a made-up name, not input
        return f"postgresql+psycopg://gridhub@127.0.0.1:{self.port}/{name}"

    def empty_database(self) -> str:
        """URL of the maintenance database with every table emptied: much cheaper than a fresh one."""
        with psycopg.connect(f"postgresql://gridhub@127.0.0.1:{self.port}/postgres", autocommit=True) as connection:
            query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
            names = [name for (name,) in connection.execute(query)]
            for name in (name for name in names if name.startswith(("readings_", "rollups_"))):
                connection.execute(f"DROP TABLE {name}")  # type: ignore[arg-type]
            tables = ", ".join(f'"{name}"' for name in names if not name.startswith(("readings_", "rollups_")))
            if tables:
                connection.execute(f"TRUNCATE {tables} RESTART IDENTITY")  # type: ignore[arg-type]
        return self.url


def _binary(name: str) -> str:
    for folder in _DEBIAN:
        if (folder / name).is_file():
            return str(folder / name)
    return need(name)


def _as_user() -> list[str]:
    """PostgreSQL refuses to run as root: then run it as `nobody`."""
    if os.geteuid() != 0:
        return []
    return [need("setpriv"), "--reuid=65534", "--regid=65534", "--clear-groups"]


@contextmanager
def serving(more: Mapping[str, str] | None = None) -> Iterator[Postgres]:
    """A server with its data in a temporary folder, without fsync; `more`: further settings."""
    initdb, postgres, prefix = _binary("initdb"), _binary("postgres"), _as_user()
    folder = Path(tempfile.mkdtemp(prefix="gridhub-pg-"))
    if prefix:
        os.chown(folder, 65534, 65534)
    data, port = folder / "data", free_port()
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "HOME": str(folder)}
    subprocess.run(
        [*prefix, initdb, "-D", str(data), "-U", "gridhub", "-A", "trust", "-E", "UTF8", "--no-sync"],
        check=True,
        capture_output=True,
        env=environment,
        cwd=folder,
    )
    options = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": str(folder),
        "fsync": "off",
        "full_page_writes": "off",
        "max_connections": "200",
        "deadlock_timeout": "200ms",
        **(more or {}),
    }
    flags = [part for key, value in options.items() for part in ("-c", f"{key}={value}")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*prefix, postgres, "-D", str(data), *flags], stdout=log, stderr=log, env=environment, cwd=folder
        )
    try:
        wait_until(lambda: listens(port) and _answers(port), 30, "PostgreSQL")
        yield Postgres(port)
    finally:
        process.send_signal(signal.SIGINT)  # "fast": does not wait for clients
        stop_process(process)
        shutil.rmtree(folder, ignore_errors=True)


def _answers(port: int) -> bool:
    try:
        psycopg.connect(f"postgresql://gridhub@127.0.0.1:{port}/postgres").close()
    except psycopg.OperationalError:
        return False
    return True
