"""A sensor that has not spoken for too long."""

from __future__ import annotations

from datetime import datetime

INTERVALS = 3
"""Missed reports in a row that may be bad luck (domain rule: silent after max(3 intervals, the profile's time))."""


def silent(last_seen: datetime | None, now: datetime, every_s: float, silence_s: float) -> bool:
    """Whether a sensor that should speak every `every_s` is silent; one that never spoke is."""
    return last_seen is None or (now - last_seen).total_seconds() > max(INTERVALS * every_s, silence_s)
