"""绩效评价 in SQL: what each counter means, once, for the number and for the list of cases behind it.

Counters that look at the same rows are one family: a range over an indexed column picks the rows of the period, each
counter of the family is a condition on them. Groups and sums are the database's work; nothing here walks over rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select, true, tuple_
from sqlalchemy.orm import Session, aliased

from ..domain.channel import PUBLIC_CHANNELS
from ..domain.evaluation import Counter
from .case_rows import CaseRow, ClockRow, MoveRow
from .supervision_rows import LetterRow, SupervisionRow

_C = Counter
Condition = ColumnElement[bool]


class Dimension(StrEnum):
    """What figures can be grouped by."""

    DEPARTMENT = "department"
    STREET = "street"
    COMMUNITY = "community"
    CATEGORY = "category"
    ITEM = "item"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True)
class Span:
    """A period: `start` is in it, `end` is not. A deadline counts in the period at whose end it falls."""

    start: datetime
    end: datetime

    def holds(self, column: Any) -> Condition:
        """Whether something happened in the period."""
        return and_(column >= self.start, column < self.end)

    def due(self, column: Any) -> Condition:
        """Whether a deadline falls into the period."""
        return and_(column > self.start, column <= self.end)


@dataclass(frozen=True, slots=True)
class Scope:
    """Which cases: None means all; `department` is that of the stay where stays are counted."""

    department: str | None = None
    street: str | None = None
    community: str | None = None
    category: str | None = None
    item: str | None = None
    channel: str | None = None

    def narrowed(self, dimension: Dimension, key: str | None) -> Scope:
        """The same, of one group."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return Scope(**{**values, dimension.value: key})


@dataclass(frozen=True, slots=True)
class Options:
    """`without_suspended`: the 金华 variant, which takes suspended cases out of 应结案."""

    without_suspended: bool = False


@dataclass(frozen=True, slots=True)
class Family:
    """Rows that share a range: `unit` is the table counted, `department` its column, `members` the conditions."""

    unit: Any
    department: Any
    base: Callable[[Span, Options], Condition]
    members: Mapping[Counter, Callable[[Span], Condition]]
    distinct: frozenset[Counter] = frozenset()


_not_void = CaseRow.state != "void"
_handles = ClockRow.stage == "handle"
_Later = aliased(ClockRow)
_Earlier = aliased(ClockRow)
_same_stay = (
    (_Later.case_id == ClockRow.case_id)
    & (_Later.stage == "handle")
    & (_Later.department_id == ClockRow.department_id)
    & (_Later.id > ClockRow.id)
)
_last_run = ~exists(select(1).where(_same_stay))
"""A rework begins a new run of the stay; the last run is the one that counts."""
_first_run = ~exists(
    select(1).where(
        _Earlier.case_id == ClockRow.case_id,
        _Earlier.stage == "handle",
        _Earlier.department_id == ClockRow.department_id,
        _Earlier.id < ClockRow.id,
    )
)
_own_stay = and_(
    ClockRow.stage == "handle",
    or_(ClockRow.outcome.is_(None), ClockRow.outcome.not_in(("returned", "transferred", "voided"))),
    _not_void,
)
"""Stays that the department answers for: those given back or passed on are not its own."""


def _case_due(span: Span, options: Options) -> Condition:
    """应结案: the final deadline falls into the period, or the case was closed before its deadline within it.

    Each case is due once, when the first of the two comes, so the months of a year add up to the year.
    """
    late = and_(span.due(CaseRow.deadline), or_(CaseRow.closed_at.is_(None), CaseRow.closed_at >= CaseRow.deadline))
    early = and_(span.holds(CaseRow.closed_at), or_(CaseRow.deadline.is_(None), CaseRow.closed_at < CaseRow.deadline))
    due = and_(or_(late, early), _not_void)
    return and_(due, ~_suspended_at(span.end)) if options.without_suspended else due


def _suspended_at(moment: datetime) -> Condition:
    """More suspensions than ends of suspensions before `moment`."""
    moves = select(func.count()).where(MoveRow.case_id == CaseRow.id, MoveRow.at < moment).correlate(CaseRow)
    into = moves.where(MoveRow.to_state == "suspended", MoveRow.from_state != "suspended").scalar_subquery()
    out = moves.where(MoveRow.from_state == "suspended", MoveRow.to_state != "suspended").scalar_subquery()
    return and_(CaseRow.filed_at < moment, into > out)


