"""绩效评价 counted from cases: the Tianmen bulletin, denominators, and the list behind every number."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from hub.domain.evaluation import Counter, Rate, percent, rate
from hub.domain.period import parse
from hub.store import Transaction, evaluation_queries
from hub.store.evaluation_queries import FAMILIES, Dimension, Options, Scope, Span

from .conftest import City
from .counted_cases import Made, add

C = Counter
SHANGHAI = ZoneInfo("Asia/Shanghai")
NOVEMBER = parse("2026-11", SHANGHAI)
SPAN = Span(NOVEMBER.start, NOVEMBER.end)
EARLY = datetime(2026, 11, 3, 1, tzinfo=UTC)  # Tuesday, 09:00: 4 working hours end at 15:00
LATE = Made(EARLY, answered_h=30, closed_h=31)
OPEN = Made(EARLY, answered_h=None, closed_h=None)
NOT_DUE = Made(datetime(2026, 11, 30, 9, tzinfo=UTC), answered_h=None, closed_h=None)  # due on 1 December


@pytest.fixture
def tx(city: City) -> Iterator[Transaction]:
    with city.hub.house.db.write() as made:
        yield made


def _fill(tx: Transaction, city: City, *groups: tuple[int, Made]) -> None:
    number = 0
    for times, made in groups:
        for _ in range(times):
            number += 1
            add(tx, city.hub.house, made, number)
    tx.flush()


def _count(tx: Transaction, *counters: Counter, scope: Scope | None = None, span: Span = SPAN) -> list[int]:
    found = evaluation_queries.count(tx, counters, span, scope=scope)[None]
    return [found.get(counter, 0) for counter in counters]


def test_the_tianmen_bulletin_from_cases(city: City, tx: Transaction) -> None:
    """2016-12: 受理 1054, 立案 996, 应结案 972, 结案 911, 按期 737; events 956/902, components 16/9 (§5.2)."""
    in_time, late, still, due = Made(EARLY), LATE, OPEN, NOT_DUE
    wechat = {"channel": "wechat_group"}
    component = {"item": "component", "category": "01003"}
    _fill(
        tx,
        city,
        (43, in_time.but(**wechat)),
        (688, in_time),
        (6, in_time.but(**component)),
        (171, late),
        (3, late.but(**component)),
        (54, still),
        (7, still.but(**component)),
        (24, due),
        (58, Made(EARLY, filed=False, void=True)),  # 受理, 不予立案
    )
    counts = evaluation_queries.count(tx, Counter, SPAN)[None]
    assert [counts.get(c, 0) for c in (C.ACCEPT, C.REGISTER, C.NEED_ARCHIVE, C.ARCHIVE, C.INTIME_ARCHIVE)] == [
        *(1054, 996, 972, 911, 737)
    ]
    assert rate(Rate.ARCHIVE, counts) == Decimal("93.72")
    assert rate(Rate.INTIME_ARCHIVE, counts) == Decimal("75.82")
    items = evaluation_queries.count(tx, Counter, SPAN, by=Dimension.ITEM)
    assert rate(Rate.ARCHIVE, items["matter"]) == Decimal("94.35")
    assert rate(Rate.ARCHIVE, items["component"]) == Decimal("56.25")
    sources = evaluation_queries.count(tx, [C.REGISTER], SPAN, by=Dimension.CHANNEL)
    assert percent(sources["patrol"][C.REGISTER], counts[C.REGISTER]) == Decimal("95.68")
    assert percent(sources["wechat_group"][C.REGISTER], counts[C.REGISTER]) == Decimal("4.32")
    assert rate(Rate.PUBLIC_REPORT, counts) == Decimal("4.32")
    assert counts[C.OVERTIME_ARCHIVE] == 174
    assert counts[C.OVERTIME_TO_ARCHIVE] == 61


def test_each_case_is_due_once_so_months_add_up(city: City, tx: Transaction) -> None:
    closed_early = NOT_DUE.but(answered_h=0.5, closed_h=1)  # closed on 30 November, due in December
    _fill(tx, city, (1, Made(EARLY)), (2, NOT_DUE), (3, closed_early), (1, LATE.but(at=NOT_DUE.at)))
    december = parse("2026-12", SHANGHAI)
    after = Span(december.start, december.end)
    year = Span(parse("2026", SHANGHAI).start, parse("2026", SHANGHAI).end)
    assert _count(tx, C.NEED_ARCHIVE, C.ARCHIVE) == [4, 4]
    assert _count(tx, C.NEED_ARCHIVE, C.ARCHIVE, span=after) == [3, 1]
    assert _count(tx, C.NEED_ARCHIVE, C.ARCHIVE, C.NEED_DISPOSE, span=year) == [7, 5, 7]


def test_void_is_out_forced_is_not_in_time_and_an_appeal_counts_as_in_time(city: City, tx: Transaction) -> None:
    _fill(
        tx,
        city,
        (1, Made(EARLY)),
        (2, Made(EARLY, void=True)),
        (4, Made(EARLY, forced=True)),
        (8, LATE),
        (16, LATE.but(exempt=True)),
    )
    counters = (C.REGISTER, C.NEED_ARCHIVE, C.ARCHIVE, C.INTIME_ARCHIVE, C.NEED_DISPOSE, C.DISPOSE, C.INTIME_DISPOSE)
    assert _count(tx, *counters) == [29, 29, 29, 17, 29, 29, 17]


def test_returned_and_reworked_stays(city: City, tx: Transaction) -> None:
    """A department given the case back to does not answer for it; a rework's last run is the one that counts."""
    case = city.case()
    city.move("huan", case["id"], "return", reason="不属本单位")
    city.clock.forward(hours=1)
    city.move("wang", case["id"], "dispatch", department="enforcement")
    city.clock.forward(hours=1)
    city.move("zhao", case["id"], "accept")
    city.move("zhao", case["id"], "feedback", text="好了")
    city.move("wang", case["id"], "rework", reason="仍有")
    city.clock.forward(days=1)
    city.move("zhao", case["id"], "accept")
    city.move("zhao", case["id"], "feedback", text="好了")
    city.move("wang", case["id"], "close")
    tx.rollback()
    by = evaluation_queries.count(tx, Counter, SPAN, by=Dimension.DEPARTMENT)
    assert C.NEED_DISPOSE not in by.get("sanitation", {}) or by["sanitation"][C.NEED_DISPOSE] == 0
    mine = by["enforcement"]
    assert [mine.get(c, 0) for c in (C.NEED_DISPOSE, C.DISPOSE, C.INTIME_DISPOSE, C.REWORK, C.MULTI_REWORK)] == [
        *(1, 1, 0, 1, 1)
    ]
    assert [by[u].get(C.DISPATCH, 0) for u in ("sanitation", "enforcement")] == [1, 1]
    assert by["sanitation"].get(C.ACCURATE_DISPATCH, 0) == 0
    assert mine[C.ACCURATE_DISPATCH] == 1


