"""Figures in the Prometheus text format (names in design.md §6)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ingest.attained import ON_TIME

from .house import House
from .store import alert_queries, case_queries, delivery_queries, device_queries, notice_queries

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_RENAMED = {"pipeline_infer_us": "infer_us", "pipeline_inferences": "inferences", "pipeline_gated": "gated"}
_OWN = frozenset({"findings", "readings"})
"""Counted by the hub itself, when they arrive; what workers say of them would count twice."""
_GAUGES = ("spool_", "broker_connected")


def text(house: House) -> str:
    """The whole page."""
    lines: list[str] = []
    tally = house.tally
    with house.db.read() as tx:
        alerts, waiting = alert_queries.counts_by_kind(tx), alert_queries.waiting(tx)
        cases = case_queries.counts_by_state(tx)
        cameras, sensors = device_queries.counts_by_state(tx)
        looked = device_queries.looked(tx)
        notices = Counter(n.trouble for n in notice_queries.notices(tx, None))
        outbox = delivery_queries.counts_by_state(tx)
    now = house.now()
    _add(lines, "gridhub_alerts_opened_total", "counter", "Alerts ever opened", _labelled("kind", alerts))
    _add(lines, "gridhub_alerts_waiting", "gauge", "Alerts that wait for a verdict", [("", waiting)])
    _add(lines, "gridhub_cases_total", "gauge", "Cases by state", _labelled("state", cases))
    _add(lines, "gridhub_cameras", "gauge", "Cameras by state", _labelled("state", cameras))
    _add(lines, "gridhub_sensors", "gauge", "Sensors by state", _labelled("state", sensors))
    _add(lines, "gridhub_outbox", "gauge", "Webhook deliveries by state", _labelled("state", outbox))
    _add(lines, "gridhub_live_cameras", "gauge", "Cameras that are shown live", [("", tally.live["cameras"])])
    _add(lines, "gridhub_live_views", "gauge", "Live views that are open", [("", tally.live["views"])])
    ages = sorted((now - look.last_look_at).total_seconds() for look in looked if look.last_look_at is not None)
    _add(lines, "gridhub_look_age_seconds", "gauge", "Age of the cameras' newest looks", _quantiles(ages))
    _add_intervals(lines, looked)
    _add(lines, "gridhub_device_notices", "gauge", "Open device notices by trouble", _labelled("trouble", notices))
    own = _own_counts(house)
    totals, gauges = _worker_counts(tally.workers)
    dropped = Counter(own.pop("dropped", {}))
    dropped.update({k.removeprefix("dropped_"): v for k, v in totals.items() if k.startswith("dropped_")})
    dropped["feed"] = house.feed.dropped
    _add(lines, "gridhub_dropped_total", "counter", "What was dropped, and where", _labelled("stage", dropped))
    _add(lines, "gridhub_findings_total", "counter", "Findings taken in", _labelled("outcome", own.pop("findings", {})))
    _add(lines, "gridhub_webhook_tries_total", "counter", "Tries", _labelled("outcome", own.pop("webhooks", {})))
    for name in ("readings", "reading_duplicates", "sign_in_failures"):
        _add(lines, f"gridhub_{name}_total", "counter", f"{name} since the start", [("", own.get(name, {}).get("", 0))])
    for name in ("looks", "inferences"):
        totals.setdefault(name, 0)
    for name, count in sorted(totals.items()):
        if not name.startswith("dropped_") and name not in _OWN:
            _add(lines, f"gridhub_{name}_total", "counter", "Sum over the workers", [("", count)])
    for name, count in sorted(gauges.items()):
        _add(lines, f"gridhub_{name}", "gauge", "Sum over the workers", [("", count)])
    _add(lines, "gridhub_feed_listeners", "gauge", "Open event streams", [("", house.feed.listeners)])
    return "\n".join(lines) + "\n"


def _add_intervals(lines: list[str], looked: Sequence[device_queries.Looked]) -> None:
    """How often cameras are looked at: overall, and each."""
    seen = [(look, look.attained_s) for look in looked if look.attained_s is not None]
    attained = sorted(s for _look, s in seen)
    _add(lines, "gridhub_look_interval_seconds", "gauge", "Seconds between looks as attained", _quantiles(attained))
    if seen:
        share = sum(s <= ON_TIME * look.every_s for look, s in seen) / len(seen)
        help_ = f"Share of cameras whose interval is at most {ON_TIME:g} times the wanted one"
        _add(lines, "gridhub_look_interval_attained_share", "gauge", help_, [("", round(share, 4))])
    each = [(f'{{camera="{_escaped(look.id)}"}}', round(s, 2)) for look, s in seen]
    _add(lines, "gridhub_camera_look_interval_seconds", "gauge", "Seconds between looks of one camera", each)


def _own_counts(house: House) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (name, label), count in list(house.tally.counts.items()):
        found.setdefault(name, {})[label] = count
    return found


def _worker_counts(workers: Mapping[str, Mapping[str, Any]]) -> tuple[Counter[str], Counter[str]]:
    """(counters, gauges) summed over workers; names that are no metric names are passed over."""
    totals: Counter[str] = Counter()
    gauges: Counter[str] = Counter()
    for counters in list(workers.values()):
        for name, value in counters.items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                continue
            if not re.fullmatch(r"[a-z][a-z0-9_]{0,60}", name):
                continue
            into = gauges if name.startswith(_GAUGES) else totals
            into[_RENAMED.get(name, name)] += value  # type: ignore[assignment]  # seconds may be fractions
    return totals, gauges


def _labelled(label: str, counts: Mapping[str, float]) -> list[tuple[str, float]]:
    return [(f'{{{label}="{_escaped(key)}"}}', value) for key, value in sorted(counts.items())]


def _quantiles(ages: list[float]) -> list[tuple[str, float]]:
    if not ages:
        return []
    last = len(ages) - 1
    return [(f'{{quantile="{q}"}}', round(ages[round(last * q)], 3)) for q in (0.5, 0.95, 1)]


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _add(lines: list[str], name: str, kind: str, help_: str, samples: Iterable[tuple[str, float]]) -> None:
    lines.append(f"# HELP {name} {help_}")
    lines.append(f"# TYPE {name} {kind}")
    lines.extend(
        f"{name}{labels} {value:g}" if value < 1e6 else f"{name}{labels} {value:.0f}" for labels, value in samples
    )