def _stay_due(span: Span, _options: Options) -> Condition:
    """应处置: as for cases, on the clock of each department's stay."""
    end, limit = ClockRow.finished_at, ClockRow.deadline
    # The stage stands in each branch, because SQLite takes an index for a branch by what stands in it.
    late = and_(_handles, span.due(limit), or_(end.is_(None), end >= limit))
    early = and_(_handles, span.holds(end), end < limit)
    waiting = and_(ClockRow.paused_at.is_not(None), end.is_(None), ClockRow.paused_at <= limit)
    return and_(or_(late, early), _own_stay, ~waiting, _last_run)


def _answered(span: Span) -> Condition:
    return and_(ClockRow.finished_at.is_not(None), ClockRow.finished_at <= span.end)


_stay_in_time = and_(or_(ClockRow.timed_out.is_(False), ClockRow.exempt.is_(True)), ClockRow.outcome != "force_closed")
_case_in_time = and_(
    or_(CaseRow.timed_out.is_(False), CaseRow.timeout_exempt.is_(True)), CaseRow.forced_close.is_(False)
)


def _closed(span: Span) -> Condition:
    return and_(CaseRow.closed_at.is_not(None), CaseRow.closed_at <= span.end)


def _any(_span: Span) -> Condition:
    return true()


def _stay_open(span: Span, _options: Options) -> Condition:
    running = and_(_handles, ClockRow.finished_at.is_(None), ClockRow.started_at < span.end)
    ended_later = and_(_handles, ClockRow.finished_at >= span.end, ClockRow.started_at < span.end)
    return and_(_own_stay, or_(running, ended_later), _last_run)


_accepted_late = exists(
    select(1).where(
        ClockRow.case_id == CaseRow.id,
        # Written so that no index of stages is taken: a case has a handful of clocks, a stage hundreds of thousands.
        func.coalesce(ClockRow.stage, "") == "accept",
        ClockRow.timed_out.is_(True),
    )
)

