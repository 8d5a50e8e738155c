"""Simulated sensors: what each one measures at a time, and the message it would send. Pure."""

from __future__ import annotations

import base64
import json
import math
import random
import struct
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .timeline import Seen

APPLICATION = "demo"
QUICK_S = 5.0
"""Seconds between messages while something is going on; otherwise the sensor's own `every_s`."""
SETTLE_S = 60.0
"""How long after an event a sensor keeps sending quickly."""

_RISE_S = {"bin_level": 45.0, "water_depth": 60.0, "manhole": 0.0, "smoke": 0.0}
_NEXT_EMPTYING_S = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class SimulatedSensor:
    """A device of the district: `device` is its id on the wire, `format` how it speaks (chirpstack or json)."""

    id: str
    device: str
    profile: str
    format: str
    every_s: float
    seed: int


def values(
    sensor: SimulatedSensor, now_s: float, seen: Sequence[Seen], cleared_s: float | None
) -> dict[str, float | bool]:
    """What it measures `now_s` after the start. `cleared_s`: when somebody last put things right there."""
    noise = random.Random(sensor.seed * 1_000_003 + int(now_s * 10))
    steady = random.Random(sensor.seed)
    event = next((s for s in seen if s.event.kind), None)
    rise = 0.0
    if event is not None:
        span_s = _RISE_S[sensor.profile]
        progress = 1.0 if span_s == 0 else min(1.0, (now_s - event.since_s) / span_s)
        rise = event.share * (1 - (1 - progress) ** 2)
    if sensor.profile == "bin_level":
        start = steady.uniform(12, 58) if cleared_s is None else 3.0
        filled_s = now_s - (cleared_s or 0.0)
        level = start + 60 * filled_s / _NEXT_EMPTYING_S
        level += rise * (steady.uniform(93, 98) - level)
        return {
            "fill_pct": round(min(100.0, max(0.0, level + noise.gauss(0, 0.6))), 1),
            "temperature": round(4.5 + 2 * math.sin(now_s / 1800) + noise.gauss(0, 0.2), 1),
        }
    if sensor.profile == "manhole":
        tilt = steady.uniform(0.2, 1.8) + rise * steady.uniform(24, 40)
        return {"tilt_deg": round(max(0.0, tilt + noise.gauss(0, 0.15)), 1), "open": rise > 0.5}
    if sensor.profile == "water_depth":
        return {"depth_cm": round(max(0.0, rise * steady.uniform(19, 26) + noise.gauss(0.2, 0.25)), 1)}
    return {"smoke": rise > 0.5, "temperature": round(8 + 14 * rise + noise.gauss(0, 0.3), 1)}


def message(sensor: SimulatedSensor, measured: dict[str, float | bool], count: int, now: datetime) -> tuple[str, bytes]:
    """Topic and payload of its `count`-th message (from 0) at `now`."""
    if sensor.format == "chirpstack":
        return _chirpstack(sensor, measured, count, now)
    body = {**measured, "battery": _battery_pct(sensor), "time": now.isoformat(timespec="milliseconds")}
    return f"gridhub/{sensor.device}", json.dumps(body).encode()


def _chirpstack(
    sensor: SimulatedSensor, measured: dict[str, float | bool], count: int, now: datetime
) -> tuple[str, bytes]:
    """An uplink event of ChirpStack v4; as in its JSON (proto3), a frame counter of 0 is left out."""
    noise = random.Random(sensor.seed * 7919 + count)
    raw = b"".join(struct.pack(">h", round(float(v) * 10)) for v in measured.values())
    event: dict[str, Any] = {
        "deduplicationId": str(uuid.UUID(int=noise.getrandbits(128), version=4)),
        "time": now.isoformat(timespec="milliseconds"),
        "deviceInfo": {
            "applicationId": APPLICATION,
            "deviceProfileName": sensor.profile,
            "deviceName": sensor.id,
            "devEui": sensor.device,
        },
        "dr": 5,
        "fPort": 2,
        "data": base64.b64encode(raw).decode(),
        "object": {**measured, "battery": _battery_pct(sensor)},
        "rxInfo": [{"gatewayId": "24e124fffef00001", "rssi": noise.randint(-112, -84), "snr": noise.randint(-4, 9)}],
    }
    if count:
        event["fCnt"] = count
    return f"application/{APPLICATION}/device/{sensor.device}/event/up", json.dumps(event).encode()


def _battery_pct(sensor: SimulatedSensor) -> int:
    return 62 + sensor.seed % 37
