"""Alerts, findings and attachments: what is asked of the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select, true, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from .case_rows import CaseRow
from .counting import count_up_to, insert_if_new
from .rows import AlertRow, AttachmentRow, EvidenceRow, FindingRow

KEPT_AT_LEAST = timedelta(days=30)
"""No period of evidence can be shorter: a picture is not looked at before."""

Page = tuple[list[AlertRow], list[Any] | None, int]
"""(rows, key of the next page, how many in all: COUNTED_MOST may be more)"""


def alert(tx: Session, alert_id: str, *, lock: bool = False) -> AlertRow | None:
    """The alert; `lock` holds it until the transaction ends, and reads what the holder before left."""
    query = select(AlertRow).where(AlertRow.id == alert_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return tx.scalars(query).first()


def open_alert_at(tx: Session, place: str) -> AlertRow | None:
    """The alert of the open problem at `place`, locked."""
    query = select(AlertRow).where(AlertRow.open_key == place).with_for_update()
    return tx.scalars(query.execution_options(populate_existing=True)).first()


def last_ended_at(tx: Session, place: str) -> AlertRow | None:
    """The alert at `place` that ended last."""
    query = select(AlertRow).where(AlertRow.place == place, AlertRow.ended_at.is_not(None))
    return tx.scalars(query.order_by(AlertRow.ended_at.desc()).limit(1)).first()


def open_alert(tx: Session, values: dict[str, Any]) -> AlertRow | None:
    """Make an alert with `open_key`; None when that place has an open one."""
    if not insert_if_new(tx, AlertRow, values, "open_key"):
        return None
    return alert(tx, values["id"])


def reopen(tx: Session, row: AlertRow) -> bool:
    """Give the alert its place back; False when another problem is open there."""
    try:
        with tx.begin_nested():
            tx.execute(update(AlertRow).where(AlertRow.id == row.id).values(open_key=row.place, ended_at=None))
    except IntegrityError:
        return False
    tx.refresh(row)
    return True


def first_time(tx: Session, values: dict[str, Any]) -> bool:
    """Note a finding by its id; False when it came before. Waits for a rival who brings the same one."""
    return insert_if_new(tx, FindingRow, values, "id")


def finding(tx: Session, finding_id: str) -> FindingRow | None:
    """The finding, and what became of it."""
    return tx.get(FindingRow, finding_id)


def findings_with(tx: Session, outcome: str, place_begins: str, most: int) -> list[FindingRow]:
    """Findings with that outcome whose place begins so, the newest first."""
    begins = FindingRow.place.startswith(place_begins, autoescape=True)
    query = select(FindingRow).where(FindingRow.outcome == outcome, begins)
    return list(tx.scalars(query.order_by(FindingRow.received_at.desc(), FindingRow.id).limit(most)))


def settle_finding(tx: Session, finding_id: str, outcome: str, alert_id: str | None, case_id: str | None) -> None:
    """Write down what became of a finding."""
    values = {"outcome": outcome, "alert_id": alert_id, "case_id": case_id}
    tx.execute(update(FindingRow).where(FindingRow.id == finding_id).values(**values))


def page(
    tx: Session,
    *,
    state: str | None,
    kind: str | None,
    camera: str | None,
    sensor: str | None,
    after: Sequence[Any] | None,
    limit: int,
) -> Page:
    """Waiting alerts: urgent first, then those on which devices agree, then oldest; all others: newest first.

    `after` is the key of the last one seen.
    """
    wanted: list[Any] = []
    for column, value in (
        (AlertRow.state, state),
        (AlertRow.kind, kind),
        (AlertRow.camera_id, camera),
        (AlertRow.sensor_id, sensor),
    ):
        if value is not None:
            wanted.append(column == value)
    total = count_up_to(tx, select(AlertRow.id).where(*wanted))
    query = select(AlertRow).where(*wanted)
    if state in ("pending_review", "unsure"):
        query = query.order_by(AlertRow.urgent.desc(), AlertRow.agreed.desc(), AlertRow.opened_at, AlertRow.id)
        if after is not None:
            rank, opened, last = int(after[0]), datetime.fromisoformat(after[1]), after[2]
            urgent, agreed = rank >= 2, rank % 2 == 1
            same = and_(AlertRow.urgent.is_(urgent), AlertRow.agreed.is_(agreed))
            later = [and_(same, tuple_(AlertRow.opened_at, AlertRow.id) > tuple_(opened, last))]
            later += [and_(AlertRow.urgent.is_(urgent), AlertRow.agreed.is_(False))] if agreed else []
            later += [AlertRow.urgent.is_(False)] if urgent else []
            query = query.where(or_(*later))
    else:
        query = query.order_by(AlertRow.opened_at.desc(), AlertRow.id.desc())
        if after is not None:
            opened, last = datetime.fromisoformat(after[1]), after[2]
            query = query.where(tuple_(AlertRow.opened_at, AlertRow.id) < tuple_(opened, last))
    rows = list(tx.scalars(query.limit(limit + 1)))
    more = len(rows) > limit
    rows = rows[:limit]
    key = [2 * rows[-1].urgent + rows[-1].agreed, rows[-1].opened_at.isoformat(), rows[-1].id] if more else None
    return rows, key, total


def precision(tx: Session, rows: Iterable[AlertRow]) -> dict[tuple[str | None, str | None, str], dict[str, int]]:
    """(camera, sensor, kind) to {confirmed, rejected}, for the sources of `rows`."""
    rows = list(rows)
    cameras = {r.camera_id for r in rows if r.camera_id}
    sensors = {r.sensor_id for r in rows if r.sensor_id}
    counts: dict[tuple[str | None, str | None, str], dict[str, int]] = {}
    for column, ids in ((AlertRow.camera_id, cameras), (AlertRow.sensor_id, sensors)):
        if not ids:
            continue
        # Nothing but the columns of one index, so that the table itself is not read.
        query = (
            select(column, AlertRow.kind, AlertRow.state, func.count())
            .where(column.in_(ids), AlertRow.kind.in_({r.kind for r in rows}))
            .where(AlertRow.state.in_(("confirmed", "rejected")))
            .group_by(column, AlertRow.kind, AlertRow.state)
        )
        for device, kind, state, count in tx.execute(query):
            key = (device, None, kind) if column is AlertRow.camera_id else (None, device, kind)
            counts.setdefault(key, {"confirmed": 0, "rejected": 0})[state] = count
    return counts


_WAITING = ("pending_review", "unsure")


@dataclass(frozen=True, slots=True)
class OpenSpot:
    """Where an open case is: its kind, camera or sensor, and position (degrees)."""

    case: str
    kind: str
    alert: str | None
    camera: str | None
    sensor: str | None
    lon: float | None
    lat: float | None


def of_case(tx: Session, case_id: str, *, lock: bool = False) -> list[AlertRow]:
    """The alerts of a case: the one that began it and those attached later, by id."""
    query = select(AlertRow).where(AlertRow.case_id == case_id).order_by(AlertRow.id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return list(tx.scalars(query))


def open_cases_near(tx: Session, rows: Sequence[AlertRow], degrees: float, most: int = 2000) -> list[OpenSpot]:
    """Open cases of the kinds of `rows`; of a single row, only those about as near as `degrees`, or of its device."""
    query = (
        select(
            CaseRow.id,
            CaseRow.kind,
            CaseRow.alert_id,
            CaseRow.camera_id,
            CaseRow.sensor_id,
            CaseRow.lon,
            CaseRow.lat,
        )
        .where(CaseRow.kind.in_({r.kind for r in rows}), CaseRow.open.is_(True))
        .limit(most)
    )
    if len(rows) == 1:
        row = rows[0]
        same = CaseRow.camera_id == row.camera_id if row.camera_id else CaseRow.sensor_id == row.sensor_id
        near = [same]
        if row.lon is not None and row.lat is not None:
            east, north = (row.lon - 2 * degrees, row.lon + 2 * degrees), (row.lat - degrees, row.lat + degrees)
            near.append(and_(CaseRow.lon.between(*east), CaseRow.lat.between(*north)))
        query = query.where(or_(*near))
    return [OpenSpot(*found) for found in tx.execute(query)]


def attach(tx: Session, alert_id: str, case_id: str | None, role: str, sha256: str, at: datetime) -> bool:
    """Tie evidence to an alert (and its case); False when it is already there in that role."""
    values = {"alert_id": alert_id, "case_id": case_id, "role": role, "sha256": sha256, "at": at}
    return insert_if_new(tx, AttachmentRow, values, "alert_id", "role", "sha256")


def attachments(tx: Session, alert_ids: Iterable[str]) -> dict[str, list[tuple[AttachmentRow, EvidenceRow]]]:
    """By alert, in the order they came."""
    query = (
        select(AttachmentRow, EvidenceRow)
        .join(EvidenceRow, EvidenceRow.sha256 == AttachmentRow.sha256)
        .where(AttachmentRow.alert_id.in_(set(alert_ids)))
        .order_by(AttachmentRow.id)
    )
    found: dict[str, list[tuple[AttachmentRow, EvidenceRow]]] = {}
    for link, file in tx.execute(query):
        found.setdefault(link.alert_id or "", []).append((link, file))
    return found


def count_attachments(tx: Session, alert_id: str) -> int:
    """How many pieces of evidence an alert has."""
    return tx.scalar(select(func.count()).where(AttachmentRow.alert_id == alert_id)) or 0


def hand_to_case(tx: Session, alert_id: str, case_id: str | None) -> None:
    """All evidence of the alert belongs to the case from now on."""
    tx.execute(update(AttachmentRow).where(AttachmentRow.alert_id == alert_id).values(case_id=case_id))


def note_evidence(
    tx: Session, sha256: str, media_type: str, size: int, at: datetime, *, for_ever: bool = False
) -> None:
    """Write down that the file is stored, once more where it was purged; locks the row against the purge.

    `for_ever`: what uses it is a paper, which no period ends.
    """
    insert: Any = postgresql.insert if tx.get_bind().dialect.name == "postgresql" else sqlite.insert
    due_at = None if for_ever else at + KEPT_AT_LEAST
    values = {"sha256": sha256, "media_type": media_type, "size": size, "stored_at": at, "due_at": due_at}
    anew = {"stored_at": at, "due_at": due_at, "purged_at": None}
    tx.execute(
        insert(EvidenceRow)
        .values(**values)
        .on_conflict_do_update(
            index_elements=["sha256"], set_=anew, where=true() if for_ever else EvidenceRow.purged_at.is_not(None)
        )
    )


def evidence(tx: Session, sha256: str) -> EvidenceRow | None:
    """What is known of a stored file."""
    return tx.get(EvidenceRow, sha256)


def evidence_kept(tx: Session) -> tuple[int, int]:
    """How many pictures and clips are kept, and their bytes."""
    query = select(func.count(), func.sum(EvidenceRow.size)).where(EvidenceRow.purged_at.is_(None))
    count, size = tx.execute(query).one()
    return int(count), int(size or 0)


def waiting_since(tx: Session, last_seen_before: datetime, most: int) -> list[AlertRow]:
    """Undecided alerts that were last seen before then, locked."""
    query = (
        select(AlertRow)
        .where(AlertRow.state.in_(("pending_review", "unsure")), AlertRow.last_seen_at < last_seen_before)
        .limit(most)
    )
    return list(tx.scalars(query.with_for_update(skip_locked=True)))


def claimed_by(tx: Session, user: str) -> list[AlertRow]:
    """Undecided alerts that the person has taken in hand at some time, locked."""
    query = select(AlertRow).where(AlertRow.state.in_(_WAITING), AlertRow.claimed_by == user).order_by(AlertRow.id)
    # What another transaction holds is left alone: two people who step on at once never wait for each other in a ring.
    return list(tx.scalars(query.with_for_update(skip_locked=True).execution_options(populate_existing=True)))


def waiting_of(tx: Session, camera: str, kind: str | None) -> list[AlertRow]:
    """Undecided alerts of the camera (and the kind), locked."""
    query = select(AlertRow).where(AlertRow.camera_id == camera, AlertRow.state.in_(_WAITING)).order_by(AlertRow.id)
    query = query if kind is None else query.where(AlertRow.kind == kind)
    return list(tx.scalars(query.with_for_update().execution_options(populate_existing=True)))


def waiting_by_state(tx: Session) -> dict[str, int]:
    """Undecided alerts, by state."""
    query = select(AlertRow.state, func.count()).where(AlertRow.state.in_(_WAITING)).group_by(AlertRow.state)
    return dict(tx.execute(query).all())


def put_off(tx: Session, now: datetime) -> int:
    """How many undecided alerts are put off until after now."""
    query = select(func.count()).where(AlertRow.state.in_(_WAITING), AlertRow.postponed_until > now)
    return tx.scalar(query) or 0


@dataclass(frozen=True, slots=True)
class Decided:
    """A verdict: when, what, why not, and how long the alert had been on the screen (ms; None: never claimed)."""

    at: datetime
    decision: str
    reason: str | None
    ms: int | None


def decisions_of(tx: Session, user: str, since: datetime) -> list[Decided]:
    """What the person decided since then and did not take back, oldest first."""
    row = AlertRow
    query = select(row.decided_at, row.decision, row.reason, row.decided_ms).where(row.decided_at >= since)
    rows = tx.execute(query.where(row.decided_by == user).order_by(row.decided_at))
    return [Decided(at, what, why, ms) for at, what, why, ms in rows if at is not None and what is not None]


def counts_by_kind(tx: Session) -> dict[str, int]:
    """All alerts ever opened, by kind."""
    return dict(tx.execute(select(AlertRow.kind, func.count()).group_by(AlertRow.kind)).all())


def opened_since(tx: Session, start: datetime) -> int:
    """Alerts opened since then."""
    return tx.scalar(select(func.count()).select_from(AlertRow).where(AlertRow.opened_at >= start)) or 0


def decided_since(tx: Session, start: datetime) -> dict[str, int]:
    """Verdicts since then, by state."""
    # Grouping by state would make SQLite walk the index of states instead of the day's.
    states = ("confirmed", "rejected", "unsure")
    counts = [func.count(AlertRow.id).filter(AlertRow.state == state) for state in states]
    found = tx.execute(select(*counts).where(AlertRow.decided_at >= start)).one()
    return {state: count for state, count in zip(states, found, strict=True) if count}


def waiting(tx: Session) -> int:
    """Alerts that wait for a verdict."""
    query = select(func.count()).select_from(AlertRow).where(AlertRow.state.in_(("pending_review", "unsure")))
    return tx.scalar(query) or 0
