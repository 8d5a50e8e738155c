"""Shadows: begun and ended by engineers, fed by workers, judged by the verdicts on the same looks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from detectors.catalog import Card, Catalog, check_hash
from detectors.errors import CatalogError
from detectors.finding import Finding

from ..domain.judged import truth_of
from ..domain.promotion import Paired, refusals
from ..domain.verdict import REJECT_REASONS, Decision
from ..errors import Barred, Invalid, NotFound
from ..house import Actor, House
from ..store import Transaction, alert_queries
from ..store import learning_queries as names
from ..store import shadow_queries as ask
from ..store.learning_rows import ShadowRow, SightingRow
from ..store.rows import AlertRow
from ..wire import evidence_url, time_text

ONE_PROBLEM = timedelta(minutes=30)
"""What is seen again at the same place within that time is the same problem."""
_SHOWN = 200


def start(house: House, actor: Actor, model: str, base: str) -> dict[str, Any]:
    """Let `model` run beside the one that works as `base`. Raises NotFound, Invalid, Barred."""
    card = sound_card(house, model)
    _check_base(house, card, base)
    with house.db.write() as tx:
        ask.lock_models(tx)
        tx.change_assignment()
        working = ask.in_force(tx).get(base)
        if (working.model if working else base) == model:
            raise Invalid("model", model, f"another model than the one that works as {base}")
        values: dict[str, Any] = {
            "id": uuid4().hex,
            "open_key": base,
            "base": base,
            "model": card.name,
            "version": card.version,
            "sha256": card.sha256,
            "started_at": house.now(),
            "started_by": actor.id,
        }
        if not ask.begin_shadow(tx, values):
            running = next(row.model for row in ask.running(tx) if row.base == base)
            raise Barred("shadow_runs", f"{running} runs beside {base} already: end it first", model=running)
        tx.audit(house.now(), actor.id, "shadow-started", f"model/{card.name}", base=base, version=card.version)
        row = ask.shadow(tx, values["id"])
        assert row is not None
        return shadow_json(tx, row)


def sound_card(house: House, model: str) -> Card:
    """Its card, the weights checked. Raises NotFound, Invalid (naming file, what is expected, what is there)."""
    try:
        card = Catalog(house.settings.models_dir).card(model)
        check_hash(card.file, card.sha256)
    except CatalogError as error:
        raise Invalid("model", model, str(error)) from None
    return card


def _check_base(house: House, card: Card, base: str) -> None:
    wanted: set[str] = set()
    for kind in house.rules.kinds.values():
        if kind.look_for and kind.look_for.model == base:
            wanted |= kind.look_for.labels | kind.look_for.ignore
    if not wanted:
        used = sorted({k.look_for.model for k in house.rules.kinds.values() if k.look_for})
        raise Invalid("for", base, f"a model that kinds name: {', '.join(used)}")
    if missing := sorted(wanted - set(card.labels)):
        raise Invalid("model", card.name, f"one that knows {', '.join(missing)} too, which kinds look for by {base}")


def stop(house: House, actor: Actor, base_or_model: str) -> dict[str, Any]:
    """End it; what it found stays. Raises NotFound."""
    with house.db.write() as tx:
        ask.lock_models(tx)
        tx.change_assignment()
        row = running_of(tx, base_or_model)
        end(tx, house, actor, row)
        tx.audit(house.now(), actor.id, "shadow-ended", f"model/{row.model}", base=row.base)
        tx.flush()
        return shadow_json(tx, row)


def running_of(tx: Transaction, base_or_model: str) -> ShadowRow:
    """The shadow that runs beside a model, or by its own name. Raises NotFound."""
    for row in ask.running(tx):
        if base_or_model in (row.base, row.model):
            return row
    raise NotFound("running shadow", base_or_model)


def end(tx: Transaction, house: House, actor: Actor, row: ShadowRow) -> None:
    """It runs no more."""
    row.open_key, row.ended_at, row.ended_by = None, house.now(), actor.id


def wanted(tx: Transaction) -> list[dict[str, Any]]:
    """For the assignment: {id, base, model, sha256}."""
    return [{"id": row.id, "base": row.base, "model": row.model, "sha256": row.sha256} for row in ask.running(tx)]


def note_looks(tx: Transaction, alert: AlertRow, finding: Finding) -> None:
    """Which shadows ran on the looks that led to a finding."""
    for shadow_id in finding.shadows:
        if ask.shadow(tx, shadow_id) is not None:
            ask.note_look(tx, shadow_id, alert.id)


# --- what they find ---------------------------------------------------------------------------------------------------


def take(house: House, shadow_id: str, finding: Finding, files: Mapping[str, bytes]) -> dict[str, Any]:
    """Keep what a shadow found: a new sighting, or more of the one there (idempotent). It never opens an alert.

    Raises NotFound, Invalid (a finding of a sensor), HashMismatch, TooLarge.
    """
    if finding.camera is None:
        raise Invalid("source", "sensor", "a camera")
    stored = [house.evidence.put(content, sha256) for sha256, content in files.items()]
    with house.db.write() as tx:
        row = ask.shadow(tx, shadow_id)
        if row is None:
            raise NotFound("shadow", shadow_id)
        if row.open_key is None:
            return {"id": finding.id, "outcome": "ended"}
        for file in stored:
            alert_queries.note_evidence(tx, file.sha256, file.media_type, file.size, house.now())
        before = ask.last_sighting(tx, shadow_id, finding.place, finding.since - ONE_PROBLEM)
        if before is not None:
            _more(before, finding, stored[0].sha256 if stored else None)
            return {"id": finding.id, "outcome": "absorbed", "sighting": before.id}
        kept = ask.keep_sighting(tx, _values(shadow_id, finding, stored[0].sha256 if stored else None))
        return {"id": finding.id, "outcome": "kept" if kept else "duplicate", "sighting": finding.id}


def _more(row: SightingRow, finding: Finding, sha256: str | None) -> None:
    row.count += finding.at > row.seen_at
    row.seen_at = max(row.seen_at, finding.at)
    row.since = min(row.since, finding.since)
    row.score = max(row.score, round(finding.score, 4))
    row.sha256 = row.sha256 or sha256


def _values(shadow_id: str, finding: Finding, sha256: str | None) -> dict[str, Any]:
    return {
        "id": finding.id,
        "shadow_id": shadow_id,
        "place": finding.place,
        "kind": finding.kind,
        "camera_id": finding.camera,
        "zone": finding.zone,
        "since": finding.since,
        "seen_at": finding.at,
        "count": 1,
        "score": round(finding.score, 4),
        "boxes": [list(box) for box in finding.boxes],
        "sha256": sha256,
    }


def judge(house: House, actor: Actor, sighting_id: str, decision: str, reason: str | None) -> dict[str, Any]:
    """A person says whether what a shadow found alone is so. Raises NotFound, Invalid."""
    if decision not in (Decision.CONFIRMED, Decision.REJECTED):
        raise Invalid("decision", decision, [Decision.CONFIRMED.value, Decision.REJECTED.value])
    if decision == Decision.REJECTED and reason not in REJECT_REASONS:
        raise Invalid("reason", reason, list(REJECT_REASONS))
    with house.db.write() as tx:
        row = ask.sighting(tx, sighting_id)
        if row is None:
            raise NotFound("sighting", sighting_id)
        row.decision, row.reason = decision, reason if decision == Decision.REJECTED else None
        row.decided_by, row.decided_at = actor.id, house.now()
        tx.audit(house.now(), actor.id, "sighting-judged", f"sighting/{row.id}", decision=decision, reason=reason)
        tx.flush()
        return _sighting_json(row, {})


# --- the score --------------------------------------------------------------------------------------------------------


def paired(tx: Transaction, row: ShadowRow) -> tuple[dict[str, Paired], list[SightingRow]]:
    """(judged problems by kind, what it found alone): its findings beside the alerts of the same looks."""
    alerts = ask.looked_at(tx, row.id)
    seen = ask.sightings(tx, row.id)
    kinds: dict[str, Paired] = {}
    for alert in alerts:
        truth = truth_of(alert.decision, alert.reason)
        if truth is None:
            continue
        who = "both" if any(_same(alert, s) for s in seen) else "live"
        kinds[alert.kind] = kinds.get(alert.kind, Paired()).plus(who, truth)
    at: dict[str, list[AlertRow]] = {}
    for alert in ask.alerts_at(tx, {s.place for s in seen}, row.started_at - timedelta(days=1)):
        at.setdefault(alert.place, []).append(alert)
    alone = [s for s in seen if not any(_same(alert, s) for alert in at.get(s.place, ()))]
    for sighting in alone:
        truth = truth_of(sighting.decision, sighting.reason)
        kinds[sighting.kind] = kinds.get(sighting.kind, Paired()).plus("shadow", truth)
    return kinds, alone


def _same(alert: AlertRow, sighting: SightingRow) -> bool:
    """Whether an alert and a sighting are of one problem: the same place, and at times that meet."""
    until: datetime = max(alert.last_seen_at, alert.ended_at or alert.last_seen_at) + ONE_PROBLEM
    return alert.place == sighting.place and sighting.since <= until and sighting.seen_at >= alert.since


def score(house: House, shadow_id: str) -> dict[str, Any]:
    """What a shadow came to: by kind and in all, what stands against its promotion, what it found alone.

    Raises NotFound.
    """
    with house.db.read() as tx:
        row = ask.shadow(tx, shadow_id)
        if row is None:
            raise NotFound("shadow", shadow_id)
        kinds, alone = paired(tx, row)
        cameras = names.names_of_cameras(tx, {s.camera_id for s in alone})
        return {
            **shadow_json(tx, row),
            **summary(house, kinds),
            "alone": [_sighting_json(s, cameras) for s in sorted(alone, key=_waiting_first)[:_SHOWN]],
        }


def summary(house: House, kinds: Mapping[str, Paired]) -> dict[str, Any]:
    """{all, kinds, refusals}."""
    whole = Paired()
    for one in kinds.values():
        whole = whole.with_all(one)
    return {
        "all": whole.to_json(),
        "kinds": [
            {"kind": kind, "kind_name": house.rules.name_of(kind), **one.to_json()}
            for kind, one in sorted(kinds.items())
        ],
        "refusals": [refusal.to_json() for refusal in refusals(kinds)],
    }


def _waiting_first(row: SightingRow) -> tuple[bool, float]:
    return row.decision is not None, -row.seen_at.timestamp()


def shadow_json(tx: Transaction, row: ShadowRow) -> dict[str, Any]:
    """A shadow, without its score."""
    return {
        "id": row.id,
        "base": row.base,
        "model": row.model,
        "version": row.version,
        "running": row.open_key is not None,
        "started_at": time_text(row.started_at),
        "started_by": row.started_by,
        "ended_at": time_text(row.ended_at),
        "ended_by": row.ended_by,
    }


def _sighting_json(row: SightingRow, cameras: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "camera": row.camera_id,
        "camera_name": cameras.get(row.camera_id, row.camera_id),
        "zone": row.zone,
        "since": time_text(row.since),
        "seen_at": time_text(row.seen_at),
        "count": row.count,
        "score": row.score,
        "boxes": row.boxes,
        "url": evidence_url(row.sha256) if row.sha256 else None,
        "decision": row.decision,
        "reason": row.reason,
    }
