"""Numbers out of JSON, whatever way a device writes them, and the units that property names tell: pure."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from hashlib import sha256

from ...errors import PayloadError

_NOT_NAME = re.compile(r"[^\w]+")

WORDS = {
    "true": 1.0, "on": 1.0, "open": 1.0, "opened": 1.0, "yes": 1.0, "alarm": 1.0,
    "false": 0.0, "off": 0.0, "closed": 0.0, "close": 0.0, "no": 0.0, "normal": 0.0,
}  # fmt: skip
"""Words for a state that devices write in place of true and false."""

_UNITS = (
    ("_pct", "%"), ("_mm", "mm"), ("_cm", "cm"), ("_m", "m"), ("_deg", "deg"), ("_v", "V"), ("_ma", "mA"),
    ("_dbm", "dBm"), ("_ppm", "ppm"), ("_lel", "%LEL"), ("_db", "dB"), ("temperature", "degC"), ("humidity", "%"),
    ("pm25", "ug/m3"), ("pm10", "ug/m3"), ("battery", "%"), ("noise_leq", "dB"),
)  # fmt: skip
_UNITS_BY_NAME = {
    "power": "W", "voltage": "V", "current": "A", "energy": "kWh", "energy_today": "kWh", "energy_yesterday": "kWh",
    "pressure": "hPa", "illuminance": "lx", "wind": "m/s", "distance": "m",
}  # fmt: skip
"""Whole names: as the ending of a longer name they would say too little."""

MEASURED = frozenset((
    "fill_pct", "distance_mm", "temperature", "humidity", "tilt_deg", "open", "depth_cm", "level_cm",
    "water_cm", "smoke", "ch4_lel", "co_ppm", "battery", "battery_pct", "battery_v", "pm25", "pm10",
    "noise_leq", "occupied", "current_ma", "vibration", "displacement_mm", "water",
))  # fmt: skip
"""Names that are always measurements: one of them without a number makes the message unreadable."""


@lru_cache(4096)
def unit_of(prop: str) -> str:
    """The unit that a property's name tells; empty for states and unknown names."""
    return _UNITS_BY_NAME.get(prop) or next((unit for ending, unit in _UNITS if prop.endswith(ending)), "")


def number(value: object) -> float | None:
    """A finite number from a number, a boolean, a numeric text or a word of state; None where it is none."""
    if isinstance(value, bool):
        return 1.0 if value else 0.0
    if isinstance(value, str):
        word = WORDS.get(value.strip().lower())
        if word is not None:
            return word
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, int | float):
        try:
            value = float(value)
        except OverflowError:
            return None
        return value if math.isfinite(value) else None
    return None


def measure(topic: str, prop: str, value: object) -> float | None:
    """The number in a field; None for a field that is no measurement. Raises PayloadError where it should be one."""
    if value is None:
        return None
    found = number(value)
    if found is None and prop in MEASURED:
        raise PayloadError(f"{topic}: {prop}: {str(value)[:60]!r} is not a number")
    return found


def name_of(text: str) -> str:
    """A property name from what a device calls it: lower case, with anything but letters and digits as `_`."""
    return _NOT_NAME.sub("_", text.lower()).strip("_")


def key_of(*parts: object) -> str:
    """A short, stable key of `parts`."""
    return sha256("\x1f".join(str(part) for part in parts).encode(errors="surrogatepass")).hexdigest()[:32]
