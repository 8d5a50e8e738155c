"""Composite scores of departments and streets, with every deduction and its case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from ..domain.evaluation import Counter, Rate, rate
from ..domain.scoring import Deduction, Score, ScoringRule, ranking, rule_for, score
from ..store import report_queries
from ..store.evaluation_queries import Dimension
from .content import Said
from .figures import Counts, Figures

_COUNTERS = (
    *(Counter.NEED_DISPOSE, Counter.DISPOSE, Counter.INTIME_DISPOSE, Counter.REWORK, Counter.NEED_ARCHIVE),
    *(Counter.ARCHIVE, Counter.INTIME_ARCHIVE, Counter.NEED_ANSWER, Counter.INTIME_ANSWER),
)
_RATES = (Rate.INTIME_DISPOSE, Rate.ARCHIVE, Rate.REWORK, Rate.ANSWER, Rate.INTIME_ARCHIVE, Rate.DISPOSE)


@dataclass(frozen=True, slots=True)
class Scored:
    """A unit with its place (None without a score), counts, rates and score."""

    place: int | None
    key: str
    name: Said
    counts: Counts
    rates: Mapping[Rate, Decimal | None]
    score: Score


def rule_of(figures: Figures) -> ScoringRule:
    """The rule in force when the period began."""
    return rule_for(figures.house.scoring, figures.period.first)


def scored(figures: Figures, dimension: Dimension = Dimension.DEPARTMENT) -> list[Scored]:
    """Every unit that had something to do in the period, best first; deductions are the departments' alone."""
    rule = rule_of(figures)
    groups = {key: counts for key, counts in figures.by(_COUNTERS, dimension).items() if key is not None}
    off = _deductions(figures, rule) if dimension is Dimension.DEPARTMENT else {}
    made: dict[str, tuple[Counts, dict[Rate, Decimal | None], Score]] = {}
    for key in groups.keys() | off.keys():
        counts = groups.get(key, {})
        rates = {which: rate(which, counts) for which in _RATES}
        made[key] = (counts, rates, score(rule, rates, off.get(key, ())))
    places = ranking({key: each[2].total for key, each in made.items()})
    return [Scored(place, key, figures.name(dimension, key), *made[key]) for place, key in places]


def _deductions(figures: Figures, rule: ScoringRule) -> dict[str, list[Deduction]]:
    start, end = figures.period.start, figures.period.end
    found: dict[str, list[Deduction]] = {}
    for unit, number, by_leader in report_queries.third_supervisions(figures.tx, start, end):
        found.setdefault(unit, []).append(Deduction("third_supervision", number, by_leader))
    for unit, number, times in report_queries.reworks(figures.tx, start, end):
        found.setdefault(unit, []).extend([Deduction("rework", number)] * times)
    for unit, number in report_queries.third_failed_checks(figures.tx, start, end):
        found.setdefault(unit, []).append(Deduction("third_failed_check", number))
    for row in report_queries.deductions(figures.tx, figures.period.first, figures.period.last):
        if row.struck_at is None and row.rule in rule.deductions:
            made = Deduction(row.rule, row.case_number, row.doubled, row.note)
            found.setdefault(row.department_id, []).append(made)
    return found
