"""Readings in the hub: a table a day, summed up by five minutes and hours, true under late data, forgotten by table."""

from __future__ import annotations

import random
import sqlite3
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from hub import batch, readings
from hub.readings import store_rows
from hub.store import Database, ReadingStore
from hub.store.partitions import DAY_US, FIVE_MINUTES_US, HOUR_US, Grain, bounds
from hub.store.readings import newest, series_of
from hub.store.rollups import Rollup, roll_up, stored, true
from ingest.reading import Quality, Reading

from .conftest import MONDAY, City

DATABASES = pytest.mark.usefixtures("database_url")
MONDAY_US = batch.microseconds(MONDAY)


def row(
    at: datetime,
    value: float,
    key: str = "",
    device: str = "bin-7",
    prop: str = "fill_pct",
    received: datetime | None = None,
) -> Any:
    us = batch.microseconds(at)
    return (
        device,
        prop,
        "",
        "%",
        value,
        us,
        batch.microseconds(received or at),
        key or f"{device}{prop}{us}",
        "ok",
        None,
        None,
        None,
        None,
        "json",
    )


@pytest.fixture
def database(database_url: str) -> Any:
    made = Database(database_url)
    made.migrate()
    yield made
    made.close()


def add(database: Database, rows: Sequence[Any], store: ReadingStore | None = None) -> int:
    with database.write() as tx:
        return (store or ReadingStore()).add(tx, rows)


def number(database: Database, device: str = "bin-7") -> int:
    with database.read() as tx:
        return series_of(tx, device)[0].id


