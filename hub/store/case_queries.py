"""Cases, their moves and re-checks: what is asked of the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, delete, func, not_, or_, select, tuple_, update
from sqlalchemy import case as case_when
from sqlalchemy.orm import Session

from ..domain.case import ENDED, CaseState
from ..domain.place import Spot, degrees_around
from .case_rows import (
    CaseRow,
    ClockRow,
    LinkRow,
    LookRow,
    MoveRow,
    OrderRow,
    PartRow,
    RecheckRow,
    ReportRow,
    RequestRow,
    VisitRow,
)
from .counting import count_up_to, insert_if_new
from .rows import AlertRow, AttachmentRow, EvidenceRow

OPEN_STATES = tuple(state.value for state in CaseState if state not in ENDED)


def case(tx: Session, case_id: str, *, lock: bool = False) -> CaseRow | None:
    """The case by its id or number; `lock` holds it until the transaction ends."""
    query = select(CaseRow).where((CaseRow.id == case_id) | (CaseRow.number == case_id))
    if lock:
        query = query.with_for_update(of=CaseRow).execution_options(populate_existing=True)
    return tx.scalars(query).first()


@dataclass(frozen=True, slots=True)
class SeenBy:
    """Whose cases alone are shown: those of a department (with its joint parts), or those a person has to do with."""

    department: str | None = None
    person: str | None = None


FLAGS = {
    "urgent": CaseRow.urgent.is_(True),
    "supervised": CaseRow.supervised > 0,
    "joint": CaseRow.joint.is_(True),
    "whistle": CaseRow.whistle.is_not(None),
    "recurrence": CaseRow.recurrence.is_(True),
    "repeated": CaseRow.report_count > 1,
    "reworked": CaseRow.rework_count > 0,
    "extended": CaseRow.extension_count > 0,
    "forced_close": CaseRow.forced_close.is_(True),
    "timed_out": CaseRow.timed_out.is_(True),
    "timeout_exempt": CaseRow.timeout_exempt.is_(True),
}
"""Flags that lists filter by, orthogonal to the state."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which cases a list is to hold; what is empty leaves the question open.

    `grid` is a base grid, a community or a street. `overdue`: the clock that runs now is past its deadline.
    `since` and `until`: reported from then on, and before then.
    """

    states: tuple[str, ...] = ()
    department: str | None = None
    is_open: bool | None = None
    grid: str | None = None
    code: str | None = None
    channel: str | None = None
    overdue: bool | None = None
    flags: tuple[str, ...] = ()
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    seen_by: SeenBy | None = None

    @property
    def by_deadline(self) -> bool:
        """Whether the list is one of work to do: nearest deadline first, in place of newest first."""
        ended = {"closed", "void"}
        return self.is_open is True or (bool(self.states) and not ended & set(self.states))


def _conditions(wanted: Wanted, now: datetime) -> list[Any]:
    found: list[Any] = [FLAGS[flag] for flag in wanted.flags]
    if wanted.states:
        found.append(CaseRow.state.in_(wanted.states))
    if wanted.department is not None:
        found.append(_of_department(wanted.department))
    if wanted.is_open is not None:
        found.append(CaseRow.open.is_(wanted.is_open))
    if wanted.grid is not None:
        found.append(or_(*(c == wanted.grid for c in (CaseRow.grid_id, CaseRow.community_id, CaseRow.street_id))))
    if wanted.code is not None:
        found.append(CaseRow.category_code == wanted.code)
    if wanted.channel is not None:
        found.append(CaseRow.channel == wanted.channel)
    if wanted.overdue is not None:
        late = and_(CaseRow.due_at.is_not(None), CaseRow.due_at < now)
        found.append(late if wanted.overdue else not_(late))
    if wanted.since is not None:
        found.append(CaseRow.opened_at >= wanted.since)
    if wanted.until is not None:
        found.append(CaseRow.opened_at < wanted.until)
    if wanted.text:
        found.append(_says(wanted.text))
    if wanted.seen_by is not None:
        found.append(_visible(wanted.seen_by))
    return found


def _ways(tx: Session, wanted: Wanted, now: datetime) -> list[Select[Any]]:
    """Questions for ids that exclude each other, each of which an index can walk in order.

    A department's list is what is its own, and what it assists in: as one "or" all it ever had would be sorted.
    """
    seen = wanted.seen_by.department if wanted.seen_by else None
    unit = wanted.department or seen
    if unit is None:
        return [select(CaseRow.id).where(*_conditions(wanted, now))]
    rest = _conditions(replace(wanted, department=None, seen_by=None if seen in (None, unit) else wanted.seen_by), now)
    own = select(CaseRow.id).where(CaseRow.department_id == unit, *rest)
    elsewhere = or_(CaseRow.department_id.is_(None), CaseRow.department_id != unit)
    joint = select(CaseRow.id).join(PartRow, PartRow.case_id == CaseRow.id)
    if tx.scalar(select(PartRow.id).where(PartRow.department_id == unit).limit(1)) is None:
        return [own]
    return [own, joint.where(PartRow.department_id == unit, elsewhere, *rest)]


def _says(text: str) -> Any:
    """A whole number, or any of the texts of a case."""
    if text.isdigit() and len(text) == 19:
        return CaseRow.number == text
    columns = (CaseRow.number, CaseRow.address, CaseRow.description, CaseRow.source_name)
    return or_(*(column.icontains(text, autoescape=True) for column in columns))


def _of_department(department: str) -> Any:
    joint = select(PartRow.case_id).where(PartRow.department_id == department)
    return or_(CaseRow.department_id == department, CaseRow.id.in_(joint))


def _visible(by: SeenBy) -> Any:
    if by.department is not None:
        return _of_department(by.department)
    visits = select(VisitRow.case_id).where(VisitRow.assignee == by.person)
    reports = select(ReportRow.case_id).where(ReportRow.by == by.person)
    return or_(CaseRow.id.in_(visits), CaseRow.id.in_(reports))


def visible(tx: Session, case_id: str, by: SeenBy) -> bool:
    """Whether the case is among those."""
    return tx.scalar(select(CaseRow.id).where(CaseRow.id == case_id, _visible(by))) is not None


def evidence_visible(tx: Session, sha256: str, by: SeenBy) -> bool:
    """Whether the file belongs to one of those cases."""
    query = select(AttachmentRow.id).join(CaseRow, CaseRow.id == AttachmentRow.case_id)
    return tx.scalar(query.where(AttachmentRow.sha256 == sha256, _visible(by)).limit(1)) is not None


def evidence_within(tx: Session, sha256: str) -> bool:
    """Whether the file belongs to an alert or a case within the scope of who asks."""
    within = or_(AttachmentRow.alert_id.in_(select(AlertRow.id)), AttachmentRow.case_id.in_(select(CaseRow.id)))
    return tx.scalar(select(AttachmentRow.id).where(AttachmentRow.sha256 == sha256, within).limit(1)) is not None


def page(
    tx: Session, asked: Wanted, *, now: datetime, after: Sequence[Any] | None, limit: int
) -> tuple[list[CaseRow], list[Any] | None, int]:
    """Open cases by deadline, nearest first; otherwise newest first. (rows, key of the next page, how many in all).

    How many: COUNTED_MOST may be more.
    """
    by_deadline = asked.by_deadline
    column = CaseRow.order_at if by_deadline else CaseRow.opened_at
    total, rows = 0, list[CaseRow]()
    for ids in _ways(tx, asked, now):
        total += count_up_to(tx, ids)
        query = ids.with_only_columns(CaseRow)
        query = query.order_by(column, CaseRow.id) if by_deadline else query.order_by(column.desc(), CaseRow.id.desc())
        if after is not None:
            key, last = tuple_(column, CaseRow.id), tuple_(datetime.fromisoformat(after[0]), after[1])
            query = query.where(key > last if by_deadline else key < last)
        rows += tx.scalars(query.limit(limit + 1))
    rows.sort(key=lambda row: (row.order_at if by_deadline else row.opened_at, row.id), reverse=not by_deadline)
    more = len(rows) > limit
    rows = rows[:limit]
    if not more:
        return rows, None, total
    value: datetime = rows[-1].order_at if by_deadline else rows[-1].opened_at
    return rows, [value.isoformat(), rows[-1].id], total


AREA_COLUMNS = {"grid": CaseRow.grid_id, "community": CaseRow.community_id, "street": CaseRow.street_id}
"""Areas that cases are counted by."""


def counts_by_area(tx: Session, area: str, wanted: Wanted, now: datetime) -> dict[str | None, tuple[int, int]]:
    """(all, still open) of the wanted cases, void ones left out, by the id of their `area`; None: in no such area."""
    column = AREA_COLUMNS[area]
    still = func.sum(case_when((CaseRow.open.is_(True), 1), else_=0))
    query = select(column, func.count(), still).where(*_conditions(wanted, now), CaseRow.state != "void")
    return {id_: (int(n), int(left)) for id_, n, left in tx.execute(query.group_by(column))}


def requests_page(
    tx: Session, by: SeenBy | None, *, states: Sequence[str] | None, after: Sequence[Any] | None, limit: int
) -> tuple[list[tuple[RequestRow, CaseRow]], list[Any] | None]:
    """Requests with their cases, newest first, and the key of the next page."""
    query = select(RequestRow, CaseRow).join(CaseRow, CaseRow.id == RequestRow.case_id)
    if states is not None:
        query = query.where(RequestRow.state.in_(states))
    if by is not None:
        query = query.where(_visible(by))
    if after is not None:
        last = tuple_(datetime.fromisoformat(after[0]), after[1])
        query = query.where(tuple_(RequestRow.asked_at, RequestRow.id) < last)
    query = query.order_by(RequestRow.asked_at.desc(), RequestRow.id.desc()).limit(limit + 1)
    found = [(row, case_row) for row, case_row in tx.execute(query)]
    if len(found) <= limit:
        return found, None
    end = found[limit - 1][0]
    return found[:limit], [end.asked_at.isoformat(), end.id]


def remember_order(tx: Session, request_id: str, case_id: str, action: str, by: str, at: datetime) -> bool:
    """Whether no order of that id was carried out yet."""
    values = {"request_id": request_id, "case_id": case_id, "action": action, "by": by, "at": at}
    return insert_if_new(tx, OrderRow, values, "request_id")


def order(tx: Session, request_id: str) -> OrderRow | None:
    """What was ordered under that id."""
    return tx.get(OrderRow, request_id)


def forget_orders(tx: Session, before: datetime) -> None:
    """Those carried out before then."""
    tx.execute(delete(OrderRow).where(OrderRow.at < before))


def moves(tx: Session, case_id: str) -> list[MoveRow]:
    """The case's history, oldest first."""
    return list(tx.scalars(select(MoveRow).where(MoveRow.case_id == case_id).order_by(MoveRow.id)))


