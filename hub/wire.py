"""Alerts as JSON: the shapes of the HTTP contract, made for many rows with few questions. Cases: `case_wire.py`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .domain.alert import CLAIM_LASTS
from .domain.case import DUPLICATE_M
from .domain.place import Spot, near
from .house import SYSTEM, House
from .store import Transaction, alert_queries, device_queries, people_queries
from .store.alert_queries import OpenSpot
from .store.rows import AlertRow, AttachmentRow, EvidenceRow
from .unit_names import UnitNames

_SIMILAR_DEGREES = 0.0005
"""A little more than DUPLICATE_M in degrees of latitude."""

Attached = Sequence[tuple[AttachmentRow, EvidenceRow]]


def evidence_url(sha256: str) -> str:
    """Where the file can be fetched."""
    return f"/api/evidence/{sha256}"


def time_text(value: datetime | None) -> str | None:
    """RFC 3339 with offset."""
    return None if value is None else value.isoformat()


@dataclass(frozen=True, slots=True)
class Names:
    """What ids are called."""

    grids: dict[str, str]
    people: dict[str, str]
    units: UnitNames

    @classmethod
    def of(cls, tx: Transaction) -> Names:
        """Read all three small tables."""
        return cls(device_queries.grid_names(tx), people_queries.user_names(tx), UnitNames.of(tx))

    def grid(self, grid_id: str | None) -> dict[str, str] | None:
        """{id, name}"""
        return {"id": grid_id, "name": self.grids.get(grid_id, grid_id)} if grid_id else None

    def department(self, department_id: str | None) -> dict[str, str] | None:
        """{id, name, name_en}"""
        return {"id": department_id, **self.units.names(department_id)} if department_id else None

    def person(self, user_id: str | None) -> str | None:
        """The name of a person, or of the hub itself."""
        return SYSTEM.name if user_id == SYSTEM.id else self.people.get(user_id or "", user_id)


# --- alerts -----------------------------------------------------------------------------------------------------------


def alerts_json(tx: Transaction, house: House, rows: Sequence[AlertRow]) -> list[dict[str, Any]]:
    """The alerts with their evidence, precision and similar cases."""
    if not rows:
        return []
    names, now = Names.of(tx), house.now()
    attached = alert_queries.attachments(tx, [r.id for r in rows])
    precision = alert_queries.precision(tx, rows)
    similar = _Similar(alert_queries.open_cases_near(tx, rows, _SIMILAR_DEGREES))
    made = []
    for row in rows:
        shown = _alert_json(row, house, names, now)
        shown["evidence"] = [evidence_json(link, file) for link, file in attached.get(row.id, ())]
        counts = precision.get((row.camera_id, row.sensor_id, row.kind))
        shown["precision"] = counts or {"confirmed": 0, "rejected": 0}
        shown["similar_cases"] = similar.to(row)
        made.append(shown)
    return made


def alert_json(tx: Transaction, house: House, row: AlertRow) -> dict[str, Any]:
    """One alert."""
    return alerts_json(tx, house, [row])[0]


def _alert_json(row: AlertRow, house: House, names: Names, now: datetime) -> dict[str, Any]:
    kind = house.rules.kinds.get(row.kind)
    category = house.rules.category_of(kind) if kind else {"standard": "", "code": "", "name": ""}
    meant = [house.rules.category_of(kind, code) for code in kind.did_you_mean] if kind else []
    claimed = row.claimed_at is not None and now - row.claimed_at < CLAIM_LASTS
    return {
        "id": row.id,
        "state": row.state,
        "kind": row.kind,
        "kind_name": house.rules.name_of(row.kind),
        "category": house.rules.with_english(category),
        "did_you_mean": [house.rules.with_english(one) for one in meant],
        "urgent": row.urgent,
        **_where(row, names),
        "since": time_text(row.since),
        "opened_at": time_text(row.opened_at),
        "last_seen_at": time_text(row.last_seen_at),
        "count": row.count,
        "score": row.score,
        "boxes": row.boxes,
        "readings": row.readings,
        "why": row.why,
        "why_en": row.why_en,
        "beside": row.beside,
        "agreed": row.agreed,
        "model": row.model,
        "claimed_by": {"user": row.claimed_by, "name": names.person(row.claimed_by)} if claimed else None,
        "postponed_until": time_text(row.postponed_until),
        "review_due_at": time_text(row.review_due_at),
        "verdict": _verdict(row, names),
        "case": row.case_id,
    }


def _where(row: AlertRow, names: Names) -> dict[str, Any]:
    return {
        "camera": row.camera_id,
        "sensor": row.sensor_id,
        "source_name": row.source_name,
        "preset": row.preset,
        "zone": row.zone,
        "zone_points": row.zone_points,
        "address": row.address,
        "grid": names.grid(row.grid_id),
        "lon": row.lon,
        "lat": row.lat,
    }


def _verdict(row: AlertRow, names: Names) -> dict[str, Any] | None:
    if row.decision is None:
        return None
    return {
        "by": row.decided_by,
        "by_name": names.person(row.decided_by),
        "at": time_text(row.decided_at),
        "decision": row.decision,
        "took_ms": row.decided_ms,
        "reason": row.reason,
        "note": row.note,
    }


def evidence_json(link: AttachmentRow, file: EvidenceRow) -> dict[str, Any]:
    """A picture or clip as screens need it."""
    return {
        "role": link.role,
        "sha256": link.sha256,
        "media_type": file.media_type,
        "url": evidence_url(link.sha256),
        "at": time_text(link.at),
        **({"photo_type": link.photo_type} if link.photo_type else {}),
        **({"purged_at": time_text(file.purged_at)} if file.purged_at else {}),
    }


def similar_cases(tx: Transaction, row: AlertRow) -> list[str]:
    """Ids of the open cases that are similar to the alert."""
    return _Similar(alert_queries.open_cases_near(tx, [row], _SIMILAR_DEGREES)).to(row)


class _Similar:
    """Open cases by device and by square of the map, so that many alerts are compared with few cases each."""

    def __init__(self, spots: Sequence[OpenSpot]) -> None:
        self._by_place: dict[tuple[str, object, object], list[OpenSpot]] = {}
        for spot in spots:
            self._by_place.setdefault((spot.kind, spot.camera, spot.sensor), []).append(spot)
            if spot.lon is not None and spot.lat is not None:
                self._by_place.setdefault((spot.kind, *_square(spot.lon, spot.lat)), []).append(spot)

    def to(self, row: AlertRow) -> list[str]:
        """Ids of the cases that are similar to the alert."""
        found = list(self._by_place.get((row.kind, row.camera_id, row.sensor_id), ()))
        if row.lon is not None and row.lat is not None:
            x, y = _square(row.lon, row.lat)
            squares = ((x + dx, y + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1))
            found += [spot for square in squares for spot in self._by_place.get((row.kind, *square), ())]
        return list(dict.fromkeys(s.case for s in found if s.alert != row.id and _near(row, s)))


def _square(lon: float, lat: float) -> tuple[int, int]:
    return math.floor(lon / (2 * _SIMILAR_DEGREES)), math.floor(lat / _SIMILAR_DEGREES)


def _near(row: AlertRow, spot: OpenSpot) -> bool:
    here = Spot(row.lon, row.lat, row.camera_id, row.sensor_id)
    return near(here, Spot(spot.lon, spot.lat, spot.camera, spot.sensor), DUPLICATE_M)


def day_start(now: datetime, house: House) -> datetime:
    """Midnight of the hub's time zone."""
    local = now.astimezone(house.settings.timezone)
    return local - timedelta(
        hours=local.hour, minutes=local.minute, seconds=local.second, microseconds=local.microsecond
    )
