"""三次督办 follows each handle clock: its timer stands where the next rung is due, and falls when the clock stops."""

from __future__ import annotations

from ..domain.stage_clock import Stage, StageClock
from ..domain.supervision import Level, next_due
from ..house import House
from ..store import Transaction, supervision_queries, timer_queries
from ..store.case_rows import ClockRow

SUPERVISE = "supervise"
"""Kind of the timer of the next rung."""


def follow(tx: Transaction, house: House, row: ClockRow, clock: StageClock, *, fresh: bool = False) -> None:
    """Set or drop the timer after the clock has changed; an answered clock ends what it had raised.

    `fresh`: the clock has just begun, so it has reached nothing yet.
    """
    if row.stage != Stage.HANDLE:
        return
    subject = f"clock/{row.id}"
    if clock.finished_at is not None:
        timer_queries.drop(tx, SUPERVISE, subject)
        supervision_queries.end_of_clock(tx, row.id, clock.finished_at)
        return
    reached = None if fresh else supervision_queries.highest(tx, row.id)
    done = None if reached is None else Level(reached)
    coming = next_due(house.office.ladder, clock, done, house.rules.calendar)
    if coming is None:
        timer_queries.drop(tx, SUPERVISE, subject)
    else:
        timer_queries.put(tx, SUPERVISE, subject, coming[1], row.case_id)
