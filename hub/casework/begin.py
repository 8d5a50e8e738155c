"""How a case begins: from a confirmed alert, from a report of one of the other channels, or as an old one reopened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from ..domain.case import DUPLICATE_M, RECURS_WITHIN, CaseAction, CaseState, case_number
from ..domain.channel import Channel
from ..domain.place import Spot, near
from ..errors import Invalid
from ..house import SYSTEM, Actor, House
from ..outbox import announce
from ..registry import locate
from ..store import Transaction, alert_queries, case_queries, device_queries, scope
from ..store.case_rows import CaseRow, LinkRow, ReportRow
from ..store.counting import locked_counter, next_in
from ..store.rows import AlertRow
from . import climbing, clocks
from .step import Photo, Told, keep_photos, locked, note, step, tell, thin
from .terms import settle

_LENT = ("camera_id", "sensor_id", "source_name", "preset", "zone", "zone_points", "address", "grid_id", "lon", "lat")
"""What an alert lends to its case."""
_SAME_PROBLEM = (
    *("alert_id", "description", "kind", "category", "category_code", "item_kind", "condition_id", "urgent"),
    *(*_LENT, "community_id", "street_id", "grid_code", "authority_id", "bundle_id"),
)
"""What a reopened case has from the one before."""


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody reports: `category` {standard, code, name}, `item_kind` matter or component, WGS-84 degrees."""

    channel: Channel
    category: Mapping[str, Any]
    item_kind: str = "matter"
    condition: str | None = None
    description: str = ""
    address: str = ""
    lon: float | None = None
    lat: float | None = None
    grid: str | None = None
    camera: str | None = None
    urgent: bool = False
    reporter: Mapping[str, str] | None = None
    external_id: str | None = None
    request_id: str | None = None
    separate: bool = False
    photos: Sequence[Photo] = ()


def from_report(tx: Transaction, house: House, actor: Actor, report: Report, now: datetime) -> tuple[CaseRow, str]:
    """(case, `reported` | `attached` | `repeated`): a new case, or the open one of the same problem nearby."""
    code = str(report.category["code"])
    if report.grid is not None and not device_queries.grid_path(tx, report.grid):
        raise Invalid("grid", report.grid, "the id of a grid")
    _one_at_a_time(tx, code)
    with scope.lifted():  # its number is taken, whoever may see the case that has it
        told_before = case_queries.report_known(tx, report.channel, report.external_id, report.request_id)
    if told_before is not None:
        return locked(tx, told_before.case_id), "repeated"
    here = Spot(report.lon, report.lat, report.camera)
    same = None if report.separate else _open_near(tx, code, report.item_kind, here, zoned=False)
    if same is not None:
        attach_report(tx, house, actor, same, report, now)
        return same, "attached"
    row = _new(tx, house, now)
    row.channel, row.reported_by, row.state = report.channel.value, actor.id, CaseState.REPORTED.value
    row.description, row.urgent = report.description, report.urgent
    row.condition_id, row.limit, row.closing, row.rule_version = report.condition, "", "", ""
    row.kind = next((k.id for k in house.rules.kinds.values() if k.code == code), "")
    row.category, row.category_code, row.item_kind = dict(report.category), code, report.item_kind
    row.address, row.lon, row.lat, row.camera_id = report.address, report.lon, report.lat, report.camera
    row.grid_id = report.grid
    row.source_name = report.address
    if row.grid_id is None and report.lon is not None and report.lat is not None:
        row.grid_id = locate(tx, report.lon, report.lat)
    place(tx, row)
    tx.add(row)
    tx.flush()
    _keep(tx, row, actor, report, now, attached=False)
    clocks.start_first(tx, house, row, now)
    keep_photos(tx, row, actor, report.photos, now)
    note(tx, row, actor, "report", None, Told(report.description, report.photos), now)
    tx.audit(now, actor.id, "case-reported", f"case/{row.number}", channel=row.channel, category=code)
    _recurs(tx, row, here, now)
    announce(tx, house, "cases", "case.reported", row.number, thin(row))
    return row, "reported"


def attach_report(tx: Transaction, house: House, actor: Actor, case: CaseRow, report: Report, now: datetime) -> None:
    """The same problem was reported again: evidence of the case that is open (domain.md §4.5)."""
    _keep(tx, case, actor, report, now, attached=True)
    case.report_count += 1
    case.urgent = case.urgent or report.urgent
    keep_photos(tx, case, actor, report.photos, now)
    told = Told(report.description, report.photos, {"channel": report.channel.value})
    note(tx, case, actor, "attach", CaseState(case.state), told, now)
    tx.audit(now, actor.id, "case-attached", f"case/{case.number}", channel=report.channel.value)


