"""What the cameras of a load test show, and how it is coded; light, so that any reader can check what it got."""

from __future__ import annotations

from dataclasses import dataclass

from .marks import Mark

CLIP_S = 40
GOP_S = 2


@dataclass(frozen=True, slots=True)
class Form:
    """How the clips of one load test are coded; `codec` is h264 or h265.

    `ip_ratio`: how much finer keyframes are coded than other pictures (the encoders' own is 1.4): it makes them large.
    """

    codec: str
    width_px: int
    height_px: int
    fps: int
    kilobits: int
    ip_ratio: float = 1.4

    @property
    def pictures(self) -> int:
        """Pictures of one loop."""
        return CLIP_S * self.fps

    @property
    def name(self) -> str:
        """Part of a file's name."""
        keys = "" if self.ip_ratio == 1.4 else f"-ip{self.ip_ratio}"
        return f"{self.codec}-{self.width_px}x{self.height_px}-{self.fps}fps-{self.kilobits}k{keys}"


# A keyframe of the first takes 16 kB, of the second 9 kB: the same bit rate, and 1.3 against 0.8 ms to decode.
FORMS = {
    "360p": Form("h264", 640, 360, 15, 300),
    "360p-small-keys": Form("h264", 640, 360, 15, 300, 0.55),
    "720p": Form("h264", 1280, 720, 25, 1000),
    "360p-h265": Form("h265", 640, 360, 15, 300),
    "360p-h265-small-keys": Form("h265", 640, 360, 15, 300, 0.3),
    "720p-h265": Form("h265", 1280, 720, 25, 700),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """What one pipeline shows: clip `number`, whose picture 0 was due at `began_s` (wall clock), looped."""

    number: int
    began_s: float
    form: Form

    def age_s(self, mark: Mark, now_s: float) -> float:
        """Seconds since the newest time that this picture was sent, 0 to the length of a loop."""
        loop_s = self.form.pictures / self.form.fps
        return (now_s - self.began_s - mark.position / self.form.fps) % loop_s
