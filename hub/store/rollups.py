"""Roll-ups: lowest, highest, mean, count and last of five minutes and of an hour, true also when readings come late.

Who stores readings marks the five minutes they fall into (`touched`). What is marked is summed up anew from the
readings themselves, so that neither late nor repeated ones can make it wrong; until that is done, who asks for it gets
it summed up on the spot.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import delete, select, text, tuple_

from .database import Transaction
from .partitions import FIVE_MINUTES_US, HOUR_US, Grain, across, bounds, made
from .reading_rows import PartitionRow, TouchedRow


class Rollup(NamedTuple):
    """A series in the time from `at_us` on; `last` is its newest value there."""

    series: int
    at_us: int
    n: int
    mean: float
    lowest: float
    highest: float
    last: float


_INTO = (
    "INSERT INTO {table} (series, at_us, n, mean, lowest, highest, last) VALUES (:series, :at_us, :n, :mean, :lowest, "
    ":highest, :last) ON CONFLICT (series, at_us) DO UPDATE SET n = excluded.n, mean = excluded.mean, "
    "lowest = excluded.lowest, highest = excluded.highest, last = excluded.last"
)


def roll_up(tx: Transaction, before_us: int, most: int) -> int:
    """Sum up at most `most` marked five minutes that end before then, and their hours; how many that were."""
    marked = select(TouchedRow.at_us, TouchedRow.series).where(TouchedRow.at_us <= before_us - FIVE_MINUTES_US)
    # Locked in the order in which `ReadingStore.add` marks them: who took them in another would wait for it in a ring.
    marked = marked.order_by(TouchedRow.at_us, TouchedRow.series).limit(most).with_for_update()
    todo = [(at, series) for at, series in tx.execute(marked)]
    if not todo:
        return 0
    # Unmarked first: who marks one of them from now on waits for us, and marks it again.
    for start in range(0, len(todo), 400):
        part = todo[start : start + 400]
        tx.execute(delete(TouchedRow).where(tuple_(TouchedRow.at_us, TouchedRow.series).in_(part)))
    fives = [made_ for at, series in todo if (made_ := summed(tx, series, at)) is not None]
    _keep(tx, Grain.FIVE_MINUTES, fives)
    hours = sorted({(at // HOUR_US * HOUR_US, series) for at, series in todo})
    of_hours = [
        _together(at, rows) for at, s in hours if (rows := stored(tx, Grain.FIVE_MINUTES, [s], at, at + HOUR_US))
    ]
    _keep(tx, Grain.HOUR, of_hours)
    return len(todo)


def summed(tx: Transaction, series: int, at_us: int) -> Rollup | None:
    """Five minutes of a series from its readings; None where none are there (any more)."""
    table, _from, _until = bounds(Grain.RAW, at_us)
    if tx.get(PartitionRow, table) is None:
        return None
    query = text(
        f"SELECT COUNT(*), AVG(value), MIN(value), MAX(value), (SELECT value FROM {table} WHERE series = :series "
        "AND at_us >= :since AND at_us < :until ORDER BY at_us DESC, key DESC LIMIT 1) "
        f"FROM {table} WHERE series = :series AND at_us >= :since AND at_us < :until"
    )
    row = tx.execute(query, {"series": series, "since": at_us, "until": at_us + FIVE_MINUTES_US}).one()
    return Rollup(series, at_us, *row) if row[0] else None


def _together(at_us: int, fives: Sequence[Rollup]) -> Rollup:
    """One roll-up of several of the same series, in order of time."""
    n = sum(five.n for five in fives)
    mean = sum(five.mean * five.n for five in fives) / n
    lowest, highest = min(five.lowest for five in fives), max(five.highest for five in fives)
    return Rollup(fives[0].series, at_us, n, mean, lowest, highest, fives[-1].last)


def _keep(tx: Transaction, grain: Grain, rows: Iterable[Rollup]) -> None:
    tables: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        tables.setdefault(bounds(grain, row.at_us)[0], []).append(row._asdict())
    for table, values in sorted(tables.items()):
        made(tx, grain, values[0]["at_us"])
        tx.execute(text(_INTO.format(table=table)), values)


def stored(tx: Transaction, grain: Grain, series: Iterable[int], since_us: int, until_us: int) -> list[Rollup]:
    """As they were last summed up, those that begin in that time: by series and time."""
    among = ", ".join(str(number) for number in sorted(series))
    found: list[Rollup] = []
    for table in across(tx, grain, since_us, until_us) if among else ():
        query = text(
            f"SELECT series, at_us, n, mean, lowest, highest, last FROM {table} "
            f"WHERE series IN ({among}) AND at_us >= :since AND at_us < :until ORDER BY series, at_us"
        )
        found += [Rollup(*row) for row in tx.execute(query, {"since": since_us, "until": until_us})]
    return sorted(found, key=lambda row: row[:2])


def true(tx: Transaction, grain: Grain, series: Iterable[int], since_us: int, until_us: int) -> list[Rollup]:
    """As they are now: what is marked is summed up on the spot, and not kept. `since_us` begins one of the grain."""
    numbers = sorted(series)
    width = grain.width_us
    marked = select(TouchedRow.at_us, TouchedRow.series).where(
        TouchedRow.series.in_(numbers), TouchedRow.at_us >= since_us, TouchedRow.at_us < until_us
    )
    stale = [(at, number) for at, number in tx.execute(marked)]
    rows = {(row.series, row.at_us): row for row in stored(tx, grain, numbers, since_us, until_us)}
    fresh = {(number, at): summed(tx, number, at) for at, number in stale}
    if grain is Grain.FIVE_MINUTES:
        rows.update({key: five for key, five in fresh.items() if five is not None})
    else:
        for number, hour in sorted({(number, at // width * width) for number, at in fresh}):
            fives = {five.at_us: five for five in stored(tx, Grain.FIVE_MINUTES, [number], hour, hour + width)}
            fives |= {at: five for (s, at), five in fresh.items() if s == number and five and hour <= at < hour + width}
            if fives:
                rows[number, hour] = _together(hour, [fives[at] for at in sorted(fives)])
    return [rows[key] for key in sorted(rows)]
