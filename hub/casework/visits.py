"""Sending somebody to look, before filing (核实) and after handling (核查), and what he says."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from ..domain.role import Role
from ..domain.visit import RESULTS, VisitKind
from ..errors import Invalid
from ..house import Actor
from ..store import Transaction, case_queries, device_queries, people_queries
from ..store.case_rows import CaseRow, VisitRow
from .order import Order

NEAREST_CAMERA_M = 200.0
"""A camera this near may show what a collector would have to walk to."""


def send(tx: Transaction, case: CaseRow, actor: Actor, kind: VisitKind, order: Order, now: datetime) -> VisitRow:
    """A visit for the person named, or the grid member of the case's grid; else the centre looks, by a camera."""
    assignee = order.assignee
    if assignee is not None:
        user = people_queries.user(tx, assignee)
        if user is None or not user.active or user.role != Role.COLLECTOR:
            raise Invalid("assignee", assignee, [u.id for u in people_queries.with_role(tx, Role.COLLECTOR)])
    else:
        assignee = people_queries.collector_of(tx, (case.grid_id, case.community_id, case.street_id))
    camera = case.camera_id
    if camera is None and case.lon is not None and case.lat is not None:
        camera = device_queries.nearest_camera(tx, case.lon, case.lat, NEAREST_CAMERA_M)
    row = VisitRow(id=uuid4().hex, case_id=case.id, kind=kind.value, state="open", assignee=assignee)
    row.camera_id, row.asked_by, row.asked_at = camera, actor.id, now
    row.note, row.evidence = order.words, []
    tx.add(row)
    tx.flush()
    return row


def answer(tx: Transaction, case: CaseRow, actor: Actor, kind: VisitKind, order: Order, now: datetime) -> None:
    """What the visit found. Raises Invalid (result)."""
    if order.result not in RESULTS[kind]:
        raise Invalid("result", order.result, list(RESULTS[kind]))
    row = next((v for v in case_queries.open_visits(tx, case.id) if v.kind == kind), None)
    if row is None:
        row = VisitRow(id=uuid4().hex, case_id=case.id, kind=kind.value, asked_by=actor.id, asked_at=now)
        tx.add(row)
    row.state, row.result, row.note, row.by, row.at = "done", order.result, order.words, actor.id, now
    row.evidence = [p.stored.sha256 for p in order.photos]
    tx.flush()
