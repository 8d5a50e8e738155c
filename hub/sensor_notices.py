"""Notices about sensors: who is silent, which gateway is lost, which battery is low; kept, told, ended.

The hub decides of silence, not the workers: it alone knows all sensors behind a gateway, whichever worker hears them.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from detectors.rules.silence import gateway_lost, silent

from . import sensing, sights
from .domain.sensor_notice import GATEWAY_LOST, OFFLINE, Changes, SensorNotice, Trouble, follow
from .house import House
from .outbox import announce
from .registry import sensor_json
from .store import Transaction, device_queries
from .store import sensor_notice_queries as ask
from .store.sensor_notice_queries import Seen
from .wire import Names, time_text

log = logging.getLogger("hub.notices")

EVERY_S = 10.0
SHOWN_MOST = 500
_GRACE = timedelta(seconds=120)
"""After the hub's start, a pause of it, or a jump of its clock, workers get this long to tell what they heard."""
_PAUSE = timedelta(seconds=60)
FORGOTTEN = timedelta(days=365)
_USUAL_SILENCE_S = 90_000.0
_EVENTS = {"offline": "device.offline", "gateway_lost": "device.offline", "battery_low": "device.battery_low",
           "battery_critical": "device.battery_low"}  # fmt: skip


class SensorNotices(threading.Thread):
    """Looks at all sensors every few seconds; `step` is one such time, at the house's clock."""

    def __init__(self, house: House) -> None:
        super().__init__(name="sensor-notices", daemon=True)
        self._house = house
        self._patient_until: datetime | None = None
        self._stepped_at: datetime | None = None
        self._lock = threading.Lock()
        self._ended = threading.Event()

    def run(self) -> None:
        """Until ended."""
        while not self._ended.wait(EVERY_S):
            try:
                self.step()
            except Exception:  # the thread must outlive a database that is away for a while
                log.exception("notices of sensors: will try again")

    def end(self) -> None:
        """Stop soon."""
        self._ended.set()

    def step(self) -> None:
        """Say anew how each sensor is, and open, change and end notices."""
        with self._lock:
            now = self._house.now()
            if self._stepped_at is None or abs(now - self._stepped_at) > _PAUSE:
                self._patient_until = now + _GRACE
            self._stepped_at = now
            sensing.tick(self._house, now)
            sights.give_up(self._house)
            if self._patient_until is None or now >= self._patient_until:
                self._follow(now)

    def _follow(self, now: datetime) -> None:
        house = self._house
        with house.db.read() as tx:
            sensors = ask.seen(tx)
            open_notices = ask.open_by_key(tx)
        states, lost = self._states(sensors, now)
        changed = {s.id: states[s.id] for s in sensors if s.state != states[s.id]}
        changes = follow(open_notices, troubles(sensors, states, lost, now), now, lambda: uuid4().hex)
        if not changed and not (changes.opened or changes.changed or changes.ended):
            return
        with house.db.write() as tx:
            ask.set_states(tx, changed)
            _keep(tx, house, changes)
            if changed:
                names = Names.of(tx)
                for row in device_queries.sensors_of(tx, changed):
                    tx.after(partial(house.feed.publish, "sensor", sensor_json(row, names)))

    def _states(self, sensors: Sequence[Seen], now: datetime) -> tuple[dict[str, str], dict[str, list[str]]]:
        """(state by sensor, lost gateways with the sensors behind them)."""
        behind: dict[str, list[Seen]] = {}
        for sensor in sensors:
            for gateway in gateways_of(sensor):
                behind.setdefault(gateway, []).append(sensor)
        gone = {gateway for gateway, children in behind.items() if _lost(children, now)}
        # Who is heard by another gateway too has no excuse for its silence.
        out = {s.id for s in sensors if (gateways := gateways_of(s)) and gone.issuperset(gateways)}
        children_of = {gateway: [c.id for c in behind[gateway] if c.id in out] for gateway in gone}
        lost = {gateway: children for gateway, children in children_of.items() if children}
        return {s.id: self._state(s, s.id in out, now) for s in sensors}, lost

    def _state(self, sensor: Seen, behind_lost: bool, now: datetime) -> str:
        if sensor.said == OFFLINE:
            return OFFLINE
        if behind_lost:
            return GATEWAY_LOST
        if sensor.last_seen is None:
            return "unknown"
        profile = self._house.rules.sensing.profile(sensor.profile)
        silence_s = profile.silence_s if profile else _USUAL_SILENCE_S
        return "silent" if silent(sensor.last_seen, now, sensor.every_s, silence_s) else "online"

    def forget(self) -> None:
        """What ended long ago."""
        with self._house.db.write() as tx:
            ask.forget(tx, self._house.now() - FORGOTTEN)


