"""One camera's health: everything it is judged by, and the hysteresis between its states."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime

import cv2
import numpy as np

from ..errors import SourceError
from ..frame import Frame, Grey
from ..said import Said
from . import measures
from .state import CameraState, ClockOff, Fact, Limits, State, Via
from .still import Stillness
from .view import View

_FORMAT = 1


class Health:
    """One camera's health. Not thread-safe; its owner locks.

    A state is entered only after it was seen in several looks in a row, and left the same way. What is normal is learnt
    from the camera's own good pictures. A picture that hardly differs from the last one that was judged whole gets the
    same verdict for a twentieth of the cost; whatever changed, and everything every two minutes, is judged whole.
    """

    def __init__(
        self, camera_id: str, now: datetime, limits: Limits | None = None, memory: bytes | None = None
    ) -> None:
        self._limits = limits or Limits()
        self._failures: Counter[str] = Counter()
        self._in_a_row = 0
        self._seen: dict[State, int] = {}
        self._entered_at: dict[State, datetime] = {}
        self._well = 0
        self._views: dict[str, View] = {}
        self._still = Stillness(self._limits)
        self._size = _Size(self._limits)
        self._judged: tuple[Grey, datetime] | None = None
        self._found: dict[State, Said] = {}
        self._known_view = False
        self._via = ""
        self._clock_off_s: float | None = None
        self._now = CameraState(camera_id, State.UNKNOWN, now, Said("not looked at yet", "not_looked_at"))
        if memory is not None:
            self._recall(memory)

    @property
    def state(self) -> CameraState:
        """How the camera is now."""
        return self._now

    def accept_view(self) -> None:
        """What the camera shows from now on, in this size, is its right view: learn it anew."""
        self._views.clear()
        self._seen.clear()
        self._entered_at.clear()
        self._size = _Size(self._limits)
        self._judged = None

    def count(self, error: SourceError) -> None:
        """A failure that no look has met (yet): counted, without a change of state."""
        self._failures[error.kind] += 1

    def told(self, fact: Fact) -> None:
        """What the source knows; it shows with the next look."""
        match fact:
            case Via(how):
                self._via = how
            case ClockOff(off_s):
                self._clock_off_s = off_s

    def failed(self, error: SourceError, now: datetime) -> CameraState:
        """A look failed; `count` counts it."""
        self._in_a_row += 1
        self._well = 0
        kind = State.STALE if error.kind == "stale" else State.OFFLINE
        gone = self._now.last_look_at is None or self._now.state in (State.OFFLINE, State.STALE)
        if gone or self._in_a_row >= self._limits.failures_to_offline:
            return self._be(kind, error.said(), now, self._now.last_look_at)
        return self._be(State(self._now.state), self._now.message, now, self._now.last_look_at)

    def saw(self, frame: Frame) -> CameraState:
        """A look gave this picture."""
        now = frame.captured_at
        troubles = self._troubles(frame, now)
        was = State(self._now.state)
        self._in_a_row = 0
        for state in [seen for seen in self._seen if seen not in troubles]:
            del self._seen[state]
            if state is not was:
                self._entered_at.pop(state, None)
        for state in troubles:
            self._seen[state] = self._seen.get(state, 0) + 1
            if self._seen[state] == self._enter(state):
                self._entered_at.setdefault(state, now)
        size = (frame.width, frame.height)
        entered = min((s for s in troubles if self._seen[s] >= self._enter(s)), key=_RANK.__getitem__, default=None)
        if entered is not None:
            self._well = 0
            return self._be(entered, troubles[entered], self._entered_at.get(entered, now), now, size)
        self._well = 0 if was in troubles else self._well + 1
        back = was in (State.OFFLINE, State.STALE, State.UNKNOWN)
        if was is State.ONLINE or back or self._well >= self._limits.looks_to_leave:
            self._entered_at.pop(was, None)
            return self._be(State.ONLINE, "", now, now, size)
        return self._be(was, self._now.message, now, now, size)

    def _enter(self, state: State) -> int:
        return 1 if state is State.FROZEN else self._limits.looks_to_enter

    def _troubles(self, frame: Frame, now: datetime) -> dict[State, Said]:
        blocks = measures.blocks(frame.grey)
        still = self._still.saw(blocks, now)
        if self._differs(blocks, now):
            self._found = self._judge(frame, learn=still is None)
            self._remember(blocks, now)
        found = self._found
        if State.BLACK in found:
            return found
        size = self._size.saw(frame.width, frame.height, now)
        clock = self._clock()
        if still is None and size is None and clock is None:
            return found
        told = {State.FROZEN: still, State.WRONG_SIZE: size, State.CLOCK_WRONG: clock}
        return {**found, **{state: message for state, message in told.items() if message is not None}}

    def _remember(self, blocks: Grey, now: datetime) -> None:
        """As the last one judged whole; only what is known from a learnt view, or needs none, may stand for others."""
        if not (State.BLACK in self._found or self._known_view):
            self._judged = None
        elif self._judged is None:
            self._judged = blocks, now
        else:
            np.copyto(self._judged[0], blocks)
            self._judged = self._judged[0], now

    def _differs(self, blocks: Grey, now: datetime) -> bool:
        """Whether the picture must be judged whole."""
        if self._judged is None:
            return True
        judged, at = self._judged
        if not 0 <= (now - at).total_seconds() < self._limits.judged_every_s:
            return True
        changed = int(np.count_nonzero(cv2.absdiff(blocks, judged) > self._limits.changed_level))
        return changed > self._limits.changed_share * blocks.size

    def _judge(self, frame: Frame, learn: bool) -> dict[State, Said]:
        limits, grey = self._limits, frame.grey
        level = measures.mean(grey)
        if level < limits.black_mean and measures.bright(grey) < limits.black_bright:
            return {State.BLACK: Said(f"black: mean brightness {level:.0f} of 255", "black", level=round(level))}
        kind = measures.light(frame.colour, grey)
        view = self._views.get(kind)
        if view is None:
            view = self._views[kind] = View(limits)
        found = view.saw(grey, learn)
        self._known_view = view.learnt
        return found

    def _clock(self) -> Said | None:
        off_s = self._clock_off_s
        if off_s is None:
            return None
        is_wrong = State.CLOCK_WRONG in self._seen
        if abs(off_s) <= (self._limits.clock_right_s if is_wrong else self._limits.clock_wrong_s):
            return None
        way = "ahead" if off_s > 0 else "behind"
        return Said(f"clock wrong: {abs(off_s):.0f} s {way}", f"clock_{way}", seconds=round(abs(off_s)))

    def _be(
        self,
        state: State,
        message: str,
        since: datetime,
        last_look_at: datetime | None,
        size: tuple[int, int] | None = None,
    ) -> CameraState:
        was = self._now
        failures = was.failures if len(was.failures) == len(self._failures) and was.failures == self._failures else None
        self._now = CameraState(
            was.id,
            state,
            was.since if state == was.state else since,
            message,
            last_look_at,
            dict(self._failures) if failures is None else failures,
            self._via,
            *(size or (was.width_px, was.height_px)),
            self._clock_off_s,
        )
        return self._now

    # What it is used to, over a restart.

    def memory(self) -> bytes | None:
        """What this camera is used to, in a few kB for each kind of light; None before anything was learnt."""
        views = {kind: stored for kind, view in list(self._views.items()) if (stored := view.to_json())}
        if not views:
            return None
        made = {
            "format": _FORMAT,
            "size": self._size.usual,
            "still": [round(share, 3) for share in self._still.usual],
            "views": views,
        }
        return json.dumps(made, separators=(",", ":")).encode("ascii")

    def _recall(self, memory: bytes) -> None:
        """Takes nothing from a memory that can't be read: the camera is learnt anew then, which costs minutes."""
        try:
            stored = json.loads(memory)
            if stored["format"] != _FORMAT:
                return
            views = {str(kind): View.from_json(view, self._limits) for kind, view in stored["views"].items()}
            still = [float(share) for share in stored["still"]]
            usual = stored["size"] and (int(stored["size"][0]), int(stored["size"][1]))
        except (ValueError, KeyError, TypeError, AttributeError, IndexError):
            return
        self._views.update(views)
        self._still.recall(still)
        self._size.usual = usual


_RANK = {state: rank for rank, state in enumerate(State)}


class _Size:
    """Whether pictures have the size this camera's usually have."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.usual: tuple[int, int] | None = None
        self._other: tuple[int, int] | None = None
        self._other_since: datetime | None = None

    def saw(self, width: int, height: int, now: datetime) -> Said | None:
        """What to say when it is not."""
        size = (width, height)
        if self.usual is None or size == self.usual:
            self.usual, self._other = size, None
            return None
        if size != self._other or self._other_since is None:
            self._other, self._other_since = size, now
        if (now - self._other_since).total_seconds() >= self._limits.size_usual_after_s:
            self.usual, self._other = size, None
            return None
        seen, usual = f"{width}x{height}", f"{self.usual[0]}x{self.usual[1]}"
        return Said(f"wrong size: {seen}, usually {usual}", "wrong_size", size=seen, usual=usual)
