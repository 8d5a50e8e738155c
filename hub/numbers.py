"""Today's figures for the top of the screens."""

from __future__ import annotations

from typing import Any

from .house import House
from .store import alert_queries, case_queries, device_queries
from .wire import day_start


def today(house: House) -> dict[str, Any]:
    """{alerts: {opened, pending, confirmed, rejected}, cases: {state: n}, cameras: {state: n}, sensors: {state: n}}.

    Of cases: those that are open, and those that ended today.
    """
    start = day_start(house.now(), house)
    with house.db.read() as tx:
        decided = alert_queries.decided_since(tx, start)
        cameras, sensors = device_queries.counts_by_state(tx)
        return {
            "alerts": {
                "opened": alert_queries.opened_since(tx, start),
                "pending": alert_queries.waiting(tx),
                "confirmed": decided.get("confirmed", 0),
                "rejected": decided.get("rejected", 0),
            },
            "cases": case_queries.open_by_state(tx) | case_queries.ended_since(tx, start),
            "cameras": cameras,
            "sensors": sensors,
        }


def devices(house: House) -> dict[str, dict[str, int]]:
    """{cameras: {state: n}, sensors: {state: n}}"""
    with house.db.read() as tx:
        cameras, sensors = device_queries.counts_by_state(tx)
    return {"cameras": cameras, "sensors": sensors}
