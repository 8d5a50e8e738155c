"""The tables of learning: settings that differ from the files, models in force, shadows and their sightings, scores."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from .columns import json_type
from .rows import BIG, Row


class TuningRow(Row):
    """What engineers set for a kind in place of its stanza's value, everywhere or (`camera_id`) at one camera.

    None: as the stanza says. At one camera only `min_score` and `dwell_s` can differ.
    """

    __tablename__ = "tunings"
    kind: Mapped[str] = mapped_column(String(64), primary_key=True)
    camera_id: Mapped[str] = mapped_column(String(64), primary_key=True, default="")
    min_score: Mapped[float | None]
    dwell_s: Mapped[float | None]
    enabled: Mapped[bool | None]
    schedule: Mapped[list[Any] | None] = mapped_column(json_type())
    note: Mapped[str] = mapped_column(default="")
    changed_by: Mapped[str] = mapped_column(String(64))
    changed_at: Mapped[datetime]


class PromotionRow(Row):
    """From `at` to `ended_at` the model `model` does the work of the one that kinds name (`base`)."""

    __tablename__ = "promotions"
    __table_args__ = (Index("ix_promotions_base_at", "base", "at"),)
    id: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=True)
    base: Mapped[str] = mapped_column(String(64))
    model: Mapped[str] = mapped_column(String(64))
    version: Mapped[str] = mapped_column(String(32))
    sha256: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(64))
    evidence: Mapped[dict[str, Any]]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(String(64))


class ShadowRow(Row):
    """A model that runs beside the one that works as `base`, on the same looks. `open_key` is `base` while it runs."""

    __tablename__ = "shadows"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    open_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    base: Mapped[str] = mapped_column(String(64), index=True)
    model: Mapped[str] = mapped_column(String(64))
    version: Mapped[str] = mapped_column(String(32))
    sha256: Mapped[str] = mapped_column(String(64))
    started_at: Mapped[datetime]
    started_by: Mapped[str] = mapped_column(String(64))
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(String(64))


class ShadowLookRow(Row):
    """An alert on whose looks a shadow ran: once a person has judged the alert, the shadow is judged too."""

    __tablename__ = "shadow_looks"
    shadow_id: Mapped[str] = mapped_column(ForeignKey("shadows.id", ondelete="CASCADE"), primary_key=True)
    alert_id: Mapped[str] = mapped_column(ForeignKey("alerts.id"), primary_key=True)


class SightingRow(Row):
    """One problem that a shadow found, from `since` to `seen_at`; it opens no alert.

    What the working model did not find has a picture (`sha256`), and an engineer may judge it.
    """

    __tablename__ = "sightings"
    __table_args__ = (
        Index("ix_sightings_shadow_id_place_seen_at", "shadow_id", "place", "seen_at"),
        Index("ix_sightings_sha256", "sha256"),
    )
    id: Mapped[str] = mapped_column(String(128), primary_key=True)
    shadow_id: Mapped[str] = mapped_column(ForeignKey("shadows.id", ondelete="CASCADE"))
    place: Mapped[str]
    kind: Mapped[str] = mapped_column(String(64))
    camera_id: Mapped[str] = mapped_column(String(64))
    zone: Mapped[str | None]
    since: Mapped[datetime]
    seen_at: Mapped[datetime]
    count: Mapped[int]
    score: Mapped[float]
    boxes: Mapped[list[Any]]
    sha256: Mapped[str | None] = mapped_column(String(64))
    decision: Mapped[str | None] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(32))
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decided_at: Mapped[datetime | None]


class ScoreDayRow(Row):
    """How the scores of a label were spread on one day at one camera; `bins` are counts of equal steps from 0 to 1."""

    __tablename__ = "score_days"
    __table_args__ = (Index("ix_score_days_day", "day"),)
    camera_id: Mapped[str] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"), primary_key=True)
    model: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[str] = mapped_column(String(32), primary_key=True)
    label: Mapped[str] = mapped_column(String(64), primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    bins: Mapped[list[Any]]


class DriftRow(Row):
    """A camera whose scores of a label have moved: told to engineers, until they are as before."""

    __tablename__ = "drifts"
    __table_args__ = (Index("ix_drifts_ended_at", "ended_at"),)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    open_key: Mapped[str | None] = mapped_column(unique=True)
    camera_id: Mapped[str] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"))
    model: Mapped[str] = mapped_column(String(64))
    version: Mapped[str] = mapped_column(String(32))
    label: Mapped[str] = mapped_column(String(64))
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    psi: Mapped[float]
    ks: Mapped[float]
    detail: Mapped[dict[str, Any]]
