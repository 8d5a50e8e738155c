"""The camera half of a worker: looks at every camera when it is due and tells what was seen, and how each one is."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from .cameras import open_source as open_by_scheme
from .cameras.source import Clipping, Source, Standing
from .clock import utc_now
from .complaints import Complaints
from .device import Camera
from .errors import InventoryError, SourceError
from .frame import Frame
from .health import CameraState, Health
from .schedule import Schedule
from .supervisor import Backoff, Supervisor, backoff_for

log = logging.getLogger("ingest")

FRESH_S = 20.0
"""A routine look takes no picture older than this, nor than the camera's interval."""
PATIENCE_S = 75.0
"""How long a look waits for a standing stream's next keyframe before it says so."""
POLL_S = 0.2
"""How often a standing stream that has no fresh keyframe yet is asked again."""
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True, eq=False)
class _Seat:
    """One camera's place in the looker."""

    camera: Camera
    source: Source | None
    health: Health
    lock: threading.Lock = field(default_factory=threading.Lock)
    last_at: datetime | None = None
    asked: datetime | None = None
    waits_since_s: float | None = None
    backoff: Backoff | None = None
    gone: bool = False


class Looker:
    """Looks at cameras from a pool of `looks_at_once` threads. Cameras may come, go and change while it runs.

    `on_look` gets every good picture, with the camera's state; it may block, which makes looks rarer, never queue.
    `on_state` is told whenever a camera's state changes. Both are called from pool threads, one at a time for one
    camera. `monotonic` paces looks, `clock` dates them.
    """

    def __init__(
        self,
        on_look: Callable[[Frame, CameraState], None],
        on_state: Callable[[CameraState], None] = lambda state: None,
        open_source: Callable[[Camera], Source] = open_by_scheme,
        looks_at_once: int = 8,
        per_host: int = 4,
        timeout_s: float = 10.0,
        clock: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open, self._on_look, self._on_state = open_source, on_look, on_state
        self._looks_at_once, self._timeout_s = looks_at_once, timeout_s
        self._clock, self._monotonic = clock, monotonic
        self._seats: dict[str, _Seat] = {}
        self._schedule = Schedule(per_host=per_host)
        self._turn = threading.Condition()
        self._busy = 0
        self._stopped = threading.Event()
        self._pool = ThreadPoolExecutor(looks_at_once, thread_name_prefix="look")
        self._thread = threading.Thread(target=self._run, name="looker", daemon=True)
        self._supervisor = Supervisor(self._connection_failed)
        self._complaints = Complaints(log)
        self._counters: Counter[str] = Counter()

    # What the worker asks for.

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """End every look and connection; returns within about `timeout_s`."""
        self._stopped.set()
        with self._turn:
            self._turn.notify_all()
            seats = list(self._seats.values())
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        for seat in seats:
            _close(seat)
        self._supervisor.stop(timeout_s)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def update(self, cameras: Iterable[Camera]) -> None:
        """From now on these cameras, and no others. Unchanged ones keep their connection, health and turn."""
        wanted = {camera.id: camera for camera in cameras}
        with self._turn:
            for camera_id in [known for known in self._seats if known not in wanted]:
                self._leave(camera_id)
            for camera in wanted.values():
                seat = self._seats.get(camera.id)
                if seat is None or _other_source(seat.camera, camera):
                    self._enter(camera, seat)
                elif seat.camera != camera:
                    seat.camera = camera
                    self._schedule.add(camera, self._monotonic())
            self._turn.notify_all()

    def ask(self, camera_id: str, not_before: datetime) -> None:
        """One look out of turn, at a picture captured at or after `not_before`; repeated until one succeeds."""
        with self._turn:
            seat = self._seats.get(camera_id)
            if seat is None:
                return
            seat.asked = max(not_before, seat.asked) if seat.asked else not_before
            ahead_s = max(0.0, (not_before - self._clock()).total_seconds())
            self._schedule.ask(camera_id, self._monotonic() + ahead_s)
            self._turn.notify_all()

    def accept_view(self, camera_id: str) -> None:
        """The camera was turned on purpose: what it shows now is right."""
        seat = self._seats.get(camera_id)
        if seat is not None:
            with seat.lock:
                seat.health.accept_view()

    def states(self) -> list[CameraState]:
        """How every camera is."""
        with self._turn:
            return [seat.health.state for seat in self._seats.values()]

    def attained_s(self, camera_id: str) -> float | None:
        """Seconds between good looks as attained lately; None before the second look."""
        with self._turn:
            return self._schedule.attained_s(camera_id, self._monotonic())

    def clip(self, camera_id: str, since: datetime, until: datetime) -> bytes | None:
        """MP4 of that time where the camera holds it; None where it does not, or cannot (snapshots, patrol)."""
        seat = self._seats.get(camera_id)
        if seat is None or not isinstance(seat.source, Clipping):
            return None
        try:
            return seat.source.clip(since, until)
        except SourceError as error:
            self._complaints.say(camera_id, "clip", str(error))
            return None

    @property
    def counters(self) -> dict[str, int]:
        """`looks`, `failed_looks` since the start."""
        with self._turn:
            return dict(self._counters)

    # Cameras come and go (under the lock).

    def _enter(self, camera: Camera, before: _Seat | None) -> None:
        if before is not None:
            self._leave(camera.id)
        health = Health(camera.id, self._clock())
        try:
            source = self._open(camera)
        except (InventoryError, SourceError) as error:
            refused = error if isinstance(error, SourceError) else SourceError(str(error))
            health.count(refused)
            health.failed(refused, self._clock())
            self._seats[camera.id] = _Seat(camera, None, health)
            self._complaints.say(camera.id, "inventory", str(error))
            return
        self._seats[camera.id] = _Seat(camera, source, health)
        self._schedule.add(camera, self._monotonic())
        if isinstance(source, Standing):
            self._supervisor.add(source)

    def _leave(self, camera_id: str) -> None:
        seat = self._seats.pop(camera_id)
        self._schedule.remove(camera_id)
        self._supervisor.remove(camera_id)
        seat.gone = True
        _close(seat)

    def _connection_failed(self, camera_id: str, error: SourceError) -> None:
        self._complaints.say(camera_id, error.kind, str(error))
        seat = self._seats.get(camera_id)
        if seat is not None:
            with seat.lock:
                seat.health.count(error)

    # Looking.

    def _run(self) -> None:
        while not self._stopped.is_set():
            with self._turn:
                now_s = self._monotonic()
                for camera_id in self._schedule.due(now_s, self._looks_at_once - self._busy):
                    self._begin(self._seats[camera_id], now_s)
                next_s = self._schedule.next_s()
                wait_s = 1.0 if next_s is None else min(1.0, next_s - self._monotonic())
                if wait_s > 0 or self._busy >= self._looks_at_once:
                    self._turn.wait(max(wait_s, 0.005))

    def _begin(self, seat: _Seat, now_s: float) -> None:
        not_before = self._not_before(seat)
        if isinstance(seat.source, Standing) and not seat.source.ready(not_before):
            # Its next keyframe is on its way; no thread waits for it.
            seat.waits_since_s = now_s if seat.waits_since_s is None else seat.waits_since_s
            if now_s - seat.waits_since_s < PATIENCE_S:
                self._schedule.postpone(seat.camera.id, now_s + POLL_S)
                return
        seat.waits_since_s = None
        self._schedule.started(seat.camera.id, now_s)
        self._busy += 1
        self._pool.submit(self._look, seat, not_before)

    def _not_before(self, seat: _Seat) -> datetime:
        oldest = self._clock() - timedelta(seconds=min(FRESH_S, seat.camera.every_s))
        if seat.last_at is not None:
            oldest = max(oldest, seat.last_at + timedelta(milliseconds=1))
        return max(oldest, seat.asked) if seat.asked else oldest

    def _look(self, seat: _Seat, not_before: datetime) -> None:
        ok, wait_s = False, None
        try:
            assert seat.source is not None
            timeout_s = 0.0 if isinstance(seat.source, Standing) else self._timeout_s
            frame = seat.source.look(not_before, timeout_s)
            ok = True
        except SourceError as error:
            wait_s = self._failed(seat, error)
        except Exception as error:
            # A defect in one source must cost its own camera only; it is logged whole, once a minute.
            log.debug("%s", seat.camera.id, exc_info=True)
            wait_s = self._failed(seat, SourceError(f"{seat.camera.safe_url}: {type(error).__name__}: {error}"))
        else:
            self._saw(seat, frame)
        finally:
            self._end(seat, ok, wait_s)

    def _saw(self, seat: _Seat, frame: Frame) -> None:
        with seat.lock:
            before = seat.health.state.state
            state = seat.health.saw(frame)
            seat.backoff, seat.last_at = None, frame.captured_at
        with self._turn:
            if seat.asked is not None and frame.captured_at >= seat.asked:
                seat.asked = None
        if seat.gone or self._stopped.is_set():
            return
        if state.state != before:
            self._tell(seat, state)
        try:
            self._on_look(frame, state)
        except Exception:
            # What the worker makes of a picture must not stop the looking.
            log.exception("%s: the look could not be handled", seat.camera.id)

    def _failed(self, seat: _Seat, error: SourceError) -> float | None:
        """Count, log, tell; returns how long to wait (None: the usual interval)."""
        down = isinstance(seat.source, Standing) and seat.source.ready(_NEVER)
        with seat.lock:
            before = seat.health.state.state
            if not down:
                # A connection that is down was counted and logged by the supervisor.
                seat.health.count(error)
            state = seat.health.failed(error, self._clock())
            if not isinstance(seat.source, Standing):
                seat.backoff = seat.backoff or backoff_for(error)
        if not down:
            self._complaints.say(seat.camera.id, error.kind, str(error))
        if state.state != before and not seat.gone and not self._stopped.is_set():
            self._tell(seat, state)
        return None if seat.backoff is None else max(seat.backoff.next_s(), min(seat.camera.every_s, 5.0))

    def _tell(self, seat: _Seat, state: CameraState) -> None:
        log.info("%s: %s %s", seat.camera.id, state.state, state.message)
        try:
            self._on_state(state)
        except Exception:
            # As for on_look.
            log.exception("%s: the change of state could not be handled", seat.camera.id)

    def _end(self, seat: _Seat, ok: bool, wait_s: float | None) -> None:
        with self._turn:
            now_s = self._monotonic()
            self._busy -= 1
            self._counters["looks" if ok else "failed_looks"] += 1
            if not seat.gone:
                self._schedule.finished(seat.camera.id, now_s, ok, wait_s)
                if seat.asked is not None:
                    self._schedule.ask(seat.camera.id, now_s + (wait_s or 1.0 if not ok else POLL_S))
            self._turn.notify_all()


def _close(seat: _Seat) -> None:
    if seat.source is not None:
        seat.source.close()


def _other_source(old: Camera, new: Camera) -> bool:
    """Whether the change needs a new connection (and a new idea of what the view is)."""
    return replace(old, name="", every_s=1.0, priority=0, place=None) != replace(
        new, name="", every_s=1.0, priority=0, place=None
    )
