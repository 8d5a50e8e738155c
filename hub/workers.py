"""How the workers are: what each last said of itself, and how often cameras are looked at."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from ingest.attained import ON_TIME

from .house import House
from .store import device_queries
from .wire import time_text

LOST_AFTER = timedelta(seconds=60)
"""Workers report every few seconds."""


def health(house: House) -> dict[str, Any]:
    """{items: a worker each, cameras, on_time, median_s, p95_s, worst_s}; counts since each worker began."""
    now, tally = house.now(), house.tally
    with house.db.read() as tx:
        looked = [look for look in device_queries.looked(tx) if look.state not in ("offline", "stale", "unknown")]
    seen = [(look, look.attained_s) for look in looked if look.attained_s is not None]
    attained = sorted(seconds for _look, seconds in seen)
    items = [
        _worker(name, counters, tally.heard.get(name, now), now) for name, counters in sorted(tally.workers.items())
    ]
    return {
        "items": items,
        "cameras": len(seen),
        "on_time": sum(seconds <= ON_TIME * look.every_s for look, seconds in seen),
        "median_s": _quantile(attained, 0.5),
        "p95_s": _quantile(attained, 0.95),
        "worst_s": _quantile(attained, 1.0),
    }


def _worker(name: str, counters: dict[str, Any], heard: datetime, now: datetime) -> dict[str, Any]:
    def count(key: str) -> int:
        value = counters.get(key, 0)
        return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0

    looks, inferences = count("pipeline_looks"), count("pipeline_inferences")
    gated, spent_us = count("pipeline_gated"), count("pipeline_infer_us")
    dropped = {key.removeprefix("dropped_"): count(key) for key in counters if key.startswith("dropped_")}
    left_out = counters.get("left_out")
    waiting = {key.removeprefix("spool_"): count(key) for key in counters if key.startswith("spool_")}
    return {
        "id": name,
        "seen_at": time_text(heard),
        "lost": now - heard > LOST_AFTER,
        "looks": looks,
        "gated": gated,
        "inferences": inferences,
        "findings": count("pipeline_findings"),
        "dropped": {key: value for key, value in sorted(dropped.items()) if value},
        "waiting": {key: value for key, value in sorted(waiting.items()) if value},
        "left_out": [str(line) for line in left_out] if isinstance(left_out, list) else [],
        "gate_share": round(gated / looks, 4) if looks else None,
        "inference_ms": round(spent_us / inferences / 1000, 2) if inferences and spent_us else None,
    }


def _quantile(values: list[float], share: float) -> float | None:
    return values[min(len(values) - 1, round(share * (len(values) - 1)))] if values else None
