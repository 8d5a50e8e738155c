"""What the worker says of its devices: changes at once, looks every while, everything when the hub does not know it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from ingest.health import CameraState, State
from ingest.said import Said

LOOKS_EVERY_S = 15.0
ALL_EVERY_S = 900.0
"""Everything is told again this often, whatever the hub says."""


class News:
    """Which states the hub has been told. `report` makes the next report; then `taken` or `lost` says how it went.

    A report holds the devices that changed; every LOOKS_EVERY_S also when each camera was last looked at and how often
    it is, as four lists. One thread.
    """

    def __init__(self, worker: str, shard: str) -> None:
        self._worker, self._shard = worker, shard
        self._session = uuid.uuid4().hex
        self._cameras: dict[str, CameraState] = {}
        self._sensors: dict[str, dict[str, Any]] = {}
        self._looked: dict[str, datetime] = {}
        self._full = self._first = True
        self._looks_due_s = self._all_due_s = 0.0
        self._pending: tuple[list[CameraState], list[dict[str, Any]], list[CameraState]] = ([], [], [])

    def report(
        self,
        cameras: Iterable[CameraState],
        attained_s: Callable[[str], float | None],
        sensors: Iterable[dict[str, Any]],
        counters: Mapping[str, Any],
        now_s: float,
    ) -> dict[str, Any]:
        """The body of the next report. Cameras that were not looked at yet are left as the hub last knew them."""
        self._full = self._full or now_s >= self._all_due_s
        if self._full:
            self._all_due_s = now_s + ALL_EVERY_S
        known = [camera for camera in cameras if camera.state != State.UNKNOWN]
        changed = known if self._full else [c for c in known if _differ(self._cameras.get(c.id), c)]
        beat = self._full or now_s >= self._looks_due_s
        looked = [c for c in known if c.last_look_at not in (None, self._looked.get(c.id))] if beat else []
        if beat:
            self._looks_due_s = now_s + LOOKS_EVERY_S
            # Why a camera can't be looked at may change while its state does not.
            changed = changed if self._full else [*changed, *self._reworded(known, changed)]
        says = [s for s in sensors if self._full or self._sensors.get(s["id"]) != s]
        self._pending = changed, says, looked
        return {
            "worker": self._worker,
            "shard": self._shard,
            "session": self._session,
            "full": self._full,
            "first": self._first,
            "cameras": [_wire(c) for c in changed],
            "sensors": says,
            "counters": dict(counters),
            "looks": _looks(looked, attained_s) if looked else None,
        }

    def _reworded(self, known: list[CameraState], changed: list[CameraState]) -> list[CameraState]:
        listed = {c.id for c in changed}
        return [c for c in known if c.id not in listed and self._cameras[c.id].message != c.message]

    def taken(self, tell_all: bool) -> None:
        """The hub has the report; `tell_all`: it does not know what came before."""
        cameras, sensors, looked = self._pending
        if self._full:
            self._cameras.clear()
            self._sensors.clear()
        self._cameras.update((c.id, c) for c in cameras)
        self._sensors.update((s["id"], s) for s in sensors)
        self._looked.update((c.id, c.last_look_at) for c in looked if c.last_look_at is not None)
        self._full, self._first = tell_all, False

    def lost(self) -> None:
        """The hub may or may not have it: everything is told next time."""
        self._full = True


def _differ(told: CameraState | None, now: CameraState) -> bool:
    """Whether the hub must hear of it at once. What a state says of itself may waver with each look, and can wait."""
    return told is None or (
        (told.state, told.since, told.via, told.width_px, told.height_px)
        != (now.state, now.since, now.via, now.width_px, now.height_px)
    )


def _wire(camera: CameraState) -> dict[str, Any]:
    return {
        "id": camera.id,
        "state": str(camera.state),
        "since": camera.since.isoformat(),
        "message": camera.message[:1000],
        "why": camera.message.coded() if isinstance(camera.message, Said) else None,
        "via": camera.via[:200],
        "resolution": camera.resolution,
    }


def _looks(cameras: list[CameraState], attained_s: Callable[[str], float | None]) -> dict[str, Any]:
    times = [c.last_look_at for c in cameras if c.last_look_at is not None]
    at = max(times).astimezone(UTC)
    seconds = [attained_s(c.id) for c in cameras]
    return {
        "at": at.isoformat(),
        "ids": [c.id for c in cameras],
        "ago_ms": [round((at - time).total_seconds() * 1000) for time in times],
        "attained_s": [None if s is None else round(s, 1) for s in seconds],
    }
