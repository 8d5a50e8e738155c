"""Scores of the working models by camera and day, and engineers told where they have moved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from detectors.spread import BINS

from ..domain.drift import BEFORE_DAYS, RECENT_DAYS, Move, compared, tens
from ..errors import Invalid
from ..house import SYSTEM, House
from ..store import Transaction
from ..store import learning_queries as names
from ..store import shadow_queries as ask
from ..store.learning_rows import DriftRow, ScoreDayRow
from ..wire import time_text

KEPT_DAYS = 120
Key = tuple[str, str, str, str]
"""Camera, model, version, label."""


def take(house: House, rows: Iterable[Mapping[str, Any]]) -> int:
    """Add a worker's counts ({camera, model, version, label, bins}) to today's; how many rows. Raises Invalid."""
    wanted = [dict(row) for row in rows]
    for row in wanted:
        if len(row["bins"]) != BINS:
            raise Invalid("bins", len(row["bins"]), f"{BINS} counts")
    day = _today(house).isoformat()
    with house.db.write() as tx:
        known = ask.known_cameras(tx, [row["camera"] for row in wanted])
        for row in wanted:
            if row["camera"] in known:
                _add(tx, row, day)
    return len(wanted)


def _add(tx: Transaction, row: Mapping[str, Any], day: str) -> None:
    kept = ask.score_day(tx, row["camera"], row["model"], row["version"], row["label"], day)
    if kept is None:
        values = {name: row[name] for name in ("model", "version", "label")}
        tx.add(ScoreDayRow(camera_id=row["camera"], day=day, bins=list(row["bins"]), **values))
        tx.flush()
    else:
        kept.bins = [a + b for a, b in zip(kept.bins, row["bins"], strict=True)]


def _today(house: House) -> date:
    return house.now().astimezone(house.settings.timezone).date()


def watch(house: House) -> int:
    """Compare last week with the weeks before, camera by camera; how many are open after that."""
    today = _today(house)
    with house.db.read() as tx:
        moves = _moves(tx, today)
        open_before = {row.open_key: row.id for row in ask.drifts(tx)}
    news = [(key, move) for key, move in moves.items() if move.moved or "|".join(key) in open_before]
    with house.db.write() as tx:
        ask.forget_scores(tx, (today - timedelta(days=KEPT_DAYS)).isoformat())
        rows = {row.open_key: row for row in ask.drifts(tx, most=100_000)}
        for key, move in news:
            _tell(tx, house, key, move, rows.get("|".join(key)))
        tx.flush()
        return len(ask.drifts(tx, most=100_000))


def _moves(tx: Transaction, today: date) -> dict[Key, Move]:
    since = (today - timedelta(days=RECENT_DAYS + BEFORE_DAYS)).isoformat()
    border = (today - timedelta(days=RECENT_DAYS)).isoformat()
    sums: dict[Key, tuple[list[int], list[int]]] = {}
    for row in ask.score_days(tx, since):
        key = (row.camera_id, row.model, row.version, row.label)
        sides = sums.setdefault(key, ([0] * BINS, [0] * BINS))
        side = sides[0 if row.day > border else 1]
        for index, count in enumerate(row.bins):
            side[index] += count
    found = {key: compared(tens(recent), tens(before)) for key, (recent, before) in sums.items()}
    return {key: move for key, move in found.items() if move is not None}


def _tell(tx: Transaction, house: House, key: Key, move: Move, row: DriftRow | None) -> None:
    now = house.now()
    if row is not None and move.settled:
        row.open_key, row.ended_at, row.psi, row.ks = None, now, move.psi, move.ks
        return
    if row is None:
        row = DriftRow(id=uuid4().hex, open_key="|".join(key), camera_id=key[0], model=key[1], version=key[2])
        row.label, row.began_at = key[3], now
        tx.add(row)
        told = {"camera": key[0], "model": key[1], "label": key[3], "psi": move.psi}
        tx.audit(now, SYSTEM.id, "drift-told", f"camera/{key[0]}", label=key[3], psi=move.psi, ks=move.ks)
        tx.after(lambda: house.feed.publish("drift", told))
    row.psi, row.ks, row.detail = move.psi, move.ks, {"recent": move.recent, "before": move.before}


def listed(house: House) -> list[dict[str, Any]]:
    """Cameras whose scores have moved, the farthest first."""
    with house.db.read() as tx:
        rows = ask.drifts(tx)
        cameras = names.names_of_cameras(tx, {row.camera_id for row in rows})
        return [
            {
                "camera": row.camera_id,
                "camera_name": cameras.get(row.camera_id, row.camera_id),
                "model": row.model,
                "version": row.version,
                "label": row.label,
                "since": time_text(row.began_at),
                "psi": row.psi,
                "ks": row.ks,
                **row.detail,
            }
            for row in rows
        ]