def reckoned(rows: Sequence[Any], width_us: int, series: int) -> list[Rollup]:
    """What roll-ups must be, from the readings."""
    by_time: dict[int, list[Any]] = {}
    for one in sorted(rows, key=lambda r: r[5]):
        by_time.setdefault(one[5] // width_us * width_us, []).append(one[4])
    return [Rollup(series, at, len(v), sum(v) / len(v), min(v), max(v), v[-1]) for at, v in sorted(by_time.items())]


def near(rows: Sequence[Rollup]) -> list[Any]:
    return [(*r[:3], pytest.approx(r.mean), *r[4:]) for r in rows]


def test_each_day_has_its_table_and_the_order_is_that_of_time(database: Database) -> None:
    times = [MONDAY + timedelta(hours=9 * n) for n in range(8)]
    mixed = random.Random(1).sample(times, len(times))
    assert add(database, [row(at, float(times.index(at))) for at in mixed]) == 8
    with database.read() as tx:
        names = [r[0] for r in tx.execute(text("SELECT name FROM partitions ORDER BY name"))]
        assert names == ["readings_20261123", "readings_20261124", "readings_20261125"]
        one = series_of(tx, "bin-7")[0]
        far = MONDAY_US + 10 * DAY_US
        assert [r.value for r in newest(tx, [one.id], 0, far, 100)] == [float(n) for n in range(8)]
        assert [r.value for r in newest(tx, [one.id], 0, far, 3)] == [5.0, 6.0, 7.0]
        assert [
            r.value for r in newest(tx, [one.id], batch.microseconds(times[2]), batch.microseconds(times[4]), 9)
        ] == [
            2.0,
            3.0,
        ]


def test_the_same_reading_is_stored_once_whatever_comes_with_it(database: Database) -> None:
    store = ReadingStore()
    assert add(database, [row(MONDAY, 1.0, "a"), row(MONDAY, 1.0, "a"), row(MONDAY, 2.0, "b")], store) == 2
    assert add(database, [row(MONDAY, 1.0, "a"), row(MONDAY, 1.0, "a", prop="x")], store) == 1
    assert add(database, [row(MONDAY, 1.0, "a")], ReadingStore()) == 0


def test_a_transaction_that_fails_leaves_no_number_behind(database: Database) -> None:
    store = ReadingStore()

    def fail() -> None:
        with database.write() as tx:
            store.add(tx, [row(MONDAY, 1.0)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert add(database, [row(MONDAY, 1.0, device="other"), row(MONDAY, 1.0)], store) == 2
    assert number(database) != number(database, "other")


def test_rollups_stay_true_under_late_and_repeated_readings(database: Database) -> None:
    rng = random.Random(7)
    rows = [row(MONDAY + timedelta(seconds=17 * n), rng.uniform(0, 100)) for n in range(600)]
    rng.shuffle(rows)
    store, now_us = ReadingStore(), MONDAY_US + 2 * HOUR_US
    for start in range(0, 600, 60):
        add(database, rows[start : start + 60] + rows[:5], store)
        with database.write() as tx:
            while roll_up(tx, now_us, 7):
                pass
        here = rows[: start + 60]
        series = number(database)
        with database.read() as tx:
            for grain, width in ((Grain.FIVE_MINUTES, FIVE_MINUTES_US), (Grain.HOUR, HOUR_US)):
                wanted = reckoned(here, width, series)
                shown = true(tx, grain, [series], MONDAY_US, MONDAY_US + DAY_US)
                assert [tuple(r) for r in shown] == near(wanted)
                kept = stored(tx, grain, [series], MONDAY_US, MONDAY_US + DAY_US)
                complete = [r for r in wanted if r.at_us + FIVE_MINUTES_US <= now_us]
                if grain is Grain.FIVE_MINUTES:
                    assert [tuple(r) for r in kept] == near(complete), "what is not complete waits"


def test_rolling_up_while_readings_come_loses_none(database: Database) -> None:
    rows = [row(MONDAY + timedelta(seconds=7 * n), float(n % 101)) for n in range(800)]
    random.Random(3).shuffle(rows)
    store, far_us = ReadingStore(), MONDAY_US + DAY_US

    def come() -> None:
        for start in range(0, len(rows), 20):
            add(database, rows[start : start + 20], store)

    writer = threading.Thread(target=come)
    writer.start()
    while writer.is_alive():
        with database.write() as tx:
            roll_up(tx, far_us, 5)
    writer.join()
    with database.write() as tx:
        while roll_up(tx, far_us, 50):
            pass
    series = number(database)
    with database.read() as tx:
        for grain, width in ((Grain.FIVE_MINUTES, FIVE_MINUTES_US), (Grain.HOUR, HOUR_US)):
            kept = stored(tx, grain, [series], MONDAY_US, far_us)
            assert [tuple(r) for r in kept] == near(reckoned(rows, width, series))


def test_whoever_asks_before_it_is_summed_up_gets_the_truth(database: Database) -> None:
    rows = [row(MONDAY + timedelta(minutes=n), float(n)) for n in range(90)]
    add(database, rows)
    series = number(database)
    with database.read() as tx:
        assert stored(tx, Grain.HOUR, [series], 0, 2**60) == []
        assert [tuple(r) for r in true(tx, Grain.HOUR, [series], 0, 2**60)] == near(reckoned(rows, HOUR_US, series))


def test_a_partition_ends_where_the_next_begins() -> None:
    for grain in Grain:
        at_us = MONDAY_US
        for _ in range(30):
            name, from_us, until_us = bounds(grain, at_us)
            assert from_us <= at_us < until_us
            assert bounds(grain, until_us - 1)[0] == name != bounds(grain, until_us)[0]
            assert bounds(grain, until_us)[1] == until_us
            at_us = until_us


def packed(*readings: Reading) -> bytes:
    return batch.request([batch.packed(readings)])


def test_a_workers_batch_over_http(city: City) -> None:
    worker, at = city.who("worker"), city.clock()
    whole = Reading("bin-7", "fill_pct", 50.5, "%", at, at, "k1", Quality.LATE, 80.0, -97.0, "chirpstack", "L1", 9, 6.0)
    again = Reading("bin-7", "fill_pct", 51.0, "%", at, at, "k2")
    assert worker.post("/api/worker/readings", content=packed(whole, again)).json() == {"stored": 2, "duplicates": 0}
    assert worker.post("/api/worker/readings", content=packed(whole)).json() == {"stored": 0, "duplicates": 1}
    items = city.who("wang").get("/api/readings?sensor=s1&hours=1").json()["items"]
    assert {(i["value"], i["channel"], i["quality"]) for i in items} == {(50.5, "L1", "late"), (51.0, "", "ok")}
    with city.hub.house.db.read() as tx:
        numbers = [one.id for one in series_of(tx, "bin-7")]
        kept = {r.value: r for r in newest(tx, numbers, 0, 2**60, 9)}[50.5]
    assert (kept.seq, kept.battery_pct, kept.rssi_dbm, kept.snr_db) == (9, 80.0, -97.0, 6.0)
    assert city.who("wang").post("/api/worker/readings", content=packed(whole)).status_code == 403


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"not json", "body"),
        (b'{"columns": ["x"], "rows": []}', "columns"),
        (b'{"rows": []}', "columns"),
        (packed(Reading("", "p", 1.0, "", MONDAY, MONDAY, "k")), "rows.0.0"),
        (packed(Reading("d", "p", 1.0, "", MONDAY, MONDAY, "k" * 201)), "rows.0.7"),
        (packed(Reading("d", "p", 1.0, "", MONDAY, MONDAY, "k")).replace(b"1.0", b"null"), "rows.0.4"),
    ],
)
def test_a_batch_that_cannot_be_is_refused_by_name(city: City, body: bytes, field: str) -> None:
    refused = city.who("worker").post("/api/worker/readings", content=body)
    assert refused.status_code == 422
    assert refused.json()["field"] == field


