"""Timers fire from the database: in order after an outage, once among several processes, a thousand in a second."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from hub.bootstrap import FIRES
from hub.casework import timed
from hub.casework.step import locked
from hub.config import Settings
from hub.house import House
from hub.store import Transaction, timer_queries
from hub.store.case_rows import CaseRow, ClockRow, TimerRow
from hub.store.chain import broken_at
from hub.timers import Timers

from .conftest import MONDAY, City, serving_city


def put(city: City, kind: str, subject: str, due_at: datetime, case: str | None = None) -> None:
    with city.hub.house.db.write() as tx:
        timer_queries.put(tx, kind, subject, due_at, case)


def waiting(city: City) -> list[str]:
    with city.hub.house.db.read() as tx:
        due = timer_queries.due(tx, MONDAY + timedelta(days=9999), 9999)
        return [t.subject for t in due if t.kind in ("test", "overdue")]


class Log:
    """Fires by writing down what fired; `bad` subjects fail."""

    def __init__(self, bad: frozenset[str] = frozenset()) -> None:
        self.fired: list[str] = []
        self.bad = bad

    def __call__(self, _tx: Transaction, _house: House, timer: TimerRow, _case: CaseRow | None) -> None:
        if timer.subject in self.bad:
            raise ZeroDivisionError("a fault of one timer")
        self.fired.append(timer.subject)


def timers(city: City, log: Log) -> Timers:
    return Timers(city.hub.house, {"test": log, **FIRES}, timed.show)


def test_what_is_due_fires_in_the_order_of_its_time(city: City) -> None:
    for n in (5, 1, 4, 2, 3):
        put(city, "test", str(n), MONDAY + timedelta(minutes=n))
    log = Log()
    assert timers(city, log).sweep() == 0
    city.clock.forward(minutes=3)
    assert timers(city, log).sweep() == 3
    assert log.fired == ["1", "2", "3"]
    assert waiting(city) == ["4", "5"]
    put(city, "test", "5", MONDAY + timedelta(minutes=3))  # set again: moved
    assert timers(city, log).sweep() == 1
    assert log.fired == ["1", "2", "3", "5"]


def test_the_fault_of_one_timer_stops_no_other(city: City) -> None:
    for n in range(4):
        put(city, "test", str(n), MONDAY)
    log = Log(frozenset({"1"}))
    timers(city, log).sweep()
    assert log.fired[-3:] == ["0", "2", "3"]
    with city.hub.house.db.read() as tx:
        left = timer_queries.due(tx, MONDAY + timedelta(days=1), 9)
        assert [(t.subject, t.attempts, t.error) for t in left] == [("1", 1, "a fault of one timer")]
        assert left[0].due_at == MONDAY + timedelta(minutes=5)


def test_a_suspension_that_ended_during_an_outage_counts_from_its_own_instant(city: City) -> None:
    """Monday to Friday: resumed on Wednesday, due on Thursday, and both told in that order once the hub is back."""
    case = city.case()["id"]
    city.move("huan", case, "accept")
    until = MONDAY + timedelta(days=2)
    city.move("huan", case, "suspend", reason="待审批", until=until.isoformat())
    city.move("wang", case, "consent")
    city.move("boss", case, "consent")
    city.clock.forward(days=4)
    city.sweep()
    lines = [(line["action"], line["at"]) for line in city.read(case)["history"] if line["action"] != "supervise"]
    history = lines[-2:]
    assert history == [("resume", until.isoformat()), ("overdue", "2026-11-25T08:00:00+00:00")]
    assert city.sweep() == 0


def test_silence_counts_as_acceptance_where_it_is_set(settings: Settings, rules: Any) -> None:
    with serving_city(replace(settings, auto_accept_min=60), rules) as city:
        case = city.case()["id"]
        other = city.case(zone="门前")["id"]
        city.move("huan", other, "return", reason="x")
        city.clock.forward(minutes=61)
        city.sweep()
        now = city.read(case)
        assert (now["state"], now["history"][-1]["by_name"]) == ("handling", "系统")
        assert city.read(other)["state"] == "filed"


def thousand(city: City, count: int = 1000) -> None:
    """So many dispatched cases whose deadline is at hand."""
    first = city.case()["id"]
    with city.hub.house.db.write() as tx:
        model = tx.get(CaseRow, first)
        clock = tx.query(ClockRow).filter(ClockRow.case_id == first, ClockRow.stage == "handle").one()
        columns = [c.key for c in CaseRow.__table__.columns if c.key not in ("id", "number", "open_key", "alert_id")]
        clock_columns = [c.key for c in ClockRow.__table__.columns if c.key not in ("id", "case_id")]
        for n in range(count - 1):
            row = CaseRow(id=f"case{n}", number=f"{n:019d}", **{k: getattr(model, k) for k in columns})
            tx.add(row)
            tx.flush()
            run = ClockRow(case_id=row.id, **{k: getattr(clock, k) for k in clock_columns})
            tx.add(run)
            tx.flush()
            timer_queries.put(tx, "overdue", f"clock/{run.id}", run.deadline, row.id)


def test_a_thousand_due_timers_are_swept_once_among_several_processes(city: City) -> None:
    thousand(city)
    city.clock.forward(hours=7)
    begun = time.perf_counter()
    sweepers = [Timers(city.hub.house, FIRES, timed.show) for _ in range(3)]
    counts: list[int] = []
    threads = [threading.Thread(target=lambda s=s: counts.append(s.sweep())) for s in sweepers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    counts.append(city.sweep())  # what one left to the other while it held it
    took_s = time.perf_counter() - begun
    assert sum(counts) >= 1000, counts  # and the rungs of supervision that were due
    with city.hub.house.db.read() as tx:
        assert tx.query(ClockRow).filter(ClockRow.overdue_at.is_not(None)).count() == 1000
        assert broken_at(tx) is None
    assert waiting(city) == []
    print(f"1,000 due timers by three sweepers: {took_s:.2f} s")


@pytest.mark.parametrize("action", ["accept", "close"])
def test_a_case_that_somebody_holds_is_left_to_him(city: City, action: str) -> None:
    """A sweep never waits for a person, and nothing fires that the person's move has overtaken."""
    case = city.case()["id"]
    city.move("huan", case, "accept")
    if action == "close":
        city.move("huan", case, "feedback", text="已清理")
    city.clock.forward(days=1)
    if city.hub.house.db.shown.startswith("sqlite"):
        assert city.sweep() >= 1  # one writer at a time: nobody can hold a case while another sweeps
        return
    with city.hub.house.db.write() as tx:
        locked(tx, case)
        done: list[int] = []
        sweeper = threading.Thread(target=lambda: done.append(city.sweep()))
        sweeper.start()
        sweeper.join(20)
        assert done == [0]
    assert city.sweep() >= 1