def test_open_stays_are_told_by_their_deadline(city: City, tx: Transaction) -> None:
    _fill(tx, city, (2, OPEN), (3, NOT_DUE), (1, Made(EARLY)))
    assert _count(tx, C.TO_DISPOSE, C.INTIME_TO_DISPOSE, C.OVERTIME_TO_DISPOSE) == [5, 3, 2]
    mean = evaluation_queries.handling_time_s(tx, SPAN)
    assert mean == {None: 3600.0}


def test_a_rework_goes_on_counting_in_the_mean_time_of_handling(city: City, tx: Transaction) -> None:
    case = city.case()["id"]
    for _ in range(2):
        city.move("huan", case, "accept")
        city.clock.forward(hours=1)
        city.move("huan", case, "feedback", text="好了")
        if city.clock.time.hour == 3:
            city.move("wang", case, "rework", reason="仍有")
    tx.rollback()
    assert evaluation_queries.handling_time_s(tx, SPAN) == {None: 7200.0}


def test_the_variant_takes_suspended_cases_out(city: City, tx: Transaction) -> None:
    from hub.store.case_rows import MoveRow

    row = add(tx, city.hub.house, OPEN, 1)
    for action, before, after, day in (
        ("suspend", "handling", "suspended", 4),
        ("resume", "suspended", "handling", 40),
    ):
        made = MoveRow(case_id=row.id, at=EARLY + timedelta(days=day), by="x", by_name="x", action=action, note="")
        made.from_state, made.to_state, made.evidence = before, after, []
        tx.add(made)
    tx.flush()
    december = parse("2026-12", SHANGHAI)
    year = Span(SPAN.start, december.end)
    variant = Options(without_suspended=True)
    assert _count(tx, C.NEED_ARCHIVE) == [1]
    assert evaluation_queries.count(tx, [C.NEED_ARCHIVE], SPAN, options=variant)[None].get(C.NEED_ARCHIVE, 0) == 0
    assert evaluation_queries.count(tx, [C.NEED_ARCHIVE], year, options=variant)[None][C.NEED_ARCHIVE] == 1
    assert _count(tx, C.HANG, C.HIS_HANG) == [1, 0]
    assert _count(tx, C.HIS_HANG, span=Span(december.start, december.end)) == [1]


def test_every_number_has_exactly_the_cases_it_says(city: City, tx: Transaction) -> None:
    _fill(
        tx,
        city,
        (3, Made(EARLY, street="s1", reworks=2)),
        (2, LATE.but(street="s2", channel="hotline", urgent=True)),
        (2, OPEN.but(street="s1", recurrence=True, department="enforcement")),
        (1, NOT_DUE.but(item="component", category="01003")),
        (1, Made(EARLY, filed=False, closed_h=None)),
    )
    scopes = [Scope(), Scope(street="s1"), Scope(department="sanitation"), Scope(category="01003", item="component")]
    for scope in scopes:
        counts = evaluation_queries.count(tx, Counter, SPAN, scope=scope)[None]
        for counter in Counter:
            entries, key, total = evaluation_queries.entries(tx, counter, SPAN, scope=scope, limit=3)
            assert total == counts.get(counter, 0), (counter, scope)
            seen = list(entries)
            while key is not None:
                more, key, _total = evaluation_queries.entries(tx, counter, SPAN, scope=scope, after=key, limit=3)
                seen += more
            assert len(seen) == total, (counter, scope)


def test_every_counter_belongs_to_one_family() -> None:
    members = [counter for family in FAMILIES for counter in family.members]
    assert sorted(members) == sorted(set(members))
    assert set(members) == set(Counter)
