"""A year of the district, from a seed: alerts by the hour, cases with their history and clocks, what is open now.

Shares are those that the district prints (98.2 % in time); kinds, streets and hours are as uneven as a city's. Findings
and audit entries are left out: no list, page or report reads them. A million and a half alerts and 200,000 cases take
about two gigabytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from typing import Any

import numpy as np

from detectors.kinds import Kind
from hub.bootstrap import Hub
from hub.domain.case import case_number
from hub.domain.clock import deadline, parse_limit
from hub.domain.routing import Units, route
from hub.domain.verdict import REJECT_REASONS
from hub.sample_district import Areas, Placed, cameras, sensors

NOW = datetime(2026, 11, 26, 6, 0, tzinfo=UTC)
"""14:00 in Shanghai, a working Thursday."""
DAYS = 365
OFF_SITE = 0.4
"""Share of the cases that other channels bring."""
LATE = 0.018
CHUNK = 20_000
KINDS = {  # how many of 100 alerts, how many of 100 are confirmed
    "garbage_exposed": (34, 12),
    "vehicle_parking": (27, 9),
    "goods_pile": (14, 7),
    "bin_overflow": (12, 6),
    "open_burning": (5, 2),
    "manhole_abnormal": (3, 5),
    "road_ponding": (2, 6),
    "smoke_alarm": (3, 3),
}


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


SENSED = {
    "bin_overflow": "bin_level",
    "manhole_abnormal": "manhole",
    "road_ponding": "water_depth",
    "smoke_alarm": "smoke",
}
REASONS = tuple(REJECT_REASONS)
CHANNELS = ("grid_app", "hotline", "snapshot", "wechat_group", "city_platform")
HOURS = np.array([2, 1, 1, 1, 1, 2, 4, 7, 8, 7, 6, 6, 5, 5, 6, 6, 6, 6, 7, 7, 6, 5, 4, 3], float)
"""Weight of each hour of the day in Shanghai."""

ALERT = _words(
    """
    id open_key place state kind urgent camera_id sensor_id source_name address grid_id lon lat since
    opened_at last_seen_at count score boxes readings why model rule_version review_due_at decided_by
    decided_at decision reason ended_at case_id zone
    """
)
CASE = _words(
    """
    id number open_key alert_id channel reported_by state open order_at opened_at filed_at filed_by
    closed_at closed_by kind category category_code limit closing rule_version calendar_version camera_id
    sensor_id source_name address grid_id community_id street_id lon lat department_id last_department_id
    urgent timed_out rework_count stage due_at deadline description suspended_until
    """
)
MOVE = _words(
    """
    case_id at by by_name action from_state to_state department_id note evidence
    """
)
CLOCK = _words(
    """
    case_id stage department_id limit limit_s started_at running_since used_s deadline overdue_at
    finished_at outcome timed_out timeout_s rule_version calendar_version paused_at
    """
)
REPORT = _words(
    """
    id case_id channel alert_id by by_name at address lon lat
    """
)
ATTACHMENT = _words(
    """
    sha256 alert_id case_id role at
    """
)
EVIDENCE = _words(
    """
    sha256 media_type size stored_at
    """
)


@dataclass
class Batch:
    """Rows that belong together, by table."""

    alerts: list[Sequence[Any]] = field(default_factory=list)
    cases: list[Sequence[Any]] = field(default_factory=list)
    moves: list[Sequence[Any]] = field(default_factory=list)
    clocks: list[Sequence[Any]] = field(default_factory=list)
    reports: list[Sequence[Any]] = field(default_factory=list)
    attachments: list[Sequence[Any]] = field(default_factory=list)
    evidence: list[Sequence[Any]] = field(default_factory=list)


@dataclass
class Life:
    """A case as it goes: what the writers of its rows need."""

    id: str
    opened: datetime
    kind: Kind
    device: Placed
    alert: str | None
    channel: str
    category: dict[str, Any]
    department: str
    limit: str
    answered: datetime | None = None
    closed: datetime | None = None
    due: datetime = NOW
    state: str = "closed"
    suspended: bool = False


class Year:
    """All rows, batch by batch, always the same for a seed."""

    def __init__(self, hub: Hub, areas: Areas, alerts: int, cases: int, due: int = 1000) -> None:
        self.hub, self.areas, self.seed = hub, areas, areas.seed
        self.alerts, self.cases, self.due = alerts, cases, due
        self.rules, self.calendar = hub.house.rules, hub.house.rules.calendar
        self.rng = np.random.default_rng(self.seed)
        self.numbers: dict[str, int] = {}
        self.calendar_version = self.calendar.version
        self.staff = [f"staff{n:02d}" for n in range(12)]
        self.open_keys: set[str] = set()
        departments = hub.registry.departments()
        self.units = Units(
            {d["id"]: d["name"] for d in departments},
            {d["grid"]["id"]: d["id"] for d in departments if d["kind"] == "street" and d["grid"]},
        )

    @cached_property
    def by_profile(self) -> dict[str, list[Placed]]:
        found: dict[str, list[Placed]] = {"camera": cameras(self.areas)}
        for sensor in sensors(self.areas):
            found.setdefault(sensor.profile, []).append(sensor)
        return found

    def batches(self) -> Iterator[Batch]:
        """Alerts in the order of time, with their cases; then cases of other channels, and those due at this moment."""
        confirmed = self.cases * (1 - OFF_SITE) / self.alerts
        share = sum(weight * rate for weight, rate in KINDS.values()) / 100 / 100
        times = self._times(self.alerts)
        for start in range(0, self.alerts, CHUNK):
            yield self._alert_batch(times[start : start + CHUNK], confirmed / share)
        rest = int(self.cases * OFF_SITE) - self.due
        times = self._times(rest)
        for start in range(0, rest, CHUNK):
            batch = Batch()
            for at in times[start : start + CHUNK]:
                self._reported(batch, _at(at))
            yield batch
        yield self._due_batch()

    def _times(self, count: int) -> Any:
        """Seconds since the epoch, ascending."""
        hour = self.rng.choice(24, count, p=HOURS / HOURS.sum())
        day = self.rng.integers(0, DAYS + 1, count)
        start = (NOW - timedelta(days=DAYS)).timestamp() // 86400 * 86400 - 8 * 3600
        times = start + day * 86400.0 + hour * 3600.0 + self.rng.uniform(0, 3600, count)
        return np.sort(times[times < NOW.timestamp() - 60] if count else times)

    def _ids(self, count: int) -> list[str]:
        text = self.rng.bytes(16 * count).hex()
        return [text[32 * i : 32 * i + 32] for i in range(count)]

    # --- alerts -------------------------------------------------------------------------------------------------------

    def _alert_batch(self, times: Any, scale: float) -> Batch:
        batch, count = Batch(), len(times)
        names = list(KINDS)
        weights = np.array([KINDS[name][0] for name in names], float)
        kinds = self.rng.choice(len(names), count, p=weights / weights.sum()).tolist()
        luck, delay = self.rng.random(count).tolist(), self.rng.exponential(420, count).tolist()
        pick, score = self.rng.random(count).tolist(), self.rng.uniform(0.35, 0.97, count).round(4).tolist()
        for i, (id_, at) in enumerate(zip(self._ids(count), times.tolist(), strict=True)):
            kind = self.rules.kinds[names[kinds[i]]]
            devices = self.by_profile[SENSED.get(kind.id, "camera")]
            device = devices[int(pick[i] ** 1.3 * len(devices))]  # some see more than others
            opened = _at(at)
            decided = opened + timedelta(seconds=30 + delay[i])
            self._alert(batch, id_, kind, device, opened, decided, luck[i] < KINDS[kind.id][1] / 100 * scale, score[i])
        return batch

    def _alert(
        self, batch: Batch, id_: str, kind: Kind, device: Placed, opened: datetime, decided: datetime, is_so: bool,
        score: float,
    ) -> None:  # fmt: skip
        seen_by_camera = not device.profile
        place = "|".join((device.id, "", "", kind.id))
        waits = decided > NOW - timedelta(hours=3) and place not in self.open_keys
        state = "pending_review" if waits else "confirmed" if is_so else "rejected"
        life = None
        if state == "confirmed":
            life = self._live(batch, kind, device, decided, id_, "unattended", self._category(kind.id, kind.code))
        elif state == "rejected" and score < 0.36:
            state = "expired"
        holds = waits or (life is not None and life.closed is None)
        if holds:
            self.open_keys.add(place)
        person = self.staff[int(score * 1e4) % len(self.staff)]
        verdict: tuple[Any, ...] = (None, None, None, None)
        if state in ("confirmed", "rejected"):
            verdict = (
                person,
                decided,
                state,
                REASONS[int(score * 1e4) % len(REASONS)] if state == "rejected" else None,
            )
        ended = None if holds else (life.closed if life and life.closed else decided)
        batch.alerts.append(
            (
                *(id_, f"{place}|{id_}" if holds else None, place, state, kind.id, kind.urgent),
                *(device.id if seen_by_camera else None, None if seen_by_camera else device.id, device.name),
                *(device.address, device.grid, device.lon, device.lat, opened - timedelta(minutes=10), opened),
                *(opened + timedelta(minutes=3), 1 + int(score * 9), score, _BOXES if seen_by_camera else "[]"),
                *("[]" if seen_by_camera else _READINGS, "", _MODEL if seen_by_camera else None),
                *(self.rules.versions[kind.id], opened + timedelta(minutes=60), *verdict, ended),
                *(life.id if life else None, None),
            )
        )
        if life is not None or opened > NOW - timedelta(days=30):  # pictures of the others are gone after 30 days
            for role in ("frame", "before") if life else ("frame",):
                sha256 = f"{id_}{role[:1].encode().hex() * 16}"
                batch.evidence.append((sha256, "image/jpeg", 90_000, opened))
                batch.attachments.append((sha256, id_, life.id if life else None, role, opened))

    # --- cases --------------------------------------------------------------------------------------------------------

    def _reported(self, batch: Batch, opened: datetime) -> None:
        """A case that one of the other channels brought, of any class that has conditions."""
        kind = self.rules.kinds[list(KINDS)[int(self.rng.integers(0, 4))]]
        code = _OTHER[int(self.rng.integers(0, len(_OTHER)))]
        device = self.by_profile["camera"][int(self.rng.integers(0, len(self.by_profile["camera"])))]
        channel = CHANNELS[int(self.rng.integers(0, len(CHANNELS)))]
        self._live(batch, kind, device, opened, None, channel, self._category("", code))

    def _due_batch(self) -> Batch:
        """Cases whose handling time ran out in the hours in which the hub was down."""
        batch = Batch()
        kind = self.rules.kinds["open_burning"]
        for n in range(self.due):
            device = self.by_profile["camera"][n % len(self.by_profile["camera"])]
            opened = NOW - timedelta(hours=2, seconds=5 + 10 * n)  # two urgent hours: due within the last hours
            life = self._new_life(kind, device, opened, None, "grid_app", self._category("", "06020"))
            life.state, life.due = "handling", opened + timedelta(hours=2)
            self._write(batch, life)
        return batch

    def _live(
        self, batch: Batch, kind: Kind, device: Placed, opened: datetime, alert: str | None, channel: str,
        category: dict[str, Any],
    ) -> Life:  # fmt: skip
        life = self._new_life(kind, device, opened, alert, channel, category)
        luck, part, wait = self.rng.random(), float(self.rng.beta(2, 3)), float(self.rng.exponential(3600))
        part = 1.02 + 1.5 * part if luck < LATE else min(part, 0.98)
        answered = life.opened + (life.due - life.opened) * part
        closed = answered + timedelta(seconds=300 + wait)
        stuck = luck > 0.997 and opened > NOW - timedelta(days=120)
        if stuck or answered > NOW:
            life.state = "handling" if stuck or luck < 0.8 else "dispatched"
            life.suspended = stuck and luck > 0.9985
            life.state = "suspended" if life.suspended else life.state
        else:
            life.answered = answered
            life.closed, life.state = (closed, "closed") if closed < NOW else (None, "checking")
        self._write(batch, life)
        return life

    def _new_life(
        self, kind: Kind, device: Placed, opened: datetime, alert: str | None, channel: str, category: dict[str, Any]
    ) -> Life:
        code = category["code"]
        grid = device.grid
        path = (grid[:6], grid[:9], grid[:12], grid)
        made = route(self.rules.routing, code, path, units=self.units, fallback=kind.department)
        limit = _LIMITS.get(code, kind.limit)
        due = deadline(opened, _limit(limit), self.calendar)
        life = Life(self._ids(1)[0], opened, kind, device, alert, channel, category, made.unit or "enforcement", limit)
        life.due = due
        return life

    def _write(self, batch: Batch, life: Life) -> None:
        device, opened, alerted = life.device, life.opened, life.alert is not None
        day = (opened + timedelta(hours=8)).date().isoformat()
        self.numbers[day] = sequence = self.numbers.get(day, 0) + 1
        number = case_number(self.areas.code, opened, sequence, self.hub.settings.timezone)
        late = (life.answered or NOW) > life.due
        stage, due_at = _STAGE.get(life.state), life.due
        if life.state == "checking" and life.answered:
            due_at = life.answered + timedelta(minutes=30)
        is_open = life.closed is None
        order_at = life.closed or due_at
        key = f"{device.id}|||{life.kind.id}|{life.alert}" if is_open and alerted else None
        ended_by = self.staff[sequence % len(self.staff)]
        sensed = bool(device.profile)
        batch.cases.append(
            (
                *(life.id, number, key, life.alert, life.channel, "system" if alerted else "token/app", life.state),
                *(is_open, order_at, opened, opened, ended_by, life.closed, ended_by if life.closed else None),
                *(
                    life.kind.id if alerted else "",
                    json.dumps(life.category, ensure_ascii=False),
                    life.category["code"],
                ),
                *(life.limit, life.kind.closing, self.rules.versions[life.kind.id], self.calendar_version),
                *(None if sensed or not alerted else device.id, device.id if sensed and alerted else None, device.name),
                *(device.address, device.grid, device.grid[:12], device.grid[:9], device.lon, device.lat),
                *(life.department, life.department, life.kind.urgent and alerted, late and life.answered is not None),
                *(1 if sequence % 40 == 0 else 0, stage, due_at if stage else None, life.due, ""),
                NOW + timedelta(days=20) if life.suspended else None,
            )
        )
        report = (life.id[::-1], life.id, life.channel, life.alert, ended_by, ended_by, opened)
        batch.reports.append((*report, device.address, device.lon, device.lat))
        self._history(batch, life, ended_by)
        self._clocks(batch, life)

    def _history(self, batch: Batch, life: Life, person: str) -> None:
        system, unit = ("system", "系统"), (life.department, life.department)
        accepted = life.opened + (min(life.due, NOW) - life.opened) * 0.1
        steps: list[tuple[Any, ...]] = (
            [] if life.alert else [("report", None, "reported", ("token/app", "APP"), life.opened)]
        )
        steps.append(("file", None if life.alert else "reported", "filed", (person, person), life.opened))
        steps.append(("dispatch", "filed", "dispatched", system, life.opened))
        if life.state != "dispatched":
            steps.append(("accept", "dispatched", "handling", unit, accepted))
        if life.suspended:
            steps.append(("suspend", "handling", "suspended", (person, person), accepted + timedelta(minutes=5)))
        if life.answered:
            steps.append(("feedback", "handling", "feedback", unit, life.answered))
            steps.append(("check", "feedback", "checking", system, life.answered))
        if life.closed:
            steps.append(("close", "checking", "closed", (person, person), life.closed))
        for action, before, after, (by, name), at in steps:
            text = "已清理完毕，现场恢复整洁" if action == "feedback" else ""
            batch.moves.append((life.id, at, by, name, action, before, after, life.department, text, "[]"))

    def _clocks(self, batch: Batch, life: Life) -> None:
        opened, answered, due = life.opened, life.answered, life.due
        self._clock(batch, life, "dispatch", opened, opened + timedelta(minutes=15), opened, "dispatched")
        paused = opened + (due - opened) * 0.2 if life.suspended else None
        # Of those that run out just now nobody has been told yet.
        told = due if (answered or NOW) > due and (answered or due < NOW - timedelta(days=1)) else None
        self._clock(batch, life, "handle", opened, due, answered, "answered", told=told, paused=paused)
        if answered:
            limit = answered + timedelta(minutes=30)
            told = limit if (life.closed or NOW) > limit else None
            self._clock(batch, life, "check", answered, limit, life.closed, "closed", told=told)

    def _clock(
        self, batch: Batch, life: Life, stage: str, start: datetime, due: datetime, end: datetime | None, outcome: str,
        *, told: datetime | None = None, paused: datetime | None = None,
    ) -> None:  # fmt: skip
        handles = stage == "handle"
        limit = life.limit if handles else _STAGE_LIMITS[stage]
        late_s = max(0.0, ((end or NOW) - due).total_seconds())
        verdict = (end, outcome, late_s > 0, late_s) if end else (None, None, None, None)
        batch.clocks.append(
            (
                *(life.id, stage, life.department if handles else None, limit),
                *(
                    _limit(limit).length(self.calendar).total_seconds(),
                    start,
                    None if end or paused else start,
                    0.0,
                    due,
                ),
                *(told, *verdict, self.rules.versions[life.kind.id], self.calendar_version, paused),
            )
        )

    def _category(self, kind_id: str, code: str) -> dict[str, Any]:
        name = self.rules.categories.name("GB/T 47678.5", code)
        return {"standard": "GB/T 47678.5", "code": code, "name": name}


_BOXES, _READINGS = "[[0.41, 0.52, 0.58, 0.71]]", '[{"prop": "fill_pct", "value": 93.0, "unit": "%"}]'
_MODEL = '{"name": "street", "version": "1"}'
_OTHER = _words(
    """
    06010 06011 06012 06013 06036 06042 07001 07003 08004 09001 09005 09006 09009 09010 09011 06028 06007
    08002 01037 01003
    """
)
_LIMITS = dict(
    pair.split("=")
    for pair in _words(
        """
        06011=5工作日 06013=5工作日 07001=1工作日 07003=5工作日 08004=2工作时 06012=2工作时 09001=2紧急工作时
        09005=2紧急工作时 09006=2紧急工作时 01037=2工作日 01003=4工作时 08002=1工作日 09010=2工作时 06020=2紧急工作时
        """
    )
)
_STAGE_LIMITS = {"dispatch": "0.25紧急工作时", "check": "0.5紧急工作时"}
_STAGE = {"dispatched": "handle", "handling": "handle", "checking": "check"}


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@cache
def _limit(text: str) -> Any:
    return parse_limit(text)
