"""综合指标值: a department's score from its rates, with every deduction listed, by the rule that was in force then.

A rule is a file of `configs/scoring/`; its `from` says since when it holds. A period keeps the rule that held when it
began, so that a new rule never changes an old ranking (domain.md §5.3).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from .evaluation import Rate, two_decimals

_FULL = Decimal(100)


class ScoringError(ValueError):
    """Rule files that cannot be used; `problems` holds one line each: file, key, value, what is allowed."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Term:
    """A rate's share of the 100 points; `inverse` counts 100 % minus the rate."""

    rate: Rate
    weight: Decimal
    inverse: bool = False


@dataclass(frozen=True, slots=True)
class DeductionRule:
    """Points (above 0) that one instance costs; `by_hand` ones are entered by a person, the others counted."""

    id: str
    zh: str
    en: str
    points: Decimal
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class ScoringRule:
    """One version of the rule."""

    version: str
    since: date
    terms: tuple[Term, ...]
    deductions: Mapping[str, DeductionRule]
    full_mark: Decimal
    source: str


@dataclass(frozen=True, slots=True)
class Deduction:
    """One instance: `rule` names the deduction, `case` the case number (or ""); leaders' cases are `doubled`."""

    rule: str
    case: str = ""
    doubled: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class TermScore:
    """What a term gave: `share` are the points it can give after the missing terms were left out."""

    term: Term
    value: Decimal | None
    share: Decimal
    points: Decimal


@dataclass(frozen=True, slots=True)
class Score:
    """`total` is 0 to 100, or None where not a single term has a denominator."""

    total: Decimal | None
    before: Decimal | None
    terms: tuple[TermScore, ...]
    deductions: tuple[tuple[Deduction, Decimal], ...]
    version: str


def score(rule: ScoringRule, rates: Mapping[Rate, Decimal | None], deductions: Sequence[Deduction] = ()) -> Score:
    """100 x the weighted rates (percent); terms without a value are left out and the weights re-normalised."""
    present = sum((t.weight for t in rule.terms if rates.get(t.rate) is not None), Decimal(0))
    terms = []
    for term in rule.terms:
        value = rates.get(term.rate)
        if value is None:
            terms.append(TermScore(term, None, Decimal(0), Decimal(0)))
            continue
        share = _FULL * term.weight / present
        good = min(max(_FULL - value if term.inverse else value, Decimal(0)), _FULL)
        terms.append(TermScore(term, value, two_decimals(share), share * good / _FULL))
    off = tuple((d, _points(rule, d)) for d in deductions if d.rule in rule.deductions)
    if not present:
        return Score(None, None, tuple(terms), off, rule.version)
    before = sum((t.points for t in terms), Decimal(0))
    total = max(before - sum((points for _d, points in off), Decimal(0)), Decimal(0))
    shown = tuple(TermScore(t.term, t.value, t.share, two_decimals(t.points)) for t in terms)
    return Score(two_decimals(total), two_decimals(before), shown, off, rule.version)


def _points(rule: ScoringRule, deduction: Deduction) -> Decimal:
    points = rule.deductions[deduction.rule].points
    return points * 2 if deduction.doubled else points


def ranking(scores: Mapping[str, Decimal | None]) -> list[tuple[int | None, str]]:
    """(place, key), best first; equal values share a place, those without a value come last without one."""
    order = sorted(scores, key=lambda k: (scores[k] is None, -(scores[k] or Decimal(0)), k))
    places: list[tuple[int | None, str]] = []
    for position, key in enumerate(order, start=1):
        value = scores[key]
        if value is None:
            places.append((None, key))
        elif places and scores[places[-1][1]] == value:
            places.append((places[-1][0], key))
        else:
            places.append((position, key))
    return places


def rule_for(rules: Iterable[ScoringRule], begins: date) -> ScoringRule:
    """The rule that held on the day a period begins: the newest not younger; the oldest for what came before."""
    ordered = sorted(rules, key=lambda r: r.since)
    return next((r for r in reversed(ordered) if r.since <= begins), ordered[0])


# --- reading the files ------------------------------------------------------------------------------------------------

