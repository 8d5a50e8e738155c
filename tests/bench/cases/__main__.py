"""`make bench-cases`: load a year of the district into SQLite and PostgreSQL, and time what people do in it."""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from hub.bootstrap import Hub, build_hub
from hub.config import load, shipped
from hub.sample_district import Areas, write
from hub.store.case_rows import CaseRow, ClockRow, MoveRow, ReportRow
from hub.store.rows import AlertRow, AttachmentRow, EvidenceRow, Row
from tests.bench.figures import figure
from tests.peers import postgres

from . import measure
from .load import Bulk
from .year import ALERT, ATTACHMENT, CASE, CLOCK, EVIDENCE, MOVE, NOW, REPORT, Year

MEMORY = {"max_wal_size": "512MB", "shared_buffers": "512MB", "maintenance_work_mem": "256MB"}
"""What a small server has; the rest is PostgreSQL's own default."""
TABLES = (AlertRow, CaseRow, MoveRow, ClockRow, ReportRow, AttachmentRow, EvidenceRow)


def main() -> int:
    """Both databases, one after the other, each removed when it has been measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=200_000)
    parser.add_argument("--alerts", type=int, default=1_500_000)
    parser.add_argument("--times", type=int, default=200, help="samples of each figure")
    parser.add_argument("--databases", default="sqlite,postgresql", help="or the URL of a database of your own")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--work", type=Path, help="folder to load into (default: a fresh one in the temporary folder)")
    parser.add_argument("--keep", action="store_true", help="leave the SQLite database there, for another run")
    args = parser.parse_args()
    work = args.work or Path(tempfile.mkdtemp(prefix="gridhub-year-"))
    work.mkdir(parents=True, exist_ok=True)
    try:
        for name in args.databases.split(","):
            with _database(name, work) as (url, peer):
                _one(url, peer, work, args)
    finally:
        if not args.keep:
            shutil.rmtree(work, ignore_errors=True)
    return 0


@contextmanager
def _database(name: str, work: Path) -> Iterator[tuple[str, str]]:
    if "://" in name:
        yield name, "PostgreSQL" if name.startswith("postgresql") else "SQLite"
    elif name == "sqlite":
        yield f"sqlite:///{work / 'year.sqlite'}", "SQLite"
    else:
        with postgres.serving(MEMORY) as server:
            yield server.fresh_database(), "PostgreSQL"


def _one(url: str, peer: str, work: Path, args: argparse.Namespace) -> None:
    district = work / "district"
    write(district, args.seed, shipped("configs"))
    began = time.monotonic()

    def now() -> datetime:
        return NOW + timedelta(seconds=time.monotonic() - began)

    settings = replace(load(district / "hub.yaml"), data_dir=work / "data", database_url=url)
    hub = build_hub(settings, now=now)
    if not _loaded(hub):
        _load(hub, url, peer, args)
    with measure.served(hub) as address:
        desk = measure.Desk(hub, address, peer, args.times)
        try:
            measure.read(desk)
            measure.report(desk)
            measure.sweep(desk)
            measure.confirm(desk, args.times)
        finally:
            desk.close()
    hub.house.db.close()


def _loaded(hub: Hub) -> bool:
    """Whether the database holds a year from an earlier run (`--keep`, or one of your own)."""
    hub.migrate()
    with hub.house.db.read() as tx:
        return tx.scalar(select(AlertRow.id).limit(1)) is not None


def _load(hub: Hub, url: str, peer: str, args: argparse.Namespace) -> None:
    started = time.monotonic()
    hub.prepare()
    measure.people(hub)
    year = Year(hub, Areas(args.seed), args.alerts, args.cases)
    counts = fill(year, url)
    hub.house.db.optimize()
    told = ", ".join(f"{count} {table.__table__.name}" for table, count in counts.items())
    figure("cases", "load", time.monotonic() - started, "s", peer)
    print(f"         {told}", flush=True)


def fill(year: Year, url: str) -> dict[type[Row], int]:
    """Load the year, with the timers and counters that belong to it; rows by table."""
    year.hub.house.db.close()
    bulk, counts, started = Bulk(url), dict.fromkeys(TABLES, 0), time.monotonic()
    with bulk.later_indexes([table.__table__ for table in TABLES]):
        for batch in year.batches():
            for table, columns, rows in (
                (EvidenceRow, EVIDENCE, batch.evidence),
                (AlertRow, ALERT, batch.alerts),
                (CaseRow, CASE, batch.cases),
                (MoveRow, MOVE, batch.moves),
                (ClockRow, CLOCK, batch.clocks),
                (ReportRow, REPORT, batch.reports),
                (AttachmentRow, ATTACHMENT, batch.attachments),
            ):
                bulk.put(table, columns, rows)
                counts[table] += len(rows)
        print(f"         rows in after {time.monotonic() - started:.0f} s; indexes …", flush=True)
    bulk.execute(
        "INSERT INTO timers (due_at, kind, subject, case_id, attempts, error) SELECT deadline, 'overdue', "
        "'clock/' || id, case_id, 0, '' FROM case_clocks WHERE running_since IS NOT NULL AND overdue_at IS NULL"
    )
    for day, last in year.numbers.items():
        bulk.execute(f"INSERT INTO counters (name, value, text) VALUES ('case/{day}', {last}, '')")
    bulk.close()
    return counts


if __name__ == "__main__":
    raise SystemExit(main())
