"""How a camera is, told from its pictures and failures: pure, takes frames, errors and `now`.

Everything is measured on a grey thumbnail of 160 x 90 (under a millisecond a frame). What is normal for a camera is
learnt from its own good pictures: the edges of its view, its sharpness, how much its pictures differ from one another.
A state is entered only after it was seen in several looks in a row, and left the same way (hysteresis).
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import cast
from zlib import crc32

import cv2
import numpy as np

from .errors import SourceError
from .frame import GREY_HEIGHT_PX, GREY_WIDTH_PX, Frame, Grey

WIDTH_PX, HEIGHT_PX = GREY_WIDTH_PX, GREY_HEIGHT_PX


class State(StrEnum):
    """In the order in which they win when several are true."""

    OFFLINE = "offline"
    STALE = "stale"
    BLACK = "black"
    COVERED = "covered"
    FROZEN = "frozen"
    MOVED = "moved"
    BLURRED = "blurred"
    ONLINE = "online"


@dataclass(frozen=True, slots=True)
class CameraState:
    """How one camera is. `failures` counts by kind of error since it was added."""

    id: str
    state: str
    since: datetime
    message: str
    last_look_at: datetime | None = None
    failures: dict[str, int] = field(default_factory=dict)

    @property
    def sees(self) -> bool:
        """Whether its pictures show what they should."""
        return self.state in (State.ONLINE, State.BLURRED)


@dataclass(frozen=True, slots=True)
class Limits:
    """When a camera counts as what. Looks are looks in a row."""

    failures_to_offline: int = 3
    looks_to_enter: int = 3
    looks_to_leave: int = 2
    looks_to_frozen: int = 5
    frozen_s: float = 30.0
    looks_to_learn: int = 5
    black_mean: float = 18.0
    black_bright: float = 45.0
    covered_flat_share: float = 0.92
    covered_flat_more: float = 0.55
    covered_likeness: float = 0.5
    blurred_share: float = 0.4
    moved_likeness: float = 0.25
    moved_shift_px: float = 8.0


def light(colour: float, grey: Grey) -> str:
    """The kind of light, "day", "dark" or "infrared" (no colour): one view looks different in each."""
    if colour < 2.5:
        return "infrared"
    return "dark" if float(grey.mean()) < 50.0 else "day"


def edges(grey: Grey) -> Grey:
    """Where brightness changes, light taken out: gradient magnitude over the brightness around it."""
    dx = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=3)
    dy = cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=3)
    around = cv2.blur(grey, (21, 21)) + 20.0
    relative = cv2.magnitude(dx, dy) / around
    return cast(Grey, np.sqrt(np.minimum(relative, 4.0)))


def likeness(a: Grey, b: Grey) -> float:
    """Correlation of two edge pictures, -1 to 1."""
    x, y = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((x * x).sum() * (y * y).sum()))
    return float((x * y).sum()) / norm if norm > 1e-6 else 0.0


_WINDOW = cv2.createHanningWindow((WIDTH_PX, HEIGHT_PX), cv2.CV_32F)


def shift_px(reference: Grey, now: Grey) -> tuple[float, float, float]:
    """(dx, dy, response 0-1) in thumbnail pixels by which the view moved: phase correlation of edge pictures."""
    # Copies, because OpenCV windows its arguments in place.
    (dx, dy), response = cv2.phaseCorrelate(reference.copy(), now.copy(), _WINDOW)
    return float(dx), float(dy), float(response)


def flat_share(grey: Grey) -> float:
    """Share (0-1) of 10 x 10 blocks without detail: what is smooth, or no more than noise, at their brightness."""
    detail = grey - cv2.blur(grey, (9, 9))
    blocks = detail.reshape(HEIGHT_PX // 10, 10, WIDTH_PX // 10, 10)
    power = np.einsum("iajb,iajb->ij", blocks, blocks) / 100
    light = cv2.resize(grey, (WIDTH_PX // 10, HEIGHT_PX // 10), interpolation=cv2.INTER_AREA)
    return float((power < (0.6 + 0.012 * light) ** 2).mean())


def sharpness(grey: Grey) -> float:
    """Energy of the finest detail over the energy of all detail; independent of brightness and contrast."""
    fine = grey - cv2.GaussianBlur(grey, (3, 3), 0)
    all_detail = grey - cv2.blur(grey, (15, 15))
    return float((fine * fine).mean() / ((all_detail * all_detail).mean() + 1.0))


def _back(now: Grey, dx: float, dy: float) -> Grey:
    """`now` moved back by (dx, dy)."""
    return np.roll(now, (-round(dy), -round(dx)), axis=(0, 1))


class Health:
    """One camera's health. Not thread-safe; its owner locks."""

    def __init__(self, camera_id: str, now: datetime, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._failures: Counter[str] = Counter()
        self._in_a_row = 0
        self._seen: dict[State, int] = {}
        self._well = 0
        self._views: dict[str, _View] = {}
        self._still = _Still(self._limits)
        self._now = CameraState(camera_id, State.OFFLINE, now, "not looked at yet")

    @property
    def state(self) -> CameraState:
        """How the camera is now."""
        return self._now

    def accept_view(self) -> None:
        """What the camera shows from now on is its right view: learn it anew."""
        self._views.clear()
        self._seen.clear()

    def count(self, error: SourceError) -> None:
        """A failure that no look has met (yet): counted, without a change of state."""
        self._failures[error.kind] += 1

    def failed(self, error: SourceError, now: datetime) -> CameraState:
        """A look failed; `count` counts it."""
        self._in_a_row += 1
        self._well = 0
        kind = State.STALE if error.kind == "stale" else State.OFFLINE
        gone = self._now.last_look_at is None or self._now.state in (State.OFFLINE, State.STALE)
        if gone or self._in_a_row >= self._limits.failures_to_offline:
            return self._be(kind, str(error), now, self._now.last_look_at)
        return self._be(State(self._now.state), self._now.message, now, self._now.last_look_at)

    def saw(self, frame: Frame) -> CameraState:
        """A look gave this picture."""
        now = frame.captured_at
        grey = frame.grey
        view = self._views.setdefault(light(frame.colour, grey), _View(self._limits))
        troubles = self._troubles(grey, view, now)
        was = State(self._now.state)
        back = was in (State.OFFLINE, State.STALE)
        self._in_a_row = 0
        for state in list(self._seen):
            if state not in troubles:
                del self._seen[state]
        for state in troubles:
            self._seen[state] = self._seen.get(state, 0) + 1
        entered = [s for s in State if self._seen.get(s, 0) >= self._enter(s)]
        if entered:
            self._well = 0
            return self._be(entered[0], troubles[entered[0]], now, now)
        self._well = 0 if was in troubles else self._well + 1
        if was is State.ONLINE or back or self._well >= self._limits.looks_to_leave:
            return self._be(State.ONLINE, "", now, now)
        return self._be(was, self._now.message, now, now)

    def _enter(self, state: State) -> int:
        return 1 if state is State.FROZEN else self._limits.looks_to_enter

    def _troubles(self, grey: Grey, view: _View, now: datetime) -> dict[State, str]:
        limits, found = self._limits, {}
        still = self._still.saw(grey, now)
        mean, bright = float(grey.mean()), float(np.percentile(grey, 99))
        if mean < limits.black_mean and bright < limits.black_bright:
            return {State.BLACK: f"black: mean brightness {mean:.0f} of 255"}
        if still:
            found[State.FROZEN] = still
        found.update(view.saw(grey, learn=not found))
        return found

    def _be(self, state: State, message: str, now: datetime, last_look_at: datetime | None) -> CameraState:
        since = self._now.since if state == self._now.state else now
        self._now = CameraState(self._now.id, state, since, message, last_look_at, dict(self._failures))
        return self._now


class _Still:
    """Whether the picture stands still although this camera's pictures are known to differ (noise, life)."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._last = 0
        self._same = 0
        self._same_since: datetime | None = None
        self._differed = 0

    def saw(self, grey: Grey, now: datetime) -> str | None:
        print_ = crc32(grey.tobytes())
        if print_ != self._last:
            self._last, self._same, self._same_since = print_, 0, now
            self._differed += 1
            return None
        self._same += 1
        stood_s = (now - (self._same_since or now)).total_seconds()
        expected = self._differed > self._limits.looks_to_learn
        if expected and self._same + 1 >= self._limits.looks_to_frozen and stood_s >= self._limits.frozen_s:
            return f"frozen: {self._same + 1} identical pictures in {stood_s:.0f} s"
        return None


class _View:
    """What the camera is used to showing: edges, texture and sharpness, learnt slowly and only from good pictures."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._edges: Grey | None = None
        self._flat: deque[float] = deque(maxlen=50)
        self._sharp: deque[float] = deque(maxlen=50)
        self._learnt = 0

    def saw(self, grey: Grey, learn: bool) -> dict[State, str]:
        limits = self._limits
        flat, sharp, now = flat_share(grey), sharpness(grey), edges(grey)
        found: dict[State, str] = {}
        if self._edges is None or self._learnt < limits.looks_to_learn:
            if flat >= limits.covered_flat_share:
                found[State.COVERED] = f"covered: {flat:.0%} of the picture shows nothing"
        else:
            found = self._compare(self._edges, now, flat, sharp)
        if learn and not found:
            self._learn(now, flat, sharp)
        return found

    def _compare(self, reference: Grey, now: Grey, flat: float, sharp: float) -> dict[State, str]:
        limits = self._limits
        usual_flat, usual_sharp = float(np.median(self._flat)), float(np.median(self._sharp))
        blurred = sharp < limits.blurred_share * usual_sharp
        alike = likeness(reference, now)
        empty = flat >= limits.covered_flat_share and flat - usual_flat > 0.15
        if alike < limits.covered_likeness and (empty or flat - usual_flat > limits.covered_flat_more):
            return {State.COVERED: f"covered: {flat:.0%} of the picture shows nothing, usually {usual_flat:.0%}"}
        if alike < 0.6:
            dx, dy, response = shift_px(reference, now)
            far = max(abs(dx), abs(dy)) > limits.moved_shift_px and response > 0.08
            if far and likeness(reference, _back(now, dx, dy)) > alike + 0.2:
                by = f"{dx / WIDTH_PX:+.0%} across, {dy / HEIGHT_PX:+.0%} down"
                return {State.MOVED: f"moved: the view shifted by {by}"}
        if blurred:
            return {State.BLURRED: f"blurred: {sharp / usual_sharp:.0%} of its usual sharpness"}
        if alike < limits.moved_likeness:
            return {State.MOVED: f"moved: the view is {max(0.0, alike):.0%} like its reference"}
        return {}

    def _learn(self, now: Grey, flat: float, sharp: float) -> None:
        self._learnt += 1
        self._flat.append(flat)
        self._sharp.append(sharp)
        share = max(1 / self._learnt, 0.03)
        self._edges = now if self._edges is None else cast(Grey, self._edges + share * (now - self._edges))
