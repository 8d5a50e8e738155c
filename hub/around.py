"""What stands around an alert: open cases that it may belong to, and its camera's last looks."""

from __future__ import annotations

from typing import Any

from . import album
from .assignments import look_path
from .case_wire import cases_json
from .domain.place import distance_m
from .errors import NotFound
from .house import House
from .store import alert_queries as ask
from .store import case_queries
from .store.case_rows import CaseRow
from .store.rows import AlertRow
from .wire import similar_cases

CASES_MOST = 12
_CASE_KEYS = ("id", "number", "state", "state_name", "kind_name", "address", "opened_at", "department")


def around(house: House, alert_id: str) -> dict[str, Any]:
    """{cases, looks} of the alert. Raises NotFound."""
    with house.db.read() as tx:
        row = ask.alert(tx, alert_id)
        if row is None:
            raise NotFound("alert", alert_id)
        camera = row.camera_id
        near = [case for id_ in similar_cases(tx, row)[:CASES_MOST] if (case := case_queries.case(tx, id_))]
        cases = [
            {
                **{key: shown[key] for key in _CASE_KEYS},
                "distance_m": _distance(row, case),
                "picture": next((piece["url"] for piece in shown["evidence"] if piece["role"] == "frame"), None),
            }
            for case, shown in zip(near, cases_json(tx, house, near, None), strict=True)
        ]
    cases.sort(key=lambda case: (case["distance_m"] is None, case["distance_m"] or 0.0, case["number"]))
    looks = [] if camera is None else album.looks_of(house, camera, look_path(house, camera))
    return {"cases": cases, "looks": looks}


def _distance(row: AlertRow, case: CaseRow) -> float | None:
    if row.lon is None or row.lat is None or case.lon is None or case.lat is None:
        return None
    return round(distance_m(row.lon, row.lat, case.lon, case.lat), 1)