FAMILIES: tuple[Family, ...] = (
    Family(
        CaseRow,
        CaseRow.department_id,
        lambda span, _o: span.holds(CaseRow.opened_at),
        {_C.REPORT: _any, _C.ACCEPT: lambda _s: CaseRow.state != "reported"},
    ),
    Family(
        CaseRow,
        CaseRow.department_id,
        lambda span, _o: and_(span.holds(CaseRow.filed_at), _not_void),
        {
            _C.REGISTER: _any,
            _C.PUBLIC_REGISTER: lambda _s: CaseRow.channel.in_([c.value for c in PUBLIC_CHANNELS]),
            _C.URGENT_REGISTER: lambda _s: CaseRow.urgent.is_(True),
            _C.RECURRENCE: lambda _s: CaseRow.recurrence.is_(True),
            _C.INTIME_REGISTER: lambda _s: ~_accepted_late,
        },
    ),
    Family(
        CaseRow,
        CaseRow.department_id,
        _case_due,
        {
            _C.NEED_ARCHIVE: _any,
            _C.ARCHIVE: _closed,
            _C.INTIME_ARCHIVE: lambda span: and_(_closed(span), _case_in_time),
            _C.OVERTIME_ARCHIVE: lambda span: and_(_closed(span), ~_case_in_time),
            _C.OVERTIME_TO_ARCHIVE: lambda span: ~_closed(span),
        },
    ),
    Family(
        CaseRow,
        CaseRow.department_id,
        lambda span, _o: and_(span.holds(CaseRow.closed_at), _not_void),
        {_C.CLOSED: _any},
    ),
    Family(
        ClockRow,
        ClockRow.department_id,
        lambda span, _o: and_(ClockRow.stage == "handle", span.holds(ClockRow.started_at), _not_void, _first_run),
        {
            _C.DISPATCH: _any,
            _C.ACCURATE_DISPATCH: lambda _s: or_(
                ClockRow.outcome.is_(None), ClockRow.outcome.not_in(("returned", "transferred"))
            ),
        },
    ),
    Family(
        ClockRow,
        ClockRow.department_id,
        _stay_due,
        {
            _C.NEED_DISPOSE: _any,
            _C.DISPOSE: _answered,
            _C.INTIME_DISPOSE: lambda span: and_(_answered(span), _stay_in_time),
            _C.OVERTIME_DISPOSE: lambda span: and_(_answered(span), ~_stay_in_time),
        },
    ),
    Family(
        ClockRow,
        ClockRow.department_id,
        _stay_open,
        {
            _C.TO_DISPOSE: _any,
            _C.INTIME_TO_DISPOSE: lambda span: ClockRow.deadline >= span.end,
            _C.OVERTIME_TO_DISPOSE: lambda span: ClockRow.deadline < span.end,
        },
    ),
    Family(
        ClockRow,
        CaseRow.department_id,
        lambda span, _o: and_(ClockRow.stage.in_(("verify", "check")), span.holds(ClockRow.finished_at), _not_void),
        {
            _C.VERIFY: lambda _s: ClockRow.stage == "verify",
            _C.INTIME_VERIFY: lambda _s: and_(ClockRow.stage == "verify", ClockRow.timed_out.is_(False)),
            _C.CHECK: lambda _s: ClockRow.stage == "check",
            _C.INTIME_CHECK: lambda _s: and_(ClockRow.stage == "check", ClockRow.timed_out.is_(False)),
        },
    ),
    Family(
        MoveRow,
        MoveRow.department_id,
        lambda span, _o: and_(MoveRow.action.in_(("rework", "suspend", "extend")), span.holds(MoveRow.at), _not_void),
        {
            _C.REWORK: lambda _s: MoveRow.action == "rework",
            _C.MULTI_REWORK: lambda _s: MoveRow.action == "rework",
            _C.HANG: lambda _s: MoveRow.action == "suspend",
            _C.POSTPONE: lambda _s: MoveRow.action == "extend",
        },
        frozenset({_C.REWORK, _C.HANG, _C.POSTPONE}),
    ),
    Family(
        MoveRow,
        MoveRow.department_id,
        lambda span, _o: and_(
            MoveRow.action == "suspend", MoveRow.at < span.start, _not_void, _suspended_at(span.start)
        ),
        {_C.HIS_HANG: _any},
        frozenset({_C.HIS_HANG}),
    ),
    Family(
        SupervisionRow,
        SupervisionRow.department_id,
        lambda span, _o: and_(SupervisionRow.level >= 1, span.holds(SupervisionRow.raised_at)),
        {_C.SUPERVISED: _any},
        frozenset({_C.SUPERVISED}),
    ),
    Family(
        SupervisionRow,
        SupervisionRow.department_id,
        lambda span, _o: and_(
            span.due(LetterRow.reply_due_at), LetterRow.state.not_in(("draft", "withdrawn")), LetterRow.reply_required
        ),
        {
            _C.NEED_ANSWER: _any,
            _C.INTIME_ANSWER: lambda _s: LetterRow.replied_at <= LetterRow.reply_due_at,
        },
    ),
)

_FAMILY_OF: Mapping[Counter, Family] = {counter: family for family in FAMILIES for counter in family.members}


def _from(family: Family, what: Select[Any]) -> Select[Any]:
    """`what` out of the family's table, with the case beside each row."""
    if family.unit is CaseRow:
        return what.select_from(CaseRow)
    query = what.select_from(family.unit).join(CaseRow, CaseRow.id == family.unit.case_id)
    if family.unit is SupervisionRow:
        query = query.outerjoin(LetterRow, LetterRow.id == SupervisionRow.letter_id)
    return query


def _column(family: Family, dimension: Dimension) -> Any:
    return {
        Dimension.DEPARTMENT: family.department,
        Dimension.STREET: CaseRow.street_id,
        Dimension.COMMUNITY: CaseRow.community_id,
        Dimension.CATEGORY: CaseRow.category_code,
        Dimension.ITEM: CaseRow.item_kind,
        Dimension.CHANNEL: CaseRow.channel,
    }[dimension]


def _within(family: Family, scope: Scope) -> list[Condition]:
    wanted = ((dimension, getattr(scope, dimension.value)) for dimension in Dimension)
    return [_column(family, dimension) == key for dimension, key in wanted if key is not None]


