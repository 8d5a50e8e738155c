"""The wall clock, where nobody gave another."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Now, UTC-aware."""
    return datetime.now(UTC)
