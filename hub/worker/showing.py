"""Whose newest picture goes to the screens next: every camera in its turn, so many a second in all."""

from __future__ import annotations

import threading
from collections.abc import Iterable


class Showing:
    """Spreads `per_s` pictures a second evenly over the cameras that are looked at. Any thread may ask."""

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._shown_s: dict[str, float] = {}
        self._lock = threading.Lock()

    def assign(self, cameras: Iterable[str]) -> None:
        """The cameras from now on; new ones are shown at once."""
        with self._lock:
            self._shown_s = {camera: self._shown_s.get(camera, -1e9) for camera in cameras}

    def wants(self, camera: str, now_s: float) -> bool:
        """Whether this camera's turn has come; if so, the next one comes when all the others had theirs."""
        with self._lock:
            shown_s = self._shown_s.get(camera)
            if shown_s is None or now_s - shown_s < len(self._shown_s) / self._per_s:
                return False
            self._shown_s[camera] = now_s
            return True