def from_alert(
    tx: Transaction,
    house: House,
    alert: AlertRow,
    actor: Actor,
    category: str | None,
    now: datetime,
    *,
    separate: bool = False,
    condition: str | None = None,
    into: str | None = None,
) -> CaseRow:
    """The case of a confirmed alert (locked by the caller): an open one that it is attached to (`into`, or one nearby),
    or a new one.

    A new one is filed, under the `condition` that was chosen, and dispatched at once when one unit has its class.
    """
    kind = house.rules.kinds[alert.kind]
    of = house.rules.category_of(kind, category)
    _one_at_a_time(tx, of["code"])
    here = Spot(alert.lon, alert.lat, alert.camera_id, alert.sensor_id)
    near_by = None if separate or into else _open_near(tx, of["code"], "matter", here, zoned=True)
    same = _open(tx, into) if into else near_by
    if same is not None:
        _attach_alert(tx, house, actor, same, alert, now)
        return same
    row = _new(tx, house, now)
    row.channel, row.reported_by, row.state = Channel.UNATTENDED.value, SYSTEM.id, CaseState.FILED.value
    row.open_key, row.alert_id, row.alert, row.kind = alert.place, alert.id, alert, alert.kind
    row.category, row.category_code, row.item_kind = of, of["code"], "matter"
    row.urgent, row.filed_by, row.filed_at = alert.urgent, actor.id, now
    for name in _LENT:
        setattr(row, name, getattr(alert, name))
    place(tx, row)
    row.limit, row.closing, row.rule_version = kind.limit, kind.closing, house.rules.versions[kind.id]
    row.condition_id = condition
    unit = settle(tx, house, row).unit
    tx.add(row)
    tx.flush()
    alert.case_id = row.id
    alert_queries.hand_to_case(tx, alert.id, row.id)
    _keep_alert(tx, row, actor, alert, now, attached=False)
    clocks.start_first(tx, house, row, now)
    note(tx, row, actor, CaseAction.FILE, None, Told(alert.note), now)
    tx.audit(now, actor.id, "case-filed", f"case/{row.number}", alert=alert.id, kind=row.kind, limit=row.limit)
    _recurs(tx, row, here, now)
    announce(tx, house, "cases", "case.filed", row.number, thin(row))
    if unit:
        step(tx, house, row, SYSTEM, CaseAction.DISPATCH, now, department=unit)
        climbing.start(tx, house, row, now)
    tell(tx, house, row)
    return row


def reopened(tx: Transaction, house: House, actor: Actor, old: CaseRow, told: Told, now: datetime) -> CaseRow:
    """A new case, reported and linked, for the problem of the closed one (locked by the caller)."""
    row = _new(tx, house, now)
    row.channel, row.reported_by, row.state = old.channel, actor.id, CaseState.REPORTED.value
    for name in _SAME_PROBLEM:
        setattr(row, name, getattr(old, name))
    row.limit, row.closing, row.rule_version = old.limit, old.closing, old.rule_version
    tx.add(row)
    tx.flush()
    clocks.start_first(tx, house, row, now)
    keep_photos(tx, row, actor, told.photos, now)
    note(tx, row, actor, CaseAction.REOPEN, None, Told(told.note, told.photos, {"from": old.number}), now)
    link(tx, row, old, "reopened_from", actor, now)
    tx.audit(now, actor.id, "case-reported", f"case/{row.number}", reopened_from=old.number, note=told.note)
    announce(tx, house, "cases", "case.reported", row.number, thin(row))
    tell(tx, house, row)
    return row


def detach_alert(tx: Transaction, house: House, actor: Actor, case: CaseRow, alert_id: str, now: datetime) -> None:
    """The verdict that attached the alert is taken back: it leaves the case, with its pictures."""
    case_queries.forget_report_of(tx, case.id, alert_id)
    case.report_count = max(1, case.report_count - 1)
    note(tx, case, actor, "detach", CaseState(case.state), Told("", (), {"alert": alert_id}), now)
    tx.audit(now, actor.id, "case-detached", f"case/{case.number}", alert=alert_id)
    tell(tx, house, case)


def absorb(tx: Transaction, house: House, actor: Actor, case: CaseRow, other: CaseRow, now: datetime) -> None:
    """Reports and pictures of `other`, which was found to be the same problem, belong to `case` from now on."""
    case.report_count += other.report_count
    case.urgent = case.urgent or other.urgent
    case.held_at = case.held_at or other.held_at
    case_queries.hand_over(tx, other.id, case.id)
    note(tx, case, actor, "attach", CaseState(case.state), Told(other.description, (), {"from": other.number}), now)
    tx.audit(now, actor.id, "case-attached", f"case/{case.number}", merged=other.number)
    tell(tx, house, case)


def link(tx: Transaction, row: CaseRow, other: CaseRow, relation: str, actor: Actor, now: datetime) -> None:
    """`row` is a duplicate_of, recurrence_of or reopened_from `other`."""
    tx.add(LinkRow(case_id=row.id, other_id=other.id, relation=relation, by=actor.id, at=now))


