"""What simulated sensors measure and send."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from hub.demo.sensors import SimulatedSensor, message, values
from hub.demo.timeline import Event, Seen

NOW = datetime(2026, 11, 23, 2, 15, tzinfo=UTC)


def sensor(profile: str, form: str = "chirpstack", seed: int = 3) -> SimulatedSensor:
    return SimulatedSensor("s1", "a84041ffff180001", profile, form, 20, seed)


def since(at_s: float, share: float = 1.0) -> list[Seen]:
    return [Seen(Event(at_s, "s1", "something"), at_s, share)]


@pytest.mark.parametrize("seed", range(20))
def test_nothing_alarms_while_nothing_happens(seed: int) -> None:
    for now_s in range(0, 3600, 97):
        assert values(sensor("bin_level", seed=seed), now_s, [], None)["fill_pct"] < 75
        assert values(sensor("manhole", seed=seed), now_s, [], None)["tilt_deg"] < 5
        assert not values(sensor("manhole", seed=seed), now_s, [], None)["open"]
        assert values(sensor("water_depth", seed=seed), now_s, [], None)["depth_cm"] < 3
        assert not values(sensor("smoke", seed=seed), now_s, [], None)["smoke"]


@pytest.mark.parametrize("seed", range(20))
def test_events_rise_above_the_alarm_and_answers_bring_them_down(seed: int) -> None:
    levels = [values(sensor("bin_level", seed=seed), 100 + s, since(100), None)["fill_pct"] for s in (0, 15, 30, 60)]
    assert levels[0] < 75 < 91 < levels[-1] <= 100
    assert levels == sorted(levels)
    assert values(sensor("bin_level", seed=seed), 200, [], 190)["fill_pct"] < 10
    assert values(sensor("manhole", seed=seed), 100, since(100), None)["tilt_deg"] > 15
    assert values(sensor("manhole", seed=seed), 100, since(100), None)["open"] is True
    assert values(sensor("water_depth", seed=seed), 170, since(100), None)["depth_cm"] > 16
    assert values(sensor("smoke", seed=seed), 101, since(100), None)["smoke"] is True


def test_a_chirpstack_uplink_leaves_out_a_zero_counter() -> None:
    topic, first = message(sensor("manhole"), {"tilt_deg": 1.2, "open": False}, 0, NOW)
    _topic, second = message(sensor("manhole"), {"tilt_deg": 1.2, "open": False}, 1, NOW)
    assert topic == "application/demo/device/a84041ffff180001/event/up"
    assert "fCnt" not in json.loads(first)
    assert json.loads(second)["fCnt"] == 1
    assert json.loads(first)["deduplicationId"] != json.loads(second)["deduplicationId"]
    assert json.loads(first)["object"]["tilt_deg"] == 1.2


def test_plain_json_names_the_device_in_its_topic() -> None:
    topic, payload = message(sensor("smoke", "json"), {"smoke": True}, 0, NOW)
    assert topic == "gridhub/a84041ffff180001"
    assert json.loads(payload)["smoke"] is True
    assert json.loads(payload)["time"] == "2026-11-23T02:15:00.000+00:00"
