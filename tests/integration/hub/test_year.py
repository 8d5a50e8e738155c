"""The year that `make bench-cases` loads is one that the hub could have written: small here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from hub import alerts, cases
from hub.bootstrap import Hub, build_hub
from hub.config import load, shipped
from hub.domain.role import Role
from hub.house import Actor, House
from hub.sample_district import Areas, write
from hub.store.case_queries import Wanted
from tests.bench.cases import measure
from tests.bench.cases.__main__ import fill
from tests.bench.cases.year import NOW, Year

STAFF = Actor("staff00", "员", Role.STAFF)


@pytest.fixture
def year(tmp_path: Path) -> Iterator[Hub]:
    database_url = f"sqlite:///{tmp_path / 'year.sqlite'}"
    write(tmp_path / "d", 2026, shipped("configs"))
    settings = replace(load(tmp_path / "d" / "hub.yaml"), data_dir=tmp_path / "data", database_url=database_url)
    hub = build_hub(settings, now=lambda: NOW)
    hub.prepare()
    measure.people(hub)
    fill(Year(hub, Areas(2026), alerts=3000, cases=400, due=20), database_url)
    yield hub
    hub.house.db.close()


def test_a_small_year_reads_like_any_other(year: Hub) -> None:
    house = year.house
    waiting, _key, _total = alerts.page(house, state="pending_review")
    confirmed, _key, total = alerts.page(house, state="confirmed")
    assert total > 100
    assert confirmed[0]["case"]
    assert all(alert["evidence"] for alert in confirmed)
    assert len(waiting) < 50
    open_cases, _key, n_open = cases.page(house, STAFF, Wanted(is_open=True))
    closed, _key, n_closed = cases.page(house, STAFF, Wanted(states=("closed",)))
    assert n_open >= 20
    assert n_open + n_closed == pytest.approx(400, abs=30)
    shown = cases.read(house, STAFF, closed[0]["id"])
    assert [move["to"] for move in shown["history"]][-3:] == ["feedback", "checking", "closed"]
    assert shown["deadline"]
    assert any(case["overdue"] for case in open_cases)
    unit = Actor("u", "u", Role.DEPARTMENT, open_cases[0]["department"]["id"])
    mine, _key, _n = cases.page(house, unit, Wanted(is_open=True))
    assert {case["department"]["id"] for case in mine} == {unit.department}
    late = [case for case in closed if case["timed_out"]]
    assert len(late) < len(closed) / 4
    _whole(house)


def _whole(house: House) -> None:
    """Every reference and constraint holds."""
    with house.db.read() as tx:
        assert tx.execute(text("PRAGMA foreign_key_check")).all() == []
        assert tx.execute(text("PRAGMA integrity_check")).scalar() == "ok"
        timers = tx.execute(text("SELECT count(*) FROM timers")).scalar() or 0
        orphans = "SELECT count(*) FROM timers WHERE case_id NOT IN (SELECT id FROM cases WHERE open)"
        assert timers >= 20
        assert tx.execute(text(orphans)).scalar() == 0
        closed = (
            "SELECT count(*) FROM case_clocks c JOIN cases k ON k.id = c.case_id "
            "WHERE k.state = 'closed' AND c.finished_at IS NULL"
        )
        assert tx.execute(text(closed)).scalar() == 0