def place(tx: Transaction, row: CaseRow) -> None:
    """Fill the unit grid, the community and the street that the case's grid lies in."""
    above = device_queries.grid_path(tx, row.grid_id)
    row.community_id, row.street_id, row.grid_code = above.get("community"), above.get("street"), above.get("base")


def _new(tx: Transaction, house: House, now: datetime) -> CaseRow:
    """A case with its number and everything that every case begins with."""
    day = now.astimezone(house.settings.timezone).date()
    sequence = next_in(tx, f"case/{day.isoformat()}")
    return CaseRow(
        id=uuid4().hex,
        number=case_number(house.settings.district_code, now, sequence, house.settings.timezone),
        open=True,
        opened_at=now,
        order_at=now,
        calendar_version=house.rules.calendar.version,
        supervised=0,
        joint=False,
        recurrence=False,
        report_count=1,
        forced_close=False,
        timed_out=False,
        timeout_exempt=False,
        rework_count=0,
        extension_count=0,
        description="",
    )


def _one_at_a_time(tx: Transaction, code: str) -> None:
    """Two people who file the same problem in the same second: the second waits, and then finds the first's case."""
    locked_counter(tx, f"filing/{code}")


def hold_filing(tx: Transaction, case_id: str) -> None:
    """Before a closed case is locked that will be opened anew, as before one is filed.

    Filing takes a number and then touches the closed case (复发), reopening the other way round: without this they
    would wait for each other.
    """
    row = case_queries.case(tx, case_id)
    if row is not None:
        _one_at_a_time(tx, row.category_code)


def _open_near(tx: Transaction, code: str, item_kind: str, here: Spot, *, zoned: bool) -> CaseRow | None:
    """The open case of the same problem, locked.

    `zoned`: found by a rule in one zone of the camera; zones that an engineer drew apart in its view are apart.
    """
    for found in case_queries.open_of_class(tx, code, item_kind, here, DUPLICATE_M):
        there = Spot(found.lon, found.lat, found.camera_id, found.sensor_id)
        apart = zoned and here.camera is not None and here.camera == there.camera and found.open_key is not None
        if apart or not near(here, there, DUPLICATE_M):
            continue
        row = locked(tx, found.id)
        if row.open:
            return row
    return None


def _open(tx: Transaction, case_id: str) -> CaseRow:
    """The case that somebody chose, locked. Raises NotFound, Invalid (it has ended)."""
    row = locked(tx, case_id)
    if not row.open:
        raise Invalid("into", case_id, "a case that is open")
    return row


def _attach_alert(tx: Transaction, house: House, actor: Actor, case: CaseRow, alert: AlertRow, now: datetime) -> None:
    alert.case_id = case.id
    alert_queries.hand_to_case(tx, alert.id, case.id)
    _keep_alert(tx, case, actor, alert, now, attached=True)
    case.report_count += 1
    case.urgent = case.urgent or alert.urgent
    told = Told(alert.note, (), {"channel": Channel.UNATTENDED.value, "alert": alert.id})
    note(tx, case, actor, "attach", CaseState(case.state), told, now)
    tx.audit(now, actor.id, "case-attached", f"case/{case.number}", alert=alert.id)
    tell(tx, house, case)


def _recurs(tx: Transaction, row: CaseRow, here: Spot, now: datetime) -> None:
    """复发: flag and link the case when the same class was closed here a short while ago."""
    since = now - RECURS_WITHIN
    for old in case_queries.closed_of_class(tx, row.category_code, row.item_kind, here, DUPLICATE_M, since):
        there = Spot(old.lon, old.lat, old.camera_id, old.sensor_id)
        if near(here, there, DUPLICATE_M):
            row.recurrence = True
            link(tx, row, old, "recurrence_of", SYSTEM, now)
            return


def _keep(tx: Transaction, row: CaseRow, actor: Actor, report: Report, now: datetime, *, attached: bool) -> None:
    made = ReportRow(id=uuid4().hex, case_id=row.id, channel=report.channel.value, attached=attached, at=now)
    made.external_id, made.request_id = report.external_id, report.request_id
    made.description, made.address = report.description, report.address
    made.reporter = dict(report.reporter) if report.reporter else None
    made.lon, made.lat, made.by, made.by_name = report.lon, report.lat, actor.id, actor.name
    tx.add(made)
    tx.flush()


def _keep_alert(tx: Transaction, row: CaseRow, actor: Actor, alert: AlertRow, now: datetime, *, attached: bool) -> None:
    made = ReportRow(id=uuid4().hex, case_id=row.id, channel=Channel.UNATTENDED.value, attached=attached, at=now)
    made.alert_id, made.description, made.address = alert.id, alert.note, alert.address
    made.lon, made.lat, made.by, made.by_name = alert.lon, alert.lat, actor.id, actor.name
    tx.add(made)
    tx.flush()
