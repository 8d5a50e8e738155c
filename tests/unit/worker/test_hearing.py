"""Which readings may come in: none that cannot be, none that was heard before, none of a flood."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hub.worker.hearing import BURST_S, Hearing
from ingest.reading import Reading

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def reading(value: float = 50.0, seconds: float = 0.0, **more: object) -> Reading:
    at = NOW + timedelta(seconds=seconds)
    made = Reading("bin-1", "fill_pct", value, "%", at, at + timedelta(seconds=1), "k")
    return replace(made, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("prop", "unit", "value", "why"),
    [
        ("fill_pct", "%", 255.0, "range"), ("fill_pct", "%", 104.0, ""), ("temperature", "degC", -127.0, "range"),
        ("temperature", "degC", -35.0, ""), ("ch4_lel", "%LEL", 300.0, "range"), ("unheard_of", "", 1e13, "range"),
        ("unheard_of", "", -4e6, ""), ("noise_leq", "dB", 66.4, ""), ("tilt_deg", "deg", 4000.0, "range"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(prop: str, unit: str, value: float, why: str) -> None:
    assert Hearing({}).refuses(reading(value, prop=prop, unit=unit), False, 0.0) == why


def test_a_retained_replay_is_refused_unless_it_is_news() -> None:
    hearing = Hearing({})
    assert hearing.refuses(reading(), True, 0.0) == "", "the first that is heard of a device"
    hearing.take([reading()])
    assert hearing.refuses(reading(), True, 0.0) == "replay"
    assert hearing.refuses(reading(seconds=-5), True, 0.0) == "replay"
    assert hearing.refuses(reading(seconds=5), True, 0.0) == ""
    timeless = reading(seconds=5, received_at=NOW + timedelta(seconds=5))
    assert hearing.refuses(timeless, True, 0.0) == "replay", "it may be as old as it likes"
    assert hearing.refuses(reading(seconds=-5), False, 0.0) == "", "late, but sent now"
    assert hearing.refuses(reading(prop="temperature", unit="degC"), True, 0.0) == ""
    assert hearing.refuses(reading(channel="L2"), True, 0.0) == ""


def test_replays_are_known_after_a_restart() -> None:
    first = Hearing({})
    first.take([reading(), reading(51.0, 60), reading(7.0, 30, prop="temperature")])
    saved = first.to_save(math.inf)
    assert first.to_save(math.inf) == {}, "nothing changed since"
    again = Hearing(saved)
    assert again.of("bin-1") == (NOW + timedelta(seconds=60), {"fill_pct": 51.0, "temperature": 7.0})
    assert again.refuses(reading(seconds=60), True, 0.0) == "replay"
    assert again.of("bin-2") == (None, {})


def test_the_gateways_of_the_newest_message_are_kept_while_they_hear_it() -> None:
    hearing = Hearing({})

    def after(seconds: float, *gateways: str) -> tuple[str, ...]:
        hearing.take([reading(seconds=seconds, gateways=gateways)])
        return hearing.gateways("bin-1")

    assert hearing.gateways("bin-1") == ()
    assert after(0) == (), "a format that names none"
    assert after(10, "a") == ("a",)
    assert after(20, "b", "c", "a", "d") == ("a", "b", "c"), "who heard it before stays, then the strongest"
    assert after(30, "d", "e", "c", "b", "a") == ("a", "b", "c"), (
        "stronger ones change nothing while all of before hear"
    )
    assert after(25, "z") == ("a", "b", "c"), "an older message that comes late"
    assert after(40, "d", "c") == ("c", "d")
    assert after(50) == ("c", "d"), "a message that names none says nothing"
    assert Hearing(hearing.to_save(math.inf)).gateways("bin-1") == ("c", "d"), "kept over a restart"


def test_late_readings_do_not_become_the_newest() -> None:
    hearing = Hearing({})
    hearing.take([reading(60.0, 60), reading(10.0, 10)])
    assert hearing.of("bin-1") == (NOW + timedelta(seconds=60), {"fill_pct": 60.0})


def test_a_flood_is_cut_to_its_limit_and_takes_nothing_from_others() -> None:
    hearing = Hearing({}, readings_per_s=2.0)
    burst = int(2 * BURST_S)
    assert [hearing.refuses(reading(), False, 0.0) for _ in range(burst + 10)] == [""] * burst + ["flood"] * 10
    assert hearing.refuses(reading(device="bin-2"), False, 0.0) == ""
    assert [hearing.refuses(reading(), False, 5.0) for _ in range(12)].count("") == 10
    assert hearing.floods == {"bin-1": 12}
    hearing.readings_per_s = 0.0
    assert hearing.refuses(reading(), False, 5.0) == ""


def test_devices_are_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.worker.hearing.MOST_DEVICES", 10)
    hearing = Hearing({})
    for number in range(30):
        one = reading(device=f"d{number}")
        hearing.refuses(one, False, 0.0)
        hearing.take([one])
    assert hearing.of("d0") == (None, {})
    assert hearing.of("d29")[0] == NOW


def test_values_go_on_when_the_clock_is_set_back() -> None:
    hearing = Hearing({})
    hearing.take([reading(10.0, 8 * 3600)])
    hearing.take([reading(20.0, -10, received_at=NOW + timedelta(hours=8, seconds=5))])
    assert hearing.of("bin-1") == (NOW + timedelta(hours=8), {"fill_pct": 10.0}), "late is late"
    hearing.take([reading(30.0, 0)])
    assert hearing.of("bin-1") == (NOW, {"fill_pct": 30.0})
