"""http:// and https:// cameras that answer with one JPEG; Basic and Digest sign-in, as the camera asks."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..clock import utc_now
from ..device import Camera
from ..errors import Lost, NotVideo, Stale
from ..frame import Frame
from ..media import jpeg_picture
from .source import Caught
from .web import Address, Answer

MOST_BYTES = 20_000_000
"""A snapshot larger than this is refused unread."""
_CLOSED_SEEN_S = 0.25


class Snapshot:
    """One GET a look, over a connection that is kept for the next. A fragment `#insecure` accepts the camera's own
    certificate (https)."""

    def __init__(self, camera: Camera) -> None:
        self.camera = camera
        self.via = "HTTP JPEG"
        self._address = Address(camera.url, camera.safe_url)
        self._closed = False

    def look(self, not_before: datetime, timeout_s: float) -> Frame:
        """See Source; a visit on a loop of this thread's own."""
        return asyncio.run(self.visit(not_before, timeout_s)).frame()

    async def visit(self, not_before: datetime, timeout_s: float) -> Caught:
        """A JPEG asked for at or after `not_before`. Raises SourceError."""
        shown = self.camera.safe_url
        wait_s = (not_before - utc_now()).total_seconds()
        if wait_s > timeout_s:
            raise Stale(f"{shown}: the look is {wait_s:.1f} s ahead")
        began_s = time.monotonic()
        await self._sleep(wait_s)
        asked_at = max(utc_now(), not_before)
        answer = await self._address.fetch(max(0.1, timeout_s - (time.monotonic() - began_s)), MOST_BYTES)
        if answer.headers.get("content-type", "").startswith("multipart/"):
            raise NotVideo(f"{shown}: a stream of pictures, not one; use libav+{shown}")
        age_s = _age_s(answer)
        if asked_at - timedelta(seconds=age_s) < not_before:
            raise Stale(f"{shown}: the picture was {age_s:.0f} s old when it came")
        return _Jpeg(self.camera, asked_at - timedelta(seconds=age_s), answer.body)

    async def _sleep(self, seconds: float) -> None:
        until_s = time.monotonic() + seconds
        while True:
            if self._closed:
                raise Lost(f"{self.camera.safe_url}: closed")
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                return
            await asyncio.sleep(min(left_s, _CLOSED_SEEN_S))

    def close(self) -> None:
        """No more looks; one that waits ends."""
        self._closed = True


@dataclass(frozen=True, slots=True)
class _Jpeg:
    """See Caught."""

    camera: Camera
    captured_at: datetime
    data: bytes

    def frame(self) -> Frame:
        """See Caught."""
        picture = jpeg_picture(self.data, self.camera.safe_url)
        return Frame(self.camera.id, self.camera.preset, self.captured_at, picture, "jpeg", len(self.data))


def _age_s(answer: Answer) -> float:
    """Seconds that a cache on the way held the picture (RFC 9111 §5.1)."""
    text = answer.headers.get("age", "0")
    return float(text) if text.isdigit() else 0.0
