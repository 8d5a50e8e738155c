"""Shadows, what they found, promotions, spreads of scores: what is asked of the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from .counting import insert_if_new, locked_counter
from .learning_rows import DriftRow, PromotionRow, ScoreDayRow, ShadowLookRow, ShadowRow, SightingRow
from .rows import AlertRow, CameraRow


def lock_models(tx: Session) -> None:
    """Nobody else begins a shadow or promotes a model until the transaction ends."""
    locked_counter(tx, "models")


def running(tx: Session) -> list[ShadowRow]:
    """The shadows that run, by what they stand beside."""
    query = select(ShadowRow).where(ShadowRow.open_key.is_not(None))
    return list(tx.scalars(query.order_by(ShadowRow.base)))


def shadow(tx: Session, shadow_id: str) -> ShadowRow | None:
    """The shadow."""
    return tx.get(ShadowRow, shadow_id)


def shadows(tx: Session, most: int = 50) -> list[ShadowRow]:
    """The newest first."""
    return list(tx.scalars(select(ShadowRow).order_by(ShadowRow.started_at.desc(), ShadowRow.id).limit(most)))


def begin_shadow(tx: Session, values: dict[str, Any]) -> bool:
    """False where another runs beside the same model."""
    return insert_if_new(tx, ShadowRow, values, "open_key")


def note_look(tx: Session, shadow_id: str, alert_id: str) -> None:
    """The shadow ran on the looks of that alert."""
    insert_if_new(tx, ShadowLookRow, {"shadow_id": shadow_id, "alert_id": alert_id}, "shadow_id", "alert_id")


def looked_at(tx: Session, shadow_id: str) -> list[AlertRow]:
    """The alerts on whose looks the shadow ran."""
    query = select(AlertRow).join(ShadowLookRow, ShadowLookRow.alert_id == AlertRow.id)
    return list(tx.scalars(query.where(ShadowLookRow.shadow_id == shadow_id).order_by(AlertRow.opened_at, AlertRow.id)))


def sightings(tx: Session, shadow_id: str) -> list[SightingRow]:
    """What it found, the newest first."""
    query = select(SightingRow).where(SightingRow.shadow_id == shadow_id)
    return list(tx.scalars(query.order_by(SightingRow.seen_at.desc(), SightingRow.id)))


def sighting(tx: Session, sighting_id: str) -> SightingRow | None:
    """One thing that a shadow found, locked."""
    return tx.get(SightingRow, sighting_id, with_for_update=True)


def last_sighting(tx: Session, shadow_id: str, place: str, since: datetime) -> SightingRow | None:
    """The newest one there that was seen since then and nobody has judged, locked."""
    query = select(SightingRow).where(
        SightingRow.shadow_id == shadow_id,
        SightingRow.place == place,
        SightingRow.seen_at >= since,
        SightingRow.decision.is_(None),
    )
    return tx.scalars(query.order_by(SightingRow.seen_at.desc()).limit(1).with_for_update()).first()


def keep_sighting(tx: Session, values: dict[str, Any]) -> bool:
    """False where it is kept already."""
    return insert_if_new(tx, SightingRow, values, "id")


def alerts_at(tx: Session, places: Iterable[str], since: datetime) -> list[AlertRow]:
    """Alerts at these places that were last seen since then."""
    query = select(AlertRow).where(AlertRow.place.in_(set(places)), AlertRow.last_seen_at >= since)
    return list(tx.scalars(query))


# --- models in force --------------------------------------------------------------------------------------------------


def in_force(tx: Session) -> dict[str, PromotionRow]:
    """What works in place of what kinds name."""
    query = select(PromotionRow).where(PromotionRow.ended_at.is_(None)).order_by(PromotionRow.id)
    return {row.base: row for row in tx.scalars(query)}


def promotions(tx: Session, most: int = 100) -> list[PromotionRow]:
    """The newest first."""
    return list(tx.scalars(select(PromotionRow).order_by(PromotionRow.id.desc()).limit(most)))


def promotion(tx: Session, promotion_id: int) -> PromotionRow | None:
    """One of them."""
    return tx.get(PromotionRow, promotion_id)


# --- scores -----------------------------------------------------------------------------------------------------------


def score_day(tx: Session, camera: str, model: str, version: str, label: str, day: str) -> ScoreDayRow | None:
    """The counts of a day."""
    return tx.get(ScoreDayRow, (camera, model, version, label, day))


def score_days(tx: Session, since: str, camera: str | None = None) -> list[ScoreDayRow]:
    """All since that day, day by day."""
    query = select(ScoreDayRow).where(ScoreDayRow.day >= since)
    if camera is not None:
        query = query.where(ScoreDayRow.camera_id == camera)
    return list(tx.scalars(query.order_by(ScoreDayRow.day)))


def forget_scores(tx: Session, before: str) -> None:
    """Days before that one."""
    tx.execute(delete(ScoreDayRow).where(ScoreDayRow.day < before))


def known_cameras(tx: Session, ids: Sequence[str]) -> set[str]:
    """Those of `ids` that are in the inventory."""
    return set(tx.scalars(select(CameraRow.id).where(CameraRow.id.in_(set(ids)))))


def drifts(tx: Session, *, open_only: bool = True, most: int = 500) -> list[DriftRow]:
    """Cameras whose scores have moved, the farthest first."""
    query = select(DriftRow)
    if open_only:
        query = query.where(DriftRow.open_key.is_not(None))
    return list(tx.scalars(query.order_by(DriftRow.psi.desc(), DriftRow.id).limit(most)))
