"""Device notices: follows the cameras' states, keeps what they come to, tells the screens."""

from __future__ import annotations

import ipaddress
import logging
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from .device_states import call_unseen
from .domain.notice import EVERYTHING, Board, Cause, Member, Notice, Timing
from .house import House
from .store import Transaction, notice_queries
from .store import device_queries as ask
from .wire import time_text

log = logging.getLogger("hub.notices")

EVERY_S = 5.0
CAMERAS_SHOWN = 500
"""Of each notice; `out` and `total` count all."""
_GRACE = timedelta(seconds=120)
"""After the hub's start, a pause of it or a jump of its clock, workers get this long to tell how things are."""
_PAUSE = timedelta(seconds=60)
FORGOTTEN = timedelta(days=90)
_UNTOLD = datetime.fromisoformat("2000-01-01T00:00:00+00:00")


class Notices(threading.Thread):
    """Looks at all states every few seconds; `step` is one such time, at the house's clock."""

    def __init__(self, house: House, timing: Timing | None = None) -> None:
        super().__init__(name="notices", daemon=True)
        self._house, self._timing = house, timing or Timing()
        self._board: Board | None = None
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
                self.start_over()
                log.exception("notices: will try again")

    def end(self) -> None:
        """Stop soon."""
        self._ended.set()

    def start_over(self) -> None:
        """Forget what was seen so far: what the database keeps is the truth, and workers get their time to tell."""
        with self._lock:
            self._board = self._stepped_at = self._patient_until = None

    def step(self) -> None:
        """Call unseen what nobody looks at, then follow the states."""
        with self._lock:
            now = self._house.now()
            if self._stepped_at is None or abs(now - self._stepped_at) > _PAUSE:
                self._patient_until = now + _GRACE
            self._stepped_at = now
            if self._patient_until is not None and now >= self._patient_until:
                call_unseen(self._house, now)
            self._follow(now)

    def _follow(self, now: datetime) -> None:
        house = self._house
        with house.db.read() as tx:
            if self._board is None:
                kept = notice_queries.notices(tx, now - self._timing.reopens)
                self._board = Board(kept, lambda: uuid4().hex, self._timing)
            states = {
                camera: (state, since if since is not None else _UNTOLD)
                for camera, (state, since) in ask.camera_states(tx).items()
            }
            board = self._board
            changed = board.update(states, lambda: traits_of(tx), now)
        if not changed:
            return
        with house.db.write() as tx:
            for notice_id, cameras in changed.items():
                notice_queries.keep(tx, board.notices[notice_id], cameras & states.keys())
            told = shown(tx, [board.notices[notice_id] for notice_id in changed])
        for item in told:
            log.info("%s: %d of %d cameras, %s", item["trouble"], item["out"], item["total"], item["cause"])
            house.feed.publish("notice", item)

    def forget(self) -> None:
        """What ended long ago."""
        with self._house.db.write() as tx:
            notice_queries.forget(tx, self._house.now() - FORGOTTEN)


def traits_of(tx: Transaction) -> dict[str, Sequence[Cause]]:
    """What each camera shares with others: host (an NVR, a platform), network, street; and that all are cameras."""
    grids = {g.id: (g.parent_id, g.level, g.name) for g in ask.grids(tx)}
    return {id_: [*_network(url), *_street(grid, grids), EVERYTHING] for id_, url, grid in ask.camera_places(tx)}


def _network(url: str) -> list[Cause]:
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return []
    if not host:
        return []
    causes = [Cause("host", host, host)]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return causes
    network = str(ipaddress.ip_network((address, 24 if address.version == 4 else 64), strict=False))
    return [*causes, Cause("subnet", network, network)]


def _street(grid: str | None, grids: dict[str, tuple[str | None, str, str]]) -> list[Cause]:
    """The street (街道) whose grid the camera stands in."""
    for _level in range(8):
        if grid is None or grid not in grids:
            return []
        parent, level, name = grids[grid]
        if level == "street":
            return [Cause("street", grid, name)]
        grid = parent
    return []


def listed(house: House, ended: bool, most: int) -> list[dict[str, Any]]:
    """Open notices, or all of the last seven days; the newest first."""
    with house.db.read() as tx:
        after = house.now() - timedelta(days=7) if ended else None
        return shown(tx, notice_queries.notices(tx, after, most))


def shown(tx: Transaction, notices: Sequence[Notice]) -> list[dict[str, Any]]:
    """{id, trouble, cause: {kind, value, name}, since, ended_at, out, total, cameras: [{id, name, since, …}]}"""
    parts = {n.id: _members(n) for n in notices}
    names = notice_queries.camera_names(tx, {m.camera for members in parts.values() for m in members})
    return [
        {
            "id": n.id,
            "trouble": n.trouble,
            "cause": {"kind": n.cause.kind, "value": n.cause.value, "name": n.cause.name},
            "since": time_text(n.began_at),
            "ended_at": time_text(n.ended_at),
            "out": len(n.out),
            "total": len(n.members),
            "cameras": [
                {
                    "id": m.camera,
                    "name": names.get(m.camera, m.camera),
                    "since": time_text(m.since),
                    "back_at": time_text(m.back_at),
                    "times": m.times,
                }
                for m in parts[n.id]
            ],
        }
        for n in notices
    ]


def _members(notice: Notice) -> list[Member]:
    """Those that are out first."""
    return sorted(notice.members.values(), key=lambda m: (m.back_at is not None, m.camera))[:CAMERAS_SHOWN]