def gateways_of(sensor: Seen) -> Sequence[str]:
    """Through which gateways a sensor speaks: the one it is registered with, else what its messages say.

    That is the edge node in its device id (Sparkplug: group/node/device), or the radio gateways that heard its newest
    message (ChirpStack, The Things Stack).
    """
    if sensor.gateway:
        return (sensor.gateway,)
    return (sensor.device.rpartition("/")[0],) if sensor.device.count("/") >= 2 else sensor.heard_by


def _lost(children: Sequence[Seen], now: datetime) -> bool:
    if any(c.said == GATEWAY_LOST for c in children):
        return True
    return gateway_lost([(c.last_seen, c.every_s) for c in children if c.said != OFFLINE], now)


def troubles(
    sensors: Sequence[Seen], states: Mapping[str, str], lost: Mapping[str, list[str]], now: datetime
) -> Iterator[Trouble]:
    """Everything that is wrong now; nothing of sensors that somebody works on."""
    worked_on = {s.id for s in sensors if s.maintenance_until is not None and s.maintenance_until > now}
    for gateway, children in sorted(lost.items()):
        behind = "the sensor" if len(children) == 1 else f"the {len(children)} sensors"
        why = {
            "zh": f"网关 {gateway} 失联，其下 {len(children)} 个传感器均无数据",
            "en": f"Gateway {gateway} is lost: nothing from {behind} behind it",
        }
        yield Trouble(GATEWAY_LOST, gateway=gateway, why=why, since=_last(sensors, children), children=tuple(children))
    for sensor in sensors:
        if sensor.id in worked_on:
            continue
        if states[sensor.id] in ("silent", OFFLINE):
            seen = time_text(sensor.last_seen) or ""
            said = states[sensor.id] == OFFLINE
            why = {
                "zh": "设备报告离线" if said else "超过允许时长没有数据",
                "en": "It said that it went offline" if said else "Silent for longer than its profile allows",
                "last_seen": seen,
            }
            yield Trouble(OFFLINE, sensor=sensor.id, why=why, since=sensor.last_seen)
        for ailment in sensor.ailments:
            yield Trouble(ailment["code"], sensor=sensor.id, what=ailment.get("what", ""), why=ailment.get("why") or {})


def _last(sensors: Sequence[Seen], children: Sequence[str]) -> datetime | None:
    wanted = set(children)
    return max((s.last_seen for s in sensors if s.id in wanted and s.last_seen is not None), default=None)


def _keep(tx: Transaction, house: House, changes: Changes) -> None:
    for notice in (*changes.opened, *changes.changed, *changes.ended):
        ask.keep(tx, notice)
    names = ask.names(tx)
    for notice in (*changes.opened, *changes.changed):
        if notice.id in changes.told:
            log.info("%s %s: %s", notice.trouble.code, _subject(notice), notice.trouble.why.get("en", ""))
            if notice.trouble.code in _EVENTS:
                announce(tx, house, "devices", _EVENTS[notice.trouble.code], _subject(notice), _json(notice, names))
    for notice in changes.ended:
        if notice.trouble.code in (OFFLINE, GATEWAY_LOST):
            announce(tx, house, "devices", "device.online", _subject(notice), _json(notice, names))
    for notice in (*changes.opened, *changes.changed, *changes.ended):
        tx.after(partial(house.feed.publish, "sensor_notice", _json(notice, names)))


def _subject(notice: SensorNotice) -> str:
    return notice.trouble.sensor or f"gateway/{notice.trouble.gateway}"


def listed(house: House, ended: bool, sensor: str | None, most: int) -> list[dict[str, Any]]:
    """Open notices, or all of the last thirty days; the newest first."""
    with house.db.read() as tx:
        after = house.now() - timedelta(days=30) if ended else None
        names = ask.names(tx)
        return [_json(notice, names) for notice in ask.notices(tx, after, sensor, most)]


def _json(notice: SensorNotice, names: Mapping[str, str]) -> dict[str, Any]:
    """{id, code, sensor, name, gateway, what, why: {zh, en}, children: [{id, name}], since, told_at, ended_at}"""
    trouble = notice.trouble
    return {
        "id": notice.id,
        "code": trouble.code,
        "sensor": trouble.sensor,
        "name": names.get(trouble.sensor or "", trouble.gateway),
        "gateway": trouble.gateway,
        "what": trouble.what,
        "why": dict(trouble.why),
        "children": [{"id": id_, "name": names.get(id_, id_)} for id_ in trouble.children[:SHOWN_MOST]],
        "since": time_text(notice.began_at),
        "told_at": time_text(notice.told_at),
        "ended_at": time_text(notice.ended_at),
    }
