"""The store itself: migrations, times, foreign keys, waiting writers, and an audit chain that shows tampering."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import IntegrityError, StatementError

import hub.store
from hub.store import Database, StoreError, case_queries, chain, timer_queries
from hub.store.case_rows import CaseRow, LookRow, MoveRow
from hub.store.category_rows import ConditionRow
from hub.store.chain import Sought, broken_at
from hub.store.counting import next_in
from hub.store.migrations import HEAD
from hub.store.rows import AuditRow, DepartmentRow, Row, TokenRow, UserRow
from hub.store.supervision_rows import LetterCaseRow

from .conftest import DATABASES, MONDAY


@pytest.fixture(params=DATABASES)
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    made = Database(database_url)
    made.migrate()
    yield made
    made.close()


@pytest.fixture
def empty(request: pytest.FixtureRequest, tmp_path: Path, backend: str) -> Iterator[Database]:
    """A database without a table."""
    url = f"sqlite:///{tmp_path / 'old.sqlite'}"
    if backend == "postgresql":
        url = request.getfixturevalue("postgres_server").fresh_database()
    made = Database(url)
    yield made
    made.close()


def test_the_migrations_make_exactly_the_tables(database: Database) -> None:
    folder = Path(hub.store.__file__).parent / "migrations"
    assert ScriptDirectory(str(folder)).get_current_head() == HEAD == database.version()
    with database.read() as tx:
        context = MigrationContext.configure(tx.connection(), opts={"compare_type": True})
        assert compare_metadata(context, Row.metadata) == []


def test_cases_from_before_keep_their_place_and_their_clock(database_of_0004: Database) -> None:
    database_of_0004.migrate()
    with database_of_0004.read() as tx:
        answered, running = (tx.get(CaseRow, key) for key in ("answered", "running"))
        assert answered is not None
        assert running is not None
        assert (running.camera_id, running.address, running.category_code) == ("c1", "北大街1号", "06010")
        assert (running.channel, running.stage, running.due_at) == ("unattended", "handle", MONDAY)
        late, going = (case_queries.clocks(tx, key)[0] for key in ("answered", "running"))
        assert (late.timed_out, late.timeout_s, late.outcome, late.limit_s) == (True, 60.0, "answered", 4 * 3600)
        assert (going.running_since, going.finished_at, going.used_s) == (MONDAY - timedelta(hours=1), None, 30.0)
        assert [t.subject for t in timer_queries.due(tx, MONDAY, 9)] == [f"clock/{going.id}"]
        assert tx.query(MoveRow).count() == 1


def test_letters_from_before_know_the_cases_of_their_table(database_of_0020: Database) -> None:
    database_of_0020.migrate()
    with database_of_0020.read() as tx:
        links = tx.execute(sa.select(LetterCaseRow.letter_id, LetterCaseRow.case_id).order_by(LetterCaseRow.case_id))
        assert links.all() == [("two", "a"), ("two", "b")]


def test_conditions_and_units_from_before_stay_as_they_were(database_of_0022: Database) -> None:
    database_of_0022.migrate()
    with database_of_0022.read() as tx:
        row, unit = tx.get(ConditionRow, "a"), tx.get(DepartmentRow, "market")
        assert row is not None
        assert unit is not None
        assert (row.filing, row.closing, row.verified_by) == ("夜市", "撤摊", "eng")
        assert (row.filing_en, row.closing_en) == ("", "")
        assert (unit.name, unit.duties, unit.duties_en) == ("市场所", ["农贸市场"], [])


def test_looks_from_before_say_it_in_every_language(database_of_0025: Database) -> None:
    database_of_0025.migrate()
    with database_of_0025.read() as tx:
        said = {look.why: look.said for look in tx.scalars(sa.select(LookRow))}
    assert said == {
        "原位置仍可见（87%）": {"code": "seen", "values": {"share": 87}},
        "原位置未再发现暴露垃圾": {"code": "gone", "values": {}},
        "fill_pct = 12 %": None,
    }


@pytest.fixture
def database_of_0025(empty: Database) -> Database:
    """A database whose looks have Chinese sentences alone: one with a figure, one without, one of a sensor."""
    empty.migrate("0025")
    with empty.write() as tx:
        add = _adder(tx.connection())
        add("cases", id="a", number="6210022026112300001")
        add("rechecks", id="r", case_id="a")
        sentences = {"原位置仍可见（87%）": 0.87, "原位置未再发现暴露垃圾": 1.0, "fill_pct = 12 %": 1.0}
        for n, (why, score) in enumerate(sentences.items()):
            at = MONDAY.replace(tzinfo=None) + timedelta(minutes=n)
            add("looks", id=n, recheck_id="r", captured_at=at, why=why, score=score)
    return empty


@pytest.fixture
def database_of_0022(empty: Database) -> Database:
    """A database whose conditions and units have no English: a ticked condition of the hub's own, and a unit."""
    empty.migrate("0022")
    with empty.write() as tx:
        add = _adder(tx.connection())
        add("conditions", id="a", filing="夜市", closing="撤摊", verified_by="eng")
        add("departments", id="market", name="市场所", duties=["农贸市场"])
    return empty


