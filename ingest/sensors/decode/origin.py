"""What all readings of one message share, and the bounds that each of them keeps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ...errors import PayloadError
from ...reading import Quality, Reading
from .units import settled
from .values import key_of, measure, number, unit_of

MOST_DEVICE = 128
MOST_NAME = 64
MOST_KEY = 200
MOST_READINGS = 1000
"""A message that holds more measurements than this is none of a sensor."""
_MOST_DEPTH = 8


@dataclass(slots=True)
class Origin:
    """Where readings come from. `base` begins their idempotency keys: the same for the same message."""

    topic: str
    device: str
    form: str
    received_at: datetime
    observed_at: datetime
    quality: Quality
    base: str
    battery_pct: float | None = None
    rssi_dbm: float | None = None
    snr_db: float | None = None
    seq: int | None = None

    def __post_init__(self) -> None:
        self.device = device_id(self.topic, self.device)
        if len(self.base) > MOST_KEY // 2 or not self.base.isprintable():
            self.base = key_of(self.base)

    def reading(self, prop: str, value: float, unit: str = "", channel: str = "") -> Reading:
        """`value`, in the unit that the name of `prop` asks for if `unit` can be converted to it.

        Raises PayloadError for names that no table could keep.
        """
        for name in (prop, channel):
            if len(name) > MOST_NAME or not name.isprintable():
                raise PayloadError(f"{self.topic}: {name[:60]!r} is no name of a measurement")
        wanted = unit_of(prop)
        value, unit = settled(value, unit, wanted) if unit else (value, wanted)
        key = f"{self.base}:{channel}.{prop}" if channel else f"{self.base}:{prop}"
        return Reading(
            self.device, prop, value, unit, self.observed_at, self.received_at,
            key if len(key) <= MOST_KEY else key_of(key), self.quality, self.battery_pct, self.rssi_dbm, self.form,
            channel, self.seq, self.snr_db,
        )  # fmt: skip

    def readings(self, fields: Iterable[tuple[str, object]]) -> list[Reading]:
        """One Reading for each field that is a measurement. Raises PayloadError for one that should be and is not."""
        measured: dict[str, float] = {}
        for prop, value in fields:
            found = measure(self.topic, prop, value)
            if found is not None and prop:
                measured[prop] = found
        if len(measured) > MOST_READINGS:
            raise PayloadError(f"{self.topic}: {len(measured)} measurements in one message, at most {MOST_READINGS}")
        if self.battery_pct is None:
            self.battery_pct = measured.get("battery_pct", measured.get("battery"))
        return [self.reading(prop, value) for prop, value in measured.items()]


def device_id(topic: str, said: object) -> str:
    """`said` as a device's id. Raises PayloadError where it is empty, too long or unprintable."""
    name = str(said) if isinstance(said, str | int) and not isinstance(said, bool) else ""
    if not name or len(name) > MOST_DEVICE or not name.isprintable():
        raise PayloadError(f"{topic}: {str(said)[:60]!r} is no device id")
    return name


def flat(decoded: Mapping[str, Any], before: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Fields of nested objects as `outer_inner`; what lies deeper than any sensor nests is left out."""
    for name, value in decoded.items():
        if not isinstance(value, dict):
            yield before + name, value
        elif depth < _MOST_DEPTH:
            yield from flat(value, f"{before}{name}_", depth + 1)


def whole(value: object) -> int | None:
    """A count that a device keeps, such as a frame counter; None where there is none."""
    found = number(value)
    return int(found) if found is not None and 0 <= found < 2**53 else None


def best(gateways: object, name: str) -> float | None:
    """The highest `name` (rssi, snr) among the gateways that heard a message."""
    heard = [number(g.get(name)) for g in gateways if isinstance(g, dict)] if isinstance(gateways, list) else []
    return max((value for value in heard if value is not None), default=None)