_KEYS = {"version", "from", "terms", "deductions", "full_mark", "source"}


def read_rules(folder: Path) -> tuple[ScoringRule, ...]:
    """Every rule of the folder, oldest first. Raises ScoringError with every problem at once."""
    problems: list[str] = []
    rules = [rule for path in sorted(folder.glob("*.yaml")) if (rule := _read_rule(path, problems)) is not None]
    for name in ("version", "since"):
        values = [getattr(r, name) for r in rules]
        problems += [f"{folder}: {name}: {v} stands in two files" for v in {v for v in values if values.count(v) > 1}]
    if not rules and not problems:
        problems.append(f"{folder}: holds no scoring rule (*.yaml)")
    if problems:
        raise ScoringError(problems)
    return tuple(sorted(rules, key=lambda r: r.since))


def _read_rule(path: Path, problems: list[str]) -> ScoringRule | None:
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        problems.append(f"{path}: cannot be read: {error}".replace("\n", " "))
        return None
    if not isinstance(raw, dict):
        problems.append(f"{path}: holds {type(raw).__name__}, wanted a mapping")
        return None
    before = len(problems)
    problems += [f"{path}: unknown key {key!r}; allowed: {', '.join(sorted(_KEYS))}" for key in raw.keys() - _KEYS]
    version, since = raw.get("version"), raw.get("from")
    if not isinstance(version, str) or not 1 <= len(version) <= 32:
        problems.append(f"{path}: version: {version!r} is not a text of 1 to 32 characters")
    if not isinstance(since, date):
        problems.append(f"{path}: from: {since!r} is not a date (2026-01-01)")
    terms = _terms(path, raw.get("terms"), problems)
    deductions = _deductions(path, raw.get("deductions") or {}, problems)
    full_mark = _number(raw.get("full_mark", 100))
    if full_mark is None or not 0 < full_mark <= 100:
        problems.append(f"{path}: full_mark: {raw.get('full_mark')!r} is not a number above 0 and at most 100")
    if len(problems) > before:
        return None
    assert isinstance(since, date)
    return ScoringRule(str(version), since, terms, deductions, full_mark or _FULL, str(raw.get("source", "")))


def _terms(path: Path, raw: Any, problems: list[str]) -> tuple[Term, ...]:
    if not isinstance(raw, list) or not raw:
        problems.append(f"{path}: terms: {raw!r} is not a list of {{rate, weight, inverse}}")
        return ()
    terms = []
    for number, entry in enumerate(raw):
        where = f"{path}: terms[{number}]"
        if not isinstance(entry, dict):
            problems.append(f"{where}: {entry!r} is not a mapping with rate and weight")
            continue
        weight = _number(entry.get("weight"))
        if entry.get("rate") not in list(Rate):
            problems.append(f"{where}: rate: {entry.get('rate')!r} is not one of {', '.join(Rate)}")
        elif weight is None or not 0 < weight <= 1:
            problems.append(f"{where}: weight: {entry.get('weight')!r} is not a number above 0 and at most 1")
        else:
            terms.append(Term(Rate(entry["rate"]), weight, bool(entry.get("inverse", False))))
    total = sum((t.weight for t in terms), Decimal(0))
    if len(terms) == len(raw) and total != 1:
        problems.append(f"{path}: terms: the weights add up to {total}, wanted 1")
    return tuple(terms)


def _deductions(path: Path, raw: Any, problems: list[str]) -> dict[str, DeductionRule]:
    if not isinstance(raw, dict):
        problems.append(f"{path}: deductions: {raw!r} is not a mapping of id to {{zh, en, points}}")
        return {}
    found = {}
    for key, entry in raw.items():
        points = _number(entry.get("points")) if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or points is None or points <= 0 or not isinstance(entry.get("zh"), str):
            problems.append(f"{path}: deductions.{key}: {entry!r} is not {{zh: text, en: text, points: above 0}}")
            continue
        found[str(key)] = DeductionRule(
            str(key), entry["zh"], str(entry.get("en", key)), points, bool(entry.get("by_hand", False))
        )
    return found


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return Decimal(str(value))
