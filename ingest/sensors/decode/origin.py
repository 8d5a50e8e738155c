"""What all readings of one message share, and the bounds that each of them keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ...errors import PayloadError
from ...reading import Quality, Reading
from ..plausible import can_be
from .said import Trouble
from .units import settled
from .values import key_of, measure, number, unit_of

MOST_DEVICE = 128
MOST_NAME = 64
MOST_KEY = 200
MOST_READINGS = 1000
"""A message that holds more measurements than this is none of a sensor."""
MOST_GATEWAYS = 8
"""Of the gateways that heard one message, the strongest so many are told of."""
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
    gateways: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.device = device_id(self.topic, self.device)
        if len(self.base) > MOST_KEY // 2 or not self.base.isprintable():
            self.base = key_of(self.base)

    def hear(self, gateways: object, id_of: Callable[[Mapping[str, Any]], object]) -> None:
        """Keep what the gateways that heard the message say: the best `rssi` and `snr`, their ids, the strongest first.

        Strength is the signal's own: RSSI, less what the noise is above it where the SNR is negative. An SNR that is
        left out is 0. An entry without a usable id names no gateway.
        """
        if not isinstance(gateways, list):
            return
        found = list[tuple[float, str]]()
        for gateway in gateways:
            if not isinstance(gateway, dict):
                continue
            rssi, snr = number(gateway.get("rssi")), number(gateway.get("snr"))
            if rssi is not None and (self.rssi_dbm is None or rssi > self.rssi_dbm):
                self.rssi_dbm = rssi
            if snr is not None and (self.snr_db is None or snr > self.snr_db):
                self.snr_db = snr
            name = id_of(gateway)
            if isinstance(name, str) and 0 < len(name) <= MOST_DEVICE and name.isprintable():
                found.append((1000.0 if rssi is None else -rssi - min(snr or 0.0, 0.0), name))
        if self.rssi_dbm is not None and self.snr_db is None:
            self.snr_db = 0.0
        if len(found) > 1:
            found.sort()
        self.gateways = tuple(dict.fromkeys(name for _, name in found))[:MOST_GATEWAYS]

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
            channel, self.seq, self.snr_db, self.gateways,
        )  # fmt: skip

    def readings(self, fields: Iterable[tuple[str, object]]) -> list[Reading | Trouble]:
        """One Reading for each field that is a measurement, and a Trouble where one should be and is not: a broken
        probe must not silence the others. Raises PayloadError where nothing else is a measurement.
        """
        measured: dict[str, float] = {}
        unread: PayloadError | None = None
        for prop, value in fields:
            try:
                found = measure(self.topic, prop, value)
            except PayloadError as error:
                unread = unread or error
                continue
            if found is not None and prop:
                measured[prop] = found
        if unread is not None and not measured:
            raise unread
        if len(measured) > MOST_READINGS:
            raise PayloadError(f"{self.topic}: {len(measured)} measurements in one message, at most {MOST_READINGS}")
        if self.battery_pct is None:
            self.battery_pct = plausible_battery(measured.get("battery_pct", measured.get("battery")))
        said: list[Reading | Trouble] = [self.reading(prop, value) for prop, value in measured.items()]
        if unread is not None:
            said.append(Trouble(self.device, "NOT_A_NUMBER", f"{unread}", self.observed_at))
        return said


def plausible_battery(pct: float | None) -> float | None:
    """`pct`, or None where it is no share of a battery: -1 and 255 say that a device does not know."""
    return pct if pct is not None and can_be("battery_pct", "%", pct) else None


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
