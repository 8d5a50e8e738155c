"""Precision, volume and a stand-in for recall; threshold advice and what another setting would have done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from detectors.errors import KindsError
from detectors.geometry import Zone
from detectors.hours import in_force
from detectors.kinds import Kind
from detectors.zone_hours import ZoneHours

from ..domain.judged import Judged, Truth, truth_of
from ..domain.place import distance_m
from ..domain.precision import Tally
from ..domain.recall import WATCHED_M, Reports
from ..domain.what_if import Keeps, advise, all_of, any_of, from_dwell, from_score, idle_hours, what_if, within
from ..errors import Invalid, NotFound
from ..house import House
from ..store import Transaction, alert_queries
from ..store import learning_queries as ask
from ..store.rows import AlertRow
from . import tuning

BY = ("kind", "camera", "hour")
_HOURS = ("schedule", "permitted")
_SHOWN = 24
"""Alerts named in an answer, to be looked at."""


def precision(
    house: House, by: Sequence[str], days: float, *, kind: str | None = None, camera: str | None = None
) -> dict[str, Any]:
    """Counts and shares by `by` (kind, camera, hour: any of them), most alerts first, and all together.

    Hours are local, by today's offset from UTC. By kind alone each row has `recall_proxy` too. Raises Invalid.
    """
    for name in by:
        if name not in BY:
            raise Invalid("by", name, BY)
    now = house.now()
    since = now - timedelta(days=days)
    offset = now.astimezone(house.settings.timezone).utcoffset() or timedelta(0)
    with house.db.read() as tx:
        tallies: dict[tuple[Any, ...], Tally] = {}
        total = Tally()
        for count in ask.counts(tx, since, kind=kind, camera=camera, hourly="hour" in by):
            truth = truth_of(count.decision, count.reason)
            hour = None if count.hour is None else int(count.hour + offset.total_seconds() // 3600) % 24
            parts = {"kind": count.kind, "camera": count.camera or f"sensor/{count.sensor}", "hour": hour}
            key = tuple(parts[name] for name in by)
            tallies[key] = tallies.get(key, Tally()).plus(truth, count.count)
            total = total.plus(truth, count.count)
        heard = _reports(tx, house, since) if tuple(by) == ("kind",) and camera is None else {}
        ids = {key[by.index("camera")] for key in tallies} if "camera" in by else set()
        names = ask.names_of_cameras(tx, ids) | ask.names_of_sensors(tx, ids)
    rows = []
    for key, tally in sorted(tallies.items(), key=lambda item: (-item[1].volume, tuple(map(str, item[0])))):
        row: dict[str, Any] = dict(zip(by, key, strict=True)) | tally.to_json()
        if "kind" in row:
            row["kind_name"] = house.rules.name_of(row["kind"])
        if "camera" in row:
            row["camera_name"] = names.get(row["camera"], row["camera"])
        if row.get("kind") in heard:
            row["recall_proxy"] = heard[row["kind"]].to_json()
        rows.append(row)
    return {
        "items": rows,
        "next_cursor": None,
        "total": len(rows),
        "all": total.to_json(),
        "since": since.isoformat(),
        "days": days,
    }


def _reports(tx: Transaction, house: House, since: datetime) -> dict[str, Reports]:
    """By kind: what people reported where a camera looks for it."""
    kinds = {kind.id: kind for kind in house.rules.kinds.values() if kind.rule is not None}
    at: dict[str, list[tuple[float, float]]] = {}
    for kind_id, lon, lat in ask.watching(tx):
        if kind_id in kinds:
            at.setdefault(kind_id, []).append((lon, lat))
    heard = dict.fromkeys(at, Reports())
    for report in ask.reports(tx, since, sorted({kinds[k].code for k in at})):
        for kind_id, spots in at.items():
            if kinds[kind_id].code != report.code:
                continue
            if any(distance_m(report.lon, report.lat, lon, lat) <= WATCHED_M for lon, lat in spots):
                before = heard[kind_id]
                heard[kind_id] = Reports(before.watched + 1, before.found + report.found)
    return heard


def samples(tx: Transaction, house: House, kind: Kind, days: float, camera: str | None) -> list[Judged]:
    """Judged alerts of a kind, of the model version that found the newest of them: scores of others mean others."""
    rows = ask.judged(tx, kind.id, house.now() - timedelta(days=days), camera)
    model = rows[0].model if rows else None
    repeat_s = kind.rule.repeat_s if kind.rule else 300.0
    return [judged for row in rows if row.model == model and (judged := _judged(row, repeat_s)) is not None]


def _judged(row: AlertRow, repeat_s: float) -> Judged | None:
    truth = truth_of(row.decision, row.reason)
    if truth is None or row.decided_at is None:
        return None
    return Judged(
        alert=row.id,
        kind=row.kind,
        camera=row.camera_id or "",
        truth=truth,
        score=row.score,
        began=row.since,
        opened_at=row.opened_at,
        seen_at=row.last_seen_at,
        decided_at=row.decided_at,
        boxes=tuple((b[0], b[1], b[2], b[3]) for b in row.boxes),
        zone=tuple((p[0], p[1]) for p in row.zone_points) if row.zone_points else None,
        reason=row.reason,
        repeat_s=repeat_s,
    )


def kind_of(house: House, kind_id: str) -> Kind:
    """The kind as configured. Raises NotFound."""
    kind = house.rules.kinds.get(kind_id)
    if kind is None:
        raise NotFound("kind", kind_id)
    return kind


def advice(house: House, kind_id: str, days: float, camera: str | None = None) -> dict[str, Any]:
    """What each least score would have kept and removed, and the one advised. Raises NotFound, Invalid."""
    kind = _with_scores(house, kind_id)
    with house.db.read() as tx:
        found = samples(tx, house, kind, days, camera)
        now = tuning.scores(tx, house, kind, camera)
        model = _model_of(tx, found)
    local = [(s.opened_at.astimezone(house.settings.timezone).hour, s.truth) for s in found]
    return {
        "kind": kind_id,
        "kind_name": dict(kind.name),
        "camera": camera,
        "days": days,
        "model": model,
        "now": now,
        "judged": len(found),
        "scores": [{"score": round(s.score, 4), "truth": s.truth.value, "alert": s.alert} for s in found[:2000]],
        "hours": _by_hour(local),
        "idle_hours": idle_hours(local),
        **advise(found).to_json(),
    }


def _by_hour(local: Sequence[tuple[int, Truth]]) -> list[dict[str, Any]]:
    tallies: dict[int, Tally] = {}
    for hour, truth in local:
        tallies[hour] = tallies.get(hour, Tally()).plus(truth)
    return [{"hour": hour, **tallies[hour].to_json()} for hour in sorted(tallies)]


def _model_of(tx: Transaction, found: Sequence[Judged]) -> dict[str, Any] | None:
    row = alert_queries.alert(tx, found[0].alert) if found else None
    return dict(row.model) if row and row.model else None


def _with_scores(house: House, kind_id: str) -> Kind:
    kind = kind_of(house, kind_id)
    if kind.rule is None:
        raise Invalid("kind", kind_id, "a kind that cameras find; what a sensor rule does is a matter of its limits")
    return kind


def judge_change(
    house: House, kind_id: str, change: Mapping[str, Any], days: float, camera: str | None = None
) -> dict[str, Any]:
    """What a change would have done to the judged alerts: {effect, before, lost, gone}.

    `change`: min_score, dwell_s, zone ([x, y] points), schedule (windows as in a stanza), permitted (a zone's permits,
    `detectors.zone_hours`): any of them, together. `beside` in it lists such places (without a score) that find what
    they find whatever is changed here, as the other zones of the camera. `lost` are confirmed alerts that would not
    have been, `gone` rejected ones. Raises NotFound, Invalid.
    """
    kind = _with_scores(house, kind_id)
    settings = _settings(house, kind, change)
    beside = [all_of(*_settings(house, kind, place).values()) for place in change.get("beside", ())]
    keeps = any_of(all_of(*settings.values()), *beside)
    with house.db.read() as tx:
        found = samples(tx, house, kind, days, camera)
    gone = [s for s in found if keeps(s) is False]
    return {
        "kind": kind_id,
        "camera": camera,
        "days": days,
        "before": what_if(found).to_json(),
        "effect": what_if(found, keeps).to_json(),
        "each": {name: what_if(found, any_of(settings[name], *beside)).to_json() for name in _named(change)},
        "lost": [s.alert for s in gone if s.truth is Truth.RIGHT][:_SHOWN],
        "gone": [s.alert for s in gone if s.truth in (Truth.WRONG, Truth.UNCLEAR)][:_SHOWN],
    }


def _named(change: Mapping[str, Any]) -> list[str]:
    return [name for name in ("min_score", "dwell_s", "zone", *_HOURS) if change.get(name) is not None]


def _settings(house: House, kind: Kind, change: Mapping[str, Any]) -> dict[str, Keeps]:
    """By name, each alone; schedule and permits are also one setting, `hours`: an instant must suit both."""
    named = _named(change)
    hours = {name: _watched(house, kind, name, change[name]) for name in named if name in _HOURS}
    found = {name: _setting(kind, name, change[name]) for name in named if name not in _HOURS}
    found |= {name: _at_either_end(watched) for name, watched in hours.items()}
    return found | ({"hours": _at_either_end(*hours.values())} if len(hours) > 1 else {})


def _setting(kind: Kind, name: str, value: Any) -> Keeps:
    if name == "min_score":
        return from_score(float(value))
    if name == "dwell_s":
        return from_dwell(float(value))
    rule = kind.rule
    assert rule is not None
    try:
        zone = Zone("zone", tuple((float(x), float(y)) for x, y in value))
    except (TypeError, ValueError) as error:
        raise Invalid("zone", value, f"at least three [x, y] points of 0 to 1 ({error})") from None
    return within(zone, rule.anchor, rule.min_overlap)


def _at_either_end(*watched: Callable[[datetime], bool]) -> Keeps:
    """Kept where all of `watched` hold when it was raised, or when it was last seen."""
    return lambda sample: any(all(holds(at) for holds in watched) for at in (sample.opened_at, sample.seen_at))


def _watched(house: House, kind: Kind, name: str, value: Any) -> Callable[[datetime], bool]:
    tz = house.settings.timezone
    if name == "permitted":
        try:
            hours = ZoneHours.from_wire({"permitted": value})
        except (KeyError, TypeError, ValueError) as error:
            raise Invalid("permitted", value, f"{{first, last, days, from, to, note}} ({error})") from None
        return lambda at: hours.permit(at, tz) is None
    try:
        windows = Kind.from_wire({**kind.to_wire(), "schedule": value}, "schedule").schedule
    except KindsError as error:
        raise Invalid("schedule", value, str(error)) from None
    return lambda at: in_force(windows, at, tz)
