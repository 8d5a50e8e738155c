"""Cases for reports, written as the hub writes them: their clocks are run by the domain, verdicts are its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from hub.domain.stage_clock import StageClock
from hub.house import House
from hub.store import Transaction
from hub.store.case_rows import CaseRow, ClockRow, MoveRow


@dataclass(frozen=True)
class Made:
    """A case to be made; times are hours after `at`, None: not (yet)."""

    at: datetime
    filed: bool = True
    answered_h: float | None = 1.0
    closed_h: float | None = 1.5
    department: str = "sanitation"
    street: str | None = None
    community: str | None = None
    category: str = "06010"
    item: str = "matter"
    channel: str = "patrol"
    limit: str = "4工作时"
    urgent: bool = False
    void: bool = False
    exempt: bool = False
    forced: bool = False
    reworks: int = 0
    recurrence: bool = False
    address: str = "北大街1号"

    def but(self, **changes: Any) -> Made:
        """The same with changes."""
        return replace(self, **changes)


def add(tx: Transaction, house: House, made: Made, number: int) -> CaseRow:
    """Write the case with its accept and handle clocks and the moves that reports count."""
    at, calendar = made.at, house.rules.calendar
    closed_at = None if made.closed_h is None or not made.filed else at + timedelta(hours=made.closed_h)
    state = "void" if made.void else ("closed" if closed_at else ("handling" if made.filed else "reported"))
    row = CaseRow(
        id=uuid4().hex,
        number=f"621002{at:%Y%m%d}{number:05d}",
        channel=made.channel,
        state=state,
        open=state not in ("closed", "void"),
        order_at=at,
        opened_at=at,
        filed_at=at if made.filed else None,
        closed_at=at + timedelta(hours=1) if made.void else closed_at,
        kind="",
        category={"standard": "GB/T 47678.5", "code": made.category, "name": ""},
        category_code=made.category,
        item_kind=made.item,
        limit=made.limit if made.filed else "",
        closing="",
        rule_version="",
        calendar_version="",
        department_id=made.department if made.filed else None,
        street_id=made.street,
        community_id=made.community,
        address=made.address,
        urgent=made.urgent,
        forced_close=made.forced,
        timeout_exempt=made.exempt,
        rework_count=made.reworks,
        recurrence=made.recurrence,
    )
    tx.add(row)
    tx.flush()
    if made.filed:
        clock = StageClock.begin(made.limit, at, calendar)
        if made.answered_h is not None:
            clock = clock.finish(at + timedelta(hours=made.answered_h), calendar)
        outcome = "force_closed" if made.forced else "answered"
        tx.add(_clock_row(row, clock, "voided" if made.void else outcome, exempt=made.exempt))
        row.deadline, row.timed_out = clock.deadline, bool(clock.timed_out)
        for n in range(made.reworks):
            tx.add(_move(row, "rework", at + timedelta(hours=1, minutes=n)))
    return row


def _clock_row(row: CaseRow, clock: StageClock, outcome: str, *, exempt: bool) -> ClockRow:
    made = ClockRow(case_id=row.id, stage="handle", department_id=row.department_id, limit=clock.limit)
    made.limit_s, made.started_at, made.deadline = clock.limit_s, clock.started_at, clock.deadline
    made.running_since, made.used_s, made.paused_at = clock.running_since, clock.used_s, clock.paused_at
    made.finished_at, made.timed_out, made.timeout_s = clock.finished_at, clock.timed_out, clock.timeout_s
    made.outcome, made.exempt = outcome if clock.finished_at else None, exempt
    made.rule_version = made.calendar_version = ""
    return made


def _move(row: CaseRow, action: str, at: datetime) -> MoveRow:
    made = MoveRow(case_id=row.id, at=at, by="wang", by_name="wang", action=action, to_state=row.state, note="")
    made.department_id, made.evidence = row.department_id, []
    return made