def clocks(tx: Session, case_id: str) -> list[ClockRow]:
    """All clocks that ever ran, oldest first."""
    return list(tx.scalars(select(ClockRow).where(ClockRow.case_id == case_id).order_by(ClockRow.id)))


def clocks_of(tx: Session, case_ids: Iterable[str]) -> dict[str, list[ClockRow]]:
    """The same for many cases, without those of joint units."""
    query = select(ClockRow).where(ClockRow.case_id.in_(set(case_ids)), ClockRow.part_id.is_(None))
    found: dict[str, list[ClockRow]] = {}
    for row in tx.scalars(query.order_by(ClockRow.id)):
        found.setdefault(row.case_id, []).append(row)
    return found


def open_clocks(tx: Session, case_id: str) -> list[ClockRow]:
    """Those without a verdict yet, oldest first."""
    query = select(ClockRow).where(ClockRow.case_id == case_id, ClockRow.finished_at.is_(None))
    return list(tx.scalars(query.order_by(ClockRow.id)))


def last_handle_clock(tx: Session, case_id: str) -> ClockRow | None:
    """The newest run of the case's own handle clock."""
    query = select(ClockRow).where(ClockRow.case_id == case_id, ClockRow.stage == "handle", ClockRow.part_id.is_(None))
    return tx.scalars(query.order_by(ClockRow.id.desc()).limit(1)).first()


