"""Looking again after a department's answer: wanted looks, what they showed, and what they speak for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from .case_wire import case_json, recheck_json
from .domain.recheck import RecheckState, looks_most, proposal
from .errors import Invalid, NotFound, TooEarly
from .house import SYSTEM, House
from .store import Transaction, alert_queries
from .store import case_queries as ask
from .store.case_rows import CaseRow, RecheckRow

AHEAD_MOST_S = 60.0
"""How far a look's clock may run ahead of the hub's."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one look of a re-check showed; `captured_at` is UTC-aware, `reading` is a sensor's.

    `why` is Chinese; `said` is the same for any language, {code, values}, and None from workers that know none.
    """

    captured_at: datetime
    present: bool
    score: float
    boxes: list[list[float]]
    why: str
    reading: dict[str, Any] | None = None
    said: dict[str, Any] | None = None


def possible(case: CaseRow) -> bool:
    """Whether a worker can look again: something was found there, so there is something to compare with."""
    return case.alert is not None and (case.camera_id is not None or case.sensor_id is not None)


def begin(tx: Transaction, house: House, case: CaseRow, answered_at: datetime) -> None:
    """Want looks from after the answer, in the transaction of the answer itself."""
    end(tx, case, answered_at)
    tx.add(
        RecheckRow(
            id=uuid4().hex,
            case_id=case.id,
            state=RecheckState.WAITING.value,
            wanted=house.settings.recheck_looks,
            every_s=house.settings.recheck_every_s,
            not_before=answered_at,
            created_at=answered_at,
        )
    )
    tx.change_assignment()
    tx.flush()


def end(tx: Transaction, case: CaseRow, now: datetime) -> None:
    """Want no more looks: a person has decided, whatever the looks say."""
    row = ask.newest_rechecks(tx, [case.id]).get(case.id)
    if row is not None and row.state != RecheckState.DONE:
        row.state, row.finished_at = RecheckState.DONE.value, now
        tx.change_assignment()


def add_look(house: House, recheck_id: str, look: Look, files: Mapping[str, bytes]) -> dict[str, Any]:
    """Note one look (idempotent by its time); after enough of them a proposal stands. Returns the re-check.

    A look that comes after a person decided is not noted. Raises NotFound, TooEarly, Invalid, HashMismatch.
    """
    if len(files) > 1:
        raise Invalid("files", len(files), "one picture")
    stored = [house.evidence.put(content, sha256) for sha256, content in files.items()]
    with house.db.write() as tx:
        row, case, now = *_locked(tx, recheck_id), house.now()
        if look.captured_at <= row.not_before:
            raise TooEarly(
                "captured_at", look.captured_at.isoformat(), f"after the answer at {row.not_before.isoformat()}"
            )
        if (look.captured_at - now).total_seconds() > AHEAD_MOST_S:
            raise Invalid("captured_at", look.captured_at.isoformat(), f"not in the future; it is {now.isoformat()}")
        if row.state != RecheckState.DONE and _note(tx, row, look, stored[0].sha256 if stored else None):
            for file in stored:
                alert_queries.note_evidence(tx, file.sha256, file.media_type, file.size, now)
                if case.alert_id is not None:
                    alert_queries.attach(tx, case.alert_id, case.id, "after", file.sha256, look.captured_at)
            _conclude(tx, row, case, now)
            _tell(tx, house, case)
        tx.refresh(row)
        return recheck_json(row)


def _locked(tx: Transaction, recheck_id: str) -> tuple[RecheckRow, CaseRow]:
    """The re-check and its case; the alert is locked first, as everywhere."""
    found = ask.recheck(tx, recheck_id)
    case = ask.case(tx, found.case_id) if found else None
    if found is None or case is None:
        raise NotFound("recheck", recheck_id)
    if case.alert_id is not None:
        alert_queries.alert(tx, case.alert_id, lock=True)
    locked_case, locked = ask.case(tx, case.id, lock=True), ask.recheck(tx, recheck_id, lock=True)
    if locked is None or locked_case is None:
        raise NotFound("recheck", recheck_id)
    return locked, locked_case


def _note(tx: Transaction, row: RecheckRow, look: Look, sha256: str | None) -> bool:
    return ask.add_look(
        tx,
        {
            "recheck_id": row.id,
            "captured_at": look.captured_at,
            "present": look.present,
            "score": look.score,
            "boxes": look.boxes,
            "why": look.why,
            "sha256": sha256,
            "reading": look.reading,
            "said": look.said,
        },
    )


def _conclude(tx: Transaction, row: RecheckRow, case: CaseRow, now: datetime) -> None:
    seen = [look.present for look in ask.looks(tx, row.id)]
    speaks_for = proposal(seen, row.wanted)
    row.state = RecheckState.LOOKING.value
    if speaks_for is None and len(seen) < looks_most(row.wanted):
        return
    row.state, row.finished_at = RecheckState.DONE.value, now
    row.proposal = speaks_for.value if speaks_for else None
    tx.change_assignment()
    tx.audit(now, SYSTEM.id, "recheck-done", f"case/{case.number}", proposal=row.proposal, looks=len(seen))


def _tell(tx: Transaction, house: House, case: CaseRow) -> None:
    tx.flush()
    tx.expire_all()
    shown = case_json(tx, house, case, None, history=False)
    seen_by = frozenset(d for d in (case.department_id, case.last_department_id) if d)
    tx.after(lambda: house.feed.publish("case", shown, seen_by))