@pytest.fixture
def database_of_0020(empty: Database) -> Database:
    """A database in which letters do not know their cases yet: one about two cases and a gone one, one of none."""
    empty.migrate("0020")
    with empty.write() as tx:
        add = _adder(tx.connection())
        for id_ in ("a", "b", "c"):
            add("cases", id=id_, number=f"62100220261123{id_}")
        add("letter_templates", id=1, kind="contact")
        lines = [{"编号": f"62100220261123{id_}"} for id_ in ("a", "b", "gone")]
        add("letters", id="two", template_id=1, lines=lines)
        add("letters", id="none", template_id=1, lines=[])
    return empty


def _adder(connection: sa.Connection) -> Callable[..., None]:
    """add(table, column=value, …) for the tables as they are now; what must be there and is not named is the least."""
    old = sa.MetaData()
    old.reflect(connection)

    def add(table: str, **values: object) -> None:
        connection.execute(old.tables[table].insert(), {**_least(old.tables[table]), **values})

    return add


def _least(table: sa.Table) -> dict[str, object]:
    """Something for every column that must hold something."""
    makes: dict[type, object] = {int: 0, float: 0.0, str: "", bool: False, bytes: b"", dict: {}, list: []}
    needed = [c for c in table.columns if not c.nullable and c.server_default is None]
    return {c.name: MONDAY.replace(tzinfo=None) if isinstance(c.type, sa.DateTime) else makes[_kept(c)] for c in needed}


def _kept(column: sa.Column[object]) -> type:
    return list if isinstance(column.type, sa.JSON) else column.type.python_type


