"""What can be done with alerts: findings open or feed them, people decide; each in one transaction with its audit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from detectors.finding import Evidence, Finding
from detectors.kinds import Kind

from . import cases, maintenance, sights
from .case_wire import case_json
from .domain.alert import (
    ALERT,
    CLAIM_LASTS,
    EXPIRES_AFTER,
    UNDO_WINDOW,
    AlertAction,
    AlertState,
    postpone_most,
    quiet_after_rejection,
    review_due,
)
from .domain.verdict import REJECT_REASONS, Decision
from .errors import (
    AlreadyDecided,
    Claimed,
    Invalid,
    MissingEvidence,
    NotFound,
    Taken,
    TooLate,
    UnknownKind,
    UnknownSource,
)
from .evidence import Stored
from .house import SYSTEM, Actor, House
from .learning import shadows, tuning
from .outbox import announce
from .store import Transaction, device_queries, people_queries
from .store import alert_queries as ask
from .store.rows import AlertRow, CameraRow, SensorRow
from .wire import alert_json, alerts_json

EVIDENCE_MOST = 12
"""Pieces of evidence an alert keeps; later findings of the same problem are counted, their pictures are not kept."""

_CLAIM_KEPT = timedelta(seconds=10)
"""A claim so young is not written again."""

_MS = timedelta(milliseconds=1)

Device = CameraRow | SensorRow


def take_finding(house: House, finding: Finding, files: Mapping[str, bytes]) -> dict[str, Any]:
    """Open an alert, or add to the one (or the case) that is open there; `files` are evidence bytes by SHA-256.

    Returns {id, outcome, alert, case}. Raises UnknownKind, UnknownSource, HashMismatch, MissingEvidence, TooLarge.
    """
    kind = house.rules.kinds.get(finding.kind)
    if kind is None:
        house.tally.add("dropped", "unknown_kind")
        raise UnknownKind("kind", finding.kind, sorted(house.rules.kinds))
    with house.db.read() as tx:
        before = ask.finding(tx, finding.id)
        if before is not None:
            return _duplicate(house, finding.id, before.alert_id, before.case_id)
        if _device(tx, finding) is None:
            house.tally.add("dropped", "unknown_source")
            raise UnknownSource("source", finding.camera or finding.sensor, "a camera or sensor of the inventory")
    stored = _keep_files(house, finding.evidence, files)
    with house.db.write() as tx:
        return _take(tx, house, finding, kind, stored)


def _take(tx: Transaction, house: House, finding: Finding, kind: Kind, stored: Mapping[str, Stored]) -> dict[str, Any]:
    now = house.now()
    first = ask.first_time(
        tx,
        {
            "id": finding.id,
            "place": finding.place,
            "at": finding.at,
            "received_at": now,
            "outcome": "",
            "alert_id": None,
            "case_id": None,
            "wire": finding.to_wire(),
        },
    )
    if not first:
        before = ask.finding(tx, finding.id)
        return _duplicate(house, finding.id, before.alert_id if before else None, before.case_id if before else None)
    if _in_maintenance(tx, finding):
        ask.settle_finding(tx, finding.id, maintenance.SET_ASIDE, None, None)
        house.tally.add("findings", maintenance.SET_ASIDE)
        return {"id": finding.id, "outcome": maintenance.SET_ASIDE, "alert": None, "case": None}
    outcome, row = _place(tx, house, finding, kind, now)
    if outcome != "suppressed":
        _attach(tx, house, row, finding.evidence, stored, now)
        sights.consider(tx, house, row, opened=outcome == "opened")
        shadows.note_looks(tx, row, finding)
    ask.settle_finding(tx, finding.id, outcome, row.id, row.case_id)
    if outcome == "opened":
        tx.audit(now, SYSTEM.id, "alert-opened", f"alert/{row.id}", finding=finding.id, kind=row.kind)
        announce(tx, house, "alerts", "alert.created", row.id, _thin(row))
    house.tally.add("findings", outcome)
    if outcome != "suppressed":
        _tell(tx, house, row)
    return {"id": finding.id, "outcome": outcome, "alert": row.id, "case": row.case_id}


def _place(tx: Transaction, house: House, finding: Finding, kind: Kind, now: datetime) -> tuple[str, AlertRow]:
    """The alert this finding belongs to, locked, and how. The unique `open_key` decides between rivals."""
    while True:
        row = ask.open_alert_at(tx, finding.place)
        if row is not None:
            _absorb(row, finding)
            return ("attached" if row.case_id else "absorbed"), row
        ended = ask.last_ended_at(tx, finding.place)
        if ended is not None and _is_over(ended, finding, kind, now):
            return "suppressed", ended
        device = _device(tx, finding)
        if device is None:
            raise UnknownSource("source", finding.camera or finding.sensor, "a camera or sensor of the inventory")
        row = ask.open_alert(tx, _new_alert(tx, house, finding, kind, device, now))
        if row is not None:
            return "opened", row


def _in_maintenance(tx: Transaction, finding: Finding) -> bool:
    """Whether somebody works on the sensor that found it."""
    sensor = device_queries.sensor(tx, finding.sensor) if finding.sensor else None
    return sensor is not None and maintenance.is_on(sensor.maintenance_until, finding.at)


def _is_over(ended: AlertRow, finding: Finding, kind: Kind, now: datetime) -> bool:
    """A finding from before the end (a worker that was cut off brings it late), or just after a person rejected it."""
    if ended.ended_at is None:
        return False
    if ended.state == AlertState.EXPIRED:
        return finding.at <= ended.last_seen_at
    rejected = ended.state == AlertState.REJECTED
    return finding.at <= ended.ended_at or (rejected and now - ended.ended_at < quiet_after_rejection(kind.urgent))


def _absorb(row: AlertRow, finding: Finding) -> None:
    row.count += 1
    row.last_seen_at = max(row.last_seen_at, finding.at)
    row.since = min(row.since, finding.since)
    row.score = max(row.score, round(finding.score, 4))
    if finding.readings:
        row.readings, row.why, row.why_en = list(finding.readings), finding.why, finding.why_en


def _new_alert(
    tx: Transaction, house: House, finding: Finding, kind: Kind, device: Device, now: datetime
) -> dict[str, Any]:
    zone = device_queries.zone(tx, finding.camera, finding.zone) if finding.camera and finding.zone else None
    return {
        "id": uuid4().hex,
        "open_key": finding.place,
        "place": finding.place,
        "state": AlertState.PENDING_REVIEW.value,
        "kind": kind.id,
        "urgent": kind.urgent,
        "camera_id": finding.camera,
        "sensor_id": finding.sensor,
        "source_name": device.name,
        "preset": finding.preset,
        "zone": finding.zone,
        "zone_points": zone.points if zone else None,
        "address": device.address,
        "grid_id": device.grid_id,
        "lon": device.lon,
        "lat": device.lat,
        "since": finding.since,
        "opened_at": now,
        "last_seen_at": finding.at,
        "count": 1,
        "score": round(finding.score, 4),
        "boxes": [list(box) for box in finding.boxes],
        "readings": list(finding.readings),
        "why": finding.why,
        "why_en": finding.why_en,
        "beside": [],
        "agreed": False,
        "model": {"name": finding.model[0], "version": finding.model[1]} if finding.model else None,
        "rule_version": tuning.version(tx, house, kind.id, finding.camera),
        "review_due_at": review_due(now, kind.urgent),
        "note": "",
    }


def _device(tx: Transaction, finding: Finding) -> Device | None:
    if finding.camera is not None:
        return device_queries.camera(tx, finding.camera)
    return device_queries.sensor(tx, finding.sensor or "")


def _duplicate(house: House, finding_id: str, alert_id: str | None, case_id: str | None) -> dict[str, Any]:
    house.tally.add("findings", "duplicate")
    return {"id": finding_id, "outcome": "duplicate", "alert": alert_id, "case": case_id}


def _keep_files(house: House, wanted: Sequence[Evidence], files: Mapping[str, bytes]) -> dict[str, Stored]:
    """Store the bytes that came along; every piece that the finding names must then be there."""
    stored = {sha256: house.evidence.put(content, sha256) for sha256, content in files.items()}
    for piece in wanted:
        if piece.sha256 in stored:
            continue
        if not house.evidence.has(piece.sha256):
            raise MissingEvidence("evidence", piece.sha256, "files that come along, or are stored already")
        stored[piece.sha256] = house.evidence.put(house.evidence.read(piece.sha256))
    return stored


def _attach(
    tx: Transaction,
    house: House,
    row: AlertRow,
    pieces: Sequence[Evidence],
    stored: Mapping[str, Stored],
    at: datetime,
) -> None:
    room = EVIDENCE_MOST - ask.count_attachments(tx, row.id) if pieces else 0
    for piece in pieces:
        if room <= 0:
            house.tally.add("dropped", "evidence_full")
            continue
        file = stored[piece.sha256]
        ask.note_evidence(tx, file.sha256, file.media_type, file.size, at)
        room -= ask.attach(tx, row.id, row.case_id, piece.role, piece.sha256, at)


# --- what people do ---------------------------------------------------------------------------------------------------


def claim(house: House, actor: Actor, alert_id: str) -> dict[str, Any]:
    """Take the alert in hand for two minutes, and no other. Raises NotFound, AlreadyDecided, Claimed.

    One's own verdict may have overtaken the claim: then nothing is done.
    """
    with house.db.write() as tx:
        decided = _locked(tx, alert_id)
        if decided.decided_by == actor.id and decided.state in (AlertState.CONFIRMED, AlertState.REJECTED):
            return alert_json(tx, house, decided)
        row, now = _waiting(tx, house, alert_id, actor, AlertAction.CLAIM), house.now()
        if row.claimed_by == actor.id and row.claimed_at is not None and now - row.claimed_at < _CLAIM_KEPT:
            return alert_json(tx, house, row)
        _release(tx, house, actor, but=row.id)
        if row.claimed_by != actor.id or not _claim_stands(row, now):
            row.claimed_since = now
        row.claimed_by, row.claimed_at = actor.id, now
        tx.audit(now, actor.id, "alert-claimed", f"alert/{row.id}")
        return _tell(tx, house, row)


def release(house: House, actor: Actor, alert_id: str | None = None) -> int:
    """Let go of one alert, or of all that the actor has in hand; how many that were."""
    with house.db.write() as tx:
        return _release(tx, house, actor, only=alert_id)


def _release(tx: Transaction, house: House, actor: Actor, *, only: str | None = None, but: str | None = None) -> int:
    rows = [row for row in ask.claimed_by(tx, actor.id) if row.id != but and only in (None, row.id)]
    for row in rows:
        row.state = ALERT.next(AlertState(row.state), AlertAction.RELEASE)
        row.claimed_by = row.claimed_at = row.claimed_since = None
        _tell(tx, house, row)
    return len(rows)


def postpone(house: House, actor: Actor, alert_id: str, until: datetime) -> dict[str, Any]:
    """Put it off until then: it leaves the queue, and comes back with the urgency and age that it has.

    Raises NotFound, AlreadyDecided, Claimed, Invalid (too long, or past).
    """
    with house.db.write() as tx:
        row, now = _waiting(tx, house, alert_id, actor, AlertAction.POSTPONE), house.now()
        most = postpone_most(row.urgent)
        if not now < until <= now + most:
            raise Invalid("until", until.isoformat(), f"a time within {most.total_seconds() / 60:g} minutes from now")
        row.postponed_until, row.claimed_by, row.claimed_at, row.claimed_since = until, None, None, None
        tx.audit(now, actor.id, "alert-postponed", f"alert/{row.id}", until=until.isoformat())
        return _tell(tx, house, row)


def reject_all(
    house: House, actor: Actor, camera_id: str, reason: str, note: str = "", kind: str | None = None
) -> dict[str, int]:
    """Reject everything that waits of one camera (of one kind), as of a broken one: {rejected, left}.

    `left`: alerts that somebody else has in hand. Raises NotFound, Invalid.
    """
    if reason not in REJECT_REASONS:
        raise Invalid("reason", reason, list(REJECT_REASONS))
    with house.db.write() as tx:
        if device_queries.camera(tx, camera_id) is None:
            raise NotFound("camera", camera_id)
        now, rejected, rows = house.now(), 0, ask.waiting_of(tx, camera_id, kind)
        for row in rows:
            if _held_by_other(row, actor, now):
                continue
            row.state = ALERT.next(AlertState(row.state), AlertAction.REJECT)
            _reject(tx, house, row, actor, reason, note, now)
            rejected += 1
        tx.audit(now, actor.id, "alerts-rejected", f"camera/{camera_id}", reason=reason, count=rejected, note=note)
        return {"rejected": rejected, "left": len(rows) - rejected}


def confirm(
    house: House,
    actor: Actor,
    alert_id: str,
    category: str | None = None,
    note: str = "",
    *,
    separate: bool = False,
    condition: str | None = None,
    into: str | None = None,
) -> dict[str, Any]:
    """{alert, case, attached}: a person says it is so, and a case is filed, or an open one nearby gets the alert.

    `separate`: a case of its own whatever is nearby; `into`: the open case that it belongs to. `condition`: the filing
    condition of its class, the kind's own limit where none is chosen.
    Raises NotFound, AlreadyDecided, Claimed, Invalid.
    """
    if category is not None and not house.rules.knows_code(category):
        raise Invalid("category", category, "a code of GB/T 47678.5")
    with house.db.write() as tx:
        row, now = _waiting(tx, house, alert_id, actor, AlertAction.CONFIRM), house.now()
        _decide(row, actor, Decision.CONFIRMED, None, note, now)
        tx.audit(now, actor.id, "alert-confirmed", f"alert/{row.id}", score=row.score, model=row.model, note=note)
        announce(tx, house, "alerts", "alert.confirmed", row.id, _thin(row))
        case = cases.file(tx, house, row, actor, category, now, separate=separate, condition=condition, into=into)
        alert = _tell(tx, house, row)
        return {"alert": alert, "case": case_json(tx, house, case, actor), "attached": case.alert_id != row.id}


def reject(house: House, actor: Actor, alert_id: str, reason: str, note: str = "") -> dict[str, Any]:
    """A person says it is not so. Raises NotFound, AlreadyDecided, Claimed, Invalid (reason)."""
    if reason not in REJECT_REASONS:
        raise Invalid("reason", reason, list(REJECT_REASONS))
    with house.db.write() as tx:
        row, now = _waiting(tx, house, alert_id, actor, AlertAction.REJECT), house.now()
        return _reject(tx, house, row, actor, reason, note, now)


def _reject(
    tx: Transaction, house: House, row: AlertRow, actor: Actor, reason: str, note: str, now: datetime
) -> dict[str, Any]:
    _decide(row, actor, Decision.REJECTED, reason, note, now)
    row.open_key, row.ended_at = None, now
    tx.audit(now, actor.id, "alert-rejected", f"alert/{row.id}", reason=reason, score=row.score, note=note)
    announce(tx, house, "alerts", "alert.rejected", row.id, _thin(row))
    return _tell(tx, house, row)


def unsure(house: House, actor: Actor, alert_id: str, note: str = "") -> dict[str, Any]:
    """Leave it to somebody else. Raises NotFound, AlreadyDecided, Claimed, IllegalMove."""
    with house.db.write() as tx:
        row, now = _waiting(tx, house, alert_id, actor, AlertAction.UNSURE), house.now()
        _decide(row, actor, Decision.UNSURE, None, note, now)
        tx.audit(now, actor.id, "alert-unsure", f"alert/{row.id}", note=note)
        return _tell(tx, house, row)


def undo(house: House, actor: Actor, alert_id: str) -> dict[str, Any]:
    """Take one's own verdict back within five minutes, while no department has accepted the case.

    Raises NotFound, IllegalMove, TooLate, Taken (another problem is open at the place by now), AlreadyDecided.
    """
    with house.db.write() as tx:
        row, now = _locked_with_its_case(tx, alert_id), house.now()
        next_state = ALERT.next(AlertState(row.state), AlertAction.UNDO)
        if row.decided_by != actor.id:
            raise _decided(tx, row)
        if row.decided_at is None or now - row.decided_at > UNDO_WINDOW:
            raise TooLate(f"a verdict can be taken back for {UNDO_WINDOW.seconds // 60} minutes")
        was = row.state
        if row.case_id is not None:
            cases.withdraw(tx, house, row.case_id, row.id, actor, now)
        if row.open_key is None and not ask.reopen(tx, row):
            raise Taken("another problem is open at this place by now", place=row.place)
        row.state = next_state
        row.decided_by = row.decided_at = row.decision = row.reason = row.case_id = None
        row.decided_ms = None
        row.note = ""
        ask.hand_to_case(tx, row.id, None)
        tx.audit(now, actor.id, "alert-undone", f"alert/{row.id}", was=was)
        return _tell(tx, house, row)


def expire(house: House, most: int = 200) -> int:
    """Give up alerts that nobody decided and nothing saw for a week; how many that were."""
    now = house.now()
    with house.db.write() as tx:
        rows = ask.waiting_since(tx, now - EXPIRES_AFTER, most)
        for row in rows:
            row.state = ALERT.next(AlertState(row.state), AlertAction.EXPIRE)
            row.open_key, row.ended_at = None, now
            tx.audit(now, SYSTEM.id, "alert-expired", f"alert/{row.id}")
            _tell(tx, house, row)
        return len(rows)


def read(house: House, alert_id: str) -> dict[str, Any]:
    """One alert. Raises NotFound."""
    with house.db.read() as tx:
        row = ask.alert(tx, alert_id)
        if row is None:
            raise NotFound("alert", alert_id)
        return alert_json(tx, house, row)


def page(
    house: House,
    *,
    state: str | None = None,
    kind: str | None = None,
    camera: str | None = None,
    sensor: str | None = None,
    after: Sequence[Any] | None = None,
    limit: int = 50,
) -> tuple[list[dict[str, Any]], list[Any] | None, int]:
    """(alerts, key of the next page, how many in all)."""
    if state is not None and state not in list(AlertState):
        raise Invalid("state", state, list(AlertState))
    with house.db.read() as tx:
        rows, key, total = ask.page(tx, state=state, kind=kind, camera=camera, sensor=sensor, after=after, limit=limit)
        return alerts_json(tx, house, rows), key, total


def _locked(tx: Transaction, alert_id: str) -> AlertRow:
    row = ask.alert(tx, alert_id, lock=True)
    if row is None:
        raise NotFound("alert", alert_id)
    return row


def _locked_with_its_case(tx: Transaction, alert_id: str) -> AlertRow:
    """The alert, after all alerts of its case in the order that moves of the case lock them."""
    found = ask.alert(tx, alert_id)
    if found is not None and found.case_id is not None:
        ask.of_case(tx, found.case_id, lock=True)
    return _locked(tx, alert_id)


def _waiting(tx: Transaction, house: House, alert_id: str, actor: Actor, action: AlertAction) -> AlertRow:
    """The alert, locked and moved on by `action`, if nobody was faster."""
    row = _locked(tx, alert_id)
    if row.state in (AlertState.CONFIRMED, AlertState.REJECTED):
        raise _decided(tx, row)
    if _held_by_other(row, actor, house.now()):
        raise Claimed(row.claimed_by or "", _name(tx, row.claimed_by))
    row.state = ALERT.next(AlertState(row.state), action)
    return row


def _held_by_other(row: AlertRow, actor: Actor, now: datetime) -> bool:
    return _claim_stands(row, now) and row.claimed_by not in (None, actor.id)


def _claim_stands(row: AlertRow, now: datetime) -> bool:
    return row.claimed_at is not None and now - row.claimed_at < CLAIM_LASTS


def _decide(row: AlertRow, actor: Actor, decision: Decision, reason: str | None, note: str, now: datetime) -> None:
    since = row.claimed_since if row.claimed_by == actor.id else None
    row.decided_ms = None if since is None else (now - since) // _MS
    row.decision, row.decided_by, row.decided_at, row.reason, row.note = decision, actor.id, now, reason, note
    row.claimed_by = row.claimed_at = row.claimed_since = row.postponed_until = None


def _decided(tx: Transaction, row: AlertRow) -> AlreadyDecided:
    return AlreadyDecided(row.decided_by or "", _name(tx, row.decided_by), row.decision or row.state)


def _name(tx: Transaction, user_id: str | None) -> str:
    user = people_queries.user(tx, user_id or "")
    return user.name if user else user_id or ""


def _tell(tx: Transaction, house: House, row: AlertRow) -> dict[str, Any]:
    """The alert as JSON, which the screens get after the commit; so does its case when it has one."""
    tx.flush()
    shown = alert_json(tx, house, row)
    tx.after(lambda: house.feed.publish("alert", shown))
    return shown


def _thin(row: AlertRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "number": None,
        "state": row.state,
        "kind": row.kind,
        "camera": row.camera_id,
        "sensor": row.sensor_id,
        "preset": row.preset,
        "zone": row.zone,
        "department": None,
    }
