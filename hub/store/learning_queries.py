"""Verdicts as ground truth, and what was set because of them: what is asked of the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists, extract, func, select
from sqlalchemy.orm import Session

from .case_rows import CaseRow, ReportRow
from .learning_rows import TuningRow
from .rows import AlertRow, CameraRow, FindingRow, SensorRow, TaskRow

MOST_JUDGED = 20_000
"""Newest judged alerts of a kind that an advice rests on."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many alerts of a kind at a device (at an hour of the day, UTC) came to the same end."""

    kind: str
    camera: str | None
    sensor: str | None
    hour: int | None
    decision: str | None
    reason: str | None
    count: int


def counts(
    tx: Session, since: datetime, *, kind: str | None = None, camera: str | None = None, hourly: bool = False
) -> Iterator[Count]:
    """Alerts opened since then, counted."""
    by = [AlertRow.kind, AlertRow.camera_id, AlertRow.sensor_id, AlertRow.decision, AlertRow.reason]
    hour = extract("hour", AlertRow.opened_at)
    query = select(*by, *([hour] if hourly else []), func.count()).where(AlertRow.opened_at >= since)
    if kind is not None:
        query = query.where(AlertRow.kind == kind)
    if camera is not None:
        query = query.where(AlertRow.camera_id == camera)
    row: Any
    for row in tx.execute(query.group_by(*by, *([hour] if hourly else []))):
        yield Count(row[0], row[1], row[2], int(row[5]) if hourly else None, row[3], row[4], row[-1])


def judged(
    tx: Session, kind: str, since: datetime, camera: str | None = None, most: int = MOST_JUDGED
) -> list[AlertRow]:
    """Alerts of cameras with a verdict, decided since then, the newest first."""
    query = select(AlertRow).where(
        AlertRow.kind == kind,
        AlertRow.opened_at >= since,
        AlertRow.camera_id.is_not(None),
        AlertRow.decision.in_(("confirmed", "rejected")),
    )
    if camera is not None:
        query = query.where(AlertRow.camera_id == camera)
    return list(tx.scalars(query.order_by(AlertRow.opened_at.desc(), AlertRow.id).limit(most)))


@dataclass(frozen=True, slots=True)
class Report:
    """A report of another channel: the class and place of its case, whether an alert is of that case."""

    code: str
    lon: float
    lat: float
    at: datetime
    found: bool


def reports(tx: Session, since: datetime, codes: Sequence[str]) -> list[Report]:
    """Reports of classes in `codes` with a position, by people, since then; each case once, by its first report."""
    alerted = exists().where(AlertRow.case_id == CaseRow.id, AlertRow.camera_id.is_not(None))
    query = (
        select(CaseRow.category_code, CaseRow.lon, CaseRow.lat, func.min(ReportRow.at), alerted)
        .join(ReportRow, ReportRow.case_id == CaseRow.id)
        .where(
            ReportRow.at >= since,
            ReportRow.channel != "unattended",
            CaseRow.category_code.in_(codes),
            CaseRow.lon.is_not(None),
            CaseRow.lat.is_not(None),
        )
        .group_by(CaseRow.id)
    )
    found: Any = tx.execute(query)
    return [Report(code, lon, lat, at, bool(alert)) for code, lon, lat, at, alert in found]


def watching(tx: Session) -> list[tuple[str, float, float]]:
    """(kind, lon, lat) of every camera that looks for it."""
    query = (
        select(TaskRow.kind, CameraRow.lon, CameraRow.lat)
        .join(CameraRow, CameraRow.id == TaskRow.camera_id)
        .where(CameraRow.lon.is_not(None), CameraRow.lat.is_not(None))
        .distinct()
    )
    found: Any = tx.execute(query)
    return [(kind, lon, lat) for kind, lon, lat in found]


# --- settings ---------------------------------------------------------------------------------------------------------


def tunings(tx: Session) -> list[TuningRow]:
    """All, by kind and camera."""
    return list(tx.scalars(select(TuningRow).order_by(TuningRow.kind, TuningRow.camera_id)))


def tuning(tx: Session, kind: str, camera: str = "") -> TuningRow | None:
    """What is set for a kind, everywhere or at one camera."""
    return tx.get(TuningRow, (kind, camera))


def forget_tuning(tx: Session, row: TuningRow) -> None:
    """Back to what the stanza says."""
    tx.delete(row)


def tasks_of(tx: Session, camera: str, kind: str) -> list[TaskRow]:
    """What looks for `kind` at a camera."""
    return list(tx.scalars(select(TaskRow).where(TaskRow.camera_id == camera, TaskRow.kind == kind)))


def names_of_cameras(tx: Session, ids: set[str]) -> dict[str, str]:
    """Id to name."""
    query = select(CameraRow.id, CameraRow.name).where(CameraRow.id.in_(ids))
    found: Any = tx.execute(query).all()
    return dict(found)


def names_of_sensors(tx: Session, keys: set[str]) -> dict[str, str]:
    """ "sensor/ID" to name."""
    ids = {key.removeprefix("sensor/") for key in keys if key.startswith("sensor/")}
    return {
        f"sensor/{id_}": name
        for id_, name in tx.execute(select(SensorRow.id, SensorRow.name).where(SensorRow.id.in_(ids)))
    }


def wire_of_first_finding(tx: Session, alert_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Alert to the wire form of the finding that opened it."""
    query = select(FindingRow.alert_id, FindingRow.wire).where(
        FindingRow.alert_id.in_(alert_ids), FindingRow.outcome == "opened"
    )
    return {alert_id: wire for alert_id, wire in tx.execute(query) if alert_id}