def test_readings_out_of_time_are_dropped_and_counted(city: City) -> None:
    now = city.clock()
    times = [now - timedelta(days=40), now + timedelta(days=2), now - timedelta(days=20)]
    rows = [row(at, float(n), received=now) for n, at in enumerate(times)]
    assert store_rows(city.hub.house, rows) == {"stored": 1, "duplicates": 0, "dropped": 2}
    assert 'gridhub_dropped_total{stage="reading_out_of_time"} 2' in city.who("nobody").get("/metrics").text


def test_readings_are_taken_and_shown_as_long_as_the_administrator_keeps_them(city: City) -> None:
    """His period counts, not that of hub.yaml (30 days): a worker that was cut off brings what is older than those."""
    boss, reads = city.who("boss"), city.who("eng")
    old = [row(MONDAY - timedelta(days=days), days, received=MONDAY) for days in (40, 80)]
    assert store_rows(city.hub.house, old) == {"stored": 0, "duplicates": 0, "dropped": 2}
    assert boss.put("/api/retention/readings", json={"days": 60}).status_code == 200
    assert store_rows(city.hub.house, old) == {"stored": 1, "duplicates": 0, "dropped": 1}
    shown = reads.get("/sta/v1.1/Things('s1')/Datastreams?$expand=Observations").json()["value"]
    assert [o["result"] for stream in shown for o in stream["Observations"]] == [40]
    assert boss.put("/api/retention/readings", json={"days": 5}).status_code == 200
    week = [row(MONDAY - timedelta(days=7), 7, received=MONDAY)]
    assert store_rows(city.hub.house, week) == {"stored": 0, "duplicates": 0, "dropped": 1}


def test_a_jump_of_the_hubs_clock_costs_nothing(city: City) -> None:
    store_rows(city.hub.house, [row(city.clock(), 1.0)])
    for jump, value in ((-20_000, 2.0), (400, 3.0)):
        before = city.clock()
        city.clock.forward(days=jump)
        sent = before + timedelta(minutes=value)
        assert store_rows(city.hub.house, [row(sent, value)])["stored"] == 1
        city.hub.tidy()
        city.clock.time = before
    items = city.who("wang").get("/api/readings?sensor=s1&hours=1").json()["items"]
    assert [i["value"] for i in items] == [1.0, 2.0, 3.0]


