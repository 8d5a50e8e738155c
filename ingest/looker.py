"""The camera half of a worker: looks at every camera when it is due and tells what was seen, and how each one is."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from .attained import Ages, Attained, LookAges
from .cameras import open_source as open_by_scheme
from .cameras.preset import call_preset
from .cameras.source import Caught, Hosted, Source, Standing
from .clock import utc_now
from .complaints import Complaints
from .crew import Crew, Then
from .device import Camera
from .errors import InventoryError, SourceError
from .frame import Frame
from .health import CameraState, Health
from .loop import ReadingLoop
from .schedule import Schedule
from .seat import Seat, Way
from .sessions import Shares, share_out
from .supervisor import Supervisor
from .visits import NEVER, Visits

log = logging.getLogger("ingest")

FRESH_S = 20.0
"""A routine look takes no picture older than this, nor than the camera's interval."""
KEYFRAME_S = 3.0
"""Nor fresher than this: a standing stream shows a keyframe every second or two, and is read every so often."""
PATIENCE_S = 75.0
"""How long a look waits for a standing stream's next keyframe before it says so."""
POLL_S, POLL_MOST_S = 0.2, 2.0
"""How often a standing stream that has no fresh keyframe yet is asked again: seldom once it has taken long."""
MOST_AHEAD = timedelta(seconds=60)
"""Of a look that was asked for: by more, clocks disagree, and that time may never come."""
TICK_S = 0.1
"""What comes due within this is begun together: a wake-up costs more than a look's book-keeping."""
AHEAD = 32
"""Looks handed to each decoding thread before it asks for more."""
ALONE = 40
"""Looks that may wait before a second thread decodes too: what comes due in one tick is no reason for it."""
TOGETHER = 8
"""Pictures that are decoded before they are judged."""
_DECODE, _BLOCK, _VISITS = "decode", "block", "visits"


