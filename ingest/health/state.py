"""The states of a camera, in the order in which they win, and the limits at which they are entered and left."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """In the order in which they win when several are true: the first is what the others can't be judged without.

    No picture at all; then a picture that shows nothing, then one that is not of now, not of the right place, not
    sharp, not of the right size; last a picture that is right, dated wrongly.
    """

    OFFLINE = "offline"
    STALE = "stale"
    BLACK = "black"
    COVERED = "covered"
    FROZEN = "frozen"
    MOVED = "moved"
    BLURRED = "blurred"
    WRONG_SIZE = "wrong_size"
    CLOCK_WRONG = "clock_wrong"
    ONLINE = "online"
    UNKNOWN = "unknown"
    """Not looked at yet."""


SEEING = frozenset({State.ONLINE, State.BLURRED, State.WRONG_SIZE, State.CLOCK_WRONG})
"""States in which pictures show what they should, if not as well as they should."""


@dataclass(frozen=True, slots=True)
class CameraState:
    """How one camera is.

    `failures` counts by kind of error since it was added. `via` is how it is read; `width_px` and `height_px` are those
    of its newest picture (0: none yet); `clock_off_s` is its clock minus ours, where it tells.
    """

    id: str
    state: str
    since: datetime
    message: str
    last_look_at: datetime | None = None
    failures: dict[str, int] = field(default_factory=dict)
    via: str = ""
    width_px: int = 0
    height_px: int = 0
    clock_off_s: float | None = None

    @property
    def sees(self) -> bool:
        """Whether its pictures show what they should."""
        return self.state in SEEING

    @property
    def resolution(self) -> str:
        """ "1920x1080"; empty before the first picture."""
        return f"{self.width_px}x{self.height_px}" if self.width_px else ""


@dataclass(frozen=True, slots=True)
class Via:
    """How the camera is read: "RTSP/TCP h264", "FFmpeg: answers only UDP (461)"."""

    how: str


@dataclass(frozen=True, slots=True)
class ClockOff:
    """The camera's clock minus ours in seconds, from its sender reports; None once it tells no more."""

    off_s: float | None


Fact = Via | ClockOff
"""What a source knows of its camera that no picture shows."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When a camera counts as what. Looks are looks in a row."""

    failures_to_offline: int = 3
    looks_to_enter: int = 3
    looks_to_leave: int = 2
    looks_to_learn: int = 5
    judged_every_s: float = 120.0
    """How old a whole judgement may get while the picture hardly changes."""
    changed_level: float = 4.0
    changed_share: float = 0.03
    """A picture is judged anew when more than this share of its blocks is this much (of 255) lighter or darker."""
    looks_to_frozen: int = 5
    frozen_s: float = 30.0
    still_share: float = 0.88
    """A picture stands still when this share of its blocks does; the rest may be a clock written into it."""
    usual_still_share: float = 0.5
    """Only cameras whose pictures usually keep less than this share still can be told to be frozen."""
    black_mean: float = 18.0
    black_bright: float = 45.0
    covered_flat_share: float = 0.92
    covered_flat_more: float = 0.55
    covered_likeness: float = 0.5
    blurred_share: float = 0.4
    moved_likeness: float = 0.25
    moved_shift_px: float = 8.0
    clock_wrong_s: float = 5.0
    clock_right_s: float = 3.0
    size_usual_after_s: float = 24 * 3600.0
    """A new picture size that stays this long is the camera's usual one."""