@pytest.fixture
def database_of_0004(empty: Database) -> Database:
    """A database of the version before cases had lives of their own, with two cases in it."""
    empty.migrate("0004")
    with empty.write() as tx:
        connection, old = tx.connection(), sa.MetaData()
        old.reflect(connection)
        at = {"sqlite": MONDAY.replace(tzinfo=None)}.get(connection.dialect.name, MONDAY)
        hour, minute = timedelta(hours=1), timedelta(minutes=1)
        rows: dict[str, list[dict[str, object]]] = {
            "cameras": [
                {
                    "id": "c1",
                    "name": "北大街",
                    "url": "rtsp://10.0.0.7/1",
                    "watch": "stay",
                    "every_s": 10,
                    "priority": 0,
                }
                | {"clip": True, "address": "", "state": "unknown", "message": "", "via": "", "resolution": ""}
                | {"platform": "", "goto": "", "settle_s": 4}
            ],
            "alerts": [
                {"id": key, "open_key": key, "place": key, "state": "confirmed", "kind": "garbage_exposed"}
                | {"urgent": False, "camera_id": "c1", "source_name": "北大街", "address": "北大街1号", "since": at}
                | {
                    "opened_at": at,
                    "last_seen_at": at,
                    "count": 1,
                    "score": 0.5,
                    "boxes": [],
                    "readings": [],
                    "why": "",
                }
                | {"rule_version": "r", "review_due_at": at, "note": ""}
                for key in ("answered", "running")
            ],
            "cases": [
                {"id": key, "number": key, "open_key": key, "alert_id": key, "open": True, "order_at": at}
                | {"kind": "garbage_exposed", "category": {"code": "06010"}, "urgent": False, "opened_at": at - hour}
                | {"filed_by": "wang", "limit": "4工作时", "closing": "清理", "rule_version": "r", "used_s": 30.0}
                | {"calendar_version": "c", "deadline": at, "rework_count": 0, **more}
                for key, more in (
                    ("answered", {"state": "checking", "clock_started_at": None, "clock_stopped_at": at + minute}),
                    ("running", {"state": "handling", "clock_started_at": at - hour, "clock_stopped_at": None}),
                )
            ],
            "moves": [
                {"case_id": "running", "at": at, "by": "wang", "by_name": "wang", "action": "file", "to_state": "filed"}
                | {"note": "", "evidence": []}
            ],
        }
        for name, values in rows.items():
            connection.execute(old.tables[name].insert(), values)
    return empty


def test_ones_own_reports_are_found_by_an_index(database: Database) -> None:
    """Lists and pictures of grid members and programs ask for them with each row."""
    mine = "SELECT case_id FROM case_reports WHERE \"by\" = 'token/app'"
    assert "ix_case_reports_by_case_id" in plan_of(database, mine)


@pytest.mark.parametrize(
    ("sought", "index"),
    [
        (Sought(until=MONDAY), "ix_audit_at_seq"),
        (Sought(since=MONDAY - timedelta(days=1), until=MONDAY), "ix_audit_at_seq"),
        (Sought(since=MONDAY), "ix_audit_at_seq"),
        (Sought(by="wang", until=MONDAY), "ix_audit_by_seq"),
        (Sought(action="sign-in", until=MONDAY), "ix_audit_action_seq"),
    ],
)
def test_old_entries_of_the_audit_trail_are_found_by_an_index(database: Database, sought: Sought, index: str) -> None:
    """Limited by dates alone, all that was written since was read: a second in a million entries."""
    told: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        told.append((statement, values))

    sqlite = database.url.get_backend_name() == "sqlite"
    with database.read() as tx:
        connection = tx.connection()
        sa.event.listen(connection, "before_cursor_execute", note)
        for before in (None, (MONDAY, 7)):
            chain.entries(tx, before, 100, sought)
        sa.event.remove(connection, "before_cursor_execute", note)
        if not sqlite:
            tx.execute(sa.text("SET LOCAL enable_seqscan = off"))
        for statement, values in told:
            explain = "EXPLAIN QUERY PLAN" if sqlite else "EXPLAIN"
            plan = str(connection.exec_driver_sql(f"{explain} {statement}", values).all())
            # Which of its indexes PostgreSQL takes goes by what it knows of the table: nothing, where it is empty.
            assert (index if sqlite else "ix_audit_") in plan, plan
    assert len(told) == 2


def plan_of(database: Database, query: str) -> str:
    """How the database would answer `query`; PostgreSQL as if the tables were not empty."""
    with database.read() as tx:
        if database.url.get_backend_name() == "sqlite":
            return str(tx.execute(sa.text(f"EXPLAIN QUERY PLAN {query}")).all())
        tx.execute(sa.text("SET LOCAL enable_seqscan = off"))
        return str(tx.execute(sa.text(f"EXPLAIN {query}")).all())


