"""The shipped profiles against the catalogue of sensors (domain.md §8.3): when each warns, alarms and is over."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from detectors.errors import KindsError
from detectors.finding import Finding
from detectors.hours import Edge, SunWindow
from detectors.kinds import load_kinds
from detectors.profiles import load_profiles, profile_from_wire
from detectors.rules.silence import gateway_lost
from detectors.rules.span import Span
from detectors.sensing import SensorRules
from ingest.device import Place, Sensor
from ingest.reading import Reading

from .made import NOON, after

ROOT = Path(__file__).resolve().parents[3]
RULES = SensorRules(load_profiles(ROOT / "configs" / "sensors"), load_kinds(ROOT / "configs" / "kinds"))
PLACE = Place(107.64, 35.73)
MIN, HOUR, DAY = 60.0, 3600.0, 86400.0
MIDNIGHT = 12 * HOUR
"""Seconds after noon."""


def sensor(profile: str, **settings: float) -> Sensor:
    return Sensor("s", "", "d", profile, 300, PLACE, tuple(sorted(settings.items())))


def reading(prop: str, value: float, at: datetime, **more: Any) -> Reading:
    return Reading("d", prop, value, "", at, more.pop("received_at", at), f"{prop}{at.isoformat()}", **more)


def run(
    of: Sensor, prop: str, values: list[tuple[float, float]], until_s: float | None = None, **more: Any
) -> tuple[list[Finding], list[str], dict[str, Any]]:
    """Findings, the level after each reading, and the state; time alone is asked at the end, at `until_s`."""
    state: dict[str, Any] = {}
    findings, levels = [], []
    for t_s, value in values:
        state, found = RULES.evaluate(of, reading(prop, value, after(t_s), **more), state)
        state = json.loads(json.dumps(state))  # it lives in the spool between any two batches
        findings += found
        levels.append(state["level"])
    if until_s is not None:
        assert state["due_s"] is not None
        assert state["due_s"] <= after(until_s).timestamp()
        state, found = RULES.tick(of, state, after(until_s))
        findings += found
    return findings, levels, state


def every(step_s: float, values: list[float], start_s: float = 0) -> list[tuple[float, float]]:
    return [(start_s + i * step_s, value) for i, value in enumerate(values)]


@pytest.mark.parametrize(
    ("of", "prop", "values", "levels"),
    [
        (sensor("bin_level"), "fill_pct", every(600, [75, 76, 91, 91, 71, 69]), "nwwaan"),
        (sensor("bin_level"), "temperature", every(600, [50, 51, 71, 46, 44]), "nwaan"),
        (sensor("manhole"), "tilt_deg", every(60, [10, 11, 16, 6, 4]), "nwaan"),
        (sensor("gas"), "ch4_lel", every(60, [10, 11, 26, 27, 12, 9]), "nwwaan"),
        (sensor("water_depth"), "depth_cm", every(60, [5, 6, 16, 17, 4, 2]), "nwwaan"),
        (sensor("well_level", crown_cm=200), "level_cm", every(60, [160, 161, 201, 202, 203, 191, 189, 149]),
         "nwwwaawn"),
        (sensor("noise"), "noise_leq", every(300, [60, 61, 71, 72, 73, 66, 64, 54]), "nwwwaawn"),
        (sensor("dust"), "pm10", every(60, [*[140] * 6, *[260] * 10, *[160] * 6, *[100] * 6]),
         "nnnnnnwwwwwwaaaaaaawwwnnnnnn"),
        (sensor("dust", pm10_limit=400), "pm10", every(60, [*[140] * 6, *[260] * 10]), "nnnnnnnnnnwwwwww"),
        (sensor("cabinet"), "temperature", every(60, [60, 61, 81, 82, 83, 73, 71, 59]), "nwwwaawn"),
        (sensor("cabinet"), "residual_ma", every(60, [200, 201, 301, 302, 303, 271, 269, 179]), "nwwwaawn"),
        (sensor("tilt"), "tilt_deg", every(2 * HOUR, [2.9, 3.1, 3.1, 3.1, 2.1, 1.9]), "nwwaaw"),
        (sensor("smoke"), "smoke", every(60, [0, 1, 0, 0]), "naaa"),
    ],
)  # fmt: skip
def test_the_catalogue(of: Sensor, prop: str, values: list, levels: str) -> None:
    said = "".join(level[0] for level in run(of, prop, values)[1])
    assert said == levels


@pytest.mark.parametrize(
    ("of", "prop", "values", "zh", "en"),
    [
        (sensor("gas"), "ch4_lel", every(60, [26, 27]), "甲烷 27 %LEL > 25 %LEL，连续 2 次",
         "Methane 27 %LEL > 25 %LEL for 2 readings"),
        (sensor("gas"), "ch4_lel", every(60, [26, 55]), "甲烷 55 %LEL > 50 %LEL，连续 2 次",
         "Methane 55 %LEL > 50 %LEL for 2 readings"),
        (sensor("water_depth"), "depth_cm", every(60, [30, 31]), "积水深度 31 cm > 27 cm，连续 2 次、1 分钟",
         "Water depth 31 cm > 27 cm for 2 readings in 1 min"),
        (sensor("well_level", crown_cm=150), "level_cm", every(60, [151, 152, 153]), "水位 153 cm > 150 cm，连续 3 次",
         "Water level 153 cm > 150 cm for 3 readings"),
        (sensor("dust"), "pm10", every(60, [260] * 10), "PM10 5 分钟平均 260 µg/m³ > 250 µg/m³，连续 3 次",
         "PM10 over 5 min 260 µg/m³ > 250 µg/m³ for 3 readings"),
        (sensor("tilt"), "tilt_deg", every(600, [1.0, 1.1, 1.6, 1.6, 1.6]), "倾角 1 小时变化 0.6 ° > 0.5 °，连续 3 次",
         "Tilt change in 1 h 0.6 ° > 0.5 ° for 3 readings"),
    ],
)  # fmt: skip
def test_what_people_read(of: Sensor, prop: str, values: list, zh: str, en: str) -> None:
    (finding, *_), _, _ = run(of, prop, values)
    assert (finding.why, finding.why_en) == (zh, en)


def test_noise_has_a_limit_by_day_and_another_by_night() -> None:
    assert run(sensor("noise"), "noise_leq", every(300, [60] * 4))[0] == []
    found, levels, _ = run(sensor("noise"), "noise_leq", every(300, [60] * 4, MIDNIGHT))
    assert found[0].why_en == "Noise 60 dB > 55 dB for 3 readings"
    assert levels == ["warn", "warn", "alarm", "alarm"]


def test_a_loud_evening_becomes_an_alarm_when_the_night_begins() -> None:
    ten = 10 * HOUR
    found, _, _ = run(sensor("noise"), "noise_leq", every(300, [62] * 8, ten - 900))
    assert found[0].at == after(ten + 600), "the third reading of the night"
    assert found[0].why == "噪声 62 dB > 55 dB，连续 3 次"


def test_a_lamp_must_burn_by_night_and_not_by_day() -> None:
    lamp = sensor("street_lamp")
    assert [f.kind for f in run(lamp, "current_ma", every(300, [210, 210]))[0]] == ["street_lamp_by_day"]
    assert run(lamp, "current_ma", every(300, [0, 0]))[0] == []
    dark = every(300, [0, 0], MIDNIGHT)
    (finding,), _, _ = run(lamp, "current_ma", dark)
    assert (finding.kind, finding.why) == ("street_lamp_out", "夜间电流 0 mA < 50 mA，连续 2 次")
    assert run(lamp, "current_ma", every(300, [210, 210], MIDNIGHT))[0] == []
    nowhere = Sensor("s", "", "d", "street_lamp")
    assert run(nowhere, "current_ma", dark)[0] == [], "no position, no sun"


def test_at_dusk_a_lamp_is_given_its_quarter_of_an_hour() -> None:
    lamp, sunset = sensor("street_lamp"), 5.66 * HOUR  # 17:40 in November
    found, _, _ = run(lamp, "current_ma", every(300, [0] * 12, sunset - 600))
    assert 25 * MIN <= (found[0].at - after(sunset)).total_seconds() <= 40 * MIN


@pytest.mark.parametrize(
    ("profile", "prop", "hold_s", "zh", "en"),
    [
        ("parking", "occupied", 600, "车位被占用，超过 10 分钟", "Place taken for more than 10 min"),
        ("fire_lane", "occupied", 300, "消防通道被占用，超过 5 分钟", "Fire lane blocked for more than 5 min"),
        ("door", "open", 600, "箱门打开，超过 10 分钟", "Door open for more than 10 min"),
    ],
)
def test_what_a_device_said_last_still_holds(profile: str, prop: str, hold_s: float, zh: str, en: str) -> None:
    (finding,), _, state = run(sensor(profile), prop, [(0, 1)], until_s=hold_s)
    assert (finding.why, finding.why_en, finding.since, finding.at) == (zh, en, after(0), after(hold_s))
    assert state["level"] == "alarm"
    assert RULES.tick(sensor(profile), state, after(hold_s + 1))[1] == [], "told once"
    early, _ = RULES.tick(sensor(profile), run(sensor(profile), prop, [(0, 1)])[2], after(hold_s - 1))
    assert early["level"] == "warn"
    gone = run(sensor(profile), prop, [(0, 1), (60, 0)])[2]
    assert gone["due_s"] is None
    ended, found = RULES.evaluate(sensor(profile), reading(prop, 0, after(hold_s + 60)), state)
    assert (ended["level"], found) == ("normal", [])


def test_a_parking_place_says_for_how_long_one_may_stand() -> None:
    assert run(sensor("parking", allowed_s=7200), "occupied", [(0, 1)])[2]["due_s"] == after(7200).timestamp()


def test_smoke_is_over_ten_minutes_after_it_cleared_whoever_speaks() -> None:
    smoke = sensor("smoke")
    state = run(smoke, "smoke", [(0, 1), (60, 0)])[2]
    assert state["due_s"] == after(660).timestamp()
    assert RULES.tick(smoke, state, after(659))[0]["level"] == "alarm"
    assert RULES.tick(smoke, state, after(660))[0]["level"] == "normal"


def test_a_slow_lean_over_a_day_only_warns() -> None:
    found, levels, _ = run(sensor("tilt"), "tilt_deg", every(HOUR, [0.5 + 0.06 * i for i in range(24)]))
    assert found == []
    assert levels[16:19] == ["normal", "warn", "warn"]


def test_pm25_is_averaged_over_a_day_and_only_told() -> None:
    found, levels, _ = run(sensor("dust"), "pm25", every(HOUR, [90.0] * 30))
    assert found == []
    assert levels[17] == "normal", "three quarters of a day are not there yet"
    assert levels[18] == "warn"


def test_a_rattling_cover_is_a_notice_and_no_case() -> None:
    found, levels, state = run(sensor("manhole"), "vibration", every(120, [1, 0, 1]))
    assert found == []
    assert levels[-1] == "alarm"
    (ailment,) = RULES.ailments(sensor("manhole"), state)
    assert (ailment.code, ailment.why["en"]) == ("inspect", "Vibration times in 10 min 2 > 1")
    assert not RULES.ailments(sensor("manhole"), run(sensor("manhole"), "vibration", every(700, [1, 1, 1]))[2])


@pytest.mark.parametrize(
    ("profile", "prop", "value", "pct", "code"),
    [
        ("bin_level", "fill_pct", 5, 21, None),
        ("bin_level", "fill_pct", 5, 20, "battery_low"),
        ("bin_level", "fill_pct", 5, 10, "battery_critical"),
        ("bin_level", "battery_v", 3.3, None, "battery_low"),
        ("bin_level", "battery_v", 3.05, None, "battery_critical"),
        ("bin_level", "battery_v", 3.6, None, None),
        ("smoke", "battery_low", 1, None, "battery_low"),
        ("smoke", "battery_low", 0, None, None),
    ],
)
def test_batteries(profile: str, prop: str, value: float, pct: float | None, code: str | None) -> None:
    state, _ = RULES.evaluate(sensor(profile), reading(prop, value, after(0), battery_pct=pct), {})
    assert [a.code for a in RULES.ailments(sensor(profile), json.loads(json.dumps(state)))] == ([code] if code else [])


def test_a_level_that_does_not_move_for_a_week_is_stuck() -> None:
    still = every(DAY, [42.0] * 8)
    assert RULES.ailments(sensor("bin_level"), run(sensor("bin_level"), "fill_pct", still[:7])[2]) == []
    (ailment,) = RULES.ailments(sensor("bin_level"), run(sensor("bin_level"), "fill_pct", still)[2])
    assert (ailment.code, ailment.what, ailment.since) == ("stuck", "fill_pct", after(0))
    moved = [*still, (8 * DAY, 42.1)]
    assert RULES.ailments(sensor("bin_level"), run(sensor("bin_level"), "fill_pct", moved)[2]) == []


@pytest.mark.parametrize("profile", ["manhole", "gas", "smoke"])
def test_what_may_hurt_somebody_alarms_late_with_its_flag(profile: str) -> None:
    prop, value = {"manhole": ("open", 1), "gas": ("ch4_lel", 60), "smoke": ("smoke", 1)}[profile]
    found, _, _ = run(sensor(profile), prop, every(60, [value] * 2), received_at=after(2 * HOUR))
    assert found[0].why.endswith("（延迟）")
    assert found[0].why_en.endswith(" (late)")


def test_a_full_bin_of_this_morning_is_no_alarm_now() -> None:
    values = every(60, [95, 96])
    assert run(sensor("bin_level"), "fill_pct", values, received_at=after(60 + 1801))[0] == []
    assert len(run(sensor("bin_level"), "fill_pct", values, received_at=after(1800))[0]) == 1


def test_a_well_without_its_crown_waits_for_it() -> None:
    state, found = RULES.evaluate(sensor("well_level"), reading("level_cm", 900, NOON), {})
    assert (state.get("level"), found) == (None, [])


def test_nothing_changes_where_no_rule_knows_the_property() -> None:
    state = {"rules": {}}
    assert RULES.evaluate(sensor("smoke"), reading("linkquality", 90, NOON), state)[0] is state


@pytest.mark.parametrize(
    ("supply", "profile", "every_s", "silent_s"),
    [("mains", "noise", 60, 600), ("mains", "noise", 300, 900), ("battery", "smoke", 60, 90_000),
     ("battery", "smoke", 12 * HOUR, 36 * HOUR)],
)  # fmt: skip
def test_silence_by_supply(supply: str, profile: str, every_s: float, silent_s: float) -> None:
    one = Sensor("s", "", "d", profile, every_s)
    assert not RULES.silent(one, after(0), after(silent_s))
    assert RULES.silent(one, after(0), after(silent_s + 1))


def test_a_gateway_is_lost_when_nobody_behind_it_speaks() -> None:
    minutes = lambda n: NOON - timedelta(minutes=n)  # noqa: E731
    assert gateway_lost([(minutes(31), 600), (minutes(45), 3600)], NOON)
    assert not gateway_lost([(minutes(29), 600), (minutes(45), 3600)], NOON)
    assert not gateway_lost([(minutes(400), 600)], NOON), "one silent sensor says nothing of its gateway"
    assert not gateway_lost([(minutes(400), 600), (None, 600)], NOON)
    assert not gateway_lost([], NOON)
    # What fell silent by itself before says nothing: neither how busy they were, nor that there were two.
    assert not gateway_lost([(minutes(90), 3600), (minutes(9000), 600), (minutes(95), 3600)], NOON)
    assert gateway_lost([(minutes(190), 3600), (minutes(9000), 600), (minutes(195), 3600)], NOON)
    assert not gateway_lost([(minutes(190), 3600), (minutes(9000), 600)], NOON)


@given(st.lists(st.tuples(st.floats(1, 2000), st.floats(-100, 100)), min_size=1, max_size=200))
def test_a_span_keeps_few_buckets_and_says_what_all_readings_would(steps: list[tuple[float, float]]) -> None:
    change, count, buckets, at_s = Span("change", 3600), Span("count", 3600), (), 0.0
    seen: list[tuple[float, float]] = []
    for step_s, value in steps:
        at_s += step_s
        seen.append((at_s, value))
        buckets = change.add(json.loads(json.dumps(buckets)), value, at_s)
        assert len(buckets) <= 26
        # A bucket that began before the span is gone with all of it: what is left lies within the span.
        window = [v for t, v in seen if t > at_s - 3600]
        newest = [v for t, v in seen if t > at_s - 3600 + 150]
        least = max(abs(value - v) for v in newest)
        most = max(abs(value - v) for v in window)
        said = change.value(buckets, value, at_s)
        assert said is not None
        assert least <= said <= most
        assert sum(1 for v in newest if v) <= (count.value(buckets, value, at_s) or 0) <= sum(1 for v in window if v)


def test_a_sun_window_without_sun_never_holds() -> None:
    night = SunWindow(frozenset(range(1, 8)), Edge(event="sunset"), Edge(event="sunrise"))
    assert not night.holds(NOON, (20.0, 78.0)), "polar night: the sun does not set"


def test_the_readme_of_profiles_names_every_key_there_is() -> None:
    text = (ROOT / "configs" / "sensors" / "README.md").read_text(encoding="utf-8")
    example = yaml.safe_load(text.partition("```yaml")[2].partition("```")[0])
    with pytest.raises(KindsError) as caught:
        profile_from_wire(example)
    assert [p.rpartition("allowed: ")[2] for p in caught.value.problems] == [
        "hold 1 and no span: what lasts is told once"
    ], "it shows all keys in one rule, which no real rule could have"
    known = {key for rule in example["rules"] for key in rule}
    used = {key for path in (ROOT / "configs" / "sensors").glob("*.yaml")
            for rule in yaml.safe_load(path.read_text(encoding="utf-8"))["rules"] for key in rule}  # fmt: skip
    assert used - {"notice"} <= known, "notice is told beside kind"