def test_a_chart_is_as_fine_as_its_span_allows(city: City) -> None:
    wang, start = city.who("wang"), city.clock()
    for day in range(20):
        noon = start + timedelta(days=day)
        store_rows(city.hub.house, [row(noon + timedelta(minutes=10 * n), float(day)) for n in range(12)])
        city.clock.forward(days=1)
        city.hub.sum_up()

    def chart(**asked: Any) -> Any:
        return wang.get("/api/readings/chart", params={"sensor": "s1", **asked}).json()

    until = city.clock().isoformat()
    day = chart(since=(city.clock() - timedelta(days=1)).isoformat(), until=until)
    assert (day["grain"], day["series"][0]["last"]) == ("raw", [19.0] * 12)
    assert day["limits"] == {"fill_pct": {"warn": 75.0, "alarm": 90.0}, "temperature": {"warn": 50.0, "alarm": 70.0}}
    week = chart(since=(city.clock() - timedelta(days=7)).isoformat(), until=until)
    assert (week["grain"], len(week["series"][0]["at"])) == ("5min", 84)
    month = chart(since=start.isoformat(), until=until)
    assert month["grain"] == "1h"
    (line,) = month["series"]
    assert (line["prop"], line["unit"], sum(line["n"])) == ("fill_pct", "%", 240)
    assert (
        line["mean"] == line["lowest"] == line["highest"] == line["last"] == [float(d) for d in range(20) for _ in "ab"]
    )
    city.clock.forward(days=60)
    store_rows(city.hub.house, [row(city.clock(), 1.0)])
    city.hub.tidy()
    old = chart(since=start.isoformat(), until=(start + timedelta(hours=3)).isoformat())
    assert (old["grain"], len(old["series"][0]["at"])) == ("5min", 12), "readings are gone, their summaries stay"
    assert chart(since=until, until=start.isoformat())["field"] == "until"
    assert chart(sensor="ghost")["title"]


def test_what_an_older_hub_stored_moves_into_the_partitions(tmp_path: Path) -> None:
    from alembic import command
    from alembic.config import Config

    path = tmp_path / "hub.sqlite"
    made = Database(f"sqlite:///{path}")
    config = Config()
    import hub.store

    config.set_main_option("script_location", str(Path(hub.store.__file__).parent / "migrations"))
    with made.write() as tx:
        config.attributes["connection"] = tx.connection()
        command.upgrade(config, "0003")
    with sqlite3.connect(path) as old:
        rows = [
            (f"k{n}", "bin-7", "fill_pct", n, "%", f"2026-11-2{n} 02:00:00.000000", f"2026-11-2{n} 02:00:01.000000")
            for n in range(1, 4)
        ]
        old.executemany(
            "INSERT INTO readings (key, device, prop, value, unit, observed_at, received_at, quality, source_format) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, 'late', 'json')",
            rows,
        )
    old.close()
    made.migrate()
    with made.read() as tx:
        series = series_of(tx, "bin-7")
        kept = newest(tx, [one.id for one in series], 0, 2**60, 9)
        assert [(r.value, r.quality) for r in kept] == [(1.0, "late"), (2.0, "late"), (3.0, "late")]
        assert kept[2].at_us == MONDAY_US
        assert len(true(tx, Grain.FIVE_MINUTES, [series[0].id], 0, 2**60)) == 3
    again = batch.microseconds(MONDAY)
    same = ("bin-7", "fill_pct", "", "%", 3.0, again, again, "k3", "late", None, None, None, None, "json")
    assert add(made, [same]) == 0, "what is sent again is known"
    made.close()


def test_whoever_reads_a_table_of_readings_slowly_holds_no_connection(city: City) -> None:
    """Each download had one of the thirty for as long as its client took."""
    store_rows(city.hub.house, [row(city.clock(), 1.0), row(city.clock() - timedelta(days=1), 2.0)])
    read = readings.rows(city.hub.house, None, city.clock() - timedelta(days=9), city.clock() + timedelta(days=1))
    pool: Any = city.hub.house.db._engine.pool
    before = pool.checkedout()
    assert next(read)[4] == 2.0
    assert pool.checkedout() == before
    assert [one[4] for one in read] == [1.0]


def test_a_table_of_readings_is_whole_and_in_order_however_many_are_read_at_once(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readings, "_ROWS_AT_ONCE", 8)
    start = city.clock() - timedelta(days=3)
    gaps_s = [0, 0, 0, 1, 3600, 86_400, 86_401, *range(90_000, 90_020), *[100_000] * 12, 180_000]
    sent = [row(start + timedelta(seconds=s), float(n), key=f"k{n}") for n, s in enumerate(gaps_s)]
    store_rows(city.hub.house, sent)
    since, until = start + timedelta(seconds=1), start + timedelta(seconds=180_000)
    read = list(readings.rows(city.hub.house, "s1", since, until))
    assert [one[6] for one in read] == [start + timedelta(seconds=s) for s in gaps_s[3:-1]]
    assert sorted(one[4] for one in read) == [float(n) for n in range(3, len(gaps_s) - 1)]