@pytest.mark.parametrize("time", range(8))
def test_migrating_twice_or_at_once_does_no_harm(tmp_path: Path, time: int) -> None:
    """Several times: two that open a new file at once met only now and then."""
    url = f"sqlite:///{tmp_path / 'new.sqlite'}"
    databases = [Database(url) for _ in range(3)]
    threads = [threading.Thread(target=d.migrate) for d in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [d.version() for d in databases] == [HEAD] * 3
    for made in databases:
        made.close()


def test_a_database_that_cannot_be_reached_is_named_without_its_password() -> None:
    with pytest.raises(StoreError) as refused:
        Database("postgresql://hub:hunter2@127.0.0.1:1/x").migrate()
    assert "127.0.0.1:1" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_times_come_back_in_utc_and_naive_ones_are_refused(database: Database) -> None:
    shanghai = datetime(2026, 11, 23, 10, 0, 0, 123456, timezone(timedelta(hours=8)))
    with database.write() as tx:
        tx.add(TokenRow(token_hash="a" * 64, name="t", role="worker", created_at=shanghai))
    with database.read() as tx:
        row = tx.get(TokenRow, "a" * 64)
        assert row is not None
        assert row.created_at == shanghai
        assert row.created_at.tzinfo is UTC
        assert tx.query(TokenRow).filter(TokenRow.created_at <= shanghai).count() == 1
    naive = datetime(2026, 11, 23, 10, 0)  # noqa: DTZ001
    with pytest.raises(StatementError, match="no time zone"), database.write() as tx:
        tx.add(TokenRow(token_hash="b" * 64, name="u", role="worker", created_at=naive))


def test_foreign_keys_are_kept(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as tx:
        tx.add(
            UserRow(id="x", name="x", role="department", department_id="ghosts", password_hash="", created_at=MONDAY)
        )


def test_a_transaction_that_raises_leaves_nothing_and_tells_nobody(database: Database) -> None:
    told: list[str] = []

    def fail() -> None:
        with database.write() as tx:
            tx.add(DepartmentRow(id="d", name="d"))
            tx.audit(MONDAY, "me", "did", "it")
            tx.after(lambda: told.append("done"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.read() as tx:
        assert tx.query(DepartmentRow).count() == tx.query(AuditRow).count() == 0
    assert told == []


def test_writers_wait_for_each_other(database: Database) -> None:
    def count() -> None:
        for _ in range(10):
            with database.write() as tx:
                next_in(tx, "n")
                tx.audit(MONDAY, "me", "counted", "n")

    threads = [threading.Thread(target=count) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.write() as tx:
        assert next_in(tx, "n") == 61
        assert tx.query(AuditRow).count() == 60
        assert broken_at(tx) is None


def test_sqlite_is_durable_and_readers_do_not_wait(tmp_path: Path) -> None:
    made = Database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    made.migrate()
    with made.read() as tx:
        pragmas = [tx.connection().exec_driver_sql(f"PRAGMA {p}").scalar() for p in ("journal_mode", "synchronous")]
    assert pragmas == ["wal", 2]
    with made.write() as writer:
        writer.add(DepartmentRow(id="d", name="d"))
        writer.flush()
        with made.read() as tx:
            assert tx.query(DepartmentRow).count() == 0
    made.close()


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ("UPDATE audit SET detail = '{\"n\": 9}' WHERE seq = 3", 3),
        ("UPDATE audit SET \"by\" = 'you' WHERE seq = 1", 1),
        ("DELETE FROM audit WHERE seq = 2", 2),
        ("DELETE FROM audit WHERE seq = 5", 5),
        ("UPDATE audit SET at = '2020-01-01 00:00:00.000000' WHERE seq = 4", 4),
    ],
)
def test_the_audit_chain_shows_tampering(tmp_path: Path, change: str, broken: int) -> None:
    path = tmp_path / "x.sqlite"
    made = Database(f"sqlite:///{path}")
    made.migrate()
    with made.write() as tx:
        for n in range(5):
            tx.audit(MONDAY, "me", "did", "it", n=n)
    with made.read() as tx:
        assert broken_at(tx) is None
    with sqlite3.connect(path) as raw:
        raw.execute(change)
    raw.close()
    with made.read() as tx:
        assert broken_at(tx) == broken
    made.close()
