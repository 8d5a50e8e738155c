"""A person's views of cameras: each opened for a reason, kept while somebody looks, and written into the audit.

The register of call-ups (domain.md §10): who, which camera, why, from when to when. The beginning is written before the
first picture goes out, so that no way of ending leaves a call-up unwritten.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ingest.device import Camera, Watch
from ingest.errors import InventoryError, SourceError
from ingest.said import Said

from ..domain.call_up import NOTE_MOST, REASONS, needs_words
from ..errors import Full, Invalid, NotFound
from ..house import Actor, House
from ..store import case_queries, device_queries
from ..wire import time_text
from .upstream import Shot, Showing, Upstream, is_new, open_upstream

if TYPE_CHECKING:
    from .peer import Peers, Viewer

log = logging.getLogger("hub.live")

MOST_OF_A_PERSON = 16
BEAT_MISSING_S = 20.0
"""A page says every few seconds which views it still shows; one that no longer does is gone."""
SETTLE_S = 8.0
_SWEEP_S = 2.0


@dataclass(slots=True)
class View:
    """What one person sees of one camera."""

    id: str
    actor: Actor
    camera: str
    opened_at: datetime
    beat_s: float
    upstream: Upstream | None
    why: Said | None = None
    """Why there is no upstream."""
    viewer: Viewer | None = None


@dataclass(slots=True)
class _Open:
    upstream: Upstream
    views: set[str] = field(default_factory=set)


class Views:
    """All views of the hub. Any thread may call."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._lock = threading.Lock()
        self._views: dict[str, View] = {}
        self._open: dict[str, _Open] = {}
        self._peers: Peers | None = None
        self._sweeper: threading.Thread | None = None
        self._ended = threading.Event()

    # ── what people do ──

    def open(
        self, actor: Actor, camera_id: str, reason: str, note: str = "", case: str | None = None
    ) -> dict[str, Any]:
        """Begin to look at a camera; the answer says how it can be shown. Raises NotFound, Invalid, Full."""
        camera, case_number = self._look_up(camera_id, reason, note, case)
        with self._lock:
            if self._ended.is_set():
                raise Full("the hub is ending")
            if sum(view.actor.id == actor.id for view in self._views.values()) >= MOST_OF_A_PERSON:
                raise Full(f"you look at {MOST_OF_A_PERSON} cameras already; close one")
        view = View(secrets.token_urlsafe(12), actor, camera.id, self._house.now(), time.monotonic(), None)
        with self._house.db.write() as tx:
            about = {"reason": reason, "note": note, "view": view.id} | ({"case": case_number} if case_number else {})
            about |= {"department": actor.department} if actor.department else {}
            tx.audit(view.opened_at, actor.id, "live-opened", f"camera/{camera.id}", **about)
        with self._lock:
            self._views[view.id] = view
            self._attach(view, camera)
            self._count()
            if self._sweeper is None:
                self._sweeper = threading.Thread(target=self._sweep, name="live views", daemon=True)
                self._sweeper.start()
        self._house.tally.add("live", "opened")
        if view.upstream is not None:
            view.upstream.settle(SETTLE_S)
        return self._told(view)

    def offer(self, actor: Actor, view_id: str, sdp: str, client: str) -> dict[str, Any]:
        """The answer to a browser's offer. Raises NotFound, Invalid (an offer that cannot be read; no video)."""
        view = self._of(actor, view_id)
        if view.upstream is None or view.upstream.showing()[0] is not Showing.VIDEO:
            raise Invalid("view", view_id, "one that shows video")
        viewer, answer = self._the_peers().answer(sdp, client, view.upstream.listen)
        with self._lock:
            before, view.viewer = view.viewer, viewer
            gone = view.id not in self._views
        for old in (before, viewer if gone else None):
            if old is not None:
                self._the_peers().close(old)
        if gone:
            raise NotFound("view", view_id)
        return {"sdp": answer}

    def beat(self, actor: Actor, ids: Sequence[str]) -> dict[str, Any]:
        """These are still looked at; what each shows now. Views that have ended are left out."""
        with self._lock:
            mine = [v for v in (self._views.get(id_) for id_ in ids) if v is not None and v.actor.id == actor.id]
            for view in mine:
                view.beat_s = time.monotonic()
        return {"views": {view.id: self._told(view) for view in mine}}

    def shot(self, actor: Actor, view_id: str, after: datetime | None) -> Shot | None:
        """The camera's newest picture; None where there is none newer than `after`. Raises NotFound, SourceError."""
        view = self._of(actor, view_id)
        if view.upstream is None:
            return None
        shot = view.upstream.shot()
        return shot if shot is not None and is_new(shot, after) else None

    def close(self, actor: Actor, view_id: str) -> None:
        """The person has seen enough. Raises NotFound."""
        self._close(self._of(actor, view_id), "left")

    def looking(self) -> dict[str, int]:
        """Cameras that are looked at, with how many look."""
        with self._lock:
            return {id_: len(one.views) for id_, one in self._open.items()}

    def end(self) -> None:
        """Close everything; what was looked at is written into the audit."""
        self._ended.set()
        with self._lock:
            views = list(self._views.values())
        for view in views:
            self._close(view, "hub-ended")
        if self._sweeper is not None:
            self._sweeper.join(timeout=5)
        if self._peers is not None:
            self._peers.end()

    # ── how it comes about ──

    def _look_up(self, camera_id: str, reason: str, note: str, case: str | None) -> tuple[Camera, str | None]:
        if reason not in REASONS:
            raise Invalid("reason", reason, REASONS)
        if needs_words(reason) and not note.strip():
            raise Invalid("note", note, f"a few words, for reason {reason!r} says too little")
        if len(note) > NOTE_MOST:
            raise Invalid("note", note, f"at most {NOTE_MOST} characters")
        with self._house.db.read() as tx:
            row = device_queries.camera(tx, camera_id)
            if row is None:
                raise NotFound("camera", camera_id)
            found = case_queries.case(tx, case) if case else None
            if case and found is None:
                raise NotFound("case", case)
            camera = Camera(
                row.id, row.name, row.url, Watch(row.watch), row.every_s, row.priority, row.preset,
                platform=row.platform,
            )  # fmt: skip
            return camera, found.number if found else None

    def _attach(self, view: View, camera: Camera) -> None:
        """Join the camera's connection, or open one; the lock is held."""
        there = self._open.get(camera.id)
        if there is None:
            view.why = self._no_room(camera)
            if view.why is not None:
                return
            try:
                there = self._open[camera.id] = _Open(open_upstream(camera))
            except InventoryError as error:
                view.why = Said(str(error), "failed", detail=str(error))
                return
        there.views.add(view.id)
        view.upstream = there.upstream

    def _no_room(self, camera: Camera) -> Said | None:
        settings = self._house.settings
        if len(self._open) >= settings.live_cameras:
            most = settings.live_cameras
            return Said(f"the hub shows {most} cameras live already", "full", most=most)
        at_host = sum(one.upstream.camera.host == camera.host for one in self._open.values())
        if at_host >= settings.live_per_host:
            most = settings.live_per_host
            return Said(f"{most} cameras of this host are shown live already", "host_full", most=most)
        allowed = settings.platforms.get(camera.platform)
        taken = self._house.tally.live_sessions.get(camera.platform, 0)
        if allowed is not None and taken >= allowed - 1:
            # One stays with the workers: alerts come before eyes.
            said = f"platform {camera.platform} allows {allowed} sessions, and its workers need one"
            return Said(said, "platform_full", platform=camera.platform, sessions=allowed)
        return None

    def _count(self) -> None:
        """For the metrics, and what is taken of each platform's sessions: workers are told by their assignment."""
        self._house.tally.live = {"cameras": len(self._open), "views": len(self._views)}
        taken = Counter(one.upstream.camera.platform for one in self._open.values())
        limited = self._house.settings.platforms
        self._house.tally.live_sessions = {name: n for name, n in taken.items() if name in limited}

    def _the_peers(self) -> Peers:
        with self._lock:
            if self._peers is None:
                from .peer import Peers

                self._peers = Peers(_addresses(self._house), lambda n: self._house.tally.add("dropped", "live", n))
            return self._peers

    def _of(self, actor: Actor, view_id: str) -> View:
        with self._lock:
            view = self._views.get(view_id)
            if view is None or view.actor.id != actor.id:
                raise NotFound("view", view_id)
            view.beat_s = time.monotonic()
            return view

    def _close(self, view: View, how: str) -> None:
        with self._lock:
            if self._views.pop(view.id, None) is None:
                return
            there = self._open.get(view.camera)
            if there is not None:
                there.views.discard(view.id)
                if not there.views:
                    del self._open[view.camera]
                    there.upstream.close()
            self._count()
            viewer, peers = view.viewer, self._peers
        if viewer is not None and peers is not None:
            peers.close(viewer)
        until = self._house.now()
        with self._house.db.write() as tx:
            tx.audit(
                until,
                view.actor.id,
                "live-closed",
                f"camera/{view.camera}",
                view=view.id,
                since=time_text(view.opened_at),
                until=time_text(until),
                seconds=round((until - view.opened_at).total_seconds(), 1),
                how=how,
            )

    def _sweep(self) -> None:
        while not self._ended.wait(_SWEEP_S):
            try:
                self.sweep(time.monotonic())
            except Exception:  # the thread must outlive a database that is away for a while
                log.exception("live views: will try again")

    def sweep(self, now_s: float) -> int:
        """Close views that nobody has asked for any more; how many."""
        with self._lock:
            silent = [view for view in self._views.values() if now_s - view.beat_s > BEAT_MISSING_S]
        for view in silent:
            self._close(view, "silent")
        return len(silent)

    def _told(self, view: View) -> dict[str, Any]:
        """{id, camera, mode, why, viewers}: `mode` is video, pictures, or last (what the worker saw last)."""
        showing, why = view.upstream.showing() if view.upstream is not None else (Showing.FAILED, view.why)
        mode = {Showing.VIDEO: "video", Showing.PICTURES: "pictures"}.get(showing, "last")
        with self._lock:
            there = self._open.get(view.camera)
            viewers = len(there.views) if there else 1
        return {
            "id": view.id,
            "camera": view.camera,
            "mode": mode,
            "opening": showing is Showing.OPENING,
            "message": str(why) if why else "",
            "why": {"code": why.code, "values": dict(why.values)} if why else None,
            "viewers": viewers,
            "opened_at": time_text(view.opened_at),
        }


def _addresses(house: House) -> tuple[str, ...]:
    """Where browsers reach this machine: as configured, or where the page is served."""
    settings = house.settings
    if settings.live_addresses:
        return settings.live_addresses
    everywhere = ("0.0.0.0", "::", "")
    return () if settings.listen_host in everywhere else (settings.listen_host,)


__all__ = ["MOST_OF_A_PERSON", "SourceError", "Views"]
