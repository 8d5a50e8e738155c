"""Rates, rounding, comparisons and composite scores."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from hub.config import shipped
from hub.domain.evaluation import (
    COUNTER_NAMES,
    FORMULAS,
    Change,
    Counter,
    Rate,
    percent,
    percent_text,
    rate,
    rate_name,
)
from hub.domain.scoring import Deduction, ScoringError, ranking, read_rules, rule_for, score

D = Decimal


@pytest.mark.parametrize(
    ("over", "under", "text"),
    [(1, 3, "33.33%"), (2, 3, "66.67%"), (1, 800, "0.13%"), (5, 100000, "0.01%"), (0, 7, "0.00%"), (0, 0, "—")],
)
def test_percent_rounds_half_up_and_prints_nothing_for_nothing(over: int, under: int, text: str) -> None:
    assert percent_text(percent(over, under)) == text


def test_half_is_rounded_up_where_floats_would_not() -> None:
    assert percent(1001, 160000) == D("0.63")  # 0.625625
    assert percent(5, 80000) == D("0.01")  # 0.00625
    assert percent(1, 16000) == D("0.01")  # 0.00625
    assert percent(201, 40000) == D("0.50")  # 0.5025
    assert percent(1, 20000) == D("0.01")  # exactly 0.005


def test_every_counter_and_rate_has_a_name() -> None:
    assert set(COUNTER_NAMES) == set(Counter)
    assert set(FORMULAS) == set(Rate) - {Rate.SATISFIED}
    assert all(rate_name(r)["zh"] for r in Rate)


def test_a_rate_without_cases_is_nothing() -> None:
    assert rate(Rate.ARCHIVE, {}) is None
    assert rate(Rate.ARCHIVE, {Counter.NEED_ARCHIVE: 4, Counter.ARCHIVE: 3}) == D("75.00")


@pytest.mark.parametrize(
    ("now", "was", "points", "text", "english", "rise"),
    [
        ("112", "100", False, "↑12.00%", "↑12.00%", True),
        ("88", "100", False, "↓12.00%", "↓12.00%", False),
        ("5", "5", False, "持平", "even", None),
        ("5", "0", False, "—", "—", True),
        ("0", "0", False, "持平", "even", None),
        ("93.72", "95.00", True, "↓1.28个百分点", "↓1.28 pp", False),
        (None, "95.00", True, "—", "—", None),
        ("93.72", None, True, "—", "—", None),
    ],
)
def test_changes(now: str | None, was: str | None, points: bool, text: str, english: str, rise: bool | None) -> None:
    change = Change(D(now) if now else None, D(was) if was else None, points)
    assert (change.text(), change.english(), change.rise) == (text, english, rise)


def test_a_change_in_the_words_of_the_field() -> None:
    fields = Change(D(112), D(100)).fields("archive", "TB")
    assert fields == {"archive_TB": 100.0, "archive_TBRise": True, "archive_TBRate": 12.0}


# --- composite scores -------------------------------------------------------------------------------------------------

RULES = read_rules(shipped("configs") / "scoring")
FULL = {
    Rate.INTIME_DISPOSE: D(90),
    Rate.ARCHIVE: D(95),
    Rate.REWORK: D(5),
    Rate.ANSWER: D(100),
    Rate.SATISFIED: D(80),
}


def test_the_default_formula() -> None:
    made = score(RULES[0], FULL)
    # 0.40 x 90 + 0.25 x 95 + 0.15 x (100 - 5) + 0.10 x 100 + 0.10 x 80
    assert made.total == D("92.00")
    assert made.version == "2026"


def test_missing_terms_are_left_out_and_the_weights_grow() -> None:
    made = score(RULES[0], {**FULL, Rate.SATISFIED: None, Rate.ANSWER: None})
    assert made.total == D("92.50")  # (36 + 23.75 + 14.25) / 0.8
    assert [t.share for t in made.terms] == [D("50.00"), D("31.25"), D("18.75"), D(0), D(0)]
    assert score(RULES[0], {}).total is None


def test_deductions_are_listed_and_doubled_for_leaders() -> None:
    off = [Deduction("third_supervision", "621…1"), Deduction("rework", "621…2"), Deduction("falsification", "", True)]
    made = score(RULES[0], FULL, off)
    assert made.before == D("92.00")
    assert [points for _d, points in made.deductions] == [D(2), D("0.2"), D(2)]
    assert made.total == D("87.80")
    assert score(RULES[0], {Rate.ARCHIVE: D(1)}, [Deduction("media")] * 9).total == D("0.00")


def test_ranking_shares_places_and_puts_nothing_last() -> None:
    places = ranking({"a": D(90), "b": D(95), "c": D(90), "d": None, "e": D(80)})
    assert places == [(1, "b"), (2, "a"), (2, "c"), (4, "e"), (None, "d")]


RULE = """
version: "{version}"
from: {since}
terms: [{{rate: archive_rate, weight: 1.0}}]
"""


def test_a_period_keeps_the_rule_that_held_when_it_began(tmp_path: Path) -> None:
    for version, since in (("a", "2026-01-01"), ("b", "2026-11-15")):
        (tmp_path / f"{version}.yaml").write_text(RULE.format(version=version, since=since), encoding="utf-8")
    rules = read_rules(tmp_path)
    assert rule_for(rules, date(2026, 11, 1)).version == "a"
    assert rule_for(rules, date(2026, 11, 15)).version == "b"
    assert rule_for(rules, date(2020, 1, 1)).version == "a"


BAD = """
version: 7
from: soon
terms: [{rate: nice_rate, weight: 0.5}, {rate: archive_rate, weight: 7}, nothing]
deductions: {late: {points: -1, zh: 晚}, odd: 5}
full_mark: 500
wheels: 4
"""


def test_a_bad_rule_names_every_problem(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(BAD, encoding="utf-8")
    with pytest.raises(ScoringError) as caught:
        read_rules(tmp_path)
    text = "\n".join(caught.value.problems)
    for word in ("version: 7", "from: 'soon'", "nice_rate", "weight: 7", "terms[2]", "late", "odd", "500", "wheels"):
        assert word in text, word
    with pytest.raises(ScoringError, match="no scoring rule"):
        read_rules(tmp_path / "nowhere")


def test_weights_must_add_up_and_versions_differ(tmp_path: Path) -> None:
    text = RULE.format(version="a", since="2026-01-01")
    (tmp_path / "a.yaml").write_text(text.replace("1.0", "0.9"), encoding="utf-8")
    with pytest.raises(ScoringError, match=r"add up to 0\.9"):
        read_rules(tmp_path)
    for name in "ab":
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ScoringError, match="stands in two files"):
        read_rules(tmp_path)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_two_figures_of_a_report_have_the_same_name(language: str) -> None:
    names = [name[language] for name in COUNTER_NAMES.values()]
    names += [getattr(formula, language) for formula in FORMULAS.values()]
    assert len(names) == len(set(names)), sorted(name for name in names if names.count(name) > 1)
