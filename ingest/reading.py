"""One value that one sensor measured, in the canonical form of every payload format."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Quality(StrEnum):
    """What is known to be odd about a reading."""

    OK = "ok"
    CLOCK_SKEW = "clock_skew"
    DUPLICATE = "duplicate"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Reading:
    """`prop` of `device` was `value` (in `unit`) at `observed_at`.

    A boolean state (open, smoke) is 1.0 or 0.0. `key` is the idempotency key: the same measurement, delivered twice,
    has the same key. Both times are UTC-aware. `channel` tells apart what one device measures more than once (phases,
    probes); `seq` is the device's own count of its messages. `gateways`: the radio gateways that heard its message, the
    strongest first; they say how it came, not what was measured, and are not stored with it.
    """

    device: str
    prop: str
    value: float
    unit: str
    observed_at: datetime
    received_at: datetime
    key: str
    quality: Quality = Quality.OK
    battery_pct: float | None = None
    rssi_dbm: float | None = None
    source_format: str = "json"
    channel: str = ""
    seq: int | None = None
    snr_db: float | None = None
    gateways: tuple[str, ...] = field(default=(), compare=False)
