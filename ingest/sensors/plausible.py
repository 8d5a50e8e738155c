"""What a sensor can measure at all: values beyond are a defect or an error code (255, -127), no measurement. Pure.

Wide on purpose: what is bad is for the rules to say. Rules: domain.md §8.4, "out of range → reject and count".
"""

from __future__ import annotations

from functools import lru_cache

_BY_PROPERTY = {
    "fill_pct": (-5.0, 110.0), "battery": (0.0, 110.0), "battery_pct": (0.0, 110.0), "humidity": (-1.0, 105.0),
    "temperature": (-60.0, 250.0), "noise_leq": (0.0, 194.0), "battery_v": (0.0, 60.0), "wind": (0.0, 120.0),
}  # fmt: skip
_BY_UNIT = {
    "%": (-10.0, 250.0), "degC": (-90.0, 1300.0), "deg": (-360.0, 360.0), "dB": (0.0, 194.0), "dBm": (-200.0, 60.0),
    "%LEL": (-5.0, 110.0), "ug/m3": (-10.0, 100_000.0), "ppm": (-10.0, 1_000_000.0), "lx": (0.0, 200_000.0),
    "hPa": (-1000.0, 1_000_000.0), "Hz": (0.0, 1e9),
}  # fmt: skip
"""194 dB is where sound ends: a pressure of 0 to 2 atmospheres. Directions and tilts are within a full turn."""
_MOST = 1e12
"""Beyond this no column, chart or mean makes sense."""


@lru_cache(4096)
def limits(prop: str, unit: str) -> tuple[float, float]:
    """(lowest, highest) value of a property in its canonical unit that can be true."""
    return _BY_PROPERTY.get(prop) or _BY_UNIT.get(unit) or (-_MOST, _MOST)


def can_be(prop: str, unit: str, value: float) -> bool:
    """Whether a sensor can have measured that."""
    lowest, highest = limits(prop, unit)
    return lowest <= value <= highest
