"""What engineers set for kinds in place of the files' values; it reaches the workers without a restart."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from detectors.errors import KindsError
from detectors.kinds import Kind

from ..errors import Invalid, NotFound
from ..house import Actor, House
from ..registry import note_saved
from ..store import Transaction, device_queries
from ..store import learning_queries as ask
from ..store.learning_rows import TuningRow

EVERYWHERE = ("min_score", "dwell_s", "enabled", "schedule")
AT_A_CAMERA = ("min_score", "dwell_s")


def stanzas(tx: Transaction, house: House) -> dict[str, dict[str, Any]]:
    """Every kind as workers are to have it, as stanzas: the files', with what was set."""
    found = {kind.id: kind.to_wire() for kind in house.rules.kinds.values()}
    for row in ask.tunings(tx):
        if not row.camera_id and row.kind in found:
            found[row.kind] = tuned(found[row.kind], row)
    return found


def kind(tx: Transaction, house: House, kind_id: str) -> Kind | None:
    """One kind as workers have it; None for one that is not configured."""
    plain = house.rules.kinds.get(kind_id)
    row = ask.tuning(tx, kind_id)
    return plain if plain is None or row is None else Kind.from_wire(tuned(plain.to_wire(), row))


def version(tx: Transaction, house: House, kind_id: str, camera: str | None) -> str:
    """Names the rules by which a camera finds a kind: the stanza's version, another one where something was set."""
    plain = house.rules.versions[kind_id]
    rows = [row for place in dict.fromkeys(("", camera or "")) if (row := ask.tuning(tx, kind_id, place)) is not None]
    if not rows:
        return plain
    told = json.dumps([plain, *([row.min_score, row.dwell_s, row.enabled, row.schedule] for row in rows)])
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def tuned(stanza: Mapping[str, Any], row: TuningRow) -> dict[str, Any]:
    """`stanza` with what is set in `row`."""
    made = dict(stanza)
    if row.min_score is not None and made.get("look_for"):
        made["look_for"] = {**made["look_for"], "min_score": row.min_score}
    if row.dwell_s is not None and made.get("rule"):
        made["rule"] = {**made["rule"], "dwell_s": row.dwell_s}
    if row.enabled is not None:
        made["enabled"] = row.enabled
    if row.schedule is not None:
        made["schedule"] = list(row.schedule)
    return made


def at_cameras(tx: Transaction) -> dict[tuple[str, str], float]:
    """(camera, kind) to the least score that holds there."""
    return {
        (row.camera_id, row.kind): row.min_score
        for row in ask.tunings(tx)
        if row.camera_id and row.min_score is not None
    }


def scores(tx: Transaction, house: House, plain: Kind, camera: str | None) -> dict[str, Any]:
    """{min_score, from: camera | everywhere | stanza | card}; the score is None where the model's card decides."""
    for place, where in ((camera or "", "camera"), ("", "everywhere")):
        row = ask.tuning(tx, plain.id, place) if place or where == "everywhere" else None
        if row is not None and row.min_score is not None:
            return {"min_score": row.min_score, "from": where}
    own = plain.look_for.min_score if plain.look_for else None
    return {"min_score": own, "from": "card" if own is None else "stanza"}


def change(
    house: House, actor: Actor, kind_id: str, changes: Mapping[str, Any], camera: str | None = None, note: str = ""
) -> dict[str, Any]:
    """Set what is given (None: back to the stanza's), everywhere or at one camera. Raises NotFound, Invalid."""
    plain = house.rules.kinds.get(kind_id)
    if plain is None:
        raise NotFound("kind", kind_id)
    allowed = AT_A_CAMERA if camera else EVERYWHERE
    for name in changes:
        if name not in allowed:
            raise Invalid(name, changes[name], f"at {'one camera' if camera else 'all cameras'}: {', '.join(allowed)}")
    with house.db.write() as tx:
        if camera and device_queries.camera(tx, camera) is None:
            raise NotFound("camera", camera)
        before = _set(tx, house, actor, plain, dict(changes), camera, note)
        tx.change_assignment()
        subject = f"kind/{kind_id}" + (f"@{camera}" if camera else "")
        tx.audit(house.now(), actor.id, "kind-tuned", subject, before=before, after=dict(changes), note=note)
        tx.flush()
        return shown(tx, house, kind_id)


def _set(
    tx: Transaction, house: House, actor: Actor, plain: Kind, changes: dict[str, Any], camera: str | None, note: str
) -> dict[str, Any]:
    """Keep it; what was there before."""
    before: dict[str, Any] = {}
    if camera and "dwell_s" in changes:
        # A camera's dwell has its place in what is looked for there.
        tasks = ask.tasks_of(tx, camera, plain.id)
        if not tasks:
            raise Invalid("camera", camera, f"a camera that looks for {plain.id}")
        before["dwell_s"] = tasks[0].dwell_s
        row_of_camera = device_queries.camera(tx, camera, lock=True)
        assert row_of_camera is not None
        note_saved(row_of_camera, actor, house.now())
        for task in tasks:
            task.dwell_s = changes["dwell_s"]
        del changes["dwell_s"]
    row = ask.tuning(tx, plain.id, camera or "")
    if row is None:
        row = TuningRow(kind=plain.id, camera_id=camera or "", note="", changed_by="", changed_at=house.now())
    for name, value in changes.items():
        before[name] = getattr(row, name)
        setattr(row, name, value)
    row.note, row.changed_by, row.changed_at = note, actor.id, house.now()
    try:
        Kind.from_wire(tuned(plain.to_wire(), row), f"kind {plain.id}")
    except KindsError as error:
        raise Invalid("kind", plain.id, str(error)) from None
    if all(getattr(row, name) is None for name in EVERYWHERE):
        if row in tx:
            ask.forget_tuning(tx, row)
    else:
        tx.add(row)
    return before


def shown(tx: Transaction, house: House, kind_id: str) -> dict[str, Any]:
    """A kind as the screens have it: its stanza as it holds, its version, and what is set, where and by whom."""
    rows = [row for row in ask.tunings(tx) if row.kind == kind_id]
    stanza = house.rules.kinds[kind_id].to_wire()
    for row in rows:
        if not row.camera_id:
            stanza = tuned(stanza, row)
    return {**stanza, "version": version(tx, house, kind_id, None), "tunings": [_tuning_json(row) for row in rows]}


def all_shown(house: House) -> list[dict[str, Any]]:
    """Every kind, as `shown`."""
    with house.db.read() as tx:
        return [shown(tx, house, kind_id) for kind_id in house.rules.kinds]


def _tuning_json(row: TuningRow) -> dict[str, Any]:
    return {
        "camera": row.camera_id or None,
        "min_score": row.min_score,
        "dwell_s": row.dwell_s,
        "enabled": row.enabled,
        "schedule": row.schedule,
        "note": row.note,
        "by": row.changed_by,
        "at": row.changed_at.isoformat(),
    }