class Looker:
    """Looks at cameras. They may come, go and change while it runs.

    Pictures that are there already are decoded by `decode_threads` threads (default: one a core); those that must be
    fetched are fetched by the reading loop, `visits_at_once` at most; sources that block get `looks_at_once` threads.
    Visits to one host or platform are at most `per_host` at once; `platforms` (name: sessions) may have other limits.

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
        decode_threads: int | None = None,
        visits_at_once: int = 512,
        platforms: Mapping[str, int] | None = None,
        turn_to: Callable[[Camera, float], Awaitable[None]] = call_preset,
        memory: Callable[[str], bytes | None] = lambda camera_id: None,
        loop: ReadingLoop | None = None,
    ) -> None:
        self._open, self._on_look, self._on_state = open_source, on_look, on_state
        self._timeout_s, self._clock, self._monotonic = timeout_s, clock, monotonic
        self._memory, self._platforms = memory, dict(platforms or {})
        threads = decode_threads or os.cpu_count() or 1
        self._seats: dict[str, Seat] = {}
        self._threads, self._visits_at_once = threads, visits_at_once
        limits = {_DECODE: AHEAD * threads, _BLOCK: looks_at_once, _VISITS: visits_at_once}
        self._schedule = Schedule(per_host=per_host, limits=limits)
        self._turn = threading.Condition()
        self._stopped = threading.Event()
        self._decoding = Crew(threads, "decode", ALONE, TOGETHER)
        self._blocking = Crew(looks_at_once, "look")
        self._loop = loop or ReadingLoop()
        self._visits = Visits(self._loop, self._home, turn_to, timeout_s, clock)
        self._thread = threading.Thread(target=self._run, name="looker", daemon=True)
        self._supervisor = Supervisor(self._connection_failed, loop=self._loop)
        self._complaints = Complaints(log)
        self._counters: Counter[str] = Counter(looks=0, failed_looks=0, dropped_caught=0, postponed_looks=0)
        self._ages = LookAges()

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
            seat.close()
        self._supervisor.stop(timeout_s)
        for crew in (self._decoding, self._blocking):
            crew.stop(min(1.0, timeout_s))

    def update(self, cameras: Iterable[Camera]) -> None:
        """From now on these cameras, and no others. Unchanged ones keep their connection, health and turn."""
        with self._turn:
            self._update({camera.id: camera for camera in cameras})
            self._turn.notify_all()

    def set_limits(
        self, platforms: Mapping[str, int], per_host: int, visits_at_once: int, decode_threads: int = 0
    ) -> None:
        """Other limits than those given at the start; `decode_threads` 0: one a core."""
        with self._turn:
            self._visits_at_once = visits_at_once
            self._threads = decode_threads or os.cpu_count() or 1
            self._decoding.resize(self._threads)
            self._schedule.limit(_DECODE, AHEAD * self._threads, self._monotonic())
            self._schedule.limit_hosts(per_host, self._monotonic())
            if dict(platforms) != self._platforms:
                for gone in self._platforms.keys() - platforms.keys():
                    self._schedule.limit(f"platform {gone}", per_host, self._monotonic())
                self._platforms = dict(platforms)
                for seat in self._seats.values():
                    if seat.source is not None:
                        self._schedule.add(seat.camera, self._monotonic(), self._within(seat))
                self._update({seat.camera.id: seat.camera for seat in self._seats.values()})

    def ask(self, camera_id: str, not_before: datetime) -> None:
        """One look out of turn, at a picture captured at or after `not_before`; repeated until one succeeds.

        One that lies further ahead than MOST_AHEAD is given up with the next look in turn; who wants it asks again.
        """
        with self._turn:
            seat = self._seats.get(camera_id)
            if seat is None:
                return
            seat.ask(not_before, self._clock())
            self._ask_again(seat, 0.0)
            if seat.hosted is not None:
                seat.hosted.doze(0.0)
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
            return [seat.shown(seat.health.state) for seat in self._seats.values()]

    def memories(self) -> dict[str, bytes]:
        """What each camera's health learnt, to be given back as `memory` after a restart."""
        with self._turn:
            seats = list(self._seats.values())
        found: dict[str, bytes] = {}
        for seat in seats:
            with seat.lock:
                kept = seat.health.memory()
            if kept is not None:
                found[seat.camera.id] = kept
        return found

    def attained_s(self, camera_id: str) -> float | None:
        """Seconds between good looks as attained lately; None before the second look."""
        with self._turn:
            return self._schedule.attained_s(camera_id, self._monotonic())

    def attained(self) -> Attained:
        """The intervals attained over all cameras that answer."""
        with self._turn:
            return self._schedule.attained(self._monotonic())

    def look_age_s(self) -> Ages:
        """How old the newest pictures were when they were handed over."""
        return self._ages.ages()

    def clip(self, camera_id: str, since: datetime, until: datetime) -> bytes | None:
        """MP4 of that time where the camera holds it; None where it does not, or cannot (snapshots, patrol)."""
        seat = self._seats.get(camera_id)
        if seat is None or seat.clipping is None:
            return None
        try:
            return seat.clipping.clip(since, until)
        except SourceError as error:
            self._complaints.say(camera_id, "clip", str(error))
            return None

    @property
    def counters(self) -> dict[str, int]:
        """Since the start: `looks`, `failed_looks`, `dropped_caught` (fetched, but newer ones came before anybody could
        decode them), `postponed_looks` (no fresh keyframe yet)."""
        with self._turn:
            return dict(self._counters)

    @property
    def backlog(self) -> dict[str, int]:
        """What waits now: `decode` and `blocking` looks for a thread, `visits` under way."""
        return {"decode": self._decoding.waiting, "blocking": self._blocking.waiting, "visits": self._visits.under_way}

    # Cameras come and go (under the lock).

    def _update(self, wanted: Mapping[str, Camera]) -> None:
        shares = share_out(wanted.values(), self._platforms)
        now_s = self._monotonic()
        for platform, turns in shares.turns.items():
            self._schedule.limit(f"platform {platform}", turns, now_s)
        for camera_id in [known for known in self._seats if known not in wanted]:
            self._leave(camera_id)
        for camera in wanted.values():
            seat = self._seats.get(camera.id)
            if seat is None or _other_source(seat.opened, shares.opened[camera.id]):
                self._enter(camera, shares)
                continue
            seat.note = shares.notes.get(camera.id, "")
            if seat.camera != camera:
                if seat.camera.view != camera.view:
                    self.accept_view(camera.id)
                seat.camera = camera
                if seat.source is not None:
                    self._schedule.add(camera, now_s, self._within(seat))
                if seat.hosted is not None:
                    seat.hosted.doze(0.0)

    def _enter(self, camera: Camera, shares: Shares) -> None:
        if camera.id in self._seats:
            self._leave(camera.id)
        health = Health(camera.id, self._clock(), memory=self._memory(camera.id))
        seat = Seat(camera, shares.opened[camera.id], health, note=shares.notes.get(camera.id, ""))
        self._seats[camera.id] = seat
        try:
            source = self._open(seat.opened)
        except (InventoryError, SourceError) as error:
            refused = error if isinstance(error, SourceError) else SourceError(str(error))
            seat.failed(refused, self._clock(), told=False)
            self._complaints.say(camera.id, "inventory", str(error))
            return
        seat.take(source)
        self._schedule.add(camera, self._monotonic(), self._within(seat))
        if isinstance(source, Standing | Hosted):
            self._supervisor.add(source)

    def _within(self, seat: Seat) -> list[str]:
        """The limits of this camera's looks."""
        if seat.way is Way.READY:
            return [_DECODE]
        names = [_VISITS if seat.way is Way.VISIT else _BLOCK]
        if seat.connected is None:
            platform = seat.camera.platform
            names.append(f"platform {platform}" if platform else f"host {seat.camera.host}")
        if seat.camera.goto:
            names.append(f"lens {seat.camera.url}")
            self._schedule.limit(names[-1], 1, self._monotonic())
        return names

    def _leave(self, camera_id: str) -> None:
        seat = self._seats.pop(camera_id)
        self._schedule.remove(camera_id, self._monotonic())
        self._supervisor.remove(camera_id)
        seat.gone = True
        seat.close()

    def _connection_failed(self, camera_id: str, error: SourceError) -> None:
        self._complaints.say(camera_id, error.kind, str(error))
        seat = self._seats.get(camera_id)
        if seat is not None:
            with seat.lock:
                seat.health.count(error)

    # Looks begin.

    def _run(self) -> None:
        while not self._stopped.is_set():
            with self._turn:
                self._begin_due()
                next_s = self._schedule.next_s()
                idle_s = 1.0 if next_s is None else min(1.0, next_s - self._monotonic())
                busy = self._schedule.waiting or self._visits.busy
                self._turn.wait(TICK_S if busy else max(TICK_S, idle_s))

    def _begin_due(self) -> None:
        now_s, now = self._monotonic(), self._clock()
        for seat in self._visits.left():
            if not seat.gone:
                self._schedule.left(seat.camera.id, now_s)
        self._schedule.limit(_VISITS, self._visits.may_be_out(self._visits_at_once, now_s), now_s)
        setting_out: list[tuple[Seat, datetime]] = []
        hosted: list[tuple[Seat, Hosted, datetime]] = []
        while due := self._schedule.due(now_s, len(self._seats) or 1):
            for camera_id in due:
                seat = self._seats[camera_id]
                not_before = self._not_before(seat, now)
                if seat.way is Way.VISIT:
                    setting_out.append((seat, not_before))
                elif seat.hosted is not None:
                    hosted.append((seat, seat.hosted, not_before))
                elif not self._waits(seat, not_before, now_s):
                    crew = self._decoding if seat.way is Way.READY else self._blocking
                    crew.put(partial(self._look, seat, not_before))
        if setting_out:
            self._visits.set_out(setting_out)
        if hosted:
            self._loop.spawn(self._refreshed(hosted))

    async def _refreshed(self, seats: list[tuple[Seat, Hosted, datetime]]) -> None:
        """Streams that the loop reads in helpings are brought up to date before they are looked at."""
        for _, source, _ in seats:
            source.refresh()
        with self._turn:
            now_s = self._monotonic()
            for seat, _, not_before in seats:
                if not self._waits(seat, not_before, now_s):
                    self._decoding.put(partial(self._look, seat, not_before))

    def _waits(self, seat: Seat, not_before: datetime, now_s: float) -> bool:
        """Whether a standing stream's next keyframe is still on its way; no thread waits for it."""
        if seat.connected is None or seat.connected.ready(not_before):
            seat.waits_since_s = None
            return False
        if seat.waits_since_s is None:
            seat.waits_since_s = now_s
        waited_s = now_s - seat.waits_since_s
        if waited_s >= PATIENCE_S:
            seat.waits_since_s = None
            return False
        self._counters["postponed_looks"] += 1
        poll_s = POLL_S if not_before in seat.asked else min(POLL_MOST_S, max(POLL_S, waited_s / 2))
        self._schedule.postpone(seat.camera.id, now_s, now_s + poll_s)
        return True

    def _not_before(self, seat: Seat, now: datetime) -> datetime:
        oldest = now - timedelta(seconds=max(KEYFRAME_S, min(FRESH_S, seat.camera.every_s)))
        # A look of later than now was dated before the clock was set back.
        if seat.last_at is not None and seat.last_at <= now:
            oldest = max(oldest, seat.last_at + timedelta(milliseconds=1))
        asked = seat.asked_by(now, MOST_AHEAD)
        return oldest if asked is None else max(oldest, asked)

    # Looks end (in pool threads).

    def _home(self, seat: Seat, brought: Caught | SourceError | datetime | None) -> None:
        """A visit is over (on the reading loop): what is left to do takes a thread.

        A picture; why there is none; from when on a look may be taken, the camera being turned; None: it was dropped.
        """
        if isinstance(brought, SourceError):
            self._decoding.put(partial(self._fail, seat, brought))
        elif isinstance(brought, datetime):
            crew = self._blocking if seat.connected is None else self._decoding
            crew.put(partial(self._look, seat, brought))
        elif brought is None:
            self._decoding.put(partial(self._drop, seat))
        else:
            self._decoding.put(self._develop)

    def _look(self, seat: Seat, not_before: datetime) -> Then | None:
        assert seat.source is not None
        timeout_s = 0.0 if seat.connected is not None else self._timeout_s
        return self._picture(seat, partial(seat.source.look, not_before, timeout_s))

    def _develop(self) -> Then | None:
        first = self._visits.take()
        return self._picture(first[0], first[1].frame) if first is not None else None

    def _picture(self, seat: Seat, make: Callable[[], Frame]) -> Then | None:
        """Make it; what is to be done with it comes after, in the same thread."""
        try:
            frame = make()
        except SourceError as error:
            self._fail(seat, error)
        except Exception as error:
            # A defect in one source must cost its own camera only; it is logged whole, once a minute.
            log.debug("%s", seat.camera.id, exc_info=True)
            self._fail(seat, SourceError(f"{seat.camera.safe_url}: {type(error).__name__}: {error}"))
        else:
            return partial(self._saw, seat, frame)
        return None

    def _saw(self, seat: Seat, frame: Frame) -> None:
        try:
            before, state = seat.saw(frame)
            if seat.gone or self._stopped.is_set():
                return
            self._ages.add((self._clock() - frame.captured_at).total_seconds())
            if state.state != before:
                self._tell(seat, state)
            self._on_look(frame, state)
        except Exception:
            # What the worker makes of a picture must not stop the looking.
            log.exception("%s: the look could not be handled", seat.camera.id)
        finally:
            self._end(seat, frame.captured_at)

    def _fail(self, seat: Seat, error: SourceError) -> None:
        """Count, log, tell. A connection that is down was counted and logged by the supervisor."""
        down = seat.connected is not None and seat.connected.ready(NEVER)
        before, state = seat.failed(error, self._clock(), told=down)
        if not down:
            self._complaints.say(seat.camera.id, error.kind, str(error))
        if state.state != before and not seat.gone and not self._stopped.is_set():
            self._tell(seat, state)
        self._end(seat, None, seat.wait_s(error))

    def _ask_again(self, seat: Seat, least_s: float) -> None:
        """A look out of turn at the next time that one is asked for, and not sooner than in `least_s`."""
        ahead_s = (min(seat.asked) - self._clock()).total_seconds()
        self._schedule.ask(seat.camera.id, self._monotonic() + max(least_s, ahead_s))

    def _drop(self, seat: Seat) -> None:
        """It waits as long as before: its turn comes sooner than that of cameras that were seen meanwhile."""
        with self._turn:
            self._counters["dropped_caught"] += 1
            if not seat.gone:
                now_s = self._monotonic()
                self._schedule.postpone(seat.camera.id, now_s, now_s + POLL_S)
                if seat.asked:
                    self._ask_again(seat, 0.0)

    def _tell(self, seat: Seat, state: CameraState) -> None:
        log.info("%s: %s %s", seat.camera.id, state.state, state.message)
        try:
            self._on_state(state)
        except Exception:
            # As for on_look.
            log.exception("%s: the change of state could not be handled", seat.camera.id)

    def _end(self, seat: Seat, captured_at: datetime | None, wait_s: float | None = None) -> None:
        ok = captured_at is not None
        with self._turn:
            now_s = self._monotonic()
            self._counters["looks" if ok else "failed_looks"] += 1
            if captured_at is not None:
                seat.asked = {at for at in seat.asked if at > captured_at}
            if seat.gone:
                return
            self._schedule.finished(seat.camera.id, now_s, ok, wait_s)
            if seat.asked:
                self._ask_again(seat, POLL_S if ok else wait_s or 1.0)
                self._turn.notify_all()
            elif self._schedule.waiting and self._decoding.waiting <= self._threads:
                self._turn.notify_all()
            if ok and seat.hosted is not None:
                next_s = self._schedule.next_of(seat.camera.id)
                in_s = max(0.0, next_s - now_s) if next_s is not None else 0.0
                best_s = seat.hosted.doze(in_s)
                if best_s != in_s:
                    self._schedule.shift(seat.camera.id, best_s - in_s)


def _other_source(old: Camera, new: Camera) -> bool:
    """Whether the change needs a new connection (and a new idea of what the view is)."""
    return replace(old, name="", every_s=1.0, priority=0, place=None, view="") != replace(
        new, name="", every_s=1.0, priority=0, place=None, view=""
    )
