"""What the rules of a sensor cost: microseconds of one core a reading, by profile. `python -m tests.bench.rules`."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from detectors.kinds import load_kinds
from detectors.profiles import load_profiles
from detectors.sensing import SensorRules
from ingest.device import Place, Sensor
from ingest.reading import Reading
from tests.bench.figures import figure

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
READINGS = 20_000
START = datetime(2026, 11, 23, tzinfo=UTC)


def main() -> None:
    """One sensor of each profile, every property it has rules for, values that go up and down."""
    profiles = load_profiles(CONFIGS / "sensors")
    rules = SensorRules(profiles, load_kinds(CONFIGS / "kinds"))
    total_s = 0.0
    for profile in profiles.values():
        settings = tuple((name, 100.0) for name in sorted(profile.settings))
        sensor = Sensor("s", "", "d", profile.id, 300, Place(107.64, 35.73), settings)
        props = sorted({rule.prop for rule in profile.rules})
        made = [_reading(props[i % len(props)], i) for i in range(READINGS)]
        state: dict[str, Any] = {}
        began = time.process_time()
        for reading in made:
            state, _ = rules.evaluate(sensor, reading, state)
        took_s = time.process_time() - began
        total_s += took_s
        figure("rules", profile.id, took_s / READINGS * 1e6, "us/reading")
    figure("rules", "all profiles", len(profiles) * READINGS / total_s, "readings/s of one core")


def _reading(prop: str, number: int) -> Reading:
    at = START + timedelta(seconds=60 * number)
    return Reading("d", prop, float(number * 7 % 120), "", at, at, f"k{number}", battery_pct=80.0)


if __name__ == "__main__":
    main()
