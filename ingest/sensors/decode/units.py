"""Units: one spelling each, and conversion to the unit that a property's name asks for: pure.

A table of our own, because `pint` takes 0.3 to 0.5 s of CPU and 14 MiB to import, and a quarter of a millisecond a
conversion; a test holds every conversion of it to pint's.
"""

from __future__ import annotations

_SIZES: dict[str, tuple[str, float, float]] = {
    "m": ("length", 1, 0), "cm": ("length", 0.01, 0), "mm": ("length", 0.001, 0), "km": ("length", 1000, 0),
    "in": ("length", 0.0254, 0), "ft": ("length", 0.3048, 0),
    "degC": ("temperature", 1, 0), "K": ("temperature", 1, -273.15), "degF": ("temperature", 5 / 9, -160 / 9),
    "%": ("share", 1, 0), "fraction": ("share", 100, 0), "permille": ("share", 0.1, 0),
    "deg": ("angle", 1, 0), "rad": ("angle", 57.29577951308232, 0),
    "V": ("voltage", 1, 0), "mV": ("voltage", 0.001, 0), "A": ("current", 1, 0), "mA": ("current", 0.001, 0),
    "W": ("power", 1, 0), "kW": ("power", 1000, 0), "kWh": ("energy", 1, 0), "Wh": ("energy", 0.001, 0),
    "hPa": ("pressure", 1, 0), "Pa": ("pressure", 0.01, 0), "kPa": ("pressure", 10, 0), "bar": ("pressure", 1000, 0),
    "MPa": ("pressure", 10000, 0), "mmHg": ("pressure", 1.33322387415, 0), "inHg": ("pressure", 33.86389, 0),
    "m/s": ("speed", 1, 0), "km/h": ("speed", 1 / 3.6, 0), "mph": ("speed", 0.44704, 0),
    "kn": ("speed", 1852 / 3600, 0),
    "ug/m3": ("dust", 1, 0), "mg/m3": ("dust", 1000, 0), "ppm": ("parts", 1, 0), "ppb": ("parts", 0.001, 0),
    "s": ("time", 1, 0), "ms": ("time", 0.001, 0), "min": ("time", 60, 0), "h": ("time", 3600, 0),
    "L": ("volume", 1, 0), "m3": ("volume", 1000, 0), "m3/h": ("flow", 1, 0), "L/min": ("flow", 0.06, 0),
    "L/s": ("flow", 3.6, 0), "%LEL": ("lel", 1, 0), "dB": ("sound", 1, 0), "dBm": ("signal", 1, 0),
    "lx": ("light", 1, 0),
    "Hz": ("frequency", 1, 0), "kg": ("mass", 1, 0), "g": ("mass", 0.001, 0), "t": ("mass", 1000, 0),
}  # fmt: skip
"""Unit -> (what it measures, factor, offset): value * factor + offset is in the first unit of its kind."""

_SPELLINGS = {
    "°c": "degC", "℃": "degC", "c": "degC", "celsius": "degC", "degc": "degC", "deg c": "degC",
    "°f": "degF", "℉": "degF", "f": "degF", "fahrenheit": "degF", "degf": "degF", "k": "K", "kelvin": "K",
    "°": "deg", "度": "deg", "degree": "deg", "degrees": "deg", "percent": "%", "pct": "%", "％": "%", "%rh": "%",
    "ratio": "fraction", "1": "fraction", "‰": "permille", "volt": "V", "v": "V", "a": "A", "ma": "mA", "w": "W",
    "kwh": "kWh", "wh": "Wh", "kw": "kW", "kpa": "kPa", "hpa": "hPa", "mbar": "hPa", "pa": "Pa", "mmhg": "mmHg",
    "inhg": "inHg", "µg/m³": "ug/m3", "μg/m³": "ug/m3", "μg/m3": "ug/m3", "ug/m³": "ug/m3", "µg/m3": "ug/m3",
    "mg/m³": "mg/m3", "m³": "m3", "m³/h": "m3/h", "l": "L", "l/min": "L/min", "l/s": "L/s", "lel": "%LEL",
    "%lel": "%LEL", "dba": "dB", "db(a)": "dB", "db": "dB", "dbm": "dBm", "lux": "lx", "hz": "Hz", "厘米": "cm",
    "毫米": "mm", "米": "m", "meter": "m", "metre": "m", "kmh": "km/h", "kt": "kn", "mps": "m/s", "sec": "s",
}  # fmt: skip
"""Other spellings, in lower case; looked up only where a unit is not written as we write it (mW is not MW)."""

KNOWN_UNITS = tuple(_SIZES)


def canonical(unit: str) -> str | None:
    """Our spelling of `unit`; None for one that the table does not hold."""
    unit = unit.strip()
    return unit if unit in _SIZES else _SPELLINGS.get(unit.lower())


def same_kind(one: str, other: str) -> bool:
    """Whether two units of our spelling measure the same."""
    return _SIZES[one][0] == _SIZES[other][0]


def convert(value: float, unit: str, to: str) -> float:
    """`value` in the unit `to`. Raises ValueError where the two do not measure the same. Both in our spelling."""
    if unit == to:
        return value
    kind, factor, offset = _SIZES[unit]
    to_kind, to_factor, to_offset = _SIZES[to]
    if kind != to_kind:
        raise ValueError(f"{unit} is {kind}, {to} is {to_kind}")
    # Twelve digits are more than any sensor has, and keep 2.3 cm from becoming 2.3000000000000003.
    return float(f"{(value * factor + offset - to_offset) / to_factor:.12g}")


def settled(value: float, unit: str, wanted: str) -> tuple[float, str]:
    """(value, unit) in `wanted` where that is the same kind; else in our spelling of `unit`, as far as we know it."""
    ours = canonical(unit)
    if ours is None:
        return value, wanted or (unit.strip()[:32] if unit.isprintable() else "")
    if wanted and same_kind(ours, wanted):
        return convert(value, ours, wanted), wanted
    return value, ours
