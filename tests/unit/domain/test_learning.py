"""What verdicts teach: truths, intervals, thresholds, and what another setting would have done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from detectors.geometry import Zone
from hub.domain.interval import wilson
from hub.domain.judged import Judged, Truth, truth_of
from hub.domain.precision import Tally
from hub.domain.verdict import REJECT_REASONS
from hub.domain.what_if import advise, from_dwell, from_score, idle_hours, what_if, within

MORNING = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


def judged(score: float, truth: Truth = Truth.RIGHT, stayed_s: float = 700, after_s: float = 4000) -> Judged:
    """An alert that was seen for `stayed_s`, decided `after_s` after it was last seen."""
    seen = MORNING + timedelta(seconds=stayed_s)
    box = (0.1, 0.5, 0.3, 0.7)
    decided = seen + timedelta(seconds=after_s)
    return Judged("a", "garbage_exposed", "c1", truth, score, MORNING, seen, seen, decided, (box,))


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (42, 65, 0.5249, 0.7510), (1, 1, 0.2065, 1.0)],
)
def test_the_interval_of_few_is_wide(hits: int, of: int, low: float, high: float) -> None:
    assert wilson(hits, of) == pytest.approx((low, high), abs=5e-4)
    assert wilson(0, 0) == (0.0, 1.0)


def test_every_reason_says_something_of_the_detection() -> None:
    assert {reason: truth_of("rejected", reason) for reason in REJECT_REASONS} == {
        "false_detection": Truth.WRONG,
        "wrong_class": Truth.WRONG,
        "already_handled": Truth.UNWANTED,
        "permitted": Truth.UNWANTED,
        "unclear": Truth.UNCLEAR,
        "duplicate": Truth.UNWANTED,
        "permitted_time": Truth.UNWANTED,
    }
    assert truth_of("confirmed", None) is Truth.RIGHT
    assert truth_of("unsure", None) is None
    assert truth_of(None, None) is None


def test_what_was_permitted_counts_against_the_alert_and_not_against_the_model() -> None:
    tally = Tally().plus(Truth.RIGHT, 6).plus(Truth.UNWANTED, 3).plus(Truth.WRONG, 1).plus(None, 2)
    shown = tally.to_json()
    assert (shown["volume"], shown["judged"], shown["enough"]) == (12, 10, True)
    assert (shown["precision"]["share"], shown["seen_right"]["share"]) == (0.6, 0.9)
    assert shown["precision"]["low"] < 0.6 < shown["precision"]["high"]
    assert Tally().to_json()["precision"]["share"] is None


def recorded() -> list[Judged]:
    """42 confirmed, one of them with a low score; 23 rejected, 17 of them below 0.55; two permitted."""
    right = [judged(0.46)] + [judged(0.56 + n / 100) for n in range(41)]
    low = [judged(0.40 + n / 120, Truth.WRONG) for n in range(17)]
    high = [judged(0.6 + n / 20, Truth.UNCLEAR if n == 0 else Truth.WRONG) for n in range(6)]
    return right + low + high + [judged(0.5, Truth.UNWANTED), judged(0.8, Truth.UNWANTED)]


def test_a_threshold_is_advised_with_what_it_keeps_and_removes() -> None:
    advice = advise(recorded())
    assert advice.advised is not None
    effect = advice.advised.effect
    assert (effect.kept, effect.confirmed, effect.removed, effect.rejected) == (41, 42, 17, 23)
    assert effect.unwanted_removed == 1
    assert advice.advised.score == 0.54
    scores = [c.score for c in advice.candidates]
    assert scores == sorted(scores)
    kept = [c.effect.kept for c in advice.candidates]
    assert kept == sorted(kept, reverse=True)
    assert advice.candidates[0].effect == what_if(recorded())  # the lowest candidate changes nothing


def test_no_threshold_is_advised_on_few_verdicts_or_without_a_gain() -> None:
    assert advise([]).why == "too_few_confirmed"
    assert advise([judged(0.8)] * 9 + [judged(0.4, Truth.WRONG)] * 20).why == "too_few_confirmed"
    assert advise([judged(0.8)] * 20 + [judged(0.4, Truth.WRONG)] * 4).why == "too_few_rejected"
    upside_down = [judged(0.5)] * 20 + [judged(0.8, Truth.WRONG)] * 20
    assert (advise(upside_down).why, advise(upside_down).advised) == ("no_gain", None)


def test_what_nobody_looked_on_at_is_unknown_to_a_longer_dwell() -> None:
    gone = judged(0.8, Truth.WRONG, stayed_s=700, after_s=4000)
    cut_off = judged(0.8, Truth.WRONG, stayed_s=700, after_s=60)
    long = judged(0.8, stayed_s=1300)
    effect = what_if([gone, cut_off, long], from_dwell(1200))
    assert (effect.removed, effect.rejected, effect.kept, effect.unknown) == (1, 2, 1, 1)
    both = what_if([gone, cut_off, long], from_dwell(1200), from_score(0.9))
    assert (both.removed, both.kept, both.unknown) == (2, 0, 0)


def test_another_zone_keeps_what_stands_in_it() -> None:
    left = Zone("left", ((0, 0), (0.5, 0), (0.5, 1), (0, 1)))
    right = Zone("right", ((0.5, 0), (1, 0), (1, 1), (0.5, 1)))
    assert within(left, "foot", 0.3)(judged(0.8)) is True
    assert within(right, "foot", 0.3)(judged(0.8)) is False
    assert within(right, "overlap", 0.3)(judged(0.8)) is False
    upper = Zone("upper", ((0, 0), (1, 0), (1, 0.6), (0, 0.6)))
    assert within(upper, "overlap", 0.3)(judged(0.8)) is True  # half of the box
    assert within(upper, "foot", 0.3)(judged(0.8)) is False  # and not its foot


def test_hours_without_a_case_are_worth_leaving_out() -> None:
    samples = [(9, Truth.RIGHT), (9, Truth.WRONG), (22, Truth.UNWANTED), (22, Truth.WRONG), (22, Truth.UNWANTED)]
    assert idle_hours([*samples, (3, Truth.WRONG)]) == [22]
