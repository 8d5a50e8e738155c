"""When something was observed, as devices say it; and units, as they write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.reading import Quality
from ingest.sensors.decode.times import judge, parse_time
from ingest.sensors.decode.units import KNOWN_UNITS, canonical, convert, same_kind, settled

NOW = datetime(2026, 11, 23, 2, 15, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (1795400104, 1795400104), (1795400104000, 1795400104), ("1795400104", 1795400104),
        ("2026-11-23T02:15:04Z", 1795400104), ("2026-11-23T10:15:04+08:00", 1795400104),
        ("2026-11-23T10:15:04", 1795400104), ("2026-11-23 10:15:04", 1795400104), ("20261123101504", 1795400104),
        ("20261123101504123", 1795400104),
        ("1795400104000", 1795400104), (1795400104000000, 1795400104), (1795400104000000000, 1795400104),
        ("2026-11-23T02:15:04.123456789Z", 1795400104), (" 1795400104.5 ", 1795400104),
    ],
)  # fmt: skip
def test_times_as_devices_say_them(said: object, seconds: int) -> None:
    time = parse_time(said)
    assert time is not None
    assert int(time.timestamp()) == seconds


@pytest.mark.parametrize(
    "said",
    [
        None,
        True,
        "soon",
        [],
        {},
        float("inf"),
        1e300,
        "1e5x",
        "²",
        "9" * 400,
        "0001-01-01T00:00:00+08:00",
        "20269923101504",
        "",
    ],
)
def test_what_is_no_time(said: object) -> None:
    assert parse_time(said) is None


@pytest.mark.parametrize(
    ("ago_s", "quality", "kept"),
    [
        (0, Quality.OK, True), (1799, Quality.OK, True), (1801, Quality.LATE, True), (86_401, Quality.CLOCK_SKEW, True),
        (-299, Quality.OK, False), (-301, Quality.CLOCK_SKEW, False), (50 * 365 * 86_400, Quality.CLOCK_SKEW, False),
    ],
)  # fmt: skip
def test_judging_times(ago_s: float, quality: Quality, kept: bool) -> None:
    said = NOW - timedelta(seconds=ago_s)
    observed_at, found = judge(said, NOW)
    assert found is quality
    assert observed_at == (said if kept else NOW)


def test_a_zone_that_is_told_wins_over_ours() -> None:
    assert parse_time("2026-11-23T10:15:04", ZoneInfo("Asia/Urumqi")) == datetime(2026, 11, 23, 4, 15, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "unit", "wanted", "settled_as"),
    [
        (23, "mm", "cm", (2.3, "cm")), (0.93, "fraction", "%", (93.0, "%")), (68, "°F", "degC", (20.0, "degC")),
        (293.15, "K", "degC", (20.0, "degC")), (0.121, "mg/m³", "ug/m3", (121.0, "ug/m3")),
        (2, "m", "mm", (2000.0, "mm")),
        (5, "bananas", "cm", (5, "cm")), (5, "bananas", "", (5, "bananas")), (5, "cm", "%", (5, "cm")),
        (1013, "mbar", "hPa", (1013.0, "hPa")), (36, "km/h", "m/s", (10.0, "m/s")), (5, "\x00", "", (5, "")),
    ],
)  # fmt: skip
def test_units(value: float, unit: str, wanted: str, settled_as: tuple[float, str]) -> None:
    assert settled(value, unit, wanted) == settled_as


@pytest.mark.parametrize("unit", KNOWN_UNITS)
def test_every_unit_is_spelled_and_converts_there_and_back(unit: str) -> None:
    assert canonical(unit) == unit
    for other in KNOWN_UNITS:
        if same_kind(unit, other):
            assert convert(convert(7.25, unit, other), other, unit) == pytest.approx(7.25)
        else:
            with pytest.raises(ValueError, match=" is "):
                convert(7.25, unit, other)


PINT = {
    "m": "meter", "cm": "centimeter", "mm": "millimeter", "km": "kilometer", "in": "inch", "ft": "foot",
    "degC": "degree_Celsius", "K": "kelvin", "degF": "degree_Fahrenheit", "%": "percent", "fraction": "dimensionless",
    "permille": "permille", "deg": "degree", "rad": "radian", "V": "volt", "mV": "millivolt", "A": "ampere",
    "mA": "milliampere", "W": "watt", "kW": "kilowatt", "kWh": "kilowatt_hour", "Wh": "watt_hour", "hPa": "hectopascal",
    "Pa": "pascal", "kPa": "kilopascal", "bar": "bar", "MPa": "megapascal", "mmHg": "mmHg", "inHg": "inHg",
    "m/s": "meter/second", "km/h": "kilometer/hour", "mph": "mile/hour", "kn": "knot",
    "ug/m3": "microgram/meter**3", "mg/m3": "milligram/meter**3", "ppm": "ppm", "ppb": "ppb",
    "s": "second", "ms": "millisecond", "min": "minute", "h": "hour", "L": "liter", "m3": "meter**3",
    "m3/h": "meter**3/hour", "L/min": "liter/minute", "L/s": "liter/second", "lx": "lux", "Hz": "hertz",
    "kg": "kilogram", "g": "gram", "t": "metric_ton",
}  # fmt: skip
UNKNOWN_TO_PINT = {"%LEL", "dB", "dBm"}
"""Without another unit of their kind, so that nothing is ever converted."""


def test_every_conversion_is_the_one_that_pint_makes() -> None:
    units = pint.UnitRegistry(cache_folder=None)
    units.define("ppb = 1e-9")
    assert PINT.keys() | UNKNOWN_TO_PINT == set(KNOWN_UNITS)
    for unit, of_pint in PINT.items():
        for other in (o for o in PINT if same_kind(unit, o)):
            for value in (0.0, -40.0, 100.0, 7.25):
                told = units.Quantity(value, of_pint).to(PINT[other]).magnitude
                assert convert(value, unit, other) == pytest.approx(told, rel=1e-6, abs=1e-9), (unit, other)


@given(st.text(max_size=40) | st.floats() | st.integers() | st.none() | st.booleans())
def test_any_value_is_a_time_or_none(said: object) -> None:
    time = parse_time(said)
    assert time is None or time.utcoffset() == timedelta(0)
    judge(time, NOW)
