"""Sensor rules: hysteresis, hold, warn, repeats, late and repeated readings, silence; as tables and as laws."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.errors import KindsError
from detectors.finding import Finding
from detectors.kinds import load_kinds
from detectors.profiles import load_profiles
from detectors.rules.threshold import Level, Limits, measure
from detectors.sensing import MOST_STATES, SensorRules
from ingest.device import Sensor
from ingest.reading import Quality, Reading

from .made import after

ROOT = Path(__file__).resolve().parents[3]
RULES = SensorRules(load_profiles(ROOT / "configs" / "sensors"), load_kinds(ROOT / "configs" / "kinds"))
BIN = Sensor("s1", "东街垃圾桶", "bin-1", "bin_level", 600)
MANHOLE = Sensor("s2", "井盖", "mh-1", "manhole", 3600)
WATER = Sensor("s3", "积水", "w-1", "water_depth", 60)
SMOKE = Sensor("s4", "烟感", "sm-1", "smoke", 3600)


def reading(sensor: Sensor, prop: str, value: float, at: datetime, late_s: float = 1, **more: Any) -> Reading:
    received = at + timedelta(seconds=late_s)
    return Reading(sensor.device, prop, value, "", at, received, f"{prop}{at.isoformat()}", **more)


def run(
    sensor: Sensor, prop: str, values: list[tuple[float, float]], **more: Any
) -> tuple[list[Finding], dict[str, Any]]:
    state: dict[str, Any] = {}
    findings = []
    for t_s, value in values:
        given_state = json.dumps(state)
        new, found = RULES.evaluate(sensor, reading(sensor, prop, value, after(t_s), **more), state)
        assert json.dumps(state) == given_state, "evaluate must not change the state it is given"
        state = json.loads(json.dumps(new))
        findings += found
    return findings, state


def test_a_full_bin_is_found_after_two_readings_and_explained() -> None:
    (finding,), state = run(BIN, "fill_pct", [(0, 60), (600, 91), (1200, 93)])
    assert finding.why == "满溢度 93 % > 90 %，连续 2 次"
    assert finding.why_en == "Fill level 93 % > 90 % for 2 readings"
    assert (finding.kind, finding.sensor, finding.since, finding.at) == ("bin_overflow", "s1", after(600), after(1200))
    assert [r["value"] for r in finding.readings] == [91, 93]
    assert state["level"] == "alarm"


@pytest.mark.parametrize(
    ("sensor", "prop", "values", "found_at"),
    [
        (BIN, "fill_pct", [(0, 91), (600, 89), (1200, 91)], []),  # not in a row
        (BIN, "fill_pct", [(0, 91), (600, 92), (800, 93), (1200, 94)], [600, 1200]),  # repeats every 300 s at most
        (
            BIN,
            "fill_pct",
            [(0, 91), (600, 92), (1200, 80), (1800, 91), (2400, 92)],
            [600, 1800, 2400],
        ),  # not over at 80
        (BIN, "fill_pct", [(0, 95), (60, 95), (120, 60), (180, 95), (240, 95)], [60, 240]),  # over, and again
        (BIN, "fill_pct", [(0, 75.5), (600, 89)], []),
        (BIN, "temperature", [(0, 71)], [0]),
        (MANHOLE, "tilt_deg", [(0, 15)], []),
        (MANHOLE, "tilt_deg", [(0, 15.1)], [0]),
        (MANHOLE, "open", [(0, 0), (60, 1)], [60]),
        (WATER, "depth_cm", [(0, 16), (30, 17)], []),  # two readings, but not a minute
        (WATER, "depth_cm", [(0, 16), (60, 17)], [60]),
        (SMOKE, "smoke", [(0, 1), (60, 0), (120, 1)], [0]),  # one alarm: clear for ten minutes first
        (SMOKE, "smoke", [(0, 1), (60, 0), (700, 0), (760, 1)], [0, 760]),
        (SMOKE, "temperature", [(0, 1000)], []),  # no rule for it
    ],
)
def test_when_a_sensor_alarms(sensor: Sensor, prop: str, values: list, found_at: list[float]) -> None:
    findings, _ = run(sensor, prop, values)
    assert [(f.at - after(0)).total_seconds() for f in findings] == found_at


def test_levels_warn_before_they_alarm() -> None:
    levels = [run(BIN, "fill_pct", [(i * 600, v) for i, v in enumerate(values)])[1]["level"]
              for values in ([50], [80], [80, 72], [80, 69], [91], [91, 92], [91, 92, 75], [91, 92, 69])]  # fmt: skip
    assert levels == ["normal", "warn", "warn", "normal", "warn", "alarm", "alarm", "normal"]


def test_late_readings_only_alarm_where_the_profile_says_so() -> None:
    assert run(BIN, "temperature", [(0, 90)], late_s=3600)[0] == []
    (finding,), _ = run(MANHOLE, "open", [(0, 1)], late_s=3600)
    assert (finding.why, finding.why_en) == ("井盖已打开（延迟）", "Cover open (late)")


def test_repeated_and_disordered_readings_change_nothing() -> None:
    assert run(BIN, "fill_pct", [(600, 95), (600, 95), (0, 96)], late_s=700)[0] == []
    assert run(BIN, "fill_pct", [(0, 95), (60, 96)], quality=Quality.DUPLICATE)[0] == []


def test_the_same_reading_makes_the_same_finding_id() -> None:
    first, _ = run(MANHOLE, "open", [(0, 1)])
    again, _ = run(MANHOLE, "open", [(0, 1)])
    assert first[0].id == again[0].id


def test_a_low_battery_is_noted() -> None:
    assert run(BIN, "fill_pct", [(0, 10)], battery_pct=19.0)[1]["battery"]["level"] == "low"
    assert run(BIN, "fill_pct", [(0, 10)], battery_pct=80.0)[1]["battery"]["level"] == "ok"


@pytest.mark.parametrize(
    ("sensor", "prop", "value", "present"),
    [
        (BIN, "fill_pct", 91, True),
        (BIN, "fill_pct", 80, None),
        (BIN, "fill_pct", 69, False),
        (BIN, "humidity", 5, None),
        (SMOKE, "smoke", 1, True),
        (SMOKE, "smoke", 0, False),
    ],
)
def test_a_recheck_by_a_reading(sensor: Sensor, prop: str, value: float, present: bool | None) -> None:
    kind = "bin_overflow" if sensor is BIN else "smoke_alarm"
    assert RULES.present(sensor, kind, reading(sensor, prop, value, after(0))) is present


def test_silence() -> None:
    assert RULES.silent(WATER, None, after(0))
    assert not RULES.silent(WATER, after(0), after(3600))
    assert RULES.silent(WATER, after(0), after(3601))
    slow = Sensor("s", "", "d", "water_depth", every_s=7200)
    assert not RULES.silent(slow, after(0), after(3 * 7200))


def test_an_unknown_profile_or_kind_is_named() -> None:
    with pytest.raises(KindsError, match="sensor s9: profile: 'flood'; allowed: bin_level"):
        RULES.evaluate(Sensor("s9", "", "d", "flood"), reading(BIN, "x", 1, after(0)), {})
    with pytest.raises(KindsError, match=r"rules\.kind: 'bin_overflow'; allowed"):
        SensorRules(load_profiles(ROOT / "configs" / "sensors"), {})


values = st.lists(st.floats(0, 100, allow_nan=False), min_size=1, max_size=60)


@given(values, st.integers(1, 4))
def test_an_alarm_neither_comes_nor_goes_between_clear_and_alarm(series: list[float], hold: int) -> None:
    limits = Limits(alarm=90, clear=70, warn=75, hold=hold)
    level = Level()
    for index, value in enumerate(series):
        before, level = level, measure(level, value, 60.0 * index, limits)
        if level.alarmed and not before.alarmed:
            assert all(v > 90 for v in series[index - hold + 1 : index + 1])
        if before.alarmed and not level.alarmed:
            assert value < 70


@given(values)
def test_limits_below_mirror_limits_above(series: list[float]) -> None:
    up, down = Limits(alarm=90, clear=70, hold=2), Limits(alarm=-90, clear=-70, hold=2, above=False)
    a, b = Level(), Level()
    for index, value in enumerate(series):
        a, b = measure(a, value, index, up), measure(b, -value, index, down)
        assert a.level == b.level


@given(values)
def test_a_level_survives_storing(series: list[float]) -> None:
    level = Level()
    for index, value in enumerate(series):
        level = measure(level, value, float(index), Limits(alarm=50, clear=20, hold=2))
        assert Level.from_json(json.loads(json.dumps(level))) == level


CABINET = Sensor("s9", "配电箱", "cab-1", "cabinet", 300)


def probes(*celsius: float, at: datetime) -> list[Reading]:
    """One message of a cabinet with several probes."""
    return [
        Reading(CABINET.device, "temperature", value, "degC", at, at, f"{at}.{n}", channel=f"probe_{n}")
        for n, value in enumerate(celsius, 1)
    ]


def test_each_probe_of_a_device_is_judged_by_itself() -> None:
    """They come in one message, with one time: the second one too may be on fire."""
    state: dict[str, Any] = {}
    found: list[Finding] = []
    for i in range(4):
        for one in probes(25, 95, at=after(60 * i)):
            state, more = RULES.evaluate(CABINET, one, json.loads(json.dumps(state)))
            found += more
    (finding,) = found
    assert (finding.kind, finding.at, finding.since) == ("cabinet_fault", after(120), after(0))
    assert finding.why_en == "probe_2: Temperature 95 °C > 80 °C for 3 readings"
    assert [r["value"] for r in finding.readings] == [95, 95, 95]
    assert state["level"] == "alarm"
    cold, hot = probes(25, 95, at=after(300))
    assert RULES.present(CABINET, "cabinet_fault", cold, state) is None, "the other probe is still hot"
    assert RULES.present(CABINET, "cabinet_fault", hot, state) is True
    for one in probes(25, 30, at=after(300)):
        state, _ = RULES.evaluate(CABINET, one, state)
    assert state["level"] == "normal"
    assert RULES.present(CABINET, "cabinet_fault", cold, state) is False


def test_what_was_kept_before_probes_were_told_apart_goes_on() -> None:
    kept = {"rules": {"cabinet_fault/temperature": ["alarm", 0.0, 3, None, 0.0, [[0.0, 95.0]]]}, "level": "alarm"}
    (cool,) = probes(25, at=after(0))
    state, _ = RULES.evaluate(CABINET, cool, kept)
    assert state["level"] == "normal"
    assert list(state["rules"]) == ["cabinet_fault/temperature#probe_1"]


def test_a_probe_that_is_heard_no_more_holds_no_alarm() -> None:
    state: dict[str, Any] = {}
    for i in range(3):
        for one in probes(25, 95, at=after(60 * i)):
            state, _ = RULES.evaluate(CABINET, one, state)
    for hours, level in ((1, "alarm"), (23, "alarm"), (25, "normal")):
        (cold,) = probes(25, at=after(3600 * hours))
        state, _ = RULES.evaluate(CABINET, cold, json.loads(json.dumps(state)))
        assert state["level"] == level


def test_a_device_cannot_fill_the_memory_with_names_of_channels() -> None:
    state: dict[str, Any] = {}
    for n in range(400):
        one = Reading(CABINET.device, "temperature", 20.0, "degC", after(n), after(n), f"{n}", channel=f"c{n}")
        state, _ = RULES.evaluate(CABINET, one, state)
    assert len(state["rules"]) == MOST_STATES


@pytest.mark.parametrize("sensor", [WATER, Sensor("s8", "噪声", "n-1", "noise", 60)])
def test_rules_go_on_when_the_clock_is_set_back(sensor: Sensor) -> None:
    """A computer whose clock stands on local time is eight hours ahead until told: no sensor may be deaf so long."""
    prop, good, bad = ("depth_cm", 0, 20) if sensor is WATER else ("noise_leq", 50, 90)
    ahead_s, state, found = 8 * 3600, dict[str, Any](), list[Finding]()
    for i in range(8):
        state, _ = RULES.evaluate(sensor, reading(sensor, prop, good, after(ahead_s + 60 * i)), state)
    for i in range(8):
        state, more = RULES.evaluate(sensor, reading(sensor, prop, bad, after(60 * i)), json.loads(json.dumps(state)))
        found += more
    assert found
    assert found[0].at <= after(360)
    assert state["level"] == "alarm"
    for i in range(8, 24):
        state, _ = RULES.evaluate(sensor, reading(sensor, prop, good, after(60 * i)), state)
    assert state["level"] == "normal"


def lags(*lag_s: float, every_s: float = 900) -> list[str]:
    """What is said of a bin after readings that came every quarter of an hour, so late."""
    state: dict[str, Any] = {}
    for i, lag in enumerate(lag_s):
        quality = Quality.OK if lag <= 1800 else Quality.LATE if lag <= 86400 else Quality.CLOCK_SKEW
        one = reading(BIN, "fill_pct", 95, after(every_s * i - lag), late_s=lag, quality=quality)
        state, found = RULES.evaluate(BIN, one, json.loads(json.dumps(state)))
        assert not found or quality is Quality.OK
    return [f"{a.code}: {a.why['en']}" for a in RULES.ailments(BIN, state)]


def test_a_clock_that_is_behind_is_told_because_it_silences_the_sensor() -> None:
    (said,) = lags(*[7 * 3600 + 30 * n for n in range(8)])
    assert said.startswith("clock_behind: Its clock is 7.1 h behind; set it, or its time zone. What it reports counts")
    assert len(lags(*[3000 * 86400.0] * 6)) == 1, "a clock that began in another year after its battery was changed"


@pytest.mark.parametrize(
    "lag_s",
    [
        [5.0] * 10,
        [7 * 3600.0] * 4,
        [3600.0 * (10 - n) for n in range(8)],  # what was kept while a gateway was away comes at last
        [*[7 * 3600.0] * 8, 5.0],  # it was set right
    ],
)
def test_what_is_late_for_another_reason_is_no_wrong_clock(lag_s: list[float]) -> None:
    assert lags(*lag_s) == []
