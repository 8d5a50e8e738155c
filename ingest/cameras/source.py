"""What a camera is to the rest: something to look at, whatever protocol it speaks."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Protocol, runtime_checkable

from ..device import Camera
from ..frame import Frame


class Source(Protocol):
    """One camera. Any thread may call `look`; two looks at once are allowed."""

    @property
    def camera(self) -> Camera:
        """The camera this looks through."""
        ...

    @property
    def via(self) -> str:
        """How it is read, for the engineer's screen: "RTSP/TCP h264", "FFmpeg: …"; empty until that is known."""
        ...

    def look(self, not_before: datetime, timeout_s: float) -> Frame:
        """A picture captured at or after `not_before`; waits up to `timeout_s` for one. Raises SourceError.

        A picture may be given once only: who wants the same one again keeps it.
        """
        ...

    def close(self) -> None:
        """Let go of everything; a look under way ends with SourceError."""
        ...


@runtime_checkable
class Clipping(Protocol):
    """A source that can also show what was seen before."""

    def clip(self, since: datetime, until: datetime) -> bytes | None:
        """MP4 of that time, without transcoding, from a keyframe on; None where nothing of it is held."""
        ...


@runtime_checkable
class Clocked(Protocol):
    """A source that hears what time the camera thinks it is."""

    @property
    def clock_off_s(self) -> float | None:
        """The camera's clock minus ours; None where it has not told."""
        ...


@runtime_checkable
class Connected(Source, Clipping, Protocol):
    """A source whose connection stays open, whoever runs it."""

    def ready(self, not_before: datetime) -> bool:
        """Whether `look(not_before, …)` would answer at once, with a picture or with the reason why there is none."""
        ...


@runtime_checkable
class Standing(Connected, Protocol):
    """A connected source that blocks a thread of its own."""

    def run(self, stop: threading.Event) -> None:
        """Open and read until it fails (raises SourceError) or `stop` is set (returns). Never retries."""
        ...


@runtime_checkable
class Hosted(Connected, Protocol):
    """A connected source that shares the reading loop with thousands of others."""

    async def stay(self) -> None:
        """Open and read until it fails (raises SourceError) or is cancelled. Never returns, never retries."""
        ...

    def refresh(self) -> None:
        """A look is due: take what has come, without waiting. On the reading loop; never raises."""
        ...

    def doze(self, for_s: float) -> float:
        """The next look is planned in `for_s` seconds (0: at once, or nobody knows). Any thread; never raises.

        Returns in how many seconds a look shows more for less: right behind a keyframe.
        """
        ...


class Caught(Protocol):
    """A picture that a visit brought home, still coded."""

    @property
    def captured_at(self) -> datetime:
        """When it was taken, UTC."""
        ...

    def frame(self) -> Frame:
        """The picture, decoded by the thread that asks. Raises NotVideo."""
        ...


@runtime_checkable
class Visiting(Source, Protocol):
    """A source that connects for each look, and can do so on the reading loop."""

    async def visit(self, not_before: datetime, timeout_s: float) -> Caught:
        """A picture taken at or after `not_before`, within `timeout_s`. Raises SourceError."""
        ...
