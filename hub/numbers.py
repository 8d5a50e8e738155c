"""Today's figures for the top of the screens."""

from __future__ import annotations

from typing import Any

from .house import House
from .store import alert_queries, case_queries, device_queries
from .wire import day_start


def today(house: House) -> dict[str, Any]:
    """{alerts: {opened, pending, unsure, postponed, confirmed, rejected}, cases, cameras, sensors: {state: n}}.

    `pending` are all that wait for a verdict, `unsure` and `postponed` those of them that the queue does not show.
    Of cases: those that are open, and those that ended today.
    """
    now = house.now()
    start = day_start(now, house)
    with house.db.read() as tx:
        decided = alert_queries.decided_since(tx, start)
        waiting = alert_queries.waiting_by_state(tx)
        cameras, sensors = device_queries.counts_by_state(tx)
        return {
            "alerts": {
                "opened": alert_queries.opened_since(tx, start),
                "pending": sum(waiting.values()),
                "unsure": waiting.get("unsure", 0),
                "postponed": alert_queries.put_off(tx, now),
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
