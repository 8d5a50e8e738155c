"""Shifts of the desk: what one person decided since the last hand-over, and the note left to the next.

A note is for the desk of its area: of somebody limited to grids, it is shown to those who share one with him.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from functools import partial
from statistics import median
from typing import Any
from uuid import uuid4

from . import alerts
from .domain.verdict import Decision
from .errors import NotFound, Taken
from .house import Actor, House
from .store import Transaction, alert_queries, shift_queries
from .store.rows import HandoverRow
from .wire import Names, time_text

LONGEST = timedelta(hours=12)
"""Figures reach back no further than this, also where nobody handed over."""
SHOWN_FOR = timedelta(days=2)


def mine(house: House, actor: Actor) -> dict[str, Any]:
    """{figures, waiting, unsure, postponed, handover}: own figures, what waits, and the last note that was left.

    Of several desks' last notes, one that is still to be read comes first.
    """
    with house.db.read() as tx:
        notes = shift_queries.newest_of_each_desk(tx, house.now() - SHOWN_FOR)
        unread = (row for row in notes if row.taken_by is None and row.by != actor.id)
        last = next(unread, notes[0] if notes else None)
        return {
            "figures": _figures(tx, house, actor),
            **_open(tx, house),
            "handover": None if last is None else _json(tx, last),
        }


def hand_over(house: House, actor: Actor, note: str) -> dict[str, Any]:
    """End the shift: the note and the figures stay for the next one, and nothing is in the person's hand any more."""
    alerts.release(house, actor)
    with house.db.write() as tx:
        now = house.now()
        figures = {"figures": _figures(tx, house, actor), **_open(tx, house)}
        row = HandoverRow(id=uuid4().hex, at=now, by=actor.id, note=note.strip(), figures=figures)
        shift_queries.leave(tx, row, actor.grids)
        tx.audit(now, actor.id, "shift-handed-over", f"handover/{row.id}", note=row.note)
        return _told(tx, house, row)


def take_over(house: House, actor: Actor, handover_id: str) -> dict[str, Any]:
    """Say that the note was read. Raises NotFound, Taken (somebody else has, or it is one's own)."""
    with house.db.write() as tx:
        row = shift_queries.handover(tx, handover_id)
        if row is None:
            raise NotFound("handover", handover_id)
        if row.taken_by not in (None, actor.id) or row.by == actor.id:
            raise Taken("this hand-over is one's own, or somebody has taken it over", by=row.taken_by or row.by)
        row.taken_by, row.taken_at = actor.id, house.now()
        tx.audit(house.now(), actor.id, "shift-taken-over", f"handover/{row.id}")
        return _told(tx, house, row)


def _figures(tx: Transaction, house: House, actor: Actor) -> dict[str, Any]:
    now = house.now()
    before = shift_queries.newest(tx, now - LONGEST, by=actor.id)
    since = now - LONGEST if before is None else before.at
    decided = [one for one in alert_queries.decisions_of(tx, actor.id, since) if one.at > since]
    times = [one.ms for one in decided if one.ms is not None]
    counts = Counter(one.decision for one in decided)
    return {
        "user": actor.id,
        "name": actor.name,
        "since": time_text(decided[0].at) if decided else None,
        "confirmed": counts[Decision.CONFIRMED],
        "rejected": counts[Decision.REJECTED],
        "unsure": counts[Decision.UNSURE],
        "reasons": dict(Counter(one.reason for one in decided if one.reason)),
        "median_ms": round(median(times)) if times else None,
    }


def _open(tx: Transaction, house: House) -> dict[str, int]:
    waiting = alert_queries.waiting_by_state(tx)
    return {
        "waiting": waiting.get("pending_review", 0),
        "unsure": waiting.get("unsure", 0),
        "postponed": alert_queries.put_off(tx, house.now()),
    }


def _told(tx: Transaction, house: House, row: HandoverRow) -> dict[str, Any]:
    tx.flush()
    shown = _json(tx, row)
    tx.after(partial(house.feed.publish, "handover", shown))
    return shown


def _json(tx: Transaction, row: HandoverRow) -> dict[str, Any]:
    names = Names.of(tx)
    return {
        "id": row.id,
        "at": time_text(row.at),
        "by": row.by,
        "by_name": names.person(row.by),
        "grids": [names.grid(grid) for grid in shift_queries.areas(tx, row.id)],
        "note": row.note,
        **row.figures,
        "taken_by": row.taken_by,
        "taken_by_name": names.person(row.taken_by) if row.taken_by else None,
        "taken_at": time_text(row.taken_at),
    }
