"""When a shadow may take the working model's place, and when a camera's scores have moved."""

from __future__ import annotations

import pytest

from hub.domain.drift import compared, tens
from hub.domain.judged import Truth
from hub.domain.promotion import Paired, luck, refusals

GOOD = Paired(both_right=30, both_wrong=5, live_right=1, live_wrong=10, shadow_right=4, shadow_wrong=2)


def test_a_better_model_may() -> None:
    assert refusals({"garbage_exposed": GOOD}) == []
    shown = GOOD.to_json()
    assert (shown["judged"], shown["better"], shown["worse"]) == (52, 14, 3)
    assert (shown["live"]["precision"]["hits"], shown["live"]["precision"]["of"]) == (31, 46)
    assert (shown["shadow"]["precision"]["hits"], shown["shadow"]["precision"]["of"]) == (34, 41)
    assert shown["keeps"]["hits"] == 30


@pytest.mark.parametrize(
    ("paired", "says"),
    [
        (
            Paired(both_right=12),
            ["too thin: needs 50 judged looks, has 12", "too thin: needs 20 confirmed among them, has 12"],
        ),
        (Paired(both_right=10, live_wrong=50), ["too thin: needs 20 confirmed among them, has 10"]),
        (
            Paired(both_right=50, shadow_waiting=13),
            ["too thin: 13 findings of its own wait for a judgement, at most 12 may"],
        ),
        # It drops what is wrong, and with it what is right.
        (
            Paired(both_right=20, live_right=5, live_wrong=40),
            ["worse: finds 20 of what was right, the working model 25"],
        ),
        # It finds everything, and much that is not there.
        (
            Paired(both_right=40, both_wrong=10, shadow_wrong=8),
            ["worse: right in 40 of 58 of its findings, the working model in 40 of 50"],
        ),
    ],
)  # fmt: skip
def test_thin_or_worse_is_refused_in_numbers(paired: Paired, says: list[str]) -> None:
    assert [str(refusal) for refusal in refusals({"open_burning": paired})] == says


def test_a_gain_at_one_kind_does_not_pay_for_another() -> None:
    fire = Paired(both_right=5, live_right=7, shadow_right=0)
    more = Paired(both_right=60, live_wrong=20, shadow_right=10)
    assert [str(r) for r in refusals({"open_burning": fire, "garbage_exposed": more})] == [
        "worse at open_burning: keeps 5 of 12 that were right"
    ]


def test_what_was_permitted_was_seen_rightly_and_what_nobody_can_tell_counts_for_nobody() -> None:
    paired = Paired().plus("both", Truth.UNWANTED).plus("live", Truth.UNCLEAR).plus("shadow", None)
    paired = paired.plus("live", None).plus("shadow", Truth.WRONG)
    assert paired == Paired(both_right=1, shadow_waiting=1, shadow_wrong=1)


@pytest.mark.parametrize(("better", "worse", "p"), [(0, 0, 1.0), (5, 5, 1.0), (10, 0, 2 / 1024), (8, 2, 112 / 1024)])
def test_luck_is_the_exact_binomial(better: int, worse: int, p: float) -> None:
    assert luck(better, worse) == pytest.approx(p)


def test_a_spread_that_moved_is_told_one_that_wavers_is_not() -> None:
    before = [400, 300, 200, 100, 80, 60, 40, 30, 20, 10]
    wavers = [105, 70, 52, 24, 21, 14, 11, 7, 6, 2]
    moved = [20, 30, 40, 60, 80, 60, 50, 40, 30, 20]
    same, other = compared(wavers, before), compared(moved, before)
    assert same is not None
    assert other is not None
    assert (same.moved, same.settled, other.moved, other.settled) == (False, True, True, False)
    # By hand, with two bins: shares 0.25 and 0.75 against 0.5 and 0.5.
    two = compared([250, 750], [500, 500])
    assert two is not None
    assert (two.psi, two.ks) == (pytest.approx(0.2743, abs=1e-3), 0.25)
    assert compared([5, 5], before[:2]) is None
    assert tens(list(range(20))) == [1, 5, 9, 13, 17, 21, 25, 29, 33, 37]