def clock(tx: Session, clock_id: int, *, lock: bool = False) -> ClockRow | None:
    """One clock; `lock` holds it until the transaction ends."""
    query = select(ClockRow).where(ClockRow.id == clock_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return tx.scalars(query).first()


def part_units(tx: Session, case_id: str) -> list[str]:
    """The units that assist in a joint case."""
    return list(tx.scalars(select(PartRow.department_id).where(PartRow.case_id == case_id)))


def parts(tx: Session, case_id: str) -> list[PartRow]:
    """The joint units of a case, in the order they were added."""
    return list(tx.scalars(select(PartRow).where(PartRow.case_id == case_id).order_by(PartRow.added_at, PartRow.id)))


def part_of(tx: Session, case_id: str, department: str) -> PartRow | None:
    """The part of one unit."""
    return tx.scalars(select(PartRow).where(PartRow.case_id == case_id, PartRow.department_id == department)).first()


def requests(tx: Session, case_id: str) -> list[RequestRow]:
    """What was asked for in a case, oldest first."""
    query = select(RequestRow).where(RequestRow.case_id == case_id)
    return list(tx.scalars(query.order_by(RequestRow.asked_at, RequestRow.id)))


def pending_request(tx: Session, case_id: str) -> RequestRow | None:
    """The request of the case that waits for consent."""
    return tx.scalars(select(RequestRow).where(RequestRow.open_key == case_id)).first()


def visits(tx: Session, case_id: str) -> list[VisitRow]:
    """Who was sent to look, oldest first."""
    query = select(VisitRow).where(VisitRow.case_id == case_id)
    return list(tx.scalars(query.order_by(VisitRow.asked_at, VisitRow.id)))


def open_visits(tx: Session, case_id: str) -> list[VisitRow]:
    """Visits that nobody has answered."""
    query = select(VisitRow).where(VisitRow.case_id == case_id, VisitRow.state == "open")
    return list(tx.scalars(query.order_by(VisitRow.asked_at, VisitRow.id)))


def reports(tx: Session, case_id: str) -> list[ReportRow]:
    """Every report of the problem, oldest first."""
    query = select(ReportRow).where(ReportRow.case_id == case_id)
    return list(tx.scalars(query.order_by(ReportRow.attached, ReportRow.at, ReportRow.id)))


def links(tx: Session, case_id: str) -> list[tuple[LinkRow, CaseRow]]:
    """Links from and to the case, each with the case at its other end."""
    other = and_(CaseRow.id == LinkRow.other_id, LinkRow.case_id == case_id)
    back = and_(CaseRow.id == LinkRow.case_id, LinkRow.other_id == case_id)
    query = select(LinkRow, CaseRow).join(CaseRow, or_(other, back)).order_by(LinkRow.id)
    return [(link, row) for link, row in tx.execute(query)]


def report_known(tx: Session, channel: str, external_id: str | None, request_id: str | None) -> ReportRow | None:
    """The report that has this number at its source, or this id of its sender."""
    same: list[Any] = []
    if external_id is not None:
        same.append(and_(ReportRow.channel == channel, ReportRow.external_id == external_id))
    if request_id is not None:
        same.append(ReportRow.request_id == request_id)
    return tx.scalars(select(ReportRow).where(or_(*same)).limit(1)).first() if same else None


def open_of_class(tx: Session, code: str, item_kind: str, here: Spot, within_m: float) -> list[CaseRow]:
    """Open cases of the class that may be at `here`, oldest first."""
    return _of_class(tx, code, item_kind, here, within_m, CaseRow.open.is_(True))


def closed_of_class(
    tx: Session, code: str, item_kind: str, here: Spot, within_m: float, since: datetime
) -> list[CaseRow]:
    """Cases of the class that were closed since then and may be at `here`, newest first."""
    ended = and_(CaseRow.closed_at >= since, CaseRow.state == "closed")
    return _of_class(tx, code, item_kind, here, within_m, ended)[::-1]


def _of_class(tx: Session, code: str, item_kind: str, here: Spot, within_m: float, wanted: Any) -> list[CaseRow]:
    places: list[Any] = []
    if here.camera is not None:
        places.append(CaseRow.camera_id == here.camera)
    if here.sensor is not None:
        places.append(CaseRow.sensor_id == here.sensor)
    if here.lon is not None and here.lat is not None:
        east, north = degrees_around(here.lat, within_m)
        across = CaseRow.lon.between(here.lon - east, here.lon + east)
        places.append(and_(CaseRow.lat.between(here.lat - north, here.lat + north), across))
    if not places:
        return []
    query = select(CaseRow).where(CaseRow.category_code == code, CaseRow.item_kind == item_kind, wanted)
    return list(tx.scalars(query.where(or_(*places)).order_by(CaseRow.opened_at, CaseRow.id)))


def attachments(tx: Session, case_ids: Iterable[str]) -> dict[str, list[tuple[AttachmentRow, EvidenceRow]]]:
    """By case, in the order they came."""
    query = (
        select(AttachmentRow, EvidenceRow)
        .join(EvidenceRow, EvidenceRow.sha256 == AttachmentRow.sha256)
        .where(AttachmentRow.case_id.in_(set(case_ids)))
        .order_by(AttachmentRow.id)
    )
    found: dict[str, list[tuple[AttachmentRow, EvidenceRow]]] = {}
    for link, file in tx.execute(query):
        found.setdefault(link.case_id or "", []).append((link, file))
    return found


def attach_photo(
    tx: Session,
    case_row: CaseRow,
    sha256: str,
    at: datetime,
    *,
    photo_type: str | None,
    by: str,
    lon: float | None,
    lat: float | None,
) -> None:
    """Tie a photo to the (locked) case, once."""
    same = select(AttachmentRow.id).where(
        AttachmentRow.case_id == case_row.id, AttachmentRow.role == "photo", AttachmentRow.sha256 == sha256
    )
    if tx.scalar(same.limit(1)) is None:
        made = AttachmentRow(sha256=sha256, alert_id=None, case_id=case_row.id, role="photo", at=at)
        made.photo_type, made.by, made.lon, made.lat = photo_type, by, lon, lat
        tx.add(made)
        tx.flush()


def forget_report_of(tx: Session, case_id: str, alert_id: str) -> None:
    """The report that an attached alert was."""
    tx.execute(delete(ReportRow).where(ReportRow.case_id == case_id, ReportRow.alert_id == alert_id))


def hand_over(tx: Session, from_id: str, to_id: str) -> None:
    """Reports, pictures and alerts of a case that turned out to be the same problem as another."""
    tx.flush()
    tx.execute(update(ReportRow).where(ReportRow.case_id == from_id).values(case_id=to_id, attached=True))
    tx.execute(update(AttachmentRow).where(AttachmentRow.case_id == from_id).values(case_id=to_id))


def newest_rechecks(tx: Session, case_ids: Iterable[str]) -> dict[str, RecheckRow]:
    """The newest re-check of each case that has one."""
    query = (
        select(RecheckRow).where(RecheckRow.case_id.in_(set(case_ids))).order_by(RecheckRow.created_at, RecheckRow.id)
    )
    return {row.case_id: row for row in tx.scalars(query)}


def recheck(tx: Session, recheck_id: str, *, lock: bool = False) -> RecheckRow | None:
    """The re-check; `lock` holds it until the transaction ends."""
    query = select(RecheckRow).where(RecheckRow.id == recheck_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return tx.scalars(query).first()


def rechecks_to_do(tx: Session) -> list[tuple[RecheckRow, CaseRow]]:
    """Re-checks that still want looks, with their cases, oldest first."""
    query = (
        select(RecheckRow, CaseRow)
        .join(CaseRow, CaseRow.id == RecheckRow.case_id)
        .where(RecheckRow.state.in_(("waiting", "looking")))
        .order_by(RecheckRow.created_at, RecheckRow.id)
    )
    return [(row, case_row) for row, case_row in tx.execute(query)]


def add_look(tx: Session, values: dict[str, Any]) -> bool:
    """Note a look; False when one of the same instant is there."""
    return insert_if_new(tx, LookRow, values, "recheck_id", "captured_at")


def looks(tx: Session, recheck_id: str) -> list[LookRow]:
    """In order of time."""
    return list(tx.scalars(select(LookRow).where(LookRow.recheck_id == recheck_id).order_by(LookRow.captured_at)))


def open_by_state(tx: Session) -> dict[str, int]:
    """Open cases, by state."""
    query = select(CaseRow.state, func.count()).where(CaseRow.state.in_(OPEN_STATES)).group_by(CaseRow.state)
    return dict(tx.execute(query).all())


def ended_since(tx: Session, start: datetime) -> dict[str, int]:
    """Cases that ended since then, by state."""
    # Grouping by state would make SQLite walk the index of states instead of the day's.
    counts = [func.count(CaseRow.id).filter(CaseRow.state == state.value) for state in ENDED]
    found = tx.execute(select(*counts).where(CaseRow.closed_at >= start)).one()
    return {state.value: count for state, count in zip(ENDED, found, strict=True) if count}


def counts_by_state(tx: Session) -> dict[str, int]:
    """All cases, by state."""
    return dict(tx.execute(select(CaseRow.state, func.count()).group_by(CaseRow.state)).all())
