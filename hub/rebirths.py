"""A Sparkplug edge node is asked to tell its births again: where some are missing, and because a person asked.

It is the only thing that gridhub ever publishes to a device (domain.md §8.4, command safety; Sparkplug 3.0 §6.4.20).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from .errors import Invalid, NotFound
from .house import SYSTEM, Actor, House
from .store import Transaction, device_queries
from .store import quarantine_queries as ask
from .store.counting import insert_if_new
from .store.device_rows import RebirthRow
from .wire import time_text

MISSING = "REBIRTH_WANTED"
"""The device event of an edge node whose births are missing."""
PATIENCE = timedelta(minutes=10)
"""A request that no worker could pass on by then is not sent any more: nobody expects it."""


def node_of(device: str) -> str:
    """The edge node GROUP/NODE of a device GROUP/NODE/DEVICE (or of the node itself)."""
    return "/".join(device.split("/")[:2])


def shown(tx: Transaction, device: str) -> dict[str, Any] | None:
    """{node, why, missing_at, asked_at, asked_by, sent_at} where births of its edge node are missing, or were."""
    node = node_of(device)
    missing = ask.events(tx, [node], 1, MISSING)
    if not missing:
        return None
    row = ask.rebirth(tx, node)
    return {
        "node": node,
        "why": missing[0].text,
        "missing_at": time_text(missing[0].at),
        "asked_at": time_text(row.asked_at) if row else None,
        "asked_by": row.asked_by if row else None,
        "sent_at": time_text(row.sent_at) if row else None,
    }


def request(house: House, actor: Actor, sensor_id: str) -> dict[str, Any]:
    """Ask the edge node of a sensor for its births. Raises NotFound, Invalid (none of them are missing)."""
    with house.db.write() as tx:
        sensor = device_queries.sensor(tx, sensor_id)
        if sensor is None:
            raise NotFound("sensor", sensor_id)
        if shown(tx, sensor.device) is None:
            raise Invalid("sensor", sensor_id, "a sensor of a Sparkplug edge node whose births are missing")
        node, now = node_of(sensor.device), house.now()
        insert_if_new(tx, RebirthRow, {"node": node, "asked_by": actor.id, "asked_at": now, "sent_at": None}, "node")
        row = ask.rebirth(tx, node, lock=True)
        assert row is not None
        row.asked_by, row.asked_at, row.sent_at = actor.id, now, None
        tx.change_assignment()
        tx.audit(now, actor.id, "rebirth-asked", f"device/{node}", sensor=sensor_id)
        tx.flush()
        return shown(tx, sensor.device) or {}


def wanted(tx: Transaction, house: House) -> list[str]:
    """For the assignment: the edge nodes that are to be asked."""
    return ask.rebirths_unsent(tx, house.now() - PATIENCE)


def sent(house: House, nodes: Sequence[str]) -> None:
    """A worker passed the requests on to the broker."""
    with house.db.write() as tx:
        now = house.now()
        for node in nodes:
            row = ask.rebirth(tx, node, lock=True)
            if row is not None and row.sent_at is None:
                row.sent_at = now
                tx.audit(now, SYSTEM.id, "rebirth-sent", f"device/{node}")
        tx.change_assignment()