def count(
    tx: Session,
    counters: Iterable[Counter],
    span: Span,
    *,
    by: Dimension | None = None,
    scope: Scope | None = None,
    options: Options | None = None,
) -> dict[str | None, dict[Counter, int]]:
    """Counts by the keys of `by` (only None: all together); a group that has no case of any counter is not there."""
    asked = set(counters)
    found: dict[str | None, dict[Counter, int]] = {} if by else {None: {}}
    for family in FAMILIES:
        members = [counter for counter in family.members if counter in asked]
        if not members:
            continue
        key = _column(family, by) if by else None
        columns: list[Any] = [*([key] if by else []), *(_sum(family, counter, span) for counter in members)]
        query = _from(family, select(*columns))
        query = query.where(family.base(span, options or Options()), *_within(family, scope or Scope()))
        for row in tx.execute(query.group_by(key) if by else query):
            group, values = (row[0], row[1:]) if by else (None, row)
            if any(values):
                found.setdefault(group, {}).update(
                    {counter: int(value or 0) for counter, value in zip(members, values, strict=True)}
                )
    return found


def _sum(family: Family, counter: Counter, span: Span) -> Any:
    condition = family.members[counter](span)
    if counter in family.distinct:
        return func.count(case((condition, CaseRow.id)).distinct())
    return func.sum(case((condition, 1), else_=0))


@dataclass(frozen=True, slots=True)
class Entry:
    """One of what a counter counted: the case, and for a stay its department, deadline and end."""

    case: CaseRow
    department: str | None
    deadline: datetime | None
    finished_at: datetime | None


def entries(
    tx: Session,
    counter: Counter,
    span: Span,
    *,
    scope: Scope | None = None,
    options: Options | None = None,
    after: Sequence[Any] | None = None,
    limit: int = 50,
) -> tuple[list[Entry], list[Any] | None, int]:
    """(what the counter counted, newest case first; key of the next page; how many: the number itself)."""
    family = _FAMILY_OF[counter]
    distinct = counter in family.distinct or family.unit is CaseRow
    wanted = [
        family.base(span, options or Options()),
        family.members[counter](span),
        *_within(family, scope or Scope()),
    ]
    total = tx.scalar(_from(family, select(_sum(family, counter, span))).where(*wanted)) or 0
    unit_id = CaseRow.id if distinct else family.unit.id
    key = tuple_(CaseRow.number, unit_id)
    if distinct and family.unit is not CaseRow:
        cases = _from(family, select(CaseRow.id)).where(*wanted)
        query = select(CaseRow, CaseRow.department_id, unit_id).where(CaseRow.id.in_(cases))
    elif family.unit is ClockRow:
        query = _from(family, select(CaseRow, family.department, unit_id, ClockRow)).where(*wanted)
    else:
        query = _from(family, select(CaseRow, family.department, unit_id)).where(*wanted)
    if after is not None:
        query = query.where(key < tuple_(*after))
    rows = list(tx.execute(query.order_by(CaseRow.number.desc(), unit_id.desc()).limit(limit + 1)))
    more, rows = len(rows) > limit, rows[:limit]
    found = [_entry(row) for row in rows]
    return found, ([rows[-1][0].number, rows[-1][2]] if more else None), int(total)


def _entry(row: Any) -> Entry:
    if len(row) == 4:
        return Entry(row[0], row[1], row[3].deadline, row[3].finished_at)
    return Entry(row[0], row[1], row[0].deadline, row[0].closed_at)


def handling_time_s(
    tx: Session, span: Span, *, by: Dimension | None = None, scope: Scope | None = None
) -> dict[str | None, float]:
    """平均处置时长: mean seconds on the limit's own clock of the stays answered in the period, with their reworks."""
    family = _FAMILY_OF[Counter.NEED_DISPOSE]
    key = _column(family, by) if by else None
    columns: list[Any] = [*([key] if by else []), func.avg(ClockRow.used_s)]
    query = _from(family, select(*columns))
    query = query.where(_own_stay, _last_run, span.holds(ClockRow.finished_at), *_within(family, scope or Scope()))
    rows = tx.execute(query.group_by(key) if by else query)
    return {(row[0] if by else None): float(row[-1]) for row in rows if row[-1] is not None}
