"""Evidence whose time is over goes by itself: first its row says so, then its file is deleted.

A file is named by its bytes, so several alerts, cases, letters and re-checks may use one: it goes when the last of them
no longer wants it. The row stays, and says since when the picture is no longer kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from . import periods
from .evidence import FOLDERS
from .house import SYSTEM, House
from .store import Transaction
from .store import retention_queries as ask
from .store.retention_queries import Life, Use
from .store.rows import EvidenceRow

AT_ONCE = 200
"""Pieces of evidence that are looked at in one transaction."""
_ROUNDS_MOST = 20
_ALERT_WAITS = timedelta(days=1)
_CASE_LIVES = timedelta(days=7)
"""When to look again at what is kept until something ends."""
_JUST_PUT = timedelta(hours=1)
_STRAY = timedelta(days=1)
_SWEEP_S = 600


@dataclass(frozen=True, slots=True)
class _Periods:
    """`case` None: what belongs to a case is kept until somebody sets a period."""

    unconfirmed: timedelta
    case: timedelta | None


def purge(house: House, rounds: int = _ROUNDS_MOST) -> tuple[int, int]:
    """Look at what is due and let go of what nothing wants any more: (pieces, bytes) that were purged now."""
    count = size = 0
    for _ in range(rounds):
        looked, purged, freed = _round(house)
        count, size = count + purged, size + freed
        if looked < AT_ONCE and not purged:
            break
    return count, size


def _round(house: House) -> tuple[int, int, int]:
    """(pieces looked at, purged, bytes of these)"""
    with house.db.write() as tx:
        now = house.now()
        rows = ask.due_evidence(tx, now, AT_ONCE)
        alive = [row for row in rows if row.purged_at is None]
        for row in rows:
            if row.purged_at is not None:
                gone = house.evidence.discard(row.sha256, now - _JUST_PUT)
                row.due_at = None if gone else now + _JUST_PUT
        kept_for = _periods(tx, house)
        over = _judge(tx, alive, kept_for, now)
        for row in over:
            row.purged_at = row.due_at = now
        freed = sum(row.size for row in over)
        if over:
            ended, closed = now - kept_for.unconfirmed, now - kept_for.case if kept_for.case else None
            tx.audit(
                now,
                SYSTEM.id,
                "evidence-purged",
                "evidence",
                count=len(over),
                bytes=freed,
                unconfirmed_until=ended.isoformat(),
                cases_closed_until=closed.isoformat() if closed else None,
            )
        return len(rows), len(over), freed


def _periods(tx: Transaction, house: House) -> _Periods:
    days = periods.in_force(tx, house)
    unconfirmed, case = days["evidence_unconfirmed"] or 0, days["evidence_cases"]
    return _Periods(timedelta(days=unconfirmed), None if case is None else timedelta(days=case))


def _judge(tx: Transaction, rows: Sequence[EvidenceRow], kept_for: _Periods, now: datetime) -> list[EvidenceRow]:
    """Those that nothing wants any more; the others get the time of their next look."""
    if not rows:
        return []
    by_hash: dict[str, list[Use]] = {}
    for use in ask.uses(tx, [row.sha256 for row in rows]):
        by_hash.setdefault(use.sha256, []).append(use)
    lives = ask.lives(tx, {use.case for found in by_hash.values() for use in found if use.case})
    over = []
    for row in rows:
        used = by_hash.get(row.sha256, [])
        ends = [_wanted_until(use, lives, kept_for, now) for use in used] or [row.stored_at + kept_for.unconfirmed]
        row.due_at = max(ends)
        if row.due_at <= now:
            over.append(row)
    return over


def _wanted_until(use: Use, lives: Mapping[str, Sequence[Life]], kept_for: _Periods, now: datetime) -> datetime:
    """Until when it is wanted, or when to look again."""
    if use.case is None:
        return now + _ALERT_WAITS if use.ended_at is None else use.ended_at + kept_for.unconfirmed
    closed = [life.closed_at for life in lives.get(use.case, ()) if life.held_at is None]
    ends = [at for at in closed if at is not None]
    if kept_for.case is None or len(ends) < len(lives.get(use.case, ())) or not ends:
        return now + _CASE_LIVES
    return max(ends) + kept_for.case


def sweep(house: House, folder: int | None = None) -> int:
    """Delete the files of one folder (another one each ten minutes) that no row knows: a crash left them."""
    now = house.now()
    chosen = int(now.timestamp() // _SWEEP_S) % FOLDERS if folder is None else folder
    stray = house.evidence.stray(chosen, now - _STRAY)
    count = size = 0
    for begin in range(0, len(stray), AT_ONCE):
        with house.db.write() as tx:
            batch = dict(stray[begin : begin + AT_ONCE])
            known = ask.known(tx, batch)
            gone = [sha256 for sha256 in batch if sha256 not in known and house.evidence.discard(sha256, now - _STRAY)]
            freed = sum(batch[sha256] for sha256 in gone)
            if gone:
                tx.audit(now, SYSTEM.id, "evidence-swept", "evidence", count=len(gone), bytes=freed)
            count, size = count + len(gone), size + freed
    return count
